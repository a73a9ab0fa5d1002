//! The pod (`ValidatePodSpec`).

use std::collections::HashSet;

use super::names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified_name};
use super::{Check, items_at, number, text_at, value_at};
use crate::merge::Tree;

impl Check {
    pub(super) fn pod(&mut self, pod: &Tree, path: &str) {
        let volumes = self.volumes(pod, path);
        let mut names = HashSet::new();
        for list in ["containers", "initContainers"] {
            for (index, container) in items_at(pod, list).iter().enumerate() {
                let path = format!("{path}.{list}[{index}]");
                self.container(container, &volumes, &path);
                self.claims(container, pod, &path);
                let name = text_at(container, "name");
                if !name.is_empty() && !names.insert(name) {
                    self.refuse(container, &format!("{path}.name"), "is another container's too");
                }
            }
        }
        self.pod_texts(pod, path);
        self.labels(pod, "nodeSelector", path);
        for (index, toleration) in items_at(pod, "tolerations").iter().enumerate() {
            self.toleration(toleration, &format!("{path}.tolerations[{index}]"));
        }
        if let Some(affinity) = value_at(pod, "affinity") {
            self.affinity(affinity, &format!("{path}.affinity"));
        }
        if let Some(context) = value_at(pod, "securityContext") {
            let path = format!("{path}.securityContext");
            for field in ["fsGroup", "runAsGroup", "runAsUser"] {
                self.range(context, field, &path, 0, i64::from(i32::MAX));
            }
            self.one_of(context, "fsGroupChangePolicy", &path, &["Always", "OnRootMismatch"]);
        }
    }

    fn claims(&mut self, container: &Tree, pod: &Tree, path: &str) {
        let known: Vec<&str> =
            items_at(pod, "resourceClaims").iter().map(|claim| text_at(claim, "name")).collect();
        let claims = container.at(&["resources", "claims"]).and_then(Tree::items);
        for claim in claims.unwrap_or_default() {
            if !known.contains(&text_at(claim, "name")) {
                self.refuse(
                    claim,
                    &format!("{path}.resources.claims"),
                    "names no claim of the pod",
                );
            }
        }
    }

    fn pod_texts(&mut self, pod: &Tree, path: &str) {
        let policy = text_at(pod, "restartPolicy");
        if !matches!(policy, "Never" | "OnFailure") {
            let place = value_at(pod, "restartPolicy").unwrap_or(pod);
            let what = format!("is `{policy}`, but a Job takes only Never or OnFailure");
            self.refuse(place, &format!("{path}.restartPolicy"), &what);
        }
        let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
        self.one_of(pod, "dnsPolicy", path, &dns);
        self.one_of(pod, "preemptionPolicy", path, &["Never", "PreemptLowerPriority"]);
        for field in ["serviceAccountName", "priorityClassName", "runtimeClassName", "nodeName"] {
            self.valid(
                pod,
                field,
                path,
                is_dns_subdomain,
                "a name: lower-case letters, digits, `-` and `.`",
            );
        }
        for field in ["hostname", "subdomain"] {
            self.valid(
                pod,
                field,
                path,
                is_dns_label,
                "a label: lower-case letters, digits and `-`",
            );
        }
        self.range(pod, "activeDeadlineSeconds", path, 1, i64::from(i32::MAX));
    }

    fn toleration(&mut self, toleration: &Tree, path: &str) {
        self.valid(toleration, "key", path, is_qualified_name, "a valid key");
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        self.one_of(toleration, "effect", path, &effects);
        let operator = text_at(toleration, "operator");
        self.one_of(toleration, "operator", path, &["Equal", "Exists"]);
        if text_at(toleration, "key").is_empty() && operator != "Exists" {
            self.refuse(toleration, path, "needs operator Exists when it has no key");
        }
        if value_at(toleration, "tolerationSeconds").and_then(number).is_some()
            && text_at(toleration, "effect") != "NoExecute"
        {
            self.refuse(toleration, path, "has tolerationSeconds, which needs effect NoExecute");
        }
        let value = text_at(toleration, "value");
        if operator == "Exists" && !value.is_empty() {
            self.refuse(toleration, path, "has a value, which operator Exists does not take");
        }
        if matches!(operator, "Equal" | "") && !is_label_value(value) {
            self.refuse(toleration, &format!("{path}.value"), "cannot be the value of a taint");
        }
    }
}
