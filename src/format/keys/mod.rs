//! What the values of self-describing lines mean: names and samples → a [`Format`].
//!
//! A name decides which [`Part`] a value feeds (`names`); its program, if the names give it away, decides where one
//! word means different things (`duration` is seconds to Caddy, nanoseconds to Traefik, milliseconds to Envoy); the
//! sampled values decide notations and units, and overrule a name they contradict (`looks`). Unknown names are fields
//! of their own.

mod names;
mod looks;

use super::{Edge, Escape, Field, Format, Grammar, Kind, Part, Unit};
use names::{NAMES, NEUTRAL, SIGNATURES, Sort};

/// The names and raw values of one line, in its order.
pub type Line = Vec<(String, Vec<u8>)>;

/// Fields of a format that no part is fed from; more names than these in a log are not fields.
pub const OTHERS_MAX: usize = 256;

/// Names of a log that are looked into, the first ones. Where a client can get names of its own into a log, there may be
/// tens of thousands.
pub const NAMES_MAX: usize = 1_024;

/// A name in fewer lines than the most frequent of its part, divided by this, feeds the part only where that is missing.
const RARE: usize = 2;
/// What being rare, or being found below an object that says nothing, adds to a rank.
const RARE_RANK: u8 = 100;
const NESTED_RANK: u8 = 10;
/// A duration that is logged is better than one that two times tell.
const STARTED_RANK: u8 = 60;

/// Who wrote the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Caddy 2.
    Caddy,
    /// Traefik.
    Traefik,
    /// Cloudflare Logpush.
    Cloudflare,
    /// Google Cloud load balancers, `httpRequest`.
    Gcp,
    /// Envoy and Istio.
    Envoy,
    /// Logstash with `COMBINEDAPACHELOG`.
    Logstash,
    /// Elastic Common Schema.
    Ecs,
    /// A `log_format` with names of nginx variables.
    Nginx,
    /// A `LogFormat` by the look of its times.
    Apache,
    /// Someone else.
    Other,
}

impl Source {
    /// The format's name in reports.
    pub fn name(self, grammar: Grammar) -> &'static str {
        match (self, grammar) {
            (_, Grammar::Ltsv) => "ltsv",
            (Self::Caddy, _) => "caddy",
            (Self::Traefik, _) => "traefik_json",
            (Self::Cloudflare, _) => "cloudflare",
            (Self::Gcp, _) => "gcp",
            (Self::Envoy, _) => "envoy_json",
            (Self::Logstash, _) => "logstash",
            (Self::Ecs, _) => "ecs",
            (Self::Nginx, _) => "nginx_json",
            (Self::Apache, _) => "apache_json",
            (Self::Other, _) => "json",
        }
    }
}

/// The format of lines that name their values; `None` if the names are not those of requests: neither a client, nor
/// bytes, nor a status, nor a time with a request.
pub fn format(grammar: Grammar, lines: &[Line]) -> Option<Format> {
    let columns = columns(lines);
    let source = source(&columns);
    let mut fields: Vec<(Field, usize)> = columns
        .iter()
        .map(|column| (field(grammar, source, column, &columns), column.values.len()))
        .collect();
    keep_one_time(&mut fields);
    demote_rare(&mut fields);
    let fed = |part: Part| fields.iter().any(|(field, _)| field.part == part);
    let request = fed(Part::Request) || fed(Part::Target) || fed(Part::Path);
    let told = [Part::Client, Part::Body, Part::Wire, Part::Status].into_iter().any(fed);
    if !(told || fed(Part::Time) && request) {
        return None;
    }
    let mut others = 0;
    fields.retain(|(field, _)| {
        others += usize::from(field.part == Part::Other);
        field.part != Part::Other || others <= OTHERS_MAX
    });
    let escape = escape(grammar, source, lines);
    let fields = fields.into_iter().map(|(field, _)| field).collect();
    Some(Format::keyed(source.name(grammar), grammar, escape, fields))
}

/// All names that mean something, in the form that they are compared in, each with the part it feeds; of one part the
/// preferred ones first.
pub fn aliases() -> Vec<(Part, &'static str)> {
    let mut meanings: Vec<_> = NAMES.iter().collect();
    meanings.sort_by_key(|(_, part, rank, _)| (*part, *rank));
    let names = |&&(names, part, ..): &&(&'static str, Part, u8, Sort)| {
        names.split(' ').map(move |name| (part, name))
    };
    meanings.iter().flat_map(names).collect()
}

/// A name and all its sampled values.
struct Column<'a> {
    path: &'a str,
    spelled: String,
    meaning: Option<Meaning>,
    values: Vec<&'a [u8]>,
}

/// What is known from a name alone.
type Meaning = (Part, u8, Sort);

/// In the order of first appearance.
fn columns(lines: &[Line]) -> Vec<Column<'_>> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for (path, value) in lines.iter().flatten() {
        let index = match known.get(path.as_str()) {
            Some(&index) => index,
            None if columns.len() == NAMES_MAX => continue,
            None => {
                let spelled = spelled(path);
                let meaning = meaning(&spelled);
                known.insert(path.as_str(), columns.len());
                columns.push(Column { path, spelled, meaning, values: Vec::new() });
                columns.len() - 1
            }
        };
        columns[index].values.push(value);
    }
    columns
}

/// A name without its notation: `$bodyBytesSent`, `body-bytes-sent` and `Body_Bytes_Sent` are `body_bytes_sent`.
fn spelled(path: &str) -> String {
    let letters: Vec<char> = path.trim_start_matches(['$', ':', '%']).chars().collect();
    let mut spelled = String::with_capacity(path.len() + 8);
    for (at, &letter) in letters.iter().enumerate() {
        let lower = |at: Option<&char>| at.is_some_and(|letter| letter.is_lowercase());
        let before = at.checked_sub(1).map(|at| letters[at]);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || before.is_uppercase() && lower(letters.get(at + 1))
            });
        if begins_word {
            spelled.push('_');
        }
        match letter {
            '-' | ' ' | '_' => {
                if !spelled.ends_with('_') {
                    spelled.push('_');
                }
            }
            letter => spelled.extend(letter.to_lowercase()),
        }
    }
    spelled
}

/// True if a name alone says what its durations are counted in.
pub fn tells_unit(path: &str) -> bool {
    matches!(meaning(&spelled(path)), Some((_, _, Sort::Duration(Some(_)))))
}

fn source(columns: &[Column<'_>]) -> Source {
    // Other messages in the file, however many, say nothing about who logs the requests.
    let tells = |column: &&Column<'_>| {
        matches!(column.meaning, Some((Part::Client | Part::Status | Part::Target | Part::Request, ..)))
    };
    let requests = columns.iter().filter(tells).map(|column| column.values.len()).max().unwrap_or(0);
    let frequent = |name: &str| {
        columns.iter().any(|column| column.spelled == name && column.values.len() * RARE >= requests)
    };
    let known = SIGNATURES.iter().find(|(_, names)| names.iter().all(|name| frequent(name)));
    if let Some((source, _)) = known {
        return *source;
    }
    let apache = |column: &Column<'_>| match column.meaning {
        Some((_, _, Sort::Time(_))) => {
            column.values.iter().any(|text| text.starts_with(b"[") || looks::is_strftime(text))
        }
        // `%D`, under the name that LTSV has for it.
        _ => column.spelled == "reqtime_microsec",
    };
    if columns.iter().any(apache) { Source::Apache } else { Source::Other }
}

/// What a name means: in full, or without the objects around it that say nothing.
fn meaning(spelled: &str) -> Option<Meaning> {
    let mut name = spelled.trim_start_matches("@metadata.");
    let mut nested = 0;
    let mut asked = false;
    loop {
        let known = NAMES.iter().find(|(names, ..)| names.split(' ').any(|known| known == name));
        if let Some(&(_, part, rank, sort)) = known {
            let part = match part {
                // `request.bytes` is what came in.
                Part::Body | Part::Wire if asked => Part::In,
                part => part,
            };
            return Some((part, rank + nested, sort));
        }
        let (outer, inner) = name.split_once('.')?;
        if !NEUTRAL.contains(&outer) {
            return None;
        }
        asked |= outer == "request" || outer == "req";
        nested = NESTED_RANK;
        name = inner;
    }
}

fn field(grammar: Grammar, source: Source, column: &Column<'_>, all: &[Column<'_>]) -> Field {
    let other = |kind| Field { text: column.path.to_owned(), part: Part::Other, rank: 0, kind };
    let Some((part, rank, sort)) = column.meaning else { return other(Kind::Text) };
    let (part, rank, sort) = corrected(grammar, source, column, all, (part, rank, sort));
    let values = &column.values;
    let kind = match sort {
        Sort::Time(edge) => looks::time(values).map(|shape| Kind::Time(shape, edge)),
        Sort::Status => looks::mostly(values, looks::status).then_some(Kind::Status),
        Sort::Bytes => looks::mostly(values, looks::is_whole).then_some(Kind::Bytes),
        Sort::Duration(unit) => duration(unit, values).map(Kind::Duration),
        Sort::Tries => looks::mostly(values, looks::is_tries).then_some(Kind::Text),
        Sort::Word => Some(Kind::Word),
        Sort::Text => Some(Kind::Text),
    };
    match kind {
        Some(kind) => Field { text: column.path.to_owned(), part, rank, kind },
        None => other(Kind::Text),
    }
}

/// A known unit holds unless the values carry their own.
fn duration(unit: Option<Unit>, values: &[&[u8]]) -> Option<Unit> {
    let seen = looks::duration(values);
    match (unit, seen) {
        (_, Some(Unit::Suffixed)) => Some(Unit::Suffixed),
        (Some(unit), Some(_)) => Some(unit),
        // Null in every sampled line: nothing contradicts the name.
        (unit, None) if values.iter().all(|text| looks::is_null(text)) => unit.or(Some(Unit::Seconds)),
        (_, seen) => seen,
    }
}

/// Where one name means different things.
fn corrected(
    grammar: Grammar,
    source: Source,
    column: &Column<'_>,
    all: &[Column<'_>],
    (part, rank, sort): Meaning,
) -> Meaning {
    let sort = match (sort, source, column.spelled.as_str()) {
        (Sort::Time(_), Source::Apache | Source::Gcp, _) => Sort::Time(Edge::Start),
        (Sort::Duration(None), Source::Nginx, "request_time" | "session_time") => {
            Sort::Duration(Some(Unit::Seconds))
        }
        // `duration_format` may make these whole numbers of another unit.
        (Sort::Duration(None), Source::Caddy, "duration") => Sort::Duration(looks::duration(&column.values)),
        (Sort::Duration(None), Source::Traefik, "duration") => Sort::Duration(Some(Unit::Nanos)),
        (Sort::Duration(None), Source::Envoy, "duration") => Sort::Duration(Some(Unit::Millis)),
        _ => sort,
    };
    let part = match (part, source, column.spelled.as_str()) {
        // Envoy's BYTES_SENT is the body.
        (Part::Wire, Source::Envoy, "bytes_sent") => Part::Body,
        // ltsv.org: the host is who asks, the vhost who is asked.
        (Part::Host, _, "host") if grammar == Grammar::Ltsv => Part::Client,
        (Part::Request, ..) if column.values.iter().any(|text| text.starts_with(b"/")) => Part::Target,
        (Part::Path, ..) if column.values.iter().any(|text| text.contains(&b'?')) => Part::Target,
        // nginx's `$uri` lacks the query, which then stands apart.
        (Part::Target, _, "uri")
            if all.iter().any(|column| matches!(column.meaning, Some((Part::Query, ..))))
                && !column.values.iter().any(|text| text.contains(&b'?')) =>
        {
            Part::Path
        }
        (part, ..) => part,
    };
    (part, rank, sort)
}

/// A record has one time: of several, the best, and those that can stand in for it unchanged.
fn keep_one_time(fields: &mut [(Field, usize)]) {
    demote_rare(fields);
    let times = fields.iter().filter(|(field, _)| field.part == Part::Time);
    let Some(best) = times.min_by_key(|(field, _)| field.rank).map(|(field, _)| field.kind.clone()) else {
        return;
    };
    for (field, _) in fields.iter_mut().filter(|(field, _)| field.part == Part::Time && field.kind != best) {
        if matches!((&best, &field.kind), (Kind::Time(_, Edge::End), Kind::Time(_, Edge::Start))) {
            // The start beside the end is a duration: from there to the end.
            (field.part, field.rank) = (Part::Duration, STARTED_RANK);
        } else {
            (field.part, field.rank, field.kind) = (Part::Other, 0, Kind::Text);
        }
    }
}

/// A name that few lines have does not feed a part from most lines.
fn demote_rare(fields: &mut [(Field, usize)]) {
    for index in 0..fields.len() {
        let (part, count) = (fields[index].0.part, fields[index].1);
        let of_part = fields.iter().filter(|(field, _)| field.part == part);
        let most = of_part.map(|&(_, count)| count).max().unwrap_or(0);
        if part != Part::Other && count * RARE < most && fields[index].0.rank < RARE_RANK {
            fields[index].0.rank += RARE_RANK;
        }
    }
}

fn escape(grammar: Grammar, source: Source, lines: &[Line]) -> Escape {
    if grammar == Grammar::Json {
        return Escape::Json;
    }
    let quoted = |value: &Vec<u8>| memchr::memmem::find(value, br#"\""#).is_some();
    let apache = source == Source::Apache || lines.iter().flatten().any(|(_, value)| quoted(value));
    if apache { Escape::Apache } else { Escape::Nginx }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each name of one line becomes: `part.rank kind`, `_` for another field.
    fn check(grammar: Grammar, line: &[(&str, &str)], expected: &str) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        let line: Line = line.iter().map(owned).collect();
        let shown = match format(grammar, &[line.clone(), line.clone()]) {
            None => "none".to_owned(),
            Some(format) => format.fields().fold(format.name.clone(), |shown, field| {
                let kind = match &field.kind {
                    Kind::Time(shape, edge) => format!("({shape:?} {edge:?})"),
                    Kind::Duration(unit) => format!("({unit:?})"),
                    _ => String::new(),
                };
                match field.part {
                    Part::Other => format!("{shown} _"),
                    part => format!("{shown} {part:?}{kind}"),
                }
            }),
        };
        assert_eq!(shown, expected, "{line:?}");
    }

    #[test]
    fn names_that_clients_invent_do_not_pile_up() {
        let value = b"/".to_vec();
        // All of them mean the same, so none is left out as unknown.
        let name =
            |number: u32| format!("{}uri", format!("{number:013b}").replace('0', "$").replace('1', ":"));
        let lines: Vec<Line> = (0..5_000).map(|number| vec![(name(number), value.clone())]).collect();
        let known: Line = vec![("status".to_owned(), b"200".to_vec())];
        let format = format(Grammar::Json, &[vec![known], lines].concat()).expect("requests");
        assert_eq!(format.fields().count(), NAMES_MAX);
        assert!(format.has(Part::Status));
    }

    #[test]
    fn names_are_compared_without_their_notation() {
        let check = |path: &str, expected: &str| assert_eq!(spelled(path), expected);
        check("$body_bytes_sent", "body_bytes_sent");
        check("bodyBytesSent", "body_bytes_sent");
        check("Body-Bytes-Sent", "body_bytes_sent");
        check("ClientRequestURI", "client_request_uri");
        check("request.headers.User-Agent", "request.headers.user_agent");
        check("request_User-Agent", "request_user_agent");
        check("StartUTC", "start_utc");
        check(":authority", "authority");
        check("UPSTREAM_HOST", "upstream_host");
        check("ÄÖ", "äö");
        check("", "");
    }

    #[test]
    fn values_decide_what_names_leave_open() {
        let json = |line: &[(&str, &str)], expected: &str| check(Grammar::Json, line, expected);
        let epochs = [
            ("1795413183.318", "Seconds"),
            ("1795413183318", "Millis"),
            ("1795413183318000", "Micros"),
            ("1795413183318000000", "Nanos"),
        ];
        for (time, unit) in epochs {
            json(&[("status", "200"), ("ts", time)], &format!("json Status Time(Epoch({unit}) End)"));
        }
        let durations = [
            ("0.057", "Seconds"),
            ("4e-05", "Seconds"),
            ("57", "Millis"),
            ("570000", "Micros"),
            ("570000000", "Nanos"),
            ("0.123s", "Suffixed"),
            ("12ms", "Suffixed"),
        ];
        for (duration, unit) in durations {
            let line = [("status", "200"), ("latency", duration)];
            json(&line, &format!("json Status Duration({unit})"));
        }
        json(&[("status", "ok"), ("client", "192.0.2.1")], "json _ Client");
        json(&[("status", "200"), ("bytes", "big"), ("duration", "long")], "json Status _ _");
        json(&[("status", "200"), ("time", "yesterday")], "json Status _");
        json(&[("status", "200"), ("request", "GET / HTTP/1.1")], "json Status Request");
        json(&[("status", "200"), ("request", "/a")], "json Status Target");
        json(&[("status", "200"), ("path", "/a?b")], "json Status Target");
        json(&[("status", "200"), ("uri", "/a"), ("args", "b")], "json Status Path Query");
        json(
            &[("time", "2026-11-23T05:55:02+0000"), ("request", "GET /")],
            "apache_json Time(Iso Start) Request",
        );
        json(&[("time", "2026-11-23T05:55:02+00:00"), ("request", "GET /")], "json Time(Iso End) Request");
    }

    #[test]
    fn one_name_means_different_things() {
        let json = |line: &[(&str, &str)], expected: &str| check(Grammar::Json, line, expected);
        json(
            &[
                ("ts", "1795413479.1962667"),
                ("request.remote_ip", "127.0.0.1"),
                ("request.proto", "HTTP/1.1"),
                ("request.method", "GET"),
                ("request.uri", "/"),
                ("request.headers.User-Agent", "curl"),
                ("request.headers.X-Forwarded-For", "203.0.113.7"),
                ("bytes_read", "0"),
                ("duration", "0.000131787"),
                ("size", "4"),
                ("status", "200"),
                ("resp_headers.Server", "Caddy"),
            ],
            "caddy Time(Epoch(Seconds) End) Client Protocol Method Target Agent Forwarded In \
             Duration(Seconds) Body Status _",
        );
        json(
            &[
                ("ClientHost", "192.0.2.1"),
                ("DownstreamStatus", "200"),
                ("DownstreamContentSize", "5"),
                ("Duration", "1200"),
                ("OriginDuration", "1100"),
                ("OriginStatus", "200"),
                ("RequestPath", "/a?b"),
                ("StartUTC", "2021-12-08T09:16:05.1Z"),
                ("request_User-Agent", "curl"),
                ("time", "2021-12-08T09:16:05Z"),
            ],
            "traefik_json Client Status Body Duration(Nanos) Upstream(Nanos) _ Target Time(Iso Start) Agent _",
        );
        json(
            &[
                ("response_flags", "-"),
                ("response_code", "0"),
                ("bytes_sent", "59"),
                ("bytes_received", "1"),
                ("duration", "2"),
                ("start_time", "2016-04-15T20:17:00.310Z"),
                (":authority", "a.example"),
                ("x-forwarded-for", "192.0.2.1"),
            ],
            "envoy_json _ Status Body In Duration(Millis) Time(Iso Start) Host Forwarded",
        );
        json(
            &[
                ("EdgeStartTimestamp", "1712790000100000000"),
                ("EdgeEndTimestamp", "1712790000123000000"),
                ("EdgeResponseBytes", "12480"),
                ("EdgeResponseStatus", "200"),
                ("ClientIP", "192.0.2.1"),
            ],
            "cloudflare Duration(Epoch(Nanos) Start) Time(Epoch(Nanos) End) Wire Status Client",
        );
        json(
            &[
                ("timestamp", "2026-11-23T05:55:02.5Z"),
                ("httpRequest.requestMethod", "GET"),
                ("httpRequest.status", "200"),
                ("httpRequest.responseSize", "300"),
                ("httpRequest.requestSize", "30"),
                ("httpRequest.latency", "0.123s"),
                ("httpRequest.remoteIp", "192.0.2.1"),
            ],
            "gcp Time(Iso Start) Method Status Wire In Duration(Suffixed) Client",
        );
        json(
            &[
                ("@timestamp", "2026-11-23T05:53:12Z"),
                ("http.request.bytes", "10"),
                ("http.response.status_code", "200"),
                ("http.response.body.bytes", "5"),
                ("http.response.bytes", "300"),
                ("url.original", "/a?b=c"),
                ("source.ip", "192.0.2.1"),
                ("event.duration", "1200000"),
            ],
            "ecs Time(Iso End) In Status Body Wire Target Client Duration(Nanos)",
        );
        check(
            Grammar::Ltsv,
            &[("time", "[23/Nov/2026:05:53:11 +0000]"), ("host", "192.0.2.1"), ("vhost", "a"), ("size", "5")],
            "ltsv Time(Bracketed Start) Client Host Body",
        );
    }

    #[test]
    fn lines_about_something_else_are_no_log() {
        check(Grammar::Json, &[("level", "info"), ("msg", "started"), ("ts", "1795413479")], "none");
        check(Grammar::Json, &[], "none");
    }
}
