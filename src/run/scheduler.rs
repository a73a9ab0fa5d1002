//! Which block starts next, and which never will (pure).

use super::options::Failure;

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its Job is complete.
    Complete,
    /// Its Job is complete, but a conditional of the block said no: its dependents have no data.
    ConditionFalse,
    /// It failed, could not start, or is gone.
    Failed,
}

/// Why a block will never start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A block it depends on, directly or not, failed.
    UpstreamFailed(usize),
    /// A block it depends on ended with a conditional that said no.
    ConditionFalse(usize),
    /// Another block failed, and nothing new starts after that.
    FailFast(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Started,
    Ended(Verdict),
    Skipped,
}

/// How an attempt at a block failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// By itself, or when it had begun its work: that uses up a retry.
    Own,
    /// It was evicted, preempted or lost its node before its container started: another attempt
    /// repeats nothing, so it is free.
    Unstarted,
}

/// How often a block is tried again for free: something evicts it every time then.
const FREE_RETRIES: u32 = 5;

#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    used: u32,
    free: u32,
}

/// The graph, and how far each block is. Blocks are known by their index in the plan.
#[derive(Clone, Debug)]
pub struct Scheduler {
    upstream: Vec<Vec<usize>>,
    downstream: Vec<Vec<usize>>,
    stages: Vec<Stage>,
    parallel: usize,
    failure: Failure,
    retries: u32,
    tries: Vec<Tries>,
    started: usize,
    /// The first failure, after which nothing new starts.
    failed: Option<usize>,
    halted: bool,
}

impl Scheduler {
    /// Makes a scheduler for a graph given as each block's upstream blocks.
    #[must_use]
    pub fn new(upstream: Vec<Vec<usize>>, parallel: usize, failure: Failure) -> Self {
        let mut downstream = vec![Vec::new(); upstream.len()];
        for (block, upstream) in upstream.iter().enumerate() {
            for &up in upstream {
                downstream[up].push(block);
            }
        }
        let stages = vec![Stage::Waiting; upstream.len()];
        let tries = vec![Tries::default(); upstream.len()];
        Self {
            upstream,
            downstream,
            stages,
            parallel,
            failure,
            retries: 0,
            tries,
            started: 0,
            failed: None,
            halted: false,
        }
    }

    /// Says how often a block is tried again after it failed.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Says how many retries a block used up before this.
    pub fn count_retries(&mut self, block: usize, used: u32) {
        self.tries[block].used = used.min(self.retries);
    }

    /// Takes over blocks as another client left them: started where there is no verdict. What
    /// other blocks mean for those that wait is found out anew; returns those that will never
    /// start.
    pub fn adopt(&mut self, known: &[(usize, Option<Verdict>)]) -> Vec<(usize, Skip)> {
        for &(block, verdict) in known {
            self.stages[block] = verdict.map_or(Stage::Started, Stage::Ended);
        }
        for stage in self.stages.iter_mut().filter(|stage| **stage == Stage::Skipped) {
            *stage = Stage::Waiting;
        }
        self.started = self.running().count();
        self.failed = None;
        let mut skipped = Vec::new();
        for block in 0..self.stages.len() {
            if let Stage::Ended(verdict) = self.stages[block] {
                self.spread(block, verdict, &mut skipped);
            }
        }
        skipped.sort_by_key(|(block, _)| *block);
        skipped
    }

    /// Notes that an attempt at a started block failed; tells whether there is to be another one,
    /// for which the block keeps its place.
    pub fn fails_for_good(&mut self, block: usize, fault: Fault) -> bool {
        if self.stages[block] != Stage::Started || self.halted || self.failed.is_some() {
            return true;
        }
        let tries = &mut self.tries[block];
        let (count, limit) = match fault {
            Fault::Own => (&mut tries.used, self.retries),
            Fault::Unstarted => (&mut tries.free, FREE_RETRIES),
        };
        if *count == limit {
            return true;
        }
        *count += 1;
        false
    }

    /// Returns the blocks to start now, in the plan's order, and counts them as started.
    pub fn start_ready(&mut self) -> Vec<usize> {
        if self.halted || self.failed.is_some() {
            return Vec::new();
        }
        let mut ready = Vec::new();
        for block in 0..self.stages.len() {
            if self.started >= self.parallel {
                break;
            }
            if self.stages[block] == Stage::Waiting && self.is_ready(block) {
                self.stages[block] = Stage::Started;
                self.started += 1;
                ready.push(block);
            }
        }
        ready
    }

    fn is_ready(&self, block: usize) -> bool {
        self.upstream[block].iter().all(|&up| self.stages[up] == Stage::Ended(Verdict::Complete))
    }

    /// Notes that a started block ended; returns the blocks that will therefore never start.
    pub fn finish(&mut self, block: usize, verdict: Verdict) -> Vec<(usize, Skip)> {
        if self.stages[block] != Stage::Started {
            return Vec::new();
        }
        self.stages[block] = Stage::Ended(verdict);
        self.started -= 1;
        let mut skipped = Vec::new();
        self.spread(block, verdict, &mut skipped);
        skipped.sort_by_key(|(block, _)| *block);
        skipped
    }

    /// Skips what waits, as far as the end of a block means that.
    fn spread(&mut self, block: usize, verdict: Verdict, skipped: &mut Vec<(usize, Skip)>) {
        match verdict {
            Verdict::Complete => {}
            Verdict::ConditionFalse => {
                self.skip_downstream(block, Skip::ConditionFalse(block), skipped);
            }
            Verdict::Failed => {
                self.skip_downstream(block, Skip::UpstreamFailed(block), skipped);
                if self.failure == Failure::FailFast {
                    self.failed.get_or_insert(block);
                    for other in 0..self.stages.len() {
                        if self.stages[other] == Stage::Waiting {
                            self.stages[other] = Stage::Skipped;
                            skipped.push((other, Skip::FailFast(block)));
                        }
                    }
                }
            }
        }
    }

    fn skip_downstream(&mut self, block: usize, why: Skip, skipped: &mut Vec<(usize, Skip)>) {
        let mut open = vec![block];
        while let Some(block) = open.pop() {
            for index in 0..self.downstream[block].len() {
                let next = self.downstream[block][index];
                if self.stages[next] == Stage::Waiting {
                    self.stages[next] = Stage::Skipped;
                    skipped.push((next, why));
                    open.push(next);
                }
            }
        }
    }

    /// Starts nothing any more; what has started stays so.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    /// Tells whether nothing runs and nothing will start.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.started == 0 && (self.halted || !self.stages.contains(&Stage::Waiting))
    }

    /// Returns the blocks that have started and not ended.
    pub fn running(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.stages.len()).filter(|&block| self.stages[block] == Stage::Started)
    }

    /// Returns the blocks that neither started nor were skipped.
    pub fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.stages.len()).filter(|&block| self.stages[block] == Stage::Waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::{FREE_RETRIES, Fault, Scheduler, Skip, Verdict};
    use crate::run::Failure;
    use proptest::prelude::*;

    /// load -> (left, right) -> join.
    fn diamond(parallel: usize, failure: Failure) -> Scheduler {
        Scheduler::new(vec![vec![], vec![0], vec![0], vec![1, 2]], parallel, failure)
    }

    #[test]
    fn a_diamond_runs_in_three_steps() {
        let mut s = diamond(9, Failure::FailFast);
        assert_eq!(s.start_ready(), [0]);
        assert_eq!(s.start_ready(), [0_usize; 0]);
        assert!(s.finish(0, Verdict::Complete).is_empty());
        assert_eq!(s.start_ready(), [1, 2]);
        s.finish(1, Verdict::Complete);
        assert!(s.start_ready().is_empty());
        s.finish(2, Verdict::Complete);
        assert_eq!(s.start_ready(), [3]);
        assert!(!s.is_settled());
        s.finish(3, Verdict::Complete);
        assert!(s.is_settled());
    }

    #[test]
    fn parallel_one_keeps_the_order_of_the_plan() {
        let mut s = diamond(1, Failure::FailFast);
        assert_eq!(s.start_ready(), [0]);
        s.finish(0, Verdict::Complete);
        assert_eq!(s.start_ready(), [1]);
        assert!(s.start_ready().is_empty());
    }

    #[test]
    fn fail_fast_awaits_what_runs_and_names_the_cause() {
        let mut s = Scheduler::new(vec![vec![], vec![], vec![0], vec![1]], 9, Failure::FailFast);
        assert_eq!(s.start_ready(), [0, 1]);
        assert_eq!(
            s.finish(0, Verdict::Failed),
            [(2, Skip::UpstreamFailed(0)), (3, Skip::FailFast(0))]
        );
        assert!(!s.is_settled());
        s.finish(1, Verdict::Complete);
        assert!(s.start_ready().is_empty());
        assert!(s.is_settled());
    }

    #[test]
    fn keep_going_runs_what_does_not_depend_on_the_failure() {
        let mut s = Scheduler::new(vec![vec![], vec![], vec![0], vec![1]], 9, Failure::KeepGoing);
        s.start_ready();
        assert_eq!(s.finish(0, Verdict::Failed), [(2, Skip::UpstreamFailed(0))]);
        s.finish(1, Verdict::Complete);
        assert_eq!(s.start_ready(), [3]);
    }

    #[test]
    fn a_false_condition_skips_downstream_and_is_no_failure() {
        let mut s = Scheduler::new(vec![vec![], vec![0], vec![1], vec![]], 1, Failure::FailFast);
        s.start_ready();
        assert_eq!(
            s.finish(0, Verdict::ConditionFalse),
            [(1, Skip::ConditionFalse(0)), (2, Skip::ConditionFalse(0))]
        );
        assert_eq!(s.start_ready(), [3]);
    }

    #[test]
    fn a_retry_keeps_its_place_and_a_start_that_never_was_is_free() {
        let mut s = diamond(1, Failure::FailFast).with_retries(1);
        assert_eq!(s.start_ready(), [0]);
        for _ in 0..FREE_RETRIES {
            assert!(!s.fails_for_good(0, Fault::Unstarted));
        }
        assert!(s.fails_for_good(0, Fault::Unstarted), "whatever evicts it does so every time");
        assert!(!s.fails_for_good(0, Fault::Own));
        assert!(s.start_ready().is_empty());
        assert!(s.fails_for_good(0, Fault::Own));
        assert_eq!(s.finish(0, Verdict::Failed).len(), 3);
    }

    #[test]
    fn after_a_failure_nothing_is_tried_again_unless_the_run_keeps_going() {
        for (failure, again) in [(Failure::FailFast, false), (Failure::KeepGoing, true)] {
            let mut s = Scheduler::new(vec![vec![], vec![]], 9, failure).with_retries(1);
            s.start_ready();
            s.finish(0, Verdict::Failed);
            assert_eq!(!s.fails_for_good(1, Fault::Own), again, "{failure:?}");
        }
    }

    #[test]
    fn an_adopted_run_goes_on_where_it_stood() {
        let mut s = diamond(9, Failure::FailFast);
        assert!(s.adopt(&[(0, Some(Verdict::Complete)), (1, None)]).is_empty());
        assert_eq!(s.start_ready(), [2]);
        // Another client tries again what had failed for good.
        assert_eq!(s.finish(1, Verdict::Failed), [(3, Skip::UpstreamFailed(1))]);
        assert!(s.adopt(&[(1, None)]).is_empty());
        s.finish(1, Verdict::Complete);
        s.finish(2, Verdict::Complete);
        assert_eq!(s.start_ready(), [3]);
        let mut s = diamond(9, Failure::FailFast);
        let skipped = s.adopt(&[(0, Some(Verdict::ConditionFalse))]);
        assert_eq!(skipped.len(), 3);
        assert!(s.is_settled());
    }

    fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
        proptest::collection::vec(
            proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
            1..30,
        )
        .prop_map(|blocks| {
            blocks
                .iter()
                .enumerate()
                .map(|(block, ups)| {
                    let mut ups: Vec<usize> = match block {
                        0 => Vec::new(),
                        _ => ups.iter().map(|up| up.index(block)).collect(),
                    };
                    ups.sort_unstable();
                    ups.dedup();
                    ups
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn dependencies_and_the_limit_hold_and_nothing_starves(
            graph in graphs(),
            parallel in 1_usize..5,
            keep_going: bool,
            retries in 0_u32..3,
            picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..10), 40),
        ) {
            let failure = if keep_going { Failure::KeepGoing } else { Failure::FailFast };
            let mut s = Scheduler::new(graph.clone(), parallel, failure).with_retries(retries);
            let mut attempts = vec![0; graph.len()];
            let mut complete = vec![false; graph.len()];
            let mut seen = vec![0; graph.len()];
            let mut running: Vec<usize> = Vec::new();
            let mut failed = false;
            let mut picks = picks.into_iter().cycle();
            loop {
                for block in s.start_ready() {
                    prop_assert!(graph[block].iter().all(|&up| complete[up]));
                    prop_assert!(keep_going || !failed);
                    seen[block] += 1;
                    running.push(block);
                }
                prop_assert!(running.len() <= parallel);
                prop_assert_eq!(s.running().count(), running.len());
                if running.is_empty() {
                    break;
                }
                let (pick, fate) = picks.next().unwrap();
                let pick = pick.index(running.len());
                if fate == 0 && !s.fails_for_good(running[pick], Fault::Own) {
                    prop_assert!(keep_going || !failed);
                    attempts[running[pick]] += 1;
                    continue;
                }
                let block = running.swap_remove(pick);
                prop_assert!(attempts[block] <= retries);
                prop_assert!(fate > 0 || attempts[block] == retries || (failed && !keep_going));
                let verdict = match fate {
                    0 => Verdict::Failed,
                    1 => Verdict::ConditionFalse,
                    _ => Verdict::Complete,
                };
                complete[block] = verdict == Verdict::Complete;
                failed |= verdict == Verdict::Failed;
                for (skipped, why) in s.finish(block, verdict) {
                    let (Skip::UpstreamFailed(cause)
                    | Skip::ConditionFalse(cause)
                    | Skip::FailFast(cause)) = why;
                    prop_assert_eq!(cause, block);
                    seen[skipped] += 1;
                }
            }
            prop_assert!(s.is_settled());
            // Every block was started or skipped, exactly once.
            prop_assert!(seen.iter().all(|&times| times == 1), "{:?}", seen);
        }

        /// Whatever a client did until it died, the next one ends the run as one client would
        /// have, and starts no block that had started.
        #[test]
        fn a_run_adopted_at_any_moment_ends_the_same(
            graph in graphs(),
            parallel in 1_usize..5,
            fates in proptest::collection::vec(0_u8..12, 30),
            deaths in proptest::collection::vec(1_usize..6, 1..6),
        ) {
            let verdict = |block: usize| match fates[block] {
                0 => Verdict::Failed,
                1 => Verdict::ConditionFalse,
                _ => Verdict::Complete,
            };
            let fresh = || Scheduler::new(graph.clone(), parallel, Failure::KeepGoing);
            let mut whole = fresh();
            let mut expected = vec![0; graph.len()];
            loop {
                for block in whole.start_ready() {
                    expected[block] += 1;
                }
                let Some(block) = whole.running().last() else { break };
                whole.finish(block, verdict(block));
            }
            let mut started = vec![0; graph.len()];
            let mut ended = vec![false; graph.len()];
            let deaths = deaths.into_iter().chain([usize::MAX]);
            'client: for mut steps in deaths {
                let known: Vec<(usize, Option<Verdict>)> = (0..graph.len())
                    .filter(|&block| started[block] > 0)
                    .map(|block| (block, ended[block].then(|| verdict(block))))
                    .collect();
                let mut s = fresh();
                s.adopt(&known);
                loop {
                    for block in s.start_ready() {
                        started[block] += 1;
                    }
                    prop_assert!(s.running().count() <= parallel);
                    let Some(block) = s.running().next() else { break };
                    if steps == 0 {
                        continue 'client;
                    }
                    steps -= 1;
                    ended[block] = true;
                    s.finish(block, verdict(block));
                }
                prop_assert!(s.is_settled());
            }
            prop_assert_eq!(started, expected);
        }
    }
}
