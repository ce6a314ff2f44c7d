//! The single values of an audit: in words for a page, as they are for programs.

use super::Audited;
use crate::billing::audit::{
    Audit, Decider, FACTOR_PPM_MAX, LabelBy, ONE_PPM, Overhead, Resembles, factor_ppm_min,
};
use crate::billing::port::Quantity;
use crate::report::answer::Counted;
use crate::report::{Cell, Fact, Unit, human};

/// What a page says above its tables.
pub(super) fn page(counted: &Counted<'_>, audited: &Audited<'_>) -> Vec<Fact> {
    let Audited { port, audit, .. } = audited;
    let fact = |label, text: String| Fact {
        name: "",
        label,
        unit: Unit::Text,
        value: Cell::Text(text.into_bytes()),
    };
    let span = super::covered(counted).unwrap_or_default();
    let time = |second| match counted.second(second) {
        Cell::Time(time) => time,
        _ => String::new(),
    };
    let column = format!("{}, {} ({})", port.column, port.unit.name(), port.told.name());
    let covered = format!("{} to {}", time(span.0), time(span.1));
    let mut facts = vec![
        fact("port", audited.name.to_owned()),
        fact("column", column),
        fact("samples", samples(audited)),
        fact("label", label(audit)),
        fact("logs", covered),
        fact("compared", compared(audit)),
        fact("lag", lag(audit)),
        fact("factor", factor(audited)),
        fact("rank rule", audited.question.rank.name().to_owned()),
        fact("judged", adjusted(audit)),
    ];
    let word = if audit.passed { "PASS" } else { "FAIL" };
    facts.push(fact("verdict", format!("{word}: {}", verdict(audited))));
    facts
}

/// The figure that decided, in words.
pub(super) fn verdict(audited: &Audited<'_>) -> String {
    let Audited { audit, question, .. } = audited;
    if audit.is_misfit(question.overhead) {
        return misfit(audited);
    }
    let what = match audit.decider {
        Decider::P95 => "95th",
        Decider::Volume => "volume",
    };
    let difference = match audit.difference_ppm(&audit.adjusted, audit.decider) {
        None => "is above the port's, which is zero".to_owned(),
        Some(0) => "is the port's".to_owned(),
        Some(millionths) => {
            let side = if millionths < 0 { "below" } else { "above" };
            format!("is {} {side} the port's", human::share(share(millionths).abs()))
        }
    };
    format!("the logs' {what} {difference}; tolerance {}", human::share(ratio(question.tolerance_ppm)))
}

/// Why the factor that was fitted decides instead.
fn misfit(audited: &Audited<'_>) -> String {
    let Audited { audit, question, .. } = audited;
    let Some(factor) = audit.factor_ppm else {
        return "no factor holds between the port and the logs".to_owned();
    };
    let hint = match audit.factor_resembles {
        Some(Resembles::DeadMeter) => ": is the meter dead?",
        Some(Resembles::Eight) => ", but about 8: bits and bytes mixed up?",
        Some(Resembles::Eighth) => ", but about 1/8: bits and bytes mixed up?",
        Some(Resembles::Thousands) => ", but one of a wrong unit: thousands, bits and bytes?",
        Some(Resembles::Nothing) | None => ": is it this port, and are these all its logs?",
    };
    let (least, most) = (decimal(factor_ppm_min(question.tolerance_ppm)), decimal(FACTOR_PPM_MAX));
    format!("the fitted factor {} is no overhead, which is {least} to {most}{hint}", decimal(factor))
}

fn samples(audited: &Audited<'_>) -> String {
    let port = audited.port;
    let mut words = format!("{} known, every {} s", human::count(port.samples.len() as i128), port.step);
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            words += &format!("; {} {what}", human::count(count.into()));
        }
    };
    add(port.unknown, "unknown");
    add(port.bad_rows, "bad rows");
    add(port.counts.wraps_32, "wraps at 2^32");
    add(port.counts.wraps_64, "wraps at 2^64");
    add(port.counts.resets, "counter resets");
    add(port.counts.long, "over missed polls");
    words
}

fn label(audit: &Audit) -> String {
    let [end, start] = audit.label_correlation.map(correlation);
    match audit.label_by {
        LabelBy::Asked | LabelBy::File => format!("{} ({})", audit.label.name(), audit.label_by.name()),
        by => {
            format!("{} (by {}: as end {end}, as start {start})", audit.label.name(), by.name())
        }
    }
}

fn compared(audit: &Audit) -> String {
    let mut words = human::counted(audit.pairs.len() as u64, "sample");
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            words += &format!("; {} {what}", human::count(count.into()));
        }
    };
    add(audit.missing_port.samples, "missing at the port");
    add(audit.missing_logs.samples, "outside the logs");
    add(audit.silent_logs.samples, "silent in the logs");
    words
}

fn lag(audit: &Audit) -> String {
    let skew = &audit.skew;
    let side = match skew.lag {
        0 => "none".to_owned(),
        lag if lag > 0 => format!("the port is {lag} s behind the logs"),
        lag => format!("the port is {} s ahead of the logs", -lag),
    };
    let best = if skew.best == skew.lag { String::new() } else { format!(", best at {} s", skew.best) };
    let zero = if skew.lag == 0 { "" } else { &format!("; {} at 0 s", correlation(skew.correlation_zero)) };
    format!("{side} (correlation {}{zero}{best})", correlation(skew.correlation))
}

fn factor(audited: &Audited<'_>) -> String {
    let Audited { audit, question, .. } = audited;
    let fitted = match audit.factor_ppm {
        Some(factor) => format!("port = {} × logs", decimal(factor)),
        None if audit.logs.bytes == 0 => "the logs have no bytes".to_owned(),
        None => "no factor holds".to_owned(),
    };
    let aside = match audit.set_aside {
        0 => String::new(),
        count => format!(" ({} set aside)", human::counted(count, "sample")),
    };
    let applied = match question.overhead {
        Overhead::Fit if audit.factor_ppm.is_none() => String::new(),
        Overhead::Fit => "; applied".to_owned(),
        Overhead::Factor(ONE_PPM) => "; not applied".to_owned(),
        Overhead::Factor(factor) => format!("; applied: {}", decimal(factor)),
    };
    format!("{fitted}{aside}{applied}")
}

/// What was done to the logs' figures: `logs +90 s × 1.0700`, the name of their line in the table.
pub(super) fn adjusted(audit: &Audit) -> String {
    let lag = if audit.skew.lag == 0 { String::new() } else { format!(" {:+} s", audit.skew.lag) };
    let factor = if audit.applied_ppm == ONE_PPM {
        String::new()
    } else {
        format!(" × {}", decimal(audit.applied_ppm))
    };
    format!("logs{lag}{factor}")
}

/// `1.0700`, and what is far below one with all digits that are known: `0.001070`.
pub(super) fn decimal(millionths: u64) -> String {
    if (1..ONE_PPM / 100).contains(&millionths) {
        return format!("0.{millionths:06}");
    }
    let rounded = millionths.saturating_add(50) / 100;
    format!("{}.{:04}", rounded / 10_000, rounded % 10_000)
}

fn correlation(correlation: Option<f64>) -> String {
    correlation.map_or_else(|| "unknown".to_owned(), |correlation| signed(correlation, 4))
}

/// A number with so many digits; what they show as zero has no sign.
pub(super) fn signed(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    text.strip_prefix('-').filter(|_| is_zero).map_or(text.clone(), str::to_owned)
}

/// What programs get.
pub(super) fn data(counted: &Counted<'_>, audited: &Audited<'_>) -> Vec<Fact> {
    let Audited { name, port, question, audit } = audited;
    let fact = |name, value| Fact { name, label: "", unit: Unit::Text, value };
    let text = |text: &str| Cell::Text(text.as_bytes().to_vec());
    let count = |count: u64| Cell::Integer(count.into());
    let real = |number: Option<f64>| number.map_or(Cell::Null, Cell::Share);
    let span = super::covered(counted).unwrap_or_default();
    let (skew, counts) = (&audit.skew, &port.counts);
    let is_counter = port.unit.quantity == Quantity::Counter;
    let counted_as = |number: u64| if is_counter { count(number) } else { Cell::Null };
    let decider = match audit.decider {
        _ if audit.is_misfit(question.overhead) => "factor",
        Decider::P95 => "p95_bps",
        Decider::Volume => "bytes",
    };
    let difference = audit.difference_ppm(&audit.adjusted, audit.decider);
    vec![
        fact("port_file", text(name)),
        fact("port_shape", text(port.shape.name())),
        fact("port_column", text(&port.column)),
        fact("port_unit", text(&port.unit.name())),
        fact("port_unit_by", text(port.told.name())),
        fact("port_step_seconds", count(port.step.into())),
        fact("port_rows", count(port.rows)),
        fact("port_samples", count(port.samples.len() as u64)),
        fact("port_unknown", count(port.unknown)),
        fact("port_bad_rows", count(port.bad_rows)),
        fact("counter_wraps_32", counted_as(counts.wraps_32)),
        fact("counter_wraps_64", counted_as(counts.wraps_64)),
        fact("counter_resets", counted_as(counts.resets)),
        fact("counter_long", counted_as(counts.long)),
        fact("label", text(audit.label.name())),
        fact("label_by", text(audit.label_by.name())),
        fact("correlation_as_end", real(audit.label_correlation[0])),
        fact("correlation_as_start", real(audit.label_correlation[1])),
        fact("logs_start", counted.second(span.0)),
        fact("logs_start_epoch", Cell::Integer(span.0.into())),
        fact("logs_end", counted.second(span.1)),
        fact("logs_end_epoch", Cell::Integer(span.1.into())),
        fact("samples", count(audit.pairs.len() as u64)),
        fact("missing_port", count(audit.missing_port.samples)),
        fact("missing_logs", count(audit.missing_logs.samples)),
        fact("silent_logs", count(audit.silent_logs.samples)),
        fact("lag_seconds", Cell::Integer(skew.lag.into())),
        fact("lag_best_seconds", Cell::Integer(skew.best.into())),
        fact("correlation", real(skew.correlation)),
        fact("correlation_zero", real(skew.correlation_zero)),
        fact("correlation_best", real(skew.correlation_best)),
        fact("zone_error_seconds", audit.zone_error.map_or(Cell::Null, |error| Cell::Integer(error.into()))),
        fact("factor", real(audit.factor_ppm.map(ratio))),
        fact("factor_resembles", audit.factor_resembles.map_or(Cell::Null, |what| text(what.name()))),
        fact("factor_applied", real(Some(ratio(audit.applied_ppm)))),
        fact("set_aside", count(audit.set_aside)),
        fact("rank_rule", text(question.rank.name())),
        fact("tolerance", real(Some(ratio(question.tolerance_ppm)))),
        fact("decided_by", text(decider)),
        fact("difference", real(difference.map(share))),
        fact("verdict", text(if audit.passed { "pass" } else { "fail" })),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown with six digits")]
pub(super) fn share(millionths: i64) -> f64 {
    millionths as f64 / ONE_PPM as f64
}

#[expect(clippy::cast_precision_loss, reason = "a factor is shown with six digits")]
pub(super) fn ratio(millionths: u64) -> f64 {
    millionths as f64 / ONE_PPM as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_far_as_they_are_known() {
        let check = |millionths, expected: &str| assert_eq!(decimal(millionths), expected);
        check(0, "0.0000");
        check(1, "0.000001");
        check(1_070, "0.001070");
        check(10_000, "0.0100");
        check(1_070_000, "1.0700");
        let check = |number, expected: &str| assert_eq!(signed(number, 4), expected);
        check(-0.000_01, "0.0000");
        check(-0.0, "0.0000");
        check(-0.5, "-0.5000");
        check(0.99996, "1.0000");
    }
}
