//! `log_format` texts and directives: compiled, printed, and read. Input: the text, an empty line, values and lines.

#![no_main]

use bandwho::format::{Escape, Format, Item, Layout, nginx};
use bandwho_fuzz::{law, layout, lines, print, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (head, body) = split(data);
    let text = String::from_utf8_lossy(head);
    for escape in [Escape::Nginx, Escape::Json, Escape::None] {
        if let Some(layout) = layout(&text, nginx::format("name", escape, &text)) {
            nothing_is_lost(&layout.format);
            check(&layout, body);
        }
    }
    if let Some(layout) = layout(&text, nginx::directive(&text)) {
        let Format { name, text, escape, .. } = &layout.format;
        assert_eq!(nginx::format(name, *escape, text).as_ref(), Ok(&layout.format));
        check(&layout, body);
    }
});

fn check(layout: &Layout, body: &[u8]) {
    print::law(layout);
    let printed = print::line(&layout.format, lines(body));
    law::lines(layout, lines(body).chain([printed.as_slice()]));
}

/// The items are the text, but for the braces around names.
fn nothing_is_lost(format: &Format) {
    let items = format.items.iter().map(|item| match item {
        Item::Literal(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Item::Field(field) => field.text.clone(),
    });
    let without_braces = |text: String| text.replace(['{', '}'], "");
    assert_eq!(without_braces(items.collect()), without_braces(format.text.clone()));
}
