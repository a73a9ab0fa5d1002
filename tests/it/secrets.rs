//! No view and no error shows a secret, wherever the configuration puts it.

use crate::support::TempProject;

/// Where a value may stand that no check takes, so that what is wrong with it is told.
const PLACES: [&str; 10] = [
    "metadata: {labels: {a: SECRET}}",
    "metadata: {labels: {api_token: SECRET}}",
    "metadata: {labels: {api_token: \"Sup3r_Secret!!\"}}",
    "namespace: SECRET",
    "resource_limits: {cpu: SECRET}",
    "service_account_name: SECRET",
    "job_name_prefix: SECRET",
    "pod: {volumes: [{name: SECRET, empty_dir: {}}]}",
    "container_config: {image: 'a:1', image_pull_policy: SECRET}",
    "container_config: {image: 'a:1', args: [\"--password=Sup3r_Secret!!\", --token, \"Sup3r_Secret!!\"]}",
];

/// How the value gets there.
const WAYS: [&str; 5] = [
    "\"{{ mage_secret_var('k') }}\"",
    "\"{{ env_var('DB_PASSWORD') }}\"",
    "\"{{ variables('api_token') }}\"",
    "\"{{ env_var('DB_TOKEN', 'Sup3r_Secret!!') }}\"",
    "\"http://u:Sup3r_Secret!!@h/x\"",
];

const VIEWS: [&[&str]; 11] = [
    &["explain", "p/load"],
    &["explain", "p/load", "--all", "--overridden", "-o", "json"],
    &["explain", "p/load", "--why", "."],
    &["explain", "p/load", "executor_type"],
    &["render", "p", "--mask"],
    &["diff", "p", "--against", "edition:oss"],
    &["lint", "-o", "text"],
    &["lint", "-o", "json"],
    &["lint", "-o", "sarif"],
    &["lint", "-o", "github"],
    &["graph", "p"],
];

fn shows_none(project: &TempProject, what: &str) {
    for view in VIEWS {
        let flags = [
            "--secret=k=Sup3r_Secret!!",
            "--server-env=DB_PASSWORD=Sup3r_Secret!!",
            "--var=api_token=Sup3r_Secret!!",
        ];
        let said = project.run(&[view, &flags[..]].concat());
        for shown in [&said.stdout, &said.stderr] {
            assert!(!shown.contains("Sup3r"), "{view:?} of {what}: {shown}");
        }
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
    }
}

#[test]
fn no_view_and_no_error_shows_a_secret() {
    let pipeline = "executor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n";
    for place in PLACES {
        for way in WAYS {
            let setting = place.replace("SECRET", way);
            let project = TempProject::new(&[
                (
                    "metadata.yaml",
                    &format!("k8s_executor_config:\n  container: {{image: 'a:1'}}\n  {setting}\n"),
                ),
                ("pipelines/p/metadata.yaml", pipeline),
            ]);
            shows_none(&project, &setting);
            if !place.contains("SECRET") {
                break;
            }
        }
    }
}

#[test]
fn an_executor_that_is_a_secret_is_not_shown() {
    for way in WAYS {
        let project = TempProject::new(&[
            ("metadata.yaml", "k8s_executor_config: {container: {image: 'a:1'}}\n"),
            (
                "pipelines/p/metadata.yaml",
                &format!("executor_type: {way}\nblocks:\n- {{uuid: load, type: data_loader}}\n"),
            ),
        ]);
        shows_none(&project, way);
    }
}
