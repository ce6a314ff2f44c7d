//! What is asked: dimensions, metrics, and what one pass over the lines must extract for them.

pub mod dimension;
pub mod metric;
pub mod limits;
pub mod filter;
pub mod own;

pub use dimension::{Dimension, TimePart};
pub use filter::Filter;
pub use limits::Limits;
pub use metric::Metric;
pub use own::Own;

use crate::format::Part;
use crate::parse::Wanted;

/// Apache's field that is `X` if the client was gone before the end.
pub const CONNECTION: &str = "%X";

/// One grouped count of a pass; by default, what everything sums up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Groups, in key order.
    pub by: Vec<Dimension>,
    /// Whether bytes are also kept per slot.
    pub series: Series,
    /// Whether the rarer sums (bytes in, errors, durations) are kept.
    pub extras: Extras,
    /// Which way the bytes went.
    pub flow: Flow,
    /// Whether the distribution of durations is kept.
    pub timings: Timings,
    /// Whether different clients are counted.
    pub clients: Clients,
    /// Which records are counted.
    pub only: Only,
    /// The hosts that are not foreign, for [`Only::Foreign`].
    pub own: Own,
}

/// Which records a view counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Only {
    /// All.
    #[default]
    All,
    /// Those of automata, see [`crate::agent::Kind::is_bot`].
    Bots,
    /// Those whose agent is a false claim, see [`crate::agent::Claim`].
    Impostors,
    /// Whole objects that automata got: status 200 and bytes, the answer to anything but HEAD.
    Copies,
    /// Those with a referer.
    Referred,
    /// Those whose referer names no host of [`View::own`], or no host at all.
    Foreign,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    /// To the client, by the chosen byte column.
    #[default]
    Out,
    /// From the client: `$request_length`, `%I`.
    In,
    /// To the client, with an estimate of the headers of the packets that carried them.
    Packets,
}

impl Flow {
    /// All, each at its number.
    pub const ALL: [Self; 3] = [Self::Out, Self::In, Self::Packets];
}

impl Series {
    /// True if there are samples.
    pub fn is_kept(self) -> bool {
        self != Self::Sums
    }
}

/// Whether bytes are kept per slot; each keeps what those before it keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    /// Sums only.
    #[default]
    Sums,
    /// Each group has its samples.
    PerSlot,
    /// The same, with what other load schemes would make of them, and what fell outside the limits.
    Bounded,
}

/// Whether the rarer sums are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extras {
    /// Bytes in, errors, durations.
    Kept,
    /// Requests and bytes only.
    #[default]
    Left,
}

/// Whether the distribution of durations is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Timings {
    /// Histograms, and exact counts at these limits.
    Kept(Limits),
    /// None.
    #[default]
    Left,
}

/// Whether a group's different clients are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clients {
    /// Not.
    #[default]
    Left,
    /// Nearly, in little memory.
    Estimated,
    /// Each.
    Exact,
}

/// Which byte column is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// `$body_bytes_sent`, `%b`, `%B`.
    Body,
    /// `$bytes_sent`, `%O`.
    Wire,
    /// None: the question needs no bytes.
    None,
}

impl Basis {
    /// Its name in reports.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Body => Some("body"),
            Self::Wire => Some("wire"),
            Self::None => None,
        }
    }

    /// The column.
    pub fn part(self) -> Option<Part> {
        match self {
            Self::Body => Some(Part::Body),
            Self::Wire => Some(Part::Wire),
            Self::None => None,
        }
    }
}

impl View {
    /// A view that keeps what `metrics` are made of.
    pub fn new(by: Vec<Dimension>, metrics: &[Metric]) -> Self {
        let timed = by.iter().any(|dimension| matches!(dimension, Dimension::Time(_)));
        let series = timed || metrics.iter().any(|metric| metric.needs_series());
        let extras = metrics.iter().any(|metric| metric.needs_extras());
        let timings = metrics.iter().any(|metric| metric.needs_timings());
        let clients = metrics.contains(&Metric::Clients);
        Self {
            by,
            series: if series { Series::PerSlot } else { Series::Sums },
            extras: if extras { Extras::Kept } else { Extras::Left },
            flow: Flow::Out,
            timings: if timings { Timings::Kept(Limits::default()) } else { Timings::Left },
            clients: if clients { Clients::Estimated } else { Clients::Left },
            only: Only::All,
            own: Own::default(),
        }
    }

    /// True if it asks how long requests took, and so whether they were aborted.
    pub fn is_timed(&self) -> bool {
        self.extras == Extras::Kept || self.timings != Timings::Left
    }

    /// True if it asks what program a client is.
    pub fn asks_family(&self) -> bool {
        matches!(self.only, Only::Bots | Only::Impostors | Only::Copies)
            || self.by.iter().any(Dimension::is_program)
    }

    /// True if it asks whether the client is that program.
    pub fn asks_claim(&self) -> bool {
        self.only == Only::Impostors || self.by.contains(&Dimension::Claim)
    }

    /// The parts of a record the view looks at.
    pub fn wanted(&self) -> Wanted {
        let only: &[Dimension] = match self.only {
            Only::All => &[],
            Only::Bots => &[Dimension::Bot],
            Only::Impostors => &[Dimension::Claim],
            Only::Copies => &[Dimension::Bot, Dimension::Method],
            Only::Referred | Only::Foreign => &[Dimension::Referer],
        };
        let counted: &[Dimension] = if self.clients == Clients::Left { &[] } else { &[Dimension::Client] };
        let parts = self.by.iter().chain(only).chain(counted).flat_map(Dimension::parts);
        parts.fold(Wanted::default(), |wanted, &part| wanted.with(part))
    }
}
