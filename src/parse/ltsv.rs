//! Labeled tab-separated values (<http://ltsv.org>): `time:…\thost:…\tstatus:200`.
//!
//! A label is what stands before the first colon of a column, whatever its characters; a value may have colons. Of two
//! columns with one label the last counts.

use memchr::{memchr, memchr_iter};

use super::Span;
use super::keys::Keys;

/// Finds the values of a line; fails at the first column that has no label, and at the start of a line that has no
/// value a request would have.
pub(super) fn find(keys: &mut Keys, line: &[u8], spans: &mut [Span]) -> Result<(), usize> {
    keys.restart(spans);
    columns(line, |label, span| {
        if let Some(step) = keys.find(0, label).step {
            spans[usize::from(step)] = span;
        }
    })?;
    if keys.finish(spans) { Ok(()) } else { Err(0) }
}

/// All labels and values of a line; `None` if it has a column without a label.
pub(super) fn values(line: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    columns(line, |label, (start, end)| {
        if let Ok(label) = std::str::from_utf8(label) {
            found.push((label.to_owned(), line[start as usize..end as usize].to_vec()));
        }
    })
    .ok()?;
    Some(found)
}

#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
fn columns(line: &[u8], mut column: impl FnMut(&[u8], Span)) -> Result<(), usize> {
    let mut start = 0;
    for end in memchr_iter(b'\t', line).chain([line.len()]) {
        let pair = &line[start..end];
        if !pair.trim_ascii().is_empty() {
            let colon = memchr(b':', pair).ok_or(start)?;
            let label = pair[..colon].trim_ascii();
            if label.is_empty() {
                return Err(start);
            }
            column(label, ((start + colon + 1) as u32, end as u32));
        }
        start = end + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::{Escape, Field, Format, Grammar, Kind, Layout, Part};

    fn keys(labels: &[&str]) -> Keys {
        let field = |label: &&str| Field {
            text: (*label).to_owned(),
            part: if *label == "status" { Part::Status } else { Part::Other },
            rank: 0,
            kind: Kind::Text,
        };
        let fields = labels.iter().map(field).collect();
        let format = Format::keyed("l", Grammar::Ltsv, Escape::Nginx, fields);
        Keys::new(&Layout::compile(&format).expect("has fields"))
    }

    fn check(line: &str, expected: Result<&[(&str, &str)], usize>) {
        let labels = ["time", "status", "a.b", "x-y z"];
        let mut spans = [(0, 0); 4];
        let found = find(&mut keys(&labels), line.as_bytes(), &mut spans).map(|()| {
            let told = labels.iter().zip(spans).filter(|(_, span)| *span != (0, 0));
            told.map(|(label, (start, end))| (*label, &line[start as usize..end as usize]))
                .collect::<Vec<_>>()
        });
        assert_eq!(found.as_deref().map_err(|column| *column), expected, "{line}");
    }

    #[test]
    fn columns_are_found_by_their_label() {
        check("time:05:53:11\tstatus:200", Ok(&[("time", "05:53:11"), ("status", "200")]));
        check("status:200\ta.b:1\tx-y z:2\tnew:3", Ok(&[("status", "200"), ("a.b", "1"), ("x-y z", "2")]));
        check("status:-\ttime:\t", Ok(&[("time", ""), ("status", "-")]));
        check("status:1\tstatus:2", Ok(&[("status", "2")]));
        check("\tstatus :200\t \t", Ok(&[("status", "200")]));
        check("status:200\tcut", Err(11));
        check("status:200\t:x", Err(11));
        check("time:no request", Err(0));
        check("2026/11/23 05:53:11 [error] 1#1: *1 open() failed", Err(0));
        check("", Err(0));
    }

    /// The slow twin.
    fn naive(line: &str, label: &str) -> Result<Option<String>, ()> {
        let mut found = None;
        for column in line.split('\t').filter(|column| !column.trim_ascii().is_empty()) {
            let (name, value) = column.split_once(':').ok_or(())?;
            if name.trim_ascii().is_empty() {
                return Err(());
            }
            if name.trim_ascii() == label {
                found = Some(value.to_owned());
            }
        }
        Ok(found)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn columns_read_as_the_obvious_way_reads_them(line in "((a|b|bb|status)?[a: \t-]{0,3}){0,8}") {
            let labels = ["a", "b", "bb"];
            let mut spans = [(0, 0); 3];
            let found = find(&mut keys(&labels), line.as_bytes(), &mut spans);
            for (label, (start, end)) in labels.iter().zip(spans) {
                match naive(&line, label) {
                    Err(()) => prop_assert!(found.is_err()),
                    Ok(value) => {
                        prop_assert_eq!(found, Ok(()));
                        let text = (end > 0).then(|| line[start as usize..end as usize].to_owned());
                        prop_assert_eq!(text, value);
                    }
                }
            }
        }
    }
}
