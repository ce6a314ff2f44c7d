//! Before the run: which format each log has, and which offset its times.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::aggregate::Units;
use crate::detect::{self, Candidate, Detected, Nearest};
use crate::error::Error;
use crate::format::{Format, Layout};
use crate::input::{Found, Framing, Head, Input, Stream};
use crate::parse::wrapper::Wrappers;
use crate::servers::{Idc, Servers};

/// A log that will be read.
pub struct Log {
    /// Where it is.
    pub input: Input,
    /// The formats its lines are read with, in this order.
    pub candidates: Vec<Candidate>,
    /// What other programs put around its lines.
    pub wrappers: Wrappers,
    /// The `#Software` line, or none, if `#Fields` headers name its columns.
    pub software: Option<Vec<u8>>,
    /// What further headers of its head name.
    pub headed: Vec<Layout>,
    /// UTC offset of its first record's time.
    pub offset: Option<i32>,
    /// The data centre that its path tells.
    pub idc: Option<Idc>,
    /// Open already, if it cannot be opened twice.
    pub stream: Mutex<Option<Stream>>,
    /// Why it does not look like a log, if it does not.
    pub nearest: Option<Nearest>,
    /// What the server's configuration names, if the formats are recognised; none if the format is given.
    pub recognised_among: Option<Arc<[Layout]>>,
    /// Why its head could not be read to the end, if it could not.
    pub failure: Option<String>,
    fingerprint: Option<u64>,
}

/// All logs that will be read.
pub struct Survey {
    /// In order of their names.
    pub logs: Vec<Log>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// What lies in a directory and cannot be read, and why.
    pub unreadable: Vec<String>,
}

/// What an input turned out to be.
enum Looked {
    Log(Box<Log>),
    /// No log, as the sentence says.
    LeftOut(String),
    /// Why it cannot be opened.
    Unreadable(String),
}

impl Log {
    /// True if its head has a record.
    pub fn has_records(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.accepted > 0)
    }

    /// How its blocks must be cut.
    pub fn framing(&self) -> Framing {
        if self.software.is_some() {
            return Framing::Headed;
        }
        if !self.wrappers.joins() {
            return Framing::Lines;
        }
        let wrappers = self.wrappers.clone();
        Framing::Joined(Arc::new(move |lines| wrappers.joint(lines)))
    }

    /// The layouts its lines are tried with, in order.
    pub fn layouts(&self) -> Vec<Layout> {
        self.candidates.iter().map(|candidate| candidate.layout.clone()).collect()
    }

    /// Who says what the durations of a format are counted in: whoever gave the format, or the format itself.
    pub(super) fn units(&self, layout: &Layout) -> Units {
        let is_told = |known: &Arc<[Layout]>| known.iter().any(|known| known.format == layout.format);
        match &self.recognised_among {
            Some(known) if !is_told(known) && detect::unit::is_assumed(layout) => Units::Assumed,
            _ => Units::Told,
        }
    }

    /// The formats of its records; if it has none, the format it would have.
    pub fn formats(&self) -> impl Iterator<Item = &Format> {
        let any = self.has_records();
        let used = self.candidates.iter().filter(move |candidate| candidate.accepted > 0 || !any);
        let used = used.take(if any { usize::MAX } else { 1 }).map(|candidate| &candidate.layout);
        used.chain(&self.headed).map(|layout| &layout.format)
    }
}

/// The format of an input, if it is known before it is looked at.
pub type Given<'a> = dyn Fn(&Input) -> Option<Layout> + Sync + 'a;

/// Looks at the head of every input. Where the format is `given`, only offsets are looked for; elsewhere those `known`
/// from the server's configuration are recognised besides the usual ones.
pub fn survey(
    inputs: Vec<Input>,
    given: &Given<'_>,
    known: &[Layout],
    servers: &Servers,
) -> Result<Survey, Error> {
    let known: Arc<[Layout]> = known.into();
    let look = |input: Input| {
        let layout = given(&input);
        look(input, layout.as_ref(), &known, servers)
    };
    let looked: Vec<Looked> = inputs.into_par_iter().map(look).collect::<Result<_, Error>>()?;
    let mut notes = Vec::new();
    let mut logs = Vec::new();
    let mut unreadable = Vec::new();
    for looked in looked {
        let log = match looked {
            Looked::Log(log) => *log,
            Looked::LeftOut(note) => {
                notes.push(note);
                continue;
            }
            Looked::Unreadable(why) => {
                unreadable.push(why);
                continue;
            }
        };
        if log.input.found == Found::InDirectory && log.nearest.is_some() {
            notes.push(format!("{} is left out: it matches no access-log format", log.input.name));
        } else {
            logs.push(log);
        }
    }
    notes.extend(copies(&logs));
    Ok(Survey { logs, notes, unreadable })
}

fn look(
    input: Input,
    layout: Option<&Layout>,
    known: &Arc<[Layout]>,
    servers: &Servers,
) -> Result<Looked, Error> {
    let mut stream = match Stream::open(&input) {
        Err(error) if input.found == Found::InDirectory => return Ok(Looked::Unreadable(error.to_string())),
        stream => stream?,
    };
    if let Some(kind) = stream.archive() {
        return archive(&input, kind).map(Looked::LeftOut);
    }
    let head = stream.head();
    let Detected { wrappers, software, headed, candidates, offset } = match layout {
        Some(layout) => detect::examine(std::slice::from_ref(layout), &head.bytes),
        None => detect::detect_with(known, &head.bytes),
    };
    let matched = candidates.iter().any(|candidate| candidate.accepted > 0);
    let nearest = match layout {
        _ if matched => None,
        Some(layout) => detect::mismatch(layout, &head.bytes),
        None => nearest(known, &head.bytes),
    };
    let fingerprint = fingerprint(head);
    let failure = stream.failure();
    let idc = input.path.as_deref().and_then(|path| servers.by_path(&path.to_string_lossy()));
    let stream = Mutex::new((!stream.is_regular()).then_some(stream));
    Ok(Looked::Log(Box::new(Log {
        input,
        candidates,
        wrappers,
        software,
        headed,
        offset,
        idc,
        stream,
        nearest,
        recognised_among: layout.is_none().then(|| Arc::clone(known)),
        failure,
        fingerprint,
    })))
}

/// What is said of an archive of several files, which is no log; whoever named it wants to be told so.
pub fn archive(input: &Input, kind: &str) -> Result<String, Error> {
    match input.found {
        Found::Named => Err(Error::Data(format!("{} is a {kind} archive: unpack it first", input.name))),
        Found::InDirectory => Ok(format!("{} is left out: it is a {kind} archive", input.name)),
    }
}

/// The format that gets furthest into the first line.
fn nearest(known: &[Layout], head: &[u8]) -> Option<Nearest> {
    let configured = known.iter().filter_map(|layout| detect::mismatch(layout, head));
    detect::nearest(head)
        .into_iter()
        .chain(configured)
        .reduce(|best, other| if other.reject.column > best.reject.column { other } else { best })
}

fn fingerprint(head: &Head) -> Option<u64> {
    (!head.bytes.is_empty()).then(|| FixedState::default().hash_one(&head.bytes))
}

/// Logs whose decompressed content begins alike: in mid-rotation the same lines lie under two names.
fn copies(logs: &[Log]) -> Vec<String> {
    let mut seen: BTreeMap<u64, &str> = BTreeMap::new();
    let mut notes = Vec::new();
    for log in logs {
        let Some(fingerprint) = log.fingerprint else { continue };
        match seen.get(&fingerprint) {
            Some(first) => notes.push(format!(
                "{} begins with the same lines as {first}: if one is a copy, its traffic is counted twice",
                log.input.name
            )),
            None => {
                seen.insert(fingerprint, &log.input.name);
            }
        }
    }
    notes
}
