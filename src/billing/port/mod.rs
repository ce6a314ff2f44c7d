//! What a carrier or a poller says a port has carried: the other side of an audit.
//!
//! | shape | where it is written down |
//! |---|---|
//! | a sheet: CSV, TSV, `;` or `\|`, with a column of times | the columns' names and the cells say the rest |
//! | `LibreNMS`, rows of its table `bill_data` | `create_bill_data_table.php`: `period` seconds, `in_delta`, `out_delta` bytes |
//! | Cacti's CSV | `graph_xport.php`: lines of `"Title"`, `"Vertical Label"`, …, `""`, then `"Date","legend",…` |
//! | `rrdtool graph -a CSV`, `TSV`, `SSV` | `rrd_xport.c`, `rrd_xport_format_sv`: `"time","legend"…`, `"NaN"` |
//! | `rrdtool fetch` | `rrd_tool.c`: names, a blank line, `epoch: value value`, `nan` |
//! | `rrdtool xport` | `rrd_tool.c`, `rrd_xport.c`: XML with or without `<t>` and `<v0>`; JSON, which up to 1.5 is no JSON |
//!
//! A reader never guesses twice: it names the column and the unit it took and who told it. An unknown value is a gap,
//! never a zero. A row that cannot be read is counted and told with its line and column, and the others go on.

mod amount;
mod apart;
mod clock;
mod columns;
mod counter;
mod rrd;
mod sheet;
mod xport;

use crate::error::Error;
use crate::time::Zone;

pub use amount::{Quantity, Unit};
pub use counter::Counts;

/// A longer file is none of samples: eight years of minutes are 300 MB.
pub const FILE_BYTES_MAX: u64 = 512 << 20;

/// Samples of one file: eight years of minutes.
pub const SAMPLES_MAX: usize = 4_500_000;

/// Bad rows that are told one by one.
pub const FAULTS_SHOWN: usize = 5;

/// Bytes of a bad cell that are shown.
const FAULT_TEXT_MAX: usize = 40;

/// A sample that stands for a longer time than a day is none of bandwidth.
const STEP_SECONDS_MAX: i64 = 86_400;

/// What the user says of the file.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The column, by name or by number from 1.
    pub column: Option<String>,
    /// What its values are.
    pub unit: Option<Unit>,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Delimited text.
    Sheet,
    /// Delimited text with `period` and `out_delta`.
    LibreNms,
    /// Cacti's export of a graph.
    Cacti,
    /// `rrdtool fetch`.
    Fetch,
    /// `rrdtool xport`.
    Xport,
}

impl Shape {
    /// Its name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sheet => "sheet",
            Self::LibreNms => "librenms",
            Self::Cacti => "cacti",
            Self::Fetch => "rrdtool fetch",
            Self::Xport => "rrdtool xport",
        }
    }
}

/// Which end of its interval a sample's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The first second; Huawei, pmacct, Akvorado, nfcapd.
    Start,
    /// The second after the last; `RRDtool`, MRTG, `LibreNMS`: the traffic of 8:02 is in the sample of 8:05.
    End,
}

impl Label {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// Who said what the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The user.
    Asked,
    /// The column's name, a cell, or the head of the file.
    File,
    /// The program that writes such files has no other.
    Shape,
    /// The values alone, which never fall.
    Values,
    /// Nobody.
    Assumed,
}

impl Told {
    /// In an answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::File => "file",
            Self::Shape => "shape",
            Self::Values => "values",
            Self::Assumed => "assumed",
        }
    }
}

/// One known sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its time in seconds since 1970, whatever end of the interval that is.
    pub label: i64,
    /// How long its interval is.
    pub seconds: u32,
    /// What went through the port in that time.
    pub bytes: u128,
}

impl Sample {
    /// The interval, its end not included.
    pub fn interval(&self, label: Label) -> (i64, i64) {
        let seconds = i64::from(self.seconds);
        match label {
            Label::Start => (self.label, self.label + seconds),
            Label::End => (self.label - seconds, self.label),
        }
    }
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: u64,
    /// From 1, in bytes; 1 where the file has no lines to speak of.
    pub column: u64,
    /// What is wrong.
    pub reason: &'static str,
    /// What stands there, shortened.
    pub text: Vec<u8>,
}

/// What a file says of a port.
#[derive(Debug, Clone)]
pub struct Port {
    /// The kind of file.
    pub shape: Shape,
    /// The column of values.
    pub column: String,
    /// What its values are.
    pub unit: Unit,
    /// Who said so.
    pub told: Told,
    /// Seconds from one sample to the next.
    pub step: u32,
    /// The known samples in order of time.
    pub samples: Vec<Sample>,
    /// The label convention, where the file leaves no choice.
    pub label: Option<Label>,
    /// Rows of samples, unknown ones included.
    pub rows: u64,
    /// Rows whose value the file does not know.
    pub unknown: u64,
    /// What became of counters.
    pub counts: Counts,
    /// Rows that could not be read.
    pub bad_rows: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

/// Reads a file of samples; times without a zone are those of `zone`. `name` is the file's, for messages.
pub fn read(name: &str, bytes: &[u8], zone: &Zone, choice: &Choice) -> Result<Port, Error> {
    let fail = |reason: String| Error::Data(format!("{name}: {reason}"));
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut rows = match bytes.trim_ascii_start().first() {
        None => Err("the file is empty".to_owned()),
        Some(b'<') => xport::read_xml(bytes, choice),
        Some(b'{') => xport::read_json(bytes, choice),
        Some(_) if rrd::is_fetch(bytes) => rrd::read(bytes, choice),
        Some(_) => sheet::read(bytes, zone, choice),
    }
    .map_err(fail)?;
    clock::unfold(&mut rows.points, zone, rows.label);
    finish(rows).map_err(fail)
}

/// What every shape is read into.
struct Rows {
    shape: Shape,
    column: String,
    unit: Option<(Unit, Told)>,
    /// The name says that the values only grow.
    counter_named: bool,
    step: Option<i64>,
    label: Option<Label>,
    points: Vec<Point>,
    /// Rows of data, bad ones included.
    count: u64,
    faults: Faults,
}

/// A row with a time.
#[derive(Debug, Clone, Copy)]
struct Point {
    time: i64,
    /// The clock of the zone, which shows some times twice a year.
    is_local: bool,
    /// How long the row says that its interval is.
    seconds: Option<i64>,
    /// Thousandths, the unit's multiple included; none: unknown.
    value: Option<u128>,
    /// The value cannot be read, which is told; its time still says how far apart the samples are.
    is_bad: bool,
    line: u64,
}

/// Rows that could not be read.
#[derive(Debug, Default)]
struct Faults {
    count: u64,
    shown: Vec<Fault>,
}

impl Faults {
    fn add(&mut self, line: u64, column: u64, reason: &'static str, text: &[u8]) {
        self.count += 1;
        if self.shown.len() < FAULTS_SHOWN {
            let text = text[..text.len().min(FAULT_TEXT_MAX)].to_vec();
            self.shown.push(Fault { line, column, reason, text });
        }
    }

    fn first(&self) -> String {
        self.shown.first().map_or(String::new(), |fault| {
            let text = String::from_utf8_lossy(&fault.text);
            format!("; line {}, column {}: {}: `{text}`", fault.line, fault.column, fault.reason)
        })
    }
}

fn finish(rows: Rows) -> Result<Port, String> {
    let Rows { shape, column, unit, counter_named, step, label, mut points, count: rows, mut faults } = rows;
    // Of two rows of one time a bad one never hides a good one.
    points.sort_by_key(|point| (point.time, point.is_bad, point.line));
    points.dedup_by(|later, earlier| {
        let is_twice = later.time == earlier.time;
        if is_twice && !later.is_bad {
            faults.add(later.line, 1, "a second sample of this time", later.time.to_string().as_bytes());
        }
        is_twice
    });
    let step = step.or_else(|| median_step(&points)).filter(|step| (1..=STEP_SECONDS_MAX).contains(step));
    let Some(step) = step else {
        return Err(format!("there are not two samples within a day of each other{}", faults.first()));
    };
    let is_counter = || counter::is_counter(&points, counter_named);
    let counter_by = if counter_named { Told::File } else { Told::Values };
    let (unit, told) = match unit {
        Some((unit, Told::File)) if unit.quantity == Quantity::Bytes && is_counter() => {
            (Unit { quantity: Quantity::Counter, ..unit }, counter_by)
        }
        Some(told) => told,
        None if is_counter() => (Unit::COUNTER, counter_by),
        None if counter_named => (Unit::BYTES, Told::File),
        None => (Unit::BPS, Told::Assumed),
    };
    let unknown = points.iter().filter(|point| point.value.is_none() && !point.is_bad).count() as u64;
    let mut counts = Counts::default();
    let samples: Vec<Sample> = if unit.quantity == Quantity::Counter {
        counter::samples(&points, step, &mut counts)
    } else {
        apart::check(&points, label)?;
        let known = apart::thin(&points, step, &mut faults);
        let sample = |(point, value): (Point, u128)| {
            let seconds = point.seconds.unwrap_or(step);
            let bytes = amount::bytes(value, unit.quantity, seconds.unsigned_abs());
            Sample { label: point.time, seconds: small(seconds), bytes }
        };
        known.into_iter().map(sample).collect()
    };
    if samples.is_empty() {
        return Err(format!("no sample of column `{column}` is known{}", faults.first()));
    }
    let label = if unit.quantity == Quantity::Counter { Some(Label::End) } else { label };
    let step = small(step);
    let Faults { count: bad_rows, shown: faults } = faults;
    Ok(Port { shape, column, unit, told, step, samples, label, rows, unknown, counts, bad_rows, faults })
}

/// The distance that half of the neighbours do not exceed: polls are a second early or late, and some are missing.
fn median_step(points: &[Point]) -> Option<i64> {
    let mut steps: Vec<i64> = points.windows(2).map(|pair| pair[1].time - pair[0].time).collect();
    let middle = steps.len().checked_sub(1)? / 2;
    Some(*steps.select_nth_unstable(middle).1)
}

fn small(seconds: i64) -> u32 {
    u32::try_from(seconds).expect("a step is a day at most")
}

#[cfg(test)]
mod tests;
