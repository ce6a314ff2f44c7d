//! Facts about formats, in words.

use super::{Described, counted, counted_bytes};
use crate::detect::explain::{Doubt, Expected, Explained, Facts, Figure, Group, Likeness, Origin};
use crate::format::{Edge, Field, Grammar, Kind, Part, Server, Shape, Unit};
use crate::input::HEAD_SIZE;
use crate::parse::{Foreign, Reason};
use crate::report::human;
use crate::time::Zone;

/// Where a figure comes from.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// The fields that feed it.
    pub(super) source: String,
    /// What they say, in which unit, what is logged beside them, and how often it is absent.
    pub(super) meaning: String,
}

/// How much was looked at, and what it was decided by.
pub(super) fn extent(log: &Described<'_>) -> String {
    let explained = &log.explained;
    if explained.bytes == 0 {
        return match log.failure {
            Some(_) => "nothing of it could be read".to_owned(),
            None => "empty: nothing to look at".to_owned(),
        };
    }
    let lines = counted(explained.lines);
    let bytes = human::bytes(i128::try_from(explained.bytes).unwrap_or(i128::MAX));
    let extent = if log.failure.is_some() {
        format!("{lines}, {bytes}, up to where the data is damaged")
    } else if explained.complete {
        format!("all of it: {lines}, {bytes}")
    } else {
        format!("the first {} MiB only: {lines}", HEAD_SIZE >> 20)
    };
    match (explained.origin, &log.configured, &explained.header) {
        (Origin::Configured, Some(position), _) => format!("{extent}; configured in {position}"),
        (Origin::Given | Origin::Configured, ..) => format!("{extent}; the format was given"),
        (Origin::Detected, _, Some(_)) => format!("{extent}; #Fields names the columns"),
        (Origin::Detected, ..) => format!("{extent}; decided on {}", lines_of_sample(explained)),
    }
}

/// What is said in place of formats where no line is a record.
pub(super) fn no_format(log: &Described<'_>) -> Option<String> {
    let explained = &log.explained;
    let judged = explained.lines > explained.skipped + explained.cut;
    Some(match (&explained.header, explained.origin) {
        _ if explained.bytes == 0 => return None,
        (Some(header), _) if !judged => format!("{header}, from its #Fields header; no records yet"),
        _ if !judged => "none to be told: no line is meant to be a record".to_owned(),
        (_, Origin::Detected) => "none found: no line has a known format".to_owned(),
        (_, Origin::Given) => "no line has the format given".to_owned(),
        (_, Origin::Configured) => match &log.configured {
            Some(position) => format!("no line has the format configured in {position}"),
            None => "no line has the format configured".to_owned(),
        },
    })
}

fn lines_of_sample(explained: &Explained) -> String {
    match explained.sampled {
        sampled if sampled + explained.skipped >= explained.lines => "all of them".to_owned(),
        sampled => format!("{}, spread evenly", human::count(sampled.into())),
    }
}

/// The heading of the list of keys.
pub(super) fn keys(grammar: Grammar) -> &'static str {
    match grammar {
        Grammar::Json => "JSON keys",
        Grammar::Ltsv => "labels",
        Grammar::Columns => "columns",
        Grammar::Text => "fields",
    }
}

/// What a field says.
pub(super) fn meaning(field: &Field) -> String {
    match (field.part, &field.kind) {
        (Part::Other, _) => "-".to_owned(),
        (part, Kind::Time(Shape::Strftime(_), edge)) => format!("{}: {}", name(part), edge_words(*edge)),
        (part, Kind::Time(shape, edge)) => {
            format!("{}: {}, {}", name(part), edge_words(*edge), shape_words(shape))
        }
        (part, Kind::Duration(unit)) => format!("{}: {}", name(part), unit_words(*unit)),
        (part, _) => name(part).to_owned(),
    }
}

/// The fields that feed nothing; reports can be split by them under their own names.
pub(super) fn unfed(facts: &Facts) -> Vec<String> {
    let others = facts.layout.steps.iter().filter(|step| step.field.part == Part::Other);
    others.map(|step| step.field.text.clone()).collect()
}

/// One row per figure: the six that matter always, the others where they are logged.
pub(super) fn figures(facts: &Facts, explained: &Explained) -> Vec<Row> {
    let (bytes, other_bytes) = counted_bytes(explained);
    let wanted = [
        Figure::Time,
        Figure::Client,
        Figure::Request,
        Figure::Status,
        bytes,
        Figure::Duration,
        Figure::Received,
        Figure::Upstream,
        Figure::Host,
        Figure::Server,
        Figure::Cache,
    ];
    let always = [Figure::Time, Figure::Client, Figure::Request, Figure::Status, bytes, Figure::Duration];
    let rows = wanted.into_iter().filter_map(|figure| {
        let (feeding, mut also) = facts.sources(figure);
        if figure == bytes {
            also.extend(facts.sources(other_bytes).0);
        }
        if feeding.is_empty() && !always.contains(&figure) {
            return None;
        }
        Some(row(figure, &feeding, &also, facts))
    });
    rows.collect()
}

fn row(figure: Figure, feeding: &[usize], also: &[usize], facts: &Facts) -> Row {
    let field = |&at: &usize| &facts.layout.steps[at].field;
    let texts = |steps: &[usize]| {
        let texts: Vec<&str> = steps.iter().map(|at| field(at).text.as_str()).collect();
        texts.join(" ")
    };
    let mut words = Vec::new();
    match (feeding.first().map(field), figure) {
        (None, Figure::Body) if !also.is_empty() => {
            words.push(format!("not logged: a line counts 0 bytes; --basis wire counts {}", texts(also)));
        }
        (None, Figure::Body | Figure::Wire) => words.push("not logged: a line counts 0 bytes".to_owned()),
        (None, _) => words.push("not logged".to_owned()),
        (Some(field), _) => words.extend(Some(detail(figure, field, facts)).filter(|text| !text.is_empty())),
    }
    let nulls = facts.nulls(figure);
    if !feeding.is_empty() {
        let also: Vec<String> = also.iter().map(|at| beside(field(at))).collect();
        words.extend((!also.is_empty()).then(|| format!("also logged: {}", also.join(", "))));
        words.extend(match nulls {
            0 => None,
            nulls if nulls == facts.lines => Some("null in every line".to_owned()),
            nulls => Some(format!("null in {}", of_lines(nulls, facts))),
        });
    }
    let source = if feeding.is_empty() { "-".to_owned() } else { texts(feeding) };
    Row { name: title(figure), source, meaning: words.join("; ") }
}

/// `3 of 10 lines`.
fn of_lines(lines: u64, facts: &Facts) -> String {
    format!("{} of {}", human::count(lines.into()), counted(facts.lines))
}

/// What JSON calls a figure.
pub(super) fn title(figure: Figure) -> &'static str {
    match figure {
        Figure::Time => "time",
        Figure::Client => "client",
        Figure::Request => "request",
        Figure::Status => "status",
        Figure::Body | Figure::Wire => "bytes",
        Figure::Received => "bytes in",
        Figure::Duration => "duration",
        Figure::Upstream => "upstream",
        Figure::Host => "host",
        Figure::Server => "server",
        Figure::Cache => "cache",
    }
}

fn detail(figure: Figure, field: &Field, facts: &Facts) -> String {
    match (figure, &field.kind) {
        (Figure::Time, Kind::Time(_, edge)) => {
            format!("{} of the request{}", edge_words(*edge), zones(&facts.offsets))
        }
        (Figure::Body, _) => "body: the response without its headers".to_owned(),
        (Figure::Wire, _) => "wire: all that was sent, headers included".to_owned(),
        (Figure::Received, _) => "all that was received".to_owned(),
        (_, Kind::Duration(unit)) => unit_words(*unit).to_owned(),
        (Figure::Duration, Kind::Time(..)) => "from this start to the end that is logged".to_owned(),
        (Figure::Upstream, Kind::List | Kind::Text) => "seconds, the sum of all tries".to_owned(),
        _ => String::new(),
    }
}

fn zones(offsets: &[i32]) -> String {
    let names: Vec<String> = offsets.iter().map(|&offset| Zone::fixed(offset).name().to_owned()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(", zone {}", names.join(" and ")),
    }
}

/// A field that feeds nothing because another is preferred.
fn beside(field: &Field) -> String {
    match (field.part, &field.kind) {
        (part, Kind::Duration(unit)) => format!("{} ({}, {})", field.text, name(part), unit_words(*unit)),
        (part, _) => format!("{} ({})", field.text, name(part)),
    }
}

/// A part of a record, in a word or two.
pub(super) fn name(part: Part) -> &'static str {
    match part {
        Part::Time => "time",
        Part::Client => "client",
        Part::Peer => "peer",
        Part::Forwarded => "forwarded for",
        Part::User => "user",
        Part::Request => "request",
        Part::Method => "method",
        Part::Target => "target",
        Part::Path => "path",
        Part::Query => "query",
        Part::Protocol => "protocol",
        Part::Status => "status",
        Part::Body => "body bytes",
        Part::Wire => "wire bytes",
        Part::In => "bytes received",
        Part::Duration => "duration",
        Part::Upstream => "upstream time",
        Part::Host => "host",
        Part::ServerAddr => "server's address",
        Part::Hostname => "server's name",
        Part::Referer => "referer",
        Part::Agent => "user agent",
        Part::Cache => "cache status",
        Part::Other => "other",
    }
}

pub(super) fn edge_words(edge: Edge) -> &'static str {
    match edge {
        Edge::Start => "start",
        Edge::End => "end",
    }
}

pub(super) fn unit_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Millis => "milliseconds",
        Unit::Micros => "microseconds",
        Unit::Nanos => "nanoseconds",
        Unit::Suffixed => "each value with its unit",
    }
}

fn shape_words(shape: &Shape) -> String {
    match shape {
        Shape::Clf => "23/Nov/2026:05:53:11 +0000".to_owned(),
        Shape::Bracketed => "[23/Nov/2026:05:53:11 +0000]".to_owned(),
        Shape::Iso => "2026-11-23T05:53:11+00:00".to_owned(),
        Shape::Epoch(unit) => format!("{} since 1970", unit_words(*unit)),
        Shape::Fraction(unit) => format!("the fraction of a second in {}", unit_words(*unit)),
        Shape::Any => "in any usual notation".to_owned(),
        Shape::Strftime(_) => "in the notation that the format gives".to_owned(),
    }
}

/// True if the server's own directive would settle it.
pub(super) fn is_guess(doubt: &Doubt) -> bool {
    !matches!(
        doubt,
        Doubt::Zoneless { .. } | Doubt::Extra { .. } | Doubt::Implausible { .. } | Doubt::Unverified(_)
    )
}

/// The lines of a format.
pub(super) fn range(facts: &Facts) -> String {
    match (facts.lines, facts.first, facts.last) {
        (lines, first, last) if first == last => format!("{}, line {first}", counted(lines)),
        (lines, first, last) => format!("{}, line {first} to line {last}", counted(lines)),
    }
}

/// Fields that a server has no word for.
pub(super) fn missing(server: &str, fields: &[String]) -> String {
    let ending = if fields.len() == 1 {
        "a name of its own holds the place"
    } else {
        "names of their own hold the places"
    };
    format!("{server} cannot log {}: {ending}", fields.join(" "))
}

/// A request takes at least as long as its upstream: if fewer than so many in a hundred do, something is wrong.
const AGREE_PERCENT: u64 = 99;

/// What is in doubt, and what was assumed.
pub(super) fn doubt(doubt: &Doubt, facts: &Facts) -> String {
    let text = |step: usize| facts.layout.steps[step].field.text.as_str();
    let lines = |lines: u64| of_lines(lines, facts);
    match doubt {
        Doubt::Discovered => {
            "columns: no known format has these; they are named by what stands in them. Correct \
            the text above where it is wrong, and give it back with --format."
                .to_owned()
        }
        Doubt::Unverified(what) => format!("preset: no page of its vendor says {what}."),
        Doubt::BodyOrWire { step, read_as } => body_or_wire(*step, *read_as, facts),
        Doubt::WhichNumbers { received, sent } => format!(
            "bytes: two columns of whole numbers are read as {} and {}, as in Apache's combinedio.",
            text(*received),
            text(*sent)
        ),
        Doubt::StartOrEnd { read_as } => format!(
            "time: read as the {} of the request; nginx logs its end, Apache its start. Without a duration both count alike.",
            edge_words(*read_as)
        ),
        Doubt::WhichSeconds { request, upstream, agree, of } => {
            which_seconds(*request, *upstream, (*agree, *of), facts)
        }
        Doubt::WholeDurations { step, unit, longest_us } => format!(
            "duration: {} holds whole numbers only and is read as {}; the longest is {}. Another unit would look the same.",
            text(*step),
            unit_words(*unit),
            human::micros((*longest_us).into())
        ),
        Doubt::HostOrIdent => {
            "host: the second column is read as the host (lighttpd); to Apache it is the ident (%l)."
                .to_owned()
        }
        Doubt::Zoneless { lines: zoneless } => {
            format!("time: no zone is named in {}; UTC is assumed.", lines(*zoneless))
        }
        Doubt::Extra { lines: extra } => {
            format!(
                "columns: more follow after the last one of this format in {}; they are not read.",
                lines(*extra)
            )
        }
        Doubt::Implausible { lines: implausible } => {
            format!(
                "duration: more than 31 days in {}, which count at their logged time.",
                lines(*implausible)
            )
        }
    }
}

/// One column of bytes, read as this part.
fn body_or_wire(step: usize, read_as: Part, facts: &Facts) -> String {
    let format = &facts.layout.format;
    let text = &facts.layout.steps[step].field.text;
    match (read_as, format.name.as_str()) {
        _ if format.grammar != Grammar::Text => {
            let read_as = if read_as == Part::Wire { "all that was sent" } else { "the body" };
            format!("bytes: {text} is read as {read_as}; the name does not say whether headers count.")
        }
        (Part::Wire, _) => {
            format!("bytes: {text} is read as all that was sent, headers included; it may be the body alone.")
        }
        _ => format!(
            "bytes: {text} is read as the body; a server may be set up to log all that was sent here, headers included (Debian's Apache logs %O for %b)."
        ),
    }
}

/// Two columns of seconds, and in how many of the lines that have both the request took as long as its upstream.
fn which_seconds(request: usize, upstream: usize, (agree, of): (u64, u64), facts: &Facts) -> String {
    let (agreeing, both) = (human::count(agree.into()), human::count(of.into()));
    let verdict = if agree.saturating_mul(100) < of.saturating_mul(AGREE_PERCENT) {
        format!("Only {agreeing} of {both} agree: the columns may be swapped.")
    } else {
        format!(
            "The request took at least as long as its upstream in {agreeing} of {both} lines that have both."
        )
    };
    let text = |step: usize| &facts.layout.steps[step].field.text;
    let named = if request < upstream {
        format!("the first is read as {}, the next as {}", text(request), text(upstream))
    } else {
        format!("the first is read as {}, the next as {}", text(upstream), text(request))
    };
    format!("durations: of the columns of seconds, {named}. {verdict}")
}

/// What a format expects.
pub(super) fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Value(field, literal) => {
            let then = match String::from_utf8_lossy(literal).into_owned() {
                literal if literal.is_empty() => String::new(),
                literal if literal == " " => ", then a blank".to_owned(),
                literal => format!(", then `{literal}`"),
            };
            format!("{}, {}{then}", field.text, kind_words(&field.kind))
        }
        Expected::After(field, literal) if literal == b" " => format!("a blank after {}", field.text),
        Expected::After(field, literal) => {
            format!("`{}` after {}", String::from_utf8_lossy(literal), field.text)
        }
        Expected::Beginning(literal) => format!("`{}` at the beginning", String::from_utf8_lossy(literal)),
        Expected::End => "the end of the line".to_owned(),
        Expected::Object => "a JSON object about a request".to_owned(),
        Expected::Labels => "label:value pairs between tabs".to_owned(),
        Expected::Columns(columns) => format!("{columns} columns, as #Fields names them"),
        Expected::Shorter => "a line within the limit".to_owned(),
        Expected::AccessLog => "an access-log line".to_owned(),
    }
}

fn kind_words(kind: &Kind) -> String {
    match kind {
        Kind::Time(shape, _) => match shape {
            Shape::Clf | Shape::Bracketed | Shape::Iso => format!("a time like {}", shape_words(shape)),
            shape => format!("a time: {}", shape_words(shape)),
        },
        Kind::Status => "three digits".to_owned(),
        Kind::Bytes => "a number of bytes".to_owned(),
        Kind::Duration(unit) => format!("a number of {}", unit_words(*unit)),
        Kind::Word => "a word".to_owned(),
        Kind::Digits => "digits".to_owned(),
        Kind::List => "numbers or addresses, one per try".to_owned(),
        Kind::Text => "any text".to_owned(),
    }
}

/// What stands there, where that is more than bytes.
pub(super) fn foreign(foreign: Foreign) -> &'static str {
    match foreign {
        Foreign::NginxError => "a line of nginx's error log",
        Foreign::ApacheError => "a line of Apache's error log",
        Foreign::Binary => "not text: binary data",
    }
}

/// The format that is nearest to a rejected line, or fits it.
pub(super) fn nearest(group: &Group, explained: &Explained) -> Option<String> {
    let count = if group.count > 1 { "these lines" } else { "this line" };
    Some(match &group.likeness {
        Likeness::Foreign(_) => return None,
        Likeness::Known(format) => format!("{} reads {count}", format.name),
        Likeness::Nothing => "nothing in it looks like an access log".to_owned(),
        Likeness::Damaged if group.reason == Reason::TooLong => return None,
        Likeness::Damaged => match explained.origin {
            Origin::Given => "the format given reads it up to the caret".to_owned(),
            Origin::Configured => "the format configured reads it up to the caret".to_owned(),
            Origin::Detected => format!("{} reads it up to the caret", group.nearest.name),
        },
    })
}

/// Why a format has no text in a server's notation.
pub(super) fn unwritable(server: &str, facts: &Facts) -> String {
    let format = &facts.layout.format;
    let advice = match format.server {
        Server::Other => format!("; use --format {}", format.name),
        Server::Nginx | Server::Apache => String::new(),
    };
    format!("cannot be written in {server}'s notation{advice}")
}
