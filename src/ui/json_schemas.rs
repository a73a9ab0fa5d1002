//! The JSON Schemas of what commands print as JSON, as `docs/schemas` holds them (pure).

use serde_json::{Map, Value, json};

use crate::cluster::{RunStatus, Source};
use crate::config::LayerKind;
use crate::run::RunState;

/// Returns the schema of `runs -o json`.
#[must_use]
pub fn runs_schema() -> Value {
    document(
        "kubectl mage runs -o json",
        "The runs. With -w each line is one object of `items`.",
        &[("items", list(of("run")))],
        json!({"run": run()}),
    )
}

/// Returns the schema of `status -o json`.
#[must_use]
pub fn status_schema() -> Value {
    let mut schema = document(
        "kubectl mage status -o json",
        "A run and its blocks. With -w each line is one object of `items`.",
        &[],
        json!({"block": object(&block())}),
    );
    let mut members = run();
    members["properties"]["items"] = list(of("block"));
    members["required"].as_array_mut().expect("a list").push("items".into());
    let members = members.as_object_mut().expect("an object");
    schema.as_object_mut().expect("an object").append(members);
    schema
}

/// Returns the schema of `why -o json`.
#[must_use]
pub fn why_schema() -> Value {
    let cause = object(&[
        ("reason", text("One word.")),
        ("sentence", text("What happened.")),
        ("exitCode", number("The container's exit code, where that is the cause.")),
        ("remedy", maybe("What to do.")),
    ]);
    let fact = object(&[
        ("kind", text("What kind of fact: a condition, a container, an event, …")),
        ("text", text("What it says.")),
        ("time", maybe("When.")),
    ]);
    let mut told = block();
    told.extend([
        ("cause", or_null(of("cause"))),
        ("earlier", list(object(&[("pod", text("The pod.")), ("cause", of("cause"))]))),
        ("evidence", list(of("fact"))),
        ("lastLines", list(text("A line of its log."))),
        ("unknown", list(text("What can no longer be known."))),
    ]);
    document(
        "kubectl mage why -o json",
        "Why something is pending or failed, and what that rests on.",
        &[
            ("namespace", text("Where.")),
            ("run", or_null(of("run"))),
            ("blocks", list(of("block"))),
            ("unknown", list(text("What can no longer be known."))),
        ],
        json!({"run": run(), "block": object(&told), "cause": cause, "fact": fact}),
    )
}

/// Returns the schema of `lint -o json`.
#[must_use]
pub fn lint_schema() -> Value {
    let place = [
        ("line", count("From 1.")),
        ("column", count("From 1, in Unicode code points.")),
        ("endLine", count("Where it ends.")),
        ("endColumn", count("The column after its last character.")),
    ];
    let range = [&[("file", text("Relative to the project when inside it."))][..], &place].concat();
    let edit = [&place[..], &[("text", text("What comes there."))]].concat();
    let related = [("message", text("What is there.")), ("range", of("range"))];
    let fix = [("title", text("What it does.")), ("edits", list(of("edit")))];
    let finding = object(&[
        ("id", text("The finding's id, `MAGE101`.")),
        ("name", text("Its name.")),
        ("severity", json!({"enum": ["error", "warning", "note"]})),
        ("message", text("What is wrong.")),
        ("hints", list(text("What to do."))),
        ("range", or_null(of("range"))),
        ("path", maybe("The setting in Mage's spelling.")),
        ("jobPath", maybe("The place in the Job.")),
        ("related", list(object(&related))),
        ("fix", or_null(object(&fix))),
        ("jobs", list(text("Jobs that it concerns, the first of them."))),
        ("jobCount", count("How many Jobs it concerns.")),
        ("ignored", maybe("The reason of the comment that silences it.")),
    ]);
    let counts = ["errors", "warnings", "notes", "ignored", "fixable", "pipelines", "jobs"];
    let summary: Vec<_> = counts.map(|name| (name, count("How many."))).into();
    document(
        "kubectl mage lint -o json",
        "All findings, silenced ones too.",
        &[("findings", list(of("finding"))), ("summary", object(&summary))],
        json!({"finding": finding, "range": object(&range), "edit": object(&edit)}),
    )
}

/// Returns the schema of `explain-config -o json`.
#[must_use]
pub fn explain_schema() -> Value {
    let layer = || json!({"enum": LayerKind::ALL.map(LayerKind::name)});
    let source = object(&[
        ("kind", json!({"enum": ["file", "env", "object", "flag", "builtin", "api"]})),
        ("file", maybe("Relative to the project when inside it.")),
        ("line", number("From 1.")),
        ("column", number("From 1, in Unicode code points.")),
        ("name", maybe("The variable, flag or field.")),
        ("object", maybe("The object, or who holds the variable.")),
    ]);
    let loser = object(&[
        ("value", json!({"description": "The value; `***` where it is secret."})),
        ("layer", layer()),
        ("source", or_null(of("source"))),
        ("reason", text("Why it lost.")),
    ]);
    let value = object(&[
        ("path", maybe("The setting in Mage's spelling.")),
        ("jobPath", maybe("The place in the Job.")),
        ("value", json!({"description": "The value; `***` where it is secret."})),
        ("layer", or_null(layer())),
        ("source", or_null(of("source"))),
        ("rule", maybe("The rule that decided, where more than one layer spoke.")),
        (
            "redacted",
            json!({"type": "boolean", "description": "Whether it is secret and not shown."}),
        ),
        ("overridden", list(of("loser"))),
    ]);
    let told = object(&[
        ("layer", layer()),
        ("present", json!({"type": "boolean"})),
        ("source", maybe("What it was read from.")),
        ("lookedFor", text("Where it was looked for.")),
    ]);
    let block = object(&[
        ("pipeline", text("The pipeline.")),
        ("block", maybe("The block; null for a whole pipeline in one Job.")),
        ("edition", json!({"enum": ["oss", "pro"]})),
        ("job", object(&[("namespace", text("Its namespace.")), ("name", text("Its name."))])),
        ("values", list(of("value"))),
        ("layers", list(told)),
    ]);
    let mut schema = document(
        "kubectl mage explain-config -o json",
        "Which layer gave each value of one block's Job; of a pipeline, `items` holds one such object a Job.",
        &[],
        json!({"block": block, "value": value, "loser": loser, "source": source}),
    );
    schema["anyOf"] = json!([of("block"), object(&[("items", list(of("block")))])]);
    schema
}

/// Returns the schema of `run --report FILE.json`.
#[must_use]
pub fn report_schema() -> Value {
    let seconds = || json!({"type": ["number", "null"], "description": "How long it took."});
    let cause = object(&[
        ("reason", text("One word.")),
        ("message", text("What happened.")),
        ("exitCode", number("The container's exit code, where that is the cause.")),
        ("hint", maybe("What to do.")),
    ]);
    let attempt = object(&[
        ("attempt", count("From 1.")),
        ("job", text("Its Job.")),
        ("pod", maybe("Its last pod.")),
        ("node", maybe("The node of that.")),
        ("created", maybe("When its Job was created.")),
        ("started", maybe("When its container started.")),
        ("ended", maybe("When it ended.")),
        ("exitCode", number("The container's exit code.")),
        ("cause", or_null(of("cause"))),
        ("lastLines", list(text("A line of its log."))),
        ("notes", list(text("What Mage's log told of it."))),
    ]);
    let block = object(&[
        ("block", text("The block.")),
        ("type", text("Its type.")),
        ("upstream", list(text("A block that it depends on."))),
        ("state", text("How it stands.")),
        ("namespace", text("The namespace of its Job.")),
        ("job", maybe("Its Job, once that was started.")),
        ("started", maybe("When it started.")),
        ("ended", maybe("When it ended.")),
        ("durationSeconds", seconds()),
        ("cause", or_null(of("cause"))),
        ("exitCode", number("The container's exit code, where that is the cause.")),
        ("lastLines", list(text("A line of its log."))),
        ("attempts", list(of("attempt"))),
    ]);
    document(
        "kubectl mage run --report FILE.json",
        "How a run ended.",
        &[
            ("tool", text("This program and its version.")),
            ("run", text("The run.")),
            ("pipeline", text("Its pipeline.")),
            ("namespace", text("Where its plan is.")),
            ("edition", text("The edition.")),
            ("revision", maybe("The git revision of the project.")),
            ("user", maybe("Who began it.")),
            ("state", json!({"enum": RunState::ALL.map(RunState::as_str)})),
            ("exitCode", count("The exit code of the command.")),
            ("message", text("All of it in one sentence.")),
            ("started", maybe("When it started.")),
            ("ended", maybe("When it ended.")),
            ("durationSeconds", seconds()),
            ("remaining", list(text("What was left in the cluster."))),
            ("blocks", list(of("block"))),
        ],
        json!({"block": block, "attempt": attempt, "cause": cause}),
    )
}

/// Returns the schema of `snapshot`, whose parts are for `--snapshot` alone to read.
#[must_use]
pub fn snapshot_schema() -> Value {
    let part = |of: &str| json!({"type": "object", "description": of});
    let maybe_list = |of: &str| json!({"type": ["array", "null"], "description": of});
    document(
        "kubectl mage snapshot",
        "What a cluster says about configuration. Null is what could not be read.",
        &[
            ("apiVersion", json!({"enum": [crate::snapshot::API_VERSION]})),
            ("kind", json!({"enum": [crate::snapshot::KIND]})),
            ("context", part("What the kubeconfig's context says.")),
            ("serverPod", part("The Mage server's pod, and how it was found.")),
            ("serverVersion", maybe("The API server's version.")),
            ("existingNamespaces", maybe_list("The namespaces that exist.")),
            ("nodes", maybe_list("The nodes: labels, taints and what they have.")),
            ("priorityClasses", maybe_list("The priority classes.")),
            ("runtimeClasses", maybe_list("The runtime classes' names.")),
            ("storageClasses", maybe_list("The storage classes.")),
            ("namespaces", part("The namespaces that were asked, by name.")),
            (
                "unreadable",
                json!({"type": "array", "items": {"type": "object"}, "description": "What could not be read, and the verb that is missing."}),
            ),
        ],
        json!({}),
    )
}

/// A member and its schema.
type Member = (&'static str, Value);

fn document(title: &str, description: &str, members: &[Member], definitions: Value) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": format!("{description} New members may be added."),
    });
    if !members.is_empty() {
        let members = object(members);
        schema
            .as_object_mut()
            .expect("made above")
            .extend(members.as_object().cloned().unwrap_or_default());
    }
    if definitions.as_object().is_some_and(|all| !all.is_empty()) {
        schema["$defs"] = definitions;
    }
    schema
}

/// An object that has all these members.
fn object(members: &[Member]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": names, "properties": properties})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn maybe(description: &str) -> Value {
    json!({"type": ["string", "null"], "description": description})
}

fn count(description: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": description})
}

fn number(description: &str) -> Value {
    json!({"type": ["integer", "null"], "description": description})
}

fn list(items: impl Into<Value>) -> Value {
    json!({"type": "array", "items": items.into()})
}

fn of(definition: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}")})
}

fn or_null(schema: impl Into<Value>) -> Value {
    json!({"anyOf": [{"type": "null"}, schema.into()]})
}

/// One run, as `ui::run_json` writes it.
fn run() -> Value {
    let statuses = [
        RunStatus::Running,
        RunStatus::Complete,
        RunStatus::Failed,
        RunStatus::Stopped,
        RunStatus::Suspended,
        RunStatus::Cancelled,
        RunStatus::Unknown,
    ];
    let sources = [Source::Run, Source::Apply, Source::Server].map(Source::as_str);
    let blocks = object(&[
        ("complete", count("How many are complete.")),
        ("unmet", count("How many did not run because a conditional said no.")),
        ("total", number("How many there are; null where only the Mage server knows.")),
    ]);
    let mut run = object(&[
        ("namespace", text("The namespace of its Jobs.")),
        ("run", text("Its name.")),
        ("source", json!({"enum": sources})),
        ("pipeline", text("Its pipeline.")),
        ("status", json!({"enum": statuses.map(RunStatus::as_str)})),
        ("blocks", blocks),
        ("started", maybe("When its first object was created.")),
        ("ended", maybe("When its last Job ended, if none is active.")),
    ]);
    let driver = object(&[("name", text("Who drives it.")), ("since", maybe("Since when."))]);
    let mut driver = or_null(driver);
    driver["description"] = "Who drives it; null is nobody. Absent where that is not known.".into();
    run["properties"]["driver"] = driver;
    run
}

/// The members of one block, as `ui::status_json` writes it.
fn block() -> Vec<Member> {
    vec![
        ("block", text("The block; empty for a Job that is of none.")),
        ("state", text("How it stands.")),
        ("attempt", count("Its attempt; 0 before the first.")),
        ("started", maybe("When its container started.")),
        ("ended", maybe("When it ended.")),
        ("job", maybe("Its Job.")),
        ("pod", maybe("Its pod.")),
        ("node", maybe("The pod's node.")),
        ("exitCode", number("The container's exit code.")),
        ("reason", maybe("Why it stands so, in one word.")),
        ("message", maybe("The same in a sentence.")),
    ]
}
