//! Lines that name their values. Input: lines. Valid JSON must be read as `serde_json` reads it.

#![no_main]

use bandwho::format::{Escape, Field, Format, Grammar, Kind, Layout, Part, keys};
use bandwho::parse::{Parser, Record, Wanted, named_values, plain};
use bandwho_fuzz::{law, lines, stretched};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

/// Longer names, and objects of more values, are not listed in full.
const NAME_MAX: usize = 200;
const VALUES_MAX: usize = 1_000;

fuzz_target!(|data: &[u8]| {
    for line in lines(data) {
        if let Ok(Value::Object(object)) = serde_json::from_slice(line) {
            agrees(line, &object);
        }
        if let Some(named) = named_values(Grammar::Ltsv, line) {
            labels_stand_before_colons(line, &named);
        }
    }
    for grammar in [Grammar::Json, Grammar::Ltsv] {
        let named: Vec<keys::Line> = lines(data).filter_map(|line| named_values(grammar, line)).collect();
        let Some(format) = keys::format(grammar, &named) else { continue };
        let layout = law::format(&format).expect("a detected format has fields");
        law::lines(&layout, lines(data));
        if let Some(long) = stretched(data, data) {
            named_values(grammar, &long);
            law::lines(&layout, [long.as_slice()].into_iter());
        }
    }
});

/// Strings, booleans and whole numbers of an object, listed and looked up by name.
fn agrees(line: &[u8], object: &Map<String, Value>) {
    let commas = line.split(|&byte| byte == b',').count();
    // A dot may lead into an object, and a name with escapes is known as it is written.
    let plain_name = |name: &str| name.len() < NAME_MAX && !name.contains('.');
    let members: Vec<(&String, Vec<u8>)> =
        object.iter().filter(|(name, _)| plain_name(name)).filter_map(told).collect();
    if commas > VALUES_MAX || members.is_empty() {
        return;
    }
    let listed = named_values(Grammar::Json, line).expect("an object");
    for (name, value) in &members {
        let same = |raw: &str| *plain(Escape::Json, raw.as_bytes()) == *name.as_bytes();
        let (_, raw) = listed.iter().rfind(|(raw, _)| same(raw)).expect("every member is listed");
        assert_eq!(plain(Escape::Json, raw), value.as_slice(), "{name:?}");
    }
    let literal = |name: &str| serde_json::to_string(name).is_ok_and(|json| line_has(line, &json));
    let looked_up: Vec<_> = members.into_iter().filter(|(name, _)| literal(name)).collect();
    if !has_escaped_names(&listed) && !looked_up.is_empty() {
        finds(line, &looked_up);
    }
}

fn told<'a>((name, value): (&'a String, &Value)) -> Option<(&'a String, Vec<u8>)> {
    match value {
        Value::String(text) => Some((name, text.clone().into_bytes())),
        Value::Bool(value) => Some((name, value.to_string().into_bytes())),
        Value::Number(number) => number.as_u64().map(|number| (name, number.to_string().into_bytes())),
        _ => None,
    }
}

fn line_has(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|window| window == text.as_bytes())
}

fn has_escaped_names(listed: &keys::Line) -> bool {
    listed.iter().any(|(name, _)| name.contains('\\'))
}

/// A layout of these names finds these values.
fn finds(line: &[u8], members: &[(&String, Vec<u8>)]) {
    let field = |name: &String| Field { text: name.clone(), part: Part::Other, rank: 0, kind: Kind::Text };
    let fields = members.iter().map(|(name, _)| field(name)).collect();
    let format = Format::keyed("json", Grammar::Json, Escape::Json, fields);
    let layout = Layout::compile(&format).expect("it has fields");
    let names: Vec<String> = members.iter().map(|(name, _)| (*name).clone()).collect();
    let mut parser = Parser::new(&layout, Wanted::ALL, &names);
    // The second time the order of the names is known.
    for _ in 0..2 {
        let mut record = Record::default();
        parser.parse(line, &mut record).expect("valid JSON");
        for ((name, value), found) in members.iter().zip(record.others) {
            let found = found.map(|raw| plain(Escape::Json, raw).into_owned());
            let null = value.is_empty() || value == b"-";
            assert_eq!(found, (!null).then(|| value.clone()), "{name:?}");
        }
    }
}

fn labels_stand_before_colons(line: &[u8], named: &keys::Line) {
    let columns = line.split(|&byte| byte == b'\t').filter(|column| !column.trim_ascii().is_empty());
    let expected = columns.filter_map(|column| {
        let colon = column.iter().position(|&byte| byte == b':').expect("a label");
        let label = str::from_utf8(column[..colon].trim_ascii()).ok()?;
        Some((label.to_owned(), column[colon + 1..].to_vec()))
    });
    assert!(expected.eq(named.iter().cloned()));
}
