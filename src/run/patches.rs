//! The Jobs of a plan as what is equal in all of them and what each has besides (pure).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Values that are much alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Alike {
    common: Value,
    patches: Vec<Patch>,
}

/// What one value has besides what is common: where, and what.
type Patch = Vec<(Vec<Step>, Value)>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Step {
    Index(usize),
    Key(String),
}

impl Alike {
    /// Takes apart what is equal in all.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a Value> + Clone) -> Self {
        let common = values
            .clone()
            .fold(None, |common, value| match common {
                None => Some(value.clone()),
                Some(common) => Some(intersection(common, value).unwrap_or(Value::Null)),
            })
            .unwrap_or(Value::Null);
        let patch = |value| {
            let mut patch = Vec::new();
            difference(value, &common, &mut Vec::new(), &mut patch);
            patch
        };
        let patches = values.map(patch).collect();
        Self { common, patches }
    }

    /// Puts them together again; none when the patches do not fit.
    pub(super) fn values(self) -> Option<Vec<Value>> {
        let whole = |patch: Patch| {
            let mut value = self.common.clone();
            for (path, part) in patch {
                *place(&mut value, path)? = part;
            }
            Some(value)
        };
        self.patches.into_iter().map(whole).collect()
    }
}

/// Returns what both have, with nulls in lists where they differ; none where nothing is alike.
fn intersection(common: Value, value: &Value) -> Option<Value> {
    match (common, value) {
        (Value::Object(common), Value::Object(value)) => {
            let both = |(key, common): (String, Value)| {
                let both = intersection(common, value.get(&key)?)?;
                Some((key, both))
            };
            Some(Value::Object(common.into_iter().filter_map(both).collect()))
        }
        (Value::Array(common), Value::Array(value)) if common.len() == value.len() => {
            let both = |(common, value)| intersection(common, value).unwrap_or(Value::Null);
            Some(Value::Array(common.into_iter().zip(value).map(both).collect()))
        }
        (common, value) => (common == *value).then_some(common),
    }
}

fn difference(value: &Value, common: &Value, at: &mut Vec<Step>, patch: &mut Patch) {
    match (value, common) {
        _ if value == common => {}
        (Value::Object(value), Value::Object(common)) if covers(value, common) => {
            for (key, value) in value {
                at.push(Step::Key(key.clone()));
                match common.get(key) {
                    Some(common) => difference(value, common, at, patch),
                    None => patch.push((at.clone(), value.clone())),
                }
                at.pop();
            }
        }
        (Value::Array(value), Value::Array(common)) if value.len() == common.len() => {
            for (index, (value, common)) in value.iter().zip(common).enumerate() {
                at.push(Step::Index(index));
                difference(value, common, at, patch);
                at.pop();
            }
        }
        _ => patch.push((at.clone(), value.clone())),
    }
}

fn covers(value: &Map<String, Value>, common: &Map<String, Value>) -> bool {
    common.keys().all(|key| value.contains_key(key))
}

fn place(value: &mut Value, path: Vec<Step>) -> Option<&mut Value> {
    path.into_iter().try_fold(value, |value, step| match (value, step) {
        (Value::Object(map), Step::Key(key)) => Some(map.entry(key).or_insert(Value::Null)),
        (Value::Array(list), Step::Index(index)) => list.get_mut(index),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::Alike;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_equal_is_kept_once() {
        let job = |name: &str, args: Value| json!({"kind": "Job", "metadata": {"name": name}, "args": args});
        let jobs = [job("a", json!(["run", "a"])), job("b", json!(["run", "b"]))];
        let alike = Alike::of(jobs.iter());
        insta::assert_json_snapshot!(alike, @r#"
        {
          "common": {
            "kind": "Job",
            "metadata": {},
            "args": [
              "run",
              null
            ]
          },
          "patches": [
            [
              [
                [
                  "metadata",
                  "name"
                ],
                "a"
              ],
              [
                [
                  "args",
                  1
                ],
                "a"
              ]
            ],
            [
              [
                [
                  "metadata",
                  "name"
                ],
                "b"
              ],
              [
                [
                  "args",
                  1
                ],
                "b"
              ]
            ]
          ]
        }
        "#);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from),
            "[ab0-2]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[ab0-2]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_taken_apart_is_whole_again(all in proptest::collection::vec(values(), 0..5)) {
            let text = serde_json::to_string(&Alike::of(all.iter())).unwrap();
            let read: Alike = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.values(), Some(all));
        }
    }
}
