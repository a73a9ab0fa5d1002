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

/// The graph, and how far each block is. Blocks are known by their index in the plan.
#[derive(Clone, Debug)]
pub struct Scheduler {
    upstream: Vec<Vec<usize>>,
    downstream: Vec<Vec<usize>>,
    stages: Vec<Stage>,
    parallel: usize,
    failure: Failure,
    started: usize,
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
        Self { upstream, downstream, stages, parallel, failure, started: 0, halted: false }
    }

    /// Returns the blocks to start now, in the plan's order, and counts them as started.
    pub fn start_ready(&mut self) -> Vec<usize> {
        if self.halted {
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
        match verdict {
            Verdict::Complete => {}
            Verdict::ConditionFalse => {
                self.skip_downstream(block, Skip::ConditionFalse(block), &mut skipped);
            }
            Verdict::Failed => {
                self.skip_downstream(block, Skip::UpstreamFailed(block), &mut skipped);
                if self.failure == Failure::FailFast {
                    self.halted = true;
                    for other in 0..self.stages.len() {
                        if self.stages[other] == Stage::Waiting {
                            self.stages[other] = Stage::Skipped;
                            skipped.push((other, Skip::FailFast(block)));
                        }
                    }
                }
            }
        }
        skipped.sort_by_key(|(block, _)| *block);
        skipped
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
    use super::{Scheduler, Skip, Verdict};
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
            picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..10), 40),
        ) {
            let failure = if keep_going { Failure::KeepGoing } else { Failure::FailFast };
            let mut s = Scheduler::new(graph.clone(), parallel, failure);
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
                let block = running.swap_remove(pick.index(running.len()));
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
    }
}
