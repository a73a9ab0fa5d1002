//! Places are inside of the text they point into, and lines and columns agree with offsets.

use kubectl_mage::error::Problem;
use kubectl_mage::yaml::{LineIndex, Node, Position, Span, Value};

/// Checks every span of a value.
pub(super) fn check_node(node: &Node, lines: &LineIndex<'_>) {
    check_span(node.span, lines);
    if let Some(alias) = node.alias {
        check_span(alias, lines);
    }
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| check_node(item, lines)),
        Value::Mapping(mapping) => mapping.entries.iter().for_each(|entry| {
            check_node(&entry.key, lines);
            check_node(&entry.value, lines);
        }),
        _ => assert!(!node.kind().is_empty()),
    }
}

/// Checks one span.
pub(super) fn check_span(span: Span, lines: &LineIndex<'_>) {
    assert!(span.start.offset <= span.end.offset, "{span:?}");
    let bytes = span.bytes();
    check_position(span.start, bytes.start, lines);
    check_position(span.end, bytes.end, lines);
}

fn check_position(position: Position, offset: usize, lines: &LineIndex<'_>) {
    assert!(lines.text().is_char_boundary(offset), "{position:?}");
    assert!(position.line > 0 && position.column > 0, "{position:?}");
    assert_eq!(lines.position(offset), position);
}

/// Checks that a problem is one that people can use.
pub(super) fn check_problem(problem: &Problem) {
    assert!(!problem.message.is_empty() && !problem.hints.is_empty(), "{problem:?}");
    if let Some(place) = &problem.place {
        check_span(place.span, &place.file.lines());
    }
}
