//! Tokens of families in a text: all at once, whatever their number.

use aho_corasick::AhoCorasick;

use super::{FamilyId, WORD_BYTES_MAX};

/// What a family is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    text: String,
    before: Edge,
    after: Edge,
}

/// What may stand next to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Anything.
    Open,
    /// No ASCII letter or digit.
    Word,
}

impl Token {
    /// Reads a token; none if it is too short or too long, or has a `*` within.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, before) = text.strip_prefix('*').map_or((text, Edge::Word), |text| (text, Edge::Open));
        let (text, after) = text.strip_suffix('*').map_or((text, Edge::Word), |text| (text, Edge::Open));
        let is_one = (2..=WORD_BYTES_MAX).contains(&text.len()) && !text.contains('*');
        let edge = |edge, end: Option<&u8>| match end {
            Some(byte) if byte.is_ascii_alphanumeric() => edge,
            _ => Edge::Open,
        };
        let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
        let (before, after) = (edge(before, first), edge(after, last));
        is_one.then(|| Self { text: text.to_owned(), before, after })
    }
}

impl Edge {
    fn allows(self, neighbour: Option<&u8>) -> bool {
        self == Self::Open || !neighbour.is_some_and(u8::is_ascii_alphanumeric)
    }
}

/// All tokens, looked for in one pass.
#[derive(Debug)]
pub(super) struct Finder {
    automaton: AhoCorasick,
    /// By pattern.
    tokens: Vec<(Edge, Edge, FamilyId)>,
}

impl Finder {
    /// A finder of these tokens and their families.
    pub(super) fn new(tokens: &[(Token, FamilyId)]) -> Self {
        let texts = tokens.iter().map(|(token, _)| &token.text);
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(texts);
        Self {
            automaton: automaton.expect("files are too short for more than 2³¹ states"),
            tokens: tokens.iter().map(|(token, id)| (token.before, token.after, *id)).collect(),
        }
    }

    /// The first family that has a token in the text.
    pub(super) fn find(&self, text: &[u8]) -> Option<FamilyId> {
        let mut first: Option<FamilyId> = None;
        for found in self.automaton.find_overlapping_iter(text) {
            let (before, after, id) = self.tokens[found.pattern().as_usize()];
            let is_earlier = first.is_none_or(|first| id.0 < first.0);
            let neighbours = (found.start().checked_sub(1).map(|at| &text[at]), text.get(found.end()));
            if is_earlier && before.allows(neighbours.0) && after.allows(neighbours.1) {
                first = Some(id);
            }
        }
        first
    }
}
