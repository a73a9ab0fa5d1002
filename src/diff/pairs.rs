//! Which items of two lists are the same item, as the API server tells them apart
//! (`x-kubernetes-list-map-keys` of its `OpenAPI` description).

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Items that stand for each other, or an item that only one list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    Both(usize, usize),
    Old(usize),
    New(usize),
}

/// Two lists beside each other.
#[derive(Debug)]
pub(super) struct Paired {
    /// In the order of the old list; what is new comes after what it follows in the new one.
    pub(super) pairs: Vec<Pair>,
    /// The fields by which items are told apart; none where only their order does.
    pub(super) key: Option<&'static [&'static str]>,
}

/// What tells the items of a list apart.
#[derive(Clone, Copy)]
enum Rule {
    /// These fields, the first of them that all items have with values of their own.
    Fields(&'static [&'static [&'static str]]),
    /// The same, and the order means something.
    Ordered(&'static [&'static [&'static str]]),
    /// The whole item.
    Whole,
    /// Its place.
    Place,
}

const NAME: &[&[&str]] = &[&["name"]];

fn rule(list: &str, old: &[Json], new: &[Json]) -> Rule {
    match list {
        "initContainers" => Rule::Ordered(NAME),
        // A variable may be used only in those after it.
        "env" if old.iter().chain(new).any(uses_variables) => Rule::Ordered(NAME),
        "containers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "schedulingGates" => Rule::Fields(NAME),
        "volumeMounts" => Rule::Fields(&[&["mountPath"]]),
        "volumeDevices" => Rule::Fields(&[&["devicePath"]]),
        "ports" => Rule::Fields(&[&["containerPort", "protocol"], &["containerPort"]]),
        "hostAliases" => Rule::Fields(&[&["ip"]]),
        "topologySpreadConstraints" => {
            Rule::Fields(&[&["topologyKey", "whenUnsatisfiable"], &["topologyKey"]])
        }
        "items" => Rule::Fields(&[&["key"], &["path"]]),
        "tolerations" => Rule::Whole,
        _ => Rule::Place,
    }
}

fn uses_variables(item: &Json) -> bool {
    item["value"].as_str().is_some_and(|value| value.contains("$("))
}

/// Puts two lists beside each other; `list` is the name of the field that holds them.
pub(super) fn paired(list: &str, old: &[Json], new: &[Json]) -> Paired {
    let (fields, is_ordered) = match rule(list, old, new) {
        Rule::Fields(fields) => (fields, false),
        Rule::Ordered(fields) => (fields, true),
        Rule::Whole => {
            let ids = |items: &[Json]| items.iter().map(Json::to_string).collect::<Vec<_>>();
            return Paired { pairs: by_id(&ids(old), &ids(new)), key: None };
        }
        Rule::Place => return Paired { pairs: by_place(old, new), key: None },
    };
    let found = fields.iter().find_map(|key| Some((*key, ids(key, old)?, ids(key, new)?)));
    match found {
        Some((key, old, new)) if is_ordered => {
            Paired { pairs: in_order(&old, &new), key: Some(key) }
        }
        Some((key, old, new)) => Paired { pairs: by_id(&old, &new), key: Some(key) },
        // Some name stands twice: which is which, only the order tells.
        None => Paired { pairs: by_place(old, new), key: None },
    }
}

/// Returns what people call an item.
pub(super) fn label(key: &[&str], item: &Json) -> String {
    key.iter().map(|field| text(&item[*field])).collect::<Vec<_>>().join("/")
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the identity of each item; none where one lacks it or shares it.
fn ids(key: &[&str], items: &[Json]) -> Option<Vec<String>> {
    let id = |item: &Json| {
        let fields: Vec<&Json> = key.iter().map(|field| &item[*field]).collect();
        fields.iter().all(|value| !value.is_null()).then(|| format!("{fields:?}"))
    };
    let ids: Vec<String> = items.iter().map(id).collect::<Option<_>>()?;
    let distinct: BTreeSet<&String> = ids.iter().collect();
    (distinct.len() == ids.len()).then_some(ids)
}

/// Pairs items of one identity, whatever their order; of equal ones each once.
fn by_id(old: &[String], new: &[String]) -> Vec<Pair> {
    let mut places: HashMap<&String, Vec<usize>> = HashMap::new();
    for (index, id) in new.iter().enumerate().rev() {
        places.entry(id).or_default().push(index);
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for (index, id) in old.iter().enumerate() {
        pairs.push(match places.get_mut(id).and_then(Vec::pop) {
            Some(other) => Pair::Both(index, other),
            None => Pair::Old(index),
        });
    }
    let mut only_new: Vec<usize> = places.into_values().flatten().collect();
    only_new.sort_unstable();
    for index in only_new {
        let before = |pair: &Pair| match pair {
            Pair::Both(_, other) | Pair::New(other) => *other < index,
            Pair::Old(_) => false,
        };
        // After the item that it comes right after in the new list.
        let nearest =
            pairs.iter().enumerate().filter(|(_, pair)| before(pair)).max_by_key(|(_, pair)| {
                match pair {
                    Pair::Both(_, other) | Pair::New(other) => *other,
                    Pair::Old(index) => *index,
                }
            });
        let at = nearest.map_or(0, |(at, _)| at + 1);
        pairs.insert(at, Pair::New(index));
    }
    pairs
}

/// Pairs items of one identity that also come in one order.
fn in_order(old: &[String], new: &[String]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, old, new) {
        let (old, new) = (operation.old_range(), operation.new_range());
        if let DiffOp::Equal { .. } = operation {
            pairs.extend(old.zip(new).map(|(old, new)| Pair::Both(old, new)));
        } else {
            pairs.extend(old.map(Pair::Old));
            pairs.extend(new.map(Pair::New));
        }
    }
    pairs
}

/// Pairs items that are equal, in order; between them, what stands in the same place.
fn by_place(old: &[Json], new: &[Json]) -> Vec<Pair> {
    let texts = |items: &[Json]| items.iter().map(Json::to_string).collect::<Vec<_>>();
    let mut pairs = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new)) {
        let (mut old, mut new) = (operation.old_range(), operation.new_range());
        loop {
            pairs.push(match (old.next(), new.next()) {
                (Some(old), Some(new)) => Pair::Both(old, new),
                (Some(old), None) => Pair::Old(old),
                (None, Some(new)) => Pair::New(new),
                (None, None) => break,
            });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::{Pair, label, paired};
    use serde_json::{Value, json};

    fn pairs(list: &str, old: &Value, new: &Value) -> Vec<Pair> {
        paired(list, old.as_array().unwrap(), new.as_array().unwrap()).pairs
    }

    #[test]
    fn items_are_told_apart_as_the_api_does() {
        use Pair::{Both, New, Old};
        let names =
            |names: &[&str]| -> Value { names.iter().map(|name| json!({"name": name})).collect() };
        let (old, new) = (names(&["a", "b", "c"]), names(&["c", "x", "a", "y"]));
        assert_eq!(pairs("env", &old, &new), [Both(0, 2), New(3), Old(1), Both(2, 0), New(1)]);
        // Where the order counts, what moved is another item.
        assert_eq!(pairs("initContainers", &names(&["a", "b"]), &names(&["b", "a"])).len(), 3);
        let mount = |path: &str| json!({"name": "v", "mountPath": path});
        assert_eq!(
            pairs("volumeMounts", &json!([mount("/a"), mount("/b")]), &json!([mount("/b")])),
            [Old(0), Both(1, 0)]
        );
        let toleration = |key: &str| json!({"key": key, "operator": "Exists"});
        assert_eq!(
            pairs(
                "tolerations",
                &json!([toleration("a")]),
                &json!([toleration("b"), toleration("a")])
            ),
            [New(0), Both(0, 1)]
        );
        // A name that stands twice tells nothing apart.
        assert_eq!(
            pairs("env", &names(&["a", "a"]), &names(&["a", "a", "b"])),
            [Both(0, 0), Both(1, 1), New(2)]
        );
        assert_eq!(
            pairs("command", &json!(["mage", "run"]), &json!(["mage", "-v", "run"])),
            [Both(0, 0), New(1), Both(1, 2)]
        );
    }

    #[test]
    fn ports_are_called_by_number_and_protocol() {
        let port = json!({"containerPort": 80, "protocol": "UDP"});
        assert_eq!(label(&["containerPort", "protocol"], &port), "80/UDP");
    }
}
