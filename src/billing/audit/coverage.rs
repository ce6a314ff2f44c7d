//! What one side has and the other has not.

use super::{Logs, Pair, Question};

/// Runs that are kept; all are counted.
pub const RUNS_MAX: usize = 1000;

/// Missing samples in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first second, by the port's clock.
    pub start: i64,
    /// The second after the last.
    pub end: i64,
    /// How many samples.
    pub samples: u64,
}

/// Missing samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many.
    pub samples: u64,
    /// The first runs of them.
    pub runs: Vec<Run>,
}

impl Gaps {
    /// Adds missing samples that follow those that were added before.
    fn add(&mut self, run: Run) {
        self.samples = self.samples.saturating_add(run.samples);
        if let Some(last) = self.runs.last_mut().filter(|last| run.start <= last.end) {
            last.end = last.end.max(run.end);
            last.samples += run.samples;
        } else if self.runs.len() < RUNS_MAX {
            self.runs.push(run);
        }
    }
}

/// Samples that the port should have where the logs cover them with and without the lag, as those that are compared.
///
/// Between two samples a hole of half a step or more is one, because meters are not punctual. At either end a sample
/// must fit in whole: what is left there is where the logs, moved by the lag, begin or end inside a sample.
pub(super) fn missing(
    samples: &[(i64, i64, u128)],
    step: i64,
    logs: &Logs<'_>,
    lag: i64,
    question: &Question,
) -> Gaps {
    let begin = (logs.span.0 + lag.max(0)).max(question.since.unwrap_or(i64::MIN));
    let limit = (logs.span.1 + lag.min(0)).min(question.until.unwrap_or(i64::MAX));
    let mut gaps = Gaps::default();
    let mut add = |start: i64, end: i64, samples: i64| {
        if samples > 0 {
            gaps.add(Run { start, end, samples: samples.unsigned_abs() });
        }
    };
    let mut reached = None;
    for &(start, end, _) in samples.iter().filter(|(start, end, _)| begin < *end && *start < limit) {
        match reached {
            None => {
                let whole = (start - begin) / step;
                add(start - whole * step, start, whole);
            }
            Some(reached) => add(reached, start, (start.saturating_sub(reached) + step / 2) / step),
        }
        reached = reached.max(Some(end));
    }
    let reached = reached.unwrap_or(begin);
    let whole = limit.saturating_sub(reached) / step;
    add(reached, reached + whole * step, whole);
    gaps
}

/// Samples of the port that the logs do not cover, with or without the lag.
pub(super) fn uncovered(samples: &[(i64, i64, u128)], logs: &Logs<'_>, lag: i64) -> Gaps {
    let mut gaps = Gaps::default();
    for &(start, end, _) in samples {
        if !logs.covers(start, end, lag) || !logs.covers(start, end, 0) {
            gaps.add(Run { start, end, samples: 1 });
        }
    }
    gaps
}

/// Samples in which only the port has bytes.
pub(super) fn silent(pairs: &[Pair]) -> Gaps {
    let mut gaps = Gaps::default();
    for pair in pairs.iter().filter(|pair| pair.logs == 0 && pair.port > 0) {
        gaps.add(Run { start: pair.start, end: pair.end, samples: 1 });
    }
    gaps
}
