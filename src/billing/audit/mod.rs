//! What the logs say against what the port's meter says.
//!
//! A sample of the port that covers [a, b) is held against the bytes that the logs have in [a − lag, b − lag): with a
//! lag above zero the port shows later what the logs show first. Only samples that the logs cover, with and without the
//! lag, are compared; what is missing on either side is named and never taken for zero. Volumes, rates and the verdict
//! are integers; correlation is not, and only picks a lag and a label.

mod coverage;
mod factor;
mod fit;

use super::port::{Label, Port, Sample};
use super::rank::{RankRule, percentile_95};
use super::rate_bps;
use crate::aggregate::Curve;

pub use coverage::{Gaps, RUNS_MAX, Run};
pub use factor::{FACTOR_PPM_MAX, Resembles, factor_ppm_min};
pub use fit::{CORRELATION_MIN, LAG_SECONDS_MAX, LAG_STEP_SECONDS, Skew};

/// A factor or share of one, in millionths.
pub const ONE_PPM: u64 = 1_000_000;

/// With fewer common samples the 95th is the highest of them: the volume decides instead.
pub const P95_SAMPLES_MIN: usize = 20;

/// How the two sides are compared.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The label convention; none: what the file or the correlation says.
    pub label: Option<Label>,
    /// Seconds that the port is behind the logs; none: what fits best.
    pub lag: Option<i64>,
    /// What the logs' bytes are multiplied by.
    pub overhead: Overhead,
    /// Which sample is the 95th.
    pub rank: RankRule,
    /// The largest difference that passes, in millionths of the port's figure.
    pub tolerance_ppm: u64,
    /// The first second of the port's clock that is looked at.
    pub since: Option<i64>,
    /// The first second no longer looked at.
    pub until: Option<i64>,
}

/// What turns logged bytes into bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overhead {
    /// The factor that fits best, if overhead can be it.
    Fit,
    /// Millionths.
    Factor(u64),
}

/// What the logs have: bytes at any time, and from when until when they were written.
#[derive(Debug, Clone, Copy)]
pub struct Logs<'a> {
    /// The bytes.
    pub curve: &'a Curve,
    /// From the slot of the earliest to the end of the slot of the latest logged time.
    pub span: (i64, i64),
}

/// Who chose the label convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelBy {
    /// The user.
    Asked,
    /// The file leaves no choice.
    File,
    /// The better correlation, at the lag that was asked for or none.
    Correlation,
    /// Neither correlates, or not better, so it is the more common one: the end.
    Default,
}

impl LabelBy {
    /// In an answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::File => "file",
            Self::Correlation => "correlation",
            Self::Default => "default",
        }
    }
}

/// One sample, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The first second of the interval, by the port's clock.
    pub start: i64,
    /// The second after its last.
    pub end: i64,
    /// Bytes through the port.
    pub port: u128,
    /// Bytes in the logs, the lag earlier.
    pub logs: u128,
    /// The same at no lag.
    pub logs_unshifted: u128,
}

impl Pair {
    /// The length of the interval.
    pub const fn seconds(&self) -> u64 {
        self.end.abs_diff(self.start)
    }
}

/// One side's figures over all common samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The volume.
    pub bytes: u128,
    /// The 95th percentile of the rates.
    pub p95_bps: u128,
    /// The highest rate.
    pub peak_bps: u128,
}

/// Which figure decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// The 95th percentile.
    P95,
    /// The volume: there are fewer than [`P95_SAMPLES_MIN`] samples.
    Volume,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The label convention that was used.
    pub label: Label,
    /// Who chose it.
    pub label_by: LabelBy,
    /// How well the port's samples follow the logs if they are labelled by their end, and by their start.
    pub label_correlation: [Option<f64>; 2],
    /// The lag and how it was found.
    pub skew: Skew,
    /// Where no lag fits, the multiple of half an hour by which the port's clock seems to be ahead: a zone gone wrong.
    pub zone_error: Option<i64>,
    /// The factor that fits best, in millionths; none if the logs have no bytes, or so few that no factor holds.
    pub factor_ppm: Option<u64>,
    /// What the factor that fits best may be, as no overhead is.
    pub factor_resembles: Option<Resembles>,
    /// Samples that were left out of the fit because they are far off.
    pub set_aside: u64,
    /// The factor that was applied.
    pub applied_ppm: u64,
    /// The common samples, in order of time.
    pub pairs: Vec<Pair>,
    /// The port's figures.
    pub port: Figures,
    /// The logs', without lag and factor.
    pub logs_unshifted: Figures,
    /// The logs', with the lag.
    pub logs: Figures,
    /// The logs', with lag and factor: what the verdict is about.
    pub adjusted: Figures,
    /// Samples that the port does not have although the logs go on.
    pub missing_port: Gaps,
    /// Samples of the port that the logs do not cover.
    pub missing_logs: Gaps,
    /// Samples in which the port carried something and the logs nothing.
    pub silent_logs: Gaps,
    /// The figure that decides.
    pub decider: Decider,
    /// True if it differs by no more than the tolerance and the factor that made it so, if fitted, can be overhead.
    pub passed: bool,
}

impl Audit {
    /// True if a factor was to be fitted, and the one that was cannot be overhead.
    pub fn is_misfit(&self, overhead: Overhead) -> bool {
        overhead == Overhead::Fit && self.factor_resembles.is_some()
    }

    /// How far the logs' figures are from the port's, in millionths of the port's: negative if they are less. None
    /// where the port has nothing and the logs have something.
    pub fn difference_ppm(&self, logs: &Figures, decider: Decider) -> Option<i64> {
        let (logs, port) = match decider {
            Decider::P95 => (logs.p95_bps, self.port.p95_bps),
            Decider::Volume => (logs.bytes, self.port.bytes),
        };
        difference_ppm(logs, port)
    }

    /// The numbers of the samples that disagree most once the factor that fits best is applied, the worst first; ties in
    /// order of time.
    pub fn worst(&self, most: usize) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.pairs.len()).collect();
        ranked.sort_by_key(|&at| {
            let pair = &self.pairs[at];
            std::cmp::Reverse(pair.port.abs_diff(self.expected(pair)))
        });
        ranked.truncate(most);
        ranked
    }

    /// What the port should have carried by the logs and the factor that fits best.
    pub fn expected(&self, pair: &Pair) -> u128 {
        scaled(pair.logs, self.factor_ppm.unwrap_or(self.applied_ppm))
    }
}

/// Bytes times a factor, rounded half up.
pub fn scaled(bytes: u128, factor_ppm: u64) -> u128 {
    bytes.saturating_mul(factor_ppm.into()).saturating_add(u128::from(ONE_PPM / 2)) / u128::from(ONE_PPM)
}

/// Compares; the error says why nothing can be compared.
pub fn compare(port: &Port, logs: &Logs<'_>, question: &Question) -> Result<Audit, String> {
    let at = question.lag.unwrap_or(0);
    let label_correlation = [Label::End, Label::Start].map(|label| {
        let samples = intervals(port, label, question);
        fit::correlation(&fit::sieve(&samples, logs), logs, at)
    });
    let (label, label_by) = choose_label(port, question, label_correlation);
    let samples = intervals(port, label, question);
    let skew = fit::skew(&fit::sieve(&samples, logs), logs, question.lag);
    let pairs: Vec<Pair> = samples
        .iter()
        .filter(|(start, end, _)| logs.covers(*start, *end, skew.lag) && logs.covers(*start, *end, 0))
        .map(|&(start, end, port)| Pair {
            start,
            end,
            port,
            logs: logs.curve.bytes(start - skew.lag, end - skew.lag),
            logs_unshifted: logs.curve.bytes(start, end),
        })
        .collect();
    if pairs.is_empty() {
        return Err("no sample of the port is of a time that the logs cover".to_owned());
    }
    let (factor_ppm, set_aside) = fit::factor(&pairs);
    let factor_resembles = match factor_ppm {
        Some(factor) => factor::resembles(factor, question.tolerance_ppm),
        // The logs have bytes, but none that a factor holds for.
        None => pairs.iter().any(|pair| pair.logs > 0).then_some(Resembles::Nothing),
    };
    let zone_error = match skew.correlation_best {
        Some(best) if fit::is_meant(best) => None,
        _ => fit::zone_error(&samples, logs),
    };
    let applied_ppm = match question.overhead {
        Overhead::Factor(factor) => factor,
        Overhead::Fit => factor_ppm.unwrap_or(ONE_PPM),
    };
    let figures = |bytes: &dyn Fn(&Pair) -> u128| figures(&pairs, question.rank, bytes);
    let decider = if pairs.len() < P95_SAMPLES_MIN { Decider::Volume } else { Decider::P95 };
    let mut audit = Audit {
        label,
        label_by,
        label_correlation,
        skew,
        zone_error,
        factor_ppm,
        factor_resembles,
        set_aside,
        applied_ppm,
        port: figures(&|pair| pair.port),
        logs_unshifted: figures(&|pair| pair.logs_unshifted),
        logs: figures(&|pair| pair.logs),
        adjusted: figures(&|pair| scaled(pair.logs, applied_ppm)),
        missing_port: coverage::missing(&samples, port.step.into(), logs, skew.lag, question),
        missing_logs: coverage::uncovered(&samples, logs, skew.lag),
        silent_logs: coverage::silent(&pairs),
        decider,
        passed: false,
        pairs,
    };
    audit.passed = !audit.is_misfit(question.overhead)
        && audit
            .difference_ppm(&audit.adjusted, decider)
            .is_some_and(|difference| difference.unsigned_abs() <= question.tolerance_ppm);
    Ok(audit)
}

/// First second, second after the last, and bytes of the samples that are looked at.
fn intervals(port: &Port, label: Label, question: &Question) -> Vec<(i64, i64, u128)> {
    let asked = |start: i64| {
        question.since.is_none_or(|since| since <= start) && question.until.is_none_or(|until| start < until)
    };
    let interval = |sample: &Sample| {
        let (start, end) = sample.interval(label);
        (start, end, sample.bytes)
    };
    port.samples.iter().map(interval).filter(|(start, ..)| asked(*start)).collect()
}

fn choose_label(port: &Port, question: &Question, correlation: [Option<f64>; 2]) -> (Label, LabelBy) {
    match (question.label, port.label, correlation) {
        (Some(label), ..) => (label, LabelBy::Asked),
        (None, Some(label), _) => (label, LabelBy::File),
        (None, None, [end, Some(start)]) if fit::is_meant(start) && Some(start) > end => {
            (Label::Start, LabelBy::Correlation)
        }
        (None, None, [Some(end), start]) if fit::is_meant(end) && Some(end) > start => {
            (Label::End, LabelBy::Correlation)
        }
        (None, None, _) => (Label::End, LabelBy::Default),
    }
}

impl Logs<'_> {
    /// True if the logs go on all through the interval, the lag earlier.
    fn covers(&self, start: i64, end: i64, lag: i64) -> bool {
        self.span.0 <= start - lag && end - lag <= self.span.1
    }
}

fn figures(pairs: &[Pair], rank: RankRule, bytes: &dyn Fn(&Pair) -> u128) -> Figures {
    let mut rates: Vec<u128> = pairs.iter().map(|pair| rate_bps(bytes(pair), pair.seconds())).collect();
    rates.sort_unstable_by(|left, right| right.cmp(left));
    Figures {
        bytes: pairs.iter().map(bytes).fold(0, u128::saturating_add),
        peak_bps: rates.first().copied().unwrap_or(0),
        p95_bps: percentile_95(rank, &rates).map_or(0, |percentile| percentile.rounded()),
    }
}

/// (`one` − `other`) ÷ `other` in millionths, away from zero: what is a little over the tolerance is not on it.
fn difference_ppm(one: u128, other: u128) -> Option<i64> {
    if other == 0 {
        return (one == 0).then_some(0);
    }
    let millionths = one.abs_diff(other).saturating_mul(ONE_PPM.into()).div_ceil(other);
    let millionths = i64::try_from(millionths).unwrap_or(i64::MAX);
    Some(if one < other { -millionths } else { millionths })
}

#[cfg(test)]
mod tests;
