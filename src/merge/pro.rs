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

/// Merges the layers and joins the server pod's part.
#[must_use]
pub fn merge(mut layers: Vec<ProLayer>, server: Option<Tree>) -> (Tree, Merge) {
    let mut merge = Merge::default();
    let mut root = empty_root();
    layers.sort_by_key(|layer| layer.kind);
    for layer in layers {
        for fragment in layer.fragments {
            if layer.replaced {
                merge.lose(&fragment.tree, &JobPath::default(), Rule::OverridesReplace);
            } else {
                root = merge.overlay(root, fragment.tree, &JobPath::default());
            }
        }
    }
    if let Some(server) = server {
        join_server(&mut merge, &mut root, server);
    }
    drop_unmounted(&mut merge, &mut root);
    (root, merge)
}
