//! From Mage's spelling of a setting to the API's, checked against the API's own types.

use serde_json::Value as Json;

use super::api::{ApiType, Field, Kind, api_type};
use super::keys::{camel_to_snake, nearest};
use super::layer::LayerKind;
use super::origin::Origin;
use crate::error::{Edit, Problem};
use crate::finding::{Finding, FindingId};
use crate::merge::{Content, Fields, Tree};
use crate::yaml::{Entry, Mapping, Node, SourceFile, Value};
use std::sync::Arc;

/// Converts the nodes of one file of one layer.
pub struct Convert<'a> {
    /// The layer.
    pub layer: LayerKind,
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// What was found on the way.
    pub findings: Vec<Finding>,
    /// The last key on the way down that is not written as Mage spells it.
    pub(super) spelled: Option<Arc<str>>,
}

impl<'a> Convert<'a> {
    /// Starts with no findings.
    #[must_use]
    pub fn new(layer: LayerKind, file: &'a Arc<SourceFile>) -> Self {
        Self { layer, file, findings: Vec::new(), spelled: None }
    }

    pub(super) fn origin(&self, node: &Node, setting: &str) -> Origin {
        Origin::spelled(self.layer, self.file, node, setting, self.spelled.clone())
    }

    pub(super) fn problem(&self, node: &Node, message: impl Into<String>) -> Problem {
        Problem::new(message).at(self.file, node.span)
    }

    pub(super) fn warn(&mut self, problem: Problem) {
        self.findings.push(Finding::warning(problem));
    }

    fn fail(&mut self, problem: Problem) {
        self.findings.push(Finding::error(problem));
    }

    /// Returns a scalar as it is written.
    fn written(&self, node: &Node) -> &str {
        self.file.text.get(node.span.bytes()).unwrap_or_default().trim_end()
    }

    /// Converts a value that should be of `kind`. Returns `None` for null (which means unset) and
    /// for what cannot be used, which is then a finding.
    pub fn value(&mut self, node: &Node, kind: &Kind, setting: &str) -> Option<Tree> {
        if node.is_null() {
            return None;
        }
        match kind {
            Kind::Type(name) => self.object(node, name, setting),
            Kind::List(item) => self.list(node, item, setting),
            Kind::Map(item) => self.map(node, item, setting),
            Kind::Object => Some(self.anything(node, setting)),
            _ => self.scalar(node, kind, setting),
        }
    }

    fn wrong(&mut self, node: &Node, setting: &str, wanted: &str) {
        let message = format!("`{setting}` is {}, not {wanted}", node.kind());
        let problem = self.problem(node, message).id(FindingId::WrongType).setting(setting);
        self.fail(problem.hint(format!("give {wanted} or leave the key out")));
    }

    fn list(&mut self, node: &Node, item: &Kind, setting: &str) -> Option<Tree> {
        let Some(nodes) = node.as_sequence() else {
            self.wrong(node, setting, "a list");
            return None;
        };
        let items: Vec<Tree> = nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| self.value(node, item, &format!("{setting}[{index}]")))
            .collect();
        let closed = items.is_empty();
        Some(Tree::new(Content::List { items, closed }, self.origin(node, setting)))
    }

    fn map(&mut self, node: &Node, item: &Kind, setting: &str) -> Option<Tree> {
        let Some(mapping) = node.as_mapping() else {
            self.wrong(node, setting, "a mapping");
            return None;
        };
        let mut map = Fields::default();
        for entry in &mapping.entries {
            let key = key_text(&entry.key);
            let setting = below(setting, &key);
            if let Some(value) = self.value(&entry.value, item, &setting) {
                map.insert(key.into(), value);
            }
        }
        Some(Tree::new(Content::Map(map), self.origin(node, setting)))
    }

    fn object(&mut self, node: &Node, type_name: &str, setting: &str) -> Option<Tree> {
        let Some(mapping) = node.as_mapping() else {
            self.wrong(node, setting, "a mapping");
            return None;
        };
        let api = api_type(type_name);
        let mut map = Fields::default();
        for (key, entry) in self.known(mapping, api, type_name, setting) {
            let name = setting_name(setting, key);
            let setting = below(setting, &name);
            let outer = self.spelled.clone();
            if let Some(written) = entry.key.as_str().filter(|written| *written != name) {
                self.spelled = Some(written.into());
            }
            let value = if key.name == "imagePullSecrets" {
                self.pull_secrets(&entry.value, &setting)
            } else {
                self.value(&entry.value, &key.kind, &setting)
            };
            self.spelled = outer;
            if let Some(value) = value {
                map.insert(key.name.into(), value);
            }
        }
        self.reshape(node, type_name, &mut map, mapping, setting);
        Some(Tree::new(Content::Map(map), self.origin(node, setting)))
    }

    /// Sorts the entries of a mapping into the fields of a type; unknown keys become findings, and
    /// so do two spellings of one field.
    pub(super) fn known<'n>(
        &mut self,
        mapping: &'n Mapping,
        api: &'static ApiType,
        type_name: &str,
        setting: &str,
    ) -> Vec<(&'static Field, &'n Entry)> {
        let mut fields: Vec<(&'static Field, &'n Entry)> = Vec::new();
        for entry in &mapping.entries {
            let key = scalar_text(&entry.key).unwrap_or_default();
            let Some(field) = api.field(&key).or_else(|| api.snake_field(&key)) else {
                if type_name == "PodAffinityTerm" && key == "weight" {
                    let message = format!("`{setting}.weight` has no effect on a required term");
                    let problem = self.problem(&entry.key, message).id(FindingId::NoEffect);
                    self.warn(problem.hint("remove it"));
                } else if !is_flat_form(type_name, &key) {
                    self.unknown(&entry.key, &key, api, setting);
                }
                continue;
            };
            match fields.iter_mut().find(|(known, _)| known.name == field.name) {
                None => fields.push((field, entry)),
                Some((_, first)) if first.value.to_json() == entry.value.to_json() => {}
                Some((_, first)) => {
                    let first = *first;
                    self.two_spellings(first, entry, field.name);
                }
            }
        }
        fields
    }

    pub(super) fn two_spellings(&mut self, first: &Entry, second: &Entry, name: &str) {
        let message = format!(
            "`{name}` is given in both spellings with different values, also at line {}",
            first.key.span.start.line
        );
        let problem = self.problem(&second.key, message).id(FindingId::TwoSpellings);
        let problem = problem.related("the other spelling", self.file, first.key.span);
        self.fail(problem.hint("keep one of the two"));
    }

    fn unknown(&mut self, node: &Node, key: &str, api: &ApiType, setting: &str) {
        let message = format!("unknown key `{key}` in `{setting}`: it has no effect");
        let names: Vec<String> = api.fields.iter().map(|f| camel_to_snake(f.name)).collect();
        let problem = self.problem(node, message).setting(below(setting, key));
        let problem = match nearest(key, names.iter().map(String::as_str)) {
            Some(name) => Self::misspelt(problem, node, name, &format!("{setting}.{name}")),
            None => super::settings::elsewhere(key).tell(problem),
        };
        self.warn(problem);
    }

    /// Says which key was probably meant.
    pub(super) fn misspelt(problem: Problem, node: &Node, name: &str, setting: &str) -> Problem {
        let problem = problem.id(FindingId::MisspeltKey).hint(format!("did you mean `{setting}`?"));
        rewrite(problem, node, &format!("rename it to `{name}`"), name)
    }

    /// Takes what Mage documents, a name, as well as a list of names or of objects.
    fn pull_secrets(&mut self, node: &Node, setting: &str) -> Option<Tree> {
        let nodes = match &node.value {
            Value::Null => return None,
            Value::Sequence(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut items = Vec::new();
        for (index, item) in nodes.iter().enumerate() {
            let setting = format!("{setting}[{index}]");
            let tree = if let Value::Mapping(_) = item.value {
                self.object(item, "LocalObjectReference", &setting)
            } else {
                self.scalar(item, &Kind::String, &setting).map(|name| Tree::nest(&["name"], name))
            };
            items.extend(tree);
        }
        let closed = items.is_empty();
        Some(Tree::new(Content::List { items, closed }, self.origin(node, setting)))
    }

    /// Puts the flat form of a weighted term, which only Mage reads, into the API's form; and takes
    /// a weight out of a required term, where it has no meaning
    /// (`mage_ai/services/k8s/utils.py: parse_affinity_term_list`).
    fn reshape(
        &mut self,
        node: &Node,
        type_name: &str,
        map: &mut Fields,
        mapping: &Mapping,
        setting: &str,
    ) {
        if type_name != "WeightedPodAffinityTerm" || map.contains_key("podAffinityTerm") {
            return;
        }
        let term = Mapping {
            entries: mapping
                .entries
                .iter()
                .filter(|entry| entry.key.as_str() != Some("weight"))
                .cloned()
                .collect(),
        };
        let inner = Node { value: Value::Mapping(term), ..node.clone() };
        if let Some(term) = self.object(&inner, "PodAffinityTerm", setting) {
            map.insert("podAffinityTerm".into(), term);
        }
    }

    fn scalar(&mut self, node: &Node, kind: &Kind, setting: &str) -> Option<Tree> {
        let Some(text) = scalar_text(node) else {
            self.wrong(node, setting, "a single value");
            return None;
        };
        let value = match kind {
            Kind::Integer => self.integer(node, &text, setting)?,
            Kind::Number => Json::Number(text.parse().ok()?),
            Kind::Boolean => self.boolean(node, &text, setting)?,
            Kind::Quantity => self.quantity(node, setting)?,
            Kind::IntOrString => node.to_json(),
            _ => self.text(node, text, setting),
        };
        Some(Tree::leaf(value, self.origin(node, setting)))
    }

    fn text(&mut self, node: &Node, text: String, setting: &str) -> Json {
        if !matches!(node.value, Value::String(_)) {
            self.surprise(node, &text, setting);
            return Json::String(text);
        }
        let last = setting.rsplit('.').next().unwrap_or(setting);
        if text.trim() != text && NAMES.contains(&last) {
            let message = format!("`{setting}` has blanks at its ends, which no name may have");
            let problem = self.problem(node, message).id(FindingId::BlanksInName).setting(setting);
            let problem = problem.hint(format!("write {}", text.trim()));
            self.warn(rewrite(problem, node, "leave the blanks out", text.trim()));
            return Json::String(text.trim().to_owned());
        }
        Json::String(text)
    }

    /// Tells of a value that is no text where text is due. YAML 1.1, which Mage reads, takes more
    /// for booleans, numbers and dates than people expect; quoting what changes a value is not a
    /// safe fix, for nobody can tell which of the two was meant.
    fn surprise(&mut self, node: &Node, text: &str, setting: &str) {
        let written = self.written(node).to_owned();
        let kind = node.kind();
        let problem = if node.expression.is_some() || written == text {
            self.problem(node, format!("`{setting}` is {kind} where text is due"))
                .hint(format!("quote it: \"{text}\""))
        } else {
            let message = format!(
                "`{setting}` is {kind} where text is due: YAML 1.1 reads {written} as {text}"
            );
            self.problem(node, message)
                .hint(format!("quote what you mean: \"{written}\" or \"{text}\""))
        };
        let problem = problem.id(FindingId::YamlSurprise).setting(setting);
        self.warn(if written == text {
            rewrite(problem, node, "quote it", &format!("\"{text}\""))
        } else {
            problem
        });
    }

    fn integer(&mut self, node: &Node, text: &str, setting: &str) -> Option<Json> {
        if let Value::Int(value) = &node.value {
            return value.as_str().parse::<i64>().ok().map(Json::from).or_else(|| {
                self.wrong(node, setting, "a number of at most 64 bits");
                None
            });
        }
        let value = text
            .trim()
            .parse::<i64>()
            .ok()
            .or_else(|| setting.ends_with("_seconds").then(|| seconds(text.trim())).flatten());
        let Some(value) = value else {
            self.wrong(node, setting, "a whole number");
            return None;
        };
        let message = format!("`{setting}` is {} where a whole number is due", node.kind());
        let problem = self.problem(node, message).id(FindingId::CoercedType).setting(setting);
        let problem = problem.hint(format!("write {value}"));
        self.warn(rewrite(problem, node, &format!("write {value}"), &value.to_string()));
        Some(Json::from(value))
    }

    fn boolean(&mut self, node: &Node, text: &str, setting: &str) -> Option<Json> {
        if let Value::Bool(value) = node.value {
            return Some(Json::Bool(value));
        }
        let Ok(value) = text.trim().to_lowercase().parse::<bool>() else {
            self.wrong(node, setting, "true or false");
            return None;
        };
        let message = format!("`{setting}` is {} where true or false is due", node.kind());
        let problem = self.problem(node, message).id(FindingId::CoercedType).setting(setting);
        let problem = problem.hint(format!("write {value}"));
        self.warn(rewrite(problem, node, &format!("write {value}"), &value.to_string()));
        Some(Json::Bool(value))
    }

    fn quantity(&mut self, node: &Node, setting: &str) -> Option<Json> {
        let text = match &node.value {
            Value::Float(value) => shortest(*value),
            _ => scalar_text(node).unwrap_or_default(),
        };
        let text = text.trim().to_owned();
        if crate::job::Quantity::parse(&text).is_none() {
            let message = format!("`{setting}` is `{text}`, which is no quantity");
            let problem = self.problem(node, message).id(FindingId::InvalidQuantity);
            let hint = "a number with an optional suffix: 500m, 1.5, 512Mi, 2Gi, 1G";
            self.fail(problem.setting(setting).hint(hint));
            return None;
        }
        Some(Json::String(text))
    }

    fn anything(&mut self, node: &Node, setting: &str) -> Tree {
        let content = match &node.value {
            Value::Sequence(nodes) => Content::List {
                items: nodes.iter().map(|node| self.anything(node, setting)).collect(),
                closed: false,
            },
            Value::Mapping(mapping) => Content::Map(
                mapping
                    .entries
                    .iter()
                    .map(|entry| {
                        let key = scalar_text(&entry.key).unwrap_or_default();
                        let value = self.anything(&entry.value, &below(setting, &key));
                        (key.into(), value)
                    })
                    .collect(),
            ),
            _ => Content::Leaf(node.to_json()),
        };
        Tree::new(content, self.origin(node, setting))
    }
}

/// Adds a fix that writes `text` over a scalar, where the scalar stands in the file as it is.
fn rewrite(problem: Problem, node: &Node, title: &str, text: &str) -> Problem {
    if node.alias.is_some() || node.expression.is_some() {
        return problem;
    }
    problem.fix(title, vec![Edit { span: node.span, text: text.to_owned() }])
}

/// Names in which blanks at the ends are never meant.
const NAMES: [&str; 9] = [
    "service_account_name",
    "namespace",
    "scheduler_name",
    "priority_class_name",
    "image",
    "name",
    "claim_name",
    "secret_name",
    "runtime_class_name",
];

fn is_flat_form(type_name: &str, key: &str) -> bool {
    let term = api_type("PodAffinityTerm");
    type_name == "WeightedPodAffinityTerm"
        && term.field(key).or_else(|| term.snake_field(key)).is_some()
}

/// Names a field as Mage does: `snake_case`, but the API's own inside `affinity`.
fn setting_name(parent: &str, field: &Field) -> String {
    if parent.ends_with("pod.affinity") || parent.contains("pod.affinity.") {
        return field.name.to_owned();
    }
    camel_to_snake(field.name)
}

/// Appends a key to a setting, in brackets where it has dots.
pub(crate) fn below(setting: &str, key: &str) -> String {
    if key.contains(['.', '/', '[']) {
        return format!("{setting}[\"{key}\"]");
    }
    if setting.is_empty() { key.to_owned() } else { format!("{setting}.{key}") }
}

/// Returns a free key as JSON has it: null is the text `null`.
fn key_text(key: &Node) -> String {
    if key.is_null() { "null".to_owned() } else { scalar_text(key).unwrap_or_default() }
}

/// Returns a scalar as the text Python's `str` would give, with `true` and `false` in lower case.
#[must_use]
pub fn scalar_text(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.as_str().to_owned(),
        Value::Float(value) => format!("{value:?}"),
        Value::String(text) | Value::Timestamp(text) => text.clone(),
        Value::Null => String::new(),
        Value::Binary(_) | Value::Sequence(_) | Value::Mapping(_) => return None,
    })
}

fn shortest(value: f64) -> String {
    format!("{value}")
}

/// Reads a duration such as `1h30m` or `90s`, in seconds.
fn seconds(text: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut digits = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let unit = match letter {
            'd' => 86400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_seconds() {
        assert_eq!(seconds("1h"), Some(3600));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("90"), None);
        assert_eq!(seconds("1x"), None);
    }
}
