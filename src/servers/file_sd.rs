//! Prometheus' `file_sd`: `[{"targets": ["h:9100"], "labels": {"dc": "bj"}}]`, in JSON or YAML.
//!
//! The data centre is a label called as in [`IDC_NAMES`], or one that service discovery made, such as
//! `__meta_netbox_site`. Groups without one are other people's targets and left out.

use super::book::{Book, fact};
use super::claim::{Lines, Machine, Origin};
use super::list::{IDC_NAMES, without_port};
use super::tree::{Node, Pair, Value};
use crate::error::Error;

/// Labels that name the machine.
const NAME_LABELS: [&str; 4] = ["hostname", "nodename", "fqdn", "instance"];

/// Enters the groups of targets.
pub(super) fn enter(
    list: u32,
    name: &str,
    text: &str,
    groups: &[Node<'_>],
    book: &mut Book,
) -> Result<(), Error> {
    let mut lines = Lines::new(text);
    let mut origin = |at: usize| Origin::List(list, lines.position(at));
    let mut located = false;
    for group in groups {
        let Value::Map(pairs) = &group.value else {
            return Err(book.error(origin(group.at), "not a group with targets and labels"));
        };
        let part = |name: &str| pairs.iter().rfind(|pair| pair.key == name).map(|pair| &pair.value);
        let targets = match part("targets") {
            Some(Node { value: Value::List(targets), .. }) => targets,
            Some(other) => return Err(book.error(origin(other.at), "targets must be a list")),
            None => return Err(book.error(origin(group.at), "a group has no targets")),
        };
        let labels = match part("labels") {
            Some(Node { value: Value::Map(labels), .. }) => labels.as_slice(),
            Some(Node { value: Value::Null, .. }) | None => &[],
            Some(other) => return Err(book.error(origin(other.at), "labels must be a mapping")),
        };
        let Some((idc, place)) = data_centre(labels) else { continue };
        located = true;
        let idc = book.number(idc, origin(place))?;
        for target in targets {
            let origin = origin(target.at);
            let Some(text) = target.text() else { return Err(book.error(origin, "a target is no text")) };
            let machine =
                Machine::host(without_port(text)).map_err(|message| book.error(origin, &message))?;
            book.claim(machine, idc, origin)?;
        }
        for label in labels {
            let Some(value) = label.value.text() else { continue };
            if let Some(fact) = fact(&label.key) {
                book.state(idc, fact, value, origin(label.at))?;
            } else if NAME_LABELS.contains(&&*label.key) {
                let origin = origin(label.at);
                let machine =
                    Machine::host(without_port(value)).map_err(|message| book.error(origin, &message))?;
                book.claim(machine, idc, origin)?;
            }
        }
    }
    if located {
        return Ok(());
    }
    let wanted = IDC_NAMES.join(", ");
    let message = match groups.len() {
        0 => "the list of targets is empty".to_owned(),
        _ => format!("no group of targets has a label that names a data centre ({wanted})"),
    };
    Err(Error::Data(format!("{name}: {message}")))
}

/// The value of the earliest label of [`IDC_NAMES`], its own before those of service discovery, and where it stands.
fn data_centre<'n>(labels: &'n [Pair<'_>]) -> Option<(&'n str, usize)> {
    let rank = |key: &str| {
        let own = IDC_NAMES.iter().position(|name| *name == key);
        let meta = key.strip_prefix("__meta_").and_then(|key| key.rsplit_once('_'));
        own.or_else(|| {
            IDC_NAMES
                .iter()
                .position(|name| Some(*name) == meta.map(|(_, name)| name))
                .map(|at| at + IDC_NAMES.len())
        })
    };
    let ranked = labels.iter().filter_map(|label| Some((rank(&label.key)?, label.value.text()?, label.at)));
    ranked.min_by_key(|(rank, ..)| *rank).map(|(_, text, at)| (text, at))
}
