//! Laws of whole runs, from files to every output format.
//!
//! A generated log is cut at line ends into files, some of them compressed, that are read in any order, in small
//! blocks, by several threads. The answer is that of the uncut log read by one thread; every line is accounted for,
//! and rows and other make the total.

mod answers;
mod log;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use bandwho::agent::Agents;
use bandwho::aggregate::spread::Scheme;
use bandwho::aggregate::{Cut, Rules, Tally};
use bandwho::billing::contract::{Contract, Port};
use bandwho::billing::words::{Direction, Scope};
use bandwho::client::{Rule, Trusted};
use bandwho::format::{Layout, Part};
use bandwho::input::{Stream, list};
use bandwho::pipeline::{Job, LineStyle, Ordered, Reach, Survey, pool, run, survey};
use bandwho::place::Places;
use bandwho::query::{Basis, Dimension, Metric, Series, View};
use bandwho::report::answer::overview::{self, Known};
use bandwho::report::answer::{Counted, bill, slots, top};
use bandwho::report::{self, Cell, Input, Output, Report};
use bandwho::servers::{Servers, Statements};
use bandwho::time::{Grid, Timestamp, Zone};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::testdata;
use answers::{Sums, reconciled};
use log::{Fate, LINE_MAX, LINE_UNLIMITED, Log, ORIGIN, Plan, layouts, plans};

const CASES: u32 = 10_000;

const THREADS_MAX: usize = 3;

/// How a log is asked.
#[derive(Debug, Clone)]
struct Question {
    scheme: Scheme,
    basis: Basis,
    since: Option<i64>,
    until: Option<i64>,
    length: u32,
    zone: &'static str,
    sort: Metric,
    rows: Option<usize>,
}

/// How a log is cut and read.
#[derive(Debug, Clone)]
struct Split {
    cuts: Vec<Index>,
    /// The order of the pieces' names.
    order: Vec<usize>,
    packed: Vec<bool>,
    block: usize,
    /// As for a pipe, the head is looked at and the same stream then read on.
    piped: bool,
    threads: usize,
}

/// A command and its dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Overview,
    Top(&'static str),
    Slots(&'static str),
    Bill,
}

const COMMANDS: [Command; 6] = [
    Command::Overview,
    Command::Top("idc,region"),
    Command::Top("client"),
    Command::Top("slot"),
    Command::Slots("idc"),
    Command::Bill,
];

fn questions() -> impl Strategy<Value = Question> {
    let limit = |from| prop::option::weighted(0.3, (from..from + 4_000_i64, any::<bool>()));
    let limit = move |from| {
        // Half of them are edges of slots.
        limit(from).prop_map(|limit| limit.map(|(at, edge)| if edge { at - at % 300 } else { at }))
    };
    let sort = select(&[Metric::Bytes, Metric::Requests, Metric::P95Bps, Metric::PeakBps, Metric::RtAvg][..]);
    (
        (select(&Scheme::ALL[..]), select(&[Basis::Body, Basis::Wire][..])),
        (limit(-1_000), limit(3_300)),
        select(&[300, 300, 900, 3_600][..]),
        select(&["UTC", "+08:00", "Europe/Berlin"][..]),
        sort,
        select(&[Some(1), Some(2), Some(3), Some(10), None][..]),
    )
        .prop_map(|((scheme, basis), (since, until), length, zone, sort, rows)| Question {
            scheme,
            basis,
            since,
            until,
            length,
            zone,
            sort,
            rows,
        })
}

fn splits() -> impl Strategy<Value = Split> {
    (
        prop::collection::vec(any::<Index>(), 0..4),
        Just(vec![0, 1, 2, 3]).prop_shuffle(),
        prop::collection::vec(prop::bool::weighted(0.25), 4),
        prop_oneof![1..200_usize, 1..2_000_usize],
        any::<bool>(),
        1..=THREADS_MAX,
    )
        .prop_map(|(cuts, order, packed, block, piped, threads)| Split {
            cuts,
            order,
            packed,
            block,
            piped,
            threads,
        })
}

/// What stays the same from case to case.
struct Bench {
    pools: Vec<rayon::ThreadPool>,
    layouts: Vec<Layout>,
    places: Places,
    servers: Servers,
    folder: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("bandwho-laws-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let hosts = ["a.example.com=gz", "b.example.com=sh"].map(str::to_owned);
        Self {
            pools: (1..=THREADS_MAX).map(|threads| pool(threads).unwrap()).collect(),
            layouts: layouts(),
            places: Places::open(&[testdata("places.mmdb").into()], &[]).unwrap(),
            servers: Servers::load(&Statements {
                lists: &[testdata("servers.csv").into()],
                pairs: &hosts,
                ..Statements::default()
            })
            .unwrap(),
            folder,
        }
    }

    /// Writes the pieces and surveys them, in the order of their names.
    fn survey(&self, layout: &Layout, pieces: &[Piece]) -> Survey {
        let paths: Vec<PathBuf> = pieces.iter().map(|piece| self.folder.join(&piece.name)).collect();
        for (path, piece) in paths.iter().zip(pieces) {
            std::fs::write(path, &piece.bytes).unwrap();
        }
        let listing = list(&paths).unwrap();
        assert_eq!(listing.inputs.len(), pieces.len());
        self.pools[0]
            .install(|| survey(listing.inputs, &|_| Some(layout.clone()), &[], &self.servers))
            .unwrap()
    }

    /// Reads all logs in blocks of a size.
    fn count(&self, survey: &mut Survey, rules: &Rules, reading: &Reading, lines: Option<&Ordered>) -> Tally {
        for log in &mut survey.logs {
            let stream = Stream::open(&log.input).unwrap().with_sizes(reading.block, reading.line);
            let stream = log.stream.get_mut().unwrap().insert(stream);
            if reading.piped {
                stream.head();
            }
        }
        let job = Job {
            rules,
            places: &self.places,
            servers: &self.servers,
            lines: lines.map(|lines| (LineStyle::Raw, lines)),
            rejects: None,
            reach: Reach::All,
            progress: &AtomicU64::new(0),
            memory: None,
        };
        self.pools[reading.threads - 1].install(|| run(survey, &job)).unwrap()
    }

    fn answer(
        &self,
        survey: &mut Survey,
        question: &Question,
        command: Command,
        reading: &Reading,
    ) -> Report {
        let layout = survey.logs[0].candidates[0].layout.clone();
        let rules = question.rules(command, &layout);
        let tally = self.count(survey, &rules, reading, None);
        let counted = Counted {
            tally: &tally,
            rules: &rules,
            files: survey.logs.iter().map(|log| (log.input.name.as_str(), log.formats().collect())).collect(),
            databases: self.places.databases().cloned().collect(),
            servers_listed: true,
            durations_logged: layout.format.has(Part::Duration),
        };
        match command {
            Command::Overview => overview::report(&counted, None).unwrap(),
            Command::Slots(_) => slots::report(&counted, question.rows).unwrap(),
            Command::Bill => billed(&counted, question),
            Command::Top(by) => {
                let metrics = question.metrics(by);
                let sort = *metrics.last().unwrap();
                top::report(&counted, &top::Ranking { metrics, sort, rows: question.rows, having: None })
                    .unwrap()
            }
        }
    }

    /// The counted lines, and how they were counted.
    fn lines(&self, survey: &mut Survey, question: &Question, reading: &Reading) -> (Vec<u8>, Tally) {
        let layout = survey.logs[0].candidates[0].layout.clone();
        let rules = Rules { views: Vec::new(), ..question.rules(Command::Overview, &layout) };
        let out = Shared::default();
        let ordered = Ordered::new("the lines", Box::new(out.clone()), u64::MAX);
        let tally = self.count(survey, &rules, reading, Some(&ordered));
        let lines = std::mem::take(&mut *out.0.lock().unwrap());
        (lines, tally)
    }
}

/// Each data centre's bill. The warnings are about files, which a log can have one or many of.
fn billed(counted: &Counted<'_>, question: &Question) -> Report {
    let mut report = bill::report(counted, &question.bill()).unwrap_or_else(|error| {
        assert!(error.to_string().starts_with("cannot bill: "), "{error}");
        Report { input: counted.input(), ..Report::default() }
    });
    report.facts.retain(|fact| fact.name != "warnings" && fact.label != "WARNING");
    report
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Reading {
    block: usize,
    line: usize,
    piped: bool,
    threads: usize,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Question {
    fn basis(&self, layout: &Layout) -> Basis {
        match self.basis {
            Basis::Wire if layout.format.has(Part::Wire) => Basis::Wire,
            _ if layout.format.has(Part::Body) => Basis::Body,
            _ => Basis::Wire,
        }
    }

    /// The last one ranks.
    fn metrics(&self, by: &str) -> Vec<Metric> {
        let timed = by.contains("slot");
        let more: &[Metric] = if timed {
            &[]
        } else {
            &[
                Metric::BytesIn,
                Metric::Errors4xx,
                Metric::Errors5xx,
                Metric::AvgBps,
                Metric::RtP50,
                Metric::RtP99,
                Metric::SlowShare,
                Metric::Apdex,
                Metric::ThroughputP50,
                Metric::Aborted,
                Metric::ZeroDuration,
            ]
        };
        let sort = if timed && self.sort != Metric::Requests { Metric::Bytes } else { self.sort };
        let mut metrics = vec![Metric::Requests, Metric::Bytes, Metric::Share];
        metrics.extend(more);
        metrics.retain(|metric| *metric != sort);
        metrics.push(sort);
        metrics
    }

    fn rules(&self, command: Command, layout: &Layout) -> Rules {
        let by = |by| Dimension::parse_list(by).unwrap();
        let views = match command {
            Command::Overview => overview::views(Known { servers: true, places: true }, |dimension| {
                dimension.provided_by(&layout.format)
            }),
            Command::Top(words) => vec![View::new(by(words), &self.metrics(words))],
            Command::Slots(words) => {
                vec![View { by: by(words), series: Series::PerSlot, ..View::default() }]
            }
            Command::Bill => self.bill().views().unwrap(),
        };
        let limit = |seconds: Option<i64>| seconds.map(|seconds| Timestamp::from_seconds(ORIGIN + seconds));
        Rules {
            views,
            basis: self.basis(layout),
            scheme: self.scheme,
            grid: Grid { zone: Zone::parse(self.zone).unwrap(), length: self.length },
            since: limit(self.since),
            until: limit(self.until),
            filter: None,
            cut: match command {
                Command::Slots(_) | Command::Bill => Cut::Slots,
                Command::Overview | Command::Top(_) => Cut::Records,
            },
            client: Rule::Auto,
            trusted: Trusted::default(),
            depth: 1,
            fields: Vec::new(),
            segment: 1460,
            agents: Agents::built_in(),
            fine: None,
            sides: None,
        }
    }

    /// A bill for each data centre, with both directions' larger sample.
    fn bill(&self) -> bill::Question {
        let mut port = Port { scope: Scope::PerPort, ..Port::default() };
        port.terms.direction = Direction::Sum;
        let contract = Contract { slot: self.length, ports: vec![port], ..Contract::default() };
        let drivers = vec![Dimension::Region];
        bill::Question { contract, period: None, drivers, rows: self.rows }
    }

    fn unlimited(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }
}

/// A file of some of a log's lines.
struct Piece {
    name: String,
    lines: Range<usize>,
    bytes: Vec<u8>,
}

/// The whole log in one file.
fn uncut(log: &Log) -> Vec<Piece> {
    vec![Piece { name: "whole.log".to_owned(), lines: 0..log.ends.len(), bytes: log.bytes.clone() }]
}

/// The log cut at line ends, in order of the names.
fn pieces(log: &Log, split: &Split) -> Vec<Piece> {
    let mut cuts: Vec<usize> = split.cuts.iter().map(|cut| cut.index(log.ends.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(log.ends.len());
    let mut first = 0;
    let mut pieces = Vec::new();
    for (at, cut) in cuts.into_iter().enumerate() {
        let lines = std::mem::replace(&mut first, cut)..cut;
        let bytes: Vec<u8> = lines.clone().flat_map(|line| log.line(line)).copied().collect();
        let bytes = if split.packed[at] { gzip(&bytes) } else { bytes };
        pieces.push(Piece { name: format!("{}.log", split.order[at]), lines, bytes });
    }
    pieces.sort_by(|a, b| a.name.cmp(&b.name));
    pieces
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Cases that had something: laws about logs without records or groups would hold of anything.
#[derive(Debug, Default)]
struct Seen(RefCell<BTreeMap<&'static str, u32>>);

impl Seen {
    fn note(&self, what: &'static str, seen: bool) {
        *self.0.borrow_mut().entry(what).or_default() += u32::from(seen);
    }

    /// Fails if fewer than so many percent of the cases had it.
    fn check(&self, what: &str, percent: u32) {
        let seen = self.0.borrow()[what];
        assert!(seen * 100 >= percent * CASES, "only {seen} of {CASES} cases had {what}");
    }
}

#[test]
fn any_split_gives_one_answer_and_every_answer_adds_up() {
    let bench = Bench::new();
    let seen = Seen::default();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_120),
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let cases = (plans(), select(&[LINE_MAX, LINE_UNLIMITED][..]), questions(), splits());
    let outcome = TestRunner::new(config).run(&cases, |(plan, line_max, question, split)| {
        check(&bench, &seen, &plan, line_max, &question, &split)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    println!("of {CASES} cases had {:?}", seen.0.borrow());
    for (what, percent) in [
        ("several slots", 40),
        ("several bills", 20),
        ("several groups", 50),
        ("others", 40),
        ("bytes outside", 40),
        ("filtered records", 30),
        ("rejects", 50),
        ("kinds of rejects", 30),
        ("lines too long", 5),
        ("skips", 50),
        ("mostly records", 70),
        ("several files", 60),
        ("archives", 30),
        ("several threads", 50),
        ("several blocks", 50),
    ] {
        seen.check(what, percent);
    }
}

fn check(
    bench: &Bench,
    seen: &Seen,
    plan: &Plan,
    line_max: usize,
    question: &Question,
    split: &Split,
) -> Result<(), TestCaseError> {
    let layout = &bench.layouts[plan.format];
    let log = plan.write(layout, line_max);
    let pieces = pieces(&log, split);
    let mut whole = bench.survey(layout, &uncut(&log));
    let mut cut = bench.survey(layout, &pieces);
    let plainly = Reading { block: line_max, line: line_max, piped: false, threads: 1 };
    let Split { block, piped, threads, .. } = *split;
    let reading = Reading { block: block.min(line_max), line: line_max, piped, threads };
    for command in COMMANDS {
        let mut expected = bench.answer(&mut whole, question, command, &plainly);
        let mut found = bench.answer(&mut cut, question, command, &reading);
        accounted(&log, &expected.input)?;
        accounted(&log, &found.input)?;
        // The tables of a bill are parts.
        let sums = if command == Command::Bill { Vec::new() } else { reconciled(&found) };
        conserved(&log, question, question.basis(layout), command, &found, &sums)?;
        drivers_add_up(&found)?;
        note_answer(seen, command, &found, &sums);
        // The accounting of the input names its files; all else is the same to the byte.
        (expected.input, found.input) = (Input::default(), Input::default());
        prop_assert_eq!(json(&found), json(&expected), "{:?}", command);
    }
    lines_are_the_accepted_ones(
        bench,
        &log,
        question,
        (&mut whole, &plainly),
        (&mut cut, &reading),
        &pieces,
    )?;
    seen.note("several files", pieces.iter().filter(|piece| !piece.lines.is_empty()).count() > 1);
    seen.note("archives", split.packed[..pieces.len()].contains(&true));
    seen.note("several threads", threads > 1);
    seen.note("several blocks", log.bytes.len() > 2 * reading.block);
    Ok(())
}

fn json(report: &Report) -> String {
    let mut out = Vec::new();
    report::write(report, Output::Json, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every line has become what it must; lines = accepted + rejected + skipped.
fn accounted(log: &Log, input: &Input) -> Result<(), TestCaseError> {
    let count = |wanted: fn(&Fate) -> bool| log.fates.iter().filter(|fate| wanted(fate)).count() as u64;
    prop_assert_eq!(input.lines, log.ends.len() as u64);
    prop_assert_eq!(input.bytes, log.bytes.len() as u64);
    prop_assert_eq!(input.lines, input.accepted + input.rejected + input.skipped);
    prop_assert_eq!(input.rejects.iter().map(|rejects| rejects.count).sum::<u64>(), input.rejected);
    prop_assert_eq!(input.skips.iter().map(|(_, count)| count).sum::<u64>(), input.skipped);
    prop_assert_eq!(input.formats.iter().map(|format| format.lines).sum::<u64>(), input.accepted);
    prop_assert_eq!(input.accepted, count(|fate| matches!(fate, Fate::Accepted { .. })));
    // The first line of each file, and the last of all, may be taken for cut ones.
    let faults = count(|fate| *fate == Fate::Rejected);
    prop_assert!((faults.saturating_sub(input.files + 1)..=faults).contains(&input.rejected));
    Ok(())
}

/// No request and no byte is lost between the lines and the total.
fn conserved(
    log: &Log,
    question: &Question,
    basis: Basis,
    command: Command,
    report: &Report,
    tables: &[Sums],
) -> Result<(), TestCaseError> {
    let bytes: i128 = log.fates.iter().map(|fate| fate.bytes(basis)).sum();
    let kept = i128::from(report.input.accepted - report.input.filtered);
    for table in tables {
        let total = |name: &str| table.columns[name].total;
        match command {
            Command::Overview | Command::Top("idc,region" | "client") => {
                prop_assert_eq!(total("requests"), kept);
                prop_assert!(total("bytes") <= bytes);
                if question.unlimited() {
                    prop_assert_eq!(total("bytes"), bytes);
                }
            }
            Command::Bill => unreachable!("its tables are parts"),
            // A record without a time is in no slot.
            Command::Top(_) => prop_assert!(total("requests") <= kept),
            Command::Slots(_) => {
                prop_assert!(total("requests") <= kept);
                if question.scheme.preserves_volume() {
                    prop_assert_eq!(total("bytes") + outside_bytes(report), bytes);
                }
            }
        }
    }
    Ok(())
}

/// Who drives a bill has all the bytes of the samples that set it, and a bill is within its bounds.
fn drivers_add_up(report: &Report) -> Result<(), TestCaseError> {
    for part in &report.parts.parts {
        let fact = |name: &str| part.facts.iter().find(|fact| fact.name == name).unwrap().value.clone();
        let integer = |cell: &Cell| match cell {
            Cell::Integer(number) => *number,
            other => panic!("{other:?}"),
        };
        // Without durations nobody knows.
        let bounds = match fact("interval_bps") {
            Cell::List(bounds) => [integer(&bounds[0]), integer(&bounds[1])],
            _ => [0, i128::MAX],
        };
        let [least, most] = bounds;
        let billed = integer(&fact("billed_bps"));
        prop_assert!((least..=most).contains(&billed), "{} in {} to {}", billed, least, most);
        if let Cell::Integer(end_spike) = fact("end_spike_bps") {
            prop_assert!((least..=most).contains(&end_spike));
        }
        let drivers = part.tables.iter().find(|table| table.name == "drivers").unwrap();
        let at = drivers.columns.iter().position(|column| column.name == "bytes").unwrap();
        let rows: i128 = drivers.rows.iter().map(|row| integer(&row[at])).sum();
        let other = drivers.other.as_ref().map_or(0, |other| integer(&other.cells[at]));
        prop_assert_eq!(rows + other, integer(&drivers.total.as_ref().unwrap()[at]));
    }
    Ok(())
}

fn outside_bytes(report: &Report) -> i128 {
    let fact = report.facts.iter().find(|fact| fact.name == "outside_bytes").unwrap();
    let Cell::Integer(bytes) = fact.value else { panic!("{fact:?}") };
    bytes
}

/// `lines` gives the records that were counted, in the order of the files, whatever the blocks and threads.
fn lines_are_the_accepted_ones(
    bench: &Bench,
    log: &Log,
    question: &Question,
    (whole, plainly): (&mut Survey, &Reading),
    (cut, reading): (&mut Survey, &Reading),
    pieces: &[Piece],
) -> Result<(), TestCaseError> {
    let (expected, _) = bench.lines(whole, question, plainly);
    let (found, tally) = bench.lines(cut, question, reading);
    let count = found.split_inclusive(|byte| *byte == b'\n').count() as u64;
    prop_assert_eq!(count, tally.account.accepted - tally.account.filtered);
    if question.unlimited() {
        let accepted =
            pieces.iter().flat_map(|piece| piece.lines.clone()).filter(|&line| log.is_record(line));
        let text: Vec<u8> = accepted.flat_map(|line| [log.text(line), b"\n"].concat()).collect();
        prop_assert!(found == text, "{}\nis not\n{}", found.escape_ascii(), text.escape_ascii());
    } else {
        let sorted = |bytes: &[u8]| {
            let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            lines.sort();
            lines
        };
        let same = sorted(&found) == sorted(&expected);
        prop_assert!(same, "{}\nis not\n{}", found.escape_ascii(), expected.escape_ascii());
    }
    Ok(())
}

/// What the answers of a case were like; every case is asked by every command once.
fn note_answer(seen: &Seen, command: Command, report: &Report, tables: &[Sums]) {
    let input = &report.input;
    match command {
        Command::Overview => {
            seen.note("rejects", input.rejected > 0);
            seen.note("kinds of rejects", input.rejects.len() > 1);
            seen.note("lines too long", input.rejects.iter().any(|rejects| rejects.reason == "too-long"));
            seen.note("skips", input.skipped > 0);
            seen.note("filtered records", input.filtered > 0);
            seen.note("mostly records", input.accepted > input.lines / 2);
        }
        Command::Top("client") => {
            seen.note("several groups", tables[0].rows > 1);
            seen.note("others", tables[0].columns["bytes"].other != Some(0));
        }
        Command::Top("slot") => seen.note("several slots", report.tables[0].rows.len() > 1),
        Command::Slots(_) => seen.note("bytes outside", outside_bytes(report) > 0),
        Command::Bill => seen.note("several bills", report.parts.parts.len() > 1),
        Command::Top(_) => {}
    }
}
