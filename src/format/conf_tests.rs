//! What the tests of both configuration readers need: files in memory, and results as text.

use std::path::PathBuf;

use super::configured::{BadConfiguration, Configured, Load, Standing, matches};

/// Loads from a map. Nothing called `secret` may be read.
pub(super) fn load_from<'a>(
    files: &'a [(&'a str, &'a str)],
) -> impl FnMut(&str) -> Result<Vec<(String, Vec<u8>)>, String> + 'a {
    |pattern| {
        let found: Vec<_> = files
            .iter()
            .filter(|(name, _)| matches(pattern, name))
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        if pattern.ends_with("secret") { Err("permission denied".to_owned()) } else { Ok(found) }
    }
}

/// The logs with their formats, the notes, and the formats but for `combined`.
pub(super) fn shown(configured: &Configured) -> Vec<String> {
    let logs = configured.logs.iter().map(|log| {
        let mut shown = format!("{} {} {}", log.path, configured.formats[log.format].name, log.position);
        for (name, value) in [("ratio", &log.sampled), ("if", &log.condition)] {
            if let Some(value) = value {
                shown.push_str(&format!(" {name}={value}"));
            }
        }
        if log.standing == Standing::Replaced {
            shown.push_str(" Replaced");
        }
        shown
    });
    let warnings = configured.warnings.iter().map(|warning| format!("warning: {warning}"));
    let notes = configured.notes.iter().map(|note| format!("note: {note}"));
    let formats = configured.formats.iter().filter(|format| format.name != "combined");
    let formats = formats.map(|format| format!("format {} {}", format.name, format.text));
    logs.chain(warnings).chain(notes).chain(formats).collect()
}

type Read = fn(&str, &mut Load<'_>) -> Result<Configured, BadConfiguration>;

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
/// Reads a configuration of the corpora as if its directory were at `place`; `None` if it is not there.
pub(super) fn corpus(name: &str, place: &str, file: &str, read: Read) -> Option<Configured> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let root = std::env::var_os("BANDWHO_CORPORA").map_or_else(beside, PathBuf::from).join(name);
    if !root.is_dir() {
        eprintln!("skipped: no {}", root.display());
        return None;
    }
    let mut load = |path: &str| {
        let below = path.strip_prefix(place).and_then(|path| path.strip_prefix('/')).ok_or("elsewhere")?;
        let bytes = std::fs::read(root.join(below)).map_err(|error| error.to_string())?;
        Ok(vec![(path.to_owned(), bytes)])
    };
    Some(read(&format!("{place}/{file}"), &mut load).expect("a server accepted it"))
}
