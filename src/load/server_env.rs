//! The environment of the Mage server: flags, a file, the server pod's container, and last this
//! process's own.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::dotenv::parse_dotenv;
use crate::cli::NameValue;
use crate::config::Source;
use crate::error::CliError;
use crate::snapshot::Environment;

/// A variable that was found.
#[derive(Clone, Debug)]
pub struct EnvFound {
    /// Its value.
    pub value: String,
    /// Where it was found.
    pub source: Source,
    /// Whether a path in it is one on this machine (and not one in the server's pod).
    pub local: bool,
}

#[derive(Clone, Debug)]
struct Variable {
    name: String,
    value: String,
    holder: String,
    local: bool,
}

/// The variables of the Mage server, highest first.
#[derive(Debug, Default)]
pub struct ServerEnv {
    variables: Vec<Variable>,
    from_process: Mutex<BTreeSet<String>>,
}

impl ServerEnv {
    /// Takes the variables of `--server-env` and of the dotenv file's text.
    pub fn new(flags: &[NameValue], file: Option<(&str, &str)>) -> Result<Self, CliError> {
        let mut env = Self::default();
        // Of several of one name the last one counts, and the first that is pushed.
        for pair in flags.iter().rev() {
            env.push(&pair.name, &pair.value, "--server-env".to_owned(), true);
        }
        if let Some((name, text)) = file {
            for variable in parse_dotenv(name, text)?.iter().rev() {
                let holder = format!("{name}:{}", variable.line);
                env.push(&variable.name, &variable.value, holder, true);
            }
        }
        Ok(env)
    }

    fn push(&mut self, name: &str, value: &str, holder: String, local: bool) {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.variables.push(Variable { name, value, holder, local });
    }

    /// Adds the server container's variables, below those given by hand.
    pub fn add_pod(&mut self, environment: &Environment, holder: &str) {
        for variable in &environment.variables {
            let holder = match &variable.object {
                Some(object) => format!("{holder}, {object}"),
                None => holder.to_owned(),
            };
            self.push(&variable.name, &variable.value, holder, false);
        }
    }

    /// Returns the value of a variable given by `--server-env` or `--server-env-file`.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        let given = |variable: &&Variable| variable.local && variable.name == name;
        self.variables.iter().find(given).map(|variable| variable.value.as_str())
    }

    /// Looks a variable up; this process's environment comes last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<EnvFound> {
        let source = |holder: &str| Source::Env { name: name.into(), holder: holder.into() };
        if let Some(found) = self.variables.iter().find(|variable| variable.name == name) {
            let Variable { value, holder, local, .. } = found;
            return Some(EnvFound { value: value.clone(), source: source(holder), local: *local });
        }
        let value = std::env::var(name).ok()?;
        self.from_process.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Some(EnvFound { value, source: source("this process"), local: true })
    }

    /// Looks up a variable's value alone; an empty one counts as unset.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.get(name).map(|found| found.value).filter(|value| !value.is_empty())
    }

    /// Returns every variable, this process's own included, for templates that name them.
    #[must_use]
    pub fn all(&self) -> std::collections::BTreeMap<String, String> {
        let own = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut all: std::collections::BTreeMap<String, String> = own.collect();
        // The first of a name is the one in force.
        for variable in self.variables.iter().rev() {
            all.insert(variable.name.clone(), variable.value.clone());
        }
        all
    }

    /// Returns the names that were taken from this process's environment.
    #[must_use]
    pub fn used_from_process(&self) -> Vec<String> {
        self.from_process.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::PodVariable;

    #[test]
    fn flags_beat_the_file_and_the_file_beats_the_pod() {
        let flag = NameValue { name: "A".into(), value: "flag".into() };
        let first = NameValue { name: "A".into(), value: "first".into() };
        let text = "# c\nB=first\nB='x # y'\nexport A=file\nC=1 # one\n";
        let mut env = ServerEnv::new(&[first, flag], Some((".env", text))).unwrap();
        let of = |name: &str| PodVariable {
            name: name.into(),
            value: "pod".into(),
            object: None,
            changed_at: None,
        };
        let pod = Environment { variables: vec![of("B"), of("D")], ..Environment::default() };
        env.add_pod(&pod, "pod mage-0");
        let value = |name| env.get(name).unwrap().value;
        assert_eq!(
            (value("A"), value("B"), value("C"), value("D")),
            ("flag".into(), "x # y".into(), "1".into(), "pod".into())
        );
        assert_eq!(env.get("B").unwrap().source.to_string(), "env B (.env:3)");
        assert!(!env.get("D").unwrap().local);
        assert!(ServerEnv::new(&[], Some((".env", "nonsense"))).is_err());
    }
}
