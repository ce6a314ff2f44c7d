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

/// Reasons that are shown; below a system's root thousands of directories are closed.
const UNREADABLE_SHOWN: usize = 20;

/// What could not be read although it may be a log.
pub(crate) fn unreadable(reasons: &[String]) {
    reasons.iter().take(UNREADABLE_SHOWN).for_each(|reason| warning(reason));
    if reasons.len() > UNREADABLE_SHOWN {
        warning(&format!("{} more files and directories cannot be read", reasons.len() - UNREADABLE_SHOWN));
    }
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
