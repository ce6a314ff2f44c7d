//! Commands that people copy into a shell.
//!
//! Words come from options and file names, which strangers may have chosen. A word that a terminal cannot show as it is
//! is never part of a command: what is run must be what was read.

use super::escape;

/// Characters that mean themselves in every shell.
const PLAIN: &str = "_./-@:+,=";

/// A word in single quotes where it needs them; none if it holds what a terminal must not be shown.
///
/// Nothing but the quote itself is special within single quotes of a POSIX shell.
pub fn quoted(word: &str) -> Option<String> {
    if escape::terminal(word.as_bytes()) != word {
        return None;
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || PLAIN.contains(letter);
    // A leading `=` is a path to a command in zsh.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

/// A command of these words; none if one of them cannot be quoted.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let words: Option<Vec<String>> = words.into_iter().map(quoted).collect();
    words.map(|words| words.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_as_shells_need_it() {
        fn check(word: &str, expected: &str) {
            assert_eq!(quoted(word).as_deref(), Some(expected));
        }
        check("access.log", "access.log");
        check("/var/log/nginx/a-b_c,d+e=f@g:h", "/var/log/nginx/a-b_c,d+e=f@g:h");
        check("", "''");
        check("a b", "'a b'");
        check("$(reboot)`reboot`", "'$(reboot)`reboot`'");
        check("it's", r"'it'\''s'");
        check("'", r"''\'''");
        check("a;b|c&d>e", "'a;b|c&d>e'");
        check("~root", "'~root'");
        check("=ls", "'=ls'");
        check("*?[a]{b,c}!\"\\#%", "'*?[a]{b,c}!\"\\#%'");
        check("日志.log", "'日志.log'");
    }

    #[test]
    fn what_cannot_be_shown_is_in_no_command() {
        for word in
            ["a\nb", "\x1b[2J", "a\0", "a\tb", "\u{9b}31m", "\u{202e}gol", "a\rb", "\u{200b}", "\u{7f}"]
        {
            assert_eq!(quoted(word), None, "{word:?}");
            assert_eq!(line(["bandwho", word]), None);
        }
        assert_eq!(line(["bandwho", "a b", "c"]).as_deref(), Some("bandwho 'a b' c"));
    }

    /// What a POSIX shell makes of quoted words.
    fn unquoted(line: &str) -> Vec<String> {
        let (mut words, mut word, mut letters) = (Vec::new(), String::new(), line.chars());
        while let Some(letter) = letters.next() {
            match letter {
                ' ' => words.push(std::mem::take(&mut word)),
                '\\' => word.extend(letters.next()),
                '\'' => word.extend(letters.by_ref().take_while(|letter| *letter != '\'')),
                letter => {
                    assert!(letter.is_ascii_alphanumeric() || PLAIN.contains(letter), "{letter:?} is bare");
                    word.push(letter);
                }
            }
        }
        words.push(word);
        words
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn a_shell_reads_back_what_was_meant(words in prop::collection::vec("[ -~é日\n\u{1b}]{0,8}", 1..5)) {
            let hidden = words.iter().any(|word| word.contains(['\n', '\u{1b}']));
            let read = line(words.iter().map(String::as_str)).map(|line| unquoted(&line));
            prop_assert_eq!(read, (!hidden).then_some(words));
        }
    }
}
