//! Mage's own log of a block whose Job is gone: the Mage server's pod mounts the volume it is on.

use super::guard::readonly;
use crate::cluster::{Cluster, ClusterError};
use crate::logs::{is_drawn, parse_file_line};
use crate::snapshot::{container_of, repo_path};

/// What a block is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// Mage's number for the block's run.
    Number(u64),
    /// The block, of which the newest log counts.
    Block { pipeline: &'a str, block: &'a str },
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MageLog {
    /// The file, and the pod in which it was read.
    pub(super) place: String,
    /// Its last lines, readable.
    pub(super) lines: Vec<String>,
}

/// Finds the log and prints its path and its end. It only reads. The folders are those of Mage's
/// own `logger_manager.py: get_log_filepath_prefix` and `repo_manager.py`.
const SCRIPT: &str = r#"
exec 2>/dev/null
repo=$1 pipeline=$2 block=$3 number=$4
said=$(sed -n "s/^variables_dir: *[\"']\{0,1\}\([^\"'#]*[^\"'# ]\).*/\1/p" "$repo/metadata.yaml" | head -n 1)
for root in "$LOGS_DIR_PATH" "$MAGE_DATA_DIR" "$said" "$HOME/.mage_data"; do
  case $root in '') continue ;; /*) ;; *) root=$repo/$root ;; esac
  for folder in "$root/${repo##*/}" "$root"; do
    [ -d "$folder/pipelines" ] || continue
    if [ -n "$number" ]; then
      file=$(find "$folder/pipelines" -path '*/.logs/*' -name '*.log' -mtime -1 \
        -exec grep -lE "\"block_run_id\": $number[,}]" {} + | head -n 1)
    else
      file=$(find "$folder/pipelines/$pipeline/.logs" -name "$block.log" -exec ls -t {} + | head -n 1)
    fi
    [ -n "$file" ] || continue
    printf '%s\n' "$file"
    tail -n 400 "$file" | tail -c 262144
    exit 0
  done
done
"#;

/// Tells whether it is what the server itself logs of the block's Job
/// (`mage_ai/services/k8s/job_manager.py`).
fn is_servers(record: &[String]) -> bool {
    let of_status = |line: &String| line.starts_with("Job ") && line.contains("status=");
    record.first().is_some_and(of_status)
        || record.iter().any(|line| line.contains("Failed to execute k8s job "))
}

/// Reads the number of the block's run in the name that the Mage server gives a Job
/// (`mage_ai/data_preparation/executors/k8s_block_executor.py`).
pub(super) fn number_of(job: &str) -> Option<u64> {
    job.rsplit_once("-block-")?.1.parse().ok()
}

/// Reads the log; says why where that cannot be done.
pub(super) async fn mage_log(
    cluster: &Cluster,
    namespace: &str,
    known: Known<'_>,
) -> Result<Result<MageLog, String>, ClusterError> {
    if let Some(setting) = readonly() {
        return Ok(Err(format!(
            "a command in the Mage server's pod would read it, and {setting} forbids that"
        )));
    }
    let found = match cluster.running_server(namespace).await {
        Err(ClusterError::Forbidden { action, .. }) => {
            return Ok(Err(format!("no right to {action}")));
        }
        found => found?,
    };
    let Some(pod) = found else {
        return Ok(Err(format!("no pod of a Mage server runs in namespace {namespace}")));
    };
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let container = container_of(&pod, None);
    let mut all = pod["spec"]["containers"].as_array().into_iter().flatten();
    let server = all.find(|one| one["name"] == container.as_str());
    let repo = server.and_then(repo_path).unwrap_or_default();
    let number = match known {
        Known::Number(number) => number.to_string(),
        Known::Block { .. } => String::new(),
    };
    let (pipeline, block) = match known {
        Known::Block { pipeline, block } => (pipeline, block),
        Known::Number(_) => ("", ""),
    };
    let command = ["sh", "-c", SCRIPT, "sh", &repo, pipeline, block, &number];
    let said = cluster.read_by_command(namespace, name, &container, &command).await;
    Ok(match said {
        Ok(text) => read(&text, name)
            .ok_or_else(|| format!("pod/{name} has none of it, as far as it can be found there")),
        Err(ClusterError::Forbidden { action, .. }) => Err(format!("no right to {action}")),
        Err(error) => Err(error.to_string()),
    })
}

/// Reads what the script printed.
fn read(text: &str, pod: &str) -> Option<MageLog> {
    let (file, rest) = text.split_once('\n')?;
    let mut records: Vec<Vec<String>> = Vec::new();
    for line in rest.lines() {
        // A traceback may follow in lines of its own.
        let begins = line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with('{'));
        let text = parse_file_line(line).text.lines().map(str::to_owned).collect::<Vec<_>>();
        match records.last_mut().filter(|_| !begins) {
            Some(record) => record.extend(text),
            None => records.push(text),
        }
    }
    // What the server says of the Job after that is known.
    records.retain(|record| !is_servers(record));
    let lines = records.into_iter().flatten().filter(|line| !is_drawn(line)).collect();
    Some(MageLog { place: format!("{file} in pod/{pod}"), lines })
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, number_of, read};
    use serde_json::json;
    use std::process::Command;

    #[test]
    fn the_name_of_a_job_tells_the_number_of_the_blocks_run() {
        assert_eq!(number_of("mage-data-prep-block-17"), Some(17));
        assert_eq!(number_of("shop-again-block-4"), Some(4));
        assert_eq!(number_of("mage-data-prep-pipeline-4"), None);
        assert_eq!(number_of("etl-x7k2dq-load-block-a"), None);
    }

    /// Writes JSON as Python does.
    fn spaced(json: &serde_json::Value) -> String {
        json.to_string().replace("\":", "\": ").replace(",\"", ", \"")
    }

    /// Runs the script over folders as Mage makes them.
    fn run(variables: &[(&str, &str)], arguments: [&str; 4]) -> String {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "sh"]).args(arguments).env_clear();
        command.env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn the_log_is_found_by_number_and_by_block_wherever_mage_keeps_it() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path).display().to_string();
        let log = |number: u32| {
            let record = |message: &str, error: String| {
                let fields = json!({"block_run_id": number, "level": "ERROR", "message": message, "error": error});
                format!("2026-01-01T00:00:00 {}\n", spaced(&fields))
            };
            let own = record("m", format!("ValueError: {number}"));
            let status = record("Job deleted. status='{}'", String::new());
            let of_server = record("n", format!("Exception: Failed to execute k8s job x-{number}"));
            format!("{own}{status}{of_server}Traceback (most recent call last):\n  of the server\n")
        };
        for (folder, number) in [
            ("data/shop/pipelines/etl/.logs/1/a", 17),
            ("data/shop/pipelines/etl/.logs/1/b", 171),
            ("shop/own/pipelines/etl/.logs/1/a", 18),
            ("logs/pipelines/etl/.logs/1/a", 19),
        ] {
            std::fs::create_dir_all(at(folder)).unwrap();
            std::fs::write(at(&format!("{folder}/load.log")), log(number)).unwrap();
        }
        std::fs::write(at("shop/metadata.yaml"), "a: b\nvariables_dir: 'own' # here\n").unwrap();
        let repo = at("shop");
        let data = at("data");
        let found = run(&[("MAGE_DATA_DIR", &data)], [&repo, "", "", "17"]);
        let log = read(&found, "mage-0").unwrap();
        assert!(
            log.place.ends_with("shop/pipelines/etl/.logs/1/a/load.log in pod/mage-0"),
            "{log:?}"
        );
        assert_eq!(log.lines, ["m", "ValueError: 17"]);
        let found = run(&[], [&repo, "etl", "load", ""]);
        assert!(found.contains("ValueError: 18"), "{found}");
        let logs = at("logs");
        let found = run(&[("LOGS_DIR_PATH", &logs)], [&repo, "etl", "load", ""]);
        assert!(found.contains("ValueError: 19"), "{found}");
        for arguments in [[&*repo, "", "", "9"], [&*repo, "etl", "other", ""], ["", "etl", "x", ""]]
        {
            assert_eq!(read(&run(&[("MAGE_DATA_DIR", &data)], arguments), "p"), None);
        }
    }
}
