//! Edition `pro`: what Mage documents. A deep merge, layer by layer, lowest first.

use super::overlay::{Merge, drop_unmounted, empty_root, join_server};
use super::tree::{Rule, Tree};
use crate::config::{Fragment, JobPath, LayerKind};

/// One layer and what it says.
#[derive(Debug)]
pub struct ProLayer {
    /// The layer.
    pub kind: LayerKind,
    /// What its keys say, lowest rank first.
    pub fragments: Vec<Fragment>,
    /// `overrides.<ENV>` has this property too: it replaces the whole of this layer.
    pub replaced: bool,
}

/// Layers that have been merged so far. Those below the block's are the same for every block of a
/// pipeline, so they are merged once and the rest is laid over copies.
#[derive(Clone, Debug)]
pub struct Pro {
    root: Tree,
    merge: Merge,
}

impl Default for Pro {
    fn default() -> Self {
        Self { root: empty_root(), merge: Merge::default() }
    }
}

impl Pro {
    /// Lays layers over those before; none of them is lower than those.
    pub fn lay(&mut self, mut layers: Vec<ProLayer>) {
        layers.sort_by_key(|layer| layer.kind);
        for layer in layers {
            for fragment in layer.fragments {
                let path = JobPath::default();
                if layer.replaced {
                    self.merge.lose(&fragment.tree, &path, Rule::OverridesReplace);
                } else {
                    let root = std::mem::replace(&mut self.root, empty_root());
                    self.root = self.merge.overlay(root, fragment.tree, &path);
                }
            }
        }
    }

    /// Joins the server pod's part.
    #[must_use]
    pub fn join(mut self, server: Option<Tree>) -> (Tree, Merge) {
        if let Some(server) = server {
            join_server(&mut self.merge, &mut self.root, server);
        }
        drop_unmounted(&mut self.merge, &mut self.root);
        (self.root, self.merge)
    }
}
