//! The names of a format's values ↔ its steps.

use super::Span;
use crate::format::Layout;

/// Finds the step of a name. Lines name their values in the same order nearly always: the step after the last one is
/// tried first.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    names: Vec<Vec<u8>>,
    next: usize,
}

impl Keys {
    pub(super) fn new(layout: &Layout) -> Self {
        let names = layout.steps.iter().map(|step| step.field.text.as_bytes().to_vec());
        Self { names: names.collect(), next: 0 }
    }

    /// A new line begins.
    #[inline]
    pub(super) fn restart(&mut self) {
        self.next = 0;
    }

    /// The step whose value is called `name`.
    #[inline]
    pub(super) fn step(&mut self, name: &[u8]) -> Option<usize> {
        let (before, after) = self.names.split_at(self.next);
        let found = |names: &[Vec<u8>]| names.iter().position(|known| known == name);
        let step = found(after).map(|at| self.next + at).or_else(|| found(before))?;
        self.next = step + 1;
        Some(step)
    }
}

/// No value of an earlier line is left.
#[inline]
pub(super) fn clear(spans: &mut [Span]) {
    spans.fill((0, 0));
}
