//! The user's own defaults: `kubectl-mage/config.toml` in the configuration folder.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cli::is_format;
use crate::error::{CliError, Problem};
use crate::yaml::SourceFile;

/// The user's defaults.
#[derive(Debug, Default)]
pub struct UserConfig {
    /// Where they were looked for.
    pub path: PathBuf,
    /// `edition`: `oss` or `pro`.
    pub edition: Option<String>,
    /// `protected_contexts`: contexts in which every command that changes something asks first; `*` stands for any text.
    pub protected_contexts: Vec<String>,
    /// `driver_image`: the image of drivers in the cluster.
    pub driver_image: Option<String>,
    /// `output`: the format of commands that have it and are given no `-o`: `json`.
    pub output: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    edition: Option<String>,
    #[serde(default)]
    protected_contexts: Vec<String>,
    driver_image: Option<String>,
    output: Option<String>,
}

impl UserConfig {
    /// Reads the file; without one, nothing is set.
    pub fn read() -> Result<Self, CliError> {
        let path = dirs::config_dir().unwrap_or_default().join("kubectl-mage").join("config.toml");
        // Only a file that is not there says nothing: one that cannot be read may protect a context.
        if let Err(error) = std::fs::metadata(&path)
            && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        {
            return Ok(Self { path, ..Self::default() });
        }
        let text = super::files::read(&path)?;
        let source = SourceFile::new(path.display().to_string(), text.clone());
        let file: File = toml::from_str(&text).map_err(|error| {
            let problem = Problem::new(error.message());
            let problem = match error.span() {
                Some(span) => problem.at(&source, source.lines().span(span.start, span.end)),
                None => problem,
            };
            CliError::usage(problem.hint(
                "known keys: edition = \"oss\" or \"pro\", protected_contexts = [\"prod-*\"], driver_image = \"IMAGE\", output = \"json\"",
            ))
        })?;
        if let Some(edition) =
            file.edition.as_deref().filter(|name| !matches!(*name, "oss" | "pro"))
        {
            let message = format!("{}: edition is `{edition}`", path.display());
            return Err(CliError::usage(Problem::new(message).hint("write \"oss\" or \"pro\"")));
        }
        let has_more = |pattern: &&String| pattern.contains(['?', '[']);
        if let Some(pattern) = file.protected_contexts.iter().find(has_more) {
            let message = format!("{}: protected_contexts has `{pattern}`", path.display());
            let hint = "`*`, which stands for any text, is the only wildcard";
            return Err(CliError::usage(Problem::new(message).hint(hint)));
        }
        if let Some(output) = file.output.as_deref().filter(|name| !is_format(name)) {
            let message = format!("{}: output is `{output}`", path.display());
            return Err(CliError::usage(
                Problem::new(message).hint("write a format that some command has for -o, \"json\""),
            ));
        }
        Ok(Self {
            path,
            edition: file.edition,
            protected_contexts: file.protected_contexts,
            driver_image: file.driver_image,
            output: file.output,
        })
    }

    /// Tells whether a context is one in which changes are confirmed first.
    #[must_use]
    pub fn protects(&self, context: &str) -> bool {
        self.protected_contexts.iter().any(|pattern| matches(pattern, context))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|index| tail.is_char_boundary(*index))
                .any(|index| matches(rest, &tail[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(
            matches("prod-*", "prod-eu") && matches("*prod*", "eu-prod-1") && matches("a", "a")
        );
        assert!(!matches("prod-*", "dev-prod-") && !matches("a", "ab"));
    }
}
