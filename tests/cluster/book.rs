//! The book: every `console` block of `docs/` and of the README is run, page by page, and says what
//! the page says.
//!
//! One server's pod and one project serve all pages, in the order of `docs/SUMMARY.md`; each page
//! finds the project as it is in `examples/shop`, and the runs of the pages before it. What a page
//! needs and need not show stands in a comment, `<!-- setup`. `UPDATE_DOCS=1` writes what was said
//! into the pages; `KUBECTL_MAGE_TEST_PAGES=tutorial.md,fix.md` runs only these.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

mod page;
mod same;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kubectl_mage::run::RunId;
use regex::Regex;
use tempfile::TempDir;

use self::page::{Page, Step};
use crate::binary::{Said, kubectl};
use crate::genuine::{copy, server};
use crate::support::Bench;

/// Names of runs as the pages give them, in the order in which a page meets them.
const RUNS: [&str; 8] = [
    "orders-7xk2dq",
    "orders-p4m9tz",
    "orders-c8wjh5",
    "orders-z2n6vb",
    "orders-q9d4rk",
    "orders-h5t8xw",
    "orders-w6b7nl",
    "orders-t9v5gc",
];
/// What the pages call the namespace, the context and the home, whatever they are in the test.
const NAMESPACE: &str = "mage";
const CONTEXT: &str = "mage-local";
const HOME: &str = "/home/ada";
/// The last words of a Python that dies once its work is done, in the threads of one of Mage's libraries, rarely. No page is
/// about that.
const CRASHED: &str = "terminate called without an active exception";

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the pages in the book's order, and the README after them.
fn pages() -> Vec<PathBuf> {
    let summary = std::fs::read_to_string(package().join("docs/SUMMARY.md")).unwrap();
    let link = Regex::new(r"\]\(([^)]+\.md)\)").unwrap();
    let chosen = std::env::var("KUBECTL_MAGE_TEST_PAGES").ok();
    link.captures_iter(&summary)
        .map(|found| package().join("docs").join(&found[1]))
        .chain([package().join("README.md")])
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|page| page == name))
        })
        .collect()
}

/// The home of whoever reads the book: the project in git, kubectl with the plugin, a kubeconfig.
struct Reader {
    home: TempDir,
    namespace: String,
    context: String,
}

impl Reader {
    fn new(bench: &Bench) -> Self {
        let home = tempfile::tempdir().unwrap();
        let context = Said::new(kubectl(bench, &["config", "current-context"]).output().unwrap());
        let context = context.ends(0).stdout.trim().to_owned();
        let reader = Self { home, namespace: bench.namespace.clone(), context };
        copy(&package().join("examples/shop"), &reader.project());
        let bin = reader.home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-mage"), bin.join("kubectl-mage"))
            .unwrap();
        let own = bench.kubeconfig.with_file_name("bin").join("kubectl");
        if own.exists() {
            std::os::unix::fs::symlink(own, bin.join("kubectl")).unwrap();
        }
        std::fs::copy(&bench.kubeconfig, reader.home.path().join("kubeconfig")).unwrap();
        let begin = format!(
            "kubectl config set-context --current --namespace {}
            git config --global user.name Ada && git config --global user.email ada@example.com
            git config --global init.defaultBranch main
            git init -q && git add -A && git commit -qm 'The shop'",
            reader.namespace
        );
        reader.run(&begin).ends(0);
        reader
    }

    fn project(&self) -> PathBuf {
        self.home.path().join("shop")
    }

    /// Runs a line in the project as bash does, stdout and stderr in one as on a terminal.
    fn run(&self, line: &str) -> Said {
        let home = self.home.path();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", home.join("bin").display());
        let mut command = Command::new("timeout");
        command.args(["600", "bash", "-c", &format!("exec 2>&1\n{line}")]);
        command.current_dir(self.project()).stdin(Stdio::null()).env_clear();
        command.env("HOME", home).env("PATH", path).env("KUBECONFIG", home.join("kubeconfig"));
        command.env("USER", "ada").env("LANG", "C.UTF-8").env("TZ", "UTC").env("COLUMNS", "120");
        let date = "2026-01-05T09:00:00Z";
        command.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
        Said::new(command.output().unwrap())
    }

    /// Puts the project back as it was.
    fn tidy(&self) {
        let first = "git reset -q --hard $(git rev-list --max-parents=0 HEAD) && git clean -qfdx";
        self.run(first).ends(0);
        self.run("rm -rf ~/.config/kubectl-mage").ends(0);
    }

    /// Returns a text with the pages' names in place of the test's own.
    fn shown(&self, text: &str, runs: &mut BTreeMap<String, String>) -> String {
        let word = |name: &str| Regex::new(&format!(r"\b{}\b", regex::escape(name))).unwrap();
        let text = word(&self.namespace).replace_all(text, NAMESPACE).into_owned();
        let text = word(&self.context).replace_all(&text, CONTEXT).into_owned();
        let mut text = text.replace(self.home.path().to_str().unwrap(), HOME);
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        if !host.trim().is_empty() {
            text = word(host.trim()).replace_all(&text, "laptop").into_owned();
        }
        let name = Regex::new(r"\b[a-z_]+-[bcdfghjklmnpqrstvwxz2456789]{6}\b").unwrap();
        let found: Vec<_> = name.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
        for run in found.into_iter().filter(|run| RunId::looks_like(run)) {
            let next = RUNS[runs.len().min(RUNS.len() - 1)];
            runs.entry(run).or_insert_with(|| next.to_owned());
        }
        runs.iter().fold(text, |text, (own, shown)| text.replace(own.as_str(), shown))
    }

    /// Does what a page says and gathers what was said otherwise; with `UPDATE_DOCS` writes it.
    /// Tells whether there was anything to do.
    fn read(&self, path: &Path, wrong: &mut Vec<String>) -> bool {
        let mut page = Page::read(path);
        let (mut runs, mut said) = (BTreeMap::new(), Vec::new());
        for step in page.steps() {
            let Step { line, command, code, expected } = step;
            let own = command.replace("-n mage", &format!("-n {}", self.namespace));
            let own = runs.iter().fold(own, |command, (own, shown): (&String, &String)| {
                command.replace(shown.as_str(), own)
            });
            let mut found = self.run(&own);
            if found.stdout.contains(CRASHED) {
                found = self.run(&own);
            }
            let output = self.shown(&found.stdout, &mut runs);
            let place = format!("{}:{line}: $ {command}", path.display());
            if found.code != *code || found.stdout.contains("panicked") {
                wrong.push(format!("{place}\nexit code {}, not {code}:\n{output}", found.code));
            }
            let Some(expected) = expected else {
                said.push(None);
                continue;
            };
            let differs = same::differs(expected, &output);
            if let Some(difference) = &differs {
                wrong.push(format!("{place}\n{difference}\nwhole output:\n{output}"));
            }
            said.push(differs.map(|_| same::elided(expected, &output)));
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            page.update(said);
            page.write(path);
        }
        !page.steps().is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_console_block_says_what_the_page_says() {
    // As long as the pages' name for it, so that tables keep their columns.
    let unique = RunId::fresh("t").to_string();
    let namespace = format!("m{}", &unique[unique.len() - NAMESPACE.len() + 1..]);
    let Some(bench) = Bench::named(namespace).await else { return };
    let reader = Reader::new(&bench);
    let data = reader.home.path().join("data");
    if server(&bench, &reader.project(), &data, &["--stand-in"]).is_none() {
        bench.end().await;
        return;
    }
    let mut wrong = Vec::new();
    for path in pages() {
        let begin = std::time::Instant::now();
        if !reader.read(&path, &mut wrong) {
            continue;
        }
        reader.tidy();
        eprintln!("{} {:.1} s", path.display(), begin.elapsed().as_secs_f64());
    }
    bench.end().await;
    assert!(wrong.is_empty(), "UPDATE_DOCS=1 writes what is said:\n\n{}", wrong.join("\n\n"));
}
