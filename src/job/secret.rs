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

/// Ends of names that say something about a secret without being one.
const ABOUT: [&str; 14] = [
    "_URL",
    "_URI",
    "_FILE",
    "_DIR",
    "_MODE",
    "_TYPE",
    "_ENABLED",
    "_HOST",
    "_PORT",
    "_TTL",
    "_SECONDS",
    "_ENDPOINT",
    "_METHOD",
    "_LEVEL",
];

/// Tells whether a value at a key that looks secret is a secret, and not a switch, a number, a path,
/// or a reference to a variable.
#[must_use]
pub fn is_credential(name: &str, text: &str) -> bool {
    if text.contains("$(") {
        return false;
    }
    if mask_urls(text) != text {
        return true;
    }
    let switch = ["", "true", "false", "yes", "no", "on", "off", "none", "null", "default"];
    !switch.contains(&text.to_lowercase().as_str())
        && text.parse::<f64>().is_err()
        && !text.starts_with('/')
        && !text.contains("://")
        && is_name_of_credential(name)
}

/// Tells whether a name is that of something about a secret, such as `TOKEN_TTL`, or of an author.
fn is_name_of_credential(name: &str) -> bool {
    let upper = name.to_uppercase().replace('-', "_");
    !ABOUT.iter().any(|end| upper.ends_with(end))
        && (!upper.contains("AUTHOR") || upper.contains("AUTHORIZATION"))
}

/// Returns the texts in a value that stand at keys that look secret.
pub fn credentials_in(name: &str, value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) if is_secret_name(name) && is_credential(name, text) => {
            found.push(text.clone());
        }
        Json::Object(map) => map.iter().for_each(|(key, value)| credentials_in(key, value, found)),
        Json::Array(items) => items.iter().for_each(|item| credentials_in(name, item, found)),
        _ => {}
    }
}

/// Tells whether a word of a command is the value of a flag before it that looks secret: `--password`.
pub(super) fn follows_secret_flag(before: &Json, value: &Json) -> bool {
    before.as_str().is_some_and(is_secret_flag)
        && value.as_str().is_some_and(|text| !text.starts_with('-') && !text.contains("$("))
}

fn is_secret_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    name.len() < word.len() && is_secret_word(name)
}

/// Tells whether a text has a word that gives a secret: `--password=hunter2`, `DB_PASSWORD=hunter2`.
fn has_secret_word(text: &str) -> bool {
    text.contains('=')
        && text.split_whitespace().filter_map(|word| word.split_once('=')).any(|(name, value)| {
            let value = value.trim_matches(['"', '\'']);
            is_secret_word(name.trim_start_matches('-'))
                && !value.is_empty()
                && !value.starts_with('$')
        })
}

fn is_secret_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && is_secret_name(name)
        && is_name_of_credential(name)
}

/// Tells whether a line of a file gives a secret: in a URL, as a word of a command, at a key that looks
/// secret, or as what an expression falls back to.
#[must_use]
pub fn line_holds_secret(line: &str) -> bool {
    let is_field = |key: &str| {
        let key = crate::config::camel_to_snake(key);
        matches!(key.as_str(), "image_pull_secrets" | "automount_service_account_token")
    };
    let gives = |(at, _): (usize, &str)| {
        let key = line[..at].trim_end_matches(['"', '\'']);
        let key = key.rsplit(|c: char| !c.is_alphanumeric() && !"_.-".contains(c)).next();
        let value = line[at + 1..].trim();
        key.is_some_and(|key| is_secret_name(key) && !is_field(key))
            && !value.is_empty()
            && !value.starts_with(['{', '[', '#', '}', ',', '&', '*'])
            && !value.starts_with("\"{{")
            && !value.starts_with("'{{")
    };
    mask_urls(line) != line
        || has_secret_word(line)
        || line.match_indices(':').any(gives)
        || (looks_up_secret(line) && line.find("{{").is_some_and(|at| falls_back(&line[at..])))
}

/// Tells whether an expression has a text in it besides the names it looks up.
fn falls_back(expression: &str) -> bool {
    let end = expression.find("}}").map_or(expression.len(), |end| end + 2);
    mask_expression(&expression[..end]) != expression[..end]
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

/// Tells whether a text has a URL with user information or a word that gives a secret, or is JSON
/// with a key that looks secret, as `--runtime-vars` may be.
pub(crate) fn holds_secret(text: &str) -> bool {
    if text.contains("://") && mask_urls(text) != text || has_secret_word(text) {
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
    fn what_is_about_a_secret_is_none() {
        for (name, text) in [
            ("REQUIRE_USER_AUTHENTICATION", "1"),
            ("AUTHENTICATION_MODE", "LDAP"),
            ("TOKEN_TTL", "1h"),
            ("OAUTH_URL", "https://login.example"),
            ("DB_PASSWORD", "$(PASSWORD)"),
            ("DSN", "postgres://$(USER):$(PASSWORD)@db/x"),
            ("GIT_AUTHOR", "mage"),
            ("TOKEN", "/var/run/token"),
        ] {
            assert!(!is_credential(name, text), "{name}={text}");
        }
        for (name, text) in [("DB_PASSWORD", "hunter2"), ("DSN", "postgres://u:p@db/x")] {
            assert!(is_credential(name, text), "{name}");
        }
    }

    #[test]
    fn words_of_a_command_may_be_secret() {
        for text in
            ["--password=hunter2", "env DB_PASSWORD=hunter2 run", "sh -c 'x --api-key=\"k\"'"]
        {
            assert!(holds_secret(text), "{text}");
        }
        for text in
            ["--token-file=/x", "--password=$(PASSWORD)", "--author=me", "a == b", "--mode=x"]
        {
            assert!(!holds_secret(text), "{text}");
        }
        assert!(
            is_secret_flag("--password") && !is_secret_flag("password") && !is_secret_flag("-p")
        );
    }

    #[test]
    fn json_with_secret_keys_is_secret() {
        assert!(holds_secret(r#"{"tier": "gold", "db": {"password": "x"}}"#));
        assert!(!holds_secret(r#"{"tier": "gold"}"#));
        assert!(!holds_secret("{not json, password"));
    }
}
