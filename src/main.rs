//! The command: arguments → plan → run → exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use bandwho::error::Error;
use cli::args::Args;
use cli::exit::{DONE, FAILED, USAGE};
use cli::message;

fn main() -> ExitCode {
    let args = Args::parse();
    match cli::run(args) {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(error) if error.is_broken_pipe() => ExitCode::from(DONE),
        Err(error) => {
            message::error(&error.to_string());
            ExitCode::from(if matches!(error, Error::Usage(_)) { USAGE } else { FAILED })
        }
    }
}
