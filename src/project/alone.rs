//! What a pod without Mage's database cannot do, although Mage's own pods can. `mage run` without run
//! ids does some of it wrong without a word, so it is refused before anything is created.

use std::collections::BTreeSet;

use super::block::Block;
use super::pipeline::{Pipeline, names};
use crate::config::scalar_text;
use crate::error::Problem;
use crate::yaml::{Node, Span};

const SCHEDULER: &str = "run it with Mage's own scheduler, which has the database";

/// What is known of the Job beside the pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around {
    /// Whether the project has data integrations among other blocks
    /// (`features.data_integration_in_batch_pipeline`).
    pub integrates: bool,
    /// Whether somebody says which stream and batch of a data integration is meant
    /// (`--template-runtime-configuration`).
    pub names_stream: bool,
}

/// Returns what keeps a block, or a whole pipeline that is one Job, from running alone.
#[must_use]
pub fn obstacles(pipeline: &Pipeline, block: Option<usize>, around: Around) -> Vec<Problem> {
    let alone = Alone { pipeline, around, found: Vec::new() };
    match block {
        Some(index) => alone.block(index),
        None if pipeline.pipeline_type() == "streaming" => alone.streaming(),
        None => alone.one_process(),
    }
}

/// Returns what a whole pipeline that is one Job does otherwise than with Mage's database.
#[must_use]
pub fn differences(pipeline: &Pipeline) -> Vec<Problem> {
    if pipeline.pipeline_type() == "streaming" {
        return Vec::new();
    }
    let retried = pipeline.blocks.iter().filter_map(|block| {
        let entry = block.node.as_mapping()?.entry("retry_config")?;
        entry.value.get("retries").filter(|retries| retries.is_truthy())?;
        let message = format!(
            "`retry_config` of block `{}` does nothing: in one process Mage tries again only with its database",
            block.uuid
        );
        let problem = Problem::new(message).at(&pipeline.file, entry.key.span);
        Some(problem.hint("let --retries make another Job of the pipeline"))
    });
    let partition = Problem::new(format!(
        "without its database Mage keeps the outputs of pipeline `{}` in no partition: another run of it at the same time overwrites them",
        pipeline.uuid
    ));
    let partition = partition.hint(format!(
        "run it once at a time, or each block in a pod of its own: {}",
        each_by_itself(pipeline)
    ));
    retried.chain([partition]).collect()
}

struct Alone<'a> {
    pipeline: &'a Pipeline,
    around: Around,
    found: Vec<Problem>,
}

impl Alone<'_> {
    fn refuse(&mut self, span: Span, message: String, hint: &str) {
        self.found.push(Problem::new(message).at(&self.pipeline.file, span).hint(hint));
    }

    fn block(mut self, index: usize) -> Vec<Problem> {
        self.integration(index);
        self.child(index);
        self.product(index);
        self.found
    }

    fn one_process(mut self) -> Vec<Problem> {
        let hint = format!("run each block in a pod of its own: {}", each_by_itself(self.pipeline));
        for index in 0..self.pipeline.blocks.len() {
            self.integration(index);
            self.child(index);
            self.product(index);
            self.attached(index, &hint);
        }
        self.unreached();
        self.found
    }

    fn streaming(mut self) -> Vec<Problem> {
        self.unreached();
        self.found
    }

    /// Children are in the database only
    /// (`mage_ai/data_preparation/models/block/dynamic/child.py: DynamicChildController`).
    fn child(&mut self, index: usize) {
        let pipeline = self.pipeline;
        let children = pipeline.dynamic_children();
        if !children.contains(&index) {
            return;
        }
        let block = &pipeline.blocks[index];
        let parent = |(name, _): &&(String, Span)| {
            let up = pipeline.blocks.iter().position(|block| block.uuid == *name);
            up.is_some_and(|up| pipeline.blocks[up].is_dynamic() || children.contains(&up))
        };
        let Some((_, span)) = block.upstream.iter().find(parent) else { return };
        let message = format!(
            "block `{}` runs once for each child of a dynamic block, and Mage keeps these in its database: a pod without it cannot run them",
            block.uuid
        );
        self.refuse(
            *span,
            message,
            "run the blocks before it by name, and this one with Mage's own scheduler",
        );
    }

    /// Every stream, and every batch of one, is a block run of its own. Without one Mage fails, or
    /// takes the first stream and of that the first rows, and says nothing
    /// (`mage_ai/data_preparation/models/block/data_integration/utils.py: execute_data_integration`).
    fn integration(&mut self, index: usize) {
        let block = &self.pipeline.blocks[index];
        let of_pipeline = self.pipeline.pipeline_type() == "integration";
        if self.around.names_stream || !(of_pipeline || self.integrates(block)) {
            return;
        }
        let span = block.node.get("type").map_or(block.uuid_span, |node| node.span);
        let message = format!(
            "block `{}` is a data integration, whose streams and batches Mage keeps in its database: a pod without it runs one that is named",
            block.uuid
        );
        let hint = format!(
            r#"run stream by stream: kubectl mage run {} --template-runtime-configuration '{{"selected_streams": ["STREAM"], "index": 0, "is_last_block_run": true}}'"#,
            self.pipeline.uuid
        );
        self.refuse(span, message, &hint);
    }

    /// Tells whether a block of a pipeline of another type is a source or a destination
    /// (`mage_ai/data_preparation/models/block/data_integration/mixins.py: is_data_integration`).
    fn integrates(&self, block: &Block) -> bool {
        let text = |key: &str| block.node.get(key).and_then(Node::as_str);
        let configured = block
            .node
            .get("configuration")
            .is_some_and(|all| all.get("data_integration").is_some());
        self.around.integrates
            && self.pipeline.pipeline_type() != "streaming"
            && matches!(block.block_type.as_str(), "data_loader" | "data_exporter")
            && (text("language") == Some("yaml") || configured)
    }

    /// Whether the product is up to date, and the run that makes it, stand in the database
    /// (`mage_ai/orchestration/triggers/global_data_product.py: trigger_and_check_status`).
    fn product(&mut self, index: usize) {
        let block = &self.pipeline.blocks[index];
        if block.block_type != "global_data_product" {
            return;
        }
        let span = block.node.get("type").map_or(block.uuid_span, |node| node.span);
        let message = format!(
            "block `{}` is a global data product, whose runs Mage keeps in its database: a pod without it cannot make one",
            block.uuid
        );
        self.refuse(span, message, SCHEDULER);
    }

    /// In one process only block runs of the database have conditionals and callbacks: without them
    /// Mage runs every block and says nothing
    /// (`mage_ai/data_preparation/models/block/__init__.py: run_blocks`).
    fn attached(&mut self, index: usize, hint: &str) {
        let pipeline = self.pipeline;
        let block = &pipeline.blocks[index];
        let uuid = |node: &Node| {
            let name = node.get("uuid");
            (name.and_then(scalar_text).unwrap_or_default(), name.unwrap_or(node).span)
        };
        for (name, span) in pipeline.conditionals(&block.uuid).map(uuid) {
            let message = format!(
                "conditional `{name}` would not be asked: in one process and without its database Mage runs block `{}` in any case",
                block.uuid
            );
            self.refuse(span, message, hint);
        }
        let old = block.node.as_mapping().and_then(|mapping| mapping.entry("has_callback"));
        let old = old.filter(|entry| entry.value.is_truthy());
        let old = old.map(|entry| (format!("{}_callback", block.uuid), entry.key.span));
        for (name, span) in pipeline.callbacks(&block.uuid).map(uuid).chain(old) {
            let message = format!(
                "callback `{name}` would not be called: in one process and without its database Mage calls none after block `{}`",
                block.uuid
            );
            self.refuse(span, message, hint);
        }
    }

    /// In one process Mage goes from block to block along `downstream_blocks`, and ends well without
    /// having reached the others.
    fn unreached(&mut self) {
        let pipeline = self.pipeline;
        let graph = pipeline.graph();
        let mut reached = BTreeSet::new();
        for index in graph.topological() {
            let block = &pipeline.blocks[index];
            let upstream = graph.upstream(index);
            let leads = |up: &&usize| reached.contains(*up) && leads(&pipeline.blocks[**up], block);
            if upstream.is_empty() || upstream.iter().any(|up| leads(&up)) {
                reached.insert(index);
                continue;
            }
            // What comes after a block that is not reached is told of by that one.
            let Some(up) = upstream.iter().find(|up| reached.contains(*up)) else { continue };
            let up = &pipeline.blocks[*up].uuid;
            let span = block.upstream.iter().find(|(name, _)| name == up);
            let message = format!(
                "block `{}` would never run: in one process Mage goes along `downstream_blocks`, and those of `{up}` leave it out",
                block.uuid
            );
            let hint = format!("add `{}` to the `downstream_blocks` of `{up}`", block.uuid);
            self.refuse(span.map_or(block.uuid_span, |(_, span)| *span), message, &hint);
        }
    }
}

fn leads(up: &Block, down: &Block) -> bool {
    up.node.get("downstream_blocks").is_some_and(|list| names(list, &down.uuid))
}

/// Returns the command that runs the blocks of a pipeline in pods of their own.
fn each_by_itself(pipeline: &Pipeline) -> String {
    let graph = pipeline.graph();
    let all = 0..pipeline.blocks.len();
    let awaited: BTreeSet<usize> =
        all.clone().flat_map(|index| graph.upstream(index).iter().copied()).collect();
    let last = all.filter(|index| !awaited.contains(index));
    let targets: Vec<String> =
        last.map(|index| format!("{}/{}", pipeline.uuid, pipeline.blocks[index].uuid)).collect();
    format!("kubectl mage run {} --upstream", targets.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{Around, differences, obstacles};
    use crate::error::Problem;
    use crate::project::Pipeline;
    use crate::yaml::SourceFile;

    fn pipeline(text: &str) -> Pipeline {
        let file = SourceFile::new("pipelines/p/metadata.yaml", text);
        Pipeline::parse(&file, "p", None).expect("a pipeline").0
    }

    fn told(problems: &[Problem]) -> String {
        let line = |problem: &Problem| {
            let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{place} {}\n  {}", problem.message, problem.hints.join("; "))
        };
        problems.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn children_of_a_dynamic_block_are_refused_wherever_they_are() {
        let p = pipeline(
            "blocks:\n- {uuid: a, type: custom, configuration: {dynamic: true}}\n- {uuid: b, type: custom, upstream_blocks: [a]}\n- {uuid: c, type: custom, upstream_blocks: [b], configuration: {reduce_output: true}}\n- {uuid: d, type: custom, upstream_blocks: [c]}\n",
        );
        let refused = |block| told(&obstacles(&p, Some(block), Around::default()));
        assert_eq!(refused(0), "");
        assert_eq!(refused(3), "");
        insta::assert_snapshot!([refused(1), refused(2)].join("\n"), @"
        pipelines/p/metadata.yaml:3:45 block `b` runs once for each child of a dynamic block, and Mage keeps these in its database: a pod without it cannot run them
          run the blocks before it by name, and this one with Mage's own scheduler
        pipelines/p/metadata.yaml:4:45 block `c` runs once for each child of a dynamic block, and Mage keeps these in its database: a pod without it cannot run them
          run the blocks before it by name, and this one with Mage's own scheduler
        ");
        assert!(obstacles(&p, None, Around::default()).len() >= 2);
    }

    #[test]
    fn one_process_does_what_it_says_or_is_refused() {
        let p = pipeline(
            "run_pipeline_in_one_process: true\nblocks:\n- {uuid: a, type: custom, downstream_blocks: [b], has_callback: true}\n- {uuid: b, type: custom, upstream_blocks: [a], downstream_blocks: [d], retry_config: {retries: 2}}\n- {uuid: c, type: custom, upstream_blocks: [a]}\n- {uuid: d, type: custom, upstream_blocks: [c, b]}\n- {uuid: e, type: custom, upstream_blocks: [c]}\nconditionals:\n- {uuid: is_x, type: conditional, upstream_blocks: [b]}\ncallbacks:\n- {uuid: tell, type: callback, upstream_blocks: [b, c]}\n",
        );
        insta::assert_snapshot!(told(&obstacles(&p, None, Around::default())), @"
        pipelines/p/metadata.yaml:3:51 callback `a_callback` would not be called: in one process and without its database Mage calls none after block `a`
          run each block in a pod of its own: kubectl mage run p/d p/e --upstream
        pipelines/p/metadata.yaml:9:10 conditional `is_x` would not be asked: in one process and without its database Mage runs block `b` in any case
          run each block in a pod of its own: kubectl mage run p/d p/e --upstream
        pipelines/p/metadata.yaml:11:10 callback `tell` would not be called: in one process and without its database Mage calls none after block `b`
          run each block in a pod of its own: kubectl mage run p/d p/e --upstream
        pipelines/p/metadata.yaml:11:10 callback `tell` would not be called: in one process and without its database Mage calls none after block `c`
          run each block in a pod of its own: kubectl mage run p/d p/e --upstream
        pipelines/p/metadata.yaml:5:45 block `c` would never run: in one process Mage goes along `downstream_blocks`, and those of `a` leave it out
          add `c` to the `downstream_blocks` of `a`
        ");
        insta::assert_snapshot!(told(&differences(&p)), @"
        pipelines/p/metadata.yaml:4:73 `retry_config` of block `b` does nothing: in one process Mage tries again only with its database
          let --retries make another Job of the pipeline
         without its database Mage keeps the outputs of pipeline `p` in no partition: another run of it at the same time overwrites them
          run it once at a time, or each block in a pod of its own: kubectl mage run p/d p/e --upstream
        ");
        assert_eq!(told(&obstacles(&p, Some(1), Around::default())), "");
    }

    #[test]
    fn what_hangs_on_the_database_is_refused() {
        let p = pipeline("type: integration\nblocks:\n- {uuid: a, type: global_data_product}\n");
        insta::assert_snapshot!(told(&obstacles(&p, Some(0), Around::default())), @r#"
        pipelines/p/metadata.yaml:3:19 block `a` is a data integration, whose streams and batches Mage keeps in its database: a pod without it runs one that is named
          run stream by stream: kubectl mage run p --template-runtime-configuration '{"selected_streams": ["STREAM"], "index": 0, "is_last_block_run": true}'
        pipelines/p/metadata.yaml:3:19 block `a` is a global data product, whose runs Mage keeps in its database: a pod without it cannot make one
          run it with Mage's own scheduler, which has the database
        "#);
        let p = pipeline(
            "type: streaming\nblocks:\n- {uuid: a, type: data_loader}\n- {uuid: b, type: data_exporter, upstream_blocks: [a]}\n",
        );
        insta::assert_snapshot!(told(&obstacles(&p, None, Around::default())), @"
        pipelines/p/metadata.yaml:4:52 block `b` would never run: in one process Mage goes along `downstream_blocks`, and those of `a` leave it out
          add `b` to the `downstream_blocks` of `a`
        ");
        assert!(differences(&p).is_empty());
    }

    #[test]
    fn a_data_integration_runs_where_its_stream_is_named() {
        let around = |integrates, names_stream| Around { integrates, names_stream };
        let p = pipeline(
            "blocks:\n- {uuid: a, type: data_loader, language: yaml}\n- {uuid: b, type: transformer, language: python, configuration: {data_integration: {}}}\n- {uuid: c, type: data_exporter, language: python, configuration: {data_integration: {}}}\n",
        );
        let refused = |around| -> Vec<usize> {
            (0..3).filter(|block| !obstacles(&p, Some(*block), around).is_empty()).collect()
        };
        assert_eq!(refused(around(true, false)), [0, 2]);
        assert!(refused(around(true, true)).is_empty());
        assert!(refused(around(false, false)).is_empty());
        let p = pipeline("type: integration\nblocks:\n- {uuid: a, type: data_loader}\n");
        assert!(obstacles(&p, Some(0), around(false, true)).is_empty());
    }
}
