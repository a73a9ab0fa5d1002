//! Renders a template and tells where each part of the result comes from.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Kwargs, Object, ObjectRepr, Serde, Value};
use minijinja::{Environment, Error, ErrorKind, OutputSpan, OutputSpanKind, UndefinedBehavior};

use super::error::{TemplateError, TemplateErrorKind};
use super::python;
use super::values::{Lookup, LookupKind, Missing, TemplateValues};
use crate::yaml::{LineIndex, Piece, PieceSource, SourceFile, SourceMap, Span};

/// Around the name of a missing value inside of a text that is not printed yet. Noncharacters, so
/// that no file holds them.
const MISSING: char = '\u{fdd0}';

/// A rendered template.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Where each part of it comes from.
    pub map: SourceMap,
    /// What the template asked for, each once, in the order of first use.
    pub lookups: Vec<UsedLookup>,
}

/// A value that a template asked for, and got or not.
#[derive(Clone, Debug, PartialEq)]
pub struct UsedLookup {
    /// What it asked for.
    pub lookup: Lookup,
    /// Whether there was a value.
    pub found: bool,
    /// Where the template first names it, if it does so literally.
    pub span: Option<Span>,
}

/// Tells whether a text has anything for Jinja to do.
#[must_use]
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opening| text.contains(opening))
}

/// Renders a file.
///
/// Errors have their place in the file; of values that are not set, all are reported.
pub fn render(
    file: &Arc<SourceFile>,
    values: &Arc<TemplateValues>,
) -> Result<Rendered, Vec<TemplateError>> {
    let rendered = render_text(&file.text, values)?;
    let map = match rendered.spans {
        None => SourceMap::Identity,
        Some(spans) => pieces(&rendered.text, &file.text, &spans).map_or_else(
            || {
                let name = format!("{} (rendered)", file.name);
                SourceMap::Rendered(SourceFile::new(name, rendered.text.as_str()))
            },
            SourceMap::Pieces,
        ),
    };
    Ok(Rendered { text: rendered.text, map, lookups: rendered.lookups })
}

/// Renders a single value, e.g. `executor_type`; the places of errors and lookups are left out.
pub fn render_value(
    text: &str,
    values: &Arc<TemplateValues>,
) -> Result<(String, Vec<UsedLookup>), Vec<TemplateError>> {
    match render_text(text, values) {
        Ok(rendered) => {
            let lookups = rendered.lookups.into_iter();
            Ok((rendered.text, lookups.map(|used| UsedLookup { span: None, ..used }).collect()))
        }
        Err(errors) => {
            Err(errors.into_iter().map(|error| TemplateError { span: None, ..error }).collect())
        }
    }
}

struct RenderedText {
    text: String,
    /// `None` where the template has nothing to do.
    spans: Option<Vec<OutputSpan>>,
    lookups: Vec<UsedLookup>,
}

fn render_text(
    template: &str,
    values: &Arc<TemplateValues>,
) -> Result<RenderedText, Vec<TemplateError>> {
    if !is_template(template) {
        // Jinja2 takes a last line break away.
        let text = template.strip_suffix('\n').unwrap_or(template);
        let text = text.strip_suffix('\r').filter(|_| text.len() < template.len()).unwrap_or(text);
        return Ok(RenderedText { text: text.to_owned(), spans: None, lookups: Vec::new() });
    }
    let lines = LineIndex::new(template);
    let mut errors = Vec::new();
    // A run stops at the first missing value that is printed; the next goes on past it.
    let mut tolerated = Vec::new();
    loop {
        let log = Arc::new(Mutex::new(Vec::new()));
        match render_once(template, values, &log, &tolerated) {
            Ok(_) if !errors.is_empty() => return Err(errors),
            Ok((text, spans)) => {
                let lookups = used_lookups(&log, &lines);
                return Ok(RenderedText { text, spans: Some(spans), lookups });
            }
            Err(error) => {
                let error = template_error(&error, &lines);
                let next = match &error.kind {
                    TemplateErrorKind::Unset(lookup) if !tolerated.contains(lookup) => {
                        Some(lookup.clone())
                    }
                    TemplateErrorKind::Unset(_) | TemplateErrorKind::Invalid { .. } => None,
                };
                errors.push(error);
                match next {
                    Some(lookup) => tolerated.push(lookup),
                    None => return Err(errors),
                }
            }
        }
    }
}

type Log = Arc<Mutex<Vec<(Lookup, bool)>>>;

fn render_once(
    template: &str,
    values: &Arc<TemplateValues>,
    log: &Log,
    tolerated: &[Lookup],
) -> Result<(String, Vec<OutputSpan>), Error> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(python::call_method);
    environment
        .add_function("json_value", |text: Value, path: &str| python::json_value(&text, path));
    environment.add_test("none", |value: Value| {
        value.is_none() || value.downcast_object_ref::<MissingValue>().is_some()
    });
    for kind in LookupKind::ALL {
        let (values, log) = (Arc::clone(values), Arc::clone(log));
        environment.add_function(
            kind.function(),
            move |name: String, default: Option<Value>, options: Kwargs| {
                let default = default.or(options.get("default")?);
                Ok::<_, Error>(look_up(&values, &log, Lookup { kind, name }, default))
            },
        );
    }
    let (values, tolerated) = (Arc::clone(values), tolerated.to_vec());
    environment.set_formatter(move |output, _, value| {
        let text = fill_missing(&python::to_text(value), &values, &tolerated)?;
        Ok(output.write_str(&text)?)
    });
    environment.template_from_str(template)?.render_with_spans(())
}

fn look_up(values: &TemplateValues, log: &Log, lookup: Lookup, default: Option<Value>) -> Value {
    let found = match lookup.kind {
        LookupKind::Env => values.env.get(&lookup.name).map(Value::from),
        LookupKind::Variable => values
            .variables
            .get(&lookup.name)
            .filter(|value| !value.is_null())
            .map(|value| Value::from(Serde(value))),
        LookupKind::MageSecret
        | LookupKind::AwsSecret
        | LookupKind::AzureSecret
        | LookupKind::DopplerSecret => values.secrets.get(&lookup.name).map(Value::from),
    };
    log.lock().unwrap_or_else(PoisonError::into_inner).push((lookup.clone(), found.is_some()));
    // `os.getenv` is the only one whose second argument is a default.
    let default = default.filter(|_| lookup.kind == LookupKind::Env);
    found.or(default).unwrap_or_else(|| Value::from_object(MissingValue(lookup)))
}

/// A value that is not there: false in conditions, and known again when it is printed.
#[derive(Debug)]
struct MissingValue(Lookup);

impl Object for MissingValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lookup { kind, name } = &self.0;
        write!(f, "{MISSING}{}:{name}{MISSING}", kind.function())
    }
}

/// Puts what the caller wants in place of missing values.
fn fill_missing(
    text: &str,
    values: &TemplateValues,
    tolerated: &[Lookup],
) -> Result<String, Error> {
    let mut filled = String::new();
    for (index, part) in text.split(MISSING).enumerate() {
        if index % 2 == 0 {
            filled.push_str(part);
            continue;
        }
        let Some(lookup) = parse_missing(part) else { continue };
        match values.missing(lookup.kind) {
            Missing::Error if tolerated.contains(&lookup) => {}
            Missing::Error => {
                let message = lookup.to_string();
                let error = Error::new(ErrorKind::InvalidOperation, message);
                return Err(error.with_source(MissingError(lookup)));
            }
            Missing::Empty => {}
            Missing::Placeholder => filled.push_str(&lookup.placeholder()),
        }
    }
    Ok(filled)
}

fn parse_missing(text: &str) -> Option<Lookup> {
    let (function, name) = text.split_once(':')?;
    let kind = LookupKind::ALL.into_iter().find(|kind| kind.function() == function)?;
    Some(Lookup { kind, name: name.to_owned() })
}

/// Carries the missing value through minijinja's error.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not set")]
struct MissingError(Lookup);

fn template_error(error: &Error, lines: &LineIndex<'_>) -> TemplateError {
    let span = error.range().map(|range| with_braces(lines.text(), range));
    let span = span.map(|range| lines.span(range.start, range.end));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(MissingError(lookup)) = cause.downcast_ref() {
            return TemplateError { kind: TemplateErrorKind::Unset(lookup.clone()), span };
        }
        source = cause.source();
    }
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError { kind: TemplateErrorKind::Invalid { message }, span }
}

fn used_lookups(log: &Log, lines: &LineIndex<'_>) -> Vec<UsedLookup> {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let mut used: Vec<UsedLookup> = Vec::new();
    for (lookup, found) in log.iter() {
        if used.iter().all(|known| known.lookup != *lookup) {
            let span = written(lookup, lines);
            used.push(UsedLookup { lookup: lookup.clone(), found: *found, span });
        }
    }
    used
}

/// Finds `function('name'` in the template.
fn written(lookup: &Lookup, lines: &LineIndex<'_>) -> Option<Span> {
    let text = lines.text();
    let function = lookup.kind.function();
    text.match_indices(function).find_map(|(start, _)| {
        let rest = text[start + function.len()..].trim_start().strip_prefix('(')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let rest = rest[1..].strip_prefix(lookup.name.as_str())?;
        let rest = rest.strip_prefix(quote)?;
        Some(lines.span(start, text.len() - rest.len()))
    })
}

/// Turns minijinja's account of its output into a map; `None` where it does not add up.
fn pieces(rendered: &str, template: &str, spans: &[OutputSpan]) -> Option<Vec<Piece>> {
    let mut end = 0;
    let mut pieces = Vec::with_capacity(spans.len());
    for span in spans {
        let (output, source) = (span.output_range(), span.source_range());
        if output.start != end {
            return None;
        }
        end = output.end;
        let source = match span.kind() {
            OutputSpanKind::Raw => {
                if rendered.get(output.clone())? != template.get(source.clone())? {
                    return None;
                }
                PieceSource::Literal(source.start)
            }
            OutputSpanKind::Expression => PieceSource::Expression(with_braces(template, source)),
            _ => return None,
        };
        pieces.push(Piece { rendered: output, source });
    }
    (end == rendered.len()).then_some(pieces)
}

/// Widens an expression to the `{{ … }}` or `{% … %}` around it.
fn with_braces(template: &str, expression: Range<usize>) -> Range<usize> {
    let widened = || {
        let before = template.get(..expression.start)?;
        let start = before.rfind("{{").max(before.rfind("{%"))?;
        let closing = if template[start..].starts_with("{{") { "}}" } else { "%}" };
        let end = expression.end + template.get(expression.end..)?.find(closing)? + closing.len();
        Some(start..end)
    };
    widened().unwrap_or(expression)
}
