//! The book: every page has its place in it, and every link leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the Markdown files below a folder.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

/// What a page links to, and what can be linked to in it.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

fn read(path: &Path) -> Page {
    let text = fs::read_to_string(path).expect("a readable page");
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap_or_default());
                let again = (1..).map(|count| format!("{anchor}-{count}"));
                let free = [anchor.clone()].into_iter().chain(again);
                let free = free.into_iter().find(|anchor| !page.anchors.contains(anchor));
                page.anchors.extend(free);
            }
            Event::Text(piece) | Event::Code(piece) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&piece);
                }
            }
            _ => {}
        }
    }
    page
}

/// The anchor that GitHub and mdbook give to a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// Returns a path without `.` and `..`, as a browser makes it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let mut paths = vec![package().join("README.md"), package().join("CONTRIBUTING.md")];
    pages(&package().join("docs"), &mut paths);
    let read: BTreeMap<_, _> = paths.into_iter().map(|path| (path.clone(), read(&path))).collect();
    let mut wrong = Vec::new();
    for (path, page) in &read {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.parent().expect("a page is in a folder");
            let target = if file.is_empty() { path.clone() } else { plain(&folder.join(file)) };
            let there = target.exists()
                && (anchor.is_empty()
                    || read.get(&target).is_some_and(|page| page.anchors.contains(anchor)));
            // The book holds `docs/` and nothing else.
            let within = !path.starts_with(package().join("docs"))
                || target.starts_with(package().join("docs"));
            // Of README.md mdbook makes index.html, and leaves links to it as they are.
            let in_book = path.starts_with(package().join("docs")) && !path.ends_with("SUMMARY.md");
            let is_index = in_book && target.ends_with("README.md");
            if !there || !within || is_index {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these links lead nowhere in the book:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_has_its_place_in_the_book() {
    let docs = package().join("docs");
    let summary = docs.join("SUMMARY.md");
    let mut named: Vec<_> = read(&summary).links.iter().map(|link| docs.join(link)).collect();
    let mut there = Vec::new();
    pages(&docs, &mut there);
    there.retain(|path| *path != summary);
    named.sort();
    there.sort();
    assert_eq!(named, there, "docs/SUMMARY.md names each page once");
}
