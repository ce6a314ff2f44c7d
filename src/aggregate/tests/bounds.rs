//! What bounded views keep is what counting again under another scheme would have found.

use super::*;

type Samples = BTreeMap<(Values, Option<Slot>), u128>;

/// The samples of one view, as counted and as its spans make them.
fn samples(tally: &Tally, view: &ViewTally, scheme: Option<Scheme>) -> Samples {
    let values =
        |group| -> Values { view.values(group).into_iter().map(|it| it.map(<[u8]>::to_vec)).collect() };
    let mut sums: BTreeMap<(u32, u32), u128> = BTreeMap::new();
    for (slot, group, sample) in view.samples().filter(|(slot, ..)| *slot > 0) {
        *sums.entry((slot, group)).or_default() += sample.bytes;
    }
    if let Some(scheme) = scheme {
        for (slot, group, span) in view.spans() {
            let sum = sums.entry((slot, group)).or_default();
            *sum = span.under(scheme, *sum).expect("a scheme that spans tell");
        }
    }
    let named = sums.into_iter().filter(|(_, bytes)| *bytes > 0);
    named.map(|((slot, group), bytes)| ((values(group), tally.slots.get(slot)), bytes)).collect()
}

fn outside(view: &ViewTally) -> u128 {
    view.samples().filter(|(slot, ..)| *slot == 0).map(|(_, _, sums)| sums.bytes).sum()
}

fn bounded(flow: Flow) -> Vec<View> {
    vec![View { by: vec![Dimension::Host], series: Series::Bounded, flow, ..View::default() }]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn spans_tell_what_other_schemes_would_have_made(
        rules in all_rules(),
        requests in requests(),
        block in 0_usize..12,
    ) {
        let rules = Rules { views: bounded(Flow::Out), ..rules };
        let (early, late) = requests.split_at(block.min(requests.len()));
        let tally = counted(&rules, early).merge(counted(&rules, late));
        let view = &tally.views[0];
        for scheme in [Scheme::MinimumVolume, Scheme::MaximumVolume, Scheme::EndSpike] {
            let again = counted(&Rules { scheme, ..rules.clone() }, &requests);
            let expected = samples(&again, &again.views[0], None);
            prop_assert_eq!(samples(&tally, view, Some(scheme)), expected, "{:?}", scheme);
        }
        prop_assert_eq!(outside(view), tally.outside_bytes);
        let plain = vec![View { series: Series::PerSlot, ..rules.views[0].clone() }];
        let plain = counted(&Rules { views: plain, ..rules.clone() }, &requests);
        prop_assert_eq!(samples(&tally, view, None), samples(&plain, &plain.views[0], None));
        prop_assert_eq!(tally.outside_bytes, plain.outside_bytes);
        prop_assert_eq!(tally.account, plain.account);
    }

    /// An estimate of packets is made of each response, before it is spread.
    #[test]
    fn packets_are_counted_per_response(
        rules in all_rules(),
        requests in requests(),
        segment in prop::sample::select(&[1, 536, 1460, u32::MAX][..]),
    ) {
        let rules = Rules { segment, ..rules };
        let packets = counted(&Rules { views: bounded(Flow::Packets), ..rules.clone() }, &requests);
        let wider = |bytes: u64| {
            let wide = u128::from(bytes) + u128::from(bytes).div_ceil(u128::from(segment)) * 40;
            u64::try_from(wide).expect("limited bytes")
        };
        let turned: Vec<Request> =
            requests.iter().map(|it| Request { bytes: it.bytes.map(wider), ..*it }).collect();
        let plain = counted(&Rules { views: bounded(Flow::Out), ..rules }, &turned);
        prop_assert_eq!(samples(&packets, &packets.views[0], None), samples(&plain, &plain.views[0], None));
    }

    /// Bytes received are spread as bytes sent would have been.
    #[test]
    fn both_ways_are_counted_alike(rules in all_rules(), requests in requests()) {
        let both = Rules { views: [bounded(Flow::In), bounded(Flow::Out)].concat(), ..rules.clone() };
        let inward = counted(&both, &requests);
        let turned: Vec<Request> = requests.iter().map(|it| Request { bytes: it.bytes_in, ..*it }).collect();
        let outward = counted(&Rules { views: bounded(Flow::Out), ..rules.clone() }, &turned);
        prop_assert_eq!(
            samples(&inward, &inward.views[0], None),
            samples(&outward, &outward.views[0], None)
        );
        prop_assert_eq!(outside(&inward.views[0]), outward.outside_bytes);
        let plain = counted(&Rules { views: bounded(Flow::Out), ..rules }, &requests);
        prop_assert_eq!(samples(&inward, &inward.views[1], None), samples(&plain, &plain.views[0], None));
        prop_assert_eq!(inward.outside_bytes, plain.outside_bytes);
    }
}
