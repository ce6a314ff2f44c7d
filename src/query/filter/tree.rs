//! A filter as it was typed: words and operators, nothing looked up.

use std::fmt;

/// A filter or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    /// All must hold: `and`. Two at least.
    All(Vec<Tree>),
    /// One must hold: `or`. Two at least.
    Any(Vec<Tree>),
    /// Must not hold.
    Not(Box<Tree>),
    /// Two sides.
    Comparison(Comparison),
}

/// `FIELD OPERATOR VALUE`, or a list of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The left side.
    pub(super) field: Word,
    /// What is asked.
    pub(super) operator: Operator,
    /// Where the operator stands.
    pub(super) at: Place,
    /// The right side: one value, or several of `in`.
    pub(super) values: Vec<Word>,
}

/// A word of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without quotes and escapes.
    pub(super) text: String,
    /// Whether it stood in quotes.
    pub(super) quotes: Quotes,
    /// Where it begins.
    pub(super) at: Place,
}

/// Whether a word stood in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// It did.
    Quoted,
    /// It did not.
    Bare,
}

/// A place in the expression: how many bytes follow. All are equal: two filters that say the same are the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(pub(super) usize);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

/// What a comparison asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning; docs/FILTERS.md has the signs")]
pub(super) enum Operator {
    Is,
    IsNot,
    Less,
    LessOrIs,
    More,
    MoreOrIs,
    Begins,
    Ends,
    Contains,
    Matches,
    MatchesNot,
    In,
    NotIn,
}

impl Operator {
    /// All but those of lists, so that none is the beginning of a later one.
    pub(super) const SIGNS: [(&'static str, Self); 12] = [
        ("!=", Self::IsNot),
        ("!~", Self::MatchesNot),
        ("<=", Self::LessOrIs),
        (">=", Self::MoreOrIs),
        ("^=", Self::Begins),
        ("$=", Self::Ends),
        ("*=", Self::Contains),
        ("==", Self::Is),
        ("=", Self::Is),
        ("<", Self::Less),
        (">", Self::More),
        ("~", Self::Matches),
    ];

    /// How it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "not in",
            // The shortest of those that mean the same stands last.
            sign => Self::SIGNS.iter().rev().find(|(_, known)| *known == sign).map_or("", |(text, _)| text),
        }
    }

    /// True for `=`, `in` and their opposites.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Is | Self::IsNot | Self::In | Self::NotIn)
    }

    /// True if it asks which of two is more.
    pub(super) fn is_order(self) -> bool {
        matches!(self, Self::Less | Self::LessOrIs | Self::More | Self::MoreOrIs)
    }

    /// True if it is about text alone.
    pub(super) fn is_textual(self) -> bool {
        !self.is_order() && !self.is_equality()
    }

    /// The numbers that it lets pass beside this one, opposites aside: both ends are among them.
    pub(super) fn range(self, value: i64) -> (i64, i64) {
        match self {
            Self::Less => (i64::MIN, value.saturating_sub(1)),
            Self::LessOrIs => (i64::MIN, value),
            Self::More => (value.saturating_add(1), i64::MAX),
            Self::MoreOrIs => (value, i64::MAX),
            _ => (value, value),
        }
    }

    /// True if it says the opposite of another operator.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Self::IsNot | Self::MatchesNot | Self::NotIn)
    }
}

/// The words that a value must be quoted to be.
pub(super) const KEYWORDS: [&str; 4] = ["and", "or", "not", "in"];

/// True for a word that has a meaning of its own, in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

impl fmt::Display for Tree {
    /// The same filter with the fewest blanks and parentheses that read well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => {
                joined(parts, " and ", |part| !matches!(part, Self::All(_) | Self::Any(_)), f)
            }
            Self::Any(parts) => joined(parts, " or ", |part| !matches!(part, Self::Any(_)), f),
            Self::Not(part) => {
                f.write_str("not ")?;
                enclosed(part, matches!(**part, Self::Not(_) | Self::Comparison(_)), f)
            }
            Self::Comparison(comparison) => comparison.fmt(f),
        }
    }
}

fn joined(
    parts: &[Tree],
    between: &str,
    is_tighter: impl Fn(&Tree) -> bool,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at > 0 { between } else { "" })?;
        enclosed(part, is_tighter(part), f)?;
    }
    Ok(())
}

/// In parentheses, unless what stands around it binds less.
fn enclosed(part: &Tree, is_tighter: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_tighter { write!(f, "{part}") } else { write!(f, "({part})") }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, operator, at: _, values } = self;
        write!(f, "{field} {} ", operator.sign())?;
        match values.as_slice() {
            [value] => value.fmt(f),
            values => {
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "(" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quotes == Quotes::Bare {
            return f.write_str(&self.text);
        }
        f.write_str("'")?;
        let mut letters = self.text.chars().peekable();
        while let Some(letter) = letters.next() {
            // Patterns have many backslashes, and read better if those that escape nothing stay single.
            let escapes = letter == '\\' && letters.peek().is_none_or(|next| matches!(next, '\\' | '\''));
            if letter == '\'' || escapes {
                f.write_str("\\")?;
            }
            write!(f, "{letter}")?;
        }
        f.write_str("'")
    }
}
