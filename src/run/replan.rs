//! What of a recorded plan a new one may change (pure).

use super::adopt::{Adopted, Standing};
use super::plan::{Plan, PlannedBlock};

/// What becomes of a block with a new plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has ended well and is kept as it was, whatever the project says of it now.
    Finished,
    /// It runs, and is left to run as it was planned.
    Running,
    /// Its Job is made anew.
    Anew,
    /// The recorded plan does not have it.
    New,
    /// The project does not have it any more, and it is not run.
    Gone,
}

/// A block of either plan.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// What becomes of it.
    pub fate: Fate,
    /// As recorded.
    pub recorded: Option<&'a PlannedBlock>,
    /// As the project says now.
    pub project: Option<&'a PlannedBlock>,
    /// Whether both plans say the same of it.
    pub is_same: bool,
}

impl<'a> Change<'a> {
    /// Returns the block's uuid.
    #[must_use]
    pub fn uuid(&self) -> &str {
        self.recorded.or(self.project).map_or("", |block| block.uuid.as_str())
    }

    /// Compares what both plans say of a block.
    #[must_use]
    pub fn of(
        fate: Fate,
        recorded: Option<&'a PlannedBlock>,
        project: Option<&'a PlannedBlock>,
    ) -> Self {
        let is_same = match (recorded, project) {
            (Some(recorded), Some(project)) => recorded.said() == project.said(),
            _ => false,
        };
        Self { fate, recorded, project, is_same }
    }
}

/// A block that would move to another namespace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block `{block}` would move from namespace {from} to {to}, and a run stays where it is")]
pub struct Moved {
    /// The block.
    pub block: String,
    /// Where it is.
    pub from: String,
    /// Where the project says it should be.
    pub to: String,
}

/// Compares the recorded plan with what the project says now: the project's blocks in order, then
/// those that only the record has.
pub(super) fn changes<'a>(
    recorded: &'a Plan,
    standing: &[Adopted],
    project: &'a Plan,
) -> Vec<Change<'a>> {
    let fate = |index: usize| match standing[index].standing {
        Standing::Complete | Standing::ConditionFalse => Some(Fate::Finished),
        Standing::Active => Some(Fate::Running),
        Standing::Missing | Standing::Failed => None,
    };
    let mut all: Vec<Change<'_>> = Vec::new();
    for block in &project.blocks {
        let index = recorded.blocks.iter().position(|known| known.uuid == block.uuid);
        let fate = index.map_or(Fate::New, |index| fate(index).unwrap_or(Fate::Anew));
        all.push(Change::of(fate, index.map(|index| &recorded.blocks[index]), Some(block)));
    }
    for (index, block) in recorded.blocks.iter().enumerate() {
        if project.blocks.iter().all(|known| known.uuid != block.uuid) {
            all.push(Change::of(fate(index).unwrap_or(Fate::Gone), Some(block), None));
        }
    }
    all
}

/// Makes the plan that is gone on with: what has ended or runs stays as it is recorded, the rest is
/// as the project says now. Jobs keep their names, by which attempts are told apart.
pub(super) fn merged(
    recorded: &Plan,
    standing: &[Adopted],
    project: &Plan,
    changes: &[Change<'_>],
) -> Result<Plan, Moved> {
    let kept = |change: &Change<'_>| matches!(change.fate, Fate::Finished | Fate::Running);
    // What the project no longer has comes first: nothing that will start comes before it.
    let (gone, rest): (Vec<&Change<'_>>, Vec<&Change<'_>>) =
        changes.iter().partition(|change| change.project.is_none());
    let mut blocks = Vec::new();
    for change in gone.into_iter().filter(|change| kept(change)).chain(rest) {
        blocks.push(match (change.recorded, change.project) {
            (Some(recorded), _) if kept(change) => recorded.clone(),
            (Some(old), Some(new)) => {
                let index = recorded.blocks.iter().position(|block| block.uuid == old.uuid);
                anew(old, new, &standing[index.unwrap_or_default()])?
            }
            (_, Some(new)) => new.clone(),
            (_, None) => continue,
        });
    }
    Ok(Plan { blocks, ..project.clone() })
}

fn anew(old: &PlannedBlock, new: &PlannedBlock, standing: &Adopted) -> Result<PlannedBlock, Moved> {
    if old.namespace != new.namespace {
        return Err(Moved {
            block: old.uuid.clone(),
            from: old.namespace.clone(),
            to: new.namespace.clone(),
        });
    }
    let next =
        if standing.standing == Standing::Failed { standing.attempt + 1 } else { standing.attempt };
    let mut block = new.clone();
    block.job["metadata"]["name"] = old.job_name().into();
    // The first attempt waits for what the plan says from the beginning.
    block.since = Some(next).filter(|next| *next > 1);
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::{Change, Fate, changes, merged};
    use crate::run::adopt::{Adopted, Standing};
    use crate::run::{Plan, PlannedBlock};
    use serde_json::json;

    fn plan(blocks: &[(&str, &[&str], &str)]) -> Plan {
        let block = |(uuid, upstream, image): &(&str, &[&str], &str)| PlannedBlock {
            uuid: (*uuid).to_owned(),
            block_type: "transformer".to_owned(),
            upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
            namespace: "n".to_owned(),
            job: json!({"metadata": {"name": format!("{image}-{uuid}"), "namespace": "n"}, "image": image}),
            ..PlannedBlock::default()
        };
        Plan {
            pipeline: "p".to_owned(),
            blocks: blocks.iter().map(block).collect(),
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        }
    }

    fn standing(all: &[(u32, Standing)]) -> Vec<Adopted> {
        let adopted = |&(attempt, standing): &(u32, Standing)| Adopted {
            attempt,
            standing,
            end: None,
            job: None,
            again: standing == Standing::Failed,
            retries: 0,
        };
        all.iter().map(adopted).collect()
    }

    fn fates(changes: &[Change<'_>]) -> Vec<(String, Fate, bool)> {
        changes.iter().map(|c| (c.uuid().to_owned(), c.fate, c.is_same)).collect()
    }

    #[test]
    fn what_has_ended_or_runs_is_kept_and_the_rest_is_made_anew() {
        let old = plan(&[
            ("load", &[], "a"),
            ("clean", &["load"], "a"),
            ("left", &["clean"], "a"),
            ("old_done", &[], "a"),
            ("old_todo", &["left"], "a"),
            ("export", &["left"], "a"),
        ]);
        let how = standing(&[
            (1, Standing::Complete),
            (1, Standing::Active),
            (2, Standing::Failed),
            (1, Standing::Complete),
            (1, Standing::Missing),
            (1, Standing::Missing),
        ]);
        let new = plan(&[
            ("load", &[], "b"),
            ("check", &["load"], "b"),
            ("clean", &["load", "check"], "b"),
            ("left", &["clean", "check"], "b"),
            ("export", &["left"], "a"),
        ]);
        let all = changes(&old, &how, &new);
        let told = |uuid: &str, fate, same| (uuid.to_owned(), fate, same);
        assert_eq!(
            fates(&all),
            [
                told("load", Fate::Finished, false),
                told("check", Fate::New, false),
                told("clean", Fate::Running, false),
                told("left", Fate::Anew, false),
                told("export", Fate::Anew, true),
                told("old_done", Fate::Finished, false),
                told("old_todo", Fate::Gone, false),
            ]
        );
        let plan = merged(&old, &how, &new, &all).unwrap();
        let got: Vec<_> = plan
            .blocks
            .iter()
            .map(|b| (b.uuid.as_str(), b.job_name(), b.job["image"].as_str().unwrap(), b.since))
            .collect();
        assert_eq!(
            got,
            [
                ("old_done", "a-old_done", "a", None),
                ("load", "a-load", "a", None),
                ("check", "b-check", "b", None),
                ("clean", "a-clean", "a", None),
                ("left", "a-left", "b", Some(3)),
                ("export", "a-export", "a", None),
            ]
        );
        // What runs waited for what it waited for.
        assert_eq!(plan.blocks[3].upstream, ["load"]);
        assert_eq!(plan.blocks[4].upstream, ["clean", "check"]);
    }

    #[test]
    fn a_run_does_not_move() {
        let old = plan(&[("load", &[], "a")]);
        let mut new = old.clone();
        new.blocks[0].namespace = "m".to_owned();
        let move_it = |how: &[Adopted]| {
            let all = changes(&old, how, &new);
            merged(&old, how, &new, &all)
        };
        let error = move_it(&standing(&[(1, Standing::Missing)])).unwrap_err();
        assert!(error.to_string().contains("from namespace n to m"), "{error}");
        assert_eq!(move_it(&standing(&[(1, Standing::Complete)])).unwrap(), old);
    }
}
