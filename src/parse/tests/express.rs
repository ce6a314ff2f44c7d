//! Laws of the express lane: what it reads is what would be read without it, and nothing stays of another line.

use super::*;
use crate::input;
use crate::parse::wrapper::bare;

/// Reads lines as a log is read, and each again with a reader and a record that are new; tells how many the lane read.
fn compare(formats: &[Format], wanted: Wanted, lines: &[u8]) -> Result<usize, TestCaseError> {
    let layouts: Vec<Layout> = formats.iter().map(layout).collect();
    let others = ["$my_own", "$remote_user", "%{Referer}i", "$request"].map(str::to_owned);
    let mut reader = Reader::new(&layouts, wanted, &others);
    let mut without = reader.clone();
    let mut sheet = Sheet::default();
    let (mut start, mut passed) = (0, 0);
    while start < lines.len() {
        let (line, next) = input::line(lines, start);
        let mut expected = Record::default();
        let read = without.read(bare(line), &mut expected);
        let text = || format!("{:?} {:?}", formats[0].text, String::from_utf8_lossy(line));
        if let Some(found) = reader.pass(&lines[start..], &mut sheet) {
            prop_assert_eq!((read, sheet.record()), (Ok(0), &expected), "{}", text());
            prop_assert_eq!((start + found.end, start + found.next), (start + bare(line).len(), next));
            prop_assert_eq!(&reader.parser(0).spans, &without.parser(0).spans, "{}", text());
            prop_assert!(!bare(line).is_empty() && lines[..next].ends_with(b"\n"));
            passed += 1;
        } else {
            let record = sheet.lend();
            prop_assert_eq!(reader.read(bare(line), record), read);
            if read.is_ok() {
                prop_assert_eq!(&*record, &expected, "{}", text());
            }
        }
        start = next;
    }
    Ok(passed)
}

/// The lines as they stand in a block, none of them near its end.
fn block(lines: impl IntoIterator<Item = (Vec<u8>, &'static str)>) -> Vec<u8> {
    let mut block: Vec<u8> = lines.into_iter().flat_map(|(line, end)| [line, end.into()].concat()).collect();
    block.extend_from_slice(&[b'\n'; 100]);
    block
}

fn ends() -> impl Strategy<Value = Vec<&'static str>> {
    let end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r\r\n"), 1 => Just(" \n"), 1 => Just("\r")];
    prop::collection::vec(end, 6)
}

/// Names and values of lines that name their values.
fn keyed() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let pairs = [
        ("host", "$remote_addr"),
        ("time", "$time_iso8601"),
        ("request", "$request"),
        ("status", "$status"),
        ("size", "$body_bytes_sent"),
        ("duration", "$request_time"),
    ];
    prop::sample::subsequence(pairs.to_vec(), 2..=pairs.len()).prop_shuffle()
}

/// The directive that writes such lines, and the format by which they are read.
fn keyed_formats(pairs: &[(&str, &str)], grammar: Grammar) -> [Format; 2] {
    let all = |pair: fn(&(&str, &str)) -> String, between: &str| {
        pairs.iter().map(pair).collect::<Vec<_>>().join(between)
    };
    let (text, escape) = if grammar == Grammar::Ltsv {
        (all(|(name, value)| format!("{name}:{value}"), "\t"), Escape::Nginx)
    } else {
        let pairs = all(|(name, value)| format!(r#""{name}":"{value}""#), ",");
        (format!("{{{pairs}}}"), Escape::Json)
    };
    let written = nginx::format("keyed", escape, &text).expect(&text);
    let named = |(field, (name, _)): (&Field, &(&str, &str))| Field { text: (*name).into(), ..field.clone() };
    let fields = written.fields().zip(pairs).map(named).collect();
    let read = Format::keyed("keyed", grammar, escape, fields);
    [written, read]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_lane_reads_what_would_be_read_without_it(
        format in formats(),
        seeds in seeds(),
        mutations in prop::collection::vec(mutations(), 6),
        ends in ends(),
        parts in prop_oneof![Just(u32::MAX), any::<u32>()],
        plain in any::<bool>(),
    ) {
        let lines = (0..).zip(mutations.iter().zip(ends)).map(|(at, (mutations, end))| {
            // The values come in other places from line to line, but times must follow each other to be remembered.
            let mut seeds = seeds.clone();
            let length = seeds.len();
            seeds.rotate_left(at % 3 * 5 % length);
            let value = |field: &Field, seed: &Seed| match &field.kind {
                _ if !plain => value_of(field, format.escape, seed),
                Kind::Time(..) => plain_value(field, &Seed { number: seed.number % 8 * 15_000_000, ..seed.clone() }),
                _ => plain_value(field, seed),
            };
            let line = render(&format, &seeds, value);
            (if plain && at % 2 == 0 { line } else { mutate(line, mutations) }, end)
        });
        compare(std::slice::from_ref(&format), Wanted(parts), &block(lines))?;
    }

    #[test]
    fn nothing_stays_of_the_line_of_another_format(
        (first, second) in (formats(), formats()),
        seeds in seeds(),
        turns in prop::collection::vec(any::<bool>(), 6),
    ) {
        let lines = turns.into_iter().map(|turn| {
            let format = if turn { &first } else { &second };
            (render(format, &seeds, |field, seed| value_of(field, format.escape, seed)), "\n")
        });
        compare(&[first.clone(), second.clone()], Wanted::ALL, &block(lines))?;
    }

    #[test]
    fn lines_that_name_their_values_are_read_by_name(
        (written, asked, seeds) in keyed().prop_flat_map(|pairs| {
            let shuffled = Just(pairs.clone()).prop_shuffle();
            (Just(pairs), shuffled, seeds())
        }),
        grammar in prop::sample::select(vec![Grammar::Json, Grammar::Ltsv]),
        mutations in prop::collection::vec(mutations(), 6),
    ) {
        let ([written, _], [_, asked]) = (keyed_formats(&written, grammar), keyed_formats(&asked, grammar));
        let lines = (0..).zip(&mutations).map(|(at, mutations)| {
            let line = render(&written, &seeds, |field, seed| value_of(field, written.escape, seed));
            (if at % 2 == 0 { line } else { mutate(line, mutations) }, "\n")
        });
        let passed = compare(std::slice::from_ref(&asked), Wanted::ALL, &block(lines))?;
        prop_assert_eq!(passed, 0, "a lane goes by order");
    }

    #[test]
    fn arbitrary_lines_pass_as_they_are_read(
        format in formats(),
        lines in prop::collection::vec(
            prop_oneof![3 => prop::sample::select(&b" \"\\[]-|\t:,;x05\n\r"[..]), 1 => any::<u8>()],
            0..200,
        ),
    ) {
        compare(std::slice::from_ref(&format), Wanted::ALL, &lines)?;
    }
}

#[test]
fn plain_lines_take_the_lane() {
    const CLF: &str = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET / HTTP/1.1" 200 6"#;
    let check = |format: &str, tail: &str, expected: usize| {
        let format = Format::parse(format).expect(format);
        let line = format!("{CLF}{tail}").into_bytes();
        let later = [line.clone(), b"\n".to_vec(), line.clone()].concat();
        let later = String::from_utf8(later).expect("ASCII").replace(":11 +", ":59 +").into_bytes();
        let found = compare(&[format], Wanted::ALL, &block([(line, "\n"), (later, "\r\n")]));
        assert_eq!(found.expect("the lane agrees"), 3 * expected, "{tail}");
    };
    check("common", "", 1);
    check("common", " x", 0);
    check("combined", r#" "-" "curl/8""#, 1);
    check("combined", r#" "-" "a \"quoted\" agent""#, 0);
    check("combined", r#" "-" "curl/8" 17"#, 0);
    check("combined_d", r#" "-" "curl/8" 250113"#, 1);
    check("combined_d", r#" "-" "curl/8" 0.250"#, 0);
    check("combined_rt", r#" "-" "curl/8" 0.250"#, 1);
    let format = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time $server_addr $host"#;
    check(format, r#" "-" "curl/8" 0.250 - 10.0.0.1 a.example"#, 1);
    check(format, r#" "-" "curl/8" 123456.250 0.250 2001:db8::1 a.example"#, 1);
    check(format, r#" "-" "curl/8" 0.250 0.100, 0.150 10.0.0.1 a.example"#, 0);
}

/// A format may span lines; nothing else does.
#[test]
fn a_line_ends_at_its_newline() {
    for text in ["$remote_addr\n$status", "\n$remote_addr $status", "$status \"$request\n\" $status"] {
        let format = nginx::format("lines", Escape::Nginx, text).expect(text);
        let lines = b"192.0.2.1\n200\n200 \"GET /\n\" 200\n192.0.2.1 200\n";
        assert_eq!(compare(&[format], Wanted::ALL, &block([(lines.to_vec(), "")])).expect("agrees"), 0);
    }
}

/// What may end a line is no part of a time that is remembered.
#[test]
fn a_time_before_a_carriage_return_is_not_remembered_with_it() {
    const TIME: &str = "23/Nov/2026:05:53:11 +0000";
    let format = nginx::format("times", Escape::Json, "$time_local $time_local").expect("a format");
    let line = format!("{TIME} {TIME}").into_bytes();
    let lines = block(["\r", "\n", "\r\n", "\n"].map(|end| (line.clone(), end)));
    assert_eq!(compare(&[format], Wanted::ALL, &lines).expect("agrees"), 2);
}
