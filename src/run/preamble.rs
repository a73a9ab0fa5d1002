//! What is about to happen, told before anything is created (pure).

use std::fmt::Write as _;

use super::plan::Plan;
use crate::job::{peak_requests, pod_requests};

/// What a preamble says besides the plan.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The kubeconfig context.
    pub context: Option<String>,
    /// How many files of the project differ from git's commit, if it is a checkout.
    pub changed_files: Option<usize>,
    /// How many blocks run at once.
    pub parallel: usize,
    /// The quotas of the namespace: name, resource, used, hard.
    pub quotas: Vec<(String, String, String, String)>,
}

/// Says what is about to happen.
#[must_use]
pub fn preamble(plan: &Plan, around: &Surroundings) -> String {
    let mut text = String::new();
    let mut say = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<11}{value}");
    };
    say("context", around.context.as_deref().unwrap_or("(none)"));
    say("namespace", &plan.namespaces().join(", "));
    say("edition", &plan.edition);
    for image in images(plan) {
        say("image", &image);
    }
    let code = match around.changed_files {
        Some(0) => {
            "from the image or volume, not from this folder (which is as committed)".to_owned()
        }
        Some(changed) => format!(
            "from the image or volume, not from this folder: {} here not committed",
            crate::ui::plural(changed, "file")
        ),
        None => "from the image or volume, not from this folder".to_owned(),
    };
    say("code", &code);
    let blocks = crate::ui::plural(plan.blocks.len(), "block");
    say("blocks", &format!("{blocks}, at most {} at once", around.parallel));
    let pods: Vec<_> = plan.blocks.iter().map(|block| pod_requests(&block.job)).collect();
    let peak = peak_requests(&pods, around.parallel);
    if !peak.is_empty() {
        let peak: Vec<String> =
            peak.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        say("requests", &format!("at most {} at once", peak.join(", ")));
    }
    for (name, resource, used, hard) in &around.quotas {
        say("quota", &format!("{name}: {resource} {used} of {hard} used"));
    }
    text
}

fn images(plan: &Plan) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for block in &plan.blocks {
        let image = block.job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
        let image = image.unwrap_or_default().to_owned();
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// Returns the longest chain of blocks that wait for each other.
#[must_use]
pub fn critical_path(plan: &Plan) -> Vec<&str> {
    let graph = plan.graph();
    let mut best: Vec<Vec<usize>> = Vec::new();
    for (index, upstream) in graph.iter().enumerate() {
        let longest =
            upstream.iter().rev().filter_map(|up| best.get(*up)).max_by_key(|path| path.len());
        let mut path = longest.cloned().unwrap_or_default();
        path.push(index);
        best.push(path);
    }
    // Of several, the one that ends last in the plan.
    let longest = best.iter().max_by_key(|path| path.len());
    longest.into_iter().flatten().map(|index| plan.blocks[*index].uuid.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::PlannedBlock;
    use serde_json::json;

    fn plan() -> Plan {
        let block = |uuid: &str, upstream: &[&str], cpu: &str| PlannedBlock {
            uuid: uuid.to_owned(),
            block_type: "transformer".to_owned(),
            upstream: upstream.iter().map(|name| (*name).to_owned()).collect(),
            namespace: "jobs".to_owned(),
            job: json!({"spec": {"template": {"spec": {"containers": [
                {"image": "mage:1", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
            ]}}}}),
            ..PlannedBlock::default()
        };
        Plan {
            pipeline: "etl".to_owned(),
            blocks: vec![
                block("a", &[], "250m"),
                block("b", &["a"], "1"),
                block("c", &["a"], "500m"),
                block("d", &["b", "c"], "100m"),
            ],
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        }
    }

    #[test]
    fn says_what_is_about_to_happen() {
        let around = Surroundings {
            context: Some("prod".to_owned()),
            changed_files: Some(2),
            parallel: 2,
            quotas: vec![("team".into(), "requests.cpu".into(), "3".into(), "4".into())],
        };
        insta::assert_snapshot!(preamble(&plan(), &around), @r"
        context    prod
        namespace  jobs
        edition    pro
        image      mage:1
        code       from the image or volume, not from this folder: 2 files here not committed
        blocks     4 blocks, at most 2 at once
        requests   at most cpu 1500m, memory 2Gi at once
        quota      team: requests.cpu 3 of 4 used
        ");
        assert_eq!(critical_path(&plan()), ["a", "b", "d"]);
    }
}
