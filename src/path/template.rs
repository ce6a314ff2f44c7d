//! Paths with their ids and hashes folded, so that the objects of one kind have one name.
//!
//! ```text
//! /video/123/seg_45.ts                              → /video/{n}/seg_{n}.ts
//! /o/9f86d081884c7d65.jpg                           → /o/{hex}.jpg
//! /u/550e8400-e29b-41d4-a716-446655440000/avatar    → /u/{uuid}/avatar
//! /t/AXk3-w9dKs0PzQ7vLm2RtY                          → /t/{id}
//! ```
//!
//! A word is a run of ASCII letters, digits, `-` and `_`; a run is what of it has letters and digits alone. Everything else
//! stays: percent-encoded bytes are never part of a word. In each word UUIDs and hex runs are folded first, then what is
//! left between them is an id as a whole or has its digits folded. docs/PATHS.md has the rules.

use std::borrow::Cow;

/// Digits of a hex run at least.
const HEX_MIN: usize = 8;

/// Bytes of an id at least.
const ID_MIN: usize = 20;

/// Characters of an id for each turn at most; a turn is a step between digit and letter, or from lower to upper case.
const ID_CHARACTERS_PER_TURN: usize = 5;

/// Characters of an id for each `-` or `_` at least: names of several words have more of them.
const ID_CHARACTERS_PER_JOINT: usize = 8;

/// Digits of a version at most: `/v2/` names an interface, no object.
const VERSION_DIGITS_MAX: usize = 2;

/// Where a UUID has its hyphens.
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

const UUID_LEN: usize = 36;

/// The template of a path; the path itself if nothing in it is folded.
pub fn template(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.iter().any(u8::is_ascii_digit) {
        return Cow::Borrowed(path);
    }
    let extension = super::extension(path).filter(|extension| !extension.iter().all(u8::is_ascii_digit));
    let name_end = path.len() - extension.map_or(0, <[u8]>::len);
    let mut folded = Folded { path, out: Vec::new(), copied: 0 };
    let mut at = 0;
    while at < path.len() {
        if is_encoded(&path[at..]) {
            at += 3;
            continue;
        }
        let len = path[at..].iter().take_while(|&&byte| is_word(byte)).count();
        let word = Span { start: at, end: at + len };
        let digits = if at >= name_end || is_version(path, word) { Digits::Kept } else { Digits::Folded };
        folded.word(word, digits);
        at += len.max(1);
    }
    folded.finish()
}

/// A part of the path, by its positions.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// What becomes of digits that are part of nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Folded,
    Kept,
}

/// The template so far.
struct Folded<'p> {
    path: &'p [u8],
    out: Vec<u8>,
    /// Bytes of the path that are in it already, folded or not.
    copied: usize,
}

impl<'p> Folded<'p> {
    /// Puts a name in place of a part.
    fn fold(&mut self, part: Span, name: &str) {
        self.out.extend_from_slice(&self.path[self.copied..part.start]);
        self.out.extend_from_slice(name.as_bytes());
        self.copied = part.end;
    }

    /// Folds a word: what stands between UUIDs and hex runs is one piece.
    fn word(&mut self, word: Span, digits: Digits) {
        let path = self.path;
        let mut piece = word.start;
        let mut at = word.start;
        while at < word.end {
            let rest = &path[at..word.end];
            let run = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let (len, name) = if begins_with_uuid(rest) {
                (UUID_LEN, "{uuid}")
            } else if is_hex(&rest[..run]) {
                (run, "{hex}")
            } else {
                at += run.max(1);
                continue;
            };
            self.piece(Span { start: piece, end: at }, digits);
            self.fold(Span { start: at, end: at + len }, name);
            at += len;
            piece = at;
        }
        self.piece(Span { start: piece, end: word.end }, digits);
    }

    /// Folds a word without UUIDs and hex runs.
    fn piece(&mut self, piece: Span, digits: Digits) {
        let text = &self.path[piece.start..piece.end];
        if is_id(text) {
            self.fold(piece, "{id}");
        } else if digits == Digits::Folded {
            let mut at = 0;
            while at < text.len() {
                let run = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if run > 0 {
                    self.fold(Span { start: piece.start + at, end: piece.start + at + run }, "{n}");
                }
                at += run.max(1);
            }
        }
    }

    fn finish(mut self) -> Cow<'p, [u8]> {
        if self.copied == 0 {
            return Cow::Borrowed(self.path);
        }
        self.out.extend_from_slice(&self.path[self.copied..]);
        Cow::Owned(self.out)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// True if a text begins with a percent-encoded byte.
fn is_encoded(text: &[u8]) -> bool {
    matches!(text, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// True for a whole segment such as `v2`.
fn is_version(path: &[u8], word: Span) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == b'/');
    let before = word.start.checked_sub(1).and_then(|at| path.get(at));
    match &path[word.start..word.end] {
        [b'v' | b'V', digits @ ..] => {
            (1..=VERSION_DIGITS_MAX).contains(&digits.len())
                && digits.iter().all(u8::is_ascii_digit)
                && is_edge(before)
                && is_edge(path.get(word.end))
        }
        _ => false,
    }
}

/// True if a text begins with a UUID that no letter or digit follows.
fn begins_with_uuid(text: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| {
        if UUID_HYPHENS.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    text.len() >= UUID_LEN
        && text[..UUID_LEN].iter().enumerate().all(is_right)
        && !text.get(UUID_LEN).is_some_and(u8::is_ascii_alphanumeric)
}

/// True for a run of enough hex digits, among them a letter and a decimal digit.
fn is_hex(run: &[u8]) -> bool {
    run.len() >= HEX_MIN
        && run.iter().all(u8::is_ascii_hexdigit)
        && run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_alphabetic)
}

/// True for what looks drawn by lot: long, and turning often between digits and letters, or from lower to upper case.
fn is_id(piece: &[u8]) -> bool {
    if piece.len() < ID_MIN || !piece.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let is_turn = |pair: &&[u8]| {
        let [one, next] = [pair[0], pair[1]];
        one.is_ascii_digit() && next.is_ascii_alphabetic()
            || one.is_ascii_alphabetic() && next.is_ascii_digit()
            || one.is_ascii_lowercase() && next.is_ascii_uppercase()
    };
    let turns = piece.windows(2).filter(is_turn).count();
    let joints = piece.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    turns * ID_CHARACTERS_PER_TURN >= piece.len() && joints * ID_CHARACTERS_PER_JOINT <= piece.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(path: &str, expected: &str) {
        let found = template(path.as_bytes());
        assert_eq!(String::from_utf8_lossy(&found), expected, "{path}");
        assert_eq!(matches!(found, Cow::Borrowed(_)), path == expected, "{path}");
    }

    #[test]
    fn digits_are_folded() {
        check("/video/123/seg_45.ts", "/video/{n}/seg_{n}.ts");
        check("/", "/");
        check("", "");
        check("/about/team", "/about/team");
        check("/2026/11/20/a.log", "/{n}/{n}/{n}/a.log");
        check("/logs/2026-11-20.gz", "/logs/{n}-{n}-{n}.gz");
        check("/logs/20261120.gz", "/logs/{n}.gz");
        check("/hls/720p/seg45.m4s", "/hls/{n}p/seg{n}.m4s");
        check("/jquery-3.7.1.min.js", "/jquery-{n}.{n}.{n}.min.js");
        check("/app.log.1", "/app.log.{n}");
        check("/视频/12/一3.mp4", "/视频/{n}/一{n}.mp4");
        check("host:443", "host:{n}");
        check("/a/99999999999999999999999999999999.jpg", "/a/{n}.jpg");
    }

    #[test]
    fn names_stay() {
        check("/a.mp4", "/a.mp4");
        check("/a.7z", "/a.7z");
        check("/mp3/a.mp3", "/mp{n}/a.mp3");
        check("/api/v2/users/77", "/api/v2/users/{n}");
        check("/v12", "/v12");
        check("/v123/a", "/v{n}/a");
        check("/v2.1/a", "/v{n}.{n}/a");
        check("/a%20b%E4%BD%A0/7", "/a%20b%E4%BD%A0/{n}");
        check("/%201234%4", "/%20{n}%{n}");
        check("/%zz12", "/%zz{n}");
        check("/deadbeef/cafebabe.js", "/deadbeef/cafebabe.js");
        check("/{n}/{id}", "/{n}/{id}");
    }

    #[test]
    fn hashes_and_ids_are_folded() {
        check("/o/9f86d081884c7d65.jpg", "/o/{hex}.jpg");
        check("/o/9F86D081-x", "/o/{hex}-x");
        check("/o/9f86d08", "/o/{n}f{n}d{n}");
        check("/my-photo-9f86d081884c7d65.png", "/my-photo-{hex}.png");
        check("/x.9f86d081", "/x.{hex}");
        check("/u/550e8400-e29b-41d4-a716-446655440000/a", "/u/{uuid}/a");
        check("/user-550E8400-E29B-41D4-A716-446655440000_7.jpg", "/user-{uuid}_{n}.jpg");
        check("/x550e8400-e29b-41d4-a716-446655440000", "/{id}");
        check("/550e8400-e29b-41d4-a716-4466554400001", "/{hex}-e{n}b-{n}d{n}-a{n}-{n}");
        check("/t/AXk3-w9dKs0PzQ7vLm2RtY", "/t/{id}");
        check("/t/k3j9x0q2m5n8b7v6c1z4.bin", "/t/{id}.bin");
        check("/My-Holiday-Photos-2026-Beijing", "/My-Holiday-Photos-{n}-Beijing");
        check("/MyHolidayPhotosFromBeijing2026.jpg", "/MyHolidayPhotosFromBeijing{n}.jpg");
        check("/movie-1080p-x264-s01e02.mkv", "/movie-{n}p-x{n}-s{n}e{n}.mkv");
        check("/Windows10Upgrade9252.exe", "/Windows{n}Upgrade{n}.exe");
    }

    /// The twin works on lists of texts. First the path in tokens: words, encoded bytes, and all other bytes one by one.
    fn tokens(path: &[u8]) -> Vec<Vec<u8>> {
        let mut tokens: Vec<Vec<u8>> = Vec::new();
        for (at, &byte) in path.iter().enumerate() {
            match tokens.last_mut() {
                Some(last) if last[0] == b'%' && last.len() == 1 && is_encoded(&path[at - 1..]) => {
                    last.push(byte);
                }
                Some(last) if last[0] == b'%' && last.len() == 2 => last.push(byte),
                Some(last) if is_word(last[0]) && is_word(byte) => last.push(byte),
                _ => tokens.push(vec![byte]),
            }
        }
        tokens
    }

    fn naive(path: &[u8]) -> Vec<u8> {
        let tokens = tokens(path);
        let extension = super::super::extension(path).unwrap_or_default();
        let numbered = extension.iter().all(u8::is_ascii_digit);
        let is_slash = |at: Option<usize>| {
            at.is_none_or(|at| tokens.get(at).is_none_or(|token| token.as_slice() == b"/"))
        };
        let fold = |(at, token): (usize, &Vec<u8>)| {
            let text = String::from_utf8_lossy(token).to_lowercase();
            let version = text.strip_prefix('v').is_some_and(|digits| {
                matches!(digits.len(), 1 | 2) && digits.parse::<u8>().is_ok() && is_slash(at.checked_sub(1))
            }) && is_slash(Some(at + 1));
            let kept = version || !numbered && at + 1 == tokens.len();
            if is_word(token[0]) { naive_word(token, kept) } else { token.clone() }
        };
        tokens.iter().enumerate().flat_map(fold).collect()
    }

    /// Runs and joints, of which nine in a row may be a UUID.
    fn naive_word(word: &[u8], kept: bool) -> Vec<u8> {
        let text = std::str::from_utf8(word).unwrap();
        let parts: Vec<&str> = text
            .split_inclusive(['-', '_'])
            .flat_map(|part| {
                let run = part.trim_end_matches(['-', '_']);
                [run, &part[run.len()..]]
            })
            .collect();
        let are_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (mut out, mut piece) = (String::new(), String::new());
        let mut at = 0;
        while at < parts.len() {
            let nine: Vec<&str> = parts.iter().copied().skip(at).take(9).collect();
            let lengths: Vec<usize> = nine.iter().map(|part| part.len()).collect();
            let is_uuid = lengths == [8, 1, 4, 1, 4, 1, 4, 1, 12]
                && nine
                    .iter()
                    .enumerate()
                    .all(|(at, part)| if at % 2 == 0 { are_hex(part) } else { *part == "-" });
            let run = parts[at];
            let is_hex = run.len() >= 8
                && are_hex(run)
                && run.contains(|c: char| c.is_ascii_digit())
                && run.contains(|c: char| c.is_ascii_alphabetic());
            if is_uuid || is_hex {
                out.push_str(&naive_piece(&std::mem::take(&mut piece), kept));
                out.push_str(if is_uuid { "{uuid}" } else { "{hex}" });
                at += if is_uuid { 9 } else { 1 };
            } else {
                piece.push_str(run);
                at += 1;
            }
        }
        (out + &naive_piece(&piece, kept)).into_bytes()
    }

    fn naive_piece(piece: &str, kept: bool) -> String {
        let count = |pattern: &str| {
            let pattern = regex::Regex::new(pattern).unwrap();
            (0..piece.len()).filter(|&at| pattern.is_match(&piece[at..])).count()
        };
        let numbers = regex::Regex::new("[0-9]+").unwrap();
        if piece.len() >= 20
            && numbers.is_match(piece)
            && 5 * count("^([0-9][A-Za-z]|[A-Za-z][0-9]|[a-z][A-Z])") >= piece.len()
            && 8 * count("^[-_]") <= piece.len()
        {
            return "{id}".to_owned();
        }
        if kept { piece.to_owned() } else { numbers.replace_all(piece, "{n}").into_owned() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn templates_are_those_of_the_twin(
            path in "(/(v[0-9]{0,3}|[0-9a-f]{6,10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11,13}|[A-Za-z0-9_-]{0,26}|[a-z%.0-9]{0,6}|.{0,4})([-_.][0-9a-f]{7,9})?){0,3}([.][a-z0-9]{1,9})?",
        ) {
            let found = template(path.as_bytes());
            let expected = naive(path.as_bytes());
            prop_assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
            let again = template(&found).into_owned();
            prop_assert_eq!(again.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }
}
