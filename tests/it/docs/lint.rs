//! `docs/findings.md` and `docs/lint`: a page on every finding, from its rule.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kubectl_mage::lint::{Rule, rules_all};

/// Adds the index and the pages.
pub(super) fn pages(files: &mut BTreeMap<PathBuf, String>) {
    let folder = Path::new("docs/lint");
    let mut index = String::from(
        "# Findings\n\n\
         What `kubectl mage lint` finds. `make docs` writes these pages from the program itself; each\n\
         example is a test.\n\n\
         A comment `# mage-lint: ignore CODE reason` at the end of the line at fault, or on a line of its\n\
         own above it, silences a finding. `# mage-lint: ignore-file CODE reason`, on any line, does so for the\n\
         whole file.\n\n\
         | id | name | severity | finds |\n| --- | --- | --- | --- |\n",
    );
    for rule in rules_all() {
        let Rule { code, name, severity, summary, .. } = rule;
        let severity = severity.name();
        let _ = writeln!(index, "| [{code}](lint/{code}.md) | {name} | {severity} | {summary} |");
        files.insert(folder.join(format!("{code}.md")), page(rule));
    }
    files.insert("docs/findings.md".into(), index);
}

fn page(rule: &Rule) -> String {
    let Rule { code, name, severity, summary, explanation, example, .. } = rule;
    let mut page = format!("# {code} {name}\n\n{}: {summary}.\n\n{explanation}\n", severity.name());
    let mut flags = vec![format!("--edition {}", example.edition)];
    flags.extend(example.flags.iter().map(|flag| flag.replace("{project}/", "")));
    let _ = writeln!(page, "\n## Example\n\n```sh\nkubectl mage lint {}\n```", flags.join(" "));
    for (path, text) in example.files {
        if text.trim().is_empty() {
            let _ = writeln!(page, "\nAnd an empty `{path}`.");
            continue;
        }
        let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
        let fence = ending.unwrap_or("yaml");
        let _ = writeln!(page, "\n`{path}`:\n\n```{fence}\n{}```", pointed(text));
    }
    page
}

/// Puts carets beneath the part that is marked, as a comment.
fn pointed(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let plain = line.replace(['«', '»'], "");
        out.push_str(&plain);
        if let (Some(start), Some(end)) = (line.find('«'), line.find('»')) {
            let before = line[..start].chars().count();
            let width = line[start..end].chars().count().saturating_sub(1).max(1);
            if !plain.ends_with('\n') {
                out.push('\n');
            }
            let indentation = " ".repeat(before.saturating_sub(1));
            let _ = writeln!(out, "#{indentation}{}", "^".repeat(width));
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}
