//! What must not be shown to people.

use serde_json::Value as Json;

use crate::config::{JobPath, Origin, Segment};

/// What stands for a secret; says nothing of its length.
pub const MASK: &str = "***";

const WORDS: [&str; 13] = [
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PWD",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "AUTH",
    "CONNECTION_STRING",
    "DSN",
];

/// Tells whether a variable or key of this name probably holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = crate::config::camel_to_snake(name).to_uppercase().replace(['-', '.'], "_");
    WORDS.iter().any(|word| name.contains(word))
        && !name.ends_with("_NAME")
        && !name.ends_with("_PATH")
}

/// Returns a text with the user information of every URL in it masked.
#[must_use]
pub fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let after = start + 3;
        let end = rest[after..]
            .find(['/', '?', '#', ' ', '"', '\''])
            .map_or(rest.len(), |length| after + length);
        masked.push_str(&rest[..after]);
        match rest[after..end].rfind('@') {
            Some(at) => {
                masked.push_str(MASK);
                masked.push_str(&rest[after + at..end]);
            }
            None => masked.push_str(&rest[after..end]),
        }
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

/// Tells whether a value must not be shown to people: by the key it stands at, by what it holds, or
/// because a `*_secret_var` gave it.
#[must_use]
pub fn is_secret(path: &JobPath, value: &Json, origin: &Origin) -> bool {
    let by_key = matches!(path.0.last(), Some(Segment::Key(key))
        if is_free_key(path) && is_secret_name(key));
    by_key
        || (origin
            .expression
            .as_deref()
            .is_some_and(|text| text.contains("secret_var") || looks_up_secret(text))
            && !value.as_str().is_some_and(is_placeholder))
        || value.as_str().is_some_and(holds_secret)
}

/// Tells whether a value is, or has in it, one of these texts; a short one only where it is all.
#[must_use]
pub fn holds_any(value: &Json, secrets: &[String]) -> bool {
    const SHORT: usize = 4;
    let Some(text) = value.as_str() else { return false };
    let is_in =
        |secret: &String| text == secret || (secret.len() >= SHORT && text.contains(secret));
    secrets.iter().any(|secret| !secret.is_empty() && is_in(secret))
}

/// Tells whether an expression looks up a variable whose name looks secret.
fn looks_up_secret(expression: &str) -> bool {
    ["env_var", "variables"].iter().any(|function| {
        expression.match_indices(function).any(|(at, _)| {
            let rest = expression[at + function.len()..].trim_start();
            let name = rest.strip_prefix('(').map(str::trim_start).unwrap_or_default();
            let Some(quote) = name.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
                return false;
            };
            name[1..].split(quote).next().is_some_and(is_secret_name)
        })
    })
}

/// Tells whether a text is what stands for a secret that nobody supplied, `<mage_secret_var NAME>`.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    text.split_once("_secret_var ")
        .is_some_and(|(before, after)| before.contains('<') && after.contains('>'))
}

/// Tells whether the last key is one a person chose: an annotation, a label, a driver's attribute.
fn is_free_key(path: &JobPath) -> bool {
    let parent = path.0.len().checked_sub(2).and_then(|index| path.0.get(index));
    matches!(parent, Some(Segment::Key(key)) if has_free_keys(key))
}

/// Tells whether a map of this name has keys that a person chooses.
pub(super) fn has_free_keys(parent: &str) -> bool {
    ["annotations", "labels", "volumeAttributes", "options"].contains(&parent)
}

/// Tells whether a text has a URL with user information, or is JSON with a key that looks secret,
/// as `--runtime-vars` may be.
pub(crate) fn holds_secret(text: &str) -> bool {
    if text.contains("://") && mask_urls(text) != text {
        return true;
    }
    let is_json = text.starts_with(['{', '[']);
    is_json && serde_json::from_str(text).is_ok_and(|json: Json| has_secret_key(&json))
}

fn has_secret_key(json: &Json) -> bool {
    match json {
        Json::Object(map) => map.iter().any(|(key, value)| {
            let is_scalar = !value.is_object() && !value.is_array() && !value.is_null();
            (is_scalar && is_secret_name(key)) || has_secret_key(value)
        }),
        Json::Array(items) => items.iter().any(has_secret_key),
        _ => false,
    }
}

/// Returns an expression of a template without what may be a secret in it: of texts only the names
/// that it looks up are left, and numbers and what stands outside of the braces go.
///
/// `{{ env_var('TOKEN', 'hunter2') }}` becomes `{{ env_var('TOKEN', ***) }}`.
#[must_use]
pub fn mask_expression(expression: &str) -> String {
    let mut masked = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(start) = rest.find("{{") {
        mask_plain(&rest[..start], &mut masked);
        let end = rest[start..].find("}}").map_or(rest.len(), |end| start + end + 2);
        mask_code(&rest[start..end], &mut masked);
        rest = &rest[end..];
    }
    mask_plain(rest, &mut masked);
    masked
}

fn mask_plain(text: &str, masked: &mut String) {
    masked.push_str(if text.trim().is_empty() { text } else { MASK });
}

fn mask_code(code: &str, masked: &mut String) {
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\'' | '"' => {
                let length = quoted(rest, c);
                masked.push_str(if is_looked_up(masked) { &rest[..length] } else { MASK });
                length
            }
            '0'..='9' => {
                masked.push_str(MASK);
                rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
            }
            c if c.is_alphabetic() || c == '_' => {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                masked.push_str(&rest[..length]);
                length
            }
            c => {
                masked.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
}

/// Returns the length of a quoted text, the quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Tells whether what comes next is the name that a function looks up.
fn is_looked_up(before: &str) -> bool {
    let Some(before) = before.trim_end().strip_suffix('(') else { return false };
    ["env_var", "variables", "secret_var"]
        .iter()
        .any(|function| before.trim_end().ends_with(function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_information_in_urls_is_masked() {
        assert_eq!(mask_urls("postgres://u:p@db:5432/x?a=b"), "postgres://***@db:5432/x?a=b");
        assert_eq!(mask_urls("see http://a.b/c and s3://k:s@h"), "see http://a.b/c and s3://***@h");
        assert_eq!(mask_urls("no url"), "no url");
    }

    #[test]
    fn names_that_look_secret_are_told() {
        for name in ["DB_PASSWORD", "secret_key", "apiKey", "GITHUB_TOKEN"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["ENV", "USER_CODE_PATH", "SECRET_NAME", "KUBE_NAMESPACE"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn of_an_expression_only_the_names_are_left() {
        for (expression, masked) in [
            ("{{ env_var('TOKEN', 'hunter2') }}", "{{ env_var('TOKEN', ***) }}"),
            ("postgres://u:p@{{ env_var(\"HOST\") }}", "***{{ env_var(\"HOST\") }}"),
            ("{{ variables('pin') or 1234 }}", "{{ variables('pin') or *** }}"),
            ("{{ 'it\\'s' ~ aws_secret_var('x') }}", "{{ *** ~ aws_secret_var('x') }}"),
        ] {
            assert_eq!(mask_expression(expression), masked);
        }
    }

    #[test]
    fn json_with_secret_keys_is_secret() {
        assert!(holds_secret(r#"{"tier": "gold", "db": {"password": "x"}}"#));
        assert!(!holds_secret(r#"{"tier": "gold"}"#));
        assert!(!holds_secret("{not json, password"));
    }
}
