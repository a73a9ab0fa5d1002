//! The plan of a run: what the configuration half hands over, labelled.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::run_id::RunId;
use crate::cluster::{
    ATTEMPT, BLOCK, JobIdentity, MANAGED_BY, MANAGER, PIPELINE, RUN, label_value, mark, member,
    short_hash, unmark,
};

/// The longest name of a Job: the Job controller copies it into a label.
const LONGEST_NAME: usize = 63;

/// Every block of a run, rendered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The blocks, in topological order, in the order of the file among equals.
    pub blocks: Vec<PlannedBlock>,
    /// Whose merge rules made the Jobs.
    pub edition: String,
    /// The git revision of the project, if it has one.
    pub revision: Option<String>,
    /// Who runs it, if known.
    pub user: Option<String>,
    /// The flags that were given.
    pub flags: Vec<String>,
}

/// One block of a run and its Job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedBlock {
    /// The block run's uuid, raw.
    pub uuid: String,
    /// `data_loader`, `transformer`, …
    pub block_type: String,
    /// The uuids it waits for, all inside the selection.
    pub upstream: Vec<String>,
    /// How long it may run, in seconds: `timeout` of the block.
    #[serde(default)]
    pub timeout: Option<u64>,
    /// Whether a conditional decides if it runs: only its log tells then that it did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conditional: bool,
    /// From which attempt on `upstream` holds, where a new plan changed it; what an earlier attempt
    /// waited for is not known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
    /// The UID of the Job that stands there suspended: the first attempt is to start it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<String>,
    /// The namespace of its Job.
    pub namespace: String,
    /// The whole batch/v1 Job, its name included.
    pub job: Value,
}

impl PlannedBlock {
    /// Returns the Job's name.
    #[must_use]
    pub fn job_name(&self) -> &str {
        self.job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the name of the Job of an attempt, which depends on nothing else: whoever makes it
    /// makes the same. The first has the name that was rendered.
    #[must_use]
    pub fn job_name_of(&self, attempt: u32) -> String {
        let first = self.job_name();
        if attempt < 2 {
            return first.to_owned();
        }
        let end = format!("-{attempt}");
        if first.len() + end.len() <= LONGEST_NAME {
            return format!("{first}{end}");
        }
        let hash = short_hash(first);
        let room = LONGEST_NAME - end.len() - hash.len() - 1;
        let head: String = first.chars().take(room).collect();
        format!("{}-{hash}{end}", head.trim_end_matches(['-', '.']))
    }

    /// Returns the Job of an attempt, of a plan that is [prepared](prepare).
    pub(super) fn job_of(&self, attempt: u32) -> Value {
        let mut job = self.job.clone();
        if attempt < 2 {
            return job;
        }
        let label = [(ATTEMPT, attempt.to_string())];
        mark(member(member(&mut job, "spec"), "template"), &label, &[]);
        mark(&mut job, &label, &[]);
        member(&mut job, "metadata")["name"] = json!(self.job_name_of(attempt));
        job
    }

    /// Returns what the Job of an attempt is recognised by.
    #[must_use]
    pub fn identity(&self, run: &RunId, attempt: u32) -> JobIdentity {
        JobIdentity { run: run.to_string(), block: self.uuid.clone(), attempt }
    }

    /// Returns what is planned of it, as far as a project says it: without the labels and annotations
    /// of the run, and without the name, which stays.
    #[must_use]
    pub fn said(&self) -> Value {
        let mut job = self.job.clone();
        unmark(&mut job);
        unmark(member(member(&mut job, "spec"), "template"));
        if let Value::Object(metadata) = member(&mut job, "metadata") {
            metadata.remove("name");
        }
        let mut said = json!({"upstream": self.upstream, "job": job});
        if let Some(timeout) = self.timeout {
            said["timeout"] = timeout.into();
        }
        if self.conditional {
            said["conditional"] = true.into();
        }
        said
    }

    /// Tells whether its Jobs delete themselves when they have ended.
    #[must_use]
    pub fn deletes_itself(&self) -> bool {
        self.job.pointer("/spec/ttlSecondsAfterFinished").is_some_and(|ttl| !ttl.is_null())
    }
}

impl Plan {
    /// Returns the namespaces of the Jobs, each once, in order.
    #[must_use]
    pub fn namespaces(&self) -> Vec<String> {
        let mut namespaces: Vec<String> = Vec::new();
        for block in &self.blocks {
            if !namespaces.contains(&block.namespace) {
                namespaces.push(block.namespace.clone());
            }
        }
        namespaces
    }

    /// Returns for every block the indices of those it waits for; unknown names are left out.
    #[must_use]
    pub fn graph(&self) -> Vec<Vec<usize>> {
        let index = |uuid: &String| self.blocks.iter().position(|block| &block.uuid == uuid);
        self.blocks.iter().map(|block| block.upstream.iter().filter_map(index).collect()).collect()
    }
}

/// Adds the labels and annotations of the run to every Job and its pod template.
pub fn prepare(plan: &mut Plan, run: &RunId) {
    let blocks = plan.blocks.len().to_string();
    for block in &mut plan.blocks {
        let labels = [
            (MANAGED_BY, MANAGER.to_owned()),
            (PIPELINE, label_value(&plan.pipeline)),
            (BLOCK, label_value(&block.uuid)),
            (RUN, label_value(run.as_str())),
            (ATTEMPT, "1".to_owned()),
        ];
        let annotations = [
            (PIPELINE, plan.pipeline.clone()),
            (BLOCK, block.uuid.clone()),
            (RUN, run.to_string()),
            (crate::cluster::BLOCKS, blocks.clone()),
        ];
        let template = member(member(&mut block.job, "spec"), "template");
        mark(template, &labels, &annotations);
        mark(&mut block.job, &labels, &annotations);
    }
}

/// Returns the runtime variables in the command of a Job.
pub(super) fn runtime_vars(job: &Value) -> Option<Value> {
    let containers = job.pointer("/spec/template/spec/containers")?.as_array()?;
    containers.iter().find_map(|container| {
        let words = container["command"].as_array()?;
        let flag = words.iter().position(|word| word == "--runtime-vars")?;
        let vars: Value = serde_json::from_str(words.get(flag + 1)?.as_str()?).ok()?;
        vars.is_object().then_some(vars)
    })
}

#[cfg(test)]
mod tests {
    use super::{Plan, PlannedBlock, prepare};
    use crate::run::RunId;
    use serde_json::json;

    #[test]
    fn every_attempt_has_a_name_and_a_label_of_its_own() {
        let of = |name: &str| PlannedBlock {
            uuid: "load".to_owned(),
            block_type: "data_loader".to_owned(),
            upstream: Vec::new(),
            namespace: "etl".to_owned(),
            job: json!({"metadata": {"name": name}, "spec": {"template": {}}}),
            ..PlannedBlock::default()
        };
        assert_eq!(of("j").job_name_of(1), "j");
        assert_eq!(of("j").job_name_of(2), "j-2");
        let long = |end: &str| of(&format!("{}{end}", "x".repeat(61)));
        let names = [long("aa").job_name_of(12), long("bb").job_name_of(12)];
        assert!(names.iter().all(|name| name.len() <= 63 && name.ends_with("-12")), "{names:?}");
        assert_ne!(names[0], names[1]);
        let job = of("j").job_of(3);
        assert_eq!(job["metadata"]["name"], "j-3");
        assert_eq!(job["metadata"]["labels"]["kubectl-mage/attempt"], "3");
        assert_eq!(job["spec"]["template"]["metadata"]["labels"]["kubectl-mage/attempt"], "3");
        let ttl = |ttl| PlannedBlock {
            job: json!({"spec": {"ttlSecondsAfterFinished": ttl}}),
            ..of("j")
        };
        assert!(ttl(json!(0)).deletes_itself() && !ttl(json!(null)).deletes_itself());
    }

    #[test]
    fn labels_job_and_pod_template_and_keeps_what_is_there() {
        let mut plan = Plan {
            pipeline: "My Pipeline".to_owned(),
            blocks: vec![PlannedBlock {
                uuid: "copy:orig".to_owned(),
                block_type: "transformer".to_owned(),
                upstream: vec!["gone".to_owned()],
                namespace: "etl".to_owned(),
                job: json!({"metadata": {"name": "j", "labels": {"team": "x"}}, "spec": {"template": {"metadata": null}}}),
                ..PlannedBlock::default()
            }],
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        };
        let run = RunId::new("My Pipeline", 7);
        prepare(&mut plan, &run);
        insta::assert_json_snapshot!(plan.blocks[0].job, @r#"
        {
          "metadata": {
            "name": "j",
            "labels": {
              "team": "x",
              "app.kubernetes.io/managed-by": "kubectl-mage",
              "kubectl-mage/pipeline": "My-Pipeline-2ac2c148",
              "kubectl-mage/block": "copy-orig-57b6f8e2",
              "kubectl-mage/run": "my-pipeline-kbbbbb",
              "kubectl-mage/attempt": "1"
            },
            "annotations": {
              "kubectl-mage/pipeline": "My Pipeline",
              "kubectl-mage/block": "copy:orig",
              "kubectl-mage/run": "my-pipeline-kbbbbb",
              "kubectl-mage/blocks": "1"
            }
          },
          "spec": {
            "template": {
              "metadata": {
                "labels": {
                  "app.kubernetes.io/managed-by": "kubectl-mage",
                  "kubectl-mage/pipeline": "My-Pipeline-2ac2c148",
                  "kubectl-mage/block": "copy-orig-57b6f8e2",
                  "kubectl-mage/run": "my-pipeline-kbbbbb",
                  "kubectl-mage/attempt": "1"
                },
                "annotations": {
                  "kubectl-mage/pipeline": "My Pipeline",
                  "kubectl-mage/block": "copy:orig",
                  "kubectl-mage/run": "my-pipeline-kbbbbb",
                  "kubectl-mage/blocks": "1"
                }
              }
            }
          }
        }
        "#);
        assert_eq!(plan.graph(), [Vec::<usize>::new()]);
    }
}
