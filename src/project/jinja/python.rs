//! What Jinja2 templates get from Python: how values print, and the methods of `str` and `dict`.

use std::fmt::Write;

use minijinja::value::{Rest, Serde, Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::text::string_method;

/// The most levels of lists and dicts that are printed.
pub(super) const DEEPEST: usize = 128;

/// Writes a value as Python's `str()` does.
pub(super) fn to_text(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(String::new()),
        ValueKind::String => Ok(value.to_string()),
        _ => {
            let mut text = String::new();
            repr(state, value, &mut text, 0)?;
            Ok(text)
        }
    }
}

/// Appends a value as Python's `repr()` writes it.
///
/// A value may hold another many times, and that one a third, so that a small template can ask for
/// more text than any memory holds: every part is paid for before it is written.
fn repr(
    state: &State<'_, '_>,
    value: &Value,
    text: &mut String,
    depth: usize,
) -> Result<(), Error> {
    if depth > DEEPEST {
        let message = format!("a value with more than {DEEPEST} levels cannot be printed");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    state.consume_fuel(1)?;
    match value.kind() {
        ValueKind::Undefined => text.push_str("Undefined"),
        ValueKind::None => text.push_str("None"),
        ValueKind::Bool => text.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::String => {
            pay_for(state, value.as_str().map_or(0, str::len))?;
            text.push_str(&quoted(&value.to_string()));
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let is_tuple = value.is_tuple();
            text.push(if is_tuple { '(' } else { '[' });
            let mut count = 0;
            for item in value.try_iter().into_iter().flatten() {
                text.push_str(if count > 0 { ", " } else { "" });
                repr(state, &item, text, depth + 1)?;
                count += 1;
            }
            text.push_str(match (is_tuple, count) {
                (true, 1) => ",)",
                (true, _) => ")",
                (false, _) => "]",
            });
        }
        ValueKind::Map => {
            text.push('{');
            for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                repr(state, &key, text, depth + 1)?;
                text.push_str(": ");
                let item = value.get_item(&key).unwrap_or(Value::UNDEFINED);
                repr(state, &item, text, depth + 1)?;
            }
            text.push('}');
        }
        _ => text.push_str(&value.to_string()),
    }
    Ok(())
}

/// Takes from the template's fuel what so many bytes cost.
pub(super) fn pay_for(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(u64::try_from(bytes / 64 + 1).unwrap_or(u64::MAX))
}

fn items(value: &Value) -> Vec<Value> {
    value.try_iter().into_iter().flatten().collect()
}

/// Quotes as `repr()` does: with `"` only where that spares an escape.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' => quoted.push_str("\\\\"),
            _ if character == quote => {
                quoted.push('\\');
                quoted.push(quote);
            }
            _ if character.is_ascii_control() => {
                write!(quoted, "\\x{:02x}", u32::from(character)).expect("a String takes all text");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push(quote);
    quoted
}

/// Calls the methods of `str` and `dict` that minijinja does not have.
pub(super) fn call_method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => {
            pay_for(state, value.as_str().map_or(0, str::len))?;
            string_method(state, &value.to_string(), method, args)
        }
        ValueKind::Map => map_method(value, method, args),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn map_method(map: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let value = |key: &Value| map.get_item(key).unwrap_or(Value::UNDEFINED);
    Ok(match method {
        "get" => {
            let (key, default): (Value, Option<Value>) = from_args(args)?;
            let found = value(&key);
            if found.is_undefined() { default.unwrap_or(Value::from(())) } else { found }
        }
        "keys" => no_args(args, items(map))?,
        "values" => no_args(args, items(map).iter().map(value).collect::<Vec<_>>())?,
        "items" => {
            let pair = |key: &Value| Value::from(Tuple::from([key.clone(), value(key)]));
            no_args(args, items(map).iter().map(pair).collect::<Vec<_>>())?
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

pub(super) fn no_args(args: &[Value], result: impl Into<Value>) -> Result<Value, Error> {
    let (rest,): (Rest<Value>,) = from_args(args)?;
    if rest.is_empty() { Ok(result.into()) } else { Err(Error::from(ErrorKind::TooManyArguments)) }
}

/// Mage's `json_value(text, path)` (`mage_ai/shared/hash.py: get_json_value` and `dig`): a part of a
/// JSON text by a path such as `a.b[0].c`; a text that is not JSON is returned as it is.
pub(super) fn json_value(state: &State<'_, '_>, text: &Value, path: &str) -> Result<Value, Error> {
    if !text.is_true() {
        return Ok(text.clone());
    }
    // Reading costs more than copying.
    pay_for(state, text.as_str().map_or(0, str::len).saturating_mul(4))?;
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text.to_string()) else {
        return Ok(text.clone());
    };
    let missing = |key: &str| {
        let message = format!("json_value: there is no '{key}' in the value (path '{path}')");
        Error::new(ErrorKind::InvalidOperation, message)
    };
    let mut at = &json;
    for key in path.split('.').map(str::trim) {
        let (name, index) = match key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) {
            Some((name, digits)) if !digits.is_empty() => match digits.parse::<usize>() {
                Ok(index) => (name, Some(index)),
                Err(_) => (key, None),
            },
            _ => (key, None),
        };
        match index {
            Some(index) => {
                let list = if name.is_empty() { Some(at) } else { at.get(name) };
                at = list.and_then(|list| list.get(index)).ok_or_else(|| missing(key))?;
            }
            // An empty value is returned as it is, and a dict without the key gives None.
            None if is_empty(at) => {}
            None if at.is_object() => at = at.get(name).unwrap_or(&serde_json::Value::Null),
            None => return Err(missing(key)),
        }
    }
    Ok(Value::from(Serde(at)))
}

fn is_empty(json: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match json {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
    }
}
