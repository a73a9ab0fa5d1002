//! The graph for Mermaid, <https://mermaid.js.org/syntax/flowchart.html>.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Picture, PictureBlock};

/// Writes a `flowchart LR`. Names of nodes are numbers, so that no uuid can break the syntax; what
/// people read is in quoted labels.
#[must_use]
pub fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    let indent = if picture.one_job.is_some() { "        " } else { "    " };
    if let Some(choice) = &picture.one_job {
        let what = if choice.is_k8s() { "one Job" } else { "no Job" };
        let label = label(&[&picture.pipeline, &format!("{what}, executor {}", choice.executor)]);
        let _ = writeln!(text, "    subgraph job [{label}]");
    }
    for (index, block) in picture.blocks.iter().enumerate() {
        let _ = writeln!(text, "{indent}b{index}[{}]", block_label(block));
    }
    for (index, block) in picture.blocks.iter().enumerate() {
        for up in &block.upstream {
            let is_spread = block.is_for_each && spreads(&picture.blocks[*up]);
            let arrow = if is_spread { "-->|each child|" } else { "-->" };
            let _ = writeln!(text, "{indent}b{up} {arrow} b{index}");
        }
    }
    if picture.one_job.is_some() {
        text.push_str("    end\n");
    }
    attachments(&mut text, picture);
    classes(&mut text, picture);
    text
}

fn spreads(block: &PictureBlock) -> bool {
    block.is_dynamic || block.is_for_each
}

fn block_label(block: &PictureBlock) -> String {
    let mut lines = vec![block.uuid.clone(), block.block_type.clone()];
    if let Some(choice) = block.executor.as_ref().filter(|choice| !choice.is_k8s()) {
        lines.push(format!("no Job, executor {}", choice.executor));
    }
    if block.is_dynamic {
        lines.push("dynamic".to_owned());
    }
    if let Some(original) = &block.replica_of {
        lines.push(format!("replica of {original}"));
    }
    label(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Draws what decides whether a block runs, and what runs when it ends; each once.
fn attachments(text: &mut String, picture: &Picture) {
    let mut names: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for (index, block) in picture.blocks.iter().enumerate() {
        let conditionals = block.conditionals.iter().map(|name| (true, name.as_str()));
        let callbacks = block.callbacks.iter().map(|name| (false, name.as_str()));
        for key in conditionals.chain(callbacks) {
            let next = names.len();
            let number = *names.entry(key).or_insert(next);
            let (is_conditional, name) = key;
            if number == next {
                let label = label(&[name]);
                let shape =
                    if is_conditional { format!("{{{label}}}") } else { format!("([{label}])") };
                let _ = writeln!(text, "    a{number}{shape}");
            }
            let _ = if is_conditional {
                writeln!(text, "    a{number} -.->|only if| b{index}")
            } else {
                writeln!(text, "    b{index} -.->|then| a{number}")
            };
        }
    }
}

/// Marks the blocks of which Mage makes no Job; their label says so too.
fn classes(text: &mut String, picture: &Picture) {
    let is_elsewhere =
        |block: &PictureBlock| block.executor.as_ref().is_some_and(|choice| !choice.is_k8s());
    let names: Vec<String> = picture
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| is_elsewhere(block))
        .map(|(index, _)| format!("b{index}"))
        .collect();
    if !names.is_empty() {
        text.push_str("    classDef nojob stroke-dasharray: 5 5\n");
        let _ = writeln!(text, "    class {} nojob", names.join(","));
    }
}

/// Writes a label of several lines, quoted; everything that Mermaid or HTML takes for something is
/// an entity, as Mermaid spells them.
fn label(lines: &[&str]) -> String {
    let escaped: Vec<String> =
        lines.iter().map(|line| line.chars().map(escape).collect()).collect();
    format!("\"{}\"", escaped.join("<br/>"))
}

fn escape(c: char) -> String {
    match c {
        c if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | ':' | '/') => {
            c.into()
        }
        c if c.is_control() => " ".to_owned(),
        c => format!("#{};", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EVERYTHING, picture};
    use super::{label, mermaid};

    #[test]
    fn everything_is_drawn() {
        insta::assert_snapshot!(mermaid(&picture(EVERYTHING, false)), @r#"
        flowchart LR
            b0["load<br/>data_loader<br/>dynamic"]
            b1["local<br/>transformer<br/>no Job, executor ecs"]
            b2["gather<br/>transformer"]
            b3["other<br/>data_loader"]
            b4["join<br/>transformer"]
            b5["copy<br/>data_exporter<br/>replica of join"]
            b6["last<br/>data_exporter"]
            b0 -->|each child| b1
            b1 -->|each child| b2
            b2 --> b4
            b3 --> b4
            b4 --> b5
            b4 --> b6
            a0{"is_weekday"}
            a0 -.->|only if| b4
            a1(["notify"])
            b5 -.->|then| a1
            a0 -.->|only if| b6
            classDef nojob stroke-dasharray: 5 5
            class b1 nojob
        "#);
    }

    #[test]
    fn one_job_is_a_box() {
        let pipeline = "type: streaming\nblocks: [{uuid: a, type: data_loader}, {uuid: b, type: data_exporter, upstream_blocks: [a]}]\n";
        insta::assert_snapshot!(mermaid(&picture(pipeline, true)), @r#"
        flowchart LR
            subgraph job ["p<br/>one Job, executor k8s"]
                b0["a<br/>data_loader"]
                b1["b<br/>data_exporter"]
                b0 --> b1
            end
        "#);
    }

    #[test]
    fn no_name_breaks_the_syntax() {
        assert_eq!(label(&["a\"]; end #<b>`\n"]), "\"a#34;#93;#59; end #35;#60;b#62;#96; \"");
    }
}
