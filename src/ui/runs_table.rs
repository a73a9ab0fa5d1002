//! The list of runs (pure).

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::driving_text;
use super::duration::duration;
use super::status_table::Width;
use super::table::{Headers, table};
use crate::cluster::{RunRow, RunStatus};

/// Renders the runs as a table; ages are seen from `now`.
#[must_use]
pub fn runs_table(
    rows: &[RunRow],
    with_namespace: bool,
    width: Width,
    headers: Headers,
    now: Timestamp,
) -> String {
    let mut names = vec!["RUN", "PIPELINE", "SOURCE", "STATUS", "BLOCKS", "STARTED"];
    if width == Width::Wide {
        names.extend(["DURATION", "DRIVER"]);
    }
    if with_namespace {
        names.insert(0, "NAMESPACE");
    }
    let rows = rows
        .iter()
        .map(|row| {
            let age = row.started.map(|at| format!("{} ago", duration(now.duration_since(at))));
            let total = row.total.map_or_else(|| "?".to_owned(), |total| total.to_string());
            let mut cells = vec![
                row.run.clone(),
                row.pipeline.clone(),
                row.source.as_str().to_owned(),
                row.status.to_string(),
                format!("{}/{total}", row.done),
                age.unwrap_or_else(|| "<unknown>".to_owned()),
            ];
            if width == Width::Wide {
                let runs = matches!(row.status, RunStatus::Running | RunStatus::Unknown);
                let until = row.ended.or(runs.then_some(now));
                let took = row.started.zip(until).map(|(from, to)| to.duration_since(from));
                cells.push(took.map_or_else(|| "<unknown>".to_owned(), duration));
                cells.push(driving_text::cell(&row.driving, now));
            }
            if with_namespace {
                cells.insert(0, row.namespace.clone());
            }
            cells
        })
        .collect();
    table(&names, headers, rows)
}

/// Says how many blocks conditionals kept from running.
#[must_use]
pub fn unmet_words(row: &RunRow) -> String {
    match row.unmet {
        0 => String::new(),
        unmet => format!(", {unmet} not run because a conditional said no"),
    }
}

/// Renders the runs as JSON.
#[must_use]
pub fn runs_json(rows: &[RunRow]) -> serde_json::Value {
    json!({ "items": rows.iter().map(run_json).collect::<Vec<_>>() })
}

/// Renders one run as JSON.
#[must_use]
pub fn run_json(row: &RunRow) -> serde_json::Value {
    let mut json = json!({
        "namespace": row.namespace,
        "run": row.run,
        "source": row.source.as_str(),
        "pipeline": row.pipeline,
        "status": row.status.to_string(),
        "blocks": {"complete": row.done, "unmet": row.unmet, "total": row.total},
        "started": row.started.map(|at| at.to_string()),
        "ended": row.ended.map(|at| at.to_string()),
    });
    driving_text::add_json(row, &mut json);
    json
}

#[cfg(test)]
mod tests {
    use super::{run_json, runs_table};
    use crate::cluster::{Driving, RunRow, RunStatus, Source};
    use crate::ui::{Headers, Width};

    #[test]
    fn one_line_a_run() {
        let row = RunRow {
            namespace: "etl".to_owned(),
            run: "etl-20261123-093100-bbbbb".to_owned(),
            pipeline: "etl".to_owned(),
            status: RunStatus::Running,
            done: 1,
            unmet: 0,
            source: Source::Run,
            total: Some(4),
            ended: None,
            driving: Driving::By {
                holder: "me@host, process 7/1f".to_owned(),
                since: Some("2026-11-23T09:35:03Z".parse().unwrap()),
            },
            started: Some("2026-11-23T09:31:00Z".parse().unwrap()),
        };
        let now = "2026-11-23T09:36:03Z".parse().unwrap();
        let driver = |driving| run_json(&RunRow { driving, ..row.clone() }).get("driver").cloned();
        assert_eq!(driver(Driving::Unknown), None);
        assert_eq!(driver(Driving::Nobody), Some(serde_json::Value::Null));
        assert_eq!(driver(row.driving.clone()).unwrap()["name"], "me@host, process 7");
        insta::assert_snapshot!(runs_table(&[row], true, Width::Wide, Headers::Shown, now), @r"
        NAMESPACE   RUN                         PIPELINE   SOURCE   STATUS    BLOCKS   STARTED    DURATION   DRIVER
        etl         etl-20261123-093100-bbbbb   etl        run      Running   1/4      5m3s ago   5m3s       me@host, process 7 for 60s
        ");
    }
}
