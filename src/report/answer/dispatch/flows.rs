//! Clients and who serves them, with the slots that make their data centre's bill.

use std::collections::BTreeMap;

use super::Cloud;
use super::judge::{Judge, Judged};
use super::sites::Sites;
use crate::aggregate::Sums;
use crate::billing::rate_bps;
use crate::report::answer::Counted;
use crate::report::answer::groups::{self, Group, KeyPart, Period};
use crate::servers::Idc;
use crate::servers::fit::{Fit, Whereabouts};
use crate::time::Slot;

/// Clients of one region, carrier and kind, served by one data centre.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) region: KeyPart,
    pub(super) carrier: KeyPart,
    pub(super) served_by: KeyPart,
    pub(super) idc: Option<Idc>,
    pub(super) client: Whereabouts,
    /// Machines: a cloud's or a data centre's.
    pub(super) cloud: bool,
    pub(super) sums: Sums,
    /// What the client and its data centre have in common.
    pub(super) fit: Fit,
    /// Whether another would be better.
    pub(super) judged: Judged,
    /// None without times: nothing tells a rate.
    pub(super) billed: Option<Billed>,
    /// Bytes per slot of the period.
    pub(super) samples: BTreeMap<Slot, u128>,
}

/// Bytes in the slots that make the bill of a data centre.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Billed {
    pub(super) bytes: u128,
    /// Seconds of those slots.
    pub(super) seconds: u64,
}

impl Billed {
    pub(super) fn bps(self) -> u128 {
        rate_bps(self.bytes, self.seconds)
    }
}

/// All flows, in order of their keys.
pub(super) fn flows(
    counted: &Counted<'_>,
    sites: &Sites<'_>,
    judge: &mut Judge<'_>,
    cloud: Cloud,
) -> Vec<Flow> {
    let tally = &counted.tally.views[0];
    let mut samples = samples(counted);
    let flow = |(group, key): (u32, Vec<KeyPart>)| {
        let [region, carrier, served_by, kind] = <[KeyPart; 4]>::try_from(key).ok()?;
        let idc = sites.idc(&served_by);
        let client = judge.client(region.clone(), carrier.clone());
        let is_cloud = is_cloud(&kind);
        let asked = idc.filter(|_| cloud == Cloud::Included || !is_cloud);
        Some(Flow {
            judged: asked.map_or(Judged::Well, |idc| judge.judge(client, idc)),
            fit: idc.map_or(Fit::default(), |idc| sites.fit(judge.whereabouts(client), idc)),
            client: judge.whereabouts(client).clone(),
            region,
            carrier,
            served_by,
            idc,
            cloud: is_cloud,
            sums: tally.sums(group),
            billed: None,
            samples: std::mem::take(&mut samples[group as usize]),
        })
    };
    let mut flows: Vec<Flow> = groups::keys(tally).filter_map(flow).collect();
    flows.retain(|flow| flow.sums != Sums::default());
    let key = |flow: &Flow| (flow.region.clone(), flow.carrier.clone(), flow.served_by.clone(), flow.cloud);
    flows.sort_by_cached_key(key);
    if let Some(period) = Period::of(counted) {
        let series = series(&flows);
        for flow in &mut flows {
            flow.billed = flow.idc.map(|idc| billed(flow, &series[&idc], period));
        }
    }
    flows
}

/// The samples of each group of the first view.
fn samples(counted: &Counted<'_>) -> Vec<BTreeMap<Slot, u128>> {
    let tally = &counted.tally.views[0];
    let mut samples = vec![BTreeMap::new(); tally.len()];
    for (slot, group, sums) in tally.samples() {
        if let Some(slot) = counted.tally.slots.get(slot) {
            *samples[group as usize].entry(slot).or_default() += sums.bytes;
        }
    }
    samples
}

/// The bytes per slot of each data centre.
pub(super) fn series(flows: &[Flow]) -> BTreeMap<Idc, Group> {
    let mut series: BTreeMap<Idc, Group> = BTreeMap::new();
    for (idc, flow) in flows.iter().filter_map(|flow| Some((flow.idc?, flow))) {
        let group = series.entry(idc).or_default();
        for (slot, bytes) in &flow.samples {
            *group.samples.entry(*slot).or_default() += bytes;
        }
    }
    series
}

/// What a flow has in the slots in which its data centre is at or above the rate it is billed for; in the whole period
/// if that is nothing.
fn billed(flow: &Flow, all: &Group, period: Period) -> Billed {
    let billed = groups::p95(all, Some(period)).unwrap_or(0);
    if billed == 0 {
        let bytes = flow.samples.range(period.first..=period.last).map(|(_, bytes)| bytes).sum();
        return Billed { bytes, seconds: period.seconds() };
    }
    let mut sum = Billed::default();
    for (slot, sample) in all.samples.range(period.first..=period.last) {
        if rate_bps(*sample, slot.seconds()) >= billed {
            sum.bytes += flow.samples.get(slot).copied().unwrap_or(0);
            sum.seconds += slot.seconds();
        }
    }
    sum
}

pub(super) fn is_cloud(kind: &KeyPart) -> bool {
    matches!(kind, KeyPart::Text(kind) if matches!(kind.as_slice(), b"cloud" | b"idc"))
}
