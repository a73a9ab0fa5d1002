//! `docs/rights.md`: which command needs which rights, from the table that `doctor` checks by.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kubectl_mage::doctor::{Changes, CommandRights, Need, Place, rights_all};

/// Returns the whole page.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Rights\n\n\
         What each command needs, and what it uses where it may. Without what it can do without, a command says what it\n\
         does not know and goes on. `kubectl mage doctor` asks the cluster for each of these, and `kubectl mage doctor --for run -o role`\n\
         writes the Role that is missing. `make docs` writes this page from the table by which `doctor` asks; a test runs each\n\
         command as a user with exactly these rights.\n\n\
         `render`, `explain-config` and `lint` need no right at all with `--offline`, with or without a `--snapshot`.\n\n\
         | where | is |\n| --- | --- |\n",
    );
    for place in [Place::Jobs, Place::Plans, Place::Server, Place::Cluster] {
        let (name, meaning) = told(place);
        let _ = writeln!(page, "| {name} | {meaning} |");
    }
    for command in rights_all() {
        describe(&command, &mut page);
    }
    page
}

fn describe(command: &CommandRights, page: &mut String) {
    let changes = match command.changes {
        Changes::Nothing => "Changes nothing.",
        Changes::Cluster => "Changes the cluster: `KUBECTL_MAGE_READONLY=1` refuses it.",
    };
    let _ = writeln!(page, "\n## {}\n\n{changes}\n", command.command);
    let _ = writeln!(page, "| where | resource | needs | uses |\n| --- | --- | --- | --- |");
    let mut rows: BTreeMap<(Place, String), [Vec<&str>; 2]> = BTreeMap::new();
    for right in &command.rights {
        let resource = match right.group {
            "" => right.resource.to_owned(),
            group => format!("{}.{group}", right.resource),
        };
        let row = rows.entry((right.place, resource)).or_default();
        row[usize::from(right.need == Need::Optional)].push(right.verb);
    }
    for ((place, resource), [needs, uses]) in rows {
        let (place, needs, uses) = (told(place).0, needs.join(", "), uses.join(", "));
        let _ = writeln!(page, "| {place} | `{resource}` | {needs} | {uses} |");
    }
}

/// The name of a place and what it is.
fn told(place: Place) -> (&'static str, &'static str) {
    match place {
        Place::Jobs => ("Jobs", "each namespace with Jobs of a run"),
        Place::Plans => ("plans", "the namespace of the first Job, in which runs are looked for"),
        Place::Server => ("server", "where the Mage server's pod is looked for"),
        Place::Cluster => ("cluster", "the cluster as a whole, by a ClusterRole"),
    }
}
