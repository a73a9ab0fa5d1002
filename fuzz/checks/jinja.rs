//! Jinja and what is read behind it: the project's file and a pipeline's.

use std::sync::Arc;

use kubectl_mage::project::{self, Missing, Pipeline, Project, TemplateValues};
use kubectl_mage::yaml::{self, Piece, PieceSource, SourceFile, SourceMap};
use serde_json::json;

use super::spans::{check_node, check_problem, check_span};

pub(crate) fn jinja(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(data) else { return };
    let values = values(*mode);
    let file = SourceFile::new("metadata.yaml", text);
    rendered(&file, &values);
    match Project::parse(&file, &values) {
        Ok(project) => {
            check_node(&project.root, &project.file.lines());
            project.warnings.iter().for_each(check_problem);
            for span in project.lookups.iter().filter_map(|used| used.span) {
                check_span(span, &file.lines());
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(check_problem);
        }
    }
    let _ = project::render_value(text, &values);
    pipeline(&file);
}

fn values(mode: u8) -> Arc<TemplateValues> {
    let missing = [Missing::Error, Missing::Empty, Missing::Placeholder];
    Arc::new(TemplateValues {
        env: [("A", "alpha"), ("E", ""), ("J", r#"{"a": {"b": [1, null, "x"]}}"#), ("Y", "a: [1]")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        variables: [("n", json!(7)), ("l", json!([1, "x", null])), ("d", json!({"k": "v"}))]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        secrets: [("s".to_owned(), "geheim".to_owned())].into(),
        unset: missing[usize::from(mode) % 3],
        missing_secret: missing[usize::from(mode) / 3 % 3],
    })
}

fn rendered(file: &Arc<SourceFile>, values: &Arc<TemplateValues>) {
    let rendered = match project::render(file, values) {
        Ok(rendered) => rendered,
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in &errors {
                check_problem(&error.to_problem(file));
            }
            return;
        }
    };
    assert!(!rendered.text.contains('\u{fdd0}') || file.text.contains('\u{fdd0}'));
    match &rendered.map {
        SourceMap::Identity => assert!(file.text.starts_with(&rendered.text)),
        SourceMap::Pieces(pieces) => check_pieces(pieces, &rendered.text, &file.text),
        SourceMap::Rendered(again) => assert_eq!(again.text, rendered.text),
    }
    let read = yaml::parse_mapped(&rendered.text, &rendered.map, file);
    let lines = rendered.map.file(file);
    match read {
        Ok(document) => {
            if let Some(root) = &document.root {
                check_node(root, &lines.lines());
            }
        }
        Err(error) => check_problem(&error.to_problem()),
    }
}

/// The pieces make up the text without a gap, and literal ones are what the file says.
fn check_pieces(pieces: &[Piece], rendered: &str, template: &str) {
    let mut end = 0;
    for piece in pieces {
        assert_eq!(piece.rendered.start, end);
        end = piece.rendered.end;
        match &piece.source {
            PieceSource::Literal(from) => {
                let length = piece.rendered.len();
                assert_eq!(&rendered[piece.rendered.clone()], &template[*from..from + length]);
            }
            PieceSource::Expression(source) => assert!(template.get(source.clone()).is_some()),
        }
    }
    assert_eq!(end, rendered.len());
}

fn pipeline(file: &Arc<SourceFile>) {
    match Pipeline::parse(file, "p", Some("dev")) {
        Ok((pipeline, warnings)) => {
            warnings.iter().for_each(check_problem);
            let order = pipeline.graph().topological();
            assert_eq!(order.len(), pipeline.blocks.len());
            let _ = (pipeline.variables(), pipeline.block_run_limit(), pipeline.runs_as_one(None));
            for block in &pipeline.blocks {
                assert!(pipeline.find(&block.uuid).is_ok(), "{}", block.uuid);
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(check_problem);
        }
    }
}
