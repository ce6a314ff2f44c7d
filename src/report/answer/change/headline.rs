//! The answer of a comparison in one sentence.

use super::yardstick::{Pair, Yardstick, signed_share};
use super::{Group, Groups, Order};
use crate::report::answer::groups::{self, KeyPart};
use crate::report::answer::{Counted, share};
use crate::report::{Cell, Fact, Unit, human};

/// Groups that are looked at for the one to name: those that changed most.
const LOOKED_AT: usize = 10;

/// A group is named if it explains the change by so much more than its size does.
const STANDS_OUT: f64 = 0.1;

/// Of groups that explain it nearly as well as the best, the smallest is named: it says most.
const NEARLY: f64 = 0.05;

/// Bytes of a key that is named.
const KEY_MAX: usize = 60;

/// A group that explains the change, perhaps.
struct Candidate {
    /// How well.
    merit: f64,
    /// Its part of what was.
    was: f64,
    /// What to call it.
    words: Vec<u8>,
}

/// `+18.0 %: 48.2 TB → 56.9 TB; asn 136907: +6.20 TB, 71.0 % of the change`.
pub(in crate::report::answer) fn headline(
    counted: &Counted<'_>,
    yardstick: Yardstick,
    total: Pair,
    views: &mut [Groups<'_>],
) -> Fact {
    let value = Cell::Text(sentence(counted, yardstick, total, views));
    Fact { name: "headline", label: "change", unit: Unit::Text, value }
}

fn sentence(counted: &Counted<'_>, yardstick: Yardstick, total: Pair, views: &mut [Groups<'_>]) -> Vec<u8> {
    let [before, mut after, change] = words(yardstick, total);
    if matches!(yardstick, Yardstick::Requests | Yardstick::Pace(_)) {
        after.push_str(" requests");
    }
    let mut text = match (yardstick.moved(total), yardstick.growth(total)) {
        (0, _) if yardstick.count(total.before) == 0 => {
            return format!("nothing on either side: {before} → {after}").into_bytes();
        }
        (0, _) => format!("no change in sum: {before} → {after}").into_bytes(),
        (_, Cell::Share(growth)) => format!("{}: {before} → {after}", human::growth(growth)).into_bytes(),
        _ => format!("nothing before: {before} → {after} ({change})").into_bytes(),
    };
    // A single group explains everything and nothing.
    let told = views.iter_mut().filter(|groups| groups.len() > 1);
    let candidates: Vec<Candidate> =
        told.flat_map(|groups| candidates(counted, yardstick, total, groups)).collect();
    let best = candidates.iter().map(|candidate| candidate.merit).fold(0.0, f64::max);
    let equal = candidates.iter().filter(|candidate| candidate.merit > best - NEARLY);
    if let Some(named) = equal.min_by(|one, other| one.was.total_cmp(&other.was)) {
        text.extend(b"; ");
        text.extend(&named.words);
    }
    text
}

/// The groups of a view that may explain the change.
fn candidates(
    counted: &Counted<'_>,
    yardstick: Yardstick,
    total: Pair,
    groups: &mut Groups<'_>,
) -> Vec<Candidate> {
    let shown = groups.rank(yardstick, Order::Change, LOOKED_AT);
    let candidate = |group: &Group| {
        let Cell::Share(moved) = signed_share(group.moved, yardstick.moved(total)) else { return None };
        let was = match share(yardstick.count(group.pair.before), yardstick.count(total.before)) {
            Cell::Share(was) => was,
            _ => 0.0,
        };
        // More than the whole change explains as little as less.
        let merit = 1.0 - (1.0 - moved).abs() - was;
        let words = (merit > STANDS_OUT).then(|| named(counted, groups, yardstick, group, moved))??;
        Some(Candidate { merit, was, words })
    };
    groups.all[..shown].iter().filter_map(candidate).collect()
}

/// What a side has and what changed, for people.
pub(super) fn words(yardstick: Yardstick, pair: Pair) -> [String; 3] {
    let (unit, change) = match yardstick {
        Yardstick::Bytes => (Unit::Bytes, Unit::BytesChange),
        Yardstick::Rates(_) => (Unit::Bps, Unit::BpsChange),
        Yardstick::Requests | Yardstick::Pace(_) => (Unit::Count, Unit::CountChange),
        Yardstick::Mix { .. } => (Unit::Share, Unit::ShareChange),
    };
    let word = |cell: &Cell, unit| human::value(cell, unit).unwrap_or_else(|| "-".to_owned());
    [
        word(&yardstick.before(pair), unit),
        word(&yardstick.after(pair), unit),
        word(&yardstick.change(pair), change),
    ]
}

/// The dimensions and values of a group, its change, and its share; none if nothing of its key is known.
fn named(
    counted: &Counted<'_>,
    groups: &Groups<'_>,
    yardstick: Yardstick,
    group: &Group,
    moved: f64,
) -> Option<Vec<u8>> {
    let key = groups.key(group);
    if key.iter().all(|part| *part == KeyPart::Unknown) {
        return None;
    }
    let mut text = Vec::new();
    for (at, cell) in groups::key_cells(counted, groups.by, &key).into_iter().enumerate() {
        text.extend(if at > 0 { &b", "[..] } else { b"" });
        text.extend(format!("{} ", groups.by[at].name()).bytes());
        match cell {
            Cell::Text(value) => text.extend(shortened(&value)),
            Cell::Integer(number) => text.extend(number.to_string().bytes()),
            _ => text.extend(b"unknown"),
        }
    }
    let [.., change] = words(yardstick, group.pair);
    text.extend(format!(": {change}, {} of the change", human::share(moved)).bytes());
    Some(text)
}

/// The beginning of a long text, cut between two characters.
fn shortened(text: &[u8]) -> Vec<u8> {
    if text.len() <= KEY_MAX {
        return text.to_vec();
    }
    let is_inside = |at: &usize| text[*at] & 0xC0 == 0x80;
    let end = (0..=KEY_MAX).rev().find(|at| !is_inside(at)).unwrap_or(0);
    [&text[..end], "…".as_bytes()].concat()
}
