//! A format in the words of nginx's and of Apache's configuration.
//!
//! ```text
//! Format  →  log_format NAME '…';      LogFormat "…" NAME
//! ```
//!
//! Both directives can be pasted into a configuration or given to `--format`. What one server cannot log at all keeps
//! its column: a name of its own holds the place, and the field is listed. The server that wrote the format gets its
//! own words back.

use super::nginx::is_name;
use super::{Edge, Escape, Field, Format, Grammar, Item, Kind, Part, Piece, Server, Shape, Unit};

/// A line of a directive is broken where it would get longer.
const WIDTH: usize = 78;

/// A format in one server's notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notation {
    /// The directive.
    pub directive: String,
    /// Fields for which the server has no word, as the format has them; placeholders stand in the directive.
    pub missing: Vec<String>,
    /// Where the directive says nearly, but not quite, what the format says; a sentence each.
    pub remarks: Vec<&'static str>,
}

/// The format as a `log_format` directive; `None` if lines name their values.
pub fn nginx(format: &Format) -> Option<Notation> {
    if format.grammar != Grammar::Text {
        return None;
    }
    let mut spelled = Spelled::default();
    let mut text = String::new();
    let mut items = format.items.iter().peekable();
    while let Some(item) = items.next() {
        match item {
            Item::Literal(bytes) => {
                let literal = String::from_utf8_lossy(bytes);
                if literal.contains('$') {
                    spelled.remark("nginx cannot write a `$` of its own: it needs a variable that holds one");
                }
                text.push_str(&literal);
            }
            Item::Field(field) => {
                let word = nginx_word(field, format, &mut spelled);
                text.push_str(&word);
                let goes_on =
                    matches!(items.peek(), Some(Item::Literal(bytes)) if is_name(char::from(bytes[0])));
                if goes_on {
                    close_last(&mut text);
                }
            }
        }
    }
    let escape = match format.escape {
        Escape::Json => " escape=json",
        Escape::None => " escape=none",
        _ => "",
    };
    let strings: Vec<String> = broken(&text).into_iter().map(quoted_for_nginx).collect();
    let directive = match strings.as_slice() {
        [one] if one.len() <= WIDTH / 2 => format!("log_format {}{escape} {one};", format.name),
        many => format!("log_format {}{escape}\n    {};", format.name, many.join("\n    ")),
    };
    Some(spelled.notation(directive))
}

/// The format as a `LogFormat` directive; `None` if lines name their values.
pub fn apache(format: &Format) -> Option<Notation> {
    if format.grammar != Grammar::Text {
        return None;
    }
    let mut spelled = Spelled::default();
    if matches!(format.escape, Escape::Json | Escape::None) {
        spelled.remark("Apache has no escape=json or escape=none: it writes \\\" and \\xhh");
    }
    let mut text = String::new();
    for item in with_apache_times(format) {
        match item {
            Written::Literal(bytes) => push_for_apache(&mut text, &bytes),
            Written::Field(field) => text.push_str(&apache_word(field, format, &mut spelled)),
            Written::Word(word) => {
                if word == "%t" && format.server != Server::Apache {
                    spelled.remark("%t is the start of the request, not its end");
                }
                text.push_str(word);
            }
        }
    }
    Some(spelled.notation(format!("LogFormat \"{text}\" {}", format.name)))
}

/// What is found out on the way.
#[derive(Default)]
struct Spelled {
    missing: Vec<String>,
    remarks: Vec<&'static str>,
}

impl Spelled {
    fn remark(&mut self, remark: &'static str) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// A name that holds the place of a field.
    fn placeholder(&mut self, field: &Field) -> String {
        if !self.missing.contains(&field.text) {
            self.missing.push(field.text.clone());
        }
        let letters = field.text.chars().map(|letter| if is_name(letter) { letter } else { '_' });
        let name: String = letters.collect();
        let name = name.trim_matches('_').to_ascii_lowercase();
        match (field.part, &field.kind) {
            (Part::Duration, Kind::Duration(unit)) => format!("duration_{}", unit_name(*unit)),
            (Part::Time, _) => "time".to_owned(),
            _ if name.is_empty() => "field".to_owned(),
            _ => name,
        }
    }

    fn notation(self, directive: String) -> Notation {
        Notation { directive, missing: self.missing, remarks: self.remarks }
    }
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Millis => "ms",
        Unit::Micros => "us",
        Unit::Nanos => "ns",
        Unit::Suffixed => "with_unit",
    }
}

fn nginx_word(field: &Field, format: &Format, spelled: &mut Spelled) -> String {
    if format.server == Server::Nginx {
        return field.text.clone();
    }
    if let Some(name) = of_header(&field.text) {
        return name;
    }
    let word = match (field.part, &field.kind) {
        (Part::Time, Kind::Time(shape, edge)) => {
            if *edge == Edge::Start {
                spelled.remark("nginx logs the end of the request, not its start");
            }
            nginx_time(shape)
        }
        (Part::Client, _) => Some("$remote_addr"),
        (Part::Peer, _) => Some("$realip_remote_addr"),
        (Part::Forwarded, _) => Some("$http_x_forwarded_for"),
        (Part::User, _) => Some("$remote_user"),
        (Part::Request, _) => Some("$request"),
        (Part::Method, _) => Some("$request_method"),
        (Part::Target, _) => Some("$request_uri"),
        (Part::Path, _) => Some("$uri"),
        (Part::Query, _) => Some("$is_args$args"),
        (Part::Protocol, _) => Some("$server_protocol"),
        (Part::Status, _) => Some("$status"),
        (Part::Body, _) => Some("$body_bytes_sent"),
        (Part::Wire, _) => Some("$bytes_sent"),
        (Part::In, _) => Some("$request_length"),
        (Part::Duration, Kind::Duration(Unit::Seconds)) => Some("$request_time"),
        (Part::Upstream, Kind::Duration(Unit::Seconds) | Kind::List) => Some("$upstream_response_time"),
        (Part::Host, _) if field.text == "%v" => Some("$server_name"),
        (Part::Host, _) => Some("$host"),
        (Part::ServerAddr, _) => Some("$server_addr"),
        (Part::Hostname, _) => Some("$hostname"),
        (Part::Referer, _) => Some("$http_referer"),
        (Part::Agent, _) => Some("$http_user_agent"),
        (Part::Cache, _) => Some("$upstream_cache_status"),
        _ => match field.text.as_str() {
            "%l" => {
                spelled.remark("nginx knows no ident (%l): a dash stands for it");
                Some("-")
            }
            "%p" | "%{canonical}p" | "%{local}p" => Some("$server_port"),
            "%{remote}p" | "$client_port" => Some("$remote_port"),
            "%P" => Some("$pid"),
            _ => None,
        },
    };
    word.map_or_else(|| format!("${}", spelled.placeholder(field)), str::to_owned)
}

/// Apache's `%{Name}i`, `%{Name}o`, `%{Name}C`.
fn of_header(text: &str) -> Option<String> {
    let (name, kind) = text.strip_prefix("%{")?.split_once('}')?;
    let name = name.replace('-', "_").to_ascii_lowercase();
    let prefix = match kind {
        "i" => "http",
        "o" => "sent_http",
        "C" => "cookie",
        _ => return None,
    };
    name.chars().all(is_name).then(|| format!("${prefix}_{name}"))
}

fn nginx_time(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Clf => Some("$time_local"),
        Shape::Bracketed => Some("[$time_local]"),
        Shape::Iso => Some("$time_iso8601"),
        Shape::Epoch(Unit::Seconds) => Some("$msec"),
        Shape::Strftime(pieces) if *pieces == clf_pieces() => Some("$time_local"),
        Shape::Epoch(_) | Shape::Fraction(_) | Shape::Any | Shape::Strftime(_) => None,
    }
}

/// `%d/%b/%Y:%H:%M:%S %z`.
fn clf_pieces() -> Vec<Piece> {
    let literal = Piece::Literal;
    vec![
        Piece::Day,
        literal(b'/'),
        Piece::MonthName,
        literal(b'/'),
        Piece::Year,
        literal(b':'),
        Piece::Hour,
        literal(b':'),
        Piece::Minute,
        literal(b':'),
        Piece::Second,
        literal(b' '),
        Piece::Offset,
    ]
}

/// Puts the variable at the end of the text in braces: letters follow that are no part of its name.
fn close_last(text: &mut String) {
    let name = text.trim_end_matches(is_name).len();
    if name > 0 && name < text.len() && text.as_bytes()[name - 1] == b'$' {
        text.insert(name, '{');
        text.push('}');
    }
}

/// Pieces of at most [`WIDTH`] bytes where there are blanks to break after.
fn broken(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut end) = (0, 0);
    for word in text.split_inclusive(' ') {
        if end > start && end + word.len() - start > WIDTH {
            pieces.push(&text[start..end]);
            start = end;
        }
        end += word.len();
    }
    pieces.push(&text[start..]);
    pieces
}

fn quoted_for_nginx(text: &str) -> String {
    let mut quoted = String::from("'");
    for letter in text.chars() {
        match letter {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A piece of a format on its way to Apache's notation.
enum Written<'a> {
    Literal(Vec<u8>),
    Field(&'a Field),
    /// A time whose brackets Apache brings itself, or the ident that nginx's dash stands for.
    Word(&'static str),
}

/// nginx's `[$time_local]` is one directive in Apache, and the dash after the client is the ident.
fn with_apache_times(format: &Format) -> Vec<Written<'_>> {
    let mut written: Vec<Written<'_>> = Vec::new();
    let mut items = format.items.iter().peekable();
    let mut skip = 0;
    while let Some(item) = items.next() {
        match item {
            Item::Literal(bytes) => {
                let bytes = &bytes[skip..];
                skip = 0;
                written.extend((!bytes.is_empty()).then(|| Written::Literal(bytes.to_vec())));
            }
            Item::Field(field) => {
                let clf = matches!(field.kind, Kind::Time(Shape::Clf, _));
                let closes = matches!(items.peek(), Some(Item::Literal(after)) if after.starts_with(b"]"));
                let opened = match written.last_mut() {
                    Some(Written::Literal(before)) if clf && closes && before.ends_with(b"[") => {
                        before.pop();
                        true
                    }
                    _ => false,
                };
                if opened {
                    skip = 1;
                    written.push(Written::Word(bracketed_time(field, format)));
                } else {
                    written.push(Written::Field(field));
                }
            }
        }
    }
    restore_ident(&mut written);
    written
}

/// The edge matters only where a duration leads from one to the other.
fn bracketed_time(field: &Field, format: &Format) -> &'static str {
    match field.kind {
        Kind::Time(_, Edge::End) if format.has(Part::Duration) => "%{end}t",
        _ => "%t",
    }
}

/// `$remote_addr - $remote_user` is what servers write that know no ident.
fn restore_ident(written: &mut Vec<Written<'_>>) {
    let is = |written: Option<&Written<'_>>, part| matches!(written, Some(Written::Field(field)) if field.part == part);
    let place = (0..written.len()).find(|&at| {
        matches!(&written[at], Written::Literal(bytes) if bytes == b" - ")
            && at > 0
            && is(written.get(at - 1), Part::Client)
            && is(written.get(at + 1), Part::User)
    });
    if let Some(at) = place {
        let blank = || Written::Literal(b" ".to_vec());
        written.splice(at..=at, [blank(), Written::Word("%l"), blank()]);
    }
}

fn apache_word(field: &Field, format: &Format, spelled: &mut Spelled) -> String {
    if format.server == Server::Apache {
        return field.text.clone();
    }
    if let Some(item) = to_header(&field.text) {
        return item;
    }
    let word = match (field.part, &field.kind) {
        (Part::Time, Kind::Time(shape, edge)) => {
            let word = apache_time(shape, *edge, format.has(Part::Duration));
            if word.is_some() && *edge == Edge::End && !format.has(Part::Duration) {
                spelled.remark("%t is the start of the request, not its end");
            }
            word
        }
        (Part::Client, _) => Some("%h"),
        (Part::Peer, _) => Some("%{c}a"),
        (Part::Forwarded, _) => Some("%{X-Forwarded-For}i"),
        (Part::User, _) => Some("%u"),
        (Part::Request, _) => Some("%r"),
        (Part::Method, _) => Some("%m"),
        (Part::Target, _) => Some("%U%q"),
        (Part::Path, _) => Some("%U"),
        (Part::Query, _) => Some("%q"),
        (Part::Protocol, _) => Some("%H"),
        (Part::Status, _) => Some("%>s"),
        (Part::Body, _) => Some("%b"),
        (Part::Wire, _) => Some("%O"),
        (Part::In, _) => Some("%I"),
        (Part::Duration, Kind::Duration(Unit::Micros)) => Some("%D"),
        (Part::Duration, Kind::Duration(Unit::Millis)) => Some("%{ms}T"),
        (Part::Duration, Kind::Duration(Unit::Seconds)) => {
            spelled.remark("Apache's own %T has whole seconds only");
            Some("%T")
        }
        (Part::Host, _) if field.text == "$server_name" => Some("%v"),
        (Part::Host, _) => Some("%V"),
        (Part::ServerAddr, _) => Some("%A"),
        (Part::Referer, _) => Some("%{Referer}i"),
        (Part::Agent, _) => Some("%{User-Agent}i"),
        _ => match field.text.as_str() {
            "$server_port" => Some("%p"),
            "$remote_port" | "$client_port" => Some("%{remote}p"),
            "$pid" => Some("%P"),
            _ => None,
        },
    };
    word.map_or_else(|| format!("%{{{}}}n", spelled.placeholder(field)), str::to_owned)
}

/// nginx's `$http_name`, `$sent_http_name`, `$cookie_name`.
fn to_header(text: &str) -> Option<String> {
    let (name, kind) = if let Some(name) = text.strip_prefix("$http_") {
        (name, 'i')
    } else if let Some(name) = text.strip_prefix("$sent_http_") {
        (name, 'o')
    } else {
        return Some(format!("%{{{}}}C", text.strip_prefix("$cookie_")?));
    };
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    Some(format!("%{{{}}}{kind}", words.collect::<Vec<_>>().join("-")))
}

fn apache_time(shape: &Shape, edge: Edge, duration_logged: bool) -> Option<&'static str> {
    let is_end = edge == Edge::End && duration_logged;
    Some(match (shape, is_end) {
        (Shape::Clf, false) => "%{%d/%b/%Y:%H:%M:%S %z}t",
        (Shape::Clf, true) => "%{end:%d/%b/%Y:%H:%M:%S %z}t",
        (Shape::Iso, false) => "%{%Y-%m-%dT%H:%M:%S%z}t",
        (Shape::Iso, true) => "%{end:%Y-%m-%dT%H:%M:%S%z}t",
        (Shape::Epoch(Unit::Seconds), false) => "%{sec}t.%{msec_frac}t",
        (Shape::Epoch(Unit::Seconds), true) => "%{end:sec}t.%{end:msec_frac}t",
        (Shape::Epoch(Unit::Millis), false) => "%{msec}t",
        (Shape::Epoch(Unit::Millis), true) => "%{end:msec}t",
        (Shape::Epoch(Unit::Micros), false) => "%{usec}t",
        (Shape::Epoch(Unit::Micros), true) => "%{end:usec}t",
        _ => return None,
    })
}

/// A literal in the format, which stands in a quoted argument.
fn push_for_apache(text: &mut String, literal: &[u8]) {
    for letter in String::from_utf8_lossy(literal).chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '%' => text.push_str("%%"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::presets::PRESETS;
    use super::*;

    /// The directive that `from` is in the other notation, what is missing in it, and the remarks' number.
    fn check(into: fn(&Format) -> Option<Notation>, from: &str, expected: (&str, &[&str], usize)) {
        let found = into(&Format::parse(from).expect(from)).expect(from);
        let (directive, missing, remarks) = expected;
        assert_eq!((found.directive.as_str(), found.remarks.len()), (directive, remarks), "{from}");
        assert_eq!(found.missing, missing, "{from}");
    }

    #[test]
    fn the_combined_format_is_the_same_in_both() {
        let nginx_text = "log_format combined\n    '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '\n    '\"$http_referer\" \"$http_user_agent\"';";
        let apache_text =
            r#"LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined"#;
        check(nginx, "combined", (nginx_text, &[], 0));
        check(apache, "combined", (apache_text, &[], 1));
        check(apache, "apache_combined", (&apache_text.replace("\" combined", "\" apache_combined"), &[], 0));
        check(
            nginx,
            "apache_combined",
            (&nginx_text.replace("log_format combined", "log_format apache_combined"), &[], 2),
        );
    }

    #[test]
    fn what_a_server_cannot_say_keeps_its_place() {
        check(
            apache,
            "[$time_local] $status $request_time $upstream_addr",
            (r#"LogFormat "%{end}t %>s %T %{upstream_addr}n" custom"#, &["$upstream_addr"], 1),
        );
        check(
            nginx,
            "%v:%p %a %t %D %{ms}T %T %^FB %{X-A}i %{X-B}o",
            (
                "log_format custom\n    '$server_name:$server_port $remote_addr [$time_local] $duration_us '\n    '$duration_ms $request_time $fb $http_x_a $sent_http_x_b';",
                &["%D", "%{ms}T", "%^FB"],
                1,
            ),
        );
        check(
            apache,
            "$msec $time_iso8601 $host $request_uri",
            (r#"LogFormat "%{sec}t.%{msec_frac}t %{%Y-%m-%dT%H:%M:%S%z}t %V %U%q" custom"#, &[], 1),
        );
    }

    #[test]
    fn literals_are_quoted_for_each() {
        check(nginx, "a'b\\c\t$status", ("log_format custom 'a\\'b\\\\c\\t$status';", &[], 0));
        check(apache, "a\"b\\c\t%%%s", (r#"LogFormat "a\"b\\\\c\t%%%s" custom"#, &[], 0));
        check(nginx, "%sx$%b", ("log_format custom '${status}x$$body_bytes_sent';", &[], 1));
        check(nginx, "%q%H", ("log_format custom '$is_args$args$server_protocol';", &[], 0));
    }

    #[test]
    fn lines_that_name_their_values_have_no_directive() {
        let format = Format::keyed("json", Grammar::Json, Escape::Json, Vec::new());
        assert_eq!((nginx(&format), apache(&format)), (None, None));
    }

    /// A server's own directive reads back to the very same fields and literals.
    #[test]
    fn own_directives_read_back() {
        for preset in PRESETS {
            let format = preset.format();
            let own = match format.server {
                Server::Nginx => nginx(&format),
                Server::Apache => apache(&format),
                Server::Other => continue,
            };
            let again = Format::parse(&own.expect("a text").directive).expect(preset.name);
            assert_eq!((again.items, again.name), (format.items, format.name), "{}", preset.name);
        }
    }

    /// Both directives of every preset can be given back to `--format`.
    #[test]
    fn every_directive_is_a_format() {
        for preset in PRESETS {
            for notation in [nginx(&preset.format()), apache(&preset.format())] {
                let directive = notation.expect("a text").directive;
                Format::parse(&directive).unwrap_or_else(|bad| panic!("{bad}: {directive}"));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_own_directive_reads_back(text in r#"([ab' "\\\t\[\]%-]|\$\{?(status|host|x_y)\}?|é){1,12}"#) {
            if let Ok(format) = super::super::nginx::format("n", Escape::Nginx, &text) {
                let directive = nginx(&format).expect("a text").directive;
                let again = Format::parse(&directive).expect(&directive);
                prop_assert_eq!(again.items, format.items);
            }
            if let Ok(format) = super::super::apache::format("n", &text.replace('$', "%h%{a}i")) {
                let directive = apache(&format).expect("a text").directive;
                let again = Format::parse(&directive).expect(&directive);
                prop_assert_eq!(again.items, format.items, "{}", directive);
            }
        }
    }
}
