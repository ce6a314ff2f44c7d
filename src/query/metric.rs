//! Metrics: the numbers of a row.

use super::dimension::nearest;

/// A number of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of --columns; docs/REPORTS.md defines each")]
pub enum Metric {
    Requests,
    Bytes,
    BytesIn,
    Share,
    AvgBps,
    PeakBps,
    PeakAt,
    P95Bps,
    DriverShare,
    Clients,
    Timed,
    RtAvg,
    RtP50,
    RtP95,
    RtP99,
    RtMax,
    SlowShare,
    Apdex,
    Within(Rung),
    Large,
    ThroughputP50,
    Aborted,
    ZeroDuration,
    Errors4xx,
    Errors5xx,
}

/// A step of the ladder of response times that is counted exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the numbers are seconds")]
pub enum Rung {
    S1,
    S2,
    S4,
    S8,
    S10,
}

const NAMES: &[(&str, Metric)] = &[
    ("requests", Metric::Requests),
    ("bytes", Metric::Bytes),
    ("bytes_in", Metric::BytesIn),
    ("share", Metric::Share),
    ("avg_bps", Metric::AvgBps),
    ("peak_bps", Metric::PeakBps),
    ("peak_at", Metric::PeakAt),
    ("p95_bps", Metric::P95Bps),
    ("driver_share", Metric::DriverShare),
    ("clients", Metric::Clients),
    ("timed", Metric::Timed),
    ("rt_avg", Metric::RtAvg),
    ("rt_p50", Metric::RtP50),
    ("rt_p95", Metric::RtP95),
    ("rt_p99", Metric::RtP99),
    ("rt_max", Metric::RtMax),
    ("slow_share", Metric::SlowShare),
    ("apdex", Metric::Apdex),
    ("within_1s", Metric::Within(Rung::S1)),
    ("within_2s", Metric::Within(Rung::S2)),
    ("within_4s", Metric::Within(Rung::S4)),
    ("within_8s", Metric::Within(Rung::S8)),
    ("within_10s", Metric::Within(Rung::S10)),
    ("large", Metric::Large),
    ("throughput_p50", Metric::ThroughputP50),
    ("aborted", Metric::Aborted),
    ("zero_duration", Metric::ZeroDuration),
    ("errors_4xx", Metric::Errors4xx),
    ("errors_5xx", Metric::Errors5xx),
];

/// What a metric is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Kind {
    Count,
    Bytes,
    /// Bit/s.
    Rate,
    /// Bytes per second.
    ByteRate,
    /// Microseconds.
    Duration,
    /// A part of a whole.
    Share,
    Instant,
}

/// Shorter words for the rates, as graphs call them.
const SHORT: [(&str, Metric); 3] =
    [("avg", Metric::AvgBps), ("peak", Metric::PeakBps), ("p95", Metric::P95Bps)];

impl Rung {
    /// All, from the lowest.
    pub const ALL: [Self; 5] = [Self::S1, Self::S2, Self::S4, Self::S8, Self::S10];

    /// Seconds.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::S1 => 1,
            Self::S2 => 2,
            Self::S4 => 4,
            Self::S8 => 8,
            Self::S10 => 10,
        }
    }
}

impl Metric {
    /// Reads a name.
    pub fn parse(word: &str) -> Result<Self, String> {
        let word = word.trim();
        let known = NAMES.iter().chain(&SHORT).find(|(name, _)| *name == word);
        known.map(|(_, metric)| *metric).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown metric `{word}`{}; there are {}", nearest(word, &names), names.join(", "))
        })
    }

    /// Reads a comma-separated list.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut metrics = Vec::new();
        for word in text.split(',') {
            let metric = Self::parse(word)?;
            if metrics.contains(&metric) {
                return Err(format!("{} is named twice", metric.name()));
            }
            metrics.push(metric);
        }
        Ok(metrics)
    }

    /// Its name in `--columns`, `--sort` and JSON.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// What it is a number of.
    pub fn kind(self) -> Kind {
        match self {
            Self::Requests | Self::Clients | Self::Errors4xx | Self::Errors5xx => Kind::Count,
            Self::Timed | Self::Within(_) | Self::Large | Self::Aborted | Self::ZeroDuration => Kind::Count,
            Self::Bytes | Self::BytesIn => Kind::Bytes,
            Self::Share | Self::DriverShare | Self::SlowShare | Self::Apdex => Kind::Share,
            Self::AvgBps | Self::PeakBps | Self::P95Bps => Kind::Rate,
            Self::ThroughputP50 => Kind::ByteRate,
            Self::PeakAt => Kind::Instant,
            Self::RtAvg | Self::RtP50 | Self::RtP95 | Self::RtP99 | Self::RtMax => Kind::Duration,
        }
    }

    /// True if it is a part of all rows' sum.
    pub fn needs_total(self) -> bool {
        matches!(self, Self::Share | Self::DriverShare)
    }

    /// True if it is made of samples.
    pub fn needs_series(self) -> bool {
        matches!(self, Self::PeakBps | Self::PeakAt | Self::P95Bps | Self::DriverShare)
    }

    /// True if it is not known per slot: rows with a time have requests and bytes.
    pub fn is_timeless(self) -> bool {
        self.needs_series() || self.needs_extras() || self.needs_timings() || self == Self::Clients
    }

    /// True if it is made of bytes on the chosen basis.
    pub fn needs_bytes(self) -> bool {
        self.needs_series() || matches!(self, Self::Bytes | Self::Share | Self::AvgBps)
    }

    /// True if it is made of the rarer sums.
    pub fn needs_extras(self) -> bool {
        matches!(
            self,
            Self::BytesIn | Self::Timed | Self::RtAvg | Self::RtMax | Self::Errors4xx | Self::Errors5xx
        )
    }

    /// True if it is made of distributions of durations.
    pub fn needs_timings(self) -> bool {
        matches!(
            self,
            Self::RtP50
                | Self::RtP95
                | Self::RtP99
                | Self::SlowShare
                | Self::Apdex
                | Self::Within(_)
                | Self::Large
                | Self::ThroughputP50
                | Self::Aborted
                | Self::ZeroDuration
        )
    }
}
