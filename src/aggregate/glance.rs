//! What was found for short texts, one comparison away.
//!
//! A million lines have a few dozen servers between them. Hashing such a text, looking for its
//! number and comparing it byte by byte takes longer than reading the line's numbers; here it is two words, which choose
//! a place and are compared at once.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// Texts remembered, at the place that their hash names: two that share one take turns.
const PLACES: usize = 256;

/// The longest text that is remembered.
const LENGTH_MAX: usize = 16;

/// A text of up to [`LENGTH_MAX`] bytes, whole: its length, and its first and last eight bytes.
type Words = (usize, u64, u64);

/// A memory of short texts in front of a slower one.
pub(super) struct Glance<V> {
    places: Box<[(Words, Option<V>)]>,
    // Seeded by the process: texts may be chosen by strangers.
    hasher: RandomState,
}

impl<V: Copy> Glance<V> {
    /// A memory of nothing.
    pub(super) fn new() -> Self {
        Self { places: vec![((0, 0, 0), None); PLACES].into(), hasher: RandomState::default() }
    }

    /// The value for `text`, made by `find` unless it was asked for lately.
    #[inline]
    pub(super) fn get(&mut self, text: &[u8], find: impl FnOnce(&[u8]) -> V) -> V {
        let Some(words) = words(text) else { return find(text) };
        let hash = self.hasher.hash_one(words.1 ^ words.2.rotate_left(32));
        let place = &mut self.places[usize::from(hash.to_le_bytes()[0]) % PLACES];
        match place {
            (known, Some(value)) if *known == words => *value,
            place => {
                let value = find(text);
                *place = (words, Some(value));
                value
            }
        }
    }
}

/// Texts of up to sixteen bytes; equal words are equal texts. Where the halves overlap they say the same twice.
#[inline]
fn words(text: &[u8]) -> Option<Words> {
    let length = text.len();
    let (first, last) = match length {
        8..=LENGTH_MAX => (u64::from_le_bytes(*text.first_chunk()?), u64::from_le_bytes(*text.last_chunk()?)),
        4..8 => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        }
        0..4 => (text.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0),
        _ => return None,
    };
    Some((length, first, last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn equal_words_are_equal_texts(one in "[a\0]{0,18}", other in "[a\0]{0,18}") {
            let [of_one, of_other] = [&one, &other].map(|text| words(text.as_bytes()));
            prop_assert_eq!(of_one.is_some(), one.len() <= LENGTH_MAX);
            prop_assert_eq!(of_one == of_other && of_one.is_some(), one == other && one.len() <= LENGTH_MAX);
        }

        #[test]
        fn every_text_has_its_own_value(texts in prop::collection::vec("[ab.0-9]{0,18}", 1..600)) {
            let mut glance = Glance::new();
            for text in &texts {
                let value = |text: &[u8]| text.iter().fold(text.len() as u64, |sum, &byte| sum * 31 % 1_000_003 + u64::from(byte));
                prop_assert_eq!(glance.get(text.as_bytes(), value), value(text.as_bytes()));
            }
        }
    }

    #[test]
    fn a_text_is_looked_for_once() {
        let mut glance = Glance::new();
        let mut made = 0;
        for _ in 0..3 {
            glance.get(b"10.2.0.30", |_| made += 1);
            glance.get(b"a text that is longer than sixteen bytes", |_| made += 1);
        }
        assert_eq!(made, 4);
    }
}
