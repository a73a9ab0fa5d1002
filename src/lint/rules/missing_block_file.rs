//! The source file of a block does not exist.

use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::lint::{BlockFile, Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::MissingBlockFile,
    code: "MAGE204",
    name: "missing-block-file",
    severity: Severity::Warning,
    summary: "the source file of a block does not exist",
    explanation: "Mage reads an empty text for a source file that is missing, and the block then fails in its pod, after everything before it has run. Without a path in the block's `configuration` the file is `<type>s/<uuid>.<ending>` (`custom/` for custom blocks), with the uuid exactly as it is written in the pipeline. A replica runs the file of its original. Write the file, correct the uuid, or remove the block.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n- uuid: «Export Orders»\n  type: data_exporter\n  language: sql\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    for (block, file) in facts.pipeline.blocks.iter().zip(facts.block_files) {
        let BlockFile::Missing(paths) = file else { continue };
        let path = paths.first().map(String::as_str).unwrap_or_default();
        let message = format!("block `{}` has no source: there is no {path}", block.uuid);
        let problem = Problem::new(message).at(&facts.pipeline.file, block.uuid_span);
        let problem = match &block.replicated_block {
            Some(original) => problem.hint(format!("it runs the code of `{original}`")),
            None => problem,
        };
        found.push(problem.hint("write the file, correct the uuid, or remove the block"));
    }
}
