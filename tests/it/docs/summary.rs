//! `docs/SUMMARY.md`: written by hand, the pages on findings apart.

use std::fmt::Write as _;

use kubectl_mage::lint::rules_all;

/// The line after which the findings come.
const FINDINGS: &str = "- [Findings](findings.md)";

/// Returns the page as it is, with a line for every finding.
pub(super) fn page(now: &str) -> String {
    let mut page = String::new();
    for line in now.lines().filter(|line| !line.contains("](lint/MAGE")) {
        let _ = writeln!(page, "{line}");
        if line == FINDINGS {
            for rule in rules_all() {
                let _ = writeln!(page, "  - [{0} {1}](lint/{0}.md)", rule.code, rule.name);
            }
        }
    }
    page
}
