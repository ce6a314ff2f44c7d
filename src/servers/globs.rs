//! Patterns for names and paths, the most specific first.

use globset::{Candidate, Glob, GlobBuilder, GlobSet};

use super::Idc;
use crate::error::Error;

/// A longer path or pattern is none.
pub(super) const PATTERN_BYTES_MAX: usize = 4096;

/// All patterns of the lists together: each lookup may have to try every one of their automata.
pub(super) const PATTERNS_BYTES_MAX: usize = 4 << 20;

/// Braces stand in each other this deep at most; globset descends into them by recursion.
const BRACES_DEPTH_MAX: usize = 16;

/// Patterns, the most specific first.
#[derive(Debug, Default)]
pub(super) struct Globs {
    /// Consecutive patterns and the number of the first; more than one if all together are too large.
    sets: Vec<(usize, GlobSet)>,
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
        let compiled = patterns.iter().map(|(pattern, _)| compile(pattern, separator));
        let compiled = compiled.collect::<Result<Vec<_>, String>>().map_err(Error::Data)?;
        let mut sets = Vec::new();
        build(0, &compiled, &mut sets)?;
        Ok(Self { sets, found: patterns.into_iter().map(|(text, idc)| (specific(&text), idc)).collect() })
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
        let candidate = Candidate::from_bytes(text);
        self.sets
            .iter()
            .find_map(|(first, set)| Some(first + set.matches_candidate(&candidate).into_iter().min()?))
    }
}

/// One automaton for all patterns if it is not too large, else one for each half.
fn build(first: usize, globs: &[Glob], sets: &mut Vec<(usize, GlobSet)>) -> Result<(), Error> {
    let mut builder = GlobSet::builder();
    for glob in globs {
        builder.add(glob.clone());
    }
    match (builder.build(), globs) {
        (Ok(set), _) => {
            sets.push((first, set));
            Ok(())
        }
        (Err(error), [] | [_]) => Err(Error::Data(format!("a glob of the server list: {error}"))),
        (Err(_), globs) => {
            let (head, tail) = globs.split_at(globs.len() / 2);
            build(first, head, sets)?;
            build(first + head.len(), tail, sets)
        }
    }
}

/// True if a text is more than itself.
pub(super) fn is_glob(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{'))
}

/// The pattern, or what is wrong with it.
pub(super) fn compile(text: &str, separator: Separator) -> Result<Glob, String> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(format!("a glob of {} bytes: at most {PATTERN_BYTES_MAX}", text.len()));
    }
    if is_glob(text) && braces(text) > BRACES_DEPTH_MAX {
        return Err(format!(
            "{text} is not a glob: braces stand in each other more than {BRACES_DEPTH_MAX} deep"
        ));
    }
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

/// How deep braces stand in each other, at most; those in brackets count too.
fn braces(pattern: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// How many characters a pattern prescribes. Counting wildcards would rank `/logs/**` above `/logs/b`.
fn specific(pattern: &str) -> usize {
    pattern.chars().filter(|letter| !is_glob(pattern) || !"*?[]{}".contains(*letter)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_globs_are_several_automata() {
        let tail = "[!a-f]?".repeat(20);
        let pattern = |number: u16| (format!("web-*-{number:05}.{tail}"), Idc(number));
        let globs = Globs::new((0..20_000).map(pattern).collect(), Separator::Ordinary).unwrap();
        assert!(globs.sets.len() > 1);
        for number in [0, 9_999, 10_000, 19_999] {
            let name = format!("web-a-{number:05}.{}", "r1".repeat(20));
            assert_eq!(globs.get(name.as_bytes()), Some(Idc(number)));
        }
        assert_eq!(globs.get(b"web-a-00000.r1"), None);
    }

    #[test]
    fn braces_are_counted() {
        let check = |pattern: &str, depth: usize| assert_eq!(braces(pattern), depth, "{pattern}");
        check("a", 0);
        check("{a,b}{c,{d,e}}", 2);
        check("\\{{a}}}{{", 2);
        check("{\\", 1);
    }
}
