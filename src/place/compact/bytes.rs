//! The notation of numbers and lanes inside a compact table.

/// A compact table that was not written by [`super::encode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::place) struct Corrupt;

/// What is left to read.
pub(super) type Input<'a> = &'a [u8];

/// Seven bits a byte, low ones first; the top bit says that more follow.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

pub(super) fn varint(input: &mut Input<'_>) -> Result<u128, Corrupt> {
    let first = byte(input)?;
    let mut number = u128::from(first & 0x7F);
    let mut last = first;
    let mut shift = 7;
    while last >= 0x80 {
        last = byte(input)?;
        let bits = u128::from(last & 0x7F);
        if shift >= u128::BITS || bits << shift >> shift != bits {
            return Err(Corrupt);
        }
        number |= bits << shift;
        shift += 7;
    }
    Ok(number)
}

/// A [`varint`] that counts what lies in memory.
pub(super) fn length(input: &mut Input<'_>) -> Result<usize, Corrupt> {
    usize::try_from(varint(input)?).map_err(|_| Corrupt)
}

pub(super) fn byte(input: &mut Input<'_>) -> Result<u8, Corrupt> {
    let (&byte, rest) = input.split_first().ok_or(Corrupt)?;
    *input = rest;
    Ok(byte)
}

/// Bytes of one meaning, preceded by their number.
pub(super) fn put_lane(out: &mut Vec<u8>, lane: &[u8]) {
    put_varint(out, lane.len() as u128);
    out.extend_from_slice(lane);
}

pub(super) fn lane<'a>(input: &mut Input<'a>) -> Result<Input<'a>, Corrupt> {
    let length = length(input)?;
    take(input, length)
}

/// Several lanes, their lengths first: what lies next to each other is what compresses well together.
pub(super) fn put_lanes(out: &mut Vec<u8>, lanes: &[Vec<u8>]) {
    for lane in lanes {
        put_varint(out, lane.len() as u128);
    }
    for lane in lanes {
        out.extend_from_slice(lane);
    }
}

pub(super) fn lanes<'a, const N: usize>(input: &mut Input<'a>) -> Result<[Input<'a>; N], Corrupt> {
    let mut lengths = [0; N];
    for each in &mut lengths {
        *each = length(input)?;
    }
    let mut lanes: [Input<'a>; N] = [&[]; N];
    for (lane, length) in lanes.iter_mut().zip(lengths) {
        *lane = take(input, length)?;
    }
    Ok(lanes)
}

/// Numbers of 32 bits as four lanes, low bytes first: the high ones are nearly all alike.
pub(super) fn put_planes(out: &mut Vec<u8>, numbers: &[u32]) {
    put_varint(out, numbers.len() as u128);
    for plane in 0..4 {
        out.extend(numbers.iter().map(|number| number.to_le_bytes()[plane]));
    }
}

pub(super) fn planes<'a>(input: &mut Input<'a>) -> Result<impl Iterator<Item = u32> + use<'a>, Corrupt> {
    let count = length(input)?;
    let mut plane = || take(input, count);
    let [a, b, c, d] = [plane()?, plane()?, plane()?, plane()?];
    Ok((0..count).map(|at| u32::from_le_bytes([a[at], b[at], c[at], d[at]])))
}

fn take<'a>(input: &mut Input<'a>, length: usize) -> Result<Input<'a>, Corrupt> {
    input.split_off(..length).ok_or(Corrupt)
}

fn low_byte(number: u128) -> u8 {
    number.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, u128::from(u64::MAX), u128::MAX >> 1, u128::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            out.push(9);
            let mut input: Input<'_> = &out;
            assert_eq!((varint(&mut input), input), (Ok(number), &[9][..]));
        }
    }

    #[test]
    fn what_does_not_end_or_fit_is_corrupt() {
        for bytes in [&[][..], &[0x80], &[0xFF; 18], &[0xFF; 40]] {
            assert_eq!(varint(&mut &*bytes), Err(Corrupt), "{bytes:?}");
        }
        assert_eq!(lane(&mut &[3, 1, 2][..]), Err(Corrupt));
        assert_eq!(lanes::<2>(&mut &[1, 2, 1, 2][..]), Err(Corrupt));
        assert!(planes(&mut &[1, 1, 2, 3][..]).is_err());
    }
}
