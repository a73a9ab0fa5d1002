//! Masks the secrets of Jobs of which only the JSON is left.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::build::RenderedJob;
use super::secret::{MASK, follows_secret_flag, has_free_keys, holds_secret, is_secret_name};

/// What is known to be secret in a Job: by its names and texts in any Job, and by what a rendered
/// one says in Jobs like it.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pointers: BTreeSet<String>,
    /// Names of environment variables: where they stand in the list changes.
    variables: BTreeSet<String>,
}

impl Secrets {
    /// Learns from a rendered Job.
    #[must_use]
    pub fn of(rendered: &RenderedJob) -> Self {
        let mut secrets = Self::default();
        for value in rendered.values.iter().filter(|value| value.secret) {
            let pointer = value.path.pointer();
            let named = pointer.strip_suffix("/value").and_then(|variable| {
                rendered.job.pointer(&format!("{variable}/name"))?.as_str().map(str::to_owned)
            });
            match named {
                Some(name) => drop(secrets.variables.insert(name)),
                None => drop(secrets.pointers.insert(pointer)),
            }
        }
        secrets
    }

    /// Masks a Job; returns what was hidden, so that two Jobs can be compared in that too.
    pub fn mask(&self, job: &mut Json) -> Vec<Json> {
        let mut hidden = Vec::new();
        self.walk(job, &mut String::new(), false, &mut hidden);
        hidden
    }

    fn walk(&self, value: &mut Json, at: &mut String, is_free: bool, hidden: &mut Vec<Json>) {
        if self.pointers.contains(at.as_str()) || value.as_str().is_some_and(holds_secret) {
            hide(value, hidden);
            return;
        }
        let length = at.len();
        match value {
            Json::Object(map) => {
                let is_variable = self.is_secret_variable(map);
                for (key, value) in map {
                    let is_secret = (is_free && is_secret_name(key))
                        || (is_variable && key == "value" && !value.is_null());
                    if is_secret {
                        hide(value, hidden);
                        continue;
                    }
                    at.push('/');
                    at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    self.walk(value, at, has_free_keys(key), hidden);
                    at.truncate(length);
                }
            }
            Json::Array(items) => {
                let flagged: Vec<usize> = (1..items.len())
                    .filter(|index| follows_secret_flag(&items[index - 1], &items[*index]))
                    .collect();
                for (index, item) in items.iter_mut().enumerate() {
                    if flagged.contains(&index) {
                        hide(item, hidden);
                        continue;
                    }
                    let _ = write!(at, "/{index}");
                    self.walk(item, at, false, hidden);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn is_secret_variable(&self, map: &Map<String, Json>) -> bool {
        let name = map.get("name").and_then(Json::as_str);
        name.is_some_and(|name| self.variables.contains(name) || is_secret_name(name))
    }
}

fn hide(value: &mut Json, hidden: &mut Vec<Json>) {
    hidden.push(std::mem::replace(value, Json::from(MASK)));
}

#[cfg(test)]
mod tests {
    use super::Secrets;
    use serde_json::json;

    #[test]
    fn what_is_secret_by_name_text_or_place_is_hidden() {
        let mut job = json!({
            "metadata": {"annotations": {"api-token": "t", "team/x": "a"}},
            "spec": {
                "env": [
                    {"name": "DB_PASSWORD", "value": "p"}, {"name": "MODE", "value": "m"},
                    {"name": "PLAIN", "value": "q"}, {"name": "URL", "value": "postgres://u:p@h/d"},
                    {"name": "AUTH_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}},
                ],
                "command": ["run", "--runtime-vars", "{\"password\": \"x\"}"],
                "args": ["--password", "w", "--db-password=w2", "--token", "--mode", "m2"],
                "a/b": "known",
            },
        });
        let secrets = Secrets {
            pointers: ["/spec/a~1b".to_owned()].into(),
            variables: ["MODE".to_owned()].into(),
        };
        let hidden = secrets.mask(&mut job);
        assert_eq!(hidden.len(), 8, "{hidden:?}");
        let text = job.to_string();
        assert_eq!(text.matches("***").count(), 8, "{text}");
        for kept in ["\"q\"", "\"m2\"", "\"--token\"", "\"a\"", "secretKeyRef", "\"token\""] {
            assert!(text.contains(kept), "{text}");
        }
    }
}
