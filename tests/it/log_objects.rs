//! Lines of logs as objects, by the schema that is published.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kubectl_mage::logs::{Batch, Filter, Order};
use kubectl_mage::ui::{Composer, Label, LogForm, LogStyle, Zone};
use serde_json::{Value as Json, json};

use crate::python::Python;

fn label(run: Option<&str>) -> Label {
    Label {
        block: "load".into(),
        attempt: 2,
        container: run.map(|_| "proxy".into()),
        pod: "load-x".into(),
        job: run.map(|_| "j".into()),
        namespace: "data".into(),
        run: run.map(Into::into),
    }
}

/// Returns objects of every kind there is.
fn objects() -> Vec<Json> {
    let zone = Zone::named("Europe/Berlin").expect("a zone");
    let style = LogStyle {
        form: LogForm::Json,
        terminal: false,
        color: false,
        timestamps: Some(zone.clone()),
        clock: zone,
    };
    let mut composer = Composer::new(style, Filter::default(), Order::Arrival);
    let time: Timestamp = "2026-11-27T12:00:00.5Z".parse().expect("a time");
    let long = "x".repeat(300_000);
    for (source, run) in [None, Some("etl-abcdef")].into_iter().enumerate() {
        composer.begin(source, label(run), Duration::ZERO);
        let mut batch = Batch::default();
        for line in [
            "plain \u{1b}[1m\n".as_bytes(),
            b"\xff\n",
            b"ERROR:x:{\"message\": \"no\"}\n",
            b"Traceback (most recent call last):\n",
            b"  f\n",
            long.as_bytes(),
            b"end",
        ] {
            batch.push(time, line);
        }
        composer.take(source, batch, Duration::ZERO);
        composer.notice(source, time, "the container was restarted", Duration::ZERO);
        composer.end(source);
    }
    let mut out = Vec::new();
    composer.show(Duration::ZERO, &mut out);
    let out = String::from_utf8(out).expect("JSON");
    out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn objects_are_valid_by_their_schema() {
    let objects = objects();
    assert_eq!(objects.len(), 16);
    assert_eq!(objects[0]["time"], "2026-11-27T13:00:00.500000000+01:00");
    let Some(mut python) = Python::start("jsonschema", "tests/fixtures/json_schema.py") else {
        return;
    };
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/log-event.schema.json");
    let mut broken = objects[0].clone();
    broken["line"] = Json::Null;
    let asked = objects.iter().chain([&broken]).map(|log| json!({"schema": schema, "log": log}));
    let mut answers = python.ask_all(asked);
    assert_ne!(answers.pop(), Some(json!([])), "the validator takes anything");
    assert_eq!(answers, vec![json!([]); objects.len()]);
}
