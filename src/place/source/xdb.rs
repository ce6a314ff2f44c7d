//! ip2region's xdb: segments of addresses in ascending order, each with a place in the file where its record stands.
//!
//! ```text
//! header 256 B | index of the first two bytes 512 KiB | records | segments: first, last, length, place
//! ```
//!
//! The file's own index is not read: one like it is made of the segments while they are checked at opening, which
//! costs nothing beside the check. So a search cannot differ from a scan, whatever the file says.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;

use super::words::said;
use super::{About, Source};
use crate::error::Error;
use crate::place::known::{Known, Unreadable, alpha2};
use crate::place::runs::{NONE, Runs};
use crate::place::{date, region};

/// An open xdb.
#[derive(Debug)]
pub(super) struct Xdb {
    about: About,
    bytes: Vec<u8>,
    header: Header,
    /// By the first two bytes of an address: the first segment that begins there or later.
    blocks: Vec<u32>,
    /// Where each record stands and how long it is.
    lengths: HashMap<u32, u16, RandomState>,
    order: Order,
    /// Where records stand that say nothing, ascending: there are few, for records are there once.
    nothing: Vec<u32>,
}

/// What stands in the first bytes, where it makes sense.
#[derive(Debug, Clone, Copy)]
struct Header {
    created: u32,
    family: Family,
    /// Where the segments begin.
    start: usize,
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// What the fields of a record are, which depends on the age of the data and not on the version of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// country, area, province, city, carrier
    Older,
    /// country, province, city, carrier, ISO code
    Newer,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    first: u128,
    last: u128,
    length: u16,
    place: u32,
}

impl Segment {
    fn record(&self) -> (u32, u16) {
        (self.place, self.length)
    }
}

const HEADER_SIZE: usize = 256;
const INDEX_SIZE: usize = 512 << 10;
/// As many values as two bytes have.
const BLOCKS: usize = 1 << 16;
/// Records whose fifth field says something that are looked at to tell the order of fields.
const SAMPLE: u32 = 1_000;

/// True if the bytes begin as an xdb does and the segments lie inside.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    Header::read(bytes).is_some()
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let family = match (half(0)?, half(16)?) {
            (2, _) | (3, 4) => Family::V4,
            (3, 6) => Family::V6,
            _ => return None,
        };
        if !matches!(half(2)?, 1 | 2) {
            return None;
        }
        let (created, start, last) = (word(4)?, word(8)? as usize, word(12)? as usize);
        let size = family.segment_size();
        let length = last.checked_sub(start)?;
        let inside = HEADER_SIZE + INDEX_SIZE <= start && last + size <= bytes.len();
        (inside && length.is_multiple_of(size)).then_some(Self {
            created,
            family,
            start,
            count: length / size + 1,
        })
    }

    fn segment(&self, bytes: &[u8], index: usize) -> Segment {
        let size = self.family.segment_size();
        let bytes = &bytes[self.start + index * size..][..size];
        let (addresses, record) = bytes.split_at(size - 6);
        let (first, last) = addresses.split_at(addresses.len() / 2);
        // Unlike everything else, IPv6 addresses stand with the highest byte first.
        let number = |bytes: &[u8]| match self.family {
            Family::V4 => little(bytes),
            Family::V6 => bytes.iter().fold(0, |number, &byte| number << 8 | u128::from(byte)),
        };
        Segment {
            first: number(first),
            last: number(last),
            length: u16::try_from(little(&record[..2])).expect("two bytes"),
            place: u32::try_from(little(&record[2..])).expect("four bytes"),
        }
    }
}

fn little(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte))
}

impl Family {
    /// Two addresses, a length and a place.
    fn segment_size(self) -> usize {
        match self {
            Self::V4 => 4 + 4 + 2 + 4,
            Self::V6 => 16 + 16 + 2 + 4,
        }
    }

    /// The first two bytes of an address.
    fn block(self, address: u128) -> usize {
        let shift = match self {
            Self::V4 => 16,
            Self::V6 => 112,
        };
        usize::try_from(address >> shift).expect("two bytes") & (BLOCKS - 1)
    }
}

impl Xdb {
    /// Checks that segments ascend and point to records.
    pub(super) fn parse(about: About, bytes: Vec<u8>) -> Result<Self, Error> {
        let header = Header::read(&bytes)
            .ok_or_else(|| Error::Data(format!("{}: not an ip2region database", about.name)))?;
        let wrong =
            |index: usize, what| Error::Data(format!("{}: segment {}: {what}", about.name, index + 1));
        let mut blocks = Vec::with_capacity(BLOCKS + 1);
        let mut lengths = HashMap::default();
        let mut vote = Vote::default();
        let mut before: Option<Segment> = None;
        for index in 0..header.count {
            let segment = header.segment(&bytes, index);
            check(&segment, before, &bytes).map_err(|what| wrong(index, what))?;
            let number = u32::try_from(index).expect("as many segments as fit a file below 4 GiB");
            while blocks.len() <= header.family.block(segment.first) {
                blocks.push(number);
            }
            if segment.length > 0 && before.is_none_or(|before| before.record() != segment.record()) {
                match lengths.insert(segment.place, segment.length) {
                    None => vote.hear(record(&bytes, segment.place, segment.length)),
                    Some(length) if length == segment.length => {}
                    Some(_) => return Err(wrong(index, "its record has another length elsewhere")),
                }
            }
            before = Some(segment);
        }
        blocks.resize(BLOCKS + 1, u32::try_from(header.count).expect("see above"));
        let about = About { form: "xdb", date: date(header.created.into()), ..about };
        let mut xdb =
            Self { about, bytes, header, blocks, lengths, order: vote.order(), nothing: Vec::new() };
        xdb.nothing = xdb.lengths.keys().copied().filter(|&place| xdb.says_nothing(place)).collect();
        xdb.nothing.sort_unstable();
        Ok(xdb)
    }

    /// Country, code, province, city and carrier as they are written.
    fn fields(&self, place: u32) -> Result<[Option<&str>; 5], Unreadable> {
        let &length = self.lengths.get(&place).ok_or(Unreadable)?;
        let text = std::str::from_utf8(record(&self.bytes, place, length)).map_err(|_| Unreadable)?;
        let mut fields = text.splitn(6, '|');
        let mut next = || fields.next().ok_or(Unreadable);
        let [one, two, three, four, five] = [next()?, next()?, next()?, next()?, next()?];
        Ok(match self.order {
            Order::Older => [one, "", three, four, five],
            Order::Newer => [one, five, two, three, four],
        }
        .map(said))
    }

    /// A record that cannot be read is not one that says nothing.
    fn says_nothing(&self, place: u32) -> bool {
        let Ok([country, code, province, city, carrier]) = self.fields(place) else { return false };
        // Only what has no more than a country is looked up.
        let inside = province.or(city).or(carrier);
        inside.is_none() && code.and_then(alpha2).or_else(|| region::country(country?)).is_none()
    }

    /// The key of a segment's addresses.
    fn key(&self, segment: &Segment) -> u32 {
        let says = segment.length > 0 && self.nothing.binary_search(&segment.place).is_err();
        if says { segment.place } else { NONE }
    }

    /// The segment around an address.
    fn search(&self, address: u128) -> Option<Segment> {
        let block = self.header.family.block(address);
        // The last segment of an earlier block may reach into this one.
        let mut low = (self.blocks[block] as usize).saturating_sub(1);
        let mut high = self.blocks[block + 1] as usize;
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.header.segment(&self.bytes, middle).first <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let segment = self.header.segment(&self.bytes, low.checked_sub(1)?);
        (segment.first <= address && address <= segment.last).then_some(segment)
    }

    fn segments(&self) -> impl Iterator<Item = Segment> {
        (0..self.header.count).map(|index| self.header.segment(&self.bytes, index))
    }
}

fn check(segment: &Segment, before: Option<Segment>, bytes: &[u8]) -> Result<(), &'static str> {
    if segment.first > segment.last {
        return Err("it ends before it begins");
    }
    if before.is_some_and(|before| before.last >= segment.first) {
        return Err("it begins before the one before it ends");
    }
    if segment.place as usize + usize::from(segment.length) > bytes.len() {
        return Err("its record lies outside the file");
    }
    Ok(())
}

fn record(bytes: &[u8], place: u32, length: u16) -> &[u8] {
    &bytes[place as usize..][..length.into()]
}

/// What the first records say about the order of fields: only the newer one ends with two capitals.
#[derive(Debug, Default)]
struct Vote {
    codes: u32,
    others: u32,
}

impl Vote {
    fn hear(&mut self, record: &[u8]) {
        if self.codes + self.others == SAMPLE {
            return;
        }
        match record.split(|&byte| byte == b'|').nth(4) {
            None | Some(b"" | b"0") => {}
            Some([first, second]) if first.is_ascii_uppercase() && second.is_ascii_uppercase() => {
                self.codes += 1;
            }
            // Networks that are nobody's are filled in with such a word.
            Some(text) if std::str::from_utf8(text).is_ok_and(|text| said(text).is_none()) => {}
            Some(_) => self.others += 1,
        }
    }

    fn order(&self) -> Order {
        if self.codes > self.others { Order::Newer } else { Order::Older }
    }
}

impl Source for Xdb {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        let address = match (address, self.header.family) {
            (IpAddr::V4(address), Family::V4) => address.to_bits().into(),
            (IpAddr::V6(address), Family::V6) => address.to_bits(),
            _ => return NONE,
        };
        self.search(address).map_or(NONE, |segment| self.key(&segment))
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        let [country, code, province, city, carrier] = self.fields(key)?;
        let country = code.and_then(alpha2).or_else(|| region::country(country?));
        let (country, code, province) = region::settle(country, None, province);
        Ok(Known { country, province, code, city, carrier, ..Known::default() })
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        let mut runs = Runs::new();
        if self.header.family == Family::V4 {
            let bits = |address: u128| u32::try_from(address).expect("read from four bytes");
            for segment in self.segments() {
                runs.push(bits(segment.first), bits(segment.last), self.key(&segment));
            }
        }
        Ok(runs)
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        let mut runs = Runs::new();
        if self.header.family == Family::V6 {
            for segment in self.segments() {
                runs.push(segment.first, segment.last, self.key(&segment));
            }
        }
        Ok(runs)
    }
}

/// Files as ip2region's own maker writes them.
#[cfg(test)]
pub(super) mod write {
    use std::collections::HashMap;

    use super::{BLOCKS, HEADER_SIZE, INDEX_SIZE};

    /// `family` is 4 or 6. Ranges ascend; where they span several blocks they are cut.
    pub(in crate::place) fn file(
        version: u16,
        family: u16,
        created: u32,
        ranges: &[(u128, u128, &str)],
    ) -> Vec<u8> {
        let mut file = vec![0; HEADER_SIZE + INDEX_SIZE];
        let mut places = HashMap::new();
        for &(_, _, record) in ranges {
            places.entry(record).or_insert_with(|| {
                let place = u32::try_from(file.len()).unwrap();
                file.extend_from_slice(record.as_bytes());
                place
            });
        }
        let shift = if family == 4 { 16 } else { 112 };
        let start = file.len();
        let mut last_at = start;
        for &(first, last, record) in ranges {
            for block in first >> shift..=last >> shift {
                last_at = file.len();
                let low = first.max(block << shift);
                let high = last.min(block << shift | ((1 << shift) - 1));
                for address in [low, high] {
                    match family {
                        4 => file.extend_from_slice(&address.to_le_bytes()[..4]),
                        _ => file.extend_from_slice(&address.to_be_bytes()),
                    }
                }
                file.extend_from_slice(&u16::try_from(record.len()).unwrap().to_le_bytes());
                file.extend_from_slice(&places[record].to_le_bytes());
                index(&mut file, usize::try_from(block).unwrap(), last_at);
            }
        }
        file[..2].copy_from_slice(&version.to_le_bytes());
        file[2..4].copy_from_slice(&1_u16.to_le_bytes());
        let words = [created, u32::try_from(start).unwrap(), u32::try_from(last_at).unwrap()];
        for (at, word) in [4, 8, 12].into_iter().zip(words) {
            file[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        if version == 3 {
            file[16..18].copy_from_slice(&family.to_le_bytes());
            file[18..20].copy_from_slice(&4_u16.to_le_bytes());
        }
        file
    }

    /// Where a block's segments begin, and where the last of them ends.
    fn index(file: &mut [u8], block: usize, segment: usize) {
        assert!(block < BLOCKS);
        let end = u32::try_from(file.len()).unwrap().to_le_bytes();
        let entry = &mut file[HEADER_SIZE + block * 8..][..8];
        if entry[..4] == [0; 4] {
            entry[..4].copy_from_slice(&u32::try_from(segment).unwrap().to_le_bytes());
        }
        entry[4..].copy_from_slice(&end);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::super::law::differs;
    use super::*;

    fn open(bytes: Vec<u8>) -> Result<Xdb, Error> {
        Xdb::parse(About::new("x.xdb", 0), bytes)
    }

    /// The search of ip2region's readers: through the file's own index.
    fn theirs(xdb: &Xdb, address: u128) -> u32 {
        let entry = &xdb.bytes[HEADER_SIZE + xdb.header.family.block(address) * 8..][..8];
        let [start, end] = [&entry[..4], &entry[4..]].map(|word| usize::try_from(little(word)).unwrap());
        let size = xdb.header.family.segment_size();
        let (mut low, mut high) = (0, (end - start).cast_signed() / size.cast_signed());
        while low <= high {
            let middle = isize::midpoint(low, high);
            let at = start + middle.cast_unsigned() * size;
            if at + size > xdb.bytes.len() || start == 0 {
                return NONE;
            }
            let segment = xdb.header.segment(&xdb.bytes, (at - xdb.header.start) / size);
            if address < segment.first {
                high = middle - 1;
            } else if address > segment.last {
                low = middle + 1;
            } else {
                return xdb.key(&segment);
            }
        }
        NONE
    }

    fn ip(family: u16, address: u128) -> IpAddr {
        match family {
            4 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(address).unwrap())),
            _ => IpAddr::V6(Ipv6Addr::from_bits(address)),
        }
    }

    #[test]
    fn records_are_read_in_both_orders() {
        // country province city carrier
        let check = |version, record: &str, expected: [Option<&str>; 4]| {
            let other = if version == 2 { "美国|0|0|0|康卡斯特" } else { "United States|0|0|0|US" };
            let xdb = open(write::file(version, 4, 0, &[(0, 9, other), (10, 19, record)])).unwrap();
            let key = xdb.find(ip(4, 12));
            let known = if key == NONE { Known::default() } else { xdb.read(key, ip(4, 12)).unwrap() };
            let country = known.country.map(|code| String::from_utf8(code.to_vec()).unwrap());
            assert_eq!([country.as_deref(), known.province, known.city, known.carrier], expected, "{record}");
        };
        let telecom = Some("电信");
        check(2, "中国|0|广东省|深圳市|电信", [Some("CN"), Some("广东省"), Some("深圳市"), telecom]);
        check(2, "中国|0|香港|0|0", [Some("HK"), None, None, None]);
        check(2, "0|0|0|内网IP|内网IP", [None, None, None, None]);
        check(3, "中国|广东省|深圳市|电信|CN", [Some("CN"), Some("广东省"), Some("深圳市"), telecom]);
        check(3, "中国|台湾省|0|0|CN", [Some("TW"), None, None, None]);
        check(3, "日本|0|0|0|0", [Some("JP"), None, None, None]);
        check(3, "Reserved|Reserved|Reserved|0|0", [None, None, None, None]);
        let xdb = open(write::file(2, 4, 0, &[(0, 9, "中国|0")])).unwrap();
        assert_eq!(xdb.read(xdb.find(ip(4, 0)), ip(4, 0)), Err(Unreadable));
    }

    #[test]
    fn records_that_say_nothing_are_none() {
        let check = |record: &str, expected: bool| {
            let other = "中国|0|广东省|0|电信";
            let xdb = open(write::file(2, 4, 0, &[(0, 9, other), (10, 19, record)])).unwrap();
            let known = xdb.find(ip(4, 12)) != NONE;
            assert_eq!((known, xdb.runs_v4().unwrap().len()), (expected, if expected { 3 } else { 2 }));
        };
        check("0|0|0|0|0", false);
        check("||||", false);
        check("0|0|0|内网IP|内网IP", false);
        check("Reserved|0|0|0|0|more", false);
        check("Erewhon|0|0|0|0", false);
        check("美国|0|0|0|0", true);
        check("0|0|0|0|x", true);
        // What cannot be read is counted, not left out.
        check("0|0|0|0", true);
    }

    #[test]
    fn what_it_is() {
        let v6 = open(write::file(3, 6, 1_772_323_200, &[(1 << 127, u128::MAX, "a|b|c|d|EU")])).unwrap();
        assert_eq!(v6.about().date.as_deref(), Some("2026-03-01"));
        assert_ne!(v6.find(ip(6, u128::MAX)), NONE);
        assert_eq!(v6.find(ip(6, 1)), NONE);
        assert_eq!(v6.find(ip(4, 1)), NONE);
    }

    #[test]
    fn segments_that_lie_are_refused() {
        let check = |ranges: &[(u128, u128, &str)], expected: &str| {
            let error = open(write::file(2, 4, 0, ranges)).unwrap_err();
            assert_eq!(error.to_string(), format!("x.xdb: {expected}"));
        };
        check(&[(5, 9, "a"), (0, 3, "a")], "segment 2: it begins before the one before it ends");
        check(&[(5, 9, "a"), (9, 12, "b")], "segment 2: it begins before the one before it ends");
        check(&[(9, 5, "a")], "segment 1: it ends before it begins");
        let mut bytes = write::file(2, 4, 0, &[(0, 9, "a")]);
        let end = bytes.len();
        bytes[end - 1] = 1;
        assert_eq!(
            open(bytes).unwrap_err().to_string(),
            "x.xdb: segment 1: its record lies outside the file"
        );
    }

    /// Gaps and lengths, small and large, so that ranges lie close together and span blocks.
    fn ranges() -> impl Strategy<Value = Vec<(u64, u64, usize)>> {
        let length = || prop_oneof![0_u64..3, 0_u64..200_000];
        prop::collection::vec((length(), length(), 0_usize..4), 1..12)
    }

    fn place(family: u16, base: u128, gaps: &[(u64, u64, usize)]) -> Vec<(u128, u128, &'static str)> {
        let records = ["", "中国|0|广东省|0|电信", "0|0|0|0|0", "日本|0|0|0|x"];
        // An IPv6 block is far wider than any gap.
        let wide = if family == 4 { 1 } else { 1_u128 << 96 };
        let mut first = base * wide;
        let mut ranges = Vec::new();
        for &(gap, length, record) in gaps {
            let start = first + u128::from(gap) * wide;
            ranges.push((start, start + u128::from(length) * wide, records[record]));
            first = start + u128::from(length) * wide + 1;
        }
        ranges
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn search_is_scan_is_their_search(gaps in ranges(), base in 0_u128..1 << 31, six: bool) {
            let family = if six { 6 } else { 4 };
            let ranges = place(family, base, &gaps);
            let xdb = open(write::file(3, family, 0, &ranges)).unwrap();
            let addresses: Vec<u128> = ranges
                .iter()
                .flat_map(|&(first, last, _)| {
                    [first.saturating_sub(1), first, u128::midpoint(first, last), last, last + 1]
                })
                .collect();
            for &address in &addresses {
                let naive = ranges.iter().find(|range| range.0 <= address && address <= range.1);
                let key = xdb.find(ip(family, address));
                let record = xdb.lengths.get(&key).map(|&length| record(&xdb.bytes, key, length));
                let nothing = ["", "0|0|0|0|0"];
                let said = naive.map(|range| range.2).filter(|record| !nothing.contains(record));
                let expected = said.map(str::as_bytes);
                prop_assert_eq!(record, expected);
                prop_assert_eq!(key, theirs(&xdb, address));
            }
            let addresses: Vec<_> = addresses.into_iter().map(|address| ip(family, address)).collect();
            prop_assert_eq!(differs(&xdb, &addresses).unwrap(), None);
        }

        #[test]
        fn corrupt_files_are_safe(
            gaps in ranges(),
            six: bool,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in 0_usize..30,
        ) {
            let family = if six { 6 } else { 4 };
            let mut bytes = write::file(3, family, 0, &place(family, 0, &gaps));
            let rest = bytes.len() - HEADER_SIZE - INDEX_SIZE;
            for (at, byte) in changes {
                // The index is not read: leave it alone.
                let at = at.index(20 + rest);
                let at = if at < 20 { at } else { at - 20 + HEADER_SIZE + INDEX_SIZE };
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.saturating_sub(20));
            if let Ok(xdb) = open(bytes) {
                prop_assert_eq!(differs(&xdb, &[]).unwrap(), None);
            }
        }
    }
}
