//! A run as the results of tests, as Jenkins, GitLab and what reads artefacts on GitHub know them:
//! each block a test case.

use k8s_openapi::jiff::SignedDuration;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::told::{
    earlier_failures, ended, harmless, last_lines, notes, one_line, sentence, started,
};
use crate::run::{BlockReport, BlockState, Outcome, Plan};
use crate::ui::words;

type Xml = Writer<Vec<u8>>;
type Written = std::io::Result<()>;

/// What a block is as a test case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// The block itself failed.
    Failure,
    /// Something else kept it from its end.
    Error,
    Skipped,
}

fn verdict(state: BlockState) -> Verdict {
    match state {
        BlockState::Complete => Verdict::Passed,
        BlockState::Failed | BlockState::TimedOut => Verdict::Failure,
        BlockState::Skipped
        | BlockState::ConditionFalse
        | BlockState::NotStarted
        | BlockState::Waiting => Verdict::Skipped,
        // Whoever reads tests must not take for passed what was not seen to pass.
        BlockState::CouldNotStart
        | BlockState::Refused
        | BlockState::Gone
        | BlockState::Cancelled
        | BlockState::LeftRunning
        | BlockState::Retrying
        | BlockState::Created
        | BlockState::Pending
        | BlockState::Running => Verdict::Error,
    }
}

/// Writes the report.
pub(super) fn junit(plan: &Plan, outcome: &Outcome) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    suites(&mut xml, plan, outcome).expect("a Vec takes everything");
    let mut text = String::from_utf8(xml.into_inner()).expect("what was written is UTF-8");
    text.push('\n');
    text
}

fn suites(xml: &mut Xml, plan: &Plan, outcome: &Outcome) -> Written {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |wanted| {
        let of = outcome.blocks.iter().filter(|block| verdict(block.state) == wanted);
        of.count().to_string()
    };
    let total = ended(outcome).zip(started(outcome)).map(|(end, start)| end.duration_since(start));
    let name = one_line(&plan.pipeline);
    let tests = outcome.blocks.len().to_string();
    let (failures, errors) = (count(Verdict::Failure), count(Verdict::Error));
    let time = seconds(total);
    let sums = [
        ("name", name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("time", &time),
    ];
    let skipped = count(Verdict::Skipped);
    let mut own = vec![("skipped", skipped.as_str())];
    let stamp = started(outcome).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    own.extend(stamp.as_deref().map(|stamp| ("timestamp", stamp)));
    xml.create_element("testsuites").with_attributes(sums).write_inner_content(|xml| {
        xml.create_element("testsuite")
            .with_attributes(sums)
            .with_attributes(own)
            .write_inner_content(|xml| {
                properties(xml, outcome)?;
                for block in &outcome.blocks {
                    test_case(xml, &name, block)?;
                }
                Ok(())
            })?;
        Ok(())
    })?;
    Ok(())
}

fn properties(xml: &mut Xml, outcome: &Outcome) -> Written {
    let exit = outcome.exit.code().to_string();
    let sentence = one_line(&sentence(outcome));
    let all = [
        ("run", outcome.run.as_str()),
        ("namespace", outcome.plan_namespace.as_str()),
        ("state", outcome.state.as_str()),
        ("exitCode", &exit),
        ("message", &sentence),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in all {
            let attributes = [("name", name), ("value", value)];
            xml.create_element("property").with_attributes(attributes).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn test_case(xml: &mut Xml, pipeline: &str, block: &BlockReport) -> Written {
    let (name, time) = (one_line(&block.uuid), seconds(block.duration));
    let attributes = [("classname", pipeline), ("name", &name), ("time", &time)];
    xml.create_element("testcase").with_attributes(attributes).write_inner_content(|xml| {
        let verdict = verdict(block.state);
        let element = match verdict {
            Verdict::Passed => None,
            Verdict::Failure => Some("failure"),
            Verdict::Error => Some("error"),
            Verdict::Skipped => Some("skipped"),
        };
        if let Some(element) = element {
            ill(xml, element, block)?;
        }
        let said = said(block, verdict);
        if !said.is_empty() {
            let text = BytesText::new(&said);
            xml.create_element("system-out").write_text_content(text)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn ill(xml: &mut Xml, element: &str, block: &BlockReport) -> Written {
    let cause = block.cause.clone().unwrap_or_default();
    let or_state = |text: &str| {
        if text.is_empty() { words(block.state).to_owned() } else { one_line(text) }
    };
    let (message, kind) = (or_state(&cause.sentence), or_state(&cause.reason));
    let attributes = [("message", message.as_str()), ("type", &kind)];
    let element = xml.create_element(element).with_attributes(attributes);
    if block.started.is_none() {
        element.write_empty()?;
        return Ok(());
    }
    let mut lines = vec![format!("job.batch/{} in namespace {}", block.job, block.namespace)];
    lines.extend(block.pod.as_ref().map(|pod| format!("pod/{pod}")));
    lines.extend(cause.exit_code.map(|code| format!("exit code {code}")));
    lines.extend(cause.hint.as_ref().map(|hint| format!("hint: {hint}")));
    lines.extend(last_lines(&block.tail));
    element.write_text_content(BytesText::new(&harmless(&lines.join("\n"))))?;
    Ok(())
}

/// Returns what stands beside the verdict: how earlier attempts ended, and the last lines of a log
/// that no failure shows.
fn said(block: &BlockReport, verdict: Verdict) -> String {
    let mut lines: Vec<String> = earlier_failures(block)
        .filter_map(|attempt| Some((attempt.number, attempt.cause.as_ref()?)))
        .map(|(number, cause)| format!("attempt {number}: {}", one_line(&cause.sentence)))
        .chain(notes(block))
        .collect();
    if matches!(verdict, Verdict::Passed | Verdict::Skipped) {
        lines.extend(last_lines(&block.tail));
    }
    lines.join("\n")
}

fn seconds(duration: Option<SignedDuration>) -> String {
    format!("{:.3}", duration.unwrap_or_default().max(SignedDuration::ZERO).as_secs_f64())
}
