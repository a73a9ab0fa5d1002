//! Why a node does not take a pod, as the scheduler sees it.

use serde_json::Value as Json;

use crate::job::Quantity;
use crate::snapshot::{NodeFacts, Taint};

/// Why a node does not take a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is cordoned.
    Unschedulable,
    /// It lacks a label of the node selector.
    Selector(String),
    /// It does not fulfil the required node affinity.
    Affinity,
    /// It has a taint that the pod does not tolerate.
    Taint(String),
    /// It is too small, even empty.
    TooSmall(String),
}

impl Misfit {
    /// Says it of a node.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Unschedulable => "cordoned".to_owned(),
            Self::Selector(label) => format!("without the label {label}"),
            Self::Affinity => "not of the required node affinity".to_owned(),
            Self::Taint(taint) => format!("with the taint {taint}, which is not tolerated"),
            Self::TooSmall(resource) => format!("with too little {resource}"),
        }
    }

    /// Returns where the Job asks for it.
    pub(super) fn path(&self) -> Option<String> {
        let pod = ".spec.template.spec";
        match self {
            Self::Unschedulable | Self::Taint(_) => None,
            Self::Selector(_) => Some(format!("{pod}.nodeSelector")),
            Self::Affinity => Some(format!("{pod}.affinity.nodeAffinity")),
            Self::TooSmall(resource) => {
                Some(format!("{pod}.containers[0].resources.requests[\"{resource}\"]"))
            }
        }
    }
}

/// Returns why a node does not take a pod; `None` where it does.
pub(super) fn misfit(node: &NodeFacts, pod: &Json) -> Option<Misfit> {
    let selector = pod["nodeSelector"].as_object();
    for (key, value) in selector.into_iter().flatten() {
        if node.labels.get(key).map(String::as_str) != value.as_str() {
            let value = value.as_str().unwrap_or_default();
            return Some(Misfit::Selector(format!("{key}={value}")));
        }
    }
    let affinity =
        &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    if let Some(terms) = affinity["nodeSelectorTerms"].as_array()
        && !terms.iter().any(|term| fulfils(node, term))
    {
        return Some(Misfit::Affinity);
    }
    if node.unschedulable {
        return Some(Misfit::Unschedulable);
    }
    let kept_out = node.taints.iter().filter(|taint| taint.effect != "PreferNoSchedule");
    if let Some(taint) = kept_out.into_iter().find(|taint| !tolerated(taint, pod)) {
        let value = taint.value.as_deref().map(|value| format!("={value}")).unwrap_or_default();
        return Some(Misfit::Taint(format!("{}{value}:{}", taint.key, taint.effect)));
    }
    let resources = &pod["containers"][0]["resources"];
    let requests = resources["requests"].as_object();
    for (name, request) in requests.into_iter().flatten() {
        let request = request.as_str().and_then(Quantity::parse);
        let there = node.allocatable.get(name).and_then(|text| Quantity::parse(text));
        if request > there.or(Quantity::parse("0")) {
            return Some(Misfit::TooSmall(name.clone()));
        }
    }
    None
}

fn tolerated(taint: &Taint, pod: &Json) -> bool {
    pod["tolerations"].as_array().into_iter().flatten().any(|toleration| {
        let text = |key: &str| toleration[key].as_str().unwrap_or_default();
        let effect = matches!(text("effect"), "") || text("effect") == taint.effect;
        let key = text("key");
        let exists = text("operator") == "Exists";
        let same_key = key == taint.key || (key.is_empty() && exists);
        let value = taint.value.as_deref().unwrap_or_default();
        effect && same_key && (exists || text("value") == value)
    })
}

/// An empty term matches no node.
fn fulfils(node: &NodeFacts, term: &Json) -> bool {
    let list = |key: &str| term[key].as_array().cloned().unwrap_or_default();
    let (labels, fields) = (list("matchExpressions"), list("matchFields"));
    let name = |key: &str| (key == "metadata.name").then(|| node.name.clone());
    !(labels.is_empty() && fields.is_empty())
        && labels.iter().all(|one| holds(one, |key| node.labels.get(key).cloned()))
        && fields.iter().all(|one| holds(one, name))
}

fn holds(expression: &Json, look_up: impl Fn(&str) -> Option<String>) -> bool {
    let value = look_up(expression["key"].as_str().unwrap_or_default());
    let values: Vec<&str> =
        expression["values"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let number = |text: &str| text.parse::<i64>().ok();
    let bound = values.first().and_then(|text| number(text));
    match expression["operator"].as_str().unwrap_or_default() {
        "In" => value.is_some_and(|value| values.contains(&value.as_str())),
        "NotIn" => value.is_none_or(|value| !values.contains(&value.as_str())),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => value.and_then(|text| number(&text)).is_some_and(|value| Some(value) > bound),
        "Lt" => value.and_then(|text| number(&text)).is_some_and(|value| Some(value) < bound),
        _ => false,
    }
}
