//! What the Jobs of a run cannot tell any more, noted in the annotations of its plan.
//!
//! A Job that deletes itself is noted before it is created and when it has ended; one that this
//! tool deletes, before that; a conditional that said no, because only the pod's log tells.

use std::collections::HashMap;
use std::fmt;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Map, Value, json};

use super::events::BlockState;
use crate::cluster::{ENDED, label_value};

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
    let entry = |(block, note): (&str, Note)| {
        (format!("{ENDED}{}", label_value(block)), json!(note.to_string()))
    };
    Value::Object(notes.map(entry).collect::<Map<String, Value>>())
}

/// All notes of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(HashMap<String, Note>);

impl Notes {
    /// Reads them from the plan.
    pub(super) fn of(map: &ConfigMap) -> Self {
        let read = |(key, text): (&String, &String)| {
            let block = key.strip_prefix(ENDED)?;
            let (attempt, word) = text.split_once(' ')?;
            let what = match word {
                BEGUN => Noted::Begun,
                WANTED => Noted::Wanted,
                "Complete" => Noted::Complete,
                "ConditionFalse" => Noted::ConditionFalse,
                "Skipped" => Noted::Skipped,
                // However it ended, it needs another attempt.
                _ => Noted::Over(BlockState::Failed),
            };
            Some((block.to_owned(), Note { attempt: attempt.parse().ok()?, what }))
        };
        Self(map.metadata.annotations.iter().flatten().filter_map(read).collect())
    }

    /// Returns what is noted of a block.
    pub(super) fn get(&self, block: &str) -> Option<Note> {
        self.0.get(&label_value(block)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Note, Noted, Notes, annotations};
    use crate::run::BlockState;

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
        assert_eq!(notes.get("c").unwrap().attempt, 3);
        assert_eq!(notes.get("d"), None);
    }
}
