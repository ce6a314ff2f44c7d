//! Recognition. Input: the head of a log.

#![no_main]

use bandwho::format::w3c;
use bandwho::parse::wrapper::bare;
use bandwho::parse::{Reader, Record, Wanted};
use bandwho::{detect, input};
use bandwho_fuzz::law;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let found = detect::detect(data);
    let mut reader = Reader::new(&found.layouts(), Wanted::ALL, &[]);
    let mut buffer = Vec::new();
    let mut read = 0;
    for line in input::lines(data).map(bare).filter(|line| !line.trim_ascii().is_empty()) {
        if line[0] == b'#' {
            // What follows has the fields that this line names.
            if let Some(software) = found.software.as_ref().filter(|_| detect::is_header(line)) {
                reader.turn_to(&w3c::header(software, line));
            }
            continue;
        }
        let inner = found.wrappers.peel(line, &mut buffer);
        let mut record = Record::default();
        match reader.read(inner.line, &mut record) {
            Ok(format) => {
                assert!(format < found.candidates.len());
                read += 1;
            }
            Err(reject) => assert!(reject.column <= inner.line.len()),
        }
    }
    // So short a log is its own sample: what recognition counted is what reading reads.
    assert_eq!(read, found.candidates.iter().map(|candidate| candidate.accepted).sum::<usize>());
    assert_eq!(found.has_records(), read > 0);
    for candidate in found.candidates.iter().filter(|candidate| candidate.accepted > 0) {
        law::format(&candidate.layout.format).expect("a candidate has fields");
        law::lines(&candidate.layout, input::lines(data));
    }
    if let Some(nearest) = detect::nearest(data) {
        assert!(nearest.reject.column <= nearest.text.len());
    }
});
