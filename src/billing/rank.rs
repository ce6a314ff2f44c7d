//! The 95th percentile, as each of seven programs really picks it.
//!
//! Sort the N samples of a period from the largest; the rule names the rank that is billed. All of them mean "leave
//! the top 5 % out" and differ by one rank at most, by rounding; on a bill that is to be checked to the bit, the
//! rounding has a name. Only integers are used: 0.05 has no exact binary form, and `ceil(n * 0.05)` is wrong for
//! some N.

/// Which sample of N is the 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RankRule {
    /// ⌊N/20⌋ samples are discarded and the next one is billed; the nearest-rank definition says the same.
    FloorDiscard,
    /// `LibreNMS`: N − round(0.95 N) + 1.
    LibreNms,
    /// vnStat: N − round(0.95 N) + 1.
    VnStat,
    /// `RRDtool`'s PERCENT: round(0.95 (N − 1)) samples are smaller.
    RrdTool,
    /// Cacti: ⌈N/20⌉ samples are discarded.
    Cacti,
    /// ntopng: one rank below `LibreNMS`.
    Ntopng,
    /// Between the neighbours of 0.95 (N − 1), linearly: R's type 7, Prometheus, Akvorado, spreadsheets.
    Interpolated,
}

/// A place among N samples, counted from the largest, which has rank 1.
///
/// With `twentieths` it lies so far between the samples `whole` and `whole + 1`: 447.35 is 447 and 7 twentieths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// 1 to N.
    pub whole: u64,
    /// 0 to 19; 0 for every rule but [`RankRule::Interpolated`], and 0 if `whole` is N.
    pub twentieths: u64,
}

/// A percentile and the samples it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentile<T> {
    /// Where the percentile lies.
    pub rank: Rank,
    /// The sample at `rank.whole`. It is the smallest sample not below the percentile, so the slots that drive the
    /// bill are those that reach it.
    pub upper: T,
    /// The next smaller sample if the rank lies between two, else `upper` again.
    pub lower: T,
}

impl RankRule {
    /// Every rule, the default first.
    pub const ALL: [Self; 7] = [
        Self::FloorDiscard,
        Self::LibreNms,
        Self::VnStat,
        Self::RrdTool,
        Self::Cacti,
        Self::Ntopng,
        Self::Interpolated,
    ];

    /// The rule of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Its name on the command line and on every bill.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FloorDiscard => "floor-discard",
            Self::LibreNms => "librenms",
            Self::VnStat => "vnstat",
            Self::RrdTool => "rrdtool",
            Self::Cacti => "cacti",
            Self::Ntopng => "ntopng",
            Self::Interpolated => "interpolated",
        }
    }
}

/// The rank that a rule bills out of `samples`; `None` without samples. A rule that asks for a sample below the
/// smallest, as two of them do for a single sample, gets the smallest.
pub fn rank(rule: RankRule, samples: u64) -> Option<Rank> {
    let n = samples;
    let intervals = n.checked_sub(1)?;
    let (whole, twentieths) = match rule {
        RankRule::FloorDiscard => (n / 20 + 1, 0),
        RankRule::LibreNms | RankRule::VnStat => (n - rounded_95(n) + 1, 0),
        RankRule::RrdTool => (n - rounded_95(intervals), 0),
        RankRule::Cacti => (n.div_ceil(20) + 1, 0),
        RankRule::Ntopng => (n - rounded_95(n) + 2, 0),
        // From the smallest the place is 0.95 (N − 1), so from the largest it is 0.05 (N − 1) + 1.
        RankRule::Interpolated => (intervals / 20 + 1, intervals % 20),
    };
    Some(Rank { whole: whole.min(n), twentieths })
}

/// The 95th percentile of samples that are sorted from the largest; `None` if there are none.
pub fn percentile_95<T: Copy>(rule: RankRule, sorted: &[T]) -> Option<Percentile<T>> {
    let rank = rank(rule, sorted.len() as u64)?;
    let whole = usize::try_from(rank.whole).ok()?;
    let upper = *sorted.get(whole - 1)?;
    let lower = if rank.twentieths == 0 { upper } else { *sorted.get(whole)? };
    Some(Percentile { rank, upper, lower })
}

impl<T: Copy + Into<u128>> Percentile<T> {
    /// The percentile in the unit of the samples, rounded half up.
    pub fn rounded(&self) -> u128 {
        let (upper, lower) = (self.upper.into(), self.lower.into());
        let above = u128::from(20 - self.rank.twentieths.min(20));
        let distance = upper.saturating_sub(lower);
        // The distance is divided first, so that nothing overflows.
        let part = distance % 20 * above;
        lower + distance / 20 * above + (part + 10) / 20
    }
}

/// round(0.95 n), half away from zero. Whole twenties are split off so that nothing overflows.
fn rounded_95(n: u64) -> u64 {
    n / 20 * 19 + (n % 20 * 19 + 10) / 20
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ranks in hundredths for N samples, in the order of `RankRule::ALL`.
    fn check_ranks(samples: u64, expected: [u64; 7]) {
        let ranks = RankRule::ALL.map(|rule| {
            let rank = rank(rule, samples).unwrap();
            rank.whole * 100 + rank.twentieths * 5
        });
        assert_eq!(ranks, expected, "{samples}");
    }

    #[test]
    fn ranks_of_whole_months() {
        check_ranks(8064, [40_400, 40_400, 40_400, 40_400, 40_500, 40_500, 40_415]);
        check_ranks(8352, [41_800, 41_900, 41_900, 41_900, 41_900, 42_000, 41_855]);
        check_ranks(8640, [43_300, 43_300, 43_300, 43_300, 43_300, 43_400, 43_295]);
        check_ranks(8928, [44_700, 44_700, 44_700, 44_700, 44_800, 44_800, 44_735]);
    }

    #[test]
    fn ranks_of_months_with_a_clock_change_and_of_sixteen_days() {
        assert_eq!(rank(RankRule::FloorDiscard, 8916).unwrap().whole, 446);
        assert_eq!(rank(RankRule::Cacti, 8916).unwrap().whole, 447);
        assert_eq!(rank(RankRule::FloorDiscard, 8652).unwrap().whole, 433);
        assert_eq!(rank(RankRule::Cacti, 8652).unwrap().whole, 434);
        assert_eq!(rank(RankRule::FloorDiscard, 288 * 16).unwrap().whole, 231);
        assert_eq!(rank(RankRule::FloorDiscard, 288).unwrap().whole, 15);
    }

    #[test]
    fn ranks_of_few_samples_are_ranks() {
        check_ranks(1, [100; 7]);
        check_ranks(2, [100, 100, 100, 100, 200, 200, 105]);
        check_ranks(20, [200, 200, 200, 200, 200, 300, 195]);
        assert!(RankRule::ALL.into_iter().all(|rule| rank(rule, 0).is_none()));
        for samples in (1..1000).chain([u64::MAX]) {
            for rule in RankRule::ALL {
                let rank = rank(rule, samples).unwrap();
                assert!((1..=samples).contains(&rank.whole) && rank.twentieths < 20, "{rule:?} {samples}");
                assert!(rank.whole < samples || rank.twentieths == 0, "{rule:?} {samples}");
            }
        }
    }

    /// Samples of 1 to N Mbps: the percentile in kbit/s, in the order of `RankRule::ALL`.
    fn check_percentiles(samples: u64, expected: [u128; 7]) {
        let samples: Vec<u64> = (1..=samples).rev().map(|mbps| mbps * 1_000_000).collect();
        let percentiles = RankRule::ALL.map(|rule| percentile_95(rule, &samples).unwrap().rounded() / 1000);
        assert_eq!(percentiles, expected, "{}", samples.len());
    }

    #[test]
    fn percentiles_of_the_test_vector() {
        check_percentiles(
            8928,
            [8_482_000, 8_482_000, 8_482_000, 8_482_000, 8_481_000, 8_481_000, 8_481_650],
        );
        check_percentiles(
            8352,
            [7_935_000, 7_934_000, 7_934_000, 7_934_000, 7_934_000, 7_933_000, 7_934_450],
        );
        assert_eq!(percentile_95::<u64>(RankRule::FloorDiscard, &[]), None);
    }

    fn check_value(upper: u128, lower: u128, twentieths: u64, rounded: u128) {
        let percentile = Percentile { rank: Rank { whole: 1, twentieths }, upper, lower };
        assert_eq!(percentile.rounded(), rounded);
    }

    #[test]
    fn values_between_samples() {
        check_value(20, 0, 0, 20);
        check_value(20, 0, 19, 1);
        check_value(1, 0, 10, 1);
        check_value(1, 0, 11, 0);
        check_value(20, 15, 5, 19);
        check_value(19, 18, 6, 19);
        check_value(u128::MAX, 0, 10, u128::MAX / 2 + 1);
        check_value(u128::MAX, u128::MAX, 19, u128::MAX);
    }

    #[test]
    fn names_are_read_back() {
        for rule in RankRule::ALL {
            assert_eq!(RankRule::parse(rule.name()), Some(rule));
        }
        assert_eq!(RankRule::parse("type7"), None);
    }

    /// Sort and index. Each rule is written as its program writes it, but in twentieths and hundredths.
    fn slow(rule: RankRule, samples: &[u64]) -> u128 {
        let mut ascending = samples.to_vec();
        ascending.sort_unstable();
        let n = ascending.len();
        let half_away =
            |numerator: usize, denominator: usize| (2 * numerator + denominator) / (2 * denominator);
        let index = match rule {
            RankRule::FloorDiscard => (95 * n).div_ceil(100) - 1,
            RankRule::LibreNms | RankRule::VnStat => half_away(95 * n, 100) - 1,
            RankRule::RrdTool => half_away(95 * (n - 1), 100),
            RankRule::Cacti => (n - 1).saturating_sub((5 * n).div_ceil(100)),
            // A Lua index, which begins at 1.
            RankRule::Ntopng => (half_away(95 * n, 100) - 1).max(1) - 1,
            RankRule::Interpolated => {
                let (index, hundredths) = (95 * (n - 1) / 100, (95 * (n - 1) % 100) as u128);
                let next = u128::from(ascending[(index + 1).min(n - 1)]);
                let sum = u128::from(ascending[index]) * (100 - hundredths) + next * hundredths;
                return (sum + 50) / 100;
            }
        };
        u128::from(ascending[index])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn percentiles_are_sort_and_index(
            samples in prop::collection::vec(prop_oneof![0_u64..10, any::<u64>()], 1..120),
        ) {
            for rule in RankRule::ALL {
                let mut sorted = samples.clone();
                sorted.sort_unstable_by(|left, right| right.cmp(left));
                let percentile = percentile_95(rule, &sorted).unwrap();
                prop_assert_eq!(percentile.rounded(), slow(rule, &samples), "{:?}", rule);
                // The driving slots: as many samples as the rank says, and ties.
                let reaching = samples.iter().filter(|sample| **sample >= percentile.upper).count() as u64;
                prop_assert!(reaching >= percentile.rank.whole);
            }
        }
    }
}
