//! The files made from the command line's own definition: completions, man pages, the reference,
//! settings and rights, and the book's list of findings.
//!
//! One source, so they cannot disagree with `--help`. `make docs` writes them anew (that is this
//! test with `UPDATE_DOCS=1`); without it the test fails when one is out of date.

mod lint;
mod reference;
mod rights;
mod settings;
mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{CommandFactory as _, Parser as _};
use kubectl_mage::cli::{Cli, CompletionShell, completion};

/// Path below the package's folder, and content.
type Files = BTreeMap<PathBuf, String>;

/// Folders that hold generated files and nothing else.
const FOLDERS: [&str; 4] = ["completions", "docs/lint", "docs/man", "docs/schemas"];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> Files {
    let mut files = Files::new();
    for (name, shell) in [
        ("kubectl-mage.bash", CompletionShell::Bash),
        ("kubectl-mage.elv", CompletionShell::Elvish),
        ("kubectl-mage.fish", CompletionShell::Fish),
        ("kubectl_complete-mage", CompletionShell::Kubectl),
        ("_kubectl-mage.ps1", CompletionShell::PowerShell),
        ("_kubectl-mage", CompletionShell::Zsh),
    ] {
        files.insert(Path::new("completions").join(name), completion::script(shell));
    }
    let mut cli = Cli::command();
    cli.build();
    man_pages(&cli, &mut files);
    files.insert("docs/reference.md".into(), reference::page(&cli));
    files.insert("docs/rights.md".into(), rights::page());
    files.insert("docs/settings.md".into(), settings::page());
    let now = fs::read_to_string(package().join("docs/SUMMARY.md")).expect("written by hand");
    files.insert("docs/SUMMARY.md".into(), summary::page(&now));
    lint::pages(&mut files);
    for (name, schema) in [
        ("run-event", kubectl_mage::ui::event_schema()),
        ("log-event", kubectl_mage::ui::log_event_schema()),
        ("doctor", kubectl_mage::ui::doctor_schema()),
        ("diff", kubectl_mage::diff::diff_schema()),
        ("runs", kubectl_mage::ui::runs_schema()),
        ("status", kubectl_mage::ui::status_schema()),
        ("why", kubectl_mage::ui::why_schema()),
        ("lint", kubectl_mage::ui::lint_schema()),
        ("explain-config", kubectl_mage::ui::explain_schema()),
        ("run-report", kubectl_mage::ui::report_schema()),
        ("snapshot", kubectl_mage::ui::snapshot_schema()),
    ] {
        let path = format!("docs/schemas/{name}.schema.json");
        files.insert(path.into(), kubectl_mage::ui::manifest::json(&schema));
    }
    files
}

fn man_pages(command: &clap::Command, files: &mut Files) {
    let examples = command.get_after_long_help().map(ToString::to_string);
    let man = clap_mangen::Man::new(command.clone().after_long_help(None));
    let mut page = Vec::new();
    man.render(&mut page).expect("a Vec takes everything");
    // clap_mangen would run the lines together.
    if let Some(lines) = examples.as_deref().and_then(|text| text.strip_prefix("Examples:\n")) {
        let lines = lines.replace('\\', "\\e").replace('-', "\\-");
        page.extend_from_slice(format!(".SH EXAMPLES\n.nf\n{lines}\n.fi\n").as_bytes());
    }
    let name = Path::new("docs/man").join(man.get_filename());
    files.insert(name, String::from_utf8(page).expect("man pages are UTF-8"));
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        man_pages(command, files);
    }
}

fn on_disk() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(package().join(folder)) else { continue };
        paths
            .extend(entries.map(|entry| {
                Path::new(folder).join(entry.expect("a readable folder").file_name())
            }));
    }
    paths
}

fn update(files: &Files) {
    for path in on_disk().iter().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(package().join(path)).expect("the checkout is writable");
    }
    for (path, content) in files {
        let path = package().join(path);
        let folder = path.parent().expect("below the package");
        fs::create_dir_all(folder).expect("the checkout is writable");
        fs::write(&path, content).expect("the checkout is writable");
        #[cfg(unix)]
        if content.starts_with("#!") {
            use std::os::unix::fs::PermissionsExt as _;
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&path, executable).expect("the checkout is writable");
        }
    }
}

#[test]
fn generated_files_are_fresh() {
    let files = generated();
    if env::var_os("UPDATE_DOCS").is_some() {
        update(&files);
    }
    let mut wrong: Vec<String> = Vec::new();
    for (path, content) in &files {
        match fs::read_to_string(package().join(path)) {
            Ok(found) if found == *content => {}
            Ok(_) => wrong.push(format!("{}: out of date", path.display())),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    for path in on_disk().iter().filter(|path| !files.contains_key(*path)) {
        wrong.push(format!("{}: nothing generates it any more", path.display()));
    }
    assert!(wrong.is_empty(), "run `make docs` and commit what it writes:\n{}", wrong.join("\n"));
}

/// What the help of a command gives as examples can be typed in `examples/shop`.
#[test]
fn examples_in_the_help_are_of_the_example_project() {
    let cli = Cli::command();
    let shop = package().join("examples/shop/pipelines");
    for command in cli.get_subcommands() {
        let name = command.get_name();
        let Some(text) = command.get_after_long_help().map(ToString::to_string) else {
            assert!(["version", "completion"].contains(&name), "{name} has no example");
            continue;
        };
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("kubectl mage "));
        let lines: Vec<_> = lines.collect();
        assert!(!lines.is_empty() && lines.len() <= 3, "{name}: {text}");
        for line in lines {
            let typed = line.split(['|', '>']).next().expect("there is a first");
            let words = typed.split_whitespace();
            assert!(line.starts_with(name), "{line} is no example of {name}");
            Cli::try_parse_from(["mage"].into_iter().chain(words.clone()))
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            for word in words.skip(1).filter(|word| word.starts_with("orders")) {
                let (pipeline, block) = word.split_once('/').unwrap_or((word, ""));
                let pipeline = pipeline.split('@').next().expect("there is a first");
                let text = fs::read_to_string(shop.join(pipeline).join("metadata.yaml"));
                let text = text.expect("the example has this pipeline");
                assert!(block.is_empty() || text.contains(&format!("uuid: {block}")), "{line}");
            }
        }
    }
}
