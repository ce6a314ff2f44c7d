//! Single lines: parsed records as NDJSON, rejected lines with their reason.

use serde::Serialize;

use super::{escape, json};
use crate::aggregate::{Joined, Source};
use crate::parse::{Record, Reject, plain};
use crate::time::{Precision, Zone};

/// One record, as `lines --ndjson` writes it.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: u64,
    time: Option<String>,
    start: Option<String>,
    end: Option<String>,
    client: Option<String>,
    peer: Option<String>,
    user: Option<String>,
    method: Option<String>,
    target: Option<String>,
    protocol: Option<String>,
    status: Option<u16>,
    host: Option<String>,
    server: Option<String>,
    referer: Option<String>,
    agent: Option<String>,
    body_bytes: Option<u64>,
    wire_bytes: Option<u64>,
    bytes_in: Option<u64>,
    duration_us: Option<u64>,
    upstream_us: Option<u64>,
    upstream_tries: Option<u32>,
    cache: Option<String>,
    country: Option<&'a str>,
    region: Option<&'a str>,
    province: Option<&'a str>,
    city: Option<&'a str>,
    carrier: Option<&'a str>,
    asn: Option<u32>,
    org: Option<&'a str>,
    netkind: Option<&'a str>,
    idc: Option<&'a str>,
}

/// Appends a record as one JSON object and a newline; it stands in that file, on that line.
pub fn write(
    record: &Record<'_>,
    (file, line): (&str, u64),
    joined: &Joined<'_>,
    source: &Source,
    out: &mut Vec<u8>,
) {
    let utc = Zone::utc();
    let time = |time: Option<crate::time::Timestamp>| time.map(|time| utc.rfc3339(time, Precision::Micros));
    let text = |raw: Option<&[u8]>| raw.map(|raw| escape::json(&plain(source.escape, raw)).into_owned());
    let client = joined.client.as_deref().map(|client| escape::json(client).into_owned());
    // Whoever the client is, what stood in its column is not lost.
    let other = || text(record.client).filter(|logged| Some(logged) != client.as_ref());
    let peer = text(record.peer).or_else(other);
    let place = joined.place;
    let row = Row {
        file,
        line,
        time: time(record.time),
        start: time(record.start),
        end: time(record.end),
        client,
        peer,
        user: text(record.user),
        method: text(record.method),
        target: record.full_target().and_then(|target| text(Some(&target))),
        protocol: text(record.protocol),
        status: record.status,
        host: text(record.host),
        server: text(record.server_addr.or(record.hostname)),
        referer: text(record.referer),
        agent: text(record.agent),
        body_bytes: record.body,
        wire_bytes: record.wire,
        bytes_in: record.bytes_in,
        duration_us: record.duration_us,
        upstream_us: record.upstream_us,
        upstream_tries: record.upstream_tries,
        cache: text(record.cache),
        country: place.country.as_deref(),
        region: place.region.as_deref(),
        province: place.province.as_deref(),
        city: place.city.as_deref(),
        carrier: place.carrier.as_deref(),
        asn: place.asn,
        org: place.org.as_deref(),
        netkind: place.netkind.as_deref(),
        idc: joined.idc,
    };
    json::write_line(&row, out).expect("strings and integers always serialize into memory");
}

/// Appends a line as a terminal may see it.
pub fn write_shown(line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(escape::terminal(line).as_bytes());
    out.push(b'\n');
}

/// The first line of a file of rejected lines: what the others hold.
pub const REJECTS_HEADER: &[u8] = b"# file, line, column, reason and text, between TABs; in file and text \\xNN is a byte, \\\\ a backslash\n";

/// Appends a rejected line: file, line, column, reason and the line, separated by TABs. It is evidence, so that no byte
/// of it may be lost, and was written by a stranger, so that it must be safe to look at.
pub fn write_reject(reject: Reject, file: &str, line: u64, text: &[u8], out: &mut Vec<u8>) {
    escape::evidence(file.as_bytes(), out);
    let place = format!("\t{line}\t{}\t{}\t", reject.column + 1, reject.reason.name());
    out.extend_from_slice(place.as_bytes());
    escape::evidence(text, out);
    out.push(b'\n');
}
