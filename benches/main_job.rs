//! The main job on generated lines: parse, join the server, spread, count. The result is asserted.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use bandwho::agent::Agents;
use bandwho::aggregate::spread::Scheme;
use bandwho::aggregate::{AgentColumn, Counter, Cut, Rules, Source, StatusColumn, Units};
use bandwho::client::{Rule, Trusted};
use bandwho::format::{Format, Layout};
use bandwho::input;
use bandwho::parse::{Parser, Record, Wanted};
use bandwho::place::Places;
use bandwho::query::{Basis, Dimension, Metric, View};
use bandwho::servers::{Servers, Statements};
use bandwho::time::{Grid, Zone};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LINES: u64 = 10_000;
const BYTES_PER_LINE: u64 = 1_000;

const FORMAT: &str = concat!(
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "#,
    r#""$http_user_agent" $request_time $upstream_response_time $server_addr"#
);

/// Ten lines a second, 200 clients, three data centres.
fn lines() -> Vec<u8> {
    let mut text = String::new();
    for n in 0..LINES {
        let (minute, second) = (n / 600 % 60, n / 10 % 60);
        text += &format!(
            "192.0.2.{} - - [20/Nov/2026:14:{minute:02}:{second:02} +0000] \"GET /hls/{n}/seg.ts HTTP/1.1\" 200 \
             {BYTES_PER_LINE} \"https://www.example.com/watch/{n}\" \"Mozilla/5.0 (X11; Linux x86_64) Chrome/127.0\" \
             0.125 - 10.{}.0.11\n",
            n % 200,
            1 + n % 3
        );
    }
    text.into_bytes()
}

fn main_job(criterion: &mut Criterion) {
    let text = lines();
    let format = Format::parse(FORMAT).expect("a valid format");
    let layout = Layout::compile(&format).expect("a valid format");
    let pairs = ["10.1.0.0/24=bj", "10.2.0.0/24=gz", "10.3.0.0/24=sh"].map(str::to_owned);
    let servers = Servers::load(&Statements { pairs: &pairs, ..Statements::default() }).expect("valid pairs");
    let places = Places::none();
    let by = Dimension::parse_list("idc,region,slot").expect("valid dimensions");
    let view = View::new(by, &[Metric::Bytes]);
    let wanted = view.wanted();
    let rules = Rules {
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
    };
    let source = Source {
        file: 0,
        escape: format.escape,
        idc: None,
        units: Units::Told,
        status: StatusColumn::Logged,
        agent: AgentColumn::Logged,
    };
    let mut group = criterion.benchmark_group("main job");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for (name, wanted) in [("projected", wanted), ("everything", Wanted::ALL)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut counter = Counter::new(&rules, &places, &servers);
                let mut parser = Parser::new(&layout, wanted, &[]);
                let mut record = Record::default();
                for line in input::lines(black_box(&text)) {
                    if parser.parse(line, &mut record).is_ok() {
                        counter.count(&record, &source);
                    }
                }
                let view = &counter.tally.views[0];
                let bytes: u128 = view.samples().map(|(_, _, sums)| sums.bytes).sum();
                assert_eq!(bytes, u128::from(LINES * BYTES_PER_LINE));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, main_job);
criterion_main!(benches);
