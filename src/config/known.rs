//! Whether a path that a person typed names anything that a Job can have.

use super::api::{ApiType, Kind, api_type};
use super::keys::{JobPath, Segment, camel_to_snake, nearest};
use super::settings::{TOP_LEVEL, top_level};

/// A path that names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPath {
    /// The part of it that is not known.
    pub part: String,
    /// The whole path as it may have been meant.
    pub near: Option<String>,
    /// What could stand there instead, where nothing is near.
    pub known: Vec<String>,
}

/// Checks a path, in Mage's spelling or the Job's, against the API's types.
pub fn check_path(text: &str) -> Result<(), UnknownPath> {
    let unreadable = || UnknownPath { part: text.to_owned(), near: None, known: top_names() };
    let path = JobPath::parse(text).ok_or_else(unreadable)?;
    let Some((Segment::Key(first), rest)) = path.0.split_first() else {
        return if path.0.is_empty() { Ok(()) } else { Err(unreadable()) };
    };
    if text.starts_with('.') || matches!(first.as_ref(), "spec" | "apiVersion" | "kind") {
        return walk(&Kind::Type("Job"), &path.0, &mut String::new(), Spelling::Api);
    }
    if &**first == "executor_type" && rest.is_empty() {
        return Ok(());
    }
    let Some(top) = top_level(&camel_to_snake(first)) else {
        let near = nearest(first, TOP_LEVEL.into_iter().chain(["executor_type"]));
        let near = near.map(|near| with_rest(near, rest));
        // A setting may have been typed without what it is in.
        let near = near.or_else(|| belongs(first).map(|home| with_rest(&home, rest)));
        return Err(UnknownPath { part: first.to_string(), near, known: top_names() });
    };
    walk(&top.kind, rest, &mut top.name.to_owned(), Spelling::Mage)
}

fn top_names() -> Vec<String> {
    TOP_LEVEL.iter().map(|name| (*name).to_owned()).collect()
}

fn belongs(key: &str) -> Option<String> {
    let super::settings::Elsewhere::There(hint) = super::settings::elsewhere(key) else {
        return None;
    };
    let home = hint.strip_prefix("did you mean `")?.strip_suffix("`?")?;
    Some(home.to_owned())
}

fn with_rest(start: &str, rest: &[Segment]) -> String {
    let rest = JobPath(rest.to_vec()).to_string();
    if rest == "." { start.to_owned() } else { format!("{start}{rest}") }
}

#[derive(Clone, Copy)]
enum Spelling {
    Mage,
    Api,
}

impl Spelling {
    fn of(self, name: &str) -> String {
        match self {
            Self::Mage => camel_to_snake(name),
            Self::Api => name.to_owned(),
        }
    }
}

fn walk(
    kind: &Kind,
    path: &[Segment],
    before: &mut String,
    spelling: Spelling,
) -> Result<(), UnknownPath> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let step = JobPath(vec![first.clone()]).to_string();
    let inner = match (kind, first) {
        (Kind::Type(name), Segment::Key(key)) => {
            let api = api_type(name);
            match api.field(key).or_else(|| api.snake_field(key)) {
                Some(field) => &field.kind,
                None => return Err(unknown_field(api, key, rest, before, spelling)),
            }
        }
        (Kind::List(item), Segment::Index(_)) | (Kind::Map(item), Segment::Key(_)) => item,
        (Kind::Object, _) => return Ok(()),
        (Kind::List(item), Segment::Key(key)) => {
            // What is no field of an item names the item itself.
            let is_field = matches!(&**item, Kind::Type(name)
                if api_type(name).field(key).or_else(|| api_type(name).snake_field(key)).is_some());
            let near = if is_field { format!("{before}[0].{key}") } else { format!("{before}[0]") };
            let near = Some(with_rest(&near, rest));
            return Err(UnknownPath { part: key.to_string(), near, known: Vec::new() });
        }
        _ => {
            let near = Some(before.clone()).filter(|before| !before.is_empty());
            return Err(UnknownPath { part: step, near, known: Vec::new() });
        }
    };
    before.push_str(&step);
    walk(inner, rest, before, spelling)
}

fn unknown_field(
    api: &ApiType,
    key: &str,
    rest: &[Segment],
    before: &str,
    spelling: Spelling,
) -> UnknownPath {
    let names: Vec<String> = api.fields.iter().map(|field| spelling.of(field.name)).collect();
    let near = nearest(key, names.iter().map(String::as_str));
    let near = near.map(|near| with_rest(&format!("{before}.{near}"), rest));
    UnknownPath { part: key.to_owned(), near, known: names }
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn both_spellings_are_known() {
        for path in [
            "resource_limits.cpu",
            "resource_limits[\"nvidia.com/gpu\"]",
            "pod.nodeSelector[\"a.b/c\"]",
            "pod.node_selector",
            "container_config.env[0].value_from.secret_key_ref.name",
            ".spec.template.spec.containers[0].resources.limits.cpu",
            "spec.backoffLimit",
            "metadata.labels.team",
            ".metadata.labels",
            "pod.affinity.nodeAffinity",
            "executor_type",
            ".",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn what_was_meant_is_told() {
        for (path, near) in [
            ("resource_limit.cpu", Some("resource_limits.cpu")),
            ("pod.node_selectr.a", Some("pod.node_selector.a")),
            (
                ".spec.template.spec.container[0].image",
                Some(".spec.template.spec.containers[0].image"),
            ),
            ("container_config.env.name", Some("container_config.env[0].name")),
            (
                ".spec.template.spec.containers[\"mage-data\"].image",
                Some(".spec.template.spec.containers[0].image"),
            ),
            ("namespace.x", Some("namespace")),
            ("backoff_limit", Some("job.backoff_limit")),
            ("nonsense", None),
            ("a[", None),
        ] {
            assert_eq!(check_path(path).unwrap_err().near.as_deref(), near, "{path}");
        }
    }
}
