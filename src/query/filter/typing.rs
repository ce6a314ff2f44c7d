//! A tree of words → a tree of questions that can be asked.

use ipnet::IpNet;
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::checks::{Networks, Ranges, Texts};
use super::field::{Field, Kind, Unit};
use super::tree::{Comparison, Operator, Quotes, Tree, Word};
use super::words::{network, number};
use super::{Absent, Bad, Check, Node, Scope, Sense, Test};

/// Patterns of one expression at most, and the bytes that one of them may take when it is compiled and when it is
/// matched with: matching takes linear time whatever the pattern, but not without memory.
const PATTERNS_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 1 << 20;
const PATTERN_CACHE_MAX: usize = 1 << 21;
const PATTERN_DEPTH_MAX: u32 = 64;

/// Characters of a word that are shown.
const SHOWN_MAX: usize = 40;

/// Bits of the networks that `net` is made of.
const NET_BITS: (u8, u8) = (24, 48);

/// Finds out what every word means.
pub(super) fn resolve(tree: &Tree, scope: &Scope<'_>, length: usize) -> Result<Node, Bad> {
    Typing { scope, length, patterns: 0 }.node(tree)
}

struct Typing<'a> {
    scope: &'a Scope<'a>,
    /// Of the expression.
    length: usize,
    patterns: usize,
}

impl Typing<'_> {
    fn node(&mut self, tree: &Tree) -> Result<Node, Bad> {
        let mut all =
            |trees: &[Tree]| trees.iter().map(|tree| self.node(tree)).collect::<Result<Vec<_>, _>>();
        Ok(match tree {
            Tree::All(trees) => Node::All(cheapest_first(all(trees)?)),
            Tree::Any(trees) => Node::Any(cheapest_first(all(trees)?)),
            Tree::Not(tree) => Node::Not(Box::new(self.node(tree)?)),
            Tree::Comparison(comparison) => Node::Test(self.test(comparison)?),
        })
    }

    fn bad(&self, word: &Word, message: String) -> Bad {
        Bad { message, offset: self.length - word.at.0 }
    }

    fn test(&mut self, comparison: &Comparison) -> Result<Test, Bad> {
        let Comparison { field: name, operator, at, values } = comparison;
        let field = Field::parse(&shown(&name.text)).map_err(|message| self.bad(name, message))?;
        let kind = field.kind();
        if let Some(reason) = objection(&field, kind, *operator) {
            return Err(Bad { message: reason, offset: self.length - at.0 });
        }
        let sense = if operator.is_negative() { Sense::Negative } else { Sense::Positive };
        let (known, unknown): (Vec<&Word>, Vec<&Word>) = if operator.is_equality() {
            values.iter().partition(|word| !is_unknown(word))
        } else {
            (values.iter().collect(), Vec::new())
        };
        let absent = match sense {
            Sense::Positive if !unknown.is_empty() => Absent::Matches,
            _ => Absent::Fails,
        };
        let check = match (operator, kind) {
            (Operator::Begins, _) => Check::Text(Texts::Begins(bytes(known[0]))),
            (Operator::Ends, _) => Check::Text(Texts::Ends(bytes(known[0]))),
            (Operator::Contains, _) => Check::Text(contains(&known[0].text)),
            (Operator::Matches | Operator::MatchesNot, _) => Check::Text(self.pattern(known[0])?),
            (_, Kind::Text) => Check::Text(Texts::one_of(known.into_iter().map(bytes).collect())),
            (_, Kind::Address | Kind::Net) => Check::Network(self.networks(&known, kind)?),
            (_, Kind::Number(unit)) => Check::Number(self.ranges(&known, *operator, unit)?),
        };
        Ok(Test { field, check, sense, absent })
    }

    fn pattern(&mut self, word: &Word) -> Result<Texts, Bad> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(self.bad(word, format!("more than {PATTERNS_MAX} patterns")));
        }
        // Most are words, and those are found faster.
        if word.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-:=,;@%".contains(&byte)) {
            return Ok(contains(&word.text));
        }
        compile(&word.text).map(Texts::Matches).map_err(|message| self.bad(word, message))
    }

    fn networks(&self, words: &[&Word], kind: Kind) -> Result<Networks, Bad> {
        let read = |word: &&Word| {
            let network = network(&word.text).ok_or_else(|| {
                let network = "an address or a network such as 192.0.2.1 or 10.0.0.0/8 is expected";
                self.bad(word, format!("{network}; for host names there are ^=, $=, *= and ~"))
            })?;
            let most = if matches!(network, IpNet::V4(_)) { NET_BITS.0 } else { NET_BITS.1 };
            if kind == Kind::Net && network.prefix_len() > most {
                let message = "a net is a /24, or a /48 for IPv6: smaller ones are compared with `client in`";
                return Err(self.bad(word, message.to_owned()));
            }
            Ok(network)
        };
        words.iter().map(read).collect::<Result<_, _>>().map(Networks::new)
    }

    fn ranges(&self, words: &[&Word], operator: Operator, unit: Unit) -> Result<Ranges<i64>, Bad> {
        let range = |word: &&Word| {
            let value = number(&word.text, unit, self.scope).map_err(|message| self.bad(word, message))?;
            Ok(operator.range(value))
        };
        words.iter().map(range).collect::<Result<_, _>>().map(Ranges::new)
    }
}

/// Why a field cannot be asked this.
fn objection(field: &Field, kind: Kind, operator: Operator) -> Option<String> {
    let (name, sign) = (field.name(), operator.sign());
    let (is_order, is_textual) = (operator.is_order(), operator.is_textual());
    match kind {
        Kind::Number(Unit::Instant) if !is_order => {
            Some(format!("`{sign}` does not compare instants: {name} is compared with < <= > >="))
        }
        Kind::Number(_) if is_textual => Some(format!("`{sign}` compares text, and {name} is a number")),
        Kind::Text if is_order => Some(format!("`{sign}` compares numbers, and {name} is text")),
        Kind::Address | Kind::Net if is_order => {
            Some(format!("`{sign}` compares numbers, and {name} is an address; there is `in 10.0.0.0/8`"))
        }
        _ => None,
    }
}

/// True for words that stand for a value that is absent: tables show it as `unknown`, JSON as null.
fn is_unknown(word: &Word) -> bool {
    word.text == "unknown" || word.text.is_empty() || word.text == "null" && word.quotes == Quotes::Bare
}

fn bytes(word: &Word) -> Box<[u8]> {
    word.text.as_bytes().into()
}

fn contains(text: &str) -> Texts {
    Texts::Contains(Box::new(Finder::new(text.as_bytes()).into_owned()))
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_CACHE_MAX)
        .nest_limit(PATTERN_DEPTH_MAX)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(most) => format!("a pattern of more than {most} bytes when compiled"),
        // The last line says what is wrong; those before it draw the pattern.
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default();
            format!("bad pattern: {}", reason.strip_prefix("error: ").unwrap_or(reason))
        }
    })
}

/// The beginning of a word, for a message.
fn shown(word: &str) -> String {
    match word.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// What is asked first decides most records: numbers are at hand, joins take longest.
fn cheapest_first(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.sort_by_key(Node::cost);
    nodes
}
