//! Whole numbers that are durations, in whatever unit.

use super::discover::is_discovered;
use crate::format::{Grammar, Kind, Layout, Part, Server, Unit, keys};

/// Programs that document the unit of their durations.
const SAID_BY_VENDOR: [&str; 5] = ["traefik_json", "cloudflare", "gcp", "envoy_json", "ecs"];

/// True if a recognised format reads whole numbers as durations although nothing tells their unit: a column that could
/// be Apache's `%D`, or a name such as `latency`.
pub fn is_assumed(layout: &Layout) -> bool {
    let Some(step) = layout.source(Part::Duration) else { return false };
    let field = &layout.steps[step].field;
    let Kind::Duration(unit) = field.kind else { return false };
    let is_whole = matches!(unit, Unit::Millis | Unit::Micros | Unit::Nanos);
    let format = &layout.format;
    is_whole
        && match format.grammar {
            // What was discovered is the difference of two times.
            Grammar::Text => format.server == Server::Apache && !is_discovered(format),
            Grammar::Columns => false,
            Grammar::Json | Grammar::Ltsv => {
                !SAID_BY_VENDOR.contains(&format.name.as_str()) && !keys::tells_unit(&field.text)
            }
        }
}
