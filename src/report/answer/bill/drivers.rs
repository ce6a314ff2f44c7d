//! Who filled the slots that set the bill.

use std::cmp::Reverse;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::super::groups::{self, KeyPart};
use super::super::{Counted, column, integer, share};
use super::{Question, flows, places, ports, ranked};
use crate::billing::method::{Billed, Quantity};
use crate::billing::samples::Frame;
use crate::billing::words::Direction;
use crate::query::{Dimension, Flow};
use crate::report::{Cell, Other, Table, Unit};
use crate::time::{Cursor, Slot, Timestamp};

/// Bytes of a group in the slots that drive the bill, and in all of the period.
#[derive(Debug, Clone, Copy, Default)]
struct Driver {
    driving: u128,
    overall: u128,
}

type Drivers = HashMap<Vec<KeyPart>, Driver, RandomState>;

/// The drivers of a port: in each slot whose sample is at least the billed one, in the direction that is billed.
pub(super) fn table(
    counted: &Counted<'_>,
    question: &Question,
    frame: &Frame,
    port: &ports::Series,
    billed: &Billed,
) -> Table {
    let mut drivers = Drivers::default();
    let ranked = ranked(question, frame, billed);
    for flow in asked(port, billed.direction) {
        let cursor = port.samples(&counted.rules.grid);
        let driving = Driving { frame, port, billed, flow, ranked: &ranked, cursor };
        collect(counted, question, driving, &mut drivers);
    }
    let mut total = Driver::default();
    for driver in drivers.values() {
        total.driving += driver.driving;
        total.overall += driver.overall;
    }
    let mut ranked: Vec<(Vec<KeyPart>, Driver)> =
        drivers.into_iter().filter(|(_, driver)| driver.overall > 0).collect();
    let by_driving = |(a, x): &(Vec<KeyPart>, Driver), (b, y): &(Vec<KeyPart>, Driver)| {
        Reverse(x.driving).cmp(&Reverse(y.driving)).then_with(|| a.cmp(b))
    };
    let shown = question.rows.unwrap_or(ranked.len()).min(ranked.len());
    if shown < ranked.len() {
        ranked.select_nth_unstable_by(shown, by_driving);
    }
    ranked[..shown].sort_unstable_by(by_driving);
    let mut other = Driver::default();
    for (_, driver) in &ranked[shown..] {
        other.driving += driver.driving;
        other.overall += driver.overall;
    }
    let by: &[Dimension] = &question.drivers;
    let mut columns = groups::key_columns(by);
    let keys = columns.len();
    columns.extend([
        column("bytes", Unit::Bytes),
        column("share", Unit::Share),
        column("share_overall", Unit::Share),
    ]);
    let sums = |driver: Driver| {
        let mut cells = vec![Cell::Null; keys];
        cells.extend(figures(driver, total));
        cells
    };
    let row = |(key, driver): &(Vec<KeyPart>, Driver)| {
        let mut cells = groups::key_cells(counted, by, key);
        cells.extend(figures(*driver, total));
        cells
    };
    Table {
        name: "drivers".to_owned(),
        title: title(billed),
        by: by.iter().map(|dimension| dimension.name().to_owned()).collect(),
        rows: ranked[..shown].iter().map(row).collect(),
        other: Some(Other { groups: (ranked.len() - shown) as u64, cells: sums(other) }),
        total: Some(sums(total)),
        columns,
    }
}

fn title(billed: &Billed) -> String {
    if matches!(billed.quantity, Quantity::Volume(_) | Quantity::Port) {
        return "Drivers: who took the volume".to_owned();
    }
    let slots = billed.driving.len();
    let plural = if slots == 1 { "" } else { "s" };
    format!("Drivers: who filled the {slots} sample{plural} at or above the billed one")
}

/// The flows whose bytes are billed.
fn asked(port: &ports::Series, direction: Direction) -> Vec<Flow> {
    let sent = ports::sent(&port.terms);
    match direction {
        Direction::Out => vec![sent],
        Direction::In => vec![Flow::In],
        _ => vec![sent, Flow::In],
    }
}

fn collect(counted: &Counted<'_>, question: &Question, mut driving: Driving<'_>, drivers: &mut Drivers) {
    let (port, flow) = (driving.port, driving.flow);
    let by = places(&question.contract);
    let flows = flows(&question.contract);
    let Some(at) = flows.iter().position(|it| *it == flow) else { return };
    let tally = &counted.tally.views[flows.len() + at];
    // What a slot is to the bill is found out once.
    let mut roles: Vec<Option<Role>> = Vec::new();
    let mut sums: Vec<Option<Driver>> = vec![None; tally.len()];
    for (number, group, sample) in tally.samples() {
        let at = number as usize;
        if at >= roles.len() {
            roles.resize(at + 1, None);
        }
        let role = *roles[at].get_or_insert_with(|| driving.role(counted.tally.slots.get(number)));
        if role == Role::Left {
            continue;
        }
        let driver = sums[group as usize].get_or_insert_default();
        driver.overall += sample.bytes;
        if role == Role::Drives {
            driver.driving += sample.bytes;
        }
    }
    for ((_, mut key), sum) in groups::keys(tally).zip(sums) {
        let Some(sum) = sum.filter(|_| port.place.has(&by, &key)) else { continue };
        let driver = drivers.entry(key.split_off(by.len())).or_default();
        driver.driving += sum.driving;
        driver.overall += sum.overall;
    }
}

/// What a slot is to a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Left,
    Counts,
    Drives,
}

/// Which slots count for one flow, and which of them drive the bill.
struct Driving<'a> {
    frame: &'a Frame,
    port: &'a ports::Series,
    billed: &'a Billed,
    flow: Flow,
    ranked: &'a [bool],
    /// Finds the sample that a slot is part of.
    cursor: Cursor,
}

impl Driving<'_> {
    fn role(&mut self, slot: Option<Slot>) -> Role {
        let slot = slot.filter(|slot| self.frame.place(slot.start).is_some());
        match slot.filter(|slot| self.counts(*slot)) {
            None => Role::Left,
            Some(slot) if self.drives(slot) => Role::Drives,
            Some(_) => Role::Counts,
        }
    }

    /// Where the larger direction of each sample is billed, a sample counts for that one only.
    fn counts(&mut self, slot: Slot) -> bool {
        if self.port.terms.direction != Direction::MaxPerSample {
            return true;
        }
        let sample = self.cursor.slot(Timestamp::from_seconds(slot.start));
        (self.port.larger(self.frame, sample) == Direction::In) == (self.flow == Flow::In)
    }

    /// Every byte of a volume is billed that is in a sample.
    fn drives(&self, slot: Slot) -> bool {
        if matches!(self.billed.quantity, Quantity::Volume(_) | Quantity::Port) {
            return self.frame.place(slot.start).is_some_and(|place| self.ranked[place]);
        }
        let samples = &self.billed.driving;
        let after = samples.partition_point(|sample| sample.start <= slot.start);
        after.checked_sub(1).is_some_and(|at| slot.start < samples[at].end)
    }
}

fn figures(driver: Driver, total: Driver) -> [Cell; 3] {
    [integer(driver.driving), share(driver.driving, total.driving), share(driver.overall, total.overall)]
}
