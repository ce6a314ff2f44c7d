//! `bandwho audit`: what the logs say beside what the port's meter says.

mod facts;
mod tables;

use super::Counted;
use crate::billing::audit::{Audit, Question};
use crate::billing::port::Port;
use crate::report::{Fact, Report, Table};

/// All that an audit's answer is made of beside the counts.
#[derive(Clone, Copy)]
pub struct Audited<'a> {
    /// The name of the port's file.
    pub name: &'a str,
    /// What it says.
    pub port: &'a Port,
    /// What was asked.
    pub question: &'a Question,
    /// What came of it.
    pub audit: &'a Audit,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A page for people: the samples and groups that matter.
    Page,
    /// Every number.
    Data,
    /// The samples, for a spreadsheet.
    Samples,
}

/// From the slot of the earliest to the end of the slot of the latest logged time, whatever the limits in time.
pub fn covered(counted: &Counted<'_>) -> Option<(i64, i64)> {
    let (first, last) = counted.tally.account.span?;
    let mut cursor = counted.rules.grid.cursor();
    Some((cursor.slot(first).start, cursor.slot(last).end))
}

/// The answer; the only view of the rules is that of the groups to be named, with their samples. `shown` limits the
/// samples and groups of a page.
pub fn report(counted: &Counted<'_>, audited: &Audited<'_>, shown: Option<usize>, detail: Detail) -> Report {
    let shown = shown.unwrap_or(usize::MAX);
    let worst = audited.audit.worst(shown);
    let drivers = tables::drivers(counted, audited.audit, &worst, shown);
    let tables: Vec<Table> = match detail {
        Detail::Page => {
            let missing = tables::missing(counted, audited.audit, shown);
            [Some(tables::figures(audited.audit)), Some(tables::worst(counted, audited.audit, &worst))]
                .into_iter()
                .chain([drivers, Some(missing).filter(|missing| !missing.rows.is_empty())])
                .flatten()
                .collect()
        }
        Detail::Data => {
            let all = tables::samples(counted, audited.audit, 0..audited.audit.pairs.len(), "samples");
            let worst = tables::samples(counted, audited.audit, worst.into_iter(), "worst");
            let missing = tables::missing(counted, audited.audit, usize::MAX);
            [Some(tables::figures(audited.audit)), Some(worst), drivers, Some(missing), Some(all)]
                .into_iter()
                .flatten()
                .collect()
        }
        Detail::Samples => {
            vec![tables::samples(counted, audited.audit, 0..audited.audit.pairs.len(), "")]
        }
    };
    let facts: Vec<Fact> =
        if detail == Detail::Page { facts::page(counted, audited) } else { facts::data(counted, audited) };
    Report { schema: "bandwho.audit/1", input: counted.input(), facts, tables, ..Report::default() }
}

/// A correlation in a message: `0.42`.
pub fn correlation(correlation: f64) -> String {
    facts::signed(correlation, 2)
}

/// The verdict in a few words: `the logs' 95th is 6.5 % below the port's; tolerance 3.0 %`.
pub fn verdict(audited: &Audited<'_>) -> String {
    facts::verdict(audited)
}
