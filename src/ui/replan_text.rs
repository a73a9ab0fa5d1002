//! How a new plan of a run differs from the recorded one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use super::color::Paint;
use super::manifest;
use super::sanitize::for_terminal;
use crate::job::Secrets;
use crate::run::{Change, Fate};

/// How many equal lines stand around those that changed.
const AROUND: usize = 2;

/// Writes what becomes of each block, with the lines that change. Secrets are masked, by what is
/// known of each block.
#[must_use]
pub fn replan_text(changes: &[Change<'_>], secrets: &BTreeMap<String, Secrets>) -> String {
    let width = changes.iter().map(|change| change.uuid().chars().count()).max().unwrap_or(0);
    // What changes in many blocks alike is shown once.
    let mut shown: BTreeMap<String, &str> = BTreeMap::new();
    let mut text = String::new();
    for change in changes {
        let is_same = change.is_same;
        let mut words = words(change, is_same);
        let mut lines = String::new();
        if change.fate == Fate::Anew && !is_same {
            let Difference { changed, lines: all } = difference(change, secrets);
            if let Some(other) = shown.get(&changed) {
                words = format!("made anew, with what changes in {other}");
            } else {
                shown.insert(changed, change.uuid());
                lines = all;
            }
        }
        let name = format!("{:width$}", for_terminal(change.uuid()));
        let _ = writeln!(text, "{}  {}", Paint::Strong.on(&name), for_terminal(&words));
        text.push_str(&lines);
    }
    text
}

fn words(change: &Change<'_>, is_same: bool) -> String {
    let otherwise = match change.project {
        _ if is_same => "",
        Some(_) => ", though the project says otherwise now",
        None => ", though the project no longer has it",
    };
    match change.fate {
        Fate::Finished => format!("finished, kept{otherwise}"),
        Fate::Running => format!("running, left as it was planned{otherwise}"),
        Fate::Anew if is_same => "unchanged".to_owned(),
        Fate::Anew => "made anew".to_owned(),
        Fate::New => match change.project.map(|block| block.upstream.join(", ")) {
            Some(upstream) if !upstream.is_empty() => format!("new, after {upstream}"),
            _ => "new".to_owned(),
        },
        Fate::Gone => "gone from the project: not run".to_owned(),
    }
}

struct Difference {
    /// The changed lines alone.
    changed: String,
    lines: String,
}

fn difference(change: &Change<'_>, secrets: &BTreeMap<String, Secrets>) -> Difference {
    let none = Secrets::default();
    let secrets = secrets.get(change.uuid()).unwrap_or(&none);
    let [old, new] = [change.recorded, change.project].map(|block| {
        let mut said = block.map(crate::run::PlannedBlock::said).unwrap_or_default();
        let hidden = said.get_mut("job").map(|job| secrets.mask(job)).unwrap_or_default();
        // Only what differs is to be shown, not another order.
        said.sort_all_objects();
        (said, hidden)
    });
    let texts = [&old.0, &new.0].map(manifest::yaml);
    let diff = TextDiff::from_lines(&texts[0], &texts[1]);
    let (mut changed, mut lines) = (String::new(), String::new());
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines.push_str("    …\n");
        }
        for line in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let value = for_terminal(line.value().trim_end_matches('\n')).into_owned();
            let (sign, paint) = match line.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', Some(Paint::Bad)),
                ChangeTag::Insert => ('+', Some(Paint::Good)),
            };
            let told = format!("{sign} {value}");
            if let Some(paint) = paint {
                let _ = writeln!(changed, "{told}");
                let _ = writeln!(lines, "    {}", paint.on(&told));
            } else {
                let _ = writeln!(lines, "    {told}");
            }
        }
    }
    if old.1 != new.1 {
        let told = "  a secret changes, which is not shown\n";
        changed.push_str(told);
        let _ = write!(lines, "    {told}");
    }
    if lines.is_empty() {
        // Only an outline of the plan is recorded.
        changed.push_str(change.uuid());
        lines.push_str("      how it was planned before is not recorded\n");
    }
    Difference { changed, lines }
}

#[cfg(test)]
mod tests {
    use super::replan_text;
    use crate::run::{Change, Fate, PlannedBlock};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn block(uuid: &str, upstream: &[&str], image: &str, token: &str) -> PlannedBlock {
        PlannedBlock {
            uuid: uuid.to_owned(),
            upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
            job: json!({"metadata": {"name": uuid}, "spec": {"template": {"spec": {"containers": [
                {"name": "mage", "image": image, "env": [{"name": "TOKEN", "value": token}]}
            ]}}}}),
            ..PlannedBlock::default()
        }
    }

    #[test]
    fn each_block_has_a_line_and_what_changes_stands_below() {
        let old = ["load", "clean", "export", "left", "same", "old"]
            .map(|uuid| block(uuid, &[], "i:1", "hunter1"));
        let mut new = old.clone();
        new[0] = block("load", &[], "i:2", "hunter1");
        for index in [2, 3] {
            new[index] = block(&old[index].uuid, &["clean"], "i:2", "hunter2");
        }
        let fresh = block("check", &["load", "clean"], "i:2", "hunter2");
        let both = |fate, index: usize| Change::of(fate, Some(&old[index]), Some(&new[index]));
        let changes = [
            both(Fate::Finished, 0),
            both(Fate::Running, 1),
            Change::of(Fate::New, None, Some(&fresh)),
            both(Fate::Anew, 2),
            both(Fate::Anew, 3),
            both(Fate::Anew, 4),
            Change::of(Fate::Gone, Some(&old[5]), None),
        ];
        let text = replan_text(&changes, &BTreeMap::new());
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r#"
        load    finished, kept, though the project says otherwise now
        clean   running, left as it was planned
        check   new, after load, clean
        export  made anew
                        - name: TOKEN
                          value: "***"
            -           image: i:1
            +           image: i:2
                        name: mage
            - upstream: []
            + upstream:
            + - clean
              a secret changes, which is not shown
        left    made anew, with what changes in export
        same    unchanged
        old     gone from the project: not run
        "#);
    }
}
