//! The driver of a run in the cluster: a Job that runs this program (pure).

use std::time::Duration;

use serde_json::{Value, json};

use super::record::{own, record_name};
use super::run_id::RunId;
use crate::cluster::{DRIVER, MANAGED_BY, MANAGER, RUN, Recorded, label_value};

/// Whom the driver acts as.
pub const SERVICE_ACCOUNT: &str = "kubectl-mage-driver";
/// The name of its container.
pub(super) const CONTAINER: &str = "driver";
/// How often it is replaced. The Job controller waits longer each time, at last six minutes.
const REPLACED_AT_MOST: u32 = 100;
/// How long it may stay on a node of which nothing is heard.
const UNHEARD_SECONDS: u32 = 30;

/// What drives a run in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// The image that holds this program.
    pub image: String,
    /// Flags of `resume` that hold over what is recorded.
    pub flags: Vec<String>,
    /// The environment variable that tells this program that it is a driver.
    pub variable: &'static str,
    /// How old the plan was when this process began, by which `--timeout` counts.
    pub age: Duration,
}

/// Returns the name of a run's driver Job.
#[must_use]
pub fn driver_name(run: &RunId) -> String {
    format!("{}-driver", record_name(run.as_str()))
}

/// Makes the Job. It needs nothing but the plan, so that any pod can take another one's place; the
/// program ends with 0 when there is nothing left to do for one.
pub(super) fn driver_job(run: &RunId, recorded: &Recorded, driver: &Driver) -> Value {
    let labels = json!({
        (MANAGED_BY): MANAGER,
        (RUN): label_value(run.as_str()),
        (DRIVER): "true",
    });
    let annotations = json!({ (RUN): run.to_string() });
    let mut arguments =
        vec!["resume", run.as_str(), "-n", &recorded.namespace, "--yes", "-o", "json"];
    // What runs goes on when its driver is taken from its node: the next one finds it.
    arguments.extend(["--on-interrupt=pause", "--logs=failed"]);
    arguments.extend(driver.flags.iter().map(String::as_str));
    let unheard = |key: &str| {
        json!({
            "key": format!("node.kubernetes.io/{key}"), "operator": "Exists",
            "effect": "NoExecute", "tolerationSeconds": UNHEARD_SECONDS,
        })
    };
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": driver_name(run), "namespace": recorded.namespace,
            "labels": labels, "annotations": annotations,
        },
        "spec": {
            "backoffLimit": REPLACED_AT_MOST,
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": SERVICE_ACCOUNT,
                    "securityContext": {
                        "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "tolerations": [unheard("not-ready"), unheard("unreachable")],
                    "containers": [{
                        "name": CONTAINER,
                        "image": driver.image,
                        "command": ["kubectl-mage"],
                        "args": arguments,
                        "env": [{"name": driver.variable, "value": driver.age.as_secs().to_string()}],
                        "resources": {
                            "requests": {"cpu": "20m", "memory": "64Mi"},
                            "limits": {"cpu": "500m", "memory": "256Mi"},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": true,
                        },
                    }],
                },
            },
        },
    });
    own(&mut job, recorded);
    job
}

/// Returns the service account, the Roles and their bindings that a driver of such runs needs:
/// what `resume` asks for, and no more.
#[must_use]
pub fn driver_rights(home: &str, namespaces: &[String]) -> Vec<Value> {
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    let metadata = |namespace: &str| {
        json!({
            "name": SERVICE_ACCOUNT, "namespace": namespace, "labels": {(MANAGED_BY): MANAGER},
        })
    };
    let mut objects =
        vec![json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(home)})];
    for namespace in namespaces {
        let mut rules = vec![
            rule("batch", "jobs", &["create", "get", "list", "watch", "delete"]),
            rule("", "pods", &["get", "list", "watch"]),
            rule("", "pods/log", &["get"]),
            rule("", "events", &["list", "watch"]),
        ];
        if namespace == home {
            // The plan and the Lease.
            rules.push(rule("", "configmaps", &["get", "list", "watch", "patch"]));
            rules.push(rule("coordination.k8s.io", "leases", &["create", "get", "patch"]));
        }
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": metadata(namespace), "rules": rules,
        }));
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": metadata(namespace),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": SERVICE_ACCOUNT,
            },
            "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": home}],
        }));
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::{Driver, driver_job, driver_rights};
    use crate::cluster::{Recorded, belongs};
    use crate::run::RunId;

    #[test]
    fn the_job_is_owned_by_the_plan_and_no_block() {
        let recorded = Recorded {
            namespace: "etl".to_owned(),
            name: "mage-run-etl-bbbbbb".to_owned(),
            uid: "7".to_owned(),
        };
        let driver = Driver {
            image: "mage-driver:1".to_owned(),
            flags: vec!["--parallel=2".to_owned()],
            variable: "DRIVES",
            age: std::time::Duration::ZERO,
        };
        let job = driver_job(&RunId::new("etl", 0), &recorded, &driver);
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "7");
        let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
        assert_eq!(
            args.to_string(),
            r#"["resume","etl-bbbbbb","-n","etl","--yes","-o","json","--on-interrupt=pause","--logs=failed","--parallel=2"]"#
        );
        assert_eq!(belongs(&serde_json::from_value(job).unwrap()), None);
    }

    #[test]
    fn where_there_are_only_jobs_it_needs_no_right_to_plans() {
        let of = |namespaces: &[&str]| {
            let all: Vec<String> = namespaces.iter().map(|name| (*name).to_owned()).collect();
            driver_rights("a", &all)
        };
        assert_eq!(of(&["a"]).len(), 3);
        let two = of(&["a", "b"]);
        let rules = |index: usize| two[index]["rules"].to_string();
        assert!(rules(1).contains("configmaps") && rules(1).contains("leases"), "{}", rules(1));
        assert!(!rules(3).contains("configmaps") && !rules(3).contains("leases"), "{}", rules(3));
        assert_eq!(two[4]["subjects"][0]["namespace"], "a");
        assert_eq!(two[4]["metadata"]["namespace"], "b");
    }
}
