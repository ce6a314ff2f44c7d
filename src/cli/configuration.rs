//! The servers' own configurations: which log has which format, and which logs there are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bandwho::error::Error;
use bandwho::format::configured::{Load, Standing};
use bandwho::format::{BadConfiguration, Configured, Layout, apache_conf, nginx_conf};
use bandwho::input::{Found, Loader, expand};

use super::args::Inputs;
use super::message;

/// Notes of one configuration that are shown; a host with hundreds of sites repeats the same few for each.
const NOTES_SHOWN: usize = 20;

/// What the configurations that were named say.
pub(crate) struct Configuration {
    servers: Vec<Server>,
}

struct Server {
    /// The file that all begins with.
    path: PathBuf,
    /// The option that named it.
    option: &'static str,
    configured: Configured,
    /// One per format; none for a format without fields.
    layouts: Vec<Option<Layout>>,
    /// The file and all that it includes.
    files: Vec<PathBuf>,
}

type Reader = fn(&str, &mut Load<'_>) -> Result<Configured, BadConfiguration>;

impl Configuration {
    /// Reads the configurations that were named and tells what is noteworthy about them.
    pub(crate) fn read(inputs: &Inputs) -> Result<Self, Error> {
        let named: [(_, _, Reader); 2] = [
            ("--nginx-conf", &inputs.nginx_conf, nginx_conf::read),
            ("--apache-conf", &inputs.apache_conf, apache_conf::read),
        ];
        let mut servers = Vec::new();
        for (option, path, reader) in named {
            if let Some(path) = path {
                servers.push(Server::read(option, path, reader)?);
            }
        }
        Ok(Self { servers })
    }

    /// True if none was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// The files that were read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> + Clone {
        self.servers.iter().flat_map(|server| server.files.iter().map(PathBuf::as_path))
    }

    /// The format that `--format` names.
    pub(crate) fn named(&self, name: &str) -> Result<Option<Layout>, Error> {
        if name == "auto" {
            return Ok(None);
        }
        let mut found: Vec<&Layout> = Vec::new();
        for layout in self.layouts().filter(|layout| layout.format.name == name) {
            if !found.iter().any(|known| known.format.text == layout.format.text) {
                found.push(layout);
            }
        }
        let options: Vec<&str> = self.servers.iter().map(|server| server.option).collect();
        let options = options.join(" and ");
        match found.as_slice() {
            [layout] => Ok(Some((*layout).clone())),
            [] => Err(Error::Usage(format!(
                "--format {name}: with {options} it names one of the configured formats: {}",
                self.names()
            ))),
            several => Err(Error::Usage(format!(
                "--format {name}: {} formats of that name are configured",
                several.len()
            ))),
        }
    }

    /// The format of a log, if its path tells.
    pub(crate) fn layout_for(&self, path: &Path) -> Option<Layout> {
        self.configured_for(path).map(|(layout, _)| layout)
    }

    /// The same, and where the configuration says so: `file:line`.
    pub(crate) fn configured_for(&self, path: &Path) -> Option<(Layout, String)> {
        let path = absolute(path);
        let path = path.to_string_lossy();
        let mut found: Option<(&Layout, &str)> = None;
        for server in &self.servers {
            let Some(log) = server.configured.log_for(&path) else { continue };
            let layout = server.layouts[log.format].as_ref()?;
            if found.is_some_and(|(other, _)| other.format != layout.format) {
                return None;
            }
            found = Some((layout, &log.position));
        }
        found.map(|(layout, position)| (layout.clone(), position.to_owned()))
    }

    /// All formats, for logs whose path tells nothing.
    pub(crate) fn known(&self) -> Vec<Layout> {
        self.layouts().cloned().collect()
    }

    /// The configured logs that are there, rotated ones included; fails if there are none. Only what a configuration
    /// names in full is named: other names may mean anything that lies there. Where they could not be looked for is
    /// added to `unreadable`.
    pub(crate) fn logs(&self, unreadable: &mut Vec<String>) -> Result<Vec<(PathBuf, Found)>, Error> {
        let mut logs: Vec<PathBuf> = Vec::new();
        let mut named: HashSet<PathBuf> = HashSet::new();
        for Server { configured, .. } in &self.servers {
            for glob in configured.log_globs().iter().filter(|glob| glob.starts_with('/')) {
                let found =
                    expand(glob).map_err(|reason| Error::Data(format!("cannot search {glob}: {reason}")))?;
                let sentence =
                    |(path, reason): (PathBuf, String)| format!("cannot open {}: {reason}", path.display());
                unreadable.extend(found.unreadable.into_iter().map(sentence));
                let own = |path: &PathBuf| path.is_file() && configured.knows(&path.to_string_lossy());
                let is_path = configured.logs.iter().any(|log| log.path == *glob) && !glob.contains('*');
                let found: Vec<PathBuf> = found.paths.into_iter().filter(own).collect();
                named.extend(found.iter().filter(|_| is_path).cloned());
                logs.extend(found);
            }
        }
        logs.sort_unstable();
        logs.dedup();
        unreadable.sort_unstable();
        unreadable.dedup();
        if logs.is_empty() {
            let reasons = unreadable.iter().take(NOTES_SHOWN).map(|reason| format!("\n  {reason}"));
            return Err(Error::Data(self.nothing_found() + &reasons.collect::<String>()));
        }
        let found = |log: &PathBuf| if named.contains(log) { Found::Named } else { Found::InDirectory };
        Ok(logs.into_iter().map(|log| (log.clone(), found(&log))).collect())
    }

    fn layouts(&self) -> impl Iterator<Item = &Layout> {
        self.servers.iter().flat_map(|server| server.layouts.iter().flatten())
    }

    fn names(&self) -> String {
        let mut names: Vec<&str> = self.layouts().map(|layout| layout.format.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { "there are none".to_owned() } else { names.join(", ") }
    }

    /// Where was looked for logs.
    fn nothing_found(&self) -> String {
        let mut lines = Vec::new();
        for Server { path, configured, .. } in &self.servers {
            let used = configured.logs.iter().filter(|log| log.standing == Standing::Written);
            let mut places: Vec<String> =
                used.map(|log| format!("  {} ({})", log.path, log.position)).collect();
            if places.is_empty() {
                lines.push(format!("{} names no log file", path.display()));
            } else {
                places.dedup();
                lines.push(format!("no log of {} is there; looked for", path.display()));
                lines.append(&mut places);
            }
        }
        lines.join("\n")
    }
}

impl Server {
    fn read(option: &'static str, path: &Path, reader: Reader) -> Result<Self, Error> {
        let path = absolute(path);
        if path.is_dir() {
            return Err(Error::Data(format!(
                "cannot read {}: it is a directory; {option} takes the server's main file",
                path.display()
            )));
        }
        let mut loader = Loader::default();
        let configured = reader(&path.to_string_lossy(), &mut |pattern| loader.load(pattern))
            .map_err(|bad| Error::Data(bad.to_string()))?;
        configured.warnings.iter().for_each(|warning| message::warning(warning));
        let mut notes = configured.notes.clone();
        notes.append(&mut loader.notes);
        let mut layouts = Vec::new();
        for format in &configured.formats {
            let layout = Layout::compile(format);
            if let Err(bad) = &layout {
                notes.push(format!("the format `{}` is left out: {}", format.name, bad.message));
            }
            layouts.push(layout.ok());
        }
        notes.iter().take(NOTES_SHOWN).for_each(|note| message::note(note));
        if notes.len() > NOTES_SHOWN {
            message::note(&format!("{}: {} more notes", path.display(), notes.len() - NOTES_SHOWN));
        }
        Ok(Self { path, option, configured, layouts, files: loader.files })
    }
}

/// Configurations name their logs by absolute paths.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
