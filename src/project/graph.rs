//! Who waits for whom.

use std::collections::BTreeSet;

/// The graph of a pipeline's blocks, by their index in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    upstream: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Makes a graph from the indices each block waits for.
    #[must_use]
    pub fn new(upstream: Vec<BTreeSet<usize>>) -> Self {
        Self { upstream }
    }

    /// Returns the blocks that `block` waits for.
    #[must_use]
    pub fn upstream(&self, block: usize) -> &BTreeSet<usize> {
        &self.upstream[block]
    }

    /// Returns the blocks among those taken that `block` waits for: where one it waits for is left
    /// out, those that this one waits for.
    #[must_use]
    pub fn upstream_among(&self, block: usize, taken: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut queue: Vec<usize> = self.upstream[block].iter().copied().collect();
        while let Some(up) = queue.pop() {
            if taken(up) {
                found.insert(up);
            } else if seen.insert(up) {
                queue.extend(&self.upstream[up]);
            }
        }
        found
    }

    /// Returns the blocks in an order in which each comes after those it waits for; among those
    /// that are ready, the order of the file. Blocks of a cycle are left out.
    #[must_use]
    pub fn topological(&self) -> Vec<usize> {
        let downstream = self.downstream();
        let mut waits: Vec<usize> = self.upstream.iter().map(BTreeSet::len).collect();
        let mut ready: BTreeSet<usize> =
            (0..waits.len()).filter(|block| waits[*block] == 0).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(next) = ready.pop_first() {
            order.push(next);
            for block in &downstream[next] {
                waits[*block] -= 1;
                if waits[*block] == 0 {
                    ready.insert(*block);
                }
            }
        }
        order
    }

    /// Returns for each block those that wait for it.
    fn downstream(&self) -> Vec<Vec<usize>> {
        let mut downstream = vec![Vec::new(); self.upstream.len()];
        for (block, upstream) in self.upstream.iter().enumerate() {
            for up in upstream {
                downstream[*up].push(block);
            }
        }
        downstream
    }

    /// Returns a cycle, each block waiting for the one before it and the first for the last.
    #[must_use]
    pub fn cycle(&self) -> Option<Vec<usize>> {
        let ordered: BTreeSet<usize> = self.topological().into_iter().collect();
        let start = (0..self.upstream.len()).find(|block| !ordered.contains(block))?;
        let mut path = vec![start];
        let mut place = vec![None; self.upstream.len()];
        loop {
            let last = path[path.len() - 1];
            place[last] = Some(path.len() - 1);
            let next = *self.upstream[last].iter().find(|up| !ordered.contains(up))?;
            if let Some(first) = place[next] {
                let mut cycle = path.split_off(first);
                cycle.reverse();
                return Some(cycle);
            }
            path.push(next);
        }
    }

    /// Returns `blocks` and everything they wait for, at any distance.
    #[must_use]
    pub fn with_upstream(&self, blocks: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut all = blocks.clone();
        let mut queue: Vec<usize> = blocks.iter().copied().collect();
        while let Some(block) = queue.pop() {
            queue.extend(self.upstream[block].iter().filter(|up| all.insert(**up)));
        }
        all
    }

    /// Returns `blocks` and everything that waits for them, at any distance.
    #[must_use]
    pub fn with_downstream(&self, blocks: &BTreeSet<usize>) -> BTreeSet<usize> {
        let downstream = self.downstream();
        let mut all = blocks.clone();
        let mut queue: Vec<usize> = blocks.iter().copied().collect();
        while let Some(block) = queue.pop() {
            queue.extend(downstream[block].iter().filter(|down| all.insert(**down)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(edges: &[&[usize]]) -> Graph {
        Graph::new(edges.iter().map(|up| up.iter().copied().collect()).collect())
    }

    #[test]
    fn a_diamond_is_ordered_and_widened() {
        let diamond = graph(&[&[], &[0], &[0], &[1, 2]]);
        assert_eq!(diamond.topological(), [0, 1, 2, 3]);
        assert_eq!(diamond.cycle(), None);
        assert_eq!(diamond.with_upstream(&[1].into()), [0, 1].into());
        assert_eq!(diamond.with_downstream(&[1].into()), [1, 3].into());
        assert_eq!(diamond.upstream_among(3, |block| block != 1), [0, 2].into());
        assert_eq!(diamond.upstream_among(3, |_| true), [1, 2].into());
    }

    #[test]
    fn a_cycle_is_named_whole() {
        let cyclic = graph(&[&[], &[0, 3], &[1], &[2], &[3]]);
        assert_eq!(cyclic.topological(), [0]);
        let cycle = cyclic.cycle().unwrap();
        assert_eq!(cycle.len(), 3);
        for (index, block) in cycle.iter().enumerate() {
            let before = cycle[(index + cycle.len() - 1) % cycle.len()];
            assert!(cyclic.upstream(*block).contains(&before), "{cycle:?}");
        }
    }

    proptest! {
        #[test]
        fn every_block_comes_after_those_it_waits_for(
            edges in proptest::collection::vec(proptest::collection::btree_set(0usize..12, 0..4), 12),
        ) {
            let graph = Graph::new(edges);
            let order = graph.topological();
            for (position, block) in order.iter().enumerate() {
                for up in graph.upstream(*block) {
                    prop_assert!(order[..position].contains(up));
                }
            }
            prop_assert_eq!(order.len() < 12, graph.cycle().is_some());
        }
    }
}
