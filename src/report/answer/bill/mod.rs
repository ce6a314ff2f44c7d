//! `bandwho bill`: what is paid, and why.
//!
//! One pass counts each place's bytes per slot, with their bounds. Here they become the series of the contract's ports,
//! these are measured and priced by [`crate::billing`], and each becomes a part of the answer with its evidence.

mod drivers;
mod facts;
mod ports;

use super::Counted;
use crate::billing::contract::{Contract, Members, Port};
use crate::billing::decimal::Decimal;
use crate::billing::method::{Billed, Quantity, Terms, Traffic, measure, measure_on};
use crate::billing::outlook::{left, peaks, project};
use crate::billing::period::Period;
use crate::billing::ratio::Ratio;
use crate::billing::samples::{Frame, Sample};
use crate::billing::tariff::invoice;
use crate::billing::words::{Direction, Overhead, Scope};
use crate::error::Error;
use crate::format::{Format, Part as FieldPart, Server};
use crate::query::dimension::DIMENSIONS_MAX;
use crate::query::{Basis, Dimension, Flow, Series, View};
use crate::report::chart::{Chart, Line, Rate};
use crate::report::{Cell, Fact, Part, Parts, Report, Unit, human};
use crate::time::{Slot, Timestamp};
use facts::Measured;
use ports::Account;

/// A stretch between two logs that is worth a warning: its slots count as zero.
const GAP_SECONDS: i64 = 3600;

const MICROS: i64 = 1_000_000;

/// What is asked besides the contract.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is billed, how, and for how much.
    pub contract: Contract,
    /// The stretch of time; `None`: from the slot of the earliest to that of the latest logged time.
    pub period: Option<Period>,
    /// Who is told to have filled the slots that set the bill.
    pub drivers: Vec<Dimension>,
    /// Rows of drivers at most; `None`: all.
    pub rows: Option<usize>,
}

/// The dimensions that tell the places of a contract apart, before the drivers in each view.
fn places(contract: &Contract) -> Vec<Dimension> {
    let any = |wanted: fn(&Port) -> bool| contract.ports.iter().any(wanted);
    let idc = any(|port| match port.members {
        Members::Idcs(_) => true,
        Members::Everything => port.scope == Scope::PerPort,
        Members::Servers(_) => false,
    });
    let server = any(|port| matches!(port.members, Members::Servers(_)));
    [(idc, Dimension::Idc), (server, Dimension::Server)]
        .into_iter()
        .filter_map(|(needed, it)| needed.then_some(it))
        .collect()
}

/// The flows that the ports are measured on, bytes sent first.
fn flows(contract: &Contract) -> Vec<Flow> {
    let any = |wanted: fn(&Terms) -> bool| contract.ports.iter().any(|port| wanted(&port.terms));
    let mut flows = vec![Flow::Out];
    if any(|terms| terms.direction != Direction::Out) {
        flows.push(Flow::In);
    }
    if any(|terms| matches!(terms.overhead, Overhead::Packets { .. })) {
        flows.push(Flow::Packets);
    }
    flows
}

impl Question {
    /// The views of a bill: per flow one with bounds, then per flow one with drivers. The error is the reason.
    pub fn views(&self) -> Result<Vec<View>, String> {
        let by = places(&self.contract);
        let with_drivers = [by.clone(), self.drivers.clone()].concat();
        if with_drivers.len() > DIMENSIONS_MAX {
            let places: Vec<&str> = by.iter().map(Dimension::name).collect();
            return Err(format!(
                "at most {DIMENSIONS_MAX} dimensions, of which the contract takes {}",
                places.join(" and ")
            ));
        }
        if let Some(twice) = self.drivers.iter().find(|dimension| by.contains(dimension)) {
            return Err(format!(
                "each bill is for certain places already: `{}` cannot drive it",
                twice.name()
            ));
        }
        let view =
            |by: &Vec<Dimension>, series, flow| View { by: by.clone(), series, flow, ..View::default() };
        let flows = flows(&self.contract);
        let mut views: Vec<View> = flows.iter().map(|&flow| view(&by, Series::Bounded, flow)).collect();
        if !self.drivers.is_empty() {
            views.extend(flows.iter().map(|&flow| view(&with_drivers, Series::PerSlot, flow)));
        }
        Ok(views)
    }

    /// Bytes of a response in one packet; all ports that estimate packets must agree.
    pub fn segment(&self) -> Result<Option<u32>, String> {
        let mut segments = self.contract.ports.iter().filter_map(|port| match port.terms.overhead {
            Overhead::Packets { mss } => Some(mss),
            _ => None,
        });
        let Some(first) = segments.next() else { return Ok(None) };
        match segments.find(|other| *other != first) {
            Some(other) => Err(format!("overhead packets:{first} and packets:{other} cannot be on one bill")),
            None => Ok(Some(first)),
        }
    }
}

/// The answer; the views are those of [`Question::views`]. Fails if the contract cannot be billed from these logs.
pub fn report(counted: &Counted<'_>, question: &Question) -> Result<Report, Error> {
    let failed = |reason: String| Error::Data(format!("cannot bill: {reason}"));
    let coverage = coverage(counted).ok_or_else(|| failed("no record has a time".to_owned()))?;
    let period = question.period.clone().map_or_else(|| asked(counted, coverage), Ok).map_err(failed)?;
    let frame = Frame::new(&period, counted.rules.grid.length, Some(coverage)).map_err(failed)?;
    let account = Account::new(counted, question, &frame).map_err(failed)?;
    let mut parts = Vec::new();
    let mut total = None;
    for port in &account.ports {
        let measured = measured(&frame, port).map_err(|reason| failed(format!("{}: {reason}", port.name)))?;
        total = add(total, measured.invoice.total).map_err(failed)?;
        parts.push(part(counted, question, &frame, port, &measured));
    }
    Ok(Report {
        schema: "bandwho.bill/1",
        input: counted.input(),
        facts: heading(counted, question, &period, &frame, &account, total).map_err(failed)?,
        parts: Parts { name: "bills", parts },
        ..Report::default()
    })
}

/// What `--since` and `--until` say, else all that the logs speak of.
fn asked(counted: &Counted<'_>, (first, last): (Slot, Slot)) -> Result<Period, String> {
    // The first whole second that is not before an instant.
    let second = |time: Timestamp| Timestamp(time.0.saturating_add(MICROS - 1)).seconds();
    let start = counted.rules.since.map_or(first.start, second);
    let end = counted.rules.until.map_or(last.end, second);
    Period::between(start, end, counted.zone())
}

/// The first and the last slot that the logs speak of, whatever is asked for.
fn coverage(counted: &Counted<'_>) -> Option<(Slot, Slot)> {
    let (first, last) = counted.tally.account.span?;
    let mut cursor = counted.rules.grid.cursor();
    Some((cursor.slot(first), cursor.slot(last)))
}

fn add(total: Option<Decimal>, amount: Option<Decimal>) -> Result<Option<Decimal>, String> {
    match (total, amount) {
        (Some(total), Some(amount)) => total.plus(amount).map(Some),
        (total, amount) => Ok(total.or(amount)),
    }
}

fn measured(frame: &Frame, port: &ports::Series) -> Result<Measured, String> {
    let terms = &port.terms;
    let billed = measure(frame, &traffic(&port.bytes), terms)?;
    let on =
        |bytes: &[Vec<u128>; 2], terms: &Terms| measure_on(frame, &traffic(bytes), terms, &billed.validity);
    let under = |bytes: &[Vec<u128>; 2]| on(bytes, terms).map(|billed| billed.quantity);
    // Up to the commit nothing more is paid.
    let limit = billed.quantity.number().max(port.tariff.commit.unwrap_or(0));
    Ok(Measured {
        invoice: invoice(&billed, &port.tariff)?,
        interval: [under(&port.minimum)?, under(&port.maximum)?],
        end_spike: under(&port.end_spike)?,
        raw: on(&port.raw, &Terms { overhead: Overhead::None, ..*terms })?.quantity,
        left: left(frame, &traffic(&port.bytes), terms, limit)?,
        projection: project(frame, &traffic(&port.bytes), terms)?,
        billed,
    })
}

fn traffic(bytes: &[Vec<u128>; 2]) -> Traffic<'_> {
    Traffic { sent: &bytes[0], received: &bytes[1] }
}

fn part(
    counted: &Counted<'_>,
    question: &Question,
    frame: &Frame,
    port: &ports::Series,
    measured: &Measured,
) -> Part {
    let mut tables = facts::tables(counted, port, measured);
    if !question.drivers.is_empty() {
        tables.push(drivers::table(counted, question, frame, port, &measured.billed));
    }
    Part {
        title: format!("Port {}", port.name),
        facts: facts::facts(counted, question, frame, port, measured),
        charts: vec![Chart::Rate(curve(counted, frame, port, &measured.billed))],
        tables,
    }
}

/// The period's rate as it is billed, and the billed rate across it.
fn curve(counted: &Counted<'_>, frame: &Frame, port: &ports::Series, billed: &Billed) -> Rate {
    let factor = port.terms.overhead.factor();
    let covered = frame.covered();
    let rates = frame.slots()[covered.clone()].iter().zip(covered).map(|(&slot, at)| {
        let [sent, received] = [0, 1].map(|way: usize| port.bytes[way].get(at).copied().unwrap_or(0));
        let bytes = match billed.direction {
            Direction::In => received,
            Direction::Sum => sent.saturating_add(received),
            Direction::MaxPerSample => sent.max(received),
            Direction::Out | Direction::MaxOfP95 => sent,
        };
        let rate = Sample { slot, bytes }.rate(factor);
        (slot, rate.map_or(u128::MAX, Ratio::rounded))
    });
    let line = match billed.quantity {
        Quantity::Rate(rate) => Some(Line { label: "billed".to_owned(), rate }),
        Quantity::Volume(_) | Quantity::Port => None,
    };
    let title = format!("Rate of {}", port.name);
    Rate { title, samples: rates.collect(), line, zone: counted.zone().clone() }
}

/// What holds for all ports.
fn heading(
    counted: &Counted<'_>,
    question: &Question,
    period: &Period,
    frame: &Frame,
    account: &Account,
    total: Option<Decimal>,
) -> Result<Vec<Fact>, String> {
    let Contract { name, currency, .. } = &question.contract;
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let text = |text: String| Cell::Text(text.into_bytes());
    let some =
        |text: &String| if text.is_empty() { Cell::Null } else { Cell::Text(text.clone().into_bytes()) };
    let shown = |label: &'static str, shown: bool| if shown { label } else { "" };
    let number = |number: u128| Cell::Integer(i128::try_from(number).unwrap_or(i128::MAX));
    let (covered, slots) = (frame.covered_slots(), frame.slots().len() as u64);
    let days = frame.days().len();
    let words = format!(
        "{} to {}, {}, {} of {} s",
        counted.time(Timestamp::from_seconds(period.start())),
        counted.time(Timestamp::from_seconds(period.end())),
        human::counted(days as u64, "day"),
        human::counted(slots, "slot"),
        counted.rules.grid.length,
    );
    #[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
    let share = Cell::Share(covered as f64 / slots.max(1) as f64);
    let incomplete = format!(
        "{} of {} are within the logs; of the others nothing is known",
        human::count(covered.into()),
        human::counted(slots, "slot")
    );
    let warnings = warnings(counted);
    let mut facts = vec![
        fact("coverage", "", Unit::Share, share),
        fact("", shown("COVERAGE", covered < slots), Unit::Text, text(incomplete)),
        fact("contract", shown("contract", !name.is_empty()), Unit::Text, some(name)),
        fact("currency", "", Unit::Text, some(currency)),
        fact("", "period", Unit::Text, text(words)),
        fact("period_start", "", Unit::Text, counted.second(period.start())),
        fact("period_start_epoch", "", Unit::Number, Cell::Integer(period.start().into())),
        fact("period_end", "", Unit::Text, counted.second(period.end())),
        fact("period_end_epoch", "", Unit::Number, Cell::Integer(period.end().into())),
        fact("slot_seconds", "", Unit::Count, Cell::Integer(counted.rules.grid.length.into())),
        fact("period_slots", "", Unit::Count, Cell::Integer(slots.into())),
        fact("covered_slots", "", Unit::Count, Cell::Integer(covered.into())),
        fact(
            "unbilled_bytes",
            shown("on no port", account.unbilled > 0),
            Unit::Bytes,
            number(account.unbilled),
        ),
        fact("warnings", "", Unit::Text, Cell::List(warnings.iter().cloned().map(text).collect())),
    ];
    facts.extend(warnings.into_iter().map(|warning| fact("", "WARNING", Unit::Text, text(warning))));
    let amount = total.map_or(Cell::Null, |total| text(total.to_string()));
    facts.push(fact("amount", "", Unit::Text, amount));
    if let Some(total) = total {
        facts.push(fact("", "total", Unit::Text, text(format!("{total} {currency}").trim_end().to_owned())));
    }
    if account.ports.len() > 1 {
        let terms = Terms { missing: question.contract.missing, ..Terms::default() };
        let all: Vec<Traffic<'_>> = account.ports.iter().map(|port| traffic(&port.raw)).collect();
        let peaks = peaks(frame, &all, &terms)?;
        let of_sum = peaks.peak_of_sum.map_or(0, |peak| peak.bps);
        facts.push(fact("sum_of_peaks_bps", "sum of peaks", Unit::Bps, number(peaks.sum_of_peaks_bps)));
        facts.push(fact("peak_of_sum_bps", "peak of sum", Unit::Bps, number(of_sum)));
    }
    Ok(facts)
}

/// What makes the figures less sure than they look.
fn warnings(counted: &Counted<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let basis = counted.rules.basis;
    let is_response_size = |format: &Format| {
        format.server == Server::Apache
            && format.fields().any(|field| field.part == FieldPart::Body && field.text.ends_with(['b', 'B']))
    };
    let in_use = counted.tally.account.by_format.iter().filter(|(_, lines)| lines.lines > 0);
    let mut in_use = in_use.filter_map(|(&(file, at), _)| counted.files.get(file as usize)?.1.get(at));
    if basis == Basis::Body && in_use.any(|format| is_response_size(format)) {
        warnings.push(
            "%b and %B are sizes of responses: aborted transfers count in full (Apache mod_log_config)"
                .to_owned(),
        );
    }
    let mut spans: Vec<_> = counted.tally.account.file_spans.values().copied().collect();
    spans.sort_unstable();
    let mut covered = spans.first().map(|(_, last)| *last);
    for (first, last) in spans {
        let until = covered.map_or(last, |covered| covered.max(last));
        if let Some(gap) = covered.filter(|covered| first.seconds() - covered.seconds() > GAP_SECONDS) {
            warnings.push(format!(
                "no log has records between {} and {}: these slots count as 0",
                counted.time(gap),
                counted.time(first)
            ));
        }
        covered = Some(until);
    }
    warnings
}
