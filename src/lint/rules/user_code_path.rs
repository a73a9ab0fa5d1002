//! A Job that does not install the requirements of the project.

use crate::error::Problem;
use crate::lint::pod::{Variable, variable};
use crate::load::is_oss_image;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_settings};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UserCodePath,
    code: "MAGE316",
    name: "user-code-path",
    severity: Severity::Warning,
    summary: "a Job does not install the requirements of the project",
    explanation: "Mage's image installs `$USER_CODE_PATH/requirements.txt` before it runs a block. Where the variable is not set in the Job, nothing is installed, and blocks fail at their first import. Jobs inherit the variables of the Mage server's pod, so set it there; or in `container_config.env`. With an image of your own that has the packages in it, this is a note.",
    example: Example {
        edition: "pro",
        files: &[("requirements.txt", "pandera\n"),
            ("metadata.yaml", "project_type: standalone\nremote_variables_dir: s3://bucket/mage\n«k8s_executor_config»:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests:\n    cpu: 250m\n    memory: 512Mi\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    if !facts.inputs.requirements || !facts.executor.is_k8s() {
        return;
    }
    let container = facts.container();
    let project = container["command"][3].as_str().unwrap_or_default();
    // Where it is not set, Mage looks in `default_repo` of the image's folder (`run_app.sh`).
    if variable(container, "USER_CODE_PATH") != Variable::Unset || project == "/home/src/default_repo"
    {
        return;
    }
    let message = "USER_CODE_PATH is not set in Jobs: requirements.txt is not installed";
    let hint = format!("set it to {project} in the Mage server, or in `container_config.env`");
    let problem = at_settings(Problem::new(message).hint(hint), facts.project);
    if is_oss_image(container["image"].as_str().unwrap_or_default()) {
        found.push(problem);
    } else {
        found.push_as(Severity::Note, problem.hint("unless the image has the packages in it"));
    }
}
