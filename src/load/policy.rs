//! The policy file: what the platform team sets, and whether it is enforced.

use std::sync::Arc;

use crate::config::LayerKind;
use crate::error::Problem;
use crate::yaml::{Mapping, Node, SourceFile, Value};

/// A policy file that was read.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The file.
    pub file: Arc<SourceFile>,
    /// `Policy` or, with `enforce: true`, `PolicyEnforced`.
    pub kind: LayerKind,
    /// Whether it is applied at all; `enabled: false` switches it off.
    pub enabled: bool,
    /// The settings, `enabled` and `enforce` among them.
    pub body: Mapping,
}

/// Reads `enabled` and `enforce`, and keeps the rest as settings.
pub fn parse_policy(file: &Arc<SourceFile>, root: Option<&Node>) -> Result<Policy, Problem> {
    let body = match root.map(|node| &node.value) {
        None | Some(Value::Null) => Mapping::default(),
        Some(Value::Mapping(mapping)) => mapping.clone(),
        Some(_) => {
            let span = root.map(|node| node.span).unwrap_or_default();
            return Err(Problem::new("the policy is not a mapping")
                .at(file, span)
                .hint("give `enabled`, `enforce` and the keys of `k8s_executor_config`"));
        }
    };
    let flag = |name: &str, default: bool| match body.get(name).map(|node| (&node.value, node)) {
        None | Some((Value::Null, _)) => Ok(default),
        Some((Value::Bool(value), _)) => Ok(*value),
        Some((_, node)) => {
            Err(Problem::new(format!("`{name}` is {}, not true or false", node.kind()))
                .at(file, node.span)
                .hint(format!("write `{name}: true` or `{name}: false`")))
        }
    };
    let (enabled, enforce) = (flag("enabled", true)?, flag("enforce", false)?);
    let kind = if enforce { LayerKind::PolicyEnforced } else { LayerKind::Policy };
    Ok(Policy { file: Arc::clone(file), kind, enabled, body })
}
