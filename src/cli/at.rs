//! `bandwho at`: what was different in a window.

use bandwho::aggregate::Cut;
use bandwho::error::Error;
use bandwho::report::answer::at::{self, Window};
use bandwho::report::answer::top::Needs;
use bandwho::time::{Timestamp, instant, length};

use super::args::{Output, Read};
use super::commands::answer;
use super::diff::{can_show, tables, tables_by};
use super::output::Target;
use super::{message, plan};

pub(crate) const EXAMPLES: &str = "Examples:
  bandwho at '2026-11-20 14:05' access.log                who made the peak that the graph shows
  bandwho at '2026-11-20 14:05' --window 1h --baseline 1d /var/log/nginx
  bandwho at 30m --by asn,org --by path --sort grew --top 20 --json access.log

The window begins at TIME; it is compared with what the logs have --baseline before and after it. Both are whole
slots (--slot), and bytes are spread over the time a request took: the numbers are those of a bandwidth graph.
docs/DIFF.md defines every column";

#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// When the window begins: a time, or an age such as 30m
    #[arg(value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) time: String,
    /// Length of the window
    #[arg(long, value_name = "LENGTH", default_value = "15m")]
    pub(crate) window: String,
    /// How much before the window, and after it, is compared with
    #[arg(long, value_name = "LENGTH", default_value = "1h")]
    pub(crate) baseline: String,
    /// Dimensions, comma-separated; may be repeated, for a table each [default: a short table of each usual one]
    #[arg(long, value_name = "DIM,…")]
    pub(crate) by: Vec<String>,
    /// What ranks rows: change, grew, shrank, new, gone, before, after
    #[arg(long, value_name = "ORDER", default_value = "change")]
    pub(crate) sort: String,
    /// Rows of a table at most; 0: all [default: 10, or 5 without --by]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Longer stretches have more slots than anybody compares.
const LENGTH_SECONDS_MAX: u64 = 366 * 24 * 3600;

pub(crate) fn run(args: &At) -> Result<u8, Error> {
    let At { time, read, output, .. } = args;
    let by = tables_by(&args.by)?;
    let tables = tables(&args.sort, args.top, &by)?;
    let seconds = |option: &str, text: &str| match length(text) {
        Ok(seconds) if seconds <= LENGTH_SECONDS_MAX => Ok(seconds),
        Ok(_) => Err(Error::Usage(format!("{option} {text}: at most a year"))),
        Err(reason) => Err(Error::Usage(format!("{option} {text}: {reason}"))),
    };
    let window = seconds("--window", &args.window)?;
    let around = seconds("--baseline", &args.baseline)?;
    for (option, typed) in [("--since", &read.since), ("--until", &read.until)] {
        if typed.is_some() {
            return Err(Error::Usage(format!(
                "{option}: TIME, --window and --baseline say what is compared"
            )));
        }
    }
    let target = Target::new(output)?;
    let sources = plan::sources(read, output.output.as_deref())?;
    sources.check_times("at compares stretches of time")?;
    if !sources.bytes_logged() {
        message::note("no log has a byte column: requests are compared");
    }
    let by = if by.is_empty() { at::usual(|dimension| can_show(&sources, dimension)) } else { by };
    let mut rules = sources.rules(read, at::views(by), Cut::Slots, &[])?;
    let start: Timestamp = instant(time, &rules.grid.zone, sources.now)
        .map_err(|reason| Error::Usage(format!("TIME {time}: {reason}")))?;
    let window = Window::new(&rules.grid, start, window, around);
    (rules.since, rules.until) = (Some(window.outer.since), Some(window.outer.until));
    answer(read, &sources, &rules, &target, Needs::Whole, |counted| at::report(counted, window, tables))
}
