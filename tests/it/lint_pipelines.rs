//! What must not be found, case by case; and what the examples of the rules do not show.

use serde_json::Value as Json;

use crate::lint_rules::CLEAN;
use crate::support::{TempProject, run};

const PIPELINE: &str = "pipelines/etl/metadata.yaml";

const POD: &str = "metadata: {name: mage-0, namespace: mage}\nspec:\n  containers:\n  - name: mage\n    image: mageai/mageai:0.9.80\n    env:\n    - {name: KUBE_NAMESPACE, value: mage}\n    volumeMounts:\n    - {name: data, mountPath: /home/src}\n  volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: mage}\n";

/// Lints the clean project with these files over it.
fn lint(files: &[(&str, &str)], flags: &[&str]) -> Json {
    let project = TempProject::new(&CLEAN);
    for (path, text) in files {
        project.write(path, text);
    }
    let flags: Vec<String> =
        flags.iter().map(|flag| flag.replace("{project}", project.path())).collect();
    let mut arguments = vec!["lint", "-o", "json", "--project", project.path(), "--offline"];
    if !flags.iter().any(|flag| flag.starts_with("--server-pod")) {
        arguments.push("--server-pod=none");
    }
    arguments.push("--repo-path=/home/src/shop");
    arguments.extend(flags.iter().map(String::as_str));
    run(&arguments).json()
}

fn messages(report: &Json, code: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list").iter();
    let found = findings.filter(|finding| finding["id"] == code);
    found.map(|finding| finding["message"].as_str().expect("a message").to_owned()).collect()
}

#[track_caller]
fn finds(code: &str, files: &[(&str, &str)], flags: &[&str], wanted: &[&str]) {
    assert_eq!(messages(&lint(files, flags), code), wanted, "{files:?}");
}

#[track_caller]
fn finds_none(code: &str, files: &[(&str, &str)], flags: &[&str]) {
    finds(code, files, flags, &[]);
}

/// A pipeline in Kubernetes with `load` and whatever follows.
fn pipeline(rest: &str) -> String {
    format!(
        "type: python\nexecutor_type: k8s\n{rest}blocks:\n- uuid: load\n  type: data_loader\n- uuid: clean\n  type: transformer\n  upstream_blocks: [load]\n"
    )
}

/// A project with an image and requests, and these keys besides.
fn project(rest: &str, config: &str) -> String {
    format!(
        "{rest}k8s_executor_config:\n  resource_requests: {{cpu: 250m, memory: 512Mi}}\n  container_config:\n    image: registry.example/mage:1\n{config}"
    )
}

/// What Mage's UI makes: every key that it writes, and files where it puts them.
#[test]
fn a_new_pipeline_as_the_ui_makes_it_is_ready() {
    let block = |uuid: &str, kind: &str, up: &str, down: &str| {
        format!(
            "- all_upstream_blocks_executed: true\n  color: null\n  configuration: {{}}\n  downstream_blocks: {down}\n  executor_config: null\n  executor_type: local_python\n  has_callback: false\n  language: python\n  name: {uuid}\n  retry_config: null\n  status: updated\n  timeout: null\n  type: {kind}\n  upstream_blocks: {up}\n  uuid: {uuid}\n"
        )
    };
    for executor in ["null", "k8s"] {
        let text = format!(
            "blocks:\n{}{}cache_block_output_in_memory: false\ncallbacks: []\nconcurrency_config: {{}}\nconditionals: []\ncreated_at: '2026-01-01 00:00:00.000000+00:00'\ndata_integration: null\ndescription: null\nexecutor_config: {{}}\nexecutor_count: 1\nexecutor_type: {executor}\nextensions: {{}}\nname: etl\nnotification_config: {{}}\nremote_variables_dir: null\nretry_config: {{}}\nrun_pipeline_in_one_process: false\nsettings:\n  triggers: null\nspark_config: {{}}\ntags: []\ntype: python\nuuid: etl\nvariables_dir: /home/src/mage_data/shop\nwidgets: []\n",
            block("load", "data_loader", "[]", "[clean]"),
            block("clean", "transformer", "[load]", "[]"),
        );
        let files = [
            (
                "metadata.yaml",
                "project_type: standalone\n\nvariables_dir: ~/.mage_data\n# remote_variables_dir: s3://bucket/path_prefix\n\nvariables_retention_period: '90d'\n\nemr_config:\n  master_instance_type: 'r5.4xlarge'\nspark_config:\n  executor_env: {}\n  others: {}\nhelp_improve_mage: true\nnotification_config:\n  alert_on:\n    - trigger_failure\n    - trigger_passed_sla\n  slack_config:\n    webhook_url: \"{{ env_var('MAGE_SLACK_WEBHOOK_URL') }}\"\n  teams_config:\n    webhook_url: \"{{ env_var('MAGE_TEAMS_WEBHOOK_URL') }}\"\n",
            ),
            ("requirements.txt", "\n"),
            (PIPELINE, text.as_str()),
            ("transformers/clean.py", "\n"),
            ("pod.yaml", POD),
        ];
        for edition in ["oss", "pro"] {
            let edition = format!("--edition={edition}");
            let report = lint(&files, &["--server-pod=@{project}/pod.yaml", &edition]);
            let summary = &report["summary"];
            assert_eq!(
                (&summary["errors"], &summary["warnings"]),
                (&0.into(), &0.into()),
                "{report:#}"
            );
        }
    }
}

#[test]
fn sources_are_looked_for_where_mage_does() {
    let text = "type: python\nblocks:\n\
        - {uuid: load, type: data_loader}\n\
        - {uuid: load_copy, type: data_loader, replicated_block: load}\n\
        - {uuid: deep/er, type: custom}\n\
        - {uuid: report, type: data_exporter, language: sql}\n\
        - {uuid: stats, type: transformer, language: r}\n\
        - {uuid: stream, type: data_loader, language: yaml}\n\
        - {uuid: models, type: dbt, language: yaml}\n\
        - {uuid: model, type: dbt, language: sql, configuration: {file_path: demo/models/a.sql}}\n\
        - {uuid: moved, type: transformer, configuration: {file_source: {path: shop/lib/moved.py}}}\n\
        - {uuid: elsewhere, type: custom, configuration: {file_path: /mnt/code/x.py}}\n\
        - {uuid: product, type: global_data_product}\n\
        - {uuid: inline, type: custom, content: 'x = 1'}\n";
    let files = [
        (PIPELINE, text),
        ("custom/deep/er.py", ""),
        ("data_exporters/report.sql", ""),
        ("transformers/stats.r", ""),
        ("data_loaders/stream.yaml", ""),
        ("dbts/models.yaml", ""),
        ("dbt/demo/models/a.sql", ""),
        ("lib/moved.py", ""),
    ];
    finds_none("MAGE204", &files, &[]);
    let text = "blocks:\n- {uuid: Load, type: data_loader}\n- {uuid: copy, type: custom, replicated_block: Load}\n";
    let wanted = [
        "block `Load` has no source: there is no data_loaders/Load.py",
        "block `copy` has no source: there is no data_loaders/Load.py",
    ];
    finds("MAGE204", &[(PIPELINE, text)], &[], &wanted);
}

#[test]
fn executors_that_mage_has_are_fine() {
    let text = "executor_type: \"{{ env_var('KIND') }}\"\nblocks:\n- {uuid: load, type: data_loader}\n- {uuid: b, type: custom, executor_type: local_python_force}\n- {uuid: c, type: custom, executor_type: ecs, executor_config: {cpu: 1}}\n- {uuid: d, type: custom, executor_config: {}}\n";
    finds_none("MAGE205", &[(PIPELINE, text)], &["--server-env=KIND=k8s"]);
    finds_none("MAGE206", &[(PIPELINE, text)], &["--server-env=KIND=k8s"]);
    let text = "blocks:\n- uuid: load\n  type: data_loader\n  executor_config: {namespace: a}\n";
    finds_none("MAGE206", &[(PIPELINE, text)], &["--server-env=DEFAULT_EXECUTOR_TYPE=k8s"]);
    let wanted =
        ["DEFAULT_EXECUTOR_TYPE is `K8S`, which Mage does not have: it runs in the server"];
    finds("MAGE205", &[(PIPELINE, text)], &["--server-env=DEFAULT_EXECUTOR_TYPE=K8S"], &wanted);
}

#[test]
fn one_process_is_fine_where_the_pipeline_says_everything() {
    let text = "executor_type: k8s\nrun_pipeline_in_one_process: true\nexecutor_config: {namespace: a}\nconcurrency_config: {block_run_limit: null}\nblocks:\n- {uuid: load, type: data_loader, executor_type: k8s, executor_config: null}\n- {uuid: b, type: custom, upstream_blocks: [load]}\n";
    finds_none("MAGE208", &[(PIPELINE, text)], &[]);
    finds_none("MAGE206", &[(PIPELINE, text)], &[]);
    let text = "executor_type: k8s\nrun_pipeline_in_one_process: true\nconcurrency_config: {block_run_limit: 2}\nblocks:\n- {uuid: load, type: data_loader, executor_type: ecs}\n- {uuid: b, type: custom}\n";
    let wanted = [
        "`load` and `b` could run at once, but in one process do not",
        "`block_run_limit` does nothing: the pipeline runs in one process",
        "`executor_type` of block `load` is not read: the pipeline runs in one process",
    ];
    finds("MAGE208", &[(PIPELINE, text)], &[], &wanted);
    let text = pipeline("cache_block_output_in_memory: true\n");
    let wanted = ["`cache_block_output_in_memory` does nothing: each block runs by itself"];
    finds("MAGE208", &[(PIPELINE, &text)], &[], &wanted);
}

#[test]
fn data_passes_over_shared_volumes_and_buckets() {
    let text = pipeline("");
    let volume = |kind: &str, path: &str| {
        project(
            "variables_dir: /data\n",
            &format!(
                "    volume_mounts:\n    - {{name: data, mount_path: {path}}}\n  pod:\n    volumes:\n    - {{name: data, {kind}}}\n"
            ),
        )
    };
    let claim = "persistent_volume_claim: {claim_name: data}";
    for metadata in [
        volume(claim, "/data"),
        volume("host_path: {path: /srv}", "/data/shop"),
        volume("nfs: {server: nfs, path: /}", "/"),
        project("remote_variables_dir: gs://bucket/mage\n", ""),
        project("variables_dir: s3://bucket/mage\n", ""),
        project("", "    env:\n    - {name: MAGE_DATA_DIR, value: 's3://bucket/x'}\n"),
    ] {
        finds_none("MAGE209", &[("metadata.yaml", &metadata), (PIPELINE, &text)], &[]);
    }
    for metadata in [
        volume("empty_dir: {}", "/data"),
        volume(claim, "/database"),
        project("remote_variables_dir: s3://bucket/path_prefix\n", ""),
    ] {
        let report = lint(&[("metadata.yaml", &metadata), (PIPELINE, &text)], &[]);
        assert_eq!(messages(&report, "MAGE209").len(), 1, "{metadata}");
    }
    let one = "executor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n- {uuid: b, type: custom}\n";
    let none = project("", "");
    finds_none("MAGE209", &[("metadata.yaml", &none), (PIPELINE, one)], &[]);
}

#[test]
fn the_servers_volume_carries_data_and_mages_image_says_where() {
    let text = pipeline("");
    let flags = ["--server-pod=@{project}/pod.yaml"];
    let metadata = "variables_dir: /data\n";
    let inherited = [("metadata.yaml", metadata), (PIPELINE, text.as_str()), ("pod.yaml", POD)];
    finds_none("MAGE209", &inherited, &flags);
    let elsewhere = POD.replace("/home/src", "/data");
    let inherited =
        [("metadata.yaml", metadata), (PIPELINE, text.as_str()), ("pod.yaml", &elsewhere)];
    let wanted = [
        "outputs go to /home/src/mage_data/shop (MAGE_DATA_DIR of Mage's image), where no volume is mounted that pods share: the next block reads nothing",
    ];
    finds("MAGE209", &inherited, &flags, &wanted);
}

#[test]
fn conditionals_run_twice_in_mage_oss_only() {
    let text =
        pipeline("conditionals:\n- {uuid: when, type: conditional, upstream_blocks: [clean]}\n");
    finds_none("MAGE210", &[(PIPELINE, &text)], &["--edition=pro"]);
    let wanted = ["conditional `when` of block `clean` runs in the server and again in the pod"];
    finds("MAGE210", &[(PIPELINE, &text)], &["--edition=oss"], &wanted);
    let text = text.replace("k8s", "local_python");
    finds_none("MAGE210", &[(PIPELINE, &text)], &["--edition=oss"]);
}

#[test]
fn limits_are_read_as_mage_reads_them() {
    let text = pipeline(
        "concurrency_config: {block_run_limit: 1, pipeline_run_limit: '5', pipeline_run_limit_all_triggers: null}\n",
    );
    finds_none("MAGE211", &[(PIPELINE, &text)], &[]);
    let text = pipeline(
        "concurrency_config: {block_run_limit: '5', pipeline_run_limit: -1, pipeline_run_limit_all_triggers: 1.5}\n",
    );
    let wanted = [
        "`block_run_limit` is a string, not a whole number: Mage's scheduler fails",
        "`pipeline_run_limit` is -1: no run ever starts",
        "`pipeline_run_limit_all_triggers` is a number, not a whole number: Mage's scheduler fails",
    ];
    finds("MAGE211", &[(PIPELINE, &text)], &[], &wanted);
    let wanted = ["CONCURRENCY_CONFIG_BLOCK_RUN_LIMIT of the server is 0: no block ever starts"];
    let text = pipeline("");
    let flag = "--server-env=CONCURRENCY_CONFIG_BLOCK_RUN_LIMIT=0";
    finds("MAGE211", &[(PIPELINE, &text)], &[flag], &wanted);
    finds_none("MAGE212", &[(PIPELINE, "type: streaming\nexecutor_count: 3\nblocks: []\n")], &[]);
}

#[test]
fn a_policy_that_says_the_same_is_no_conflict() {
    let block = "executor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits: {cpu: 1}\n    container_config:\n      env:\n      - {name: API_TOKEN, value: mine}\n";
    let policy = |enforce: bool, cpu: &str, token: &str| {
        format!(
            "enforce: {enforce}\nresource_limits: {{cpu: {cpu}}}\ncontainer_config:\n  env:\n  - {{name: API_TOKEN, value: {token}}}\n"
        )
    };
    let flag = ["--policy={project}/policy.yaml"];
    let equal = policy(true, "1000m", "mine");
    finds_none("MAGE304", &[(PIPELINE, block), ("policy.yaml", &equal)], &flag);
    let weak = policy(false, "500m", "other");
    finds_none("MAGE304", &[(PIPELINE, block), ("policy.yaml", &weak)], &flag);
    let strong = policy(true, "500m", "theirs");
    let wanted = [
        "the enforced policy sets `resource_limits.cpu` to 500m, where the block says 1",
        "the enforced policy overrides `container_config.env[0].value` of the block",
    ];
    finds("MAGE304", &[(PIPELINE, block), ("policy.yaml", &strong)], &flag, &wanted);
    let report = lint(&[(PIPELINE, block), ("policy.yaml", &strong)], &[flag[0], "--strict"]);
    let found = report["findings"].as_array().expect("a list").iter();
    let first = found.filter(|finding| finding["id"] == "MAGE304").collect::<Vec<_>>()[0];
    assert_eq!(first["severity"], "error");
    assert_eq!(first["related"][0]["range"]["line"], 2);
}

#[test]
fn a_namespace_of_a_run_is_known_with_its_variable() {
    for text in [
        "executor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: \"{{ variables('client') }}\"\n",
        "executor_type: k8s\nvariables: {client: a}\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: \"{{ variables('client') }}\"\n",
    ] {
        let report = lint(&[(PIPELINE, text)], &["--var=client=b"]);
        assert_eq!(report["summary"]["errors"], 0, "{report:#}");
        assert_eq!(messages(&report, "MAGE308"), Vec::<String>::new());
    }
    let metadata = "remote_variables_dir: s3://b/x\nk8s_executor_config:\n  namespace: \"{{ variables('client') }}\"\n  resource_limits: {cpu: 1, memory: 1Gi}\n  container_config: {image: 'mage:1'}\n";
    let report = lint(&[("metadata.yaml", metadata)], &[]);
    assert_eq!(report["summary"]["errors"], 0, "{report:#}");
    assert_eq!(messages(&report, "MAGE308").len(), 1, "{report:#}");
}

#[test]
fn images_and_requests_that_are_fine() {
    let digest = "sha256:0123456789012345678901234567890123456789012345678901234567890123";
    let metadata = format!(
        "remote_variables_dir: s3://b/x\nk8s_executor_config:\n  resource_limits: {{cpu: 1, memory: 1Gi}}\n  container_config: {{image: 'r.io:5000/mage@{digest}'}}\n"
    );
    for code in ["MAGE310", "MAGE311"] {
        finds_none(code, &[("metadata.yaml", &metadata)], &[]);
    }
    let metadata = metadata.replace(&format!("@{digest}"), "").replace(", memory: 1Gi", "");
    let files = [("metadata.yaml", metadata.as_str())];
    finds("MAGE310", &files, &[], &["`r.io:5000/mage` may be another image tomorrow"]);
    finds("MAGE311", &files, &[], &["Jobs request no memory"]);
    let local = [files[0], (PIPELINE, "blocks:\n- {uuid: load, type: data_loader}\n")];
    for code in ["MAGE310", "MAGE311"] {
        finds_none(code, &local, &[]);
    }
}

#[test]
fn a_volume_of_a_sidecar_is_mounted() {
    let config = "  pod:\n    volumes:\n    - {name: cache, empty_dir: {}}\n    init_containers:\n    - name: fill\n      image: busybox:1\n      volume_mounts:\n      - {name: cache, mount_path: /cache}\n";
    let metadata = project("remote_variables_dir: s3://b/x\n", config);
    finds_none("MAGE312", &[("metadata.yaml", &metadata)], &[]);
}

#[test]
fn secrets_are_told_and_never_shown() {
    let config = "    env:\n    - name: DB_PASSWORD\n      value: hunter2\n    - {name: API_TOKEN, value: hunter3}\n    - {name: DSN, value: 'postgres://mage:hunter4@db/x'}\n    - {name: AUTH_MODE, value: ldap}\n    - {name: SESSION_TOKEN, value_from: {secret_key_ref: {name: s, key: k}}}\n    - {name: OTHER_TOKEN, value: '$(SESSION_TOKEN)'}\n    - {name: THIRD_TOKEN, value: \"{{ env_var('T') }}\"}\n";
    let metadata = project("remote_variables_dir: s3://b/x\n", config);
    let wanted = [
        "`DB_PASSWORD` is a secret in plain text",
        "`API_TOKEN` is a secret in plain text",
        "`DSN` is a secret in plain text",
    ];
    finds("MAGE314", &[("metadata.yaml", &metadata)], &["--server-env=T=hunter5"], &wanted);
    let temporary = TempProject::new(&CLEAN);
    temporary.write("metadata.yaml", &metadata.replace("name: DSN", "nmae: x, name: DSN"));
    for edition in ["oss", "pro"] {
        for format in ["text", "json", "sarif", "github"] {
            let said = temporary.run(&[
                "lint",
                "-o",
                format,
                "--edition",
                edition,
                "--server-env",
                "T=hunter5",
            ]);
            assert!(said.stdout.contains("MAGE314"), "{}", said.stdout);
            for shown in [&said.stdout, &said.stderr] {
                assert!(!shown.contains("hunter"), "{format}: {shown}");
            }
        }
    }
}

#[test]
fn defaults_beside_a_whole_group_do_not_matter() {
    let config = "  resource_limits: {cpu: 1, memory: 1Gi}\n";
    let metadata = project("remote_variables_dir: s3://b/x\n", config);
    let flag = "--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU=500m";
    finds_none("MAGE315", &[("metadata.yaml", &metadata)], &[flag]);
    let memory = "--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY=1Gi";
    finds_none("MAGE315", &[], &[flag, memory]);
}

#[test]
fn requirements_matter_where_nothing_installs_them() {
    for (requirements, config) in [
        ("# pandas\n\n", ""),
        ("pandas\n", "    env:\n    - {name: USER_CODE_PATH, value: /home/src/shop}\n"),
        ("pandas\n", "    env_from:\n    - config_map_ref: {name: mage}\n"),
    ] {
        let metadata = project("remote_variables_dir: s3://b/x\n", config);
        let files = [("metadata.yaml", metadata.as_str()), ("requirements.txt", requirements)];
        finds_none("MAGE316", &files, &[]);
    }
    let own = project("remote_variables_dir: s3://b/x\n", "");
    let report = lint(&[("metadata.yaml", &own), ("requirements.txt", "pandas\n")], &[]);
    assert_eq!(report["summary"]["warnings"], 0, "{report:#}");
    assert_eq!(messages(&report, "MAGE316").len(), 1);
}

#[test]
fn what_is_known_of_the_servers_pod() {
    let sidecar = format!(
        "{POD}  initContainers:\n  - {{name: proxy, image: 'proxy:1', restartPolicy: Always}}\n  - {{name: setup, image: 'setup:1'}}\n"
    );
    let flag = "--server-pod=@{project}/pod.yaml";
    let wanted = ["container `proxy` of pod/mage-0 does not come along into Jobs"];
    finds("MAGE317", &[("pod.yaml", &sidecar)], &[flag], &wanted);
    let metadata = project(
        "",
        "  pod:\n    init_containers:\n    - {name: proxy, image: 'proxy:1', restart_policy: Always}\n",
    );
    finds_none(
        "MAGE317",
        &[("metadata.yaml", &metadata), ("pod.yaml", &sidecar)],
        &[flag, "--edition=pro"],
    );

    let two = POD.replace("  volumes:", "  - {name: proxy, image: 'proxy:1'}\n  volumes:");
    let named = "--server-env=MAGE_CONTAINER_NAME=mage";
    finds_none("MAGE318", &[("pod.yaml", &two)], &[flag, named]);
    finds_none("MAGE318", &[("pod.yaml", POD)], &[flag]);
    let wanted = [
        "pod/mage-0 has several containers and MAGE_CONTAINER_NAME is not set: Jobs inherit from the first, `mage`",
    ];
    finds("MAGE318", &[("pod.yaml", &two)], &[flag], &wanted);

    let text = "executor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config: {namespace: jobs}\n";
    let oss = "--edition=oss";
    finds_none("MAGE319", &[(PIPELINE, text), ("pod.yaml", POD)], &[flag, oss]);
    let unset = POD.replace("KUBE_NAMESPACE", "OTHER");
    finds_none("MAGE319", &[(PIPELINE, text), ("pod.yaml", &unset)], &[flag, "--edition=pro"]);
    let same = text.replace("jobs", "mage");
    finds_none("MAGE319", &[(PIPELINE, &same), ("pod.yaml", &unset)], &[flag, oss]);
    let wanted = [
        "Mage OSS fails here: KUBE_NAMESPACE is not set, so the server looks for its pod in `jobs` instead of `mage`",
    ];
    finds("MAGE319", &[(PIPELINE, text), ("pod.yaml", &unset)], &[flag, oss], &wanted);
}

/// What a Job is made of has to be there; what only Mage's notifications need has not.
#[test]
fn only_variables_that_jobs_need_are_missed() {
    let metadata = project(
        "remote_variables_dir: \"s3://{{ env_var('BUCKET') }}/x\"\nnotification_config:\n  slack_config:\n    webhook_url: \"{{ env_var('HOOK') }}\"\n",
        "  namespace: \"{{ env_var('PLACE') }}\"\nldap_config: {bind_password: \"{{ env_var('LDAP') }}\"}\n",
    );
    let wanted =
        ["environment variable 'BUCKET' is not set", "environment variable 'PLACE' is not set"];
    let report = lint(&[("metadata.yaml", &metadata)], &[]);
    assert_eq!(messages(&report, "MAGE004"), wanted);
    assert_eq!(report["summary"]["errors"], 2, "{report:#}");
    let text = "executor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: \"{{ env_var('PLACE') }}\"\n";
    let report = lint(&[(PIPELINE, text)], &[]);
    assert_eq!(messages(&report, "MAGE004"), wanted[1..]);
    assert_eq!(report["summary"]["errors"], 1, "{report:#}");
}

/// What concerns all blocks is told once.
#[test]
fn a_thousand_blocks_do_not_say_it_a_thousand_times() {
    use std::fmt::Write as _;
    let mut text = "executor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n".to_owned();
    for number in 0..1000 {
        let _ = writeln!(
            text,
            "- {{uuid: load_{number}, type: data_loader, replicated_block: load, upstream_blocks: [load]}}"
        );
    }
    let metadata = "k8s_executor_config:\n  container_config: {image: 'mageai/mageai:latest'}\n";
    let files =
        [("metadata.yaml", metadata), (PIPELINE, text.as_str()), ("requirements.txt", "pandas\n")];
    let report = lint(&files, &[]);
    let found = report["findings"].as_array().expect("a list");
    let ids: Vec<&str> = found.iter().filter_map(|finding| finding["id"].as_str()).collect();
    assert_eq!(ids, ["MAGE209", "MAGE311", "MAGE316", "MAGE310"], "{report:#}");
    assert_eq!(found[1]["jobCount"], 1001);
}

/// `metadata.namespace` is the Job's own namespace and a field of its pods: only the latter differs.
#[test]
fn what_differs_between_editions_is_named_by_the_field_of_the_job() {
    let project = TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  metadata: {namespace: other}\n  container_config: {image: 'mage:1'}\n",
        ),
        (
            "pipelines/etl/metadata.yaml",
            "type: python\nexecutor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n",
        ),
    ]);
    let told = |edition: &str| {
        let said = project.run(&["lint", "--edition", edition, "-o", "json"]).json();
        let found = said["findings"].as_array().cloned().unwrap_or_default();
        let texts = found.iter().filter(|one| one["id"] == "MAGE420");
        texts.filter_map(|one| Some(one["message"].as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let field = "`.spec.template.metadata.namespace` (setting `metadata.namespace`)";
    let (pro, oss) = ("not set in edition pro", "`other` in edition oss");
    assert_eq!(told("pro"), [format!("{field} is {pro} and {oss}")]);
    assert_eq!(told("oss"), [format!("{field} is {oss} and {pro}")]);
}
