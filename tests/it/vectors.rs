//! Edition `oss` against what the genuine Mage OSS 0.9.80 sends.

use serde_json::{Value as Json, json};

use crate::cases::{Case, REFUSED, cases, last_variables};
use crate::support::{Said, run};

fn render(case: &Case, edition: &str) -> Said {
    let arguments = case.arguments(edition);
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Drops nulls, empty lists and mappings, and this tool's own labels; a number is its text.
fn normal(value: &Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.iter()
                .filter(|(key, _)| {
                    !key.starts_with("kubectl-mage/") && *key != "app.kubernetes.io/managed-by"
                })
                .map(|(key, value)| (key.clone(), normal(value)))
                .filter(|(_, value)| {
                    !matches!(value, Json::Null) && *value != json!([]) && *value != json!({})
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(normal).collect()),
        Json::Number(number) => Json::String(number.to_string()),
        other => other.clone(),
    }
}

/// Returns a Job of this tool in the form in which it is compared.
pub(crate) fn comparable_ours(job: &Json) -> Json {
    normal(job)
}

/// Returns the Job of one of Mage's answers in the form in which it is compared.
pub(crate) fn comparable_mages(answer: &Json) -> Json {
    let mut mages = answer["job"].clone();
    mages["metadata"]["namespace"] = answer["namespace"].clone();
    last_variables(&mut mages);
    normal(&mages)
}

#[test]
fn oss_sends_what_mage_sends() {
    let mut compared = 0;
    for case in cases() {
        if !case.is_exact() || REFUSED.contains(&case.number()) {
            continue;
        }
        let list: Json = serde_json::from_str(&render(&case, "oss").ok()).expect("JSON");
        let ours = comparable_ours(&list["items"][0]);
        pretty_assert(&case.name, &ours, &comparable_mages(&case.expected));
        compared += 1;
    }
    assert!(compared >= 60, "{compared}");
}

fn pretty_assert(name: &str, ours: &Json, mages: &Json) {
    let text = |value: &Json| serde_json::to_string_pretty(&sorted(value)).expect("JSON");
    assert_eq!(text(ours), text(mages), "case {name}");
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Json::Object(
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
            )
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[test]
fn what_means_nothing_is_refused_in_both_editions() {
    for case in cases() {
        for edition in ["oss", "pro"] {
            let said = render(&case, edition);
            if REFUSED.contains(&case.number()) {
                assert_eq!(said.code, 2, "case {} {edition}: {}", case.name, said.stderr);
                assert!(said.stdout.is_empty());
            } else if !(case.number() == "096" || (case.number() == "109" && edition == "pro")) {
                assert_eq!(said.code, 0, "case {} {edition}: {}", case.name, said.stderr);
            }
        }
    }
}

#[test]
fn where_mage_fails_a_finding_says_so() {
    for case in cases() {
        let fails =
            case.expected["ok"] == false || (!case.is_exact() && case.expected["job"].is_object());
        let outside = ["096", "097", "046", "060", "106", "057"].contains(&case.number());
        if fails && !outside && !REFUSED.contains(&case.number()) {
            let said = render(&case, "oss");
            assert!(said.stderr.contains("warning: "), "case {}: {}", case.name, said.stderr);
        }
    }
}

/// Whether a block goes to Kubernetes at all is Mage's own answer.
#[test]
fn the_executor_is_mages() {
    let mut local = 0;
    for case in cases() {
        // 120 asks for the pipeline's own Job, which only pipelines in one process have.
        let outside = REFUSED.contains(&case.number()) || case.number() == "120";
        if case.expected["ok"] != true || outside {
            continue;
        }
        let mut arguments = case.arguments("oss");
        arguments.push("--only-k8s".to_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let list: Json = serde_json::from_str(&run(&arguments).ok()).expect("JSON");
        let made = list["items"].as_array().expect("a list").len();
        assert_eq!(made, usize::from(case.expected["job"].is_object()), "case {}", case.name);
        local += usize::from(made == 0);
    }
    assert!(local >= 3, "{local}");
}

/// Returns a Job without its command and name, in which the editions differ by their ids.
fn settings(job: &Json) -> Json {
    let mut job = normal(job);
    for place in ["/metadata", "/spec/template/metadata"] {
        if let Some(metadata) = job.pointer_mut(place).and_then(Json::as_object_mut) {
            metadata.shift_remove("name");
        }
    }
    job["spec"]["template"]["spec"]["containers"][0]["command"] = Json::Null;
    normal(&job)
}

#[test]
fn lint_says_where_the_editions_differ_and_only_there() {
    let (mut differing, mut same, mut wrong) = (0, 0, Vec::new());
    for case in cases() {
        let jobs = ["oss", "pro"].map(|edition| render(&case, edition));
        // In 208 they differ by an empty selector, which says something and which `normal` drops.
        if jobs.iter().any(|said| said.code != 0) || case.number() == "208" {
            continue;
        }
        let [oss, pro] = jobs.map(|said| settings(&said.json()["items"][0]));
        let run_ids = ["--output", "--block-run-id", "--pipeline-run-id", "--execution-partition"];
        let mut lint = case.arguments("pro");
        lint.retain(|argument| !run_ids.iter().any(|flag| argument.starts_with(flag)));
        lint[0] = "lint".to_owned();
        lint.push("--output=json".to_owned());
        let said = run(&lint.iter().map(String::as_str).collect::<Vec<_>>());
        let findings = said.json()["findings"].clone();
        let told: Vec<&Json> = findings
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["id"] == "MAGE420")
            .map(|finding| &finding["message"])
            .collect();
        if told.is_empty() == (oss != pro) {
            wrong.push(format!("{}: differ: {}, told: {told:?}", case.name, oss != pro));
        }
        if oss == pro { same += 1 } else { differing += 1 }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differing > 20 && same > 20, "{differing} {same}");
}
