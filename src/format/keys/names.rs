//! What the names of values mean, server by server.
//!
//! Names are in the form that `spelled` gives them: lower case, words joined by `_`, members of objects by `.`. A
//! line stands for one meaning; where several names of one part occur in a log, the lowest rank feeds it.

use super::super::{Edge, Part, Unit};

/// What is known about a value from its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A time; the notation shows in the values.
    Time(Edge),
    Status,
    Bytes,
    /// A duration; without a unit the values decide.
    Duration(Option<Unit>),
    /// Seconds per try, as nginx lists them.
    Tries,
    Word,
    Text,
}

use Edge::{End, Start};
use Sort::{Bytes, Duration, Status, Text, Time, Tries, Word};
use Unit::{Micros, Millis, Nanos, Seconds, Suffixed};

/// Names, the part they feed, their rank, and their sort.
pub(super) const NAMES: &[(&str, Part, u8, Sort)] = &[
    // Times. A server that logs both ends is read at the end it also has a duration or bytes for.
    ("msec", Part::Time, 0, Time(End)),
    ("time_iso8601_ms", Part::Time, 1, Time(End)),
    ("time_iso8601", Part::Time, 2, Time(End)),
    ("time_local", Part::Time, 3, Time(End)),
    ("edge_end_timestamp", Part::Time, 0, Time(End)),
    ("edge_start_timestamp", Part::Time, 1, Time(Start)),
    ("start_utc", Part::Time, 0, Time(Start)),
    ("start_local", Part::Time, 1, Time(Start)),
    ("event.end", Part::Time, 4, Time(End)),
    ("event.start", Part::Time, 5, Time(Start)),
    ("end_time end_timestamp finished_at", Part::Time, 4, Time(End)),
    ("start_time start_timestamp started_at request_time_start", Part::Time, 5, Time(Start)),
    ("ts timestamp @timestamp time datetime date_time date", Part::Time, 6, Time(End)),
    (
        "time_stamp log_time logtime access_time event_time created_at t_ime eventtime",
        Part::Time,
        7,
        Time(End),
    ),
    // The client.
    ("remote_addr", Part::Client, 0, Word),
    ("request.client_ip", Part::Client, 0, Word),
    ("client.ip", Part::Client, 0, Word),
    ("client_ip clientip client", Part::Client, 1, Word),
    ("source.ip remote_ip", Part::Client, 2, Word),
    ("client_host remote_host remotehost", Part::Client, 3, Word),
    ("client_addr client_address client.address source.address remote_address", Part::Client, 4, Word),
    ("c_ip src_ip source_ip ip ip_address ipaddr ip_addr remote", Part::Client, 5, Word),
    ("downstream_remote_address", Part::Client, 6, Word),
    ("realip_remote_addr", Part::Peer, 0, Word),
    ("proxy_protocol_addr peer peer_addr downstream_direct_remote_address", Part::Peer, 1, Word),
    ("http_x_forwarded_for", Part::Forwarded, 0, Text),
    ("proxy_add_x_forwarded_for", Part::Forwarded, 1, Text),
    ("x_forwarded_for xff forwarded_for forwardedfor headers.x_forwarded_for", Part::Forwarded, 2, Text),
    ("request_x_forwarded_for http_forwarded_for forwarded", Part::Forwarded, 3, Text),
    ("http_x_real_ip x_real_ip real_ip realip headers.x_real_ip", Part::Forwarded, 4, Text),
    ("http_cf_connecting_ip headers.cf_connecting_ip", Part::Forwarded, 5, Text),
    ("remote_user", Part::User, 0, Text),
    ("user user_name username auth_user client_username user_id userid", Part::User, 2, Text),
    ("user.name client.user.name auth http_user", Part::User, 3, Text),
    // The request.
    ("request", Part::Request, 0, Text),
    ("request_line requestline req http_request first_line", Part::Request, 1, Text),
    ("request_method", Part::Method, 0, Word),
    ("method http_method verb client_request_method cs_method request_verb", Part::Method, 1, Word),
    ("request_uri", Part::Target, 0, Text),
    ("url.original client_request_uri x_envoy_original_path x_envoy_origin_path", Part::Target, 1, Text),
    ("uri url request_url requesturi req_uri http_url original_uri", Part::Target, 2, Text),
    ("document_uri", Part::Path, 0, Text),
    ("path url.path request_path http_path uri_path client_request_path cs_uri_stem", Part::Path, 1, Text),
    ("args query_string query url.query querystring cs_uri_query uri_query", Part::Query, 0, Text),
    ("server_protocol", Part::Protocol, 0, Word),
    ("request_protocol proto protocol http_version http.version httpversion", Part::Protocol, 1, Word),
    ("client_request_protocol request_proto", Part::Protocol, 1, Word),
    // The answer.
    ("status", Part::Status, 0, Status),
    ("downstream_status edge_response_status http.response.status_code", Part::Status, 0, Status),
    ("status_code response_code response_status http_status", Part::Status, 1, Status),
    ("statuscode http_status_code sc_status", Part::Status, 2, Status),
    ("response code", Part::Status, 3, Status),
    ("body_bytes_sent http.response.body.bytes", Part::Body, 0, Bytes),
    ("downstream_content_size", Part::Body, 0, Bytes),
    ("body_bytes body_sent.bytes body_size body_sent body_bytes_out", Part::Body, 1, Bytes),
    ("bytes size response_length response_content_length", Part::Body, 2, Bytes),
    ("content_length length", Part::Body, 3, Bytes),
    ("bytes_sent", Part::Wire, 0, Bytes),
    ("edge_response_bytes http.response.bytes http_request.response_size", Part::Wire, 0, Bytes),
    ("sent sent_bytes bytes_out out_bytes sc_bytes response_size", Part::Wire, 1, Bytes),
    ("total_bytes_sent resp_bytes out", Part::Wire, 2, Bytes),
    ("request_length bytes_received", Part::In, 0, Bytes),
    ("http.request.bytes http_request.request_size bytes_read client_request_bytes", Part::In, 0, Bytes),
    ("bytes_in in_bytes received cs_bytes request_size request_content_size reqsize", Part::In, 1, Bytes),
    ("http.request.body.bytes in", Part::In, 2, Bytes),
    // Durations.
    ("request_time session_time", Part::Duration, 0, Duration(None)),
    ("event.duration", Part::Duration, 0, Duration(Some(Nanos))),
    ("http_request.latency", Part::Duration, 0, Duration(Some(Suffixed))),
    ("duration_ns duration_nanos", Part::Duration, 1, Duration(Some(Nanos))),
    ("duration_us duration_usec reqtime_microsec reqtime_usec", Part::Duration, 1, Duration(Some(Micros))),
    (
        "request_time_us request_time_usec time_us elapsed_us latency_us",
        Part::Duration,
        1,
        Duration(Some(Micros)),
    ),
    ("response_time_us microseconds", Part::Duration, 1, Duration(Some(Micros))),
    ("duration_ms request_time_ms request_time_msec", Part::Duration, 2, Duration(Some(Millis))),
    (
        "time_ms elapsed_ms latency_ms response_time_ms reqtime_ms took_ms",
        Part::Duration,
        2,
        Duration(Some(Millis)),
    ),
    ("duration_s duration_sec request_time_s", Part::Duration, 3, Duration(Some(Seconds))),
    ("duration_seconds latency_s latency_seconds", Part::Duration, 3, Duration(Some(Seconds))),
    ("reqtime rt duration request_duration latency elapsed", Part::Duration, 4, Duration(None)),
    ("response_time responsetime time_taken took request_latency", Part::Duration, 5, Duration(None)),
    ("elapsed_time total_time timetaken resp_time t", Part::Duration, 6, Duration(None)),
    ("upstream_response_time", Part::Upstream, 0, Tries),
    ("upstream_session_time urt upstream_time apptime upstream.response_time", Part::Upstream, 1, Tries),
    ("origin_duration", Part::Upstream, 0, Duration(Some(Nanos))),
    ("origin_response_duration_ms", Part::Upstream, 0, Duration(Some(Millis))),
    ("origin_response_time", Part::Upstream, 2, Duration(Some(Nanos))),
    ("x_envoy_upstream_service_time upstream_service_time", Part::Upstream, 2, Duration(Some(Millis))),
    // Names and the rest.
    ("host", Part::Host, 0, Text),
    ("http_host vhost client_request_host request_host authority domain", Part::Host, 1, Text),
    ("server_name url.domain virtual_host http_request.host headers.host", Part::Host, 2, Text),
    ("ssl_server_name ssl_preread_server_name requested_server_name", Part::Host, 3, Text),
    ("server_addr", Part::ServerAddr, 0, Word),
    (
        "server_ip server.ip destination.ip server.address destination.address local_addr",
        Part::ServerAddr,
        1,
        Word,
    ),
    ("hostname host.name host.hostname server_hostname node_name", Part::Hostname, 0, Word),
    ("http_referer", Part::Referer, 0, Text),
    ("referer referrer ref http_referrer http.request.referrer", Part::Referer, 1, Text),
    ("client_request_referer request_referer headers.referer", Part::Referer, 1, Text),
    ("http_user_agent", Part::Agent, 0, Text),
    ("user_agent useragent agent ua user_agent.original", Part::Agent, 1, Text),
    ("client_request_user_agent request_user_agent headers.user_agent", Part::Agent, 1, Text),
    ("upstream_cache_status", Part::Cache, 0, Word),
    ("cache_status cache cache_cache_status x_cache hitmiss", Part::Cache, 1, Word),
];

/// Objects that say nothing about their members.
pub(super) const NEUTRAL: &[&str] = &[
    "access",
    "apache",
    "apache2",
    "attributes",
    "data",
    "event",
    "fields",
    "http",
    "http_request",
    "httpd",
    "json",
    "json_payload",
    "log",
    "message",
    "nginx",
    "payload",
    "record",
    "req",
    "request",
    "res",
    "response",
];

/// A program by the names that only it writes; all of one word list must stand in a line.
pub(super) const SIGNATURES: &[(super::Source, &[&str])] = &[
    (super::Source::Traefik, &["downstream_status"]),
    (super::Source::Traefik, &["downstream_content_size"]),
    (super::Source::Cloudflare, &["edge_response_status"]),
    (super::Source::Cloudflare, &["edge_response_bytes"]),
    (super::Source::Caddy, &["request.uri", "request.proto", "duration"]),
    (super::Source::Gcp, &["http_request.status"]),
    (super::Source::Gcp, &["http_request.request_method"]),
    (super::Source::Envoy, &["response_flags", "response_code"]),
    (super::Source::Logstash, &["clientip", "verb"]),
    (super::Source::Ecs, &["http.response.status_code"]),
    (super::Source::Ecs, &["http.request.method"]),
    (super::Source::Nginx, &["remote_addr", "request_time"]),
    (super::Source::Nginx, &["remote_addr", "body_bytes_sent"]),
    (super::Source::Nginx, &["remote_addr", "bytes_sent", "status"]),
    (super::Source::Nginx, &["remote_addr", "http_user_agent"]),
];
