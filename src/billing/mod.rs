//! Samples → the rate that is billed. Integers only: the same samples give the same bill everywhere.

pub mod rank;

/// The mean rate in bit/s of `bytes` sent in `seconds`, rounded half up; 0 for no time at all, and the largest
/// number there is for what does not fit.
pub fn rate_bps(bytes: u128, seconds: u64) -> u128 {
    if seconds == 0 {
        return 0;
    }
    // Bytes per second are split off first, so that multiplying by eight loses nothing.
    let seconds = u128::from(seconds);
    let (whole, rest) = (bytes / seconds, bytes % seconds);
    whole.saturating_mul(8).saturating_add((rest * 8 + seconds / 2) / seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: u128, seconds: u64, expected: u128) {
        assert_eq!(rate_bps(bytes, seconds), expected, "{bytes} B in {seconds} s");
    }

    #[test]
    fn rates() {
        check(30_000_000, 300, 800_000);
        check(900, 300, 24);
        check(0, 300, 0);
        check(18, 300, 0);
        check(19, 300, 1);
        check(1, 16, 1);
        check(1, 17, 0);
        check(1, 1, 8);
        check(1, 0, 0);
        check(u128::MAX, 1, u128::MAX);
        check(u128::MAX, u64::MAX, (u128::MAX / u128::from(u64::MAX)) * 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// `2 · rate` is the odd or even number just at or below `2 · exact + 1`.
        #[test]
        fn rates_are_the_nearest_integer(bytes in 0..u128::MAX >> 5, seconds in 1..u64::MAX) {
            let seconds_wide = u128::from(seconds);
            prop_assert_eq!(rate_bps(bytes >> 64, seconds), (16 * (bytes >> 64) + seconds_wide) / (2 * seconds_wide));
            let short = seconds >> 50;
            if let 1.. = short {
                prop_assert_eq!(rate_bps(bytes, short), (16 * bytes + u128::from(short)) / (2 * u128::from(short)));
            }
        }
    }
}
