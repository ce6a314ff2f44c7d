//! The names of a format's values ↔ its steps.
//!
//! A step is named by a path: `request.headers.Referer` is found as a member of nested objects, as one name with dots
//! in it, and as any mixture of the two, because exporters flatten objects in all these ways. Each object that a path
//! goes through has its own table of members.

use super::Span;
use crate::format::{Grammar, Layout, Part};

/// Objects that a path goes through at most; the rest of a longer path is one name.
pub(super) const DEPTH_MAX: usize = 8;

/// A record of a request has at least one of these: servers write other things into the same file (Caddy its start,
/// nginx its errors) that have a time and a level only.
const TELLING: [Part; 8] = [
    Part::Client,
    Part::Status,
    Part::Body,
    Part::Wire,
    Part::Request,
    Part::Method,
    Part::Target,
    Part::Path,
];

/// Finds the step of a name. Lines name their values in the same order nearly always: the name that followed the
/// previous one last time is tried first.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    objects: Vec<Object>,
    /// For each step, whether it tells a request.
    telling: Vec<bool>,
    /// Pairs of a step and another of the same part that stands in for it where it is missing.
    stand_ins: Vec<(u16, u16)>,
    /// Where the line goes on after its first object; 0 if it does not.
    pub(super) rest: usize,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The step it names.
    pub(super) step: Option<u16>,
    /// The object, should its value be one.
    pub(super) object: Option<u16>,
}

#[derive(Debug, Clone, Default)]
struct Object {
    members: Vec<(Box<[u8]>, Found)>,
    /// The member that followed each one last time; the first stands for the object's beginning.
    followers: Vec<u16>,
    /// Index into `followers`.
    previous: usize,
}

impl Keys {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut tree = Tree::default();
        tree.object(b"");
        let nested = layout.format.grammar == Grammar::Json;
        for (step, path) in (0u16..).zip(layout.steps.iter().map(|step| step.field.text.as_bytes())) {
            if nested {
                tree.add_nested(path, step);
            } else {
                tree.member(0, path).step = Some(step);
            }
        }
        for object in &mut tree.objects {
            // Until a line shows the order, members follow each other as the steps do.
            object.followers = (0u16..).take(object.members.len() + 1).collect();
        }
        let telling: Vec<bool> = layout.steps.iter().map(|step| TELLING.contains(&step.field.part)).collect();
        Self { objects: tree.objects, telling, stand_ins: stand_ins(layout), rest: 0 }
    }

    /// A new line begins.
    #[inline]
    pub(super) fn restart(&mut self, spans: &mut [Span]) {
        spans.fill((0, 0));
        self.rest = 0;
        self.enter(0);
    }

    /// An object begins.
    #[inline]
    pub(super) fn enter(&mut self, object: u16) {
        self.objects[usize::from(object)].previous = 0;
    }

    /// The member that is expected next, if its name and the closing quote stand at the start of `rest`; with the
    /// name's length.
    #[inline]
    pub(super) fn expected(&mut self, object: u16, rest: &[u8], quote: u8) -> Option<(usize, Found)> {
        let object = &mut self.objects[usize::from(object)];
        let guess = usize::from(object.followers[object.previous]);
        let (name, found) = object.members.get(guess)?;
        if rest.get(name.len()) == Some(&quote) && rest.starts_with(name) {
            object.previous = guess + 1;
            return Some((name.len(), *found));
        }
        None
    }

    /// The member called `name`.
    #[inline]
    pub(super) fn find(&mut self, object: u16, name: &[u8]) -> Found {
        let object = &mut self.objects[usize::from(object)];
        let guess = usize::from(object.followers[object.previous]);
        if let Some((known, found)) = object.members.get(guess)
            && **known == *name
        {
            object.previous = guess + 1;
            return *found;
        }
        let Some(member) = object.members.iter().position(|(known, _)| **known == *name) else {
            return Found::default();
        };
        object.followers[object.previous] = u16::try_from(member).unwrap_or(0);
        object.previous = member + 1;
        object.members[member].1
    }

    /// The line's end: missing values are taken from their stand-ins. False if nothing here tells a request.
    #[inline]
    pub(super) fn finish(&self, spans: &mut [Span]) -> bool {
        for &(step, other) in &self.stand_ins {
            if spans[usize::from(step)] == (0, 0) {
                spans[usize::from(step)] = spans[usize::from(other)];
            }
        }
        let mut pairs = self.telling.iter().zip(spans.iter());
        pairs.any(|(&telling, &span)| telling && span != (0, 0)) || !self.telling.contains(&true)
    }
}

/// Values of one part and one notation, best first: a file may be written by two versions of a server.
fn stand_ins(layout: &Layout) -> Vec<(u16, u16)> {
    let mut pairs = Vec::new();
    for step in 0..layout.steps.len() {
        let field = &layout.steps[step].field;
        if field.part == Part::Other || layout.source(field.part) != Some(step) {
            continue;
        }
        let same = |other: &usize| {
            let other = &layout.steps[*other].field;
            other.part == field.part && other.kind == field.kind
        };
        let mut others: Vec<usize> =
            (0..layout.steps.len()).filter(|&other| other != step).filter(same).collect();
        others.sort_by_key(|&other| layout.steps[other].field.rank);
        let index = |step: usize| u16::try_from(step).unwrap_or(u16::MAX);
        pairs.extend(others.into_iter().map(|other| (index(step), index(other))));
    }
    pairs
}

/// Objects by the path that leads to them, its last dot included.
#[derive(Default)]
struct Tree {
    objects: Vec<Object>,
    prefixes: Vec<Vec<u8>>,
}

impl Tree {
    fn object(&mut self, prefix: &[u8]) -> u16 {
        let known = self.prefixes.iter().position(|known| known == prefix);
        let index = known.unwrap_or_else(|| {
            self.prefixes.push(prefix.to_vec());
            self.objects.push(Object::default());
            self.objects.len() - 1
        });
        u16::try_from(index).expect("FIELDS_MAX * DEPTH_MAX objects at most")
    }

    fn member(&mut self, object: u16, name: &[u8]) -> &mut Found {
        let members = &mut self.objects[usize::from(object)].members;
        let known = members.iter().position(|(known, _)| **known == *name);
        let index = known.unwrap_or_else(|| {
            members.push((name.into(), Found::default()));
            members.len() - 1
        });
        &mut members[index].1
    }

    /// Every way to cut the path at its dots.
    fn add_nested(&mut self, path: &[u8], step: u16) {
        let dots: Vec<usize> = memchr::memchr_iter(b'.', path).take(DEPTH_MAX - 1).collect();
        let starts = [0].into_iter().chain(dots.iter().map(|dot| dot + 1));
        for start in starts {
            let object = self.object(&path[..start]);
            for &dot in dots.iter().filter(|&&dot| dot >= start) {
                let inner = self.object(&path[..=dot]);
                self.member(object, &path[start..dot]).object = Some(inner);
            }
            self.member(object, &path[start..]).step = Some(step);
        }
    }
}
