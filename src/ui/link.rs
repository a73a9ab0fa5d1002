//! Links from a place to its file, on terminals that have them (OSC 8).

use std::fmt::Write as _;
use std::path::Path;

/// Tells whether a terminal has links, by the variables that it sets. `FORCE_HYPERLINK` decides
/// where it is set, as in other tools: `0` says no, everything else yes.
pub(super) fn terminal_has_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced.trim() != "0";
    }
    let term = variable("TERM").unwrap_or_default();
    if term == "dumb" {
        return false;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u32>().ok());
    number("VTE_VERSION").is_some_and(|version| version >= 5000)
        || PROGRAMS.contains(&program.as_str())
        || TERMS.iter().any(|known| term == *known || term.starts_with(&format!("{known}-")))
        || variable("COLORTERM").is_some_and(|name| name == "xfce4-terminal")
        || ["WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"]
            .iter()
            .any(|name| variable(name).is_some())
}

/// Values of `TERM_PROGRAM`.
const PROGRAMS: [&str; 9] =
    ["ghostty", "Hyper", "iTerm.app", "rio", "Tabby", "vscode", "WarpTerminal", "WezTerm", "zed"];

/// Values of `TERM`, or what they begin with.
const TERMS: [&str; 5] = ["alacritty", "contour", "foot", "xterm-ghostty", "xterm-kitty"];

/// Returns the address of a line of a file: `file://HOST/PATH#LINE`, as kitty and VS Code read it.
/// Other terminals open the file and take no notice of the line.
pub(super) fn file_url(host: &str, path: &Path, line: u32) -> String {
    let mut url = format!("file://{host}");
    let path = path.to_string_lossy().replace('\\', "/");
    if !path.starts_with('/') {
        url.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b':' => {
                url.push(char::from(byte));
            }
            _ => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    let _ = write!(url, "#{line}");
    url
}

/// Makes a text a link.
pub(super) fn linked(text: &str, url: &str) -> String {
    format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}

/// Returns this machine's name, which a link to a file has to tell; empty where it is not known.
pub(super) fn host() -> String {
    if cfg!(windows) {
        return String::new();
    }
    gethostname::gethostname().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{file_url, terminal_has_links};
    use std::path::Path;

    fn has_links(variables: &[(&str, &str)]) -> bool {
        terminal_has_links(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn terminals_are_known_by_what_they_set() {
        for variables in [
            &[("VTE_VERSION", "7200")][..],
            &[("TERM_PROGRAM", "vscode")],
            &[("TERM", "xterm-kitty")],
            &[("TERM", "foot-extra")],
            &[("WT_SESSION", "x"), ("NO_COLOR", "1")],
            &[("TERM", "dumb"), ("FORCE_HYPERLINK", "1")],
        ] {
            assert!(has_links(variables), "{variables:?}");
        }
        for variables in [
            &[][..],
            &[("TERM", "xterm-256color")],
            &[("VTE_VERSION", "4602")],
            &[("TERM", "dumb"), ("VTE_VERSION", "7200")],
            &[("TERM_PROGRAM", "vscode"), ("FORCE_HYPERLINK", "0")],
        ] {
            assert!(!has_links(variables), "{variables:?}");
        }
    }

    #[test]
    fn an_address_tells_host_path_and_line() {
        assert_eq!(
            file_url("box", Path::new("/home/o k/größe;1.yaml"), 31),
            "file://box/home/o%20k/gr%C3%B6%C3%9Fe%3B1.yaml#31"
        );
        assert_eq!(file_url("", Path::new(r"C:\p\a.yaml"), 1), "file:///C:/p/a.yaml#1");
    }
}
