//! Each command: a plan, a run, an answer.

use std::io::{self, Write};
use std::path::Path;

use bandwho::aggregate::{Cut, Rules, Tally};
use bandwho::error::Error;
use bandwho::pipeline::{self, Job, LineStyle, Ordered};
use bandwho::query::{Dimension, Extras, Metric, Series, View};
use bandwho::report::Report;
use bandwho::report::answer::overview::{self, Known};
use bandwho::report::answer::top::Ranking;
use bandwho::report::answer::{Counted, slots, top};

use super::args::{self, Args, Command, Read};
use super::output::{Replacement, Target};
use super::plan::{self, Sources};
use super::{message, progress};

/// A check that was asked for failed.
const CHECK_FAILED: u8 = 3;
const FAILED: u8 = 1;
const DONE: u8 = 0;

/// Runs what was typed and returns the exit code.
pub(crate) fn run(args: Args) -> Result<u8, Error> {
    let threads = match &args.command {
        None => args.read.threads,
        Some(Command::Top(args)) => args.read.threads,
        Some(Command::Slots(args)) => args.read.threads,
        Some(Command::Lines(args)) => args.read.threads,
    };
    pipeline::pool(threads)?.install(|| match args.command {
        None => overview(&args.read, &args.output),
        Some(Command::Top(args)) => top(&args),
        Some(Command::Slots(args)) => slots(&args),
        Some(Command::Lines(args)) => lines(&args),
    })
}

fn overview(read: &Read, output: &args::Output) -> Result<u8, Error> {
    let target = Target::new(output)?;
    let sources = plan::sources(read)?;
    let known =
        Known { servers: !sources.servers.is_empty(), places: !sources.places.databases().is_empty() };
    let views = overview::views(known, |dimension| sources.provides(dimension));
    let rules = sources.rules(read, views, Cut::Records, 1)?;
    answer(read, &sources, &rules, &target, overview::report)
}

fn top(args: &args::Top) -> Result<u8, Error> {
    let by = Dimension::parse_list(&args.by).map_err(|reason| Error::Usage(format!("--by: {reason}")))?;
    let timed = by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
    let sort = Metric::parse(&args.sort).map_err(|reason| Error::Usage(format!("--sort: {reason}")))?;
    let metrics = match &args.columns {
        Some(columns) => {
            Metric::parse_list(columns).map_err(|reason| Error::Usage(format!("--columns: {reason}")))?
        }
        None if timed => vec![Metric::Requests, Metric::Bytes, Metric::Share],
        None => vec![Metric::Requests, Metric::Bytes, Metric::Share, Metric::AvgBps],
    };
    let needed: Vec<Metric> = metrics.iter().copied().chain([sort]).collect();
    if let Some(metric) =
        needed.iter().find(|metric| timed && (metric.needs_series() || metric.needs_extras()))
    {
        return Err(Error::Usage(format!(
            "{} is taken over all slots: it cannot be split by slot, day, hour or weekday",
            metric.name()
        )));
    }
    let target = Target::new(&args.output)?;
    let sources = plan::sources(&args.read)?;
    let rules = sources.rules(&args.read, vec![View::new(by, &needed)], Cut::Records, args.depth)?;
    let ranking = Ranking { metrics, sort, rows: limit(args.top) };
    answer(&args.read, &sources, &rules, &target, |counted| top::report(counted, &ranking))
}

fn slots(args: &args::Slots) -> Result<u8, Error> {
    let by = match &args.by {
        Some(by) => Dimension::parse_list(by).map_err(|reason| Error::Usage(format!("--by: {reason}")))?,
        None => Vec::new(),
    };
    if let Some(time) = by.iter().find(|dimension| matches!(dimension, Dimension::Time(_))) {
        return Err(Error::Usage(format!("--by {}: rows are slots already", time.name())));
    }
    let target = Target::new(&args.output)?;
    let sources = plan::sources(&args.read)?;
    let view = View { by, series: Series::PerSlot, extras: Extras::Left };
    let rules = sources.rules(&args.read, vec![view], Cut::Slots, 1)?;
    answer(&args.read, &sources, &rules, &target, |counted| slots::report(counted, limit(args.top)))
}

#[allow(clippy::single_match_else, reason = "a file and stdout are equals")]
fn lines(args: &args::Lines) -> Result<u8, Error> {
    let sources = plan::sources(&args.read)?;
    let rules = sources.rules(&args.read, Vec::new(), Cut::Records, 1)?;
    let style = if args.ndjson { LineStyle::Ndjson } else { LineStyle::Raw };
    let limit = args.limit.unwrap_or(u64::MAX);
    let tally = match &args.output {
        Some(path) => {
            let mut file = Replacement::create(path)?;
            let copy = file.out.get_ref().try_clone().map_err(|error| Error::io("write", path, error))?;
            let ordered =
                Ordered::new(&path.display().to_string(), Box::new(io::BufWriter::new(copy)), limit);
            let tally = count(&args.read, &sources, &rules, Some((style, &ordered)))?;
            file.out.flush().map_err(|error| Error::io("write", path, error))?;
            file.finish()?;
            tally
        }
        None => {
            let out = io::BufWriter::new(io::stdout());
            let ordered = Ordered::new("the lines", Box::new(out), limit);
            count(&args.read, &sources, &rules, Some((style, &ordered)))?
        }
    };
    Ok(verdict(&args.read, &tally))
}

/// 0 stands for all.
fn limit(rows: usize) -> Option<usize> {
    (rows > 0).then_some(rows)
}

fn answer(
    read: &Read,
    sources: &Sources,
    rules: &Rules,
    target: &Target,
    report: impl FnOnce(&Counted<'_>) -> Report,
) -> Result<u8, Error> {
    let tally = count(read, sources, rules, None)?;
    let logs = &sources.survey.logs;
    let counted = Counted {
        tally: &tally,
        rules,
        files: logs.iter().map(|log| (log.input.name.as_str(), &log.layout.format)).collect(),
        databases: sources.places.databases(),
        servers_listed: !sources.servers.is_empty(),
        durations_logged: sources.durations_logged(),
    };
    target.write(&report(&counted))?;
    Ok(verdict(read, &tally))
}

fn count(
    read: &Read,
    sources: &Sources,
    rules: &Rules,
    lines: Option<(LineStyle, &Ordered)>,
) -> Result<Tally, Error> {
    let sizes: Option<Vec<u64>> = sources.survey.logs.iter().map(|log| log.input.size).collect();
    let watch = progress::watch(sizes.map(|sizes| sizes.iter().sum()));
    let mut rejects = read.rejects.as_deref().map(Replacement::create).transpose()?;
    let copy = match &rejects {
        Some(file) => {
            let path = read.rejects.as_deref().unwrap_or(Path::new(""));
            let copy = file.out.get_ref().try_clone().map_err(|error| Error::io("write", path, error))?;
            Some(Ordered::new(&path.display().to_string(), Box::new(io::BufWriter::new(copy)), u64::MAX))
        }
        None => None,
    };
    let job = Job {
        rules,
        places: &sources.places,
        servers: &sources.servers,
        lines,
        rejects: copy.as_ref(),
        progress: &watch.bytes,
    };
    let tally = pipeline::run(&sources.survey, &job)?;
    rejects.take().map_or(Ok(()), Replacement::finish)?;
    Ok(tally)
}

/// Tells what went wrong with the input, and whether that is a failure.
fn verdict(read: &Read, tally: &Tally) -> u8 {
    let account = &tally.account;
    for failure in &account.failures {
        message::warning(&format!("{}; what came before it is counted", failure.message));
    }
    let rejected: u64 = account.rejected.iter().sum();
    if !account.failures.is_empty() && !read.partial_ok {
        FAILED
    } else if read.strict && rejected > 0 {
        message::error(&format!("--strict: {rejected} lines were rejected"));
        CHECK_FAILED
    } else {
        DONE
    }
}
