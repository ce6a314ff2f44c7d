//! Networks joined with their neighbours until each row has a share of the traffic.
//!
//! A row is a network between the counted length (/24, /48 for IPv6) and the shortest (/16, /32) that has at least the
//! share while neither of its halves has. So rows are disjoint and as narrow as they can be; what is in none of them is
//! too little even when joined, or lies beside a row.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use ipnet::IpNet;

use super::{Cells, Details, Ranking, everything};
use crate::aggregate::ViewTally;
use crate::error::Error;
use crate::query::filter::Having;
use crate::query::{Basis, View};
use crate::report::answer::figures::{self, Sum};
use crate::report::answer::groups::{KeyPart, text};
use crate::report::answer::rates::{Period, Sample};
use crate::report::answer::rows::Rows;
use crate::report::answer::{Counted, column, integer};
use crate::report::{Cell, Fact, Report, Table, Unit};

/// Networks are joined up to these lengths.
const V4_SHORTEST: u8 = 16;
const V6_SHORTEST: u8 = 32;

/// Parts of the whole, of which a share is so many.
pub const WHOLE: u64 = 100_000_000;

/// The least share: more rows than ten thousand tell nobody anything.
pub const SHARE_MIN: u64 = WHOLE / 10_000;

/// The answer of the only view of the rules, which is by network alone. Rows have at least `share` of [`WHOLE`]. Fails if
/// temporary files cannot be read.
pub fn report(counted: &Counted<'_>, ranking: &Ranking, share: u64) -> Result<Report, Error> {
    let view = &counted.rules.views[0];
    let table = counted.tally.whole(0, |tally| table(counted, view, tally, ranking, share))?;
    #[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
    let value = Cell::Share(share as f64 / WHOLE as f64);
    let fact = Fact { name: "min_share", label: "rows have at least", unit: Unit::Share, value };
    let mut facts = vec![fact];
    facts.extend(super::facts(view, ranking));
    Ok(Report {
        schema: "bandwho.top/1",
        input: counted.input(),
        facts,
        tables: vec![table],
        ..Report::default()
    })
}

/// A row to be: what its networks have, and how many they are.
#[derive(Debug, Default)]
struct Joined {
    key: Option<KeyPart>,
    sum: Sum,
    networks: u64,
}

fn table(counted: &Counted<'_>, view: &View, tally: &ViewTally, ranking: &Ranking, share: u64) -> Table {
    let Ranking { metrics, sort, rows: limit, having } = ranking;
    let compared = having.iter().flat_map(Having::metrics);
    let asked: Vec<_> = metrics.iter().copied().chain([*sort]).chain(compared).collect();
    let rows = Rows::new(counted, &view.by, tally);
    let details = Details::new(counted, view, tally, &asked, |_| true);
    let places = Places::new(counted, &rows, tally, share);
    let mut joined: Vec<Joined> = Vec::new();
    joined.resize_with(places.keys.len() + 1, Joined::default);
    let mut samples: Vec<(usize, Sample)> = Vec::new();
    for row in &rows.all {
        let at = places.of(tally.value(row.group, 0)).unwrap_or(places.keys.len());
        let figures = details.of(row);
        joined[at].networks += 1;
        joined[at].sum.add(&figures);
        samples.extend(figures.samples.iter().map(|sample| (at, *sample)));
    }
    // One sort for all rows: adding the samples of one network after another would cost a sort for each.
    samples.sort_unstable();
    for (at, (slot, bytes)) in samples {
        let known = &mut joined[at].sum.samples;
        match known.last_mut() {
            Some((last, sum)) if *last == slot => *sum += bytes,
            _ => known.push((slot, bytes)),
        }
    }
    let mut other = joined.pop().unwrap_or_default();
    for (row, key) in joined.iter_mut().zip(places.keys) {
        row.key = Some(key);
    }
    let period = Period::of(counted);
    let measure = |row: &Joined| Reverse(figures::measure(&row.sum.figures(), *sort, period));
    joined.sort_by(|one, next| measure(one).cmp(&measure(next)).then_with(|| one.key.cmp(&next.key)));
    let mut total = Sum::default();
    for row in joined.iter().chain([&other]) {
        total.add(&row.sum.figures());
    }
    if details.series.is_some() {
        total.samples = everything(counted, tally);
    }
    let holds = |row: &Joined| {
        let number = |metric| figures::number(&row.sum.figures(), metric, &total.figures(), period);
        having.as_ref().is_none_or(|having| having.holds(number))
    };
    let (mut joined, mut hidden): (Vec<_>, Vec<_>) = joined.into_iter().partition(holds);
    hidden.extend(joined.drain(limit.unwrap_or(usize::MAX).min(joined.len())..));
    for row in hidden {
        other.sum.merge(&row.sum);
        other.networks += row.networks;
    }
    let cells = Cells::new(counted, view, ranking, total.figures());
    let shown = |row: &Joined| cells.row(row.key.as_slice(), &row.sum.figures());
    let others = usize::try_from(other.networks).unwrap_or(usize::MAX);
    let table = cells.table(joined.iter().map(shown).collect(), others, &other.sum.figures());
    with_networks(table, &joined, other.networks, rows.all.len() as u64)
}

/// The table with the numbers of joined networks as its last column.
fn with_networks(mut table: Table, rows: &[Joined], other: u64, all: u64) -> Table {
    table.columns.push(column("networks", Unit::Count));
    for (cells, row) in table.rows.iter_mut().zip(rows) {
        cells.push(integer(row.networks.into()));
    }
    if let Some(found) = &mut table.other {
        found.cells.push(integer(other.into()));
    }
    if let Some(cells) = &mut table.total {
        cells.push(integer(all.into()));
    }
    table
}

/// Which network is in which row.
struct Places {
    rows: HashMap<IpNet, usize>,
    /// Clients that are no addresses, if they have the share.
    unknown: Option<usize>,
    keys: Vec<KeyPart>,
}

impl Places {
    fn new(counted: &Counted<'_>, rows: &Rows<'_>, tally: &ViewTally, share: u64) -> Self {
        let mut sizes: BTreeMap<IpNet, u128> = BTreeMap::new();
        let (mut unknown, mut all) = (0, 0);
        for row in &rows.all {
            let sums = row.sums();
            let size =
                if counted.rules.basis == Basis::None { u128::from(sums.requests) } else { sums.bytes };
            all += size;
            match tally.value(row.group, 0).and_then(network) {
                Some(network) => *sizes.entry(network).or_default() += size,
                None => unknown += size,
            }
        }
        let is_large = |size| has_share(size, all, share);
        let networks = narrowest(sizes, is_large);
        let mut keys: Vec<KeyPart> =
            networks.iter().map(|network| text(Some(network.to_string().as_bytes()))).collect();
        let unknown = is_large(unknown).then_some(keys.len());
        keys.extend(unknown.map(|_| KeyPart::Unknown));
        Self { rows: networks.into_iter().zip(0..).collect(), unknown, keys }
    }

    /// The row that a counted network is in.
    fn of(&self, value: Option<&[u8]>) -> Option<usize> {
        let Some(network) = value.and_then(network) else { return self.unknown };
        let mut wider = std::iter::successors(Some(network), wider);
        wider.find_map(|network| self.rows.get(&network).copied())
    }
}

fn network(value: &[u8]) -> Option<IpNet> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The network of which one is a half, if it may be a row.
fn wider(network: &IpNet) -> Option<IpNet> {
    let shortest = if matches!(network, IpNet::V4(_)) { V4_SHORTEST } else { V6_SHORTEST };
    network.supernet().filter(|wider| wider.prefix_len() >= shortest)
}

/// True if a part has at least a share of the whole; nothing has none.
fn has_share(part: u128, whole: u128, share: u64) -> bool {
    part > 0 && part.saturating_mul(WHOLE.into()) >= whole.saturating_mul(share.into())
}

/// The networks that are large while neither of their halves is, made of counted ones; sorted.
fn narrowest(sizes: BTreeMap<IpNet, u128>, is_large: impl Fn(u128) -> bool) -> Vec<IpNet> {
    let mut found = Vec::new();
    let mut level: BTreeMap<IpNet, (u128, Holds)> =
        sizes.into_iter().map(|(network, size)| (network, (size, Holds::NoRow))).collect();
    while !level.is_empty() {
        let mut next: BTreeMap<IpNet, (u128, Holds)> = BTreeMap::new();
        for (network, (size, mut holds)) in level {
            if holds == Holds::NoRow && is_large(size) {
                found.push(network);
                holds = Holds::Row;
            }
            if let Some(wider) = wider(&network) {
                let (sum, known) = next.entry(wider).or_insert((0, Holds::NoRow));
                *sum += size;
                *known = (*known).max(holds);
            }
        }
        level = next;
    }
    found.sort_unstable();
    found
}

/// Whether a network is a row or has one in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    NoRow,
    Row,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(sizes: &[(&str, u128)], least: u128, expected: &[&str]) {
        let sizes = sizes.iter().map(|(network, size)| (network.parse().unwrap(), *size)).collect();
        let found: Vec<String> =
            narrowest(sizes, |size| size >= least).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn neighbours_are_joined_until_they_are_large() {
        check(&[("192.0.2.0/24", 10)], 10, &["192.0.2.0/24"]);
        check(&[("192.0.2.0/24", 5), ("192.0.3.0/24", 5)], 10, &["192.0.2.0/23"]);
        check(&[("192.0.1.0/24", 5), ("192.0.2.0/24", 5)], 10, &["192.0.0.0/22"]);
        check(&[("192.0.0.0/24", 5), ("192.0.128.0/24", 5)], 10, &["192.0.0.0/16"]);
        check(&[("192.0.0.0/24", 5), ("192.1.0.0/24", 5)], 10, &[]);
        // What lies beside a row is not joined with it.
        check(&[("192.0.2.0/24", 10), ("192.0.3.0/24", 5), ("192.0.0.0/24", 5)], 10, &["192.0.2.0/24"]);
        check(&[("2001:db8::/48", 5), ("2001:db8:1::/48", 5)], 10, &["2001:db8::/47"]);
        check(&[("2001:db8::/48", 5), ("2001:db9::/48", 5)], 10, &[]);
        check(&[], 0, &[]);
    }

    /// The twin asks of every network there could be.
    fn naive(sizes: &BTreeMap<IpNet, u128>, least: u128) -> Vec<IpNet> {
        let all: Vec<IpNet> =
            sizes.keys().flat_map(|network| std::iter::successors(Some(*network), wider)).collect();
        let size = |network: &IpNet| -> u128 {
            sizes.iter().filter(|(part, _)| network.contains(*part)).map(|(_, size)| size).sum()
        };
        let is_row = |network: &IpNet| {
            let narrower = |other: &IpNet| network.contains(other) && network != other;
            size(network) >= least && !all.iter().any(|other| narrower(other) && size(other) >= least)
        };
        let mut rows: Vec<IpNet> = all.iter().filter(|network| is_row(network)).copied().collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn rows_are_those_of_the_twin_and_disjoint(
            parts in prop::collection::vec((prop::bool::ANY, 0..2_u8, 0..=255_u8, 1..20_u128), 0..12),
            least in 1..60_u128,
        ) {
            let mut sizes: BTreeMap<IpNet, u128> = BTreeMap::new();
            for (is_v4, high, low, size) in parts {
                let network = if is_v4 {
                    format!("10.{high}.{low}.0/24")
                } else {
                    format!("2001:db{high}:{low:x}::/48")
                };
                *sizes.entry(network.parse().unwrap()).or_default() += size;
            }
            let rows = narrowest(sizes.clone(), |size| size >= least);
            prop_assert_eq!(&rows, &naive(&sizes, least));
            for (at, row) in rows.iter().enumerate() {
                prop_assert!(rows[at + 1..].iter().all(|other| !row.contains(other) && !other.contains(row)));
            }
        }
    }

    #[test]
    fn shares_are_exact() {
        assert!(has_share(1, 100, WHOLE / 100));
        assert!(!has_share(99, 10_000, WHOLE / 100));
        assert!(!has_share(0, 0, SHARE_MIN));
        assert!(has_share(u128::MAX, u128::MAX, WHOLE));
    }
}
