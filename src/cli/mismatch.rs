//! A line that matches no format, shown with a caret under the column.

use bandwho::detect::Nearest;
use bandwho::parse::Reason;
use bandwho::pipeline::Log;
use bandwho::report::escape;
use unicode_width::UnicodeWidthStr;

/// Bytes of a line shown before and after the column.
const CONTEXT: usize = 50;

/// Why a log cannot be read.
pub(crate) fn explain(log: &Log, nearest: &Nearest, format_given: bool) -> String {
    let Nearest { layout, line, text, reject } = nearest;
    let format = &layout.format;
    let head = if format_given {
        format!("no line of {} matches the format {}", log.input.name, format.text)
    } else {
        format!(
            "no line of {} matches a known format; nearest is {}: {}",
            log.input.name, format.name, format.text
        )
    };
    let column = reject.column.min(text.len());
    let from = column.saturating_sub(CONTEXT);
    let to = (column + CONTEXT).min(text.len());
    let before = escape::terminal(&text[from..column]);
    let after = escape::terminal(&text[column..to]);
    let dots = |cut: bool| if cut { "…" } else { "" };
    let (open, close) = (dots(from > 0), dots(to < text.len()));
    let margin = " ".repeat(2 + open.width() + before.width());
    let expected = expected(reject.reason);
    let advice = if format_given {
        String::new()
    } else {
        "\nGive the server's own format with --format, for example --format '$remote_addr [$time_local] $status'".to_owned()
    };
    format!(
        "{head}\nline {line}, column {}: {expected}\n  {open}{before}{after}{close}\n{margin}^{advice}",
        column + 1
    )
}

fn expected(reason: Reason) -> &'static str {
    match reason {
        Reason::Format => "the line does not have the format's shape from here on",
        Reason::Time => "this is not a time of the expected form",
        Reason::Status => "this is not a status",
        Reason::Bytes => "this is not a number of bytes",
        Reason::BytesRange => "this is more than 2^46 bytes",
        Reason::Duration => "this is not a duration",
        Reason::TooLong => "the line is too long",
    }
}
