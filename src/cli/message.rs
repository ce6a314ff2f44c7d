//! Everything that goes to stderr. Text of logs and names of files is disarmed here.

use std::io::Write;

use bandwho::report::escape;

/// Why the run ends.
pub(crate) fn error(text: &str) {
    write("", text);
}

/// Something is wrong, but the answer stands.
pub(crate) fn warning(text: &str) {
    write("warning: ", text);
}

/// Something the user should know.
pub(crate) fn note(text: &str) {
    write("note: ", text);
}

fn write(kind: &str, text: &str) {
    let mut out = std::io::stderr().lock();
    let mut prefix = format!("bandwho: {kind}");
    for line in text.lines() {
        // Nobody is left to tell if stderr is closed.
        let _ = writeln!(out, "{prefix}{}", escape::terminal(line.as_bytes()));
        prefix = String::new();
    }
}
