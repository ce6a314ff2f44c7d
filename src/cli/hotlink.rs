//! `bandwho hotlink`: who embeds our objects.

use bandwho::aggregate::Cut;
use bandwho::error::Error;
use bandwho::query::{Dimension, Own};
use bandwho::report::answer::hotlink;
use bandwho::report::answer::top::Needs;

use super::args::{self, Read};
use super::commands::{answer, limit};
use super::message;
use super::output::Target;
use super::plan;

pub(crate) const EXAMPLES: &str = "Examples:
  bandwho hotlink --own example.com access.log
  bandwho hotlink --own example.com,cdn.example.net --own partner.org --top 20 access.log
  bandwho hotlink --own example.com --where 'ext in (jpg, png, gif, webp, mp4)' access.log
  bandwho hotlink --own example.com --json access.log
  bandwho top --by path --where 'refhost = other.example' access.log       all that one host embeds

A referer tells what page asked, not how: a click on a link there looks like an object embedded there. The types tell the
two apart, and --where leaves pages out. Search engines are hosts like others: they send people, and embed pictures.
Name those that may embed as your own. The row `unknown` has the referers that are no URL. docs/PATHS.md tells more.";

#[derive(Debug, clap::Args)]
pub(crate) struct Hotlink {
    /// Our hosts, with all below them; may be repeated
    #[arg(long, value_name = "HOST,…", required = true)]
    pub(crate) own: Vec<String>,
    /// Rows of each table at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: args::Output,
}

pub(crate) fn run(args: &Hotlink) -> Result<u8, Error> {
    let own = Own::parse(args.own.iter().map(String::as_str));
    let own = own.map_err(|reason| Error::Usage(format!("--own: {reason}")))?;
    let target = Target::new(&args.output)?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    sources.provide(&Dimension::Referer)?;
    if !sources.bytes_logged() {
        message::note("no log has a byte column: requests are counted");
    }
    let rules = sources.rules(&args.read, hotlink::views(&own), Cut::Records, &[])?;
    answer(&args.read, &sources, &rules, &target, Needs::Parts, |counted| {
        hotlink::report(counted, &own, limit(args.top))
    })
}
