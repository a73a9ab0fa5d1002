//! What Jinja2 templates get from Python: how values print, and the methods of `str` and `dict`.

use std::fmt::Write;

use minijinja::value::{Rest, Serde, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

/// Writes a value as Python's `str()` does.
pub(super) fn to_text(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::String => value.to_string(),
        _ => repr(value),
    }
}

/// Writes a value as Python's `repr()` does.
fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "Undefined".to_owned(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::String => quoted(&value.to_string()),
        ValueKind::Seq => {
            let items: Vec<String> = items(value).iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Map => {
            let entry = |key: &Value| {
                let item = value.get_item(key).unwrap_or(Value::UNDEFINED);
                format!("{}: {}", repr(key), repr(&item))
            };
            let entries: Vec<String> = items(value).iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => value.to_string(),
    }
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
    _state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => string_method(&value.to_string(), method, args),
        ValueKind::Map => map_method(value, method, args),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn string_method(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let blank = |c: char| c.is_whitespace();
    Ok(match method {
        "upper" => no_args(args, text.to_uppercase())?,
        "lower" => no_args(args, text.to_lowercase())?,
        "strip" | "lstrip" | "rstrip" => {
            let (set,): (Option<&str>,) = from_args(args)?;
            let cut = |c: char| set.map_or_else(|| blank(c), |set| set.contains(c));
            let text = if method == "rstrip" { text } else { text.trim_start_matches(cut) };
            let text = if method == "lstrip" { text } else { text.trim_end_matches(cut) };
            Value::from(text)
        }
        "startswith" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.starts_with(prefix))
        }
        "endswith" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.ends_with(suffix))
        }
        "replace" => {
            let (from, to): (&str, &str) = from_args(args)?;
            Value::from(text.replace(from, to))
        }
        "split" => {
            let (separator,): (Option<&str>,) = from_args(args)?;
            match separator {
                Some("") => {
                    let message = "empty separator";
                    return Err(Error::new(ErrorKind::InvalidOperation, message));
                }
                Some(separator) => text.split(separator).map(Value::from).collect(),
                None => text.split_whitespace().map(Value::from).collect(),
            }
        }
        "join" => {
            let (items,): (Vec<String>,) = from_args(args)?;
            Value::from(items.join(text))
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
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
            let pair = |key: &Value| Value::from(vec![key.clone(), value(key)]);
            no_args(args, items(map).iter().map(pair).collect::<Vec<_>>())?
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn no_args(args: &[Value], result: impl Into<Value>) -> Result<Value, Error> {
    let (rest,): (Rest<Value>,) = from_args(args)?;
    if rest.is_empty() { Ok(result.into()) } else { Err(Error::from(ErrorKind::TooManyArguments)) }
}

/// Mage's `json_value(text, path)` (`mage_ai/shared/hash.py: get_json_value` and `dig`): a part of a
/// JSON text by a path such as `a.b[0].c`; a text that is not JSON is returned as it is.
pub(super) fn json_value(text: &Value, path: &str) -> Result<Value, Error> {
    if !text.is_true() {
        return Ok(text.clone());
    }
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
