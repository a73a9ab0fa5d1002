//! Whose log it is.

use std::fmt::Write;
use std::sync::Arc;

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The block run's uuid, or the Job's name where it has no block.
    pub block: Arc<str>,
    /// The attempt at the block, from 1: which pod, restarts included.
    pub attempt: u32,
    /// The container, where it is not the one that runs Mage.
    pub container: Option<Arc<str>>,
    /// The pod.
    pub pod: Arc<str>,
    /// The Job that made the pod.
    pub job: Option<Arc<str>>,
    /// Where the pod is.
    pub namespace: Arc<str>,
    /// The run, where there is one.
    pub run: Option<Arc<str>>,
}

impl Label {
    /// Returns the name that lines are shown by: `block`, `block#2` for the second attempt,
    /// `block/container` for another container.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.block.to_string();
        if self.attempt > 1 {
            // Writing to a String cannot fail.
            let _ = write!(name, "#{}", self.attempt);
        }
        if let Some(container) = &self.container {
            name.push('/');
            name.push_str(container);
        }
        name
    }
}
