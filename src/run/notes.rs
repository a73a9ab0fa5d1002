//! What the Jobs of a run cannot tell any more, noted in the annotations of its plan.
//!
//! A Job that deletes itself is noted before it is created and when it has ended; one that this
//! tool deletes, before that; a conditional that said no, because only the pod's log tells.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::events::BlockState;
use crate::cluster::{ENDED, PlanNote, label_value};
use crate::diagnose::Cause;

const BEGUN: &str = "Begun";
const WANTED: &str = "Wanted";

/// What is noted of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// Of which attempt.
    pub(super) attempt: u32,
    pub(super) what: Noted,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// Its Job is about to be created.
    Begun,
    /// Somebody wants it to be made, who leaves that to a driver.
    Wanted,
    /// It is complete.
    Complete,
    /// It is complete, and its conditional said no.
    ConditionFalse,
    /// It does not run: a conditional before it said no.
    Skipped,
    /// It ended in any other way.
    Over(BlockState),
}

impl Noted {
    /// Returns what to note of a block that ended so.
    pub(super) fn end(state: BlockState) -> Self {
        match state {
            BlockState::Complete => Self::Complete,
            BlockState::ConditionFalse => Self::ConditionFalse,
            BlockState::Skipped => Self::Skipped,
            state => Self::Over(state),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.what {
            Noted::Begun => BEGUN,
            Noted::Wanted => WANTED,
            Noted::Complete => BlockState::Complete.as_str(),
            Noted::ConditionFalse => BlockState::ConditionFalse.as_str(),
            Noted::Skipped => BlockState::Skipped.as_str(),
            Noted::Over(state) => state.as_str(),
        };
        write!(f, "{} {word}", self.attempt)
    }
}

/// Returns the annotations that note this of these blocks.
pub(super) fn annotations<'a>(notes: impl Iterator<Item = (&'a str, Note)>) -> Value {
    annotations_with_why(notes.map(|(block, note)| (block, note, None)))
}

/// How much of a sentence is noted, in bytes: 500 blocks have to fit into what an object's annotations may hold.
const LONGEST_WHY: usize = 240;

/// Returns the same with when and why an attempt did not end well.
pub(super) fn annotations_with_why<'a>(
    notes: impl Iterator<Item = (&'a str, Note, Option<(Timestamp, Option<&'a Cause>)>)>,
) -> Value {
    let entry = |(block, note, why): (&str, Note, Option<(Timestamp, Option<&Cause>)>)| {
        let mut text = note.to_string();
        if let (Noted::Over(_), Some((at, cause))) = (note.what, why) {
            let _ = write!(text, " {at:.0}");
            if let Some(cause) = cause {
                let mut why =
                    format!("{}: {}", cause.reason, cause.sentence).replace(['\n', '\r'], " ");
                why.truncate(why.floor_char_boundary(LONGEST_WHY));
                let _ = write!(text, " {why}");
            }
        }
        (format!("{ENDED}{}", label_value(block)), json!(text))
    };
    Value::Object(notes.map(entry).collect::<Map<String, Value>>())
}

/// All notes of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(HashMap<String, (Note, Option<Cause>)>);

impl Notes {
    /// Reads them from the plan.
    pub(super) fn of(map: &ConfigMap) -> Self {
        let read = |(key, text): (&String, &String)| {
            let block = key.strip_prefix(ENDED)?;
            let PlanNote { attempt, word, why, .. } = PlanNote::read(text)?;
            let what = match word {
                BEGUN => Noted::Begun,
                WANTED => Noted::Wanted,
                "Complete" => Noted::Complete,
                "ConditionFalse" => Noted::ConditionFalse,
                "Skipped" => Noted::Skipped,
                // However it ended, it needs another attempt.
                word => {
                    let known = BlockState::ALL.into_iter().find(|state| state.as_str() == word);
                    Noted::Over(known.unwrap_or(BlockState::Failed))
                }
            };
            let cause = why.map(|(reason, sentence)| Cause::new(reason, sentence));
            Some((block.to_owned(), (Note { attempt, what }, cause)))
        };
        Self(map.metadata.annotations.iter().flatten().filter_map(read).collect())
    }

    /// Returns what is noted of a block.
    pub(super) fn get(&self, block: &str) -> Option<Note> {
        self.0.get(&label_value(block)).map(|(note, _)| *note)
    }

    /// Returns why a block did not end well, as far as it is noted.
    pub(super) fn cause(&self, block: &str) -> Option<Cause> {
        self.0.get(&label_value(block))?.1.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Note, Noted, Notes, annotations, annotations_with_why};
    use crate::diagnose::Cause;
    use crate::run::BlockState;
    use k8s_openapi::jiff::Timestamp;

    #[test]
    fn notes_read_back() {
        let begun = Note { attempt: 1, what: Noted::Begun };
        let wanted = Note { attempt: 2, what: Noted::Wanted };
        let no = Note { attempt: 2, what: Noted::end(BlockState::ConditionFalse) };
        let skipped = Note { attempt: 1, what: Noted::end(BlockState::Skipped) };
        let gone = Note { attempt: 3, what: Noted::end(BlockState::Gone) };
        let all = annotations(
            [("a", begun), ("w", wanted), ("copy:orig", no), ("s", skipped), ("c", gone)]
                .into_iter(),
        );
        let map = serde_json::from_value(serde_json::json!({"metadata": {"annotations": all}}));
        let notes = Notes::of(&map.unwrap());
        assert_eq!(notes.get("a"), Some(begun));
        assert_eq!(notes.get("w"), Some(wanted));
        assert_eq!(notes.get("copy:orig"), Some(no));
        assert_eq!(notes.get("s"), Some(skipped));
        assert_eq!(notes.get("c"), Some(gone));
        assert_eq!(notes.get("d"), None);
    }

    #[test]
    fn why_and_when_are_noted_of_what_did_not_end_well() {
        let cause = |sentence: &str| Cause::new("ErrImagePull", sentence);
        let at: Timestamp = "2026-11-28T00:00:01Z".parse().unwrap();
        let short = cause("not\nfound: i:1");
        let long = cause(&"ü".repeat(300));
        let end = |state| Note { attempt: 2, what: Noted::end(state) };
        let all = annotations_with_why(
            [
                ("a", end(BlockState::CouldNotStart), Some((at, Some(&short)))),
                ("b", end(BlockState::Cancelled), Some((at, None))),
                ("c", end(BlockState::Complete), Some((at, None))),
                ("d", end(BlockState::TimedOut), Some((at, Some(&long)))),
            ]
            .into_iter(),
        );
        assert_eq!(
            all["ended.kubectl-mage/a"],
            "2 CouldNotStart 2026-11-28T00:00:01Z ErrImagePull: not found: i:1"
        );
        assert_eq!(all["ended.kubectl-mage/c"], "2 Complete");
        assert!(all["ended.kubectl-mage/d"].as_str().unwrap().len() < 300);
        let map = serde_json::from_value(serde_json::json!({"metadata": {"annotations": all}}));
        let notes = Notes::of(&map.unwrap());
        assert_eq!(notes.get("a"), Some(end(BlockState::CouldNotStart)));
        assert_eq!(notes.cause("a").unwrap().sentence, "not found: i:1");
        assert_eq!(notes.get("b"), Some(end(BlockState::Cancelled)));
        assert_eq!(notes.cause("b"), None);
    }
}
