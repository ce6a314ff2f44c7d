//! Where runs begin, as the distance of each to the next.
//!
//! Registries hand out blocks of 2^k addresses, aligned to their size: a distance is usually a power of two no larger
//! than the alignment of its start, which therefore chooses the lane. A distance that is not is `(2·more + 1)·2^k`.

use super::bytes::{self, Corrupt, Input};
use crate::place::runs::Address;

/// Alignments are 0 to 128 zero bits.
const ALIGNMENTS: usize = 129;
/// A distance is below 2^128.
const SHIFTS: usize = 128;
/// Set in a class whose distance is not a power of two.
const ODD: u8 = 0x80;

/// An address as bits.
pub(in crate::place) trait Bits: Address {
    /// As a number.
    fn bits(self) -> u128;
    /// From a number, if it is not too large.
    fn of_bits(bits: u128) -> Option<Self>;
    /// How many zero bits it ends in.
    fn alignment(self) -> usize;
    /// The address so far above this one.
    fn above(self, distance: Self) -> Option<Self>;
    /// 2^shift.
    fn power(shift: u8) -> Option<Self>;
}

macro_rules! bits {
    ($($address:ty),*) => {$(
        impl Bits for $address {
            fn bits(self) -> u128 {
                self.into()
            }

            fn of_bits(bits: u128) -> Option<Self> {
                bits.try_into().ok()
            }

            fn alignment(self) -> usize {
                self.trailing_zeros() as usize
            }

            fn above(self, distance: Self) -> Option<Self> {
                self.checked_add(distance)
            }

            fn power(shift: u8) -> Option<Self> {
                Self::checked_shl(1, shift.into())
            }
        }
    )*};
}

bits!(u32, u128);

/// Writes the starts of runs; the first is the lowest address.
pub(super) fn put<A: Bits>(out: &mut Vec<u8>, firsts: impl IntoIterator<Item = A>) {
    let mut classes = vec![Vec::new(); ALIGNMENTS];
    let mut odd = vec![Vec::new(); SHIFTS];
    let mut last = A::LOWEST;
    for first in firsts.into_iter().skip(1) {
        let distance = first.bits() - last.bits();
        let shift = distance.trailing_zeros() as usize;
        let mut class = u8::try_from(shift).expect("runs differ in their starts");
        let more = distance >> shift >> 1;
        if more > 0 {
            class |= ODD;
            bytes::put_varint(&mut odd[shift], more - 1);
        }
        classes[last.alignment()].push(class);
        last = first;
    }
    bytes::put_lanes(out, &classes);
    bytes::put_lanes(out, &odd);
}

/// Reads the starts of `count` runs, ascending.
pub(super) fn take<A: Bits>(input: &mut Input<'_>, count: usize) -> Result<Vec<A>, Corrupt> {
    let mut classes = bytes::lanes::<ALIGNMENTS>(input)?;
    let mut odd = bytes::lanes::<SHIFTS>(input)?;
    // Every run but the first has its class: no more memory than the lanes took.
    if classes.iter().map(|lane| lane.len()).sum::<usize>() + 1 != count {
        return Err(Corrupt);
    }
    let mut firsts = Vec::with_capacity(count);
    let mut last = A::LOWEST;
    firsts.push(last);
    for _ in 1..count {
        let class = bytes::byte(&mut classes[last.alignment()])?;
        let shift = class & !ODD;
        let distance = if class & ODD == 0 {
            A::power(shift)
        } else {
            let more = bytes::varint(&mut odd[usize::from(shift)])?.checked_add(1).ok_or(Corrupt)?;
            let fits = more.leading_zeros() > u32::from(shift);
            A::of_bits((more << 1 | 1) << shift).filter(|_| fits)
        };
        last = last.above(distance.ok_or(Corrupt)?).ok_or(Corrupt)?;
        firsts.push(last);
    }
    if odd.iter().all(|lane| lane.is_empty()) { Ok(firsts) } else { Err(Corrupt) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn there_and_back<A: Bits + std::fmt::Debug>(starts: impl IntoIterator<Item = A>) {
        let starts: BTreeSet<A> = starts.into_iter().chain([A::LOWEST]).collect();
        let mut out = Vec::new();
        put(&mut out, starts.iter().copied());
        let mut input: Input<'_> = &out;
        assert_eq!(take(&mut input, starts.len()), Ok(starts.into_iter().collect()));
        assert!(input.is_empty());
    }

    #[test]
    fn the_edges_come_back() {
        there_and_back([1_u32, 2, 3, 1 << 31, u32::MAX - 1, u32::MAX]);
        there_and_back([u32::MAX]);
        there_and_back([1_u128, 2, 3, 1 << 127, u128::MAX - 1, u128::MAX]);
        there_and_back([u128::MAX]);
    }

    #[test]
    fn counts_and_overflows_are_checked() {
        let mut out = Vec::new();
        put(&mut out, [0_u128, 1 << 127, u128::MAX]);
        assert_eq!(take::<u128>(&mut &*out, 2), Err(Corrupt));
        assert_eq!(take::<u128>(&mut &*out, 0), Err(Corrupt));
        assert_eq!(take::<u32>(&mut &*out, 3), Err(Corrupt));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn starts_come_back(
            starts in prop::collection::vec((any::<u128>(), 0_u32..128, 0_u32..128), 0..40),
        ) {
            there_and_back(starts.iter().map(|&(bits, down, up)| bits >> down << up));
            let high = |bits: u128| u32::try_from(bits >> 96).expect("32 bits are left");
            there_and_back(starts.iter().map(|&(bits, down, up)| high(bits) >> (down % 32) << (up % 32)));
        }
    }
}
