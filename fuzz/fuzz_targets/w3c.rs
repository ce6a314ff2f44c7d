//! W3C extended logs. Input: a log with `#` lines.

#![no_main]

use bandwho::detect::is_header;
use bandwho::format::{Format, Layout, w3c};
use bandwho::parse::{Reader, Record, Wanted};
use bandwho_fuzz::{law, lines, split, stretched};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(layout) = w3c::layout_of_header(split(data).0) {
        assert!(layout.steps.len() <= w3c::COLUMNS_MAX);
        law::lines(&layout, lines(data));
        if let Some(long) = stretched(data, data) {
            law::lines(&layout, [long.as_slice()].into_iter());
        }
    }
    let combined = Layout::compile(&Format::parse("combined").expect("a preset")).expect("a preset");
    let start = Reader::new(&[combined], Wanted::ALL, &[]);
    let mut reader = start.clone();
    let mut header = None;
    for line in lines(data) {
        if is_header(line) {
            reader.turn_to(line);
            // One that names no columns changes nothing.
            header = w3c::layout_of_header(line).is_ok().then_some(line).or(header);
            continue;
        }
        // A block of this line alone, as a log may be cut anywhere.
        let mut alone = start.clone();
        header.inspect(|header| alone.turn_to(header));
        let (mut record, mut again) = (Record::default(), Record::default());
        let verdict = reader.read(line, &mut record);
        assert_eq!(verdict, alone.read(line, &mut again));
        if verdict.is_ok() {
            assert_eq!(record, again);
        }
    }
    reader.turn_back();
    let mut record = Record::default();
    assert_eq!(reader.read(data, &mut record), start.clone().read(data, &mut Record::default()));
});
