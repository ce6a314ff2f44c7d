//! Formats that the server's configuration names.

use super::{elected, known_fields};
use crate::format::{Layout, Part};

/// The configured layout that reads most lines whole; of those that read one line, the one with most values that mean
/// something has it. None if no line is read whole: columns that follow say that the line has another format.
pub(super) fn best(known: &[Layout], lines: &[&[u8]]) -> Option<Layout> {
    let known: Vec<&Layout> = known.iter().collect();
    elected(&known, lines, |layout, extra| (!extra).then(|| known_fields(layout)))
        .map(|(layout, _)| layout.clone())
}

/// Those that may begin later in a log. A line without a time could be anybody's.
pub(super) fn timed(known: &[Layout]) -> impl Iterator<Item = &Layout> {
    known.iter().filter(|layout| layout.format.has(Part::Time))
}
