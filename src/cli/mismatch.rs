//! A line that matches no format, shown with a caret under the column.

use bandwho::detect::Nearest;
use bandwho::parse::Reason;
use bandwho::pipeline::Log;
use bandwho::report::caret::pointed;

/// Blanks before the line shown.
const INDENT: usize = 2;

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
    let expected = expected(reject.reason);
    let advice = if format_given {
        String::new()
    } else {
        "\nGive the server's own format with --format, for example --format '$remote_addr [$time_local] $status'".to_owned()
    };
    format!(
        "{head}\nline {line}, column {}: {expected}\n{}{advice}\n`bandwho formats` says more",
        reject.column.min(text.len()) + 1,
        pointed(text, reject.column, INDENT)
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
