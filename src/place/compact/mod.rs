//! All databases at once in as few bytes as load in milliseconds: the form in which a table is carried in the binary.
//!
//! ```text
//! BWIC version ─┬─ part: IPv4 runs ─── starts by alignment │ numbers of records
//!               ├─ part: IPv6 runs ─── the same, records numbered on
//!               └─ part: records ───── which databases │ rows │ sites │ networks │ texts
//! part = length of its content, length of its frame, zstd frame with checksum
//! ```
//!
//! Records are numbered in the order of addresses, IPv4 first: equal tables give equal bytes. Country and network are
//! one table, not two: of 149,249 IPv4 runs of countries all but 5,353 begin where a run of networks does, so two
//! tables would store 144,000 starts twice and have to be joined at every start.
//!
//! Advice for changing this: sizes and times of the columns are in docs/IP-DATA.md; tried and not worth their code
//! were a dictionary of the words in names (5 % of the names) and contexts for the steps between numbers (1 %).

mod bytes;
mod numbers;
mod rows;
mod starts;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::Fields;
use super::builtin::attribution;
use super::flat::Flat;
use super::known::{Known, Unreadable};
use super::records::Records;
use super::runs::{Runs, find};
use super::source::{About, Source};
use crate::error::Error;
use bytes::Input;
use numbers::Next;

pub(super) use bytes::Corrupt;
pub(super) use starts::Bits;

/// How a compact table begins; the last byte is the version of its form.
pub(super) const MAGIC: &[u8; 5] = b"BWIC\x01";

/// The form named in [`About`].
const FORM: &str = "compact";

/// The strongest: the table is made once and read at every start.
const LEVEL: i32 = 22;

/// No part is larger when decompressed. The largest of the built-in table has 2.9 MB.
const CONTENT_MAX: usize = 1 << 25;

/// More databases than one run may join are not named.
const ABOUT_MAX: usize = super::DATABASES_MAX;

/// What a compact table cannot hold: too many runs or records, or too much text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit;

/// What a compact table holds.
#[derive(Debug, Clone)]
pub(super) struct Compact {
    /// The databases that it was made from.
    pub(super) about: Vec<About>,
    /// What the values of runs number.
    pub(super) records: Arc<Records>,
    pub(super) v4: Runs<u32>,
    pub(super) v6: Runs<u128>,
}

/// A compact table as a database.
#[derive(Debug)]
pub(super) struct Packed {
    about: About,
    bytes: &'static [u8],
    table: OnceLock<Compact>,
}

impl Packed {
    /// Bytes that are known to be a table: they are read when the first address is asked for.
    pub(super) fn trusted(about: About, bytes: &'static [u8]) -> Self {
        Self { about, bytes, table: OnceLock::new() }
    }

    /// A file that begins like a table.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let table = decode(bytes).map_err(|Corrupt| {
            Error::Data(format!(
                "{name}: the compiled IP database is damaged, or of another version of bandwho: run `bandwho ipdb compile` \
                 again"
            ))
        })?;
        let date = table.about.iter().filter_map(|about| about.date.clone()).max();
        let attribution = attribution(table.about.iter().map(|about| about.name.as_str()));
        let about = About { form: FORM, date, attribution, ..About::new(name, bytes.len() as u64) };
        Ok(Self { about, bytes: &[], table: OnceLock::from(table) })
    }

    /// What it holds.
    pub(super) fn table(&self) -> &Compact {
        self.table.get_or_init(|| decode(self.bytes).expect("a test reads the same bytes"))
    }
}

impl Source for Packed {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        let Compact { v4, v6, .. } = self.table();
        find(v4, v6, address)
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        Ok(self.table().records.known(key))
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        Ok(self.table().v4.clone())
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        Ok(self.table().v6.clone())
    }

    fn flatten(&self, asked: Fields) -> Option<Flat> {
        let Compact { records, v4, v6, .. } = self.table();
        Some(Flat::new(v4, v6, Arc::clone(records), asked))
    }
}

/// The compact form. Records that no run leads to are left out; a value that is no record's number means nothing.
pub(super) fn encode(
    about: &[About],
    records: &Records,
    v4: &Runs<u32>,
    v6: &Runs<u128>,
) -> Result<Vec<u8>, Unfit> {
    let mut order = Order { numbers: vec![0; records.rows.len()], rows: Vec::new() };
    let mut out = MAGIC.to_vec();
    put_part(&mut out, &runs(v4, &mut order))?;
    put_part(&mut out, &runs(v6, &mut order))?;
    let mut content = Vec::new();
    put_about(&mut content, about);
    rows::put(&mut content, records, &order.rows);
    put_part(&mut out, &content)?;
    Ok(out)
}

/// The table in its compact form.
pub(super) fn decode(bytes: &[u8]) -> Result<Compact, Corrupt> {
    let mut input = bytes.strip_prefix(MAGIC).ok_or(Corrupt)?;
    let (v4, v6, rows) = (frame(&mut input)?, frame(&mut input)?, frame(&mut input)?);
    if !input.is_empty() {
        return Err(Corrupt);
    }
    let take_records = || {
        let content = rows.content()?;
        let mut input: Input<'_> = &content;
        Ok((take_about(&mut input)?, rows::take(input)?))
    };
    thread::scope(|scope| {
        // Records take as long as runs, and the program waits for both.
        let other = thread::Builder::new().spawn_scoped(scope, take_records);
        let mut next = Next(1);
        let v4 = take_runs(&v4.content()?, &mut next)?;
        let v6 = take_runs(&v6.content()?, &mut next)?;
        let (about, records) = match other {
            Ok(other) => other.join().expect("reading records does not panic")?,
            // A system without threads to give still reads its table.
            Err(_) => take_records()?,
        };
        if records.rows.len() != next.0 as usize - 1 {
            return Err(Corrupt);
        }
        Ok(Compact { about, records: Arc::new(records), v4, v6 })
    })
}

/// Rows in the order in which runs name them.
struct Order {
    /// By the number of a row: its new one plus 1, or 0.
    numbers: Vec<u32>,
    rows: Vec<u32>,
}

impl Order {
    fn number(&mut self, value: u32) -> u32 {
        let Some(number) = self.numbers.get_mut(value as usize) else { return 0 };
        if *number == 0 {
            self.rows.push(value);
            *number = u32::try_from(self.rows.len()).expect("rows have numbers of 32 bits");
        }
        *number
    }
}

fn runs<A: Bits>(runs: &Runs<A>, order: &mut Order) -> Vec<u8> {
    let mut content = Vec::new();
    let mut next = Next(u32::try_from(order.rows.len()).expect("rows have numbers of 32 bits") + 1);
    // Values that mean nothing may have made neighbours that differed alike.
    let mut table = Runs::new();
    for (first, value) in runs.iter() {
        table.begin(first, order.number(value));
    }
    numbers::put(&mut content, table.iter().map(|(_, number)| number), &mut next);
    starts::put(&mut content, table.iter().map(|(first, _)| first));
    content
}

fn take_runs<A: Bits>(mut input: Input<'_>, next: &mut Next) -> Result<Runs<A>, Corrupt> {
    let mut values = numbers::take(&mut input, next)?;
    // 0 becomes NONE, any other the number of a row.
    for value in &mut values {
        *value = value.wrapping_sub(1);
    }
    let firsts = starts::take(&mut input, values.len())?;
    if !input.is_empty() {
        return Err(Corrupt);
    }
    Runs::of(firsts, values).ok_or(Corrupt)
}

fn put_about(content: &mut Vec<u8>, about: &[About]) {
    let about = &about[..about.len().min(ABOUT_MAX)];
    bytes::put_varint(content, about.len() as u128);
    for About { name, date, .. } in about {
        bytes::put_lane(content, name.as_bytes());
        bytes::put_lane(content, date.as_deref().unwrap_or_default().as_bytes());
    }
}

fn take_about(input: &mut Input<'_>) -> Result<Vec<About>, Corrupt> {
    let count = bytes::length(input)?;
    if count > ABOUT_MAX {
        return Err(Corrupt);
    }
    let mut text = || String::from_utf8(bytes::lane(input)?.to_vec()).map_err(|_| Corrupt);
    let mut about = || {
        let (name, date) = (text()?, Some(text()?).filter(|date| !date.is_empty()));
        Ok(About { name, form: FORM, date, attribution: None, bytes: 0, modified: 0, path: None })
    };
    (0..count).map(|_| about()).collect()
}

fn put_part(out: &mut Vec<u8>, content: &[u8]) -> Result<(), Unfit> {
    if content.len() > CONTENT_MAX {
        return Err(Unfit);
    }
    let frame = compress(content).map_err(|_| Unfit)?;
    for length in [content.len(), frame.len()] {
        out.extend_from_slice(&u32::try_from(length).map_err(|_| Unfit)?.to_le_bytes());
    }
    out.extend_from_slice(&frame);
    Ok(())
}

fn compress(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(content)
}

/// One part as it lies in the file.
struct Frame<'a> {
    compressed: Input<'a>,
    content_len: usize,
}

fn frame<'a>(input: &mut Input<'a>) -> Result<Frame<'a>, Corrupt> {
    let mut length = || {
        let (length, rest) = input.split_first_chunk().ok_or(Corrupt)?;
        *input = rest;
        usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Corrupt)
    };
    let (content_len, compressed) = (length()?, length()?);
    let compressed = input.split_off(..compressed).ok_or(Corrupt)?;
    if content_len > CONTENT_MAX { Err(Corrupt) } else { Ok(Frame { compressed, content_len }) }
}

impl Frame<'_> {
    fn content(&self) -> Result<Vec<u8>, Corrupt> {
        let mut decompressor = Decompressor::new().map_err(|_| Corrupt)?;
        let content = decompressor.decompress(self.compressed, self.content_len).map_err(|_| Corrupt)?;
        if content.len() == self.content_len { Ok(content) } else { Err(Corrupt) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::known::Known;
    use crate::place::netkind::NetKind;
    use crate::place::records::Row;
    use crate::place::runs::{Address, NONE};

    /// Ten records that share some of their texts, and none.
    fn records() -> Records {
        let mut records = Records::default();
        let texts = [None, Some("Guangdong"), Some("广东省"), Some("Chinanet"), Some("")];
        for number in 0..10 {
            let text = |step| texts[number * step % texts.len()];
            let known = Known {
                country: [None, Some(*b"CN"), Some(*b"DE")][number % 3],
                province: text(1),
                code: text(2),
                city: text(3),
                carrier: text(4),
                asn: [None, Some(0), Some(4134), Some(u32::MAX)][number % 4],
                org: text(6),
                netkind: [None, Some(NetKind::Idc), Some(NetKind::Edu)][number % 3],
                listed: [None, Some(NetKind::Carrier)][number % 2],
            };
            records.number(&known, if number == 7 { u64::MAX } else { 0 });
        }
        records
    }

    fn table<A: Bits>(starts: &[(u128, u32)]) -> Runs<A> {
        let mut starts: Vec<(A, u32)> = starts
            .iter()
            .map(|&(bits, value)| {
                (A::of_bits(bits).unwrap_or(A::LOWEST), if value == 10 { NONE } else { value })
            })
            .collect();
        starts.sort_unstable_by_key(|start| start.0);
        let mut runs = Runs::new();
        for (first, value) in starts {
            runs.begin(first, value);
        }
        runs
    }

    fn about() -> Vec<About> {
        let about = |name: &str, date: Option<&str>| About {
            name: name.into(),
            form: FORM,
            date: date.map(Into::into),
            attribution: None,
            bytes: 0,
            modified: 0,
            path: None,
        };
        vec![about("a.csv", Some("2026-06-17")), about("b.csv", None)]
    }

    fn says<A: Address>(runs: &Runs<A>, records: &Records, address: A) -> (Row, Vec<Option<String>>) {
        let mut row = records.rows.get(runs.get(address) as usize).copied().unwrap_or_default();
        let texts = row.texts.map(|text| records.texts.get(text).map(str::to_owned)).to_vec();
        row.texts = [0; 5];
        (row, texts)
    }

    fn starts() -> impl Strategy<Value = Vec<(u128, u32)>> {
        let address = (any::<u128>(), 0_u32..128, 0_u32..128).prop_map(|(bits, down, up)| bits >> down << up);
        prop::collection::vec((prop_oneof![address, any::<u32>().prop_map(u128::from)], 0_u32..11), 0..20)
    }

    #[test]
    fn an_empty_table_comes_back() {
        let bytes = encode(&[], &Records::default(), &Runs::new(), &Runs::new()).unwrap();
        let table = decode(&bytes).unwrap();
        assert_eq!((table.v4, table.v6, table.records.rows.len()), (Runs::new(), Runs::new(), 0));
    }

    #[test]
    fn what_is_not_a_compact_table_is_refused() {
        let bytes = encode(&about(), &records(), &table(&[(7, 1)]), &table(&[(9, 2)])).unwrap();
        assert_eq!(decode(&bytes).unwrap().about, about());
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]).err(), Some(Corrupt), "{length} bytes");
        }
        assert_eq!(decode(&[&bytes[..], b"\0"].concat()).err(), Some(Corrupt));
        let mut huge = MAGIC.to_vec();
        huge.extend_from_slice(&[0xFF; 100]);
        assert_eq!(decode(&huge).err(), Some(Corrupt));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_decoded_table_answers_as_before(v4 in starts(), v6 in starts()) {
            let (records, v4, v6) = (records(), table::<u32>(&v4), table::<u128>(&v6));
            let bytes = encode(&about(), &records, &v4, &v6).unwrap();
            let decoded = decode(&bytes).unwrap();
            prop_assert_eq!(v4.len(), decoded.v4.len());
            prop_assert_eq!(v6.len(), decoded.v6.len());
            for (first, _) in v4.iter().chain(decoded.v4.iter()) {
                prop_assert_eq!(says(&v4, &records, first), says(&decoded.v4, &decoded.records, first));
            }
            for (first, _) in v6.iter().chain(decoded.v6.iter()) {
                prop_assert_eq!(says(&v6, &records, first), says(&decoded.v6, &decoded.records, first));
            }
            let again = encode(&decoded.about, &decoded.records, &decoded.v4, &decoded.v6).unwrap();
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn changed_bytes_never_panic(
            v4 in starts(), v6 in starts(), part in 0_usize..4,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let bytes = encode(&about(), &records(), &table(&v4), &table(&v6)).unwrap();
            let mut input = &bytes[MAGIC.len()..];
            let mut parts: Vec<Vec<u8>> =
                (0..3).map(|_| frame(&mut input).unwrap().content().unwrap()).collect();
            let change = |bytes: &mut Vec<u8>| changes.iter().for_each(|(at, to)| *at.get_mut(bytes) = *to);
            let Some(content) = parts.get_mut(part) else {
                let mut bytes = bytes;
                change(&mut bytes);
                let _ = decode(&bytes);
                return Ok(());
            };
            // Behind the checksum: what a hostile writer could make.
            change(content);
            let mut bytes = MAGIC.to_vec();
            for part in &parts {
                put_part(&mut bytes, part).unwrap();
            }
            if let Ok(table) = decode(&bytes) {
                for number in table.v4.iter().map(|run| run.1).chain(table.v6.iter().map(|run| run.1)) {
                    prop_assert!(number == NONE || (number as usize) < table.records.rows.len());
                }
                for number in 0..table.records.rows.len() {
                    table.records.known(u32::try_from(number).unwrap());
                }
            }
        }
    }
}
