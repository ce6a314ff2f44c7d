//! bandwho answers "who ate our bandwidth?" from web servers' access logs.
//!
//! The modules stand in the order a byte meets them; each may use only those above it.
//!
//! | module | what happens there |
//! |---|---|
//! | [`error`] | what ends a run |
//! | [`time`] | instants, zones, slots |
//! | [`input`] | files, directories, stdin → decompressed blocks of whole lines |
//! | [`mod@format`] | the servers' own format texts → [`format::Layout`] |
//! | [`parse`] | layout × line → [`parse::Record`] or [`parse::Reject`] |
//! | [`client`] | which address a request came from |
//! | [`detect`] | which format is this |
//! | [`place`] | client address → country, region, network |
//! | [`servers`] | serving machine → data centre |
//! | [`path`] | request targets → path, prefix, extension, template |
//! | [`agent`] | agent texts → families of programs, and whether their claim is true |
//! | [`query`] | dimensions, metrics, and what one pass must extract |
//! | [`aggregate`] | records → exact counts that merge in any order |
//! | [`billing`] | samples → billed rate |
//! | [`report`] | counts → table, JSON, CSV, Markdown |
//! | [`pipeline`] | drives the stages over threads |

pub mod error;
pub mod time;
pub mod input;
pub mod format;
pub mod parse;
pub mod client;
pub mod detect;
pub mod place;
pub mod servers;
pub mod path;
pub mod agent;
pub mod query;
pub mod aggregate;
pub mod billing;
pub mod report;
pub mod pipeline;
