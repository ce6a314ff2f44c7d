//! YAML → [`Node`]s. Aliases become copies, up to a limit; tags are not looked at.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle};

use super::{Bad, Node, Pair, Value};

/// Nodes that aliases may add: a few nested ones would otherwise fill any memory.
const COPIED_NODES_MAX: usize = 1_000_000;

/// A longer text counts as several nodes.
const NODE_BYTES: usize = 64;

/// Values stand in each other this deep at most.
const DEPTH_MAX: usize = 64;

/// Reads the only document of a text.
pub(in super::super) fn read(text: &str) -> Result<Node<'_>, Bad> {
    let mut builder = Builder { text, open: Vec::new(), anchors: HashMap::new(), copied: 0, root: None };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0);
            Bad::at(text, at, format!("not YAML: {}", error.info()))
        })?;
        let at = span.start.byte_offset().unwrap_or(0);
        match event {
            Event::DocumentStart(..) if documents == 1 => {
                return Err(Bad::at(text, at, "a second document begins here"));
            }
            Event::DocumentStart(..) => documents += 1,
            event => builder.take(event, at)?,
        }
    }
    Ok(builder.root.unwrap_or(Node { value: Value::Null, at: 0 }))
}

struct Builder<'t> {
    text: &'t str,
    open: Vec<Open<'t>>,
    /// What aliases stand for.
    anchors: HashMap<usize, Anchored<'t>>,
    copied: usize,
    root: Option<Node<'t>>,
}

/// A list or map that has not ended.
struct Open<'t> {
    node: Node<'t>,
    anchor: usize,
    /// A map's key that waits for its value.
    key: Option<Node<'t>>,
    /// Of what is in it so far.
    inside: Size,
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// How many nodes it counts as.
    nodes: usize,
    /// How many lists and maps stand in each other.
    depth: usize,
}

/// A value that aliases may stand for.
struct Anchored<'t> {
    node: Node<'t>,
    size: Size,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, at: usize) -> Result<(), Bad> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let nodes = 1 + text.len() / NODE_BYTES;
                let null = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null && style == ScalarStyle::Plain { Value::Null } else { Value::Text(text) };
                self.put(Node { value, at }, anchor, Size { nodes, depth: 0 })
            }
            Event::SequenceStart(_, anchor, _) => self.open(Value::List(Vec::new()), at, anchor),
            Event::MappingStart(_, anchor, _) => self.open(Value::Map(Vec::new()), at, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut open) = self.open.pop() else { return Ok(()) };
                if let Value::Map(pairs) = &mut open.node.value {
                    merge(pairs);
                }
                let Size { nodes, depth } = open.inside;
                self.put(open.node, open.anchor, Size { nodes: nodes + 1, depth: depth + 1 })
            }
            Event::Alias(anchor) => {
                let Some(&Anchored { size, .. }) = self.anchors.get(&anchor) else {
                    return Err(Bad::at(self.text, at, "this alias is part of what it stands for"));
                };
                // Aliases piled on aliases nest deeper than the text does.
                self.check_depth(self.open.len() + size.depth, at)?;
                self.count_copies(size.nodes, at)?;
                let node = Node { at, ..self.anchors[&anchor].node.clone() };
                self.put(node, 0, size)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, value: Value<'t>, at: usize, anchor: usize) -> Result<(), Bad> {
        self.check_depth(self.open.len() + 1, at)?;
        self.open.push(Open { node: Node { value, at }, anchor, key: None, inside: Size::default() });
        Ok(())
    }

    fn check_depth(&self, depth: usize, at: usize) -> Result<(), Bad> {
        if depth <= DEPTH_MAX {
            return Ok(());
        }
        Err(Bad::at(self.text, at, format!("values stand in each other more than {DEPTH_MAX} deep")))
    }

    fn count_copies(&mut self, nodes: usize, at: usize) -> Result<(), Bad> {
        self.copied += nodes;
        if self.copied > COPIED_NODES_MAX {
            let message = format!("anchors and aliases copy more than {COPIED_NODES_MAX} values");
            return Err(Bad::at(self.text, at, message));
        }
        Ok(())
    }

    /// A finished value goes where it belongs.
    fn put(&mut self, node: Node<'t>, anchor: usize, size: Size) -> Result<(), Bad> {
        if anchor != 0 {
            self.count_copies(size.nodes, node.at)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.inside.nodes += size.nodes;
        open.inside.depth = open.inside.depth.max(size.depth);
        match (&mut open.node.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(pairs), Some(Node { value, at })) => {
                let key = match value {
                    Value::Text(text) => text,
                    Value::Null => "null".into(),
                    _ => return Err(Bad::at(self.text, at, "this key is no text")),
                };
                pairs.push(Pair { key, at, value: node });
            }
            (_, _) => open.key = Some(node),
        }
        Ok(())
    }
}

/// `<<: *anchor`: what the map does not say itself.
fn merge(pairs: &mut Vec<Pair<'_>>) {
    if !pairs.iter().any(|pair| pair.key == "<<") {
        return;
    }
    let (merges, own): (Vec<_>, Vec<_>) = pairs.drain(..).partition(|pair| pair.key == "<<");
    let mut known: HashSet<_> = own.iter().map(|pair| pair.key.clone()).collect();
    *pairs = own;
    for node in merges.into_iter().map(|merge| merge.value) {
        let maps = match node.value {
            Value::List(maps) => maps,
            _ => vec![node],
        };
        let said = maps.into_iter().flat_map(pairs_of);
        pairs.extend(said.filter(|pair| known.insert(pair.key.clone())));
    }
}

fn pairs_of(node: Node<'_>) -> Vec<Pair<'_>> {
    match node.value {
        Value::Map(pairs) => pairs,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tree as JSON-like text.
    fn shown(node: &Node<'_>) -> String {
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Text(text) => text.to_string(),
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
            Value::Map(pairs) => {
                let pair = |pair: &Pair<'_>| format!("{}:{}", pair.key, shown(&pair.value));
                format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn trees_are_read() {
        let check = |text: &str, expected: &str| match read(text) {
            Ok(node) => assert_eq!(shown(&node), expected, "{text}"),
            Err(bad) => assert_eq!(format!("{}: {}", bad.position, bad.message), expected, "{text}"),
        };
        check("", "~");
        check("# x\n---\na: 1\nb:\n  - c\n  - {d: e}\n...\n", "{a:1,b:[c,{d:e}]}");
        check("a: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\n", "{a:{b:1,c:2},d:{b:1,c:2},e:{c:3,b:1}}");
        check("a: &x [*x]\n", "1:8: this alias is part of what it stands for");
        check("a: b\n---\nc: d\n", "2:1: a second document begins here");
        check("? [a]\n: b\n", "1:3: this key is no text");
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let message = read(&bomb).unwrap_err().message;
        assert_eq!(message, "anchors and aliases copy more than 1000000 values");
        let long = format!("a: &a \"{}\\n\"\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(20_000));
        let message = read(&long).unwrap_err().message;
        assert_eq!(message, "anchors and aliases copy more than 1000000 values");
        let mut piled = "a0: &a0 x\n".to_owned();
        for level in 1..70 {
            piled.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        let message = read(&piled).unwrap_err().message;
        assert_eq!(message, "values stand in each other more than 64 deep");
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        let message = read(&deep).unwrap_err().message;
        assert_eq!(message, "values stand in each other more than 64 deep");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_text_panics(text in "[a:&*<>\\-\\[\\]{},'\"#|!?% \n\t机]{0,40}") {
            let _ = read(&text);
        }
    }
}
