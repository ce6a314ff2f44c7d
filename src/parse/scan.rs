//! Where a word or a quoted text ends: sixteen bytes are compared in one go.
//!
//! ```text
//! bytes    1  9  2  .  0  .  2  .  1  ␣  -  ␣  -  ␣  [  2
//! ends     .  .  .  .  .  .  .  .  .  x  .  x  .  x  .  .     one bit each
//! length                              9                       the lowest of these bits
//! ```
//!
//! Words and texts are short: to call `memchr` for one would cost more than to look. They stop at the newline, too:
//! whoever walks a line needs not know its end before. Where fewer bytes than a piece are left, nothing is said of a
//! word, and a text is searched for as any other.

#![allow(clippy::inline_always, reason = "a call would cost as much as what is called")]

use memchr::memchr2;
use wide::u8x16;

/// Bytes that are compared in one go.
const PIECE: usize = 16;

/// Bytes of a text that are looked at before anything is decided: most texts end there, and where they do is then no
/// branch that could be guessed wrong.
const STRIDE: usize = 64;

/// The bytes before the first that ends a word: a blank, a quote, or what cannot be printed; and an exclamation mark,
/// because it stands between them.
#[inline(always)]
pub(super) fn word(bytes: &[u8]) -> Option<usize> {
    search(bytes, |piece| ends_word(piece).to_bitmask())
}

/// The same, or `mark`.
#[inline(always)]
pub(super) fn word_or(bytes: &[u8], mark: u8) -> Option<usize> {
    search(bytes, |piece| (ends_word(piece) | piece.simd_eq(u8x16::splat(mark))).to_bitmask())
}

/// The bytes before the first quote or newline.
#[inline(always)]
pub(super) fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((stride, after)) = rest.split_first_chunk::<STRIDE>() {
        let found = ends_text(stride);
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize);
        }
        rest = after;
    }
    Some(bytes.len() - rest.len() + memchr2(b'"', b'\n', rest)?)
}

#[inline(always)]
fn search(bytes: &[u8], ends: impl Fn(u8x16) -> u32) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let (piece, after) = rest.split_first_chunk::<PIECE>()?;
        let found = ends(u8x16::new(*piece));
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize);
        }
        rest = after;
    }
}

/// The bytes that end a word: none of them is above a quote.
#[inline(always)]
fn ends_word(piece: u8x16) -> u8x16 {
    piece.min(u8x16::splat(b'"')).simd_eq(piece)
}

/// A bit for each byte that ends a text, the first lowest.
#[inline(always)]
fn ends_text(stride: &[u8; STRIDE]) -> u64 {
    let ends = |piece: &[u8; PIECE]| {
        let piece = u8x16::new(*piece);
        (piece.simd_eq(u8x16::splat(b'"')) | piece.simd_eq(u8x16::splat(b'\n'))).to_bitmask()
    };
    let pieces = stride.as_chunks().0.iter().enumerate();
    pieces.fold(0, |found, (at, piece)| found | u64::from(ends(piece)) << (PIECE * at))
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
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop::sample::select(&b"az#!\"\n |,\0\x7f\x80\x81\xa2\xff"[..]), 0..80),
                "[a-z]{0,70}[a-z\n\"|\u{e9}]{0,30}".prop_map(String::into_bytes),
            ],
            mark: u8,
        ) {
            let ends_word = |byte: u8| byte <= b'"';
            prop_assert_eq!(quoted(&bytes), bytes.iter().position(|byte| b"\"\n".contains(byte)));
            prop_assert_eq!(word(&bytes), naive(&bytes, ends_word));
            for mark in [b'|', mark] {
                prop_assert_eq!(word_or(&bytes, mark), naive(&bytes, |byte| ends_word(byte) || byte == mark));
            }
        }
    }
}
