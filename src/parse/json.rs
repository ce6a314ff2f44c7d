//! JSON objects, one per line, as real servers write them.
//!
//! A `log_format` that puts variables between braces writes JSON only as long as no value is empty, a list or a quote:
//! of the lines a real nginx wrote under such a format, up to two thirds were invalid. So this is no JSON parser but a
//! walk from name to value that never asks more of a line than it needs:
//!
//! ```text
//! {"a":1,"b":,"c":-,"d":0.1, 0.2 : 0.3,"e":"\x22","f":"""",}
//! ```
//!
//! * A string ends at a quote that is not escaped and that something follows which may follow a value. Where that is
//!   not so the quote belongs to the value (`escape=none`; Apache's `%u` writes an empty user as `""`).
//! * Anything else ends at a brace, or at a comma with a name after it.
//! * Escapes, control bytes, and bytes that are not UTF-8 stay as they are.
//!
//! For valid JSON this is exact: there both rules are JSON's own. Advice for changing this: the tests compare it with
//! `serde_json`; every step must move forward, so that a line costs no more than its length (see
//! `docs/decisions/0003-json-lines.md`).

use memchr::memchr;

use super::Span;
use super::keys::{DEPTH_MAX, Found, Keys};

/// A line may begin with this many other bytes: a logger's own columns, or the `escape=json` that an nginx older than
/// 1.11.8 takes for a part of the format.
const PREFIX_MAX: usize = 160;

/// Values of one line that [`values`] lists, and the length of a path among them.
const VALUES_MAX: usize = 1_024;
const PATH_MAX: usize = 256;

/// Finds the values of a line; true if something follows the object. Fails at the first byte that cannot be read, at
/// the end of a line that is cut, and at the start of an object that has no value a request would have.
pub(super) fn find(keys: &mut Keys, line: &[u8], spans: &mut [Span]) -> Result<bool, usize> {
    keys.restart(spans);
    let open = opening(line)?;
    let end = walk(&mut Search { keys, spans }, line, open + 1)?;
    if !keys.finish(spans) {
        return Err(open);
    }
    let rest =
        line[end..].iter().position(|&byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']'));
    let Some(rest) = rest.map(|at| end + at) else { return Ok(false) };
    // An object in the middle of a line is something that a client asked for, not a record.
    if blanks(line, 0) < open {
        return Err(end);
    }
    if line[rest] == b'{' {
        keys.rest = rest;
    }
    Ok(true)
}

/// All paths and raw values of a line; `None` if it is no object.
pub(super) fn values(line: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut list = List { prefixes: vec![String::new()], values: Vec::new() };
    let open = opening(line).ok()?;
    walk(&mut list, line, open + 1).ok()?;
    let values = list.values.into_iter();
    Some(
        values
            .filter_map(|(path, span)| {
                span.map(|(start, end)| (path, line[start as usize..end as usize].to_vec()))
            })
            .collect(),
    )
}

/// Who is told of names and values.
trait Listener {
    /// The next name, if it can be told without looking for its end; with its length.
    fn expected(&mut self, _object: u16, _rest: &[u8], _quote: u8) -> Option<(usize, Found)> {
        None
    }
    fn name(&mut self, object: u16, name: &[u8]) -> Found;
    fn enter(&mut self, _object: u16) {}
    fn value(&mut self, step: u16, span: Span);
}

/// Fills the spans of a layout's steps.
struct Search<'a> {
    keys: &'a mut Keys,
    spans: &'a mut [Span],
}

impl Listener for Search<'_> {
    #[inline]
    fn expected(&mut self, object: u16, rest: &[u8], quote: u8) -> Option<(usize, Found)> {
        self.keys.expected(object, rest, quote)
    }

    #[inline]
    fn name(&mut self, object: u16, name: &[u8]) -> Found {
        self.keys.find(object, name)
    }

    #[inline]
    fn enter(&mut self, object: u16) {
        self.keys.enter(object);
    }

    #[inline]
    fn value(&mut self, step: u16, span: Span) {
        self.spans[usize::from(step)] = span;
    }
}

/// Lists everything.
struct List {
    /// For each object, the path to its members.
    prefixes: Vec<String>,
    values: Vec<(String, Option<Span>)>,
}

impl Listener for List {
    fn name(&mut self, object: u16, name: &[u8]) -> Found {
        let Ok(name) = std::str::from_utf8(name) else { return Found::default() };
        let prefix = &self.prefixes[usize::from(object)];
        if self.values.len() == VALUES_MAX || prefix.len() + name.len() > PATH_MAX {
            return Found::default();
        }
        let path = format!("{prefix}{name}");
        self.prefixes.push(format!("{path}."));
        self.values.push((path, None));
        let index = u16::try_from(self.values.len()).expect("VALUES_MAX fits");
        Found { step: Some(index - 1), object: Some(index) }
    }

    fn value(&mut self, step: u16, span: Span) {
        self.values[usize::from(step)].1 = Some(span);
    }
}

/// What a value stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Object,
    Array,
    /// Something whose values nobody wants.
    Skipped,
}

/// The brace that begins the object.
fn opening(line: &[u8]) -> Result<usize, usize> {
    let first = blanks(line, 0);
    if line.get(first) == Some(&b'{') {
        return Ok(first);
    }
    let prefix = &line[..line.len().min(PREFIX_MAX)];
    let mut braces = memchr::memchr_iter(b'{', prefix);
    braces.find(|&brace| matches!(line.get(brace + 1), Some(b'"' | b'\''))).ok_or(first)
}

/// Walks an object from the byte after its brace to the byte after its last.
fn walk(listener: &mut impl Listener, line: &[u8], mut at: usize) -> Result<usize, usize> {
    let mut outer = [0; DEPTH_MAX];
    let mut depth = 0;
    let mut object = 0;
    loop {
        at = blanks(line, at);
        let quote = match line.get(at) {
            Some(&quote @ (b'"' | b'\'')) => quote,
            Some(b',') => {
                at += 1;
                continue;
            }
            Some(b'}') if depth == 0 => return Ok(at + 1),
            Some(b'}') => {
                at += 1;
                depth -= 1;
                object = outer[depth];
                continue;
            }
            _ => return Err(at),
        };
        let found;
        (at, found) = name(listener, line, at + 1, object, quote)?;
        at = blanks(line, at);
        if line.get(at) != Some(&b':') {
            return Err(at);
        }
        at = blanks(line, at + 1);
        let span;
        (span, at) = match (line.get(at), found.object) {
            (Some(b'{'), Some(inner)) if depth < DEPTH_MAX => {
                outer[depth] = object;
                depth += 1;
                object = inner;
                listener.enter(inner);
                at += 1;
                continue;
            }
            (Some(b'['), _) => array(line, at)?,
            (Some(b'{'), _) => {
                at = skip(line, at)?;
                continue;
            }
            _ => scalar(line, at, Inside::Object)?,
        };
        if let Some(step) = found.step {
            listener.value(step, span);
        }
    }
}

/// Reads a name; returns the place after its quote.
#[inline]
fn name(
    listener: &mut impl Listener,
    line: &[u8],
    start: usize,
    object: u16,
    quote: u8,
) -> Result<(usize, Found), usize> {
    if let Some((length, found)) = listener.expected(object, &line[start..], quote) {
        return Ok((start + length + 1, found));
    }
    let mut from = start;
    loop {
        let end = from + memchr(quote, &line[from..]).ok_or(line.len())?;
        if !is_escaped(line, start, end) {
            return Ok((end + 1, listener.name(object, &line[start..end])));
        }
        from = end + 1;
    }
}

/// A string, number or bare word, and the place after it. `null` has no span.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
fn scalar(line: &[u8], start: usize, inside: Inside) -> Result<(Span, usize), usize> {
    match line.get(start) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = string_end(line, start + 1, quote, inside)?;
            Ok(((start as u32 + 1, end as u32), end + 1))
        }
        Some(_) => {
            let next = bare_end(line, start, inside)?;
            let text = line[start..next].trim_ascii_end();
            let span = if text == b"null" { (0, 0) } else { (start as u32, (start + text.len()) as u32) };
            Ok((span, next))
        }
        None => Err(line.len()),
    }
}

/// The quote that ends a string.
#[inline]
fn string_end(line: &[u8], start: usize, quote: u8, inside: Inside) -> Result<usize, usize> {
    let mut from = start;
    loop {
        let end = from + memchr(quote, &line[from..]).ok_or(line.len())?;
        if !is_escaped(line, start, end) && may_end(line, end + 1, inside) {
            return Ok(end);
        }
        from = end + 1;
    }
}

/// True if an odd number of backslashes stands before `at`.
#[inline]
fn is_escaped(line: &[u8], start: usize, at: usize) -> bool {
    line[start..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// True if a string may have ended before `at`. Where the line ends here it is cut, and fails later.
#[inline]
fn may_end(line: &[u8], at: usize, inside: Inside) -> bool {
    let at = blanks(line, at);
    match (line.get(at), inside) {
        (None, _) => true,
        (Some(b','), Inside::Object) => begins_name(line, at + 1),
        (Some(b'}'), Inside::Object) => true,
        (Some(b'"' | b'\''), Inside::Object) => lacks_comma(line, at),
        (Some(b',' | b']'), Inside::Array) => true,
        (Some(b',' | b':' | b']' | b'}'), Inside::Skipped) => true,
        _ => false,
    }
}

/// True if after a comma comes a name, or nothing more.
#[inline]
fn begins_name(line: &[u8], at: usize) -> bool {
    matches!(line.get(blanks(line, at)), None | Some(b'"' | b'\'' | b'}' | b','))
}

/// True if the quote at `at` begins a name: people forget the comma between two lines of a format.
#[cold]
fn lacks_comma(line: &[u8], at: usize) -> bool {
    let rest = &line[at + 1..];
    let Some(length) = memchr(line[at], rest).filter(|&length| length > 0) else { return false };
    rest.get(blanks(rest, length + 1)) == Some(&b':')
}

/// The byte after a value without quotes: a comma, if a name or the end follows it; a quote; or what closes the value
/// around it.
#[inline]
fn bare_end(line: &[u8], start: usize, inside: Inside) -> Result<usize, usize> {
    for (at, &byte) in line.iter().enumerate().skip(start) {
        match (byte, inside) {
            (b'}' | b'"', Inside::Object) | (b',' | b']', Inside::Array) => return Ok(at),
            (b',', Inside::Object) if begins_name(line, at + 1) => return Ok(at),
            _ => {}
        }
    }
    Err(line.len())
}

/// The first value of an array that is neither an array nor an object, and the place after the array.
#[inline]
fn array(line: &[u8], open: usize) -> Result<(Span, usize), usize> {
    let mut first = None;
    let mut at = open + 1;
    loop {
        at = blanks(line, at);
        match line.get(at) {
            Some(b']') => return Ok((first.unwrap_or((0, 0)), at + 1)),
            Some(b',') => at += 1,
            Some(b'{' | b'[') => at = skip(line, at)?,
            _ => {
                let (span, next) = scalar(line, at, Inside::Array)?;
                first.get_or_insert(span);
                at = next;
            }
        }
    }
}

/// The place after an array or object.
fn skip(line: &[u8], open: usize) -> Result<usize, usize> {
    let mut depth = 0_usize;
    let mut at = open;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' | b'\'' => at = string_end(line, at + 1, byte, Inside::Skipped)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(line.len())
}

/// The next byte that is not blank.
#[inline]
fn blanks(line: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = line.get(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::value::unescape;
    use super::*;
    use crate::format::{Escape, Field, Format, Grammar, Kind, Layout, Part};

    fn keys(paths: &[String]) -> (Keys, Vec<Span>) {
        let field =
            |path: &String| Field { text: path.clone(), part: Part::Other, rank: 0, kind: Kind::Text };
        let format = Format::keyed("j", Grammar::Json, Escape::Json, paths.iter().map(field).collect());
        let layout = Layout::compile(&format).expect("has fields");
        (Keys::new(&layout), vec![(0, 0); paths.len()])
    }

    /// `a=1 b.c=x`, `+` where something follows, or the column of the failure.
    fn check(line: &[u8], expected: &str) {
        let paths: Vec<String> = ["a", "b", "b.c", "b.c.d-e", "s"].map(str::to_owned).to_vec();
        let (mut keys, mut spans) = keys(&paths);
        // The second time the order of names is known.
        for _ in 0..2 {
            let shown = match find(&mut keys, line, &mut spans) {
                Err(column) => format!("@{column}"),
                Ok(more) => {
                    let told = paths.iter().zip(&spans).filter(|(_, span)| **span != (0, 0));
                    let mut shown: Vec<String> = told
                        .map(|(path, &(start, end))| {
                            format!("{path}={}", line[start as usize..end as usize].escape_ascii())
                        })
                        .collect();
                    shown.extend(more.then(|| format!("+{}", keys.rest)));
                    shown.join(" ")
                }
            };
            assert_eq!(shown, expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn values_are_found_by_their_path() {
        check(br#"{"a":1,"s":"x","z":true}"#, "a=1 s=x");
        check(br#"  { "s" : "x" , "a" : -1.5e3 }  "#, "a=-1.5e3 s=x");
        check(br#"{"b":{"c":"in","z":[{}]},"a":2}"#, "a=2 b.c=in");
        check(br#"{"b.c":"flat","a":2}"#, "a=2 b.c=flat");
        check(br#"{"b":{"c":{"d-e":1}},"s":2}"#, "b.c.d-e=1 s=2");
        check(br#"{"b.c":{"d-e":1}}"#, "b.c.d-e=1");
        check(br#"{"b":{"c.d-e":1}}"#, "b.c.d-e=1");
        check(br#"{"b":["x","y"],"s":[[1],{"q":2},3],"a":[]}"#, "b=x s=3");
        check(br#"{"a":null,"b":"","s":{}}"#, "b=");
        check(br#"{"a":1,"a":2,"s":3,"s":null}"#, "a=2");
        check(b"{}", "");
        check(br#"{"z":{"a":{"b":["}",{"a":1}]}},"a":7}"#, "a=7");
        check(br#"{"z":"{\"a\":1}","a":7}"#, "a=7");
        check(br#"{"s":"back\\","a":"q\"q\\\""}"#, r#"a=q\\\"q\\\\\\\" s=back\\\\"#);
    }

    #[test]
    fn what_servers_write_instead_of_json_is_read() {
        check(br#"{"a":,"b":-,"s":"x"}"#, "a= b=- s=x");
        check(br#"{"a": ,"s":}"#, "a= s=");
        check(br#"{"a":0.1, 0.2 : 0.3,"s":1}"#, "a=0.1, 0.2 : 0.3 s=1");
        check(br#"{"s":1,"a":127.0.0.1:80, unix:/x : [::1]:80}"#, "a=127.0.0.1:80, unix:/x : [::1]:80 s=1");
        check(br#"{"a":"\x22","s":1,}"#, r"a=\\x22 s=1");
        check(b"{\"a\":\"\xff\x00\x1b\",\"s\":1}", r"a=\xff\x00\x1b s=1");
        check(br#"{"a":"""","s":1}"#, r#"a=\"\" s=1"#);
        check(br#"{"a":"say "hi", all","s":"""}"#, r#"a=say \"hi\", all s=\""#);
        check(br#"{"a":"1""s":"2" "b":3}"#, "a=1 b=3 s=2");
        check(br#"{"a":1"s":2}"#, "a=1 s=2");
        check(br"{'a':'x','s':200}", "a=x s=200");
        check(br#"escape=json{"a":1}"#, "a=1");
        check(br#"[{"a":1},"#, "a=1");
        check(br#"{"a":1},"#, "a=1");
    }

    #[test]
    fn more_than_one_object_shows() {
        check(br#"{"a":1}{"a":2}"#, "a=1 +7");
        check(br#"{"a":1} , {"a":2}"#, "a=1 +10");
        check(br#"{"a":1} tail"#, "a=1 +0");
        check(br#"GET /{"a":1} HTTP/1.1"#, "@12");
    }

    #[test]
    fn broken_lines_say_where() {
        check(br#"{"a":1,"s":"cut"#, "@15");
        check(br#"{"a":1"#, "@6");
        check(br#"{"a":{"#, "@6");
        check(br#"{"a""#, "@4");
        check(br#"{"a"}"#, "@4");
        check(b"{a:1}", "@1");
        check(br#"{"a":"1" b":2}"#, "@14");
        check(b"plain text", "@0");
        check(b"  ", "@2");
        check(b"", "@0");
    }

    #[test]
    fn an_object_that_tells_no_request_is_none() {
        let field = |path: &str, part| Field { text: path.to_owned(), part, rank: 0, kind: Kind::Word };
        let fields = vec![field("ts", Part::Time), field("ip", Part::Client), field("old_ip", Part::Client)];
        let layout =
            Layout::compile(&Format::keyed("j", Grammar::Json, Escape::Json, fields)).expect("fields");
        let (mut keys, mut spans) = (Keys::new(&layout), vec![(0, 0); 3]);
        assert_eq!(find(&mut keys, br#"{"ts":1,"msg":"started"}"#, &mut spans), Err(0));
        assert_eq!(find(&mut keys, br#"{"ts":1,"ip":null}"#, &mut spans), Err(0));
        // One name stands in for another.
        assert_eq!(find(&mut keys, br#"{"ts":1,"old_ip":"x"}"#, &mut spans), Ok(false));
        assert_eq!(spans[1], spans[2]);
    }

    #[test]
    fn a_line_costs_no_more_than_its_length() {
        let checks: [(&str, &str, &str); 8] = [
            ("{\"a\":\"", "\" ", "\"}"),
            ("{\"a\":\"", "\"'", "\"}"),
            ("{\"a\":", "[", ""),
            ("{\"a\":", "{\"b\":", ""),
            ("{\"a\":", ", ", "}"),
            ("{\"a\":\"", "\\", "\"}"),
            ("{", "\"z\":1,", "}"),
            ("{\"a\":\"", "\"\\", "\"}"),
        ];
        for (head, middle, tail) in checks {
            let line = format!("{head}{}{tail}", middle.repeat(500_000));
            let (mut keys, mut spans) = keys(&["a".to_owned(), "a.b".to_owned()]);
            let start = std::time::Instant::now();
            let _ = find(&mut keys, line.as_bytes(), &mut spans);
            let _ = values(line.as_bytes());
            assert!(start.elapsed().as_secs() < 5, "{head}{middle}{tail}");
        }
    }

    /// The slow twin: everything that `serde_json` finds, in line order.
    fn flatten(path: &str, value: &Value, found: &mut Vec<(String, Option<String>)>) {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            other => Some(other.to_string()),
        };
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    flatten(&path, value, found);
                }
            }
            Value::Array(items) => {
                let first = items.iter().find(|item| !item.is_array() && !item.is_object());
                found.push((path.to_owned(), first.and_then(text)));
            }
            other => found.push((path.to_owned(), text(other))),
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[\",:{}\\[\\]\\\\' x]{0,12}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d.]{1,3}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-d.]{1,3}", value, 0..8)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    }

    /// Puts blanks between the tokens of compact JSON.
    fn spread(text: &str, blanks: &[usize]) -> String {
        let mut blanks = blanks.iter().cycle();
        let (mut spread, mut quoted, mut escaped) = (String::new(), false, false);
        for letter in text.chars() {
            let structural = !quoted && "{}[]:,".contains(letter);
            let blank =
                ["", " ", "\t", " \r "][if structural { blanks.next().expect("endless") % 4 } else { 0 }];
            spread.push_str(blank);
            spread.push(letter);
            spread.push_str(blank);
            if letter == '"' && !escaped {
                quoted = !quoted;
            }
            escaped = letter == '\\' && !escaped;
        }
        spread
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn valid_json_reads_as_serde_json_reads_it(
            objects in prop::collection::vec(json(), 1..3),
            blanks in prop::collection::vec(0usize..12, 1..9),
        ) {
            let mut paths = vec!["none".to_owned()];
            for object in &objects {
                let mut found = Vec::new();
                flatten("", object, &mut found);
                paths.extend(found.into_iter().map(|(path, _)| path).filter(|path| !path.is_empty()));
            }
            paths.sort();
            paths.dedup();
            let (mut keys, mut spans) = keys(&paths);
            for object in &objects {
                let line = spread(&object.to_string(), &blanks);
                let mut expected = Vec::new();
                flatten("", object, &mut expected);
                prop_assert_eq!(find(&mut keys, line.as_bytes(), &mut spans), Ok(false), "{}", line);
                for (path, &(start, end)) in paths.iter().zip(&spans) {
                    if path.matches('.').count() >= DEPTH_MAX {
                        continue;
                    }
                    let raw = &line.as_bytes()[start as usize..end as usize];
                    let found = (end > 0).then(|| unescape(Escape::Json, raw).into_owned());
                    let last = expected.iter().rev().find(|(known, _)| known == path);
                    let expected = last.and_then(|(_, text)| text.clone()).map(String::into_bytes);
                    prop_assert_eq!(found, expected, "{} in {}", path, line);
                }
            }
        }

        #[test]
        fn no_bytes_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            tokens in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", "\"", "'", ":", ",", " ", "\\", "\"a\":", "\"b\":{", "1", "null", "é", "\0",
                ]),
                0..60,
            ),
        ) {
            let paths = ["a".to_owned(), "b".to_owned(), "b.a".to_owned()];
            let (mut keys, mut spans) = keys(&paths);
            for line in [bytes.as_slice(), tokens.concat().as_bytes(), format!("{{{}", tokens.concat()).as_bytes()] {
                match find(&mut keys, line, &mut spans) {
                    Ok(_) => prop_assert!(
                        spans.iter().all(|&(start, end)| start <= end && end as usize <= line.len())
                    ),
                    Err(column) => prop_assert!(column <= line.len()),
                }
                let _ = values(line);
            }
        }
    }
}
