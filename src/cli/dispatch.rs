//! `bandwho dispatch`: whether clients are served where they should be.

use std::path::PathBuf;

use bandwho::aggregate::Cut;
use bandwho::error::Error;
use bandwho::query::Metric;
use bandwho::report::Output;
use bandwho::report::answer::dispatch::{self, Asked, Cloud, Move};
use bandwho::report::answer::top::Needs;
use bandwho::servers::Site;

use super::args::{self, Read};
use super::commands::{count, counted, limit, looked_into, verdict};
use super::exit::DONE;
use super::export::Export;
use super::output::{self, Target};
use super::{guard, message, plan};

#[derive(Debug, clap::Args)]
pub(crate) struct Dispatch {
    /// What if these clients were served elsewhere? Keys: region, province, country, carrier, all of which must hold; names
    /// with `:`, `,` or `->` between double quotes; may be repeated
    #[arg(long = "move", value_name = "KEY=VALUE,…:FROM->TO")]
    pub(crate) moves: Vec<String>,
    /// Clients in clouds and data centres can be misplaced, too
    #[arg(long)]
    pub(crate) include_cloud: bool,
    /// Rows of each table at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Write all misplaced networks, if the answer is complete: .csv, or an Nginx geo block as .conf or .geo
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: args::Output,
}

pub(crate) fn run(args: &Dispatch) -> Result<u8, Error> {
    let target = Target::new(&args.output)?;
    let export = args.export.as_deref().map(|path| Export::new(path, output::formulas(&args.output)));
    let export = export.transpose()?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    if let Some(path) = &args.export {
        let logs = sources.survey.logs.iter().filter_map(|log| log.input.path.clone());
        guard::check_inputs(&logs.chain(sources.files.iter().cloned()).collect::<Vec<_>>(), path)?;
    }
    if sources.servers.is_empty() {
        return Err(Error::Usage(
            "dispatch compares data centres: give a list of servers with --servers".to_owned(),
        ));
    }
    dispatch::check_prices(&sources.servers)?;
    export.as_ref().map_or(Ok(()), |export| export.check(&sources.servers))?;
    let is_told = |site: &Site| site.region.is_some() || site.province.is_some() || site.carrier.is_some();
    if !sources.servers.sites.iter().any(is_told) {
        message::note("the server list has no region, province or carrier: nobody can be misplaced");
    }
    let parse = |typed: &String| {
        Move::parse(typed, &sources.servers)
            .map_err(|reason| Error::Usage(format!("--move {typed}: {reason}")))
    };
    if !args.moves.is_empty() {
        sources.check_times("--move bills both sides by slots of time")?;
    }
    let asked = Asked {
        cloud: if args.include_cloud { Cloud::Included } else { Cloud::Apart },
        moves: args.moves.iter().map(parse).collect::<Result<_, _>>()?,
        rows: limit(args.top),
    };
    let rules = sources.rules(&args.read, dispatch::views(), Cut::Records, &[Metric::Bytes])?;
    let tally = count(&args.read, &sources, &rules, None, Needs::Whole)?;
    let counted = counted(&sources, &rules, &tally, looked_into(&sources, &rules));
    let answer = dispatch::answer(&counted, &sources.servers, &asked)?;
    // Both are whole, or neither is there.
    let exported = export.map(|export| export.write(&answer.networks, &sources.servers)).transpose()?;
    let written = target.write(&answer.report);
    if matches!(target.shape(), Output::Csv(_)) {
        answer.notes.iter().for_each(|note| message::note(note));
    }
    let code = verdict(&args.read, &sources, &tally);
    match exported {
        // That somebody read only the head of the answer takes nothing from it.
        Some(file) if code == DONE && written.as_ref().err().is_none_or(Error::is_broken_pipe) => {
            file.finish()?;
        }
        Some(_) => message::warning("nothing is exported: the answer is not complete"),
        None => {}
    }
    written.map(|()| code)
}
