//! `bandwho at`: what was different in a window, against what was around it.

use super::change::{self, Groups, Lengths, Pair, Tables, Yardstick};
use super::{Counted, integer};
use crate::aggregate::{Range, Side};
use crate::error::Error;
use crate::query::{Basis, Dimension, Series, View};
use crate::report::{Cell, Fact, Report, Unit, human};
use crate::time::{Grid, Slot, Timestamp};

/// The usual tables, as far as logs and databases can tell.
const USUAL: [Dimension; 7] = [
    Dimension::Idc,
    Dimension::Host,
    Dimension::Org,
    Dimension::Client,
    Dimension::Family,
    Dimension::Path,
    Dimension::Status,
];

/// A window and what is around it, in whole slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// What is asked about.
    pub inner: Range,
    /// What it is compared with, the window itself cut out.
    pub outer: Range,
}

impl Window {
    /// The slots that hold the `seconds` from `at` on, and those that hold so many seconds before and after these.
    pub fn new(grid: &Grid, at: Timestamp, seconds: u64, around: u64) -> Self {
        let mut cursor = grid.cursor();
        let micros = |seconds: u64| seconds.saturating_mul(1_000_000);
        let mut whole = |since: Timestamp, until: Timestamp| Range {
            since: Timestamp::from_seconds(cursor.slot(since).start),
            until: Timestamp::from_seconds(cursor.slot(until.saturating_sub(1)).end),
        };
        let inner = whole(at, at.saturating_add(micros(seconds)));
        let outer =
            whole(inner.since.saturating_sub(micros(around)), inner.until.saturating_add(micros(around)));
        Self { inner, outer }
    }
}

/// The usual dimensions that `provided` says there are.
pub fn usual(provided: impl Fn(&Dimension) -> bool) -> Vec<Vec<Dimension>> {
    USUAL.into_iter().filter(provided).map(|dimension| vec![dimension]).collect()
}

/// What is counted for tables by these dimensions; the first view is of everything.
pub fn views(tables: Vec<Vec<Dimension>>) -> Vec<View> {
    let sampled = |by| View { by, series: Series::PerSlot, ..View::default() };
    std::iter::once(Vec::new()).chain(tables).map(sampled).collect()
}

/// The answer; the views are those of [`views`], and the limits of the rules those of what is around the window. Fails
/// where the logs have nothing to compare.
pub fn report(counted: &Counted<'_>, window: Window, tables: Tables) -> Result<Report, Error> {
    let covered = Covered::of(counted, window)?;
    let side = |slot: Slot| {
        let start = Timestamp::from_seconds(slot.start);
        match covered.slots {
            _ if slot < covered.slots.0 || slot > covered.slots.1 => None,
            _ if window.inner.contains(start) => Some(Side::After),
            _ => window.outer.contains(start).then_some(Side::Before),
        }
    };
    let mut views: Vec<Groups<'_>> = (counted.rules.views.iter().zip(&counted.tally.views))
        .map(|(view, tally)| Groups::of_slots(counted, &view.by, tally, side))
        .collect();
    let lengths = covered.lengths;
    let yardstick = match counted.rules.basis {
        Basis::None => Yardstick::Pace(lengths),
        _ => Yardstick::Rates(lengths),
    };
    let total = views[0].total();
    let mut facts = vec![change::headline(counted, yardstick, total, &mut views[1..])];
    facts.extend(facts_of(counted, window, &covered, yardstick, total));
    Ok(Report {
        schema: "bandwho.at/1",
        input: counted.input(),
        facts,
        tables: change::tables(counted, views, yardstick, tables),
        ..Report::default()
    })
}

/// What the logs cover of a window and of what is around it.
struct Covered {
    /// The first and the last slot that the logs have times in.
    slots: (Slot, Slot),
    /// Seconds around the window, and in it.
    lengths: Lengths,
    /// Before the window, in it, and after it.
    parts: [Range; 3],
}

impl Covered {
    fn of(counted: &Counted<'_>, window: Window) -> Result<Self, Error> {
        let Window { inner, outer } = window;
        let Some((first, last)) = counted.tally.account.span else {
            return Err(Error::Data("no record has a time: there is no window to look at".to_owned()));
        };
        let logged = Range { since: first, until: last.saturating_add(1) };
        let parts = [
            Range { since: outer.since, until: inner.since },
            inner,
            Range { since: inner.until, until: outer.until },
        ]
        .map(|part| part.and(logged));
        let [earlier, within, later] = parts.map(Range::seconds);
        let lengths = Lengths { before: earlier + later, after: within };
        let logs = || format!("the logs cover {} to {}", counted.time(first), counted.time(last));
        if lengths.after == 0 {
            let window = format!("{} to {}", counted.time(inner.since), counted.time(inner.until));
            return Err(Error::Data(format!("{}, nothing of the window {window}", logs())));
        }
        if lengths.before == 0 {
            return Err(Error::Data(format!("{}, nothing around the window to compare it with", logs())));
        }
        let mut cursor = counted.rules.grid.cursor();
        Ok(Self { slots: (cursor.slot(first), cursor.slot(last)), lengths, parts })
    }
}

fn facts_of(
    counted: &Counted<'_>,
    window: Window,
    covered: &Covered,
    yardstick: Yardstick,
    total: Pair,
) -> Vec<Fact> {
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let words = |range: &Range| format!("{} to {}", counted.time(range.since), counted.time(range.until));
    let length = |seconds: u64| human::micros(i128::from(seconds) * 1_000_000);
    let Lengths { before, after } = covered.lengths;
    let [earlier, within, later] = &covered.parts;
    let around: Vec<String> =
        [earlier, later].into_iter().filter(|part| part.seconds() > 0).map(words).collect();
    let text = |text: String| Cell::Text(text.into_bytes());
    let time = |time: Timestamp| Cell::Time(counted.time(time));
    let Window { inner, outer } = window;
    let mut facts = vec![
        fact("", "window", Unit::Text, text(format!("{} ({})", words(&inner), length(inner.seconds())))),
        fact("", "before", Unit::Text, text(format!("{} ({})", around.join(" and "), length(before)))),
    ];
    if after < inner.seconds() {
        let note = format!("the logs cover {} of the window: {}", length(after), words(within));
        facts.push(fact("", "note", Unit::Text, text(note)));
    }
    facts.extend(change::total_facts(yardstick, total));
    let compared = match yardstick {
        Yardstick::Pace(_) => "requests, those around the window taken for its length",
        _ => "average rates; `before` is what was around the window",
    };
    facts.extend([
        fact("", "compared", Unit::Text, text(compared.to_owned())),
        fact("window_from", "", Unit::Text, time(inner.since)),
        fact("window_to", "", Unit::Text, time(inner.until)),
        fact("window_covered_seconds", "", Unit::Count, integer(after.into())),
        fact("around_from", "", Unit::Text, time(outer.since)),
        fact("around_to", "", Unit::Text, time(outer.until)),
        fact("around_covered_seconds", "", Unit::Count, integer(before.into())),
        fact("slot_seconds", "", Unit::Count, integer(counted.rules.grid.length.into())),
    ]);
    facts
}
