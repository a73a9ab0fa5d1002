//! The rules of edition `pro`, layer by layer, and where edition `oss` differs.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::explained::{at, container, explained, rendered, values};
use crate::generated::{config, configurations};
use crate::support::TempProject;

proptest! {
    #![proptest_config(config(64))]

    /// Every field has the value of the highest layer that sets it (inside a layer: of the most
    /// specific setting), and everything that lost is told, with its own value.
    #[test]
    fn the_highest_layer_wins_every_field(configuration in configurations()) {
        let project = TempProject::new(&[]);
        let mut owned = configuration.write(&project);
        let fields = configuration.fields();
        owned.push("--edition=pro".to_owned());
        if !configuration.has_image() {
            owned.push("--image=i".to_owned());
        }
        let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
        let explained = explained(&project, "p/load", &flags);
        for (path, given) in fields {
            let (winner, losers) = given.split_last().expect("a value");
            let value = at(&explained, &path);
            prop_assert_eq!(&value["value"], &winner.value, "{}", path);
            prop_assert_eq!(&value["layer"], winner.layer.name(), "{}", path);
            let told: Vec<(&Json, &Json)> = value["overridden"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|loser| {
                    loser["source"]["kind"] == "file"
                        && !loser["reason"].as_str().expect("text").contains("overrides replace")
                })
                .map(|loser| (&loser["layer"], &loser["value"]))
                .collect();
            let names: Vec<Json> = losers.iter().map(|given| json!(given.layer.name())).collect();
            let lost: Vec<(&Json, &Json)> =
                names.iter().zip(losers.iter().map(|given| &given.value)).collect();
            prop_assert_eq!(told, lost, "{}", path);
        }
    }
}

const PIPELINE: &str = "type: python\n";
const LOAD: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";

/// A project whose layers say what is given, in flow style.
struct Layers(TempProject, Vec<String>);

impl Layers {
    fn new(project: &str, pipeline: &str, block: &str) -> Self {
        let metadata = format!("k8s_executor_config: {project}\n");
        let pipeline =
            format!("{PIPELINE}executor_config: {pipeline}\n{LOAD}  executor_config: {block}\n");
        let files = [("metadata.yaml", &*metadata), ("pipelines/p/metadata.yaml", &pipeline)];
        let flags = ["--image=i", "--repo-path=/r"].map(str::to_owned).to_vec();
        Self(TempProject::new(&files), flags)
    }

    fn flag(mut self, flag: &str) -> Self {
        self.1.push(flag.to_owned());
        self
    }

    fn file(self, flag: &str, text: &str) -> Self {
        self.0.write(&format!("{flag}.yaml"), text);
        let flag = format!("--{flag}={}/{flag}.yaml", self.0.path());
        self.flag(&flag)
    }

    fn flags(&self) -> Vec<&str> {
        self.1.iter().map(String::as_str).collect()
    }

    fn job(&self) -> Json {
        rendered(&self.0, "p/load", &self.flags())
    }

    fn pod(&self) -> Json {
        self.job()["spec"]["template"]["spec"].clone()
    }

    fn container(&self) -> Json {
        self.pod()["containers"][0].clone()
    }

    fn explained(&self) -> Json {
        explained(&self.0, "p/load", &self.flags())
    }

    fn stderr(&self) -> String {
        self.0.run(&[&["render", "p/load"], &self.flags()[..]].concat()).stderr
    }
}

#[test]
fn mappings_are_merged_at_every_depth_in_pro_and_replaced_in_oss() {
    let layers = || {
        Layers::new(
            "{resource_limits: {cpu: 1, memory: 2Gi}, pod: {node_selector: {a: x, b: x}}}",
            "{}",
            "{resource_limits: {cpu: 2}, pod: {node_selector: {b: y}}}",
        )
    };
    let pro = layers().flag("--edition=pro");
    assert_eq!(pro.container()["resources"]["limits"], json!({"cpu": "2", "memory": "2Gi"}));
    assert_eq!(pro.pod()["nodeSelector"], json!({"a": "x", "b": "y"}));
    let oss = layers().flag("--edition=oss");
    assert_eq!(oss.container()["resources"]["limits"], json!({"cpu": 2}));
    assert_eq!(oss.pod()["nodeSelector"], json!({"b": "y"}));
}

#[test]
fn only_pro_reads_a_pipelines_settings_for_a_block() {
    let layers = |edition| {
        Layers::new("{}", "{service_account_name: etl}", "{}").flag(edition).pod()
            ["serviceAccountName"]
            .clone()
    };
    assert_eq!(layers("--edition=pro"), "etl");
    assert_eq!(layers("--edition=oss"), "default");
}

#[test]
fn a_policy_fills_gaps_or_is_enforced_or_is_off() {
    let policy = |text: &str| {
        let container =
            Layers::new("{}", "{}", "{resource_limits: {cpu: 3}}").file("policy", text).container();
        container["resources"]["limits"].clone()
    };
    let body = "resource_limits: {cpu: 1, memory: 1Gi}\n";
    assert_eq!(policy(body), json!({"cpu": "3", "memory": "1Gi"}));
    assert_eq!(policy(&format!("enforce: false\n{body}")), json!({"cpu": "3", "memory": "1Gi"}));
    assert_eq!(policy(&format!("enforce: true\n{body}")), json!({"cpu": "1", "memory": "1Gi"}));
    for enforce in ["true", "false"] {
        let off = format!("enabled: false\nenforce: {enforce}\n{body}");
        assert_eq!(policy(&off), json!({"cpu": "3"}));
    }
    assert_eq!(policy(""), json!({"cpu": "3"}));
}

#[test]
fn an_enforced_policy_cannot_be_bypassed_by_a_more_specific_setting_or_a_flag() {
    let layers = Layers::new(
        "{}",
        "{}",
        "{container_config: {image: mine, resources: {limits: {cpu: 9}}}, pod: {service_account_name: root}, metadata: {namespace: mine}}",
    )
    .file(
        "policy",
        "enforce: true\ncontainer: {image: theirs, resources: {limits: {cpu: 1}}}\nservice_account_name: jobs\nnamespace: theirs\n",
    )
    .flag("--namespace=flag");
    let job = layers.job();
    assert_eq!(layers.container()["image"], "theirs");
    assert_eq!(layers.container()["resources"]["limits"]["cpu"], "1");
    assert_eq!(layers.pod()["serviceAccountName"], "jobs");
    assert_eq!(job["metadata"]["namespace"], "theirs");
    let explained = layers.explained();
    let image = at(&explained, &container("image"));
    let told: Vec<&Json> =
        image["overridden"].as_array().expect("a list").iter().map(|l| &l["layer"]).collect();
    assert_eq!(told, ["block", "flag"]);
}

#[test]
fn an_empty_list_empties_what_is_below_but_enforces_nothing() {
    let tolerations = "[{key: a, operator: Exists}]";
    let emptied = Layers::new(
        &format!("{{pod: {{tolerations: {tolerations}}}}}"),
        "{}",
        "{pod: {tolerations: []}}",
    );
    let is_empty = |pod: &Json| pod["tolerations"].as_array().is_none_or(Vec::is_empty);
    assert!(is_empty(&emptied.pod()));
    let kept = Layers::new(&format!("{{pod: {{tolerations: {tolerations}}}}}"), "{}", "{}")
        .file("policy", "enforce: true\npod: {tolerations: []}\n");
    assert_eq!(kept.pod()["tolerations"], json!([{"key": "a", "operator": "Exists"}]));
}

const POD: &str = "\
metadata: {name: mage-0, namespace: mage}
spec:
  nodeSelector: {pool: mage}
  tolerations: [{key: server, operator: Exists}]
  imagePullSecrets: [{name: server}]
  containers:
  - name: mage
    image: example.com/mage-pro:1
    env: [{name: A, value: server}, {name: B, value: server}]
    volumeMounts: [{name: data, mountPath: /home/src}]
  volumes:
  - name: data
    persistentVolumeClaim: {claimName: mage}
  - name: unused
    emptyDir: {}
";

fn with_pod(block: &str) -> Json {
    let layers = Layers::new("{}", "{}", block);
    layers.0.write("pod.yaml", POD);
    let pod = format!("@{}/pod.yaml", layers.0.path());
    let arguments = [
        "render",
        "p/load",
        "-o=json",
        "--offline",
        "--edition=pro",
        "--repo-path=/r",
        "--project",
        layers.0.path(),
        "--server-pod",
        &pod,
    ];
    let list: Json = serde_json::from_str(&crate::support::run(&arguments).ok()).expect("JSON");
    list["items"][0].clone()
}

#[test]
fn the_servers_pod_fills_what_nobody_set_and_joins_four_lists() {
    let job = with_pod("{}");
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(job["metadata"]["namespace"], "default");
    assert_eq!(pod["nodeSelector"], json!({"pool": "mage"}));
    assert_eq!(pod["containers"][0]["image"], "example.com/mage-pro:1");
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "server"}]));
    let names: Vec<&Json> =
        pod["volumes"].as_array().expect("a list").iter().map(|v| &v["name"]).collect();
    assert_eq!(names, ["data"], "what nothing mounts is left out");

    let job = with_pod(
        "{container: {env: [{name: B, value: mine}], volume_mounts: [{name: x, mount_path: /x}]}, pod: {node_selector: {a: b}, image_pull_secrets: mine, tolerations: [], volumes: [{name: x, empty_dir: {}}, {name: kept, empty_dir: {}}]}}",
    );
    let pod = &job["spec"]["template"]["spec"];
    let env = json!([{"name": "B", "value": "mine"}, {"name": "A", "value": "server"}]);
    assert_eq!(pod["containers"][0]["env"], env, "ours first, and ours wins");
    assert_eq!(pod["nodeSelector"], json!({"a": "b"}));
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "mine"}]));
    assert!(pod["tolerations"].as_array().is_none_or(Vec::is_empty));
    let names: Vec<&Json> =
        pod["volumes"].as_array().expect("a list").iter().map(|v| &v["name"]).collect();
    assert_eq!(names, ["x", "kept", "data"], "a volume that is configured is kept");
}

#[test]
fn an_explicit_empty_list_keeps_the_servers_out() {
    let job = with_pod("{container: {env: [], volume_mounts: []}}");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    for list in ["env", "volumeMounts"] {
        assert!(container[list].as_array().is_none_or(Vec::is_empty), "{container}");
    }
}

#[test]
fn null_means_unset_in_every_layer() {
    let layers = Layers::new(
        "{namespace: a, resource_limits: {cpu: 1}, pod: {node_selector: {a: x}, tolerations: [{key: t}]}, job: {backoff_limit: 3}}",
        "{namespace: null, resource_limits: null, pod: {tolerations: null}}",
        "{namespace: ~, resource_limits: {cpu: null}, pod: null, job: {backoff_limit: }, metadata: {labels: {a: null}}}",
    )
    .file("policy", "enforce: true\nnamespace: null\npod: {node_selector: {a: null}}\n");
    let job = layers.job();
    assert_eq!(job["metadata"]["namespace"], "a");
    assert_eq!(job["spec"]["backoffLimit"], 3);
    assert_eq!(layers.pod()["nodeSelector"], json!({"a": "x"}));
    assert_eq!(layers.pod()["tolerations"], json!([{"key": "t"}]));
    assert_eq!(layers.container()["resources"]["limits"], json!({"cpu": "1"}));
    assert!(job["metadata"]["labels"].get("a").is_none());
    assert!(!job.to_string().contains("null"), "{job}");
}

#[test]
fn lists_with_a_natural_key_are_joined_by_it() {
    let layers = Layers::new(
        "{container: {env: [{name: A, value: p}, {name: B, value: p}], volume_mounts: [{name: v, mount_path: /a}, {name: v, mount_path: /b}], args: [one, two]}, pod: {volumes: [{name: v, empty_dir: {}}, {name: w, empty_dir: {}}], image_pull_secrets: [s, t], tolerations: [{key: a}, {key: b}]}}",
        "{}",
        "{container: {env: [{name: C, value: b}, {name: A, value: b}], volume_mounts: [{name: w, mountPath: /b, readOnly: true}], args: [three]}, pod: {volumes: [{name: v, host_path: {path: /x}}], image_pull_secrets: [{name: u}, {name: s}], tolerations: [{key: b}, {key: b, effect: NoSchedule}]}}",
    );
    let env = json!([
        {"name": "A", "value": "b"},
        {"name": "B", "value": "p"},
        {"name": "C", "value": "b"},
    ]);
    assert_eq!(layers.container()["env"], env, "the later wins, at the place of the first");
    let mounts = json!([
        {"name": "v", "mountPath": "/a"},
        {"name": "w", "mountPath": "/b", "readOnly": true},
    ]);
    assert_eq!(layers.container()["volumeMounts"], mounts);
    assert_eq!(layers.container()["args"], json!(["three"]), "other lists are replaced");
    let pod = layers.pod();
    let volumes = json!([{"name": "v", "hostPath": {"path": "/x"}}, {"name": "w", "emptyDir": {}}]);
    assert_eq!(pod["volumes"], volumes, "an item is replaced whole");
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "s"}, {"name": "t"}, {"name": "u"}]));
    let tolerations = json!([{"key": "a"}, {"key": "b"}, {"key": "b", "effect": "NoSchedule"}]);
    assert_eq!(pod["tolerations"], tolerations);
    let explained = layers.explained();
    let a = at(&explained, &container("env[0].value"));
    assert_eq!((&a["layer"], &a["overridden"][0]["value"]), (&json!("block"), &json!("p")));
}

#[test]
fn image_pull_secrets_take_every_form() {
    for written in ["a", "[a]", "[{name: a}]", "{name: a}"] {
        let layers =
            Layers::new("{}", "{}", &format!("{{pod: {{image_pull_secrets: {written}}}}}"));
        assert_eq!(layers.pod()["imagePullSecrets"], json!([{"name": "a"}]), "{written}");
        assert!(!layers.stderr().contains("warning: "), "{}", layers.stderr());
    }
}

#[test]
fn overrides_replace_the_whole_property_and_tell_what_was_lost() {
    let project = TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config: {resource_limits: {cpu: 1, memory: 1Gi}, namespace: a}\noverrides:\n  dev: {k8s_executor_config: {resource_limits: {cpu: 2}}}\n  other: {k8s_executor_config: {namespace: b}}\n",
        ),
        (
            "pipelines/p/metadata.yaml",
            "executor_config: {service_account_name: a, pod: {scheduler_name: s}}\nblocks: [{uuid: load, type: data_loader}]\noverrides:\n  dev:\n    executor_type: k8s\n    executor_config: {service_account_name: b}\n    blocks: [{uuid: only, type: custom}]\n",
        ),
    ]);
    let dev = ["--image=i", "--repo-path=/r", "--server-env=ENV=dev"];
    let job = rendered(&project, "p/only", &dev);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["resources"]["limits"], json!({"cpu": "2"}));
    assert_eq!(job["metadata"]["namespace"], "default");
    assert_eq!(pod["serviceAccountName"], "b");
    assert!(pod["schedulerName"].is_null());
    let text = project.run(&[&["explain", "p/only", "--overridden"], &dev[..]].concat()).ok();
    for lost in ["metadata.yaml:1:57", "pipelines/p/metadata.yaml:1:66", "overrides replace"] {
        assert!(text.contains(lost), "{lost}: {text}");
    }
    project.run(&[&["render", "p/load"], &dev[..]].concat()).fails(2);
    let none = rendered(&project, "p/load", &["--image=i", "--repo-path=/r"]);
    assert_eq!(none["metadata"]["namespace"], "a");
    let oss = rendered(&project, "p/load", &[&["--edition=oss"], &dev[..]].concat());
    assert_eq!(oss["metadata"]["namespace"], "a", "Mage OSS knows no overrides");
}

#[test]
fn a_default_of_the_environment_fills_one_leaf() {
    let env = |edition| {
        Layers::new("{resource_limits: {cpu: 1}}", "{}", "{}")
            .file("template", "container: {resources: {requests: {memory: 1Mi}}}\n")
            .flag("--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU=7")
            .flag("--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY=7Gi")
            .flag("--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_MEMORY=7Mi")
            .flag("--server-env=K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME=seven")
            .flag(edition)
    };
    let pro = env("--edition=pro");
    let resources = json!({"limits": {"cpu": "1", "memory": "7Gi"}, "requests": {"memory": "7Mi"}});
    assert_eq!(pro.container()["resources"], resources, "above the template, below the project");
    assert_eq!(pro.pod()["serviceAccountName"], "seven");
    let oss = env("--edition=oss");
    assert_eq!(oss.container()["resources"]["limits"], json!({"cpu": 1}));
    assert_eq!(oss.pod()["serviceAccountName"], "default");
}

#[test]
fn both_spellings_work_at_any_depth() {
    let snake = "{container: {image_pull_policy: Always, env: [{name: A, value_from: {secret_key_ref: {name: s, key: k}}}], liveness_probe: {http_get: {port: 80}, initial_delay_seconds: 3}}, pod: {security_context: {run_as_user: 1}, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}, volumes: [{name: v, persistent_volume_claim: {claim_name: c}}]}, job: {active_deadline_seconds: 5}}";
    let camel = "{container: {imagePullPolicy: Always, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}], livenessProbe: {httpGet: {port: 80}, initialDelaySeconds: 3}}, pod: {securityContext: {runAsUser: 1}, affinity: {node_affinity: {required_during_scheduling_ignored_during_execution: {node_selector_terms: [{match_expressions: [{key: a, operator: Exists}]}]}}}, volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}, job: {activeDeadlineSeconds: 5}}";
    let (snake, camel) = (Layers::new("{}", "{}", snake), Layers::new("{}", "{}", camel));
    assert_eq!(snake.job(), camel.job());
    assert_eq!(snake.pod()["containers"][0]["livenessProbe"]["httpGet"]["port"], 80);
    for layers in [snake, camel] {
        assert!(!layers.stderr().contains("unknown key"), "{}", layers.stderr());
    }
}

#[test]
fn an_extended_resource_under_requests_alone_gets_its_limit() {
    let layers = Layers::new("{}", "{}", "{resource_requests: {nvidia.com/gpu: 1, cpu: 1}}");
    let resources = json!({
        "requests": {"nvidia.com/gpu": "1", "cpu": "1"},
        "limits": {"nvidia.com/gpu": "1"},
    });
    assert_eq!(layers.container()["resources"], resources);
    let stderr = layers.stderr();
    assert!(stderr.contains("warning: pipelines/p/metadata.yaml:7:57: nvidia.com/gpu"), "{stderr}");
    let explained = layers.explained();
    let limit = at(&explained, &container("resources.limits[\"nvidia.com/gpu\"]"));
    assert_eq!((&limit["layer"], &limit["source"]["line"]), (&json!("block"), &json!(7)));
}

#[test]
fn quantities_keep_the_text_they_were_written_in() {
    let layers = Layers::new(
        "{}",
        "{}",
        "{resource_limits: {cpu: 1000m, memory: 1.50Gi, ephemeral-storage: 2e3, a.b/c: 0.5}}",
    );
    let limits = layers.container()["resources"]["limits"].clone();
    assert_eq!((&limits["cpu"], &limits["memory"]), (&json!("1000m"), &json!("1.50Gi")));
    assert_eq!((&limits["ephemeral-storage"], &limits["a.b/c"]), (&json!("2e3"), &json!("0.5")));
}

#[test]
fn metadata_without_a_namespace_keeps_the_namespace_in_pro() {
    let namespace = |edition| {
        Layers::new("{namespace: a, metadata: {labels: {x: y}}}", "{}", "{}").flag(edition).job()
            ["metadata"]["namespace"]
            .clone()
    };
    assert_eq!(namespace("--edition=pro"), "a");
    assert_eq!(namespace("--edition=oss"), "default");
}

#[test]
fn kube_namespace_is_only_a_default() {
    for edition in ["--edition=pro", "--edition=oss"] {
        let layers = Layers::new("{}", "{}", "{}").flag("--server-env=KUBE_NAMESPACE=low");
        let explained = layers.flag(edition).explained();
        let namespace = at(&explained, ".metadata.namespace");
        assert_eq!(
            (&namespace["value"], &namespace["layer"]),
            (&json!("low"), &json!("hardcoded"))
        );
    }
    let layers = Layers::new("{}", "{}", "{}")
        .flag("--server-env=KUBE_NAMESPACE=low")
        .file("template", "metadata: {namespace: high}\n");
    let explained = layers.explained();
    let namespace = at(&explained, ".metadata.namespace");
    assert_eq!((&namespace["value"], &namespace["layer"]), (&json!("high"), &json!("template")));
    assert_eq!(namespace["overridden"][0]["value"], "low");
    let both = Layers::new("{namespace: a, metadata: {namespace: b}}", "{}", "{}");
    assert_eq!(both.job()["metadata"]["namespace"], "a", "`namespace` is the more specific one");
}

#[test]
fn built_in_values_are_mages() {
    let layers = Layers::new("{}", "{}", "{}");
    let job = layers.job();
    assert_eq!(job["spec"]["backoffLimit"], 0);
    assert!(job["spec"]["ttlSecondsAfterFinished"].is_null());
    let pod = layers.pod();
    assert_eq!(pod["serviceAccountName"], "default");
    assert_eq!(pod["restartPolicy"], "Never");
    assert_eq!(pod["containers"][0]["imagePullPolicy"], "IfNotPresent");
    let explained = layers.explained();
    assert!(values(&explained).iter().all(|value| value["source"]["kind"] != "file"));
}
