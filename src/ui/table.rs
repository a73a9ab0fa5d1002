//! Tables with kubectl's look: no borders, three spaces between columns.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Table};

/// Whether a table has headers: `--no-headers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// With headers.
    #[default]
    Shown,
    /// Without.
    Hidden,
}

/// Renders rows beneath headers; ends with a line end unless it is empty.
#[must_use]
pub fn table(headers: &[&str], shown: Headers, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if shown == Headers::Shown {
        table.set_header(headers.iter().map(Cell::new).collect::<Vec<_>>());
    }
    for row in rows {
        // A line end would tear a row apart.
        table
            .add_row(row.iter().map(|cell| Cell::new(cell.replace('\n', " "))).collect::<Vec<_>>());
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 3 }));
    }
    let text = table.trim_fmt();
    if text.is_empty() { text } else { text + "\n" }
}

#[cfg(test)]
mod tests {
    use super::{Headers, table};

    #[test]
    fn looks_like_kubectl() {
        let rows = vec![
            vec!["etl-1".to_owned(), "Running".to_owned(), "3s".to_owned()],
            vec!["a".to_owned(), "Complete".to_owned(), "12m".to_owned()],
        ];
        insta::assert_snapshot!(table(&["RUN", "STATUS", "AGE"], Headers::Shown, rows.clone()), @r"
        RUN     STATUS     AGE
        etl-1   Running    3s
        a       Complete   12m
        ");
        assert_eq!(
            table(&["RUN", "STATUS", "AGE"], Headers::Hidden, rows),
            "etl-1   Running    3s\na       Complete   12m\n"
        );
    }
}
