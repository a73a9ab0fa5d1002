//! Every layer in order, present or not, and where it was looked for.

use crate::config::LayerKind;

/// What is known of one layer.
#[derive(Clone, Debug)]
pub struct LayerReport {
    /// The layer.
    pub kind: LayerKind,
    /// Whether it says anything for this Job.
    pub present: bool,
    /// Where it was found.
    pub source: Option<String>,
    /// Where it was looked for.
    pub looked_for: String,
}

/// Returns the rows LAYER, PRESENT, SOURCE, LOOKED FOR, lowest layer first.
#[must_use]
pub fn layer_rows(layers: &[LayerReport]) -> Vec<Vec<String>> {
    layers
        .iter()
        .map(|layer| {
            vec![
                layer.kind.to_string(),
                if layer.present { "yes" } else { "no" }.to_owned(),
                layer.source.clone().unwrap_or_else(|| "-".to_owned()),
                layer.looked_for.clone(),
            ]
        })
        .collect()
}
