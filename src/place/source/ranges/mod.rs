//! Tables of ranges as text: CSV and TSV, with or without a header, IPv4 and IPv6 in one file or in two.
//!
//! ```text
//! row ─ columns ─▶ range, text of what it says ─ intern ─▶ record number ─ nest ─▶ runs
//! ```
//!
//! Millions of rows share thousands of records, so a row is kept as two addresses and a number, and a file is read
//! into runs at once: a search cannot differ from the table. A database is a trusted input: the first row that cannot
//! be read is an error and not a reject.

mod address;
mod columns;
mod nest;
mod rows;

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::words::{self, Asn};
use super::{About, Source};
use crate::error::Error;
use crate::place::known::{Known, Unreadable};
use crate::place::runs::{NONE, Runs, find};
use address::{Span, bound, network, span};
use columns::{Addresses, Columns, Role, SEPARATOR};
use nest::Range;
use rows::{Rows, Trouble};

/// A table in memory.
#[derive(Debug)]
pub(super) struct Ranges {
    about: About,
    columns: Columns,
    records: Records,
    v4: Runs<u32>,
    v6: Runs<u128>,
}

impl Ranges {
    /// Reads all rows.
    pub(super) fn parse(about: About, bytes: Vec<u8>) -> Result<Self, Error> {
        match Tables::read(&bytes) {
            Ok(Tables { form, columns, records, v4, v6 }) => {
                drop(bytes);
                Ok(Self { about: About { form, ..about }, columns, records, v4, v6 })
            }
            Err(Trouble { line, column, what }) => {
                Err(Error::Data(format!("{}:{line}:{column}: {what}", about.name)))
            }
        }
    }
}

impl Source for Ranges {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        find(&self.v4, &self.v6, address)
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        Ok(self.columns.read(self.records.get(key).ok_or(Unreadable)?))
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        Ok(self.v4.clone())
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        Ok(self.v6.clone())
    }
}

/// What a file amounts to.
struct Tables {
    form: &'static str,
    columns: Columns,
    records: Records,
    v4: Runs<u32>,
    v6: Runs<u128>,
}

impl Tables {
    fn read(bytes: &[u8]) -> Result<Self, Trouble> {
        let rows = Rows::new(bytes);
        let form = rows.form();
        let (columns, mut rows) = Columns::find(rows)?;
        let mut interner = Interner::default();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        while rows.advance()? {
            let span = addresses(columns.addresses, &rows)?;
            let key = interner.key(&columns, &rows)?;
            let line = rows.line;
            match span {
                Span::V4(first, last) => v4.push(Range { first, last, key, line }),
                Span::V6(first, last) => v6.push(Range { first, last, key, line }),
            }
        }
        Ok(Self { form, columns, records: interner.records, v4: nest::runs(v4)?, v6: nest::runs(v6)? })
    }
}

fn addresses(columns: Addresses, rows: &Rows<'_>) -> Result<Span, Trouble> {
    let wrong = |index, what: &str| {
        let text = rows.get(index);
        rows.trouble(index, format!("not {what}: `{}`", String::from_utf8_lossy(&text)))
    };
    match columns {
        Addresses::Network(index) => network(&rows.get(index)).ok_or_else(|| wrong(index, "a network")),
        Addresses::Range(first, last) => {
            let bound = |index| bound(&rows.get(index)).ok_or_else(|| wrong(index, "an address"));
            span(bound(first)?, bound(last)?).map_err(|what| rows.trouble(last, what.to_owned()))
        }
    }
}

/// The texts of distinct records, one behind the other.
#[derive(Debug, Default)]
struct Records {
    text: String,
    ends: Vec<u32>,
}

impl Records {
    fn get(&self, number: u32) -> Option<&str> {
        let index = number as usize;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..end as usize)
    }
}

/// Gives equal records one number.
#[derive(Default)]
struct Interner {
    records: Records,
    numbers: HashTable<u32>,
    /// By number: the number, or [`NONE`] for a record that says nothing.
    keys: Vec<u32>,
    hasher: RandomState,
    /// The record being looked up, kept for its allocation.
    scratch: Vec<u8>,
}

impl Interner {
    fn key(&mut self, columns: &Columns, rows: &Rows<'_>) -> Result<u32, Trouble> {
        self.scratch.clear();
        for (place, &(_, index)) in columns.fields.iter().enumerate() {
            if place > 0 {
                self.scratch.push(SEPARATOR as u8);
            }
            self.scratch.extend_from_slice(&rows.get(index));
        }
        let Self { records, numbers, keys, hasher, scratch } = self;
        let hash = hasher.hash_one(scratch.as_slice());
        let same = |&number: &u32| records.get(number).is_some_and(|text| text.as_bytes() == scratch);
        if let Some(&number) = numbers.find(hash, same) {
            return Ok(keys[number as usize]);
        }
        let text = check(columns, rows, scratch)?;
        let number = u32::try_from(keys.len()).ok().filter(|&number| number < super::BROKEN);
        let number = number.ok_or_else(|| rows.trouble(0, "too many different rows".to_owned()))?;
        let nothing = columns.read(&text) == Known::default();
        records.text.push_str(&text);
        let end = u32::try_from(records.text.len());
        records.ends.push(end.map_err(|_| rows.trouble(0, "more than 4 GiB of names".to_owned()))?);
        keys.push(if nothing { NONE } else { number });
        let rehash = |&number: &u32| {
            hasher.hash_one(records.get(number).expect("numbers are those of records").as_bytes())
        };
        numbers.insert_unique(hash, number, rehash);
        Ok(keys[number as usize])
    }
}

/// What a record must be to be kept.
fn check<'a>(columns: &Columns, rows: &Rows<'_>, record: &'a [u8]) -> Result<Cow<'a, str>, Trouble> {
    for &(role, index) in &columns.fields {
        let text = rows.get(index);
        let Ok(text) = std::str::from_utf8(&text) else {
            return Err(rows.trouble(index, "not UTF-8".to_owned()));
        };
        if text.contains(SEPARATOR) {
            return Err(rows.trouble(index, "a control character".to_owned()));
        }
        if role == Role::Asn && words::asn(text) == Asn::NotANumber {
            return Err(rows.trouble(index, format!("not the number of a network: `{text}`")));
        }
    }
    Ok(String::from_utf8_lossy(record))
}

#[cfg(test)]
mod tests;
