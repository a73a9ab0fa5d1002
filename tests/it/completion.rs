//! What kubectl is told when it asks for candidates.

use crate::support::{binary, run, run_command, small_project};

#[test]
fn pipelines_and_blocks_are_candidates() {
    let project = small_project();
    project.write("pipelines/reports/metadata.yaml", "uuid: reports\ntype: python\nblocks: []\n");
    project.write("pipelines/broken/metadata.yaml", "blocks: [");
    let ask = |typed: &str| run(&["__complete", "render", "--project", project.path(), typed]).ok();
    assert_eq!(ask(""), "broken\netl\nreports\n:4\n");
    assert_eq!(ask("e"), "etl\netl/load\netl/export\n:4\n");
    assert_eq!(ask("etl/l"), "etl/load\n:4\n");
    assert_eq!(ask("b"), "broken\n:4\n");
    assert_eq!(ask("et/"), ":4\n");
}

#[test]
fn without_a_project_there_are_none_and_no_error() {
    let said = run(&["__complete", "render", "--project", "/nonexistent", ""]);
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (0, ":4\n", ""));
}

#[test]
fn the_helper_is_put_beside_the_plugin_on_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let put = |arguments: &[&str]| {
        let mut command = binary(&[&["completion", "kubectl"], arguments].concat());
        command.env("PATH", folder.path());
        run_command(&mut command)
    };
    assert!(put(&["--install"]).fails(2).contains("no folder of the PATH has kubectl-mage"));
    std::fs::write(folder.path().join("kubectl-mage"), "").unwrap();
    let helper = folder.path().join("kubectl_complete-mage");
    let told = put(&["--install"]);
    assert_eq!((told.code, told.stdout.as_str()), (0, ""), "{}", told.stderr);
    assert_eq!(told.stderr.trim(), format!("wrote {}", helper.display()));
    let written = std::fs::read_to_string(&helper).unwrap();
    assert_eq!(written, run(&["completion", "kubectl"]).ok());
    assert!(put(&["--install"]).stderr.contains("is there already"));
    // An older one of ours is replaced, and nothing else.
    std::fs::write(&helper, "#!/bin/sh\nkubectl-mage __complete\n").unwrap();
    assert!(put(&[&format!("--install={}", folder.path().display())]).stderr.contains("wrote "));
    assert_eq!(std::fs::read_to_string(&helper).unwrap(), written);
    std::fs::write(&helper, "mine").unwrap();
    assert!(put(&["--install"]).fails(2).contains("is somebody else's"));
    assert_eq!(std::fs::read_to_string(&helper).unwrap(), "mine");
    assert!(put(&["--install=/nonexistent"]).fails(2).contains("/nonexistent"));
    assert!(run(&["completion", "bash", "--install"]).fails(2).contains("hint: "));
}
