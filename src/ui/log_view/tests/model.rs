//! Logs at random, against what must hold of any.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde_json::Value;

use super::{WINDOW, at, filtered, label, style, time};
use crate::logs::{Batch, Filter, Level, Order};
use crate::ui::{Composer, LogForm};

/// A record as it was written, and how grave it is.
type Record = (Level, &'static [u8]);

const PLAIN: [Record; 8] = [
    (Level::Info, b"plain\n"),
    (Level::Info, b"\xff\0\x1b[1m\r\n"),
    (Level::Info, b"\n"),
    (Level::Info, b"| a |\n"),
    (Level::Info, b"INFO:root:hello\n"),
    (Level::Warning, b"WARNING:root:careful\n"),
    (Level::Debug, b"DEBUG:etl/1/load:{\"message\": \"detail\"}\n"),
    (Level::Error, b"CRITICAL:etl/1/load:{\"message\": \"bad\", \"error\": [\"a\\n b\\n\"]}\n"),
];

const TRACEBACKS: [Record; 4] = [
    (Level::Error, b"Traceback (most recent call last):\n  File \"a\", line 1\n    f()\n    ^\nValueError: no\n"),
    (Level::Error, b"ERROR:root:it failed\nTraceback (most recent call last):\n  f\nKeyError\n"),
    (
        Level::Error,
        b"Traceback (most recent call last):\n  f\nA: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  g\nb.B: 2\n",
    ),
    (Level::Error, "╭─ Traceback (most recent call last) ─╮\n│ x │\n╰─╯\nIndexError: i\n".as_bytes()),
];

/// How many of the plain records are not Mage's own.
const NOT_MAGES: usize = 6;

fn record(plain: usize) -> impl Strategy<Value = Record> {
    prop_oneof![
        4 => (0..plain).prop_map(|index| PLAIN[index]),
        1 => (0..TRACEBACKS.len()).prop_map(|index| TRACEBACKS[index]),
    ]
}

/// A log cut into pieces anywhere: of each its bytes, and whether it ends a batch.
#[derive(Clone, Debug)]
struct Written {
    records: Vec<Record>,
    pieces: Vec<(Vec<u8>, bool)>,
}

impl Written {
    fn bytes(&self) -> Vec<u8> {
        self.records.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }

    fn batches(&self) -> Vec<Batch> {
        let mut batches = vec![Batch::default()];
        for (bytes, ends) in &self.pieces {
            if let Some(batch) = batches.last_mut() {
                batch.push(time(0), bytes);
            }
            if *ends {
                batches.push(Batch::default());
            }
        }
        batches
    }
}

fn written() -> impl Strategy<Value = Written> {
    written_of(PLAIN.len())
}

fn written_of(plain: usize) -> impl Strategy<Value = Written> {
    let records = prop::collection::vec(record(plain), 0..8);
    let cuts = prop::collection::vec((0..30_usize, any::<bool>()), 30);
    (records, cuts, any::<bool>()).prop_map(|(mut records, cuts, has_end)| {
        // An empty line below a traceback belongs to it, because another one may follow.
        let is_empty = |record: &Record| record.1 == b"\n";
        records.dedup_by(|next, before| is_empty(next) && TRACEBACKS.contains(before));
        if !has_end {
            records.push((Level::Info, b"no end"));
        }
        let mut pieces = Vec::new();
        let mut cuts = cuts.into_iter().cycle();
        for (_, bytes) in &records {
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let (at, ends) = cuts.next().unwrap_or_default();
                if (1..line.len()).contains(&at) {
                    pieces.push((line[..at].to_vec(), !ends));
                    pieces.push((line[at..].to_vec(), ends));
                } else {
                    pieces.push((line.to_vec(), ends));
                }
            }
        }
        Written { records, pieces }
    })
}

/// What happens: a batch of a log comes, after so many milliseconds.
type Steps = Vec<(usize, u64)>;

fn steps(longest: u64) -> impl Strategy<Value = Steps> {
    prop::collection::vec((0..3_usize, 0..=longest), 0..60)
}

/// Plays logs in the given order, then what is left of them; shows whenever it is due.
fn play(composer: &mut Composer, logs: &[Written], steps: &Steps) -> Vec<u8> {
    let mut out = Vec::new();
    let mut now = at(0);
    let mut rest: Vec<_> = logs.iter().map(|log| log.batches().into_iter()).collect();
    for source in 0..logs.len() {
        composer.begin(source, label(&format!("b{source}")), now);
    }
    let left: Steps = (0..logs.len()).flat_map(|source| vec![(source, 0); 70]).collect();
    for (source, wait) in steps.iter().chain(&left) {
        pass(composer, &mut now, at(*wait), &mut out);
        if let Some(batch) = rest.get_mut(*source).and_then(Iterator::next) {
            composer.take(*source, batch, now);
            composer.show(now, &mut out);
        }
    }
    composer.all_have_begun();
    for source in 0..logs.len() {
        composer.end(source);
    }
    composer.show(now, &mut out);
    assert!(composer.is_done());
    out
}

/// Lets time pass.
fn pass(composer: &mut Composer, now: &mut Duration, wait: Duration, out: &mut Vec<u8>) {
    let end = *now + wait;
    while let Some(due) = composer.due().filter(|due| *due <= end) {
        assert!(due > *now, "{due:?} is not after {now:?}");
        *now = due;
        composer.show(due, out);
    }
    *now = end;
}

/// Splits what is shown as text by logs.
fn by_log(out: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut logs = BTreeMap::<usize, Vec<u8>>::new();
    for line in out.split_inclusive(|byte| *byte == b'\n') {
        assert_eq!(
            (line[0], &line[2..5]),
            (b'b', &b" | "[..]),
            "{:?}",
            line.escape_ascii().to_string()
        );
        logs.entry(usize::from(line[1] - b'0')).or_default().extend_from_slice(&line[5..]);
    }
    logs
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Arrival), Just(Order::Sequence), Just(Order::Time { window: WINDOW })]
}

/// Returns the bytes of the records that a filter should let pass, by a look at the whole.
fn passing(
    log: &Written,
    level: Option<Level>,
    grep: Option<&str>,
    exclude: Option<&str>,
) -> Vec<u8> {
    let has = |bytes: &[u8], word: &str| {
        // Of Mage's lines the message counts, and the level in front of it.
        let (bytes, word) = (String::from_utf8_lossy(bytes), word);
        let seen = match &*bytes {
            seen if seen.contains("\"bad\"") => "ERROR bad\na\n b".to_owned(),
            seen if seen.contains("\"detail\"") => "DEBUG detail".to_owned(),
            seen => seen.to_owned(),
        };
        seen.lines().any(|line| line.contains(word))
    };
    let passes = |(grave, bytes): &&Record| {
        level.is_none_or(|level| *grave >= level)
            && grep.is_none_or(|word| has(bytes, word))
            && !exclude.is_some_and(|word| has(bytes, word))
    };
    log.records.iter().filter(passes).flat_map(|(_, bytes)| bytes.iter().copied()).collect()
}

const WORDS: [Option<&str>; 6] =
    [None, Some("a"), Some("Error"), Some("plain"), Some("f"), Some("E")];

/// Returns the lines that objects tell of, by logs.
fn lines_by_log(out: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut logs = BTreeMap::<usize, Vec<u8>>::new();
    for (index, line) in
        out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate()
    {
        let object: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(object["seq"], index + 1);
        let source = object["block"].as_str().unwrap()[1..].parse().unwrap();
        let log = logs.entry(source).or_default();
        match object["bytes"].as_str() {
            None => log.extend_from_slice(object["line"].as_str().unwrap().as_bytes()),
            Some(bytes) => {
                use base64::Engine;
                let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).unwrap();
                assert_eq!(String::from_utf8_lossy(&bytes), object["line"].as_str().unwrap());
                log.extend_from_slice(&bytes);
            }
        }
        log.push(b'\n');
    }
    logs
}

fn ended(mut bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes
}

proptest! {
    /// Each line once, in its order, byte for byte, whatever comes when.
    #[test]
    fn every_line_is_told_once_and_in_order(
        logs in prop::collection::vec(written(), 1..4), steps in steps(300), order in orders(),
    ) {
        let mut composer = Composer::new(style(LogForm::Json), Filter::default(), order);
        let told = lines_by_log(&play(&mut composer, &logs, &steps));
        for (source, log) in logs.iter().enumerate() {
            let told = told.get(&source).cloned().unwrap_or_default();
            assert_eq!(told.escape_ascii().to_string(), ended(log.bytes()).escape_ascii().to_string());
        }
    }

    /// One log comes out of raw as it went in.
    #[test]
    fn raw_is_exact(log in written(), steps in steps(300), order in orders()) {
        let mut composer = Composer::new(style(LogForm::Raw), Filter::default(), order);
        let bytes = log.bytes();
        assert_eq!(play(&mut composer, &[log], &steps), bytes);
    }

    /// As long as everything comes in time, records are whole, and judged as a whole.
    #[test]
    fn records_are_not_torn_and_filtered_as_a_whole(
        logs in prop::collection::vec(written(), 1..4),
        steps in steps(0),
        order in orders(),
        level in 0..5_usize,
        grep in 0..WORDS.len(),
        exclude in 0..WORDS.len(),
    ) {
        let (level, grep, exclude) = (Level::ALL.get(level).copied(), WORDS[grep], WORDS[exclude]);
        let owned = |word: Option<&'static str>| word.into_iter().collect::<Vec<_>>();
        let filter = filtered(level, &owned(grep), &owned(exclude));
        let mut composer = Composer::new(style(LogForm::Json), filter.clone(), order);
        let told = lines_by_log(&play(&mut composer, &logs, &steps));
        for (source, log) in logs.iter().enumerate() {
            let told = told.get(&source).cloned().unwrap_or_default();
            let passing = ended(passing(log, level, grep, exclude));
            assert_eq!(told.escape_ascii().to_string(), passing.escape_ascii().to_string());
        }
        // In text form each traceback stands in one piece.
        let mut composer = Composer::new(style(LogForm::Text), filter, order);
        let out = play(&mut composer, &logs, &steps);
        for (source, log) in logs.iter().enumerate() {
            for (_, bytes) in log.records.iter().filter(|record| TRACEBACKS.contains(record)) {
                let only = Written { records: vec![(Level::Error, *bytes)], pieces: Vec::new() };
                if passing(&only, level, grep, exclude).is_empty() {
                    continue;
                }
                let prefix = format!("b{source} | ");
                let lines = bytes.split_inclusive(|byte| *byte == b'\n');
                let whole: Vec<u8> = lines.flat_map(|line| [prefix.as_bytes(), line].concat()).collect();
                let text = out.escape_ascii().to_string();
                assert!(text.contains(&whole.escape_ascii().to_string()), "{text}");
            }
        }
    }

    /// Without Mage's own lines, the text without its prefixes is what was written.
    #[test]
    fn text_is_exact_behind_its_prefixes(
        logs in prop::collection::vec(written_of(NOT_MAGES), 1..4),
        steps in steps(300),
        order in orders(),
    ) {
        let mut composer = Composer::new(style(LogForm::Text), Filter::default(), order);
        let told = by_log(&play(&mut composer, &logs, &steps));
        for (source, log) in logs.iter().enumerate() {
            let told = told.get(&source).cloned().unwrap_or_default();
            assert_eq!(told.escape_ascii().to_string(), ended(log.bytes()).escape_ascii().to_string());
        }
    }

    /// What comes within the window is in the order of time, and nothing waits longer than that.
    #[test]
    fn by_time_all_is_in_order_and_in_time(
        written in prop::collection::vec((0..4_usize, 0..3000_u64, 0..400_u64), 0..60),
    ) {
        // Of each log the lines in its own order, each with when it was written and when it comes.
        let mut logs: Vec<Vec<(u64, u64)>> = vec![Vec::new(); 4];
        for (source, at, delay) in written {
            logs[source].push((at, at + delay));
        }
        let mut coming = Vec::new();
        for (source, log) in logs.iter_mut().enumerate() {
            log.sort_unstable();
            let mut latest = 0;
            for (written, comes) in log {
                latest = latest.max(*comes);
                coming.push((latest, *written, source));
            }
        }
        coming.sort_unstable();
        let order = Order::Time { window: WINDOW };
        let mut composer = Composer::new(style(LogForm::Text), Filter::default(), order);
        (0..4).for_each(|source| composer.begin(source, label(&format!("b{source}")), at(0)));
        let (mut out, mut now) = (Vec::new(), at(0));
        for (index, (comes, written, source)) in coming.iter().enumerate() {
            let wait = at(*comes).saturating_sub(now);
            pass(&mut composer, &mut now, wait, &mut out);
            let mut batch = Batch::default();
            batch.push(time(*written), format!("{written} {source}\n").as_bytes());
            composer.take(*source, batch, now);
            composer.show(now, &mut out);
            let shown = String::from_utf8_lossy(&out).lines().count();
            let overdue = coming[..=index].iter().filter(|(came, ..)| at(*came) + WINDOW <= now).count();
            assert!(shown >= overdue, "{shown} {overdue}");
        }
        pass(&mut composer, &mut now, WINDOW, &mut out);
        let mut expected: Vec<_> = coming.iter().map(|(_, written, source)| (*written, *source)).collect();
        expected.sort_unstable();
        let told = String::from_utf8(out).unwrap();
        let told: Vec<_> = told.lines().map(|line| line.split_once(" | ").unwrap().1).collect();
        let line = |(written, source): &(u64, usize)| format!("{written} {source}");
        assert_eq!(told, expected.iter().map(line).collect::<Vec<_>>());
    }
}
