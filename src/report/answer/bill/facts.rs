//! A measured port → the figures and tables of its part.

use super::super::{Counted, column, integer, key_column};
use super::{Question, ports};
use crate::billing::decimal::Decimal;
use crate::billing::method::{Billed, Part as DayPart, Quantity, Ranked};
use crate::billing::outlook::{Counted as LeftOf, Left, Projection};
use crate::billing::rate_bps;
use crate::billing::tariff::{Invoice, Price, Tier, invoice};
use crate::billing::words::{Method, Overhead};
use crate::report::{Cell, Column, Fact, Table, Unit, human};
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

/// A line for people, if there is something to say.
pub(super) fn told(label: &'static str, words: Option<String>) -> Fact {
    fact("", if words.is_some() { label } else { "" }, Unit::Text, text(words.unwrap_or_default()))
}

pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into().into_bytes())
}

fn maybe(value: Option<u128>) -> Cell {
    value.map_or(Cell::Null, integer)
}

/// The rate, if it is one.
fn bps(quantity: Quantity) -> Cell {
    match quantity {
        Quantity::Rate(bps) => integer(bps),
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
    port: &ports::Series,
    measured: &Measured,
) -> Vec<Fact> {
    [
        terms(question, port),
        result(counted, port, measured),
        bounds(counted, measured),
        samples(counted, port, measured),
        outlook(question, port, measured),
        money(question, measured),
    ]
    .concat()
}

/// What was agreed.
fn terms(question: &Question, port: &ports::Series) -> Vec<Fact> {
    let (terms, tariff, contract) = (&port.terms, &port.tariff, &question.contract);
    let rank = match terms.method {
        Method::P95 | Method::DayP95Avg => format!(", rank rule {}", terms.rank.name()),
        _ => String::new(),
    };
    let mean = terms.mean.map_or(String::new(), |mean| format!(", samples of {mean} s"));
    let method = format!(
        "{}{rank}, direction {}{mean}, scope {}, overhead {}",
        terms.method.name(),
        terms.direction.name(),
        port.scope.name(),
        terms.overhead.name()
    );
    let days = format!(
        "missing slots {}, valid days {}, proration {}",
        contract.missing.name(),
        terms.valid_days.name(),
        tariff.proration.name()
    );
    let members = port.members.iter().map(text).collect();
    let places = (!port.members.is_empty()).then(|| port.members.join(", "));
    let is_volume = terms.method == Method::Volume;
    let commit = tariff.commit.map(|commit| exactly(quantity(is_volume, commit)));
    let price = tariff.price.as_ref().map(|price| match price {
        Price::Single(price) => price.to_string(),
        Price::Slices(tiers) => format!("by slice: {}", said_tiers(tiers, is_volume)),
        Price::Reached(tiers) => format!("all at the tier reached: {}", said_tiers(tiers, is_volume)),
    });
    let per = match terms.method {
        Method::Volume => tariff.volume_unit.gigabyte_name(),
        Method::Flat => "port",
        _ => "Mbps",
    };
    let price =
        price.map(|price| format!("{} per {per} and period", with_currency(&price, &contract.currency)));
    vec![
        fact("port", "", Unit::Text, text(&port.name)),
        told("places", places),
        fact("members", "", Unit::Text, Cell::List(members)),
        told("method", Some(method)),
        told("days", Some(days)),
        told("commit", commit),
        told("price", price),
        fact("method", "", Unit::Text, text(terms.method.name())),
        fact("rank_rule", "", Unit::Text, text(terms.rank.name())),
        fact("direction", "", Unit::Text, text(terms.direction.name())),
        fact("scope", "", Unit::Text, text(port.scope.name())),
        fact("sample_seconds", "", Unit::Count, terms.mean.map_or(Cell::Null, |it| integer(it.into()))),
        fact("overhead", "", Unit::Text, text(terms.overhead.name())),
        fact("overhead_factor", "", Unit::Text, text(terms.overhead.factor().to_string())),
        fact("missing", "", Unit::Text, text(contract.missing.name())),
        fact("valid_days_rule", "", Unit::Text, text(terms.valid_days.name())),
        fact("proration", "", Unit::Text, text(tariff.proration.name())),
        fact("volume_unit", "", Unit::Text, text(tariff.volume_unit.gigabyte_name())),
        fact(
            "currency",
            "",
            Unit::Text,
            if contract.currency.is_empty() { Cell::Null } else { text(&contract.currency) },
        ),
        fact("digits", "", Unit::Count, integer(contract.digits.into())),
    ]
}

fn with_currency(words: &str, currency: &str) -> String {
    format!("{words} {currency}").trim_end().to_owned()
}

fn quantity(is_volume: bool, number: u128) -> Quantity {
    if is_volume { Quantity::Volume(number) } else { Quantity::Rate(number) }
}

/// `0.21 up to 2.00 TB, then 0.20`.
fn said_tiers(tiers: &[Tier], is_volume: bool) -> String {
    let tier = |tier: &Tier| match tier.up_to {
        Some(end) => format!("{} up to {}", tier.price, said(quantity(is_volume, end))),
        None => tier.price.to_string(),
    };
    tiers.iter().map(tier).collect::<Vec<_>>().join(", then ")
}

/// What is billed, and where it stands.
fn result(counted: &Counted<'_>, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let Measured { billed, raw, .. } = measured;
    let volume = match billed.quantity {
        Quantity::Volume(bytes) => integer(bytes),
        _ => Cell::Null,
    };
    let raw_volume = match *raw {
        Quantity::Volume(bytes) => integer(bytes),
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
        .map(|peak| format!("{}, slot {}", exactly(Quantity::Rate(peak.bps)), span(counted, peak.slot)));
    let whole = billed.rank.filter(|rank| rank.twentieths == 0).map(|rank| u128::from(rank.whole));
    let between = billed.rank.filter(|rank| rank.twentieths > 0);
    #[allow(clippy::cast_precision_loss, reason = "a rank is far below 2⁵³ and its part has two digits")]
    let between = between.map(|rank| Cell::Share(rank.whole as f64 + rank.twentieths as f64 / 20.0));
    vec![
        fact("rank", "", Unit::Number, whole.map_or(between.unwrap_or(Cell::Null), integer)),
        fact("", "measured", Unit::Text, text(words)),
        told("as logged", logged),
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
        told("peak", peak),
    ]
}

/// How sure it is: what other load schemes make of it. Where no log has durations nobody knows.
fn bounds(counted: &Counted<'_>, measured: &Measured) -> Vec<Fact> {
    let is_rate = matches!(measured.billed.quantity, Quantity::Rate(_));
    let is_known = is_rate && counted.durations_logged;
    let interval = if is_known { Cell::List(measured.interval.map(bps).to_vec()) } else { Cell::Null };
    let end_spike = if is_known { bps(measured.end_spike) } else { Cell::Null };
    let [least, most] = measured.interval.map(exactly);
    let words = match (is_rate, is_known) {
        (false, _) => None,
        (true, true) => Some(format!("{least} to {most}, whatever the load scheme")),
        (true, false) => Some("not known: no log tells how long requests took".to_owned()),
    };
    vec![
        told("bounds", words),
        told("end-spike", is_known.then(|| exactly(measured.end_spike))),
        fact("interval_bps", "", Unit::Bps, interval),
        fact("end_spike_bps", "", Unit::Bps, end_spike),
    ]
}

/// What was ranked.
fn samples(counted: &Counted<'_>, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
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
    let too_few = measured.billed.too_few_days.map(|days| {
        let days = human::counted(days, "valid day");
        match port.terms.method {
            Method::NthPeak(n) => format!("{days} where the method asks for {n}: 0 is billed"),
            _ => format!("{days} where the method asks for 5: the mean of those"),
        }
    });
    vec![
        fact("", "volume", Unit::Text, text(volume)),
        told("NOTE", too_few),
        fact("too_few_days", "", Unit::Count, maybe(measured.billed.too_few_days.map(u128::from))),
        fact("samples", "", Unit::Count, integer(samples.into())),
        fact("period_samples", "", Unit::Count, integer(period_samples.into())),
        fact("period_slots", "", Unit::Count, integer(period_slots.into())),
        fact("covered_slots", "", Unit::Count, integer(covered_slots.into())),
        fact("valid_days", "", Unit::Count, integer(valid_days.into())),
        fact("period_days", "", Unit::Count, integer(period_days.into())),
        fact("bytes", "", Unit::Bytes, integer(measured.billed.bytes)),
        fact("excluded_bytes", if excluded > 0 { "not ranked" } else { "" }, Unit::Bytes, integer(excluded)),
        fact(
            "outside_bytes",
            if port.outside > 0 { "outside" } else { "" },
            Unit::Bytes,
            integer(port.outside),
        ),
        fact("scheme", "", Unit::Text, text(counted.scheme())),
    ]
}

/// What may still happen.
fn outlook(question: &Question, port: &ports::Series, measured: &Measured) -> Vec<Fact> {
    let below = measured.invoice.below_commit;
    let is_volume = matches!(measured.billed.quantity, Quantity::Volume(_));
    let room = below.map(|below| format!("{} below the commit", exactly(quantity(is_volume, below))));
    let counts = measured.left.map(|left| match left.counted {
        LeftOf::Samples => "sample",
        LeftOf::Days => "day",
    });
    let left = measured.left.zip(counts).map(|(left, what)| {
        format!(
            "{} may exceed {} before the bill does: {} allowed, {} used",
            human::counted(left.left, &format!("more {what}")),
            exactly(Quantity::Rate(left.above_bps)),
            human::count(left.allowed.into()),
            human::count(left.exceeding.into()),
        )
    });
    let projected = measured.projection.as_ref().map(|it| [&it.rest_alike, &it.rest_zero]);
    let cost = |billed: &Billed| {
        let total = invoice(billed, &port.tariff).ok().and_then(|invoice| invoice.total);
        total.map(|total| with_currency(&total.to_string(), &question.contract.currency))
    };
    let words = projected.map(|[alike, zero]| {
        let one = |billed: &Billed| {
            let cost = cost(billed).map_or(String::new(), |cost| format!(" ({cost})"));
            format!("{}{cost}", said(billed.quantity))
        };
        format!("{} if the rest is like the past, {} if nothing more is sent", one(alike), one(zero))
    });
    let [alike, zero] = projected.map_or([None, None], |both| both.map(|it| Some(it.quantity.number())));
    let of_rate = |value: Option<u128>| maybe(value.filter(|_| !is_volume));
    let of_volume = |value: Option<u128>| maybe(value.filter(|_| is_volume));
    let of_left = |part: fn(&Left) -> u64| maybe(measured.left.as_ref().map(|left| part(left).into()));
    vec![
        told("head-room", room),
        told("left", left),
        told("PROJECTION", words),
        fact("commit_bps", "", Unit::Bps, of_rate(port.tariff.commit)),
        fact("commit_bytes", "", Unit::Bytes, of_volume(port.tariff.commit)),
        fact("below_commit_bps", "", Unit::Bps, of_rate(below)),
        fact("below_commit_bytes", "", Unit::Bytes, of_volume(below)),
        fact("left_counts", "", Unit::Text, counts.map_or(Cell::Null, |what| text(format!("{what}s")))),
        fact("left_above_bps", "", Unit::Bps, maybe(measured.left.map(|left| left.above_bps))),
        fact("left_allowed", "", Unit::Count, of_left(|left| left.allowed)),
        fact("left_exceeding", "", Unit::Count, of_left(|left| left.exceeding)),
        fact("left", "", Unit::Count, of_left(|left| left.left)),
        fact("left_open", "", Unit::Count, of_left(|left| left.open)),
        fact("projection_alike_bps", "", Unit::Bps, of_rate(alike)),
        fact("projection_alike_bytes", "", Unit::Bytes, of_volume(alike)),
        fact("projection_zero_bps", "", Unit::Bps, of_rate(zero)),
        fact("projection_zero_bytes", "", Unit::Bytes, of_volume(zero)),
    ]
}

/// What it costs.
fn money(question: &Question, measured: &Measured) -> Vec<Fact> {
    let Invoice { billed, below_commit, total, .. } = &measured.invoice;
    let commit = if below_commit.is_some() { ", the commit" } else { "" };
    let volume = match billed {
        Quantity::Volume(bytes) => integer(*bytes),
        Quantity::Rate(_) | Quantity::Port => Cell::Null,
    };
    let words = total.map(|total| with_currency(&total.to_string(), &question.contract.currency));
    vec![
        told("billed", Some(format!("{}{commit}", exactly(*billed)))),
        told("amount", words),
        fact("invoiced_bps", "", Unit::Bps, bps(*billed)),
        fact("invoiced_bytes", "", Unit::Bytes, volume),
        fact("amount", "", Unit::Text, total.map_or(Cell::Null, |total| text(total.to_string()))),
    ]
}

/// The evidence: invoice lines, the samples around the rank, the days.
pub(super) fn tables(
    counted: &Counted<'_>,
    question: &Question,
    port: &ports::Series,
    measured: &Measured,
) -> Vec<Table> {
    let mut tables = Vec::new();
    if !measured.billed.around.is_empty() {
        tables.push(around(counted, port, measured));
    }
    if !measured.billed.days.is_empty() {
        tables.push(days(counted, measured));
    }
    if port.tariff.price.is_some() {
        tables.push(lines(question, measured));
    }
    tables
}

fn table(name: &str, title: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { name: name.to_owned(), title: title.to_owned(), columns, rows, ..Table::default() }
}

fn around(counted: &Counted<'_>, port: &ports::Series, measured: &Measured) -> Table {
    let is_adjusted = port.terms.overhead.factor() != Decimal::ONE;
    let row = |ranked: &Ranked| {
        vec![
            integer(ranked.rank.into()),
            counted.second(ranked.slot.start),
            Cell::Integer(ranked.slot.start.into()),
            counted.second(ranked.slot.end),
            integer(ranked.bytes),
            integer(rate_bps(ranked.bytes, ranked.slot.seconds())),
            integer(ranked.bps),
            text(if measured.billed.billed.is_some_and(|it| it.rank == ranked.rank) {
                "measured"
            } else {
                ""
            }),
        ]
    };
    let columns = vec![
        key_column("rank", Unit::Number),
        key_column("slot_start", Unit::Text),
        Column { machine: true, ..key_column("slot_start_epoch", Unit::Number) },
        Column { machine: true, ..key_column("slot_end", Unit::Text) },
        column("bytes", Unit::Count),
        Column { machine: !is_adjusted, ..column("logged_bps", Unit::Count) },
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
            integer(day.bps),
            day.slot.map_or(Cell::Null, |slot| counted.second(slot.start)),
            text(part),
        ]
    };
    table("days", "Days", columns, measured.billed.days.iter().map(row).collect())
}

fn lines(question: &Question, measured: &Measured) -> Table {
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
    let title = match question.contract.currency.as_str() {
        "" => "Invoice".to_owned(),
        currency => format!("Invoice, in {currency}"),
    };
    let total = measured.invoice.total.map(|total| {
        let mut cells = vec![Cell::Null; columns.len() - 1];
        cells.push(text(total.to_string()));
        cells
    });
    let rows = measured.invoice.lines.iter().map(row).collect();
    Table { total, ..table("lines", &title, columns, rows) }
}

/// `2026-11-01T20:05:00+08:00 to 20:10:00`.
fn span(counted: &Counted<'_>, slot: Slot) -> String {
    let time = |second| counted.time(Timestamp::from_seconds(second));
    let end = time(slot.end);
    format!("{} to {}", time(slot.start), end.get(11..19).unwrap_or(&end))
}
