//! A column of numbers most of which are new or were there a moment ago.
//!
//! Things are numbered in the order of first sight, so that a new one has no number to be written:
//!
//! ```text
//! numbers  1 2 1 1 3 2 … 1      (next to be given: 1)
//! steps    N N 1 0 N 2 … F      N new, 0.. so many other ones were seen since, F far away
//! far                    1
//! ```

use super::bytes::{self, Corrupt, Input};

/// A step to the next new number.
const NEW: u8 = 0;
/// A step to a number that is written in full.
const FAR: u8 = 1;
/// Higher steps lead back to what was seen recently.
const BACK: u8 = 2;

/// How many different numbers a step can reach. With 250 the built-in table is 1 % smaller and takes longer to load.
const REACH: usize = 64;

/// No column is longer, whoever wrote it: four times the runs of the largest city database.
const COUNT_MAX: usize = 1 << 24;

/// Numbers of things, given in the order of first sight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next(pub(super) u32);

/// Writes a column. Numbers not below `next` must come in ascending order when first seen, which is how
/// [`super::order`] gives them.
pub(super) fn put(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>, next: &mut Next) {
    let mut steps = Vec::new();
    let mut far = Vec::new();
    let mut recent = Recent::default();
    for number in numbers {
        if let Some(back) = recent.find(number) {
            recent.again(back);
            steps.push(BACK + u8::try_from(back).expect("the reach fits in a byte"));
            continue;
        }
        recent.push(number);
        if number == next.0 {
            next.0 += 1;
            steps.push(NEW);
        } else {
            steps.push(FAR);
            far.push(number);
        }
    }
    bytes::put_lane(out, &steps);
    bytes::put_planes(out, &far);
}

/// Reads a column: every number is below what `next` comes to.
pub(super) fn take(input: &mut Input<'_>, next: &mut Next) -> Result<Vec<u32>, Corrupt> {
    let steps = bytes::lane(input)?;
    let mut far = bytes::planes(input)?;
    if steps.len() > COUNT_MAX {
        return Err(Corrupt);
    }
    let mut numbers = Vec::with_capacity(steps.len());
    let mut recent = Recent::default();
    for &step in steps {
        let number = match step {
            NEW => {
                let new = next.0;
                next.0 = new.checked_add(1).ok_or(Corrupt)?;
                recent.push(new);
                new
            }
            FAR => {
                let number = far.next().filter(|&number| number < next.0).ok_or(Corrupt)?;
                recent.push(number);
                number
            }
            back => recent.again(usize::from(back - BACK)).ok_or(Corrupt)?,
        };
        numbers.push(number);
    }
    match far.next() {
        None => Ok(numbers),
        Some(_) => Err(Corrupt),
    }
}

/// What was seen last, the latest at the end. Only the last [`REACH`] count; the rest is thrown away in large pieces.
#[derive(Debug, Default)]
struct Recent(Vec<u32>);

impl Recent {
    fn find(&self, number: u32) -> Option<usize> {
        self.0.iter().rev().take(REACH).position(|&recent| recent == number)
    }

    /// The number that so many others were seen since; now it is the latest.
    fn again(&mut self, back: usize) -> Option<u32> {
        let last = self.0.len().checked_sub(1)?;
        let at = last.checked_sub(back).filter(|_| back < REACH)?;
        let number = self.0[at];
        // Most ways are short: a call to move the memory would take longer.
        for place in at..last {
            self.0[place] = self.0[place + 1];
        }
        self.0[last] = number;
        Some(number)
    }

    fn push(&mut self, number: u32) {
        if self.0.len() == 16 * REACH {
            self.0.drain(..15 * REACH);
        }
        self.0.push(number);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back(numbers: &[u32]) -> (Vec<u8>, Vec<u32>) {
        let mut out = Vec::new();
        let (mut written, mut read) = (Next(1), Next(1));
        put(&mut out, numbers.iter().copied(), &mut written);
        let mut input: Input<'_> = &out;
        let numbers = take(&mut input, &mut read).unwrap();
        assert_eq!((written.0, input), (read.0, &[][..]));
        (out, numbers)
    }

    #[test]
    fn the_drawing_above_is_true() {
        let (out, numbers) = there_and_back(&[1, 2, 1, 1, 3, 2]);
        assert_eq!(out, [6, NEW, NEW, BACK + 1, BACK, NEW, BACK + 2, 0]);
        assert_eq!(numbers, [1, 2, 1, 1, 3, 2]);
        let first_again: Vec<u32> = (1..=100).chain([1]).collect();
        let (out, numbers) = there_and_back(&first_again);
        assert_eq!(out[101..], [FAR, 1, 1, 0, 0, 0]);
        assert_eq!(numbers, first_again);
    }

    #[test]
    fn numbers_never_given_are_corrupt() {
        for bytes in
            [&[1, FAR, 1, 1, 0, 0, 0][..], &[1, BACK, 0], &[1, FAR, 0], &[1, NEW, 1, 0, 0, 0, 0], &[2, NEW]]
        {
            assert_eq!(take(&mut &*bytes, &mut Next(1)), Err(Corrupt), "{bytes:?}");
        }
        assert_eq!(take(&mut &[1, NEW, 0][..], &mut Next(u32::MAX)), Err(Corrupt));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn columns_come_back(choices in prop::collection::vec((0_u32..4, 0_u32..200), 0..300)) {
            let mut next = 1;
            let numbers: Vec<u32> = choices
                .iter()
                .map(|&(kind, at)| {
                    if kind == 0 {
                        next += 1;
                        return next - 1;
                    }
                    at % next
                })
                .collect();
            prop_assert_eq!(&there_and_back(&numbers).1, &numbers);
        }
    }
}
