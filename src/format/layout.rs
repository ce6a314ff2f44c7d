//! A format in the form that is walked once per line.
//!
//! ```text
//! format   $remote_addr - $remote_user [$time_local] "$request" $status
//! layout   first ""
//!          remote_addr  until " - "      remote_user  anywhere " ["
//!          time_local   until "] \""     request      quote    "\" "
//!          status       line end
//! ```
//!
//! A value ends where the literal after it begins. How that place is found depends on what the value may contain:
//! see [`End`]. Advice for changing this: `parse::naive` states the same rules without any of the speed, and the
//! property tests hold the two together.

use super::{BadFormat, Escape, Field, Format, Grammar, Item, Kind, Part, Shape};

/// A compiled format.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What it was compiled from.
    pub format: Format,
    /// Bytes before the first value.
    pub first: Vec<u8>,
    /// Values in line order, each with the literal that follows it.
    pub steps: Vec<Step>,
    /// For each [`Part`], the step that feeds it.
    sources: [Option<u16>; Part::COUNT],
    /// The steps that make up the time, best first.
    times: Vec<u16>,
}

/// A value and the literal after it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What the value is.
    pub field: Field,
    /// How its end is found; without meaning where lines name their values.
    pub end: End,
    /// The literal after it; empty at the end of the format or between adjacent fields.
    pub literal: Vec<u8>,
    /// The literal that ends the run of adjacent fields it stands in.
    pub run_end: Vec<u8>,
    /// What its text must look like.
    pub guard: Guard,
}

/// What a text must look like for its end to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Like anything.
    None,
    /// Without a quote that is not escaped: the server escapes them, so one belongs to the line of another record.
    Unquoted,
    /// Ending in a protocol, if the line can be read so: the server escapes nothing, so quotes may stand anywhere.
    Protocol,
}

/// How the end of a value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At the next quote not preceded by an odd run of backslashes. This is Apache's and JSON's rule, and safe for
    /// nginx, whose values hold neither a raw quote nor end in a backslash.
    Quote,
    /// At the next quote, whatever stands before it.
    RawQuote,
    /// At the first place the literal stands outside a list: not after a comma, not around a colon between blanks.
    List,
    /// At the first place the literal stands, not counting this many blanks that belong to the value.
    Until {
        /// Blanks inside the value itself (`$time_local` has one).
        inner_blanks: u8,
    },
    /// After exactly this many bytes (adjacent fields).
    Fixed(u8),
    /// At any place the literal stands: the first from which the rest of the line matches.
    Anywhere,
    /// Before this byte, or where the run of adjacent fields ends: the path after a host, the query after a path.
    Before(u8),
    /// A query directly after its path: at once, unless a question mark stands at its beginning or right before it.
    /// Paths are decoded and may hold blanks, queries are not.
    Asked,
    /// After this byte if it stands there, else at once.
    Optional(u8),
    /// At the end of the line, or before a blank where more columns follow.
    Line(Tail),
}

/// What a value at the very end of the line may be followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The value has no blanks (but for this many): what follows a blank is an extra column.
    Word {
        /// Blanks inside the value itself.
        inner_blanks: u8,
    },
    /// The value takes all.
    Text,
}

/// Fields of one format. Steps are counted in 16 bits, and a path of keys may go through eight objects.
pub const FIELDS_MAX: usize = 4_096;

impl Layout {
    /// Compiles a format; fails if it has no field at all or more than [`FIELDS_MAX`].
    pub fn compile(format: &Format) -> Result<Self, BadFormat> {
        if format.grammar != Grammar::Text {
            return Self::keyed(format);
        }
        let mut items = format.items.iter().peekable();
        let mut first = Vec::new();
        if let Some(Item::Literal(bytes)) = items.peek() {
            first.clone_from(bytes);
            items.next();
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut quoted = first.ends_with(b"\"");
        while let Some(item) = items.next() {
            let Item::Field(field) = item else { continue };
            let mut literal = match items.peek() {
                Some(Item::Literal(bytes)) => bytes.clone(),
                _ => Vec::new(),
            };
            // A format that ends in `\n` writes an empty line after each record, and trailing blanks are trimmed by
            // editors and shippers: neither is required at the end of a line.
            let at_end = items.clone().all(|item| matches!(item, Item::Literal(_)));
            if at_end {
                literal.truncate(literal.trim_ascii_end().len());
            }
            let end = end_of(field, format.escape, quoted, &literal, at_end);
            let guard = guard(field, format.escape, quoted);
            quoted = literal.ends_with(b"\"");
            steps.push(Step { field: field.clone(), end, literal, run_end: Vec::new(), guard });
        }
        part_runs(&mut steps);
        Self::of_steps(format, first, steps)
    }

    /// True if nothing stands behind the last value: of a line that was cut there only a piece of it may be left.
    pub fn ends_in_value(&self) -> bool {
        self.format.grammar == Grammar::Text && self.steps.last().is_some_and(|step| step.literal.is_empty())
    }

    /// True if that value is a number of bytes.
    pub fn ends_in_bytes(&self) -> bool {
        self.ends_in_value() && self.steps.last().is_some_and(|step| step.field.kind == Kind::Bytes)
    }

    /// Where lines name their values there are no ends to find.
    fn keyed(format: &Format) -> Result<Self, BadFormat> {
        let end = End::Line(Tail::Text);
        let step = |field: &Field| Step {
            field: field.clone(),
            end,
            literal: Vec::new(),
            run_end: Vec::new(),
            guard: Guard::None,
        };
        let steps: Vec<Step> = format.fields().map(step).collect();
        Self::of_steps(format, Vec::new(), steps)
    }

    fn of_steps(format: &Format, first: Vec<u8>, steps: Vec<Step>) -> Result<Self, BadFormat> {
        if steps.is_empty() {
            return Err(BadFormat { offset: 0, message: "the format has no fields".to_owned() });
        }
        if steps.len() > FIELDS_MAX {
            let message = format!("the format has more than {FIELDS_MAX} fields");
            return Err(BadFormat { offset: 0, message });
        }
        let sources = sources(&steps);
        let times = times(&steps);
        Ok(Self { format: format.clone(), first, steps, sources, times })
    }

    /// The step that feeds `part`.
    pub fn source(&self, part: Part) -> Option<usize> {
        self.sources[part as usize].map(usize::from)
    }

    /// The steps that make up the time, best first.
    pub fn times(&self) -> impl Iterator<Item = usize> {
        self.times.iter().map(|&step| usize::from(step))
    }

    /// The step whose field is written `text` (names of nginx variables in any case; Apache's `%b` is not `%B`).
    pub fn step_named(&self, text: &str) -> Option<usize> {
        let exact = self.steps.iter().position(|step| step.field.text == text);
        exact.or_else(|| {
            let any_case = |step: &Step| step.field.text.eq_ignore_ascii_case(text);
            self.steps.iter().position(|step| text.starts_with('$') && any_case(step))
        })
    }
}

fn end_of(field: &Field, escape: Escape, quoted: bool, literal: &[u8], at_end: bool) -> End {
    let inner_blanks = inner_blanks(&field.kind);
    if literal.is_empty() {
        return match (&field.kind, at_end) {
            (Kind::Text | Kind::List, true) => End::Line(Tail::Text),
            (_, true) => End::Line(Tail::Word { inner_blanks }),
            (kind, false) => fixed_width(kind).map_or(End::Anywhere, End::Fixed),
        };
    }
    if quoted && literal.starts_with(b"\"") {
        match escape {
            // Quotes within a value look like the one that ends it.
            Escape::None | Escape::Raw => {}
            Escape::Hash => return End::RawQuote,
            _ => return End::Quote,
        }
    }
    match field.kind {
        Kind::List if literal[0] == b' ' => End::List,
        // A list too, of addresses: each proxy appends one behind a comma.
        Kind::Text if field.part == Part::Forwarded && literal[0] == b' ' => End::List,
        Kind::Text | Kind::List => End::Anywhere,
        _ => End::Until { inner_blanks: if literal[0] == b' ' { inner_blanks } else { 0 } },
    }
}

fn guard(field: &Field, escape: Escape, quoted: bool) -> Guard {
    match (escape, field.part) {
        (Escape::None | Escape::Raw, Part::Request) => Guard::Protocol,
        (Escape::Nginx | Escape::Apache | Escape::Json, _) if !quoted && field.kind == Kind::Text => {
            Guard::Unquoted
        }
        _ => Guard::None,
    }
}

/// Finds ends within runs of adjacent fields: `$host$uri`, `%U%q`, `$uri$is_args$args`; and the colon before a port,
/// which an address may be full of.
fn part_runs(steps: &mut [Step]) {
    for at in 1..steps.len() {
        let (before, after) = steps.split_at_mut(at);
        let run_end = after.iter().find(|step| !step.literal.is_empty());
        let run_end = run_end.map(|step| step.literal.clone()).unwrap_or_default();
        let (step, next) = (&mut before[at - 1], &mut after[0]);
        if step.literal.first() == Some(&b':')
            && step.field.kind == Kind::Word
            && next.field.kind == Kind::Digits
        {
            step.end = End::Anywhere;
        }
        if !step.literal.is_empty() {
            continue;
        }
        if next.field.part == Part::Query && (is_path(&step.field) || step.field.text == "$is_args") {
            next.end = End::Asked;
            next.run_end.clone_from(&run_end);
        }
        step.end = match (&step.field, &next.field) {
            (field, _) if field.text == "$is_args" => End::Optional(b'?'),
            (field, next) if is_path(field) && (next.part == Part::Query || next.text == "$is_args") => {
                End::Before(b'?')
            }
            (field, next) if is_path(next) && matches!(field.kind, Kind::Word | Kind::Text) => {
                End::Before(b'/')
            }
            _ => continue,
        };
        step.run_end = run_end;
    }
}

fn is_path(field: &Field) -> bool {
    matches!(field.part, Part::Path | Part::Target)
}

/// Blanks that a value of this kind contains.
fn inner_blanks(kind: &Kind) -> u8 {
    match kind {
        Kind::Time(Shape::Clf | Shape::Bracketed, _) => 1,
        Kind::Time(Shape::Strftime(pieces), _) => {
            let blanks = pieces.iter().filter(|&piece| *piece == super::Piece::Literal(b' ')).count();
            u8::try_from(blanks).unwrap_or(u8::MAX)
        }
        _ => 0,
    }
}

/// Width of a value that needs no literal after it.
fn fixed_width(kind: &Kind) -> Option<u8> {
    match kind {
        Kind::Status => Some(3),
        Kind::Time(Shape::Clf, _) => Some(26),
        Kind::Time(Shape::Bracketed, _) => Some(28),
        Kind::Time(Shape::Iso, _) => Some(25),
        Kind::Time(Shape::Fraction(super::Unit::Millis), _) => Some(3),
        Kind::Time(Shape::Fraction(_), _) => Some(6),
        _ => None,
    }
}

fn sources(steps: &[Step]) -> [Option<u16>; Part::COUNT] {
    let mut sources = [None; Part::COUNT];
    let mut ranks = [u8::MAX; Part::COUNT];
    for (index, step) in (0u16..).zip(steps) {
        let part = step.field.part as usize;
        if sources[part].is_none() || step.field.rank < ranks[part] {
            sources[part] = Some(index);
            ranks[part] = step.field.rank;
        }
    }
    sources
}

/// The best time and, if that is only a piece (`%{%H:%M}t`), every other piece of the same edge.
fn times(steps: &[Step]) -> Vec<u16> {
    let mut times: Vec<u16> = (0u16..)
        .zip(steps)
        .filter(|(_, step)| step.field.part == Part::Time)
        .map(|(index, _)| index)
        .collect();
    times.sort_by_key(|&index| steps[usize::from(index)].field.rank);
    let kind = |index: u16| &steps[usize::from(index)].field.kind;
    let Some(Kind::Time(shape, edge)) = times.first().map(|&index| kind(index)) else { return times };
    let whole =
        matches!(
            shape,
            Shape::Clf | Shape::Bracketed | Shape::Iso | Shape::Any | Shape::Epoch(super::Unit::Micros)
        ) || matches!((shape, steps[usize::from(times[0])].field.text.as_str()), (Shape::Epoch(_), "$msec"));
    if whole {
        times.truncate(1);
    } else {
        let edge = *edge;
        times.retain(|&index| matches!(kind(index), Kind::Time(_, other) if *other == edge));
        if !tell_a_date(times.iter().map(|&index| kind(index))) {
            times.clear();
        }
    }
    times
}

/// A fraction of a second or a time of day alone is no time: the record has none, instead of a wrong one.
fn tell_a_date<'a>(kinds: impl Iterator<Item = &'a Kind>) -> bool {
    use super::Piece;
    let mut told = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Time(Shape::Strftime(pieces), _) => told.extend(pieces),
            Kind::Time(Shape::Fraction(_), _) => {}
            _ => return true,
        }
    }
    let any = |pieces: &[Piece]| told.iter().any(|piece| pieces.contains(piece));
    let day_of_year = any(&[Piece::DayOfYear]);
    let day_of_month = any(&[Piece::Month, Piece::MonthName]) && any(&[Piece::Day]);
    any(&[Piece::Epoch]) || any(&[Piece::Year, Piece::ShortYear]) && (day_of_year || day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let format = Format::parse(text).expect(text);
        let layout = Layout::compile(&format).expect(text);
        let shown = layout.steps.iter().fold(
            format!("{:?}", String::from_utf8_lossy(&layout.first)),
            |shown, step| {
                let literal = String::from_utf8_lossy(&step.literal);
                format!("{shown} {} {:?} {literal:?}", step.field.text, step.end)
            },
        );
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn ends_follow_from_what_values_may_contain() {
        check(
            "$remote_addr - $remote_user [",
            r#""" $remote_addr Until { inner_blanks: 0 } " - " $remote_user Anywhere " [""#,
        );
        check(
            "$time_local $status",
            r#""" $time_local Until { inner_blanks: 1 } " " $status Line(Word { inner_blanks: 0 }) """#,
        );
        check("\"$request\" x", r#""\"" $request Quote "\" x""#);
        check("\"%r\" x", r#""\"" %r Quote "\" x""#);
        check("log_format n escape=none '\"$request\" x';", r#""\"" $request Anywhere "\" x""#);
        check(
            "$status$bytes_sent\n",
            r#""" $status Fixed(3) "" $bytes_sent Line(Word { inner_blanks: 0 }) """#,
        );
        check("$host$status", r#""" $host Anywhere "" $status Line(Word { inner_blanks: 0 }) """#);
    }

    #[test]
    fn the_number_of_fields_has_a_limit() {
        let compile = |fields| Layout::compile(&Format::parse(&"%a ".repeat(fields)).expect("valid"));
        assert!(compile(FIELDS_MAX).is_ok());
        let bad = compile(FIELDS_MAX + 1).expect_err("too many");
        assert_eq!(bad.message, "the format has more than 4096 fields");
        assert!(compile(70_000).is_err());
    }

    #[test]
    fn the_best_field_feeds_a_part() {
        let layout = Layout::compile(&Format::parse("%s %>s %b %B %T %D").expect("valid")).expect("valid");
        assert_eq!(layout.source(Part::Status), Some(1));
        assert_eq!(layout.source(Part::Body), Some(3));
        assert_eq!(layout.source(Part::Duration), Some(5));
        assert_eq!(layout.source(Part::Wire), None);
    }

    #[test]
    fn fields_are_found_by_their_own_name() {
        let named = |text: &str, name: &str| {
            Layout::compile(&Format::parse(text).expect("valid")).expect("valid").step_named(name)
        };
        assert_eq!(named("%a %A %b %B", "%B"), Some(3));
        assert_eq!(named("%a %b", "%B"), None);
        assert_eq!(named("$status $http_X_Mine", "$http_x_mine"), Some(1));
    }

    #[test]
    fn a_time_in_pieces_is_read_from_all_of_them() {
        let times = |text: &str| {
            let layout = Layout::compile(&Format::parse(text).expect("valid")).expect("valid");
            layout.times().collect::<Vec<usize>>()
        };
        assert_eq!(times("%t %D"), [0]);
        assert_eq!(times("[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t] %{end:usec}t"), [3]);
        assert_eq!(times("[%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t]"), [0, 2, 1]);
        assert_eq!(times("$time_local $msec"), [1]);
        assert_eq!(times("%{sec}t.%{usec_frac}t"), [0, 1]);
        assert_eq!(times("%{%F}t %{%T}t.%{msec_frac}t"), [0, 1, 2]);
        assert_eq!(times("%{%H:%M:%S}t.%{msec_frac}t %>s"), [0; 0]);
        assert_eq!(times("%{msec_frac}t %>s"), [0; 0]);
    }
}
