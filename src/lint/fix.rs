//! Edits files in place: bytes are replaced, everything else stays as it is.

use std::sync::Arc;

use super::reported::Reported;
use crate::error::Edit;
use crate::yaml::{self, SourceFile};

/// A file as fixes leave it.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The file as it was.
    pub file: Arc<SourceFile>,
    /// Its text now.
    pub text: String,
    /// What was done, an order each: `rename it to resource_limits`.
    pub done: Vec<String>,
}

/// Applies the fixes of all findings that are not ignored, file by file. Of two fixes that touch the
/// same bytes only the first is applied; a file that would be no YAML any more is left alone.
#[must_use]
pub fn fixed(found: &[Reported]) -> Vec<Fixed> {
    let mut files: Vec<FileEdits<'_>> = Vec::new();
    for reported in found.iter().filter(|reported| reported.ignored.is_none()) {
        let problem = &reported.finding.problem;
        let fix = problem.details().and_then(|details| details.fix.as_ref());
        let (Some(place), Some(fix)) = (&problem.place, fix) else { continue };
        let index = files.iter().position(|known| known.file.name == place.file.name);
        let index = index.unwrap_or_else(|| {
            files.push(FileEdits { file: Arc::clone(&place.file), edits: Vec::new() });
            files.len() - 1
        });
        let edits = &mut files[index].edits;
        let apart = |edit: &Edit| {
            edits.iter().all(|(known, _)| {
                known.span.end.offset <= edit.span.start.offset
                    || edit.span.end.offset <= known.span.start.offset
            })
        };
        if fix.edits.iter().all(apart) {
            edits.extend(fix.edits.iter().map(|edit| (edit, fix.title.as_str())));
        }
    }
    files.into_iter().filter_map(|edits| apply(&edits.file, edits.edits)).collect()
}

/// The edits of one file, and what each does.
struct FileEdits<'a> {
    file: Arc<SourceFile>,
    edits: Vec<(&'a Edit, &'a str)>,
}

fn apply(file: &Arc<SourceFile>, mut edits: Vec<(&Edit, &str)>) -> Option<Fixed> {
    edits.sort_by_key(|(edit, _)| edit.span.start.offset);
    let mut text = file.text.clone();
    for (edit, _) in edits.iter().rev() {
        let range = edit.span.bytes();
        text.get(range.clone())?;
        text.replace_range(range, &edit.text);
    }
    let still_yaml = || yaml::parse(&SourceFile::new(file.name.as_str(), text.as_str())).is_ok();
    // A template is YAML only once it is rendered.
    let was_yaml = yaml::parse(file).is_ok();
    if text == file.text || (was_yaml && !still_yaml()) {
        return None;
    }
    let mut done: Vec<String> = edits.iter().map(|(_, title)| (*title).to_owned()).collect();
    done.dedup();
    Some(Fixed { file: Arc::clone(file), text, done })
}
