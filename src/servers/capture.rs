//! `--idc '/logs/{idc}/*.log'`: a path that names its data centre itself.
//!
//! Beside the hole, `*` and `?` stop at slashes; `**` for whole segments does not. A directory stands for what is in
//! it, as with other paths. Where several readings fit, the name begins as early and is as short as possible.

use super::NAME_BYTES_MAX;
use super::globs::PATTERN_BYTES_MAX;

/// What the data centre's name stands for in a pattern.
pub(super) const HOLE: &str = "{idc}";

/// A pattern with one hole.
#[derive(Debug)]
pub(super) struct Capture {
    before: Vec<Piece>,
    after: Vec<Piece>,
    /// How many letters it prescribes: of several patterns the most specific counts.
    pub(super) specific: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Letter(char),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**` as the last segment.
    Any,
    /// `**/` at a segment's beginning: directories, or none.
    Directories,
}

impl Capture {
    /// A path or `glob:` with [`HOLE`] in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern = text.strip_prefix("glob:").unwrap_or(text);
        if pattern == text && !text.starts_with('/') {
            return Err(format!("{HOLE} can stand in a /path or a glob: only"));
        }
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern of {} bytes: at most {PATTERN_BYTES_MAX}", pattern.len()));
        }
        let (before, after) = pattern.split_once(HOLE).unwrap_or((pattern, ""));
        if after.contains(HOLE) {
            return Err(format!("{HOLE} stands there twice"));
        }
        if let Some(other) = [before, after].concat().chars().find(|letter| "[]{}\\".contains(*letter)) {
            return Err(format!("beside {HOLE} only *, ** and ? are wildcards, not {other}"));
        }
        let (before, after) =
            (pieces(before, Part::Before), pieces(after.trim_end_matches('/'), Part::After));
        let letters = |pieces: &[Piece]| {
            pieces.iter().filter(|piece| matches!(piece, Piece::Letter(_) | Piece::Directories)).count()
        };
        Ok(Self { specific: letters(&before) + letters(&after), before, after })
    }

    /// The name in this path, if it is such a path.
    pub(super) fn name(&self, path: &str) -> Option<String> {
        let path: Vec<char> = path.chars().collect();
        let starts = starts(&self.before, &path);
        let ends = ends(&self.after, &path);
        (0..path.len()).filter(|&start| starts[start]).find_map(|start| {
            let segment = path[start..].iter().take_while(|&&letter| letter != '/').count();
            let end = (start + 1..=start + segment).find(|&end| ends[end])?;
            Some(path[start..end].iter().collect())
        })
    }
}

/// What answers call the data centre of a server that is in no list.
const UNKNOWN: &str = "unknown";

/// What is wrong with a data centre's name; it becomes text in reports.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("a data centre's name of {} bytes: at most {NAME_BYTES_MAX}", name.len()));
    }
    if name.chars().any(char::is_control) || name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(format!("{name:?} cannot be a data centre's name"));
    }
    if name == UNKNOWN {
        return Err(format!(
            "`{UNKNOWN}` cannot be a data centre's name: it stands for servers that are in no list"
        ));
    }
    Ok(())
}

/// On which side of the hole a text stands: next to it no segment begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    After,
}

fn pieces(text: &str, part: Part) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let fresh = match pieces.last() {
            Some(last) => matches!(last, Piece::Letter('/') | Piece::Directories),
            None => part == Part::Before,
        };
        let (piece, length) = match letter {
            '*' if fresh && rest.starts_with("**/") => (Piece::Directories, 3),
            '*' if fresh && rest == "**" && part == Part::After => (Piece::Any, 2),
            '*' if rest.starts_with("**") => (Piece::Some, 2),
            '*' => (Piece::Some, 1),
            '?' => (Piece::One, 1),
            _ => (Piece::Letter(letter), letter.len_utf8()),
        };
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

/// Where a path can be after these pieces, from its beginning.
fn starts(pieces: &[Piece], path: &[char]) -> Vec<bool> {
    let mut here = vec![false; path.len() + 1];
    here[0] = true;
    for piece in pieces {
        let mut next = vec![false; path.len() + 1];
        let mut before = false;
        for at in 0..=path.len() {
            let letter = at.checked_sub(1).map(|last| path[last]);
            next[at] = match piece {
                Piece::Letter(wanted) => letter == Some(*wanted) && here[at - 1],
                Piece::One => letter.is_some_and(|letter| letter != '/') && here[at - 1],
                Piece::Some => here[at] || letter.is_some_and(|letter| letter != '/') && next[at - 1],
                Piece::Any => here[at] || letter.is_some() && next[at - 1],
                Piece::Directories => here[at] || before && letter == Some('/'),
            };
            before |= here[at];
        }
        here = next;
    }
    here
}

/// Where these pieces can begin so that they end with the path or a directory of it.
fn ends(pieces: &[Piece], path: &[char]) -> Vec<bool> {
    let mut here: Vec<bool> =
        (0..=path.len()).map(|at| path.get(at).is_none_or(|&next| next == '/')).collect();
    for piece in pieces.iter().rev() {
        let mut next = vec![false; path.len() + 1];
        let mut after = false;
        for at in (0..=path.len()).rev() {
            let letter = path.get(at);
            next[at] = match piece {
                Piece::Letter(wanted) => letter == Some(wanted) && here[at + 1],
                Piece::One => letter.is_some_and(|&letter| letter != '/') && here[at + 1],
                Piece::Some => here[at] || letter.is_some_and(|&letter| letter != '/') && next[at + 1],
                Piece::Any => here[at] || letter.is_some() && next[at + 1],
                Piece::Directories => here[at] || after,
            };
            after |= here[at] && at > 0 && path[at - 1] == '/';
        }
        here = next;
    }
    here
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, cases: &[(&str, &str)]) {
        let capture = Capture::parse(pattern).unwrap();
        for (path, expected) in cases {
            assert_eq!(capture.name(path).as_deref().unwrap_or("-"), *expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_name_is_what_the_path_has_there() {
        check(
            "/logs/{idc}",
            &[("/logs/bj/a.log", "bj"), ("/logs/bj", "bj"), ("/logs//a", "-"), ("/log/bj", "-")],
        );
        check("/logs/{idc}/", &[("/logs/bj/a.log", "bj"), ("logs/bj/a.log", "-")]);
        check(
            "/logs/{idc}/*.log",
            &[("/logs/bj/a.log", "bj"), ("/logs/bj/a.txt", "-"), ("/logs/bj/x/a.log", "-")],
        );
        check("glob:/logs/{idc}/**", &[("/logs/bj/x/y", "bj"), ("/logs/bj", "-"), ("/logs/北京/a", "北京")]);
        check("glob:**/{idc}.log", &[("bj.log", "bj"), ("/a/b/gz.log", "gz"), ("/a/b/gz.txt", "-")]);
        check("glob:**/{idc}/*.log", &[("/a/b/gz/x.log", "gz")]);
        check("/logs/web-{idc}-?/**", &[("/logs/web-bj-1/a", "bj"), ("/logs/web-bj-12/a", "-")]);
        check("/logs/*-{idc}.log", &[("/logs/web-1-bj.log", "1-bj"), ("/logs/-bj.log", "bj")]);
        check("/data/dc={idc}/a", &[("/data/dc=bj/a", "bj")]);
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        let check = |text: &str, expected: &str| assert_eq!(Capture::parse(text).unwrap_err(), expected);
        check("host:{idc}", "{idc} can stand in a /path or a glob: only");
        check("/{idc}/{idc}", "{idc} stands there twice");
        check("/[ab]/{idc}", "beside {idc} only *, ** and ? are wildcards, not [");
        check(&format!("/{{idc}}{}", "a".repeat(5000)), "a pattern of 5006 bytes: at most 4096");
        let check = |name: &str, expected: &str| assert_eq!(super::check(name).unwrap_err(), expected);
        check("a\u{1b}[m", "\"a\\u{1b}[m\" cannot be a data centre's name");
        check(&"a".repeat(256), "a data centre's name of 256 bytes: at most 255");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin: the name put back into the pattern is a glob for the path.
        #[test]
        fn names_fit_where_they_were_found(pattern in "(/|\\*\\*/)([a/?*]{0,3}/)?[a?*]{0,2}\\{idc\\}[a?*]{0,2}(/[a?*]{1,2})?", path in "(/[ab]{1,3}){1,4}") {
            let capture = Capture::parse(&format!("glob:{pattern}")).unwrap();
            let glob = |text: &str| globset::GlobBuilder::new(text).literal_separator(true).build().unwrap().compile_matcher();
            let above = |glob: &globset::GlobMatcher| {
                let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                ends.clone().any(|end| glob.is_match(&path[..end]))
            };
            match capture.name(&path) {
                Some(name) => prop_assert!(above(&glob(&pattern.replace(HOLE, &name))), "{}", name),
                None => prop_assert!(!above(&glob(&pattern.replace(HOLE, "[!/]*")))),
            }
        }
    }
}
