//! The lines and words of Apache httpd's configuration, one reader for a pasted directive and for whole files.
//!
//! The rules are those of `ap_cfg_getline` and `ap_getword_conf`: a backslash at the end of a line continues it (that
//! of a comment, too), `#` starts a comment only as a line's first letter, and in a word `\\` and the escaped quote are
//! undone. A quote that never closes ends with the line.

use super::token::Word;

/// A line with its continuations, whose words know where they stood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The words; none for a comment.
    pub(super) words: Vec<Word>,
}

/// All lines that hold words.
pub(super) fn lines(source: &str) -> impl Iterator<Item = Line> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (joined, next) = joined(source, from)?;
        from = next;
        Some(Line { words: words(&joined) })
    })
    .filter(|line| !line.words.is_empty())
}

/// The line that starts at `from`, continuations joined, and where the next one starts.
fn joined(source: &str, from: usize) -> Option<(Word, usize)> {
    if from >= source.len() {
        return None;
    }
    let mut line = Word::starting(from, from);
    let mut at = from;
    loop {
        let length = memchr::memchr(b'\n', &source.as_bytes()[at..]);
        let end = length.map_or(source.len(), |length| at + length);
        let text = source[at..end].strip_suffix('\r').unwrap_or(&source[at..end]);
        let continued = text.strip_suffix('\\').filter(|_| length.is_some());
        for (offset, letter) in continued.unwrap_or(text).char_indices() {
            line.push(letter, at + offset);
        }
        at = end + 1;
        if continued.is_none() || at >= source.len() {
            return Some((line, at));
        }
    }
}

/// The words of a joined line.
fn words(line: &Word) -> Vec<Word> {
    let mut words = Vec::new();
    let text = line.text.as_str();
    let mut rest = text.trim_start_matches(is_blank);
    if rest.starts_with('#') {
        return words;
    }
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let (after, word) = word(rest);
        words.push(word.through(|offset| line.place(start + offset)));
        rest = after.trim_start_matches(is_blank);
    }
    words
}

/// The word at the start of a text that is not empty, and what follows it.
pub(super) fn word(input: &str) -> (&str, Word) {
    let quote = input.chars().next().filter(|letter| ['"', '\''].contains(letter));
    let skipped = quote.map_or(0, char::len_utf8);
    let mut word = Word::starting(0, skipped);
    let mut letters = input.char_indices().skip(skipped).peekable();
    while let Some((at, letter)) = letters.next() {
        let ends = quote.map_or_else(|| is_blank(letter), |quote| letter == quote);
        if ends {
            return (&input[at + skipped..], word);
        }
        match letters.peek() {
            Some(&(_, next)) if letter == '\\' && (next == '\\' || Some(next) == quote) => {
                word.push(next, at);
                letters.next();
            }
            _ => word.push(letter, at),
        }
    }
    ("", word)
}

/// Blanks as C's `isspace` knows them.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let shown: Vec<String> = lines(source)
            .map(|line| line.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("|"))
            .collect();
        assert_eq!(shown, expected, "{source}");
    }

    #[test]
    fn lines_and_words_are_those_of_httpd() {
        check("A b\n\tC  d\r\n\n", &["A|b", "C|d"]);
        check("A \"b c\" 'd\"e' f", &["A|b c|d\"e|f"]);
        check(r#"A "b\"c\\d\e" x\\y\"z"#, &[r#"A|b"c\d\e|x\y\"z"#]);
        check("A 'b\\'c\"'", &["A|b'c\""]);
        check("A b\\\nc \\\r\n  d", &["A|bc|d"]);
        check("# A \\\nb\nC # d", &["C|#|d"]);
        check("A \"b", &["A|b"]);
        check("A \"b\"c", &["A|b|c"]);
        check("A b\\", &["A|b\\"]);
        check("A b\\\n", &["A|b"]);
        check("", &[]);
    }

    #[test]
    fn a_word_knows_where_each_byte_stood() {
        let source = "x\nLog \"a\\\"b\\\nc\"";
        let line = lines(source).nth(1).expect("two lines");
        let word = &line.words[1];
        let places: Vec<&str> =
            (0..word.text.len()).map(|offset| &source[word.place(offset)..][..1]).collect();
        assert_eq!((word.text.as_str(), places), ("a\"bc", vec!["a", "\\", "b", "c"]));
        assert_eq!(&source[word.at..=word.at], "\"");
    }
}
