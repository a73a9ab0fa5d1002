//! Gathers what `doctor` judges: as much as can be had, with or without a project or a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures::future::join_all;
use k8s_openapi::jiff::SignedDuration;
use serde_json::Value;

use super::facts::{Connected, connect, facts_of, from_file};
use super::guard::readonly;
use super::lint::look;
use super::snapshot::{each_job, fill};
use crate::cli::{ConfigArgs, DoctorArgs, FailOn, LintArgs, environment};
use crate::cluster::{Cluster, ClusterError, context_namespace, images_of_pods};
use crate::doctor::{
    Answered, Asked, Changes, Compared, Counts, Facts, Given, Identity, ImageFacts, ImageWanted,
    Judged, Names, Place, Reach, Right, Stage, Wanted, changes, rights_all,
};
use crate::error::{CliError, Problem};
use crate::job::RenderedJob;
use crate::lint::Reported;
use crate::load::{ClusterFacts, Inputs, find_project, read_inputs, read_server_env};
use crate::shell::quoted;
use crate::ui::{ColorWhen, Printer, Verbosity};

/// Everything that could be had.
pub(super) struct Gathered {
    project: Result<PathBuf, Problem>,
    names: Option<Names>,
    reach: Reach,
    identity: Option<Identity>,
    ahead: Option<SignedDuration>,
    cluster: ClusterFacts,
    judged: Judged,
    inputs: Result<Box<Inputs>, Vec<Problem>>,
    findings: Vec<Reported>,
    wanted: Wanted,
    images: ImageFacts,
    rights: Vec<Answered>,
    compared: Option<Compared>,
    /// The names of everything that Jobs speak of.
    used: BTreeSet<String>,
    /// Why the server's pod that was named cannot be used.
    server: Option<Problem>,
    asked: Asked,
    given: Given,
}

impl Gathered {
    /// Returns what checks look at.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            asked: self.asked.clone(),
            server: self.server.clone(),
            given: self.given.clone(),
            project: self.project.clone(),
            names: self.names.clone(),
            reach: self.reach.clone(),
            identity: self.identity.clone(),
            ahead: self.ahead,
            snapshot: &self.cluster.snapshot,
            judged: self.judged,
            inputs: match &self.inputs {
                Ok(inputs) => Ok(inputs),
                Err(problems) => Err(problems),
            },
            findings: &self.findings,
            wanted: self.wanted.clone(),
            images: self.images.clone(),
            rights: self.rights.clone(),
            compared: self.compared.clone(),
        }
    }

    /// Returns who asks.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Gathers it all. Only a project or a file that was named and is not there is an error.
    pub(super) fn read(args: &DoctorArgs) -> Result<Self, CliError> {
        let mut gathered = Self::empty(project(args)?);
        gathered.asked = asked(args);
        gathered.given =
            Given { policy: args.config.policy.clone(), template: args.config.template.clone() };
        let connected = if args.config.offline { None } else { gathered.connect(args) };
        let with = args.config.snapshot.is_some();
        let mut old = if with { Some(from_file(&args.config, &mut Vec::new())?) } else { None };
        match (&connected, &mut old) {
            (Some(connected), _) => gathered.ask(args, connected)?,
            (None, Some(_)) => {
                gathered.cluster = old.take().unwrap_or_default();
                gathered.judged = Judged::File;
            }
            (None, None) => {
                let namespace = context_namespace(&args.connection.clone().into());
                gathered.cluster.snapshot.context.namespace = namespace;
            }
        }
        gathered.configuration(args)?;
        gathered.compared = old.map(|old| gathered.compared(&old));
        if let Some(connected) = &connected {
            gathered.ask_after(args, connected)?;
        }
        Ok(gathered)
    }

    fn empty(project: Result<PathBuf, Problem>) -> Self {
        Self {
            project,
            names: None,
            reach: Reach::NotAsked,
            identity: None,
            ahead: None,
            cluster: ClusterFacts::default(),
            judged: Judged::Nothing,
            inputs: Err(Vec::new()),
            findings: Vec::new(),
            wanted: Wanted::default(),
            images: ImageFacts::default(),
            rights: Vec::new(),
            compared: None,
            used: BTreeSet::new(),
            server: None,
            asked: Asked::default(),
            given: Given::default(),
        }
    }

    /// Connects as far as that goes; returns the connection of a server that answers.
    fn connect(&mut self, args: &DoctorArgs) -> Option<Connected> {
        let connected = match connect(&args.connection) {
            Ok(connected) => connected,
            Err(error) => {
                let stage = match error.exit {
                    crate::exit::Exit::Usage => Stage::Kubeconfig,
                    _ => Stage::Credentials,
                };
                self.reach = Reach::No { stage, cause: error.to_string() };
                return None;
            }
        };
        let cluster = &connected.cluster;
        self.names = Some(Names {
            context: cluster.context().map(str::to_owned),
            server: cluster.server().to_owned(),
            user: cluster.user().map(str::to_owned),
            namespace: cluster.namespace().to_owned(),
        });
        (self.reach, self.ahead) = connected.runtime.block_on(cluster.reach());
        matches!(self.reach, Reach::Yes { .. }).then_some(connected)
    }

    /// Asks the cluster for what it says about configuration, and who is asking.
    fn ask(&mut self, args: &DoctorArgs, connected: &Connected) -> Result<(), CliError> {
        let env = read_server_env(&args.config)?;
        match connected.runtime.block_on(connected.cluster.who_am_i()) {
            Ok(identity) => self.identity = identity,
            Err(error) => return self.lost(error),
        }
        let mut config = self.live(&args.config);
        self.judged = Judged::Live;
        self.cluster = match facts_of(connected, &config, &args.connection, &env) {
            Ok(facts) => facts,
            // One that was named and is not there, or may not be read, is a finding; the rest is told.
            Err(error) if config.server_pod != "auto" => {
                self.server = error.problems.into_iter().next();
                config = self.live(&args.config);
                facts_of(connected, &config, &args.connection, &env)?
            }
            Err(error) => return Err(error),
        };
        let quiet = Printer::new(ColorWhen::Never, Verbosity::Quiet);
        fill((&config, &args.connection), &mut self.cluster, connected, quiet)
    }

    /// With a cluster that answers, a snapshot is only what it is compared with; a pod that cannot be used
    /// is left out.
    fn live(&self, config: &ConfigArgs) -> ConfigArgs {
        let mut config = ConfigArgs { snapshot: None, ..config.clone() };
        if self.server.is_some() {
            "none".clone_into(&mut config.server_pod);
        }
        config
    }

    fn compared(&self, old: &ClusterFacts) -> Compared {
        let is_used = |list: &str, name: &str| match self.wanted.jobs {
            // Without Jobs nobody knows, but for namespaces: those asked for.
            0 if list == "existingNamespaces" => {
                self.cluster.snapshot.namespaces.contains_key(name)
            }
            0 => true,
            _ => self.used.contains(name) || self.wanted.namespaces.contains(name),
        };
        Compared {
            file: old.file.clone().unwrap_or_default(),
            // The file's secrets are masked; what is compared with it must be, too.
            changes: changes(&old.snapshot, &self.cluster.snapshot.clone().masked(), is_used),
        }
    }

    /// Takes a refusal of the credentials, which the version may be told without, for what it is.
    fn lost(&mut self, error: ClusterError) -> Result<(), CliError> {
        let stage = match &error {
            ClusterError::Unauthorized { .. } => Stage::Authentication,
            ClusterError::Setup { .. } => Stage::Credentials,
            _ => return Err(error.into()),
        };
        self.reach = Reach::No { stage, cause: error.to_string() };
        Ok(())
    }

    /// Reads the configuration and makes the Jobs, with whatever is known of the cluster.
    fn configuration(&mut self, args: &DoctorArgs) -> Result<(), CliError> {
        let Ok(project) = self.project.clone() else { return Ok(()) };
        let config =
            if self.judged == Judged::Live { self.live(&args.config) } else { args.config.clone() };
        let env = read_server_env(&config)?;
        match read_inputs(&config, env, &self.cluster) {
            Ok(inputs) => self.inputs = Ok(Box::new(inputs)),
            Err(error) => {
                self.inputs = Err(error.problems);
                return Ok(());
            }
        }
        let lint = LintArgs {
            targets: Vec::new(),
            output: Vec::new(),
            fail_on: FailOn::Error,
            strict: false,
            live: self.judged == Judged::Live,
            fix: false,
            config: config.clone(),
            connection: args.connection.clone(),
        };
        self.findings = look(&lint, &self.cluster)?.found;
        let (wanted, images, used) = (&mut self.wanted, &mut self.images, &mut self.used);
        let mut homes = BTreeMap::new();
        let unmade = each_job(
            &project,
            (&config, &args.connection),
            &self.cluster,
            &mut |pipeline, job| {
                wanted.jobs += 1;
                wanted.namespaces.insert(job.namespace.clone());
                homes.entry(pipeline.to_owned()).or_insert_with(|| job.namespace.clone());
                images.wanted.extend(images_of(&job));
                texts(&job.job, used);
            },
        )?;
        wanted.homes = homes.into_values().collect();
        wanted.unmade = unmade.into_iter().map(|(name, error)| (name, error.to_string())).collect();
        Ok(())
    }

    /// Asks what needs the Jobs to be known: rights and images.
    fn ask_after(&mut self, args: &DoctorArgs, connected: &Connected) -> Result<(), CliError> {
        let (runtime, cluster) = (&connected.runtime, &connected.cluster);
        if !matches!(self.reach, Reach::Yes { .. }) {
            return Ok(());
        }
        if self.wanted.namespaces.is_empty() {
            let namespace = cluster.namespace().to_owned();
            self.wanted.namespaces.insert(namespace.clone());
            self.wanted.homes.insert(namespace);
        }
        let wanted = self.wanted_rights(args, cluster.namespace());
        self.rights = runtime.block_on(answers(cluster, wanted))?;
        if !self.images.wanted.is_empty() {
            self.images.nodes = runtime.block_on(cluster.images_of_nodes())?;
            for namespace in &self.wanted.namespaces {
                match runtime.block_on(cluster.list_pods(namespace, "")) {
                    Ok(pods) => self.images.pods.extend(images_of_pods(&pods)),
                    Err(ClusterError::Forbidden { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Lists each right of each command in each namespace in which it is needed.
    fn wanted_rights(&self, args: &DoctorArgs, current: &str) -> Vec<Answered> {
        let search = &self.cluster.snapshot.server_pod;
        let mut servers: BTreeSet<&str> = search.namespaces.iter().map(String::as_str).collect();
        if servers.is_empty() {
            servers.insert(current);
        }
        let mut all = Vec::new();
        for command in rights_all() {
            let is_named = args.commands.iter().any(|name| name == command.command);
            if !is_named && !args.commands.is_empty() {
                continue;
            }
            let is_meant = args.commands.is_empty()
                && !command.command.contains(" --")
                && !(readonly().is_some() && command.changes == Changes::Cluster);
            let counts = if is_named || is_meant { Counts::Yes } else { Counts::No };
            for right in command.rights {
                let places: Vec<Option<&str>> = match right.place {
                    Place::Cluster => vec![None],
                    Place::Server => servers.iter().map(|name| Some(*name)).collect(),
                    Place::Jobs => {
                        self.wanted.namespaces.iter().map(|name| Some(name.as_str())).collect()
                    }
                    Place::Plans => {
                        self.wanted.homes.iter().map(|name| Some(name.as_str())).collect()
                    }
                };
                all.extend(places.into_iter().map(|namespace| Answered {
                    command: command.command,
                    counts,
                    right,
                    namespace: namespace.map(str::to_owned),
                    allowed: None,
                }));
            }
        }
        all
    }
}

/// Finds the project. One that was named must be there.
fn project(args: &DoctorArgs) -> Result<Result<PathBuf, Problem>, CliError> {
    match find_project(args.config.project.as_deref()) {
        Ok(project) => Ok(Ok(project)),
        Err(error) if args.config.project.is_some() => Err(error),
        Err(error) => {
            let first = error.problems.into_iter().next();
            Ok(Err(first.unwrap_or_else(|| Problem::new("there is no project"))))
        }
    }
}

/// Adds every text of a Job, among them the names of what it uses.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// Repeats what was asked, for hints: what decides on rights, and no secret.
fn asked(args: &DoctorArgs) -> Asked {
    let (to, config) = (&args.connection, &args.config);
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let cluster = [
        ("--kubeconfig", text(&to.kubeconfig)),
        ("--context", to.context.clone()),
        ("--cluster", to.cluster.clone()),
        ("--server", to.server.clone()),
    ];
    let given = |flags: &[(&str, Option<String>)]| -> String {
        let each = flags
            .iter()
            .filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted(value.as_deref()?))));
        each.collect()
    };
    let mut flags =
        vec![("--user", to.user.clone()), ("-n", to.namespace.clone()), ("--as", to.as_.clone())];
    flags.extend(to.as_group.iter().map(|group| ("--as-group", Some(group.clone()))));
    flags.extend(args.commands.iter().map(|command| ("--for", Some(command.clone()))));
    flags.push(("--project", text(&config.project)));
    let pod = Some(config.server_pod.clone()).filter(|pod| pod != "auto");
    flags.push(("--server-pod", pod));
    let decides = |name: &str| environment::SERVER.iter().any(|(known, _)| *known == name);
    flags.extend(
        config
            .server_env
            .iter()
            .filter(|pair| decides(&pair.name))
            .map(|pair| ("--server-env", Some(format!("{}={}", pair.name, pair.value)))),
    );
    flags.push(("--server-env-file", text(&config.server_env_file)));
    let insecure = if to.insecure_skip_tls_verify { " --insecure-skip-tls-verify" } else { "" };
    let cluster = given(&cluster);
    Asked {
        doctor: format!("kubectl mage doctor{cluster}{insecure}{}", given(&flags)),
        apply: format!("kubectl apply{cluster}{insecure} -f -"),
        named: !args.commands.is_empty(),
        optional: args.optional,
    }
}

/// Asks each right once, all side by side.
async fn answers(
    cluster: &Cluster,
    mut wanted: Vec<Answered>,
) -> Result<Vec<Answered>, ClusterError> {
    let key = |one: &Answered| {
        let Right { verb, resource, group, .. } = one.right;
        (one.namespace.clone(), verb, resource, group)
    };
    let mut asked: BTreeMap<_, Right> = BTreeMap::new();
    for one in &wanted {
        asked.entry(key(one)).or_insert(one.right);
    }
    let each = asked.iter().map(async |(key, right)| {
        let allowed = cluster.may(key.0.as_deref(), right).await?;
        Ok::<_, ClusterError>((key.clone(), allowed))
    });
    let mut told = BTreeMap::new();
    for answer in join_all(each).await {
        let (key, allowed) = answer?;
        told.insert(key, allowed);
    }
    for one in &mut wanted {
        one.allowed = told.get(&key(one)).copied().flatten();
    }
    Ok(wanted)
}

/// Lists the images of a Job's pod, and what they are pulled with.
fn images_of(job: &RenderedJob) -> Vec<ImageWanted> {
    let pod = &job.job["spec"]["template"]["spec"];
    let list = |key: &str| pod[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let secrets: Vec<String> =
        list("imagePullSecrets").iter().filter_map(|secret| text(&secret["name"])).collect();
    let containers = list("containers").into_iter().chain(list("initContainers"));
    containers
        .filter_map(|container| {
            Some(ImageWanted {
                image: text(&container["image"])?,
                namespace: job.namespace.clone(),
                account: text(&pod["serviceAccountName"]).unwrap_or_else(|| "default".to_owned()),
                secrets: secrets.clone(),
            })
        })
        .collect()
}
