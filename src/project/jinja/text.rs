//! The methods of Python's `str`. What they would do otherwise than Python is refused.

use minijinja::value::{Kwargs, Rest, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::python::{no_args, pay_for, to_text};

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Calls a method of `str`.
pub(super) fn string_method(
    state: &State<'_, '_>,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let blank = |c: char| c.is_whitespace();
    Ok(match method {
        "upper" => no_args(args, text.to_uppercase())?,
        "lower" => no_args(args, text.to_lowercase())?,
        "capitalize" => no_args(args, capitalized(text))?,
        "title" => no_args(args, titled(text))?,
        "strip" | "lstrip" | "rstrip" => {
            let (set,): (Option<&str>,) = from_args(args)?;
            let cut = |c: char| set.map_or_else(|| blank(c), |set| set.contains(c));
            let text = if method == "rstrip" { text } else { text.trim_start_matches(cut) };
            let text = if method == "lstrip" { text } else { text.trim_end_matches(cut) };
            Value::from(text)
        }
        "startswith" | "endswith" | "removeprefix" | "removesuffix" => {
            let (part,): (&str,) = from_args(args)?;
            match method {
                "startswith" => text.starts_with(part).into(),
                "endswith" => text.ends_with(part).into(),
                "removeprefix" => text.strip_prefix(part).unwrap_or(text).into(),
                _ => text.strip_suffix(part).unwrap_or(text).into(),
            }
        }
        "find" | "rfind" | "count" => {
            let (part,): (&str,) = from_args(args)?;
            let at = if method == "rfind" { text.rfind(part) } else { text.find(part) };
            let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            match method {
                "count" if part.is_empty() => Value::from(count(text) + 1),
                "count" => Value::from(text.matches(part).count()),
                _ => Value::from(at.map_or(-1, |at| count(&text[..at]))),
            }
        }
        "partition" | "rpartition" => {
            let (part,): (&str,) = from_args(args)?;
            if part.is_empty() {
                return Err(invalid("empty separator"));
            }
            let is_first = method == "partition";
            let found = if is_first { text.split_once(part) } else { text.rsplit_once(part) };
            let parts = match found {
                Some((before, after)) => [before, part, after],
                None if is_first => [text, "", ""],
                None => ["", "", text],
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "replace" => {
            let (from, to, most): (&str, &str, Option<i64>) = from_args(args)?;
            let grown = text.matches(from).count().saturating_mul(to.len());
            pay_for(state, grown.saturating_add(text.len()))?;
            match most.and_then(|most| usize::try_from(most).ok()) {
                Some(most) => Value::from(text.replacen(from, to, most)),
                None => Value::from(text.replace(from, to)),
            }
        }
        "split" | "rsplit" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            // Each part is a value of its own.
            state.consume_fuel(u64::try_from(text.len() / 4).unwrap_or(u64::MAX))?;
            let most = most.and_then(|most| usize::try_from(most).ok());
            split(text, separator, most, method == "split")?
        }
        "splitlines" => no_args(args, text.lines().map(Value::from).collect::<Value>())?,
        "join" => {
            let (items,): (Vec<String>,) = from_args(args)?;
            let length = items.iter().map(|item| item.len().saturating_add(text.len()));
            pay_for(state, length.fold(0, usize::saturating_add))?;
            Value::from(items.join(text))
        }
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, digits) = match text.strip_prefix(['+', '-']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text),
            };
            let zeros = missing(state, text, width)?;
            Value::from(format!("{sign}{}{digits}", "0".repeat(zeros)))
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill): (usize, Option<&str>) = from_args(args)?;
            let fill = fill.unwrap_or(" ");
            if fill.chars().count() != 1 {
                return Err(invalid("the fill character must be exactly one character long"));
            }
            let all = missing(state, text, width)?;
            let left = match method {
                "ljust" => 0,
                "rjust" => all,
                _ => all / 2 + (all & width & 1),
            };
            Value::from(format!("{}{text}{}", fill.repeat(left), fill.repeat(all - left)))
        }
        "isdigit" | "isalpha" | "isalnum" | "isupper" | "islower" | "isspace" => {
            no_args(args, is(text, method)?)?
        }
        "format" => Value::from(format(state, text, args)?),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.collect::<String>() + &rest.as_str().to_lowercase()
}

/// Makes every letter behind what is no letter a capital, as Python does, also in `It'S`.
fn titled(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        in_word = c.is_alphabetic();
    }
    titled
}

/// Returns how many characters a text lacks of a width, which are paid for.
fn missing(state: &State<'_, '_>, text: &str, width: usize) -> Result<usize, Error> {
    let lacking = width.saturating_sub(text.chars().count());
    pay_for(state, lacking.saturating_mul(4))?;
    Ok(lacking)
}

fn is(text: &str, method: &str) -> Result<bool, Error> {
    if !text.is_ascii() {
        return Err(invalid(format!("`{method}` is known for ASCII texts only")));
    }
    let mut cased = text.chars().filter(char::is_ascii_alphabetic).peekable();
    let all = |is: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| is(&c));
    Ok(match method {
        "isdigit" => all(char::is_ascii_digit),
        "isalpha" => all(char::is_ascii_alphabetic),
        "isalnum" => all(char::is_ascii_alphanumeric),
        "isspace" => all(|c| c.is_whitespace()),
        "isupper" => cased.peek().is_some() && cased.all(|c| c.is_ascii_uppercase()),
        _ => cased.peek().is_some() && cased.all(|c| c.is_ascii_lowercase()),
    })
}

fn split(
    text: &str,
    separator: Option<&str>,
    most: Option<usize>,
    from_left: bool,
) -> Result<Value, Error> {
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text;
    match separator {
        Some("") => return Err(invalid("empty separator")),
        Some(separator) => {
            let cut =
                |rest: &str| if from_left { rest.find(separator) } else { rest.rfind(separator) };
            while let Some(at) = cut(rest).filter(|_| most.is_none_or(|most| parts.len() < most)) {
                let (before, after) = (&rest[..at], &rest[at + separator.len()..]);
                let (part, left) = if from_left { (before, after) } else { (after, before) };
                parts.push(part);
                rest = left;
            }
            parts.push(rest);
        }
        None => loop {
            rest = if from_left { rest.trim_start() } else { rest.trim_end() };
            if rest.is_empty() {
                break;
            }
            let end = if from_left {
                rest.find(char::is_whitespace)
            } else {
                let behind = |(at, blank): (usize, &str)| at + blank.len();
                rest.rmatch_indices(char::is_whitespace).next().map(behind)
            };
            let Some(end) = end.filter(|_| most.is_none_or(|most| parts.len() < most)) else {
                // What is left keeps its blanks at the far end only where they were not reached.
                let is_cut = most.is_some_and(|most| parts.len() >= most);
                parts.push(if is_cut { rest } else { rest.trim() });
                break;
            };
            let (before, after) = rest.split_at(end);
            let (part, left) = if from_left { (before, after) } else { (after, before) };
            parts.push(part);
            rest = left;
        },
    }
    if !from_left {
        parts.reverse();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

/// `str.format` with `{}`, `{0}` and `{name}`; conversions and format specifications are refused.
fn format(state: &State<'_, '_>, text: &str, args: &[Value]) -> Result<String, Error> {
    let (given, named): (Rest<Value>, Kwargs) = from_args(args)?;
    let mut formatted = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        formatted.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            formatted.push_str(brace);
            rest = after;
            continue;
        }
        let field = rest.split_once('}').filter(|_| brace == "{");
        let Some((field, after)) = field else {
            return Err(invalid(format!("single `{brace}` in a format string")));
        };
        rest = after;
        if field.contains(['!', ':', '.', '[', '{']) {
            let message =
                format!("`{{{field}}}` in `format` is not known here: only {{}}, {{0}}, {{name}}");
            return Err(invalid(message));
        }
        let value = if field.is_empty() {
            next += 1;
            given.get(next - 1).cloned()
        } else if let Ok(index) = field.parse::<usize>() {
            given.get(index).cloned()
        } else {
            named.get(field).ok()
        };
        let value =
            value.ok_or_else(|| invalid(format!("`format` has no value for `{{{field}}}`")))?;
        let value = to_text(state, &value)?;
        pay_for(state, value.len())?;
        formatted.push_str(&value);
    }
    named.assert_all_used()?;
    Ok(formatted + rest)
}
