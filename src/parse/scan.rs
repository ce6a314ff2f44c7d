//! Where a word ends: sixteen bytes are looked at in one go.
//!
//! ```text
//! bytes    1  9  2  .  0  .  2  .  1  ␣  -  ␣  -  ␣  [  2
//! ends     .  .  .  .  .  .  .  .  .  x  .  x  .  x  .  .     the highest bit of each byte that ends a word
//! length                              9                       the lowest of these bits
//! ```
//!
//! Words are short: to call `memchr` for one would cost more than to look. They stop at the newline, too: whoever walks
//! a line needs not know its end before. Where fewer bytes than a piece are left nothing is said.
//!
//! Subtracting from all bytes of a number at once borrows from the next byte above where a byte becomes negative, so
//! only the lowest bit found is sure to be right, and no other is asked for.

#![allow(clippy::inline_always, reason = "a call would cost as much as what is called")]

/// Bytes that are looked at in one go.
const PIECE: usize = 16;

/// The bytes before the first that ends a word: a blank, a quote, or what cannot be printed; and an exclamation mark,
/// because it stands between them.
#[inline(always)]
pub(super) fn word(bytes: &[u8]) -> Option<usize> {
    search(bytes, ends_word)
}

/// The same, or `mark`.
#[inline(always)]
pub(super) fn word_or(bytes: &[u8], mark: u8) -> Option<usize> {
    search(bytes, |piece| ends_word(piece) | equal(piece, mark))
}

#[inline(always)]
fn search(bytes: &[u8], ends: impl Fn(u128) -> u128) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let (piece, after) = rest.split_first_chunk::<PIECE>()?;
        let found = ends(u128::from_le_bytes(*piece)) & each(0x80);
        if found != 0 {
            return Some(bytes.len() - rest.len() + (found.trailing_zeros() / 8) as usize);
        }
        rest = after;
    }
}

/// The highest bit of each byte that ends a word, as far as it is the first.
#[inline(always)]
fn ends_word(piece: u128) -> u128 {
    piece.wrapping_sub(each(b'"' + 1)) & !piece
}

/// The highest bit of each byte that is `byte`, as far as it is the first.
#[inline(always)]
fn equal(piece: u128, byte: u8) -> u128 {
    let differences = piece ^ each(byte);
    differences.wrapping_sub(each(1)) & !differences
}

#[inline(always)]
const fn each(byte: u8) -> u128 {
    u128::MAX / 0xff * byte as u128
}

/// Every byte of a number of eight.
#[inline(always)]
pub(crate) const fn eight_of(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of every byte that is no digit.
#[inline(always)]
pub(crate) fn non_digits(bytes: u64) -> u64 {
    let digits = bytes ^ eight_of(b'0');
    // Up to 9 this stays below the highest bit, and never carries into the next byte.
    (((digits & eight_of(0x7f)) + eight_of(0x7f - 9)) | digits) & eight_of(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> Option<usize> {
        let found = bytes.iter().position(|&byte| is_end(byte))?;
        // Only whole pieces are looked at.
        (found / PIECE * PIECE + PIECE <= bytes.len()).then_some(found)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn words_end_where_their_twins_do(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                prop::collection::vec(prop::sample::select(&b"az#!\"\n |,\0\x7f\x80\x81\xa2\xff"[..]), 0..80),
                "[a-z]{0,70}[a-z\n\"|\u{e9}]{0,30}".prop_map(String::into_bytes),
            ],
            mark: u8,
        ) {
            let ends_word = |byte: u8| byte <= b'"';
            prop_assert_eq!(word(&bytes), naive(&bytes, ends_word));
            for mark in [b'|', mark] {
                prop_assert_eq!(word_or(&bytes, mark), naive(&bytes, |byte| ends_word(byte) || byte == mark));
            }
        }
    }
}
