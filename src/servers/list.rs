//! A server list in whatever notation it is kept; which one that is shows in its text, not in its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::book::Book;
use super::claim::{Origin, Position};
use super::{ansible, csv, file_sd, geo, tree};
use crate::error::Error;
use crate::format::configured::Load;

/// A longer file is not a server list.
const LIST_BYTES_MAX: u64 = 256 << 20;

/// So much of a file shows whether it is text, before a device has filled the memory.
const HEAD_BYTES: u64 = 64 << 10;

/// What names a data centre in columns, labels and variables; if several are there, the earliest here counts.
pub(super) const IDC_NAMES: [&str; 7] = ["idc", "dc", "datacenter", "site", "location", "room", "机房"];

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// Rows with a header.
    Csv,
    /// A configuration of nginx with a `geo` block.
    Geo,
    /// Prometheus targets, or an Ansible inventory.
    Json,
    /// The same.
    Yaml,
    /// An Ansible inventory.
    Ini,
}

/// The list at `path`: its name and its text.
pub(super) fn text(path: &Path) -> Result<(String, Vec<u8>), Error> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let mut read = |length| {
        let read = (&file).take(length).read_to_end(&mut bytes);
        read.map(|_| memchr::memchr(0, &bytes).is_some()).map_err(|source| Error::io("read", path, source))
    };
    if read(HEAD_BYTES)? {
        return Err(Error::Data(format!(
            "{name}: a server list is UTF-8 text, and this holds bytes of zero"
        )));
    }
    read(LIST_BYTES_MAX + 1 - HEAD_BYTES)?;
    if bytes.len() as u64 > LIST_BYTES_MAX {
        return Err(Error::Data(format!("{name}: a server list of more than {} MiB", LIST_BYTES_MAX >> 20)));
    }
    Ok((name, bytes))
}

/// Reads a list's text into the book.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    group_prefix: Option<&str>,
    book: &mut Book,
    include: &mut Load<'_>,
) -> Result<(), Error> {
    let list = book.open_list(name);
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count() as u64;
        book.error(Origin::List(list, Position::line(line)), "not UTF-8")
    })?;
    let bad = |book: &Book, bad: tree::Bad| book.error(Origin::List(list, bad.position), &bad.message);
    let tree = match notation(text) {
        Notation::Csv => return csv::read(list, text, book),
        Notation::Geo => return geo::read(list, name, text, book, include),
        Notation::Ini => {
            let inventory = ansible::ini(text).map_err(|wrong| bad(book, wrong))?;
            return ansible::enter(list, name, inventory, group_prefix, book);
        }
        Notation::Json => tree::json(text),
        Notation::Yaml => tree::yaml(text),
    };
    let tree = tree.map_err(|wrong| bad(book, wrong))?;
    match tree.value {
        tree::Value::List(groups) => file_sd::enter(list, name, text, &groups, book),
        tree::Value::Map(groups) => {
            let inventory = ansible::tree(text, &groups).map_err(|wrong| bad(book, wrong))?;
            ansible::enter(list, name, inventory, group_prefix, book)
        }
        tree::Value::Text(_) | tree::Value::Null => Err(Error::Data(format!(
            "{name}: neither a list of targets (Prometheus) nor a mapping of groups (Ansible)"
        ))),
    }
}

/// The notation of a text; CSV if nothing speaks for another.
fn notation(text: &str) -> Notation {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';'])).unwrap_or_default();
    let rest = || text[text.find(first).unwrap_or(0)..].chars().filter(|letter| !letter.is_whitespace());
    if first.starts_with('{') || first.starts_with('[') && rest().nth(1).is_none_or(|c| "{]".contains(c)) {
        Notation::Json
    } else if has_geo(text) {
        Notation::Geo
    } else if is_yaml(first) {
        Notation::Yaml
    } else if has_variable(first) || has_section(text) {
        Notation::Ini
    } else {
        Notation::Csv
    }
}

/// True if a line has `geo $` where a directive can begin.
fn has_geo(text: &str) -> bool {
    // Kept from one `geo` to the next: a line may hold a million.
    let (mut seen, mut start, mut other) = (0, 0, false);
    memchr::memmem::find_iter(text.as_bytes(), b"geo").any(|at| {
        if let Some(newline) = text[seen..at].rfind('\n') {
            start = seen + newline + 1;
            (seen, other) = (start, false);
        }
        other |= text[seen..at].contains(['#', ',', '\t', '=', '"']);
        seen = at;
        let before = &text[start..at];
        let after = &text[at + 3..];
        let arguments = after.trim_start();
        arguments.starts_with('$')
            && arguments.len() < after.len()
            && !other
            && before.trim_end().chars().next_back().is_none_or(|last| "{};".contains(last))
    })
}

/// `---`, `- item`, `key:` or `key: value`.
fn is_yaml(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let key = line.find(": ").map(|at| &line[..at]).or_else(|| line.strip_suffix(':'));
    line == "-"
        || ["---", "- ", "%YAML"].iter().any(|start| line.starts_with(start))
        || key.is_some_and(|key| !key.contains([',', ';', '\t', '=']))
}

/// `[group]`, on any line: most texts have no bracket at all.
fn has_section(text: &str) -> bool {
    memchr::memchr(b'[', text.as_bytes()).is_some()
        && text.lines().any(|line| ansible::section(line.trim()).is_some())
}

/// `host name=value`, before any section of an inventory.
fn has_variable(line: &str) -> bool {
    let name = |word: &str| word.split_once('=').is_some_and(|(name, _)| !name.contains([',', ';', '"']));
    line.split_whitespace().skip(1).any(name)
}

/// The host of `host:port` or `[address]:port`.
pub(super) fn without_port(text: &str) -> &str {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let port = rest.strip_prefix(':').unwrap_or(rest);
        return if is_port(port) || rest.is_empty() { address } else { text };
    }
    match text.split_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => text,
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_tells_its_notation() {
        let check = |text: &str, expected: Notation| assert_eq!(notation(text), expected, "{text}");
        check("", Notation::Csv);
        check("ip,dc\n", Notation::Csv);
        check("# geo $idc {\nip,dc\n", Notation::Csv);
        check("name,note,dc\nweb1,geo $x,bj\n", Notation::Csv);
        check("host;dc\n[::1];bj\n", Notation::Csv);
        check("[{\"targets\":[]}]", Notation::Json);
        check("\n [\n  {", Notation::Json);
        check("[]", Notation::Json);
        check("{}", Notation::Json);
        check("geo $idc { default x; }", Notation::Geo);
        check("user www;\nhttp {\n geo\n $remote_addr $idc\n {", Notation::Geo);
        check("events {} http { geo $idc {", Notation::Geo);
        check("# hosts\n[web]\nweb1 dc=bj\n", Notation::Ini);
        check("web1\n\n[web:children]\n", Notation::Ini);
        check("web1 ansible_host=10.0.0.1 dc=bj\n", Notation::Ini);
        check("---\nall:\n", Notation::Yaml);
        check("all:\n  hosts:\n", Notation::Yaml);
        check("# x\n- targets: ['a']\n", Notation::Yaml);
        check("all: # everything\n", Notation::Yaml);
    }

    #[test]
    fn a_long_line_is_read_once() {
        assert_eq!(notation(&"geo ".repeat(1_000_000)), Notation::Csv);
        assert_eq!(notation(&format!("{}; geo $idc {{", "geo ".repeat(1_000_000))), Notation::Geo);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin looks at the whole line before every `geo`.
        #[test]
        fn blocks_are_seen_as_by_scanning(text in "(geo|geo \\$|[;{} #,=\"\n\ta机]){0,12}") {
            let expected = text.match_indices("geo").any(|(at, _)| {
                let before = text[..at].rsplit('\n').next().unwrap();
                let arguments = text[at + 3..].trim_start();
                arguments.starts_with('$')
                    && arguments.len() < text.len() - at - 3
                    && !before.contains(['#', ',', '\t', '=', '"'])
                    && (before.trim().is_empty() || before.trim_end().ends_with(['{', '}', ';']))
            });
            prop_assert_eq!(has_geo(&text), expected);
        }
    }

    #[test]
    fn ports_are_taken_off() {
        let check = |text: &str, expected: &str| assert_eq!(without_port(text), expected);
        check("h:9100", "h");
        check("10.0.0.1:9100", "10.0.0.1");
        check("[::1]:9100", "::1");
        check("[::1]", "::1");
        check("::1", "::1");
        check("h", "h");
        check("h:", "h:");
        check("http://h:80/", "http://h:80/");
    }
}
