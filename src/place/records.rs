//! Records of places, each once, in as few bytes as they need: what a flat table's numbers lead to.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::known::Known;
use super::netkind::NetKind;
use super::{Field, Fields};

/// Numbered records. Records and texts are numbered in the order of first sight, so equal input gives equal numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    /// By number.
    pub(super) rows: Vec<Row>,
    /// What rows refer to.
    pub(super) texts: Texts,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

/// A [`Known`] whose texts are numbers in [`Texts`], and which databases failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) country: Option<[u8; 2]>,
    pub(super) netkind: Option<NetKind>,
    pub(super) listed: Option<NetKind>,
    pub(super) asn: Option<u32>,
    /// Province, its code, city, carrier, organisation; 0 for what is not known.
    pub(super) texts: [u32; 5],
    /// Bit i: database i failed.
    pub(super) failed: u64,
}

impl Records {
    /// The number of a record, new or known.
    pub(super) fn number(&mut self, known: &Known<'_>, failed: u64) -> u32 {
        let Known { country, province, code, city, carrier, asn, org, netkind, listed } = *known;
        let texts = [province, code, city, carrier, org].map(|text| self.texts.number(text));
        self.add(Row { country, netkind, listed, asn, texts, failed })
    }

    /// The number of a row, new or known.
    pub(super) fn add(&mut self, row: Row) -> u32 {
        let (rows, hasher) = (&self.rows, &self.hasher);
        let hash = hasher.hash_one(row);
        if let Some(&number) = self.numbers.find(hash, |&number| rows[number as usize] == row) {
            return number;
        }
        let number = u32::try_from(rows.len()).expect("fewer records than addresses of four bytes");
        self.numbers.insert_unique(hash, number, |&number| hasher.hash_one(rows[number as usize]));
        self.rows.push(row);
        number
    }

    /// How many records some database failed on.
    pub(super) fn unreadable(&self) -> u64 {
        self.rows.iter().filter(|row| row.failed != 0).count() as u64
    }

    /// For every record the first one that says the same of these fields.
    pub(super) fn alike(&self, asked: Fields) -> Vec<u32> {
        let mut firsts: HashMap<Row, u32, RandomState> = HashMap::default();
        let numbered = (0..).zip(&self.rows);
        numbered.map(|(number, row)| *firsts.entry(row.only(asked)).or_insert(number)).collect()
    }

    /// What the record of a number says.
    pub(super) fn known(&self, number: u32) -> Known<'_> {
        let Row { country, netkind, listed, asn, texts, .. } = self.rows[number as usize];
        let [province, code, city, carrier, org] = texts.map(|text| self.texts.get(text));
        Known { country, province, code, city, carrier, asn, org, netkind, listed }
    }
}

impl Row {
    /// What is left for those who ask for these fields: each with all that [`Known::place`] tells it by.
    fn only(self, asked: Fields) -> Self {
        let is_asked = |fields: &[Field]| asked.has_any(fields);
        let place = is_asked(&[Field::Country, Field::Region, Field::Province]);
        let kind = is_asked(&[Field::Netkind]);
        let network = kind || is_asked(&[Field::Carrier]);
        let texts = [place, place, is_asked(&[Field::City]), network, network || is_asked(&[Field::Org])];
        let mut only = self;
        only.country = self.country.filter(|_| place);
        only.netkind = self.netkind.filter(|_| kind);
        only.listed = self.listed.filter(|_| kind);
        only.asn = self.asn.filter(|_| network || is_asked(&[Field::Asn]));
        only.texts.iter_mut().zip(texts).filter(|(_, is_kept)| !is_kept).for_each(|(text, _)| *text = 0);
        only
    }
}

/// Texts numbered from 1, end to end in one string.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// All of them.
    pub(super) text: String,
    /// Where each ends; it starts where the one before it ends.
    pub(super) ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Texts {
    /// The number of a text, new or known; 0 for none.
    pub(super) fn number(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        let (whole, ends) = (&self.text, &self.ends);
        let hash = self.hasher.hash_one(text);
        if let Some(&number) = self.numbers.find(hash, |&number| slice(whole, ends, number) == Some(text)) {
            return number;
        }
        self.push(text);
        let number = u32::try_from(self.ends.len()).expect("fewer texts than bytes");
        let (whole, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let again = |&number: &u32| hasher.hash_one(slice(whole, ends, number).unwrap_or_default());
        self.numbers.insert_unique(hash, number, again);
        number
    }

    /// Gives a text that is known to be new the next number.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).expect("a database has fewer than 4 GiB of text"));
    }

    /// The text of a number.
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        slice(&self.text, &self.ends, number)
    }
}

fn slice<'a>(text: &'a str, ends: &[u32], number: u32) -> Option<&'a str> {
    let at = number.checked_sub(1)? as usize;
    let start = at.checked_sub(1).map_or(0, |before| ends[before] as usize);
    text.get(start..ends[at] as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::NetKinds;

    #[test]
    fn what_goes_in_comes_out_under_one_number() {
        let mut records = Records::default();
        let nothing = Known::default();
        let city =
            Known { country: Some(*b"CN"), province: Some("广东省"), city: Some("深圳"), ..nothing };
        let network =
            Known { asn: Some(4134), org: Some("Chinanet"), netkind: Some(NetKind::Carrier), ..nothing };
        let namesake = Known { city: Some("广东省"), ..nothing };
        for (known, failed, number) in
            [(city, 0, 0), (network, 0, 1), (city, 0, 0), (namesake, 0, 2), (city, 1, 3), (nothing, 0, 4)]
        {
            assert_eq!(records.number(&known, failed), number, "{known:?}");
            assert_eq!(records.known(number), known);
        }
        assert_eq!(records.texts.ends.len(), 3, "texts are kept once");
    }

    fn known() -> impl Strategy<Value = Known<'static>> {
        let text = |texts: &'static [&'static str]| prop::option::of(prop::sample::select(texts));
        let kind = || prop::option::of(prop::sample::select(vec![NetKind::Carrier, NetKind::Idc]));
        let site = (
            prop::option::of(prop::sample::select(vec![*b"CN", *b"US"])),
            text(&["Guangdong", "Texas"]),
            text(&["GD", "TX"]),
            text(&["Shenzhen", "Austin"]),
        );
        let network = (
            text(&["China Telecom", "Hosting Ltd"]),
            prop::option::of(prop::sample::select(vec![4134, 15169])),
            text(&["Chinanet", "A University"]),
            kind(),
            kind(),
        );
        (site, network).prop_map(|((country, province, code, city), (carrier, asn, org, netkind, listed))| {
            Known { country, province, code, city, carrier, asn, org, netkind, listed }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn records_that_are_alike_say_the_same_of_what_is_asked(
            all in prop::collection::vec((known(), 0_u64..2), 1..12),
            asked: u8,
        ) {
            let asked = Fields(asked);
            let mut records = Records::default();
            for (known, failed) in &all {
                records.number(known, *failed);
            }
            let says = |number: u32| {
                let place = records.known(number).place(&NetKinds::default(), asked);
                (place, records.rows[number as usize].failed)
            };
            for (number, first) in (0..).zip(records.alike(asked)) {
                prop_assert!(first <= number);
                prop_assert_eq!(says(first), says(number), "{:?}", asked);
            }
            // Who asks for nothing cares for nothing but what could not be read.
            let failures = records.rows.iter().map(|row| row.failed).collect::<std::collections::HashSet<_>>();
            let kept = records.alike(Fields::default()).into_iter().collect::<std::collections::HashSet<_>>();
            prop_assert_eq!(kept.len(), failures.len());
        }
    }

    #[test]
    fn many_texts_are_found_again() {
        let mut texts = Texts::default();
        for round in 0..2 {
            for number in 1..=10_000 {
                assert_eq!(texts.number(Some(&format!("text {number}"))), number, "round {round}");
            }
        }
        assert_eq!((texts.get(0), texts.get(10_000)), (None, Some("text 10000")));
    }
}
