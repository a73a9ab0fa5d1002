//! What is rendered is accepted by a real API server under strict field validation.

use std::process::Command;

use serde_json::{Value as Json, json};

use crate::cases::{REFUSED, cases};
use crate::support::Bench;

/// Renders with the binary; returns the Jobs.
fn render(arguments: &[String]) -> Result<Vec<Json>, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-mage"))
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let list: Json = serde_json::from_slice(&output.stdout).unwrap();
    Ok(list["items"].as_array().unwrap().clone())
}

/// Asks the API server, without creating anything. The test's own namespace stands for the Job's.
async fn refusal(bench: &Bench, mut job: Json) -> Option<String> {
    job["metadata"]["namespace"] = json!(bench.namespace);
    if let Some(metadata) = job["spec"]["template"]["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    let path = format!(
        "/apis/batch/v1/namespaces/{}/jobs?dryRun=All&fieldValidation=Strict",
        bench.namespace
    );
    let request = http::Request::post(path)
        .header("Content-Type", "application/json")
        .body(serde_json::to_vec(&job).unwrap())
        .unwrap();
    let answer = bench.cluster.client().request::<Json>(request).await;
    answer.err().map(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_case_is_accepted_in_both_editions() {
    let Some(bench) = Bench::new("accept").await else { return };
    let (mut asked, mut refused) = (0, Vec::new());
    for case in cases() {
        for edition in ["oss", "pro"] {
            // 096 has no image anywhere; 109 names a policy file that is not there.
            let outside = case.number() == "096" || (case.number() == "109" && edition == "pro");
            if outside || REFUSED.contains(&case.number()) {
                continue;
            }
            for job in render(&case.arguments(edition)).unwrap() {
                asked += 1;
                let answer = refusal(&bench, job).await;
                refused.extend(answer.map(|why| format!("{} {edition}: {why}", case.name)));
            }
        }
    }
    assert!(asked > 200, "{asked}");
    assert_eq!(refused, Vec::<String>::new());
    bench.end().await;
}

/// The YAML examples of Mage's own page on the Kubernetes executor.
fn examples() -> Vec<String> {
    let page = include_str!("../fixtures/mission/kubernetes-executor.md");
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("```yaml") {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let body = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.get(indent..).unwrap_or_default())
            .collect::<Vec<_>>()
            .join("\n");
        examples.push(body);
    }
    examples
}

/// Puts an example where it belongs, and returns the project with the flags it needs.
fn project_of(example: &str) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let key = |name: &str| example.lines().any(|line| line.starts_with(name));
    let mut pipeline = "executor_type: k8s\nblocks:\n- {uuid: b, type: data_loader}\n".to_owned();
    let (mut project, mut flags) = (String::new(), Vec::new());
    if key("blocks:") {
        // The page ends its first example with an ellipsis.
        pipeline = example.replace("  ...", "");
    } else if key("k8s_executor_config:") {
        example.clone_into(&mut project);
    } else if key("enabled:") {
        flags.push(format!("--policy={}", write("policy.yaml", example)));
    } else if key("metadata:") {
        flags.push(format!("--template={}", write("template.yaml", example)));
    } else {
        // The environment of the server's container.
        let env = example.lines().skip(1).map(|line| format!("    {line}\n")).collect::<Vec<_>>();
        let pod = format!(
            "metadata: {{name: mage-0, namespace: default}}\nspec:\n  containers:\n  - name: mage\n    image: mageai/mageai:0.9.80\n    env:\n{}",
            env.concat()
        );
        flags.push(format!("--server-pod=@{}", write("pod.yaml", &pod)));
    }
    write("metadata.yaml", &project);
    write("pipelines/p/metadata.yaml", &pipeline);
    (folder, flags)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_mages_own_page_is_accepted() {
    let Some(bench) = Bench::new("mission").await else { return };
    let examples = examples();
    assert_eq!(examples.len(), 12);
    let mut telling = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        for edition in ["oss", "pro"] {
            let (folder, more) = project_of(example);
            let project = format!("--project={}", folder.path().display());
            let image = "--image=mageai/mageai:0.9.80";
            let mut flags: Vec<String> =
                ["render", "p", "-o", "json", "--offline", "--edition", edition, image]
                    .map(str::to_owned)
                    .to_vec();
            flags.push(project);
            if !more.iter().any(|flag| flag.starts_with("--server-pod")) {
                flags.push("--server-pod=none".to_owned());
            }
            flags.extend(more);
            let jobs = render(&flags).unwrap_or_else(|why| panic!("{edition}: {why}\n{example}"));
            assert_eq!(jobs.len(), 1);
            if let Some(why) = refusal(&bench, jobs[0].clone()).await {
                panic!("example {index} in edition {edition}: {why}\n{example}");
            }
            telling.push((index, edition, jobs[0].clone()));
        }
    }
    let pod = |index: usize, edition: &str| {
        let found = telling.iter().find(|(i, e, _)| *i == index && *e == edition).unwrap();
        (found.2["spec"].clone(), found.2["spec"]["template"]["spec"].clone())
    };
    for edition in ["oss", "pro"] {
        // Method 2: the documented anti-affinity, pull secret and volume arrive as the API wants them.
        let (_, spec) = pod(2, edition);
        let terms =
            &spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(terms[0]["topologyKey"], "kubernetes.io/hostname", "{edition}");
        assert_eq!(spec["imagePullSecrets"], json!([{"name": "my-registry-secret"}]));
        assert_eq!(spec["volumes"][0]["persistentVolumeClaim"]["claimName"], "mage-data-pvc");
        // GPU support.
        let (_, spec) = pod(3, edition);
        let gpus = &spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"];
        assert!(gpus == "1" || *gpus == 1, "{gpus}");
        // Custom container and job spec.
        let (job, spec) = pod(4, edition);
        assert_eq!(job["backoffLimit"], 3);
        assert_eq!(spec["containers"][0]["name"], "mage-data");
    }
    bench.end().await;
}
