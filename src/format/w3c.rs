//! W3C extended log files: a `#Fields` line names the columns of the lines that follow it, and may come again.
//!
//! The draft (<https://www.w3.org/TR/WD-logfile>) gives names, UTC, and `time-taken` in seconds. IIS and most others
//! write milliseconds; `CloudFront` keeps to seconds. Its `x-edge-` columns give it away.

use super::strftime::strftime;
use super::{BadFormat, Edge, Escape, Field, Format, Grammar, Kind, Layout, Part, Piece, Shape, Unit};

/// Columns of one header at most.
pub const COLUMNS_MAX: usize = 1024;

/// A `#Software` line, or none, and a `#Fields` line as [`layout_of_header`] reads them together.
pub fn header(software: &[u8], fields: &[u8]) -> Vec<u8> {
    [software, b"\n", fields].concat()
}

/// Reads a `#Fields` line, or several `#` lines of which the last `#Fields` counts.
pub fn layout_of_header(header: &[u8]) -> Result<Layout, BadFormat> {
    let header = String::from_utf8_lossy(header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header));
    let values = |directive: &str| {
        header.lines().filter_map(|line| value_of(line, directive)).next_back().unwrap_or_default()
    };
    let software = values("#software:").to_ascii_lowercase();
    let names: Vec<String> = values("#fields:")
        .split_ascii_whitespace()
        .take(COLUMNS_MAX + 1)
        .map(str::to_ascii_lowercase)
        .collect();
    let bad = |message: &str| BadFormat { offset: 0, message: message.to_owned() };
    match names.len() {
        0 => return Err(bad("expected `#Fields:` and the names of columns")),
        1..=COLUMNS_MAX => {}
        _ => return Err(bad("`#Fields:` names more than 1024 columns")),
    }
    let writer = Writer::of(&names, &software);
    let is_utc = has(&names, "date") && has(&names, "time");
    let fields = names.into_iter().map(|name| field(name, writer, is_utc)).collect();
    Layout::compile(&Format::keyed(writer.name(), Grammar::Columns, writer.escape(), fields))
}

/// What follows a directive's name, in any case.
fn value_of<'a>(line: &'a str, directive: &str) -> Option<&'a str> {
    let name = line.get(..directive.len())?;
    name.eq_ignore_ascii_case(directive).then(|| &line[directive.len()..])
}

fn has(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| name == wanted)
}

/// Who wrote the log: that decides units and escapes.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    CloudFront,
    Iis,
    Other,
}

impl Writer {
    fn of(names: &[String], software: &str) -> Self {
        if names.iter().any(|name| name.starts_with("x-edge-")) {
            Self::CloudFront
        } else if software.contains("microsoft") || software.contains("iis") || has(names, "sc-win32-status")
        {
            Self::Iis
        } else {
            Self::Other
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::Iis => "iis",
            Self::Other => "w3c",
        }
    }

    fn escape(self) -> Escape {
        match self {
            Self::CloudFront => Escape::Percent,
            Self::Iis | Self::Other => Escape::Plus,
        }
    }

    fn time_taken(self) -> Unit {
        match self {
            Self::CloudFront => Unit::Seconds,
            Self::Iis | Self::Other => Unit::Millis,
        }
    }
}

/// What a column means. `name` is in lower case. A local time beside a UTC one is not a second opinion.
fn field(name: String, writer: Writer, is_utc: bool) -> Field {
    let (part, rank, kind) = match name.as_str() {
        "date" => (Part::Time, 0, piece("%Y-%m-%d", None)),
        "time" => (Part::Time, 1, piece("%H:%M:%S", Some(0))),
        "date-local" if !is_utc => (Part::Time, 0, piece("%Y-%m-%d", None)),
        "time-local" if !is_utc => (Part::Time, 1, local_clock()),
        "c-ip" => (Part::Client, 0, Kind::Word),
        "x-forwarded-for" | "cs(x-forwarded-for)" | "s-xff" => (Part::Forwarded, 0, Kind::Text),
        "s-ip" => (Part::ServerAddr, 0, Kind::Word),
        "s-computername" => (Part::Hostname, 0, Kind::Word),
        "cs-username" | "c-auth-id" => (Part::User, 0, Kind::Text),
        "cs-method" => (Part::Method, 0, Kind::Word),
        "cs-uri" => (Part::Target, 0, Kind::Text),
        "cs-uri-stem" => (Part::Path, 0, Kind::Text),
        "cs-uri-query" => (Part::Query, 0, Kind::Text),
        "cs-version" | "cs-protocol-version" => (Part::Protocol, 0, Kind::Word),
        "sc-status" => (Part::Status, 0, Kind::Status),
        "sc-bytes" => (Part::Wire, 0, Kind::Bytes),
        "bytes" => (Part::Wire, 1, Kind::Bytes),
        "sc-content-len" => (Part::Body, 0, Kind::Bytes),
        "cs-bytes" => (Part::In, 0, Kind::Bytes),
        "time-taken" => (Part::Duration, 0, Kind::Duration(writer.time_taken())),
        "timetakenms" => (Part::Duration, 1, Kind::Duration(Unit::Millis)),
        "x-duration" => (Part::Duration, 2, Kind::Duration(Unit::Seconds)),
        // CloudFront's cs(Host) is the name of the distribution, not what the client asked for.
        "x-host-header" => (Part::Host, 0, Kind::Word),
        "cs(host)" | "cs-host" => (Part::Host, 1, Kind::Word),
        "cs(referer)" | "cs(referrer)" => (Part::Referer, 0, Kind::Text),
        "cs(user-agent)" => (Part::Agent, 0, Kind::Text),
        "x-edge-result-type" => (Part::Cache, 0, Kind::Word),
        _ => (Part::Other, 0, Kind::Text),
    };
    Field { text: name, part, rank, kind }
}

/// The line is written when the request is done.
fn piece(notation: &str, offset: Option<i32>) -> Kind {
    let mut pieces = strftime(notation).expect("a notation of known conversions");
    if let Some(offset) = offset {
        pieces.extend([Piece::Fraction, Piece::Zone(offset)]);
    }
    Kind::Time(Shape::Strftime(pieces), Edge::End)
}

/// The clock of a zone that the log does not name.
fn local_clock() -> Kind {
    let mut pieces = strftime("%H:%M:%S").expect("a notation of known conversions");
    pieces.push(Piece::Fraction);
    Kind::Time(Shape::Strftime(pieces), Edge::End)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: &str) {
        let shown = match layout_of_header(header.as_bytes()) {
            Ok(layout) => layout.steps.iter().fold(layout.format.name.clone(), |shown, step| {
                let unit = match &step.field.kind {
                    Kind::Duration(unit) => format!("/{unit:?}"),
                    _ => String::new(),
                };
                format!("{shown} {}={:?}{unit}", step.field.text, step.field.part)
            }),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{header}");
    }

    #[test]
    fn headers_name_the_columns() {
        check(
            "#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes time-taken cs(User-Agent)\r\n",
            "w3c date=Time time=Time c-ip=Client cs-method=Method cs-uri-stem=Path sc-status=Status \
             sc-bytes=Wire time-taken=Duration/Millis cs(user-agent)=Agent",
        );
        check(
            "\u{feff}#fields:\tdate\ttime\tx-edge-location\tTIME-TAKEN",
            "cloudfront date=Time time=Time x-edge-location=Other time-taken=Duration/Seconds",
        );
        check(
            "#Software: Microsoft Internet Information Services 10.0\n#Fields: c-ip\n#Fields: s-ip time-taken",
            "iis s-ip=ServerAddr time-taken=Duration/Millis",
        );
        check(
            "#Fields: date-local time-local date time",
            "w3c date-local=Other time-local=Other date=Time time=Time",
        );
        check("#Fields: date-local time-local", "w3c date-local=Time time-local=Time");
        check("#Fields:", "column 1: expected `#Fields:` and the names of columns");
        check("#Date: 2026-11-23", "column 1: expected `#Fields:` and the names of columns");
        check(
            &format!("#Fields: {}", "x ".repeat(COLUMNS_MAX + 1)),
            "column 1: `#Fields:` names more than 1024 columns",
        );
    }

    #[test]
    fn a_clock_without_a_date_is_no_time() {
        let layout = layout_of_header(b"#Fields: time c-ip sc-status").expect("valid");
        assert_eq!(layout.times().count(), 0);
    }
}
