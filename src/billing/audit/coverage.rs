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

/// Samples that the port should have while the logs go on: holes of half a step or more.
pub(super) fn missing(
    samples: &[(i64, i64, u128)],
    step: i64,
    logs: &Logs<'_>,
    lag: i64,
    question: &Question,
) -> Gaps {
    let begin = (logs.span.0 + lag).max(question.since.unwrap_or(i64::MIN));
    let limit = (logs.span.1 + lag).min(question.until.unwrap_or(i64::MAX));
    let mut gaps = Gaps::default();
    let mut reached = begin;
    let inside = samples.iter().filter(|(start, end, _)| begin < *end && *start < limit);
    for (start, end) in inside.map(|&(start, end, _)| (start, end)).chain([(limit, limit)]) {
        let samples = (start.saturating_sub(reached) + step / 2) / step;
        if samples > 0 {
            gaps.add(Run { start: reached, end: start, samples: samples.unsigned_abs() });
        }
        reached = reached.max(end);
    }
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
