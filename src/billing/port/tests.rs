//! Each shape of file, small and as the programs write it.

use super::*;

/// 1 November 2026, midnight at +08:00.
const MIDNIGHT: i64 = 1_793_462_400;

fn asked(column: Option<&str>, unit: Option<&str>) -> Choice {
    Choice { column: column.map(str::to_owned), unit: unit.map(|unit| Unit::parse(unit).unwrap()) }
}

fn port(text: &str, choice: &Choice) -> Port {
    let zone = Zone::parse("+08:00").unwrap();
    read("port.csv", text.as_bytes(), &zone, choice).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// (minutes after midnight, seconds, bytes) of each sample.
fn check(text: &str, choice: &Choice, about: &str, expected: &[(i64, u32, u128)]) -> Port {
    let port = port(text, choice);
    let found: Vec<_> = port
        .samples
        .iter()
        .map(|sample| ((sample.label - MIDNIGHT) / 60, sample.seconds, sample.bytes))
        .collect();
    let label = port.label.map_or("open", Label::name);
    let told = format!(
        "{}: {}, {} ({}), every {} s, label {label}",
        port.shape.name(),
        port.column,
        port.unit.name(),
        port.told.name(),
        port.step
    );
    assert_eq!((told.as_str(), found.as_slice()), (about, expected), "{text}");
    port
}

fn check_refused(text: &str, choice: &Choice, message: &str) {
    let error = read("port.csv", text.as_bytes(), &Zone::utc(), choice).unwrap_err();
    assert_eq!(error.to_string(), format!("port.csv: {message}"), "{text}");
}

#[test]
fn sheets_in_many_hands() {
    let any = Choice::default();
    check(
        "time,in_bps,out_bps\n2026-11-01 00:05:00,8,800\n2026-11-01 00:10:00,8,1600\n2026-11-01 00:15:00,8,NaN\n",
        &any,
        "sheet: out_bps, bit/s (file), every 300 s, label open",
        &[(5, 300, 30_000), (10, 300, 60_000)],
    );
    check(
        "\u{feff}Time;Traffic In (Mbps);Traffic Out (Mbps)\r\n2026/11/1 0:05;1;2,5\r\n2026/11/1 0:10;1;5\r\n",
        &any,
        "sheet: Traffic Out (Mbps), Mbit/s (file), every 300 s, label open",
        &[(5, 300, 93_750_000), (10, 300, 187_500_000)],
    );
    check(
        "采集时间\t入带宽(Mbps)\t出带宽(Mbps)\n2026-11-01 00:05\t1\t8\n2026-11-01 00:10\t1\t16\n",
        &any,
        "sheet: 出带宽(Mbps), Mbit/s (file), every 300 s, label open",
        &[(5, 300, 300_000_000), (10, 300, 600_000_000)],
    );
    check(
        "start,end,bytes\n1793462400,1793462700,100\n1793462700,1793463000,200\n",
        &any,
        "sheet: bytes, bytes (file), every 300 s, label start",
        &[(0, 300, 100), (5, 300, 200)],
    );
    check(
        "date,time,out\n2026-11-01,00:05,12.5 Mbps\n2026-11-01,00:10,1 Gbps\n",
        &any,
        "sheet: out, bit/s (file), every 300 s, label open",
        &[(5, 300, 468_750_000), (10, 300, 37_500_000_000)],
    );
    check(
        "1793462460000,8000\n1793462520000,16000\n",
        &any,
        "sheet: 2, bit/s (assumed), every 60 s, label open",
        &[(1, 60, 60_000), (2, 60, 120_000)],
    );
    check(
        "time,out\n2026-11-01 00:10,2\n2026-11-01 00:05,1\n",
        &asked(None, Some("kB/s")),
        "sheet: out, kB/s (asked), every 300 s, label open",
        &[(5, 300, 300_000), (10, 300, 600_000)],
    );
}

#[test]
fn counters_by_name_by_values_and_by_word() {
    let text = "timestamp,ifHCInOctets,ifHCOutOctets\n2026-10-31T16:05:00Z,1,1000\n2026-10-31T16:10:00Z,2,1500\n2026-10-31T16:15:00Z,3,2500\n";
    check(
        text,
        &Choice::default(),
        "sheet: ifHCOutOctets, counter (file), every 300 s, label end",
        &[(10, 300, 500), (15, 300, 1000)],
    );
    check(
        "time,out\n1793462700,18446744073709551000\n1793463000,18446744073709551600\n1793463300,84\n",
        &asked(None, Some("counter")),
        "sheet: out, counter (asked), every 300 s, label end",
        &[(10, 300, 600), (15, 300, 100)],
    );
    let rows: Vec<String> = (0..30).map(|at| format!("{},{}\n", MIDNIGHT + at * 300, at * at)).collect();
    let found = port(&format!("time,out\n{}", rows.concat()), &Choice::default());
    assert_eq!((found.unit, found.told, found.samples.len()), (Unit::COUNTER, Told::Values, 29));
}

#[test]
fn librenms_rows() {
    check(
        "bill_id\ttimestamp\tperiod\tdelta\tin_delta\tout_delta\n7\t2026-11-01 00:05:03\t300\t110\t10\t100\n7\t2026-11-01 00:10:02\t299\t220\t20\t200\n",
        &Choice::default(),
        "librenms: out_delta, bytes (shape), every 299 s, label end",
        &[(5, 300, 100), (10, 299, 200)],
    );
}

#[test]
fn cacti_exports() {
    check(
        "\u{feff}\"Title\",\"Traffic - eth0\"\n\"Vertical Label\",\"bits per second\"\n\"Start Date\",\"2026-11-01 00:00:00\"\n\
         \"End Date\",\"2026-11-01 00:15:00\"\n\"Step\",\"300\"\n\"Total Rows\",\"3\"\n\"Graph ID\",\"42\"\n\"Host ID\",\"3\"\n\
         \"Nth Percentile\",\"12.3\",\"|95:bits:6:max:2|\"\n\"\"\n\"Date\",\"Inbound\",\"Outbound\"\n\
         \"2026-11-01 00:05:00\",\"1.0e+00\",\"8.0000000000e+02\"\n\"2026-11-01 00:10:00\",\"1\",\"1600\"\n\
         \"2026-11-01 00:15:00\",\"NaN\",\"NaN\"\n",
        &Choice::default(),
        "cacti: Outbound, bit/s (file), every 300 s, label open",
        &[(5, 300, 30_000), (10, 300, 60_000)],
    );
}

#[test]
fn rrdtool_graph_csv() {
    check(
        "\"time\",\"in\",\"out bits\"\r\n1793462700,\"1.0000000000e+00\",\"8.0000000000e+02\"\r\n1793463000,\"NaN\",\"NaN\"\r\n",
        &Choice::default(),
        "sheet: out bits, bit/s (file), every 300 s, label open",
        &[(5, 300, 30_000)],
    );
}

#[test]
fn rrdtool_fetch() {
    let text = "                      traffic_in         traffic_out\n\n1793462700: 1.0000000000e+00 1.0000000000e+02\n\
                1793463000: nan -nan\n1793463300: 1.0000000000e+00 2.0050000000e+02\n";
    let port = check(
        text,
        &Choice::default(),
        "rrdtool fetch: traffic_out, B/s (shape), every 300 s, label end",
        &[(5, 300, 30_000), (15, 300, 60_150)],
    );
    assert_eq!((port.rows, port.unknown, port.bad_rows), (3, 1, 0));
    let port =
        super::read("x", text.replace("nan -nan", "nan x").as_bytes(), &Zone::utc(), &Choice::default());
    let fault = &port.unwrap().faults[0];
    assert_eq!((fault.line, fault.column, fault.reason), (4, 17, "not a number"));
}

#[test]
fn rrdtool_xport() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<xport>\n  <meta>\n    <start>1793462700</start>\n    <end>1793463300</end>\n    \
               <step>300</step>\n    <rows>3</rows>\n    <columns>2</columns>\n    <legend>\n      <entry>in bytes</entry>\n      \
               <entry>out bytes</entry>\n    </legend>\n  </meta>\n  <data>\n    <row><t>1793462700</t><v>1</v><v>1.0e+02</v></row>\n    \
               <row><t>1793463000</t><v>NaN</v><v>NaN</v></row>\n    <row><t>1793463300</t><v>1</v><v>2.0e+02</v></row>\n  </data>\n</xport>\n";
    let about = "rrdtool xport: out bytes, B/s (file), every 300 s, label end";
    let expected = [(5, 300, 30_000), (15, 300, 60_000)];
    check(xml, &Choice::default(), about, &expected);
    let untimed = ["1793462700", "1793463000", "1793463300"]
        .iter()
        .fold(xml.to_owned(), |xml, time| xml.replace(&format!("<t>{time}</t>"), ""));
    check(&untimed, &Choice::default(), about, &expected);
    let numbered = xml
        .replace("</t><v>", "</t><v0>")
        .replace("</v><v>", "</v0><v1>")
        .replace("</v></row>", "</v1></row>");
    check(&numbered, &Choice::default(), about, &expected);
    let broken = port(&xml.replace("1.0e+02", "x"), &Choice::default());
    assert_eq!((broken.faults[0].line, broken.faults[0].reason), (16, "not a number"));

    let json = "{ \"about\": \"RRDtool graph JSON output\",\n  \"meta\": {\n    \"start\": 1793462700,\n    \"end\": 1793463300,\n    \
                \"step\": 300,\n    \"legend\": [\n      \"in bytes\",\n      \"out bytes\"\n          ]\n     },\n  \"data\": [\n    \
                [ \"1793462700\",1.0, 1.0000000000e+02 ],\n    [ \"1793463000\",null, null ],\n    [ \"1793463300\",1, 2.0e+02 ]\n  ]\n}\n";
    check(json, &Choice::default(), about, &expected);
    let old = "{ about: 'RRDtool xport JSON output',\n  meta: {\n    start: 1793462700,\n    step: 300,\n    end: 1793462700,\n    \
               legend: [\n      'it\"s in bytes',\n      'out bytes'\n          ]\n     },\n  data: [\n    [ 1.0, 1.0000000000e+02 ],\n    \
               [ null, null ],\n    [ 1.0e+00, 2.0e+02  ]\n  ]\n}\n";
    check(old, &Choice::default(), about, &expected);
    check(
        &xml.replace("bytes", "traffic"),
        &asked(None, Some("Kbps")),
        "rrdtool xport: out traffic, kbit/s (asked), every 300 s, label end",
        &[(5, 300, 3_750_000), (15, 300, 7_500_000)],
    );
    check_refused(
        &xml.replace("bytes", "traffic"),
        &Choice::default(),
        "nothing tells the unit of `out traffic`; give --port-unit bps or bytes/s",
    );
    check_refused("<html></html>", &Choice::default(), "XML without <data>: not of rrdtool xport");
}

#[test]
fn bad_rows_are_told_and_the_rest_goes_on() {
    let text = "time,in_bps,out_bps\n2026-11-01 00:05,1,800\nyesterday,1,2\n2026-11-01 00:10,1,abc\n2026-11-01 00:15,1,1600\n\
                2026-11-01 00:15,1,9\n2026-11-01 00:20,1\n";
    let port = port(text, &Choice::default());
    let faults: Vec<_> = port
        .faults
        .iter()
        .map(|fault| (fault.line, fault.column, fault.reason, fault.text.as_slice()))
        .collect();
    let expected: [(u64, u64, &str, &[u8]); 4] = [
        (3, 1, "not a time", b"yesterday"),
        (4, 20, "not a number", b"abc"),
        (7, 1, "a column is missing", b""),
        (6, 1, "a second sample of this time", b"1793463300"),
    ];
    assert_eq!(faults, expected);
    assert_eq!((port.bad_rows, port.rows, port.samples.len()), (4, 6, 2));
    // A bad first row does not hide the names, and bad ones keep their time.
    check(
        "time,out_bps\n2026-11-01 00:05,x\n2026-11-01 00:10,800\n2026-11-01 00:15,1e99\n2026-11-01 00:20,-1\n2026-11-01 00:25,800\n",
        &Choice::default(),
        "sheet: out_bps, bit/s (file), every 300 s, label open",
        &[(10, 300, 30_000), (25, 300, 30_000)],
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let any = Choice::default();
    check_refused("", &any, "the file is empty");
    check_refused(" \n", &any, "the file is empty");
    check_refused(
        "hello\nworld\n",
        &any,
        "no row has a time and a number; expected CSV, TSV, rrdtool fetch or xport, or an export of Cacti or LibreNMS",
    );
    check_refused(
        "time,a,b\n1793462400,1,2\n1793462700,1,2\n",
        &any,
        "which column is it? Choose one of a, b with --port-column",
    );
    check_refused(
        "time,a,b\n1793462400,1,2\n1793462700,1,2\n",
        &asked(Some("c"), None),
        "no column `c`; there are a, b",
    );
    check_refused(
        "time,out\n1793462400,1\nx,2\n",
        &any,
        "there are not two samples within a day of each other; line 3, column 1: not a time: `x`",
    );
    check_refused("time,out\n1793462400,-\n1793462700,\n", &any, "no sample of column `out` is known");
    check_refused(
        "{\"meta\":{}}",
        &any,
        "not the JSON of rrdtool xport: missing field `start` at line 1 column 10",
    );
}

#[test]
fn clocks_set_back_show_an_hour_twice() {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    // 25 October 2026: at 03:00 it is 02:00 again.
    let clocks = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"];
    let rows: Vec<String> = clocks.iter().map(|clock| format!("2026-10-25 {clock},1\n")).collect();
    let labels = |rows: &[String]| -> Vec<i64> {
        let port = read("x", format!("time,bps\n{}", rows.concat()).as_bytes(), &zone, &Choice::default());
        port.unwrap().samples.iter().map(|sample| sample.label).collect()
    };
    let first = 1_792_884_600;
    let expected: Vec<i64> = (0..6).map(|at| first + at * 1800).collect();
    assert_eq!(labels(&rows), expected);
    assert_eq!(labels(&rows.iter().rev().cloned().collect::<Vec<_>>()), expected);
    // 29 March 2026: after 01:30 it is 03:00.
    // Ends that are shown twice as well.
    let spans = ["01:30,02:00", "02:00,02:30", "02:30,02:00", "02:00,02:30", "02:30,03:00", "03:00,03:30"];
    let span = |span: &str| format!("2026-10-25 {},1\n", span.replace(',', ",2026-10-25 "));
    let rows: String = spans.into_iter().map(span).collect();
    let port = read("x", format!("start,end,bytes\n{rows}").as_bytes(), &zone, &Choice::default()).unwrap();
    let found: Vec<_> = port.samples.iter().map(|sample| (sample.label, sample.seconds)).collect();
    assert_eq!(found, expected.iter().map(|&start| (start, 1800)).collect::<Vec<_>>());
    let rows = ["2026-03-29 01:30,1\n", "2026-03-29 03:00,1\n", "2026-03-29 03:30,1\n"].map(str::to_owned);
    assert_eq!(labels(&rows), [1_774_744_200, 1_774_746_000, 1_774_747_800]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3_000))]

    /// No text stops the program.
    #[test]
    fn any_text_is_read_or_refused(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "time", "out", ",", ";", "\t", "\n", "\"", "1793462400", "1793462700", "2026-11-01 00:05", "1e5", "nan", "9e999", ":", " ",
            "<data>", "<row>", "<v>", "</v>", "<start>1</start>", "<step>300</step>", "<t>", "{", "}", "'", "about:", "meta:", "start", "-", "é",
            "\u{feff}", "99999999999999999999999999999999999999", "start", "end", "period", "Mbps",
        ]), 0..40),
    ) {
        let text = pieces.concat();
        let zone = Zone::parse("Europe/Berlin").unwrap();
        for choice in [Choice::default(), asked(Some("1"), Some("bps")), asked(None, Some("counter"))] {
            let _ = read("x", text.as_bytes(), &zone, &choice);
        }
    }
}
