//! What the columns after a beginning are, by all their values and by what the beginning says of the same lines.
//!
//! A number alone is nothing: what nginx's users append as `$connection $connection_requests` looks like Apache's
//! `%I %O`. Bytes sent are more than the body by a response's headers, the time of a request is no shorter than its
//! upstream's, a time stands beside another of the same second, and addresses that were passed on vary as clients do.
//! A column of which nothing of that is true is not named, and nothing is counted by it.

use std::collections::HashSet;

use super::super::integers::{Integers, ROWS_MIN, headers_between, number};
use super::super::looks::{Look, Looks, fits, is_evident};
use super::{Column, Row};
use crate::client;
use crate::parse::{timestamp, value};

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Seconds with a fraction that the request took.
    Request,
    /// The same of its upstream: `0.123`, `-`, or a list.
    Upstream,
    /// Seconds since 1970, of the time that the beginning tells.
    Time,
    /// Bytes of the request.
    Received,
    /// Bytes of the response with its headers.
    Sent,
    /// Microseconds that the request took.
    Micros,
    /// An address without quotes.
    Address,
    /// In quotes: the addresses that proxies passed on, or `-`.
    Forwarded,
    /// Anything else, in quotes.
    Quoted,
    /// Anything else.
    Bare,
}

/// Whether the first column has the place that nginx's `main` format has for forwarded addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// Right behind the user agent.
    BehindAgent,
    /// Elsewhere.
    Anywhere,
}

/// What the columns of these lines, which all have equally many, are.
pub(super) fn of(rows: &[Row<'_>], first: First) -> Vec<Kind> {
    let width = rows.first().map_or(0, |row| row.columns.len());
    let table = Table { rows, looks: (0..width).map(|at| looks(rows, at)).collect() };
    let mut kinds: Vec<Kind> = (0..width).map(|at| table.alone(at, first)).collect();
    table.seconds(&mut kinds);
    table.times(&mut kinds);
    table.integers(&mut kinds);
    kinds
}

fn looks(rows: &[Row<'_>], at: usize) -> Looks {
    Looks::of(rows.iter().map(|row| row.columns[at].text))
}

/// Lines and what the values of each column look like.
struct Table<'a, 'b> {
    rows: &'b [Row<'a>],
    looks: Vec<Looks>,
}

impl<'a> Table<'a, '_> {
    fn values(&self, at: usize) -> impl Iterator<Item = &'a [u8]> {
        self.rows.iter().map(move |row| row.columns[at].text)
    }

    fn is_quoted(&self, at: usize) -> bool {
        let quoted = self.rows.iter().filter(|row| row.columns[at].is_quoted).count();
        quoted * 2 > self.rows.len()
    }

    /// What can be told of a column without the others.
    fn alone(&self, at: usize, first: First) -> Kind {
        if !self.is_quoted(at) {
            return if self.looks[at].mostly(&[Look::Address]) { Kind::Address } else { Kind::Bare };
        }
        let values: Vec<Column> = self.rows.iter().map(|row| row.columns[at]).collect();
        let passed = are_forwarded(&values);
        let is_told = match passed {
            Passed::Other => false,
            // Nobody told: the place has to.
            Passed::Unknown => at == 0 && first == First::BehindAgent,
            Passed::Addresses => self.vary_as_clients(at),
        };
        if is_told { Kind::Forwarded } else { Kind::Quoted }
    }

    /// True unless each value is one address, and they are far fewer than the clients are: those are the server's or
    /// its upstream's.
    fn vary_as_clients(&self, at: usize) -> bool {
        let looks = &self.looks[at];
        let missing = self.rows.len() - looks.known();
        if self.rows.len() < ROWS_MIN || is_evident(missing + looks.count(Look::Addresses), self.rows.len()) {
            return true;
        }
        let addresses = self.values(at).collect::<HashSet<_>>().len();
        let clients = self.rows.iter().filter_map(|row| row.known.client).collect::<HashSet<_>>().len();
        addresses > 1 && addresses * FEWER >= clients
    }

    /// Of several times the request's is never missing and no shorter than any other, but for the millisecond that
    /// nginx loses by its clock; upstream's is the longest of the rest. One that is always missing can be any.
    fn seconds(&self, kinds: &mut [Kind]) {
        let is_missing = |at: usize| self.looks[at].known() == 0;
        let open = (0..kinds.len()).filter(|&at| kinds[at] == Kind::Bare);
        let all: Vec<usize> = open
            .filter(|&at| is_missing(at) || self.looks[at].mostly(&[Look::Seconds, Look::SecondsList]))
            .collect();
        let no_shorter = |at: usize, rest: &[usize]| {
            rest.iter().all(|&other| other == at || is_missing(other) || self.is_no_shorter(at, other))
        };
        let is_whole = |at: usize| !is_missing(at) && !self.looks[at].are_of_tries();
        let has_whole = all.iter().any(|&at| is_whole(at));
        let request = all.iter().copied().find(|&at| is_whole(at) && no_shorter(at, &all));
        let rest: Vec<usize> = all.into_iter().filter(|&at| Some(at) != request).collect();
        let known = |at: &usize| !is_missing(*at) && no_shorter(*at, &rest);
        let upstream = rest.iter().copied().find(known);
        let missing = || rest.iter().copied().find(|&at| is_missing(at)).filter(|_| request.is_some());
        if let Some(at) = request {
            kinds[at] = Kind::Request;
        }
        if let Some(at) = upstream.or_else(missing)
            && (request.is_some() || !has_whole)
        {
            kinds[at] = Kind::Upstream;
        }
    }

    fn is_no_shorter(&self, at: usize, other: usize) -> bool {
        let sum = |text: &[u8]| value::upstream(text).map(|upstream| upstream.sum_us);
        let pairs = self.values(at).zip(self.values(other));
        let told: Vec<bool> =
            pairs.filter_map(|(one, other)| Some(sum(one)? + CLOCK_US >= sum(other)?)).collect();
        told.iter().filter(|&&told| told).count() * 100 >= told.len() * 99
    }

    /// The first column of seconds since 1970 that tells the same times as the beginning.
    fn times(&self, kinds: &mut [Kind]) {
        let is_same = |at: usize| {
            let known = self.rows.iter().map(|row| row.known.time_us);
            let told = self.values(at).zip(known).filter_map(|(text, known)| {
                let own = timestamp::any(text)?.time.0;
                Some(own.abs_diff(known?) <= SAME_TIME_US)
            });
            let told: Vec<bool> = told.collect();
            !told.is_empty() && fits(told.iter().filter(|&&told| told).count(), told.len())
        };
        let epochs = |at: usize| kinds[at] == Kind::Bare && self.looks[at].mostly(&[Look::EpochSeconds]);
        if let Some(at) = (0..kinds.len()).find(|&at| epochs(at) && is_same(at)) {
            kinds[at] = Kind::Time;
        }
    }

    /// Columns of digits. What is neither sent nor received, nor a counter, a port or one of a few numbers, is the time
    /// taken if it is alone.
    fn integers(&self, kinds: &mut [Kind]) {
        let open = (0..kinds.len()).filter(|&at| kinds[at] == Kind::Bare && self.is_of_digits(at));
        let mut left: Vec<Integers> =
            open.map(|at| Integers { at, numbers: self.values(at).map(number).collect() }).collect();
        let sent = self.sent(&left);
        if let Some(sent) = sent {
            kinds[sent] = Kind::Sent;
        }
        left.retain(|column| Some(column.at) != sent && !column.only_rises() && !column.is_of_ports());
        let requests: Vec<usize> =
            left.iter().filter(|column| self.are_requests(column)).map(|column| column.at).collect();
        if let ([received], Some(_)) = (&requests[..], sent) {
            kinds[*received] = Kind::Received;
        }
        left.retain(|column| !requests.contains(&column.at) && !column.are_few());
        if let [taken] = &left[..]
            && (requests.is_empty() || sent.is_some() && requests.len() == 1)
            && !taken.evidently(|number| number < MICROS_MIN)
        {
            kinds[taken.at] = Kind::Micros;
        }
    }

    fn is_of_digits(&self, at: usize) -> bool {
        let looks = &self.looks[at];
        let digits = [Look::Integer, Look::Status, Look::EpochSeconds, Look::EpochMicros, Look::OtherTime];
        let (statuses, all) = (looks.count(Look::Status), looks.known());
        looks.mostly(&digits)
            && looks.count(Look::Integer) + statuses > all / 2
            && (statuses < all || all < STATUSES_MIN)
    }

    /// The column that is the body and a response's headers; of several the one with the least, since what counts
    /// both ways has the request besides.
    fn sent(&self, columns: &[Integers]) -> Option<usize> {
        let bodies = Integers { at: 0, numbers: self.rows.iter().map(|row| row.known.body).collect() };
        if bodies.spread() == 0 {
            return None;
        }
        let headers = columns.iter().filter_map(|column| {
            let headers =
                headers_between(&bodies.numbers, &column.numbers).filter(|_| column.spread() > 0)?;
            Some((headers, column.at))
        });
        headers.min().map(|(_, at)| at)
    }

    /// True if the numbers could be the lengths of the requests, which are longer than what is logged of them.
    fn are_requests(&self, column: &Integers) -> bool {
        let lengths = self.rows.iter().map(|row| row.known.length);
        let pairs = column.numbers.iter().zip(lengths);
        let shorter = pairs.filter(|(number, length)| number.is_some_and(|number| number < *length as u64));
        !is_evident(shorter.count(), self.rows.len())
            && (column.are_of_requests() || column.numbers.len() < ROWS_MIN && column.known().all(is_short))
    }
}

/// Lines so few show no pattern: what is longer than most requests is none.
fn is_short(number: u64) -> bool {
    number <= SHORT_REQUEST_MAX
}

/// Most requests are shorter.
const SHORT_REQUEST_MAX: u64 = 2_048;

/// One address for so many clients is not theirs.
const FEWER: usize = 10;

/// nginx's clock ticks in milliseconds.
const CLOCK_US: u64 = 1_000;

/// Two times of one line: the whole second and its fraction.
const SAME_TIME_US: u64 = 1_000_000;

/// So many lines with nothing but statuses hold no numbers.
const STATUSES_MIN: usize = 5;

/// No request is answered in fewer microseconds: what is smaller here and there counts something else, or in
/// milliseconds.
const MICROS_MIN: u64 = 20;

/// Whether quoted values are what proxies passed on.
enum Passed {
    /// Nearly all are addresses.
    Addresses,
    /// All are missing.
    Unknown,
    /// They are something else.
    Other,
}

/// Those that have a port throughout are rather the servers that were asked.
fn are_forwarded(values: &[Column<'_>]) -> Passed {
    let (mut known, mut forwarded, mut endpoints) = (0, 0, 0);
    for text in values.iter().map(|value| value.text).filter(|text| !is_unknown(text)) {
        known += 1;
        forwarded += usize::from(
            text.split(|&byte| byte == b',')
                .all(|item| is_unknown(item.trim_ascii()) || client::leftmost(item).is_some()),
        );
        endpoints += usize::from(Look::of(text) == Look::Endpoint);
    }
    if known == 0 {
        Passed::Unknown
    } else if fits(forwarded, known) && endpoints * 2 <= known {
        Passed::Addresses
    } else {
        Passed::Other
    }
}

/// What proxies write for a client that they do not know or do not tell.
fn is_unknown(text: &[u8]) -> bool {
    text.is_empty() || text == b"-" || text == b"unknown" || text.starts_with(b"_")
}
