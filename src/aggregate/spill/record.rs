//! One group as bytes.
//!
//! ```text
//! record   hash (4 bytes), length of the rest, values, requests, bytes, what follows, extra, timing, clients, samples, 0
//! value    0 for unknown, else its length + 1 and its bytes
//! sample   slot number + 1, requests, bytes
//! ```
//!
//! Numbers are written seven bits at a time, low ones first; sums of 128 bits as two of them.

use crate::aggregate::distinct::Distinct;
use crate::aggregate::histogram::Histogram;
use crate::aggregate::samples::ByGroup;
use crate::aggregate::view::{Key, UNKNOWN};
use crate::aggregate::{Extra, Sums, Timing, ViewTally};
use crate::query::dimension::DIMENSIONS_MAX;

const EXTRA: u8 = 1;
const TIMING: u8 = 2;
const CLIENTS: u8 = 4;

/// Bytes of the hash.
const HASH_BYTES: usize = size_of::<u32>();

/// Writes the values of a group: the bytes that its hash is made of.
pub(super) fn put_key(tally: &ViewTally, group: u32, out: &mut Vec<u8>) {
    for value in tally.values(group) {
        match value {
            Some(text) => {
                put(out, text.len() as u64 + 1);
                out.extend_from_slice(text);
            }
            None => put(out, 0),
        }
    }
}

/// Writes a group with its samples.
pub(super) fn put_group(
    tally: &ViewTally,
    group: u32,
    hash: u32,
    samples: &mut ByGroup<'_>,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    scratch.clear();
    put_key(tally, group, scratch);
    put_sums(scratch, tally.sums(group));
    let extra = Some(tally.extra(group)).filter(|extra| *extra != Extra::default());
    let timing = tally.timing(group).filter(|timing| **timing != Timing::default());
    let clients = tally.clients(group).filter(|clients| !clients.is_empty());
    let follows = [(EXTRA, extra.is_some()), (TIMING, timing.is_some()), (CLIENTS, clients.is_some())];
    scratch.push(follows.iter().fold(0, |all, (bit, is_set)| if *is_set { all | bit } else { all }));
    if let Some(extra) = extra {
        put_extra(scratch, extra);
    }
    if let Some(timing) = timing {
        put_timing(scratch, timing);
    }
    if let Some(clients) = clients {
        let bytes = clients.write();
        put(scratch, bytes.len() as u64);
        scratch.extend_from_slice(&bytes);
    }
    while let Some((slot, sums)) = samples.next_of(group) {
        put(scratch, u64::from(slot) + 1);
        put_sums(scratch, sums);
    }
    put(scratch, 0);
    out.extend_from_slice(&hash.to_le_bytes());
    put(out, scratch.len() as u64);
    out.extend_from_slice(scratch);
}

/// The hash of a record that begins here, and where its rest begins and ends; none if that is not all here.
pub(super) fn head(bytes: &[u8]) -> Option<(u32, usize, usize)> {
    let (hash, mut rest) = bytes.split_first_chunk::<HASH_BYTES>()?;
    let length = usize::try_from(take(&mut rest)?).ok()?;
    let start = bytes.len() - rest.len();
    Some((u32::from_le_bytes(*hash), start, start.checked_add(length)?))
}

/// Adds a group without its head; `slots` translates its slot numbers. None if these bytes were not written so.
pub(super) fn take_group(tally: &mut ViewTally, mut bytes: &[u8], slots: &[u32]) -> Option<()> {
    let rest = &mut bytes;
    let mut key: Key = [UNKNOWN; DIMENSIONS_MAX];
    for (interner, number) in tally.values.iter_mut().zip(&mut key) {
        if let Some(length) = take(rest)?.checked_sub(1) {
            let (text, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            *number = interner.intern(text) + 1;
            *rest = after;
        }
    }
    let group = tally.group(&key);
    tally.add_sums(group, take_sums(rest)?);
    let (follows, after) = rest.split_first()?;
    *rest = after;
    if follows & EXTRA != 0 {
        tally.extra_mut(group).merge(take_extra(rest)?);
    }
    if follows & TIMING != 0 {
        tally.timing_mut(group).merge(&take_timing(rest)?);
    }
    if follows & CLIENTS != 0 {
        let length = usize::try_from(take(rest)?).ok()?;
        let (bytes, after) = rest.split_at_checked(length)?;
        tally.clients_mut(group).merge(&Distinct::read(bytes)?);
        *rest = after;
    }
    while let Some(slot) = take(rest)?.checked_sub(1) {
        let slot = *slots.get(usize::try_from(slot).ok()?)?;
        tally.samples.add_sums(slot, group, take_sums(rest)?);
    }
    rest.is_empty().then_some(())
}

fn put_sums(out: &mut Vec<u8>, sums: Sums) {
    let Sums { requests, bytes } = sums;
    put(out, requests);
    put_wide(out, bytes);
}

fn take_sums(rest: &mut &[u8]) -> Option<Sums> {
    Some(Sums { requests: take(rest)?, bytes: take_wide(rest)? })
}

fn put_extra(out: &mut Vec<u8>, extra: Extra) {
    let Extra { bytes_in, errors_4xx, errors_5xx, duration_us, duration_max_us, timed } = extra;
    put_wide(out, bytes_in);
    put_wide(out, duration_us);
    for number in [errors_4xx, errors_5xx, duration_max_us, timed] {
        put(out, number);
    }
}

fn take_extra(rest: &mut &[u8]) -> Option<Extra> {
    Some(Extra {
        bytes_in: take_wide(rest)?,
        duration_us: take_wide(rest)?,
        errors_4xx: take(rest)?,
        errors_5xx: take(rest)?,
        duration_max_us: take(rest)?,
        timed: take(rest)?,
    })
}

fn put_timing(out: &mut Vec<u8>, timing: &Timing) {
    let Timing { times, throughputs, within, satisfied, tolerated, slow, aborted, zero_duration } = timing;
    for histogram in [times, throughputs] {
        let (entries, largest) = histogram.store();
        put(out, entries.len() as u64);
        for entry in entries {
            put(out, *entry);
        }
        put(out, largest);
    }
    let counts = [satisfied, tolerated, slow, aborted, zero_duration];
    for number in within.iter().chain(counts) {
        put(out, *number);
    }
}

fn take_timing(rest: &mut &[u8]) -> Option<Timing> {
    let mut timing =
        Timing { times: take_histogram(rest)?, throughputs: take_histogram(rest)?, ..Timing::default() };
    let Timing { times: _, throughputs: _, within, satisfied, tolerated, slow, aborted, zero_duration } =
        &mut timing;
    let counts = [satisfied, tolerated, slow, aborted, zero_duration];
    for number in within.iter_mut().chain(counts) {
        *number = take(rest)?;
    }
    Some(timing)
}

fn take_histogram(rest: &mut &[u8]) -> Option<Histogram> {
    let entries = take(rest)?;
    let entries = (0..entries).map(|_| take(rest)).collect::<Option<Vec<u64>>>()?;
    Some(Histogram::restore(entries, take(rest)?))
}

fn put_wide(out: &mut Vec<u8>, number: u128) {
    let [low, high] = [number, number >> 64].map(|number| number & u128::from(u64::MAX));
    for part in [low, high] {
        put(out, u64::try_from(part).expect("64 bits were masked"));
    }
}

fn take_wide(rest: &mut &[u8]) -> Option<u128> {
    let low = take(rest)?;
    Some(u128::from(low) | u128::from(take(rest)?) << 64)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
