//! Lines made from a format: what no random bytes would hit upon.

use bandwho::format::{Field, Format, Item, Kind, Layout, Part, Shape, Unit};
use bandwho::parse::{Parser, Record, Wanted};

/// The format's line with these values; where they run out, with ordinary ones.
pub fn line<'a>(format: &Format, mut values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut line = Vec::new();
    for item in &format.items {
        match item {
            Item::Literal(bytes) => line.extend_from_slice(bytes),
            Item::Field(field) => {
                let ordinary = || ordinary(field).unwrap_or("-").as_bytes();
                line.extend_from_slice(values.next().unwrap_or_else(ordinary));
            }
        }
    }
    line
}

/// Printed and read again, ordinary values are what they were. This holds where no value can be mistaken for what
/// stands after it.
pub fn law(layout: &Layout) {
    let format = &layout.format;
    if !format.items.windows(2).all(|pair| is_clear(&pair[0], &pair[1])) {
        return;
    }
    let line = line(format, std::iter::empty());
    let mut record = Record::default();
    let verdict = Parser::new(layout, Wanted::ALL, &[]).parse(line.trim_ascii_end(), &mut record);
    assert_eq!(verdict, Ok(()), "{:?} {}", format.text, line.escape_ascii());
    assert!(!record.extra);
    for (part, number) in [(Part::Body, record.body), (Part::Wire, record.wire), (Part::In, record.bytes_in)]
    {
        assert_eq!(number, format.has(part).then_some(BYTES));
    }
    assert_eq!(record.status, format.has(Part::Status).then_some(STATUS));
}

/// True if the end of a value is plain to see.
fn is_clear(item: &Item, next: &Item) -> bool {
    match (item, next) {
        (Item::Literal(_), Item::Field(field)) => ordinary(field).is_some(),
        (Item::Field(field), Item::Literal(literal)) => ordinary(field).is_some_and(|value| {
            let blanks = matches!(field.kind, Kind::Time(Shape::Clf | Shape::Bracketed, _));
            let list = field.kind == Kind::List && literal.starts_with(b" :");
            !list && (!value.as_bytes().contains(&literal[0]) || blanks && literal[0] == b' ')
        }),
        _ => false,
    }
}

const BYTES: u64 = 1234;
const STATUS: u16 = 200;

/// A value as servers write it; none for times in pieces.
fn ordinary(field: &Field) -> Option<&'static str> {
    Some(match (&field.kind, field.part) {
        (Kind::Time(Shape::Clf, _), _) => "23/Nov/2026:05:53:11 +0000",
        (Kind::Time(Shape::Bracketed, _), _) => "[23/Nov/2026:05:53:11 +0000]",
        (Kind::Time(Shape::Iso | Shape::Any, _), _) => "2026-11-23T05:53:11+00:00",
        (Kind::Time(Shape::Epoch(Unit::Seconds), _), _) => "1795413191",
        (Kind::Time(Shape::Epoch(Unit::Millis), _), _) => "1795413191123",
        (Kind::Time(Shape::Epoch(Unit::Micros), _), _) => "1795413191123456",
        (Kind::Time(Shape::Fraction(Unit::Millis), _), _) => "123",
        (Kind::Time(Shape::Fraction(_), _), _) => "123456",
        (Kind::Time(..), _) => return None,
        (Kind::Status, _) => "200",
        (Kind::Bytes, _) => "1234",
        (Kind::Duration(Unit::Seconds), _) => "0.123",
        (Kind::Duration(_), _) => "12",
        (Kind::Digits, _) => "8080",
        (Kind::List, _) => "0.001",
        (Kind::Word, Part::Client) => "192.0.2.1",
        (Kind::Word | Kind::Text, _) => "text",
    })
}
