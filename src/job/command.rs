//! The command line that Mage's scheduler gives the pod
//! (`mage_ai/data_preparation/executors/block_executor.py: _run_commands`).

use crate::config::{LayerKind, Origin, Source};
use crate::merge::{Content, Tree};

/// What goes into the command.
#[derive(Clone, Debug, Default)]
pub struct CommandParts {
    /// The project's path in the pod, and where it is said.
    pub repo_path: String,
    /// Who said it.
    pub repo_path_source: Option<Source>,
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The block run's uuid; absent for a whole pipeline in one pod.
    pub block: Option<String>,
    /// `--execution-partition`.
    pub execution_partition: Option<String>,
    /// `--block-run-id`.
    pub block_run_id: Option<String>,
    /// `--pipeline-run-id`.
    pub pipeline_run_id: Option<String>,
    /// `--template-runtime-configuration`, JSON.
    pub template_runtime_configuration: Option<String>,
    /// `--runtime-vars`, JSON: what Mage would read from its database.
    pub runtime_vars: Option<String>,
    /// Whose Job it is.
    pub fidelity: Fidelity,
}

/// How close a Job is kept to Mage's own where that is not what the text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fidelity {
    /// It means what the text says.
    #[default]
    Meant,
    /// It is the very Job that Mage OSS sends, wherever the API server accepts that.
    MageOss,
}

/// Makes the command, each word with its origin.
#[must_use]
pub fn command(parts: &CommandParts) -> Tree {
    let mut words = Words::default();
    for word in ["/app/run_app.sh", "mage", "run"] {
        words.push(word, Source::BuiltIn);
    }
    let repo_path_source = parts.repo_path_source.clone().unwrap_or(Source::BuiltIn);
    for (text, source) in [(&parts.repo_path, repo_path_source), (&parts.pipeline, flag("TARGET"))]
    {
        // Mage joins these with blanks, and then splits at blanks.
        if parts.fidelity == Fidelity::MageOss {
            text.split(' ').for_each(|word| words.push(word, source.clone()));
        } else {
            words.push(text, source);
        }
    }
    if let Some(block) = &parts.block {
        words.push("--block-uuid", Source::BuiltIn);
        words.push(block, flag("TARGET"));
    }
    words.push("--executor-type", Source::BuiltIn);
    words.push("local_python", Source::BuiltIn);
    for (name, value) in [
        ("--execution-partition", &parts.execution_partition),
        ("--block-run-id", &parts.block_run_id),
        ("--pipeline-run-id", &parts.pipeline_run_id),
        ("--template-runtime-configuration", &parts.template_runtime_configuration),
        ("--runtime-vars", &parts.runtime_vars),
    ] {
        if let Some(value) = value {
            words.push(name, Source::BuiltIn);
            words.push(value, flag(name));
        }
    }
    let content = Content::List { items: words.0, closed: false };
    Tree::new(content, Origin::built_in("container.command"))
}

fn flag(name: &str) -> Source {
    Source::Flag { name: name.into() }
}

#[derive(Default)]
struct Words(Vec<Tree>);

impl Words {
    fn push(&mut self, word: &str, source: Source) {
        let layer = match source {
            Source::Flag { .. } => LayerKind::Flag,
            Source::Object { .. } | Source::Env { .. } => LayerKind::ServerPod,
            _ => LayerKind::Hardcoded,
        };
        let setting = format!("container.command[{}]", self.0.len());
        self.0.push(Tree::leaf(word, Origin::new(layer, source, &setting)));
    }
}
