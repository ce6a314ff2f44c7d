//! Patterns for names and paths, the most specific first.

use globset::{Candidate, GlobBuilder, GlobSet};

use super::Idc;
use crate::error::Error;

/// Patterns, the most specific first.
#[derive(Debug, Default)]
pub(super) struct Globs {
    set: GlobSet,
    /// What each is specific by, and where it leads.
    found: Vec<(usize, Idc)>,
}

/// What a `*` does at a `/`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Separator {
    /// It goes on: in names.
    Ordinary,
    /// It stops, `**` goes on: in paths.
    Literal,
}

impl Globs {
    /// The patterns must differ and compile; see [`compile`].
    pub(super) fn new(mut patterns: Vec<(String, Idc)>, separator: Separator) -> Result<Self, Error> {
        patterns
            .sort_by(|(one, _), (other, _)| specific(other).cmp(&specific(one)).then_with(|| one.cmp(other)));
        let mut builder = GlobSet::builder();
        for (pattern, _) in &patterns {
            builder.add(compile(pattern, separator).map_err(Error::Data)?);
        }
        let set =
            builder.build().map_err(|error| Error::Data(format!("the globs of the server list: {error}")))?;
        Ok(Self { set, found: patterns.into_iter().map(|(text, idc)| (specific(&text), idc)).collect() })
    }

    /// Where the most specific pattern for this text leads.
    pub(super) fn get(&self, text: &[u8]) -> Option<Idc> {
        self.best(text).map(|index| self.found[index].1)
    }

    /// The most specific pattern for a form of this path or a directory above it: how specific it is, and where it
    /// leads.
    pub(super) fn above<'p>(&self, forms: impl Iterator<Item = &'p str>) -> Option<(usize, Idc)> {
        if self.found.is_empty() {
            return None;
        }
        let above = |path: &'p str| {
            let ends = path.bytes().enumerate().filter(|&(_, byte)| byte == b'/').map(|(end, _)| end);
            ends.chain([path.len()]).map(|end| &path[..end])
        };
        let best = forms.flat_map(above).filter_map(|path| self.best(path.as_bytes())).min()?;
        Some(self.found[best])
    }

    /// Gives every data centre its final number.
    pub(super) fn renumber(&mut self, finals: &[Idc]) {
        for (_, idc) in &mut self.found {
            *idc = finals[usize::from(idc.0)];
        }
    }

    fn best(&self, text: &[u8]) -> Option<usize> {
        if self.found.is_empty() {
            return None;
        }
        self.set.matches_candidate(&Candidate::from_bytes(text)).into_iter().min()
    }
}

/// True if a text is more than itself.
pub(super) fn is_glob(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{'))
}

/// The pattern, or what is wrong with it.
pub(super) fn compile(text: &str, separator: Separator) -> Result<globset::Glob, String> {
    let literal;
    let pattern = if is_glob(text) {
        text
    } else {
        literal = globset::escape(text);
        &literal
    };
    GlobBuilder::new(pattern)
        .literal_separator(matches!(separator, Separator::Literal))
        .backslash_escape(true)
        .build()
        .map_err(|error| format!("{text} is not a glob: {}", error.kind()))
}

/// How many characters a pattern prescribes. Counting wildcards would rank `/logs/**` above `/logs/b`.
fn specific(pattern: &str) -> usize {
    pattern.chars().filter(|letter| !is_glob(pattern) || !"*?[]{}".contains(*letter)).count()
}
