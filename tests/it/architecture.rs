//! Keeps the pure rooms pure.

use std::path::{Path, PathBuf};

/// Folders and files that know no network, clock, disk, environment or terminal.
const PURE: [&str; 29] = [
    "yaml",
    "project",
    "config",
    "merge",
    "job",
    "explain",
    "diff",
    "graph",
    "lint",
    "diagnose",
    "doctor",
    "snapshot",
    "status",
    "report",
    "run/scheduler.rs",
    "logs/batch.rs",
    "logs/filter.rs",
    "logs/mage.rs",
    "logs/saved.rs",
    "tail/saved.rs",
    "logs/order.rs",
    "logs/pending.rs",
    "logs/record.rs",
    "logs/resume.rs",
    "logs/shown.rs",
    "ui/log_json.rs",
    "ui/log_label.rs",
    "ui/log_text.rs",
    "ui/log_view.rs",
];

/// What none of them may name.
const FORBIDDEN: [&str; 10] = [
    "tokio::",
    "kube::",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "Instant::now",
    "Timestamp::now",
    "SystemTime",
    "println!",
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            sources(&entry.expect("an entry").path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

#[test]
fn pure_rooms_are_pure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for room in PURE {
        sources(&root.join(room), &mut files);
    }
    assert!(files.len() > 40, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (index, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or(line);
            for word in FORBIDDEN {
                let place = format!("{}:{}", file.display(), index + 1);
                assert!(!line.contains(word), "{place} names {word}, and this room is pure");
            }
        }
    }
}

/// Only `ui` writes to the terminal.
#[test]
fn only_ui_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files.iter().filter(|file| !file.starts_with(root.join("ui"))) {
        let text = std::fs::read_to_string(file).expect("a source file");
        for word in ["io::stdout()", "io::stderr()", "print!(", "println!("] {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}
