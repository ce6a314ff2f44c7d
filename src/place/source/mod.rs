//! Database files, one module per form, all alike from outside: addresses have keys, keys have records.

mod ipdb;
mod law;
mod listed;
mod mmdb;
mod ranges;
mod record;
mod words;
mod xdb;

use std::fmt::Debug;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use memchr::memmem;

use super::Fields;
use super::builtin::{self, BUILT_IN};
use super::compact::{self, Packed};
use super::compiled;
use super::flat::Flat;
use super::known::{Known, Unreadable};
use super::runs::Runs;
use crate::error::Error;
use crate::input;

#[cfg(test)]
pub(super) use ipdb::write::file as write_ipdb;
pub use law::disagreement;
pub(super) use listed::Listed;
#[cfg(test)]
pub(super) use xdb::write::file as write_xdb;

/// The key of addresses for which the database's own search fails; [`super::runs::NONE`] if it finds nothing.
pub(super) const BROKEN: u32 = u32::MAX - 1;

/// No database is larger: keys are offsets in 32 bits.
const SIZE_MAX: u64 = u32::MAX as u64 - 1;

/// A pipe or device gives no more: some have no end.
const PIPED_MAX: u64 = 1 << 30;

/// How many times its size an archive may hold, beyond what is small anyway.
const EXPANSION_MAX: u64 = 64;

/// See [`EXPANSION_MAX`].
const SMALL: u64 = 64 << 20;

/// One database in memory.
pub(super) trait Source: Debug + Send + Sync {
    /// What it is.
    fn about(&self) -> &About;

    /// The same, to be completed.
    fn about_mut(&mut self) -> &mut About;

    /// The key of an address's record, [`BROKEN`] or [`super::runs::NONE`].
    fn find(&self, address: IpAddr) -> u32;

    /// The record of a key that was found for `address`.
    fn read(&self, key: u32, address: IpAddr) -> Result<Known<'_>, Unreadable>;

    /// The key of every IPv4 address.
    fn runs_v4(&self) -> Result<Runs<u32>, Error>;

    /// The key of every IPv6 address, except those that [`super::carried`] answers by an IPv4 address.
    fn runs_v6(&self) -> Result<Runs<u128>, Error>;

    /// The flat table that it is already.
    fn flat(&self) -> Option<&Arc<Flat>> {
        None
    }

    /// The flat table, told apart by these fields, of a database that has most of it already.
    fn flatten(&self, _asked: Fields) -> Option<Flat> {
        None
    }
}

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// As given on the command line.
    pub name: String,
    /// The form of the file.
    pub form: &'static str,
    /// When it was made, `YYYY-MM-DD`, if it tells.
    pub date: Option<String>,
    /// Who must be named where its data is shown.
    pub attribution: Option<&'static str>,
    /// How long it is.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970, as it was read; 0 for what is no regular file.
    pub modified: u64,
    /// Where it lies; none for the built-in table.
    pub path: Option<PathBuf>,
}

impl About {
    /// A file of which only name and length are known yet.
    pub(super) fn new(name: &str, bytes: u64) -> Self {
        Self {
            name: name.to_owned(),
            form: "",
            date: None,
            attribution: None,
            bytes,
            modified: 0,
            path: Some(name.into()),
        }
    }
}

/// Reads a database into memory; the form is decided by content, not by name.
pub(super) fn open(path: &Path) -> Result<Box<dyn Source>, Error> {
    if path == Path::new(BUILT_IN) {
        return Ok(Box::new(builtin::open()));
    }
    let (bytes, modified) = read(path).map_err(|source| Error::io("open", path, source))?;
    let mut source = parse(&path.display().to_string(), bytes)?;
    let about = source.about_mut();
    // The name is for people: a path need not be text.
    (about.modified, about.path) = (modified, Some(path.to_owned()));
    Ok(source)
}

/// A database from its bytes.
pub(super) fn parse(name: &str, bytes: Vec<u8>) -> Result<Box<dyn Source>, Error> {
    let about = About::new(name, bytes.len() as u64);
    if is_mmdb(name, &bytes) {
        return Ok(Box::new(mmdb::Mmdb::parse(about, bytes)?));
    }
    // Real databases shrink to a tenth or so.
    let most = (bytes.len() as u64).saturating_mul(EXPANSION_MAX).saturating_add(SMALL).min(SIZE_MAX);
    let bytes = input::decompress(bytes, most).map_err(|cause| Error::Data(format!("{name}: {cause}")))?;
    Ok(match () {
        () if is_mmdb("", &bytes) => Box::new(mmdb::Mmdb::parse(about, bytes)?),
        () if bytes.starts_with(compiled::MAGIC) => Box::new(compiled::parse(&about.name, &bytes)?),
        () if bytes.starts_with(compact::MAGIC) => Box::new(Packed::parse(&about.name, &bytes)?),
        () if xdb::recognise(&bytes) => Box::new(xdb::Xdb::parse(about, bytes)?),
        () if ipdb::recognise(&bytes) => Box::new(ipdb::Ipdb::parse(about, bytes)?),
        () if is_text(&bytes) => Box::new(ranges::Ranges::parse(about, bytes)?),
        () => {
            let known = foreign(&about.name, &bytes).unwrap_or("neither MMDB, xdb, ipdb, CSV nor TSV");
            return Err(Error::Data(format!("{}: no IP database: {known}", about.name)));
        }
    })
}

/// The metadata stand in the last of the file, so far from its end at most.
const METADATA_SIZE_MAX: usize = 128 << 10;

/// A file of that name is taken at its word, so that a broken one is told from something else.
fn is_mmdb(name: &str, bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(METADATA_SIZE_MAX)..];
    has_extension(name, "mmdb") || memmem::rfind(tail, mmdb::MARKER).is_some()
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Enough of a file to tell text from anything else.
const HEAD_SIZE: usize = 4 << 10;

fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_SIZE)];
    !head.iter().any(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n'))
}

/// What a file is that others read and this program does not.
fn foreign(name: &str, bytes: &[u8]) -> Option<&'static str> {
    /// Where a legacy `GeoIP` file says what it is: behind three of these bytes near its end.
    const GEOIP_TAIL: usize = 80;
    let tail = &bytes[bytes.len().saturating_sub(GEOIP_TAIL)..];
    if bytes.starts_with(b"PK\x03\x04") {
        Some("a zip archive; give the file inside it")
    } else if has_extension(name, "bin") {
        Some("IP2Location's BIN is not read; its CSV is")
    } else if has_extension(name, "czdb") {
        Some("CZDB is encrypted and not read; an ipdb of the same data is")
    } else if has_extension(name, "dat") && memmem::find(tail, b"\xFF\xFF\xFF").is_some() {
        Some("legacy GeoIP .dat is not read; its successor MMDB is")
    } else if has_extension(name, "dat") {
        Some("a .dat of this kind is not read; MMDB, xdb, ipdb, CSV and TSV are")
    } else {
        None
    }
}

/// A file's bytes and when it was last written.
fn read(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        bytes.reserve(usize::try_from(metadata.len()).unwrap_or(0));
    }
    let modified = modified(&metadata).filter(|_| metadata.is_file());
    let most = if metadata.is_file() { SIZE_MAX } else { PIPED_MAX };
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(io::Error::other(format!("larger than {most} bytes")));
    }
    Ok((bytes, modified.unwrap_or(0)))
}

/// Nanoseconds since 1970.
pub(super) fn modified(metadata: &Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn form(name: &str, bytes: &[u8]) -> Result<&'static str, String> {
        parse(name, bytes.to_vec()).map(|source| source.about().form).map_err(|e| e.to_string())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_decides() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(form("x", bytes).as_deref(), Ok(expected));
            let archive = gzip(bytes);
            let source = parse("x.gz", archive.clone()).unwrap();
            let About { name, form, bytes, .. } = source.about();
            // The length is the file's, by which a change of it is seen.
            assert_eq!((name.as_str(), *form, *bytes), ("x.gz", expected, archive.len() as u64));
        };
        check(b"1.0.0.0,1.0.0.255,AU\n", "CSV");
        check(b"1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n", "TSV");
        check(&xdb::write::file(2, 4, 0, &[(0, 9, "a|0|b|c|d")]), "xdb");
        check(&ipdb::write::file("", &[(0x2400 << 112, 12, "")]), "ipdb");
        check(&mmdb_writer::Writer::builder("x").build().to_bytes().unwrap(), "MMDB");
    }

    #[test]
    fn what_is_no_database_is_told_by_name() {
        let check = |name: &str, bytes: &[u8], expected: &str| {
            assert_eq!(form(name, bytes), Err(format!("{name}: {expected}")));
        };
        check(
            "x.dat",
            b"\0\x01",
            "no IP database: a .dat of this kind is not read; MMDB, xdb, ipdb, CSV and TSV are",
        );
        check(
            "GeoIP.dat",
            b"\0\0\0\0\xFF\xFF\xFF\x01",
            "no IP database: legacy GeoIP .dat is not read; its successor MMDB is",
        );
        check("DB1.BIN", b"\x01\x02", "no IP database: IP2Location's BIN is not read; its CSV is");
        check("x", b"\0\x01", "no IP database: neither MMDB, xdb, ipdb, CSV nor TSV");
        check("x.zip", b"PK\x03\x04", "no IP database: a zip archive; give the file inside it");
        check(
            "x.mmdb",
            b"1.2.3.4,1.2.3.5,AU",
            "not a MaxMind database: invalid database: could not find MaxMind DB metadata in file",
        );
        assert!(form("x.gz", &gzip(b"text")[..12]).is_err());
    }
}
