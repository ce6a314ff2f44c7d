//! A flat table in a file of its own: what `bandwho ipdb compile` writes, so that later runs need not merge again.
//!
//! ```text
//! "BWIP" version(u32) crc32-of-the-rest(u32) | header length(u32) header(JSON) | records | IPv4 | IPv6
//! ```
//! All numbers are little-endian. The header names the databases it was made from: as long as they lie where they lay
//! then, a change of one makes the file stale, and a stale table is refused rather than believed.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Fields;
use super::builtin::attribution;
use super::flat::{Flat, V4, V6};
use super::known::{Known, Unreadable};
use super::netkind::NetKind;
use super::records::{Records, Row};
use super::runs::Runs;
use super::source::{About, Source, modified};
use crate::error::Error;

/// What a compiled file begins with.
pub(super) const MAGIC: &[u8; 4] = b"BWIP";

/// Raised whenever the meaning of the bytes changes.
const VERSION: u32 = 1;

/// Longer headers are none.
const HEADER_MAX: usize = 1 << 20;

/// A compiled file in memory.
#[derive(Debug)]
pub(super) struct Compiled {
    about: About,
    flat: Arc<Flat>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    databases: Vec<Origin>,
}

/// A database that a table was made from.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    name: String,
    form: String,
    date: Option<String>,
    /// Where it lay; none for the built-in table.
    path: Option<PathBuf>,
    bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    modified: u64,
}

/// The file for a table made from these databases.
pub(super) fn write<'a>(flat: &Flat, databases: impl Iterator<Item = &'a About>) -> Result<Vec<u8>, Error> {
    let databases = databases.map(Origin::of).collect::<Result<_, _>>()?;
    let header = serde_json::to_vec(&Header { databases }).expect("texts and numbers");
    let mut payload = Vec::new();
    put(&mut payload, header.len());
    payload.extend_from_slice(&header);
    write_records(&flat.records, &mut payload);
    flat.v4.write(&mut payload);
    flat.v6.write(&mut payload);
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&checksum(&payload).to_le_bytes());
    file.append(&mut payload);
    Ok(file)
}

/// Reads a file that begins with [`MAGIC`].
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Compiled, Error> {
    let refuse = |why: &str| Error::Data(format!("{name}: {why}: run `bandwho ipdb compile` again"));
    let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(|| refuse("no compiled IP database"))?;
    let (version, sum) = (take(&mut rest), take(&mut rest));
    if version != Some(VERSION) {
        return Err(refuse("compiled by another version of bandwho"));
    }
    let corrupt = || refuse("the compiled IP database is damaged");
    if sum != Some(checksum(rest)) {
        return Err(corrupt());
    }
    let header = take(&mut rest).map(|length| length as usize).filter(|&length| length <= HEADER_MAX);
    let header = header.and_then(|length| split(&mut rest, length)).ok_or_else(corrupt)?;
    let header: Header = serde_json::from_slice(header).map_err(|_| corrupt())?;
    if let Some(stale) = header.databases.iter().find(|database| database.has_changed()) {
        return Err(refuse(&format!("{} has changed since this was compiled from it", stale.name)));
    }
    let records = read_records(&mut rest).ok_or_else(corrupt)?;
    let known = u32::try_from(records.rows.len()).map_err(|_| corrupt())?;
    let v4 = V4::read(&mut rest, known).ok_or_else(corrupt)?;
    let v6 = V6::read(&mut rest, known).filter(|_| rest.is_empty()).ok_or_else(corrupt)?;
    let names: Vec<&str> = header.databases.iter().map(|database| database.name.as_str()).collect();
    let about = About {
        name: format!("{name} ({})", names.join(" + ")),
        form: "compiled",
        date: header.databases.iter().filter_map(|database| database.date.clone()).max(),
        attribution: attribution(names.into_iter()),
        ..About::new(name, bytes.len() as u64)
    };
    Ok(Compiled { about, flat: Arc::new(Flat { v4, v6, records: Arc::new(records), asked: Fields::ALL }) })
}

impl Source for Compiled {
    fn about(&self) -> &About {
        &self.about
    }

    fn about_mut(&mut self) -> &mut About {
        &mut self.about
    }

    fn find(&self, address: IpAddr) -> u32 {
        self.flat.find(address)
    }

    fn read(&self, key: u32, _: IpAddr) -> Result<Known<'_>, Unreadable> {
        Ok(self.flat.records.known(key))
    }

    fn runs_v4(&self) -> Result<Runs<u32>, Error> {
        Ok(self.flat.v4.runs())
    }

    fn runs_v6(&self) -> Result<Runs<u128>, Error> {
        Ok(self.flat.v6.runs())
    }

    fn flat(&self) -> Option<&Arc<Flat>> {
        Some(&self.flat)
    }
}

impl Origin {
    fn of(about: &About) -> Result<Self, Error> {
        let About { name, form, date, path, bytes, modified, .. } = about;
        // A pipe is gone once it was read.
        let path = path.as_ref().filter(|_| *modified != 0);
        let whole = |path| fs::canonicalize(path).map_err(|source| Error::io("open", path, source));
        Ok(Self {
            name: name.clone(),
            form: (*form).to_owned(),
            date: date.clone(),
            path: path.map(|path| whole(path)).transpose()?,
            bytes: *bytes,
            modified: *modified,
        })
    }

    /// A database that is gone has not changed: tables are carried to machines that have none.
    fn has_changed(&self) -> bool {
        let now = self.path.as_deref().and_then(|path| fs::metadata(path).ok());
        now.is_some_and(|now| (now.len(), modified(&now)) != (self.bytes, Some(self.modified)))
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// A row in the file: country, net kind (with [`FAILED`]), the kind in a list, AS number, five texts.
const ROW_BYTES: usize = 28;

/// Set where some database failed.
const FAILED: u8 = 0x80;

fn write_records(records: &Records, out: &mut Vec<u8>) {
    put(out, records.texts.ends.len());
    records.texts.ends.iter().for_each(|end| out.extend_from_slice(&end.to_le_bytes()));
    out.extend_from_slice(records.texts.text.as_bytes());
    put(out, records.rows.len());
    for row in &records.rows {
        out.extend_from_slice(&row.country.unwrap_or_default());
        let failed = if row.failed == 0 { 0 } else { FAILED };
        out.extend_from_slice(&[NetKind::number(row.netkind) | failed, NetKind::number(row.listed)]);
        out.extend_from_slice(&row.asn.unwrap_or(0).to_le_bytes());
        row.texts.iter().for_each(|text| out.extend_from_slice(&text.to_le_bytes()));
    }
}

fn read_records(rest: &mut &[u8]) -> Option<Records> {
    let mut records = Records::default();
    let texts = take(rest)? as usize;
    let ends = split(rest, texts.checked_mul(4)?)?;
    let text = {
        let length = ends.last_chunk().map_or(0, |&end| u32::from_le_bytes(end));
        std::str::from_utf8(split(rest, length as usize)?).ok()?
    };
    let mut start = 0;
    for end in ends.chunks_exact(4) {
        let end = u32::from_le_bytes(end.try_into().ok()?) as usize;
        records.texts.push(text.get(start..end)?);
        start = end;
    }
    let rows = take(rest)? as usize;
    for row in split(rest, rows.checked_mul(ROW_BYTES)?)?.chunks_exact(ROW_BYTES) {
        let number = |at: usize| u32::from_le_bytes(row[at..at + 4].try_into().expect("four bytes"));
        let country = [row[0], row[1]];
        let texts = [8, 12, 16, 20, 24].map(number);
        if texts.iter().any(|&text| text as usize > records.texts.ends.len())
            || !(country == [0, 0] || country.iter().all(u8::is_ascii_uppercase))
        {
            return None;
        }
        records.rows.push(Row {
            country: (country != [0, 0]).then_some(country),
            netkind: NetKind::numbered(row[2] & !FAILED).ok()?,
            listed: NetKind::numbered(row[3]).ok()?,
            asn: Some(number(4)).filter(|&asn| asn != 0),
            texts,
            // Whichever it was, to this run the file is one database.
            failed: u64::from(row[2] & FAILED != 0),
        });
    }
    Some(records)
}

fn put(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("tables have fewer than 2³² parts");
    out.extend_from_slice(&number.to_le_bytes());
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

fn split<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}
