//! What looks cannot decide.

use super::super::discover::is_discovered;
use super::{Facts, Origin};
use crate::format::{Edge, Format, Grammar, Kind, Part, Server, Unit, presets};
use crate::parse::Record;

/// Something that a log does not tell by its looks, or that must be known before its numbers are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No known format: the columns were named by what stands in them.
    Discovered,
    /// The column of bytes may be the body's or all that was sent; it is read as this part.
    BodyOrWire {
        /// The column.
        step: usize,
        /// What it is read as.
        read_as: Part,
    },
    /// The time may be the start or the end; nothing depends on it, as no duration is logged.
    StartOrEnd {
        /// What it is read as.
        read_as: Edge,
    },
    /// Two columns are seconds: which is the request's time, which the upstream's?
    WhichSeconds {
        /// Taken for the request's time.
        request: usize,
        /// Taken for the upstream's.
        upstream: usize,
        /// Records where the request took at least as long as its upstream.
        agree: u64,
        /// Records that have both.
        of: u64,
    },
    /// Columns of whole numbers behind the usual ones are taken for the bytes received and sent.
    WhichNumbers {
        /// Taken for the bytes received.
        received: usize,
        /// Taken for all bytes sent.
        sent: usize,
    },
    /// All durations are whole numbers, which have no unit.
    WholeDurations {
        /// The column.
        step: usize,
        /// What it is read as.
        unit: Unit,
        /// The longest, in microseconds.
        longest_us: u64,
    },
    /// What the preset says and no page of its vendor.
    Unverified(&'static str),
    /// The second column is the host to lighttpd, the ident to Apache.
    HostOrIdent,
    /// Times name no zone: UTC was assumed.
    Zoneless {
        /// Records.
        lines: u64,
    },
    /// Columns follow that the format does not name.
    Extra {
        /// Records.
        lines: u64,
    },
    /// Durations that are too long to be believed; such records count at their logged instant.
    Implausible {
        /// Records.
        lines: u64,
    },
}

/// The slack between nginx's two clocks, in microseconds: `$request_time` may be a millisecond behind.
const SLACK_US: u64 = 1_000;

/// What is noticed while records are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Signs {
    zoneless: u64,
    extra: u64,
    implausible: u64,
    durations: u64,
    whole_durations: u64,
    longest_us: u64,
    both: u64,
    in_order: u64,
}

impl Signs {
    pub(super) fn count(&mut self, record: &Record<'_>, duration: Option<&[u8]>) {
        self.zoneless += u64::from(record.zoneless);
        self.extra += u64::from(record.extra);
        self.implausible += u64::from(record.implausible);
        if let (Some(micros), Some(text)) = (record.duration_us, duration) {
            self.durations += 1;
            self.whole_durations += u64::from(text.iter().all(u8::is_ascii_digit));
            self.longest_us = self.longest_us.max(micros);
        }
        if let (Some(request), Some(upstream)) = (record.duration_us, record.upstream_us) {
            self.both += 1;
            self.in_order += u64::from(request.saturating_add(SLACK_US) >= upstream);
        }
    }
}

/// What is in doubt of a format, the gravest first.
pub(super) fn of(facts: &Facts, origin: Origin) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if origin == Origin::Detected {
        if is_discovered(&facts.layout.format) {
            doubts.push(Doubt::Discovered);
        }
        doubts.extend(presets::unverified(&facts.layout.format.name).map(Doubt::Unverified));
        doubts.extend(bytes(facts));
        doubts.extend(numbers(facts));
        doubts.extend(seconds(facts));
        doubts.extend(whole_durations(facts));
        if presets::LIGHTTPD.is(&facts.layout.format) {
            doubts.push(Doubt::HostOrIdent);
        }
        doubts.extend(edge(facts));
    }
    let Signs { zoneless, extra, implausible, .. } = facts.signs;
    let counted = [
        (zoneless, Doubt::Zoneless { lines: zoneless }),
        (extra, Doubt::Extra { lines: extra }),
        (implausible, Doubt::Implausible { lines: implausible }),
    ];
    doubts.extend(counted.into_iter().filter(|&(lines, _)| lines > 0).map(|(_, doubt)| doubt));
    doubts
}

/// True for the formats that nginx, Apache and those who imitate them share.
fn is_common(facts: &Facts) -> bool {
    let format = &facts.layout.format;
    format.grammar == Grammar::Text && format.server != Server::Other
}

/// One column of bytes tells nothing of headers. Where lines name their values, `body` or nginx's own name does.
fn bytes(facts: &Facts) -> Option<Doubt> {
    let layout = &facts.layout;
    let (step, read_as) = match (layout.source(Part::Body), layout.source(Part::Wire)) {
        (Some(step), None) => (step, Part::Body),
        (None, Some(step)) => (step, Part::Wire),
        _ => return None,
    };
    let name = layout.steps[step].field.text.to_ascii_lowercase();
    let told = match layout.format.grammar {
        _ if SAID_BY_VENDOR.contains(&layout.format.name.as_str()) => true,
        Grammar::Text => !is_common(facts),
        Grammar::Json | Grammar::Ltsv => name.contains("body") || name.ends_with("bytes_sent"),
        Grammar::Columns => true,
    };
    (!told).then_some(Doubt::BodyOrWire { step, read_as })
}

/// Programs that document what their one column of bytes counts.
const SAID_BY_VENDOR: [&str; 6] = ["caddy", "traefik_json", "cloudflare", "gcp", "envoy_json", "ecs"];

fn numbers(facts: &Facts) -> Option<Doubt> {
    let source = |part| facts.layout.source(part);
    let (received, sent) = (source(Part::In)?, source(Part::Wire)?);
    let guessed = is_common(facts) && facts.layout.format.server == Server::Apache;
    guessed.then_some(Doubt::WhichNumbers { received, sent })
}

fn seconds(facts: &Facts) -> Option<Doubt> {
    let (request, upstream) = (facts.layout.source(Part::Duration)?, facts.layout.source(Part::Upstream)?);
    let Signs { in_order: agree, both: of, .. } = facts.signs;
    let labelled = [request, upstream].iter().any(|&step| is_labelled(facts, step));
    (is_completed(&facts.layout.format) && !labelled).then_some(Doubt::WhichSeconds {
        request,
        upstream,
        agree,
        of,
    })
}

/// True for a format whose last columns were named by what stands in them.
fn is_completed(format: &Format) -> bool {
    is_discovered(format) || format.name.contains('+') || format.name == "combined_rt_urt"
}

/// True if the log itself says which column this is: `rt=0.250`.
fn is_labelled(facts: &Facts, step: usize) -> bool {
    let before =
        step.checked_sub(1).map_or(&facts.layout.first, |before| &facts.layout.steps[before].literal);
    let label = before.trim_ascii_end();
    let label = label.strip_suffix(b"\"").unwrap_or(label);
    label
        .strip_suffix(b"=")
        .or_else(|| label.strip_suffix(b":"))
        .is_some_and(|name| name.last().is_some_and(u8::is_ascii_alphanumeric))
}

fn whole_durations(facts: &Facts) -> Option<Doubt> {
    let step = facts.layout.source(Part::Duration)?;
    let Kind::Duration(unit) = facts.layout.steps[step].field.kind else { return None };
    let Signs { durations, whole_durations, longest_us, .. } = facts.signs;
    let named = match facts.layout.format.grammar {
        Grammar::Text => !is_common(facts),
        Grammar::Columns => true,
        Grammar::Json | Grammar::Ltsv => {
            let name = facts.layout.steps[step].field.text.to_ascii_lowercase();
            ["ms", "us", "micro", "milli", "nano"].iter().any(|unit| name.contains(unit))
        }
    };
    (!named && durations > 0 && durations == whole_durations).then_some(Doubt::WholeDurations {
        step,
        unit,
        longest_us,
    })
}

fn edge(facts: &Facts) -> Option<Doubt> {
    let format = &facts.layout.format;
    let open = is_common(facts) && !format.has(Part::Duration) && !presets::LIGHTTPD.is(format);
    Some(Doubt::StartOrEnd { read_as: format.edge().filter(|_| open)? })
}
