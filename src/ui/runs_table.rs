//! The list of runs (pure).

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::duration::duration;
use super::table::{Headers, table};
use crate::cluster::RunRow;

/// Renders the runs as a table; ages are seen from `now`.
#[must_use]
pub fn runs_table(
    rows: &[RunRow],
    with_namespace: bool,
    headers: Headers,
    now: Timestamp,
) -> String {
    let mut names = vec!["RUN", "PIPELINE", "STATUS", "BLOCKS", "STARTED"];
    if with_namespace {
        names.insert(0, "NAMESPACE");
    }
    let rows = rows
        .iter()
        .map(|row| {
            let age = row.started.map(|at| format!("{} ago", duration(now.duration_since(at))));
            let mut cells = vec![
                row.run.clone(),
                row.pipeline.clone(),
                row.status.to_string(),
                format!("{}/{}", row.done, row.total),
                age.unwrap_or_else(|| "<unknown>".to_owned()),
            ];
            if with_namespace {
                cells.insert(0, row.namespace.clone());
            }
            cells
        })
        .collect();
    table(&names, headers, rows)
}

/// Renders the runs as JSON.
#[must_use]
pub fn runs_json(rows: &[RunRow]) -> serde_json::Value {
    let items: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "namespace": row.namespace,
                "run": row.run,
                "pipeline": row.pipeline,
                "status": row.status.to_string(),
                "blocks": {"complete": row.done, "total": row.total},
                "started": row.started.map(|at| at.to_string()),
            })
        })
        .collect();
    json!({ "items": items })
}

#[cfg(test)]
mod tests {
    use super::runs_table;
    use crate::cluster::{RunRow, RunStatus};
    use crate::ui::Headers;

    #[test]
    fn one_line_a_run() {
        let row = RunRow {
            namespace: "etl".to_owned(),
            run: "etl-20261123-093100-bbbbb".to_owned(),
            pipeline: "etl".to_owned(),
            status: RunStatus::Running,
            done: 1,
            total: 4,
            started: Some("2026-11-23T09:31:00Z".parse().unwrap()),
        };
        let now = "2026-11-23T09:36:03Z".parse().unwrap();
        insta::assert_snapshot!(runs_table(&[row], true, Headers::Shown, now), @r"
        NAMESPACE   RUN                         PIPELINE   STATUS    BLOCKS   STARTED
        etl         etl-20261123-093100-bbbbb   etl        Running   1/4      5m3s ago
        ");
    }
}
