//! Edition `oss` against the genuine Mage, on projects made by chance.
//!
//! Where Mage raises or its Job would be refused, ours says so; everywhere else the two Jobs are
//! equal. Whether a Job would be refused is judged by `config::check`, which a test in
//! `tests/cluster` holds against a real API server.

pub(crate) mod case;
pub(crate) mod grammar;
mod losses;
pub(crate) mod text;

use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use self::case::{Made, made, runner};
use crate::cases::Case;
use crate::python::Python;
use crate::refused::refused;
use crate::support::{Said, run};
use crate::vectors::{comparable_mages, comparable_ours};

/// What Mage did with a case.
enum Mage {
    /// It ran the block in the server.
    NoJob,
    /// It raised before anything was sent.
    Raised(String),
    /// It sent a Job that the API server refuses.
    Refused(Vec<String>),
    /// It sent a Job.
    Sent(Box<Json>),
}

impl Mage {
    fn new(answer: &Json) -> Self {
        if answer["ok"] == false {
            return Self::Raised(answer["error"].to_string());
        }
        if answer["job"].is_null() {
            return Self::NoJob;
        }
        let refusals = refused(&answer["job"], answer["namespace"].as_str().unwrap_or_default());
        if refusals.is_empty() {
            Self::Sent(Box::new(comparable_mages(answer)))
        } else {
            Self::Refused(refusals)
        }
    }
}

/// Words of the findings that say what Mage would have done.
const FAILS: &str = "Mage OSS fails";
const REFUSED: &str = "a Job that the API server refuses";
/// What is said where nothing can be meant that the API server would take.
const WOULD_REFUSE: &str = "the API server would refuse the Job: ";
const NAME: &str = "cannot be the name of a Job";

/// Compares what Mage did with what this tool says of it; returns what differs.
fn difference(answer: &Json, said: &Said) -> Option<String> {
    let claims = [FAILS, REFUSED, WOULD_REFUSE, NAME].map(|words| said.stderr.contains(words));
    let told = claims.contains(&true) || said.code == 2;
    if !matches!(said.code, 0 | 2) || said.stderr.contains("panicked") {
        return Some(format!("ended with {}", said.code));
    }
    // An unset name is an error here in both editions; Mage renders the word `None`.
    if said.code == 2 && said.stderr.contains("is not set") {
        return None;
    }
    let ours: Json = serde_json::from_str(&said.stdout).unwrap_or_default();
    match Mage::new(answer) {
        Mage::NoJob => (ours["items"] != json!([])).then(|| "Mage makes no Job".to_owned()),
        Mage::Raised(error) => (!told).then(|| format!("Mage raises: {error}")),
        Mage::Refused(refusals) => (!told).then(|| format!("Mage's is refused: {refusals:?}")),
        Mage::Sent(mages) => {
            if told {
                return Some(format!("Mage sends a Job that is accepted:\n{mages:#}"));
            }
            let ours = comparable_ours(&ours["items"][0]);
            (ours != *mages).then(|| format!("ours\n{ours:#}\nMage's\n{mages:#}"))
        }
    }
}

/// Asks both about a case.
struct Oracle {
    python: Python,
    folder: tempfile::TempDir,
}

impl Oracle {
    fn start() -> Option<Self> {
        let python = Python::start("mage_ai, kubernetes", "tests/fixtures/mage/driver.py")?;
        Some(Self { python, folder: tempfile::tempdir().expect("a temporary folder") })
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("case")
    }

    fn asked(&mut self, made: &Made) -> (Json, Said) {
        let folder = self.folder();
        made.write(&folder);
        let answer = self.python.ask(&json!(folder));
        let said = ours(&folder, answer.clone());
        (answer, said)
    }

    fn difference(&mut self, made: &Made) -> Option<String> {
        let (answer, said) = self.asked(made);
        difference(&answer, &said).map(|text| format!("{text}\n--- stderr\n{}", said.stderr))
    }
}

/// Renders a case with this tool, in edition `oss`; a block for another executor is no Job.
pub(crate) fn ours(folder: &Path, answer: Json) -> Said {
    let mut arguments = Case::open(folder.to_path_buf(), answer).arguments("oss");
    arguments.push("--only-k8s".to_owned());
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Makes a case that differs as small as can be.
fn shrunk(oracle: &mut Oracle, tree: &mut dyn ValueTree<Value = Made>) -> (Made, String) {
    let mut smallest = tree.current();
    let mut text = oracle.difference(&smallest).expect("it differed");
    for _ in 0..400 {
        let simpler = tree.current();
        let again = oracle.difference(&simpler);
        let went_on = if let Some(again) = again {
            (smallest, text) = (simpler, again);
            tree.simplify()
        } else {
            tree.complicate()
        };
        if !went_on {
            break;
        }
    }
    (smallest, text)
}

#[test]
fn sends_what_genuine_mage_sends_for_generated_projects() {
    let Some(mut oracle) = Oracle::start() else { return };
    let (mut runner, count) = runner();
    let strategy = made();
    let mut outcomes = std::collections::BTreeMap::new();
    let mut reports = Vec::new();
    let most = std::env::var("ORACLE_REPORTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for _ in 0..count {
        let mut tree = strategy.new_tree(&mut runner).expect("a case");
        let (answer, said) = oracle.asked(&tree.current());
        let outcome = match Mage::new(&answer) {
            Mage::NoJob => "no Job",
            Mage::Raised(_) => "raised",
            Mage::Refused(_) => "refused",
            Mage::Sent(_) => "sent",
        };
        *outcomes.entry(outcome).or_insert(0_usize) += 1;
        if difference(&answer, &said).is_some() {
            let (made, text) = shrunk(&mut oracle, &mut tree);
            reports.push(format!("{}\n=> {text}", made.shown()));
            if reports.len() >= most {
                break;
            }
        }
    }
    println!("{outcomes:?}");
    assert!(reports.is_empty(), "{} differ\n{}", reports.len(), reports.join("\n=======\n"));
    let sent = outcomes.get("sent").copied().unwrap_or_default();
    assert!(sent * 4 >= count, "too few cases say something: {outcomes:?}");
}
