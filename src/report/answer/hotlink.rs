//! `bandwho hotlink`: which hosts that are not ours embed our objects, and which objects.
//!
//! Rankings come first; then what else is told of their rows is looked for, group by group. So only rows that are shown
//! take memory, however many hosts and paths strangers make up.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::figures::{Sum, group_numbers, is_empty};
use super::top::{self, Ranking};
use super::{Counted, column, integer, key_column, share, spare};
use crate::aggregate::{Sums, ViewTally};
use crate::error::Error;
use crate::query::{Basis, Dimension, Metric, Only, Own, View};
use crate::report::{Cell, Column, Fact, Report, Table, Unit, human};

/// Types named of each host.
const TYPES_SHOWN: usize = 3;

/// What a path without an extension is shown as among types.
const NO_EXTENSION: &[u8] = b"(none)";

/// The views, by their places in [`views`].
const EVERYTHING: usize = 0;
const REFERRED: usize = 1;
const HOSTS: usize = 2;
const PATHS: usize = 3;
const EMBEDS: usize = 4;
const TYPES: usize = 5;

/// What is counted for it.
pub fn views(own: &Own) -> Vec<View> {
    let [host, path, ext] = [Dimension::Refhost, Dimension::Path, Dimension::Ext];
    let view = |by: &[&Dimension], only| View {
        by: by.iter().map(|&dimension| dimension.clone()).collect(),
        only,
        own: own.clone(),
        ..View::default()
    };
    vec![
        view(&[], Only::All),
        view(&[], Only::Referred),
        view(&[&host], Only::Foreign),
        view(&[&path], Only::Foreign),
        view(&[&host, &path], Only::Foreign),
        view(&[&host, &ext], Only::Foreign),
    ]
}

/// The answer; the views are those of [`views`]. `rows` limits each table; `None`: all. Fails if temporary files cannot
/// be read.
pub fn report(counted: &Counted<'_>, own: &Own, rows: Option<usize>) -> Result<Report, Error> {
    let measure = if counted.rules.basis == Basis::None { Metric::Requests } else { Metric::Bytes };
    let classes = Classes::of(counted)?;
    let ranking =
        Ranking { metrics: vec![Metric::Bytes, Metric::Requests], sort: measure, rows, having: None };
    let hosts = Ranked::new(counted, HOSTS, &ranking)?;
    let paths = Ranked::new(counted, PATHS, &ranking)?;
    let mut beside_hosts = vec![Beside::default(); hosts.places.len()];
    let mut beside_paths = vec![Beside::default(); paths.places.len()];
    each(counted, EMBEDS, |tally, group| {
        let (host, path, sums) = (tally.value(group, 0), tally.value(group, 1), tally.sums(group));
        if let Some(&at) = hosts.places.get(named(host)) {
            beside_hosts[at].add(named(path), size(measure, sums), 1);
        }
        if let Some(&at) = paths.places.get(named(path)) {
            beside_paths[at].add(named(host), size(measure, sums), 1);
        }
    })?;
    let mut types = vec![Beside::default(); hosts.places.len()];
    each(counted, TYPES, |tally, group| {
        if let Some(&at) = hosts.places.get(named(tally.value(group, 0))) {
            let name = tally.value(group, 1).unwrap_or(NO_EXTENSION);
            types[at].add(name, size(measure, tally.sums(group)), TYPES_SHOWN);
        }
    })?;
    let headline = headline(&classes, &hosts, measure);
    let all = size(measure, classes.everything);
    let types = types.iter().map(Beside::names).collect();
    let hosts = hosts.table(measure, all, ("paths", &beside_hosts), vec![("types", types)], "top_path");
    let paths = paths.table(measure, all, ("hosts", &beside_paths), Vec::new(), "top_host");
    let title = |table: Table, name: &str, title: &str| Table {
        name: name.to_owned(),
        title: title.to_owned(),
        ..table
    };
    Ok(Report {
        schema: "bandwho.hotlink/1",
        input: counted.input(),
        facts: facts(&classes, own, headline, measure),
        tables: vec![
            title(hosts, "hosts", "Hosts that are not ours"),
            title(paths, "paths", "What they embed"),
        ],
        ..Report::default()
    })
}

/// All requests, by whose page asked.
struct Classes {
    everything: Sums,
    own: Sums,
    none: Sums,
    foreign: Sums,
    /// Referers that are no URL.
    no_url: Sums,
}

impl Classes {
    fn of(counted: &Counted<'_>) -> Result<Self, Error> {
        let everything = Sum::of(counted, &counted.tally.views[EVERYTHING]).sums;
        let referred = Sum::of(counted, &counted.tally.views[REFERRED]).sums;
        let (mut foreign, mut no_url) = (Sums::default(), Sums::default());
        each(counted, HOSTS, |tally, group| {
            let class = if tally.value(group, 0).is_some() { &mut foreign } else { &mut no_url };
            class.merge(tally.sums(group));
        })?;
        let own = less(less(referred, foreign), no_url);
        Ok(Self { everything, own, none: less(everything, referred), foreign, no_url })
    }
}

/// What is left of a whole without a part of it.
fn less(whole: Sums, part: Sums) -> Sums {
    Sums {
        requests: whole.requests.saturating_sub(part.requests),
        bytes: whole.bytes.saturating_sub(part.bytes),
    }
}

fn size(measure: Metric, sums: Sums) -> u128 {
    if measure == Metric::Requests { sums.requests.into() } else { sums.bytes }
}

/// A value by its name in tables.
fn named(value: Option<&[u8]>) -> &[u8] {
    value.unwrap_or(b"unknown")
}

/// Calls `visit` with the groups of a view.
fn each(counted: &Counted<'_>, at: usize, mut visit: impl FnMut(&ViewTally, u32)) -> Result<(), Error> {
    counted.tally.parts(at, |tally| {
        group_numbers(tally).filter(|group| !is_empty(tally, *group)).for_each(|group| visit(tally, group));
    })
}

/// What is told of a row beside its sums: how many things of another kind it has, and the largest of them.
#[derive(Debug, Clone, Default)]
struct Beside {
    count: u64,
    /// Largest first; ties by name.
    largest: Vec<(Reverse<u128>, Vec<u8>)>,
}

impl Beside {
    /// Adds a thing that was not added yet, and keeps so many of the largest.
    fn add(&mut self, name: &[u8], size: u128, kept: usize) {
        self.count += 1;
        let is_behind = |(Reverse(known), known_name): &(Reverse<u128>, Vec<u8>)| {
            (Reverse(*known), known_name.as_slice()) < (Reverse(size), name)
        };
        let at = self.largest.partition_point(is_behind);
        if at < kept {
            self.largest.insert(at, (Reverse(size), name.to_vec()));
            self.largest.truncate(kept);
        }
    }

    fn first(&self) -> Cell {
        self.largest.first().map_or(Cell::Null, |(_, name)| Cell::Text(name.clone()))
    }

    fn names(&self) -> Cell {
        let names: Vec<&[u8]> = self.largest.iter().map(|(_, name)| name.as_slice()).collect();
        Cell::Text(names.join(&b", "[..]))
    }
}

/// A ranked table of key, bytes and requests, and the places of its rows by their names.
struct Ranked {
    table: Table,
    places: HashMap<Vec<u8>, usize>,
}

impl Ranked {
    fn new(counted: &Counted<'_>, at: usize, ranking: &Ranking) -> Result<Self, Error> {
        let table = top::table(counted, at, ranking)?;
        let key = |row: &Vec<Cell>| match row.first() {
            Some(Cell::Text(name)) => name.clone(),
            _ => Vec::new(),
        };
        let places = table.rows.iter().map(key).zip(0..).collect();
        Ok(Self { table, places })
    }

    /// The table with shares of `all`, with what was found beside its rows, and with more columns before the last one.
    fn table(
        self,
        measure: Metric,
        all: u128,
        (count, beside): (&str, &[Beside]),
        more: Vec<(&str, Vec<Cell>)>,
        first: &str,
    ) -> Table {
        let Table { by, rows, other, total, .. } = self.table;
        let (names, more): (Vec<&str>, Vec<Vec<Cell>>) = more.into_iter().unzip();
        let sums = |mut cells: Vec<Cell>| {
            let part = match cells.get(if measure == Metric::Requests { 2 } else { 1 }) {
                Some(Cell::Integer(part)) => u128::try_from(*part).unwrap_or(0),
                _ => 0,
            };
            cells.insert(2, share(part, all));
            cells
        };
        let row = |(at, cells): (usize, Vec<Cell>)| {
            let found = &beside[at];
            let mut cells = sums(cells);
            cells.push(integer(found.count.into()));
            cells.extend(more.iter().map(|column| column[at].clone()));
            cells.push(found.first());
            cells
        };
        let footer = |cells| {
            let mut cells = sums(cells);
            cells.extend(vec![Cell::Null; names.len() + 2]);
            cells
        };
        let bytes = column("bytes", Unit::Bytes);
        let mut columns = vec![
            key_column(&by[0], Unit::Text),
            Column { machine: measure == Metric::Requests, ..bytes },
            column("share", Unit::Share),
            column("requests", Unit::Count),
            column(count, Unit::Count),
        ];
        columns.extend(names.iter().map(|name| spare(1, column(name, Unit::Text))));
        columns.push(spare(2, column(first, Unit::Text)));
        Table {
            by,
            columns,
            rows: rows.into_iter().enumerate().map(row).collect(),
            other: other.map(|other| crate::report::Other { cells: footer(other.cells), ..other }),
            total: total.map(footer),
            ..Table::default()
        }
    }
}

fn facts(classes: &Classes, own: &Own, headline: String, measure: Metric) -> Vec<Fact> {
    let Classes { everything, own: ours, none, foreign, no_url } = classes;
    let text = |text: String| Cell::Text(text.into_bytes());
    let names: Vec<&str> = own.names().collect();
    let mut facts = vec![
        Fact { name: "", label: "in short", unit: Unit::Text, value: text(headline) },
        Fact { name: "own", label: "our hosts", unit: Unit::Text, value: text(names.join(", ")) },
    ];
    let classes = [
        ("bytes", "requests", "", everything),
        ("own_bytes", "own_requests", "our own pages", ours),
        ("none_bytes", "none_requests", "no referer", none),
        ("foreign_bytes", "foreign_requests", "other hosts", foreign),
        ("no_url_bytes", "no_url_requests", "not a URL", no_url),
    ];
    for (bytes, requests, label, sums) in classes {
        let label_of = |metric| if metric == measure { label } else { "" };
        let Sums { requests: count, bytes: size } = *sums;
        let [bytes_label, requests_label] = [Metric::Bytes, Metric::Requests].map(label_of);
        facts.push(Fact { name: bytes, label: bytes_label, unit: Unit::Bytes, value: integer(size) });
        let value = integer(count.into());
        facts.push(Fact { name: requests, label: requests_label, unit: Unit::Count, value });
    }
    let value = share(size(measure, *foreign), size(measure, *everything));
    facts.push(Fact { name: "foreign_share", label: "", unit: Unit::Share, value });
    facts
}

/// One sentence for people: how much hosts that are not ours took, and which most.
fn headline(classes: &Classes, hosts: &Ranked, measure: Metric) -> String {
    let all = size(measure, classes.everything);
    let shown = |part| match share(part, all) {
        Cell::Share(share) => human::share(share),
        _ => "nothing".to_owned(),
    };
    let foreign = shown(size(measure, classes.foreign));
    let mut headline = format!("pages of other hosts took {foreign} of the {}", measure.name());
    let at = if measure == Metric::Requests { 2 } else { 1 };
    let most = hosts.table.rows.iter().find(|row| row[0] != Cell::Text(b"unknown".to_vec()));
    if let Some((Cell::Text(name), Cell::Integer(part))) = most.map(|row| (&row[0], &row[at])) {
        let part = shown(u128::try_from(*part).unwrap_or(0));
        let name = String::from_utf8_lossy(name);
        headline.push_str(&format!("; most by {name}, {part}"));
    }
    headline
}
