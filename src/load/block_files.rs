//! Where the source of each block is
//! (`mage_ai/data_preparation/models/block/__init__.py: Block.file_path`).

use std::collections::HashMap;
use std::path::Path;

use crate::lint::BlockFile;
use crate::project::{Block, Pipeline};
use crate::yaml::Node;

/// Looks for the source file of every block of a pipeline, in their order.
#[must_use]
pub fn block_files(project: &Path, pipeline: &Pipeline) -> Vec<BlockFile> {
    let by_uuid: HashMap<&str, &Block> =
        pipeline.blocks.iter().map(|block| (block.uuid.as_str(), block)).collect();
    let file = |block| block_file(project, pipeline, original(block, &by_uuid));
    pipeline.blocks.iter().map(file).collect()
}

/// Returns the block whose code a replica runs; one that is not in the pipeline counts for nothing.
fn original<'p>(block: &'p Block, by_uuid: &HashMap<&str, &'p Block>) -> &'p Block {
    let mut block = block;
    for _ in 0..by_uuid.len() {
        let name = block.replicated_block.as_deref();
        match name.and_then(|name| by_uuid.get(name.split(':').next().unwrap_or(name))) {
            Some(original) => block = original,
            None => break,
        }
    }
    block
}

fn block_file(project: &Path, pipeline: &Pipeline, block: &Block) -> BlockFile {
    let paths = expected(pipeline, block);
    if paths.is_empty() || paths.iter().any(|path| project.join(path).is_file()) {
        BlockFile::There
    } else {
        BlockFile::Missing(paths)
    }
}

/// Returns where the source may be, in the project; nothing for a block that has none, or whose
/// path is one in the pod.
fn expected(pipeline: &Pipeline, block: &Block) -> Vec<String> {
    if block.node.get("content").is_some_and(|content| !content.is_null()) {
        return Vec::new();
    }
    let mut paths = Vec::new();
    for named in named(block) {
        if named.starts_with('/') {
            return Vec::new();
        }
        // Older projects write the path below the folder of dbt, or with the project's own folder,
        // which a checkout may call otherwise.
        paths.push(named.to_owned());
        paths.push(format!("dbt/{named}"));
        paths.extend(named.split_once('/').map(|(_, rest)| rest.to_owned()));
    }
    let language = block.node.get("language").and_then(Node::as_str).unwrap_or("python");
    if let (Some(folder), Some(ending)) = (folder(&block.block_type, language), ending(language)) {
        paths.push(format!("{folder}/{}.{ending}", block.uuid));
        if pipeline.pipeline_type() == "integration" {
            paths.push(format!("{folder}/{}/{}.{ending}", pipeline.uuid, block.uuid));
        }
    }
    paths
}

/// Returns the paths that a block's configuration names; Mage writes one in either place.
fn named(block: &Block) -> impl Iterator<Item = &str> {
    let configuration = block.node.get("configuration");
    let source = configuration.and_then(|node| node.get("file_source")?.get("path"));
    let path = configuration.and_then(|node| node.get("file_path"));
    [path, source].into_iter().flatten().filter_map(Node::as_str).filter(|path| !path.is_empty())
}

/// Returns the folder of a type; models of dbt and other pipelines name their files.
fn folder(block_type: &str, language: &str) -> Option<&'static str> {
    Some(match block_type {
        "callback" => "callbacks",
        "conditional" => "conditionals",
        "custom" => "custom",
        "data_exporter" => "data_exporters",
        "data_loader" => "data_loaders",
        "dbt" if language == "yaml" => "dbts",
        "extension" => "extensions",
        "sensor" => "sensors",
        "transformer" => "transformers",
        _ => return None,
    })
}

fn ending(language: &str) -> Option<&'static str> {
    Some(match language {
        "python" => "py",
        "sql" => "sql",
        "r" => "r",
        "yaml" => "yaml",
        "markdown" => "md",
        _ => return None,
    })
}
