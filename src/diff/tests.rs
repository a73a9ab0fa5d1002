use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::Template;
use super::lines::Mark;
use super::tree::leaves;
use super::{Applies, Decided, Difference, Side, Verdict, compare, hunks};
use crate::config::{JobPath, Segment};
use crate::job::{Quantity, Secrets, is_quantity};
use crate::yaml::{SourceFile, parse};

fn side(job: &Json) -> Side {
    Side::alone(job.clone(), &Secrets::default())
}

fn difference(old: &Json, new: &Json) -> Difference {
    compare(Some(&side(old)), Some(&side(new)), &Decided::ByTable(Template::Fixed))
}

/// Returns `FIELD BEFORE -> AFTER` of every change.
fn told(difference: &Difference) -> Vec<String> {
    let value = |value: Option<Json>| value.map_or("nothing".to_owned(), |value| value.to_string());
    let line = |change: &super::Change| {
        format!("{} {} -> {}", change.label, value(change.before()), value(change.after()))
    };
    difference.changes.iter().map(line).collect()
}

/// Returns the lines as `diff -u` writes them.
fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for hunk in hunks(&difference.lines) {
        text.push_str(&hunk.header);
        text.push('\n');
        for line in hunk.lines {
            text.push(match line.mark {
                Mark::Both => ' ',
                Mark::Old => '-',
                Mark::New => '+',
            });
            text.push_str(&line.text);
            text.push('\n');
        }
    }
    text
}

fn with_container(container: &Json) -> Json {
    json!({"spec": {"template": {"spec": {"containers": [container]}}}})
}

#[test]
fn items_are_matched_and_quantities_compared_by_value() {
    let old = with_container(&json!({
        "name": "mage", "image": "i:1",
        "command": ["mage", "run", "etl"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
        "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}},
        "volumeMounts": [{"name": "v", "mountPath": "/a"}]
    }));
    let new = with_container(&json!({
        "name": "mage", "image": "i:2",
        "command": ["mage", "-v", "run", "etl"],
        "env": [{"name": "C", "value": "3"}, {"name": "A", "value": "9"}, {"name": "D", "value": "4"}],
        "resources": {"limits": {"cpu": 1, "memory": "1024Mi"}},
        "volumeMounts": [{"name": "w", "mountPath": "/a"}]
    }));
    let difference = difference(&old, &new);
    assert_eq!(difference.verdict, Verdict::Replace);
    let container = ".spec.template.spec.containers[mage]";
    let told: Vec<String> =
        told(&difference).iter().map(|line| line.replace(container, "")).collect();
    assert_eq!(
        told,
        [
            ".image \"i:1\" -> \"i:2\"",
            ".command[1] nothing -> \"-v\"",
            ".env[A].value \"1\" -> \"9\"",
            ".env[D].name nothing -> \"D\"",
            ".env[D].value nothing -> \"4\"",
            ".env[B].name \"B\" -> nothing",
            ".env[B].value \"2\" -> nothing",
            ".volumeMounts[/a].name \"v\" -> \"w\"",
        ]
    );
    insta::assert_snapshot!(text(&difference), @r#"
    @@ -3,16 +3,17 @@
         spec:
           containers:
           - name: mage
    -        image: i:1
    +        image: i:2
             command:
             - mage
    +        - -v
             - run
             - etl
             env:
             - name: A
    -          value: "1"
    -        - name: B
    -          value: "2"
    +          value: "9"
    +        - name: D
    +          value: "4"
             - name: C
               value: "3"
             resources:
    @@ -21,4 +22,4 @@
                 memory: 1Gi
             volumeMounts:
             - mountPath: /a
    -          name: v
    +          name: w
    "#);
}

#[test]
fn a_variable_that_a_later_one_hides_is_no_difference() {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let env = |env: &[Json]| with_container(&json!({"name": "mage", "env": env}));
    let own = env(&[variable("HOME", "/b"), variable("A", "1")]);
    let theirs = |last| env(&[variable("HOME", "/a"), variable("A", "1"), variable("HOME", last)]);
    assert!(told(&difference(&theirs("/b"), &own)).is_empty());
    assert_eq!(
        told(&difference(&theirs("/c"), &own)),
        [r#".spec.template.spec.containers[mage].env[HOME].value "/c" -> "/b""#]
    );
}

#[test]
fn what_a_cluster_writes_is_no_difference() {
    let own = json!({"metadata": {"name": "j"}, "spec": {"template": {"metadata": {"name": "j"}}}});
    let live = json!({
        "metadata": {"name": "j", "uid": "u", "creationTimestamp": "t", "managedFields": [{}],
            "labels": {"job-name": "j", "batch.kubernetes.io/job-name": "j"}},
        "spec": {"selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"name": "j", "creationTimestamp": null}}},
        "status": {"active": 1}
    });
    assert_eq!(told(&difference(&live, &own)), [""; 0]);
    assert_eq!(difference(&live, &own).verdict, Verdict::Unchanged);
}

#[test]
fn a_job_that_one_side_has_is_new_or_gone() {
    let job = side(&json!({"metadata": {"name": "j"}, "spec": {"a": [], "b": [{"c": 1}, 2]}}));
    let new = compare(None, Some(&job), &Decided::ByTable(Template::Fixed));
    let gone = compare(Some(&job), None, &Decided::ByTable(Template::Fixed));
    assert_eq!((new.verdict, gone.verdict), (Verdict::New, Verdict::Gone));
    assert_eq!(
        text(&new),
        "@@ -0,0 +1,7 @@\n+metadata:\n+  name: j\n+spec:\n+  a: []\n+  b:\n+  - c: 1\n+  - 2\n"
    );
    assert_eq!(text(&gone), text(&new).replace('+', "-").replace("-0,0 -1,7", "-1,7 +0,0"));
}

#[test]
fn in_place_or_not_is_told_change_by_change() {
    let job = |limit: u32, image: &str| json!({"spec": {"backoffLimit": limit, "template": {"image": image}}});
    let of = |new: &Json| {
        let difference = difference(&job(0, "a"), new);
        let applies: Vec<Applies> =
            difference.changes.iter().map(|change| change.applies).collect();
        (difference.verdict, applies)
    };
    assert_eq!(of(&job(1, "a")), (Verdict::InPlace, vec![Applies::InPlace]));
    assert_eq!(of(&job(1, "b")), (Verdict::Replace, vec![Applies::InPlace, Applies::Replace]));
}

#[test]
fn secrets_are_told_apart_and_not_shown() {
    let env = |token: &str, plain: &str| {
        with_container(&json!({"name": "m", "env": [
            {"name": "API_TOKEN", "value": token}, {"name": "SAME_PASSWORD", "value": "s3cret-same"},
            {"name": "PLAIN", "value": plain},
        ], "command": ["run", token]}))
    };
    let (old, new) = (env("hunter2-old", "a"), env("hunter2-newer", "b"));
    let difference = difference(&old, &new);
    let shown = format!("{:?} {}", told(&difference), text(&difference));
    for text in ["hunter2", "s3cret"] {
        assert!(!shown.contains(text), "{shown}");
    }
    assert!(
        shown.contains(r#".env[API_TOKEN].value \"*** (before)\" -> \"*** (after)\""#),
        "{shown}"
    );
    let files = difference.documents().concat();
    assert!(!files.contains("hunter2") && !files.contains("s3cret"), "{files}");
    assert!(files.contains("*** (before)") && files.contains("*** (after)"), "{files}");
}

/// What moves between places that nothing else tells apart may be the secret of before.
#[test]
fn a_secret_that_moved_is_not_shown() {
    let secrets: Secrets = Secrets::default();
    let command = |words: &Json| with_container(&json!({"name": "m", "command": words}));
    let old = command(&json!(["run", "--key", "old-and-secret"]));
    let new = command(&json!(["run", "--quiet", "--key", "{\"password\": \"x\"}"]));
    let (old, new) = (Side::alone(old, &secrets), Side::alone(new, &secrets));
    let difference = compare(Some(&old), Some(&new), &Decided::ByTable(Template::Fixed));
    let shown = format!("{:?} {}", told(&difference), text(&difference));
    assert!(!shown.contains("old-and-secret") && !shown.contains("\\\"x\\\""), "{shown}");
}

fn name() -> impl Strategy<Value = String> {
    "[abcd]".prop_map(|name| name)
}

/// Lists of items that have names, quantities and plain lists, as Jobs have them.
fn jobs() -> impl Strategy<Value = Json> {
    let scalar = prop_oneof![
        "[ -~]{0,6}".prop_map(Json::from),
        (0..3_i32).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(json!({})),
        Just(json!([])),
    ];
    let variables = proptest::collection::vec((name(), "[xy$(]{0,3}"), 0..4).prop_map(|items| {
        items
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect::<Json>()
    });
    let words = proptest::collection::vec("[abc]{1,2}", 0..5).prop_map(Json::from);
    let amount = prop_oneof![Just("1"), Just("1000m"), Just("2"), Just("1Gi"), Just("1024Mi")];
    let limits = proptest::collection::btree_map(name(), amount, 0..3).prop_map(|map| json!(map));
    let tolerations = proptest::collection::vec(name(), 0..3)
        .prop_map(|keys| keys.into_iter().map(|key| json!({"key": key})).collect::<Json>());
    let container = (name(), variables, words, limits, scalar.clone()).prop_map(
        |(name, env, command, limits, extra)| {
            json!({"name": name, "env": env, "command": command, "resources": {"limits": limits}, "extra": extra})
        },
    );
    let nested = scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Json::from),
            proptest::collection::btree_map(name(), inner, 1..4).prop_map(|map| json!(map)),
        ]
    });
    let containers = proptest::collection::vec(container, 0..3).prop_map(Json::from).boxed();
    (containers.clone(), containers, tolerations, nested).prop_map(|(all, init, tolerations, rest)| {
        json!({"spec": {"containers": all, "initContainers": init, "tolerations": tolerations}, "rest": rest})
    })
}

/// A value in one order and one spelling: what differs in nothing else is the same.
fn canonical(value: &Json) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    leaves(&JobPath::default(), value, &mut |path, leaf| {
        *found.entry(bare(&path, leaf)).or_default() += 1;
    });
    found
}

/// Writes a leaf without the places of items.
fn bare(path: &JobPath, leaf: &Json) -> String {
    let keys = path.0.iter().map(|segment| match segment {
        Segment::Key(key) => key.to_string(),
        Segment::Index(_) => "[]".to_owned(),
    });
    let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
    let quantity = Quantity::parse(&text).filter(|_| is_quantity(path));
    let value = quantity.map_or_else(|| leaf.to_string(), |amount| format!("{amount}"));
    format!("{} {value}", keys.collect::<Vec<_>>().join("."))
}

fn document(difference: &Difference, not: Mark) -> Json {
    let [before, after] = difference.documents();
    let text = if not == Mark::New { before } else { after };
    let document = parse(&SourceFile::new("t", text.as_str())).expect("YAML");
    document.root.map(|root| root.to_json()).unwrap_or_default()
}

proptest! {
    #[test]
    fn a_job_does_not_differ_from_itself(job in jobs()) {
        let difference = difference(&job, &job);
        prop_assert_eq!(difference.verdict, Verdict::Unchanged);
        prop_assert!(hunks(&difference.lines).is_empty());
    }

    /// Taking the old lines out and putting the new ones in makes the new Job of the old one.
    #[test]
    fn the_lines_are_both_jobs((old, new) in (jobs(), jobs())) {
        let difference = difference(&old, &new);
        for (mark, job) in [(Mark::New, &old), (Mark::Old, &new)] {
            let read = document(&difference, mark);
            prop_assert_eq!(canonical(&read), canonical(job), "{}", read);
        }
    }

    #[test]
    fn the_changes_make_the_new_of_the_old((old, new) in (jobs(), jobs())) {
        let mut leaves = canonical(&old);
        let difference = difference(&old, &new);
        for change in &difference.changes {
            if let Some((leaf, value)) = change.old.as_ref().zip(change.before()) {
                let count = leaves.get_mut(&bare(&leaf.path, &value));
                prop_assert!(count.is_some(), "{}", change.label);
                *count.expect("checked above") -= 1;
            }
            if let Some((leaf, value)) = change.new.as_ref().zip(change.after()) {
                *leaves.entry(bare(&leaf.path, &value)).or_default() += 1;
            }
        }
        leaves.retain(|_, count| *count > 0);
        prop_assert_eq!(leaves, canonical(&new));
        let has_lines = difference.lines.iter().any(|line| line.mark != Mark::Both);
        prop_assert_eq!(has_lines, !difference.changes.is_empty());
    }
}
