//! Who is served where, and what it would cost elsewhere: figures worked out by hand.

use serde_json::{Value, json};

use crate::{Run, Scratch, bandwho};

const SERVERS: &str = "cidr,idc,region,carrier,price
10.1.0.0/24,bj,北京,China Unicom,20
10.2.0.0/24,gz,广东,电信/移动,15.5
10.3.0.0/24,hk,HK,,
10.4.0.0/24,sh,CN-SH,BGP,18
";

const PLACES: &str = "network,country,province,isp,asn,org,usage_type
203.0.113.0/24,CN,Guangdong,China Telecom,4134,Chinanet,
198.51.100.0/24,CN,Beijing,China Unicom,4808,Beijing Unicom,
192.0.2.0/24,CN,Guangdong,China Telecom,64500,Cloud,DCH
";

/// Client, server, slot of five minutes, bytes.
const REQUESTS: [(&str, &str, u32, u64); 7] = [
    ("203.0.113.1", "10.1.0.1", 0, 3_000_000),
    ("203.0.113.9", "10.1.0.2", 1, 1_500_000),
    ("198.51.100.1", "10.1.0.1", 1, 1_500_000),
    ("192.0.2.1", "10.4.0.1", 3, 1_500_000),
    ("8.8.8.8", "10.4.0.1", 3, 750_000),
    ("198.51.100.2", "10.2.0.1", 5, 375_000),
    ("198.51.100.1", "10.1.0.1", 19, 750_000),
];

struct Bench {
    scratch: Scratch,
    options: Vec<String>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let line = |&(client, server, slot, bytes): &(&str, &str, u32, u64)| {
            let (hour, minute) = (slot * 5 / 60, slot * 5 % 60);
            format!("{client} {server} [23/Nov/2026:{hour:02}:{minute:02}:30 +0800] 200 {bytes}\n")
        };
        let lines: String = REQUESTS.iter().map(line).collect();
        let log = scratch.file("a.log", lines.as_bytes());
        let servers = scratch.file("servers.csv", SERVERS.as_bytes());
        let places = scratch.file("places.csv", PLACES.as_bytes());
        let format = "$remote_addr $server_addr [$time_local] $status $body_bytes_sent";
        let options = ["dispatch", "--format", format, "--servers", &servers, "--ip-db", &places, &log];
        let options = options.map(str::to_owned).to_vec();
        Self { scratch, options }
    }

    fn run(&self, more: &[&str]) -> Run {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        bandwho(&[&options[..], more].concat())
    }

    fn json(&self, more: &[&str]) -> Value {
        let run = self.run(&[&["--json"], more].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        serde_json::from_str(&run.out).unwrap()
    }

    fn refused(&self, more: &[&str], code: i32, message: &str) {
        let run = self.run(more);
        assert_eq!((run.code, run.err.as_str()), (code, format!("bandwho: {message}\n").as_str()));
    }
}

/// The rows of a view, with the members that are asked for.
fn rows(answer: &Value, view: &str, names: &[&str]) -> Vec<Vec<Value>> {
    let rows = answer["views"][view]["rows"].as_array().unwrap();
    rows.iter().map(|row| names.iter().map(|name| row[name].clone()).collect()).collect()
}

fn check(found: &[Vec<Value>], expected: &Value) {
    assert_eq!(json!(found), *expected);
}

#[test]
fn shares_are_of_what_is_known() {
    let answer = Bench::new("dispatch-shares").json(&[]);
    assert_eq!(answer["schema"], "bandwho.dispatch/1");
    let names = [
        "measure",
        "requests",
        "bytes",
        "share",
        "share_requests",
        "unknown_requests",
        "unknown_bytes",
        "unknown_share",
    ];
    check(
        &rows(&answer, "shares", &names),
        &json!([
            // Beijing in Beijing, and the cloud's client on the BGP of Shanghai, of 8,625,000 bytes.
            ["on-net", 3, 3_750_000, 0.434_783, 0.5, 1, 750_000, 0.08],
            ["in-region", 2, 2_250_000, 0.26087, 0.333_333, 1, 750_000, 0.08],
            ["in-country", 6, 8_625_000, 1.0, 1.0, 1, 750_000, 0.08],
        ]),
    );
    let names = ["region", "idc", "requests", "bytes", "row_share", "column_share", "in_region"];
    check(
        &rows(&answer, "region_idc", &names),
        &json!([
            ["CN-GD", "bj", 2, 4_500_000, 0.75, 0.666_667, "no"],
            ["CN-BJ", "bj", 2, 2_250_000, 0.857_143, 0.333_333, "yes"],
            ["CN-GD", "sh", 1, 1_500_000, 0.25, 0.666_667, "no"],
            ["unknown", "sh", 1, 750_000, 1.0, 0.333_333, null],
            ["CN-BJ", "gz", 1, 375_000, 0.142_857, 1.0, "no"],
        ]),
    );
    let names = ["carrier", "idc", "bytes", "row_share_requests", "column_share_requests", "on_net"];
    check(
        &rows(&answer, "carrier_idc", &names),
        &json!([
            ["China Telecom", "bj", 4_500_000, 0.666_667, 0.5, "no"],
            ["China Unicom", "bj", 2_250_000, 0.666_667, 0.5, "yes"],
            ["China Telecom", "sh", 1_500_000, 0.333_333, 0.5, "yes"],
            ["unknown", "sh", 750_000, 1.0, 0.5, null],
            ["China Unicom", "gz", 375_000, 0.333_333, 1.0, "no"],
        ]),
    );
    assert_eq!((&answer["bytes"], &answer["cloud_bytes"]), (&json!(9_375_000), &json!(1_500_000)));
}

const WRONG: [&str; 9] = [
    "region",
    "carrier",
    "idc",
    "better_idc",
    "requests",
    "bytes",
    "billed_bps",
    "price_difference",
    "saving",
];

#[test]
fn misplaced_clients_have_a_better_data_centre() {
    let bench = Bench::new("dispatch-misplaced");
    let answer = bench.json(&[]);
    // Beijing's 95th of 20 slots is its second highest, 80,000 bit/s, which slots 0 and 1 both have: 4,500,000 bytes in
    // 600 s. Guangzhou's is 0, so its rate is the mean over 6,000 s.
    let guangdong = json!(["CN-GD", "China Telecom", "bj", "gz", 2, 4_500_000, 60_000, "4.5", "0.27"]);
    let beijing = json!(["CN-BJ", "China Unicom", "gz", "bj", 1, 375_000, 500, "-4.5", "0.00"]);
    check(&rows(&answer, "misplaced", &WRONG), &json!([guangdong, beijing]));
    assert_eq!((&answer["misplaced_bytes"], &answer["misplaced_share"]), (&json!(4_875_000), &json!(0.52)));
    assert_eq!(answer["views"]["misplaced"]["total"]["requests"], 3);
    let names = ["net", "idc", "better_idc", "asn", "org", "requests", "bytes"];
    let networks = json!([
        ["203.0.113.0/24", "bj", "gz", 4134, "Chinanet", 2, 4_500_000],
        ["198.51.100.0/24", "gz", "bj", 4808, "Beijing Unicom", 1, 375_000],
    ]);
    check(&rows(&answer, "networks", &names), &networks);
    let answer = bench.json(&["--include-cloud"]);
    // 2,000 bit/s at 2.50 less are half a hundredth.
    let cloud = json!(["CN-GD", "China Telecom", "sh", "gz", 1, 1_500_000, 2_000, "2.5", "0.01"]);
    check(&rows(&answer, "misplaced", &WRONG), &json!([guangdong, cloud, beijing]));
}

#[test]
fn moves_change_both_bills() {
    let bench = Bench::new("dispatch-moves");
    let names = [
        "idc",
        "bytes_out",
        "bytes_in",
        "p95_before",
        "p95_after",
        "amount_before",
        "amount_after",
        "amount_change",
    ];
    let expected = json!([
        ["bj", 4_500_000, 0, 80_000, 20_000, "1.60", "0.40", "-1.20"],
        ["gz", 0, 4_500_000, 0, 40_000, "0.00", "0.62", "0.62"],
    ]);
    for clients in ["region=CN-GD", "province=广东", "carrier=电信", "region=Guangdong,carrier=CHINANET"]
    {
        let answer = bench.json(&["--move", &format!("{clients}:bj->gz")]);
        check(&rows(&answer, "moves", &names), &expected);
        let total = &answer["views"]["moves"]["total"];
        assert_eq!(
            (&total["amount_before"], &total["amount_after"], &total["amount_change"]),
            (&json!("1.60"), &json!("1.02"), &json!("-0.58"))
        );
    }
    // The first that names a client moves it; Hong Kong has no price.
    let answer = bench.json(&["--move", "region=CN-GD:bj->hk", "--move", "country=CN:bj->gz"]);
    check(
        &rows(&answer, "moves", &names),
        &json!([
            ["bj", 6_750_000, 0, 80_000, 0, "1.60", "0.00", "-1.60"],
            ["gz", 0, 2_250_000, 0, 20_000, "0.00", "0.31", "0.31"],
            ["hk", 0, 4_500_000, 0, 40_000, null, null, null],
        ]),
    );
    assert_eq!(answer["views"]["moves"]["total"]["amount_change"], Value::Null);
}

#[test]
fn the_manual_shows_what_people_see() {
    let manual = include_str!("../../docs/DISPATCH.md");
    let run = Bench::new("dispatch-manual").run(&["--move", "region=CN-GD:bj->gz"]);
    let (answer, _) = run.out.split_once("\n7 lines:").unwrap();
    assert!(manual.contains(answer.trim_end()), "{answer}");
}

#[test]
fn networks_are_exported() {
    let bench = Bench::new("dispatch-export");
    let exported = |name: &str| {
        let path = bench.scratch.file(name, b"old");
        let run = bench.run(&["--export", &path]);
        assert_eq!(run.code, 0, "{}", run.err);
        std::fs::read_to_string(path).unwrap()
    };
    let expected =
        "prefix,idc_now,idc_better,bytes\n203.0.113.0/24,bj,gz,4500000\n198.51.100.0/24,gz,bj,375000\n";
    assert_eq!(exported("a.csv"), expected);
    let expected = "# Networks that a better data centre is there for; by bandwho dispatch.
# Each is sent there whole. Where only a part of its bytes is misplaced, a comment says so.
geo $bandwho_better_idc {
    default \"\";
    198.51.100.0/24 \"bj\"; # 375000 of its 2625000 bytes
    203.0.113.0/24 \"gz\";
}
";
    assert_eq!(exported("a.conf"), expected);
}

#[test]
fn what_cannot_be_done_says_why() {
    let bench = Bench::new("dispatch-refused");
    bench.refused(
        &["--move", "region=CN-GD:bj"],
        2,
        "--move region=CN-GD:bj: expected a form such as region=CN-GD:bj->gz",
    );
    bench.refused(
        &["--move", "region=CN-GD:bj->xx"],
        2,
        "--move region=CN-GD:bj->xx: `xx` is no data centre of the server list",
    );
    bench.refused(
        &["--move", "region=south:bj->gz"],
        2,
        "--move region=south:bj->gz: `south` is no region that is known",
    );
    bench.refused(
        &["--move", "asn=1:bj->gz"],
        2,
        "--move asn=1:bj->gz: `asn` is none of region, province, country and carrier",
    );
    bench.refused(&["--export", "a.txt"], 2, "--export a.txt: the extension must be .csv, .conf or .geo");
    let servers = bench.options[4].clone();
    bench.refused(&["--export", &servers], 2, &format!("cannot write {servers}: it is also an input"));
    let priced = bench.scratch.file("priced.csv", b"cidr,idc,price\n10.1.0.0/24,bj,cheap\n");
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    options[4] = &priced;
    let run = bandwho(&options);
    let message = format!(
        "bandwho: {priced}:2:16: the price of bj is `cheap`: expected a number such as 900 or 14.3\n"
    );
    assert_eq!((run.code, run.err), (1, message));
    let priced = bench.scratch.file("priced.csv", b"cidr,idc,price\n10.1.0.0/24,bj,0.000000000000000001\n");
    options[4] = &priced;
    let message = format!(
        "bandwho: {priced}:2:16: the price of bj is `0.000000000000000001`: more than 9 digits before the point, or 6 after it\n"
    );
    assert_eq!(bandwho(&options).err, message);
    // Other commands have no use for prices.
    options[0] = "top";
    assert_eq!(bandwho(&[&options[..], &["--by", "idc"]].concat()).code, 0);
}

#[test]
fn threads_and_splits_make_no_difference() {
    let bench = Bench::new("dispatch-split");
    let log = std::fs::read_to_string(&bench.options[7]).unwrap();
    let (middle, _) = log.match_indices('\n').nth(3).unwrap();
    let second = bench.scratch.file("0.log", &log.as_bytes()[middle + 1..]);
    let first = bench.scratch.file("1.log", &log.as_bytes()[..=middle]);
    let mut expected = bench.json(&["--threads", "1"]);
    expected["input"].take();
    let mut options: Vec<&str> = bench.options[..7].iter().map(String::as_str).collect();
    options.extend(["--json", "--threads", "3", &first, &second]);
    let run = bandwho(&options);
    let mut found: Value = serde_json::from_str(&run.out).unwrap();
    found["input"].take();
    assert_eq!(found, expected);
}

#[test]
fn a_part_that_nobody_knows_is_not_the_whole_country() {
    let scratch = Scratch::new("dispatch-part");
    let log = scratch.file(
        "a.log",
        b"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET /a HTTP/1.1\" 200 1000 \"-\" \"-\"\n",
    );
    let servers = scratch.file("servers.csv", b"address,idc,region\n10.0.0.1,bj,CN-BJ\n10.0.0.2,gz,CN-GD\n");
    let run = bandwho(&["dispatch", "--servers", &servers, "--move", "region=CN-XX:bj->gz", &log]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("`CN-XX` is no region that is known"), "{}", run.err);
}

/// Two halves of a /24: a carrier's clients, and machines in a data centre that have no say in dispatch.
#[test]
fn networks_add_up_to_what_is_misplaced() {
    let scratch = Scratch::new("dispatch-halves");
    let line =
        |client: &str, bytes: u64| format!("{client} 10.1.0.1 [23/Nov/2026:00:00:30 +0800] 200 {bytes}\n");
    let servers = scratch.file("servers.csv", SERVERS.as_bytes());
    let places = "network,country,province,isp,usage_type\n60.0.7.0/25,CN,Guangdong,China Telecom,\n60.0.7.128/25,CN,Guangdong,China Telecom,DCH\n";
    let places = scratch.file("places.csv", places.as_bytes());
    let format = "$remote_addr $server_addr [$time_local] $status $body_bytes_sent";
    for machines in [500, 1500] {
        let log = [line("60.0.7.1", 1000), line("60.0.7.200", machines)].concat();
        let log = scratch.file("a.log", log.as_bytes());
        let run = bandwho(&[
            "dispatch",
            "--format",
            format,
            "--servers",
            &servers,
            "--ip-db",
            &places,
            "--json",
            &log,
        ]);
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(answer["misplaced_bytes"], json!(1000));
        assert_eq!(answer["views"]["networks"]["total"]["bytes"], json!(1000));
        assert_eq!(answer["cloud_bytes"], json!(machines));
    }
}

/// No typed path names what a `geo` list includes.
#[test]
fn included_lists_are_not_overwritten() {
    let bench = Bench::new("dispatch-included");
    let more = bench.scratch.file("more.conf", b"10.1.0.0/24 bj;\n");
    let globbed = bench.scratch.file("sites-1.conf", b"10.2.0.0/24 gz;\n");
    let list = bench.scratch.file(
        "geo.conf",
        b"geo $idc {\n    default sh;\n    include more.conf;\n    include sites-*.conf;\n}\n",
    );
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    options[4] = &list;
    let linked = bench.scratch.0.join("linked.csv");
    std::fs::hard_link(&globbed, &linked).unwrap();
    let linked = linked.to_str().unwrap().to_owned();
    for path in [&more, &globbed, &list, &linked] {
        let before = std::fs::read(path).unwrap();
        for option in ["--export", "--output", "--rejects"] {
            let run = bandwho(&[&options[..], &[option, path, "--csv"]].concat());
            let expected = format!("bandwho: cannot write {path}: it is also an input\n");
            assert_eq!((run.code, run.err.as_str()), (2, expected.as_str()), "{option}");
        }
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
    assert_eq!(bandwho(&options).code, 0);
    // The same for what a configuration of nginx includes.
    let formats = bench.scratch.file(
        "formats.conf",
        b"log_format own '$remote_addr $server_addr [$time_local] $status $body_bytes_sent';\n",
    );
    let conf = bench.scratch.file("nginx.conf", b"http { include formats.conf; access_log /none own; }\n");
    let log = options[7];
    let run = bandwho(&["--nginx-conf", &conf, "--format", "own", "--rejects", &formats, log]);
    assert_eq!(run.err, format!("bandwho: cannot write {formats}: it is also an input\n"));
}

#[test]
fn an_export_is_whole_and_of_a_whole_answer() {
    let bench = Bench::new("dispatch-export-whole");
    let path = |name: &str| bench.scratch.0.join(name).to_str().unwrap().to_owned();
    // Formulas are disarmed, unless asked otherwise; the extension may be in capitals.
    let list = "cidr,idc,region,carrier\n10.1.0.0/24,bj,北京,联通\n10.2.0.0/24,=gz,广东,电信\n";
    let formulas = bench.scratch.file("formulas.csv", list.as_bytes());
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    options[4] = &formulas;
    let out = path("out.CSV");
    for (more, name) in [(&[][..], "'=gz"), (&["--csv-raw"][..], "=gz")] {
        let run = bandwho(&[&options[..], &["--export", &out], more].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        let text = std::fs::read_to_string(&out).unwrap();
        assert!(text.contains(&format!("203.0.113.0/24,bj,{name},4500000\n")), "{text}");
    }
    // An answer that lacks something exports nothing.
    std::fs::write(&out, "old").unwrap();
    let bad = bench.scratch.file("bad.log", b"no record at all\n");
    let run = bandwho(&[&options[..], &["--strict", "--export", &out, &bad]].concat());
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("warning: nothing is exported: the answer is not complete"), "{}", run.err);
    let unwritable = path("none/answer.json");
    let run = bandwho(&[&options[..], &["--output", &unwritable, "--export", &out]].concat());
    assert_eq!(run.code, 1);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
    assert!(
        std::fs::read_dir(&bench.scratch.0)
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_str().unwrap().contains(".tmp") })
    );
    // Names are looked at before the log is.
    let dollar = bench.scratch.file("dollar.csv", b"cidr,idc,region\n10.1.0.0/24,$bj,GD\n");
    options[4] = &dollar;
    let out = path("out.conf");
    let run = bandwho(&[&options[..], &["--export", &out]].concat());
    let message =
        format!("bandwho: --export {out}: the name \"$bj\" has letters that nginx gives a meaning to\n");
    assert_eq!((run.code, run.err), (1, message));
}

#[test]
fn words_of_the_list_are_understood_or_told() {
    let bench = Bench::new("dispatch-words");
    let list = "cidr,idc,region,carrier\n10.1.0.0/24,bj,BJ,双线/Nobody\n10.2.0.0/24,gz,GD,广东电信\n10.3.0.0/24,x1,华南,CN2\n10.4.0.0/24,x2,华东,AS4134\n10.5.0.0/24,x3,华西,\n10.6.0.0/24,x4,华北,\n";
    let list = bench.scratch.file("words.csv", list.as_bytes());
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    options[4] = &list;
    let run = bandwho(&[&options[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let notes = json!([
        "4 regions of the server list are not understood: `华东` (x2), `华北` (x4), `华南` (x1), …",
        "1 carrier of the server list is not understood: `Nobody` (bj)",
    ]);
    assert_eq!(answer["notes"], notes);
    let names = ["region", "carrier", "idc", "on_net"];
    let carriers = rows(&answer, "carrier_idc", &names[1..]);
    assert!(carriers.contains(&vec![json!("China Telecom"), json!("bj"), json!("yes")]), "{carriers:?}");
    let regions = rows(&answer, "region_idc", &["region", "idc", "in_region"]);
    assert!(regions.contains(&vec![json!("CN-BJ"), json!("bj"), json!("yes")]), "{regions:?}");
    // Where an answer has no room for them, they are told beside it.
    let run = bandwho(&[&options[..], &["--csv"]].concat());
    assert!(
        run.err.contains("note: 1 carrier of the server list is not understood: `Nobody` (bj)"),
        "{}",
        run.err
    );
    let run = bandwho(&options);
    assert!(run.out.contains("note                     1 carrier of the server list"), "{}", run.out);
}

#[test]
fn moves_that_take_nothing_say_so() {
    let bench = Bench::new("dispatch-idle");
    let typed = ["country=US,carrier=电信:bj->gz", "country=CN,province=广东:bj->gz", "region=GD:bj->sh"];
    let answer = bench.json(&["--move", typed[0], "--move", typed[1], "--move", typed[2]]);
    let notes = json!([
        "--move country=US,carrier=电信:bj->gz moves nothing: bj has no bytes of clients of region US and carrier china telecom",
        "--move region=GD:bj->sh moves nothing: an earlier one moves those clients of bj",
    ]);
    assert_eq!(answer["notes"], notes);
    check(&rows(&answer, "moves", &["idc", "bytes_out"])[..1], &json!([["bj", 4_500_000]]));
}

#[test]
fn without_times_there_are_no_rates() {
    let bench = Bench::new("dispatch-timeless");
    let log = bench.scratch.file("timeless.log", b"203.0.113.1 10.1.0.1 200 1000\n");
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    (options[2], options[7]) = ("$remote_addr $server_addr $status $body_bytes_sent", &log);
    let run = bandwho(&[&options[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let row = json!(["CN-GD", "China Telecom", "bj", "gz", 1, 1000, null, "4.5", null]);
    check(&rows(&answer, "misplaced", &WRONG), &json!([row]));
    let run = bandwho(&[&options[..], &["--move", "region=GD:bj->gz"]].concat());
    let message = "bandwho: --move bills both sides by slots of time, and no log has a field for it; the formats are: $remote_addr $server_addr $status $body_bytes_sent\n";
    assert_eq!((run.code, run.err.as_str()), (1, message));
}

#[test]
fn nobody_is_sent_abroad_for_a_carrier() {
    let bench = Bench::new("dispatch-abroad");
    let list = "cidr,idc,region,carrier\n10.1.0.0/24,bj,BJ,联通\n10.2.0.0/24,sg,SG,BGP\n";
    let list = bench.scratch.file("abroad.csv", list.as_bytes());
    let mut options: Vec<&str> = bench.options.iter().map(String::as_str).collect();
    options[4] = &list;
    let run = bandwho(&[&options[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let names = ["region", "idc", "better_idc", "bytes"];
    check(&rows(&answer, "misplaced", &names), &json!([["CN-BJ", "sg", "bj", 375_000]]));
}
