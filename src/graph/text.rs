//! The graph as text: a tree in which each block stands once.

use std::fmt::Write as _;

use super::{Picture, PictureBlock};
use crate::project::ExecutorChoice;

/// Writes the graph. A block that waits for several stands beneath the last of them, and names the
/// others.
#[must_use]
pub fn text(picture: &Picture) -> String {
    let mut text = title(picture);
    let mut lines = Vec::new();
    let below = children(picture);
    for root in &below[picture.blocks.len()] {
        branch(picture, &below, *root, "", "", &mut lines);
    }
    let width = |column: fn(&Line) -> &str| {
        lines.iter().map(|line| column(line).chars().count()).max().unwrap_or(0)
    };
    let (names, types, executors) =
        (width(|line| &line.name), width(|line| &line.block_type), width(|line| &line.executor));
    for Line { name, block_type, executor, notes } in &lines {
        let line = format!(
            "{name:<names$}   {block_type:<types$}   {executor:<executors$}   {}",
            notes.join("; ")
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn title(picture: &Picture) -> String {
    let Picture { pipeline, pipeline_type, blocks, one_job } = picture;
    let count = match blocks.len() {
        1 => "1 block".to_owned(),
        count => format!("{count} blocks"),
    };
    let jobs = match one_job {
        Some(choice) if choice.is_k8s() => "one Job for all of them".to_owned(),
        Some(choice) => format!("all of them together, and no Job: {}", choice.explain()),
        None => {
            let is_k8s =
                |block: &&PictureBlock| block.executor.as_ref().is_some_and(ExecutorChoice::is_k8s);
            match blocks.iter().filter(is_k8s).count() {
                all if all == blocks.len() => "one Job each".to_owned(),
                0 => "no Jobs".to_owned(),
                some => format!("a Job for {some} of them"),
            }
        }
    };
    format!("{pipeline} ({pipeline_type}): {count}, {jobs}\n")
}

struct Line {
    name: String,
    block_type: String,
    executor: String,
    notes: Vec<String>,
}

/// Returns, for each block, those that stand beneath it; at the end, those that wait for none.
fn children(picture: &Picture) -> Vec<Vec<usize>> {
    let mut below = vec![Vec::new(); picture.blocks.len() + 1];
    for (index, block) in picture.blocks.iter().enumerate() {
        let parent = block.upstream.last().copied().unwrap_or(picture.blocks.len());
        below[parent].push(index);
    }
    below
}

fn branch(
    picture: &Picture,
    below: &[Vec<usize>],
    root: usize,
    lead: &str,
    indent: &str,
    lines: &mut Vec<Line>,
) {
    // Not by recursion: a pipeline may be a chain of thousands.
    let mut open = vec![(root, lead.to_owned(), indent.to_owned())];
    while let Some((index, lead, indent)) = open.pop() {
        let block = &picture.blocks[index];
        lines.push(Line {
            name: format!("{lead}{}", one_line(&block.uuid)),
            block_type: block.block_type.clone(),
            executor: block.executor.as_ref().map(|c| c.executor.clone()).unwrap_or_default(),
            notes: notes(picture, block),
        });
        for (position, child) in below[index].iter().enumerate().rev() {
            let is_last = position + 1 == below[index].len();
            let (corner, side) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            open.push((*child, format!("{indent}{corner}"), format!("{indent}{side}")));
        }
    }
}

/// Keeps a name from tearing the tree apart.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn notes(picture: &Picture, block: &PictureBlock) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some((_, others)) = block.upstream.split_last().filter(|(_, others)| !others.is_empty())
    {
        let names: Vec<&str> =
            others.iter().map(|other| picture.blocks[*other].uuid.as_str()).collect();
        notes.push(format!("also after {}", names.join(", ")));
    }
    if let Some(choice) = block.executor.as_ref().filter(|choice| !choice.is_k8s()) {
        notes.push(format!("no Job: {}", choice.because()));
    }
    if block.is_dynamic {
        notes.push("dynamic: makes children at run time".to_owned());
    }
    if block.is_for_each {
        notes.push("runs once for each child".to_owned());
    }
    if let Some(original) = &block.replica_of {
        notes.push(format!("replica of {original}"));
    }
    for (names, what) in [(&block.conditionals, "only if"), (&block.callbacks, "then")] {
        if !names.is_empty() {
            notes.push(format!("{what} {}", names.join(", ")));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::{EVERYTHING, picture};
    use super::text;

    #[test]
    fn every_block_stands_once() {
        insta::assert_snapshot!(text(&picture(EVERYTHING, false)), @r"
        p (python): 7 blocks, a Job for 6 of them
        load           data_loader     k8s   dynamic: makes children at run time
        └─ local       transformer     ecs   no Job: block says ecs; runs once for each child
           └─ gather   transformer     k8s   runs once for each child
        other          data_loader     k8s
        └─ join        transformer     k8s   also after gather; only if is_weekday
           ├─ copy     data_exporter   k8s   replica of join; then notify
           └─ last     data_exporter   k8s   only if is_weekday
        ");
    }

    #[test]
    fn one_job_for_all_is_said() {
        let pipeline = "type: streaming\nblocks: [{uuid: a, type: data_loader}, {uuid: b, type: data_exporter, upstream_blocks: [a]}]\n";
        insta::assert_snapshot!(text(&picture(pipeline, true)), @r"
        p (streaming): 2 blocks, one Job for all of them
        a      data_loader
        └─ b   data_exporter
        ");
    }

    #[test]
    fn a_chain_of_thousands_is_drawn() {
        let blocks: String = (0..3000)
            .map(|index| {
                let upstream = if index == 0 { String::new() } else { format!("b{}", index - 1) };
                format!("- {{uuid: b{index}, type: custom, upstream_blocks: [{upstream}]}}\n")
            })
            .collect();
        assert_eq!(text(&picture(&format!("blocks:\n{blocks}"), false)).lines().count(), 3001);
    }
}
