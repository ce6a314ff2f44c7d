//! What ends a run.
//!
//! A bad *line* is a `Reject` and is counted; only what makes an answer impossible is an [`Error`]. Every message
//! names the file or option it is about, in lower case, cause last.

use std::io;
use std::path::Path;

/// What ends a run. The text is what the user reads after `bandwho: `.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that cannot be meant; exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The system refused something; `what` is the act and its object, such as `open access.log`.
    #[error("cannot {what}: {}", cause(.source))]
    Io {
        /// The act and its object.
        what: String,
        /// Why it was refused.
        source: io::Error,
    },
    /// The data cannot give the answer that was asked for.
    #[error("{0}")]
    Data(String),
}

impl Error {
    /// `cannot <act> <path>: <cause>`.
    #[cold]
    pub fn io(act: &str, path: &Path, source: io::Error) -> Self {
        Self::Io { what: format!("{act} {}", path.display()), source }
    }

    /// True if the reader of our output went away, which is not a failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The system's words without its numbers: `permission denied`, not `Permission denied (os error 13)`.
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.as_str().starts_with(|c: char| c.is_ascii_uppercase()) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_file_and_end_with_the_cause() {
        let error = Error::io("open", Path::new("access.log"), io::Error::from_raw_os_error(13));
        assert_eq!(error.to_string(), "cannot open access.log: permission denied");
        let error = Error::io("write", Path::new("x"), io::Error::other("CRC mismatch"));
        assert_eq!(error.to_string(), "cannot write x: CRC mismatch");
    }
}
