//! A measured port → the figures and tables of its part.

use super::super::{Counted, column, key_column};
use super::{Question, ports};
use crate::billing::method::{Billed, Part as DayPart, Quantity, Ranked};
use crate::billing::outlook::{Counted as LeftOf, Left, Projection};
use crate::billing::samples::Frame;
use crate::billing::tariff::Invoice;
use crate::billing::words::{Method, Overhead};
use crate::report::{Cell, Fact, Table, Unit, human};
use crate::time::{Slot, Timestamp};

/// A port's bill with everything around it.
pub(super) struct Measured {
    pub(super) billed: Billed,
    pub(super) invoice: Invoice,
    /// Under minimum-volume and maximum-volume.
    pub(super) interval: [Quantity; 2],
    pub(super) end_spike: Quantity,
    /// Without overhead.
    pub(super) raw: Quantity,
    pub(super) left: Option<Left>,
    pub(super) projection: Option<Projection>,
}

fn fact(name: &'static str, label: &'static str, unit: Unit, value: Cell) -> Fact {
    Fact { name, label, unit, value }
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into().into_bytes())
}

fn number(number: u128) -> Cell {
    Cell::Integer(i128::try_from(number).unwrap_or(i128::MAX))
}

fn maybe(value: Option<u128>) -> Cell {
    value.map_or(Cell::Null, number)
}

/// The rate, if it is one.
fn bps(quantity: Quantity) -> Cell {
    match quantity {
        Quantity::Rate(bps) => number(bps),
        Quantity::Volume(_) | Quantity::Port => Cell::Null,
    }
}

/// As people say it.
fn said(quantity: Quantity) -> String {
    let shown = |number: u128, show: fn(i128) -> String| show(i128::try_from(number).unwrap_or(i128::MAX));
    match quantity {
        Quantity::Rate(bps) => shown(bps, human::bps),
        Quantity::Volume(bytes) => shown(bytes, human::bytes),
        Quantity::Port => "the port".to_owned(),
    }
}

/// To the unit: what one checks.
fn exactly(quantity: Quantity) -> String {
    let unit = match quantity {
        Quantity::Rate(_) => "bit/s",
        Quantity::Volume(_) => "bytes",
        Quantity::Port => return said(quantity),
    };
    let number = i128::try_from(quantity.number()).unwrap_or(i128::MAX);
    format!("{} {unit} ({})", human::count(number), said(quantity))
}

/// All figures of a port: machines get every one, people those with words.
pub(super) fn facts(
    counted: &Counted<'_>,
    question: &Question,
    frame: &Frame,
    port: &ports::Series,
    measured: &Measured,
) -> Vec<Fact> {
    [
        terms(question, port),
        result(counted, port, measured),
        bounds(measured),
        samples(counted, frame, port, measured),
        outlook(port, measured),
        money(question, port, measured),
    ]
    .concat()
}

/// What was agreed.
fn terms(question: &Question, port: &ports::Series) -> Vec<Fact> {
    let terms = &port.terms;
    let rank = match terms.method {
        Method::P95 | Method::DayP95Avg => format!(", rank rule {}", terms.rank.name()),
        _ => String::new(),
    };
    let mean = terms.mean.map_or(String::new(), |mean| format!(", samples of {mean} s"));
    let words = format!("{}{rank}, direction {}{mean}", terms.method.name(), terms.direction.name());
    let members = port.members.iter().map(text).collect();
    let at = if port.members.is_empty() { "" } else { "places" };
    vec![
        fact("port", "", Unit::Text, text(&port.name)),
        fact("", at, Unit::Text, text(port.members.join(", "))),
        fact("members", "", Unit::Text, Cell::List(members)),
        fact("", "method", Unit::Text, text(words)),
        fact("method", "", Unit::Text, text(terms.method.name())),
        fact("rank_rule", "", Unit::Text, text(terms.rank.name())),
        fact("direction", "", Unit::Text, text(terms.direction.name())),
        fact("sample_seconds", "", Unit::Count, terms.mean.map_or(Cell::Null, |it| number(it.into()))),
        fact("overhead", "", Unit::Text, text(terms.overhead.name())),
        fact("overhead_factor", "", Unit::Text, text(terms.overhead.factor().to_string())),
        fact("missing", "", Unit::Text, text(question.contract.missing.name())),
        fact("valid_days_rule", "", Unit::Text, text(terms.valid_days.name())),
    ]
}

/// What is billed, and where it stands.
fn result(counted: &Counted<'_>, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let Measured { billed, raw, .. } = measured;
    let volume = match billed.quantity {
        Quantity::Volume(bytes) => number(bytes),
        _ => Cell::Null,
    };
    let raw_volume = match *raw {
        Quantity::Volume(bytes) => number(bytes),
        _ => Cell::Null,
    };
    let start = |ranked: &Option<Ranked>| ranked.map_or(Cell::Null, |it| Cell::Integer(it.slot.start.into()));
    let second = |ranked: &Option<Ranked>| ranked.map_or(Cell::Null, |it| counted.second(it.slot.start));
    let overhead = port.terms.overhead;
    let logged =
        (overhead != Overhead::None).then(|| format!("{}, overhead {}", exactly(*raw), overhead.name()));
    let at = billed.billed.map(|it| format!(", slot {}", span(counted, it.slot))).unwrap_or_default();
    let rank = billed.rank.map_or(String::new(), |rank| match rank.twentieths {
        0 => format!(", rank {} of {}", rank.whole, human::counted(billed.samples, "sample")),
        twentieths => {
            format!(
                ", rank {}.{:02} of {}",
                rank.whole,
                twentieths * 5,
                human::counted(billed.samples, "sample")
            )
        }
    });
    let direction = if billed.direction == port.terms.direction {
        String::new()
    } else {
        format!(", direction {}", billed.direction.name())
    };
    let words = format!("{}{direction}{rank}{at}", exactly(billed.quantity));
    let peak = billed
        .peak
        .map(|peak| format!("{}, slot {}", said(Quantity::Rate(peak.bps)), span(counted, peak.slot)));
    let whole = billed.rank.filter(|rank| rank.twentieths == 0).map(|rank| u128::from(rank.whole));
    let between = billed.rank.filter(|rank| rank.twentieths > 0);
    #[allow(clippy::cast_precision_loss, reason = "a rank is far below 2⁵³ and its part has two digits")]
    let between = between.map(|rank| Cell::Share(rank.whole as f64 + rank.twentieths as f64 / 20.0));
    vec![
        fact("rank", "", Unit::Number, whole.map_or(between.unwrap_or(Cell::Null), number)),
        fact("", "measured", Unit::Text, text(words)),
        fact(
            "",
            if logged.is_some() { "as logged" } else { "" },
            Unit::Text,
            text(logged.unwrap_or_default()),
        ),
        fact("billed_bps", "", Unit::Bps, bps(billed.quantity)),
        fact("billed_raw_bps", "", Unit::Bps, bps(*raw)),
        fact("billed_bytes", "", Unit::Bytes, volume),
        fact("billed_raw_bytes", "", Unit::Bytes, raw_volume),
        fact("billed_direction", "", Unit::Text, text(billed.direction.name())),
        fact("other_direction_bps", "", Unit::Bps, billed.other.map_or(Cell::Null, bps)),
        fact("billed_slot", "", Unit::Text, second(&billed.billed)),
        fact("billed_slot_epoch", "", Unit::Number, start(&billed.billed)),
        fact("ties", "", Unit::Count, Cell::Integer(billed.ties.into())),
        fact("peak_bps", "", Unit::Bps, maybe(billed.peak.map(|peak| peak.bps))),
        fact("peak_slot", "", Unit::Text, second(&billed.peak)),
        fact("peak_slot_epoch", "", Unit::Number, start(&billed.peak)),
        fact("", if peak.is_some() { "peak" } else { "" }, Unit::Text, text(peak.unwrap_or_default())),
    ]
}

/// How sure it is: what other load schemes make of it.
fn bounds(measured: &Measured) -> Vec<Fact> {
    let is_rate = matches!(measured.billed.quantity, Quantity::Rate(_));
    let interval = match measured.interval.map(bps) {
        [Cell::Null, _] | [_, Cell::Null] => Cell::Null,
        both => Cell::List(both.to_vec()),
    };
    let end_spike = if is_rate { bps(measured.end_spike) } else { Cell::Null };
    let shown = |label: &'static str| if is_rate { label } else { "" };
    vec![
        fact("interval_bps", shown("between"), Unit::Bps, interval),
        fact("end_spike_bps", shown("end-spike"), Unit::Bps, end_spike),
    ]
}

/// What was ranked.
fn samples(counted: &Counted<'_>, frame: &Frame, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let Billed { samples, period_samples, covered_slots, period_slots, valid_days, period_days, .. } =
        measured.billed;
    let volume = format!(
        "{} in {} of {}, {valid_days} of {} valid",
        said(Quantity::Volume(measured.billed.bytes)),
        human::count(samples.into()),
        human::counted(period_samples, "sample"),
        human::counted(period_days, "day"),
    );
    let excluded = measured.billed.excluded_bytes;
    let too_few =
        measured.billed.too_few_days.map(|days| format!("the method asks for more than {days} valid days"));
    let is_incomplete = frame.covered().end < frame.slots().len();
    vec![
        fact("", "volume", Unit::Text, text(volume)),
        fact("", if too_few.is_some() { "note" } else { "" }, Unit::Text, text(too_few.unwrap_or_default())),
        fact("samples", "", Unit::Count, number(samples.into())),
        fact("period_samples", "", Unit::Count, number(period_samples.into())),
        fact("period_slots", "", Unit::Count, number(period_slots.into())),
        fact("covered_slots", "", Unit::Count, number(covered_slots.into())),
        fact("is_complete", "", Unit::Text, text(if is_incomplete { "no" } else { "yes" })),
        fact("valid_days", "", Unit::Count, number(valid_days.into())),
        fact("period_days", "", Unit::Count, number(period_days.into())),
        fact("bytes", "", Unit::Bytes, number(measured.billed.bytes)),
        fact("excluded_bytes", if excluded > 0 { "not ranked" } else { "" }, Unit::Bytes, number(excluded)),
        fact(
            "outside_bytes",
            if port.outside > 0 { "outside" } else { "" },
            Unit::Bytes,
            number(port.outside),
        ),
        fact("scheme", "", Unit::Text, text(counted.scheme())),
    ]
}

/// What may still happen.
fn outlook(port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let below = measured.invoice.below_commit;
    let room = below.map(|below| match measured.billed.quantity {
        Quantity::Volume(_) => format!("{} below the commit", said(Quantity::Volume(below))),
        _ => format!("{} below the commit", said(Quantity::Rate(below))),
    });
    let left = measured.left.map(|left| {
        let what = match left.counted {
            LeftOf::Samples => "more sample",
            LeftOf::Days => "more day",
        };
        format!(
            "{} may exceed {} before the bill does: {} allowed, {} used",
            human::counted(left.left, what),
            said(Quantity::Rate(left.above_bps)),
            human::count(left.allowed.into()),
            human::count(left.exceeding.into()),
        )
    });
    let alike = measured.projection.as_ref().map(|it| it.rest_alike.quantity);
    let zero = measured.projection.as_ref().map(|it| it.rest_zero.quantity);
    let projected = alike.zip(zero).map(|(alike, zero)| {
        format!("{} if the rest is like the past, {} if nothing more is sent", said(alike), said(zero))
    });
    let shown = |label: &'static str, words: &Option<String>| if words.is_some() { label } else { "" };
    let said = |words: &Option<String>| text(words.clone().unwrap_or_default());
    let is_volume = matches!(measured.billed.quantity, Quantity::Volume(_));
    let of_rate = |value: Option<u128>| maybe(value.filter(|_| !is_volume));
    let of_volume = |value: Option<u128>| maybe(value.filter(|_| is_volume));
    vec![
        fact("commit_bps", "", Unit::Bps, of_rate(port.tariff.commit)),
        fact("commit_bytes", "", Unit::Bytes, of_volume(port.tariff.commit)),
        fact("below_commit_bps", "", Unit::Bps, of_rate(below)),
        fact("below_commit_bytes", "", Unit::Bytes, of_volume(below)),
        fact("", shown("head-room", &room), Unit::Text, said(&room)),
        fact("left_above_bps", "", Unit::Bps, maybe(measured.left.map(|left| left.above_bps))),
        fact("left_allowed", "", Unit::Count, maybe(measured.left.map(|left| left.allowed.into()))),
        fact("left_exceeding", "", Unit::Count, maybe(measured.left.map(|left| left.exceeding.into()))),
        fact("left", "", Unit::Count, maybe(measured.left.map(|left| left.left.into()))),
        fact("left_open", "", Unit::Count, maybe(measured.left.map(|left| left.open.into()))),
        fact("", shown("left", &left), Unit::Text, said(&left)),
        fact("projection_alike", "", Unit::Number, maybe(alike.map(Quantity::number))),
        fact("projection_zero", "", Unit::Number, maybe(zero.map(Quantity::number))),
        fact("", shown("PROJECTION", &projected), Unit::Text, said(&projected)),
    ]
}

/// What it costs.
fn money(question: &Question, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let total = measured.invoice.total;
    let is_commit = measured.invoice.below_commit.is_some();
    let commit = is_commit.then(|| format!("{}, the commit", exactly(measured.invoice.billed)));
    let words = total.map(|total| format!("{total} {}", question.contract.currency).trim_end().to_owned());
    vec![
        fact("proration", "", Unit::Text, text(port.tariff.proration.name())),
        fact("amount", "", Unit::Text, total.map_or(Cell::Null, |total| text(total.to_string()))),
        fact("", if commit.is_some() { "billed" } else { "" }, Unit::Text, text(commit.unwrap_or_default())),
        fact("", if words.is_some() { "amount" } else { "" }, Unit::Text, text(words.unwrap_or_default())),
    ]
}

/// The evidence: invoice lines, the samples around the rank, the days.
pub(super) fn tables(counted: &Counted<'_>, port: &ports::Series, measured: &Measured) -> Vec<Table> {
    let mut tables = vec![around(counted, measured)];
    if !measured.billed.days.is_empty() {
        tables.push(days(counted, measured));
    }
    if port.tariff.price.is_some() {
        tables.push(lines(measured));
    }
    tables
}

fn table(name: &str, title: &str, columns: Vec<crate::report::Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { name: name.to_owned(), title: title.to_owned(), columns, rows, ..Table::default() }
}

fn around(counted: &Counted<'_>, measured: &Measured) -> Table {
    let row = |ranked: &Ranked| {
        vec![
            number(ranked.rank.into()),
            counted.second(ranked.slot.start),
            Cell::Integer(ranked.slot.start.into()),
            counted.second(ranked.slot.end),
            number(ranked.bytes),
            number(ranked.bps),
            text(if measured.billed.billed.is_some_and(|it| it.rank == ranked.rank) { "billed" } else { "" }),
        ]
    };
    let columns = vec![
        key_column("rank", Unit::Number),
        key_column("slot_start", Unit::Text),
        crate::report::Column { machine: true, ..key_column("slot_start_epoch", Unit::Number) },
        key_column("slot_end", Unit::Text),
        column("bytes", Unit::Count),
        column("bps", Unit::Count),
        column("note", Unit::Text),
    ];
    let rows = measured.billed.around.iter().map(row).collect();
    table("around", "Samples around the rank", columns, rows)
}

fn days(counted: &Counted<'_>, measured: &Measured) -> Table {
    let columns = vec![
        key_column("day", Unit::Text),
        column("bps", Unit::Bps),
        column("slot_start", Unit::Text),
        column("part", Unit::Text),
    ];
    let row = |day: &crate::billing::method::DayFigure| {
        let date = counted.time(Timestamp::from_seconds(day.day.start));
        let part = match day.part {
            DayPart::Billed => "billed",
            DayPart::Averaged => "averaged",
            DayPart::Passed => "passed",
        };
        vec![
            text(date.split('T').next().unwrap_or_default()),
            number(day.bps),
            day.slot.map_or(Cell::Null, |slot| counted.second(slot.start)),
            text(part),
        ]
    };
    table("days", "Days", columns, measured.billed.days.iter().map(row).collect())
}

fn lines(measured: &Measured) -> Table {
    let columns = vec![
        key_column("description", Unit::Text),
        column("quantity", Unit::Decimal),
        column("unit", Unit::Text),
        column("price", Unit::Decimal),
        column("days", Unit::Count),
        column("of_days", Unit::Count),
        column("amount", Unit::Decimal),
    ];
    let row = |line: &crate::billing::tariff::Line| {
        vec![
            text(&line.description),
            text(line.quantity.to_string()),
            text(line.unit),
            text(line.price.to_string()),
            maybe(line.days.map(|(valid, _)| valid.into())),
            maybe(line.days.map(|(_, of)| of.into())),
            text(line.amount.to_string()),
        ]
    };
    table("lines", "Invoice", columns, measured.invoice.lines.iter().map(row).collect())
}

/// `2026-11-01T20:05:00+08:00 to 20:10:00`.
fn span(counted: &Counted<'_>, slot: Slot) -> String {
    let time = |second| counted.time(Timestamp::from_seconds(second));
    let end = time(slot.end);
    format!("{} to {}", time(slot.start), end.get(11..19).unwrap_or(&end))
}
