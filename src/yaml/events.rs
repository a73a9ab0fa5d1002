//! The events of a YAML text: the only file that knows `libyaml-safer`.
//!
//! `libyaml-safer` is a line-by-line port of libyaml, the grammar that Mage's `CLoader` runs. Should
//! it have to be replaced, this is the file to write again.

use std::io::Read;
use std::ops::Range;

use libyaml_safer::{
    Encoding, Error, EventData, MappingStyle, Mark, Parser, ScalarStyle, SequenceStyle,
};

use super::position::{BYTE_ORDER_MARK, is_break};

/// Put behind a text that does not end with a line break, because the scanner panics where such a
/// text ends in a block scalar or in `"\`. It is the one break that shows in a block scalar's value
/// and can be taken off again.
const LAST_BREAK: &str = "\u{2028}";

/// The most levels of nesting that are read; Mage's files have ten.
///
/// The scanner's time grows with the square of it.
pub(super) const DEEPEST: usize = 128;

/// The most events that are read: a pipeline of 10,000 blocks has half as many.
pub(super) const MOST_EVENTS: usize = 1_000_000;

/// One event, and the bytes it covers, anchor and tag included.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) data: Data,
    pub(super) range: Range<usize>,
}

/// What an event says. The starts of the stream and of documents are left out, and from what
/// [`read`] returns the end of the stream too.
#[derive(Debug)]
pub(super) enum Data {
    StreamEnd,
    DocumentEnd,
    Alias(String),
    Scalar {
        properties: Properties,
        text: String,
        /// The resolver may find a type for it: plain and without a tag, or tagged `!`.
        plain: bool,
        /// Written with `|` or `>`.
        block: bool,
    },
    SequenceStart {
        properties: Properties,
        flow: bool,
    },
    SequenceEnd,
    MappingStart {
        properties: Properties,
        flow: bool,
    },
    MappingEnd,
}

/// What stands before a value.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<String>,
}

/// Why a text is not YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) problem: &'static str,
    /// What was being read, e.g. `while parsing a flow mapping`, and where that began.
    pub(super) context: Option<(&'static str, usize)>,
    pub(super) offset: usize,
}

/// The events of a text, one at a time; the end of the stream is left out.
///
/// Where there are more than [`MOST_EVENTS`], or they nest deeper than [`DEEPEST`], the last are
/// missing: whoever reads them refuses such a text before.
pub(super) enum Events<'text> {
    Scanned(Box<Scan<'text>>),
    Read(std::vec::IntoIter<Event>),
}

impl Iterator for Events<'_> {
    type Item = Result<Event, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Scanned(scan) => scan.next(),
            Self::Read(events) => events.next().map(Ok),
        }
    }
}

/// Reads the events of `text`.
///
/// Offsets are in bytes from the start of `text`, a byte order mark included.
pub(super) fn read(text: &str) -> Result<Events<'_>, SyntaxError> {
    if let Some((offset, _)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        let problem = "control characters are not allowed";
        return Err(SyntaxError { problem, context: None, offset });
    }
    let tags = tags_before_commas(text);
    if tags.is_empty() {
        return Ok(Events::Scanned(Box::new(Scan::new(text))));
    }
    let events = read_spaced(text, &tags)?;
    let scalars = events.iter().filter(|event| matches!(event.data, Data::Scalar { .. }));
    let scalars: Vec<&Range<usize>> = scalars.map(|event| &event.range).collect();
    let in_scalar = |at: &usize| {
        // They stand in order, one behind the other.
        let next = scalars.partition_point(|range| range.end <= *at);
        scalars.get(next).is_some_and(|range| range.start < *at)
    };
    let outside: Vec<usize> = tags.iter().copied().filter(|at| !in_scalar(at)).collect();
    let events = if outside.len() == tags.len() { events } else { read_spaced(text, &outside)? };
    Ok(Events::Read(events.into_iter()))
}

/// Finds the commas that follow a tag, or what looks like one, without a blank.
///
/// libyaml allows `[!!str, a]`; `libyaml-safer` panics there, and so has to see a blank.
fn tags_before_commas(text: &str) -> Vec<usize> {
    let ends = |c: char| matches!(c, ' ' | '\t' | ',') || is_break(c);
    let (mut closing, mut end, mut end_verbatim) = Default::default();
    let mut comma = |start: usize| {
        let at = if text[start..].starts_with("!<") {
            let from = Ahead::find(&mut closing, text, start, |c| c == '>')?;
            Ahead::find(&mut end_verbatim, text, from, ends)?
        } else {
            Ahead::find(&mut end, text, start, ends)?
        };
        text[at..].starts_with(',').then_some(at)
    };
    let mut commas: Vec<usize> =
        text.match_indices('!').filter_map(|(start, _)| comma(start)).collect();
    commas.sort_unstable();
    commas.dedup();
    commas
}

/// Where a search that began at `from` ended. One that begins in between ends there too, so that
/// searching from one place after the other costs one pass over the text.
struct Ahead {
    from: usize,
    found: Option<usize>,
}

impl Ahead {
    fn find(
        last: &mut Option<Self>,
        text: &str,
        from: usize,
        wanted: impl Fn(char) -> bool,
    ) -> Option<usize> {
        let holds = |last: &&Self| last.from <= from && last.found.is_none_or(|at| from <= at);
        if let Some(known) = last.as_ref().filter(holds) {
            return known.found;
        }
        let found = text[from..].find(wanted).map(|at| from + at);
        *last = Some(Self { from, found });
        found
    }
}

/// Reads `text` with a blank put before each of `commas`; offsets are those of `text`.
fn read_spaced(text: &str, commas: &[usize]) -> Result<Vec<Event>, SyntaxError> {
    let mut spaced = String::with_capacity(text.len() + commas.len());
    let mut copied = 0;
    for comma in commas {
        spaced.push_str(&text[copied..*comma]);
        spaced.push(' ');
        copied = *comma;
    }
    spaced.push_str(&text[copied..]);
    // The blank before the comma number `i` stands at `commas[i] + i`.
    let blanks: Vec<usize> = commas.iter().enumerate().map(|(i, comma)| comma + i).collect();
    let original = |offset: usize| offset - blanks.partition_point(|blank| *blank < offset);
    let unshift = |range: Range<usize>| original(range.start)..original(range.end);
    match Scan::new(&spaced).collect::<Result<Vec<Event>, SyntaxError>>() {
        Ok(events) => {
            Ok(events.into_iter().map(|e| Event { range: unshift(e.range), ..e }).collect())
        }
        Err(error) => Err(SyntaxError {
            context: error.context.map(|(context, offset)| (context, original(offset))),
            offset: original(error.offset),
            ..error
        }),
    }
}

type Input<'text> = std::io::Chain<&'text [u8], &'static [u8]>;

/// The parser at work.
pub(super) struct Scan<'text> {
    parser: Parser<Input<'text>>,
    text: &'text str,
    /// The length of the byte order mark.
    base: usize,
    /// Whether [`LAST_BREAK`] was put behind the text.
    is_open: bool,
    depth: usize,
    count: usize,
    ended: bool,
}

impl<'text> Scan<'text> {
    fn new(text: &'text str) -> Self {
        let base = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let is_open = !text.ends_with(is_break);
        let last_break = if is_open { LAST_BREAK } else { "" };
        let mut parser = Parser::new();
        // Said in words, because a guess from the first bytes takes `：` for a broken byte order mark.
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(text.as_bytes()[base..].chain(last_break.as_bytes()));
        Self { parser, text, base, is_open, depth: 0, count: 0, ended: false }
    }

    fn offset(&self, mark: Mark) -> usize {
        let end = self.text.len();
        usize::try_from(mark.index).map_or(end, |index| end.min(self.base + index))
    }

    /// Takes off a block scalar what [`LAST_BREAK`] added to it.
    fn close(&self, data: &mut Data, end: usize) {
        if let Data::Scalar { text: value, block: true, .. } = data
            && self.is_open
            && end == self.text.len()
            && value.ends_with(LAST_BREAK)
        {
            value.truncate(value.len() - LAST_BREAK.len());
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Event, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let event = match self.parser.parse() {
                Ok(event) => event,
                Err(error) => {
                    self.ended = true;
                    let offset = |mark| self.offset(mark);
                    return Some(Err(syntax_error(&error, offset, self.text.len())));
                }
            };
            let range = self.offset(event.start_mark)..self.offset(event.end_mark);
            let Some(mut data) = data(event.data) else { continue };
            match &data {
                Data::StreamEnd => return None,
                Data::SequenceStart { .. } | Data::MappingStart { .. } => self.depth += 1,
                Data::SequenceEnd | Data::MappingEnd => self.depth -= 1,
                Data::DocumentEnd | Data::Alias(_) | Data::Scalar { .. } => {}
            }
            self.close(&mut data, range.end);
            self.count += 1;
            self.ended = self.depth > DEEPEST + 1 || self.count > MOST_EVENTS;
            return Some(Ok(Event { data, range }));
        }
        None
    }
}

fn data(data: EventData) -> Option<Data> {
    Some(match data {
        EventData::StreamStart { .. } | EventData::DocumentStart { .. } => return None,
        EventData::StreamEnd => Data::StreamEnd,
        EventData::DocumentEnd { .. } => Data::DocumentEnd,
        EventData::Alias { anchor } => Data::Alias(anchor),
        EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => Data::Scalar {
            properties: Properties { anchor, tag },
            text: value,
            plain: plain_implicit,
            block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
        },
        EventData::SequenceStart { anchor, tag, style, .. } => Data::SequenceStart {
            properties: Properties { anchor, tag },
            flow: style == SequenceStyle::Flow,
        },
        EventData::SequenceEnd => Data::SequenceEnd,
        EventData::MappingStart { anchor, tag, style, .. } => Data::MappingStart {
            properties: Properties { anchor, tag },
            flow: style == MappingStyle::Flow,
        },
        EventData::MappingEnd => Data::MappingEnd,
    })
}

fn syntax_error(error: &Error, offset: impl Fn(Mark) -> usize, end: usize) -> SyntaxError {
    let context = error.context().zip(error.context_mark().map(&offset));
    let offset = error.problem_mark().map_or(end, offset);
    // "While scanning for the next token", at the place itself, says nothing.
    let context = context.filter(|(_, start)| *start != offset);
    SyntaxError { problem: error.problem(), context, offset }
}

/// Tells whether libyaml's reader lets a character pass.
fn is_allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}'
    )
}
