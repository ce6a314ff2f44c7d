//! What holds for all ports of a bill: the period, what the logs cover of it, warnings, the total.

use super::super::{Counted, integer, share};
use super::facts::{text, told};
use super::ports::Account;
use super::{Question, traffic};
use crate::billing::decimal::Decimal;
use crate::billing::outlook::peaks;
use crate::billing::period::Period;
use crate::billing::samples::Frame;
use crate::format::{Format, Part as FieldPart, Server};
use crate::query::Basis;
use crate::report::{Cell, Fact, Unit, human};
use crate::time::Timestamp;

/// A stretch between two logs that is worth a warning: its slots count as zero.
const GAP_SECONDS: i64 = 3600;

/// The same inside the logs, where a quiet night is nothing to warn of.
const IDLE_SECONDS: i64 = 86_400;

/// Warnings of that kind at most.
const IDLE_SHOWN: usize = 3;

/// The facts above the ports.
pub(super) fn facts(
    counted: &Counted<'_>,
    question: &Question,
    period: &Period,
    frame: &Frame,
    account: &Account,
    total: Option<Decimal>,
) -> Result<Vec<Fact>, String> {
    let currency = &question.contract.currency;
    let unbilled = account.unbilled;
    let label = if unbilled > 0 { "on no port" } else { "" };
    let mut facts = [coverage(frame), terms(question), times(counted, question, period, frame)].concat();
    facts.push(fact("unbilled_bytes", label, Unit::Bytes, integer(unbilled)));
    facts.extend(warned(counted, account));
    facts.push(fact("amount", "", Unit::Text, total.map_or(Cell::Null, |total| text(total.to_string()))));
    let words = total.map(|total| format!("{total} {currency}").trim_end().to_owned());
    facts.push(told("total", words));
    if account.ports.len() > 1 {
        let all: Vec<_> = account.ports.iter().map(|port| (traffic(&port.bytes), port.terms)).collect();
        let peaks = peaks(frame, &all)?;
        let of_sum = peaks.peak_of_sum.map_or(Cell::Null, |peak| integer(peak.bps));
        let label = if peaks.peak_of_sum.is_some() { "peak of sum" } else { "" };
        facts.push(fact("sum_of_peaks_bps", "sum of peaks", Unit::Bps, integer(peaks.sum_of_peaks_bps)));
        facts.push(fact("peak_of_sum_bps", label, Unit::Bps, of_sum));
    }
    Ok(facts)
}

fn fact(name: &'static str, label: &'static str, unit: Unit, value: Cell) -> Fact {
    Fact { name, label, unit, value }
}

/// How much of the period the logs speak of; first, if it is not all.
fn coverage(frame: &Frame) -> Vec<Fact> {
    let (covered, slots) = (frame.covered_slots(), frame.slots().len() as u64);
    let incomplete = (covered < slots).then(|| {
        format!(
            "{} of {} are within the logs; of the others nothing is known",
            human::count(covered.into()),
            human::counted(slots, "slot")
        )
    });
    vec![
        told("COVERAGE", incomplete),
        fact("coverage", "", Unit::Share, share(covered.into(), slots.into())),
        fact("period_slots", "", Unit::Count, integer(slots.into())),
        fact("covered_slots", "", Unit::Count, integer(covered.into())),
    ]
}

fn terms(question: &Question) -> Vec<Fact> {
    let some = |words: &String| if words.is_empty() { Cell::Null } else { text(words) };
    let contract = &question.contract;
    vec![
        told("contract", Some(contract.name.clone()).filter(|name| !name.is_empty())),
        fact("contract", "", Unit::Text, some(&contract.name)),
        fact("currency", "", Unit::Text, some(&contract.currency)),
        fact("period_day", "", Unit::Count, integer(contract.period_day.into())),
    ]
}

fn times(counted: &Counted<'_>, question: &Question, period: &Period, frame: &Frame) -> Vec<Fact> {
    let limited = counted.rules.since.is_some() || counted.rules.until.is_some();
    let is_asked = question.period.is_some() || limited;
    let words = format!(
        "{} to {}, {}, {} of {} s{}",
        counted.time(Timestamp::from_seconds(period.start())),
        counted.time(Timestamp::from_seconds(period.end())),
        human::counted(frame.days().len() as u64, "day"),
        human::counted(frame.slots().len() as u64, "slot"),
        counted.rules.grid.length,
        if is_asked { "" } else { "; what the logs cover, none was asked for" },
    );
    vec![
        told("period", Some(words)),
        fact("period_told", "", Unit::Text, text(if is_asked { "asked" } else { "logs" })),
        fact("period_start", "", Unit::Text, counted.second(period.start())),
        fact("period_start_epoch", "", Unit::Number, Cell::Integer(period.start().into())),
        fact("period_end", "", Unit::Text, counted.second(period.end())),
        fact("period_end_epoch", "", Unit::Number, Cell::Integer(period.end().into())),
        fact("slot_seconds", "", Unit::Count, integer(counted.rules.grid.length.into())),
    ]
}

fn warned(counted: &Counted<'_>, account: &Account) -> Vec<Fact> {
    let mut warnings = warnings(counted);
    warnings.extend(idle(counted, &account.busy));
    warnings.extend(account.silent.iter().map(|place| format!("no record is from `{place}`")));
    let cells = warnings.iter().map(text).collect();
    let said = warnings.iter().map(|warning| told("WARNING", Some(warning.clone())));
    said.chain([fact("warnings", "", Unit::Text, Cell::List(cells))]).collect()
}

/// Long stretches without a single record: a wrong date, or logs that were lost.
fn idle(counted: &Counted<'_>, busy: &[i64]) -> Vec<String> {
    let gaps = busy.windows(2).filter(|pair| pair[1] - pair[0] > IDLE_SECONDS);
    let time = |second| counted.time(Timestamp::from_seconds(second));
    let said = gaps.map(|pair| {
        format!("no records from {} to {}: these slots count as 0", time(pair[0]), time(pair[1]))
    });
    said.take(IDLE_SHOWN).collect()
}

/// What makes the figures less sure than they look.
fn warnings(counted: &Counted<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let basis = counted.rules.basis;
    let is_response_size = |format: &Format| {
        format.server == Server::Apache
            && format.fields().any(|field| field.part == FieldPart::Body && field.text.ends_with(['b', 'B']))
    };
    let in_use = counted.tally.account.by_format.iter().filter(|(_, lines)| lines.lines > 0);
    let mut in_use = in_use.filter_map(|(&(file, at), _)| counted.files.get(file as usize)?.1.get(at));
    if basis == Basis::Body && in_use.any(|format| is_response_size(format)) {
        warnings.push(
            "%b and %B are sizes of responses: aborted transfers count in full (Apache mod_log_config)"
                .to_owned(),
        );
    }
    let mut spans: Vec<_> = counted.tally.account.file_spans.values().copied().collect();
    spans.sort_unstable();
    let mut covered = spans.first().map(|(_, last)| *last);
    for (first, last) in spans {
        let until = covered.map_or(last, |covered| covered.max(last));
        if let Some(gap) = covered.filter(|covered| first.seconds() - covered.seconds() > GAP_SECONDS) {
            warnings.push(format!(
                "no log has records between {} and {}: these slots count as 0",
                counted.time(gap),
                counted.time(first)
            ));
        }
        covered = Some(until);
    }
    warnings
}
