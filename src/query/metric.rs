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
    RtAvg,
    RtMax,
    Errors4xx,
    Errors5xx,
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
    ("rt_avg", Metric::RtAvg),
    ("rt_max", Metric::RtMax),
    ("errors_4xx", Metric::Errors4xx),
    ("errors_5xx", Metric::Errors5xx),
];

impl Metric {
    /// Reads a name.
    pub fn parse(word: &str) -> Result<Self, String> {
        let word = word.trim();
        NAMES.iter().find(|(name, _)| *name == word).map(|(_, metric)| *metric).ok_or_else(|| {
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

    /// True if it is made of samples.
    pub fn needs_series(self) -> bool {
        matches!(self, Self::PeakBps | Self::PeakAt | Self::P95Bps)
    }

    /// True if it is made of bytes on the chosen basis.
    pub fn needs_bytes(self) -> bool {
        self.needs_series() || matches!(self, Self::Bytes | Self::Share | Self::AvgBps)
    }

    /// True if it is made of the rarer sums.
    pub fn needs_extras(self) -> bool {
        matches!(self, Self::BytesIn | Self::RtAvg | Self::RtMax | Self::Errors4xx | Self::Errors5xx)
    }
}
