//! Flags that say where configuration comes from; the same for every command.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// Whose merge rules are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EditionChoice {
    /// What the server pod runs, else the user's config file, else pro.
    Auto,
    /// What a Mage OSS server really does, losses included.
    Oss,
    /// What Mage documents: a deep merge of every layer.
    Pro,
}

/// A `NAME=VALUE` pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameValue {
    pub name: String,
    pub value: String,
}

impl FromStr for NameValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("expected NAME=VALUE".to_owned()),
        }
    }
}

fn parse_object(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("it is no JSON object: {error}")),
    }
}

fn parse_given(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn parse_image(text: &str) -> Result<String, String> {
    let is_one = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_one { Ok(text.to_owned()) } else { Err("an image's name has no blanks".to_owned()) }
}

/// Where configuration comes from.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing")]
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Mage project: the folder that holds metadata.yaml
    ///
    /// Default: `KUBECTL_MAGE_PROJECT`, else the nearest such parent of the working directory.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Whose merge rules: auto, oss or pro
    #[arg(long, value_enum, value_name = "EDITION", default_value_t = EditionChoice::Auto, hide_possible_values = true)]
    pub edition: EditionChoice,
    /// Whether the edition is the one that a run was made with.
    #[arg(skip)]
    pub edition_is_recorded: bool,
    /// The full template; default: `K8S_CONFIG_FILE` of the server's environment
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server's environment
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A variable of the Mage server's environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub server_env: Vec<NameValue>,
    /// A dotenv file with the Mage server's environment
    ///
    /// `NAME=VALUE` or `export NAME=VALUE` a line, comments after `#`. A value in quotes may have
    /// several lines; `$NAME` stays as it is. Of several of one name the last one counts.
    #[arg(long, value_name = "FILE")]
    pub server_env_file: Option<PathBuf>,
    /// The Mage server's pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE
    ///
    /// `auto` looks by label and image in `-n`, `KUBE_NAMESPACE` and the context's namespace.
    /// `@FILE` reads the pod from a JSON or YAML file.
    #[arg(long, value_name = "POD", default_value = "auto")]
    pub server_pod: String,
    /// Never open a connection
    #[arg(long)]
    pub offline: bool,
    /// A file made by `kubectl mage snapshot`, which stands for the cluster
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// A runtime variable: a JSON value or text; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub var: Vec<NameValue>,
    /// What a `*_secret_var` function should give; may be repeated
    ///
    /// `NAME=@FILE` takes a whole file as the value, such as a key. `@FILE` is a dotenv file.
    #[arg(long, value_name = "NAME=VALUE|@FILE")]
    pub secret: Vec<String>,
    /// Render names that are not set in Jinja as empty instead of failing
    #[arg(long)]
    pub allow_unset: bool,
    /// The trigger's name, for `{trigger_name}`
    #[arg(long, value_name = "NAME")]
    pub trigger: Option<String>,
    /// The id Mage's scheduler would give the block run
    #[arg(long, value_name = "N")]
    pub block_run_id: Option<u64>,
    /// The id Mage's scheduler would give the pipeline run
    #[arg(long, value_name = "N")]
    pub pipeline_run_id: Option<u64>,
    /// The partition blocks keep their output in
    #[arg(long, value_name = "P")]
    pub execution_partition: Option<String>,
    /// What Mage passes to data integration blocks
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    pub template_runtime_configuration: Option<String>,
    /// The project's path in the pod
    ///
    /// Default: the `mage start` argument of the server's command, else its `USER_CODE_PATH`, else
    /// `/home/src/` and the project folder's name.
    #[arg(long, value_name = "DIR", value_parser = parse_given)]
    pub repo_path: Option<String>,
    /// Container image
    #[arg(long, value_name = "IMAGE", value_parser = parse_image)]
    pub image: Option<String>,
    /// Leave out blocks that Mage itself would not run in Kubernetes
    #[arg(long)]
    pub only_k8s: bool,
}
