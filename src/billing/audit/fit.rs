//! The lag at which two series follow one another best, and the factor between them.

use super::{Logs, ONE_PPM, Pair};

/// Lags are tried from minus to plus so many seconds.
pub const LAG_SECONDS_MAX: i64 = 600;

/// From one lag to the next: the length of the logs' fine bins.
pub const LAG_STEP_SECONDS: i64 = 10;

/// Samples that a lag is sought with; of more, every n-th.
const SAMPLES_MAX: usize = 20_000;

/// With fewer samples at every lag, those at the edges are taken as well.
const SAMPLES_MIN: usize = 20;

/// Below, the two sides are not the same traffic and no lag means anything.
pub const CORRELATION_MIN: f64 = 0.5;

/// Zones differ by multiples of this, but for three quarters of an hour in Nepal and the Chatham Islands.
const ZONE_STEP_SECONDS: i64 = 1800;

/// From UTC−12 to UTC+14.
const ZONE_STEPS_MAX: i64 = 26 * 2;

/// A lag must explain so much of what no lag leaves unexplained.
const EXPLAINED_MIN: f64 = 0.1;

/// A sample is set aside if it is off by so many times the median.
const OFF_TIMES: f64 = 10.0;

/// And by so much of the mean sample: where nearly all agree to the byte the median is nothing.
const OFF_SHARE: f64 = 0.02;

/// The lag that was used and what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skew {
    /// Seconds that the port is behind the logs.
    pub lag: i64,
    /// The lag with the highest correlation; 0 if none is better by enough.
    pub best: i64,
    /// How well the port's samples follow the logs at the lag that was used.
    pub correlation: Option<f64>,
    /// At no lag.
    pub correlation_zero: Option<f64>,
    /// At the best one.
    pub correlation_best: Option<f64>,
}

/// The samples that a lag is sought with: those that the logs cover at every lag, so that all lags are judged by the
/// same ones, unless these are too few. Those that are far off already are left out: a few of them would draw the lag to
/// where they stand.
pub(super) fn sieve(samples: &[(i64, i64, u128)], logs: &Logs<'_>) -> Vec<(i64, i64, u128)> {
    let inside = |(start, end, _): &&(i64, i64, u128)| {
        logs.covers(*start, *end, LAG_SECONDS_MAX) && logs.covers(*start, *end, -LAG_SECONDS_MAX)
    };
    let inner = samples.iter().filter(inside).count();
    let (all, count) = if inner < SAMPLES_MIN { (true, samples.len()) } else { (false, inner) };
    let every = count.div_ceil(SAMPLES_MAX).max(1);
    let mut chosen: Vec<_> =
        samples.iter().filter(|sample| all || inside(sample)).step_by(every).copied().collect();
    let sides = |&(start, end, port): &(i64, i64, u128)| (port, logs.curve.bytes(start, end));
    if let Some(bound) = Bound::new(&chosen.iter().map(sides).collect::<Vec<_>>()) {
        chosen.retain(|sample| bound.holds(sides(sample)));
    }
    chosen
}

/// Pearson's correlation of the rates on both sides; none where one of them never changes.
pub(super) fn correlation(samples: &[(i64, i64, u128)], logs: &Logs<'_>, lag: i64) -> Option<f64> {
    let rates: Vec<(f64, f64)> = samples
        .iter()
        .filter(|(start, end, _)| logs.covers(*start, *end, lag))
        .map(|&(start, end, port)| {
            let seconds = real((end - start).unsigned_abs().max(1).into());
            (real(port) / seconds, real(logs.curve.bytes(start - lag, end - lag)) / seconds)
        })
        .collect();
    let count = real(rates.len() as u128);
    let mean = |side: fn(&(f64, f64)) -> f64| rates.iter().map(side).sum::<f64>() / count;
    let (port, log) = (mean(|rates| rates.0), mean(|rates| rates.1));
    let (mut both, mut ports, mut logged) = (0.0, 0.0, 0.0);
    for (one, other) in &rates {
        let (one, other) = (one - port, other - log);
        both += one * other;
        ports += one * one;
        logged += other * other;
    }
    Some(both / (ports.sqrt() * logged.sqrt())).filter(|correlation| correlation.is_finite())
}

/// The lag that was asked for, or the best one.
pub(super) fn skew(samples: &[(i64, i64, u128)], logs: &Logs<'_>, asked: Option<i64>) -> Skew {
    let zero = correlation(samples, logs, 0);
    let (mut best, mut highest) = (0, zero);
    // From the middle outwards: among equals the smallest lag is the likeliest.
    for distance in 1..=LAG_SECONDS_MAX / LAG_STEP_SECONDS {
        for lag in [distance * LAG_STEP_SECONDS, -distance * LAG_STEP_SECONDS] {
            let found = correlation(samples, logs, lag);
            if found > highest {
                (best, highest) = (lag, found);
            }
        }
    }
    if !highest.is_some_and(|highest| is_better(highest, zero.unwrap_or(0.0))) {
        (best, highest) = (0, zero);
    }
    let lag = asked.unwrap_or(best);
    let used = if lag == best { highest } else { correlation(samples, logs, lag) };
    Skew { lag, best, correlation: used, correlation_zero: zero, correlation_best: highest }
}

/// True if the two sides are the same traffic.
pub(super) fn is_meant(correlation: f64) -> bool {
    correlation >= CORRELATION_MIN
}

/// The multiple of half an hour at which the two sides are the same traffic; none if there is none.
pub(super) fn zone_error(samples: &[(i64, i64, u128)], logs: &Logs<'_>) -> Option<i64> {
    let every = samples.len().div_ceil(SAMPLES_MAX).max(1);
    let samples: Vec<_> = samples.iter().step_by(every).copied().collect();
    let enough = |lag: i64| {
        samples.iter().filter(|(start, end, _)| logs.covers(*start, *end, lag)).count() >= SAMPLES_MIN
    };
    let shifts = (-ZONE_STEPS_MAX..=ZONE_STEPS_MAX).map(|steps| steps * ZONE_STEP_SECONDS);
    let found = shifts.filter(|lag| *lag != 0 && enough(*lag));
    let (lag, highest) = found
        .filter_map(|lag| Some((lag, correlation(&samples, logs, lag)?)))
        .max_by(|(one, left), (other, right)| left.total_cmp(right).then(other.abs().cmp(&one.abs())))?;
    is_meant(highest).then_some(lag)
}

fn is_better(highest: f64, zero: f64) -> bool {
    is_meant(highest) && highest - zero >= EXPLAINED_MIN * (1.0 - zero)
}

/// The factor by which the port is above the logs, in millionths, and how many samples were set aside for it.
///
/// It is the ratio of the sums of both sides: the only factor that makes the volumes agree, and the best one where
/// overhead varies with the volume. Least squares would let the peaks decide. Before, samples are set aside that are off
/// the volume-weighted median of the ratios by more than [`OFF_TIMES`] the median distance and [`OFF_SHARE`] of the mean
/// sample: an hour without logs, or a backup through the same port, is not overhead.
pub(super) fn factor(pairs: &[Pair]) -> (Option<u64>, u64) {
    let sides: Vec<(u128, u128)> = pairs.iter().map(|pair| (pair.port, pair.logs)).collect();
    let Some(bound) = Bound::new(&sides) else { return (None, 0) };
    let (mut port, mut logs, mut aside) = (0_u128, 0_u128, 0);
    for sides in sides {
        if bound.holds(sides) {
            port = port.saturating_add(sides.0);
            logs = logs.saturating_add(sides.1);
        } else {
            aside += 1;
        }
    }
    let millionths = port.saturating_mul(ONE_PPM.into()).saturating_add(logs / 2).checked_div(logs);
    (millionths.and_then(|millionths| u64::try_from(millionths).ok()), aside)
}

/// How far a sample may be off the common ratio of port and logs.
struct Bound {
    ratio: f64,
    bytes: f64,
}

impl Bound {
    /// None if the logs have no bytes.
    fn new(sides: &[(u128, u128)]) -> Option<Self> {
        let ratio = median_ratio(sides)?;
        let mut distances: Vec<f64> = sides.iter().map(|&sides| distance(ratio, sides)).collect();
        let middle = distances.len() / 2;
        let (_, median, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
        let mean = sides.iter().map(|(port, _)| real(*port)).sum::<f64>() / real(sides.len() as u128);
        Some(Self { ratio, bytes: (*median * OFF_TIMES).max(mean * OFF_SHARE) })
    }

    fn holds(&self, sides: (u128, u128)) -> bool {
        distance(self.ratio, sides) <= self.bytes
    }
}

fn distance(ratio: f64, (port, logs): (u128, u128)) -> f64 {
    (real(port) - ratio * real(logs)).abs()
}

/// Half of the logs' bytes are in samples with a ratio of at most this.
fn median_ratio(sides: &[(u128, u128)]) -> Option<f64> {
    let logged = sides.iter().filter(|(_, logs)| *logs > 0);
    let mut ratios: Vec<(f64, f64)> =
        logged.map(|(port, logs)| (real(*port) / real(*logs), real(*logs))).collect();
    ratios.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let half = ratios.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    ratios
        .iter()
        .find(|(_, weight)| {
            passed += weight;
            passed >= half
        })
        .map(|(ratio, _)| *ratio)
}

#[expect(clippy::cast_precision_loss, reason = "a fit needs no more than 53 bits")]
fn real(number: u128) -> f64 {
    number as f64
}
