//! Every finding has an example, which is its page in the documentation and its test here: linting the
//! example finds it, in exactly the range that is marked.

use std::collections::BTreeSet;

use kubectl_mage::finding::FindingId;
use kubectl_mage::lint::{Rule, rule, rules_all};
use kubectl_mage::yaml::SourceFile;
use serde_json::Value as Json;

use crate::schema::fits;
use crate::support::{Said, TempProject, run};

/// A project without a finding: the base of every example.
pub(crate) const CLEAN: [(&str, &str); 3] = [
    (
        "metadata.yaml",
        "project_type: standalone\nremote_variables_dir: s3://bucket/mage\nk8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests:\n    cpu: 250m\n    memory: 512Mi\n",
    ),
    (
        "pipelines/etl/metadata.yaml",
        "uuid: etl\nname: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  name: load\n  type: data_loader\n  language: python\n",
    ),
    ("data_loaders/load.py", "\n"),
];

/// Takes the marks out of a text. Returns it and the range between them.
fn unmarked(text: &str) -> (String, Option<(usize, usize)>) {
    let (Some(start), Some(end)) = (text.find('«'), text.find('»')) else {
        return (text.to_owned(), None);
    };
    let plain = text.replace(['«', '»'], "");
    (plain, Some((start, end - '«'.len_utf8())))
}

fn lint(project: &TempProject, rule: &Rule) -> Said {
    let edition = format!("--edition={}", rule.example.edition);
    let path = project.path().to_owned();
    let flags: Vec<String> =
        rule.example.flags.iter().map(|flag| flag.replace("{project}", &path)).collect();
    let mut arguments = vec!["lint", "-o", "json", "--project", &path, "--offline", &edition];
    if !flags.iter().any(|flag| flag.starts_with("--server-pod") || flag.starts_with("--snapshot"))
    {
        arguments.push("--server-pod=none");
    }
    if !flags.iter().any(|flag| flag.starts_with("--repo-path")) {
        arguments.push("--repo-path=/home/src/shop");
    }
    arguments.extend(flags.iter().map(String::as_str));
    run(&arguments)
}

fn found(said: &Said, rule: &Rule) -> Vec<Json> {
    let report: Json = serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", rule.code, said.stderr));
    assert_eq!(fits(&report, &kubectl_mage::ui::lint_schema()), Ok(()), "{}", rule.code);
    let findings = report["findings"].as_array().expect("a list").clone();
    findings.into_iter().filter(|finding| finding["id"] == rule.code).collect()
}

#[test]
fn every_example_has_its_finding_where_it_is_marked() {
    let mut wrong = Vec::new();
    for rule in rules_all() {
        let project = TempProject::new(&CLEAN);
        let mut marked = None;
        for (path, text) in rule.example.files {
            let (plain, range) = unmarked(text);
            if let Some((start, end)) = range {
                let file = SourceFile::new(*path, plain.as_str());
                marked = Some((*path, file.lines().span(start, end)));
            }
            project.write(path, &plain);
        }
        let said = lint(&project, rule);
        let findings = found(&said, rule);
        let Some(first) = findings.first() else {
            wrong.push(format!(
                "{} {}: not found: {}{}",
                rule.code, rule.name, said.stdout, said.stderr
            ));
            continue;
        };
        if let Some((path, span)) = marked {
            let told = findings.iter().any(|finding| {
                let range = &finding["range"];
                range["file"] == path
                    && range["line"] == span.start.line
                    && range["column"] == span.start.column
                    && range["endLine"] == span.end.line
                    && range["endColumn"] == span.end.column
            });
            if !told {
                wrong.push(format!("{}: {} is not at {path} {span:?}", rule.code, first["range"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_clean_project_has_none() {
    for edition in ["oss", "pro"] {
        let project = TempProject::new(&CLEAN);
        let said = project.run(&["lint", "--edition", edition]);
        assert!(
            said.stdout.ends_with("1 Job in 1 pipeline: nothing found\nready\n"),
            "{}",
            said.stdout
        );
        assert_eq!(said.code, 0);
    }
}

#[test]
fn codes_and_names_are_unique_and_every_id_has_its_own_rule() {
    let codes: BTreeSet<&str> = rules_all().iter().map(|rule| rule.code).collect();
    let names: BTreeSet<&str> = rules_all().iter().map(|rule| rule.name).collect();
    assert_eq!((codes.len(), names.len()), (rules_all().len(), rules_all().len()));
    assert_eq!(rules_all().len(), FindingId::ALL.len());
    let order: Vec<&str> = rules_all().iter().map(|rule| rule.code).collect();
    assert!(order.is_sorted(), "{order:?}");
    for id in FindingId::ALL {
        assert_eq!(rule(*id).id, *id);
    }
}

/// What `--fix` offers for an example really removes the finding, and leaves a file that loads.
#[test]
fn a_fix_removes_its_finding() {
    let mut count = 0;
    for rule in rules_all() {
        let project = TempProject::new(&CLEAN);
        for (path, text) in rule.example.files {
            project.write(path, &unmarked(text).0);
        }
        if found(&lint(&project, rule), rule).iter().all(|finding| finding["fix"].is_null()) {
            continue;
        }
        let edition = format!("--edition={}", rule.example.edition);
        let said = project.run(&["lint", "--fix", "-o", "json", &edition]);
        assert_eq!(found(&said, rule), Vec::<Json>::new(), "{}: {}", rule.code, said.stderr);
        count += 1;
    }
    assert!(count >= 3, "{count} have a fix");
}
