//! `bandwho bill`: what is paid, and why.
//!
//! One pass counts each place's bytes per slot, with their bounds. Here they become the series of the contract's ports,
//! these are measured and priced by [`crate::billing`], and each becomes a part of the answer with its evidence.

mod drivers;
mod facts;
mod heading;
mod ports;

use super::Counted;
use crate::billing::contract::{Contract, Members, Port};
use crate::billing::decimal::Decimal;
use crate::billing::method::{Billed, Quantity, Terms, Traffic, measure, measure_on};
use crate::billing::outlook::{left, project};
use crate::billing::period::Period;
use crate::billing::ratio::Ratio;
use crate::billing::samples::{Frame, Sample};
use crate::billing::tariff::invoice;
use crate::billing::words::{Direction, Missing, Overhead, Scope};
use crate::error::Error;
use crate::query::dimension::DIMENSIONS_MAX;
use crate::query::{Dimension, Flow, Series, View};
use crate::report::chart::{Chart, Line, Rate};
use crate::report::{Fact, Part, Parts, Report, Unit};
use crate::time::{Slot, Timestamp};
use facts::Measured;
use ports::Account;

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
        facts: heading::facts(counted, question, &period, &frame, &account, total).map_err(failed)?,
        parts: Parts { name: "bills", key: "port", parts },
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
    // Other schemes are held against the bill on the days that are valid for it, in each direction that competes.
    let judged = match terms.direction {
        Direction::MaxOfP95 => [Direction::Out, Direction::In]
            .into_iter()
            .map(|direction| {
                let alone = measure(frame, &traffic(&port.bytes), &Terms { direction, ..*terms })?;
                Ok((direction, alone.validity))
            })
            .collect::<Result<Vec<_>, String>>()?,
        direction => vec![(direction, billed.validity.clone())],
    };
    let on = |bytes: &[Vec<u128>; 2], overhead: Overhead| {
        let one = |(direction, validity): &(Direction, Vec<bool>)| {
            let terms = Terms { direction: *direction, overhead, ..*terms };
            measure_on(frame, &traffic(bytes), &terms, validity).map(|billed| billed.quantity)
        };
        let quantities = judged.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, String>(quantities.into_iter().max_by_key(|it| it.number()).unwrap_or(billed.quantity))
    };
    // Up to the commit nothing more is paid.
    let limit = billed.quantity.number().max(port.tariff.commit.unwrap_or(0));
    Ok(Measured {
        invoice: invoice(&billed, &port.tariff)?,
        interval: [on(&port.minimum, terms.overhead)?, on(&port.maximum, terms.overhead)?],
        end_spike: on(&port.end_spike, terms.overhead)?,
        raw: on(&port.raw, Overhead::None)?,
        left: left(frame, &traffic(&port.bytes), terms, limit)?,
        projection: project(frame, &traffic(&port.bytes), terms)?,
        billed,
    })
}

/// Which slots of the frame are samples, or part of one.
fn ranked(question: &Question, frame: &Frame, billed: &Billed) -> Vec<bool> {
    let mut ranked = vec![question.contract.missing == Missing::Zero; frame.slots().len()];
    ranked[frame.covered()].fill(true);
    for ((_, slots), valid) in frame.days().zip(&billed.validity) {
        if !valid {
            ranked[slots].fill(false);
        }
    }
    ranked
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
    let mut tables = facts::tables(counted, question, port, measured);
    if !question.drivers.is_empty() {
        tables.push(drivers::table(counted, question, frame, port, &measured.billed));
    }
    Part {
        title: format!("Port {}", port.name),
        facts: [facts::facts(counted, question, port, measured), span(counted, frame)].concat(),
        charts: vec![Chart::Rate(curve(counted, question, frame, port, measured))],
        tables,
    }
}

/// The period again, for rows that stand alone.
fn span(counted: &Counted<'_>, frame: &Frame) -> Vec<Fact> {
    let (Some(first), Some(last)) = (frame.slots().first(), frame.slots().last()) else { return Vec::new() };
    let fact = |name, second| Fact { name, label: "", unit: Unit::Text, value: counted.second(second) };
    vec![fact("first_slot_start", first.start), fact("last_slot_end", last.end)]
}

/// The samples as they are billed, and what they come to across them.
fn curve(
    counted: &Counted<'_>,
    question: &Question,
    frame: &Frame,
    port: &ports::Series,
    measured: &Measured,
) -> Rate {
    let billed = &measured.billed;
    let mut cursor = port.samples(&counted.rules.grid);
    let shown = ranked(question, frame, billed);
    // A sample that the period has in part is the part.
    let mut samples: Vec<(Slot, Slot)> = Vec::new();
    for (slot, _) in frame.slots().iter().zip(shown).filter(|(_, shown)| *shown) {
        let whole = cursor.slot(Timestamp::from_seconds(slot.start));
        match samples.last_mut() {
            Some((of, sample)) if *of == whole => sample.end = slot.end,
            _ => samples.push((whole, *slot)),
        }
    }
    let rate = |slot: Slot| {
        let [sent, received] = [0, 1].map(|way: usize| port.bytes_within(frame, way, slot));
        let bytes = match billed.direction {
            Direction::In => received,
            Direction::Sum => sent.saturating_add(received),
            Direction::MaxPerSample => sent.max(received),
            Direction::Out | Direction::MaxOfP95 => sent,
        };
        let rate = Sample { slot, bytes }.rate(port.terms.overhead.factor());
        (slot, rate.map_or(u128::MAX, Ratio::rounded))
    };
    let line = match billed.quantity {
        Quantity::Rate(rate) => Some(Line { label: "measured".to_owned(), rate }),
        Quantity::Volume(_) | Quantity::Port => None,
    };
    let title = format!("Rate of {}", port.name);
    let samples = samples.into_iter().map(|(_, sample)| rate(sample)).collect();
    Rate { title, samples, line, zone: counted.zone().clone() }
}
