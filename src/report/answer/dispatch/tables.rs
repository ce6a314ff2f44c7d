//! The tables of a dispatch report.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::flows::{Billed, Flow};
use super::sites::Sites;
use super::{Misplaced, Owner, integer, share};
use crate::aggregate::Sums;
use crate::error::Error;
use crate::query::Dimension;
use crate::report::answer::groups::{KeyPart, key_cell};
use crate::report::answer::{column, key_column, spare};
use crate::report::{Cell, Column, Other, Table, Unit};
use crate::servers::Idc;
use crate::servers::fit::Fit;

/// Which side of a client a matrix is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Region,
    Carrier,
}

/// One of the things that a data centre and a client can have in common.
type Measure = fn(Fit) -> Option<bool>;

/// How much is served on the client's own network, in its region, in its country; and of how much that is not known.
pub(super) fn shares(flows: &[Flow]) -> Table {
    let measures: [(&str, Measure); 3] =
        [("on-net", |fit| fit.carrier), ("in-region", |fit| fit.region), ("in-country", |fit| fit.country)];
    let row = |(name, measure): (&str, Measure)| {
        // Yes, no, not known.
        let mut sums = [Sums::default(); 3];
        for flow in flows {
            let at = measure(flow.fit).map_or(2, |fits| usize::from(!fits));
            sums[at].merge(flow.sums);
        }
        let [yes, no, unknown] = sums;
        let requests = |sums: Sums| u128::from(sums.requests);
        vec![
            text(name.as_bytes()),
            integer(requests(yes)),
            integer(yes.bytes),
            share(yes.bytes, yes.bytes + no.bytes),
            share(requests(yes), requests(yes) + requests(no)),
            integer(requests(unknown)),
            integer(unknown.bytes),
            share(unknown.bytes, yes.bytes + no.bytes + unknown.bytes),
        ]
    };
    Table {
        name: "shares".to_owned(),
        title: "Where clients are served, of those that are known".to_owned(),
        by: vec!["measure".to_owned()],
        columns: vec![
            key_column("measure", Unit::Text),
            column("requests", Unit::Count),
            column("bytes", Unit::Bytes),
            column("share", Unit::Share),
            column("share_requests", Unit::Share),
            machine(column("unknown_requests", Unit::Count)),
            machine(column("unknown_bytes", Unit::Bytes)),
            column("unknown_share", Unit::Share),
        ],
        rows: measures.into_iter().map(row).collect(),
        other: None,
        total: None,
    }
}

/// Client and data centre, what they exchange, and whether they fit.
type MatrixCell = ((KeyPart, KeyPart), (Sums, Option<bool>));

/// Regions or carriers × data centres.
pub(super) fn matrix(flows: &[Flow], side: Side, shown: Option<usize>) -> Table {
    let (name, title, dimension, fits) = match side {
        Side::Region => ("region_idc", "Regions × data centres", Dimension::Region, "in_region"),
        Side::Carrier => ("carrier_idc", "Carriers × data centres", Dimension::Carrier, "on_net"),
    };
    let key = |flow: &Flow| match side {
        Side::Region => flow.region.clone(),
        Side::Carrier => flow.carrier.clone(),
    };
    let mut cells: BTreeMap<(KeyPart, KeyPart), (Sums, Option<bool>)> = BTreeMap::new();
    let (mut lines, mut columns): (BTreeMap<KeyPart, Sums>, BTreeMap<KeyPart, Sums>) = Default::default();
    let mut total = Sums::default();
    for flow in flows {
        // One cell has one client region or carrier and one data centre: all its flows agree.
        let fit = if side == Side::Region { flow.fit.region } else { flow.fit.carrier };
        let cell = cells.entry((key(flow), flow.served_by.clone())).or_insert((Sums::default(), fit));
        cell.0.merge(flow.sums);
        lines.entry(key(flow)).or_default().merge(flow.sums);
        columns.entry(flow.served_by.clone()).or_default().merge(flow.sums);
        total.merge(flow.sums);
    }
    let shares = |sums: Sums, line: Sums, column: Sums| {
        let requests = |sums: Sums| u128::from(sums.requests);
        [
            share(sums.bytes, line.bytes),
            share(sums.bytes, column.bytes),
            share(requests(sums), requests(line)),
            share(requests(sums), requests(column)),
        ]
    };
    let mut ranked: Vec<MatrixCell> = cells.into_iter().collect();
    ranked.sort_by_key(|(_, (sums, _))| Reverse(sums.bytes));
    let shown = shown.unwrap_or(usize::MAX).min(ranked.len());
    let row = |((client, idc), (sums, fit)): &MatrixCell| {
        let mut row = vec![key_cell(&dimension, client), key_cell(&Dimension::Idc, idc)];
        row.extend([integer(sums.requests.into()), integer(sums.bytes)]);
        row.extend(shares(*sums, lines[client], columns[idc]));
        row.push(fit.map_or(Cell::Null, |fits| text(if fits { b"yes" } else { b"no" })));
        row
    };
    let rows = ranked[..shown].iter().map(row).collect();
    let rest = ranked[shown..].iter().fold(Sums::default(), |mut rest, (_, (sums, _))| {
        rest.merge(*sums);
        rest
    });
    let sum = |sums: Sums| {
        let mut cells = vec![Cell::Null; 9];
        (cells[2], cells[3]) = (integer(sums.requests.into()), integer(sums.bytes));
        cells
    };
    Table {
        name: name.to_owned(),
        title: title.to_owned(),
        by: vec![dimension.name().to_owned(), "idc".to_owned()],
        columns: vec![
            key_column(dimension.name(), Unit::Text),
            key_column("idc", Unit::Text),
            column("requests", Unit::Count),
            column("bytes", Unit::Bytes),
            column("row_share", Unit::Share),
            column("column_share", Unit::Share),
            machine(column("row_share_requests", Unit::Share)),
            machine(column("column_share_requests", Unit::Share)),
            column(fits, Unit::Text),
        ],
        rows,
        other: Some(Other { groups: (ranked.len() - shown) as u64, cells: sum(rest) }),
        total: Some(sum(total)),
    }
}

/// A kind of misplaced clients.
#[derive(Default)]
struct Wrong {
    sums: Sums,
    /// All of one data centre: the seconds are the same.
    billed: Option<Billed>,
}

impl Wrong {
    fn merge(&mut self, other: &Self) {
        let Self { sums, billed } = other;
        self.sums.merge(*sums);
        if let Some(Billed { bytes, seconds }) = *billed {
            self.billed = Some(Billed { bytes: self.billed.unwrap_or_default().bytes + bytes, seconds });
        }
    }
}

/// Clients that a better data centre is there for, most bytes first.
pub(super) fn misplaced(
    flows: &[Flow],
    misplaced: &[(&Flow, Idc)],
    sites: &Sites<'_>,
    shown: Option<usize>,
) -> Result<Table, Error> {
    let all: u128 = flows.iter().map(|flow| flow.sums.bytes).sum();
    let mut found: BTreeMap<(KeyPart, KeyPart, Idc, Idc), Wrong> = BTreeMap::new();
    for (flow, better) in misplaced {
        let Some(idc) = flow.idc else { continue };
        let wrong = found.entry((flow.region.clone(), flow.carrier.clone(), idc, *better)).or_default();
        wrong.merge(&Wrong { sums: flow.sums, billed: flow.billed });
    }
    let mut ranked: Vec<_> = found.into_iter().collect();
    ranked.sort_by_key(|(_, wrong)| Reverse(wrong.sums.bytes));
    let shown = shown.unwrap_or(usize::MAX).min(ranked.len());
    let numbers = |wrong: &Wrong| {
        let Wrong { sums, billed } = wrong;
        let rate = billed.map_or(Cell::Null, |billed| integer(billed.bps()));
        [integer(sums.requests.into()), integer(sums.bytes), share(sums.bytes, all), rate]
    };
    let mut rows = Vec::new();
    for ((region, carrier, idc, better), wrong) in &ranked[..shown] {
        let mut row = vec![
            key_cell(&Dimension::Region, region),
            key_cell(&Dimension::Carrier, carrier),
            text(sites.name(*idc).as_bytes()),
            text(sites.name(*better).as_bytes()),
        ];
        row.extend(numbers(wrong));
        row.extend(prices(sites, *idc, *better, wrong.billed)?);
        rows.push(row);
    }
    let sum = |wrongs: &[(_, Wrong)]| {
        let mut sum = Wrong::default();
        for (_, wrong) in wrongs {
            sum.merge(wrong);
        }
        // Rates in the slots of different data centres are not those of one moment.
        let [requests, bytes, part, _] = numbers(&sum);
        let mut cells = vec![Cell::Null; 4];
        cells.extend([requests, bytes, part, Cell::Null, Cell::Null, Cell::Null]);
        cells
    };
    Ok(Table {
        name: "misplaced".to_owned(),
        title: "Misplaced: a better data centre is in the list".to_owned(),
        by: ["region", "carrier", "idc", "better_idc"].map(str::to_owned).to_vec(),
        columns: vec![
            key_column("region", Unit::Text),
            key_column("carrier", Unit::Text),
            key_column("idc", Unit::Text),
            key_column("better_idc", Unit::Text),
            spare(2, column("requests", Unit::Count)),
            column("bytes", Unit::Bytes),
            spare(1, column("share", Unit::Share)),
            column("billed_bps", Unit::Bps),
            spare(3, column("price_difference", Unit::Decimal)),
            column("saving", Unit::Decimal),
        ],
        other: Some(Other { groups: (ranked.len() - shown) as u64, cells: sum(&ranked[shown..]) }),
        total: Some(sum(&ranked)),
        rows,
    })
}

/// What a Mbps costs more here than there, and what that comes to at a rate; nothing where a price or the rate is not
/// known.
fn prices(sites: &Sites<'_>, idc: Idc, better: Idc, billed: Option<Billed>) -> Result<[Cell; 2], Error> {
    let cell = |words: Option<String>| words.map_or(Cell::Null, |words| text(words.as_bytes()));
    let saving = match billed.map(Billed::bps) {
        Some(bps) => sites.cost(idc, bps)?.zip(sites.cost(better, bps)?),
        None => None,
    };
    Ok([cell(sites.price_difference(idc, better)), cell(saving.map(|(here, there)| here.minus(there)))])
}

/// Networks of misplaced clients.
pub(super) fn networks(
    networks: &[Misplaced],
    owners: &BTreeMap<Vec<u8>, Owner>,
    sites: &Sites<'_>,
    shown: Option<usize>,
) -> Table {
    let shown = shown.unwrap_or(usize::MAX).min(networks.len());
    let row = |misplaced: &Misplaced| {
        let owner = owners.get(misplaced.net.as_bytes());
        let part = |part: Option<&KeyPart>| part.cloned().unwrap_or(KeyPart::Unknown);
        vec![
            text(misplaced.net.as_bytes()),
            text(sites.name(misplaced.idc).as_bytes()),
            text(sites.name(misplaced.better).as_bytes()),
            key_cell(&Dimension::Asn, &part(owner.map(|owner| &owner.asn))),
            key_cell(&Dimension::Org, &part(owner.map(|owner| &owner.org))),
            integer(misplaced.requests.into()),
            integer(misplaced.bytes),
        ]
    };
    let sum = |networks: &[Misplaced]| {
        let mut cells = vec![Cell::Null; 5];
        cells.push(integer(networks.iter().map(|net| u128::from(net.requests)).sum()));
        cells.push(integer(networks.iter().map(|net| net.bytes).sum()));
        cells
    };
    Table {
        name: "networks".to_owned(),
        title: "Networks of misplaced clients".to_owned(),
        by: ["net", "idc", "better_idc"].map(str::to_owned).to_vec(),
        columns: vec![
            key_column("net", Unit::Text),
            key_column("idc", Unit::Text),
            key_column("better_idc", Unit::Text),
            column("asn", Unit::Number),
            column("org", Unit::Text),
            column("requests", Unit::Count),
            column("bytes", Unit::Bytes),
        ],
        rows: networks[..shown].iter().map(row).collect(),
        other: Some(Other { groups: (networks.len() - shown) as u64, cells: sum(&networks[shown..]) }),
        total: Some(sum(networks)),
    }
}

fn machine(column: Column) -> Column {
    Column { machine: true, ..column }
}

fn text(words: &[u8]) -> Cell {
    Cell::Text(words.to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::moves;
    use super::*;
    use crate::report::answer::groups::Period;
    use crate::report::{Colour, Glyphs, Report, Style, table};
    use crate::servers::{Servers, Statements};
    use crate::time::Slot;

    /// The lines of a table with one row of these cells.
    fn lines(mut table: Table, row: Vec<Cell>, width: usize) -> Vec<String> {
        assert_eq!(row.len(), table.columns.len());
        table.total = Some(row.clone());
        table.rows.push(row);
        let report = Report { tables: vec![table], ..Report::default() };
        let mut out = Vec::new();
        table::write(&report, Style { width, colour: Colour::Never, glyphs: Glyphs::Blocks }, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn wide_numbers_fit_a_narrow_terminal() {
        let list = ("list".to_owned(), b"ip,idc\n10.0.0.1,bj\n".to_vec());
        let servers =
            Servers::read(&[list], &Statements::default(), &mut |_| unreachable!("nothing is included"));
        let servers = servers.unwrap();
        let sites = Sites::new(&servers).unwrap();
        let words = |text: &str| Cell::Text(text.as_bytes().to_vec());
        let number = Cell::Integer;
        let wrong = vec![
            words("CN-GD"),
            words("China Telecom"),
            words("guangzhou-telecom-1"),
            words("beijing-unicom-2"),
            number(123_456_789),
            number(123_456_000_000),
            Cell::Share(0.123_45),
            number(123_456_000),
            words("-123.456789"),
            words("-1234567.00"),
        ];
        let moved = vec![
            words("guangzhou-telecom-1"),
            number(123_456_000_000),
            number(123_456_000_000),
            number(123_456_000),
            number(123_456_000),
            words("123.456789"),
            words("123456789.00"),
            words("123456789.00"),
            words("-123456789.00"),
        ];
        let slot = Slot { start: 0, end: 300 };
        let period = Period { first: slot, last: slot, slots: 1 };
        let misplaced = misplaced(&[], &[], &sites, None).unwrap();
        let bills = moves::table(&[], &[], &sites, period).unwrap();
        for (table, row, needed) in [(misplaced, wrong, "-1234567.00"), (bills, moved, "-123456789.00")] {
            for line in lines(table.clone(), row.clone(), 80) {
                assert!(line.chars().count() <= 80, "{line}");
            }
            let names = table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
            let narrow = lines(table.clone(), row.clone(), 80).concat();
            assert!(narrow.contains(needed), "{narrow}");
            assert!(!narrow.contains("amou…") && !narrow.contains("bill…"), "{narrow}");
            let wide = lines(table, row, 160).concat();
            assert!(names.iter().all(|name| wide.contains(name)), "{wide}");
        }
    }
}
