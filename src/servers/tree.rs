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
    let (last, end) = (Cell::new(0), Cell::new(0));
    let seed = Seed { text, last: &last, end: &end };
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = seed.deserialize(&mut reader).and_then(|node| reader.end().map(|()| node));
    let node = node.map_err(|error| {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let position = Position { line: number(error.line()), column: number(error.column().max(1)) };
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Bad { position, message: format!("not JSON: {message}") }
    })?;
    distinct(&node, text)?;
    Ok(node)
}

/// Of two values of one key a reader would have to choose one. No tree is deep, so this may recurse.
fn distinct(node: &Node<'_>, text: &str) -> Result<(), Bad> {
    match &node.value {
        Value::Null | Value::Text(_) => Ok(()),
        Value::List(items) => items.iter().try_for_each(|item| distinct(item, text)),
        Value::Map(pairs) => {
            let mut order: Vec<&Pair<'_>> = pairs.iter().collect();
            // Stable: of equal keys the earlier stays first.
            order.sort_by(|one, other| one.key.cmp(&other.key));
            let mut twice = order.windows(2).filter(|two| two[0].key == two[1].key);
            if let Some([first, again]) = twice.next() {
                let first = Lines::new(text).position(first.at);
                return Err(Bad::at(
                    text,
                    again.at,
                    format!("{} is here again, first at {first}", again.key),
                ));
            }
            pairs.iter().try_for_each(|pair| distinct(&pair.value, text))
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'c, 't> {
    text: &'t str,
    /// Offset of the last text, inside its quotes.
    last: &'c Cell<usize>,
    /// Where the last token ended: the reader tells neither places nor how a number was written.
    end: &'c Cell<usize>,
}

impl<'t> Seed<'_, 't> {
    /// What follows the last token and the punctuation after it.
    fn rest(self) -> &'t str {
        self.text[self.end.get()..].trim_start_matches(|letter: char| ",:[]{} \t\r\n".contains(letter))
    }

    /// The next token, a number or a word; as it was written, for not every number fits a machine's.
    fn bare(self) -> Node<'t> {
        let rest = self.rest();
        let length = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "+-.".contains(letter)));
        let token = &rest[..length.unwrap_or(rest.len())];
        let at = self.text.len() - rest.len();
        self.end.set(at + token.len());
        Node { value: Value::Text(token.into()), at }
    }
}

impl<'t> DeserializeSeed<'t> for Seed<'_, 't> {
    type Value = Node<'t>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Node<'t>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Seed<'_, 't> {
    type Value = Node<'t>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a list or an object")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Node<'t>, E> {
        let at = text.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.last.set(at);
        self.end.set(at + text.len() + 1);
        Ok(Node { value: Value::Text(text.into()), at })
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'t>, E> {
        let rest = self.rest();
        let at = self.text.len() - rest.len() + 1;
        let mut escaped = false;
        let closing = rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        self.last.set(at);
        self.end.set(closing.map_or(self.text.len(), |closing| at + closing + 1));
        Ok(Node { value: Value::Text(text.to_owned().into()), at })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node<'t>, E> {
        Ok(self.bare())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node<'t>, E> {
        Ok(self.bare())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node<'t>, E> {
        Ok(self.bare())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'t>, E> {
        Ok(self.bare())
    }

    fn visit_unit<E>(self) -> Result<Node<'t>, E> {
        Ok(Node { value: Value::Null, at: self.bare().at })
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

/// Reads the only document of a YAML text.
#[cfg(feature = "yaml")]
pub(super) fn yaml(text: &str) -> Result<Node<'_>, Bad> {
    let node = yaml::read(text)?;
    distinct(&node, text)?;
    Ok(node)
}

#[cfg(feature = "yaml")]
mod yaml;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_what_was_written_and_where() {
        let check = |text: &str, expected: &[(&str, usize)]| {
            let Value::List(items) = json(text).unwrap().value else { panic!("{text}") };
            let found: Vec<_> = items.iter().map(|node| (node.text().unwrap_or("~"), node.at)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("[1.50, -2e3,true ,null]", &[("1.50", 1), ("-2e3", 7), ("true", 12), ("~", 18)]);
        check("[18446744073709551616,\n0.1]", &[("18446744073709551616", 1), ("0.1", 23)]);
        check(
            r#"["a\"\\",7,"b",8,"",9]"#,
            &[("a\"\\", 2), ("7", 9), ("b", 12), ("8", 15), ("~", 18), ("9", 20)],
        );
    }

    #[test]
    fn a_key_stands_once() {
        let check = |found: Result<Node<'_>, Bad>, expected: &str| {
            let bad = found.unwrap_err();
            assert_eq!(format!("{}: {}", bad.position, bad.message), expected);
        };
        check(json("{\"a\":{\"dc\":\"bj\",\n\"dc\":\"bj\"}}"), "2:2: dc is here again, first at 1:8");
        check(json("[{\"\\u0061\":1,\"b\":2,\"a\":3}]"), "1:21: a is here again, first at 1:4");
        #[cfg(feature = "yaml")]
        {
            check(yaml("a: {dc: bj}\nb: 1\na: 2\n"), "3:1: a is here again, first at 1:1");
            assert!(yaml("a: &a {b: 1}\nc:\n  <<: *a\n  b: 2\n").is_ok());
        }
    }
}
