//! Which periods `diff` compares: what was typed, and what follows from it.

use bandwho::aggregate::Range;
use bandwho::time::{Timestamp, Zone, instant, length};

/// The periods as they were typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'a> {
    /// Where the first period begins.
    pub(crate) since: Option<Timestamp>,
    /// Where it ends.
    pub(crate) until: Option<Timestamp>,
    /// Where the other begins: an instant, or how much earlier.
    pub(crate) vs: &'a str,
    /// Where the other ends.
    pub(crate) vs_until: Option<&'a str>,
}

/// The period that is compared with, and the one that is asked about. Without an end the latter lasts until `now`, but
/// no longer than from the start of the one to the start of the other; unless its end is told, the other is as long.
/// The error is what to say.
pub(crate) fn periods(typed: &Typed<'_>, zone: &Zone, now: Timestamp) -> Result<(Range, Range), String> {
    let Typed { since, until, vs, vs_until } = *typed;
    let since = since.ok_or("--vs needs --since: the start of the period that is asked about")?;
    let start = match length(vs) {
        Ok(seconds) => earlier(since, seconds).ok_or_else(|| format!("--vs {vs}: too long"))?,
        Err(_) => instant(vs, zone, now).map_err(|reason| format!("--vs {vs}: {reason}"))?,
    };
    if start == since && (vs_until.is_none() || until.is_none()) {
        return Err(format!("--vs {vs}: both periods begin at the same instant"));
    }
    let until = match until {
        Some(until) => until,
        None if vs_until.is_some() => return Err("--vs-until needs --until, such as --until now".to_owned()),
        None if since >= now => return Err("--since is not in the past".to_owned()),
        None => now.min(since.saturating_add(since.0.abs_diff(start.0))),
    };
    let end = match vs_until {
        Some(text) => instant(text, zone, now).map_err(|reason| format!("--vs-until {text}: {reason}"))?,
        None => start.saturating_add(since.0.abs_diff(until.0)),
    };
    if start >= end {
        return Err("--vs must be before --vs-until".to_owned());
    }
    Ok((Range { since: start, until: end }, Range { since, until }))
}

fn earlier(time: Timestamp, seconds: u64) -> Option<Timestamp> {
    let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
    time.0.checked_sub(micros).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20 14:00";

    fn at(text: &str) -> Timestamp {
        instant(text, &Zone::utc(), Timestamp(0)).unwrap()
    }

    fn check(typed: [&str; 4], expected: Result<[&str; 4], &str>) {
        let given = |at: usize| Some(typed[at]).filter(|text| !text.is_empty());
        let instant = |at: usize| given(at).map(|text| instant(text, &Zone::utc(), self::at(NOW)).unwrap());
        let typed = Typed { since: instant(0), until: instant(1), vs: typed[2], vs_until: given(3) };
        let found = periods(&typed, &Zone::utc(), at(NOW));
        let expected = expected.map_err(str::to_owned).map(|[from, to, since, until]| {
            (Range { since: at(from), until: at(to) }, Range { since: at(since), until: at(until) })
        });
        assert_eq!(found, expected, "{typed:?}");
    }

    #[test]
    fn periods_follow_from_what_is_typed() {
        // Today so far, and as much of the same day a week ago.
        let week = ["2026-11-13", "2026-11-13 14:00", "2026-11-20", "2026-11-20 14:00"];
        check(["today", "", "7d", ""], Ok(week));
        check(["2026-11-20", "", "2026-11-13", ""], Ok(week));
        check(["today", "", "yesterday", ""], Ok(["2026-11-19", "2026-11-19 14:00", "2026-11-20", NOW]));
        // Old days: as long as the distance of the starts.
        check(["2015-05-19", "", "1d", ""], Ok(["2015-05-18", "2015-05-19", "2015-05-19", "2015-05-20"]));
        check(
            ["2015-05-19", "", "2015-05-12", ""],
            Ok(["2015-05-12", "2015-05-19", "2015-05-19", "2015-05-26"]),
        );
        // A later period may be what is compared with.
        check(
            ["2015-05-19", "", "2015-05-20", ""],
            Ok(["2015-05-20", "2015-05-21", "2015-05-19", "2015-05-20"]),
        );
        check(
            ["2015-05-19", "2015-05-19 06:00", "7d", ""],
            Ok(["2015-05-12", "2015-05-12 06:00", "2015-05-19", "2015-05-19 06:00"]),
        );
        check(
            ["2015-05-19", "2015-05-20", "2015-05-12", "2015-05-19"],
            Ok(["2015-05-12", "2015-05-19", "2015-05-19", "2015-05-20"]),
        );
        // Both may begin together if they end apart.
        check(
            ["2015-05-19", "2015-05-20", "2015-05-19", "2015-05-26"],
            Ok(["2015-05-19", "2015-05-26", "2015-05-19", "2015-05-20"]),
        );
    }

    #[test]
    fn what_makes_no_periods() {
        check(["", "", "7d", ""], Err("--vs needs --since: the start of the period that is asked about"));
        check(
            ["today", "", "soon", ""],
            Err(
                "--vs soon: not a time; expected 2026-10-01, 2026-10-01 14:05, 2026-10, @1793462400, or a time ago such as 2d or 1h30m",
            ),
        );
        check(["today", "", "today", ""], Err("--vs today: both periods begin at the same instant"));
        check(["today", "", "9999999999999d", ""], Err("--vs 9999999999999d: too long"));
        check(["today", "", "7d", "2026-11-14"], Err("--vs-until needs --until, such as --until now"));
        check(["2026-11-21", "", "7d", ""], Err("--since is not in the past"));
        check(["2026-11-19", "2026-11-20", "7d", "2026-11-12"], Err("--vs must be before --vs-until"));
    }
}
