//! Laws of counting: any split and any order give one result, nothing is lost, nothing wraps.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::charge::plain_dimensions;
use super::spread::spread;
use super::*;
use crate::agent::Agents;
use crate::format::Escape;
use crate::parse::Record;
use crate::parse::value::{BYTES_MAX, DURATION_US_MAX};
use crate::place::Places;
use crate::query::{Dimension, Extras, Flow, Limits, Series, TimePart, Timings};
use crate::servers::{Servers, Statements};
use crate::time::Zone;

mod bounds;
mod filters;
mod shelves;

const SOURCE: Source = Source {
    file: 0,
    escape: Escape::Nginx,
    idc: None,
    units: Units::Told,
    status: StatusColumn::Logged,
    agent: AgentColumn::Logged,
};

const SLOT: i64 = 300;
const MICROS: i64 = 1_000_000;
/// A midnight in every zone of the tests.
const ORIGIN: i64 = 1_790_000_400;

const HOSTS: [Option<&[u8]>; 5] = [None, Some(b"a.example"), Some(b"b.example"), Some(b""), Some(b"unknown")];

/// A text in place of an address, and the address that it means, if it means one.
#[derive(Debug, Clone, Copy)]
struct Entry {
    text: &'static str,
    means: Option<(&'static str, Standing)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// In one of the networks that are trusted by default.
    Inside,
    Outside,
}

const fn inside(text: &'static str, canonical: &'static str) -> Entry {
    Entry { text, means: Some((canonical, Standing::Inside)) }
}

const fn outside(text: &'static str, canonical: &'static str) -> Entry {
    Entry { text, means: Some((canonical, Standing::Outside)) }
}

const fn word(text: &'static str) -> Entry {
    Entry { text, means: None }
}

const ENTRIES: [Entry; 9] = [
    outside("203.0.113.7", "203.0.113.7"),
    outside("[2001:db8::7]:443", "2001:db8::7"),
    outside("::ffff:198.51.100.4", "198.51.100.4"),
    outside("for=203.0.113.7;proto=http", "203.0.113.7"),
    inside("10.0.0.1", "10.0.0.1"),
    inside("192.168.7.7:80", "192.168.7.7"),
    inside("fe80::1%eth0", "fe80::1%eth0"),
    word("unknown"),
    word("10.x.x.x"),
];

/// Client columns.
const CLIENTS: [&[Entry]; 8] = [
    &[],
    &[outside("192.0.2.1", "192.0.2.1")],
    &[inside("::1", "::1")],
    &[word("unix:")],
    &[word("some.host")],
    &[inside("10.0.0.9:4711", "10.0.0.9")],
    &[outside("192.0.2.1", "192.0.2.1"), inside("10.0.0.1", "10.0.0.1")],
    &[inside("10.0.0.2", "10.0.0.2"), inside("10.0.0.1", "10.0.0.1")],
];

/// All lists of up to three entries: as logged, and their entries.
static LISTS: LazyLock<Vec<(String, Vec<Entry>)>> = LazyLock::new(|| {
    let mut lists: Vec<Vec<Entry>> = vec![Vec::new()];
    for at in 0.. {
        let Some(list) = lists.get(at).filter(|list| list.len() < 3).cloned() else { break };
        lists.extend(ENTRIES.map(|entry| [list.as_slice(), &[entry]].concat()));
    }
    lists.into_iter().map(|list| (written(&list), list)).collect()
});

/// The texts of a list, with what proxies put between them in turn.
fn written(list: &[Entry]) -> String {
    let between = ["", ", ", ",", ",+"];
    list.iter()
        .zip(between)
        .rev()
        .fold(String::new(), |after, (entry, before)| format!("{before}{}{after}", entry.text))
}

/// The client columns as logged.
static COLUMNS: LazyLock<Vec<Option<String>>> = LazyLock::new(|| {
    CLIENTS.iter().map(|list| Some(written(list)).filter(|text| !text.is_empty())).collect()
});
const STATUSES: [Option<u16>; 5] = [None, Some(0), Some(200), Some(404), Some(503)];

/// The parts of a record that are counted.
#[derive(Debug, Clone, Copy)]
struct Request {
    host: usize,
    client: usize,
    peer: usize,
    forwarded: usize,
    status: usize,
    bytes: Option<u64>,
    bytes_in: Option<u64>,
    end: Option<i64>,
    duration: Option<u64>,
    extra: bool,
}

impl Request {
    fn record(&self) -> Record<'static> {
        let implausible = self.duration.is_some_and(|duration| duration > DURATION_US_MAX);
        let lasted = self.duration.filter(|_| !implausible).unwrap_or(0);
        Record {
            time: self.end.map(Timestamp),
            start: self.end.map(|end| Timestamp(end).saturating_sub(lasted)),
            end: self.end.map(Timestamp),
            host: HOSTS[self.host],
            client: COLUMNS[self.client].as_ref().map(String::as_bytes),
            peer: COLUMNS[self.peer].as_ref().map(String::as_bytes),
            forwarded: Some(LISTS[self.forwarded].0.as_bytes()).filter(|list| !list.is_empty()),
            status: STATUSES[self.status],
            body: self.bytes,
            bytes_in: self.bytes_in,
            duration_us: self.duration,
            implausible,
            extra: self.extra,
            ..Record::default()
        }
    }
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let bytes =
        || prop::option::weighted(0.9, prop_oneof![0_u64..1000, Just(0), Just(BYTES_MAX), 0..=BYTES_MAX]);
    let end = (-4 * SLOT * MICROS)..(8 * SLOT * MICROS);
    let end = prop_oneof![8 => end.prop_map(|after| Some(ORIGIN * MICROS + after)), 1 => Just(None)];
    let duration = prop_oneof![
        3 => (0..1000 * 1_000_000_u64).prop_map(Some),
        3 => (0..1_000_000_u64).prop_map(Some),
        1 => Just(None),
        1 => Just(Some(DURATION_US_MAX + 1)),
    ];
    let one =
        (
            (0..HOSTS.len(), 0..CLIENTS.len(), 0..STATUSES.len(), any::<bool>()),
            (bytes(), bytes()),
            end,
            duration,
            (
                prop_oneof![3 => Just(0), 1 => 0..CLIENTS.len()],
                prop_oneof![1 => Just(0), 2 => 0..LISTS.len()],
            ),
        )
            .prop_map(
                |((host, client, status, extra), (bytes, bytes_in), end, duration, (peer, forwarded))| {
                    Request { host, client, peer, forwarded, status, bytes, bytes_in, end, duration, extra }
                },
            );
    prop::collection::vec(one, 0..12)
}

fn views() -> Vec<View> {
    let view = |by: &[Dimension], series, extras| View { by: by.to_vec(), series, extras, ..View::default() };
    vec![
        view(&[Dimension::Host, Dimension::Time(TimePart::Slot)], Series::PerSlot, Extras::Kept),
        view(&[Dimension::Class, Dimension::Client], Series::PerSlot, Extras::Left),
        view(&[Dimension::Client], Series::Sums, Extras::Kept),
        view(&[], Series::PerSlot, Extras::Left),
        View {
            timings: Timings::Kept(Limits::default()),
            ..view(&[Dimension::Host], Series::Sums, Extras::Left)
        },
    ]
}

fn rules(scheme: Scheme, cut: Cut, since: Option<i64>, until: Option<i64>) -> Rules {
    let limit = |seconds: i64| Timestamp::from_seconds(ORIGIN + seconds);
    Rules {
        views: views(),
        basis: Basis::Body,
        scheme,
        grid: Grid { zone: Zone::parse("UTC").expect("a zone"), length: 300 },
        since: since.map(limit),
        until: until.map(limit),
        filter: None,
        cut,
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

fn all_rules() -> impl Strategy<Value = Rules> {
    let limit = || prop::option::of(-2 * SLOT..6 * SLOT);
    (
        prop::sample::select(&Scheme::ALL[..]),
        prop::sample::select(&[Cut::Records, Cut::Slots][..]),
        limit(),
        limit(),
        prop::sample::select(&[("UTC", 300), ("Europe/Berlin", 3600), ("+05:45", 60)][..]),
        prop::sample::select(&[Rule::Auto, Rule::Auto, Rule::Remote, Rule::Forwarded][..]),
        prop::sample::select(vec![Trusted::default(), nobody()]),
    )
        .prop_map(|(scheme, cut, since, until, (zone, length), client, trusted)| Rules {
            client,
            trusted,
            grid: Grid { zone: Zone::parse(zone).expect("a zone"), length },
            ..rules(scheme, cut, since, until)
        })
}

fn nobody() -> Trusted {
    Trusted::parse("").expect("an empty list")
}

fn servers() -> Servers {
    Servers::load(&Statements::default()).expect("nothing to read")
}

fn counted(rules: &Rules, requests: &[Request]) -> Tally {
    split(rules, requests, &[])
}

/// Counts in one counter, another block beginning before each of `blocks`.
fn split(rules: &Rules, requests: &[Request], blocks: &[usize]) -> Tally {
    let (places, servers) = (Places::none(), servers());
    let mut counter = Counter::new(rules, &places, &servers);
    for (at, request) in requests.iter().enumerate() {
        if blocks.contains(&at) {
            counter.end_block(SOURCE.file);
            counter.begin_block();
        }
        counter.count(&request.record(), &SOURCE);
    }
    counter.end_block(SOURCE.file);
    counter.tally
}

type Values = Vec<Option<Vec<u8>>>;
type NaiveShares = Vec<(Option<Slot>, Sums)>;

/// What of a tally does not depend on who counted it in which order.
#[derive(Debug, PartialEq, Default)]
struct Normal {
    account: Account,
    outside_bytes: u128,
    views: Vec<NormalView>,
}

#[derive(Debug, PartialEq, Default)]
struct NormalView {
    groups: BTreeMap<Values, (Sums, Extra, Timing)>,
    samples: BTreeMap<(Values, Option<Slot>), Sums>,
}

fn normal(tally: &Tally) -> Normal {
    let view = |at: usize| {
        let mut normal = NormalView::default();
        tally.parts(at, |part| normal_part(&mut normal, tally, part)).expect("the disk is not full");
        normal
    };
    Normal {
        account: tally.account.clone(),
        outside_bytes: tally.outside_bytes,
        views: (0..tally.views.len()).map(view).collect(),
    }
}

fn normal_part(normal: &mut NormalView, tally: &Tally, view: &ViewTally) {
    let values =
        |group| -> Values { view.values(group).into_iter().map(|value| value.map(<[u8]>::to_vec)).collect() };
    for group in 0..u32::try_from(view.len()).expect("few") {
        let timing = view.timing(group).cloned().unwrap_or_default();
        let before = normal.groups.insert(values(group), (view.sums(group), view.extra(group), timing));
        assert!(before.is_none(), "a group exists twice");
    }
    for (slot, group, sums) in view.samples() {
        normal.samples.entry((values(group), tally.slots.get(slot))).or_default().merge(sums);
    }
}

/// The same counts from the definitions: maps by value, wide sums, nothing remembered.
fn naive(rules: &Rules, requests: &[Request]) -> Normal {
    let mut normal =
        Normal { views: rules.views.iter().map(|_| NormalView::default()).collect(), ..Normal::default() };
    for request in requests {
        let record = request.record();
        let account = &mut normal.account;
        account.accepted += 1;
        account.remarked[Remark::WithoutBytes as usize] += u64::from(record.body.is_none());
        account.remarked[Remark::WithoutTime as usize] += u64::from(record.time.is_none());
        account.remarked[Remark::DurationImplausible as usize] += u64::from(record.implausible);
        account.remarked[Remark::ExtraColumns as usize] += u64::from(record.extra);
        if let Some(time) = record.time {
            let (first, last) = account.span.unwrap_or((time, time));
            account.span = Some((first.min(time), last.max(time)));
            account.file_spans.extend(account.span.map(|span| (SOURCE.file, span)));
        }
        let Some((sums, shares)) = naive_shares(rules, &record, &mut normal.outside_bytes) else {
            let limits = rules.since.or(rules.until);
            normal.account.filtered += u64::from(rules.cut == Cut::Records || limits.is_some());
            continue;
        };
        let (client, forwarded) = naive_client(rules, request);
        normal.account.remarked[Remark::ClientForwarded as usize] += u64::from(forwarded);
        for (view, normal) in rules.views.iter().zip(&mut normal.views) {
            let value = |dimension| match dimension {
                &Dimension::Client => client.clone(),
                other => naive_value(other, &record),
            };
            let values: Values = plain_dimensions(view).map(value).collect();
            let group = normal.groups.entry(values.clone()).or_default();
            group.0.merge(sums);
            if view.extras == Extras::Kept && sums.requests > 0 {
                group.1.merge(naive_extra(&record));
            }
            if view.timings != Timings::Left && sums.requests > 0 {
                group.2.merge(&naive_timing(&record));
            }
            if view.series == Series::PerSlot {
                for &(slot, share) in &shares {
                    normal.samples.entry((values.clone(), slot)).or_default().merge(share);
                }
            }
        }
    }
    normal
}

/// What a record counts for, in all and per slot; `None` if the limits leave it out.
fn naive_shares(rules: &Rules, record: &Record<'_>, outside_bytes: &mut u128) -> Option<(Sums, NaiveShares)> {
    let within = |time: Timestamp| {
        rules.since.is_none_or(|since| since <= time) && rules.until.is_none_or(|until| time < until)
    };
    let bytes = record.body.unwrap_or(0);
    let whole = Sums { requests: 1, bytes: u128::from(bytes) };
    let unlimited = rules.since.is_none() && rules.until.is_none();
    let (start, end) = match (record.start, record.end, rules.cut) {
        (Some(start), Some(end), Cut::Slots) => (start, end),
        (Some(start), Some(end), Cut::Records) if within(end) => (start, end),
        (None, None, Cut::Records) if unlimited => {
            *outside_bytes += whole.bytes;
            return Some((whole, vec![(None, whole)]));
        }
        (None, None, Cut::Slots) => {
            *outside_bytes += whole.bytes;
            return None;
        }
        _ => return None,
    };
    let last = rules.grid.cursor().slot(end);
    let mut shares = BTreeMap::from([(Some(last), Sums { requests: 1, bytes: 0 })]);
    spread(rules.scheme, bytes, start, end, &mut rules.grid.cursor(), &mut |slot, share| {
        shares.entry(Some(slot)).or_default().bytes += u128::from(share);
    });
    if rules.cut == Cut::Records {
        return Some((whole, shares.into_iter().collect()));
    }
    let (inside, outside): (Vec<_>, Vec<_>) = shares
        .into_iter()
        .partition(|(slot, _)| slot.is_some_and(|slot| within(Timestamp::from_seconds(slot.start))));
    *outside_bytes += outside.iter().map(|(_, sums)| sums.bytes).sum::<u128>();
    let mut sums = Sums::default();
    for (_, share) in &inside {
        sums.merge(*share);
    }
    (!inside.is_empty()).then_some((sums, inside))
}

/// The client, and whether a proxy passed it on; from what the tables say about each entry, without reading any.
fn naive_client(rules: &Rules, request: &Request) -> (Option<Vec<u8>>, bool) {
    let nobody_is_trusted = rules.trusted == nobody();
    let means =
        |list: &[Entry]| -> Vec<(&str, Standing)> { list.iter().filter_map(|entry| entry.means).collect() };
    // The last that is not trusted, else the first.
    let walked = |list: &[Entry]| {
        let stranger =
            |(_, standing): &&(&str, Standing)| nobody_is_trusted || *standing == Standing::Outside;
        let means = means(list);
        means.iter().rfind(stranger).or(means.first()).copied()
    };
    let text = |text: &str| Some(text.as_bytes().to_vec());
    let forwarded = LISTS[request.forwarded].1.as_slice();
    let (first, second) = match rules.client {
        Rule::Remote => (request.peer, request.client),
        _ => (request.client, request.peer),
    };
    let at = if CLIENTS[first].is_empty() { second } else { first };
    let (column, own) = (CLIENTS[at], || COLUMNS[at].as_deref().and_then(text));
    match rules.client {
        Rule::Forwarded => {
            let first = means(forwarded).first().copied();
            (first.and_then(|(address, _)| text(address)), first.is_some())
        }
        Rule::Remote => match column {
            [Entry { means: Some((address, _)), .. }] => (text(address), false),
            _ => (own(), false),
        },
        Rule::Auto => {
            let logged = walked(column);
            let proxy = match logged {
                Some((_, standing)) => !nobody_is_trusted && standing == Standing::Inside,
                None => column.is_empty() || !nobody_is_trusted && column[0].text == "unix:",
            };
            match walked(forwarded).filter(|_| proxy) {
                Some((address, _)) => (text(address), true),
                None => (logged.map_or_else(own, |(address, _)| text(address)), false),
            }
        }
    }
}

/// The value of a dimension that is not time, `None` if unknown.
fn naive_value(dimension: &Dimension, record: &Record<'_>) -> Option<Vec<u8>> {
    let known = |text: &&[u8]| !text.is_empty() && *text != b"unknown";
    match dimension {
        Dimension::Host => record.host.filter(known).map(<[u8]>::to_vec),
        Dimension::Class => record.status.map(|status| format!("{}xx", status / 100).into_bytes()),
        other => unreachable!("{other:?} is in no view of these tests"),
    }
}

fn naive_extra(record: &Record<'_>) -> Extra {
    let class = record.status.map(|status| status / 100);
    let duration = naive_time(record).filter(|_| record.body.is_none_or(|bytes| bytes < 1_000_000));
    Extra {
        bytes_in: record.bytes_in.unwrap_or(0).into(),
        errors_4xx: u64::from(class == Some(4)),
        errors_5xx: u64::from(class == Some(5)),
        duration_us: duration.unwrap_or(0).into(),
        duration_max_us: duration.unwrap_or(0),
        timed: u64::from(duration.is_some()),
    }
}

/// The duration of a record that was served and took a time.
fn naive_time(record: &Record<'_>) -> Option<u64> {
    let served = record.status.is_some_and(|status| status != 0 && status != 499);
    record.duration_us.filter(|&duration| served && (1..=DURATION_US_MAX).contains(&duration))
}

fn naive_timing(record: &Record<'_>) -> Timing {
    let mut timing = Timing::default();
    let served = record.status.is_some_and(|status| status != 0 && status != 499);
    timing.aborted = u64::from(!served);
    timing.zero_duration = u64::from(served && record.duration_us == Some(0));
    let Some(time) = naive_time(record) else { return timing };
    if let Some(bytes) = record.body.filter(|&bytes| bytes >= 1_000_000) {
        let throughput = u128::from(bytes) * 1_000_000 / u128::from(time);
        timing.throughputs.add(u64::try_from(throughput).unwrap_or(u64::MAX));
        return timing;
    }
    timing.times.add(time);
    timing.within = [1, 2, 4, 8, 10].map(|seconds| u64::from(time <= seconds * 1_000_000));
    timing.satisfied = u64::from(time <= 2_000_000);
    timing.tolerated = u64::from(time > 2_000_000 && time <= 8_000_000);
    timing.slow = u64::from(time > 8_000_000);
    timing
}

/// The bytes of all slots of a view.
fn slot_bytes(view: &NormalView) -> u128 {
    view.samples.iter().filter(|((_, slot), _)| slot.is_some()).map(|(_, sums)| sums.bytes).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn counts_are_those_of_the_definition(rules in all_rules(), requests in requests()) {
        prop_assert_eq!(normal(&counted(&rules, &requests)), naive(&rules, &requests));
    }

    #[test]
    fn any_split_and_any_order_give_one_result(
        rules in all_rules(),
        requests in requests(),
        // Which counter each record goes to, where blocks begin, and the order of merging.
        owners in prop::collection::vec(0_usize..4, 12),
        blocks in prop::collection::vec(0_usize..12, 0..4),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
        from_the_right in any::<bool>(),
    ) {
        let tallies = order.into_iter().map(|owner| {
            let own = requests.iter().zip(&owners).filter(|&(_, &of)| of == owner);
            let own: Vec<Request> = own.map(|(request, _)| *request).collect();
            split(&rules, &own, &blocks)
        });
        let merged = tallies.fold(Tally::default(), |merged, tally| {
            if from_the_right { tally.merge(merged) } else { merged.merge(tally) }
        });
        prop_assert_eq!(normal(&merged), normal(&counted(&rules, &requests)));
    }

    #[test]
    fn merging_is_commutative_and_associative_and_nothing_is_its_identity(
        rules in all_rules(),
        a in requests(),
        b in requests(),
        c in requests(),
    ) {
        let [a, b, c] = [a, b, c].map(|requests| counted(&rules, &requests));
        let merge = |a: &Tally, b: &Tally| a.clone().merge(b.clone());
        prop_assert_eq!(normal(&merge(&a, &b)), normal(&merge(&b, &a)));
        prop_assert_eq!(normal(&merge(&merge(&a, &b), &c)), normal(&merge(&a, &merge(&b, &c))));
        for nothing in [Tally::default(), Tally::new(&rules)] {
            prop_assert_eq!(normal(&merge(&a, &nothing)), normal(&a));
            prop_assert_eq!(normal(&merge(&nothing, &a)), normal(&a));
        }
    }

    #[test]
    fn no_byte_and_no_record_is_lost(rules in all_rules(), requests in requests()) {
        let normal = normal(&counted(&rules, &requests));
        let bytes = |requests: &[Request]| -> u128 {
            requests.iter().map(|request| u128::from(request.bytes.unwrap_or(0))).sum()
        };
        let requests_counted =
            |view: &NormalView| view.groups.values().map(|(sums, ..)| sums.requests).sum::<u64>();
        let account = &normal.account;
        prop_assert_eq!(account.accepted, requests.len() as u64);
        let counted_bytes = |view: &NormalView| view.groups.values().map(|(sums, ..)| sums.bytes).sum::<u128>();
        for view in &normal.views {
            prop_assert_eq!(requests_counted(view), requests_counted(&normal.views[0]));
            prop_assert_eq!(counted_bytes(view), counted_bytes(&normal.views[0]));
        }
        match rules.cut {
            Cut::Records => {
                prop_assert_eq!(requests_counted(&normal.views[0]) + account.filtered, account.accepted);
            }
            // A record may leave bytes inside the limits and be counted as a request outside.
            Cut::Slots => {
                prop_assert!(requests_counted(&normal.views[0]) + account.filtered <= account.accepted);
            }
        }
        if !rules.scheme.preserves_volume() {
            return Ok(());
        }
        let unlimited = rules.since.is_none() && rules.until.is_none();
        if rules.cut == Cut::Slots || unlimited {
            for view in [0, 1, 3] {
                let in_slots = slot_bytes(&normal.views[view]);
                prop_assert_eq!(in_slots + normal.outside_bytes, bytes(&requests));
            }
        }
    }

    #[test]
    fn every_scheme_is_between_the_least_and_the_most(rules in all_rules(), requests in requests()) {
        let of = |scheme| normal(&counted(&Rules { scheme, ..rules.clone() }, &requests));
        let (least, most) = (of(Scheme::MinimumVolume), of(Scheme::MaximumVolume));
        let scheme = of(rules.scheme);
        let bytes = |view: &NormalView, key| view.samples.get(key).copied().unwrap_or_default().bytes;
        for ((least, view), most) in least.views.iter().zip(&scheme.views).zip(&most.views) {
            for key in least.samples.keys().chain(view.samples.keys()) {
                prop_assert!(bytes(least, key) <= bytes(view, key));
                prop_assert!(bytes(view, key) <= bytes(most, key));
            }
        }
    }

    #[test]
    fn the_schemes_agree_on_what_is_not_time(rules in all_rules(), requests in requests()) {
        let groups = |scheme| {
            let rules = Rules { scheme, cut: Cut::Records, ..rules.clone() };
            normal(&counted(&rules, &requests)).views.into_iter().map(|view| view.groups).collect::<Vec<_>>()
        };
        prop_assert_eq!(groups(rules.scheme), groups(Scheme::EndSpike));
    }
}

/// 2¹⁸ of these fill 64 bits to the last.
const FILLING: usize = 1 << 18;

fn largest(host: usize, end: i64, duration: i64) -> Request {
    Request {
        host,
        client: 1,
        peer: 0,
        forwarded: 0,
        status: 2,
        bytes: Some(BYTES_MAX),
        bytes_in: Some(BYTES_MAX),
        end: Some((ORIGIN + end) * MICROS),
        duration: Some(u64::try_from(duration * MICROS).expect("not negative")),
        extra: false,
    }
}

/// Counts the request so many times after `first`, alone and merged with itself in both forms.
fn check_no_wrap(rules: &Rules, first: &[Request], request: Request, times: usize) {
    let mut requests = first.to_vec();
    requests.resize(first.len() + times, request);
    let tally = counted(rules, &requests);
    let expected = naive(rules, &requests);
    let found = normal(&tally);
    assert_eq!(found, expected, "{times} times");
    let twice = normal(&tally.clone().merge(tally.clone()).merge(counted(rules, &[request])));
    for (view, expected) in twice.views.iter().zip(&expected.views) {
        let one = naive(rules, &[request]);
        let one: u128 = one.views[0].groups.values().map(|(sums, ..)| sums.bytes).sum();
        let bytes = |view: &NormalView| view.groups.values().map(|(sums, ..)| sums.bytes).sum::<u128>();
        assert_eq!(bytes(view), 2 * bytes(expected) + one);
        if !expected.samples.is_empty() {
            assert_eq!(slot_bytes(view), 2 * slot_bytes(expected) + one);
        }
    }
}

#[test]
fn sums_beyond_64_bits_do_not_wrap() {
    for times in [FILLING - 1, FILLING, FILLING + 1, 2 * FILLING + 3] {
        check_no_wrap(&rules(Scheme::EndSpike, Cut::Records, None, None), &[], largest(1, 10, 0), times);
    }
}

/// Shares of records that end outside the limits count no request: such a sample may be 0 again after 2⁶⁴ bytes.
#[test]
fn a_sample_that_fills_64_bits_without_a_request_counts_once() {
    let rules = rules(Scheme::StartSpike, Cut::Slots, None, Some(SLOT));
    for times in [FILLING, FILLING + 1, 2 * FILLING, 2 * FILLING + 3] {
        check_no_wrap(&rules, &[largest(2, 10, 0)], largest(1, SLOT + 10, 300), times);
    }
}
