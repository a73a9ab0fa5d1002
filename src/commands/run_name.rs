//! `RUN`, `run/RUN` or `@latest`, as commands about a run take it.

use crate::cluster::{Cluster, KnownRun};
use crate::error::{CliError, Problem};

/// How many runs an error lists.
const LISTED: usize = 10;

/// A run as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RunName {
    /// `RUN` or `run/RUN`.
    Named(String),
    /// `@latest`: the one that began last in the namespace.
    Latest,
}

impl RunName {
    /// Reads what was typed.
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        if text == "@latest" {
            return Ok(Self::Latest);
        }
        let name = text.strip_prefix("run/").unwrap_or(text);
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(safe) {
            let problem = Problem::new(format!("{text:?} is not the name of a run"));
            return Err(CliError::usage(
                problem.hint("a run is RUN, run/RUN or @latest: see `kubectl mage runs`"),
            ));
        }
        Ok(Self::Named(name.to_owned()))
    }

    /// Returns the run's name. Asks the cluster only for `@latest`; whether a run of a name given
    /// exists shows when it is read, and then [`unknown_run`] says what does.
    pub(super) async fn resolve(
        &self,
        cluster: &Cluster,
        namespace: &str,
    ) -> Result<String, CliError> {
        match self {
            Self::Named(name) => Ok(name.clone()),
            Self::Latest => match cluster.known_runs(namespace).await?.into_iter().next() {
                Some(newest) => Ok(newest.run),
                None => Err(CliError::usage(no_runs(namespace))),
            },
        }
    }
}

/// Says that there is no such run, and which ones there are.
pub(super) async fn unknown_run(cluster: &Cluster, namespace: &str, name: &str) -> CliError {
    match cluster.known_runs(namespace).await {
        Ok(known) => CliError::usage(unknown(name, namespace, &known)),
        Err(error) => error.into(),
    }
}

fn no_runs(namespace: &str) -> Problem {
    Problem::new(format!("there is no run in namespace {namespace}"))
        .hint("name another namespace with -n, or see `kubectl mage runs -A`")
}

fn unknown(name: &str, namespace: &str, known: &[KnownRun]) -> Problem {
    if known.is_empty() {
        return no_runs(namespace);
    }
    let problem = Problem::new(format!("there is no run {name} in namespace {namespace}"));
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, &known.run), known.run.as_str()))
        .filter(|(distance, run)| distance * 3 <= run.len())
        .collect();
    near.sort_unstable();
    let names = |names: &[&str]| names.join(", ");
    let problem = if near.is_empty() {
        let first: Vec<&str> = known.iter().take(LISTED).map(|known| known.run.as_str()).collect();
        let more = if known.len() > LISTED { ", …" } else { "" };
        problem.hint(format!("there are: {}{more}", names(&first)))
    } else {
        let near: Vec<&str> = near.into_iter().take(3).map(|(_, run)| run).collect();
        problem.hint(format!("did you mean {}?", names(&near)))
    };
    problem.hint("name another namespace with -n, or see `kubectl mage runs -A`")
}

#[cfg(test)]
mod tests {
    use super::{RunName, unknown};
    use crate::cluster::KnownRun;

    #[test]
    fn three_spellings_of_a_run() {
        let named = RunName::Named("etl-x7k2dq".to_owned());
        assert_eq!(RunName::parse("etl-x7k2dq").unwrap(), named);
        assert_eq!(RunName::parse("run/etl-x7k2dq").unwrap(), named);
        assert_eq!(RunName::parse("@latest").unwrap(), RunName::Latest);
        for text in ["", "run/", "job/x", "etl/load", "@newest"] {
            let error = RunName::parse(text).unwrap_err();
            assert!(error.to_string().ends_with("is not the name of a run"), "{error}");
        }
    }

    #[test]
    fn an_unknown_run_names_the_nearest_or_the_newest() {
        let known = ["etl-x7k2dq", "orders-bbbbbb"]
            .map(|run| KnownRun { run: run.to_owned(), started: None });
        let hint = |name: &str| unknown(name, "n", &known).hints[0].clone();
        assert_eq!(hint("etl-x7k2qd"), "did you mean etl-x7k2dq?");
        assert_eq!(hint("zzz"), "there are: etl-x7k2dq, orders-bbbbbb");
        assert_eq!(unknown("x", "n", &[]).message, "there is no run in namespace n");
    }
}
