//! JSON and YAML as one kind of tree, whose texts know where they stand.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::claim::{Lines, Position};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node<'t> {
    pub(super) value: Value<'t>,
    /// Offset in the source; where that is unknown, of what stands before.
    pub(super) at: usize,
}

/// What a value is. Numbers and truth values are texts: names may look like them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'t> {
    Null,
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Map(Vec<Pair<'t>>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair<'t> {
    pub(super) key: Cow<'t, str>,
    /// Offset of the key.
    pub(super) at: usize,
    pub(super) value: Node<'t>,
}

/// What is wrong with a text.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) position: Position,
    pub(super) message: String,
}

impl Bad {
    /// An error at an offset of a text.
    #[cold]
    pub(super) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { position: Lines::new(text).position(offset), message: message.into() }
    }
}

impl Node<'_> {
    /// The text, if it is one that says something.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }
}

/// Reads JSON.
pub(super) fn json(text: &str) -> Result<Node<'_>, Bad> {
    let last = Cell::new(0);
    let seed = Seed { start: text.as_ptr().addr(), last: &last };
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = seed.deserialize(&mut reader).and_then(|node| reader.end().map(|()| node));
    node.map_err(|error| {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let position = Position { line: number(error.line()), column: number(error.column().max(1)) };
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Bad { position, message: format!("not JSON: {message}") }
    })
}

#[derive(Clone, Copy)]
struct Seed<'c> {
    /// Where the source lies in memory: a text that was borrowed from it shows its own place.
    start: usize,
    last: &'c Cell<usize>,
}

impl Seed<'_> {
    fn node(self, value: Value<'_>) -> Node<'_> {
        Node { value, at: self.last.get() }
    }
}

impl<'t> DeserializeSeed<'t> for Seed<'_> {
    type Value = Node<'t>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Node<'t>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Seed<'_> {
    type Value = Node<'t>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a list or an object")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Node<'t>, E> {
        self.last.set(text.as_ptr().addr().saturating_sub(self.start));
        Ok(self.node(Value::Text(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'t>, E> {
        Ok(self.node(Value::Text(text.to_owned().into())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'t>, E> {
        Ok(self.node(Value::Text(value.to_string().into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'t>, E> {
        Ok(self.node(Value::Text(value.to_string().into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'t>, E> {
        Ok(self.node(Value::Text(value.to_string().into())))
    }

    fn visit_unit<E>(self) -> Result<Node<'t>, E> {
        Ok(self.node(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<Node<'t>, A::Error> {
        let at = self.last.get();
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node { value: Value::List(nodes), at })
    }

    fn visit_map<A: MapAccess<'t>>(self, mut items: A) -> Result<Node<'t>, A::Error> {
        let mut start = None;
        let mut pairs = Vec::new();
        while let Some(key) = items.next_key_seed(self)? {
            start.get_or_insert(key.at);
            let Value::Text(name) = key.value else { return Err(A::Error::custom("a key is no text")) };
            pairs.push(Pair { key: name, at: key.at, value: items.next_value_seed(self)? });
        }
        Ok(Node { value: Value::Map(pairs), at: start.unwrap_or(self.last.get()) })
    }
}

#[cfg(not(feature = "yaml"))]
pub(super) fn yaml(text: &str) -> Result<Node<'_>, Bad> {
    Err(Bad::at(text, 0, "this is YAML, and bandwho was built without the `yaml` feature"))
}

#[cfg(feature = "yaml")]
pub(super) use yaml::read as yaml;

#[cfg(feature = "yaml")]
mod yaml;
