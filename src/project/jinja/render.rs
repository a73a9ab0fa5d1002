//! Renders a template and tells where each part of the result comes from.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Object, ObjectRepr, Serde, Value};
use minijinja::{
    Environment, Error, ErrorKind, OutputSpan, OutputSpanKind, State, UndefinedBehavior,
};

use super::error::{TemplateError, TemplateErrorKind};
use super::values::{Lookup, LookupKind, Missing, TemplateValues};
use super::{filters, python};
use crate::yaml::{LineIndex, Piece, PieceSource, SourceFile, SourceMap, Span};

/// Around the name of a missing value inside of a text that is not printed yet. Noncharacters, so
/// that no file holds them.
const MISSING: char = '\u{fdd0}';

/// What one template may cost: so many steps, or 64 times as many bytes of text.
const MOST_FUEL: u64 = 1_000_000;

/// The longest template, in KiB. The deepest recursion of minijinja's parser is as long as the text.
const LONGEST_KIB: usize = 256;

/// The stack for rendering: each byte of a template such as `{{ ----1 }}` takes up to 1 KiB of it,
/// and a list in a list in a list, as deep as the fuel allows, less than that. What is not used costs
/// nothing.
const STACK: usize = 512 << 20;

/// How long one template may take. The fuel ends what is long; this is for what minijinja does in one
/// step, such as comparing two lists that hold the same list twice, and that one too, and so on.
const LONGEST: Duration = Duration::from_secs(20);

/// The most missing values that are reported at once: each costs a run.
const MOST_ERRORS: usize = 20;

/// The longest name of a value whose place in the template is looked for, in bytes.
const LONGEST_NAME: usize = 1024;

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
    /// Whether nothing was missing: there was a value or a default, or nobody printed it.
    pub found: bool,
    /// Where the template first names it, if it does so literally.
    pub span: Option<Span>,
}

/// What begins a template's own parts.
const OPENINGS: [&str; 3] = ["{{", "{%", "{#"];

/// Tells whether a text has anything for Jinja to do.
#[must_use]
pub fn is_template(text: &str) -> bool {
    OPENINGS.iter().any(|opening| text.contains(opening))
}

/// Renders a file.
///
/// Errors have their place in the file; of values that are not set, the first 20 are reported.
pub fn render(
    file: &Arc<SourceFile>,
    values: &Arc<TemplateValues>,
) -> Result<Rendered, Vec<TemplateError>> {
    // What has no place of its own began with the first tag.
    let begin = || OPENINGS.iter().filter_map(|opening| file.text.find(opening)).min();
    let rendered = render_text(&file.text, values).map_err(|mut errors| {
        for error in errors.iter_mut().filter(|error| error.span.is_none()) {
            error.span = begin().map(|start| file.lines().span(start, start + 2));
        }
        errors
    })?;
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
    if template.len() > LONGEST_KIB << 10 {
        let kind = TemplateErrorKind::TooLong { kib: LONGEST_KIB };
        return Err(vec![TemplateError { kind, span: None }]);
    }
    let (template, values) = (template.to_owned(), Arc::clone(values));
    on_a_large_stack(move || render_all(&template, &values)).unwrap_or_else(|| {
        Err(vec![TemplateError { kind: TemplateErrorKind::TooCostly, span: None }])
    })
}

/// Runs `render` on a thread of its own; `None` when it takes too long. Then the thread goes on until
/// the process ends, which is what follows this error.
fn on_a_large_stack<T: Send + 'static>(render: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().name("template".to_owned()).stack_size(STACK);
    // Nobody waits for the result any more where it cannot be sent.
    let thread = thread.spawn(move || drop(sender.send(render()))).ok()?;
    match receiver.recv_timeout(LONGEST) {
        Ok(rendered) => Some(rendered),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => None,
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

fn render_all(
    template: &str,
    values: &Arc<TemplateValues>,
) -> Result<RenderedText, Vec<TemplateError>> {
    let lines = LineIndex::new(template);
    let mut errors = Vec::new();
    // A run stops at the first missing value that is printed; the next goes on past it.
    let mut tolerated = Vec::new();
    loop {
        let log = Log::default();
        match render_once(template, values, &log, &tolerated) {
            Ok(_) if !errors.is_empty() => return Err(errors),
            Ok((text, spans)) => {
                let lookups = used_lookups(&log, &lines);
                return Ok(RenderedText { text, spans: Some(spans), lookups });
            }
            Err(error) => {
                let error = template_error(&error, &lines);
                let next = match &error.kind {
                    TemplateErrorKind::Unset(lookup)
                        if !tolerated.contains(lookup) && errors.len() + 1 < MOST_ERRORS =>
                    {
                        Some(lookup.clone())
                    }
                    _ => None,
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

/// What was asked for, in the order of first use, and whether it was there.
type Log = Arc<Mutex<IndexMap<Lookup, bool>>>;

fn render_once(
    template: &str,
    values: &Arc<TemplateValues>,
    log: &Log,
    tolerated: &[Lookup],
) -> Result<(String, Vec<OutputSpan>), Error> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_fuel(Some(MOST_FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(python::call_method);
    filters::set_filters(&mut environment);
    environment.add_function("json_value", |state: &State, text: Value, path: &str| {
        python::json_value(state, &text, path)
    });
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
    let (values, tolerated, log) = (Arc::clone(values), tolerated.to_vec(), Arc::clone(log));
    environment.set_formatter(move |output, state, value| {
        let text = fill_missing(&python::to_text(state, value)?, &values, &tolerated, &log)?;
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
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    // Until it is printed, nobody misses it.
    log.entry(lookup.clone()).or_insert(true);
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
    log: &Log,
) -> Result<String, Error> {
    let mut filled = String::new();
    for (index, part) in text.split(MISSING).enumerate() {
        if index % 2 == 0 {
            filled.push_str(part);
            continue;
        }
        let Some(lookup) = parse_missing(part) else {
            let message = "a value that is not set is changed before it is printed: give it a default, as in `(env_var('NAME') or 'text')`";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        };
        match values.missing(lookup.kind) {
            Missing::Error if tolerated.contains(&lookup) => {}
            Missing::Error => {
                let message = lookup.to_string();
                let error = Error::new(ErrorKind::InvalidOperation, message);
                return Err(error.with_source(MissingError(lookup)));
            }
            Missing::Empty => {}
            Missing::Placeholder => {
                filled.push_str(&lookup.placeholder());
                log.lock().unwrap_or_else(PoisonError::into_inner).insert(lookup, false);
            }
        }
    }
    Ok(filled)
}

fn parse_missing(text: &str) -> Option<Lookup> {
    let (function, name) = text.split_once(':')?;
    // A filter such as `upper` may have changed its case.
    let is_named = |kind: &LookupKind| kind.function().eq_ignore_ascii_case(function);
    let kind = LookupKind::ALL.into_iter().find(is_named)?;
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
    if error.kind() == ErrorKind::OutOfFuel {
        return TemplateError { kind: TemplateErrorKind::TooCostly, span };
    }
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError { kind: TemplateErrorKind::Invalid { message }, span }
}

fn used_lookups(log: &Log, lines: &LineIndex<'_>) -> Vec<UsedLookup> {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let written = written(lines.text());
    log.iter()
        .map(|(lookup, found)| {
            let range = written.get(&(lookup.kind, lookup.name.as_str()));
            let span = range.map(|range| lines.span(range.start, range.end));
            UsedLookup { lookup: lookup.clone(), found: *found, span }
        })
        .collect()
}

/// Finds every `function('name'` in the template, and where each first stands.
fn written(text: &str) -> HashMap<(LookupKind, &str), Range<usize>> {
    let mut found = HashMap::new();
    for kind in LookupKind::ALL {
        for (start, function) in text.match_indices(kind.function()) {
            if let Some((name, rest)) = quoted_argument(&text[start + function.len()..]) {
                found.entry((kind, name)).or_insert(start..text.len() - rest.len());
            }
        }
    }
    found
}

/// Splits `('name'` into the name and what follows it.
fn quoted_argument(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('(')?.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let text = &text[1..];
    let near = &text.as_bytes()[..text.len().min(LONGEST_NAME)];
    let end = near.iter().position(|byte| char::from(*byte) == quote)?;
    Some((&text[..end], &text[end + 1..]))
}

/// Turns minijinja's account of its output into a map; `None` where it does not add up.
fn pieces(rendered: &str, template: &str, spans: &[OutputSpan]) -> Option<Vec<Piece>> {
    let mut end = 0;
    let mut pieces = Vec::with_capacity(spans.len());
    // A loop gives the same expression many times.
    let mut widened = HashMap::new();
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
            OutputSpanKind::Expression => {
                let widen = || with_braces(template, source.clone());
                let wide = widened.entry((source.start, source.end)).or_insert_with(widen);
                PieceSource::Expression(wide.clone())
            }
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
        let opens = |pair: &[u8]| matches!(pair, b"{{" | b"{%");
        let start = before.as_bytes().windows(2).rposition(opens)?;
        let closing = if template[start..].starts_with("{{") { "}}" } else { "%}" };
        let end = expression.end + template.get(expression.end..)?.find(closing)? + closing.len();
        Some(start..end)
    };
    widened().unwrap_or(expression)
}
