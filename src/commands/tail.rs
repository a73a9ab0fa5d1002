//! `tail` and `logs`

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::entry::written;
use super::facts::{Connected, connect, listen};
use super::keeping::folder;
use super::run_name::{RunName, unknown_run};
use super::saved::{newest_run, saved_logs};
use super::subject::Subject;
use super::targets::{meant, pipeline_at_hand, pipelines};
use crate::cli::{LevelChoice, LogArgs, LogOutput, MergeChoice};
use crate::cluster::{Cluster, PATIENCE};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::find_project;
use crate::logs::{Filter, FirstRun, Level, Order, Part, Until};
use crate::tail::{self, Containers, Ended, Mix, TailOptions, Teller, Times, Verdict, Wanted};
use crate::ui::{LogForm, LogPrinter, LogStyle, Printer, Zone, plural};

/// How far apart in time lines may come that `--merge=time` puts in order.
const WINDOW: Duration = Duration::from_secs(3);

/// Follows logs until the Jobs end.
pub(super) fn tail(args: &LogArgs, printer: Printer) -> Result<Exit, CliError> {
    let show = Showing::read(args, printer, Order::Arrival)?;
    let connected = connect(&args.connection)?;
    let options = options(args, &connected, Until::End, show.times(), printer)?;
    let (told, shown) = show.start(&connected, printer);
    let ended = connected.runtime.block_on(async {
        let signals = listen()?;
        Ok::<_, CliError>(tail::tail(&connected.cluster, &options, told, signals).await)
    });
    written(connected.runtime.block_on(shown.finish()))?;
    match ended? {
        Ended::Over { verdict, unread, saved } => {
            if saved > 0 {
                printer.notice(&find_saved(args, saved, connected.cluster.namespace()));
            }
            let exit = told_verdict(verdict, args, &connected.cluster, printer);
            if exit == Exit::Fine && unread > 0 {
                let what = plural(unread, "log");
                let problem = Problem::new(format!("{what} could not be read to the end"));
                return Err(CliError::new(Exit::Cluster, problem.hint("what was printed is whole up to there; each is named above, with the reason")));
            }
            Ok(exit)
        }
        Ended::Stopped(signal) => Ok(signal.exit()),
        Ended::Unread => Ok(Exit::Fine),
        Ended::Lost(error) => Err(error.into()),
        Ended::NoContainer(name, known) => Err(no_container(&name, &known)),
        Ended::Mixed(one, other) => Err(mixed(&one, &other)),
        Ended::NoRun(run) => Err(no_run(&run, args, &options, &connected)),
    }
}

/// Says that there is no such run, and where its logs are.
fn no_run(run: &str, args: &LogArgs, options: &TailOptions, connected: &Connected) -> CliError {
    let namespace = connected.cluster.namespace();
    let mut error = connected.runtime.block_on(unknown_run(&connected.cluster, namespace, run));
    let own = options.saved.iter().filter(|saved| saved.of.run.as_deref() == Some(run));
    let (count, problem) = (own.count(), error.problems.last_mut());
    if let Some(problem) = problem.filter(|_| count > 0) {
        problem.hints.insert(0, find_saved(args, count, namespace));
    }
    error
}

/// Says that logs were saved, and what prints them.
fn find_saved(args: &LogArgs, count: usize, namespace: &str) -> String {
    let what = args.subjects.join(" ");
    let logs = plural(count, "log");
    format!(
        "{logs} of pods that are gone were saved: see `kubectl mage logs {what} -n {namespace}`"
    )
}

/// Prints the logs that are there.
pub(super) fn logs(args: &LogArgs, printer: Printer) -> Result<Exit, CliError> {
    let show = Showing::read(args, printer, Order::Sequence)?;
    let connected = connect(&args.connection)?;
    let options = options(args, &connected, Until::Now, show.times(), printer)?;
    let (told, shown) = show.start(&connected, printer);
    let read = connected.runtime.block_on(tail::read(&connected.cluster, &options, told));
    written(connected.runtime.block_on(shown.finish()))?;
    let read = read?;
    if let Some((name, known)) = &read.no_container {
        return Err(no_container(name, known));
    }
    if let Some((one, other)) = &read.mixed {
        return Err(mixed(one, other));
    }
    if let Some(path) = read.untimed {
        let path = path.display();
        let problem = Problem::new(format!(
            "when the lines of {path} were written is not known: the file of their times is gone from beside it"
        ));
        let hint = "leave --since, --since-time and --timestamps out";
        return Err(CliError::usage(problem.hint(hint)));
    }
    for note in read.notes.iter().chain(&read.waiting) {
        printer.notice(note);
    }
    if let Some((name, why)) = read.unreadable.first() {
        let problem = Problem::new(format!("{name} cannot be read: {why}"));
        return Err(CliError::new(Exit::Cluster, problem));
    }
    if let Some(error) = read.unreached {
        let mut error = CliError::from(error);
        if let (Some(problem), true) = (error.problems.last_mut(), read.logs > 0) {
            problem.hints.insert(
                0,
                "what is printed was saved before; the cluster may have more".to_owned(),
            );
        }
        return Err(error);
    }
    let is_empty = read.logs == 0 && read.waiting.is_empty();
    if is_empty || (!read.missing.is_empty() && options.saved.is_empty()) {
        return Err(nothing(&read.missing, args, &options, &connected.cluster));
    }
    Ok(if read.logs == 0 { Exit::No } else { Exit::Fine })
}

/// Says that there is no such container.
fn no_container(name: &str, known: &[String]) -> CliError {
    let problem = Problem::new(format!("no pod of it has a container {name}"));
    CliError::usage(problem.hint(format!("name one of {} with -c", known.join(", "))))
}

/// Says that bytes would come out of which nobody could tell whose they are.
fn mixed(one: &str, other: &str) -> CliError {
    let problem =
        Problem::new(format!("-o raw is for one log, and there are several: {one}, {other}"));
    CliError::usage(problem.hint("name one, as PIPELINE/BLOCK or job/NAME, and the container with -c; or keep all of them, byte for byte, with --save DIR"))
}

/// Says that there is nothing to read.
fn nothing(
    missing: &[String],
    args: &LogArgs,
    options: &TailOptions,
    cluster: &Cluster,
) -> CliError {
    let namespace = cluster.namespace();
    let problem = Problem::new(match missing {
        [] => format!("there is no pod of {} in namespace {namespace}", args.subjects.join(" ")),
        missing => format!("there is no {} in namespace {namespace}", missing.join(" and no ")),
    });
    let problem = match &args.selector {
        Some(_) if !options.saved.is_empty() => problem.hint(
            "leave --selector out to find what was saved: no file tells which labels a Job had",
        ),
        _ => problem,
    };
    CliError::usage(problem.hint(format!(
        "pods go with their Jobs: see what is known with `kubectl mage why {}`, wait for one with `kubectl mage tail`, or name another namespace with -n",
        args.subjects[0]
    )))
}

/// Says what came of it, where that is not what everybody hopes.
fn told_verdict(verdict: Verdict, args: &LogArgs, cluster: &Cluster, printer: Printer) -> Exit {
    let subject = &args.subjects[0];
    let namespace = cluster.namespace();
    match verdict {
        Verdict::Complete => Exit::Fine,
        Verdict::Stopped => {
            printer.notice(&format!(
                "not all blocks have run, and nobody drives the run: see `kubectl mage status {subject} -n {namespace}`"
            ));
            Exit::No
        }
        Verdict::Failed | Verdict::CouldNotStart => {
            printer.notice(&format!("see why: kubectl mage why {subject} -n {namespace}"));
            if verdict == Verdict::Failed { Exit::No } else { Exit::CouldNotStart }
        }
        Verdict::Cancelled => {
            printer.notice("the run was cancelled");
            Exit::Cancelled
        }
    }
}

/// How logs are shown.
struct Showing {
    style: LogStyle,
    filter: Filter,
    order: Order,
}

impl Showing {
    fn read(args: &LogArgs, printer: Printer, usual: Order) -> Result<Self, CliError> {
        let wrong =
            |error: &dyn std::fmt::Display| CliError::usage(Problem::new(error.to_string()));
        let timestamps = match &args.timestamps {
            Some(zone) => Zone::of_timestamps(zone).map_err(|error| wrong(&error))?,
            None => None,
        };
        let form = match args.output {
            LogOutput::Text => LogForm::Text,
            LogOutput::Raw => LogForm::Raw,
            LogOutput::Json => LogForm::Json,
        };
        let level = args.level.map(|level| match level {
            LevelChoice::Debug => Level::Debug,
            LevelChoice::Info => Level::Info,
            LevelChoice::Warning => Level::Warning,
            LevelChoice::Error => Level::Error,
        });
        let filter =
            Filter::new(level, &args.grep, &args.exclude).map_err(|error| wrong(&error))?;
        let style = LogStyle {
            form,
            terminal: printer.stdout_is_terminal(),
            color: printer.stdout_has_color(),
            clock: timestamps.clone().or_else(|| Zone::local().ok()).unwrap_or_else(Zone::utc),
            timestamps,
        };
        let order = match args.merge {
            None => usual,
            Some(MergeChoice::Arrival) => Order::Arrival,
            Some(MergeChoice::Time) => Order::Time { window: WINDOW },
        };
        Ok(Self { style, filter, order })
    }

    fn times(&self) -> Times {
        if self.style.timestamps.is_some() { Times::Shown } else { Times::Unshown }
    }

    fn start(self, connected: &Connected, printer: Printer) -> (Teller, LogPrinter) {
        let which = (self.filter, self.order);
        LogPrinter::start(&connected.runtime, printer, self.style, which)
    }
}

/// Says what is followed, and how.
fn options(
    args: &LogArgs,
    connected: &Connected,
    until: Until,
    times: Times,
    printer: Printer,
) -> Result<TailOptions, CliError> {
    let cluster = &connected.cluster;
    let namespace = cluster.namespace().to_owned();
    let folder = args.save.as_deref().map(|path| folder(path, "--save", None, printer));
    let folder = folder.transpose()?;
    let saved = saved_logs(args.save.as_deref(), cluster);
    let mut wanted = Vec::new();
    for subject in &args.subjects {
        wanted.push(match Subject::parse(subject)? {
            Subject::Run(name @ RunName::Latest) => {
                let run = connected.runtime.block_on(name.resolve(cluster, &namespace));
                match (run, newest_run(&saved)) {
                    // Of no run is anything left.
                    (Err(error), Some(run)) if error.exit == Exit::Usage => Wanted::Run(run),
                    (run, _) => Wanted::Run(run?),
                }
            }
            Subject::Run(RunName::Named(run)) => Wanted::Run(run),
            Subject::PipelineAt(run) => Wanted::PipelineAt(run),
            Subject::Job(name) => Wanted::Job(name),
            Subject::Target { pipeline, block } => {
                if let Some(doubt) = unknown_here(&pipeline, block.as_deref()) {
                    printer.notice(&doubt);
                }
                Wanted::Target { pipeline, block }
            }
        });
    }
    let mix = if args.output == LogOutput::Raw { Mix::Refused } else { Mix::Told };
    let containers = match (args.all_containers, args.container.is_empty(), mix) {
        (true, ..) => Containers::All,
        (false, false, _) => Containers::Named(args.container.clone()),
        (false, true, Mix::Told) => Containers::Main,
        (false, true, Mix::Refused) => Containers::MainOnly,
    };
    Ok(TailOptions {
        wanted,
        namespace,
        labels: args.selector.clone().unwrap_or_default(),
        containers,
        mix,
        part: part(args, connected, until)?,
        max_streams: args.max_streams,
        folder,
        saved,
        times,
        contact_timeout: PATIENCE,
    })
}

/// Says that the project at hand does not know a target: it may be a slip, or of another project.
fn unknown_here(pipeline: &str, block: Option<&str>) -> Option<String> {
    let project = find_project(None).ok()?;
    let names = pipelines(&project);
    if !names.iter().any(|name| name == pipeline) {
        let hint = meant(pipeline, &names);
        return Some(format!("the project at hand has no pipeline `{pipeline}`: {hint}"));
    }
    let problem = pipeline_at_hand(&project, pipeline)?.find(block?).err()?;
    Some([vec![problem.message], problem.hints].concat().join(": "))
}

/// Says which part of each log is read.
fn part(args: &LogArgs, connected: &Connected, until: Until) -> Result<Part, CliError> {
    let since = match args.since {
        None => args.since_time,
        Some(since) => {
            // By the server's clock: this machine's may be minutes off.
            let now = connected.runtime.block_on(connected.cluster.ask_time())?;
            let since = SignedDuration::try_from(since).unwrap_or(SignedDuration::MAX);
            Some(now.checked_sub(since).unwrap_or(Timestamp::MIN))
        }
    };
    let tail_lines = match args.tail {
        None | Some(-1) => None,
        Some(lines) => Some(u32::try_from(lines).map_err(|_| {
            let problem = Problem::new(format!("--tail {lines} is no number of lines"));
            CliError::usage(problem.hint("pass 0 or more, or -1 for all"))
        })?),
    };
    let first = match (args.previous, since, tail_lines) {
        (true, ..) => FirstRun::OnlyPrevious,
        (false, None, None) => FirstRun::Previous,
        _ => FirstRun::Present,
    };
    Ok(Part { until, first, since, tail_lines })
}
