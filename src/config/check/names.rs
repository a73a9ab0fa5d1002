//! What may be a name, a label, a key (`k8s.io/apimachinery/pkg/util/validation`).

fn is_alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// Tells whether a text may be a DNS-1123 label.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(is_lower)
        && text.ends_with(is_lower)
        && text.chars().all(|c| is_lower(c) || c == '-')
}

/// Tells whether a text may be a DNS-1123 subdomain, as most names of objects are.
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            part.starts_with(is_lower)
                && part.ends_with(is_lower)
                && part.chars().all(|c| is_lower(c) || c == '-')
        })
}

/// Tells whether a text may be the value of a label.
#[must_use]
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

fn is_name_part(text: &str) -> bool {
    text.len() <= 63
        && text.chars().all(|c| is_alphanumeric(c) || matches!(c, '-' | '_' | '.'))
        && text.starts_with(is_alphanumeric)
        && text.ends_with(is_alphanumeric)
}

/// Tells whether a text may be the key of a label: a name, with a domain and `/` before it or not.
#[must_use]
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        None => is_name_part(text),
        Some((domain, name)) => is_dns_subdomain(domain) && is_name_part(name),
    }
}

/// Tells whether a text may be the name of an environment variable.
pub(super) fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| (' '..='~').contains(&c) && c != '=')
}

/// Tells whether a text may be a key of a `ConfigMap` or Secret.
pub(super) fn is_data_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.chars().all(|c| is_alphanumeric(c) || matches!(c, '-' | '_' | '.'))
        && text != "."
        && !text.starts_with("..")
}

/// Tells whether a text may be the name of a port.
pub(super) fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && text.chars().all(|c| is_lower(c) || c == '-')
        && text.chars().any(|c| c.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Tells whether a text may be the name of a CSI driver.
pub(super) fn is_driver_name(text: &str) -> bool {
    text.len() <= 63 && is_dns_subdomain(&text.to_lowercase())
}

/// Tells whether a path is relative and stays below where it starts.
pub(super) fn descends(path: &str) -> bool {
    !path.starts_with('/') && goes_not_back(path)
}

/// Tells whether no part of a path is `..`.
pub(super) fn goes_not_back(path: &str) -> bool {
    path.split('/').all(|part| part != "..")
}
