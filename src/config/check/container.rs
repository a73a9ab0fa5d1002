//! Containers (`validateContainerCommon`).

use std::collections::HashSet;
use std::sync::Arc;

use super::names::{
    descends, is_data_key, is_dns_label, is_port_name, is_qualified_name, is_variable_name,
};
use super::volume::quantity;
use super::{Check, entries_at, items_at, number, text_at, value_at};
use crate::job::Quantity;
use crate::merge::{Content, Tree};

const FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

impl Check {
    pub(super) fn container(&mut self, container: &Tree, volumes: &HashSet<&str>, path: &str) {
        if self.required(container, "name", path) {
            let wanted = "a label: lower-case letters, digits and `-`, at most 63";
            self.valid(container, "name", path, is_dns_label, wanted);
        }
        self.required(container, "image", path);
        self.one_of(container, "imagePullPolicy", path, &["Always", "IfNotPresent", "Never"]);
        let messages = ["File", "FallbackToLogsOnError"];
        self.one_of(container, "terminationMessagePolicy", path, &messages);
        for (index, variable) in items_at(container, "env").iter().enumerate() {
            self.variable(variable, &format!("{path}.env[{index}]"));
        }
        for (index, source) in items_at(container, "envFrom").iter().enumerate() {
            self.variables_from(source, &format!("{path}.envFrom[{index}]"));
        }
        for (index, port) in items_at(container, "ports").iter().enumerate() {
            self.port(port, &format!("{path}.ports[{index}]"));
        }
        self.mounts(container, volumes, path);
        if let Some(resources) = value_at(container, "resources") {
            self.resources(resources, &format!("{path}.resources"));
        }
        if let Some(context) = value_at(container, "securityContext") {
            self.security(context, &format!("{path}.securityContext"));
        }
        for hook in ["postStart", "preStop"] {
            if let Some(handler) = container.at(&["lifecycle", hook]) {
                self.handler(handler, &format!("{path}.lifecycle.{hook}"));
            }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let Some(probe_tree) = value_at(container, probe) {
                self.handler(probe_tree, &format!("{path}.{probe}"));
            }
        }
    }

    fn variable(&mut self, variable: &Tree, path: &str) {
        if self.required(variable, "name", path) {
            let wanted = "the name of a variable: printable ASCII without `=`";
            self.valid(variable, "name", path, is_variable_name, wanted);
        }
        let Some(from) = value_at(variable, "valueFrom") else { return };
        let path = format!("{path}.valueFrom");
        let sources: Vec<(&Arc<str>, &Tree)> = from
            .as_map()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !matches!(value.content, Content::Leaf(serde_json::Value::Null)))
            .collect();
        if sources.len() != 1 {
            self.refuse(from, &path, "must name one source");
        }
        if !text_at(variable, "value").is_empty() {
            self.refuse(from, &path, "stands beside `value`: only one may be given");
        }
        for (kind, source) in sources {
            let path = format!("{path}.{kind}");
            match kind.as_ref() {
                "configMapKeyRef" | "secretKeyRef" => {
                    if self.required(source, "key", &path) {
                        self.valid(
                            source,
                            "key",
                            &path,
                            is_data_key,
                            "a key of a ConfigMap or Secret",
                        );
                    }
                    self.required(source, "name", &path);
                    self.object_reference(source, &path);
                }
                "fieldRef" => self.field_path(source, &path),
                _ => {}
            }
        }
    }

    fn field_path(&mut self, source: &Tree, path: &str) {
        let text = text_at(source, "fieldPath");
        let subscript = ["metadata.annotations['", "metadata.labels['"]
            .iter()
            .find_map(|start| text.strip_prefix(start)?.strip_suffix("']"));
        let is_known = match subscript {
            Some(key) => is_qualified_name(&key.to_lowercase()),
            None => FIELD_PATHS.contains(&text),
        };
        if !is_known {
            let what = format!("is `{text}`, which cannot be read from a pod");
            self.refuse(source, &format!("{path}.fieldPath"), &what);
        }
    }

    fn variables_from(&mut self, source: &Tree, path: &str) {
        self.valid(source, "prefix", path, is_variable_name, "the start of a variable's name");
        let kinds: Vec<&str> = ["configMapRef", "secretRef"]
            .into_iter()
            .filter(|kind| value_at(source, kind).is_some())
            .collect();
        if kinds.len() != 1 {
            self.refuse(source, path, "must name one of configMapRef and secretRef");
        }
        for kind in kinds {
            let Some(reference) = value_at(source, kind) else { continue };
            let path = format!("{path}.{kind}");
            self.required(reference, "name", &path);
            self.object_reference(reference, &path);
        }
    }

    fn port(&mut self, port: &Tree, path: &str) {
        let container = value_at(port, "containerPort").and_then(number).unwrap_or_default();
        if !(1..=65535).contains(&container) {
            let place = value_at(port, "containerPort").unwrap_or(port);
            let what = format!("is {container}, not from 1 to 65535");
            self.refuse(place, &format!("{path}.containerPort"), &what);
        }
        if value_at(port, "hostPort").and_then(number).is_some_and(|number| number != 0) {
            self.range(port, "hostPort", path, 1, 65535);
        }
        self.one_of(port, "protocol", path, &["TCP", "UDP", "SCTP"]);
        self.valid(
            port,
            "name",
            path,
            is_port_name,
            "the name of a port: at most 15 lower-case letters, digits and `-`",
        );
    }

    fn mounts(&mut self, container: &Tree, volumes: &HashSet<&str>, path: &str) {
        let mut paths = HashSet::new();
        for (index, mount) in items_at(container, "volumeMounts").iter().enumerate() {
            let path = format!("{path}.volumeMounts[{index}]");
            if self.required(mount, "name", &path) && !volumes.contains(text_at(mount, "name")) {
                let what = format!("is `{}`, but no volume has this name", text_at(mount, "name"));
                self.refuse(mount, &format!("{path}.name"), &what);
            }
            self.required(mount, "mountPath", &path);
            let at = text_at(mount, "mountPath");
            if !paths.insert(at) {
                self.refuse(
                    mount,
                    &format!("{path}.mountPath"),
                    &format!("is `{at}` a second time"),
                );
            }
            for field in ["subPath", "subPathExpr"] {
                self.valid(mount, field, &path, descends, "a relative path without `..`");
            }
            if !text_at(mount, "subPath").is_empty() && !text_at(mount, "subPathExpr").is_empty() {
                self.refuse(mount, &path, "has both subPath and subPathExpr");
            }
            let kinds = ["None", "HostToContainer", "Bidirectional"];
            self.one_of(mount, "mountPropagation", &path, &kinds);
        }
    }

    fn security(&mut self, context: &Tree, path: &str) {
        for field in ["runAsUser", "runAsGroup"] {
            self.range(context, field, path, 0, i64::from(i32::MAX));
        }
        let says = |field: &str, value: bool| {
            value_at(context, field).is_some_and(|tree| tree.to_json() == serde_json::json!(value))
        };
        if says("allowPrivilegeEscalation", false) && says("privileged", true) {
            self.refuse(context, path, "cannot be privileged and forbid privilege escalation");
        }
        self.one_of(context, "procMount", path, &["Default", "Unmasked"]);
    }

    fn handler(&mut self, handler: &Tree, path: &str) {
        let kinds: Vec<&str> = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]
            .into_iter()
            .filter(|kind| value_at(handler, kind).is_some())
            .collect();
        if kinds.len() != 1 {
            self.refuse(handler, path, "must name one of exec, httpGet, tcpSocket, grpc and sleep");
        }
        if let Some(exec) = value_at(handler, "exec")
            && items_at(exec, "command").is_empty()
        {
            self.refuse(exec, &format!("{path}.exec.command"), "is required");
        }
    }

    fn resources(&mut self, resources: &Tree, path: &str) {
        let limit = |name: &str| resources.at(&["limits", name]);
        for group in ["limits", "requests"] {
            for (name, amount) in entries_at(resources, group) {
                let path = format!("{path}.{group}[{name}]");
                self.resource(name, amount, &path);
                if group == "limits" {
                    continue;
                }
                let over = limit(name).is_some_and(|limit| quantity(amount) > quantity(limit));
                let must_equal = !is_overcommitted(name);
                let differs = limit(name).map(quantity) != Some(quantity(amount));
                if over {
                    self.refuse(amount, &path, "is over the limit");
                } else if must_equal && differs {
                    self.refuse(amount, &path, "must have a limit of the same amount");
                }
            }
        }
        let names: Vec<&str> = ["limits", "requests"]
            .iter()
            .flat_map(|group| entries_at(resources, group).map(|(name, _)| name))
            .collect();
        let has_huge = names.iter().any(|name| name.starts_with("hugepages-"));
        if has_huge && !names.iter().any(|name| matches!(*name, "cpu" | "memory")) {
            self.refuse(resources, path, "have huge pages, which need cpu or memory too");
        }
    }

    fn resource(&mut self, name: &str, amount: &Tree, path: &str) {
        if !is_resource_name(name) {
            self.refuse(amount, path, "is no resource of a container");
        }
        let Some(value) = quantity(amount) else { return };
        if Some(value) < Quantity::parse("0") {
            self.refuse(amount, path, "is negative");
        }
        if name.contains('/') && !value.is_whole() {
            self.refuse(amount, path, "must be a whole number");
        }
    }
}

/// Standard resources have no domain; extended ones have one that is not Kubernetes' own.
fn is_resource_name(name: &str) -> bool {
    if !is_qualified_name(name) {
        return false;
    }
    match name.split_once('/') {
        None => {
            matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
        }
        Some((domain, _)) if domain.contains("kubernetes.io") => true,
        Some(_) => !name.starts_with("requests."),
    }
}

/// Of these a pod may request less than it is limited to.
fn is_overcommitted(name: &str) -> bool {
    let is_native = !name.contains('/') || name.contains("kubernetes.io/");
    is_native && !name.starts_with("hugepages-")
}
