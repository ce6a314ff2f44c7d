//! `bandwho bots`: which programs come without people, and whether they are who they say.
//!
//! docs/AGENTS.md defines every number.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::figures::{group_numbers, is_empty};
use super::groups::{KeyPart, key_cell, text};
use super::top::{self, Ranking};
use super::{Counted, column, integer, key_column, share, spare};
use crate::agent::{Claim, Kind};
use crate::aggregate::{Sums, ViewTally};
use crate::error::Error;
use crate::query::{Basis, Dimension, Metric, Only, View};
use crate::report::{Cell, Column, Fact, Other, Report, Table, Unit, human};

/// Whom the answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Automata, see [`Kind::is_bot`].
    Bots,
    /// All families.
    Everybody,
}

/// What is counted for it.
pub fn views(whom: Whom, provided: impl Fn(&Dimension) -> bool) -> Vec<View> {
    let of_whom = if whom == Whom::Bots { Only::Bots } else { Only::All };
    let [family, client, net] = [Dimension::Family, Dimension::Client, Dimension::Net];
    let view = |by: &[&Dimension], only| View {
        by: by.iter().map(|&dimension| dimension.clone()).collect(),
        only,
        ..View::default()
    };
    let mut views = Vec::new();
    if provided(&Dimension::Claim) {
        views.push(view(&[&family, &Dimension::Bot, &Dimension::Claim], Only::All));
        views.push(view(&[&family, &client], of_whom));
        views.push(view(&[&family, &net], of_whom));
        views.push(view(&[&family, &net, &Dimension::Asn, &Dimension::Org], Only::Impostors));
    } else {
        views.push(view(&[&family, &Dimension::Bot], Only::All));
    }
    if provided(&Dimension::Path) {
        // One path on two sites is two objects.
        let host = [&Dimension::Host].into_iter().filter(|host| provided(host));
        let by: Vec<&Dimension> = [&family].into_iter().chain(host).chain([&Dimension::Path]).collect();
        views.push(view(&by, Only::Copies));
    }
    views
}

/// The answer; the views are those of [`views`]. `rows` limits each table; `None`: all. Fails if temporary files cannot
/// be read.
pub fn report(counted: &Counted<'_>, whom: Whom, rows: Option<usize>) -> Result<Report, Error> {
    let found = families(counted)?;
    let mut everything = Programs::default();
    for program in found.values() {
        everything.merge(program);
    }
    let is_asked = |kind: &KeyPart| whom == Whom::Everybody || is_bot(kind);
    let measure = Measure::of(counted);
    let mut ranked: Vec<(&Name, &Programs)> = found.iter().filter(|((_, kind), _)| is_asked(kind)).collect();
    ranked.sort_by_key(|(_, program)| Reverse(measure.of_sums(program.sums)));
    let mut tables = vec![table(&ranked, rows, everything.sums, measure)];
    if let Some(at) = position(counted, |view| view.only == Only::Impostors) {
        let metrics = match measure {
            Measure::Bytes => vec![Metric::Bytes, Metric::Share, Metric::Requests],
            Measure::Requests => vec![Metric::Requests],
        };
        let mut table = top::table(counted, at, &Ranking { sort: metrics[0], metrics, rows, having: None })?;
        table.name = "claimed".to_owned();
        table.title = "Who claims to be what, from somebody else's networks".to_owned();
        tables.push(table);
    }
    Ok(Report {
        schema: "bandwho.bots/1",
        input: counted.input(),
        facts: facts(&found, &everything, measure),
        tables,
        ..Report::default()
    })
}

/// A family and its kind.
type Name = (KeyPart, KeyPart);

/// What is known of the requests of a family, or of several.
#[derive(Debug, Clone, Default)]
struct Programs {
    sums: Sums,
    /// Per [`Claim`].
    claims: [Sums; Claim::ALL.len()],
    /// Of one family, if the log tells: one client can be several programs.
    clients: Option<u64>,
    networks: Option<u64>,
    /// What of whole objects had been downloaded before; none for people's programs, which are many.
    repeated: Option<Sums>,
}

impl Programs {
    /// Adds another family.
    fn merge(&mut self, other: &Self) {
        let Self { sums, claims, clients: _, networks: _, repeated } = other;
        self.sums.merge(*sums);
        for (mine, theirs) in self.claims.iter_mut().zip(claims) {
            mine.merge(*theirs);
        }
        if let Some(repeated) = repeated {
            self.repeated.get_or_insert_default().merge(*repeated);
        }
    }
}

/// What shares are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Bytes,
    /// Where no bytes are logged.
    Requests,
}

impl Measure {
    fn of(counted: &Counted<'_>) -> Self {
        if counted.rules.basis == Basis::None { Self::Requests } else { Self::Bytes }
    }

    fn of_sums(self, sums: Sums) -> u128 {
        match self {
            Self::Bytes => sums.bytes,
            Self::Requests => sums.requests.into(),
        }
    }

    fn share(self, part: Sums, whole: Sums) -> Cell {
        share(self.of_sums(part), self.of_sums(whole))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Requests => "requests",
        }
    }
}

fn position(counted: &Counted<'_>, is_it: impl Fn(&View) -> bool) -> Option<usize> {
    counted.rules.views.iter().position(is_it)
}

fn is_bot(kind: &KeyPart) -> bool {
    let KeyPart::Text(name) = kind else { return false };
    std::str::from_utf8(name).ok().and_then(Kind::from_name).is_some_and(Kind::is_bot)
}

/// What was counted of each family.
fn families(counted: &Counted<'_>) -> Result<BTreeMap<Name, Programs>, Error> {
    let mut found: BTreeMap<Name, Programs> = BTreeMap::new();
    let claimed = counted.rules.views[0].by.len() > 2;
    each(counted, 0, |tally, group| {
        let name = (text(tally.value(group, 0)), text(tally.value(group, 1)));
        let program = found.entry(name).or_default();
        let sums = tally.sums(group);
        program.sums.merge(sums);
        let claim = if claimed { tally.value(group, 2) } else { None };
        // Without an agent nothing is claimed.
        let claim = Claim::ALL.into_iter().find(|known| claim == Some(known.name().as_bytes()));
        program.claims[claim.unwrap_or(Claim::Unverifiable) as usize].merge(sums);
    })?;
    let is_of = |view: &View, dimension| view.only != Only::Copies && view.by[1..] == [dimension];
    let clients = position(counted, |view| is_of(view, Dimension::Client));
    let networks = position(counted, |view| is_of(view, Dimension::Net));
    let copies = position(counted, |view| view.only == Only::Copies);
    let mut by_family: BTreeMap<KeyPart, &mut Programs> = BTreeMap::new();
    for ((family, kind), program) in &mut found {
        program.clients = clients.map(|_| 0);
        program.networks = networks.map(|_| 0);
        program.repeated = copies.filter(|_| is_bot(kind)).map(|_| Sums::default());
        by_family.insert(family.clone(), program);
    }
    let mut add = |at: Option<usize>, add: fn(&mut Programs, &ViewTally, u32)| match at {
        Some(at) => each(counted, at, |tally, group| {
            if let Some(program) = by_family.get_mut(&text(tally.value(group, 0))) {
                add(program, tally, group);
            }
        }),
        None => Ok(()),
    };
    add(clients, |program, tally, group| {
        *program.clients.get_or_insert(0) += u64::from(tally.value(group, 1).is_some());
    })?;
    add(networks, |program, tally, group| {
        *program.networks.get_or_insert(0) += u64::from(tally.value(group, 1).is_some());
    })?;
    add(copies, |program, tally, group| {
        program.repeated.get_or_insert_default().merge(repeated(tally.sums(group)));
    })?;
    Ok(found)
}

/// Calls `visit` with the groups of a view.
fn each(counted: &Counted<'_>, at: usize, mut visit: impl FnMut(&ViewTally, u32)) -> Result<(), Error> {
    counted.tally.parts(at, |tally| {
        group_numbers(tally).filter(|group| !is_empty(tally, *group)).for_each(|group| visit(tally, group));
    })
}

/// What the downloads of one object are beside one of them, of their mean size: which came first does not matter.
fn repeated(downloads: Sums) -> Sums {
    let Sums { requests, bytes } = downloads;
    let one = bytes.div_ceil(u128::from(requests.max(1)));
    Sums { requests: requests.saturating_sub(1), bytes: bytes - one }
}

/// The ranked families. Rows and `other` add up to `total`, `share` is of `everything`.
fn table(ranked: &[(&Name, &Programs)], rows: Option<usize>, everything: Sums, measure: Measure) -> Table {
    let (shown, others) = ranked.split_at(rows.unwrap_or(usize::MAX).min(ranked.len()));
    let row = |((family, kind), program): &(&Name, &Programs)| {
        let mut cells = vec![key_cell(&Dimension::Family, family), key_cell(&Dimension::Bot, kind)];
        cells.extend(numbers(program, everything, measure));
        cells
    };
    let sum = |programs: &[(&Name, &Programs)]| {
        let mut sum = Programs::default();
        for (_, program) in programs {
            sum.merge(program);
        }
        let mut cells = vec![Cell::Null; 2];
        cells.extend(numbers(&sum, everything, measure));
        cells
    };
    Table {
        name: "families".to_owned(),
        title: "Families".to_owned(),
        by: vec!["family".to_owned(), "bot".to_owned()],
        columns: columns(measure),
        rows: shown.iter().map(row).collect(),
        other: Some(Other { groups: others.len() as u64, cells: sum(others) }),
        total: Some(sum(ranked)),
    }
}

fn columns(measure: Measure) -> Vec<Column> {
    let machine = |column: Column| Column { machine: true, ..column };
    let bytes = |name| {
        let column = column(name, Unit::Bytes);
        if measure == Measure::Bytes { column } else { machine(column) }
    };
    let mut columns = vec![
        key_column("family", Unit::Text),
        key_column("bot", Unit::Text),
        bytes("bytes"),
        column("share", Unit::Share),
        column("requests", Unit::Count),
        spare(2, column("clients", Unit::Count)),
        spare(3, column("networks", Unit::Count)),
        column("verified", Unit::Share),
        column("elsewhere", Unit::Share),
        spare(1, column("repeated", Unit::Share)),
    ];
    for name in ["verified", "elsewhere", "unverifiable", "repeated"] {
        columns.push(machine(column(&format!("{name}_bytes"), Unit::Bytes)));
        columns.push(machine(column(&format!("{name}_requests"), Unit::Count)));
    }
    columns
}

/// All cells but the key.
fn numbers(program: &Programs, everything: Sums, measure: Measure) -> Vec<Cell> {
    let Programs { sums, claims, clients, networks, repeated } = program;
    let [verified, elsewhere, unverifiable] = *claims;
    let count = |count: Option<u64>| count.map_or(Cell::Null, |count| integer(count.into()));
    // Of what nothing can be told, no share is true.
    let judged = |part| match measure.of_sums(verified) + measure.of_sums(elsewhere) {
        0 => Cell::Null,
        _ => measure.share(part, *sums),
    };
    let mut cells = vec![
        integer(sums.bytes),
        measure.share(*sums, everything),
        integer(sums.requests.into()),
        count(*clients),
        count(*networks),
        judged(verified),
        judged(elsewhere),
        repeated.map_or(Cell::Null, |repeated| measure.share(repeated, *sums)),
    ];
    for part in [Some(verified), Some(elsewhere), Some(unverifiable), *repeated] {
        cells.push(part.map_or(Cell::Null, |part| integer(part.bytes)));
        cells.push(part.map_or(Cell::Null, |part| integer(part.requests.into())));
    }
    cells
}

fn facts(found: &BTreeMap<Name, Programs>, everything: &Programs, measure: Measure) -> Vec<Fact> {
    let mut bots = Programs::default();
    let is_one = |((_, kind), _): &(&Name, &Programs)| is_bot(kind);
    found.iter().filter(is_one).for_each(|(_, program)| bots.merge(program));
    let fact = |name, label, unit, value| Fact { name, label, unit, value };
    let count = |name, number: u64| fact(name, "", Unit::Count, integer(number.into()));
    let bytes = |name, number| fact(name, "", Unit::Bytes, integer(number));
    let headline = headline(found, &bots, everything, measure);
    let [verified, elsewhere, unverifiable] = bots.claims;
    vec![
        fact("", "in short", Unit::Text, Cell::Text(headline.into_bytes())),
        bytes("bytes", everything.sums.bytes),
        count("requests", everything.sums.requests),
        bytes("bot_bytes", bots.sums.bytes),
        count("bot_requests", bots.sums.requests),
        fact("bot_share", "", Unit::Share, measure.share(bots.sums, everything.sums)),
        bytes("verified_bytes", verified.bytes),
        bytes("elsewhere_bytes", elsewhere.bytes),
        bytes("unverifiable_bytes", unverifiable.bytes),
        bytes("repeated_bytes", bots.repeated.unwrap_or_default().bytes),
    ]
}

/// One sentence for people: how much bots took, and who is impersonated most.
fn headline(
    found: &BTreeMap<Name, Programs>,
    bots: &Programs,
    everything: &Programs,
    measure: Measure,
) -> String {
    let shown = |part| match measure.share(part, everything.sums) {
        Cell::Share(share) => human::share(share),
        _ => "nothing".to_owned(),
    };
    let took = if measure == Measure::Bytes { "took" } else { "made" };
    let mut headline = format!("bots {took} {} of the {}", shown(bots.sums), measure.name());
    let elsewhere = |program: &Programs| program.claims[Claim::Elsewhere as usize];
    let size = |program: &Programs| measure.of_sums(elsewhere(program));
    // Of equal ones the first by name.
    let most = found.iter().rev().max_by_key(|(_, program)| size(program));
    if let Some(((KeyPart::Text(name), _), program)) = most.filter(|(_, program)| size(program) > 0) {
        let name = String::from_utf8_lossy(name);
        let part = shown(elsewhere(program));
        headline.push_str(&format!("; {part} claim to be {name}, from somebody else's networks"));
    }
    headline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_downloads_but_one_are_repeated() {
        let check = |requests, bytes, expected: (u64, u128)| {
            let Sums { requests, bytes } = repeated(Sums { requests, bytes });
            assert_eq!((requests, bytes), expected);
        };
        check(0, 0, (0, 0));
        check(1, 1_000, (0, 0));
        check(2, 2_000, (1, 1_000));
        check(3, 1_000, (2, 666));
        check(4, 0, (3, 0));
        check(u64::MAX, u128::from(u64::MAX), (u64::MAX - 1, u128::from(u64::MAX) - 1));
    }
}
