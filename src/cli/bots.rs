//! `bandwho bots`: which programs come without people, and whether they are who they say.

use bandwho::aggregate::Cut;
use bandwho::error::Error;
use bandwho::report::answer::bots::{self, Whom};
use bandwho::report::answer::top::Needs;

use super::args::{self, Read};
use super::commands::{answer, limit};
use super::message;
use super::output::Target;
use super::plan;

pub(crate) const EXAMPLES: &str = "Examples:
  bandwho bots access.log
  bandwho bots --all --top 0 --csv access.log          browsers, apps and players, too
  bandwho bots --ip-db GeoLite2-ASN.mmdb --json access.log
  bandwho top --by family,claim,org access.log         who says to be what, from whose networks
  bandwho top --by family --agents ours.toml access.log

verified: from a network that the bot's operator publishes; elsewhere: from somebody else's, a false claim; what is
neither cannot be told: no networks are published, or they are those of a cloud where anybody can rent a machine.
repeated: whole objects (status 200) that the same family had before. docs/AGENTS.md tells all rules.";

#[derive(Debug, clap::Args)]
pub(crate) struct Bots {
    /// All families: browsers, apps, players and unlisted agents, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Rows of each table at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: args::Output,
}

pub(crate) fn run(args: &Bots) -> Result<u8, Error> {
    let target = Target::new(&args.output)?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    if !sources.bytes_logged() {
        message::note("no log has a byte column: requests are counted");
    }
    let whom = if args.all { Whom::Everybody } else { Whom::Bots };
    let views = bots::views(whom, |dimension| sources.provides(dimension));
    let rules = sources.rules(&args.read, views, Cut::Records, &[])?;
    answer(&args.read, &sources, &rules, &target, Needs::Parts, |counted| {
        bots::report(counted, whom, limit(args.top))
    })
}
