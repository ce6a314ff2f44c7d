//! What a reader must know beside the numbers: words of the server list that say nothing to us.

use std::collections::{BTreeMap, BTreeSet};

use super::flows::Flow;
use crate::place::named;
use crate::servers::{Servers, fit};

/// Words that are shown of each kind.
const EXAMPLES_MAX: usize = 3;

/// A sentence for each kind of words that are not understood, each word once with the first data centre that has it.
pub(super) fn list_words(servers: &Servers, flows: &[Flow]) -> Vec<String> {
    let clients: BTreeSet<&str> = flows.iter().filter_map(|flow| flow.client.carrier()).collect();
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    let mut carriers: BTreeMap<&str, &str> = BTreeMap::new();
    for (site, name) in servers.sites.iter().zip(&servers.names) {
        let unknown = fit::unknown(site);
        for place in unknown.places {
            places.entry(place).or_insert(name);
        }
        // A name that nobody told us may still be what a database calls a client's carrier.
        for carrier in unknown.carriers {
            if !clients.contains(named::carrier(carrier).as_str()) {
                carriers.entry(carrier).or_insert(name);
            }
        }
    }
    let sentence = |(words, noun): (BTreeMap<&str, &str>, &str)| {
        let examples = words.iter().take(EXAMPLES_MAX).map(|(word, idc)| format!("`{word}` ({idc})"));
        let more = if words.len() > EXAMPLES_MAX { ", …" } else { "" };
        let examples = examples.collect::<Vec<_>>().join(", ");
        let (plural, verb) = if words.len() == 1 { ("", "is") } else { ("s", "are") };
        let noun = format!("{} {noun}{plural} of the server list {verb} not understood", words.len());
        (!words.is_empty()).then(|| format!("{noun}: {examples}{more}"))
    };
    [(places, "region"), (carriers, "carrier")].into_iter().filter_map(sentence).collect()
}
