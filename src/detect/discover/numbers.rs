//! Columns of digits: which of them are bytes, and whose.
//!
//! Ports, counters, lengths and durations are digits too. What decides, in this order: two columns one of which is the
//! other and a response's headers are body and wire; a column that is 0 wherever a status forbids a body holds bodies;
//! the column after the status; the one that varies most.

use super::super::integers::{Integers as Candidate, ROWS_MIN, headers_between, number};
use super::super::looks::{Look, fits, is_evident};
use super::columns::Column;
use super::sheet::{Role, Sheet};

/// More lines show it no better.
const ROWS_MAX: usize = 500;

/// Between two looks at the clock.
const CLOCKS_US: u64 = 10;

/// Gives the columns of digits their roles.
pub(super) fn assign(sheet: &mut Sheet<'_, '_>) {
    let candidates = candidates(sheet);
    let duration = candidates.iter().find(|candidate| is_time_taken(sheet, candidate)).map(|found| found.at);
    sheet.give(duration, Role::DurationMicros);
    let candidates: Vec<Candidate> =
        candidates.into_iter().filter(|found| Some(found.at) != duration).collect();
    let sums: Vec<[usize; 3]> = sums(&candidates);
    let candidates: Vec<Candidate> = candidates
        .into_iter()
        .filter(|candidate| sums.iter().all(|&[sum, ..]| sum != candidate.at))
        .collect();
    if let Some((body, wire)) = body_and_wire(sheet, &candidates) {
        sheet.give(Some(body), Role::Body);
        sheet.give(Some(wire), Role::Wire);
        let other = |&[_, one, other]: &[usize; 3]| match (one == wire, other == wire) {
            (true, _) => Some(other),
            (_, true) => Some(one),
            _ => None,
        };
        let received = sums.iter().find_map(other).or_else(|| request_length(sheet, &candidates));
        sheet.give(received.filter(|&at| sheet.roles[at].is_none()), Role::In);
        return;
    }
    let Some(bytes) = bytes(sheet, &candidates) else { return };
    let is_wire = bodiless(sheet, bytes) == Some(Bodiless::Counted);
    sheet.give(Some(bytes.at), if is_wire { Role::Wire } else { Role::Body });
}

/// The numbers of a column.
pub(super) fn of(column: &Column<'_>) -> Vec<Option<u64>> {
    column.values.iter().map(|value| number(value)).collect()
}

fn candidates(sheet: &Sheet<'_, '_>) -> Vec<Candidate> {
    let looks = [Look::Integer, Look::Status, Look::EpochSeconds, Look::OtherTime];
    let columns = sheet.all(&looks).into_iter().filter(|&at| {
        let numbers = sheet.count(at, Look::Integer) + sheet.count(at, Look::Status);
        // A log of 304s alone misses most bodies; times upstream miss more.
        numbers > 0 && sheet.nulls(at) * 2 <= sheet.rows()
    });
    let all = columns.map(|at| Candidate { at, numbers: of(&sheet.columns[at]) });
    all.filter(|candidate| !candidate.only_rises() && !candidate.is_of_ports()).collect()
}

/// True if the numbers are the microseconds between the two times.
fn is_time_taken(sheet: &Sheet<'_, '_>, candidate: &Candidate) -> bool {
    let (Some(start), Some(end)) = (sheet.column(Role::StartMicros), sheet.column(Role::EndMicros)) else {
        return false;
    };
    let taken = of(start).into_iter().zip(of(end)).map(|(start, end)| end?.checked_sub(start?));
    let is_same = |(taken, number): &(Option<u64>, &Option<u64>)| {
        taken.zip(**number).is_some_and(|(taken, number)| taken.abs_diff(number) <= CLOCKS_US)
    };
    let same = taken.zip(&candidate.numbers).filter(is_same).count();
    sheet.rows() >= ROWS_MIN && fits(same, sheet.rows())
}

/// Columns that are the sum of two others: bytes both ways. Each with the two.
fn sums(candidates: &[Candidate]) -> Vec<[usize; 3]> {
    let mut found = Vec::new();
    for sum in candidates {
        for (nth, one) in candidates.iter().enumerate() {
            for other in &candidates[nth + 1..] {
                if sum.at != one.at && sum.at != other.at && is_sum(sum, one, other) {
                    found.push([sum.at, one.at, other.at]);
                }
            }
        }
    }
    found
}

fn is_sum(sum: &Candidate, one: &Candidate, other: &Candidate) -> bool {
    let rows = sum.numbers.iter().zip(&one.numbers).zip(&other.numbers).take(ROWS_MAX);
    let differing = rows.filter(|((sum, one), other)| {
        one.zip(**other).and_then(|(one, other)| one.checked_add(other)) != **sum
    });
    let is_zero = |candidate: &Candidate| candidate.known().all(|number| number == 0);
    sum.numbers.len() >= ROWS_MIN
        && !is_zero(one)
        && !is_zero(other)
        && !is_evident(differing.count(), sum.numbers.len().min(ROWS_MAX))
}

/// Two columns one of which is the other and a response's headers: those with fewest values missing, then neighbours,
/// then the first.
fn body_and_wire(sheet: &Sheet<'_, '_>, candidates: &[Candidate]) -> Option<(usize, usize)> {
    let pairs = candidates
        .iter()
        .flat_map(|body| candidates.iter().map(move |wire| (body, wire)))
        .filter(|(body, wire)| body.at != wire.at && are_body_and_wire(sheet, body, wire));
    let key = |(body, wire): &(&Candidate, &Candidate)| {
        (sheet.nulls(body.at) + sheet.nulls(wire.at), body.at.abs_diff(wire.at), body.at)
    };
    pairs.min_by_key(key).map(|(body, wire)| (body.at, wire.at))
}

fn are_body_and_wire(sheet: &Sheet<'_, '_>, body: &Candidate, wire: &Candidate) -> bool {
    headers_between(&body.numbers, &wire.numbers).is_some()
        && bodiless(sheet, body) != Some(Bodiless::Counted)
        && body.spread() > 0
}

/// The only other column of numbers that requests' lengths could be.
fn request_length(sheet: &Sheet<'_, '_>, candidates: &[Candidate]) -> Option<usize> {
    let mut fitting = candidates.iter().filter(|candidate| {
        sheet.roles[candidate.at].is_none()
            && !sheet.is_evident(sheet.nulls(candidate.at))
            && candidate.are_of_requests()
    });
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only.at)
}

/// The only column of bytes.
fn bytes<'c>(sheet: &Sheet<'_, '_>, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
    let status = sheet.roles.iter().position(|&role| role == Some(Role::Status));
    let empty = candidates.iter().find(|candidate| bodiless(sheet, candidate) == Some(Bodiless::Empty));
    let after = candidates.iter().find(|candidate| Some(candidate.at) == status.map(|at| at + 1));
    let widest = || candidates.iter().rev().max_by_key(|candidate| candidate.spread());
    empty.or(after).or_else(widest)
}

/// What a column holds for responses that have no body (RFC 9110 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bodiless {
    /// Nothing, and something for others.
    Empty,
    /// Something: headers are counted.
    Counted,
}

fn bodiless(sheet: &Sheet<'_, '_>, candidate: &Candidate) -> Option<Bodiless> {
    let statuses = &sheet.column(Role::Status)?.values;
    let rows = || candidate.numbers.iter().map(|number| number.unwrap_or(0)).zip(statuses);
    let of_bodiless = || rows().filter(|(_, status)| matches!(**status, b"204" | b"304"));
    let counted = of_bodiless().filter(|&(number, _)| number > 0).count();
    let all = of_bodiless().count();
    let others = rows().count() - all;
    let sent = rows().filter(|&(number, _)| number > 0).count() - counted;
    if all == 0 {
        None
    } else if fits(counted, all) {
        Some(Bodiless::Counted)
    } else {
        (counted * 10 <= all && sent * 2 > others).then_some(Bodiless::Empty)
    }
}
