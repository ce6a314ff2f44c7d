//! Columns of digits: what their numbers alone say, in whatever format they stand.

use super::looks::{fits, is_evident};

/// Fewer lines show no pattern.
pub(super) const ROWS_MIN: usize = 5;

/// Bytes of an ordinary response's headers.
const HEADERS: std::ops::RangeInclusive<u64> = 60..=4_096;

/// Bytes of an ordinary request.
const REQUEST: std::ops::RangeInclusive<u64> = 16..=8_192;

/// Ports that systems give to clients.
const CLIENT_PORTS: std::ops::RangeInclusive<u64> = 1_024..=65_535;

/// Of so many lines, so few values in a hundred are those of workers, ports and the like.
const FEW_PERCENT: usize = 10;

/// The numbers of a column; none where a value is missing or too long.
pub(super) struct Integers {
    /// The column.
    pub(super) at: usize,
    /// One for each line.
    pub(super) numbers: Vec<Option<u64>>,
}

impl Integers {
    /// The numbers that are not missing.
    pub(super) fn known(&self) -> impl Iterator<Item = u64> {
        self.numbers.iter().flatten().copied()
    }

    /// From the least to the largest.
    pub(super) fn spread(&self) -> u64 {
        self.known().max().unwrap_or(0) - self.known().min().unwrap_or(0)
    }

    /// True if nearly all known numbers pass.
    pub(super) fn mostly(&self, test: impl Fn(u64) -> bool) -> bool {
        fits(self.known().filter(|&number| test(number)).count(), self.known().count())
    }

    /// True if more than stray numbers pass.
    pub(super) fn evidently(&self, test: impl Fn(u64) -> bool) -> bool {
        is_evident(self.known().filter(|&number| test(number)).count(), self.known().count())
    }

    /// A counter or a clock never turns back, but for lines that waited for each other.
    pub(super) fn only_rises(&self) -> bool {
        let numbers: Vec<u64> = self.known().collect();
        let rising = numbers.windows(2).filter(|pair| pair[0] <= pair[1]).count();
        numbers.len() >= 4 * ROWS_MIN && numbers.first() < numbers.last() && fits(rising, numbers.len() - 1)
    }

    /// True for what systems give to clients, which lies far up.
    pub(super) fn is_of_ports(&self) -> bool {
        self.numbers.len() >= ROWS_MIN
            && !self.evidently(|number| !CLIENT_PORTS.contains(&number))
            && self.mostly(|number| number >= 16_384)
            && self.spread() > 0
    }

    /// True if the same few numbers come again and again, as nothing does that is measured.
    pub(super) fn are_few(&self) -> bool {
        let mut numbers: Vec<u64> = self.known().collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        all >= ROWS_MIN && numbers.len() == 1
            || all >= 4 * ROWS_MIN && numbers.len() * 100 <= all * FEW_PERCENT
    }

    /// True if the lengths of requests look so.
    pub(super) fn are_of_requests(&self) -> bool {
        self.spread() > 0 && self.mostly(|number| REQUEST.contains(&number))
    }
}

/// A number that is digits alone and certainly fits.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let is_number = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// By how much the second of two columns is usually more than the first, if that is a response's headers: no line has
/// less on the wire than in the body, but for stray ones, and the headers of one server are about equally long.
pub(super) fn headers_between(bodies: &[Option<u64>], wires: &[Option<u64>]) -> Option<u64> {
    let pairs = bodies.iter().zip(wires);
    let both: Vec<(u64, u64)> =
        pairs.filter_map(|(body, wire)| Some((body.unwrap_or(0), (*wire)?))).collect();
    let ordered = both.iter().filter(|(body, wire)| body <= wire).count();
    // Nothing at all was sent where the client had left.
    let sent = both.iter().filter(|&&(_, wire)| wire > 0);
    let mut headers: Vec<u64> = sent.filter_map(|(body, wire)| wire.checked_sub(*body)).collect();
    headers.sort_unstable();
    let &median = headers.get(headers.len() / 2)?;
    let usual = headers.iter().filter(|&&header| (median / 2..=median * 2).contains(&header)).count();
    let are_wires = both.len() >= ROWS_MIN
        && ordered * 100 >= both.len() * 99
        && HEADERS.contains(&median)
        && usual * 100 >= headers.len() * 80;
    are_wires.then_some(median)
}
