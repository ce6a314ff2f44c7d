//! The variables in which formats of other software are written down here.
//!
//! `HAProxy`, Envoy, the clouds and the CDNs each have a notation of their own, or none. Their presets are written like
//! an nginx `log_format`, with names that say what the vendor's manual says: which edge of the request a time is, which
//! unit a duration has, whether bytes are the body's or all. [`nginx::format`] reads nginx's names, this reads these;
//! a text that a user gives is always nginx's.

use super::strftime::strftime;
use super::{BadFormat, Edge, Escape, Field, Format, Kind, Part, Piece, Server, Shape, Unit, nginx};

/// Tencent's logs are in China Standard Time, which no line says.
const CHINA_SECONDS: i32 = 8 * 3600;

/// A referer that is the word `NULL` where there is none.
pub const REFERER_OR_NULL: &str = "$referer_or_null";

/// Compiles a text in the notation of the presets.
pub fn format(name: &str, escape: Escape, text: &str) -> Result<Format, BadFormat> {
    nginx::compile(name, Server::Other, escape, text, field)
}

fn field(name: &str) -> Field {
    let (part, rank, kind) =
        time(name).or_else(|| number(name)).or_else(|| text(name)).unwrap_or((Part::Other, 0, Kind::Word));
    Field { text: format!("${name}"), part, rank, kind }
}

/// What a field feeds, its rank, and what it looks like.
type Meaning = (Part, u8, Kind);

fn time(name: &str) -> Option<Meaning> {
    let (shape, edge) = match name {
        // Common Log Format: the request's arrival (HAProxy, S3, Traefik), or its end (CDNs).
        "accept_date" | "received" => (Shape::Clf, Edge::Start),
        "logged" => (Shape::Clf, Edge::End),
        // RFC 3339.
        "start_time" => (Shape::Iso, Edge::Start),
        "end_time" => (Shape::Iso, Edge::End),
        "end_epoch" => (Shape::Epoch(Unit::Seconds), Edge::End),
        "start_ctime" => (written("%a %b %e %H:%M:%S %Y", None), Edge::Start),
        "start_china" => (written("%Y%m%d%H%M%S", Some(CHINA_SECONDS)), Edge::Start),
        "end_us" => (written("%m/%d/%Y %I:%M:%S %p %z", None), Edge::End),
        "time" => (Shape::Any, Edge::End),
        _ => return None,
    };
    Some((Part::Time, 0, Kind::Time(shape, edge)))
}

fn number(name: &str) -> Option<Meaning> {
    Some(match name {
        "status" => (Part::Status, 0, Kind::Status),
        "bytes_body" => (Part::Body, 0, Kind::Bytes),
        "bytes_wire" => (Part::Wire, 0, Kind::Bytes),
        "bytes_in" => (Part::In, 0, Kind::Bytes),
        "total_ms" => (Part::Duration, 0, Kind::Duration(Unit::Millis)),
        "total_us" => (Part::Duration, 0, Kind::Duration(Unit::Micros)),
        "total_seconds" => (Part::Duration, 0, Kind::Duration(Unit::Seconds)),
        "target_seconds" => (Part::Upstream, 0, Kind::Duration(Unit::Seconds)),
        "upstream_ms" => (Part::Upstream, 0, Kind::Duration(Unit::Millis)),
        "client_port" => (Part::Other, 0, Kind::Digits),
        _ => return None,
    })
}

fn text(name: &str) -> Option<Meaning> {
    Some(match name {
        // A port may follow after a colon, and the address may hold colons too.
        "client" => (Part::Client, 0, Kind::Text),
        "client_word" => (Part::Client, 0, Kind::Word),
        "forwarded" => (Part::Forwarded, 0, Kind::Text),
        "user" => (Part::User, 0, Kind::Text),
        "request" => (Part::Request, 0, Kind::Text),
        "method" => (Part::Method, 0, Kind::Word),
        "target" => (Part::Target, 0, Kind::Text),
        "protocol" => (Part::Protocol, 0, Kind::Word),
        "host" => (Part::Host, 0, Kind::Word),
        "referer" | "referer_or_null" => (Part::Referer, 0, Kind::Text),
        "user_agent" => (Part::Agent, 0, Kind::Text),
        "cache" => (Part::Cache, 0, Kind::Word),
        "server_addr" => (Part::ServerAddr, 0, Kind::Word),
        // Anything, blanks included; every other name is a word.
        "captures" | "captured_request" | "captured_response" | "content_type" | "range" | "trace_id"
        | "actions" | "error_reason" | "redirect_url" | "failure_reason" | "details" => {
            (Part::Other, 0, Kind::Text)
        }
        _ => return None,
    })
}

/// The notation of `strftime`, with the zone that the vendor's manual gives.
fn written(notation: &str, offset: Option<i32>) -> Shape {
    let mut pieces = strftime(notation).expect("the notations of this file have only known conversions");
    pieces.extend(offset.map(Piece::Zone));
    Shape::Strftime(pieces)
}
