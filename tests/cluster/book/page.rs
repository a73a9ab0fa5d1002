//! A page of the book as the commands in it.

use std::path::Path;

/// A command of a page, and what it is to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The line of the command, from 1.
    pub(super) line: usize,
    pub(super) command: String,
    /// The exit code, which `# exit N` at the command's end tells; 0 without.
    pub(super) code: i32,
    /// The lines below the command; none for a step that the page does not show.
    pub(super) expected: Option<Vec<String>>,
}

/// A page: its lines, and what is to be done.
pub(super) struct Page {
    lines: Vec<String>,
    steps: Vec<Step>,
}

impl Page {
    pub(super) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    fn parse(text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut steps: Vec<Step> = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            let (begin, end) = (at + 1, |closes: &str| {
                let rest = lines[at + 1..].iter().position(|line| line.trim() == closes);
                at + 1 + rest.unwrap_or_else(|| panic!("line {}: no {closes} follows", at + 1))
            });
            match lines[at].trim() {
                "```console" => {
                    let end = end("```");
                    steps.extend(commands(&lines, begin, end));
                    at = end;
                }
                "<!-- setup" => {
                    let end = end("-->");
                    let command = lines[begin..end].join("\n");
                    steps.push(Step { line: begin + 1, command, code: 0, expected: None });
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        Self { lines, steps }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Puts new lines in place of what steps were to say.
    pub(super) fn update(&mut self, said: Vec<Option<Vec<String>>>) {
        for (step, said) in self.steps.iter().zip(said).rev() {
            if let (Some(expected), Some(said)) = (&step.expected, said) {
                self.lines.splice(step.line..step.line + expected.len(), said);
            }
        }
    }

    fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    pub(super) fn write(&self, path: &Path) {
        std::fs::write(path, self.text()).unwrap();
    }
}

/// Reads the lines of a block: `$ COMMAND`, and what it says below.
fn commands(lines: &[String], begin: usize, end: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, line) in lines.iter().enumerate().take(end).skip(begin) {
        if let Some(command) = line.strip_prefix("$ ") {
            let code = command.rsplit_once("# exit ").map_or("0", |(_, code)| code);
            let code = code.trim().parse().unwrap_or_else(|_| panic!("no exit code: {line}"));
            let command = command.to_owned();
            steps.push(Step { line: at + 1, command, code, expected: Some(Vec::new()) });
        } else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("no `$ ` before: {line}"));
            step.expected.get_or_insert_default().push(line.clone());
        }
    }
    assert!(!steps.is_empty(), "line {begin}: a console block without a command");
    steps
}

#[cfg(test)]
mod tests {
    use super::Page;

    const TEXT: &str = "# A\n\n<!-- setup\ntouch a\n-->\n\n```sh\nmake\n```\n\n```console\n$ ls\na\nb\n$ false  # exit 1\n```\n";

    #[test]
    fn commands_and_what_they_say_are_read() {
        let page = Page::parse(TEXT);
        let read: Vec<_> = page
            .steps()
            .iter()
            .map(|step| (step.line, step.command.as_str(), step.code, step.expected.clone()))
            .collect();
        let lines = |lines: &[&str]| Some(lines.iter().map(|line| (*line).to_owned()).collect());
        let wanted = vec![
            (4, "touch a", 0, None),
            (12, "ls", 0, lines(&["a", "b"])),
            (15, "false  # exit 1", 1, lines(&[])),
        ];
        assert_eq!(read, wanted);
    }

    #[test]
    fn what_was_said_replaces_what_stood_there() {
        let mut page = Page::parse(TEXT);
        page.update(vec![None, Some(vec!["c".to_owned()]), Some(vec!["no".to_owned()])]);
        let wanted = TEXT.replace("a\nb\n", "c\n").replace("exit 1\n", "exit 1\nno\n");
        assert_eq!(page.text(), wanted);
    }
}
