//! Formats that the server's configuration names.

use crate::format::{Layout, Part};
use crate::parse::{Parser, Record, Wanted};

/// The configured layout that reads most lines whole; of those that read one line, the one with most values that mean
/// something has it. None if no line is read whole: columns that follow say that the line has another format.
pub(super) fn best(known: &[Layout], lines: &[&[u8]]) -> Option<Layout> {
    let mut readers: Vec<(Parser, usize)> = known
        .iter()
        .map(|layout| {
            let meaning = layout.steps.iter().filter(|step| step.field.part != Part::Other).count();
            (Parser::new(layout, Wanted::default(), &[]), meaning)
        })
        .collect();
    let mut votes = vec![0_usize; known.len()];
    let mut record = Record::default();
    for line in lines {
        let mut best: Option<(usize, usize)> = None;
        for (at, (parser, meaning)) in readers.iter_mut().enumerate() {
            let more = best.is_none_or(|(most, _)| *meaning > most);
            if more && parser.parse(line, &mut record).is_ok() && !record.extra {
                best = Some((*meaning, at));
            }
        }
        if let Some((_, at)) = best {
            votes[at] += 1;
        }
    }
    // Of equals the first is wanted, `max_by_key` keeps the last.
    let (most, _) =
        votes.iter().enumerate().rev().filter(|&(_, &count)| count > 0).max_by_key(|&(_, count)| count)?;
    Some(known[most].clone())
}

/// Those that may begin later in a log. A line without a time could be anybody's.
pub(super) fn timed(known: &[Layout]) -> impl Iterator<Item = Layout> {
    known.iter().filter(|layout| layout.format.has(Part::Time)).cloned()
}
