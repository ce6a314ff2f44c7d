//! Counts → [`super::Report`]: what each command answers with.

mod rates;
mod groups;
mod figures;
mod rows;
pub mod bill;
pub mod top;
pub mod slots;
pub mod overview;
pub mod audit;
pub mod latency;
pub mod dispatch;
pub mod bots;
pub mod change;
pub mod diff;
pub mod at;
pub mod hotlink;

use super::{Cell, Column, Database, FirstLine, FormatUse, Input, Position, Rejects, ServerUse, Unit};
use crate::aggregate::spread::Scheme;
use crate::aggregate::{Remark, Rules, Skip, Tally};
use crate::client::Rule;
use crate::format::Format;
use crate::parse::Reason;
use crate::place::About;
use crate::query::Dimension;
use crate::time::{Precision, Slot, Timestamp, Zone};

/// Servers that are in no list, shown at most.
const UNLISTED_SHOWN: usize = 5;

/// All that an answer is made of.
pub struct Counted<'a> {
    /// The counts.
    pub tally: &'a Tally,
    /// How they were counted.
    pub rules: &'a Rules,
    /// The inputs: name, and the formats its lines were tried with.
    pub files: Vec<(&'a str, Vec<&'a Format>)>,
    /// IP databases that were looked into.
    pub databases: Vec<About>,
    /// Whether there is a server list.
    pub servers_listed: bool,
    /// Whether the default load scheme found no duration to spread bytes over.
    pub durations_logged: bool,
}

impl Counted<'_> {
    /// The zone of the answer.
    pub fn zone(&self) -> &Zone {
        &self.rules.grid.zone
    }

    /// From the slot of the earliest to the slot of the latest logged time, within the limits asked for.
    fn period(&self) -> Option<(Slot, Slot)> {
        let (first, last) = self.span()?;
        let mut cursor = self.rules.grid.cursor();
        Some((cursor.slot(first), cursor.slot(last)))
    }

    /// From the earliest to the latest logged time, within the limits asked for.
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.tally.account.span?;
        let first = self.rules.since.map_or(first, |since| since.max(first));
        let last = self.rules.until.map_or(last, |until| last.min(Timestamp(until.0.saturating_sub(1))));
        (first <= last).then_some((first, last))
    }

    fn time(&self, time: Timestamp) -> String {
        self.zone().rfc3339(time, Precision::Seconds)
    }

    fn second(&self, second: i64) -> Cell {
        Cell::Time(self.time(Timestamp::from_seconds(second)))
    }

    /// The accounting of the input.
    pub fn input(&self) -> Input {
        let account = &self.tally.account;
        let rejected = account.rejected.iter().sum();
        let skipped = account.skipped.iter().sum();
        let named = |counts: &[u64], names: &[&'static str]| -> Vec<(&'static str, u64)> {
            let mut all: Vec<_> = names.iter().copied().zip(counts.iter().copied()).collect();
            all.retain(|(_, count)| *count > 0);
            all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            all
        };
        Input {
            files: self.files.len() as u64,
            bytes: account.bytes,
            lines: account.lines,
            accepted: account.accepted,
            rejected,
            skipped,
            filtered: account.filtered,
            filter: self.rules.filter.as_ref().map(ToString::to_string),
            rejects: self.rejects(),
            skips: named(&account.skipped, &Skip::ALL.map(Skip::name)),
            formats: self.formats(),
            first: account.span.map(|(first, _)| self.time(first)),
            last: account.span.map(|(_, last)| self.time(last)),
            basis: self.rules.basis.name(),
            scheme: self.scheme(),
            client: (self.rules.client != Rule::Auto).then(|| self.rules.client.name()),
            ip_db: self.databases(),
            servers: (self.servers_listed && self.servers_joined()).then(|| self.servers()),
            tz: self.zone().name().to_owned(),
            remarks: named(&account.remarked, &Remark::ALL.map(Remark::name)),
        }
    }

    /// Without durations the default scheme is a spike, and the answer says so.
    fn scheme(&self) -> &'static str {
        match self.rules.scheme {
            Scheme::TimeProportional if !self.durations_logged => Scheme::EndSpike.name(),
            scheme => scheme.name(),
        }
    }

    fn rejects(&self) -> Vec<Rejects> {
        let account = &self.tally.account;
        let mut rejects: Vec<Rejects> = Reason::ALL
            .into_iter()
            .filter(|&reason| account.rejected[reason as usize] > 0)
            .map(|reason| Rejects {
                reason: reason.name(),
                count: account.rejected[reason as usize],
                first: account.first_rejects[reason as usize].map(|first| Position {
                    file: self
                        .files
                        .get(first.file as usize)
                        .map_or(String::new(), |(name, _)| (*name).to_owned()),
                    line: account.line_number(first.file, first.block, first.line),
                    column: first.column as u64 + 1,
                    text: first.text().to_vec(),
                }),
            })
            .collect();
        rejects.sort_by_key(|rejects| std::cmp::Reverse(rejects.count));
        rejects
    }

    fn formats(&self) -> Vec<FormatUse> {
        let mut formats: Vec<FormatUse> = Vec::new();
        for (&(file, at), found) in &self.tally.account.by_format {
            let Some((name, known)) = self.files.get(file as usize) else { continue };
            let Some(format) = known.get(at) else { continue };
            match formats.iter_mut().find(|known| known.text == format.text) {
                Some(known) => known.lines += found.lines,
                None => formats.push(FormatUse {
                    name: format.name.clone(),
                    text: format.text.clone(),
                    lines: found.lines,
                    first: found.first.map(|first| FirstLine {
                        file: (*name).to_owned(),
                        line: self.tally.account.line_number(first.file, first.block, first.line),
                    }),
                }),
            }
        }
        formats.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.name.cmp(&b.name)));
        formats
    }

    fn databases(&self) -> Vec<Database> {
        let errors = &self.tally.account.database_errors;
        let databases = self.databases.iter().enumerate();
        databases
            .map(|(at, about)| Database {
                name: about.name.clone(),
                date: about.date.clone(),
                attribution: about.attribution,
                errors: errors.get(at).copied().unwrap_or(0),
            })
            .collect()
    }

    /// Servers are looked up only where the question needs them.
    fn servers_joined(&self) -> bool {
        self.rules.views.iter().flat_map(|view| &view.by).any(|dimension| *dimension == Dimension::Idc)
    }

    fn servers(&self) -> ServerUse {
        let account = &self.tally.account;
        let names = crate::servers::Key::ALL.map(crate::servers::Key::name);
        let matched = names.into_iter().zip(account.servers_matched).filter(|(_, count)| *count > 0);
        let mut unmatched: Vec<(Vec<u8>, u64)> =
            account.unlisted.iter().map(|(name, count)| (name.clone(), *count)).collect();
        unmatched.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        unmatched.truncate(UNLISTED_SHOWN);
        ServerUse { matched: matched.collect(), unmatched, unmatched_records: account.servers_unmatched }
    }
}

fn column(name: &str, unit: Unit) -> Column {
    Column { name: name.to_owned(), heading: "", unit, key: false, machine: false, spare: 0 }
}

/// A column that narrow terminals do without; the highest number goes first.
fn spare(spare: u8, column: Column) -> Column {
    Column { spare, ..column }
}

fn key_column(name: &str, unit: Unit) -> Column {
    Column { key: true, ..column(name, unit) }
}

/// A count; the largest there is for what does not fit.
fn integer(number: u128) -> Cell {
    Cell::Integer(i128::try_from(number).unwrap_or(i128::MAX))
}

/// A part of a whole; nothing of nothing is not known.
#[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
fn share(part: u128, whole: u128) -> Cell {
    if whole == 0 { Cell::Null } else { Cell::Share(part as f64 / whole as f64) }
}
