//! `bandwho audit`: the logs against the samples of a port.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bandwho::aggregate::Cut;
use bandwho::billing::audit::{
    Audit as Compared, CORRELATION_MIN, Logs, ONE_PPM, Overhead, Question, compare,
};
use bandwho::billing::port::{self, Choice, FILE_BYTES_MAX, Label, Port, Told};
use bandwho::billing::rank::RankRule;
use bandwho::billing::words;
use bandwho::error::Error;
use bandwho::input;
use bandwho::query::{Dimension, Metric, Series, View};
use bandwho::report;
use bandwho::report::answer::audit::{self, Audited, Detail};
use bandwho::report::answer::top::Needs;
use bandwho::report::escape;
use bandwho::time::Timestamp;
use clap::{Args as Group, ValueEnum};

use super::args::{Output, Read};
use super::commands::{count, counted, limit, looked_into, verdict};
use super::exit::{CHECK_FAILED, DONE};
use super::message;
use super::output::Target;
use super::plan::{self, Sources};

/// Seconds of the bins that lags are tried with.
const FINE_SECONDS: u32 = 10;

/// A lag that was asked for is a clock's error, not a day.
const LAG_SECONDS_MAX: i64 = 86_400;

#[derive(Debug, Group)]
#[allow(clippy::doc_markdown, reason = "doc comments are help texts")]
pub(crate) struct Audit {
    /// Samples of the port: CSV or TSV, an export of LibreNMS or Cacti, the text of rrdtool fetch or xport
    #[arg(long, value_name = "FILE")]
    pub(crate) port: PathBuf,
    /// Its column, by name or number [default: the one that goes out]
    #[arg(long, value_name = "NAME")]
    pub(crate) port_column: Option<String>,
    /// What the column is: bps, Mbps, bytes/s, bytes (per sample), counter [default: what the file says]
    #[arg(long, value_name = "UNIT")]
    pub(crate) port_unit: Option<String>,
    /// Which end of its interval a sample's time is
    #[arg(long, value_enum, default_value_t = LabelChoice::Auto)]
    pub(crate) label: LabelChoice,
    /// Seconds that the port's clock is behind the logs', or fit
    #[arg(long, value_name = "SECONDS", default_value = "fit", allow_hyphen_values = true)]
    pub(crate) lag: String,
    /// What logged bytes are multiplied by: a factor, fit, none, or a name that bills know, such as aliyun
    #[arg(long, value_name = "FACTOR", default_value = "none")]
    pub(crate) overhead: String,
    /// Which sample is the 95th
    #[arg(long, value_name = "RULE", default_value = "floor-discard")]
    pub(crate) rank: String,
    /// The largest difference that passes
    #[arg(long, value_name = "PERCENT", default_value = "3%")]
    pub(crate) tolerance: String,
    /// Who was in the samples that disagree, comma-separated, or none [default: of idc,region,client what is known]
    #[arg(long, value_name = "DIM,…")]
    pub(crate) drivers: Option<String>,
    /// Samples and groups at most on a page; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabelChoice {
    Auto,
    Start,
    End,
}

/// Compares; exit code 3 if the difference is beyond the tolerance.
pub(crate) fn run(args: &Audit) -> Result<u8, Error> {
    let mut question = question(args)?;
    let choice = choice(args)?;
    let target = Target::new(&args.output)?;
    let bytes = port_bytes(&args.port).map_err(on_one_line)?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    let view = View { by: drivers(args, &sources)?, series: Series::PerSlot, ..View::default() };
    let mut rules = sources.rules(&args.read, vec![view], Cut::Slots, &[Metric::Bytes])?;
    if !rules.scheme.is_finely_divisible() {
        return Err(Error::Usage(format!(
            "--scheme {}: an audit needs bytes at instants; take time-proportional or a spike",
            rules.scheme.name()
        )));
    }
    rules.fine = Some(FINE_SECONDS);
    // The first whole second that is not before the limit: samples are compared by seconds.
    let second = |limit: Timestamp| limit.saturating_add(999_999).seconds();
    (question.since, question.until) = (rules.since.map(second), rules.until.map(second));

    let name = args.port.display().to_string();
    let port = port::read(&name, &bytes, &rules.grid.zone, &choice).map_err(on_one_line)?;
    drop(bytes);
    tell(&name, &port);
    let tally = count(&args.read, &sources, &rules, None, Needs::Whole)?;
    let counted = counted(&sources, &rules, &tally, looked_into(&sources, &rules));
    let curve = tally.fine.curve();
    let span =
        audit::covered(&counted).ok_or_else(|| Error::Data("no record of the logs has a time".to_owned()))?;
    let audit = compare(&port, &Logs { curve: &curve, span }, &question).map_err(|reason| {
        let time = |second| rules.grid.zone.rfc3339(Timestamp::from_seconds(second), bandwho::time::Precision::Seconds);
        let (first, last) = (port.samples.first(), port.samples.last());
        let label = |sample: Option<&port::Sample>| sample.map_or(String::new(), |sample| time(sample.label));
        on_one_line(Error::Data(format!(
            "{name}: {reason}: the port's are labelled {} to {}, the logs go from {} to {}; is it --tz, --since or --until?",
            label(first),
            label(last),
            time(span.0),
            time(span.1)
        )))
    })?;
    doubt(&name, &audit);
    let audited = Audited { name: &name, port: &port, question: &question, audit: &audit };
    let detail = match target.shape() {
        report::Output::Table(_) | report::Output::Markdown | report::Output::Blocklist(_) => Detail::Page,
        report::Output::Json | report::Output::Ndjson => Detail::Data,
        report::Output::Csv(_) => Detail::Samples,
    };
    target.write(&audit::report(&counted, &audited, limit(args.top), detail))?;
    let code = verdict(&args.read, &sources, &tally);
    if code == DONE && !audit.passed {
        message::error(&format!("audit: {}", audit::verdict(&audited)));
        return Ok(CHECK_FAILED);
    }
    Ok(code)
}

fn question(args: &Audit) -> Result<Question, Error> {
    let rank = RankRule::parse(&args.rank).ok_or_else(|| {
        let known = RankRule::ALL.map(RankRule::name).join(", ");
        Error::Usage(format!("--rank {}: the rank rules are {known}", args.rank))
    })?;
    let overhead = overhead(&args.overhead)
        .map_err(|reason| Error::Usage(format!("--overhead {}: {reason}", args.overhead)))?;
    let lag =
        match args.lag.as_str() {
            "fit" => None,
            typed => Some(typed.parse().ok().filter(|lag: &i64| lag.abs() <= LAG_SECONDS_MAX).ok_or_else(
                || Error::Usage(format!("--lag {typed}: expected fit or whole seconds, a day at most")),
            )?),
        };
    let percent = args.tolerance.strip_suffix('%').unwrap_or(&args.tolerance).trim();
    let tolerance = millionths(percent).filter(|percent| *percent <= 100 * ONE_PPM);
    let tolerance_ppm = tolerance.ok_or_else(|| {
        Error::Usage(format!("--tolerance {}: expected a percentage such as 3%", args.tolerance))
    })? / 100;
    let label = match args.label {
        LabelChoice::Auto => None,
        LabelChoice::Start => Some(Label::Start),
        LabelChoice::End => Some(Label::End),
    };
    Ok(Question { label, lag, overhead, rank, tolerance_ppm, since: None, until: None })
}

/// The names and factors of bills, and `fit`.
fn overhead(typed: &str) -> Result<Overhead, String> {
    if typed == "fit" {
        return Ok(Overhead::Fit);
    }
    let known = words::Overhead::parse(typed)?;
    if matches!(known, words::Overhead::Packets { .. }) {
        return Err(
            "packets are counted per response, an audit has sums; take headers-v4 or a factor".to_owned()
        );
    }
    let factor = known.factor().ratio();
    let millionths = factor.numerator().saturating_mul(ONE_PPM.into()) / factor.denominator().max(1);
    u64::try_from(millionths).map(Overhead::Factor).map_err(|_| "too large".to_owned())
}

fn choice(args: &Audit) -> Result<Choice, Error> {
    let parse = |typed: &String| {
        port::Unit::parse(typed).ok_or_else(|| {
            Error::Usage(format!("--port-unit {typed}: expected bps, Mbps, bytes/s, MB/s, bytes or counter"))
        })
    };
    let unit = args.port_unit.as_ref().map(parse).transpose()?;
    Ok(Choice { column: args.port_column.clone(), unit })
}

/// The dimensions that were typed, or those of the usual ones that the logs and lists provide.
fn drivers(args: &Audit, sources: &Sources) -> Result<Vec<Dimension>, Error> {
    let dimensions = match args.drivers.as_deref() {
        Some("none") => return Ok(Vec::new()),
        Some(typed) => {
            Dimension::parse_list(typed).map_err(|reason| Error::Usage(format!("--drivers: {reason}")))?
        }
        None => {
            let known = |dimension: &Dimension| match dimension {
                Dimension::Idc => !sources.servers.is_empty(),
                Dimension::Region => {
                    sources.places.databases().len() != 0 && sources.provides(&Dimension::Region)
                }
                other => sources.provides(other),
            };
            [Dimension::Idc, Dimension::Region, Dimension::Client].into_iter().filter(known).collect()
        }
    };
    match dimensions.iter().find(|dimension| matches!(dimension, Dimension::Time(_))) {
        Some(time) => Err(Error::Usage(format!("--drivers {}: the samples are slots already", time.name()))),
        None => Ok(dimensions),
    }
}

fn port_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::io("read", path, error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let size = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if size as u64 > FILE_BYTES_MAX {
        return Err(Error::Data(format!("{}: longer than {FILE_BYTES_MAX} bytes", path.display())));
    }
    input::decompress(bytes, FILE_BYTES_MAX)
        .map_err(|reason| Error::Data(format!("{}: {reason}", path.display())))
}

/// A message with a text of a file, which may hold line feeds: none of them begins a line of ours.
fn on_one_line(error: Error) -> Error {
    match error {
        Error::Data(text) => Error::Data(escape::terminal(text.as_bytes()).into_owned()),
        other => other,
    }
}

/// Says so if the two sides cannot be the same traffic.
fn doubt(name: &str, audit: &Compared) {
    let Some(correlation) = audit.skew.correlation_best.filter(|correlation| *correlation < CORRELATION_MIN)
    else {
        return;
    };
    let why = match audit.zone_error {
        Some(error) => {
            let side = if error > 0 { "ahead of" } else { "behind" };
            let minutes = error.abs() / 60;
            format!(
                "its clock seems to be {}h{:02}m {side} the logs': is it --tz?",
                minutes / 60,
                minutes % 60
            )
        }
        None => "is it this port, this column, this time?".to_owned(),
    };
    let name = escape::terminal(name.as_bytes());
    let correlation = audit::correlation(correlation);
    message::warning(&format!("{name} does not follow the logs (correlation {correlation}): {why}"));
}

/// What went wrong in the port's file, and what had to be assumed.
fn tell(name: &str, port: &Port) {
    let (name, column) = (escape::terminal(name.as_bytes()), escape::terminal(port.column.as_bytes()));
    for fault in &port.faults {
        let text = escape::terminal(&fault.text);
        message::warning(&format!("{name}:{}:{}: {}: `{text}`", fault.line, fault.column, fault.reason));
    }
    let more = port.bad_rows - port.faults.len() as u64;
    if more > 0 {
        message::warning(&format!("{name}: {more} more bad rows"));
    }
    match port.told {
        Told::Assumed => message::note(&format!(
            "{name}: nothing tells the unit of `{column}`: bit/s is assumed; choose with --port-unit"
        )),
        Told::Values => message::note(&format!(
            "{name}: nothing but its values tells that `{column}` is a counter; choose with --port-unit"
        )),
        Told::Asked | Told::File | Told::Shape => {}
    }
}

/// A decimal number in millionths.
fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 6 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(ONE_PPM)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(millionths(text), expected, "{text}");
        check("1", Some(1_000_000));
        check("1.07", Some(1_070_000));
        check("0.000001", Some(1));
        check("3.", Some(3_000_000));
        check(".5", None);
        check("1.0000001", None);
        check("-1", None);
        check("1e3", None);
        check("99999999999999999999", None);
        check("", None);
    }
}
