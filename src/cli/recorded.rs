//! The flags of `run` that are recorded with a run, so that its Jobs can be made anew.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use super::{ConfigArgs, EditionChoice, NameValue, RunArgs};
use crate::job::secret::{holds_secret, is_secret_name};

/// What `run` was told of the Jobs, as far as it is recorded. `--secret`, and variables of the
/// server whose names look secret, are not: they are given again.
#[derive(Clone, Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub struct RecordedFlags {
    pub targets: Vec<String>,
    #[arg(long)]
    pub upstream: bool,
    #[arg(long)]
    pub downstream: bool,
    #[arg(long)]
    pub skip_type: Vec<String>,
    /// Earlier versions recorded it; the settings of the run say the same.
    #[arg(long)]
    pub keep_going: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl RecordedFlags {
    /// Writes the flags of a run, as they would be typed.
    #[must_use]
    pub fn of(args: &RunArgs) -> Vec<String> {
        let same = Self {
            targets: args.targets.clone(),
            upstream: args.upstream,
            downstream: args.downstream,
            skip_type: args.skip_type.clone(),
            keep_going: args.keep_going,
            config: args.config.clone(),
        };
        same.written()
    }

    /// Writes them.
    #[must_use]
    pub fn written(&self) -> Vec<String> {
        let mut flags = self.targets.clone();
        flags.extend(self.skip_type.iter().map(|kind| format!("--skip-type={kind}")));
        for (given, flag) in [
            (self.upstream, "--upstream"),
            (self.downstream, "--downstream"),
            (self.keep_going, "--keep-going"),
        ] {
            flags.extend(given.then(|| flag.to_owned()));
        }
        flags.extend(of_config(&self.config));
        flags
    }

    /// Leaves out what may be a secret, by its name or by what it holds.
    #[must_use]
    pub fn without_secrets(flags: &[String]) -> Vec<String> {
        let tells = |flag: &&String| {
            let value = flag.split_once('=').map_or("", |(_, value)| value);
            let is_pair = flag.starts_with("--var=") || flag.starts_with("--server-env=");
            let (name, value) = match value.split_once('=') {
                Some(pair) if is_pair => pair,
                _ => ("", value),
            };
            is_secret_name(name) || holds_secret(value)
        };
        flags.iter().filter(|flag| !tells(flag)).cloned().collect()
    }

    /// Reads recorded flags; none when another version wrote them.
    #[must_use]
    pub fn read(flags: &[String]) -> Option<Self> {
        Self::try_parse_from(flags).ok()
    }
}

fn of_config(config: &ConfigArgs) -> Vec<String> {
    let absolute = |path: &PathBuf| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        path.display().to_string()
    };
    let path = |path: &Option<PathBuf>| path.as_ref().map(absolute);
    let pod = match config.server_pod.strip_prefix('@') {
        Some(file) => Some(format!("@{}", absolute(&Path::new(file).to_owned()))),
        None => Some(config.server_pod.clone()).filter(|pod| pod != "auto"),
    };
    let edition = Some(config.edition).filter(|edition| *edition != EditionChoice::Auto);
    let edition = edition.and_then(|edition| edition.to_possible_value());
    let single = [
        ("edition", edition.map(|value| value.get_name().to_owned())),
        ("template", path(&config.template)),
        ("policy", path(&config.policy)),
        ("server-env-file", path(&config.server_env_file)),
        ("server-pod", pod),
        ("snapshot", path(&config.snapshot)),
        ("trigger", config.trigger.clone()),
        ("execution-partition", config.execution_partition.clone()),
        ("template-runtime-configuration", config.template_runtime_configuration.clone()),
        ("repo-path", config.repo_path.clone()),
        ("image", config.image.clone()),
    ];
    let mut flags: Vec<String> = single
        .into_iter()
        .filter_map(|(name, value)| Some(format!("--{name}={}", value?)))
        .collect();
    let pair =
        |flag: &str, NameValue { name, value }: &NameValue| format!("--{flag}={name}={value}");
    flags.extend(config.var.iter().map(|var| pair("var", var)));
    let told = config.server_env.iter().filter(|variable| !is_secret_name(&variable.name));
    flags.extend(told.map(|variable| pair("server-env", variable)));
    flags.extend(config.allow_unset.then(|| "--allow-unset".to_owned()));
    flags.extend(config.only_k8s.then(|| "--only-k8s".to_owned()));
    flags
}

impl ConfigArgs {
    /// Tells whether a flag of these was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        RecordedFlags::read(&[]).is_none_or(|none| none.config != *self)
    }

    /// Returns these flags with the recorded ones where none is given. Of those that may be
    /// repeated, the ones given come last, where they win.
    #[must_use]
    pub fn over(&self, recorded: &Self) -> Self {
        let (given, recorded) = (self.clone(), recorded.clone());
        let server_pod =
            if given.server_pod == "auto" { recorded.server_pod } else { given.server_pod };
        let edition = match given.edition {
            EditionChoice::Auto => recorded.edition,
            edition => edition,
        };
        let both = |recorded: Vec<NameValue>, given: Vec<NameValue>| {
            let keeps = |old: &NameValue| given.iter().all(|new| new.name != old.name);
            let mut all: Vec<NameValue> = recorded.into_iter().filter(keeps).collect();
            all.extend(given);
            all
        };
        Self {
            project: given.project,
            edition,
            edition_is_recorded: given.edition == EditionChoice::Auto,
            template: given.template.or(recorded.template),
            policy: given.policy.or(recorded.policy),
            server_env: both(recorded.server_env, given.server_env),
            server_env_file: given.server_env_file.or(recorded.server_env_file),
            server_pod,
            offline: false,
            snapshot: given.snapshot.or(recorded.snapshot),
            var: both(recorded.var, given.var),
            secret: given.secret,
            allow_unset: given.allow_unset || recorded.allow_unset,
            trigger: given.trigger.or(recorded.trigger),
            block_run_id: None,
            pipeline_run_id: None,
            execution_partition: recorded.execution_partition,
            template_runtime_configuration: given
                .template_runtime_configuration
                .or(recorded.template_runtime_configuration),
            repo_path: given.repo_path.or(recorded.repo_path),
            image: given.image.or(recorded.image),
            only_k8s: given.only_k8s || recorded.only_k8s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RecordedFlags;
    use crate::cli::{EditionChoice, RunArgs};
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        run: RunArgs,
    }

    fn recorded(line: &[&str]) -> Vec<String> {
        RecordedFlags::of(&Cli::parse_from([&["x"], line].concat()).run)
    }

    #[test]
    fn what_makes_the_jobs_is_recorded_and_secrets_are_not() {
        let flags = recorded(&[
            "etl/load",
            "etl/left",
            "--downstream",
            "--skip-type",
            "sensor",
            "--var",
            "a=b=c",
            "--edition",
            "oss",
            "--image",
            "i:1",
            "--only-k8s",
            "--secret",
            "K=hunter2",
            "--server-env",
            "DB_PASSWORD=hunter2",
            "--server-env",
            "ENV=dev",
            "--parallel",
            "3",
            "--server-pod",
            "@/p.yaml",
            "--policy",
            "/policy.yaml",
        ]);
        assert!(!flags.iter().any(|flag| flag.contains("hunter2")), "{flags:?}");
        let read = RecordedFlags::read(&flags).unwrap();
        assert_eq!(read.targets, ["etl/load", "etl/left"]);
        assert!(read.downstream && !read.upstream && read.config.only_k8s);
        assert_eq!(read.skip_type, ["sensor"]);
        assert_eq!(read.config.edition, EditionChoice::Oss);
        assert_eq!(read.config.var[0].value, "b=c");
        assert_eq!(read.config.server_env.len(), 1);
        assert_eq!(read.config.server_pod, "@/p.yaml");
        assert!(read.config.is_given());
        // What is given holds over what is recorded.
        let given =
            RecordedFlags::read(&["--image=i:2".to_owned(), "--var=a=d".to_owned()]).unwrap();
        let both = given.config.over(&read.config);
        assert_eq!(both.image.as_deref(), Some("i:2"));
        assert_eq!(both.var.len(), 1);
        assert_eq!((both.var[0].value.as_str(), both.only_k8s), ("d", true));
    }

    #[test]
    fn variables_that_look_secret_can_be_left_out() {
        let flags = recorded(&[
            "etl",
            "--var=api_token=hunter2",
            "--var=db={\"password\": \"hunter2\"}",
            "--var=limit=5",
            "--server-env=DB=postgres://me:hunter2@db/x",
            "--policy=/p.yaml",
        ]);
        let told = RecordedFlags::without_secrets(&flags);
        assert_eq!(told, ["etl", "--policy=/p.yaml", "--var=limit=5"]);
    }

    #[test]
    fn no_flags_are_none_given_and_strange_ones_are_not_read() {
        assert!(!RecordedFlags::read(&recorded(&["etl"])).unwrap().config.is_given());
        assert!(RecordedFlags::read(&["--from-the-future".to_owned()]).is_none());
    }
}
