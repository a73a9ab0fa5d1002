//! `PyYAML`'s plain scalars: which type a text has (`yaml/resolver.py`), one function per type.

/// The types of YAML 1.1 that `PyYAML` knows, as tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Binary,
    Str,
    Seq,
    Map,
    Set,
    Omap,
    Pairs,
    /// `<<` as a key.
    Merge,
    /// `=`.
    Value,
    /// Any other, in full.
    Other(String),
}

const PREFIX: &str = "tag:yaml.org,2002:";

impl Tag {
    /// Reads a tag as the parser gives it, its handle expanded.
    pub(super) fn from_full(tag: &str) -> Self {
        match tag.strip_prefix(PREFIX) {
            Some("null") => Self::Null,
            Some("bool") => Self::Bool,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("timestamp") => Self::Timestamp,
            Some("binary") => Self::Binary,
            Some("str") => Self::Str,
            Some("seq") => Self::Seq,
            Some("map") => Self::Map,
            Some("set") => Self::Set,
            Some("omap") => Self::Omap,
            Some("pairs") => Self::Pairs,
            Some("merge") => Self::Merge,
            Some("value") => Self::Value,
            _ => Self::Other(tag.to_owned()),
        }
    }

    /// Returns it as people write it: `!!int`, `!mine`.
    pub(super) fn written(&self) -> String {
        let name = match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Timestamp => "timestamp",
            Self::Binary => "binary",
            Self::Str => "str",
            Self::Seq => "seq",
            Self::Map => "map",
            Self::Set => "set",
            Self::Omap => "omap",
            Self::Pairs => "pairs",
            Self::Merge => "merge",
            Self::Value => "value",
            Self::Other(tag) => {
                return tag
                    .strip_prefix(PREFIX)
                    .map_or_else(|| tag.clone(), |suffix| format!("!!{suffix}"));
            }
        };
        format!("!!{name}")
    }
}

/// Returns the type of a plain scalar.
///
/// The order does not matter: no text is of two types.
pub(super) fn resolve(text: &str) -> Tag {
    // Python's `$` also matches before a newline at the end, which only `! "…"` can have.
    let text = text.strip_suffix('\n').filter(|rest| !rest.is_empty()).unwrap_or(text);
    // `PyYAML` chooses the types to try by the first character, too.
    let may_be_other = |first: &u8| b"+-.~0123456789<=fFnNoOtTyY".contains(first);
    if !text.is_empty() && !text.as_bytes().first().is_some_and(may_be_other) {
        return Tag::Str;
    }
    match text {
        _ if is_null(text) => Tag::Null,
        _ if is_bool(text) => Tag::Bool,
        _ if is_int(text) => Tag::Int,
        _ if is_float(text) => Tag::Float,
        _ if is_timestamp(text) => Tag::Timestamp,
        "<<" => Tag::Merge,
        "=" => Tag::Value,
        _ => Tag::Str,
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_bool(text: &str) -> bool {
    matches!(
        text,
        "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    )
}

fn is_int(text: &str) -> bool {
    let digits = without_sign(text);
    if let Some(binary) = digits.strip_prefix("0b") {
        return all(binary, |b| matches!(b, b'0' | b'1' | b'_'));
    }
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return all(hexadecimal, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return octal.is_empty() || all(octal, |b| matches!(b, b'0'..=b'7' | b'_'));
    }
    let mut parts = digits.split(':');
    parts.next().is_some_and(is_digits) && parts.all(is_sixtieth)
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = without_sign(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let Some((whole, fraction)) = unsigned.split_once('.') else { return false };
    let (fraction, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    if !exponent.is_none_or(is_signed_exponent) {
        return false;
    }
    if whole.is_empty() {
        // Only here may there be no sign, and must there be a digit.
        return unsigned.len() == text.len() && is_digits(fraction);
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return false;
    }
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(is_digits);
    let sixtieths: Vec<&str> = parts.collect();
    first
        && sixtieths.iter().all(|part| is_sixtieth(part))
        && (sixtieths.is_empty() || exponent.is_none())
}

fn is_timestamp(text: &str) -> bool {
    let Some((date, rest)) = date(text) else { return false };
    if rest.is_empty() {
        // A date alone needs two digits for month and day.
        return date == [4, 2, 2];
    }
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let time = match rest.strip_prefix(['T', 't']) {
        Some(time) => time,
        None if blanks > 0 => &rest[blanks..],
        None => return false,
    };
    time_and_zone(time).is_some()
}

/// Splits `YYYY-M-D` off, with the number of digits of each part.
fn date(text: &str) -> Option<([usize; 3], &str)> {
    let (year, rest) = digits(text, 4, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    Some(([year.len(), month.len(), day.len()], rest))
}

fn time_and_zone(text: &str) -> Option<()> {
    let (_, rest) = digits(text, 1, 2)?;
    let (_, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (_, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    if rest.is_empty() {
        return Some(());
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    if zone == "Z" {
        return Some(());
    }
    let (_, rest) = digits(zone.strip_prefix(['-', '+'])?, 1, 2)?;
    match rest.strip_prefix(':') {
        Some(minutes) => digits(minutes, 2, 2).filter(|(_, rest)| rest.is_empty()).map(|_| ()),
        None => rest.is_empty().then_some(()),
    }
}

/// Splits off `least` to `most` digits.
pub(super) fn digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (count >= least).then(|| text.split_at(count))
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// `[0-9][0-9_]*`.
fn is_digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// `[0-5]?[0-9]`.
fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [unit] => unit.is_ascii_digit(),
        [ten, unit] => matches!(ten, b'0'..=b'5') && unit.is_ascii_digit(),
        _ => false,
    }
}

/// `[-+][0-9]+`.
fn is_signed_exponent(text: &str) -> bool {
    text.strip_prefix(['-', '+']).is_some_and(|digits| all(digits, |b| b.is_ascii_digit()))
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}
