//! Affinities and selectors (`validateAffinity`).

use super::names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified_name};
use super::{Check, items_at, number, text_at, value_at};
use crate::merge::{Content, Tree};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

impl Check {
    pub(super) fn affinity(&mut self, affinity: &Tree, path: &str) {
        if let Some(node) = value_at(affinity, "nodeAffinity") {
            self.node_affinity(node, &format!("{path}.nodeAffinity"));
        }
        for kind in ["podAffinity", "podAntiAffinity"] {
            let Some(pods) = value_at(affinity, kind) else { continue };
            let path = format!("{path}.{kind}");
            for (index, term) in items_at(pods, REQUIRED).iter().enumerate() {
                self.pod_term(term, &format!("{path}.{REQUIRED}[{index}]"));
            }
            for (index, weighted) in items_at(pods, PREFERRED).iter().enumerate() {
                let path = format!("{path}.{PREFERRED}[{index}]");
                self.weight(weighted, &path);
                match value_at(weighted, "podAffinityTerm") {
                    Some(term) => self.pod_term(term, &format!("{path}.podAffinityTerm")),
                    None => {
                        self.refuse(weighted, &format!("{path}.podAffinityTerm"), "is required");
                    }
                }
            }
        }
    }

    fn weight(&mut self, term: &Tree, path: &str) {
        let weight = value_at(term, "weight").and_then(number).unwrap_or_default();
        if !(1..=100).contains(&weight) {
            let place = value_at(term, "weight").unwrap_or(term);
            self.refuse(
                place,
                &format!("{path}.weight"),
                &format!("is {weight}, not from 1 to 100"),
            );
        }
    }

    fn node_affinity(&mut self, node: &Tree, path: &str) {
        if let Some(required) = value_at(node, REQUIRED) {
            let path = format!("{path}.{REQUIRED}.nodeSelectorTerms");
            let terms = items_at(required, "nodeSelectorTerms");
            if terms.is_empty() {
                self.refuse(required, &path, "is required");
            }
            for (index, term) in terms.iter().enumerate() {
                self.node_term(term, &format!("{path}[{index}]"), true);
            }
        }
        for (index, preferred) in items_at(node, PREFERRED).iter().enumerate() {
            let path = format!("{path}.{PREFERRED}[{index}]");
            self.weight(preferred, &path);
            if let Some(term) = value_at(preferred, "preference") {
                self.node_term(term, &format!("{path}.preference"), false);
            }
        }
    }

    fn node_term(&mut self, term: &Tree, path: &str, checks_values: bool) {
        for (index, expression) in items_at(term, "matchExpressions").iter().enumerate() {
            let path = format!("{path}.matchExpressions[{index}]");
            self.node_expression(expression, &path, checks_values);
        }
        for (index, field) in items_at(term, "matchFields").iter().enumerate() {
            let path = format!("{path}.matchFields[{index}]");
            let values = items_at(field, "values");
            if !matches!(text_at(field, "operator"), "In" | "NotIn") || values.len() != 1 {
                self.refuse(field, &path, "takes operator In or NotIn with one value");
            }
            let name = |tree: &Tree| tree.as_str().is_some_and(is_dns_subdomain);
            if text_at(field, "key") != "metadata.name" || !values.iter().all(name) {
                self.refuse(field, &path, "takes the key metadata.name and the name of a node");
            }
        }
    }

    fn node_expression(&mut self, expression: &Tree, path: &str, checks_values: bool) {
        let values = items_at(expression, "values");
        let operator = text_at(expression, "operator");
        let fits = match operator {
            "In" | "NotIn" => !values.is_empty(),
            "Exists" | "DoesNotExist" => values.is_empty(),
            "Gt" | "Lt" => values.len() == 1,
            _ => false,
        };
        if !fits {
            let what = format!("has operator `{operator}` with {} values", values.len());
            self.refuse(expression, path, &what);
        }
        if !is_qualified_name(text_at(expression, "key")) {
            self.refuse(expression, &format!("{path}.key"), "is no key of a label");
        }
        if checks_values {
            self.label_values(values, path);
        }
    }

    fn label_values(&mut self, values: &[Tree], path: &str) {
        for value in values {
            if !is_label_value(value.as_str().unwrap_or_default()) {
                self.refuse(value, &format!("{path}.values"), "cannot be the value of a label");
            }
        }
    }

    fn pod_term(&mut self, term: &Tree, path: &str) {
        if !is_qualified_name(text_at(term, "topologyKey")) {
            let place = value_at(term, "topologyKey").unwrap_or(term);
            self.refuse(place, &format!("{path}.topologyKey"), "is required, the key of a label");
        }
        for name in items_at(term, "namespaces") {
            if !name.as_str().is_some_and(is_dns_label) {
                self.refuse(name, &format!("{path}.namespaces"), "hold what is no namespace");
            }
        }
        for selector in ["labelSelector", "namespaceSelector"] {
            if let Some(found) = value_at(term, selector) {
                self.label_selector(found, &format!("{path}.{selector}"));
            }
        }
        for keys in ["matchLabelKeys", "mismatchLabelKeys"] {
            let without_selector = value_at(term, "labelSelector").is_none();
            if !items_at(term, keys).is_empty() && without_selector {
                self.refuse(term, &format!("{path}.{keys}"), "needs a labelSelector");
            }
        }
    }

    fn label_selector(&mut self, selector: &Tree, path: &str) {
        self.labels(selector, "matchLabels", path);
        for (index, expression) in items_at(selector, "matchExpressions").iter().enumerate() {
            let path = format!("{path}.matchExpressions[{index}]");
            let values = match value_at(expression, "values").map(|tree| &tree.content) {
                Some(Content::List { items, .. }) => items.as_slice(),
                _ => &[],
            };
            let operator = text_at(expression, "operator");
            let fits = match operator {
                "In" | "NotIn" => !values.is_empty(),
                "Exists" | "DoesNotExist" => values.is_empty(),
                _ => false,
            };
            if !fits {
                let what = format!("has operator `{operator}` with {} values", values.len());
                self.refuse(expression, &path, &what);
            }
            if !is_qualified_name(text_at(expression, "key")) {
                self.refuse(expression, &format!("{path}.key"), "is no key of a label");
            }
            self.label_values(values, &path);
        }
    }
}
