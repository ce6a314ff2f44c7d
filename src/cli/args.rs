//! What was typed. Nothing here is resolved: that is the plan's work.

#![allow(
    clippy::doc_markdown,
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    reason = "doc comments are help texts and fields are options, named as users type them"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bandwho::place::ATTRIBUTION;
use clap::{Args as Group, Parser, Subcommand, ValueEnum};

use super::at::At;
use super::audit::Audit;
use super::bots::Bots;
use super::diff::Diff;
use super::dispatch::Dispatch;
use super::hotlink::Hotlink;
use super::latency::Latency;
use super::manual::{Completions, Manual};
use super::nets::Nets;

/// The version, and whose data is in the binary.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\n\nBuilt-in IP table, June 2026: {ATTRIBUTION}.\nMerged and compressed; the licence texts are in \
         src/place/builtin-LICENSE.md of the source.\nThe program itself: MIT or Apache-2.0.",
        env!("CARGO_PKG_VERSION")
    )
});

/// Who ate our bandwidth? Traffic by data centre, region and time slot from Nginx and Apache access logs
#[derive(Debug, Parser)]
#[command(
    version,
    long_version = LONG_VERSION.as_str(),
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  bandwho access.log                           the overview
  zcat access.log.*.gz | bandwho               the same, from a pipe
  bandwho top --by client /var/log/nginx       who took most, over a whole directory
  bandwho top --by asn,country access.log      whose networks, with the built-in IP table
  bandwho top --by idc,region,slot --servers servers.csv --ip-db GeoLite2-City.mmdb access.log
  bandwho slots --by idc --json access.log     five-minute samples, for a program
  bandwho top --by path --where 'status >= 500' access.log       of some requests only
  bandwho diff old.log new.log                 what grew, what is new, what is gone
  bandwho formats access.log                   what is in this log, and what was rejected
  bandwho --nginx-conf /etc/nginx/nginx.conf   all logs that Nginx writes, in the formats it says

Filters, with every command that reads logs (docs/FILTERS.md):
  --where 'status >= 500 and not path ^= /health'
  --where 'client in 10.0.0.0/8 or region in (CN-GD, CN-GX)'
  --where 'bytes > 10MB and duration > 8s and agent *= curl'
  --where 'path ~ \"[.](ts|m4s)$\" and time >= \"2026-11-20 14:00\"'

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check that was asked for failed"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Args {
    /// What every command on logs has: logs, checks on them, and the file that is written; none for other commands.
    pub(crate) fn common(&self) -> Option<Common<'_>> {
        let (read, output) = match &self.command {
            None => (&self.read, &self.output.output),
            Some(Command::Top(args)) => (&args.read, &args.output.output),
            Some(Command::Slots(args)) => (&args.read, &args.output.output),
            Some(Command::Audit(args)) => (&args.read, &args.output.output),
            Some(Command::Lines(args)) => (&args.read, &args.output),
            Some(Command::Latency(args)) => (&args.read, &args.output.output),
            Some(Command::Dispatch(args)) => (&args.read, &args.output.output),
            Some(Command::Bots(args)) => (&args.read, &args.output.output),
            Some(Command::Diff(args)) => (&args.read, &args.output.output),
            Some(Command::At(args)) => (&args.read, &args.output.output),
            Some(Command::Hotlink(args)) => (&args.read, &args.output.output),
            Some(Command::Formats(args)) => {
                let (inputs, checks, output) = (&args.inputs, &args.checks, args.output.as_deref());
                return Some(Common { inputs, checks, joined: Vec::new(), output, export: None, threads: 0 });
            }
            Some(Command::Bill(args)) => (&args.read, &args.output.output),
            Some(Command::Ipdb(_) | Command::Completions(_) | Command::Man(_)) => return None,
        };
        let beside = match &self.command {
            Some(Command::Bill(args)) => args.contract.as_slice(),
            Some(Command::Audit(args)) => std::slice::from_ref(&args.port),
            Some(Command::Diff(args)) => &args.before,
            _ => &[],
        };
        let Databases { ip_db, net_kind, .. } = &read.databases;
        let joined =
            ip_db.iter().chain(net_kind).chain(&read.servers).chain(&read.agents).chain(beside).collect();
        let (inputs, checks, output) = (&read.inputs, &read.checks, output.as_deref());
        let export = match &self.command {
            Some(Command::Dispatch(args)) => args.export.as_deref(),
            _ => None,
        };
        Some(Common { inputs, checks, joined, output, export, threads: read.threads })
    }
}

/// What every command has.
pub(crate) struct Common<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) checks: &'a Checks,
    /// Files that are read beside the logs.
    pub(crate) joined: Vec<&'a PathBuf>,
    pub(crate) output: Option<&'a Path>,
    /// A file that is written beside the answer.
    pub(crate) export: Option<&'a Path>,
    pub(crate) threads: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ranked groups: who took most
    #[command(after_help = "Examples:
  bandwho top --by client access.log
  bandwho top --by idc,region --servers servers.csv --ip-db city.mmdb access.log
  bandwho top --by path --sort requests --top 50 --csv access.log > paths.csv
  bandwho top --by client,path --memory 512M --tmp /var/tmp access.log     however many groups there are
  bandwho top --by '$upstream_addr' --columns requests,bytes,rt_avg,errors_5xx access.log
  bandwho top --by client --sort driver_share --columns bytes,share,driver_share access.log
  bandwho top --by client,path --having 'requests > 20 and bytes > 1GB' access.log      the same object again and again
  bandwho top --by agent --sort clients --columns clients,requests,bytes access.log
  bandwho top --by template access.log         paths with ids and hashes folded: /video/{n}/seg_{n}.ts
  bandwho top --by net --net auto --min-share 1% access.log    neighbouring networks joined
  bandwho top --by net -o deny.nginx access.log            a blocklist; also .nft and .ipset, and --by client

Dimensions: slot day hour weekday idc server region country province city carrier asn org netkind client net
  host path prefix ext template method status class referer refhost agent family bot claim cache, or a field of the
  format ('$name', '%{X}i'); docs/AGENTS.md tells what family, bot and claim are
Metrics: requests bytes bytes_in share avg_bps peak_bps peak_at p95_bps driver_share clients rt_avg rt_p50 rt_p95 rt_p99
  rt_max slow_share apdex throughput_p50 aborted zero_duration errors_4xx errors_5xx
driver_share is the share of the bytes in the slots whose sample of all groups together is at or above their 95th")]
    Top(Top),
    /// Time series: bytes per slot, zero-filled
    #[command(after_help = "Examples:
  bandwho slots access.log
  bandwho slots --by idc --servers servers.csv --slot 1h access.log
  bandwho slots --since 2026-11-01 --until 2026-12-01 --tz Asia/Shanghai --csv /var/log/nginx")]
    Slots(Slots),
    /// What is paid and why: 95th percentile, peaks, volume; contracts, uncertainty, drivers
    #[command(after_help = super::bill::EXAMPLES)]
    Bill(Box<super::bill::Bill>),
    /// The logs against what a port's meter says: factor, clock skew, gaps, verdict
    #[command(after_help = "Examples:
  bandwho audit --port carrier.csv access.log
  bandwho audit --port eth0.csv --overhead fit --tolerance 2% --tz Asia/Shanghai /var/log/nginx
  rrdtool fetch port.rrd AVERAGE -s 20261101 -e 20261201 > port.txt
  bandwho audit --port port.txt --port-column traffic_out --drivers idc,asn --json access.log

Exit code 3: the 95th, or with fewer than 20 samples the volume, differs by more than --tolerance. docs/AUDIT.md tells
how the two sides are brought together")]
    Audit(Audit),
    /// Raw lines, or parsed records: the evidence behind a number
    #[command(after_help = "Examples:
  bandwho lines --since '2026-11-20 14:00' --until '2026-11-20 14:05' access.log
  bandwho lines --where 'client = 192.0.2.7 and status >= 500' access.log
  bandwho lines --ndjson --limit 10 --ip-db city.mmdb access.log

With --where, lines that cannot match are often not even read: skipped as `unread`. --strict and --rejects read all.")]
    Lines(Lines),
    /// User experience: response times, slow share, Apdex, throughput
    #[command(after_help = "Examples:
  bandwho latency access.log                   all of it, and how many requests were how fast
  bandwho latency --by region,carrier --ip-db city.mmdb access.log
  bandwho latency --by path --sort rt_p95 --top 20 access.log
  bandwho latency --by idc --apdex 500ms --slow 3s --servers servers.csv --json access.log

Aborted requests (status 499, 0 or none; %X of X) and those of a logged duration of 0 are counted
apart: 0 is what a clock of milliseconds or seconds writes for all that is faster, and some servers
for what they did not measure. The answer tells how many there are of both. Objects of 1 MB or more
are judged by throughput, all others by time: rt_*, slow_share, apdex and within_* are about these.
Tables show what fits a terminal, --columns what is named; CSV and JSON have all metrics.
Metrics beside those of top: timed large within_1s within_2s within_4s within_8s within_10s")]
    Latency(Latency),
    /// Dispatch: are clients served on their own network, in their region, and what does it cost that they are not?
    #[command(after_help = "Examples:
  bandwho dispatch --servers servers.csv --ip-db city.mmdb access.log
  bandwho dispatch --servers servers.csv --move 'region=CN-GD:bj->gz' access.log
  bandwho dispatch --servers servers.csv --move 'region=CN-GD,carrier=电信:bj->gz' --json access.log
  bandwho dispatch --servers servers.csv --export better.conf access.log

The server list tells where each data centre is and on whose lines: columns region, province, carrier (BGP: everybody's;
several between / , or +) and price per Mbps. Clients in clouds and data centres are shown apart and never misplaced.")]
    Dispatch(Dispatch),
    /// Bots: which, how much they took, whether they are who they say, and what they fetched again
    #[command(after_help = super::bots::EXAMPLES)]
    Bots(Bots),
    /// What changed between two periods, or two sets of logs: what grew, what is new, what is gone
    #[command(after_help = super::diff::EXAMPLES)]
    Diff(Box<Diff>),
    /// What was different in a window of time: who made the peak
    #[command(after_help = super::at::EXAMPLES)]
    At(Box<At>),
    /// Hotlinks: which hosts that are not ours embed our objects, and which objects
    #[command(after_help = super::hotlink::EXAMPLES)]
    Hotlink(Hotlink),
    /// What format each log has and why, and what is wrong with rejected lines
    #[command(after_help = "Examples:
  bandwho formats access.log
  bandwho formats --format combined_rt access.log         why does this format not read the log?
  bandwho formats --format \"$(sed -n '/log_format main/,/;/p' /etc/nginx/nginx.conf)\" access.log
  bandwho formats --json /var/log/nginx

Only the first MiB of each log is looked at, as for detection, also for --rejects and --strict. Exit code 1: some log has
no known format")]
    Formats(Formats),
    /// IP databases: look up addresses, show what a database holds, compile several into one file
    #[command(
        subcommand,
        disable_help_subcommand = true,
        after_help = "Examples:
  bandwho ipdb lookup 1.1.1.1 2001:db8::1
  bandwho ipdb info GeoLite2-City.mmdb ip2region.xdb
  bandwho ipdb compile --ip-db city.mmdb --ip-db asn.mmdb -o places.bwip"
    )]
    Ipdb(Ipdb),
    /// What a shell needs to complete commands and options
    #[command(after_help = "Examples:
  bandwho completions bash > /etc/bash_completion.d/bandwho
  bandwho completions zsh > /usr/local/share/zsh/site-functions/_bandwho
  bandwho completions fish > ~/.config/fish/completions/bandwho.fish")]
    Completions(Completions),
    /// Manual pages
    #[command(after_help = "Examples:
  bandwho man | man -l -                       read the page of bandwho
  bandwho man top | man -l -                   read that of a command
  bandwho man --all /usr/local/share/man/man1  install them all")]
    Man(Manual),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ipdb {
    /// Where addresses are, and on whose networks
    #[command(after_help = "Examples:
  bandwho ipdb lookup 1.1.1.1
  bandwho ipdb lookup --ip-db GeoLite2-City.mmdb --ip-db GeoLite2-ASN.mmdb --json 8.8.8.8
  bandwho top --by client --csv access.log | cut -d, -f1 | sed 1d | bandwho ipdb lookup -

From a pipe, one address a line is answered by one JSON object a line. Exit code 1: something was no address")]
    Lookup(Lookup),
    /// What databases hold: form, date, networks, and how many addresses have each field
    #[command(after_help = "Examples:
  bandwho ipdb info                            the built-in table
  bandwho ipdb info GeoLite2-City.mmdb ip2region.xdb")]
    Info(Info),
    /// Merge databases into one file, which spares every later run the merging
    #[command(after_help = "Examples:
  bandwho ipdb compile --ip-db city.mmdb --ip-db asn.mmdb -o places.bwip
  bandwho top --by asn --ip-db places.bwip access.log

Later databases fill and override earlier ones. The file is refused once one of them has changed.")]
    Compile(Compile),
}

#[derive(Debug, Group)]
pub(crate) struct Lookup {
    /// Addresses; none or -: from stdin, one a line
    #[arg(value_name = "ADDR")]
    pub(crate) addresses: Vec<String>,
    /// One JSON object per address
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) databases: Databases,
}

#[derive(Debug, Group)]
pub(crate) struct Info {
    /// Databases [default: the built-in table]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object per database
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct Compile {
    /// A database; may be repeated, later ones override
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) ip_db: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The day of databases that do not tell theirs, such as CSV
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<String>,
    /// As small as possible, for a table to be carried about
    #[arg(long)]
    pub(crate) compact: bool,
}

/// What is known of addresses
#[derive(Debug, Group)]
#[command(next_help_heading = "Places and servers")]
pub(crate) struct Databases {
    /// IP database: MMDB, ip2region xdb, ipip ipdb, CSV, or a compiled file; may be repeated, later ones fill and
    /// override; `built-in` names the built-in table, which is used if nothing is named [env: BANDWHO_IP_DB]
    #[arg(long, value_name = "PATH")]
    pub(crate) ip_db: Vec<PathBuf>,
    /// Join no IP database
    #[arg(long, conflicts_with = "ip_db")]
    pub(crate) no_ip_db: bool,
    /// What networks are for: CIDRs or AS numbers with carrier, cloud, idc, cdn or edu, or AWS ip-ranges.json; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) net_kind: Vec<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Top {
    /// Dimensions, comma-separated
    #[arg(long, value_name = "DIM,…")]
    pub(crate) by: String,
    /// Metric that ranks, descending [default: bytes, or requests where no bytes are logged]
    #[arg(long, value_name = "METRIC")]
    pub(crate) sort: Option<String>,
    /// Rows at most; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Show only rows whose metrics fulfil this, in the language of --where; the others are added up
    #[arg(long, value_name = "EXPR")]
    pub(crate) having: Option<String>,
    /// Metrics to show, comma-separated
    #[arg(long, value_name = "METRIC,…")]
    pub(crate) columns: Option<String>,
    /// Count each of the `clients` instead of estimating: takes memory for every client of every row
    #[arg(long)]
    pub(crate) exact: bool,
    #[command(flatten)]
    pub(crate) nets: Nets,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
pub(crate) struct Slots {
    /// Dimensions, comma-separated
    #[arg(long, value_name = "DIM,…")]
    pub(crate) by: Option<String>,
    /// Groups at most, by bytes; the others are added up; 0: all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) read: Read,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
pub(crate) struct Lines {
    /// Lines at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// One JSON object per record
    #[arg(long)]
    pub(crate) ndjson: bool,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: Read,
}

#[derive(Debug, Group)]
pub(crate) struct Formats {
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// Which logs there are, and what format they have
#[derive(Debug, Group)]
#[command(next_help_heading = "Input")]
pub(crate) struct Inputs {
    /// Files, directories, or - for stdin; gzip, zstd, bzip2 and xz are recognised
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// Log format: auto, a preset, or the server's own text or directive
    #[arg(long, value_name = "F", default_value = "auto")]
    pub(crate) format: String,
    /// Formats and log paths from Nginx's own configuration; without LOG its logs are read
    #[arg(long, value_name = "PATH")]
    pub(crate) nginx_conf: Option<PathBuf>,
    /// The same from Apache's configuration
    #[arg(long, value_name = "PATH")]
    pub(crate) apache_conf: Option<PathBuf>,
    /// More inputs, one per line
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
}

/// What the exit code and the rejects file tell
#[derive(Debug, Group)]
#[command(next_help_heading = "Checks and resources")]
pub(crate) struct Checks {
    /// Exit with 3 if any line was rejected
    #[arg(long)]
    pub(crate) strict: bool,
    /// Write rejected lines here: file, line, column, reason, line
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// A truncated or corrupt archive is no failure
    #[arg(long)]
    pub(crate) partial_ok: bool,
}

/// What every counting command understands
#[derive(Debug, Group)]
#[command(next_help_heading = "Input")]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Only records that are so, such as 'status >= 500 and region = CN-GD'; may be repeated, all must hold
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) filters: Vec<String>,
    /// Byte column: wire only if every format logs it, by default
    #[arg(long, value_enum, default_value_t = BasisChoice::Auto)]
    pub(crate) basis: BasisChoice,
    /// Client: auto looks behind trusted proxies; remote: the peer; forwarded: the leftmost address passed on
    #[arg(long, value_enum, value_name = "RULE", default_value_t = ClientChoice::Auto)]
    pub(crate) client: ClientChoice,
    /// Proxies that are believed, comma-separated [default: private, loopback and link-local networks]
    #[arg(long, value_name = "CIDR,…")]
    pub(crate) trusted_proxies: Option<String>,
    /// First instant: a date, a time, or an age such as 2d
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// First instant no longer counted
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Zone of days and slots: an IANA name or an offset [default: the logs' own]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<String>,
    /// Slot length; must divide a day [default: 5m]
    #[arg(long, value_name = "LENGTH")]
    pub(crate) slot: Option<String>,
    /// Path segments of a prefix
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) depth: usize,
    /// Load scheme: how bytes are spread over the time a request took
    #[arg(long, value_name = "SCHEME", default_value = "time-proportional")]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) databases: Databases,
    /// Families of agents of your own, TOML as docs/AGENTS.md has it: they stand before the built-in ones
    #[arg(long, value_name = "FILE", help_heading = "Places and servers")]
    pub(crate) agents: Option<PathBuf>,
    /// Server list: CSV, an Nginx geo block, Prometheus file_sd or an Ansible inventory; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Places and servers")]
    pub(crate) servers: Vec<PathBuf>,
    /// A server, network, host name or log path, and its data centre, or a path with {idc}; may be repeated
    #[arg(long, value_name = "KEY=NAME", help_heading = "Places and servers")]
    pub(crate) idc: Vec<String>,
    /// Data centre of servers in no list
    #[arg(long, value_name = "NAME", help_heading = "Places and servers")]
    pub(crate) idc_default: Option<String>,
    /// Ansible groups whose names begin so are data centres
    #[arg(long, value_name = "PREFIX", help_heading = "Places and servers")]
    pub(crate) idc_group_prefix: Option<String>,
    #[command(flatten)]
    pub(crate) checks: Checks,
    /// Threads; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Checks and resources")]
    pub(crate) threads: usize,
    /// Memory, such as 512M or 2G, from which on the groups of `top`, `latency` and the overview go to temporary files;
    /// answers do not depend on it [default: a quarter of the machine's]
    #[arg(long, value_name = "SIZE", help_heading = "Checks and resources")]
    pub(crate) memory: Option<String>,
    /// Directory of temporary files, on a disk: on some systems /tmp is memory [default: TMPDIR or the system's]
    #[arg(long, value_name = "DIR", help_heading = "Checks and resources")]
    pub(crate) tmp: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BasisChoice {
    Auto,
    Body,
    Wire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientChoice {
    Auto,
    Remote,
    Forwarded,
}

/// Where and how the answer is written
#[derive(Debug, Group)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Write to a file; its extension picks the format: .json .ndjson .csv .md .txt, and of addresses
    /// in `top` .nginx .nft .ipset
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// One JSON object
    #[arg(long, group = "shape")]
    pub(crate) json: bool,
    /// One JSON object per row
    #[arg(long, group = "shape")]
    pub(crate) ndjson: bool,
    /// CSV with a header
    #[arg(long, group = "shape")]
    pub(crate) csv: bool,
    /// Markdown
    #[arg(long, group = "shape")]
    pub(crate) md: bool,
    /// Leave cells that look like formulas as they are
    #[arg(long)]
    pub(crate) csv_raw: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColourChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    Auto,
    Always,
    Never,
}
