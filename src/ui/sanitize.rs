//! Makes text from pods, files and the API harmless on a terminal (pure).

use std::borrow::Cow;

/// Makes a text of several lines harmless: no control character but the line end and the tab.
#[must_use]
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || is_harmless(c)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(line_for_terminal).collect();
    Cow::Owned(lines.join("\n"))
}

/// Makes one line harmless: colours and cursor moves go, of a progress bar its last state stays,
/// other control characters are shown as `^X`.
#[must_use]
pub fn line_for_terminal(line: &str) -> Cow<'_, str> {
    if line.chars().all(is_harmless) {
        return Cow::Borrowed(line);
    }
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or(line);
    let mut clean = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_until_final(&mut rest),
            c if is_harmless(c) => clean.push(c),
            c if c.is_ascii() => {
                clean.push('^');
                clean.push(char::from(u8::try_from(c).unwrap_or(b'?') ^ 0x40));
            }
            _ => clean.push('\u{fffd}'),
        }
    }
    Cow::Owned(clean)
}

/// Adds one line made harmless, which may be no UTF-8.
pub(super) fn push_harmless(line: &[u8], out: &mut Vec<u8>) {
    // Counted, many bytes are looked at together.
    let is_plain =
        |line: &[u8]| line.iter().filter(|byte| !matches!(byte, b'\t' | b' '..=b'~')).count() == 0;
    if line.chunks(64).all(is_plain) {
        out.extend_from_slice(line);
    } else {
        let line = String::from_utf8_lossy(line);
        out.extend_from_slice(line_for_terminal(&line).as_bytes());
    }
}

/// Tells whether a character does nothing on a terminal but to be shown there.
pub(super) fn is_harmless(c: char) -> bool {
    let reorders =
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    c == '\t' || !(c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}'))
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_escape(rest: &mut Rest<'_>) {
    match rest.next() {
        Some('[') => skip_until_final(rest),
        // Operating system command and its like: up to BEL or ST.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    return;
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | ' ') => drop(rest.next()),
        _ => {}
    }
}

fn skip_until_final(rest: &mut Rest<'_>) {
    for c in rest.by_ref() {
        if ('@'..='~').contains(&c) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{for_terminal, line_for_terminal, push_harmless};

    #[test]
    fn nothing_moves_the_cursor() {
        for (raw, clean) in [
            ("plain\ttext é", "plain\ttext é"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jx", "x"),
            ("10%\r50%\r100%\r", "100%"),
            ("bell\u{7}nul\0", "bell^Gnul^@"),
            ("abc\u{202e}def", "abc\u{fffd}def"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(line_for_terminal(raw), clean);
        }
        assert_eq!(for_terminal("a\u{1b}[1m\nb"), "a\nb");
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_out_harmless(raw in ".*") {
            assert!(line_for_terminal(&raw).chars().all(|c| c == '\t' || !c.is_control()));
        }

        #[test]
        fn bytes_come_out_as_text_does(raw in proptest::collection::vec(0x07..0xff_u8, 0..20)) {
            let mut out = Vec::new();
            push_harmless(&raw, &mut out);
            let text = String::from_utf8_lossy(&raw);
            assert_eq!(String::from_utf8(out).unwrap(), line_for_terminal(&text));
        }
    }
}
