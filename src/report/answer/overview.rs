//! `bandwho [LOG]…`: how much, when, who, and what to ask next.

mod headline;
pub mod next;

use std::collections::HashSet;

use self::headline::{Eater, Subject};
use self::next::{Again, Findings, Peak};
use super::figures::{self, Sum, group_numbers, is_empty};
use super::rates::{self, Period, Sample};
use super::top::{self, Ranking};
use super::{Counted, column, integer, share};
use crate::aggregate::Sums;
use crate::billing::rate_bps;
use crate::error::Error;
use crate::query::{Basis, Dimension, Metric, Series, View};
use crate::report::chart::{Line, Rate};
use crate::report::{Cell, Chart, Fact, Report, Summary, Table, Unit};
use crate::time::{Slot, Timestamp, instant};

/// Rows of a panel at most: what is asked for first, and what is good to know.
const ROWS: usize = 8;
const ROWS_FEW: usize = 5;

/// Of fewer samples none is discarded: their 95th is their peak.
const P95_SLOTS_MIN: u64 = 20;

/// A ranking of the overview.
struct Panel {
    /// In JSON.
    name: &'static str,
    by: &'static [Dimension],
    title: &'static str,
    rows: usize,
}

const PANELS: [Panel; 7] = [
    Panel { name: "idc", by: &[Dimension::Idc], title: "Data centres", rows: ROWS },
    Panel { name: "region", by: &[Dimension::Region], title: "Regions", rows: ROWS_FEW },
    Panel { name: "network", by: &[Dimension::Asn, Dimension::Org], title: "Networks", rows: ROWS },
    Panel { name: "client", by: &[Dimension::Client], title: "Clients", rows: ROWS },
    Panel { name: "path", by: &[Dimension::Path], title: "Paths", rows: ROWS },
    Panel { name: "family", by: &[Dimension::Family], title: "Programs", rows: ROWS_FEW },
    Panel { name: "status", by: &[Dimension::Status], title: "Answers", rows: ROWS_FEW },
];

/// What the overview shows of what the logs and databases can tell.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// There is a server list.
    pub servers: bool,
    /// There is an IP database.
    pub places: bool,
}

/// The views of an overview: the first has the time series of everything.
pub fn views(known: Known, provided: impl Fn(&Dimension) -> bool) -> Vec<View> {
    let everything = View { series: Series::PerSlot, ..View::default() };
    let is_shown = |dimension: &Dimension| match dimension {
        Dimension::Idc => known.servers,
        place if place.is_place() => known.places && provided(place),
        other => provided(other),
    };
    let shown = PANELS.iter().filter(|panel| panel.by.iter().all(is_shown));
    let panels = shown.map(|panel| View { by: panel.by.to_vec(), ..View::default() });
    std::iter::once(everything).chain(panels).collect()
}

/// Of `+01:00`.
const OFFSET_LENGTH: usize = 6;

/// The answer; the views are those of [`views`]. Nothing is suggested if it is not known how the same records are read
/// `again`. Fails if temporary files cannot be read.
pub fn report(counted: &Counted<'_>, again: Option<&Again>) -> Result<Report, Error> {
    let views = counted.rules.views.iter().enumerate().skip(1);
    let tables = views.map(|(at, view)| table(counted, at, &view.by)).collect::<Result<Vec<_>, _>>()?;
    let overview = Overview { counted, tables: &tables, all: Sum::of(counted, &counted.tally.views[0]) };
    let summary = Summary {
        headline: headline::headline(&overview.subject()),
        chart: overview.curve().map(Chart::Rate),
        next: match again {
            Some(again) => next::suggestions(&overview.findings()?, again),
            None => Vec::new(),
        },
    };
    Ok(Report {
        schema: "bandwho.overview/1",
        input: counted.input(),
        facts: overview.facts()?,
        summary: Some(summary),
        tables,
        ..Report::default()
    })
}

fn table(counted: &Counted<'_>, at: usize, by: &[Dimension]) -> Result<Table, Error> {
    let (metrics, sort) = match counted.rules.basis {
        Basis::None => (vec![Metric::Requests], Metric::Requests),
        _ => (vec![Metric::Bytes, Metric::Requests, Metric::Share], Metric::Bytes),
    };
    let panel = PANELS.iter().find(|panel| panel.by == by);
    let rows = panel.map_or(ROWS, |panel| panel.rows);
    let mut table = top::table(counted, at, &Ranking { metrics, sort, rows: Some(rows), having: None })?;
    if let Some(Panel { name, title, .. }) = panel {
        (table.name, table.title) = ((*name).to_owned(), (*title).to_owned());
    }
    if sort == Metric::Requests {
        add_share(&mut table);
    }
    for column in table.columns.iter_mut().filter(|column| column.unit == Unit::Share) {
        column.unit = Unit::Bar;
    }
    Ok(table)
}

/// Adds the share of the requests, which are the last column.
fn add_share(table: &mut Table) {
    let number = |cells: &[Cell]| match cells.last() {
        Some(Cell::Integer(number)) => u128::try_from(*number).unwrap_or(0),
        _ => 0,
    };
    let all = table.total.as_deref().map_or(0, number);
    let sums = table.other.iter_mut().map(|other| &mut other.cells).chain(&mut table.total);
    for cells in table.rows.iter_mut().chain(sums) {
        cells.push(share(number(cells), all));
    }
    table.columns.push(column("request_share", Unit::Share));
}

/// What the words around the tables are made of.
struct Overview<'a> {
    counted: &'a Counted<'a>,
    tables: &'a [Table],
    all: Sum,
}

impl Overview<'_> {
    fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The first row of a table that has a name, and its share.
    fn first(&self, name: &str) -> Option<(&[Cell], f64)> {
        let table = self.table(name)?;
        let is_known = |cell: &Cell| match cell {
            Cell::Text(text) => text != b"unknown",
            cell => *cell != Cell::Null,
        };
        let row = table.rows.iter().find(|row| row[..table.by.len()].iter().any(is_known))?;
        let Some(Cell::Share(share)) = row.last() else { return None };
        Some((row, *share))
    }

    /// The same of several rows: of one there is nothing to tell apart.
    fn first_of_several(&self, name: &str) -> Option<(&[Cell], f64)> {
        self.table(name).filter(|table| table.rows.len() > 1).and_then(|_| self.first(name))
    }

    fn bytes(&self) -> Option<u128> {
        (self.counted.rules.basis != Basis::None).then_some(self.all.sums.bytes)
    }

    fn peak(&self) -> Option<(u128, Slot)> {
        rates::peak(&self.all.samples, Period::of(self.counted))
    }

    /// The 95th, where it is not the peak.
    fn p95(&self) -> Option<u128> {
        let period = Period::of(self.counted).filter(|period| period.slots >= P95_SLOTS_MIN);
        self.bytes().and(rates::p95(&self.all.samples, Some(period?)))
    }

    /// When a slot begins, as people and `bandwho at` write it.
    fn minute(&self, slot: Slot) -> String {
        let civil = self.counted.zone().civil(Timestamp::from_seconds(slot.start));
        let second = if civil.second == 0 { String::new() } else { format!(":{:02}", civil.second) };
        let (date, time) = ((civil.year, civil.month, civil.day), (civil.hour, civil.minute));
        let shown = format!("{:04}-{:02}-{:02} {:02}:{:02}{second}", date.0, date.1, date.2, time.0, time.1);
        // A clock that shows a time twice means the first, unless its offset is told.
        let start = Timestamp::from_seconds(slot.start);
        let meant = instant(&shown, self.counted.zone(), start);
        let written = self.counted.time(start);
        match written.get(written.len().saturating_sub(OFFSET_LENGTH)..) {
            Some(offset) if meant != Ok(start) => shown + offset,
            _ => shown,
        }
    }

    fn subject(&self) -> Subject {
        let span = self.counted.span();
        let peak = self.bytes().and(self.peak()).filter(|(rate, _)| *rate > 0);
        Subject {
            requests: self.all.sums.requests.into(),
            bytes: self.bytes(),
            seconds: span.map(|(first, last)| last.seconds().abs_diff(first.seconds())),
            p95: self.p95(),
            peak: peak.map(|(rate, slot)| (rate, self.minute(slot))),
            eater: self.network().or_else(|| self.client()),
        }
    }

    fn network(&self) -> Option<Eater> {
        let (row, share) = self.first("network")?;
        let org = text(row, 1).filter(|org| *org != b"unknown").unwrap_or_default().to_vec();
        Some(Eater::Network { asn: asn(row), org, share })
    }

    fn client(&self) -> Option<Eater> {
        let (row, share) = self.first("client")?;
        Some(Eater::Client { name: text(row, 0)?.to_vec(), share })
    }

    fn curve(&self) -> Option<Rate> {
        let period = Period::of(self.counted).filter(|_| self.bytes().is_some())?;
        let inside: &[Sample] = period.within(&self.all.samples);
        let mut samples: Vec<(Slot, u128)> =
            inside.iter().map(|(slot, bytes)| (*slot, rate_bps(*bytes, slot.seconds()))).collect();
        // Of the empty slots, of which a year gone wrong has millions, only those at the ends matter to a drawing.
        if samples.first().is_none_or(|(slot, _)| *slot != period.first) {
            samples.insert(0, (period.first, 0));
        }
        if samples.last().is_none_or(|(slot, _)| *slot != period.last) {
            samples.push((period.last, 0));
        }
        let line = self.p95().map(|rate| Line { label: "95th".to_owned(), rate });
        Some(Rate { title: "Rate".to_owned(), samples, line, zone: self.counted.zone().clone() })
    }

    fn findings(&self) -> Result<Findings, Error> {
        let counted = self.counted;
        let input = counted.input();
        let client = |(row, share): (&[Cell], f64)| {
            let address = str::from_utf8(text(row, 0)?).ok()?.parse().ok()?;
            Some((address, share))
        };
        let path =
            |(row, share): (&[Cell], f64)| Some((str::from_utf8(text(row, 0)?).ok()?.to_owned(), share));
        let agents = &counted.rules.agents;
        let bots = agents.families().iter().filter(|family| family.kind.is_bot());
        let bots: HashSet<&[u8]> = bots.map(|family| family.name.as_bytes()).collect();
        let bots = self.part("family", |family| bots.contains(family))?;
        let errors = self.part("status", |status| status.first() == Some(&b'5'))?;
        let part = |part: u128, all: u128| match share(part, all) {
            Cell::Share(share) => share,
            _ => 0.0,
        };
        let all = self.all.sums;
        let peak = self.p95().zip(self.peak());
        Ok(Findings {
            lines: input.lines,
            rejected: input.rejected,
            bytes: self.bytes(),
            network: self.first_of_several("network").and_then(|(row, share)| Some((asn(row)?, share))),
            client: self.first_of_several("client").and_then(client),
            path: self.first_of_several("path").and_then(path),
            bots: match self.bytes() {
                Some(bytes) => part(bots.bytes, bytes),
                None => part(bots.requests.into(), all.requests.into()),
            },
            errors: part(errors.requests.into(), all.requests.into()),
            peak: peak.map(|(p95, (rate, slot))| Peak { rate, p95, at: self.minute(slot) }),
            shown: PANELS.iter().map(|panel| panel.name).filter(|name| self.table(name).is_some()).collect(),
            durations: counted.durations_logged,
        })
    }

    /// What a table's groups of one kind come to; an unknown value is of no kind.
    fn part(&self, name: &str, is_meant: impl Fn(&[u8]) -> bool) -> Result<Sums, Error> {
        let mut sums = Sums::default();
        let Some(at) = self.tables.iter().position(|table| table.name == name) else { return Ok(sums) };
        self.counted.tally.parts(at + 1, |tally| {
            let is_meant = |group: &u32| tally.value(*group, 0).is_some_and(&is_meant);
            group_numbers(tally).filter(is_meant).for_each(|group| sums.merge(tally.sums(group)));
        })?;
        Ok(sums)
    }

    /// How many clients there are whose address is known.
    fn clients(&self) -> Result<Option<u128>, Error> {
        let Some(at) = self.tables.iter().position(|table| table.name == "client") else { return Ok(None) };
        let mut known = 0;
        self.counted.tally.parts(at + 1, |tally| {
            let is_known = |group: &u32| !is_empty(tally, *group) && tally.value(*group, 0).is_some();
            known += group_numbers(tally).filter(is_known).count();
        })?;
        Ok(Some(known as u128))
    }

    /// The headline says most of it: people get the rest, programs all.
    fn facts(&self) -> Result<Vec<Fact>, Error> {
        let Self { counted, all, .. } = self;
        let period = Period::of(counted);
        let fact = |name, label, unit, value| Fact { name, label, unit, value };
        let number = |number: Option<u128>| number.map_or(Cell::Null, integer);
        let measure = |metric| number(figures::measure(&all.figures(), metric, period));
        let ends = counted.span().map(|(first, last)| [first, last].map(|end| Cell::Time(counted.time(end))));
        let [from, to] = ends.clone().unwrap_or([Cell::Null, Cell::Null]);
        let peak = self.peak();
        let mut facts = vec![
            fact("from", "", Unit::Text, from),
            fact("to", "", Unit::Text, to),
            fact("", "period", Unit::Text, ends.map_or(Cell::Null, |ends| Cell::List(ends.to_vec()))),
            fact("requests", "requests", Unit::Count, number(Some(all.sums.requests.into()))),
            fact("bytes", "", Unit::Bytes, number(Some(all.sums.bytes))),
            fact("clients", "clients", Unit::Count, number(self.clients()?)),
            fact("avg_bps", "average", Unit::Bps, measure(Metric::AvgBps)),
            fact("p95_bps", "", Unit::Bps, measure(Metric::P95Bps)),
            fact("peak_bps", "", Unit::Bps, number(peak.map(|(rate, _)| rate))),
            fact("peak_at", "", Unit::Text, peak.map_or(Cell::Null, |(_, slot)| counted.second(slot.start))),
            fact("slot_seconds", "", Unit::Count, Cell::Integer(i128::from(counted.rules.grid.length))),
        ];
        for fact in &mut facts {
            let is_meaningless = fact.value == Cell::Null || fact.unit == Unit::Bps && self.bytes().is_none();
            if is_meaningless {
                fact.label = "";
            }
        }
        Ok(facts)
    }
}

/// A text of a row.
fn text(row: &[Cell], at: usize) -> Option<&[u8]> {
    match row.get(at) {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}

/// The AS number that a row begins with.
fn asn(row: &[Cell]) -> Option<u32> {
    match row.first() {
        Some(Cell::Integer(number)) => u32::try_from(*number).ok(),
        _ => None,
    }
}
