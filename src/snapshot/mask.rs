//! Takes the secrets out of a snapshot, and lists what was masked.

use std::ops::Range;

use serde_json::Value as Json;

use super::model::{Place, PodFile, ServerSearch, Snapshot};
use crate::job::secret::{MASK, is_secret_name, mask_urls};
use crate::yaml::{Node, SourceFile, Span, Value, parse};

/// What stands for the user information of a URL. Not [`MASK`] alone, so that views which hide user
/// information still see that there was some.
pub const MASKED_USER: &str = "***:***";

impl Snapshot {
    /// Returns it without secrets: values whose name looks secret, user information in URLs, and all
    /// that comes out of a Secret.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.server_pod.mask();
        for facts in self.namespaces.values_mut() {
            facts.pod_security.retain(|key, _| !is_secret_name(key));
        }
        self
    }
}

impl ServerSearch {
    fn mask(&mut self) {
        if let Some(pod) = &mut self.pod {
            mask_pod(pod, &mut self.masked);
        }
        for variable in &mut self.variables {
            let Some(value) = &variable.value else { continue };
            if variable.object.starts_with("secret/") {
                variable.value = None;
                variable.why = Some(format!(
                    "it is in {}, and a snapshot holds no value of a Secret",
                    variable.object
                ));
                variable.masked = true;
            } else if let Some(masked) = masked_value(&variable.name, value) {
                variable.value = Some(masked);
                variable.masked = true;
            }
        }
        for file in &mut self.files {
            mask_file(file);
        }
    }
}

/// Returns what stands for a value that holds a secret; none where it holds none.
fn masked_value(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    if is_secret_name(name) {
        return Some(MASK.to_owned());
    }
    masked_text(value)
}

/// Masks user information in URLs, and values of secret keys where the text is JSON.
fn masked_text(text: &str) -> Option<String> {
    if text.starts_with(['{', '['])
        && let Ok(mut json) = serde_json::from_str::<Json>(text)
    {
        return mask_json(&mut json).then(|| json.to_string());
    }
    let masked = mask_users(text);
    (masked != text).then_some(masked)
}

fn mask_users(text: &str) -> String {
    mask_urls(text).replace(&format!("://{MASK}@"), &format!("://{MASKED_USER}@"))
}

fn mask_json(json: &mut Json) -> bool {
    match json {
        Json::Object(map) => {
            let mut any = false;
            for (key, value) in map {
                let is_scalar = !value.is_object() && !value.is_array() && !value.is_null();
                if is_scalar && is_secret_name(key) {
                    *value = MASK.into();
                    any = true;
                } else {
                    any |= mask_json(value);
                }
            }
            any
        }
        Json::Array(items) => {
            let mut any = false;
            for item in items {
                any |= mask_json(item);
            }
            any
        }
        Json::String(text) => {
            let masked = mask_users(text);
            let any = masked != *text;
            *text = masked;
            any
        }
        _ => false,
    }
}

fn mask_pod(pod: &mut Json, masked: &mut Vec<String>) {
    if let Some(containers) = pod["spec"]["containers"].as_array_mut() {
        for (index, container) in containers.iter_mut().enumerate() {
            let Some(env) = container["env"].as_array_mut() else { continue };
            for (number, variable) in env.iter_mut().enumerate() {
                let name = variable["name"].as_str().unwrap_or_default().to_owned();
                let Some(value) = variable.get_mut("value") else { continue };
                if let Some(text) = value.as_str().and_then(|text| masked_value(&name, text)) {
                    *value = text.into();
                    masked.push(format!("spec.containers[{index}].env[{number}].value"));
                }
            }
        }
    }
    let mut others = Vec::new();
    for part in ["metadata", "spec"] {
        mask_fields(&mut pod[part], part, &mut others);
    }
    masked.extend(others);
}

/// Masks, beside the variables, values of keys that look secret and user information.
fn mask_fields(value: &mut Json, field: &str, masked: &mut Vec<String>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                let field = if key.contains(['.', '/']) {
                    format!("{field}[\"{key}\"]")
                } else {
                    format!("{field}.{key}")
                };
                if value.is_string() && is_secret_key(key) && value != MASK {
                    *value = MASK.into();
                    masked.push(field);
                } else if field.rsplit_once('.').is_none_or(|(_, last)| last != "env") {
                    mask_fields(value, &field, masked);
                }
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                mask_fields(item, &format!("{field}[{index}]"), masked);
            }
        }
        Json::String(text) => {
            let users = mask_users(text);
            if users != *text {
                *text = users;
                masked.push(field.to_owned());
            }
        }
        _ => {}
    }
}

/// `image_pull_secrets` holds names of Secrets.
fn is_secret_key(key: &str) -> bool {
    is_secret_name(key) && crate::config::camel_to_snake(key) != "image_pull_secrets"
}

fn mask_file(file: &mut PodFile) {
    let Some(text) = &file.text else { return };
    let object = file.object.clone().unwrap_or_default();
    if object.starts_with("secret/") {
        file.text = None;
        file.why = Some(format!("it is in {object}, and a snapshot holds no value of a Secret"));
        return;
    }
    if let Some((text, places)) = masked_yaml(text) {
        file.text = Some(text);
        file.masked = places;
    } else {
        file.text = None;
        file.why = Some(format!(
            "{object} cannot be read as YAML, so a snapshot cannot tell its secrets and leaves it out"
        ));
    }
}

/// Masks the secrets of a text; every line stays where it is.
fn masked_yaml(text: &str) -> Option<(String, Vec<Place>)> {
    let spans = secret_spans(text)?;
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for (span, whole) in &spans {
        let Range { start, end } = span.bytes();
        if start < at {
            continue;
        }
        masked.push_str(&mask_users(&text[at..start]));
        let own = &text[start..end];
        if *whole {
            masked.push('"');
            masked.push_str(MASK);
            masked.push('"');
            // How many lines there were is kept, for the places of what follows.
            masked.extend(own.chars().filter(|c| *c == '\n'));
        } else {
            masked.push_str(&mask_users(own));
        }
        at = end;
    }
    masked.push_str(&mask_users(&text[at..]));
    if spans.is_empty() {
        return Some((masked, Vec::new()));
    }
    let mut places: Vec<Place> = secret_spans(&masked)?
        .iter()
        .map(|(span, _)| Place { line: span.start.line, column: span.start.column })
        .collect();
    places.sort_unstable();
    places.dedup();
    Some((masked, places))
}

/// Finds the values that hold secrets, in order: all of it, or user information in it.
fn secret_spans(text: &str) -> Option<Vec<(Span, bool)>> {
    let document = parse(&SourceFile::new("", text)).ok()?;
    let mut spans = Vec::new();
    if let Some(root) = &document.root {
        find_secrets(root, false, &mut spans);
    }
    spans.sort_by_key(|(span, _)| span.start.offset);
    spans.dedup();
    Some(spans)
}

fn find_secrets(node: &Node, secret: bool, spans: &mut Vec<(Span, bool)>) {
    match &node.value {
        Value::Mapping(mapping) => {
            let name = mapping.get("name").and_then(Node::as_str);
            let named_secret = name.is_some_and(is_secret_name);
            for entry in &mapping.entries {
                let key = entry.key.as_str().unwrap_or_default();
                let secret = is_secret_key(key) || (named_secret && key == "value");
                find_secrets(&entry.value, secret, spans);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                find_secrets(item, secret, spans);
            }
        }
        Value::String(text) => {
            let whole = secret && !text.is_empty();
            if whole || mask_urls(text) != *text {
                spans.push((node.span, whole));
            }
        }
        Value::Int(_) | Value::Float(_) | Value::Timestamp(_) | Value::Binary(_) if secret => {
            spans.push((node.span, true));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_the_pod_are_masked_and_listed() {
        let pod = json!({
            "metadata": {"name": "mage-0", "annotations": {"a.b/token": "t0"}},
            "spec": {
                "containers": [{"name": "mage", "image": "r/mage:1", "env": [
                    {"name": "ENV", "value": "prod"},
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                    {"name": "DB", "value": "postgres://u:hunter2@db/x"},
                    {"name": "CONF", "value": "{\"password\":\"hunter2\",\"a\":1}"},
                    {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}
                ]}],
                "volumes": [{"name": "v", "flexVolume": {"driver": "d", "options": {"password": "hunter2"}}},
                    {"name": "s", "secret": {"secretName": "keep"}}],
                "imagePullSecrets": [{"name": "regcred"}]
            }
        });
        let server = ServerSearch { pod: Some(pod), ..ServerSearch::default() };
        let snapshot = Snapshot { server_pod: server, ..Snapshot::default() }.masked();
        let text = serde_json::to_string(&snapshot).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("t0"), "{text}");
        assert!(text.contains("keep") && text.contains("regcred") && text.contains("prod"));
        assert_eq!(
            snapshot.server_pod.masked,
            [
                "spec.containers[0].env[1].value",
                "spec.containers[0].env[2].value",
                "spec.containers[0].env[3].value",
                "metadata.annotations[\"a.b/token\"]",
                "spec.volumes[0].flexVolume.options.password"
            ]
        );
    }

    #[test]
    fn secrets_of_a_file_are_masked_and_every_line_stays() {
        let text = "container:\n  env:\n  - {name: DB_PASSWORD, value: hunter2}  # why\n  - name: KEY_TOKEN\n    value: |\n      hunter2\n      more\n  - name: URL\n    value: \"http://u:hunter2@h/\" # see https://x:hunter2@y\nmetadata:\n  labels: {password: 123456, team: data}\npod:\n  image_pull_secrets: regcred\n";
        let (masked, places) = masked_yaml(text).unwrap();
        assert!(!masked.contains("hunter2") && !masked.contains("123456"), "{masked}");
        assert!(masked.contains("image_pull_secrets: regcred"));
        let line = |text: &str, of: &str| text.lines().position(|line| line.contains(of)).unwrap();
        for of in ["why", "URL", "labels", "regcred"] {
            assert_eq!(line(&masked, of), line(text, of), "{of}\n{masked}");
        }
        let lines: Vec<u32> = places.iter().map(|place| place.line).collect();
        assert_eq!(lines, [3, 5, 9, 11]);
    }

    #[test]
    fn what_is_no_yaml_is_left_out() {
        let mut file = PodFile { text: Some("a: [password".into()), ..PodFile::default() };
        mask_file(&mut file);
        assert_eq!(file.text, None);
        assert!(file.why.unwrap().contains("cannot be read as YAML"));
    }

    #[test]
    fn masking_twice_changes_nothing() {
        let text = "password: x\nurl: http://a:b@c\n";
        let (once, places) = masked_yaml(text).unwrap();
        assert_eq!(masked_yaml(&once).unwrap(), (once, places));
    }
}
