//! Runs a kubeconfig's exec plugin as client-go does
//! (`client-go/plugin/pkg/client/auth/exec/exec.go`).
//!
//! kube has this, too, but tells every plugin that it may ask a person, drops a token that comes with
//! a certificate, and says nothing of what to install.

use std::io::{self, ErrorKind, IsTerminal, Read as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;

use super::flags::Plugins;

const GROUP: &str = "client.authentication.k8s.io/";

/// What a plugin gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) token: Option<String>,
    /// A certificate and its key, PEM.
    pub(super) identity: Option<(String, String)>,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

/// Runs it and reads what it prints. Of a plugin only its name and last words are told: variables,
/// arguments and what else it prints may hold secrets.
pub(super) fn run(exec: &ExecConfig, plugins: Plugins) -> Result<Given, String> {
    let program = exec.command.as_deref().unwrap_or_default();
    let terminal = plugins == Plugins::MayAsk && io::stdin().is_terminal();
    let interactive = interactive(exec, terminal)?;
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    let named = exec.env.iter().flatten();
    command.envs(named.filter_map(|pair| Some((pair.get("name")?, pair.get("value")?))));
    command.env("KUBERNETES_EXEC_INFO", info(exec, interactive));
    command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    // What a plugin that may ask says on stderr is for the person.
    let asks = exec.interactive_mode != Some(ExecInteractiveMode::Never);
    command.stderr(match plugins {
        Plugins::Unattended(_) => Stdio::null(),
        Plugins::MayAsk if asks => Stdio::inherit(),
        Plugins::MayAsk => Stdio::piped(),
    });
    let started = command.stdout(Stdio::piped()).spawn();
    let ended = started.and_then(|child| match plugins {
        Plugins::MayAsk => child.wait_with_output(),
        Plugins::Unattended(limit) => output_within(child, limit),
    });
    let output = ended.map_err(|error| {
        let hint = exec.install_hint.as_deref().filter(|hint| !hint.is_empty());
        let hint = hint.filter(|_| error.kind() == ErrorKind::NotFound);
        let hint = hint.map(|hint| format!("; {}", hint.trim())).unwrap_or_default();
        format!("the exec plugin {program} of the kubeconfig cannot be run: {error}{hint}")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let last = last.map(|line| format!(": {}", line.trim())).unwrap_or_default();
        return Err(format!(
            "the exec plugin {program} of the kubeconfig ended with {}{last}",
            output.status
        ));
    }
    read(exec, &output.stdout)
        .map_err(|why| format!("the exec plugin {program} of the kubeconfig {why}"))
}

/// Waits for a child that prints to a pipe, and ends it when it goes on for longer.
fn output_within(mut child: Child, limit: Duration) -> io::Result<Output> {
    let (tell, told) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut text));
        // Nobody listens any more once the time is over.
        let _ = tell.send(read.map(|_| text));
    });
    let stdout = told.recv_timeout(limit).unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
    if stdout.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    Ok(Output { status, stdout: stdout?, stderr: Vec::new() })
}

/// Says whether the plugin may ask a person.
fn interactive(exec: &ExecConfig, terminal: bool) -> Result<bool, String> {
    match &exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => Ok(false),
        Some(ExecInteractiveMode::Always) if !terminal => Err(format!(
            "the exec plugin {} of the kubeconfig wants to ask, and standard input is no terminal",
            exec.command.as_deref().unwrap_or_default()
        )),
        Some(ExecInteractiveMode::Always) => Ok(true),
        Some(ExecInteractiveMode::IfAvailable) | None => Ok(terminal),
    }
}

/// What the plugin finds in its environment.
fn info(exec: &ExecConfig, interactive: bool) -> String {
    let mut spec = json!({ "interactive": interactive });
    if exec.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&exec.cluster).unwrap_or_default();
    }
    json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec}).to_string()
}

fn read(exec: &ExecConfig, stdout: &[u8]) -> Result<Given, String> {
    let credential: Credential =
        serde_saphyr::from_slice(stdout).map_err(|_| "printed no ExecCredential".to_owned())?;
    let wanted = exec.api_version.as_deref().unwrap_or_default();
    let version = credential.api_version.as_deref().unwrap_or_default();
    if version != wanted {
        return Err(format!("answered in {version:?}, and is configured for {wanted:?}"));
    }
    if credential.kind.as_deref() != Some("ExecCredential") {
        return Err("printed something else than an ExecCredential".to_owned());
    }
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let status = credential.status.ok_or("printed an ExecCredential without a status")?;
    let identity = match (filled(status.client_certificate_data), filled(status.client_key_data)) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("gave only one of certificate and key".to_owned()),
    };
    let token = filled(status.token);
    if token.is_none() && identity.is_none() {
        return Err("gave neither a token nor a certificate".to_owned());
    }
    let expires = match filled(status.expiration_timestamp) {
        Some(text) => Some(
            text.parse().map_err(|_| format!("says it expires at {text:?}, which is no time"))?,
        ),
        None => None,
    };
    Ok(Given { token, identity, expires })
}

/// Says what is wrong with the configuration of a plugin.
pub(super) fn wrong(exec: &ExecConfig) -> Option<String> {
    if exec.command.as_deref().unwrap_or_default().is_empty() {
        return Some("its exec plugin has no `command`".to_owned());
    }
    let version = exec.api_version.as_deref().unwrap_or_default();
    match version.strip_prefix(GROUP) {
        Some("v1") if exec.interactive_mode.is_none() => {
            Some("its exec plugin has no `interactiveMode`, which v1 wants".to_owned())
        }
        Some("v1" | "v1beta1") => None,
        _ => Some(format!(
            "its exec plugin is configured for {version:?}; it must be {GROUP}v1 or {GROUP}v1beta1"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(mode: Option<ExecInteractiveMode>) -> ExecConfig {
        ExecConfig {
            api_version: Some(format!("{GROUP}v1")),
            command: Some("/opt/aws".to_owned()),
            interactive_mode: mode,
            ..ExecConfig::default()
        }
    }

    #[test]
    fn a_plugin_asks_only_at_a_terminal() {
        use ExecInteractiveMode::{Always, IfAvailable, Never};
        for (mode, terminal, wanted) in [
            (Some(Never), true, Some(false)),
            (Some(IfAvailable), true, Some(true)),
            (Some(IfAvailable), false, Some(false)),
            (Some(Always), true, Some(true)),
            (Some(Always), false, None),
        ] {
            assert_eq!(interactive(&exec(mode.clone()), terminal).ok(), wanted, "{mode:?}");
        }
    }

    #[test]
    fn what_it_prints_is_read_with_suspicion() {
        let of = |text: &str| read(&exec(None), text.as_bytes());
        let both = of(r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t","clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2026-01-01T00:00:00Z"}}"#).unwrap();
        assert_eq!((both.token.as_deref(), both.identity.is_some()), (Some("t"), true));
        assert!(both.expires.is_some());
        let head = "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\n";
        assert_eq!(of(&format!("{head}status: {{token: y}}")).unwrap().token.as_deref(), Some("y"));
        for (text, why) in [
            (format!("{head}status: {{}}"), "neither a token nor a certificate"),
            (format!("{head}status: {{clientKeyData: k}}"), "only one of"),
            (format!("{head}status: {{token: t, expirationTimestamp: soon}}"), "is no time"),
            (head.to_owned(), "without a status"),
            (head.replace("v1", "v1beta1"), "is configured for"),
            ("hunter2".to_owned(), "no ExecCredential"),
        ] {
            let error = of(&text).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
        }
    }
}
