//! Reading dotenv files, as docker compose and python-dotenv do, but for `$NAME`, which is left as it
//! is written.

use crate::error::{CliError, Problem};

/// A variable of a dotenv file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotenvVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The line it begins in, from 1.
    pub line: usize,
}

/// Reads a dotenv file: `NAME=VALUE` or `export NAME=VALUE` a line, and comments after `#`.
///
/// A value in quotes may have several lines; in double quotes `\n`, `\r`, `\t`, `\"`, `\$` and `\\`
/// mean what they mean elsewhere, in single quotes everything is as written. What is wrong is told
/// with its line and column and without the text, which may be secret.
pub fn parse_dotenv(file: &str, text: &str) -> Result<Vec<DotenvVariable>, CliError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading { file, text, at: 0 };
    let mut variables = Vec::new();
    while reading.at < text.len() {
        variables.extend(reading.line()?);
    }
    Ok(variables)
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    at: usize,
}

impl<'a> Reading<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Returns what is left of the line, without its break.
    fn rest_of_line(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())]
    }

    fn skip_blanks(&mut self) {
        let line = self.rest_of_line();
        self.at += line.len() - line.trim_start().len();
    }

    /// Goes behind the line and its break.
    fn end_line(&mut self) {
        self.at += self.rest_of_line().len();
        let rest = self.rest();
        self.at += if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
    }

    /// Returns line and column of a place, from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text[..at].replace("\r\n", "\n").replace('\r', "\n");
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    }

    fn wrong(&self, at: usize, what: &str, hint: &str) -> CliError {
        let (line, column) = self.position(at);
        let message = format!("{}:{line}:{column}: {what}", self.file);
        CliError::usage(Problem::new(message).hint(hint))
    }

    fn line(&mut self) -> Result<Option<DotenvVariable>, CliError> {
        self.skip_blanks();
        let start = self.at;
        let line = self.rest_of_line();
        if line.is_empty() || line.starts_with('#') {
            self.end_line();
            return Ok(None);
        }
        let expected = "one variable a line, NAME=VALUE; comments start with `#`";
        let Some((before, _)) = line.split_once('=') else {
            return Err(self.wrong(start, "expected NAME=VALUE", expected));
        };
        let words = before.trim_end();
        let exported = words.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let name = exported.map_or(words, str::trim_start);
        if name.is_empty() || name.contains([' ', '\t', '"', '\'']) {
            return Err(self.wrong(start, "there is no name before the `=`", expected));
        }
        self.at += before.len() + 1;
        let value = self.value()?;
        Ok(Some(DotenvVariable { name: name.to_owned(), value, line: self.position(start).0 }))
    }

    fn value(&mut self) -> Result<String, CliError> {
        let after_name = self.at;
        self.skip_blanks();
        let line = self.rest_of_line();
        let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            // A comment begins after a blank.
            let is_comment = line.starts_with('#') && self.at > after_name;
            let end = [" #", "\t#"].iter().filter_map(|mark| line.find(mark)).min();
            let value = if is_comment { "" } else { &line[..end.unwrap_or(line.len())] };
            self.end_line();
            return Ok(value.trim_end().to_owned());
        };
        let start = self.at;
        self.at += 1;
        let value = self.quoted(quote).ok_or_else(|| {
            let hint = "put the same quote behind the value; a value with a quote in it goes into the other quotes";
            self.wrong(start, "the value's quote has no end", hint)
        })?;
        self.skip_blanks();
        let rest = self.rest_of_line();
        if !rest.is_empty() && !rest.starts_with('#') {
            let hint = "end the line behind the quote, or begin a comment with `#`; in double quotes `\\\"` is a quote";
            return Err(self.wrong(self.at, "there is text behind the quoted value", hint));
        }
        self.end_line();
        Ok(value)
    }

    /// Reads up to the quote and goes behind it; `None` where there is none.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut value = String::new();
        let mut rest = self.rest().char_indices();
        while let Some((index, c)) = rest.next() {
            match c {
                c if c == quote => {
                    self.at += index + 1;
                    return Some(value);
                }
                '\\' if quote == '"' => match rest.next()?.1 {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    c @ ('"' | '$' | '\\') => value.push(c),
                    other => value.extend(['\\', other]),
                },
                c => value.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::parse_dotenv;

    fn read(text: &str) -> Vec<(String, String, usize)> {
        let variables = parse_dotenv(".env", text).unwrap().into_iter();
        variables.map(|variable| (variable.name, variable.value, variable.line)).collect()
    }

    #[test]
    fn every_way_to_write_a_value_is_read() {
        for (text, value) in [
            ("A=1", "1"),
            ("A=", ""),
            ("\u{feff}A=1\r\n", "1"),
            ("  export  A = b c  # d", "b c"),
            ("A=# not a comment", "# not a comment"),
            ("A= # a comment", ""),
            ("A=a#b", "a#b"),
            ("A=\"quoted\" # comment", "quoted"),
            ("A='a # c' # d", "a # c"),
            ("A='it\"s \\n $B'", "it\"s \\n $B"),
            ("A=\"x \\\"y\\\" \\$B\\tz \\d\"", "x \"y\" $B\tz \\d"),
            ("A=\"one\ntwo=x\n\"\n", "one\ntwo=x\n"),
            ("A=a'b'", "a'b'"),
            ("A=b=c", "b=c"),
        ] {
            assert_eq!(read(text), [("A".to_owned(), value.to_owned(), 1)], "{text:?}");
        }
        let lines = read("# c\n\nA=\"x\ny\"\nB=2\rC=3\n");
        let lines: Vec<_> = lines.iter().map(|(name, _, line)| (name.as_str(), *line)).collect();
        assert_eq!(lines, [("A", 3), ("B", 5), ("C", 6)]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_without_the_text() {
        for (text, wrong) in [
            ("A=1\n  hunter2\n", ".env:2:3: expected NAME=VALUE"),
            ("=hunter2", ".env:1:1: there is no name before the `=`"),
            ("a hunter2 = x", ".env:1:1: there is no name before the `=`"),
            ("A=1\r\nÉ=\"hunter2\nB=2\n", ".env:2:3: the value's quote has no end"),
            ("A='hunter2", ".env:1:3: the value's quote has no end"),
            ("A='a'hunter2", ".env:1:6: there is text behind the quoted value"),
        ] {
            let error = parse_dotenv(".env", text).unwrap_err();
            assert_eq!(error.to_string(), wrong, "{text:?}");
        }
    }
}
