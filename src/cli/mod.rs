//! The binary's own part: arguments, plan, messages, progress, files to write.

pub(crate) mod args;
mod again;
mod bill;
mod bots;
mod configuration;
mod plan;
mod formats;
mod ipdb;
mod audit;
mod latency;
mod dispatch;
mod periods;
mod diff;
mod at;
mod export;
mod manual;
mod nets;
mod commands;
mod guard;
mod hotlink;
mod mismatch;
pub(crate) mod exit;
mod output;
pub(crate) mod message;
mod memory;
mod progress;

pub(crate) use commands::run;
