//! Label selectors, as `kubectl -l` takes them.

use crate::config::check::{is_label_value, is_qualified_name};

/// Refuses what the API server would not take for a selector; an empty one selects everything.
pub(super) fn parse_selector(text: &str) -> Result<String, String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is one from the start").push(c);
    }
    let is_empty = text.trim().is_empty();
    match parts.iter().find(|part| !is_empty && !is_requirement(part.trim())) {
        None => Ok(text.to_owned()),
        Some(wrong) => Err(format!(
            "`{}` is no requirement of labels: write KEY=VALUE, KEY!=VALUE, KEY, !KEY or KEY in (A, B)",
            wrong.trim()
        )),
    }
}

fn is_requirement(text: &str) -> bool {
    if let Some(key) = text.strip_prefix('!') {
        return is_qualified_name(key.trim());
    }
    if let Some(list) = text.strip_suffix(')') {
        let Some((before, values)) = list.split_once('(') else { return false };
        let mut words = before.split_whitespace();
        let (key, operator) = (words.next().unwrap_or_default(), words.next());
        return is_qualified_name(key)
            && matches!(operator, Some("in" | "notin"))
            && words.next().is_none()
            && values.split(',').all(|value| is_label_value(value.trim()));
    }
    for operator in ["!=", "==", "="] {
        if let Some((key, value)) = text.split_once(operator) {
            return is_qualified_name(key.trim()) && is_label_value(value.trim());
        }
    }
    for operator in ['>', '<'] {
        if let Some((key, value)) = text.split_once(operator) {
            return is_qualified_name(key.trim()) && value.trim().parse::<i64>().is_ok();
        }
    }
    is_qualified_name(text)
}

#[cfg(test)]
mod tests {
    use super::parse_selector;

    #[test]
    fn what_kubectl_takes_is_taken() {
        for text in
            ["", "a=b", "a==b,c!=d", "a", "!a", "x.y/a=", "a in (b, c),d notin (e)", "a>1", "a = b"]
        {
            assert_eq!(parse_selector(text), Ok(text.to_owned()));
        }
        for text in ["=", "a=b c", "a=b=c", "a in b", "a in (b", "a,,b", "-a", "a b", "a>b", "a=&x"]
        {
            assert!(parse_selector(text).is_err(), "{text}");
        }
    }
}
