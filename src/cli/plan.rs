//! What will be done: typed words resolved against the logs. Everything that can be wrong with a question is found
//! here, before the long work.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bandwho::agent::Agents;
use bandwho::aggregate::spread::Scheme;
use bandwho::aggregate::{Cut, Rules};
use bandwho::client::{Rule, Trusted};
use bandwho::error::Error;
use bandwho::format::{Format, Layout, Part};
use bandwho::input::{self, Found, Input, Listing};
use bandwho::parse::wrapper::Wrapper;
use bandwho::pipeline::{Log, Survey, survey};
use bandwho::place::{BUILT_IN, Places};
use bandwho::query::filter::{self, Bad, Scope};
use bandwho::query::{Basis, CONNECTION, Dimension, Filter, Metric, View};
use bandwho::report::caret::pointed;
use bandwho::report::escape;
use bandwho::servers::{Servers, Statements};
use bandwho::time::{Grid, Timestamp, Zone, instant, slot_length};

use super::args::{BasisChoice, Checks, ClientChoice, Databases, Inputs, Read};
use super::configuration::Configuration;
use super::{guard, message, mismatch};

/// The slot length that stands if none is typed: carriers sample every five minutes.
pub(crate) const SLOT: &str = "5m";

/// The inputs and what is joined to them.
pub(crate) struct Sources {
    pub(crate) survey: Survey,
    pub(crate) places: Places,
    pub(crate) servers: Servers,
    /// Files that were read beside the logs: configurations, server lists and what they include.
    pub(crate) files: Vec<PathBuf>,
    /// When the question was asked, for ages such as `2d`.
    pub(crate) now: Timestamp,
}

/// Finds and surveys the inputs; fails if none of them can be read as a log, or `output` is one of them.
pub(crate) fn sources(read: &Read, output: Option<&Path>) -> Result<Sources, Error> {
    // Days are the logs' own, which are not known yet; whether the filter can be meant is.
    filter(read, &Zone::utc())?;
    let configuration = Configuration::read(&read.inputs)?;
    let layout = if configuration.is_empty() {
        layout(&read.inputs.format)
    } else {
        configuration.named(&read.inputs.format)
    }?;
    let places = open_places(&read.databases)?;
    let listing = listing(&read.inputs, &read.checks, &configuration, output)?;
    let servers = servers(read, &listing.inputs)?;
    guard::check_found(&read.checks, output, &servers.files.iter().map(PathBuf::as_path))?;
    let given = |log: &Input| layout.clone().or_else(|| configuration.layout_for(log.path.as_deref()?));
    let mut survey = survey(listing.inputs, &given, &configuration.known(), &servers)?;
    survey.notes.splice(0..0, listing.notes);
    survey.unreadable.splice(0..0, listing.unreadable);
    message::unreadable(&survey.unreadable);
    survey.notes.iter().for_each(|note| message::note(note));
    for (id, log) in (0..).zip(&mut survey.logs) {
        log.input.id = id;
    }
    if survey.logs.is_empty() {
        return Err(Error::Data(no_logs(&read.inputs)));
    }
    if !survey.logs.iter().any(Log::has_records)
        && let Some(failure) = survey.logs.iter().find_map(|log| log.failure.as_deref())
    {
        return Err(Error::Data(format!("{failure}; nothing of it is a record")));
    }
    if !survey.logs.iter().any(Log::has_records)
        && let Some((log, nearest)) = survey.logs.iter().find_map(|log| Some((log, log.nearest.as_ref()?)))
    {
        return Err(Error::Data(mismatch::explain(log, nearest, given(&log.input).is_some())));
    }
    for log in survey.logs.iter().filter(|log| log.nearest.is_some()) {
        message::warning(&format!(
            "the head of {} has no line of format {}",
            log.input.name,
            log.formats().next().map_or("", |format| &format.name)
        ));
    }
    let files = configuration.files().map(Path::to_path_buf).chain(servers.files.iter().cloned()).collect();
    Ok(Sources { survey, places, servers, files, now: now() })
}

/// Where no log was found.
fn no_logs(inputs: &Inputs) -> String {
    let conf = inputs.nginx_conf.iter().chain(&inputs.apache_conf);
    let list = inputs.files_from.iter().map(|list| format!("the files that {} lists", list.display()));
    let places: Vec<String> = if inputs.logs.is_empty() && inputs.files_from.is_none() {
        conf.map(|conf| format!("the files that {} names", conf.display())).collect()
    } else {
        inputs.logs.iter().map(|path| path.display().to_string()).chain(list).collect()
    };
    format!("no access logs in {}", places.join(", "))
}

/// The format that was typed; none if it is to be recognised.
pub(crate) fn layout(typed: &str) -> Result<Option<Layout>, Error> {
    if typed == "auto" {
        return Ok(None);
    }
    let compiled = Format::parse(typed).and_then(|format| Layout::compile(&format));
    compiled.map(Some).map_err(|bad| {
        let caret = " ".repeat(bad.offset.min(typed.len()));
        let one_line = !typed.contains(['\n', '\t']);
        let shown = if one_line { format!("\n  {typed}\n  {caret}^") } else { String::new() };
        Error::Usage(format!("--format: {bad}{shown}"))
    })
}

/// The inputs, none of which may be an output.
pub(crate) fn listing(
    inputs: &Inputs,
    checks: &Checks,
    configuration: &Configuration,
    output: Option<&Path>,
) -> Result<Listing, Error> {
    let mut unreadable = Vec::new();
    let mut listing = input::list_each(&logs(inputs, configuration, &mut unreadable)?)?;
    listing.unreadable.append(&mut unreadable);
    let logs = listing.inputs.iter().filter_map(|log| log.path.as_deref());
    guard::check_found(checks, output, &logs.chain(configuration.files()))?;
    Ok(listing)
}

/// What was typed, listed in a file, configured, or piped in.
fn logs(
    inputs: &Inputs,
    configuration: &Configuration,
    unreadable: &mut Vec<String>,
) -> Result<Vec<(PathBuf, Found)>, Error> {
    let mut logs = inputs.logs.clone();
    if let Some(list) = &inputs.files_from {
        let text = read_list(list).map_err(|error| Error::io("read", list, error))?;
        let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        logs.extend(lines.filter(|line| !line.is_empty()).map(path_of));
    }
    if logs.is_empty() {
        if let Some(list) = &inputs.files_from {
            return Err(Error::Data(format!("no inputs in {}", list.display())));
        }
        if !configuration.is_empty() {
            return configuration.logs(unreadable);
        }
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            return Err(Error::Usage("no LOG given, and stdin is a terminal; try --help".to_owned()));
        }
        logs.push(PathBuf::from("-"));
    }
    Ok(logs.into_iter().map(|log| (log, Found::Named)).collect())
}

/// A longer list is none: some device was named.
const LIST_SIZE_MAX: u64 = 256 << 20;

fn read_list(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let size = File::open(path)?.take(LIST_SIZE_MAX + 1).read_to_end(&mut text)?;
    if size as u64 > LIST_SIZE_MAX {
        return Err(io::Error::other(format!("longer than {LIST_SIZE_MAX} bytes")));
    }
    Ok(text)
}

/// File names are bytes.
#[cfg(unix)]
fn path_of(name: &[u8]) -> PathBuf {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(name);
    PathBuf::from(name)
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> PathBuf {
    String::from_utf8_lossy(name).into_owned().into()
}

/// The databases that are set in the environment.
pub(crate) fn databases_set() -> Vec<PathBuf> {
    let set = std::env::var_os("BANDWHO_IP_DB").unwrap_or_default();
    std::env::split_paths(&set).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// The databases that were typed, set in the environment, or built in.
pub(crate) fn open_places(typed: &Databases) -> Result<Places, Error> {
    if typed.no_ip_db {
        return Places::open(&[], &typed.net_kind);
    }
    let mut paths = typed.ip_db.clone();
    if paths.is_empty() {
        paths = databases_set();
    }
    if paths.is_empty() {
        paths.push(PathBuf::from(BUILT_IN));
    }
    Places::open(&paths, &typed.net_kind)
}

fn servers(read: &Read, inputs: &[Input]) -> Result<Servers, Error> {
    let logs: Vec<PathBuf> = inputs.iter().filter_map(|log| log.path.clone()).collect();
    // Logs are known by the names that were typed; where they lie only the working directory tells.
    let folder = std::env::current_dir().unwrap_or_default();
    Servers::load(&Statements {
        lists: &read.servers,
        pairs: &read.idc,
        default: read.idc_default.as_deref(),
        group_prefix: read.idc_group_prefix.as_deref(),
        logs: &logs,
        folder: &folder.to_string_lossy(),
    })
}

/// What was typed, all of which must hold.
fn filter(read: &Read, zone: &Zone) -> Result<Option<Filter>, Error> {
    let scope = Scope { zone, now: now() };
    let parse =
        |typed: &String| Filter::parse(typed, &scope).map_err(|bad| bad_expression("--where", typed, &bad));
    let filters = read.filters.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(filters.into_iter().reduce(Filter::and))
}

/// What is wrong with an expression, and where.
pub(crate) fn bad_expression(option: &str, typed: &str, bad: &Bad) -> Error {
    let message = escape::terminal(bad.message.as_bytes());
    Error::Usage(format!("{option}: {message}\n{}", pointed(typed.as_bytes(), bad.offset, 2)))
}

/// The time, for ages such as `2d`.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_micros());
    Timestamp(i64::try_from(now).unwrap_or(i64::MAX))
}

/// The programs that agents name: read only where somebody asks, unless there is a file that can be wrong.
fn agents(read: &Read, views: &[View], filter: Option<&Filter>) -> Result<Arc<Agents>, Error> {
    let Some(path) = &read.agents else {
        let filtered = filter.into_iter().flat_map(Filter::dimensions).any(Dimension::is_program);
        let is_asked = filtered || views.iter().any(View::asks_family);
        return Ok(if is_asked { Agents::built_in() } else { Arc::default() });
    };
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let limit = bandwho::agent::FILE_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut text).map_err(|error| Error::io("read", path, error))?;
    let agents = Agents::with_own(&text);
    agents.map(Arc::new).map_err(|bad| Error::Usage(format!("--agents {}: {bad}", path.display())))
}

fn trusted(read: &Read) -> Result<Trusted, Error> {
    let typed = read.trusted_proxies.as_deref().map(Trusted::parse).transpose();
    let typed = typed.map_err(|reason| Error::Usage(format!("--trusted-proxies: {reason}")))?;
    Ok(typed.unwrap_or_default())
}

impl Sources {
    /// How records are counted for these views.
    pub(crate) fn rules(
        &self,
        read: &Read,
        views: Vec<View>,
        cut: Cut,
        needed: &[Metric],
    ) -> Result<Rules, Error> {
        // Which fields it names does not depend on the zone, which is told of when nothing is wrong.
        let fields = self.check(&views, filter(read, &Zone::utc())?.as_ref())?;
        let zone = self.zone(read)?;
        let filter = filter(read, &zone)?;
        let now = self.now;
        let limit = |option: &str, typed: &Option<String>| match typed {
            Some(text) => instant(text, &zone, now)
                .map(Some)
                .map_err(|reason| Error::Usage(format!("{option} {text}: {reason}"))),
            None => Ok(None),
        };
        let (since, until) = (limit("--since", &read.since)?, limit("--until", &read.until)?);
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            return Err(Error::Usage("--since must be before --until".to_owned()));
        }
        let slot = read.slot.as_deref().unwrap_or(SLOT);
        let length = slot_length(slot).map_err(|reason| Error::Usage(format!("--slot {slot}: {reason}")))?;
        let scheme = Scheme::parse(&read.scheme).ok_or_else(|| {
            let known = Scheme::ALL.map(Scheme::name).join(", ");
            Error::Usage(format!("--scheme {}: the load schemes are {known}", read.scheme))
        })?;
        let basis = match self.basis(read.basis) {
            Err(_) if !needed.iter().any(|metric| metric.needs_bytes()) => Basis::None,
            basis => basis?,
        };
        let client = self.client(read.client, &views, filter.as_ref());
        let agents = agents(read, &views, filter.as_ref())?;
        Ok(Rules {
            views,
            basis,
            scheme,
            grid: Grid { zone, length },
            since,
            until,
            filter,
            cut,
            client,
            trusted: trusted(read)?,
            depth: read.depth,
            fields,
            segment: bandwho::aggregate::SEGMENT,
            agents,
            fine: None,
            sides: None,
        })
    }

    /// True if some log has a byte column.
    pub(crate) fn bytes_logged(&self) -> bool {
        self.formats().any(|format| format.has(Part::Body) || format.has(Part::Wire))
    }

    /// Fails if no log says how many bytes came in.
    pub(crate) fn check_bytes_in(&self) -> Result<(), Error> {
        if self.formats().any(|format| format.has(Part::In)) {
            return Ok(());
        }
        let texts = self.format_texts();
        let wanted = "bytes received ($request_length or %I)";
        Err(Error::Data(format!("no log has a field for {wanted}; the formats are: {texts}")))
    }

    /// Fails if no log says when; `why` that matters.
    pub(crate) fn check_times(&self, why: &str) -> Result<(), Error> {
        if self.formats().any(|format| format.has(Part::Time)) {
            return Ok(());
        }
        Err(Error::Data(format!(
            "{why}, and no log has a field for it; the formats are: {}",
            self.format_texts()
        )))
    }

    /// True if some format logs how long requests took.
    pub(crate) fn durations_logged(&self) -> bool {
        self.formats().any(|format| format.has(Part::Duration))
    }

    /// Fails if no format logs how long requests took.
    pub(crate) fn check_durations(&self) -> Result<(), Error> {
        if self.durations_logged() {
            return Ok(());
        }
        Err(Error::Data(format!(
            "no log has a field for how long requests took ($request_time, %D or %T); the formats are: {}",
            self.format_texts()
        )))
    }

    /// Formats of the logs that have records, or of all if none has.
    fn formats(&self) -> impl Iterator<Item = &Format> {
        let any = self.survey.logs.iter().any(Log::has_records);
        let used = self.survey.logs.iter().filter(move |log| log.has_records() || !any);
        used.flat_map(Log::formats)
    }

    /// Fails if no log can provide a dimension or what the filter is about; returns the fields that both name.
    fn check(&self, views: &[View], filter: Option<&Filter>) -> Result<Vec<String>, Error> {
        let mut dimensions: Vec<&Dimension> = views.iter().flat_map(|view| &view.by).collect();
        for field in filter.into_iter().flat_map(Filter::fields) {
            match field {
                filter::Field::Dimension(known) if dimensions.contains(&known) => {}
                filter::Field::Dimension(new) => dimensions.push(new),
                filter::Field::Raw(_) if self.formats().any(|format| field.provided_by(format)) => {}
                filter::Field::Raw(_) => return Err(self.lacking(field.name())),
            }
        }
        let mut fields = Vec::new();
        for dimension in dimensions {
            self.provide(dimension)?;
            if dimension.is_place() && self.places.databases().len() == 0 {
                message::note(&match dimension {
                    Dimension::Claim => {
                        "no IP database: agents are verified by published ranges alone".to_owned()
                    }
                    place => {
                        format!("no IP database: every {} is unknown; give one with --ip-db", place.name())
                    }
                });
            }
            if *dimension == Dimension::Idc {
                self.note_servers();
            }
            if let Dimension::Field(name) = dimension {
                fields.push(name.clone());
            }
        }
        if views.iter().any(View::is_timed) && !fields.iter().any(|field| field == CONNECTION) {
            fields.push(CONNECTION.to_owned());
        }
        Ok(fields)
    }

    /// Says why no server, or no log's path, has a data centre.
    fn note_servers(&self) {
        let (unmatched, unknown) = match (self.servers.unmatched.join(", "), self.servers.is_empty()) {
            (unmatched, true) if unmatched.is_empty() => {
                ("no server list".to_owned(), ": every idc is unknown; give one with --servers or --idc")
            }
            (unmatched, _) if unmatched.is_empty() => return,
            (unmatched, true) => (format!("no log path matches {unmatched}"), ": every idc is unknown"),
            (unmatched, false) => (format!("no log path matches {unmatched}"), ""),
        };
        message::note(&format!("{unmatched}{unknown}"));
    }

    /// The rule that was typed; says so if no log has what it goes by.
    fn client(&self, typed: ClientChoice, views: &[View], filter: Option<&Filter>) -> Rule {
        let filtered = || filter.into_iter().flat_map(Filter::dimensions);
        let asked = || views.iter().flat_map(|view| &view.by).chain(filtered()).any(Dimension::is_client);
        let logged = || self.formats().any(|format| format.has(Part::Forwarded));
        match typed {
            ClientChoice::Auto => Rule::Auto,
            ClientChoice::Remote => Rule::Remote,
            ClientChoice::Forwarded => {
                if asked() && !logged() {
                    message::note(
                        "no log has forwarded addresses: with --client forwarded every client is unknown",
                    );
                }
                Rule::Forwarded
            }
        }
    }

    /// True if some log has what the dimension is made of.
    pub(crate) fn provides(&self, dimension: &Dimension) -> bool {
        let collected =
            || self.survey.logs.iter().any(|log| log.wrappers.layers().contains(&Wrapper::Syslog));
        self.formats().any(|format| dimension.provided_by(format))
            || *dimension == Dimension::Server && collected()
    }

    /// Fails if no log has what the dimension is made of.
    pub(crate) fn provide(&self, dimension: &Dimension) -> Result<(), Error> {
        if self.provides(dimension) {
            return Ok(());
        }
        Err(self.lacking(dimension.name()))
    }

    fn lacking(&self, name: &str) -> Error {
        let (name, texts) = (escape::terminal(name.as_bytes()), self.format_texts());
        Error::Data(format!("no log has a field for `{name}`; the formats are: {texts}"))
    }

    fn format_texts(&self) -> String {
        let mut texts: Vec<&str> = self.formats().map(|format| format.text.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts.join(" | ")
    }

    fn basis(&self, typed: BasisChoice) -> Result<Basis, Error> {
        let logs = |part| self.formats().any(|format| format.has(part));
        let basis = match typed {
            BasisChoice::Body => Basis::Body,
            BasisChoice::Wire => Basis::Wire,
            BasisChoice::Auto if self.formats().all(|format| format.has(Part::Wire)) => Basis::Wire,
            BasisChoice::Auto if logs(Part::Body) || !logs(Part::Wire) => Basis::Body,
            BasisChoice::Auto => Basis::Wire,
        };
        if basis.part().is_some_and(logs) {
            return Ok(basis);
        }
        let wanted = if basis == Basis::Wire {
            "wire bytes ($bytes_sent or %O)"
        } else {
            "body bytes ($body_bytes_sent, %b or %B)"
        };
        Err(Error::Data(format!("no log has a field for {wanted}; the formats are: {}", self.format_texts())))
    }

    /// What was typed, else the offset that all logs share, else UTC.
    fn zone(&self, read: &Read) -> Result<Zone, Error> {
        if let Some(typed) = &read.tz {
            return Zone::parse(typed).map_err(|reason| Error::Usage(format!("--tz {typed}: {reason}")));
        }
        let read = || self.survey.logs.iter().filter(|log| log.has_records());
        let offset = read().find_map(|log| log.offset);
        match offset {
            Some(offset) if read().all(|log| log.offset == Some(offset)) => return Ok(Zone::fixed(offset)),
            Some(_) => message::note(
                "the logs do not share one UTC offset: times and days are UTC; choose with --tz",
            ),
            None if read().flat_map(Log::formats).any(|format| format.has(Part::Time)) => {
                message::note("the logs' times tell no UTC offset: times and days are UTC; choose with --tz");
            }
            None => {}
        }
        Ok(Zone::utc())
    }
}
