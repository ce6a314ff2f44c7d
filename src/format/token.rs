//! The words of nginx's configuration language, one reader for a pasted directive and for whole files.
//!
//! The rules are those of `ngx_conf_read_token`: quotes and comments count only where a word starts, a closed quote
//! must be followed by a blank or a delimiter, `${` does not open a block, and of the escapes only six are undone.

use nom::bytes::complete::take_while;
use nom::character::complete::multispace0;
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser};

use super::BadFormat;

/// A word with its quotes and escapes undone, which still knows where each byte stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// What the server sees.
    pub(crate) text: String,
    /// Offset of the word's first byte, its quote included.
    pub(crate) at: usize,
    /// From the first offset in `text` on, the source stands at the second.
    jumps: Vec<(usize, usize)>,
}

/// The words up to a delimiter.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The words before the delimiter.
    pub(crate) words: Vec<Word>,
    /// The delimiter.
    pub(crate) ending: Ending,
    /// Offset of the delimiter.
    pub(crate) at: usize,
    /// Offset after the delimiter and, where one follows, after the Lua block.
    pub(crate) next: usize,
}

/// What ends a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`, which stands alone.
    Close,
    /// A block in another language, already skipped.
    Lua,
    /// The end of the text.
    End,
}

impl Word {
    /// An empty word that begins at `at`, its text at `text_at`.
    pub(crate) fn starting(at: usize, text_at: usize) -> Self {
        Self { text: String::new(), at, jumps: vec![(0, text_at)] }
    }

    /// Appends what stands in the source from `at` on.
    pub(crate) fn push(&mut self, letter: char, at: usize) {
        if self.place(self.text.len()) != at {
            self.jumps.push((self.text.len(), at));
        }
        self.text.push(letter);
    }

    /// Offset in the source of this offset in the text.
    pub(crate) fn place(&self, offset: usize) -> usize {
        let later = self.jumps.partition_point(|&(from, _)| from <= offset);
        let (from, source) = self.jumps[later - 1];
        source + (offset - from)
    }

    /// The same word where its source begins this much later.
    fn moved(mut self, by: usize) -> Self {
        self.at += by;
        for (_, source) in &mut self.jumps {
            *source += by;
        }
        self
    }

    /// The same word where its source was itself put together: `place` tells where each byte of that stood.
    pub(crate) fn through(&self, place: impl Fn(usize) -> usize) -> Self {
        let mut word = Self::starting(place(self.at), place(self.place(0)));
        for (offset, letter) in self.text.char_indices() {
            word.push(letter, place(self.place(offset)));
        }
        word
    }
}

/// Reads the statement that begins at `from`.
pub(crate) fn statement(source: &str, from: usize) -> Result<Statement, BadFormat> {
    let mut words: Vec<Word> = Vec::new();
    let mut rest = &source[from..];
    loop {
        let (after, token) = token(rest).map_err(|error| bad(source, &error))?;
        let start = source.len() - rest.len();
        rest = after;
        let after = source.len() - rest.len();
        let (ending, at) = match token {
            Token::Word(word) => {
                words.push(word.moved(start));
                continue;
            }
            Token::Delimiter(Ending::End) => (Ending::End, after),
            Token::Delimiter(ending) => (ending, after - 1),
        };
        let message = match ending {
            Ending::Semicolon if words.is_empty() => "nothing stands before this `;`",
            Ending::Open if words.is_empty() => "nothing stands before this `{`",
            Ending::Close if !words.is_empty() => "a `;` is missing before this `}`",
            Ending::Open if words[0].text.ends_with("_by_lua_block") => {
                let length = lua_block(rest).ok_or_else(|| BadFormat {
                    offset: at,
                    message: "this block of Lua is never closed".to_owned(),
                })?;
                return Ok(Statement { words, ending: Ending::Lua, at, next: after + length });
            }
            _ => return Ok(Statement { words, ending, at, next: after }),
        };
        return Err(BadFormat { offset: at, message: message.to_owned() });
    }
}

enum Token {
    Word(Word),
    Delimiter(Ending),
}

/// What is wrong with a word, and with what rest of the text it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fault<'a> {
    rest: &'a str,
    message: &'static str,
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, message: "this cannot be read" }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

#[cold]
fn bad(source: &str, error: &nom::Err<Fault<'_>>) -> BadFormat {
    let (rest, message) = match error {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => (fault.rest.len(), fault.message),
        nom::Err::Incomplete(_) => (0, "the text ends too early"),
    };
    BadFormat { offset: source.len() - rest, message: message.to_owned() }
}

fn token(input: &str) -> IResult<&str, Token, Fault<'_>> {
    let (rest, ()) = blanks_and_comments(input)?;
    let before = input.len() - rest.len();
    let ending = match rest.as_bytes().first() {
        None => return Ok((rest, Token::Delimiter(Ending::End))),
        Some(b';') => Ending::Semicolon,
        Some(b'{') => Ending::Open,
        Some(b'}') => Ending::Close,
        Some(quote @ (b'"' | b'\'')) => {
            let (rest, word) = quoted(rest, char::from(*quote))?;
            return Ok((rest, Token::Word(word.moved(before))));
        }
        Some(_) => {
            let (rest, word) = bare(rest)?;
            return Ok((rest, Token::Word(word.moved(before))));
        }
    };
    Ok((&rest[1..], Token::Delimiter(ending)))
}

fn blanks_and_comments(input: &str) -> IResult<&str, (), Fault<'_>> {
    let mut rest = multispace0(input)?.0;
    while rest.starts_with('#') {
        let (after, _) = take_while(|c| c != '\n').parse(rest)?;
        rest = multispace0(after)?.0;
    }
    Ok((rest, ()))
}

/// A word in quotes; a blank, `;`, `{`, `)` or the end must follow.
fn quoted(input: &str, quote: char) -> IResult<&str, Word, Fault<'_>> {
    let mut word = Word::starting(0, 1);
    let mut letters = input.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            let rest = &input[at + 1..];
            if rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n', ';', '{', ')']) {
                return Ok((rest, word));
            }
            let message = "after a closing quote must stand a blank or `;`";
            return Err(nom::Err::Failure(Fault { rest, message }));
        }
        if letter == '\\' {
            let Some((_, escaped)) = letters.next() else { break };
            push_escaped(&mut word, escaped, at);
        } else {
            word.push(letter, at);
        }
    }
    Err(nom::Err::Failure(Fault { rest: input, message: "a quote opens here and never closes" }))
}

/// A word without quotes: ends at a blank, `;` or `{` (but `${` belongs to a variable).
#[allow(clippy::unnecessary_wraps, reason = "parsers have one shape")]
fn bare(input: &str) -> IResult<&str, Word, Fault<'_>> {
    let mut word = Word::starting(0, 0);
    // Most words are nothing but this, and lists have hundreds of thousands of them.
    let special = |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'\\' | b'$');
    let plain = input.bytes().position(special).unwrap_or(input.len());
    word.text.push_str(&input[..plain]);
    let mut letters = input[plain..].char_indices().map(|(at, letter)| (plain + at, letter));
    let mut after_dollar = false;
    while let Some((at, letter)) = letters.next() {
        let brace = letter == '{';
        if matches!(letter, ' ' | '\t' | '\r' | '\n' | ';') || brace && !after_dollar {
            return Ok((&input[at..], word));
        }
        after_dollar = letter == '$' || brace;
        if letter != '\\' {
            word.push(letter, at);
        } else if let Some((_, escaped)) = letters.next() {
            push_escaped(&mut word, escaped, at);
        } else {
            word.push('\\', at);
        }
    }
    Ok(("", word))
}

/// `\"`, `\'`, `\\`, `\t`, `\r`, `\n` are translated; any other backslash stays.
fn push_escaped(word: &mut Word, escaped: char, at: usize) {
    match escaped {
        '"' | '\'' | '\\' => word.push(escaped, at),
        't' => word.push('\t', at),
        'r' => word.push('\r', at),
        'n' => word.push('\n', at),
        other => {
            word.push('\\', at);
            word.push(other, at + 1);
        }
    }
}

/// Length of a block of Lua with its closing brace. Braces within strings, comments and long brackets do not count.
fn lua_block(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 1);
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'{' => {
                depth += 1;
                at + 1
            }
            b'}' if depth == 1 => return Some(at + 1),
            b'}' => {
                depth -= 1;
                at + 1
            }
            b'"' | b'\'' => lua_string(bytes, at)?,
            b'[' => lua_long(bytes, at)?.unwrap_or(at + 1),
            b'-' if bytes[at..].starts_with(b"--") => match lua_long(bytes, at + 2)? {
                Some(end) => end,
                None => at + memchr::memchr(b'\n', &bytes[at..])?,
            },
            _ => at + 1,
        };
    }
    None
}

/// The place after the string that opens at `at`.
fn lua_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    loop {
        match *bytes.get(end)? {
            b'\\' => end += 2,
            byte if byte == bytes[at] => return Some(end + 1),
            _ => end += 1,
        }
    }
}

/// The place after the long bracket (`[[…]]`, `[=[…]=]`) at `at`; `Some(None)` if none opens there, `None` if one opens
/// and never closes.
#[allow(clippy::option_option, reason = "the three cases are told apart above")]
fn lua_long(bytes: &[u8], at: usize) -> Option<Option<usize>> {
    let signs = bytes.get(at + 1..).unwrap_or_default().iter().take_while(|&&byte| byte == b'=').count();
    if bytes.get(at) != Some(&b'[') || bytes.get(at + 1 + signs) != Some(&b'[') {
        return Some(None);
    }
    let closing = [b"]".as_slice(), &vec![b'='; signs], b"]"].concat();
    let inside = at + 2 + signs;
    let length = memchr::memmem::find(&bytes[inside..], &closing)?;
    Some(Some(inside + length + closing.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let mut shown = Vec::new();
        let mut from = 0;
        loop {
            match statement(text, from) {
                Ok(statement) => {
                    let words: Vec<&str> = statement.words.iter().map(|word| word.text.as_str()).collect();
                    shown.push(format!("{}{:?}", words.join("|"), statement.ending));
                    from = statement.next;
                    if statement.ending == Ending::End {
                        return shown.join(" ");
                    }
                }
                Err(error) => {
                    shown.push(error.to_string());
                    return shown.join(" ");
                }
            }
        }
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(shown(text), expected, "{text}");
    }

    #[test]
    fn words_end_where_nginx_ends_them() {
        check("a b\tc\r\nd;", "a|b|c|dSemicolon End");
        check("a 'b c' \"d'e\";", "a|b c|d'eSemicolon End");
        check("a b'c'd;", "a|b'c'dSemicolon End");
        check("a{b;}", "aOpen bSemicolon Close End");
        check("a ${b}c$d{e;", "a|${b}c$dOpen eSemicolon End");
        check("a $${{b;", "a|$${{bSemicolon End");
        check("a b}c;", "a|b}cSemicolon End");
        check("if ($a = \"b\") {}", "if|($a|=|b|)Open Close End");
        check("a '' b;", "a||bSemicolon End");
        check("a", "aEnd");
        check("", "End");
    }

    #[test]
    fn comments_stand_where_a_word_could() {
        check("# x;\na; # b;\nc #d\n 'e#f' g#h;", "aSemicolon c|e#f|g#hSemicolon End");
        check("a;#b", "aSemicolon End");
    }

    #[test]
    fn six_escapes_are_undone_and_the_others_stay() {
        check(r#"a "\"\'\\\.\d" \"b\;c;"#, "a|\"'\\\\.\\d|\"b\\;cSemicolon End");
        check(r"a \t\r\n;", "a|\t\r\nSemicolon End");
        check(r"a 'b\", "column 3: a quote opens here and never closes");
        check("a \\", "a|\\End");
    }

    #[test]
    fn what_nginx_refuses_is_refused_at_its_place() {
        check("a 'b", "column 3: a quote opens here and never closes");
        check("a 'b'c;", "column 6: after a closing quote must stand a blank or `;`");
        check("a 'b'#c\n;", "column 6: after a closing quote must stand a blank or `;`");
        check(";", "column 1: nothing stands before this `;`");
        check("a; {", "aSemicolon column 4: nothing stands before this `{`");
        check("a { b }", "aOpen column 7: a `;` is missing before this `}`");
    }

    #[test]
    fn lua_is_skipped() {
        check(
            "content_by_lua_block { if a then b = {c = '}'} end } d;",
            "content_by_lua_blockLua dSemicolon End",
        );
        check(
            "set_by_lua_block $x{ --[==[ } ]] ]==] -- }\n s = [[}]] }d;",
            "set_by_lua_block|$xLua dSemicolon End",
        );
        check("a_by_lua_block { t[b[1]] = \"\\\"}\" } d;", "a_by_lua_blockLua dSemicolon End");
        check("a_by_lua_block { '", "column 16: this block of Lua is never closed");
        check("a_by_lua_block { [=[ ]] }", "column 16: this block of Lua is never closed");
        check("a_by_lua_block { -- }", "column 16: this block of Lua is never closed");
    }

    #[test]
    fn a_word_knows_where_each_byte_stood() {
        let statement = statement(r"x  'a\nb\.c\td'", 0).expect("valid");
        let word = &statement.words[1];
        assert_eq!((word.text.as_str(), word.at), ("a\nb\\.c\td", 3));
        let places: Vec<usize> = (0..word.text.len()).map(|offset| word.place(offset)).collect();
        assert_eq!(places, [4, 5, 7, 8, 9, 10, 11, 13]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_text_is_read_without_panic_and_in_bounds(text in "[ab{};'\"\\\\$#\\[\\]=\n -]{0,40}(_by_lua_block ?\\{)?[ab{};'\"\\\\$#\\[\\]=\n -]{0,20}") {
            let mut from = 0;
            while let Ok(statement) = statement(&text, from) {
                for word in &statement.words {
                    prop_assert!(word.at >= from && word.place(word.text.len()) <= text.len());
                }
                if statement.ending == Ending::End {
                    break;
                }
                prop_assert!(statement.next > from);
                from = statement.next;
            }
        }
    }
}
