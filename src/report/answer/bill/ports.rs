//! Counted groups → the series of the contract's ports.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Counted;
use super::super::groups::{self, KeyPart};
use super::{Question, flows, places};
use crate::aggregate::Span;
use crate::aggregate::spread::Scheme;
use crate::billing::contract::{Members, Port};
use crate::billing::method::Terms;
use crate::billing::samples::Frame;
use crate::billing::tariff::Tariff;
use crate::billing::words::{Direction, Overhead, Scope};
use crate::query::{Dimension, Flow};
use crate::time::{Cursor, Grid, Slot};

/// Slots of all ports together at most: about 2 GB.
const PORT_SLOTS_MAX: u64 = 16_000_000;

/// What is billed on its own.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) members: Vec<String>,
    pub(super) terms: Terms,
    pub(super) scope: Scope,
    pub(super) tariff: Tariff,
    /// Bytes per slot of the frame, sent and received, by the scheme of the rules; with packets' headers if the
    /// contract adds them.
    pub(super) bytes: [Vec<u128>; 2],
    /// As logged.
    pub(super) raw: [Vec<u128>; 2],
    /// Under other schemes.
    pub(super) minimum: [Vec<u128>; 2],
    pub(super) maximum: [Vec<u128>; 2],
    pub(super) end_spike: [Vec<u128>; 2],
    /// Bytes as billed that fell outside the period.
    pub(super) outside: u128,
    /// Which places are on it.
    pub(super) place: Place,
}

impl Series {
    /// The members that no record is from: a name that is misspelt bills nothing.
    fn silent(&self, counts: &[Counts], by: &[Dimension]) -> Vec<String> {
        let (members, place) = match &self.place {
            Place::Everywhere => return Vec::new(),
            Place::Idcs { members, .. } => (members, Dimension::Idc),
            Place::Servers(members) => (members, Dimension::Server),
        };
        let Some(at) = by.iter().position(|dimension| *dimension == place) else { return Vec::new() };
        let speaks = |member: &KeyPart| {
            counts.iter().flat_map(|counts| &counts.keys).any(|key| key.get(at) == Some(member))
        };
        members.iter().filter(|member| !speaks(member)).map(name).collect()
    }

    /// Finds the sample that an instant is in.
    pub(super) fn samples(&self, grid: &Grid) -> Cursor {
        Grid { length: self.terms.mean.unwrap_or(grid.length), ..grid.clone() }.cursor()
    }

    /// The direction that is billed in a sample.
    pub(super) fn larger(&self, frame: &Frame, sample: Slot) -> Direction {
        let [sent, received] = [SENT, RECEIVED].map(|way| self.bytes_within(frame, way, sample));
        if received > sent { Direction::In } else { Direction::Out }
    }

    /// Bytes sent (0) or received (1) within a sample.
    pub(super) fn bytes_within(&self, frame: &Frame, way: usize, sample: Slot) -> u128 {
        let from = frame.slots().partition_point(|slot| slot.start < sample.start);
        let until = frame.slots().partition_point(|slot| slot.start < sample.end);
        self.bytes[way].get(from..until).unwrap_or_default().iter().sum()
    }
}

/// Which places are on a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Everywhere,
    /// One of these data centres, but for machines that are on a port of their own: nothing is billed twice.
    Idcs {
        members: Vec<KeyPart>,
        without: Vec<KeyPart>,
    },
    /// One of these machines.
    Servers(Vec<KeyPart>),
}

impl Place {
    /// True if a group is on the port; the key begins with the places of the contract.
    pub(super) fn has(&self, places: &[Dimension], key: &[KeyPart]) -> bool {
        let is_one = |dimension: &Dimension, members: &[KeyPart]| {
            let at = places.iter().position(|place| place == dimension);
            at.and_then(|at| key.get(at)).is_some_and(|part| members.contains(part))
        };
        match self {
            Self::Everywhere => true,
            Self::Idcs { members, without } => {
                is_one(&Dimension::Idc, members) && !is_one(&Dimension::Server, without)
            }
            Self::Servers(members) => is_one(&Dimension::Server, members),
        }
    }
}

/// All ports, and what is on none.
pub(super) struct Account {
    pub(super) ports: Vec<Series>,
    /// Bytes within the period of places on no port.
    pub(super) unbilled: u128,
    /// Places of the contract that no record is from.
    pub(super) silent: Vec<String>,
    /// Where there is a sample at all: starts of slots, in order.
    pub(super) busy: Vec<i64>,
}

/// The groups of one flow: their keys, and what they count for.
struct Counts {
    flow: Flow,
    keys: Vec<Vec<KeyPart>>,
    /// By group: (start of slot, bytes); `None` for what is in no slot.
    samples: Vec<Vec<(Option<i64>, u128)>>,
    spans: Vec<Vec<(i64, Span)>>,
}

impl Account {
    pub(super) fn new(counted: &Counted<'_>, question: &Question, frame: &Frame) -> Result<Self, String> {
        let contract = &question.contract;
        let by = places(contract);
        let tallies = flows(contract).into_iter().zip(&counted.tally.views);
        let counts: Vec<Counts> = tallies.map(|(flow, tally)| Counts::new(counted, flow, tally)).collect();
        let named = expanded(contract.ports.as_slice(), &counts[0], &by);
        let slots = frame.slots().len() as u64;
        if (named.len() as u64).saturating_mul(slots) > PORT_SLOTS_MAX {
            return Err(format!("{} ports in {slots} slots are too many; choose longer slots", named.len()));
        }
        let mut seen = BTreeSet::new();
        if let Some((twice, ..)) = named.iter().find(|(name, ..)| !seen.insert(name)) {
            return Err(format!("two bills would be called `{twice}`"));
        }
        let ports =
            named.into_iter().map(|(name, place, port)| series(frame, &counts, &by, name, place, port));
        let ports: Vec<Series> = ports.collect::<Result<_, _>>()?;
        // What is on no port is told in bytes sent, unless nobody bills these.
        let all_inward = contract.ports.iter().all(|port| port.terms.direction == Direction::In);
        let inward = counts.iter().find(|counts| counts.flow == Flow::In && all_inward);
        let told = inward.unwrap_or(&counts[0]);
        let on_none = |key: &[KeyPart]| !ports.iter().any(|port| port.place.has(&by, key));
        let unbilled = told.keys.iter().zip(&told.samples).filter(|(key, _)| on_none(key));
        let (unbilled, _) = aligned(frame, unbilled.flat_map(|(_, samples)| samples))?;
        let unbilled = unbilled.into_iter().fold(0, u128::saturating_add);
        let silent = ports.iter().flat_map(|port| port.silent(&counts, &by)).collect();
        let busy = counts[0].samples.iter().flatten().filter_map(|(start, _)| *start);
        let busy = busy.collect::<BTreeSet<i64>>().into_iter().collect();
        Ok(Self { ports, unbilled, silent, busy })
    }
}

impl Counts {
    fn new(counted: &Counted<'_>, flow: Flow, tally: &crate::aggregate::ViewTally) -> Self {
        let keys: Vec<Vec<KeyPart>> = groups::keys(tally).map(|(_, key)| key).collect();
        let start = |slot| counted.tally.slots.get(slot).map(|slot| slot.start);
        let mut samples = vec![Vec::new(); keys.len()];
        for (slot, group, sums) in tally.samples() {
            samples[group as usize].push((start(slot), sums.bytes));
        }
        let mut spans = vec![Vec::new(); keys.len()];
        for (slot, group, span) in tally.spans() {
            spans[group as usize].extend(start(slot).map(|start| (start, span)));
        }
        Self { flow, keys, samples, spans }
    }
}

/// The ports of the contract, those billed by place as one for each place, with their names.
fn expanded<'a>(ports: &'a [Port], sent: &Counts, by: &[Dimension]) -> Vec<(String, Place, &'a Port)> {
    let known = |name: &String| KeyPart::Text(name.clone().into_bytes());
    let servers = ports.iter().flat_map(|port| match &port.members {
        Members::Servers(names) => names.iter().map(known).collect(),
        Members::Idcs(_) | Members::Everything => Vec::new(),
    });
    let servers: Vec<KeyPart> = servers.collect();
    let mut all = Vec::new();
    for port in ports {
        let place = |members: Vec<KeyPart>| match port.members {
            Members::Servers(_) => Place::Servers(members),
            _ => Place::Idcs { members, without: servers.clone() },
        };
        let members: Vec<KeyPart> = match (&port.members, port.scope) {
            (Members::Idcs(names) | Members::Servers(names), _) => names.iter().map(known).collect(),
            (Members::Everything, Scope::SumThenRate) => {
                all.push((port.name.clone(), Place::Everywhere, port));
                continue;
            }
            (Members::Everything, Scope::PerPort) => {
                let at = by.iter().position(|it| *it == Dimension::Idc).unwrap_or(0);
                let keys = sent.keys.iter().filter_map(|key| key.get(at).cloned());
                keys.collect::<BTreeSet<_>>().into_iter().collect()
            }
        };
        match port.scope {
            Scope::SumThenRate => all.push((port.name.clone(), place(members), port)),
            Scope::PerPort => all.extend(
                members
                    .into_iter()
                    .map(|member| (format!("{}/{}", port.name, name(&member)), place(vec![member]), port)),
            ),
        }
    }
    all
}

fn name(member: &KeyPart) -> String {
    match member {
        KeyPart::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => "unknown".to_owned(),
    }
}

/// The flow that stands for the bytes sent.
pub(super) fn sent(terms: &Terms) -> Flow {
    match terms.overhead {
        Overhead::Packets { .. } => Flow::Packets,
        _ => Flow::Out,
    }
}

/// Sent and received bytes as the port bills them.
const SENT: usize = 0;
const RECEIVED: usize = 1;

fn series(
    frame: &Frame,
    counts: &[Counts],
    by: &[Dimension],
    port_name: String,
    place: Place,
    port: &Port,
) -> Result<Series, String> {
    let members = match &place {
        Place::Everywhere => Vec::new(),
        Place::Idcs { members, .. } | Place::Servers(members) => members.iter().map(name).collect(),
    };
    let mut series = Series {
        name: port_name,
        members,
        terms: port.terms,
        scope: port.scope,
        tariff: port.tariff.clone(),
        bytes: Default::default(),
        raw: Default::default(),
        minimum: Default::default(),
        maximum: Default::default(),
        end_spike: Default::default(),
        outside: 0,
        place,
    };
    let sent = sent(&port.terms);
    for counts in counts {
        let members = || (0..counts.keys.len()).filter(|&group| series.place.has(by, &counts.keys[group]));
        let samples = members().flat_map(|group| &counts.samples[group]);
        let (bytes, outside) = aligned(frame, samples)?;
        let mut spans: BTreeMap<i64, Span> = BTreeMap::new();
        for (start, span) in members().flat_map(|group| &counts.spans[group]) {
            spans.entry(*start).or_default().merge(*span);
        }
        let way = if counts.flow == Flow::In { RECEIVED } else { SENT };
        if counts.flow != Flow::Packets {
            series.raw[way] = bytes.clone();
        }
        if counts.flow == sent || counts.flow == Flow::In {
            let under = |scheme| under(scheme, &bytes, &spans, frame);
            series.minimum[way] = under(Scheme::MinimumVolume);
            series.maximum[way] = under(Scheme::MaximumVolume);
            series.end_spike[way] = under(Scheme::EndSpike);
            let is_billed = match port.terms.direction {
                Direction::Out => way == SENT,
                Direction::In => way == RECEIVED,
                Direction::MaxOfP95 | Direction::MaxPerSample | Direction::Sum => true,
            };
            if is_billed {
                series.outside += outside;
            }
            series.bytes[way] = bytes;
        }
    }
    Ok(series)
}

/// A series of the frame, and the bytes outside it: what is in no slot is before all of them.
fn aligned<'a>(
    frame: &Frame,
    samples: impl Iterator<Item = &'a (Option<i64>, u128)>,
) -> Result<(Vec<u128>, u128), String> {
    frame.series(samples.map(|(start, bytes)| (start.unwrap_or(i64::MIN), *bytes)))
}

/// The series that another scheme would have made.
fn under(scheme: Scheme, bytes: &[u128], spans: &BTreeMap<i64, Span>, frame: &Frame) -> Vec<u128> {
    let mut series = bytes.to_vec();
    for (start, span) in spans {
        if let Some(place) = frame.place(*start)
            && let Some(sample) = span.under(scheme, series[place])
        {
            series[place] = sample;
        }
    }
    series
}
