//! Listed machine names.
//!
//! A site may list a hundred thousand of them: their text lies in one piece, and the two tables hold only indices.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Idc;
use super::claim::Claim;

/// Machine names in lower case, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Entries by their whole name.
    full: HashTable<usize>,
    /// By the first label of names that have several.
    labels: HashTable<Label>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Entry {
    start: usize,
    length: u8,
    claim: Claim,
}

/// The machines whose names begin with the same label.
#[derive(Debug)]
struct Label {
    /// One of them.
    entry: usize,
    /// The label's length.
    length: u8,
    /// Where all of them are; `None` if machines of several data centres share the label.
    idc: Option<u16>,
}

impl Names {
    /// Enters a name of at most 255 bytes, or gives the claim that was made for it.
    pub(super) fn claim(&mut self, name: &str, claim: Claim) -> Option<Claim> {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text[start..].make_ascii_lowercase();
        let (text, entries) = (&self.text, &self.entries);
        let name = &text[start..];
        let hash = self.hasher.hash_one(name);
        let whole = |index: &usize| entries[*index].name(text);
        if let Some(&index) = self.full.find(hash, |index| whole(index) == name) {
            self.text.truncate(start);
            return Some(self.entries[index].claim);
        }
        let entry = entries.len();
        self.full.insert_unique(hash, entry, |index| self.hasher.hash_one(whole(index)));
        if let Some(dot) = name.iter().position(|&byte| byte == b'.') {
            let label = &name[..dot];
            let hash = self.hasher.hash_one(label);
            let first = |other: &Label| &text[entries[other.entry].start..][..usize::from(other.length)];
            match self.labels.find_mut(hash, |other| first(other) == label) {
                Some(shared) if shared.idc == Some(claim.idc) => {}
                Some(shared) => shared.idc = None,
                None => {
                    let length = u8::try_from(dot).expect("a label is shorter than its name");
                    let label = Label { entry, length, idc: Some(claim.idc) };
                    // The new entry is not among the entries yet, but nor is its label in the table that may grow.
                    self.labels.insert_unique(hash, label, |other| self.hasher.hash_one(first(other)));
                }
            }
        }
        let length = u8::try_from(name.len()).expect("names are at most 255 bytes");
        self.entries.push(Entry { start, length, claim });
        None
    }

    /// The machine of exactly this name, in lower case.
    pub(super) fn exact(&self, name: &[u8]) -> Option<Idc> {
        let hash = self.hasher.hash_one(name);
        let index = self.full.find(hash, |index| self.entries[*index].name(&self.text) == name)?;
        Some(Idc(self.entries[*index].claim.idc))
    }

    /// `web1.bj` is the listed `web1`; `web1` is the listed `web1.bj` if that is the only one. But `web1.sh` is
    /// not `web1.bj`.
    pub(super) fn short(&self, name: &[u8]) -> Option<Idc> {
        if let Some(dot) = name.iter().position(|&byte| byte == b'.') {
            return self.exact(&name[..dot]);
        }
        let first =
            |label: &Label| &self.text[self.entries[label.entry].start..][..usize::from(label.length)];
        let label = self.labels.find(self.hasher.hash_one(name), |label| first(label) == name)?;
        label.idc.map(Idc)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Gives every data centre its final number.
    pub(super) fn renumber(&mut self, finals: &[Idc]) {
        for entry in &mut self.entries {
            entry.claim.idc = finals[usize::from(entry.claim.idc)].0;
        }
        for label in &mut self.labels {
            label.idc = label.idc.map(|idc| finals[usize::from(idc)].0);
        }
    }
}

impl Entry {
    fn name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start..][..usize::from(self.length)]
    }
}
