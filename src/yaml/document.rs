//! A text to its only document.

use std::sync::Arc;

use super::compose::{self, ComposeError, Failure};
use super::construct::{self, DuplicateKey};
use super::error::{YamlError, YamlErrorKind};
use super::events::{self, SyntaxError};
use super::map::{Places, SourceMap};
use super::node::{Node, SourceFile};
use super::position::LineIndex;

/// What a YAML text holds.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its value; `None` for a text without a document (Python's `None`).
    pub root: Option<Node>,
    /// Keys that stand twice in a mapping, in the order of the text.
    pub warnings: Vec<DuplicateKey>,
    /// The file that all spans point into; see [`SourceMap::file`].
    pub file: Arc<SourceFile>,
}

/// Reads a text as `yaml.load(text, Loader=CLoader)` does in Mage.
///
/// Two things differ on purpose: a `!!python/…` tag is refused instead of executed, and so is an
/// alias inside of its own anchor. Nesting is read to 128 levels.
pub fn parse(file: &Arc<SourceFile>) -> Result<Document, YamlError> {
    let places = Places::new(file, None);
    parse_with(&file.text, &places, file)
}

/// Reads the text that a template was rendered to; places are those of the file as written.
///
/// `file` is the template. Where `map` could not be made, places are in the rendered text, and
/// [`Document::file`] (or [`YamlError::file`]) says so by its name.
pub fn parse_mapped(
    rendered: &str,
    map: &SourceMap,
    file: &Arc<SourceFile>,
) -> Result<Document, YamlError> {
    match map {
        SourceMap::Identity => parse_with(rendered, &Places::new(file, None), file),
        SourceMap::Pieces(pieces) => parse_with(rendered, &Places::new(file, Some(pieces)), file),
        SourceMap::Rendered(rendered_file) => parse(rendered_file),
    }
}

fn parse_with(
    text: &str,
    places: &Places<'_>,
    file: &Arc<SourceFile>,
) -> Result<Document, YamlError> {
    let fail = |(kind, range): Failure| YamlError {
        kind,
        span: places.span(&range),
        file: Arc::clone(file),
    };
    let composed =
        events::read(text).map_err(Into::into).and_then(|events| compose::compose(events, text));
    let graph = composed.map_err(|error| fail(compose_failure(error, text, places)))?;
    let (root, warnings) = construct::construct(graph, places).map_err(fail)?;
    Ok(Document { root, warnings, file: Arc::clone(file) })
}

fn syntax_failure(error: &SyntaxError, text: &str, places: &Places<'_>) -> Failure {
    let found = text.get(error.offset..).and_then(|rest| rest.chars().next());
    let found = found.filter(|c| !matches!(c, '\r' | '\n' | ' '));
    let end = error.offset + found.map_or(0, char::len_utf8);
    let context = error.context.map(|(text, offset)| (text, places.span(&(offset..offset)).start));
    (YamlErrorKind::Syntax { problem: error.problem, context, found }, error.offset..end)
}

fn compose_failure(error: ComposeError, text: &str, places: &Places<'_>) -> Failure {
    match error {
        ComposeError::Syntax(error) => syntax_failure(&error, text, places),
        ComposeError::Failure(failure) => failure,
        ComposeError::DuplicateAnchor(anchor) => {
            let first = places.span(&(anchor.first..anchor.first)).start;
            (YamlErrorKind::DuplicateAnchor { name: anchor.name, first }, anchor.second)
        }
    }
}

/// Finds the lines of a file; see [`LineIndex`].
impl SourceFile {
    /// Makes a file of a name and a text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), path: None })
    }

    /// Returns the object and the key of it that this is, for one read from a cluster.
    #[must_use]
    pub fn object_key(&self) -> Option<(&str, &str)> {
        let is_object = self.path.is_none()
            && (self.name.starts_with("configmap/") || self.name.starts_with("secret/"));
        self.name.split_once(':').filter(|_| is_object)
    }

    /// Returns where its lines start.
    #[must_use]
    pub fn lines(&self) -> LineIndex<'_> {
        LineIndex::new(&self.text)
    }
}
