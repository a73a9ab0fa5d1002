//! A block of a pipeline.

use crate::yaml::{Node, Span, Value};

/// The types Mage knows (`mage_ai/data_preparation/models/constants.py: BlockType`).
pub const BLOCK_TYPES: [&str; 17] = [
    "callback",
    "conditional",
    "chart",
    "custom",
    "data_exporter",
    "data_loader",
    "dbt",
    "dynamic_child",
    "extension",
    "global_data_product",
    "hook",
    "markdown",
    "scratchpad",
    "sensor",
    "transformer",
    "group",
    "pipeline",
];

/// Types whose blocks never run by themselves
/// (`mage_ai/data_preparation/models/constants.py: NON_PIPELINE_EXECUTABLE_BLOCK_TYPES`).
pub(super) const NEVER_RUN: [&str; 3] = ["chart", "markdown", "scratchpad"];

/// A block that runs.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its uuid.
    pub uuid: String,
    /// Where the uuid stands.
    pub uuid_span: Span,
    /// Its type, `data_loader`.
    pub block_type: String,
    /// The uuids it waits for, as written, with their places.
    pub upstream: Vec<(String, Span)>,
    /// The original that a replica runs the code of.
    pub replicated_block: Option<String>,
    /// The whole block.
    pub node: Node,
}

impl Block {
    /// Returns `executor_type`.
    #[must_use]
    pub fn executor_type(&self) -> Option<&Node> {
        self.node.get("executor_type").filter(|node| !node.is_null())
    }

    /// Returns `executor_config`.
    #[must_use]
    pub fn executor_config(&self) -> Option<&Node> {
        self.node.get("executor_config")
    }

    /// Returns `timeout`, after which Mage fails it, in seconds; 0 is none.
    #[must_use]
    pub fn timeout(&self) -> Option<u64> {
        let seconds = match &self.node.get("timeout")?.value {
            Value::Int(seconds) => u64::try_from(seconds.to_i64()?).ok()?,
            _ => return None,
        };
        (seconds > 0).then_some(seconds)
    }

    /// Tells whether it makes child blocks at run time.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.node
            .get("configuration")
            .and_then(|configuration| configuration.get("dynamic"))
            .is_some_and(Node::is_truthy)
    }

    /// Tells whether it gathers what the children of a dynamic block gave.
    #[must_use]
    pub fn reduces_output(&self) -> bool {
        self.node
            .get("configuration")
            .and_then(|configuration| configuration.get("reduce_output"))
            .is_some_and(Node::is_truthy)
    }

    /// Returns what its run is called: a replica's is `uuid:original`
    /// (`mage_ai/data_preparation/models/pipeline.py: get_block`).
    #[must_use]
    pub fn run_uuid(&self) -> String {
        match &self.replicated_block {
            Some(original) => format!("{}:{original}", self.uuid),
            None => self.uuid.clone(),
        }
    }
}
