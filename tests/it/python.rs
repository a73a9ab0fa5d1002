//! Python as an oracle: one process for a whole batch, a JSON value a line each way.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what helps a test may fail and speak as one"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value as Json;

/// A running script that answers line by line.
pub(crate) struct Python {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts `script --serve`; `None`, with the reason printed, where `module` cannot be imported.
    ///
    /// `KUBECTL_MAGE_TEST_PYTHON` names the interpreter, `python3` by default.
    pub(crate) fn start(module: &str, script: &str) -> Option<Self> {
        let interpreter =
            std::env::var("KUBECTL_MAGE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let import = Command::new(&interpreter)
            .args(["-c", &format!("import {module}")])
            .stderr(Stdio::null())
            .status();
        if !import.is_ok_and(|status| status.success()) {
            println!("skipped: {interpreter} cannot import {module}");
            return None;
        }
        let mut child = Command::new(&interpreter)
            .args([script, "--serve"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, answers })
    }

    /// Sends one question and returns the answer.
    pub(crate) fn ask(&mut self, question: &Json) -> Json {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{question}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Sends every question and returns the answers, in order.
    pub(crate) fn ask_all(&mut self, questions: impl Iterator<Item = Json>) -> Vec<Json> {
        let questions: Vec<String> = questions.map(|question| format!("{question}\n")).collect();
        let mut stdin = self.child.stdin.take().unwrap();
        let count = questions.len();
        let writer = std::thread::spawn(move || {
            for question in questions {
                stdin.write_all(question.as_bytes()).unwrap();
            }
        });
        let answers: Vec<Json> = (&mut self.answers)
            .lines()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect();
        writer.join().unwrap();
        assert!(self.child.wait().unwrap().success());
        assert_eq!(answers.len(), count);
        answers
    }
}
