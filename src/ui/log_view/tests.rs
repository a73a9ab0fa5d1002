use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::{Composer, LogForm, LogStyle};
use crate::logs::{Batch, Filter, Level, Order};
use crate::ui::{Label, Zone};

mod model;

const MAGE: &str =
    r#"INFO:etl/p1/load:{"level": "INFO", "message": "rows\n  a", "timestamp": 1.5}"#;
const WINDOW: Duration = Duration::from_millis(500);

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// 2026-11-27T12:00:00Z and so many milliseconds.
fn time(milliseconds: u64) -> Timestamp {
    let begin: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    begin + Duration::from_millis(milliseconds)
}

fn label(block: &str) -> Label {
    Label {
        block: block.into(),
        attempt: 1,
        container: None,
        pod: format!("{block}-x").into(),
        job: None,
        namespace: "data".into(),
        run: None,
    }
}

fn style(form: LogForm) -> LogStyle {
    LogStyle { form, terminal: false, color: false, timestamps: None, clock: Zone::utc() }
}

/// A batch of pieces; each of the next millisecond, if the one before it has ended.
fn batch(milliseconds: u64, pieces: &[&[u8]]) -> Batch {
    let mut batch = Batch::default();
    let mut now = milliseconds;
    for piece in pieces {
        batch.push(time(now), piece);
        now += u64::from(piece.ends_with(b"\n"));
    }
    batch
}

/// Splits a text into a batch of its lines.
fn lines(text: &str) -> Batch {
    batch(0, &text.split_inclusive('\n').map(str::as_bytes).collect::<Vec<_>>())
}

fn shown(composer: &mut Composer, now: Duration) -> String {
    let mut out = Vec::new();
    composer.show(now, &mut out);
    String::from_utf8(out).unwrap()
}

/// A composer of two logs, `load` and `export`, that came by arrival.
fn two(style: LogStyle, filter: Filter, order: Order) -> Composer {
    let mut composer = Composer::new(style, filter, order);
    composer.begin(0, label("load"), at(0));
    composer.begin(1, label("export"), at(0));
    composer.all_have_begun();
    composer
}

fn text() -> Composer {
    two(style(LogForm::Text), Filter::default(), Order::Arrival)
}

fn filtered(level: Option<Level>, grep: &[&str], exclude: &[&str]) -> Filter {
    let owned = |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
    Filter::new(level, &owned(grep), &owned(exclude)).unwrap()
}

/// Shows one log to its end.
fn all(style: LogStyle, filter: Filter, log: &Batch) -> Vec<u8> {
    let mut composer = Composer::new(style, filter, Order::Arrival);
    composer.begin(0, label("load"), at(0));
    composer.take(0, log.clone(), at(0));
    composer.end(0);
    let mut out = Vec::new();
    composer.show(at(0), &mut out);
    assert!(composer.is_done() && composer.due().is_none());
    out
}

fn all_text(style: LogStyle, filter: Filter, log: &str) -> String {
    String::from_utf8(all(style, filter, &lines(log))).unwrap()
}

#[test]
fn lines_stand_behind_the_names_of_their_blocks() {
    let mut composer = text();
    composer.begin(2, Label { attempt: 2, ..label("load") }, at(0));
    let sidecar = Label { attempt: 2, container: Some("proxy".into()), ..label("load") };
    composer.begin(3, sidecar, at(0));
    composer.begin(4, label("a name that is longer than all of the others"), at(0));
    for source in 0..5 {
        composer.take(source, lines("plain\n"), at(0));
    }
    composer.take(0, lines(&format!("{MAGE}\nERROR:x:{{\"message\":\"boom\"}}\n")), at(0));
    composer.notice(0, time(9), "lines are missing here", at(0));
    insta::assert_snapshot!(shown(&mut composer, at(0)), @r"
    load                             | plain
    export                           | plain
    load#2                           | plain
    load#2/proxy                     | plain
    a name that is longer than all of the others | plain
    load                             | 12:00:00 INFO    rows
    load                             |   a
    load                             | 12:00:00 ERROR   boom
    load                             : lines are missing here
    ");
}

#[test]
fn full_times_come_first_and_short_ones_are_in_the_zone_asked_for() {
    let log = format!("plain\n{MAGE}\n");
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let local = LogStyle { clock: berlin.clone(), ..style(LogForm::Text) };
    let full = LogStyle { timestamps: Some(berlin), ..style(LogForm::Text) };
    insta::assert_snapshot!(all_text(local, Filter::default(), &log), @r"
    load | plain
    load | 13:00:00 INFO    rows
    load |   a
    ");
    insta::assert_snapshot!(all_text(full.clone(), Filter::default(), &log), @r"
    2026-11-27T13:00:00.000000000+01:00 load | plain
    2026-11-27T13:00:00.001000000+01:00 load | INFO    rows
    2026-11-27T13:00:00.001000000+01:00 load |   a
    ");
    let mut composer = two(full.clone(), Filter::default(), Order::Arrival);
    composer.notice(1, time(9), "lines are\nmissing", at(0));
    insta::assert_snapshot!(
        shown(&mut composer, at(0)),
        @"2026-11-27T13:00:00.009000000+01:00 export : lines are missing"
    );
    let raw = LogStyle { form: LogForm::Raw, ..full };
    insta::assert_snapshot!(all_text(raw, Filter::default(), "a\n\nb"), @r"
    2026-11-27T13:00:00.000000000+01:00 a
    2026-11-27T13:00:00.001000000+01:00 
    2026-11-27T13:00:00.002000000+01:00 b
    ");
}

#[test]
fn colours_are_for_names_levels_and_times_only() {
    let color = LogStyle { color: true, terminal: true, ..style(LogForm::Text) };
    let log = format!("{MAGE}\nWARNING:x:{{\"message\":\"\\u001b[31mred\"}}\nplain\n");
    let told = all_text(color, Filter::default(), &log);
    insta::assert_snapshot!(told.replace('\u{1b}', "ESC"), @r"
    ESC[94mloadESC[0m | ESC[2m12:00:00ESC[0m INFO    rows
    ESC[94mloadESC[0m |   a
    ESC[94mloadESC[0m | ESC[2m12:00:00ESC[0m ESC[33mWARNINGESC[0m red
    ESC[94mloadESC[0m | plain
    ");
}

const HOSTILE: &[&[u8]] = &[
    b"\x1b[31mred\x1b[0m\x1b[2J\n",
    b"\x1b]52;c;ZXZpbA==\x07after\n",
    b"\x1b]0;title\n",
    b"10%\r50%\r100%\r\n",
    b"nul\0bell\x07\xff\xfe\n",
    b"\xc2\x9b2Jc1\x9b\n",
    "abc\u{202e}def\u{2066}\u{2028}\n".as_bytes(),
    b"\r\n",
    b"\n",
    b"INFO:x:{\"message\": \"\\u001b]52;c;x\\u0007\\u202eend\\r\"}\n",
    b"no end \x1b[1",
];

#[test]
fn nothing_is_changed_where_no_terminal_is() {
    let log = batch(0, HOSTILE);
    assert_eq!(all(style(LogForm::Raw), Filter::default(), &log), HOSTILE.concat());
    let plain = batch(0, &HOSTILE[..9]);
    let mut expected = Vec::new();
    for line in &HOSTILE[..9] {
        expected.extend_from_slice(b"load | ");
        expected.extend_from_slice(line);
    }
    assert_eq!(all(style(LogForm::Text), Filter::default(), &plain), expected);
}

#[test]
fn nothing_does_anything_on_a_terminal() {
    for form in [LogForm::Text, LogForm::Raw, LogForm::Json] {
        let style = LogStyle { terminal: true, ..style(form) };
        let out = String::from_utf8(all(style, Filter::default(), &batch(0, HOSTILE))).unwrap();
        let harmful = |c: char| {
            (c.is_control() && c != '\n')
                || ('\u{2028}'..='\u{202f}').contains(&c)
                || c == '\u{2066}'
        };
        assert!(!out.contains(harmful), "{out:?}");
        assert_eq!(out.lines().count(), HOSTILE.len(), "{out:?}");
        if form == LogForm::Text {
            insta::assert_snapshot!(out, @r"
            load | red
            load | after
            load | 
            load | 100%
            load | nul^@bell^G��
            load | c1�
            load | abc�def��
            load | 
            load | 
            load | 12:00:00 INFO    �end
            load | no end
            ");
        }
    }
}

#[test]
fn objects_say_everything_of_a_line() {
    let mut composer = two(style(LogForm::Json), Filter::default(), Order::Arrival);
    let full = Label {
        attempt: 3,
        container: Some("proxy".into()),
        job: Some("j".into()),
        run: Some("etl-abcdef".into()),
        ..label("a \"b\"")
    };
    composer.begin(2, full, at(0));
    composer.take(0, batch(5, &[MAGE.as_bytes(), b"\n", b"\xff\x80q\n"]), at(0));
    composer.take(
        2,
        batch(0, &[b"Traceback (most recent call last):\n", b"  f\n", b"E: \t1\r\n"]),
        at(0),
    );
    composer.notice(2, time(7), "the container was restarted", at(0));
    let told = shown(&mut composer, at(0));
    let objects: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 6, "{told}");
    assert_eq!(
        objects[0],
        json!({
            "time": "2026-11-27T12:00:00.005000000Z", "seq": 1, "kind": "log", "run": null,
            "block": "load", "attempt": 1, "pod": "load-x", "state": null, "reason": null,
            "message": "rows\n  a", "line": MAGE, "namespace": "data", "job": null,
            "container": null, "level": "info", "bytes": null, "continues": false,
        })
    );
    assert_eq!(objects[1]["line"], "\u{fffd}\u{fffd}q");
    assert_eq!(objects[1]["bytes"], "/4Bx");
    assert_eq!(objects[4]["message"], "E: \t1\r");
    assert_eq!(
        objects[5],
        json!({
            "time": "2026-11-27T12:00:00.007000000Z", "seq": 6, "kind": "notice",
            "run": "etl-abcdef", "block": "a \"b\"", "attempt": 3, "pod": "a \"b\"-x",
            "state": null, "reason": null, "message": "the container was restarted",
            "line": null, "namespace": "data", "job": "j", "container": "proxy", "level": null,
            "bytes": null, "continues": null,
        })
    );
    let levels: Vec<_> = objects.iter().map(|object| object["level"].as_str()).collect();
    let error = Some("error");
    assert_eq!(levels, [Some("info"), Some("info"), error, error, error, None]);
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let schema = super::super::log_event_schema();
    let required: Vec<_> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for object in &objects {
        assert_eq!(members(object), required);
        assert_eq!(members(object), members(&schema["properties"]));
    }
}

#[test]
fn a_restart_is_another_attempt_from_its_place_on() {
    for order in [Order::Arrival, Order::Sequence, Order::Time { window: WINDOW }] {
        let mut composer = Composer::new(style(LogForm::Text), Filter::default(), order);
        composer.begin(0, label("load"), at(0));
        composer.all_have_begun();
        composer.take(0, lines("one\n  more\nno end"), at(0));
        composer.restart(0, 2, at(0));
        composer.notice(0, time(9), "the container was restarted", at(0));
        composer.take(0, lines("  two\n"), at(0));
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&mut composer, at(0)), @r"
            load | one
            load |   more
            load | no end
            load#2 : the container was restarted
            load#2 |   two
            ");
        }
    }
    let mut composer = two(style(LogForm::Json), Filter::default(), Order::Arrival);
    composer.restart(0, 7, at(0));
    composer.take(0, lines("x\n"), at(0));
    assert!(shown(&mut composer, at(0)).contains(r#""block":"load","attempt":7,"#));
}

const BEGIN: &str = "Traceback (most recent call last):\n  File \"a.py\", line 1\n";

#[test]
fn a_traceback_waits_for_its_rest_and_others_do_not() {
    let mut composer = text();
    composer.take(0, lines(&format!("one\n{BEGIN}")), at(0));
    composer.take(1, lines("other\n"), at(100));
    assert_eq!(shown(&mut composer, at(100)), "load   | one\nexport | other\n");
    assert_eq!(composer.due(), Some(at(200)));
    composer.take(0, lines("    boom()\nValueError: no\n"), at(150));
    assert_eq!(shown(&mut composer, at(150)), "");
    // Another one may have come of it, but most probably none has.
    assert_eq!(composer.due(), Some(at(200)));
    let whole = format!("{BEGIN}    boom()\nValueError: no\n");
    let prefixed = |text: &str| {
        text.lines().fold(String::new(), |told, line| told + "load   | " + line + "\n")
    };
    assert_eq!(shown(&mut composer, at(200)), prefixed(&whole));
    assert_eq!(composer.due(), None);
    // What comes too late still belongs to it, and is not waited for.
    composer.take(0, lines(BEGIN), at(300));
    assert_eq!(shown(&mut composer, at(499)), "");
    assert_eq!(shown(&mut composer, at(500)), prefixed(BEGIN));
    composer.take(0, lines("  late\n"), at(600));
    assert_eq!(shown(&mut composer, at(600)), "load   |   late\n");
    assert_eq!(composer.due(), None);
    // What ends a record is not waited for either.
    composer.take(0, lines(BEGIN), at(700));
    composer.notice(0, time(0), "restarted", at(700));
    composer.take(1, lines(BEGIN), at(700));
    composer.end(1);
    let told = shown(&mut composer, at(700));
    assert!(told.contains("load   : restarted\nexport | Traceback"), "{told}");
}

#[test]
fn a_record_that_is_too_long_is_let_go() {
    let mut composer = text();
    composer.take(0, lines(BEGIN), at(0));
    let frame = format!("  {}\n", "x".repeat(997));
    let mut told = String::new();
    for _ in 0..300 {
        composer.take(0, lines(&frame), at(0));
        told += &shown(&mut composer, at(0));
    }
    assert_eq!(told.matches("xxx\n").count(), 300);
    composer.take(1, lines("other\n"), at(0));
    assert_eq!(shown(&mut composer, at(0)), "export | other\n");
}

#[test]
fn a_line_in_pieces_is_one_line() {
    let mut composer = text();
    composer.take(0, batch(0, &[b"begin "]), at(0));
    composer.take(1, lines("other\n"), at(0));
    // However long its rest takes: half a line helps nobody, and others go on.
    assert_eq!(shown(&mut composer, at(60_000)), "export | other\n");
    assert_eq!(composer.due(), None);
    composer.take(0, batch(0, &[b"middle ", b"end\n", b"next"]), at(60_000));
    assert_eq!(shown(&mut composer, at(60_000)), "load   | begin middle end\n");
    composer.end(0);
    assert_eq!(shown(&mut composer, at(60_000)), "load   | next\n");
    // Mage's own lines are understood in pieces too.
    let (one, two) = MAGE.as_bytes().split_at(60);
    composer.take(1, batch(0, &[one]), at(60_000));
    composer.take(1, batch(0, &[two, b"\n"]), at(60_000));
    let told = shown(&mut composer, at(60_000));
    assert_eq!(told, "export | 12:00:00 INFO    rows\nexport |   a\n");
}

#[test]
fn a_line_of_megabytes_is_shown_as_it_comes_and_not_torn() {
    for form in [LogForm::Text, LogForm::Raw, LogForm::Json] {
        let mut composer = two(style(form), Filter::default(), Order::Arrival);
        let piece = "éx\u{1b}".repeat(75_000);
        let (mut out, mut longest) = (Vec::new(), 0);
        composer.take(1, lines("before\n"), at(0));
        for number in 0..34_u64 {
            // Characters are cut in two.
            let (one, two) = piece.as_bytes().split_at(150_001);
            composer.take(0, batch(0, &[one, two]), at(number));
            composer.take(1, lines("other\n"), at(number));
            let length = out.len();
            composer.show(at(number), &mut out);
            longest = longest.max(out.len() - length);
        }
        assert_eq!(composer.due(), Some(at(33 + 2000)));
        composer.take(0, batch(0, &[b"end\n"]), at(40));
        composer.show(at(40), &mut out);
        assert!(longest < 3_000_000, "{longest}");
        let out = String::from_utf8(out).unwrap();
        let whole = format!("{}end\n", piece.repeat(34));
        match form {
            LogForm::Text => {
                let (before, rest) = out.split_once("load   | ").unwrap();
                assert_eq!(before, "export | before\n");
                assert!(rest == format!("{whole}{}", "export | other\n".repeat(34)));
            }
            LogForm::Raw => {
                assert!(out == format!("before\n{whole}{}", "other\n".repeat(34)));
            }
            LogForm::Json => {
                let objects: Vec<Value> =
                    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                let parts = &objects[1..objects.len() - 34];
                assert!(parts.len() > 10, "{}", parts.len());
                assert!(objects.iter().all(|object| object["bytes"].is_null()));
                let joined: String =
                    parts.iter().map(|part| part["line"].as_str().unwrap()).collect();
                assert!(format!("{joined}\n") == whole);
                let (last, parts) = parts.split_last().unwrap();
                assert!(parts.iter().all(|part| part["continues"] == true));
                assert_eq!(last["continues"], false);
            }
        }
    }
}

#[test]
fn a_line_is_torn_only_when_its_rest_does_not_come_for_seconds() {
    let mut composer = text();
    let long = "x".repeat(300_000);
    composer.take(0, batch(0, &[long.as_bytes()]), at(0));
    composer.take(1, lines("other\n"), at(0));
    assert_eq!(shown(&mut composer, at(1999)), format!("load   | {long}"));
    assert_eq!(composer.due(), Some(at(2000)));
    assert_eq!(shown(&mut composer, at(2000)), "\nexport | other\n");
    composer.take(0, batch(0, &[b"rest\n"]), at(3000));
    assert_eq!(shown(&mut composer, at(3000)), "load   | rest\n");
    composer.take(0, batch(0, &[long.as_bytes()]), at(3000));
    composer.end(0);
    assert_eq!(shown(&mut composer, at(3000)), format!("load   | {long}\n"));
}

#[test]
fn records_are_filtered_whole_whatever_line_of_them_matches() {
    let traceback = "Traceback (most recent call last):\n  f\nValueError: no\n";
    let log = format!(
        "one\n{traceback}two\n\ttwo more\nWARNING:root:careful\n{MAGE}\nERROR:x:{{\"message\":\"bad\",\"uuid\":\"one\"}}\nthree\r\n"
    );
    for (level, grep, exclude, expected) in [
        (None, &[][..], &["."][..], ""),
        (Some(Level::Error), &[], &[], "Traceback|  f|ValueError: no|ERROR bad"),
        (Some(Level::Warning), &["c"], &[], "Traceback|  f|ValueError: no|WARNING:root:careful"),
        (None, &["^ValueError"], &[], "Traceback|  f|ValueError: no"),
        (None, &["more"], &[], "two|\ttwo more"),
        (None, &["^two$"], &["more"], ""),
        (None, &["one"], &[], "one"),
        (None, &["^  a$"], &[], "INFO rows|  a"),
        (None, &["^ERROR b", "three$"], &[], "ERROR bad|three\r"),
        (None, &[], &["ValueError", "INFO", "ERROR", "^t"], "one|WARNING:root:careful"),
        (Some(Level::Error), &[], &["bad", "f"], ""),
    ] {
        let expected: String = expected.split('|').filter(|line| !line.is_empty()).fold(
            String::new(),
            |text, line| {
                let line = match line {
                    "Traceback" => "Traceback (most recent call last):".to_owned(),
                    "INFO rows" => "12:00:00 INFO    rows".to_owned(),
                    "ERROR bad" => "12:00:00 ERROR   bad".to_owned(),
                    line => line.to_owned(),
                };
                text + "load | " + &line + "\n"
            },
        );
        let told = all_text(style(LogForm::Text), filtered(level, grep, exclude), &log);
        assert_eq!(told, expected, "{level:?} {grep:?} {exclude:?}");
        // Line by line it is the same, as far as the rest comes in time.
        let mut composer =
            Composer::new(style(LogForm::Text), filtered(level, grep, exclude), Order::Arrival);
        composer.begin(0, label("load"), at(0));
        let mut told = String::new();
        for line in log.split_inclusive('\n') {
            composer.take(0, lines(line), at(0));
            told += &shown(&mut composer, at(0));
        }
        told += &shown(&mut composer, at(50));
        if !expected.contains("two") {
            assert_eq!(told, expected, "{level:?} {grep:?} {exclude:?}");
        }
    }
}

#[test]
fn what_genuine_mage_tells_of_a_failure_is_found_by_its_last_line() {
    let log = include_str!("../../../tests/fixtures/diagnose/genuine.log");
    let filter = filtered(Some(Level::Error), &["^IndexError: list"], &["^ERROR Failed"]);
    let told = all_text(style(LogForm::Text), filter, log);
    let from = log.find("\nTraceback").unwrap() + 1;
    let expected =
        log[from..].lines().fold(String::new(), |told, line| told + "load | " + line + "\n");
    assert_eq!(told, expected);
    let warnings = all_text(style(LogForm::Text), filtered(Some(Level::Warning), &[], &[]), log);
    let firsts: Vec<_> = warnings.lines().map(|line| line.get(..35).unwrap_or(line)).collect();
    assert_eq!(firsts[0], "load | WARNING:traitlets:Message si");
    assert_eq!(firsts[2], "load | 12:00:00 WARNING Exception t");
    assert_eq!(firsts[3], "load | Traceback (most recent call ");
    assert!(firsts.contains(&"load | 12:00:00 ERROR   Failed to e"), "{firsts:?}");
    assert!(!warnings.contains("DBT library") && !warnings.contains("Start executing"));
}

#[test]
fn what_follows_a_line_of_mage_is_judged_by_itself() {
    let log = "DEBUG:x:{\"message\": \"hidden\"}\n  frame\nDEBUG:root:hidden\n  too\n";
    let told = all_text(style(LogForm::Text), filtered(Some(Level::Info), &[], &[]), log);
    assert_eq!(told, "load |   frame\n");
}

#[test]
fn raw_lines_are_filtered_one_by_one_and_stay_as_they_are() {
    let log = format!("one\n{BEGIN}ValueError: x\n{MAGE}\nERROR:a:b\r\nend");
    for (level, grep, exclude, expected) in [
        (None, &[][..], &[][..], log.as_str()),
        (None, &["a.py", "^end$"], &[], "  File \"a.py\", line 1\nend"),
        (Some(Level::Error), &["ERROR"], &[], "ERROR:a:b\r\n"),
        (None, &["e"], &["[a:]"], "one\nend"),
    ] {
        let told = all_text(style(LogForm::Raw), filtered(level, grep, exclude), &log);
        assert_eq!(told, expected);
    }
}

#[test]
fn a_line_that_may_be_excluded_later_is_not_kept_back_for_long() {
    let mut composer = two(style(LogForm::Text), filtered(None, &[], &["x"]), Order::Arrival);
    composer.take(0, lines("one\n"), at(0));
    assert_eq!(shown(&mut composer, at(0)), "");
    assert_eq!(composer.due(), Some(at(50)));
    assert_eq!(shown(&mut composer, at(50)), "load   | one\n");
    // What belongs to it and comes too late is judged by itself.
    composer.take(0, lines("  x\n"), at(60));
    composer.take(0, lines("  two\nthree\n"), at(60));
    assert_eq!(shown(&mut composer, at(110)), "load   | three\n");
}

#[test]
fn the_rest_of_a_traceback_keeps_its_level() {
    let mut composer =
        two(style(LogForm::Text), filtered(Some(Level::Error), &[], &[]), Order::Arrival);
    composer.take(0, lines(BEGIN), at(0));
    assert_ne!(shown(&mut composer, at(200)), "");
    composer.take(0, lines("ValueError: late\nplain\n"), at(1000));
    assert_eq!(shown(&mut composer, at(1000)), "load   | ValueError: late\n");
}

#[test]
fn one_log_after_the_other() {
    let mut composer = two(style(LogForm::Text), Filter::default(), Order::Sequence);
    composer.take(1, lines("second\n"), at(0));
    composer.take(0, lines("first\n"), at(0));
    assert_eq!(shown(&mut composer, at(0)), "load   | first\n");
    for _ in 0..10 {
        composer.take(1, lines(&"y".repeat(9_999)), at(0));
    }
    assert!(composer.wants(0) && !composer.wants(1));
    composer.take(0, lines("more\n"), at(9000));
    composer.end(0);
    let told = shown(&mut composer, at(9000));
    assert!(told.starts_with("load   | more\nexport | second\n"), "{told}");
    assert!(composer.wants(1) && !composer.wants(0));
}

#[test]
fn by_time_a_line_waits_for_older_ones_up_to_the_window() {
    let mut composer = two(style(LogForm::Text), Filter::default(), Order::Time { window: WINDOW });
    composer.take(0, batch(100, &[b"a100\n", b"a101\n"]), at(0));
    assert_eq!(shown(&mut composer, at(0)), "");
    assert_eq!(composer.due(), Some(at(500)));
    composer.take(1, batch(50, &[b"b50\n"]), at(10));
    composer.take(1, batch(101, &[b"b101\n"]), at(10));
    // Equal times are in the order of the logs.
    let told = "export | b50\nload   | a100\nload   | a101\n";
    assert_eq!(shown(&mut composer, at(10)), told);
    assert_eq!(composer.due(), Some(at(510)));
    // What is of the same time as the last of another log may not be in front of it.
    composer.take(0, batch(101, &[b"a101 again\n"]), at(20));
    assert_eq!(shown(&mut composer, at(20)), "load   | a101 again\n");
    assert_eq!(shown(&mut composer, at(510)), "export | b101\n");
    // Nothing older can come of a log than what came of it.
    composer.take(0, batch(90, &[b"a90\n"]), at(600));
    assert_eq!(shown(&mut composer, at(600)), "load   | a90\n");
    composer.take(0, batch(200, &[b"a200\n"]), at(700));
    assert_eq!(shown(&mut composer, at(1199)), "");
    composer.end(1);
    assert_eq!(shown(&mut composer, at(1199)), "load   | a200\n");
}

#[test]
fn by_time_nobody_waits_for_the_silent_when_memory_is_full() {
    let mut composer = two(style(LogForm::Text), Filter::default(), Order::Time { window: WINDOW });
    let many = "x".repeat(99) + "\n";
    let mut given = 0;
    while composer.wants(0) {
        composer.take(0, lines(&many.repeat(100)), at(400));
        given += 1;
        assert!(given < 20);
    }
    assert_eq!(shown(&mut composer, at(400)), "");
    assert_eq!(composer.due(), Some(at(500)));
    for _ in 0..10 {
        assert_eq!(shown(&mut composer, at(500)).lines().count(), 100);
        assert!(composer.wants(0));
        composer.take(0, lines(&many.repeat(100)), at(500));
    }
}

#[test]
fn by_time_a_line_waits_for_logs_that_begin_later_up_to_the_window() {
    let by_time = Order::Time { window: WINDOW };
    let mut composer = Composer::new(style(LogForm::Text), Filter::default(), by_time);
    composer.begin(0, label("load"), at(0));
    composer.take(0, batch(100, &[b"a100\n", b"a101\n"]), at(0));
    assert_eq!(shown(&mut composer, at(499)), "");
    composer.begin(1, label("export"), at(499));
    composer.take(1, batch(50, &[b"b50\n"]), at(499));
    composer.take(1, batch(300, &[b"b300\n"]), at(499));
    let told = shown(&mut composer, at(500));
    assert_eq!(told, "export | b50\nload   | a100\nload   | a101\n");
    assert_eq!(composer.due(), Some(at(999)));
    composer.all_have_begun();
    composer.end(0);
    assert_eq!(shown(&mut composer, at(501)), "export | b300\n");
}

#[test]
fn by_time_nothing_comes_between_a_record() {
    let mut composer = two(style(LogForm::Text), Filter::default(), Order::Time { window: WINDOW });
    composer.take(0, batch(100, &[b"Traceback (most recent call last):\n", b"  f\n"]), at(0));
    composer.take(1, batch(90, &[b"b\n", b"b\n"]), at(0));
    composer.take(1, batch(101, &[b"late\n"]), at(0));
    composer.take(1, batch(900, &[b"later\n"]), at(0));
    let told = shown(&mut composer, at(0));
    assert_eq!(told, "export | b\nexport | b\n");
    assert_eq!(composer.due(), Some(at(200)));
    composer.take(0, batch(700, &[b"ValueError: x\n", b"a\n"]), at(100));
    let told = shown(&mut composer, at(100));
    insta::assert_snapshot!(told, @r"
    load   | Traceback (most recent call last):
    load   |   f
    load   | ValueError: x
    export | late
    load   | a
    ");
}
