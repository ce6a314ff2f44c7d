//! `bandwho latency`: how long users waited.

use bandwho::aggregate::Cut;
use bandwho::error::Error;
use bandwho::query::limits::duration_us;
use bandwho::query::{Dimension, Limits, Metric};
use bandwho::report::answer::latency::{self, Columns};
use bandwho::report::answer::top::Ranking;

use super::args::{self, Read};
use super::commands::{answer, limit};
use super::output::Target;
use super::plan;

#[derive(Debug, clap::Args)]
pub(crate) struct Latency {
    /// Dimensions, comma-separated [default: none, one row of everything]
    #[arg(long, value_name = "DIM,…")]
    pub(crate) by: Option<String>,
    /// Metric that ranks, descending
    #[arg(long, value_name = "METRIC", default_value = "requests")]
    pub(crate) sort: String,
    /// Rows at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Metrics to show, comma-separated
    #[arg(long, value_name = "METRIC,…")]
    pub(crate) columns: Option<String>,
    /// Apdex's T: up to T a request satisfies, up to 4 T it is tolerated
    #[arg(long, value_name = "T", default_value = "2s")]
    pub(crate) apdex: String,
    /// Requests that take longer are slow
    #[arg(long, value_name = "T", default_value = "8s")]
    pub(crate) slow: String,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: args::Output,
}

pub(crate) fn run(args: &Latency) -> Result<u8, Error> {
    let usage = |option: &'static str| move |reason| Error::Usage(format!("{option}: {reason}"));
    let by = args.by.as_deref().map(Dimension::parse_list).transpose().map_err(usage("--by"))?;
    let by = by.unwrap_or_default();
    if let Some(time) = by.iter().find(|dimension| matches!(dimension, Dimension::Time(_))) {
        return Err(Error::Usage(format!("--by {}: durations are not kept per slot", time.name())));
    }
    let sort = Metric::parse(&args.sort).map_err(usage("--sort"))?;
    let columns = args.columns.as_deref().map(Metric::parse_list).transpose().map_err(usage("--columns"))?;
    let limits = Limits {
        apdex_us: duration_us(&args.apdex).map_err(usage("--apdex"))?,
        slow_us: duration_us(&args.slow).map_err(usage("--slow"))?,
    };
    let target = Target::new(&args.output)?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    sources.check_durations()?;
    let named = if columns.is_some() { Columns::Named } else { Columns::Usual };
    let ranking = Ranking { metrics: latency::metrics(columns), sort, rows: limit(args.top), having: None };
    let needed: Vec<Metric> = ranking.metrics.iter().copied().chain([sort]).collect();
    let views = vec![latency::view(by, &needed, limits)];
    let rules = sources.rules(&args.read, views, Cut::Records, &needed)?;
    answer(&args.read, &sources, &rules, &target, ranking.needs(), |counted| {
        latency::report(counted, &ranking, limits, named)
    })
}
