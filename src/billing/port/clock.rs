//! Times of samples: RFC 3339, `2026-11-01 00:05[:00]`, `2026/11/1 0:05`, seconds or milliseconds since 1970.

use super::{Label, Point};
use crate::time::{Timestamp, Zone, instant};

/// Longer texts are no times.
const TEXT_MAX: usize = 40;

/// Whole numbers from here on are milliseconds; as seconds they would be in the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Whole numbers below are not taken for times: 1980 in seconds.
const SECONDS_FROM: i64 = 315_532_800;

/// How far clocks are set back: an hour, on Lord Howe Island half of one.
const CHANGES: [i64; 2] = [1_800, 3_600];

/// A time of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    /// Shown by the clocks of the zone.
    pub(super) is_local: bool,
}

/// Reads a time; none if it is not one.
pub(super) fn parse(text: &[u8], zone: &Zone) -> Option<Moment> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.len() > TEXT_MAX || !text.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if let (Some(number), Some(_)) = (digits(whole), digits(fraction)) {
        return epoch(number).map(|seconds| Moment { seconds, is_local: false });
    }
    let (written, is_local) = normal(text)?;
    let seconds = instant(&written, zone, Timestamp(0)).ok()?.seconds();
    Some(Moment { seconds, is_local })
}

fn epoch(number: i64) -> Option<i64> {
    let seconds = if number >= MILLISECONDS_FROM { number / 1000 } else { number };
    (SECONDS_FROM..MILLISECONDS_FROM).contains(&seconds).then_some(seconds)
}

/// The same as `2026-11-01T00:05:00`, and whether no zone is told. Sheets drop leading zeros.
fn normal(text: &str) -> Option<(String, bool)> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, clock.trim()),
        None => (text, "00:00"),
    };
    let mut parts = date.split(['-', '/', '.']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let end = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(end);
    let clock = clock.trim_end();
    let padded = if clock.as_bytes().get(1) == Some(&b':') { "0" } else { "" };
    Some((format!("{year}-{month:0>2}-{day:0>2}T{padded}{clock}{offset}"), offset.is_empty()))
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Gives times that the clock shows twice, when it is set back, their order: a row that is not after its neighbour
/// although its clock can mean a later instant means that. Ends, which are what rows labelled by the start have their
/// length from, stay where they are.
pub(super) fn unfold(points: &mut [Point], zone: &Zone, label: Option<Label>) {
    let is_descending = match (points.first(), points.last()) {
        (Some(first), Some(last)) => last.time < first.time,
        _ => return,
    };
    let mut previous = i64::MIN;
    let mut visit = |point: &mut Point| {
        if point.is_local && point.time <= previous {
            let moved = again(point.time, previous, zone).unwrap_or(point.time);
            let change = moved - point.time;
            let end_stays = |seconds: &i64| label == Some(Label::Start) && *seconds > change;
            point.seconds =
                point.seconds.map(|seconds| if end_stays(&seconds) { seconds - change } else { seconds });
            point.time = moved;
        }
        previous = point.time;
    };
    if is_descending {
        points.iter_mut().rev().for_each(&mut visit);
    } else {
        points.iter_mut().for_each(&mut visit);
    }
}

/// The end of an interval that began at `start`: where the clock shows it twice, the one that is later than that.
pub(super) fn after(end: Moment, start: i64, zone: &Zone) -> i64 {
    let is_before = end.is_local && end.seconds <= start;
    is_before.then(|| again(end.seconds, start, zone)).flatten().unwrap_or(end.seconds)
}

/// The instant after `previous` at which the clocks show once more what they showed.
fn again(seconds: i64, previous: i64, zone: &Zone) -> Option<i64> {
    let shown = |seconds| zone.civil(Timestamp::from_seconds(seconds));
    let later = CHANGES.into_iter().map(|change| seconds + change);
    later.into_iter().find(|&later| later > previous && shown(later) == shown(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        let zone = Zone::parse("+08:00").unwrap();
        assert_eq!(parse(text.as_bytes(), &zone).map(|moment| moment.seconds), expected, "{text}");
    }

    #[test]
    fn times() {
        check("2026-11-01 00:05", Some(1_793_462_700));
        check("2026-11-01 00:05:00", Some(1_793_462_700));
        check("2026-11-01T00:05:00+08:00", Some(1_793_462_700));
        check("2026-10-31T16:05:00Z", Some(1_793_462_700));
        check("2026-10-31T16:05:00.123Z", Some(1_793_462_700));
        check("2026/11/1 0:05", Some(1_793_462_700));
        check("2026/11/01 00:05:00", Some(1_793_462_700));
        check("2026-11-01", Some(1_793_462_400));
        check("1793462700", Some(1_793_462_700));
        check("1793462700000", Some(1_793_462_700));
        check("1793462700.250", Some(1_793_462_700));
        check("17934", None);
        check("12.5", None);
        check("-1793462700", None);
        check("2026-13-01 00:00", None);
        check("01/11/2026 00:05", None);
        check("now", None);
        check("2d", None);
        check("", None);
        check(&"1".repeat(60), None);
    }
}
