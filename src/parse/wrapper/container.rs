//! What container runtimes and their command lines put around a line.
//!
//! ```text
//! 2026-11-23T05:53:12.123456789Z stdout F line                    CRI; P instead of F: the line goes on
//! {"log":"line\n","stream":"stdout","time":"2026-11-23T…Z"}       docker json-file; no \n: the line goes on
//! web-1  | line                                                   docker compose logs, perhaps in colour
//! [pod/web-7c9/nginx] line                                        kubectl logs --prefix
//! web-7c9 nginx: line                                             other collectors of pods
//! ```

use memchr::{memchr, memchr2, memmem};

use super::syslog;
use super::{Channel, Escape, Found, Part};

/// The longest name of a container or pod.
const NAME_MAX: usize = 255;

/// Objects within objects that are passed over.
const NESTING_MAX: u32 = 16;

/// Bytes among which a line's own time is looked for.
const OWN_TIME_WITHIN: usize = 512;

/// `TIME stdout|stderr P|F line`; further tags follow the first after a colon.
pub(super) fn cri(text: &[u8]) -> Option<Found> {
    let rest = syslog::iso_time(text)?.strip_prefix(b" std")?;
    let (channel, rest) = match rest {
        [b'o', b'u', b't', b' ', rest @ ..] => (Channel::Stdout, rest),
        [b'e', b'r', b'r', b' ', rest @ ..] => (Channel::Stderr, rest),
        _ => return None,
    };
    let (part, rest) = match rest {
        [b'F', rest @ ..] => (Part::Last, rest),
        [b'P', rest @ ..] => (Part::Begun, rest),
        _ => return None,
    };
    let start = match rest {
        [] => text.len(),
        [b' ', ..] => text.len() - rest.len() + 1,
        [b':', ..] => memchr(b' ', rest).map_or(text.len(), |blank| text.len() - rest.len() + blank + 1),
        _ => return None,
    };
    Some(Found { channel: Some(channel), part, ..Found::from(start, text) })
}

/// An object of `log` and its `stream` or `time`, in any order, and of nothing else but further objects: a JSON access
/// log that happens to have a `log` is not one.
pub(super) fn docker(text: &[u8]) -> Option<Found> {
    let mut rest = text.trim_ascii_start().strip_prefix(b"{")?;
    let mut log = None;
    let mut channel = None;
    let mut has_time = false;
    loop {
        let (key, after) = string(rest.trim_ascii_start())?;
        let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let at = text.len() - value.len() + 1;
        rest = if value.first() == Some(&b'{') {
            object(value)?
        } else {
            let (held, after) = string(value)?;
            match key {
                b"log" => log = Some((at, held)),
                b"stream" => {
                    channel = Some(if held == b"stderr" { Channel::Stderr } else { Channel::Stdout });
                }
                b"time" => has_time = true,
                _ => return None,
            }
            after
        };
        rest = rest.trim_ascii_start();
        rest = match rest.split_first()? {
            (b',', rest) => rest,
            (b'}', rest) if rest.trim_ascii().is_empty() => break,
            _ => return None,
        };
    }
    let (start, held) = log.filter(|_| channel.is_some() || has_time)?;
    let whole = ends_with_newline(held);
    let end = start + held.len() - if whole { NEWLINE.len() } else { 0 };
    let part = if whole { Part::Last } else { Part::Begun };
    let channel = Some(channel.unwrap_or(Channel::Stdout));
    Some(Found { start, end, escape: Escape::Json, channel, part })
}

/// The name of a container or pod before a line.
pub(super) fn prefix(text: &[u8]) -> Option<Found> {
    let (start, coloured) = if text.first() == Some(&b'[') {
        (bracketed(text)?, false)
    } else {
        let plain = colours(text);
        let length = name(plain);
        if length == 0 {
            return None;
        }
        let rest = &plain[length..];
        let rest = piped(&plain[..length], rest).or_else(|| pod(&plain[..length], rest))?;
        (text.len() - rest.len(), plain.len() < text.len())
    };
    let held = &text[start..];
    // A colour that was set before the line may be reset after it.
    let end = match held.strip_suffix(b"\x1b[0m") {
        Some(held) if coloured => start + held.len(),
        _ => text.len(),
    };
    Some(Found { end, ..Found::from(start, text) })
}

/// The length of a time to nine digits, before a line that has its own: servers do not write so many.
pub(super) fn stamp(text: &[u8]) -> Option<usize> {
    let rest = syslog::iso_time(text)?;
    let time = &text[..text.len() - rest.len()];
    let fraction = time.get(b"2026-11-23T05:53:12".len()..)?.strip_prefix(b".")?;
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.strip_prefix(b" ").filter(|_| digits == 9)?;
    let near = &rest[..rest.len().min(OWN_TIME_WITHIN)];
    let own = memchr::memchr_iter(b':', near);
    let has_own = own.filter(|&colon| colon >= 2).any(|colon| syslog::clock(&near[colon - 2..]).is_some());
    has_own.then(|| text.len() - rest.len())
}

/// Undoes the escapes of a JSON string in place. What is no escape stays; half of a surrogate pair becomes U+FFFD.
pub(super) fn unescape(text: &mut Vec<u8>) {
    let Some(mut from) = memchr(b'\\', text) else { return };
    let mut kept = from;
    while from < text.len() {
        if let Some((length, character)) = escaped(&text[from..]) {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            text[kept..kept + bytes.len()].copy_from_slice(bytes);
            kept += bytes.len();
            from += length;
        } else {
            // Text up to the next backslash moves at once, one that begins no escape included.
            let run = memchr(b'\\', &text[from + 1..]).map_or(text.len() - from, |next| next + 1);
            text.copy_within(from..from + run, kept);
            kept += run;
            from += run;
        }
    }
    text.truncate(kept);
}

const NEWLINE: &[u8] = b"\\n";

/// The escape that some text begins with: its length and what it stands for.
fn escaped(text: &[u8]) -> Option<(usize, char)> {
    let character = match text {
        [b'\\', b'u', ..] => {
            let high = unit(text)?;
            let pair = text.get(6..).and_then(unit).and_then(|low| {
                char::decode_utf16([high, low]).next()?.ok().filter(|character| character.len_utf16() == 2)
            });
            return Some(match pair {
                Some(character) => (12, character),
                None => (6, char::from_u32(high.into()).unwrap_or(char::REPLACEMENT_CHARACTER)),
            });
        }
        [b'\\', b'n', ..] => '\n',
        [b'\\', b't', ..] => '\t',
        [b'\\', b'r', ..] => '\r',
        [b'\\', b'b', ..] => '\u{8}',
        [b'\\', b'f', ..] => '\u{c}',
        [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => char::from(*byte),
        _ => return None,
    };
    Some((2, character))
}

/// `\u00e9`.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

/// True if the text of a string ends with an escaped newline, not with an escaped backslash and an `n`.
fn ends_with_newline(held: &[u8]) -> bool {
    let Some(before) = held.strip_suffix(b"n") else { return false };
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// What stands between the quotes of a string, as it is written, and what follows.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', &text[at..])?;
        if text[at] == b'"' {
            return Some((&text[..at], &text[at + 1..]));
        }
        at = (at + 2).min(text.len());
    }
}

/// What follows an object.
fn object(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    let mut depth = 0_u32;
    loop {
        let (first, after) = rest.split_first()?;
        rest = match first {
            b'"' => string(rest)?.1,
            b'{' if depth == NESTING_MAX => return None,
            b'{' => {
                depth += 1;
                after
            }
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(after);
                }
                after
            }
            _ => after,
        };
    }
}

/// `[pod/web-7c9/nginx] `; the length.
fn bracketed(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"[")?;
    let end = memchr(b']', &inside[..inside.len().min(2 * NAME_MAX)])?;
    let mut words = inside[..end].split(|&byte| byte == b'/');
    let is_kind =
        words.next().is_some_and(|kind| !kind.is_empty() && kind.iter().all(u8::is_ascii_lowercase));
    let names = words.by_ref().take_while(|word| name(word) == word.len()).count();
    let is_closed = inside.get(end + 1) == Some(&b' ');
    (is_kind && names == 2 && words.next().is_none() && is_closed).then_some(end + b"[] ".len())
}

/// `  | ` after a name. Logs with `|` between their columns have more of them.
fn piped<'a>(name: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    let text = colours(text);
    let blanks = text.iter().take(NAME_MAX).take_while(|&&byte| byte == b' ').count();
    let rest = colours(colours(&text[blanks..]).strip_prefix(b"|")?);
    let rest = colours(rest.strip_prefix(b" ").or(rest.is_empty().then_some(rest))?);
    let is_numbered = name
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .is_some_and(|at| at > 0 && at + 1 < name.len() && matches!(name[at], b'-' | b'_'));
    let is_name = name.iter().any(u8::is_ascii_alphabetic) && !name.contains(&b'.');
    (blanks > 0 && is_name && (is_numbered || memmem::find(rest, b" | ").is_none())).then_some(rest)
}

/// ` nginx: ` after the name of a pod, which always has a `-`.
fn pod<'a>(pod: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    let text = text.strip_prefix(b" ")?;
    let length = name(text);
    let is_pod = pod.contains(&b'-') && pod.iter().any(u8::is_ascii_alphabetic);
    if !is_pod || length == 0 {
        return None;
    }
    text[length..].strip_prefix(b": ")
}

/// The length of a name of letters, digits, `.`, `_` and `-` that begins with a letter or digit.
fn name(text: &[u8]) -> usize {
    if !text.first().is_some_and(u8::is_ascii_alphanumeric) {
        return 0;
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.iter().take(NAME_MAX).take_while(|byte| is_name(byte)).count()
}

/// What follows `ESC [ … letter`, once or more.
fn colours(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let Some(sequence) = rest.strip_prefix(b"\x1b[") {
        let parameters = sequence.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
        match sequence.get(parameters) {
            Some(byte) if byte.is_ascii_alphabetic() => rest = &sequence[parameters + 1..],
            _ => break,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Find = fn(&[u8]) -> Option<Found>;

    /// What is held stands between `¦` and the end or a second `¦`; without one nothing is found.
    fn check(find: Find, marked: &str) {
        let line = marked.replace('¦', "");
        let mut marks = marked.match_indices('¦').map(|(at, _)| at);
        let expected = marks.next().map(|start| (start, marks.next().map_or(line.len(), |end| end - 2)));
        let found = find(line.as_bytes()).map(|found| (found.start, found.end));
        assert_eq!(found, expected, "{marked}");
    }

    #[test]
    fn cri_tells_channel_and_part() {
        for line in [
            "2026-11-23T05:53:12.123456789Z stdout F ¦a b",
            "2026-11-23T05:53:12.1+01:00 stderr P ¦  a",
            "2026-11-23T05:53:12Z stdout F:x:y ¦a",
            "2026-11-23T05:53:12Z stdout F¦",
            "2026-11-23T05:53:12Z stdout F ¦",
            "2026-11-23T05:53:12Z stdin F a",
            "2026-11-23T05:53:12Z stdout G a",
            "2026-11-23T05:53:12Z stdout Fa",
            "2026-11-23T05:53:12Z",
        ] {
            check(cri, line);
        }
        let found = cri(b"2026-11-23T05:53:12Z stderr P x").unwrap();
        assert_eq!((found.channel, found.part), (Some(Channel::Stderr), Part::Begun));
    }

    #[test]
    fn docker_lines_are_objects_of_three_keys() {
        for line in [
            r#"{"log":"¦a \"b\"¦\n","stream":"stdout","time":"2026-11-23T05:53:12Z"}"#,
            r#"{ "time" : "t", "stream" : "stderr", "log" : "¦a¦" } "#,
            r#"{"log":"¦a\\n¦","stream":"stdout"}"#,
            r#"{"log":"¦a\\¦\n","stream":"stdout"}"#,
            r#"{"log":"¦¦\n","time":"t","attrs":{"a":{"b":"}"}}}"#,
            r#"{"log":"a","time":"t","status":"200"}"#,
            r#"{"log":"a","time":1}"#,
            r#"{"log":"a"}"#,
            r#"{"stream":"stdout","time":"t"}"#,
            r#"{"log":"a\n","stream":"stdout","time":"2026-11-2"#,
            r#"{"log":"a","stream":"stdout"}x"#,
            "{}",
            "{",
        ] {
            check(docker, line);
        }
    }

    #[test]
    fn names_of_containers_are_told_from_columns() {
        for line in [
            "web-1  | ¦a | b | c",
            "nginx | ¦a",
            "nginx | a | b",
            "web-1  |¦",
            "\x1b[36mweb_1    |\x1b[0m ¦a",
            "\x1b[36mweb-1  | \x1b[0m¦a¦\x1b[0m",
            "\x1b[2Kweb-1  | ¦a",
            "[pod/web-7c9/nginx] ¦a",
            "[pod/web-7c9] a",
            "[23/Nov/2026:05:53:11 +0000] a",
            "[a/b/c/d] a",
            "web-7c9 nginx: ¦a",
            "192.0.2.1 - - a: b",
            "192.0.2.1 | - | a",
            "www.example.com | a",
            "web nginx: a",
            "web-1|a",
            "\x1b[36m",
            "",
        ] {
            check(prefix, line);
        }
    }

    #[test]
    fn stamps_stand_before_lines_with_their_own_time() {
        let check = |line| check(|text| stamp(text).map(|start| Found::from(start, text)), line);
        check("2026-11-23T05:53:12.123456789Z ¦192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] x");
        check("2026-11-23T05:53:12.123456789Z 192.0.2.1 GET /");
        check("2026-11-23T05:53:12.123456Z 192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] x");
        check("2026-11-23T05:53:12.123456789Z");
        check("::");
    }

    fn undone(text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        unescape(&mut text);
        text
    }

    #[test]
    fn escapes_are_undone_once() {
        let check =
            |text: &str, expected: &str| assert_eq!(undone(text.as_bytes()), expected.as_bytes(), "{text}");
        check("", "");
        check("plain", "plain");
        check(r#"\"a\" \\x22 \/"#, r#""a" \x22 /"#);
        check(r"\u0041\t\u00e9", "A\té");
        check(r"\ud83d\ude00 \ud83d \ude00 \u12", "😀 \u{fffd} \u{fffd} \\u12");
        check(r"\q \", r"\q \");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn strings_read_as_serde_writes_them(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            let (held, rest) = string(written.as_bytes()).unwrap();
            prop_assert_eq!(rest, b"");
            prop_assert_eq!(undone(held), text.into_bytes());
        }

        #[test]
        fn nothing_harms(text in prop::collection::vec(prop::sample::select(br#"{}[]"\:,nu0d8 |logtime-/"#.to_vec()), 0..60)) {
            for find in [cri, docker, prefix] {
                if let Some(found) = find(&text) {
                    prop_assert!(found.start <= found.end && found.end <= text.len());
                }
            }
            prop_assert!(undone(&text).len() <= text.len());
        }
    }
}
