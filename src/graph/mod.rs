//! The graph of a pipeline's blocks, as text and for Mermaid.

mod mermaid;
mod text;

pub use mermaid::mermaid;
pub use text::text;

use crate::config::scalar_text;
use crate::project::{ExecutorChoice, Pipeline};
use crate::yaml::Node;

/// A pipeline as a picture shows it.
#[derive(Debug)]
pub struct Picture {
    /// The pipeline's uuid.
    pub pipeline: String,
    /// Its type, `python`.
    pub pipeline_type: String,
    /// The executor, where all blocks run in one Job.
    pub one_job: Option<ExecutorChoice>,
    /// The blocks, each after those it waits for.
    pub blocks: Vec<PictureBlock>,
}

/// A block as a picture shows it.
#[derive(Debug)]
pub struct PictureBlock {
    /// Its uuid.
    pub uuid: String,
    /// Its type, `data_loader`.
    pub block_type: String,
    /// Which executor it runs on; absent where all run in one Job.
    pub executor: Option<ExecutorChoice>,
    /// The blocks that it waits for, by their index in the picture, in that order.
    pub upstream: Vec<usize>,
    /// It makes child blocks at run time.
    pub is_dynamic: bool,
    /// It runs once for each child of a dynamic block before it.
    pub is_for_each: bool,
    /// The block whose code it runs.
    pub replica_of: Option<String>,
    /// Blocks that decide whether it runs.
    pub conditionals: Vec<String>,
    /// Blocks that run when it ends.
    pub callbacks: Vec<String>,
}

impl Picture {
    /// Makes the picture of a pipeline. `executor` says what a block runs on; a block for which it
    /// says nothing is left out, and so are the lines to it.
    pub fn new<E>(
        pipeline: &Pipeline,
        one_job: Option<ExecutorChoice>,
        executor: &dyn Fn(usize) -> Result<Option<ExecutorChoice>, E>,
    ) -> Result<Self, E> {
        let for_each = pipeline.dynamic_children();
        let mut places = vec![None; pipeline.blocks.len()];
        let mut blocks: Vec<PictureBlock> = Vec::new();
        for index in pipeline.graph().topological() {
            let choice = if one_job.is_some() { None } else { executor(index)? };
            if one_job.is_none() && choice.is_none() {
                continue;
            }
            let block = &pipeline.blocks[index];
            let mut upstream: Vec<usize> =
                pipeline.graph().upstream(index).iter().filter_map(|up| places[*up]).collect();
            upstream.sort_unstable();
            places[index] = Some(blocks.len());
            blocks.push(PictureBlock {
                uuid: block.uuid.clone(),
                block_type: block.block_type.clone(),
                executor: choice,
                upstream,
                is_dynamic: block.is_dynamic(),
                is_for_each: for_each.contains(&index),
                replica_of: block.replicated_block.clone(),
                conditionals: uuids(pipeline.conditionals(&block.uuid)),
                callbacks: uuids(pipeline.callbacks(&block.uuid)),
            });
        }
        let pipeline_type = pipeline.pipeline_type().to_owned();
        Ok(Self { pipeline: pipeline.uuid.clone(), pipeline_type, one_job, blocks })
    }
}

fn uuids<'p>(nodes: impl Iterator<Item = &'p Node>) -> Vec<String> {
    nodes.filter_map(|node| scalar_text(node.get("uuid")?)).collect()
}

/// A picture for tests.
#[cfg(test)]
fn picture(text: &str, one_job: bool) -> Picture {
    use crate::config::LayerKind;
    use crate::project::ExecutorStep;

    let file = crate::yaml::SourceFile::new("pipelines/p/metadata.yaml", text);
    let (pipeline, _) = Pipeline::parse(&file, "p", None).expect("a pipeline");
    let choice = |name: &str| ExecutorChoice {
        executor: name.to_owned(),
        steps: vec![ExecutorStep {
            asked: "block",
            value: Some(name.to_owned()),
            layer: LayerKind::Block,
            source: None,
            expression: None,
        }],
        unasked: Vec::new(),
    };
    let executor = |index: usize| {
        let own = pipeline.blocks[index].executor_type().and_then(Node::as_str);
        Ok::<_, ()>(Some(choice(own.unwrap_or("k8s"))))
    };
    Picture::new(&pipeline, one_job.then(|| choice("k8s")), &executor).expect("a picture")
}

/// A pipeline in which everything that a picture shows occurs.
#[cfg(test)]
const EVERYTHING: &str = "\
type: python
blocks:
- {uuid: load, type: data_loader, configuration: {dynamic: true}}
- {uuid: local, type: transformer, upstream_blocks: [load], executor_type: ecs}
- {uuid: gather, type: transformer, upstream_blocks: [local], configuration: {reduce_output: true}}
- {uuid: other, type: data_loader}
- {uuid: join, type: transformer, upstream_blocks: [other, gather]}
- {uuid: copy, type: data_exporter, upstream_blocks: [join], replicated_block: join}
- {uuid: last, type: data_exporter, upstream_blocks: [join]}
conditionals:
- {uuid: is_weekday, type: conditional, upstream_blocks: [join, last]}
callbacks:
- {uuid: notify, type: callback, upstream_blocks: [copy]}
";
