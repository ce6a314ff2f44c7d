//! `bandwho diff`: what changed between two periods, or two sets of logs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bandwho::aggregate::{Cut, Side, Sides};
use bandwho::error::Error;
use bandwho::input;
use bandwho::query::{Dimension, Metric};
use bandwho::report::answer::change::{Chosen, Order, Tables};
use bandwho::report::answer::diff::{self, Compare};
use bandwho::report::answer::top::Needs;
use clap::ValueEnum;

use super::args::{Output, Read};
use super::commands::{answer, limit};
use super::output::Target;
use super::periods::{Typed, periods};
use super::{message, plan};

pub(crate) const EXAMPLES: &str = "Examples:
  bandwho diff old.log new.log                            two logs, or directories: what is before, what is after
  bandwho diff --before mon.log --before tue.log wed.log  the same with several of either
  bandwho diff --since today --vs 7d access.log           today so far, against the same hours a week ago
  bandwho diff --since 2026-11-20 --until 2026-11-21 --vs 2026-11-13 --by path,asn /var/log/nginx
  bandwho diff --since 2h --vs 1d --by client --sort grew --top 20 --json access.log

--vs is a time or, as a length such as 7d, how much earlier; both periods are equally long unless --vs-until says
otherwise. Without --until the first lasts until now, but at most until both periods would meet.
docs/DIFF.md defines every column";

/// Rows of the usual tables.
const USUAL_ROWS: usize = 5;

/// Rows of tables that were asked for.
const ASKED_ROWS: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// Start of the period to compare with, or how much earlier it is, such as 7d
    #[arg(long, value_name = "T", allow_hyphen_values = true, conflicts_with = "before")]
    pub(crate) vs: Option<String>,
    /// End of the period to compare with [default: as long as the other]
    #[arg(long, value_name = "T", requires = "vs")]
    pub(crate) vs_until: Option<String>,
    /// Logs to compare with, instead of a period; may be repeated
    #[arg(long, value_name = "OLD")]
    pub(crate) before: Vec<PathBuf>,
    /// Dimensions, comma-separated; may be repeated, for a table each [default: a short table of each usual one]
    #[arg(long, value_name = "DIM,…")]
    pub(crate) by: Vec<String>,
    /// What is compared; auto: bytes as they are, or average rates if the sides are not equally long
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = CompareChoice::Auto)]
    pub(crate) compare: CompareChoice,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareChoice {
    Auto,
    Bytes,
    Rates,
    Requests,
}

pub(crate) fn run(mut args: Diff) -> Result<u8, Error> {
    let by = tables_by(&args.by)?;
    let tables = tables(&args.sort, args.top, &by)?;
    let before = sets(&mut args)?;
    let target = Target::new(&args.output)?;
    let Diff { read, output, .. } = &args;
    let sources = plan::sources(read, output.output.as_deref())?;
    if args.vs.is_some() {
        sources.check_times("diff compares periods")?;
    }
    let compare = match args.compare {
        CompareChoice::Auto => Compare::Auto,
        CompareChoice::Bytes => Compare::Bytes,
        CompareChoice::Rates => Compare::Rates,
        CompareChoice::Requests => Compare::Requests,
    };
    let needed = match compare {
        Compare::Bytes | Compare::Rates => vec![Metric::Bytes],
        Compare::Auto | Compare::Requests => Vec::new(),
    };
    if compare == Compare::Auto && !sources.bytes_logged() {
        message::note("no log has a byte column: requests are compared");
    }
    let by = if by.is_empty() { diff::usual(|dimension| can_show(&sources, dimension)) } else { by };
    let mut rules = sources.rules(read, diff::views(by), Cut::Records, &needed)?;
    let sides = if let Some(vs) = &args.vs {
        let typed = Typed { since: rules.since, until: rules.until, vs, vs_until: args.vs_until.as_deref() };
        let (before, after) = periods(&typed, &rules.grid.zone, sources.now).map_err(Error::Usage)?;
        rules.since = Some(before.since.min(after.since));
        rules.until = Some(before.until.max(after.until));
        Sides::Periods { before, after }
    } else {
        inputs(&sources, &before)?
    };
    rules.sides = Some(sides);
    answer(read, &sources, &rules, &target, Needs::Whole, |counted| diff::report(counted, compare, tables))
}

/// The side of each log that is read; there must be some on both.
fn inputs(sources: &plan::Sources, before: &HashSet<Option<PathBuf>>) -> Result<Sides, Error> {
    let logs = sources.survey.logs.iter();
    let side = |path: &Option<PathBuf>| if before.contains(path) { Side::Before } else { Side::After };
    let sides: Vec<Side> = logs.map(|log| side(&log.input.path)).collect();
    for (side, name) in [(Side::Before, "before"), (Side::After, "after")] {
        if !sides.contains(&side) {
            return Err(Error::Data(format!("no access logs {name}: there is nothing to compare")));
        }
    }
    Ok(Sides::Inputs(sides))
}

/// A table for each list of dimensions, none twice and none by time.
pub(super) fn tables_by(typed: &[String]) -> Result<Vec<Vec<Dimension>>, Error> {
    let mut tables: Vec<Vec<Dimension>> = Vec::new();
    for list in typed {
        let wrong = |reason: String| Error::Usage(format!("--by {list}: {reason}"));
        let by = Dimension::parse_list(list).map_err(wrong)?;
        if let Some(time) = by.iter().find(|dimension| matches!(dimension, Dimension::Time(_))) {
            return Err(wrong(format!("{} is what tells the sides apart", time.name())));
        }
        if tables.contains(&by) {
            return Err(wrong("the table is asked for twice".to_owned()));
        }
        tables.push(by);
    }
    Ok(tables)
}

/// What tables show, by what was typed.
pub(super) fn tables(sort: &str, top: Option<usize>, by: &[Vec<Dimension>]) -> Result<Tables, Error> {
    let order = Order::parse(sort).map_err(|reason| Error::Usage(format!("--sort {sort}: {reason}")))?;
    let (chosen, rows) =
        if by.is_empty() { (Chosen::Usual, USUAL_ROWS) } else { (Chosen::Asked, ASKED_ROWS) };
    Ok(Tables { order, rows: limit(top.unwrap_or(rows)), chosen })
}

/// Whether a usual table can say something.
pub(super) fn can_show(sources: &plan::Sources, dimension: &Dimension) -> bool {
    match dimension {
        Dimension::Idc => !sources.servers.is_empty(),
        place if place.is_place() => sources.places.databases().len() != 0 && sources.provides(place),
        other => sources.provides(other),
    }
}

/// The logs to compare with, which become inputs as the others. With `--vs` there are none.
fn sets(args: &mut Diff) -> Result<HashSet<Option<PathBuf>>, Error> {
    let Diff { vs, before, read, .. } = args;
    let logs = &mut read.inputs.logs;
    if vs.is_some() {
        return Ok(HashSet::new());
    }
    let old = match (before.as_slice(), logs.as_slice()) {
        ([], [old, _]) => vec![old.clone()],
        ([], _) => {
            return Err(Error::Usage(
                "diff needs something to compare with: --since T --vs T, two LOGs, or --before OLD"
                    .to_owned(),
            ));
        }
        (_, []) if read.inputs.files_from.is_none() => {
            return Err(Error::Usage("--before OLD is compared with LOG, and there is none".to_owned()));
        }
        (old, _) => old.to_vec(),
    };
    let new: Vec<PathBuf> = if before.is_empty() { logs[1..].to_vec() } else { logs.clone() };
    let paths = |logs: &[PathBuf]| -> Result<HashSet<Option<PathBuf>>, Error> {
        Ok(input::list(logs)?.inputs.into_iter().map(|input| input.path).collect())
    };
    let (old_paths, new_paths) = (paths(&old)?, paths(&new)?);
    let all: Vec<PathBuf> = old.into_iter().chain(new).collect();
    if paths(&all)?.len() < old_paths.len() + new_paths.len() {
        return Err(Error::Usage(format!("{} is before and after", twice(&old_paths, &new_paths))));
    }
    *logs = all;
    Ok(old_paths)
}

/// What to call a file that is in both sets, perhaps by two names.
fn twice(old: &HashSet<Option<PathBuf>>, new: &HashSet<Option<PathBuf>>) -> String {
    let real = |path: &Path| path.canonicalize().ok();
    let known: HashSet<PathBuf> = old.iter().flatten().filter_map(|path| real(path)).collect();
    let mut found: Vec<&PathBuf> = new.iter().flatten().collect();
    found.sort();
    let found = found.into_iter().find(|path| real(path).is_some_and(|path| known.contains(&path)));
    found.map_or("one of the logs".to_owned(), |path| path.display().to_string())
}
