//! A record → the program that asked.

use super::Rules;
use super::interner::TextMemo;
use super::memo::Found;
use super::value::{Ends, Referrer, referrer};
use crate::agent::{Agents, Claim, FamilyId};
use crate::format::{Escape, Format, Part};
use crate::parse::{Record, plain};
use crate::query::{Only, Own, View};

/// Distinct agents remembered before the memo starts anew.
const REMEMBERED_MAX: usize = 1 << 14;

/// Longer agents are looked at anew each time: strangers choose their length.
const LENGTH_REMEMBERED_MAX: usize = 512;

/// What a record without an agent means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentColumn {
    /// The client sent none.
    Logged,
    /// The log has no agents.
    Absent,
}

impl AgentColumn {
    /// That of a format.
    pub fn of(format: &Format) -> Self {
        if format.has(Part::Agent) { Self::Logged } else { Self::Absent }
    }
}

/// What is asked of a client's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sought {
    /// Which it is.
    Family,
    /// Whether it is that, too.
    Claim,
}

/// What a view asks of a client's program.
pub(super) fn sought(view: &View) -> Option<Sought> {
    let claim = view.asks_claim().then_some(Sought::Claim);
    claim.or_else(|| view.asks_family().then_some(Sought::Family))
}

/// Finds the family of a record's agent.
pub(super) struct Programs<'a> {
    agents: &'a Agents,
    known: TextMemo<FamilyId>,
}

impl<'a> Programs<'a> {
    pub(super) fn new(agents: &'a Agents) -> Self {
        Self { agents, known: TextMemo::new(REMEMBERED_MAX) }
    }

    /// Bytes of what is remembered, roughly.
    pub(super) fn memory(&self) -> usize {
        self.known.memory()
    }

    /// Forgets agents: they will be looked at again.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The family; none if the log has no agents.
    #[inline]
    pub(super) fn find(
        &mut self,
        record: &Record<'_>,
        escape: Escape,
        column: AgentColumn,
    ) -> Option<FamilyId> {
        let Some(raw) = record.agent else {
            return (column == AgentColumn::Logged).then(|| self.agents.empty());
        };
        let agent = plain(escape, raw);
        if agent.len() > LENGTH_REMEMBERED_MAX {
            return Some(self.agents.find(&agent));
        }
        Some(*self.known.get(&agent, |agent| self.agents.find(agent)))
    }

    /// Whether a client is the program that it says it is.
    pub(super) fn judge(&self, family: FamilyId, client: &Found<'_>) -> Claim {
        let asn = client.places.get(client.place.0 as usize).and_then(|place| place.asn);
        self.agents.judge(family, client.address, asn)
    }
}

/// True if a view counts the record, of which so many bytes are counted.
pub(super) fn counts(
    only: Only,
    own: &Own,
    record: &Record<'_>,
    bytes: u64,
    ends: &Ends<'_, '_>,
    rules: &Rules,
) -> bool {
    let is_bot = || ends.family.is_some_and(|id| rules.agents.family(id).kind.is_bot());
    match only {
        Only::All => true,
        Only::Bots => is_bot(),
        Only::Impostors => ends.claim == Some(Claim::Elsewhere),
        Only::Copies => {
            let is_whole = record.status == Some(200) && record.method != Some(b"HEAD");
            is_whole && bytes > 0 && is_bot()
        }
        Only::Referred => referrer(record, ends.escape, own) != Referrer::None,
        Only::Foreign => referrer(record, ends.escape, own) == Referrer::Foreign,
    }
}
