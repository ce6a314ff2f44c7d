//! Before the run: which format each log has, and which offset its times.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Mutex;

use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::detect::{self, Detected, Nearest};
use crate::error::Error;
use crate::format::{Layout, presets};
use crate::input::{Found, Head, Input, Stream};
use crate::servers::{Idc, Servers};

/// A log that will be read.
pub struct Log {
    /// Where it is.
    pub input: Input,
    /// How its lines are read.
    pub layout: Layout,
    /// UTC offset of its first record's time.
    pub offset: Option<i32>,
    /// True if its head has a record.
    pub has_records: bool,
    /// The data centre that its path tells.
    pub idc: Option<Idc>,
    /// Open already, if it cannot be opened twice.
    pub stream: Mutex<Option<Stream>>,
    /// Why it does not look like a log, if it does not.
    pub nearest: Option<Nearest>,
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
}

/// Looks at the head of every input. With `layout` given, only offsets are looked for.
pub fn survey(inputs: Vec<Input>, layout: Option<&Layout>, servers: &Servers) -> Result<Survey, Error> {
    let looked: Vec<Log> =
        inputs.into_par_iter().map(|input| look(input, layout, servers)).collect::<Result<_, Error>>()?;
    let mut notes = Vec::new();
    let mut logs = Vec::new();
    for log in looked {
        if log.input.found == Found::InDirectory && log.nearest.is_some() {
            notes.push(format!("{} is left out: it matches no access-log format", log.input.name));
        } else {
            logs.push(log);
        }
    }
    notes.extend(copies(&logs));
    Ok(Survey { logs, notes })
}

fn look(input: Input, layout: Option<&Layout>, servers: &Servers) -> Result<Log, Error> {
    let mut stream = Stream::open(&input)?;
    let head = stream.head();
    let detected = match layout {
        Some(layout) => Some(detect::examine(layout, &head.bytes)),
        None => detect::detect(&head.bytes),
    };
    let matched = detected.as_ref().is_some_and(|detected| detected.accepted > 0);
    let nearest = match layout {
        _ if matched => None,
        Some(layout) => detect::mismatch(layout, &head.bytes),
        None => detect::nearest(&head.bytes),
    };
    let fingerprint = fingerprint(head);
    let failure = stream.failure();
    let Detected { layout, offset, .. } = match (detected, &nearest) {
        (Some(detected), _) => detected,
        (None, Some(nearest)) => detect::examine(&nearest.layout, &[]),
        (None, None) => detect::examine(&fallback()?, &[]),
    };
    let idc = input.path.as_deref().and_then(|path| servers.by_path(&path.to_string_lossy()));
    let stream = Mutex::new((!stream.is_regular()).then_some(stream));
    Ok(Log { input, layout, offset, has_records: matched, idc, stream, nearest, failure, fingerprint })
}

/// For inputs without a line.
fn fallback() -> Result<Layout, Error> {
    let format = presets::PRESETS[0].format();
    Layout::compile(&format).map_err(|error| Error::Data(error.to_string()))
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
