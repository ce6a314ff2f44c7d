//! Tables against a twin that makes all rows in full and sorts them all.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::agent::Agents;
use crate::aggregate::distinct::Distinct;
use crate::aggregate::spread::Scheme;
use crate::aggregate::{
    AgentColumn, Counter, Cut, Memory, Rules, Source, StatusColumn, Sums, Tally, Timing, Units,
};
use crate::billing::rank::{RankRule, rank};
use crate::client::{Rule, Trusted};
use crate::format::Escape;
use crate::parse::Record;
use crate::place::Places;
use crate::query::{Basis, Clients, Extras, Limits, Series as Kept, Timings};
use crate::report::answer::groups::{KeyPart, key_cells, key_columns, text, time_part};
use crate::servers::{Servers, Statements};
use crate::time::{Grid, Timestamp, Zone};

const SOURCE: Source = Source {
    file: 0,
    escape: Escape::Nginx,
    idc: None,
    units: Units::Told,
    status: StatusColumn::Logged,
    agent: AgentColumn::Logged,
};

/// A midnight.
const ORIGIN: i64 = 1_790_000_400;

const HOSTS: [Option<&[u8]>; 5] = [None, Some(b"a.example"), Some(b"b.example"), Some(b"b"), Some(b"\xff")];
const CLIENTS: [Option<&[u8]>; 5] =
    [None, Some(b"192.0.2.1"), Some(b"192.0.2.2"), Some(b"2001:db8::1"), Some(b"unknown")];
const STATUSES: [Option<u16>; 4] = [None, Some(200), Some(404), Some(503)];
/// Sums of the largest have more than 64 bits.
const BYTES: [u64; 6] = [0, 1, 7, 1_000_000, 1 << 46, u64::MAX];

const METRICS: [Metric; 16] = [
    Metric::Requests,
    Metric::Bytes,
    Metric::BytesIn,
    Metric::Share,
    Metric::AvgBps,
    Metric::PeakBps,
    Metric::PeakAt,
    Metric::P95Bps,
    Metric::DriverShare,
    Metric::Clients,
    Metric::RtAvg,
    Metric::RtP50,
    Metric::RtMax,
    Metric::Apdex,
    Metric::Errors4xx,
    Metric::Errors5xx,
];

#[derive(Debug, Clone)]
struct Request {
    host: usize,
    status: usize,
    bytes: usize,
    /// Seconds after the origin.
    end: Option<i64>,
    seconds: u64,
}

impl Request {
    fn record(&self) -> Record<'static> {
        let end = self.end.map(|end| Timestamp::from_seconds(ORIGIN + end));
        let duration = self.seconds * 1_000_000;
        Record {
            time: end,
            start: end.map(|end| end.saturating_sub(duration)),
            end,
            client: CLIENTS[self.bytes % CLIENTS.len()],
            host: HOSTS[self.host],
            status: STATUSES[self.status],
            body: Some(BYTES[self.bytes]),
            bytes_in: Some(self.bytes as u64),
            duration_us: Some(duration),
            ..Record::default()
        }
    }
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    // Neighbours of a slot and of a day.
    let end = prop::option::weighted(0.9, prop_oneof![0..1_000_i64, 86_000..87_000_i64]);
    let request = (0..HOSTS.len(), 0..STATUSES.len(), 0..BYTES.len(), end, 0..700_u64);
    let request =
        request.prop_map(|(host, status, bytes, end, seconds)| Request { host, status, bytes, end, seconds });
    prop::collection::vec(request, 0..25)
}

fn questions() -> impl Strategy<Value = (Vec<Dimension>, Ranking)> {
    let by = select(
        &[
            "",
            "host",
            "status,host",
            "slot",
            "host,slot,status",
            "day,host",
            "hour,status",
            "weekday",
            "host,day",
        ][..],
    );
    let rows = select(&[Some(0), Some(1), Some(3), None][..]);
    let metrics = prop::sample::subsequence(METRICS.to_vec(), 0..METRICS.len());
    let having = select(
        &[
            None,
            Some("bytes > 7"),
            Some("requests >= 2 and not errors_4xx > 0"),
            Some("share > 10%"),
            Some("rt_p50 < 100s or apdex != 50%"),
            Some("driver_share >= 0.5 or clients in (1, 3)"),
        ][..],
    );
    (by, select(&METRICS[..]), metrics, rows, having).prop_map(|(by, sort, metrics, rows, having)| {
        let by = if by.is_empty() { Vec::new() } else { Dimension::parse_list(by).expect("dimensions") };
        let having = having.map(|text| Having::parse(text).expect(text));
        // Rows with a time have requests and bytes.
        let timed = by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
        let known = |having: &Having| !timed || !having.metrics().into_iter().any(Metric::is_timeless);
        (by, Ranking { metrics, sort, rows, having: having.filter(known) })
    })
}

fn rules(by: Vec<Dimension>) -> Rules {
    let view = View {
        by,
        series: Kept::PerSlot,
        extras: Extras::Kept,
        timings: Timings::Kept(Limits::default()),
        clients: Clients::Estimated,
        ..View::default()
    };
    Rules {
        views: vec![view],
        basis: Basis::Body,
        scheme: Scheme::TimeProportional,
        grid: Grid { zone: Zone::utc(), length: 300 },
        since: None,
        until: None,
        filter: None,
        cut: Cut::Records,
        client: Rule::Auto,
        trusted: Trusted::default(),
        depth: 1,
        fields: Vec::new(),
        segment: 1460,
        agents: Agents::built_in(),
        fine: None,
        sides: None,
    }
}

/// Counted by two threads, whose groups and slots have other numbers, within memory or without a limit.
fn tally(rules: &Rules, requests: &[Request], memory: Option<&Memory>) -> Tally {
    let places = Places::none();
    let servers = Servers::load(&Statements::default()).expect("no servers are a list");
    let half = |requests: &[Request]| {
        let mut counter = Counter::new(rules, &places, &servers).within(memory);
        for request in requests {
            counter.count(&request.record(), &SOURCE);
            counter.end_block(0);
            counter.relieve().expect("the disk is not full");
        }
        counter
    };
    let (one, other) = requests.split_at(requests.len() / 2);
    Counter::total(vec![half(one), half(other)], rules).expect("the disk is not full")
}

fn check(by: Vec<Dimension>, ranking: &Ranking, requests: &[Request], memory: Option<&Memory>) {
    let rules = rules(by);
    let [limited, tally] = [memory, None].map(|memory| tally(&rules, requests, memory));
    let counted = |tally| Counted {
        tally,
        rules: &rules,
        files: Vec::new(),
        databases: Vec::new(),
        servers_listed: false,
        durations_logged: true,
    };
    let fast = table(&counted(&limited), 0, ranking).expect("the disk is not full");
    let (rows, groups, other, total) = twin(&counted(&tally), ranking);
    assert_eq!(fast.rows, rows);
    let found = fast.other.expect("a ranking has others");
    assert_eq!((found.groups, found.cells), (groups, other));
    assert_eq!(fast.total, Some(total));
}

/// A row in full.
#[derive(Debug, Clone, Default)]
struct Full {
    key: Vec<KeyPart>,
    sums: Sums,
    extra: Extra,
    timing: Timing,
    clients: Distinct,
    samples: BTreeMap<Slot, u128>,
    driving: u128,
}

impl Full {
    fn add(&mut self, other: &Self) {
        let Self { key: _, sums, extra, timing, clients, samples, driving } = other;
        self.sums.merge(*sums);
        self.extra.merge(*extra);
        self.timing.merge(timing);
        self.clients.merge(clients);
        for (slot, bytes) in samples {
            *self.samples.entry(*slot).or_default() += bytes;
        }
        self.driving += driving;
    }

    fn look<T>(&self, look: impl FnOnce(&Figures<'_>) -> T) -> T {
        let Self { key: _, sums, extra, timing, clients, samples, driving } = self;
        let samples: Vec<Sample> = samples.iter().map(|(slot, bytes)| (*slot, *bytes)).collect();
        look(&Figures {
            sums: *sums,
            extra: *extra,
            timing: Some(timing),
            clients: Some(clients),
            samples: &samples,
            driving: *driving,
        })
    }
}

type Line = Vec<Cell>;

/// Rows, how many others, the others, the total.
fn twin(counted: &Counted<'_>, ranking: &Ranking) -> (Vec<Line>, u64, Line, Line) {
    let period = Period::of(counted);
    let by = &counted.rules.views[0].by;
    let mut all = full(counted);
    if let Some(period) = period {
        drive(&mut all, period);
    }
    let measure = |row: &Full| row.look(|figures| figures::measure(figures, ranking.sort, period));
    all.sort_by_key(|row| (Reverse(measure(row)), row.key.clone()));
    let whole = all.iter().fold(Full::default(), |mut sum, row| {
        sum.add(row);
        sum
    });
    let holds = |row: &Full, having: &Having| {
        whole.look(|whole| row.look(|row| having.holds(|metric| figures::number(row, metric, whole, period))))
    };
    let is_wanted = |row: &Full| ranking.having.as_ref().is_none_or(|having| holds(row, having));
    // In the same order, with those that are not wanted behind.
    all.sort_by_cached_key(|row| !is_wanted(row));
    let wanted = all.iter().filter(|row| is_wanted(row)).count();
    let shown = ranking.rows.unwrap_or(wanted).min(wanted);
    let sum = |rows: &[Full]| {
        rows.iter().fold(Full::default(), |mut sum, row| {
            sum.add(row);
            sum
        })
    };
    let (other, total) = (sum(&all[shown..]), sum(&all));
    let numbers = |row: &Full| -> Line {
        total.look(|total| {
            let cell =
                |figures: &Figures<'_>, metric| figures::metric_cell(counted, figures, metric, total, period);
            row.look(|figures| ranking.metrics.iter().map(|metric| cell(figures, *metric)).collect())
        })
    };
    let row = |row: &Full| [key_cells(counted, by, &row.key), numbers(row)].concat();
    let footer = |row: &Full| [vec![Cell::Null; key_columns(by).len()], numbers(row)].concat();
    let rows = all[..shown].iter().map(row).collect();
    (rows, (all.len() - shown) as u64, footer(&other), footer(&total))
}

fn full(counted: &Counted<'_>) -> Vec<Full> {
    let tally = &counted.tally.views[0];
    let by = &counted.rules.views[0].by;
    let timed = by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
    let key = |group: u32, slot: Option<Slot>| -> Vec<KeyPart> {
        let mut values = tally.values(group).into_iter();
        let part = |dimension: &Dimension| match dimension {
            Dimension::Time(_) => slot
                .and_then(|slot| time_part(counted, dimension, slot))
                .map_or(KeyPart::Unknown, KeyPart::Time),
            _ => text(values.next().flatten()),
        };
        by.iter().map(part).collect()
    };
    let mut rows: BTreeMap<Vec<KeyPart>, Full> = BTreeMap::new();
    if !timed {
        for group in figures::group_numbers(tally) {
            let row = rows.entry(key(group, None)).or_default();
            row.sums = tally.sums(group);
            row.extra = tally.extra(group);
            row.timing = tally.timing(group).cloned().unwrap_or_default();
            row.clients = tally.clients(group).cloned().unwrap_or_default();
        }
    }
    for (number, group, sums) in tally.samples() {
        let slot = counted.tally.slots.get(number);
        let row = rows.entry(key(group, slot.filter(|_| timed))).or_default();
        match slot {
            _ if timed => row.sums.merge(sums),
            Some(slot) => *row.samples.entry(slot).or_default() += sums.bytes,
            None => {}
        }
    }
    rows.retain(|_, row| timed || row.sums != Sums::default());
    rows.into_iter().map(|(key, row)| Full { key, ..row }).collect()
}

/// Ranks the slots of all rows by rate and takes those down to the 95th.
fn drive(rows: &mut [Full], period: Period) {
    let mut all: BTreeMap<Slot, u128> = BTreeMap::new();
    for (slot, bytes) in rows.iter().flat_map(|row| row.samples.range(period.first..=period.last)) {
        *all.entry(*slot).or_default() += bytes;
    }
    // The slots of these zones are equally long.
    let mut ranked: Vec<u128> = all.values().copied().collect();
    ranked.sort_unstable_by_key(|bytes| Reverse(*bytes));
    let place = rank(RankRule::FloorDiscard, period.slots).expect("a period has slots").whole;
    let least = usize::try_from(place - 1).ok().and_then(|at| ranked.get(at)).copied().unwrap_or(0);
    all.retain(|_, bytes| *bytes >= least);
    for row in rows {
        let driving = row.samples.iter().filter(|(slot, _)| all.contains_key(slot));
        row.driving = driving.map(|(_, bytes)| bytes).sum();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn light_rows_make_the_table_of_full_ones((by, ranking) in questions(), requests in requests()) {
        check(by, &ranking, &requests, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn parts_make_the_table_of_the_whole((by, ranking) in questions(), requests in requests()) {
        let memory = Memory::new(0, 1, std::env::temp_dir());
        check(by, &ranking, &requests, Some(&memory));
    }
}
