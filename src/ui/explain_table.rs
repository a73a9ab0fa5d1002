//! The table of `explain-config`: whole where a program reads it, fitted to the width of a
//! terminal, where nothing may wrap.

use console::measure_text_width;

use super::color::Paint;
use super::link::{file_url, host, linked};
use super::sanitize::{for_terminal, line_for_terminal};
use super::table::{Headers, table};
use crate::explain::{Links, Row};

const HEADERS: [&str; 6] = ["PATH", "VALUE", "LAYER", "SOURCE", "WHY", "JOB PATH"];

/// What a terminal has.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// Colours are wanted.
    pub color: bool,
    /// Links work.
    pub links: bool,
}

/// Renders the rows: six columns, or for a terminal five, with the path in the Job beneath.
#[must_use]
pub fn explain_table(rows: &[Row], headers: Headers, terminal: Option<Terminal>) -> String {
    match terminal {
        None => table(&HEADERS, headers, rows.iter().map(whole).collect()),
        Some(terminal) => fitted(rows, headers, terminal),
    }
}

fn path(row: &Row) -> String {
    if row.setting.is_empty() { row.job_paths[0].to_string() } else { row.setting.clone() }
}

fn job_paths(row: &Row) -> String {
    row.job_paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn cells(row: &Row) -> [String; 5] {
    let value = row.value.replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t");
    let why = if row.why.is_empty() { "-" } else { &row.why };
    [path(row), value, row.layer.to_owned(), row.source.clone(), why.to_owned()]
}

fn whole(row: &Row) -> Vec<String> {
    cells(row).into_iter().chain([job_paths(row)]).collect()
}

/// Between two columns of a terminal.
const GAP: usize = 2;

/// The least width of each column, beyond which it is not cut.
const LEAST: [usize; 5] = [20, 10, 10, 20, 14];

fn fitted(rows: &[Row], headers: Headers, terminal: Terminal) -> String {
    let host = if terminal.links { host() } else { String::new() };
    let harmless = |row| cells(row).map(|cell| line_for_terminal(&cell).into_owned());
    let lines: Vec<[String; 5]> = rows.iter().map(harmless).collect();
    let widths = widths(&lines, headers, terminal.width);
    let dim = |text: &str| if terminal.color { Paint::Dim.on(text) } else { text.to_owned() };
    let mut text = String::new();
    let mut place = None;
    if headers == Headers::Shown {
        let names = HEADERS[..5].iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        text.push_str(&line(&names, widths, None));
        text.push('\n');
    }
    for (row, cells) in rows.iter().zip(&lines) {
        let url = row.link.as_ref().filter(|_| terminal.links);
        let url = url.map(|(path, line)| file_url(&host, path, *line));
        // Of a path the end tells it apart, of a source the line.
        let parts: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                let cut = if matches!(index, 0 | 3) { cut_front } else { cut_end };
                cut(cell, widths[index])
            })
            .collect();
        let shown = line(&parts, widths, url.as_deref());
        text.push_str(&if row.overridden { dim(&shown) } else { shown });
        text.push('\n');
        // What lost at a place stands beneath what won there.
        if row.overridden && row.job_paths.first() == place {
            continue;
        }
        place = row.job_paths.first();
        if !row.setting.is_empty() {
            for path in beneath(row, terminal.width) {
                text.push_str(&dim(&path));
                text.push('\n');
            }
        }
    }
    text
}

/// Returns the paths in the Job, on one line where they fit.
fn beneath(row: &Row, width: usize) -> Vec<String> {
    let paths: Vec<String> = row
        .job_paths
        .iter()
        .map(|path| line_for_terminal(&path.to_string()).into_owned())
        .collect();
    let together = format!("    {}", paths.join("  "));
    if measure_text_width(&together) <= width {
        return vec![together];
    }
    let room = width.saturating_sub(4);
    paths.iter().map(|path| format!("    {}", cut_front(path, room))).collect()
}

/// Makes links of the sources at the ends of lines; the text is made harmless for a terminal.
#[must_use]
pub fn with_links(text: &str, links: &Links) -> String {
    let host = host();
    let mut linked_text = String::with_capacity(text.len());
    for line in for_terminal(text).split_inclusive('\n') {
        let end = line.trim_end_matches('\n');
        // A source may have blanks in it, so that each may be where it begins.
        let starts = end.match_indices(' ').map(|(index, _)| index + 1);
        let source = starts.rev().find_map(|start| Some((start, links.get(&end[start..])?)));
        match source {
            Some((start, (path, number))) => {
                linked_text.push_str(&end[..start]);
                linked_text.push_str(&linked(&end[start..], &file_url(&host, path, *number)));
                linked_text.push_str(&line[end.len()..]);
            }
            None => linked_text.push_str(line),
        }
    }
    linked_text
}

/// Puts the cells of a line at their columns.
fn line(parts: &[String], widths: [usize; 5], url: Option<&str>) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        match url.filter(|_| index == 3) {
            Some(url) => text.push_str(&linked(part, url)),
            None => text.push_str(part),
        }
        if index + 1 < parts.len() {
            let blanks = widths[index].saturating_sub(measure_text_width(part)) + GAP;
            text.push_str(&" ".repeat(blanks));
        }
    }
    text
}

/// Returns the widths of the columns: their own, or, where those are too much for the terminal, the
/// widest ones shortened.
fn widths(lines: &[[String; 5]], headers: Headers, terminal: usize) -> [usize; 5] {
    let mut widths = [0; 5];
    for (index, width) in widths.iter_mut().enumerate() {
        let header = if headers == Headers::Shown { HEADERS[index].len() } else { 0 };
        let cells = lines.iter().map(|line| measure_text_width(&line[index]));
        *width = cells.max().unwrap_or(0).max(header);
    }
    loop {
        let over = (widths.iter().sum::<usize>() + 4 * GAP).saturating_sub(terminal);
        let shortest = (0..5).filter(|index| widths[*index] > LEAST[*index]);
        match shortest.max_by_key(|index| widths[*index]) {
            Some(index) if over > 0 => widths[index] -= 1,
            _ => return widths,
        }
    }
}

fn cut_end(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut columns = 1;
    for c in text.chars() {
        columns += measure_text_width(c.encode_utf8(&mut [0; 4]));
        if columns > width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

fn cut_front(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut kept = Vec::new();
    let mut columns = 1;
    for c in text.chars().rev() {
        columns += measure_text_width(c.encode_utf8(&mut [0; 4]));
        if columns > width {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::JobPath;

    fn row(setting: &str, value: &str, overridden: bool) -> Row {
        Row {
            setting: setting.to_owned(),
            job_paths: vec![JobPath::parse(".spec.template.spec.containers[0].image").unwrap()],
            value: value.to_owned(),
            layer: "project",
            source: "pipelines/a_long_name/metadata.yaml:31:17".to_owned(),
            link: Some(("/p/metadata.yaml".into(), 31)),
            why: "items are joined by name, the later one wins".to_owned(),
            overridden,
        }
    }

    #[test]
    fn nothing_wraps_and_columns_stand_under_each_other() {
        let rows = [
            row("container_config.image", "a value that is much longer than there is room", false),
            row("container_config.env[0]", "A=日本語日本語日本語日本語\nb\u{1b}[31m", true),
        ];
        for width in [60, 80, 100, 160, 400] {
            let terminal = Terminal { width, color: true, links: true };
            let styled = explain_table(&rows, Headers::Shown, Some(terminal));
            assert!(styled.contains("\u{1b}]8;;file://"), "{styled}");
            let text = crate::ui::for_terminal(&styled).into_owned();
            for line in text.lines() {
                assert!(measure_text_width(line) <= width.max(82), "{width}: {line}");
            }
            let column =
                |line: &str, word: &str| measure_text_width(&line[..line.find(word).unwrap()]);
            let lines: Vec<&str> = text.lines().collect();
            let layer = column(lines[0], "LAYER");
            assert_eq!(column(lines[1], "project"), layer, "{text}");
            assert_eq!(column(lines[3], "project"), layer, "{text}");
            assert!(lines[1].contains("metadata.yaml:31:17"), "the line is never cut: {text}");
            assert_eq!(lines[2].trim(), ".spec.template.spec.containers[0].image");
        }
    }

    #[test]
    fn a_source_at_the_end_of_a_line_is_a_link() {
        let links = Links::from([("a b.yaml:3:4".to_owned(), ("/p/a b.yaml".into(), 3))]);
        let text = with_links("  block  x\u{1b}[1m  a b.yaml:3:4\n  in a b.yaml:3:4 too\n", &links);
        let url = file_url(&host(), std::path::Path::new("/p/a b.yaml"), 3);
        let link = linked("a b.yaml:3:4", &url);
        assert_eq!(text, format!("  block  x  {link}\n  in a b.yaml:3:4 too\n"));
    }

    #[test]
    fn without_colours_and_links_there_is_no_escape() {
        let terminal = Terminal { width: 100, color: false, links: false };
        let text = explain_table(&[row("a", "b", true)], Headers::Hidden, Some(terminal));
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
