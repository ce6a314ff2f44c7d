//! Wrappers: recognised, taken off, and put together from parts. Input: a line whose bytes are sizes of blocks, and a
//! log.

#![no_main]

use bandwho::input;
use bandwho::parse::wrapper::{Joiner, Wrapper, Wrappers};
use bandwho_fuzz::law;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (sizes, log) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let lines: Vec<&[u8]> = input::lines(log).collect();
    let wrappers = Wrappers::detect(&lines);
    peel(&wrappers, &lines);
    cut(&wrappers, sizes, log);
    // A log of these lines alone, so that rare shapes are wrappers too.
    for line in lines {
        let wrappers = Wrappers::detect(&[line]);
        peel(&wrappers, &[line]);
    }
});

fn peel(wrappers: &Wrappers, lines: &[&[u8]]) {
    let escapes = wrappers.layers().iter().any(|layer| matches!(layer, Wrapper::Docker | Wrapper::Quotes));
    let mut buffer = Vec::new();
    for line in lines {
        let inner = wrappers.peel(line, &mut buffer);
        assert!(inner.line.len() <= line.len());
        match inner.offset {
            Some(offset) => {
                law::inside(line, inner.line);
                assert_eq!(&line[offset..offset + inner.line.len()], inner.line);
            }
            None => assert!(escapes),
        }
    }
}

/// Wherever a log is cut into blocks, it has the same lines.
fn cut(wrappers: &Wrappers, sizes: &[u8], log: &[u8]) {
    let mut whole = Vec::new();
    let left_over = join(wrappers, log, &mut whole);
    let mut joined = Vec::new();
    let mut rest = log;
    for &size in sizes {
        let wanted = rest.len().min(usize::from(size) * 4);
        let Some(newline) = rest[..wanted].iter().rposition(|&byte| byte == b'\n') else { continue };
        let (block, _) = rest.split_at(wrappers.joint(&rest[..=newline]));
        assert_eq!(join(wrappers, block, &mut joined), 0, "a joint cuts no record");
        rest = &rest[block.len()..];
    }
    assert_eq!(join(wrappers, rest, &mut joined), left_over);
    assert_eq!(joined, whole);
}

fn join(wrappers: &Wrappers, block: &[u8], records: &mut Vec<Vec<u8>>) -> u64 {
    let mut joiner = Joiner::default();
    for line in input::lines(block) {
        if let Some(inner) = joiner.join(wrappers, line) {
            records.push(inner.line.to_vec());
        }
    }
    joiner.unfinished()
}
