//! The `strftime` notation of Apache's `%{…}t`, as pieces to read back.

/// A piece of a written time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after what strftime(3) calls them")]
pub enum Piece {
    Literal(u8),
    Year,
    /// Two digits: 69–99 are 19xx, the rest 20xx (POSIX).
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    Hour,
    /// 1–12, completed by [`Piece::Meridian`].
    Hour12,
    Meridian,
    Minute,
    Second,
    /// `.123`, or nothing; no conversion has it, but formats that are known by name do.
    Fraction,
    Offset,
    /// Nothing is written: the format's own zone is this many seconds ahead of UTC.
    Zone(i32),
    ZoneName,
    WeekdayName,
    /// At most so many digits that say nothing the others do not: weekday and week of the year.
    Number(u8),
    Epoch,
}

/// Splits a notation into pieces; composite ones (`%T`, `%F`, `%D`, `%R`) are expanded.
pub(super) fn strftime(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            pieces.push(Piece::Literal(byte));
            continue;
        }
        let Some(letter) = bytes.next() else {
            return Err(format!("`{text}` ends in the middle of a conversion"));
        };
        match letter {
            b'T' => pieces.extend(strftime("%H:%M:%S")?),
            b'F' => pieces.extend(strftime("%Y-%m-%d")?),
            b'D' => pieces.extend(strftime("%m/%d/%y")?),
            b'R' => pieces.extend(strftime("%H:%M")?),
            b'r' => pieces.extend(strftime("%I:%M:%S %p")?),
            _ => pieces.push(single(letter).ok_or_else(|| {
                format!("`%{}` in `{text}` is not a conversion that can be read back", char::from(letter))
            })?),
        }
    }
    Ok(pieces)
}

fn single(letter: u8) -> Option<Piece> {
    Some(match letter {
        b'Y' => Piece::Year,
        b'y' => Piece::ShortYear,
        b'm' => Piece::Month,
        b'b' | b'B' | b'h' => Piece::MonthName,
        b'd' | b'e' => Piece::Day,
        b'j' => Piece::DayOfYear,
        b'H' | b'k' => Piece::Hour,
        b'I' | b'l' => Piece::Hour12,
        b'p' => Piece::Meridian,
        b'M' => Piece::Minute,
        b'S' => Piece::Second,
        b'z' => Piece::Offset,
        b'Z' => Piece::ZoneName,
        b'a' | b'A' => Piece::WeekdayName,
        b'u' | b'w' => Piece::Number(1),
        b'U' | b'V' | b'W' | b'g' | b'C' => Piece::Number(2),
        b'G' => Piece::Number(4),
        b's' => Piece::Epoch,
        b'n' => Piece::Literal(b'\n'),
        b't' => Piece::Literal(b'\t'),
        b'%' => Piece::Literal(b'%'),
        _ => return None,
    })
}
