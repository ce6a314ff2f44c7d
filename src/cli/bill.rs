//! `bandwho bill`: a contract, from a file or from options, and the logs that it is billed from.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use bandwho::aggregate::Cut;
use bandwho::billing::contract::{CONTRACT_BYTES_MAX, Contract, EXAMPLE, Members, Port};
use bandwho::billing::decimal::Decimal;
use bandwho::billing::method::Terms;
use bandwho::billing::period::Period;
use bandwho::billing::tariff::{Price, Tariff};
use bandwho::billing::words::{
    Direction, Method, Missing, Overhead, Proration, Scope, ValidDays, VolumeUnit, parse_commit, parse_mean,
    parse_rank,
};
use bandwho::error::Error;
use bandwho::query::{Dimension, Metric};
use bandwho::report::answer::bill::{self, Question};
use bandwho::report::answer::top::Needs;
use bandwho::time::{Timestamp, slot_length};

use super::args::{Output, Read};
use super::commands::{answer, limit};
use super::exit::DONE;
use super::output::Target;
use super::plan;

pub(crate) const EXAMPLES: &str = "Examples:
  bandwho bill access.log                          the 95th percentile of all that was logged
  bandwho bill --period 2026-10 --tz Asia/Shanghai --commit 2Gbps --price 14.3 /var/log/nginx
  bandwho bill --method nth-peak:4 --overhead aliyun --drivers asn,org /var/log/nginx
  bandwho bill --print-contract > contract.toml    a commented contract to start from
  bandwho bill --contract contract.toml --servers servers.csv --period 2026-10 --drivers client /var/log/nginx

Methods: p95 nth-peak:N day-peak-avg day-p95-avg top5-avg flat volume
Rank rules: floor-discard librenms vnstat rrdtool cacti ntopng interpolated
Definitions and sources: docs/BILLING.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Bill {
    /// Ports, methods and prices in TOML; see --print-contract
    #[arg(long, value_name = "FILE", help_heading = "Contract", conflicts_with_all = TERMS)]
    pub(crate) contract: Option<PathBuf>,
    /// Print a commented example of a contract
    #[arg(long, help_heading = "Contract")]
    print_contract: bool,
    /// A month such as 2026-10, or two dates: 2026-10-05..2026-10-20 [default: from the first to the last logged slot]
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["since", "until"])]
    period: Option<String>,
    /// Who filled the slots that set the bill: dimensions, comma-separated
    #[arg(long, value_name = "DIM,…")]
    drivers: Option<String>,
    /// Rows of drivers at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    #[command(flatten)]
    terms: Typed,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options that a contract replaces.
const TERMS: [&str; 12] = [
    "method",
    "rank",
    "mean",
    "direction",
    "scope",
    "commit",
    "price",
    "currency",
    "overhead",
    "missing",
    "valid_days",
    "proration",
];

/// The terms of a single port with everything
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Contract")]
struct Typed {
    /// How samples become the billed quantity
    #[arg(long, value_name = "METHOD", default_value = "p95")]
    method: String,
    /// Which sample of N is the 95th percentile
    #[arg(long, value_name = "RULE", default_value = "floor-discard")]
    rank: String,
    /// Length of a sample if it is longer than a slot: 30m, 2h
    #[arg(long, value_name = "LENGTH")]
    mean: Option<String>,
    /// out, in, max-of-p95, max-per-sample or sum
    #[arg(long, value_name = "DIRECTION", default_value = "out")]
    direction: String,
    /// Data centres together (sum-then-rate) or each by itself (per-port)
    #[arg(long, value_name = "SCOPE", default_value = "sum-then-rate")]
    scope: String,
    /// The least that is billed: 2Gbps, or 10TB for volume
    #[arg(long, value_name = "AMOUNT")]
    commit: Option<String>,
    /// Per Mbps and period; per GB for volume; for the port if flat
    #[arg(long, value_name = "PRICE")]
    price: Option<String>,
    /// Printed beside amounts
    #[arg(long, value_name = "WORD", default_value = "")]
    currency: String,
    /// From logged bytes to bytes on the wire: none, talk, headers-v4, headers-v4-ts, aliyun, tencent, packets[:MSS] or a
    /// factor
    #[arg(long, value_name = "OVERHEAD", default_value = "none")]
    overhead: String,
    /// What slots outside the logs count as: exclude, zero or fail
    #[arg(long, value_name = "RULE", default_value = "exclude")]
    missing: String,
    /// Days that count: none (all), traffic, use or from:DATE
    #[arg(long, value_name = "RULE", default_value = "none")]
    valid_days: String,
    /// Fees for valid days only: none or valid-days
    #[arg(long, value_name = "RULE", default_value = "none")]
    proration: String,
}

/// Bills, or prints an example of a contract.
pub(crate) fn run(mut args: Bill) -> Result<u8, Error> {
    if args.print_contract {
        let mut out = io::stdout().lock();
        let written = out.write_all(EXAMPLE.as_bytes()).and_then(|()| out.flush());
        return written.map(|()| DONE).map_err(|error| Error::io("write", Path::new("the contract"), error));
    }
    let usage = |option: &str, reason: String| Error::Usage(format!("{option}: {reason}"));
    let contract = match &args.contract {
        Some(path) => {
            let contract = read_contract(path)?;
            agree(&mut args.read, &contract, path)?;
            contract
        }
        None => args.terms.contract(args.read.slot.as_deref().unwrap_or(plan::SLOT))?,
    };
    let drivers = args.drivers.as_deref().map_or(Ok(Vec::new()), Dimension::parse_list);
    let drivers = drivers.map_err(|reason| usage("--drivers", reason))?;
    if let Some(time) = drivers.iter().find(|dimension| matches!(dimension, Dimension::Time(_))) {
        return Err(usage("--drivers", format!("`{}` is when, not who", time.name())));
    }
    let mut question = Question { contract, period: None, drivers, rows: limit(args.top) };
    let target = Target::new(&args.output)?;
    let views = question.views().map_err(|reason| usage("--drivers", reason))?;
    let segment = question.segment().map_err(|reason| usage("--contract", reason))?;
    let sources = plan::sources(&args.read, args.output.output.as_deref())?;
    let by_idc = |port: &Port| matches!(port.members, Members::Idcs(_)) || port.scope == Scope::PerPort;
    if sources.servers.is_empty() && question.contract.ports.iter().any(by_idc) {
        let reason = "bills by data centre need a server list; give one with --servers or --idc";
        return Err(Error::Usage(reason.to_owned()));
    }
    if question.contract.ports.iter().any(|port| port.terms.direction != Direction::Out) {
        sources.check_bytes_in()?;
    }
    let mut rules = sources.rules(&args.read, views, Cut::Slots, &[Metric::Bytes])?;
    rules.segment = segment.unwrap_or(rules.segment);
    if let Some(typed) = &args.period {
        let day = question.contract.period_day;
        let period = Period::parse(typed, day, &rules.grid.zone, plan::now());
        let period = period.map_err(|reason| usage("--period", reason))?;
        rules.since = Some(Timestamp::from_seconds(period.start()));
        rules.until = Some(Timestamp::from_seconds(period.end()));
        question.period = Some(period);
    }
    answer(&args.read, &sources, &rules, &target, Needs::Whole, |counted| bill::report(counted, &question))
}

fn read_contract(path: &Path) -> Result<Contract, Error> {
    let mut text = String::new();
    let failed = |error| Error::io("read", path, error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.take(CONTRACT_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    if size > CONTRACT_BYTES_MAX {
        return Err(Error::Data(format!(
            "{}: a contract of more than {CONTRACT_BYTES_MAX} bytes",
            path.display()
        )));
    }
    Contract::parse(&text).map_err(|bad| Error::Data(bad.in_file(&path.display().to_string())))
}

/// Zone and slot are the contract's; what was typed besides would contradict it.
fn agree(read: &mut Read, contract: &Contract, path: &Path) -> Result<(), Error> {
    let twice = |option: &str| {
        Err(Error::Usage(format!("{option}: {} says it already; bills follow the contract", path.display())))
    };
    if let Some(zone) = &contract.zone {
        if read.tz.is_some() {
            return twice("--tz");
        }
        read.tz = Some(zone.name().to_owned());
    }
    if read.slot.is_some() {
        return twice("--slot");
    }
    read.slot = Some(format!("{}s", contract.slot));
    Ok(())
}

impl Typed {
    fn contract(&self, slot: &str) -> Result<Contract, Error> {
        let usage = |option: &'static str| move |reason: String| Error::Usage(format!("{option}: {reason}"));
        let method = Method::parse(&self.method).map_err(usage("--method"))?;
        let missing = Missing::parse(&self.missing).map_err(usage("--missing"))?;
        let slot = slot_length(slot).map_err(usage("--slot"))?;
        let mean = self.mean.as_deref().map(|mean| parse_mean(mean, slot)).transpose();
        let mean = mean.map_err(usage("--mean"))?;
        let terms = Terms {
            method,
            rank: parse_rank(&self.rank).map_err(usage("--rank"))?,
            mean,
            direction: Direction::parse(&self.direction).map_err(usage("--direction"))?,
            missing,
            valid_days: ValidDays::parse(&self.valid_days).map_err(usage("--valid-days"))?,
            overhead: Overhead::parse(&self.overhead).map_err(usage("--overhead"))?,
        };
        let price = self.price.as_deref().map(Decimal::parse).transpose().map_err(usage("--price"))?;
        let commit = self.commit.as_deref();
        let commit = commit.map(|commit| parse_commit(commit, method, VolumeUnit::Decimal)).transpose();
        let port = Port::default();
        let tariff = Tariff {
            price: price.map(Price::Single),
            commit: commit.map_err(usage("--commit"))?,
            proration: Proration::parse(&self.proration).map_err(usage("--proration"))?,
            ..port.tariff
        };
        let scope = Scope::parse(&self.scope).map_err(usage("--scope"))?;
        Ok(Contract {
            currency: self.currency.clone(),
            slot,
            missing,
            ports: vec![Port { scope, terms, tariff, ..port }],
            ..Contract::default()
        })
    }
}
