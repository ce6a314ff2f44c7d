//! Lines that are no access log's, whatever a format makes of their first words.

/// What a line is instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A line of nginx's error log.
    NginxError,
    /// A line of Apache's error log.
    ApacheError,
    /// No text at all.
    Binary,
}

/// Bytes of a line that are looked at: its beginning tells.
const LOOKED_AT_MAX: usize = 256;

/// A line is no text if at least one byte in this many is a control character or no UTF-8.
const BINARY_ONE_IN: usize = 3;

/// Fewer bytes than these are damage in a line, not another kind of file.
const BINARY_MIN: usize = 4;

impl Foreign {
    /// Tells by the looks of a line's beginning; none for what may be an access log's.
    pub fn of(line: &[u8]) -> Option<Self> {
        let line = &line[..line.len().min(LOOKED_AT_MAX)];
        if is_nginx_error(line) {
            Some(Self::NginxError)
        } else if is_apache_error(line) {
            Some(Self::ApacheError)
        } else {
            is_binary(line).then_some(Self::Binary)
        }
    }
}

/// `2026/11/23 05:53:11 [error] …`
fn is_nginx_error(line: &[u8]) -> bool {
    has_shape(line, b"0000/00/00 00:00:00 [")
}

/// `[Mon Nov 23 05:53:11.123456 2026] [core:error] …`
fn is_apache_error(line: &[u8]) -> bool {
    let weekday = line.get(1..5).is_some_and(|day| day[3] == b' ' && day[..3].is_ascii());
    line.first() == Some(&b'[') && weekday && line.windows(3).take(64).any(|part| part == b"] [")
}

/// True if the line begins like the shape, in which a zero stands for any digit.
fn has_shape(line: &[u8], shape: &[u8]) -> bool {
    line.len() >= shape.len()
        && line.iter().zip(shape).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == shape,
        })
}

fn is_binary(line: &[u8]) -> bool {
    let controls = line.iter().filter(|byte| byte.is_ascii_control() && **byte != b'\t').count();
    let invalid: usize = line.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let odd = controls + invalid;
    odd >= BINARY_MIN && odd * BINARY_ONE_IN >= line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_logs_are_known_by_their_beginnings() {
        let check =
            |line: &[u8], expected| assert_eq!(Foreign::of(line), expected, "{}", line.escape_ascii());
        check(b"2026/11/23 05:53:11 [error] 7#7: *1 open() failed", Some(Foreign::NginxError));
        check(b"2026/11/23 05:53:11 GET /", None);
        check(b"[Mon Nov 23 05:53:11.123 2026] [core:error] [pid 7] AH00124: x", Some(Foreign::ApacheError));
        check(b"[23/Nov/2026:05:53:11 +0000] 192.0.2.1", None);
        check(b"\x7fELF\x02\x01\x01\x00\x00\x00\xff\xfe", Some(Foreign::Binary));
        check(b"\x16\x03\x01", None);
        check(b"192.0.2.1 - - [x] \"\x16\x03\x01\x02 GET\" 400", None);
        check("192.0.2.1 ünïcödé".as_bytes(), None);
        check(b"", None);
    }
}
