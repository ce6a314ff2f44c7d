//! Samples share no time: an interval that is counted twice makes any port too large.

use super::{Faults, Label, Point};

/// Intervals may overlap by one so-manieth of the shorter: polls are a second early or late.
const JITTER_PARTS: i64 = 10;

/// A row that follows another by less than one so-manieth of a step is not the next sample.
const CLOSE_PARTS: i64 = 2;

/// Refuses rows that say how long they are and that overlap.
pub(super) fn check(points: &[Point], label: Option<Label>) -> Result<(), String> {
    let mut reached: Option<(i64, i64, u64)> = None;
    for point in points.iter().filter(|point| point.value.is_some()) {
        let Some(seconds) = point.seconds else { continue };
        let start = if label == Some(Label::Start) { point.time } else { point.time - seconds };
        let end = start + seconds;
        if let Some((until, length, line)) = reached {
            let shared = until - start;
            if shared > length.min(seconds) / JITTER_PARTS {
                let why = match label {
                    Some(Label::Start) => {
                        "samples share no time; are the rows of two ports, or sums that move?"
                    }
                    _ => "a row's period is the time since the row before; are the rows of two ports?",
                };
                return Err(format!("lines {line} and {} overlap by {shared} s: {why}", point.line));
            }
        }
        if reached.is_none_or(|(until, ..)| until < end) {
            reached = Some((end, seconds, point.line));
        }
    }
    Ok(())
}

/// The known samples. Where only the step tells how long they are, a row that follows too soon is none.
pub(super) fn thin(points: &[Point], step: i64, faults: &mut Faults) -> Vec<(Point, u128)> {
    let mut kept: Vec<(Point, u128)> = Vec::new();
    for point in points {
        let Some(value) = point.value else { continue };
        let is_close = |before: &Point| point.time - before.time < step / CLOSE_PARTS;
        if point.seconds.is_none() && kept.last().is_some_and(|(before, _)| is_close(before)) {
            let reason = "less than half a step after the sample before";
            faults.add(point.line, 1, reason, point.time.to_string().as_bytes());
        } else {
            kept.push((*point, value));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(rows: &[(i64, Option<i64>)]) -> Vec<Point> {
        let point = |(line, &(time, seconds)): (u64, &(i64, Option<i64>))| Point {
            time,
            is_local: false,
            seconds,
            value: Some(1),
            is_bad: false,
            line,
        };
        (2..).zip(rows).map(point).collect()
    }

    #[test]
    fn intervals_share_no_time() {
        let check = |label, rows: &[(i64, i64)], expected: Result<(), &str>| {
            let rows: Vec<_> = rows.iter().map(|&(time, seconds)| (time, Some(seconds))).collect();
            let found = super::check(&points(&rows), label);
            let found = found.map_err(|error| error.split(':').next().unwrap_or_default().to_owned());
            assert_eq!(found, expected.map_err(str::to_owned), "{rows:?}");
        };
        let (start, end) = (Some(Label::Start), Some(Label::End));
        check(start, &[(0, 300), (300, 300), (900, 300)], Ok(()));
        check(start, &[(0, 300), (295, 300)], Ok(()));
        check(start, &[(0, 3600), (300, 3600)], Err("lines 2 and 3 overlap by 3300 s"));
        // The long one reaches over its neighbour.
        check(start, &[(0, 900), (300, 1), (600, 300)], Err("lines 2 and 3 overlap by 600 s"));
        check(end, &[(300, 300), (600, 300), (1500, 900)], Ok(()));
        check(end, &[(300, 300), (598, 300)], Ok(()));
        check(end, &[(300, 300), (600, 86_400)], Err("lines 2 and 3 overlap by 86100 s"));
        // Seconds leave no room for a jitter.
        check(start, &[(0, 2), (1, 2)], Err("lines 2 and 3 overlap by 1 s"));
    }

    #[test]
    fn rows_that_follow_too_soon_are_told() {
        let check = |times: &[i64], expected: &[i64], bad: u64| {
            let rows: Vec<_> = times.iter().map(|&time| (time, None)).collect();
            let mut faults = Faults::default();
            let found = thin(&points(&rows), 300, &mut faults);
            let found: Vec<i64> = found.iter().map(|(point, _)| point.time).collect();
            assert_eq!((found.as_slice(), faults.count), (expected, bad), "{times:?}");
        };
        check(&[0, 300, 598, 901], &[0, 300, 598, 901], 0);
        check(&[0, 150, 300], &[0, 150, 300], 0);
        check(&[0, 60, 120, 180, 300], &[0, 180], 3);
        check(&[], &[], 0);
    }
}
