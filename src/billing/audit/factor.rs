//! Which factors between port and logs can be overhead.

use super::ONE_PPM;

/// Headers, retransmissions and what else a port carries beside the bodies are 2.7 % to 15 %; twice that is left to
/// small responses.
pub const FACTOR_PPM_MAX: u64 = 1_300_000;

/// What is taken for 8 times a plausible factor is at least this times 8, whatever the tolerance.
const ALIKE_PPM_MIN: u128 = 900_000;

/// Thousands upon thousands: from tera to a trillionth.
const THOUSANDS_MAX: u32 = 4;

/// What a factor that no overhead explains may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resembles {
    /// The port carried next to nothing.
    DeadMeter,
    /// About 8: bits were taken for bytes.
    Eight,
    /// About 1/8: bytes were taken for bits.
    Eighth,
    /// About a power of 1000, or that times or divided by 8.
    Thousands,
    /// Nothing that is known.
    Nothing,
}

impl Resembles {
    /// In an answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeadMeter => "dead-meter",
            Self::Eight => "8",
            Self::Eighth => "1/8",
            Self::Thousands => "thousands",
            Self::Nothing => "nothing",
        }
    }
}

/// The least factor that overhead can be: the logs may be above the port by the tolerance.
pub const fn factor_ppm_min(tolerance_ppm: u64) -> u64 {
    let least = ONE_PPM.saturating_sub(tolerance_ppm);
    // Whatever is tolerated, a meter that never moved is dead.
    if least == 0 { 1 } else { least }
}

/// What the factor resembles; none if it can be overhead.
pub(super) fn resembles(factor_ppm: u64, tolerance_ppm: u64) -> Option<Resembles> {
    if (factor_ppm_min(tolerance_ppm)..=FACTOR_PPM_MAX).contains(&factor_ppm) {
        return None;
    }
    let can_be = |numerator: u128, denominator: u128| {
        let alike = ALIKE_PPM_MIN * denominator..=u128::from(FACTOR_PPM_MAX) * denominator;
        alike.contains(&(u128::from(factor_ppm) * numerator))
    };
    let thousands = (1..=THOUSANDS_MAX).map(|power| 1000_u128.pow(power));
    let is_unit = |power: u128| {
        [1, 8].into_iter().any(|bits| {
            can_be(power, bits) || can_be(power * bits, 1) || can_be(1, power * bits) || can_be(bits, power)
        })
    };
    Some(match factor_ppm {
        0 => Resembles::DeadMeter,
        _ if can_be(1, 8) => Resembles::Eight,
        _ if can_be(8, 1) => Resembles::Eighth,
        _ if thousands.into_iter().any(is_unit) => Resembles::Thousands,
        _ => Resembles::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_resemble_what_people_mix_up() {
        let check = |factor: u64, expected: Option<Resembles>| {
            assert_eq!(resembles(factor, 30_000), expected, "{factor}");
        };
        check(1_000_000, None);
        check(970_000, None);
        check(969_999, Some(Resembles::Nothing));
        check(1_300_000, None);
        check(1_300_001, Some(Resembles::Nothing));
        check(0, Some(Resembles::DeadMeter));
        check(133_700, Some(Resembles::Eighth));
        check(8_560_000, Some(Resembles::Eight));
        check(1_070_000_000, Some(Resembles::Thousands));
        check(1_070, Some(Resembles::Thousands));
        check(8_560, Some(Resembles::Thousands));
        check(134, Some(Resembles::Thousands));
        check(133_700_000, Some(Resembles::Thousands));
        check(8_560_000_000, Some(Resembles::Thousands));
        check(1_070_000_000_000_000_000, Some(Resembles::Thousands));
        check(10_700_000, Some(Resembles::Nothing));
        check(534_600, Some(Resembles::Nothing));
        check(u64::MAX, Some(Resembles::Nothing));
        assert_eq!(resembles(0, ONE_PPM), Some(Resembles::DeadMeter));
        assert_eq!(resembles(500_000, 500_000), None);
        assert_eq!(resembles(2_000_000, ONE_PPM), Some(Resembles::Nothing));
    }
}
