//! What every line of a format holds, whatever its values are: looked for before any patience is spent on a line.
//!
//! ```text
//! format    $remote_addr - $remote_user [$time_local] "$request" $status
//! outline   -[]""
//! ```
//!
//! Most lines that are not of a format (error logs, application logs) lack some byte of it and are done with after a
//! few searches, at the speed of `memchr`.

use memchr::memchr;

use crate::format::{End, Layout, Step};

/// The bytes of a format's literals in order, but for blanks, of which a line may have more or fewer.
#[derive(Debug, Clone)]
pub(super) struct Outline(Vec<u8>);

impl Outline {
    pub(super) fn new(layout: &Layout) -> Self {
        // A server that cuts long lines leaves a quoted value unclosed.
        let may_lack = |step: &&Step| step.literal == b"\"" && matches!(step.end, End::Quote | End::RawQuote);
        let literals = layout.steps.iter().filter(|step| !may_lack(step)).flat_map(|step| &step.literal);
        Self(layout.first.iter().chain(literals).copied().filter(|&byte| byte != b' ').collect())
    }

    /// False if no rule of the matcher can read `text`.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let mut rest = text;
        self.0.iter().all(|&byte| match memchr(byte, rest) {
            Some(at) => {
                rest = &rest[at + 1..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn check(format: &str, text: &str, expected: bool) {
        let layout = Layout::compile(&Format::parse(format).expect(format)).expect(format);
        assert_eq!(Outline::new(&layout).is_in(text.as_bytes()), expected, "{format} {text}");
    }

    #[test]
    fn a_line_holds_the_bytes_of_its_format_in_order() {
        let combined = r#"192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] "GET /" 200 6 "-" "x""#;
        check("combined", combined, true);
        check("combined", &combined.replace('[', ""), false);
        check("combined", &combined.replace("] \"GET /\"", "\" \"GET /]"), false);
        check("$host   $status", "", true);
        check("$host|$status|", "a 200|", false);
    }

    #[test]
    fn a_line_may_be_cut_within_its_last_value() {
        check("$status \"$http_user_agent\"", "200 \"cur", true);
        check("$status \"$http_user_agent\"", "200 cur", false);
    }
}
