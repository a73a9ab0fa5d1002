//! The filters of Jinja2 that minijinja does not have, or has otherwise.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, Value, ValueKind, from_args};
use minijinja::{Error, State};

use super::python::{DEEPEST, pay_for, to_text};
use super::text::{invalid, string_method};

/// Adds the filters that minijinja does not have, and takes those away that Jinja2 does not have, or has
/// otherwise.
pub(super) fn set_filters(environment: &mut minijinja::Environment<'_>) {
    for only_here in ["split", "lines", "bool", "chain", "zip", "pprint"] {
        environment.remove_filter(only_here);
    }
    environment.remove_global("debug");
    environment.add_filter("string", |state: &State, value: Value| to_text(state, &value));
    environment.add_filter("wordcount", |state: &State, value: Value| {
        let text = to_text(state, &value)?;
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        Ok::<_, Error>(words.filter(|word| !word.is_empty()).count())
    });
    environment.add_filter("center", |state: &State, value: Value, width: Option<usize>| {
        let text = to_text(state, &value)?;
        string_method(state, &text, "center", &[Value::from(width.unwrap_or(80))])
    });
    environment.add_filter(
        "truncate",
        |state: &State, value: Value, arguments: Rest<Value>, options: Kwargs| {
            truncate(state, &value, &arguments, &options)
        },
    );
    environment.add_filter("filesizeformat", file_size);
    environment.add_filter("urlencode", |state: &State, value: Value| url_encode(state, &value));
    environment.add_filter("tojson", |state: &State, value: Value, options: Kwargs| {
        let indent: Option<usize> = options.get("indent")?;
        options.assert_all_used()?;
        let mut text = String::new();
        to_json(state, &value, indent, 0, &mut text)?;
        // As `htmlsafe_json_dumps` does.
        for (c, escape) in [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\'', "\\u0027")]
        {
            text = text.replace(c, escape);
        }
        Ok::<_, Error>(text)
    });
}

fn truncate(
    state: &State<'_, '_>,
    value: &Value,
    arguments: &[Value],
    options: &Kwargs,
) -> Result<String, Error> {
    let (length, kill, end, leeway): (Option<usize>, Option<bool>, Option<String>, Option<usize>) =
        from_args(arguments)?;
    let text = to_text(state, value)?;
    let length = length.or(options.get("length")?).unwrap_or(255);
    let kill = kill.or(options.get("killwords")?).unwrap_or(false);
    let end = end.or(options.get("end")?).unwrap_or_else(|| "...".to_owned());
    let leeway = leeway.or(options.get("leeway")?).unwrap_or(5);
    options.assert_all_used()?;
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        return Err(invalid(format!("expected length >= {}, got {length}", end.chars().count())));
    };
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let cut: String = text.chars().take(kept).collect();
    let cut = if kill { &cut } else { cut.rsplit_once(' ').map_or(&*cut, |(before, _)| before) };
    Ok(format!("{cut}{end}"))
}

fn file_size(value: f64, binary: Option<bool>) -> String {
    let (base, prefixes) = if binary.unwrap_or(false) {
        (1024_f64, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
    } else {
        (1000_f64, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if value < base {
        let whole = value.trunc().to_string();
        let is_one = whole == "1" && value <= 1.0;
        return format!("{whole} {}", if is_one { "Byte" } else { "Bytes" });
    }
    let mut unit = base * base;
    let mut last = String::new();
    for prefix in prefixes {
        last = format!("{:.1} {prefix}", base * value / unit);
        if value < unit {
            break;
        }
        unit *= base;
    }
    last
}

fn url_encode(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let pair = |key: &Value, value: &Value| {
        let quoted = |value: &Value| Ok::<_, Error>(quote(&to_text(state, value)?, ""));
        Ok::<_, Error>(format!("{}={}", quoted(key)?, quoted(value)?).replace("%20", "+"))
    };
    let pairs: Vec<String> = match value.kind() {
        ValueKind::Map => {
            let keys = value.try_iter()?;
            keys.map(|key| pair(&key, &value.get_item(&key)?)).collect::<Result<_, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?;
            let of = |item: Value| pair(&item.get_item_by_index(0)?, &item.get_item_by_index(1)?);
            items.map(of).collect::<Result<_, _>>()?
        }
        _ => return Ok(quote(&to_text(state, value)?, "/")),
    };
    Ok(pairs.join("&"))
}

fn quote(text: &str, safe: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c) {
            quoted.push(c);
        } else {
            write!(quoted, "%{byte:02X}").expect("a String takes all text");
        }
    }
    quoted
}

/// Writes JSON as `json.dumps(value, sort_keys=True)` does.
fn to_json(
    state: &State<'_, '_>,
    value: &Value,
    indent: Option<usize>,
    depth: usize,
    text: &mut String,
) -> Result<(), Error> {
    state.consume_fuel(1)?;
    if depth > DEEPEST {
        return Err(invalid("a value with so many levels cannot be written as JSON"));
    }
    match value.kind() {
        ValueKind::None => text.push_str("null"),
        ValueKind::Bool => text.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => text.push_str(&value.to_string()),
        ValueKind::String => {
            pay_for(state, value.as_str().map_or(0, str::len).saturating_mul(6))?;
            json_text(&value.to_string(), text);
        }
        ValueKind::Seq => {
            let items = value.try_iter()?.map(|item| (None, item));
            json_list(state, items.collect(), ('[', ']'), indent, depth, text)?;
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter()? {
                let Some(name) = key.as_str() else {
                    return Err(invalid("only texts are keys of what is written as JSON here"));
                };
                entries.push((Some(name.to_owned()), value.get_item(&key)?));
            }
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            json_list(state, entries, ('{', '}'), indent, depth, text)?;
        }
        _ => return Err(invalid("the value cannot be written as JSON")),
    }
    Ok(())
}

fn json_list(
    state: &State<'_, '_>,
    items: Vec<(Option<String>, Value)>,
    (open, close): (char, char),
    indent: Option<usize>,
    depth: usize,
    text: &mut String,
) -> Result<(), Error> {
    let new_line = |text: &mut String, depth: usize| {
        if let Some(indent) = indent {
            text.push('\n');
            text.push_str(&" ".repeat(indent.min(16) * depth));
        }
    };
    let is_empty = items.is_empty();
    text.push(open);
    for (index, (key, value)) in items.into_iter().enumerate() {
        text.push_str(match indent {
            _ if index == 0 => "",
            Some(_) => ",",
            None => ", ",
        });
        new_line(text, depth + 1);
        if let Some(key) = key {
            json_text(&key, text);
            text.push_str(": ");
        }
        to_json(state, &value, indent, depth + 1, text)?;
    }
    if !is_empty {
        new_line(text, depth);
    }
    text.push(close);
    Ok(())
}

fn json_text(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='\u{7f}' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").expect("a String takes all text");
                }
            }
        }
    }
    text.push('"');
}
