//! The graph as text: a tree in which each block stands once.

use std::fmt::Write as _;

use console::measure_text_width;

use super::{Picture, PictureBlock};
use crate::config::LayerKind;
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
        lines.iter().map(|line| measure_text_width(column(line))).max().unwrap_or(0)
    };
    let columns: [fn(&Line) -> &str; 3] =
        [|line| &line.name, |line| &line.block_type, |line| &line.executor];
    let widths = columns.map(width);
    for line in &lines {
        let mut shown = String::new();
        for (column, width) in columns.iter().zip(widths) {
            let cell = column(line);
            let blanks = width - measure_text_width(cell) + if width > 0 { 3 } else { 0 };
            let _ = write!(shown, "{cell}{:blanks$}", "");
        }
        shown.push_str(&one_line(&line.notes.join("; ")));
        let _ = writeln!(text, "{}", shown.trim_end());
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
        Some(choice) => format!("all of them together, and no Job: {}", decided(choice)),
        None => {
            let is_k8s =
                |block: &&PictureBlock| block.executor.as_ref().is_some_and(ExecutorChoice::is_k8s);
            match blocks.iter().filter(is_k8s).count() {
                0 => "no Jobs".to_owned(),
                all if all == blocks.len() => "one Job each".to_owned(),
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

/// Says who decided on the executor.
fn decided(choice: &ExecutorChoice) -> String {
    match choice.steps.last() {
        Some(step) if step.layer != LayerKind::Hardcoded => {
            format!("{} says {}", step.asked, choice.executor)
        }
        // local_python asks on, so it decides where nobody else does.
        _ => match choice.steps.iter().rev().skip(1).rfind(|step| step.value.is_some()) {
            Some(step) => format!("{} says {}", step.asked, choice.executor),
            None => "nobody names an executor".to_owned(),
        },
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
        notes.push(format!("no Job: {}", decided(choice)));
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
    use std::fmt::Write as _;

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
        let mut pipeline = String::from("blocks:\n- {uuid: b0, type: custom}\n");
        for index in 1..3000 {
            let before = index - 1;
            let _ = writeln!(
                pipeline,
                "- {{uuid: b{index}, type: custom, upstream_blocks: [b{before}]}}"
            );
        }
        assert_eq!(text(&picture(&pipeline, false)).lines().count(), 3001);
    }
}
