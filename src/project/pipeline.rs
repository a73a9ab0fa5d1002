//! A pipeline's file (`mage_ai/data_preparation/models/pipeline.py`). It is not a template.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::block::{BLOCK_TYPES, Block, NEVER_RUN};
use super::graph::Graph;
use super::metadata::{positive, twice_problem};
use crate::config::{nearest, scalar_text};
use crate::error::Problem;
use crate::finding::FindingId;
use crate::yaml::{self, Node, Position, SourceFile, Span, Value};

/// The most unknown upstreams for which the nearest block is looked for.
const MOST_MEANT: usize = 20;

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its uuid: the name of its folder.
    pub uuid: String,
    /// Its file.
    pub file: Arc<SourceFile>,
    /// The blocks that run, in the order of the file.
    pub blocks: Vec<Block>,
    /// `overrides.<ENV>`, where one applies.
    pub overrides: Option<Node>,
    root: Node,
    graph: Graph,
    dynamic_children: OnceLock<BTreeSet<usize>>,
}

/// As much of a pipeline as can be read.
#[derive(Debug, Default)]
pub struct InPart {
    /// The pipeline; none where it is no mapping or its blocks wait for each other.
    pub pipeline: Option<Pipeline>,
    /// What is doubtful.
    pub warnings: Vec<Problem>,
    /// What is wrong: where something is, no Job may be made of the pipeline.
    pub problems: Vec<Problem>,
}

impl InPart {
    /// Returns the pipeline with what is doubtful, if nothing is wrong.
    pub fn whole(self) -> Result<(Pipeline, Vec<Problem>), Vec<Problem>> {
        match self.pipeline {
            Some(pipeline) if self.problems.is_empty() => Ok((pipeline, self.warnings)),
            _ => Err(self.problems),
        }
    }
}

impl Pipeline {
    /// Reads a pipeline. `env` picks `overrides.<ENV>`, each property of which replaces the
    /// pipeline's whole. Everything that is wrong is reported at once; what is doubtful comes with
    /// the pipeline.
    pub fn parse(
        file: &Arc<SourceFile>,
        uuid: &str,
        env: Option<&str>,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        Self::parse_in_part(file, uuid, env).whole()
    }

    /// Reads as much of a pipeline as there is.
    #[must_use]
    pub fn parse_in_part(file: &Arc<SourceFile>, uuid: &str, env: Option<&str>) -> InPart {
        let document = match yaml::parse(file) {
            Ok(document) => document,
            Err(error) => {
                let problems = vec![error.to_problem()];
                return InPart { problems, ..InPart::default() };
            }
        };
        let mut warnings: Vec<Problem> =
            document.warnings.iter().map(|twice| twice_problem(twice, file)).collect();
        let span = document.root.as_ref().map_or_else(start_of_file, |root| root.span);
        let Some(root) = document.root.filter(|root| root.as_mapping().is_some()) else {
            let problem = Problem::new(format!("pipeline `{uuid}` is empty or not a mapping"));
            let problem = problem
                .id(FindingId::InvalidPipeline)
                .at(file, span)
                .hint("give at least `type: python` and `blocks:`");
            return InPart { warnings, problems: vec![problem], pipeline: None };
        };
        let mut root = root;
        let mut overrides = env
            .and_then(|env| root.get("overrides")?.get(env))
            .filter(|node| node.as_mapping().is_some())
            .cloned();
        let mut reading = Reading { file, problems: Vec::new() };
        // Taken out and not copied: the blocks are nearly all of the file.
        let list = overrides.as_mut().and_then(take_blocks).or_else(|| take_blocks(&mut root));
        let blocks = reading.blocks(list);
        let graph = reading.graph(&blocks, &mut warnings);
        let problems = reading.problems;
        if graph.cycle().is_some() {
            return InPart { warnings, problems, pipeline: None };
        }
        let file = Arc::clone(file);
        let uuid = uuid.to_owned();
        let dynamic_children = OnceLock::new();
        let pipeline = Self { uuid, file, blocks, overrides, root, graph, dynamic_children };
        InPart { pipeline: Some(pipeline), warnings, problems }
    }

    /// Returns a property of the pipeline, `overrides.<ENV>` first.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Node> {
        let overridden = self.overrides.as_ref().and_then(|node| node.get(name));
        overridden.or_else(|| self.root.get(name))
    }

    /// Returns a key of the pipeline with its value, without `overrides`.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&crate::yaml::Entry> {
        self.root.as_mapping()?.entry(name)
    }

    /// Returns the pipeline's own `executor_config`.
    #[must_use]
    pub fn executor_config(&self) -> Option<&Node> {
        self.root.get("executor_config")
    }

    /// Returns `overrides.<ENV>.executor_config`.
    #[must_use]
    pub fn override_executor_config(&self) -> Option<&Node> {
        self.overrides.as_ref()?.get("executor_config")
    }

    /// Returns `type`, `python` where it is not given.
    #[must_use]
    pub fn pipeline_type(&self) -> &str {
        self.property("type").and_then(Node::as_str).unwrap_or("python")
    }

    /// Returns who waits for whom.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Returns the blocks that run once for each child of a dynamic block, up to one that gathers
    /// its output (`mage_ai/data_preparation/models/block/dynamic/shared.py: is_dynamic_block_child`).
    /// They are found once, when first asked for: who asks does so for every block.
    #[must_use]
    pub fn dynamic_children(&self) -> &BTreeSet<usize> {
        self.dynamic_children.get_or_init(|| self.find_dynamic_children())
    }

    fn find_dynamic_children(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for index in self.graph.topological() {
            let spreads = |up: &usize| {
                let block = &self.blocks[*up];
                (block.is_dynamic() || found.contains(up)) && !block.reduces_output()
            };
            if self.graph.upstream(index).iter().any(spreads) {
                found.insert(index);
            }
        }
        found
    }

    /// Returns the conditionals that decide whether a block runs.
    pub fn conditionals(&self, uuid: &str) -> impl Iterator<Item = &Node> {
        self.attached("conditionals", uuid)
    }

    /// Returns the callbacks that are called when a block has ended.
    pub fn callbacks(&self, uuid: &str) -> impl Iterator<Item = &Node> {
        self.attached("callbacks", uuid)
    }

    /// Returns the blocks of a list beside `blocks` that name a block as their upstream
    /// (`mage_ai/data_preparation/models/pipeline.py: load_config`).
    fn attached(&self, list: &str, uuid: &str) -> impl Iterator<Item = &Node> {
        let nodes = self.property(list).and_then(Node::as_sequence).unwrap_or_default();
        nodes
            .iter()
            .filter(move |node| node.get("upstream_blocks").is_some_and(|up| names(up, uuid)))
    }

    /// Tells whether the whole pipeline is one Job: streaming, or `run_pipeline_in_one_process`,
    /// whose default is the variable `RUN_PIPELINE_IN_ONE_PROCESS`.
    #[must_use]
    pub fn runs_as_one(&self, default: Option<&str>) -> bool {
        if self.pipeline_type() == "streaming" {
            return true;
        }
        match self.property("run_pipeline_in_one_process") {
            Some(node) if !node.is_null() => node.is_truthy(),
            _ => default
                .is_some_and(|text| matches!(text.to_lowercase().as_str(), "1" | "true" | "t")),
        }
    }

    /// Returns `concurrency_config.block_run_limit`, if it is a number above zero.
    #[must_use]
    pub fn block_run_limit(&self) -> Option<u32> {
        positive(self.property("concurrency_config")?.get("block_run_limit")?)
    }

    /// Returns the pipeline's variables as JSON.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, serde_json::Value> {
        let mapping = self.property("variables").and_then(Node::as_mapping);
        mapping
            .into_iter()
            .flat_map(crate::yaml::Mapping::string_entries)
            .map(|(name, entry)| (name.to_owned(), entry.value.to_json()))
            .collect()
    }

    /// Finds a block by its uuid or a block run's (`copy:orig`, `child:3`): the whole name first,
    /// then what stands before the first `:`.
    pub fn find(&self, name: &str) -> Result<usize, Problem> {
        let by_uuid = |uuid: &str| self.blocks.iter().position(|block| block.uuid == uuid);
        let before = name.split(':').next().unwrap_or(name);
        by_uuid(name).or_else(|| by_uuid(before)).ok_or_else(|| {
            let known: Vec<&str> = self.blocks.iter().map(|block| block.uuid.as_str()).collect();
            let problem = Problem::new(format!("no block `{name}` in pipeline `{}`", self.uuid));
            match nearest(before, known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{}/{near}`?", self.uuid)),
                None if known.is_empty() => problem.hint("the pipeline has no blocks that run"),
                None => {
                    let first: Vec<&str> = known.iter().take(10).copied().collect();
                    problem.hint(format!("known: {}", first.join(", ")))
                }
            }
        })
    }
}

struct Reading<'a> {
    file: &'a Arc<SourceFile>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn fail(&mut self, span: Span, message: String, hint: &str) {
        let problem = Problem::new(message).id(FindingId::InvalidPipeline);
        self.problems.push(problem.at(self.file, span).hint(hint));
    }

    fn blocks(&mut self, list: Option<Node>) -> Vec<Block> {
        let Some(list) = list.filter(|list| !list.is_null()) else { return Vec::new() };
        let kind = list.kind();
        let Value::Sequence(nodes) = list.value else {
            let message = format!("`blocks` is {kind}, not a list");
            self.fail(list.span, message, "give each block as an item, `- uuid: …`");
            return Vec::new();
        };
        let mut blocks: Vec<Block> = Vec::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        for node in nodes {
            let Some(block) = self.block(node) else { continue };
            if let Some(line) = seen.get(&block.uuid) {
                let message =
                    format!("two blocks have the uuid `{}`, the first in line {line}", block.uuid);
                self.fail(block.uuid_span, message, "rename one of them");
                continue;
            }
            seen.insert(block.uuid.clone(), block.uuid_span.start.line);
            blocks.push(block);
        }
        blocks.retain(|block| !NEVER_RUN.contains(&block.block_type.as_str()));
        blocks
    }

    fn block(&mut self, node: Node) -> Option<Block> {
        if node.as_mapping().is_none() {
            self.fail(
                node.span,
                format!("a block is {}, not a mapping", node.kind()),
                "write `- uuid: NAME`",
            );
            return None;
        }
        let Some((uuid_node, uuid)) = node
            .get("uuid")
            .and_then(|node| Some((node, scalar_text(node)?)))
            .filter(|(_, uuid)| !uuid.is_empty())
        else {
            self.fail(node.span, "a block has no `uuid`".to_owned(), "give it one, `uuid: NAME`");
            return None;
        };
        let uuid_span = uuid_node.span;
        let block_type = self.block_type(&node, &uuid);
        let upstream = self.names(node.get("upstream_blocks"), &uuid);
        let replicated_block =
            node.get("replicated_block").and_then(Node::as_str).map(str::to_owned);
        Some(Block { uuid, uuid_span, block_type, upstream, replicated_block, node })
    }

    fn block_type(&mut self, node: &Node, uuid: &str) -> String {
        let (span, text) = match node.get("type") {
            Some(given) => (given.span, scalar_text(given).unwrap_or_default()),
            None => (node.span, String::new()),
        };
        if !BLOCK_TYPES.contains(&text.as_str()) {
            let hint = match nearest(&text, BLOCK_TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", BLOCK_TYPES.join(", ")),
            };
            let message = if text.is_empty() {
                format!("block `{uuid}` has no type")
            } else {
                format!("block `{uuid}` has the unknown type `{text}`")
            };
            self.fail(span, message, &hint);
        }
        text
    }

    fn names(&mut self, node: Option<&Node>, uuid: &str) -> Vec<(String, Span)> {
        match node.map(|node| &node.value) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Sequence(items)) => {
                items.iter().filter_map(|item| Some((scalar_text(item)?, item.span))).collect()
            }
            Some(_) => {
                let span = node.map(|node| node.span).unwrap_or_default();
                let message = format!("`upstream_blocks` of block `{uuid}` is not a list");
                self.fail(span, message, "write `[NAME, …]`");
                Vec::new()
            }
        }
    }

    /// Connects the blocks; unknown upstreams are dropped, as Mage does.
    fn graph(&mut self, blocks: &[Block], warnings: &mut Vec<Problem>) -> Graph {
        let mut edges: Vec<BTreeSet<usize>> = Vec::new();
        let indices: HashMap<&str, usize> =
            blocks.iter().enumerate().map(|(index, block)| (block.uuid.as_str(), index)).collect();
        for block in blocks {
            let mut upstream = BTreeSet::new();
            for (name, span) in &block.upstream {
                if let Some(index) = indices.get(name.as_str()) {
                    upstream.insert(*index);
                } else {
                    // Each search for what was meant goes through all blocks.
                    let known = if warnings.len() < MOST_MEANT { blocks } else { &[] };
                    warnings.push(unknown_upstream(self.file, block, name, *span, known));
                }
            }
            edges.push(upstream);
        }
        let graph = Graph::new(edges);
        if let Some(cycle) = graph.cycle() {
            let mut names: Vec<&str> =
                cycle.iter().map(|index| blocks[*index].uuid.as_str()).collect();
            names.push(names[0]);
            let first = &blocks[cycle[0]];
            let span = first
                .upstream
                .iter()
                .find(|(name, _)| cycle.iter().any(|index| blocks[*index].uuid == *name))
                .map_or(first.uuid_span, |(_, span)| *span);
            let message = format!("blocks wait for each other in a circle: {}", names.join(" -> "));
            let problem = Problem::new(message).id(FindingId::Cycle).at(self.file, span);
            self.problems.push(problem.hint("remove one of these `upstream_blocks`"));
        }
        graph
    }
}

/// Tells whether a list of blocks names one.
pub(super) fn names(list: &Node, uuid: &str) -> bool {
    let items = list.as_sequence().unwrap_or_default();
    items.iter().any(|item| scalar_text(item).as_deref() == Some(uuid))
}

fn take_blocks(node: &mut Node) -> Option<Node> {
    let Value::Mapping(mapping) = &mut node.value else { return None };
    let entry = mapping.entries.iter_mut().find(|entry| entry.key.as_str() == Some("blocks"))?;
    let nothing = entry.value.clone_place();
    Some(std::mem::replace(&mut entry.value, nothing))
}

fn start_of_file() -> Span {
    let start = Position { line: 1, column: 1, offset: 0 };
    Span { start, end: start }
}

fn unknown_upstream(
    file: &Arc<SourceFile>,
    block: &Block,
    name: &str,
    span: Span,
    blocks: &[Block],
) -> Problem {
    let message = format!(
        "block `{}` waits for `{name}`, which is no block that runs: Mage ignores it",
        block.uuid
    );
    let problem = Problem::new(message).id(FindingId::UnknownUpstream).at(file, span);
    match nearest(name, blocks.iter().map(|block| block.uuid.as_str())) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("remove it from `upstream_blocks`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Pipeline, Vec<Problem>), Vec<Problem>> {
        Pipeline::parse(&SourceFile::new("pipelines/p/metadata.yaml", text), "p", Some("dev"))
    }

    fn told(problems: &[Problem]) -> Vec<String> {
        problems
            .iter()
            .map(|problem| {
                let line = problem.place.as_ref().map_or(0, |place| place.span.start.line);
                format!("{line}: {}", problem.message)
            })
            .collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_line() {
        let problems = parse(
            "blocks:\n- {uuid: a, type: transformer, upstream_blocks: [b]}\n- {uuid: b, type: transformer, upstream_blocks: [a]}\n- {uuid: a, type: custom}\n- {uuid: c, type: transformr}\n- {type: custom}\n",
        )
        .unwrap_err();
        let told = told(&problems);
        assert!(
            told.contains(&"4: two blocks have the uuid `a`, the first in line 2".to_owned()),
            "{told:?}"
        );
        assert!(told.contains(&"5: block `c` has the unknown type `transformr`".to_owned()));
        assert!(told.contains(&"6: a block has no `uuid`".to_owned()));
        assert!(told.iter().any(|text| text.contains("in a circle: ")), "{told:?}");
    }

    #[test]
    fn unknown_upstreams_are_dropped_and_told() {
        let (pipeline, warnings) = parse(
            "blocks:\n- {uuid: load_data, type: data_loader}\n- {uuid: b, type: custom, upstream_blocks: [load_date, load_data]}\n",
        )
        .unwrap();
        assert_eq!(pipeline.graph().upstream(1), &[0].into());
        assert_eq!(
            told(&warnings),
            ["3: block `b` waits for `load_date`, which is no block that runs: Mage ignores it"]
        );
        assert_eq!(warnings[0].hints, ["did you mean `load_data`?"]);
    }

    #[test]
    fn block_runs_are_found_by_what_stands_before_the_colon() {
        let (pipeline, _) = parse(
            "blocks:\n- {uuid: copy, type: custom, replicated_block: orig}\n- {uuid: 'a:b', type: custom}\n- {uuid: note, type: markdown}\n",
        )
        .unwrap();
        assert_eq!(pipeline.find("copy:orig").unwrap(), 0);
        assert_eq!(pipeline.find("a:b").unwrap(), 1);
        assert!(pipeline.find("note").is_err());
        assert_eq!(pipeline.blocks[0].run_uuid(), "copy:orig");
    }

    #[test]
    fn overrides_replace_whole_properties() {
        let (pipeline, _) = parse(
            "executor_type: local_python\nblocks: [{uuid: a, type: custom}]\noverrides:\n  dev:\n    executor_type: k8s\n    blocks: [{uuid: b, type: custom}]\n",
        )
        .unwrap();
        assert_eq!(pipeline.property("executor_type").and_then(Node::as_str), Some("k8s"));
        assert_eq!(pipeline.blocks[0].uuid, "b");
    }
}
