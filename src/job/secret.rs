//! What must not be shown to people.

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
}
