//! Any format and any lines, long ones among them. Input: a format, an empty line, lines.

#![no_main]

use bandwho::format::{Escape, Format, nginx};
use bandwho::parse::wrapper::bare;
use bandwho_fuzz::{law, layout, lines, split, stretched};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (head, body) = split(data);
    let text = String::from_utf8_lossy(head);
    let read = Format::parse(&text).or_else(|_| nginx::format("name", Escape::None, &text));
    let Some(layout) = layout(&text, read) else { return };
    law::lines(&layout, lines(body));
    // Other line ends and other cuts of the same bytes are other lines of the same format.
    law::lines(&layout, lines(body).map(bare));
    law::lines(&layout, [body, &body[body.len() / 2..]].into_iter());
    law::block(&layout, body);
    // A second turn goes by what is remembered of the first, and far enough from the end.
    law::block(&layout, &[body, b"\n", body, &[b'\n'; 100]].concat());
    if let Some(long) = stretched(data, body) {
        law::lines(&layout, [long.as_slice()].into_iter());
    }
});
