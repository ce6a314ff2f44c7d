//! Exit codes, a part of the contract.

/// Done.
pub(crate) const DONE: u8 = 0;
/// The run failed.
pub(crate) const FAILED: u8 = 1;
/// The command line cannot be meant; clap uses the same number.
pub(crate) const USAGE: u8 = 2;
/// A check that was asked for failed.
pub(crate) const CHECK_FAILED: u8 = 3;
