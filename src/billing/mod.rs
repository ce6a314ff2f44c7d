//! Samples → the rate that is billed → money. Integers only: the same samples give the same bill everywhere.
//!
//! | module | what it knows |
//! |---|---|
//! | [`rank`] | which of N samples the 95th percentile is |
//! | [`ratio`], [`decimal`] | numbers that are not rounded until they are billed |
//! | [`period`] | which stretch of time a bill is for |
//! | [`words`] | the choices a contract makes, and what they are called |
//! | [`samples`] | bytes per slot → the samples that are ranked |
//! | [`method`] | samples → the billed quantity, with its evidence |
//! | [`outlook`] | what may still happen in an unfinished period |
//! | [`tariff`] | quantity × price → invoice |
//! | [`contract`] | all of it from a TOML file |
//! | [`port`] | what a port's meter says it carried |
//! | [`audit`] | the logs against the port |

pub mod rank;
pub mod ratio;
pub mod decimal;
pub mod period;
pub mod words;
pub mod samples;
pub mod method;
pub mod outlook;
pub mod tariff;
pub mod contract;
pub mod port;
pub mod audit;

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
mod example_tests;
#[cfg(test)]
mod figures_tests;
#[cfg(test)]
mod laws_tests;

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
