//! An inventory in Ansible's INI notation.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::claim::Position;
use super::super::tree::Bad;
use super::ranges::Expansion;
use super::{Inventory, Owner, bad};

/// What the lines of a section are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Hosts,
    Children,
    Variables,
}

/// The group and kind of `[group]`, `[group:children]`, `[group:vars]`; `None` if a line is no such heading.
pub(in super::super) fn section(line: &str) -> Option<(&str, Result<Kind, String>)> {
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = rest.trim_start();
    if !(rest.is_empty() || rest.starts_with('#')) {
        return None;
    }
    let (group, kind) = name.split_once(':').unwrap_or((name, "hosts"));
    if group.is_empty() || name.contains(char::is_whitespace) || kind.is_empty() || kind.contains(':') {
        return None;
    }
    let kind = match kind {
        "hosts" => Ok(Kind::Hosts),
        "children" => Ok(Kind::Children),
        "vars" => Ok(Kind::Variables),
        other => Err(format!("a section of kind {other}: hosts, children and vars are known")),
    };
    Some((group, kind))
}

/// Reads an inventory.
pub(in super::super) fn read(text: &str) -> Result<Inventory<'_>, Bad> {
    let mut inventory = Inventory::default();
    let mut expansion = Expansion::default();
    let (mut group, mut kind) = (inventory.group("ungrouped"), Kind::Hosts);
    // Groups that were only spoken of; one that never appears was misspelt.
    let mut awaited: HashMap<usize, (Position, &str)> = HashMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        let position =
            Position { column: u32::try_from(indent + 1).unwrap_or(u32::MAX), ..Position::line(number) };
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if trimmed.starts_with('[')
            && let Some((name, found)) = section(trimmed)
        {
            kind = found.map_err(|message| bad(position, message))?;
            group = known(&mut inventory, &mut awaited, name, kind, position);
            continue;
        }
        match kind {
            Kind::Hosts => host(&mut inventory, &mut expansion, group, trimmed, position)?,
            Kind::Variables => {
                let Some((name, value)) = trimmed.split_once('=') else {
                    return Err(bad(position, "name=value is expected here"));
                };
                inventory.set(Owner::Group(group), name.trim(), literal(value).into(), position)?;
            }
            Kind::Children => {
                let name = trimmed.split(['#', ' ', '\t']).next().unwrap_or_default();
                let child = known(&mut inventory, &mut awaited, name, Kind::Variables, position);
                inventory.groups[child].parents.push(group);
            }
        }
    }
    match awaited.values().min_by_key(|(position, _)| (position.line, position.column)) {
        Some((position, name)) => Err(bad(*position, format!("there is no group {name}"))),
        None => Ok(inventory),
    }
}

/// The number of a group. One with hosts or children exists, one with variables must elsewhere.
fn known<'t>(
    inventory: &mut Inventory<'t>,
    awaited: &mut HashMap<usize, (Position, &'t str)>,
    name: &'t str,
    kind: Kind,
    position: Position,
) -> usize {
    let before = inventory.groups.len();
    let group = inventory.group(name);
    match kind {
        Kind::Variables if group == before && !matches!(name, "all" | "ungrouped") => {
            awaited.insert(group, (position, name));
        }
        Kind::Variables => {}
        Kind::Hosts | Kind::Children => {
            awaited.remove(&group);
        }
    }
    group
}

/// `web[01:20].example.com:22 dc=bj ansible_host='10.0.0.1' # comment`
fn host<'t>(
    inventory: &mut Inventory<'t>,
    expansion: &mut Expansion,
    group: usize,
    line: &'t str,
    position: Position,
) -> Result<(), Bad> {
    let words = words(line).ok_or_else(|| bad(position, "a quote is not closed"))?;
    let Some((pattern, variables)) = words.split_first() else { return Ok(()) };
    let names = names(expansion, pattern).map_err(|message| bad(position, message))?;
    let lengths = variables.iter().map(|variable| variable.len());
    expansion.copy(names.len(), lengths).map_err(|message| bad(position, message))?;
    for name in names {
        let host = inventory.host(name, position);
        inventory.join(host, group);
        for variable in variables {
            let Some((name, _)) = variable.split_once('=') else {
                return Err(bad(position, format!("name=value is expected, not {variable}")));
            };
            inventory.set(Owner::Host(host), name, value(variable, name.len() + 1), position)?;
        }
    }
    Ok(())
}

/// Most names are part of the line and need no room of their own.
fn names<'t>(expansion: &mut Expansion, pattern: &Cow<'t, str>) -> Result<Vec<Cow<'t, str>>, String> {
    match pattern {
        Cow::Borrowed(pattern) => expansion.expand(pattern),
        Cow::Owned(pattern) => {
            let names = expansion.expand(pattern)?;
            Ok(names.into_iter().map(|name| Cow::Owned(name.into_owned())).collect())
        }
    }
}

/// What stands in a word from here on.
fn value<'t>(word: &Cow<'t, str>, from: usize) -> Cow<'t, str> {
    match word {
        Cow::Borrowed(word) => Cow::Borrowed(word[from..].trim()),
        Cow::Owned(word) => Cow::Owned(word[from..].trim().to_owned()),
    }
}

/// The words of a line as a shell would have them; `None` if a quote never closes.
fn words(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let bytes = line.as_bytes();
    if memchr::memchr3(b'\'', b'"', b'\\', bytes).is_none() && memchr::memchr(b'#', bytes).is_none() {
        let words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        return Some(words.map(Cow::Borrowed).collect());
    }
    Some(quoted_words(line)?.into_iter().map(Cow::Owned).collect())
}

fn quoted_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '#' => break,
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next()? {
                        quote if quote == letter => break,
                        '\\' if letter == '"' => word.push(letters.next()?),
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// The value of a variable of a section: a quoted text, or what stands before a comment.
fn literal(text: &str) -> &str {
    let text = text.trim();
    for quote in ['\'', '"'] {
        if let Some((inside, _)) = text.strip_prefix(quote).and_then(|text| text.split_once(quote)) {
            return inside.trim();
        }
    }
    text.split(" #").next().unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin: letter after letter.
        #[test]
        fn words_agree_with_reading_letters(line in "[ab= \t'\"\\\\#机]{0,12}|[ab= \t机]{0,12}") {
            let expected = quoted_words(&line);
            prop_assert_eq!(words(&line).map(|words| words.into_iter().map(Cow::into_owned).collect()), expected);
        }
    }
}
