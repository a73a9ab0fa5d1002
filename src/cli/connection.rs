//! kubectl's connection flags, on every command that talks to a cluster.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cluster::{ConnectionFlags, Plugins};
use crate::config::check::is_dns_label;

/// kubectl's own flags, with kubectl's meaning.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection (as in kubectl)")]
pub struct ConnectionArgs {
    /// Path to the kubeconfig file to use
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The name of the kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// The name of the kubeconfig cluster to use
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,

    /// The name of the kubeconfig user to use
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// The namespace of the Jobs
    #[arg(short, long, value_name = "NAME", value_parser = parse_namespace)]
    pub namespace: Option<String>,

    /// Username to impersonate; a user or a service account
    #[arg(long = "as", value_name = "USER")]
    pub as_: Option<String>,

    /// Group to impersonate; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub as_group: Vec<String>,

    /// Bearer token for authentication to the API server
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,

    /// The address and port of the API server
    #[arg(short, long, value_name = "URL")]
    pub server: Option<String>,

    /// Do not check the server's certificate; this makes the connection insecure
    #[arg(
        long, value_name = "BOOL", default_missing_value = "true", num_args = 0..=1,
        require_equals = true, default_value = "false", hide_default_value = true,
        action = clap::ArgAction::Set
    )]
    pub insecure_skip_tls_verify: bool,

    /// How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s.
    /// It never cuts a log stream
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    pub request_timeout: Option<Duration>,
}

impl From<ConnectionArgs> for ConnectionFlags {
    fn from(args: ConnectionArgs) -> Self {
        Self {
            kubeconfig: args.kubeconfig,
            context: args.context.filter(|name| !name.is_empty()),
            cluster: args.cluster.filter(|name| !name.is_empty()),
            user: args.user.filter(|name| !name.is_empty()),
            namespace: args.namespace.filter(|name| !name.is_empty()),
            as_: args.as_,
            as_group: args.as_group,
            token: args.token,
            server: args.server.filter(|server| !server.is_empty()),
            insecure_skip_tls_verify: args.insecure_skip_tls_verify,
            request_timeout: args.request_timeout,
            plugins: Plugins::MayAsk,
        }
    }
}

impl ConnectionArgs {
    /// Returns the namespace that `-n` names; an empty one is none, as in kubectl.
    #[must_use]
    pub fn given_namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|name| !name.is_empty())
    }
}

/// Refuses what cannot be a namespace before it gets into a request.
fn parse_namespace(text: &str) -> Result<String, String> {
    if text.is_empty() || is_dns_label(text) {
        return Ok(text.to_owned());
    }
    Err("a namespace has lower-case letters, digits and `-` inside, at most 63".to_owned())
}

/// Parses kubectl's timeouts: a whole number of seconds, or Go's durations.
fn parse_timeout(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    parse_duration(text)
}

/// Parses Go's durations, `1h30m`, `1.5s`, `300ms`, `0`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 30s, 5m or 1h30m");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(wrong()),
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{ConnectionArgs, parse_duration, parse_timeout};
    use crate::cluster::ConnectionFlags;
    use clap::Parser;
    use std::time::Duration;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        connection: ConnectionArgs,
    }

    #[test]
    fn takes_what_kubectl_takes() {
        let flags = |line: &str| -> ConnectionFlags {
            Cli::try_parse_from(line.split(' ')).unwrap().connection.into()
        };
        let all =
            flags("x -n etl -s https://h --as me --as-group a --as-group b --request-timeout=5");
        assert_eq!(all.namespace.as_deref(), Some("etl"));
        assert_eq!(all.server.as_deref(), Some("https://h"));
        assert_eq!(all.as_group, ["a", "b"]);
        assert_eq!(all.request_timeout, Some(Duration::from_secs(5)));
        assert!(!all.insecure_skip_tls_verify);
        assert!(flags("x --insecure-skip-tls-verify").insecure_skip_tls_verify);
        assert!(!flags("x --insecure-skip-tls-verify=false").insecure_skip_tls_verify);
        assert_eq!(flags("x --namespace=a").namespace.as_deref(), Some("a"));
        assert_eq!(flags("x --namespace=").namespace, None);
        for wrong in ["a?b=c", "../x", "a/b", "A", "-a", "a."] {
            assert!(Cli::try_parse_from(["x", "-n", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_gos() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_timeout("7"), Ok(Duration::from_secs(7)));
        for wrong in ["", "5", "1d", "s", "-3s", "1h30"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
