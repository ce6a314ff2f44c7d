//! Each command: a plan, a run, an answer.

use std::io::{self, IsTerminal};
use std::path::Path;

use bandwho::aggregate::{Cut, Rules, Tally};
use bandwho::error::Error;
use bandwho::format::Part;
use bandwho::pipeline::{self, Job, LineStyle, Ordered, Reach};
use bandwho::place::About;
use bandwho::query::filter::Having;
use bandwho::query::{Clients, Dimension, Filter, Metric, Series, View};
use bandwho::report::Report;
use bandwho::report::answer::overview::{self, Known};
use bandwho::report::answer::top::{Needs, Ranking};
use bandwho::report::answer::{Counted, slots, top};
use bandwho::report::record;

use super::args::{self, Args, Command, Read};
use super::exit::{CHECK_FAILED, DONE, FAILED};
use super::output::{Replacement, Target, note_quality};
use super::plan::{self, Sources};
use super::{
    again, at, audit, bill, bots, diff, dispatch, formats, guard, hotlink, ipdb, latency, manual, memory,
    message, progress,
};

/// Runs what was typed and returns the exit code.
pub(crate) fn run(args: Args) -> Result<u8, Error> {
    let common = args.common();
    let threads = common.as_ref().map_or(0, |common| common.threads);
    common.as_ref().map_or(Ok(()), guard::check)?;
    pipeline::pool(threads)?.install(|| match args.command {
        None => overview(&args.read, &args.output),
        Some(Command::Top(args)) => top(&args),
        Some(Command::Slots(args)) => slots(&args),
        Some(Command::Bill(args)) => bill::run(*args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Lines(args)) => lines(&args),
        Some(Command::Latency(args)) => latency::run(&args),
        Some(Command::Dispatch(args)) => dispatch::run(&args),
        Some(Command::Bots(args)) => bots::run(&args),
        Some(Command::Diff(args)) => diff::run(*args),
        Some(Command::At(args)) => at::run(&args),
        Some(Command::Hotlink(args)) => hotlink::run(&args),
        Some(Command::Formats(args)) => formats::run(&args),
        Some(Command::Ipdb(command)) => ipdb::run(&command),
        Some(Command::Completions(args)) => manual::completions(&args),
        Some(Command::Man(args)) => manual::manual(&args),
    })
}

fn overview(read: &Read, output: &args::Output) -> Result<u8, Error> {
    let target = Target::new(output)?;
    let sources = plan::sources(read, output.output.as_deref())?;
    let known = Known { servers: !sources.servers.is_empty(), places: sources.places.databases().len() != 0 };
    let views = overview::views(known, |dimension| sources.provides(dimension));
    if !sources.bytes_logged() {
        message::note("no log has a byte column: requests are counted");
    }
    let rules = sources.rules(read, views, Cut::Records, &[])?;
    let again = again::again(read);
    answer(read, &sources, &rules, &target, Needs::Parts, |counted| overview::report(counted, again.as_ref()))
}

fn top(args: &args::Top) -> Result<u8, Error> {
    let by = Dimension::parse_list(&args.by).map_err(|reason| Error::Usage(format!("--by: {reason}")))?;
    let net_share = args.nets.share(&by)?;
    let timed = by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
    let parse =
        |typed: &String| Metric::parse(typed).map_err(|reason| Error::Usage(format!("--sort: {reason}")));
    let sort = args.sort.as_ref().map(parse).transpose()?;
    let parse = |typed: &String| {
        Metric::parse_list(typed).map_err(|reason| Error::Usage(format!("--columns: {reason}")))
    };
    let columns = args.columns.as_ref().map(parse).transpose()?;
    let parse =
        |typed: &str| Having::parse(typed).map_err(|bad| plan::bad_expression("--having", typed, &bad));
    let having = args.having.as_deref().map(parse).transpose()?;
    let compared = having.iter().flat_map(Having::metrics);
    let mut typed = columns.iter().flatten().chain(&sort).copied().chain(compared.clone());
    if let Some(metric) = typed.find(|metric| timed && metric.is_timeless()) {
        return Err(Error::Usage(format!(
            "{} is not kept per slot: it cannot be split by slot, day, hour or weekday",
            metric.name()
        )));
    }
    let target = Target::of_ranking(&args.output, &by)?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    let bytes = sources.bytes_logged();
    if !bytes && (sort.is_none() || columns.is_none()) {
        message::note("no log has a byte column: requests are counted");
    }
    let sort = sort.unwrap_or(if bytes { Metric::Bytes } else { Metric::Requests });
    let metrics = columns.unwrap_or_else(|| match (bytes, timed) {
        (false, _) => vec![Metric::Requests],
        (true, true) => vec![Metric::Requests, Metric::Bytes, Metric::Share],
        (true, false) => vec![Metric::Requests, Metric::Bytes, Metric::Share, Metric::AvgBps],
    });
    let needed: Vec<Metric> = metrics.iter().copied().chain([sort]).chain(compared).collect();
    let mut view = View::new(by, &needed);
    if args.exact && view.clients == Clients::Estimated {
        view.clients = Clients::Exact;
    }
    let rules = sources.rules(&args.read, vec![view], Cut::Records, &needed)?;
    let ranking = Ranking { metrics, sort, rows: limit(args.top), having };
    let needs = if net_share.is_some() { Needs::Whole } else { ranking.needs() };
    answer(&args.read, &sources, &rules, &target, needs, |counted| match net_share {
        Some(share) => top::nets::report(counted, &ranking, share),
        None => top::report(counted, &ranking),
    })
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
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    let view = View { by, series: Series::PerSlot, ..View::default() };
    let rules = sources.rules(&args.read, vec![view], Cut::Slots, &[Metric::Bytes])?;
    answer(&args.read, &sources, &rules, &target, Needs::Whole, |counted| {
        slots::report(counted, limit(args.top))
    })
}

fn lines(args: &args::Lines) -> Result<u8, Error> {
    let style = line_style(args)?;
    let sources = plan::sources(&args.read, args.output.as_deref())?;
    let rules = sources.rules(&args.read, Vec::new(), Cut::Records, &[])?;
    let limit = args.limit.unwrap_or(u64::MAX);
    let tally = if let Some(path) = &args.output {
        let file = Replacement::create(path)?;
        let tally = count(&args.read, &sources, &rules, Some((style, &file.ordered(limit)?)), Needs::Whole)?;
        file.finish()?;
        tally
    } else {
        let ordered = Ordered::new("the lines", Box::new(io::BufWriter::new(io::stdout())), limit);
        count(&args.read, &sources, &rules, Some((style, &ordered)), Needs::Whole)?
    };
    let databases = match style {
        LineStyle::Ndjson => sources.places.databases().cloned().collect(),
        LineStyle::Raw | LineStyle::Shown => looked_into(&sources, &rules),
    };
    note_quality(&counted(&sources, &rules, &tally, databases).input());
    Ok(verdict(&args.read, &sources, &tally))
}

/// What was typed, else what the file's extension says.
fn line_style(args: &args::Lines) -> Result<LineStyle, Error> {
    let path = args.output.as_deref();
    match path.and_then(Path::extension).and_then(|extension| extension.to_str()) {
        _ if args.ndjson => Ok(LineStyle::Ndjson),
        Some("ndjson") => Ok(LineStyle::Ndjson),
        Some("json" | "csv" | "md") => Err(Error::Usage(format!(
            "--output {}: lines are written raw, or as .ndjson",
            path.unwrap_or(Path::new("")).display()
        ))),
        None if path.is_none() && io::stdout().is_terminal() => Ok(LineStyle::Shown),
        _ => Ok(LineStyle::Raw),
    }
}

/// 0 stands for all.
pub(super) fn limit(rows: usize) -> Option<usize> {
    (rows > 0).then_some(rows)
}

pub(super) fn answer(
    read: &Read,
    sources: &Sources,
    rules: &Rules,
    target: &Target,
    needs: Needs,
    report: impl FnOnce(&Counted<'_>) -> Result<Report, Error>,
) -> Result<u8, Error> {
    let tally = count(read, sources, rules, None, needs)?;
    target.write(&report(&counted(sources, rules, &tally, looked_into(sources, rules)))?)?;
    Ok(verdict(read, sources, &tally))
}

/// Addresses are looked up only where the question needs them.
pub(super) fn looked_into(sources: &Sources, rules: &Rules) -> Vec<About> {
    let filter = rules.filter.iter().flat_map(Filter::dimensions);
    let asked = rules.views.iter().flat_map(|view| &view.by).chain(filter).any(Dimension::is_place);
    if asked { sources.places.databases().cloned().collect() } else { Vec::new() }
}

pub(super) fn counted<'a>(
    sources: &'a Sources,
    rules: &'a Rules,
    tally: &'a Tally,
    databases: Vec<About>,
) -> Counted<'a> {
    let logs = &sources.survey.logs;
    let later = |log: &pipeline::Log| tally.account.later_formats.get(&log.input.id).into_iter().flatten();
    Counted {
        tally,
        rules,
        files: logs
            .iter()
            .map(|log| {
                let formats = log.candidates.iter().map(|candidate| &candidate.layout.format);
                let formats = formats.chain(later(log));
                (log.input.name.as_str(), formats.collect())
            })
            .collect(),
        databases,
        servers_listed: !sources.servers.is_empty(),
        durations_logged: sources.durations_logged()
            || logs.iter().flat_map(later).any(|format| format.has(Part::Duration)),
    }
}

pub(super) fn count(
    read: &Read,
    sources: &Sources,
    rules: &Rules,
    lines: Option<(LineStyle, &Ordered)>,
    needs: Needs,
) -> Result<Tally, Error> {
    let memory = memory::memory(read)?;
    let sizes: Option<Vec<u64>> = sources.survey.logs.iter().map(|log| log.input.size).collect();
    let watch = progress::watch(sizes.map(|sizes| sizes.iter().sum()));
    let rejects_file = |path| Replacement::create(path)?.headed(record::REJECTS_HEADER);
    let file = read.checks.rejects.as_deref().map(rejects_file).transpose()?;
    let rejects = file.as_ref().map(|file| file.ordered(u64::MAX)).transpose()?;
    let job = Job {
        rules,
        places: &sources.places,
        servers: &sources.servers,
        lines,
        rejects: rejects.as_ref(),
        reach: if read.checks.strict { Reach::All } else { Reach::Matching },
        progress: &watch.bytes,
        memory: (needs == Needs::Parts).then_some(&memory),
    };
    let tally = pipeline::run(&sources.survey, &job)?;
    if needs == Needs::Whole {
        memory::note_whole(read, &tally)?;
    }
    file.map_or(Ok(()), Replacement::finish)?;
    Ok(tally)
}

/// Tells what went wrong with the input, and whether that is a failure.
pub(super) fn verdict(read: &Read, sources: &Sources, tally: &Tally) -> u8 {
    let account = &tally.account;
    for failure in &account.failures {
        message::warning(&format!("{}; what came before it is counted", failure.message));
    }
    let rejected: u64 = account.rejected.iter().sum();
    let partial = !account.failures.is_empty() || !sources.survey.unreadable.is_empty();
    if partial && !read.checks.partial_ok {
        FAILED
    } else if read.checks.strict && rejected > 0 {
        message::error(&format!("--strict: {rejected} lines were rejected"));
        CHECK_FAILED
    } else {
        DONE
    }
}
