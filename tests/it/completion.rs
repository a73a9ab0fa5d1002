//! What kubectl is told when it asks for candidates.

use crate::support::{run, small_project};

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
