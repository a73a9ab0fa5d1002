//! `version`

use serde_json::json;

use super::entry::out;
use crate::cli::VersionOutput;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Printer, manifest};

/// Prints the version of this tool, and what it was made against.
pub(super) fn version(output: Option<VersionOutput>, printer: Printer) -> Result<Exit, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    let value = json!({
        "version": version,
        "mage": MAGE,
        "kubernetesTypes": KUBERNETES,
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    });
    match output {
        None => out(
            printer,
            &format!(
                "kubectl-mage {version}\nfollows Mage OSS {MAGE} and Mage Pro's documentation\nchecks fields of Kubernetes {KUBERNETES}\n"
            ),
        )?,
        Some(VersionOutput::Json) => out(printer, &manifest::json(&value))?,
        Some(VersionOutput::Yaml) => out(printer, &manifest::yaml(&value))?,
    }
    Ok(Exit::Fine)
}

/// The version of Mage OSS that edition `oss` reproduces.
const MAGE: &str = "0.9.80";

/// The version of Kubernetes that the table of API types was made from.
const KUBERNETES: &str = "1.37";
