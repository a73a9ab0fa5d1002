//! Where the source of each block is (`mage_ai/data_preparation/models/block/__init__.py: Block`).

use std::path::Path;

use crate::lint::BlockFile;
use crate::project::{Block, Pipeline};
use crate::yaml::Node;

/// Looks for the source file of every block of a pipeline, in their order.
#[must_use]
pub fn block_files(project: &Path, pipeline: &Pipeline) -> Vec<BlockFile> {
    pipeline.blocks.iter().map(|block| block_file(project, pipeline, block)).collect()
}

fn block_file(project: &Path, pipeline: &Pipeline, block: &Block) -> BlockFile {
    let paths = expected(pipeline, block);
    if paths.is_empty() || paths.iter().any(|path| project.join(path).exists()) {
        BlockFile::There
    } else {
        BlockFile::Missing(paths)
    }
}

/// Returns where the source may be, in the project; nothing for a block that has none.
fn expected(pipeline: &Pipeline, block: &Block) -> Vec<String> {
    let text = |node: Option<&Node>| node.and_then(Node::as_str).map(str::to_owned);
    let configuration = block.node.get("configuration");
    let named = configuration
        .and_then(|node| text(node.get("file_source").and_then(|node| node.get("path"))))
        .or_else(|| configuration.and_then(|node| text(node.get("file_path"))));
    if let Some(path) = named {
        let path = path.trim_start_matches('/').to_owned();
        // Older projects write the path with the project's folder, or below the folder of dbt.
        let dbt = format!("dbt/{path}");
        let inside = path.split_once('/').map(|(_, rest)| rest.to_owned());
        return [Some(path), Some(dbt), inside].into_iter().flatten().collect();
    }
    let Some(folder) = folder(&block.block_type) else { return Vec::new() };
    let original = block.replicated_block.as_deref();
    let uuid = original.unwrap_or(&block.uuid);
    let language = block.node.get("language").and_then(Node::as_str).unwrap_or("python");
    let Some(ending) = ending(language) else { return Vec::new() };
    if pipeline.pipeline_type() == "integration" && language != "python" {
        return vec![
            format!("{folder}/{uuid}.{ending}"),
            format!("{folder}/{}/{uuid}.{ending}", pipeline.uuid),
        ];
    }
    vec![format!("{folder}/{uuid}.{ending}")]
}

/// Returns the folder of a type; dbt blocks and those of other pipelines name their files.
fn folder(block_type: &str) -> Option<&'static str> {
    Some(match block_type {
        "callback" => "callbacks",
        "conditional" => "conditionals",
        "custom" => "custom",
        "data_exporter" => "data_exporters",
        "data_loader" => "data_loaders",
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
