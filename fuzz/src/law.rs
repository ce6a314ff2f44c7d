//! Laws of formats and of lines.

use bandwho::format::{FIELDS_MAX, Format, Grammar, Item, Layout, Part};
use bandwho::input;
use bandwho::parse::wrapper::bare;
use bandwho::parse::{Parser, Reader, Record, Reject, Sheet, Wanted, plain, value};

/// Fields that are asked for by their own names.
const OTHERS_MAX: usize = 8;

/// Literals and fields are in order, and a format compiles if it has fields, but not too many.
pub fn format(format: &Format) -> Option<Layout> {
    let literal = |item: &Item| matches!(item, Item::Literal(_));
    assert!(!format.items.windows(2).any(|pair| pair.iter().all(literal)), "two literals in a row");
    assert!(!format.items.contains(&Item::Literal(Vec::new())), "an empty literal");
    let Ok(layout) = Layout::compile(format) else {
        assert!(!(1..=FIELDS_MAX).contains(&format.fields().count()));
        return None;
    };
    assert!(layout.steps.iter().map(|step| &step.field).eq(format.fields()));
    assert!(layout.times().all(|step| step < layout.steps.len()));
    if let Some(step) = layout.source(Part::Status) {
        assert_eq!(layout.steps[step].field.part, Part::Status);
    }
    Some(layout)
}

/// Reads lines with parsers that ask for all, for nothing, and that have seen nothing before: what is accepted depends
/// neither on the question nor on earlier lines.
pub fn lines<'a>(layout: &Layout, lines: impl Iterator<Item = &'a [u8]>) {
    let mut others: Vec<String> =
        layout.steps.iter().take(OTHERS_MAX).map(|step| step.field.text.clone()).collect();
    others.push("$no_such_field".to_owned());
    let mut kept = Parser::new(layout, Wanted::ALL, &others);
    let mut indifferent = Parser::new(layout, Wanted::default(), &[]);
    for line in lines {
        let (mut record, mut counted, mut again) = Default::default();
        let verdict = kept.parse(line, &mut record);
        assert_eq!(verdict, indifferent.parse(line, &mut counted));
        assert_eq!(verdict, Parser::new(layout, Wanted::ALL, &others).parse(line, &mut again));
        kept.is_tail(line);
        if let Err(reject) = verdict {
            rejected(line, reject);
            continue;
        }
        assert_eq!(record, again);
        assert_eq!(numbers(&record), numbers(&counted));
        accepted(&kept, line, &record);
    }
}

/// A block read as the program reads it, line by line, says of every line what reading that line alone says, and no
/// other lines.
pub fn block(layout: &Layout, block: &[u8]) {
    let layouts = std::slice::from_ref(layout);
    let mut reader = Reader::new(layouts, Wanted::ALL, &[]);
    let mut alone = reader.clone();
    let mut sheet = Sheet::default();
    let mut start = 0;
    while start < block.len() {
        let (line, next) = input::line(block, start);
        if let Some(passed) = reader.pass(&block[start..], &mut sheet) {
            let mut expected = Record::default();
            assert_eq!(alone.read(bare(line), &mut expected), Ok(0));
            assert_eq!(*sheet.record(), expected);
            assert_eq!((start + passed.end, start + passed.next), (start + bare(line).len(), next));
        } else {
            // What a line left behind must not show in the next.
            _ = reader.read(bare(line), sheet.lend());
        }
        start = next;
    }
}

fn rejected(line: &[u8], reject: Reject) {
    assert!(reject.column <= line.len(), "column {} of {}", reject.column, line.len());
}

fn accepted<'a>(parser: &Parser, line: &'a [u8], record: &Record<'a>) {
    let format = &parser.layout().format;
    for text in texts(record) {
        inside(line, text);
        assert!(
            plain(format.escape, text).len() <= text.len(),
            "an escape is shorter than what it stands for"
        );
    }
    if record.extra && format.grammar == Grammar::Text {
        assert!(parser.matched_length() <= line.len());
    }
    assert!(record.start <= record.end);
    assert!(record.status.is_none_or(|status| status < 1_000));
    for bytes in [record.body, record.wire, record.bytes_in] {
        assert!(bytes.is_none_or(|bytes| bytes <= value::BYTES_MAX));
    }
    if let Some(rest) = parser.following(line) {
        assert!(line.ends_with(rest) && rest.len() < line.len());
    }
    parser.is_unclosed(line);
    parser.offset(line);
    record.full_target();
}

/// What counts are made of: read whether or not anyone asks.
fn numbers<'a>(record: &Record<'a>) -> Record<'a> {
    Record {
        time: record.time,
        offset: record.offset,
        zoneless: record.zoneless,
        start: record.start,
        end: record.end,
        status: record.status,
        body: record.body,
        wire: record.wire,
        bytes_in: record.bytes_in,
        duration_us: record.duration_us,
        implausible: record.implausible,
        extra: record.extra,
        ..Record::default()
    }
}

fn texts<'a>(record: &Record<'a>) -> impl Iterator<Item = &'a [u8]> {
    let Record { client, peer, forwarded, user, method, target, path, query, protocol, .. } = *record;
    let Record { host, server_addr, hostname, referer, agent, cache, .. } = *record;
    let named = [
        client,
        peer,
        forwarded,
        user,
        method,
        target,
        path,
        query,
        protocol,
        host,
        server_addr,
        hostname,
        referer,
        agent,
        cache,
    ];
    named.into_iter().chain(record.others.clone()).flatten()
}

/// A text is a piece of its line.
pub fn inside(line: &[u8], text: &[u8]) {
    let (line, text) = (line.as_ptr_range(), text.as_ptr_range());
    assert!(line.start <= text.start && text.end <= line.end, "a text from elsewhere");
}
