//! Records of places, each once, in as few bytes as they need: what a flat table's numbers lead to.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::known::Known;
use super::netkind::NetKind;

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

    /// What the record of a number says.
    pub(super) fn known(&self, number: u32) -> Known<'_> {
        let Row { country, netkind, listed, asn, texts, .. } = self.rows[number as usize];
        let [province, code, city, carrier, org] = texts.map(|text| self.texts.get(text));
        Known { country, province, code, city, carrier, asn, org, netkind, listed }
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
    use super::*;

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
