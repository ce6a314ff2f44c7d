//! `bandwho diff`: what changed between two periods, or two sets of logs.

use super::change::{self, Groups, Lengths, Pair, Tables, Yardstick};
use super::{Counted, integer};
use crate::aggregate::{Range, Side, Sides};
use crate::error::Error;
use crate::query::{Basis, Dimension, View};
use crate::report::{Cell, Fact, Report, Unit, human};
use crate::time::Timestamp;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Bytes as they are if both sides are equally long, else average rates; requests where no bytes are logged.
    Auto,
    /// Bytes as they are.
    Bytes,
    /// Average rates.
    Rates,
    /// Requests as they are.
    Requests,
}

/// The usual tables, as far as logs and databases can tell.
const USUAL: [Dimension; 9] = [
    Dimension::Idc,
    Dimension::Region,
    Dimension::Org,
    Dimension::Client,
    Dimension::Family,
    Dimension::Host,
    Dimension::Prefix,
    Dimension::Path,
    Dimension::Status,
];

/// Two sets of logs are equally long if the difference is less than one part in this many.
const UNEQUAL_ONE_IN: u64 = 20;

/// A period of which the logs cover less than all but one part in this many is told about.
const UNCOVERED_ONE_IN: u64 = 20;

/// The usual dimensions that `provided` says there are.
pub fn usual(provided: impl Fn(&Dimension) -> bool) -> Vec<Vec<Dimension>> {
    USUAL.into_iter().filter(provided).map(|dimension| vec![dimension]).collect()
}

/// What is counted for tables by these dimensions; the first view is of everything.
pub fn views(tables: Vec<Vec<Dimension>>) -> Vec<View> {
    let sided = |mut by: Vec<Dimension>| {
        by.push(Dimension::Side);
        View { by, ..View::default() }
    };
    std::iter::once(Vec::new()).chain(tables).map(sided).collect()
}

/// The answer; the views are those of [`views`]. Fails where nothing is there to be compared.
pub fn report(counted: &Counted<'_>, compare: Compare, tables: Tables) -> Result<Report, Error> {
    let sides = counted.rules.sides.as_ref().expect("the command has set two sides against each other");
    let stretches = [Side::Before, Side::After].map(|side| Stretch::of(counted, sides, side));
    check(counted, sides, &stretches)?;
    let mut views: Vec<Groups<'_>> = (counted.rules.views.iter().zip(&counted.tally.views))
        .map(|(view, tally)| Groups::of_sides(&view.by, tally))
        .collect();
    let lengths = Lengths { before: stretches[0].seconds, after: stretches[1].seconds };
    let yardstick = yardstick(counted, compare, sides, lengths)?;
    let total = views[0].total();
    let mut facts = vec![change::headline(counted, yardstick, total, &mut views[1..])];
    facts.extend(facts_of(counted, &stretches, yardstick, total));
    Ok(Report {
        schema: "bandwho.diff/1",
        input: counted.input(),
        facts,
        tables: change::tables(counted, views, yardstick, tables),
        ..Report::default()
    })
}

/// What one side is.
struct Stretch {
    side: Side,
    /// From where to where, if that is known.
    range: Option<Range>,
    /// The part of it that the logs cover.
    covered: Option<Range>,
    /// Of the range.
    seconds: u64,
    /// The logs that it is made of, if the sides differ in them.
    logs: Vec<u32>,
}

impl Stretch {
    fn of(counted: &Counted<'_>, sides: &Sides, side: Side) -> Self {
        let account = &counted.tally.account;
        let logged =
            |(first, last): (Timestamp, Timestamp)| Range { since: first, until: last.saturating_add(1) };
        let (range, covered, logs) = match sides {
            Sides::Periods { before, after } => {
                let range = if side == Side::Before { *before } else { *after };
                (Some(range), account.span.map(|span| range.and(logged(span))), Vec::new())
            }
            Sides::Inputs(inputs) => {
                let logs: Vec<u32> =
                    (0..).zip(inputs).filter(|(_, of)| **of == side).map(|(input, _)| input).collect();
                let spans = logs.iter().filter_map(|input| account.file_spans.get(input).copied());
                let span = spans.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
                let since = counted.rules.since.unwrap_or(Timestamp(i64::MIN));
                let until = counted.rules.until.unwrap_or(Timestamp(i64::MAX));
                let range = span.map(|span| logged(span).and(Range { since, until }));
                (range, range, logs)
            }
        };
        Self { side, range, covered, seconds: range.map_or(0, Range::seconds), logs }
    }

    /// `before` or `after`.
    fn name(&self) -> &'static str {
        if self.side == Side::Before { "before" } else { "after" }
    }

    /// For people.
    fn words(&self, counted: &Counted<'_>) -> String {
        let of = |range: Range| {
            let length = human::micros(i128::from(range.seconds()) * 1_000_000);
            format!("{} to {} ({length})", counted.time(range.since), counted.time(range.until))
        };
        let logs = match self.logs.as_slice() {
            [] => None,
            [one] => counted.files.get(*one as usize).map(|(name, _)| (*name).to_owned()),
            several => Some(human::counted(several.len() as u64, "log")),
        };
        let parts: Vec<String> = logs.into_iter().chain(self.range.map(of)).collect();
        parts.join(", ")
    }

    /// The part that is not covered, if that is worth a sentence.
    fn gap(&self) -> Option<String> {
        let covered = self.covered?.seconds();
        let uncovered = self.seconds.saturating_sub(covered);
        (uncovered > self.seconds / UNCOVERED_ONE_IN).then(|| {
            let [covered, all] =
                [covered, self.seconds].map(|seconds| human::micros(i128::from(seconds) * 1_000_000));
            format!("the logs cover {covered} of the {all} {}", self.name())
        })
    }
}

/// Fails if the logs have nothing on one of the sides.
fn check(counted: &Counted<'_>, sides: &Sides, stretches: &[Stretch; 2]) -> Result<(), Error> {
    let account = &counted.tally.account;
    for stretch in stretches {
        match (sides, account.span) {
            (Sides::Periods { .. }, Some((first, last))) => {
                if stretch.covered.is_some_and(|covered| covered.seconds() == 0) {
                    return Err(Error::Data(format!(
                        "the logs cover {} to {}, nothing of the period {}: {}",
                        counted.time(first),
                        counted.time(last),
                        stretch.name(),
                        stretch.words(counted)
                    )));
                }
            }
            (Sides::Periods { .. }, None) => {
                return Err(Error::Data("no record has a time: there are no periods to compare".to_owned()));
            }
            (Sides::Inputs(_), _) => {
                let lines = |input: &u32| {
                    let of = account.by_format.range((*input, 0)..=(*input, usize::MAX));
                    of.map(|(_, lines)| lines.lines).sum::<u64>()
                };
                if stretch.logs.iter().map(lines).sum::<u64>() == 0 {
                    return Err(Error::Data(format!("the logs {} have no records", stretch.name())));
                }
            }
        }
    }
    Ok(())
}

/// What is compared, if not all that is asked for can be.
fn yardstick(
    counted: &Counted<'_>,
    compare: Compare,
    sides: &Sides,
    lengths: Lengths,
) -> Result<Yardstick, Error> {
    let Lengths { before, after } = lengths;
    let is_known = before > 0 && after > 0;
    let are_equal = match sides {
        Sides::Periods { .. } => before == after,
        Sides::Inputs(_) => before.abs_diff(after) <= before.max(after) / UNEQUAL_ONE_IN,
    };
    match (compare, counted.rules.basis) {
        (Compare::Rates, _) if !is_known => {
            Err(Error::Data("no record has a time: rates cannot be compared".to_owned()))
        }
        (Compare::Requests, _) => Ok(Yardstick::Requests),
        (Compare::Auto, Basis::None) if are_equal || !is_known => Ok(Yardstick::Requests),
        (Compare::Auto | Compare::Rates, Basis::None) => Ok(Yardstick::Pace(lengths)),
        (Compare::Auto, _) if are_equal || !is_known => Ok(Yardstick::Bytes),
        (Compare::Auto | Compare::Rates, _) => Ok(Yardstick::Rates(lengths)),
        (Compare::Bytes, _) => Ok(Yardstick::Bytes),
    }
}

fn facts_of(counted: &Counted<'_>, stretches: &[Stretch; 2], yardstick: Yardstick, total: Pair) -> Vec<Fact> {
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let text = |text: String| Cell::Text(text.into_bytes());
    let [before, after] = stretches;
    let compared = match yardstick {
        Yardstick::Rates(_) if before.seconds != after.seconds => {
            "average rates, because the two are not equally long"
        }
        Yardstick::Pace(_) => "requests, those before taken for the length of what is after",
        Yardstick::Rates(_) => "average rates",
        Yardstick::Bytes if before.logs.is_empty() && before.seconds != after.seconds => {
            "bytes as they are, though the two are not equally long"
        }
        Yardstick::Requests if before.logs.is_empty() && before.seconds != after.seconds => {
            "requests as they are, though the two are not equally long"
        }
        Yardstick::Requests => "requests as they are",
        Yardstick::Bytes | Yardstick::Mix { .. } => "bytes as they are",
    };
    let mut facts = vec![
        fact("", "before", Unit::Text, text(before.words(counted))),
        fact("", "after", Unit::Text, text(after.words(counted))),
    ];
    if let [Some(one), Some(other)] = [before.range, after.range]
        && before.logs.is_empty()
        && one.and(other).seconds() > 0
    {
        let note = "the periods overlap: what is in both is counted on both sides".to_owned();
        facts.push(fact("", "note", Unit::Text, text(note)));
    }
    let gaps = stretches.iter().filter(|stretch| stretch.logs.is_empty()).filter_map(Stretch::gap);
    facts.extend(gaps.map(|gap| fact("", "note", Unit::Text, text(gap))));
    facts.extend(change::total_facts(yardstick, total));
    facts.push(fact("", "compared", Unit::Text, text(compared.to_owned())));
    let end = |range: Option<Range>, of: fn(Range) -> Timestamp| {
        range.map_or(Cell::Null, |range| Cell::Time(counted.time(of(range))))
    };
    let seconds = |seconds: u64| integer(seconds.into());
    let covered =
        |stretch: &Stretch| stretch.covered.map_or(Cell::Null, |covered| seconds(covered.seconds()));
    facts.extend([
        fact("before_from", "", Unit::Text, end(before.range, |range| range.since)),
        fact("before_to", "", Unit::Text, end(before.range, |range| range.until)),
        fact("before_seconds", "", Unit::Count, seconds(before.seconds)),
        fact("before_covered_seconds", "", Unit::Count, covered(before)),
        fact("after_from", "", Unit::Text, end(after.range, |range| range.since)),
        fact("after_to", "", Unit::Text, end(after.range, |range| range.until)),
        fact("after_seconds", "", Unit::Count, seconds(after.seconds)),
        fact("after_covered_seconds", "", Unit::Count, covered(after)),
    ]);
    facts
}
