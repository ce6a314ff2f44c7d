//! Filters: `status >= 500 and region = CN-GD and not path ^= /health`.
//!
//! ```text
//! text    grammar → Tree      words and operators, as they were typed
//! Tree    typing  → Node      fields, numbers, networks, patterns; cheap questions first
//! Node    asked about the values of one record, fetched when they are asked for, so that no join is made in vain
//! Node    literals → texts of which every line that passes has one: what lines without them hold is never looked at
//! ```
//!
//! A value that is absent matches nothing but `= unknown`: neither `status = 200` nor `status != 200` holds for a record
//! without a status. `not` turns what came out around: `not status = 200` holds for it.

mod tree;
mod grammar;
mod words;
mod checks;
pub mod field;
mod typing;
mod literals;
mod having;
#[cfg(test)]
mod tests;

pub use checks::{Networks, Ranges, Texts};
pub use field::{Field, Raw};
pub use grammar::EXPRESSION_BYTES_MAX;
pub use having::{Having, Number};
pub use literals::{Addresses, Literals, Numerals};
pub use words::date;

use std::fmt;

use crate::parse::Wanted;
use crate::query::Dimension;
use crate::time::{Timestamp, Zone};
use tree::Tree;

/// A filter, ready to be asked.
#[derive(Debug, Clone)]
pub struct Filter {
    tree: Tree,
    /// What is asked.
    pub node: Node,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// What is expected, or why it cannot be meant.
    pub message: String,
    /// Where.
    pub offset: usize,
}

/// What times and ages are about.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Of dates and clocks that name none.
    pub zone: &'a Zone,
    /// For ages such as `2d`.
    pub now: Timestamp,
}

/// A filter or a part of one; those that are cheap to answer stand first.
#[derive(Debug, Clone)]
pub enum Node {
    /// All must hold.
    All(Vec<Node>),
    /// One must hold.
    Any(Vec<Node>),
    /// Must not hold.
    Not(Box<Node>),
    /// A question about one field.
    Test(Test),
}

/// A question about one field.
#[derive(Debug, Clone)]
pub struct Test {
    /// Whose value is looked at.
    pub field: Field,
    /// What is asked.
    pub check: Check,
    /// Whether a yes or a no is wanted of a value that is known.
    pub sense: Sense,
    /// What a value that is absent does.
    pub absent: Absent,
}

/// What a value that is known is compared with.
#[derive(Debug, Clone)]
pub enum Check {
    /// As text.
    Text(Texts),
    /// As a number.
    Number(Ranges<i64>),
    /// As an address; what is none is in no network.
    Network(Networks),
}

/// Which answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Sense {
    Positive,
    Negative,
}

/// What a value that is absent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Absent {
    Matches,
    Fails,
}

/// What it costs to answer, from what is at hand to what must be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A number of the line.
    Number,
    /// A text of the line.
    Text,
    /// A pattern on one.
    Pattern,
    /// The client.
    Client,
    /// The client's place, or the data centre.
    Join,
}

impl Filter {
    /// Reads an expression.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, Bad> {
        let tree = grammar::parse(text)?;
        let node = typing::resolve(&tree, scope, text.len())?;
        Ok(Self { tree, node })
    }

    /// Both must hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (mut trees, mut nodes) = (Vec::new(), Vec::new());
        for Self { tree, node } in [self, other] {
            match tree {
                Tree::All(parts) => trees.extend(parts),
                part => trees.push(part),
            }
            match node {
                Node::All(parts) => nodes.extend(parts),
                part => nodes.push(part),
            }
        }
        nodes.sort_by_key(Node::cost);
        Self { tree: Tree::All(trees), node: Node::All(nodes) }
    }

    /// All fields that are asked about, in the order in which they are; some more than once.
    pub fn fields(&self) -> Vec<&Field> {
        let mut fields = Vec::new();
        self.node.tests(&mut |test| fields.push(&test.field));
        fields
    }

    /// The same, if they are dimensions.
    pub fn dimensions(&self) -> impl Iterator<Item = &Dimension> {
        self.fields().into_iter().filter_map(|field| match field {
            Field::Dimension(dimension) => Some(dimension),
            Field::Raw(_) => None,
        })
    }

    /// The parts of a record that are looked at.
    pub fn wanted(&self) -> Wanted {
        let parts = self.fields().into_iter().flat_map(Field::parts);
        parts.fold(Wanted::default(), |wanted, &part| wanted.with(part))
    }
}

impl fmt::Display for Filter {
    /// The expression, in the one way in which this filter is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}

impl Node {
    /// What it costs to answer at worst.
    pub fn cost(&self) -> Cost {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().map(Self::cost).max().unwrap_or(Cost::Number),
            Self::Not(node) => node.cost(),
            Self::Test(test) => test.cost(),
        }
    }

    fn tests<'a>(&'a self, visit: &mut impl FnMut(&'a Test)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.tests(visit)),
            Self::Not(node) => node.tests(visit),
            Self::Test(test) => visit(test),
        }
    }
}

impl Test {
    fn cost(&self) -> Cost {
        match (&self.field, &self.check) {
            (Field::Dimension(Dimension::Idc), _) => Cost::Join,
            (Field::Dimension(dimension), _) if dimension.is_place() => Cost::Join,
            (Field::Dimension(dimension), _) if dimension.is_client() => Cost::Client,
            (Field::Dimension(Dimension::Family | Dimension::Bot), _) => Cost::Client,
            (_, Check::Number(_)) => Cost::Number,
            (_, Check::Text(Texts::Matches(_))) => Cost::Pattern,
            _ => Cost::Text,
        }
    }

    /// Whether a value passes.
    #[inline]
    pub fn outcome<T>(&self, value: Option<T>, has: impl FnOnce(T) -> bool) -> bool {
        match value {
            Some(value) => has(value) == (self.sense == Sense::Positive),
            None => self.absent == Absent::Matches,
        }
    }
}
