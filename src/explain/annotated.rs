//! `explain-config -o annotated`: what stands behind each line of the Job.

use std::collections::{BTreeSet, HashMap};

use super::shown::expression;
use crate::config::{JobPath, LayerKind};
use crate::job::{JobValue, RenderedJob};

/// A comment for every place of a Job.
#[derive(Debug)]
pub struct Comments(HashMap<JobPath, String>);

impl Comments {
    /// Returns the comment for a place.
    #[must_use]
    pub fn at(&self, path: &JobPath) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// Makes a comment for every leaf, `LAYER SOURCE`, and for what holds leaves the layers that speak
/// in it, lowest first.
#[must_use]
pub fn comments(job: &RenderedJob, show_secrets: bool) -> Comments {
    let mut comments = HashMap::new();
    let mut layers: HashMap<JobPath, BTreeSet<LayerKind>> = HashMap::new();
    for value in &job.values {
        for length in 1..value.path.0.len() {
            let parent = JobPath(value.path.0[..length].to_vec());
            layers.entry(parent).or_default().insert(value.origin.layer);
        }
        comments.insert(value.path.clone(), comment(value, show_secrets));
    }
    for (path, layers) in layers {
        let names: Vec<&str> = layers.into_iter().map(LayerKind::name).collect();
        comments.entry(path).or_insert_with(|| names.join(", "));
    }
    Comments(comments)
}

fn comment(value: &JobValue, show_secrets: bool) -> String {
    let origin = &value.origin;
    let mut text = origin.source.to_string();
    if !text.starts_with(&format!("{} ", origin.layer)) {
        text = format!("{} {text}", origin.layer);
    }
    match expression(origin, value.secret && !show_secrets) {
        Some(expression) => format!("{text} {expression}"),
        None => text,
    }
}
