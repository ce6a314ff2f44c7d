//! What a reader must know about the input before trusting the numbers, in sentences.

use crate::report::{Database, Input, Rejects, ServerUse, escape, human};

/// Kinds of rejects, and unmatched servers, that are named; the rest is counted.
const NAMED_MAX: usize = 5;
/// Characters of a log's text within a sentence.
const TEXT_MAX: usize = 120;
/// More rejected lines than one in this many are announced before the numbers.
const WARN_ONE_IN: u128 = 100;

/// Makes bytes of a log safe for the place they go to.
pub(super) type Escape = fn(&[u8]) -> String;

/// The data-quality line: `10 lines: 9 accepted, 1 rejected, 0 skipped | combined | body bytes, end-spike | UTC`.
pub fn quality_line(input: &Input) -> String {
    line(input, " | ", |bytes| escape::terminal(bytes).into_owned())
}

/// [`quality_line`] with its parts apart by `between` and its text made safe by `text`.
pub(super) fn line(input: &Input, between: &str, text: Escape) -> String {
    let formats = format_names(input).into_iter().map(|(name, formats)| match formats {
        1 => text(shortened(name)),
        formats => format!("{} ({formats} formats)", text(shortened(name))),
    });
    let databases = input.ip_db.iter().map(|database| database_words(database, text));
    let mut parts = vec![lines_words(input), joined(formats)];
    parts.extend(input.filter.as_deref().map(|filter| format!("where {}", text(shortened(filter)))));
    parts.push(match (input.basis, input.scheme) {
        (None, _) => String::new(),
        (Some(basis), "") => format!("{basis} bytes"),
        (Some(basis), scheme) => format!("{basis} bytes, {scheme}"),
    });
    parts.extend(input.client.map(|rule| format!("client: {rule}")));
    parts.push(match joined(databases) {
        names if names.is_empty() => names,
        names => format!("places: {names}"),
    });
    parts.push(text(input.tz.as_bytes()));
    parts.retain(|part| !part.is_empty());
    parts.join(between)
}

/// What is said at the top of a report that dropped a noticeable part of its input.
pub(super) fn warning(input: &Input) -> Option<String> {
    let (rejected, lines) = (u128::from(input.rejected), u128::from(input.lines));
    if rejected * WARN_ONE_IN <= lines {
        return None;
    }
    let permille = (rejected * 1_000 + lines / 2).checked_div(lines).unwrap_or(1_000);
    Some(format!(
        "{}.{} % of the lines were rejected ({} of {}): their traffic is not in these numbers",
        permille / 10,
        permille % 10,
        human::count(input.rejected.into()),
        human::count(input.lines.into()),
    ))
}

/// What follows the data-quality line: rejects, servers, remarks.
pub(super) fn notes(input: &Input, text: Escape) -> Vec<String> {
    let mut notes: Vec<String> =
        input.rejects.iter().take(NAMED_MAX).map(|rejects| rejects_words(rejects, text)).collect();
    if let Some(more @ [_, ..]) = input.rejects.get(NAMED_MAX..) {
        let lines = more.iter().fold(0, |sum: i128, rejects| sum + i128::from(rejects.count));
        notes.push(format!("rejected: {} for {} more reasons", human::count(lines), more.len()));
    }
    notes.extend(input.servers.as_ref().map(|servers| servers_words(servers, text)));
    notes.extend(input.ip_db.iter().filter_map(|database| {
        let attribution = database.attribution?;
        Some(format!("{}: {attribution}", text(shortened(&database.name))))
    }));
    if !input.remarks.is_empty() {
        notes.push(format!("remarks: {}", counts(&input.remarks)));
    }
    notes
}

/// The names of formats, each once, with how many have it: two servers may both call theirs `main`.
fn format_names(input: &Input) -> Vec<(&str, usize)> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for format in &input.formats {
        match names.iter_mut().find(|(name, _)| *name == format.name) {
            Some((_, formats)) => *formats += 1,
            None => names.push((&format.name, 1)),
        }
    }
    names
}

fn lines_words(input: &Input) -> String {
    let number = |number: u64| human::count(number.into());
    let filtered = match input.filtered {
        0 => String::new(),
        filtered => format!(" ({} filtered out)", number(filtered)),
    };
    let skips = match input.skips.as_slice() {
        [] => String::new(),
        skips => format!(" ({})", counts(skips)),
    };
    format!(
        "{}: {} accepted{filtered}, {} rejected, {} skipped{skips}",
        human::counted(input.lines, "line"),
        number(input.accepted),
        number(input.rejected),
        number(input.skipped),
    )
}

fn database_words(database: &Database, text: Escape) -> String {
    let date = match &database.date {
        None => String::new(),
        Some(date) => format!(" {}", text(shortened(date))),
    };
    let errors = match database.errors {
        0 => String::new(),
        errors => format!(" ({})", human::counted(errors, "failed lookup")),
    };
    format!("{}{date}{errors}", text(shortened(&database.name)))
}

fn rejects_words(rejects: &Rejects, text: Escape) -> String {
    let count = human::count(rejects.count.into());
    let reason = rejects.reason;
    match &rejects.first {
        None => format!("rejected: {count} {reason}"),
        Some(first) => {
            // As one text: Markdown would take a bare `:100:` for an emoji.
            let place = format!("{}:{}:{}", shortened_text(&first.file), first.line, first.column);
            let (place, found) = (text(place.as_bytes()), text(shortened(&first.text)));
            format!("rejected: {count} {reason}, first at {place}: {found}")
        }
    }
}

fn servers_words(servers: &ServerUse, text: Escape) -> String {
    let number = |number: u64| human::count(number.into());
    let matched = servers.matched.iter().map(|&(key, records)| format!("{} by {key}", number(records)));
    let unmatched = format!("{} without a data centre", number(servers.unmatched_records));
    let words = joined(matched.chain([unmatched]));
    let named = servers.unmatched.iter().take(NAMED_MAX);
    let named =
        joined(named.map(|(server, records)| format!("{} ({})", text(shortened(server)), number(*records))));
    match (named.as_str(), servers.unmatched.len()) {
        ("", _) => format!("servers: {words}"),
        (named, ..=NAMED_MAX) => format!("servers: {words}: {named}"),
        (named, _) => format!("servers: {words}: {named}, …"),
    }
}

fn counts(counts: &[(&'static str, u64)]) -> String {
    joined(counts.iter().map(|&(name, number)| format!("{} {name}", human::count(number.into()))))
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// The first [`TEXT_MAX`] characters; a cut within one would make two invalid halves of it.
fn shortened<T: AsRef<[u8]> + ?Sized>(text: &T) -> &[u8] {
    let text = text.as_ref();
    match str::from_utf8(text) {
        Ok(text) => shortened_text(text).as_bytes(),
        Err(_) => &text[..text.len().min(TEXT_MAX)],
    }
}

fn shortened_text(text: &str) -> &str {
    text.char_indices().nth(TEXT_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{FormatUse, Position};

    fn format(name: &str) -> FormatUse {
        FormatUse { name: name.to_owned(), text: String::new(), lines: 1, first: None }
    }

    #[test]
    fn one_line_says_what_was_read() {
        fn check(input: &Input, expected: &str) {
            assert_eq!(quality_line(input), expected);
        }
        check(&Input::default(), "0 lines: 0 accepted, 0 rejected, 0 skipped");
        let mut input = Input {
            lines: 10_000,
            accepted: 9_990,
            rejected: 7,
            skipped: 3,
            filtered: 1_000,
            skips: vec![("blank", 2), ("partial", 1)],
            formats: vec![format("combined"), format("cus\x1btom")],
            basis: Some("body"),
            scheme: "end-spike",
            tz: "UTC".to_owned(),
            ..Input::default()
        };
        let lines =
            "10,000 lines: 9,990 accepted (1,000 filtered out), 7 rejected, 3 skipped (2 blank, 1 partial)";
        check(&input, &format!("{lines} | combined, cus\\x1btom | body bytes, end-spike | UTC"));
        let database = |date: Option<&str>, errors| Database {
            name: "x.mmdb".to_owned(),
            date: date.map(str::to_owned),
            attribution: None,
            errors,
        };
        input.ip_db = vec![database(Some("2026-06-01"), 0), database(None, 2)];
        let places = "places: x.mmdb 2026-06-01, x.mmdb (2 failed lookups)";
        check(&input, &format!("{lines} | combined, cus\\x1btom | body bytes, end-spike | {places} | UTC"));
    }

    #[test]
    fn a_noticeable_loss_is_announced() {
        fn check(rejected: u64, lines: u64, expected: Option<&str>) {
            let warning = warning(&Input { lines, rejected, ..Input::default() });
            assert_eq!(warning.as_deref().map(|text| text.split(" of").next().unwrap_or(text)), expected);
        }
        check(0, 0, None);
        check(1, 100, None);
        check(1, 99, Some("1.0 %"));
        check(40, 100, Some("40.0 %"));
        check(u64::MAX, u64::MAX, Some("100.0 %"));
        // Not consistent, but no reason to panic.
        check(1, 0, Some("100.0 %"));
    }

    #[test]
    fn long_lists_are_counted() {
        let first = Position { file: "-".to_owned(), line: 1, column: 2, text: vec![b'x'; 1_000] };
        let rejects = |count| Rejects { reason: "time", count, first: None };
        let mut input = Input { rejects: (1..=7).map(rejects).collect(), ..Input::default() };
        input.rejects[0].first = Some(first);
        input.servers = Some(ServerUse {
            matched: vec![("server_addr", 5), ("path", 4)],
            unmatched: (0..6).map(|index| (vec![b'a' + index], 9)).collect(),
            unmatched_records: 54,
        });
        let notes = notes(&input, |bytes| escape::terminal(bytes).into_owned());
        assert_eq!(notes[0], format!("rejected: 1 time, first at -:1:2: {}", "x".repeat(TEXT_MAX)));
        assert_eq!(notes[4], "rejected: 5 time");
        assert_eq!(notes[5], "rejected: 13 for 2 more reasons");
        let servers =
            "5 by server_addr, 4 by path, 54 without a data centre: a (9), b (9), c (9), d (9), e (9), …";
        assert_eq!(notes[6], format!("servers: {servers}"));
    }
}
