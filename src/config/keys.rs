//! Names of settings: paths in the Job, both spellings, the nearest known name.

use std::fmt;
use std::sync::Arc;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A key of a mapping.
    Key(Arc<str>),
    /// An index of a list.
    Index(usize),
}

/// A path in the Job, written `.spec.template.spec.containers[0].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobPath(pub Vec<Segment>);

impl JobPath {
    /// Returns this path with one key more.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(Arc::from(key)))
    }

    /// Returns this path with one index more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }

    /// Returns the JSON pointer to the same place.
    #[must_use]
    pub fn pointer(&self) -> String {
        let step = |segment: &Segment| match segment {
            Segment::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Index(index) => format!("/{index}"),
        };
        self.0.iter().map(step).collect()
    }

    /// Tells whether `self` is `prefix` or below it.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Reads a path as a person types it; the leading dot may be missing.
    ///
    /// Returns `None` when brackets or quotes do not close.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(bracket) = rest.strip_prefix('[') {
                let (segment, after) = parse_bracket(bracket)?;
                segments.push(segment);
                rest = after;
                continue;
            }
            let name = rest.strip_prefix('.').unwrap_or(rest);
            if name.starts_with('[') {
                rest = name;
                continue;
            }
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end > 0 {
                segments.push(Segment::Key(Arc::from(&name[..end])));
            }
            rest = &name[end..];
            if end == 0 && !rest.starts_with('[') {
                rest = rest.strip_prefix('.').unwrap_or(rest);
            }
        }
        Some(Self(segments))
    }
}

fn parse_bracket(text: &str) -> Option<(Segment, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return parse_quoted(quoted);
    }
    let end = text.find(']')?;
    Some((Segment::Index(text[..end].parse().ok()?), &text[end + 1..]))
}

/// Reads up to `"]`; a quote or a backslash in a key has a backslash before it.
fn parse_quoted(text: &str) -> Option<(Segment, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((Segment::Key(key.into()), text[index + 1..].strip_prefix(']')?)),
            '\\' => key.push(characters.next()?.1),
            other => key.push(other),
        }
    }
    None
}

impl fmt::Display for JobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for segment in &self.0 {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Segment::Key(key) => {
                    let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
                    write!(f, "[\"{escaped}\"]")?;
                }
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Returns a name in `snake_case`, as the Kubernetes client of Python spells the API's fields.
#[must_use]
pub fn camel_to_snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        if letter.is_uppercase() && index > 0 {
            let before = letters[index - 1];
            let after_is_lower = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
            if before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && after_is_lower)
            {
                snake.push('_');
            }
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The longest name, in bytes, that is compared with others: that costs its square.
const LONGEST_MEANT: usize = 200;

/// Returns the candidate a person most likely meant by `name`, if one is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_MEANT {
        return None;
    }
    let wanted = camel_to_snake(name);
    let farthest = 1 + wanted.len() / 5;
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.rsplit('.').next().unwrap_or(candidate);
            if known.len() > 2 * LONGEST_MEANT {
                return None;
            }
            let known = camel_to_snake(known);
            let apart = wanted.chars().count().abs_diff(known.chars().count());
            let near = apart <= farthest;
            near.then(|| (strsim::damerau_levenshtein(&wanted, &known), candidate))
        })
        .filter(|(distance, _)| *distance <= farthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_is_the_python_clients() {
        for (camel, snake) in [
            ("imagePullPolicy", "image_pull_policy"),
            ("hostPID", "host_pid"),
            ("downwardAPI", "downward_api"),
            ("ttlSecondsAfterFinished", "ttl_seconds_after_finished"),
            ("hostIPC", "host_ipc"),
            ("volumeID", "volume_id"),
            ("clusterIPs", "cluster_i_ps"),
            ("node_selector", "node_selector"),
        ] {
            assert_eq!(camel_to_snake(camel), snake);
        }
    }

    #[test]
    fn paths_are_read_as_they_are_written() {
        for text in [
            ".spec.template.spec.containers[0].resources.limits[\"nvidia.com/gpu\"]",
            ".metadata.labels[\"a.b/c\"]",
            ".spec.backoffLimit",
        ] {
            assert_eq!(JobPath::parse(text).expect("a path").to_string(), text);
        }
        let quoted = JobPath::default().key("a\"]\\b").key("");
        assert_eq!(JobPath::parse(&quoted.to_string()), Some(quoted));
        assert_eq!(JobPath::parse("spec.backoffLimit"), JobPath::parse(".spec.backoffLimit"));
        assert_eq!(JobPath::parse(".a[0"), None);
    }

    #[test]
    fn the_nearest_name_is_found_or_none() {
        assert_eq!(
            nearest("resource_limit", ["resource_limits", "namespace"]),
            Some("resource_limits")
        );
        assert_eq!(nearest("zzz", ["resource_limits"]), None);
    }
}
