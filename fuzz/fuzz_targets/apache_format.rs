//! `LogFormat` texts and directives: compiled, printed, and read. Input: the text, an empty line, values and lines.

#![no_main]

use bandwho::format::{Format, Layout, apache};
use bandwho_fuzz::{law, layout, lines, print, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (head, body) = split(data);
    let text = String::from_utf8_lossy(head);
    if let Some(layout) = layout(&text, apache::format("name", &text)) {
        fields_stand_in_the_text(&layout.format);
        check(&layout, body);
    }
    if let Some(layout) = layout(&text, apache::directive(&text)) {
        let Format { name, text, .. } = &layout.format;
        assert_eq!(apache::format(name, text).as_ref(), Ok(&layout.format));
        check(&layout, body);
    }
    if let Some(layout) = layout(&text, Format::parse(&text)) {
        check(&layout, body);
    }
});

fn check(layout: &Layout, body: &[u8]) {
    print::law(layout);
    let printed = print::line(&layout.format, lines(body));
    law::lines(layout, lines(body).chain([printed.as_slice()]));
}

fn fields_stand_in_the_text(format: &Format) {
    let mut rest = format.text.as_str();
    for field in format.fields() {
        let at = rest.find(&field.text).expect("fields have the order of the text");
        rest = &rest[at + field.text.len()..];
    }
}
