//! Reads the command line that `command` makes: what a Job of the Mage server says of itself.

/// What a command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MageCommand {
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
    /// `--template-runtime-configuration`.
    pub template_runtime_configuration: Option<String>,
    /// The project's path in the pod.
    pub repo_path: String,
}

/// Reads the words of a command, or of a command and its arguments; none when they do not run Mage.
#[must_use]
pub fn read_command<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<MageCommand> {
    let words: Vec<&str> = words.into_iter().collect();
    // Under a shell everything is one word.
    let words: Vec<&str> = match words.iter().find(|word| word.contains("mage run ")) {
        Some(line) => line.split_whitespace().collect(),
        None => words,
    };
    let is_mage = |word: &str| word == "mage" || word.ends_with("/mage");
    let run = words.windows(2).position(|pair| is_mage(pair[0]) && pair[1] == "run")?;
    let mut rest = words[run + 2..].iter().copied();
    let mut command = MageCommand::default();
    let mut positional = Vec::new();
    // Mage's scheduler puts them before every flag; the values of flags may have blanks.
    let mut leading = None;
    while let Some(word) = rest.next() {
        let Some(flag) = word.strip_prefix("--") else {
            positional.push(word);
            continue;
        };
        leading.get_or_insert(positional.len());
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if matches!(flag, "test" | "skip-sensors") => (flag, None),
            None => (flag, rest.next()),
        };
        let slot = match name {
            "block-uuid" => &mut command.block,
            "execution-partition" => &mut command.execution_partition,
            "block-run-id" => &mut command.block_run_id,
            "pipeline-run-id" => &mut command.pipeline_run_id,
            "template-runtime-configuration" => &mut command.template_runtime_configuration,
            _ => continue,
        };
        *slot = value.map(str::to_owned);
    }
    // A project's path with blanks is several words; a pipeline's uuid has none.
    if let Some(leading) = leading.filter(|count| *count >= 2) {
        positional.truncate(leading);
    }
    let (pipeline, repo_path) = positional.split_last().filter(|(_, path)| !path.is_empty())?;
    (*pipeline).clone_into(&mut command.pipeline);
    command.repo_path = repo_path.join(" ");
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::{MageCommand, read_command};
    use crate::job::{CommandParts, command};

    #[test]
    fn reads_back_what_is_made() {
        let parts = CommandParts {
            repo_path: "/home/src/my project".to_owned(),
            pipeline: "etl".to_owned(),
            block: Some("child:3".to_owned()),
            execution_partition: Some("1/20261125T000000".to_owned()),
            block_run_id: Some("17".to_owned()),
            pipeline_run_id: Some("4".to_owned()),
            runtime_vars: Some(r#"{"env": "--block-uuid"}"#.to_owned()),
            template_runtime_configuration: Some(r#"{"index":0}"#.to_owned()),
            ..CommandParts::default()
        };
        let words = command(&parts).to_json();
        let words: Vec<&str> =
            words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let expected = MageCommand {
            pipeline: "etl".to_owned(),
            block: Some("child:3".to_owned()),
            execution_partition: Some("1/20261125T000000".to_owned()),
            block_run_id: Some("17".to_owned()),
            pipeline_run_id: Some("4".to_owned()),
            template_runtime_configuration: Some(r#"{"index":0}"#.to_owned()),
            repo_path: "/home/src/my project".to_owned(),
        };
        assert_eq!(read_command(words.iter().copied()), Some(expected.clone()));
        let line = words.join(" ");
        assert_eq!(read_command(["/bin/sh", "-c", &line]), Some(expected));
    }

    #[test]
    fn what_is_not_mage_is_told_apart() {
        for words in [&["/app/run_app.sh", "mage", "start", "/home/src"][..], &["sleep", "3"], &[]]
        {
            assert_eq!(read_command(words.iter().copied()), None);
        }
        let whole = read_command(["mage", "run", "--test", "/p", "etl"]).unwrap();
        assert_eq!((whole.pipeline.as_str(), whole.block), ("etl", None));
    }
}
