//! Serving machine → data centre ([`Idc`]), from the site's own server list.
//!
//! Keys are tried from the surest to the weakest, see [`Key`]: what the server says of itself, then where its log
//! lies, then what the client asked for. One key with two data centres is an error, never a choice.

mod address;
mod ansible;
mod book;
mod capture;
mod claim;
mod csv;
mod file_sd;
pub mod fit;
mod geo;
mod globs;
mod list;
mod log_path;
mod names;
mod tree;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use foldhash::fast::RandomState;

use crate::error::Error;
use crate::format::configured::Load;
use crate::input::Loader;
use address::Addresses;
use book::Book;
use globs::Globs;
use log_path::LogPath;
use names::Names;

/// Most data centres of one server list; two numbers of [`Idc`] stay free for the caller.
pub const IDCS_MAX: usize = 65_534;

/// Longest machine name, as in DNS: looking one up needs no allocation.
pub const NAME_BYTES_MAX: usize = 255;

/// A data centre: an index into [`Servers::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Idc(pub u16);

/// How a server was found, in join order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// `$server_addr`: the exact address, then the longest network.
    ServerAddr,
    /// `$hostname` or the host a syslog line names.
    Hostname,
    /// The log's path.
    Path,
    /// `$host`: the site asked for rather than the machine, so only if it is listed.
    Host,
    /// `--idc-default`.
    Default,
}

impl Key {
    /// Every key in join order.
    pub const ALL: [Self; 5] = [Self::ServerAddr, Self::Hostname, Self::Path, Self::Host, Self::Default];

    /// The key's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerAddr => "server_addr",
            Self::Hostname => "hostname",
            Self::Path => "path",
            Self::Host => "host",
            Self::Default => "default",
        }
    }
}

/// What the lists say of a data centre itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Where it is, in the words of the list.
    pub region: Option<String>,
    /// Its province.
    pub province: Option<String>,
    /// Its city.
    pub city: Option<String>,
    /// Whose line it hangs on; `BGP` means everybody's.
    pub carrier: Option<String>,
    /// What bandwidth costs there.
    pub price: Option<String>,
    /// How much it can carry.
    pub capacity: Option<String>,
}

/// What the user says of servers; all of it is optional.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statements<'a> {
    /// Files with server lists, in any notation.
    pub lists: &'a [PathBuf],
    /// `--idc KEY=NAME`, or a path with `{idc}` in it.
    pub pairs: &'a [String],
    /// `--idc-default`.
    pub default: Option<&'a str>,
    /// `--idc-group-prefix`: Ansible groups whose names begin so are data centres.
    pub group_prefix: Option<&'a str>,
    /// The logs to be read: a path with `{idc}` finds only these.
    pub logs: &'a [PathBuf],
    /// Where relative paths of logs begin, absolute. If empty, keys match them only as they are.
    pub folder: &'a str,
}

/// The server list, shared by all threads.
#[derive(Debug)]
pub struct Servers {
    /// The data centres, sorted, each once: by [`Idc`].
    pub names: Vec<String>,
    /// What is known of each data centre: by [`Idc`].
    pub sites: Vec<Site>,
    /// Where the price of each data centre is written, `file:line:column`: by [`Idc`].
    pub price_origins: Vec<String>,
    /// The paths with `{idc}` that none of the logs matches.
    pub unmatched: Vec<String>,
    /// The files that were read: the lists, and what they include.
    pub files: Vec<PathBuf>,
    addresses: Addresses,
    hostnames: Names,
    hostname_globs: Globs,
    paths: Globs,
    /// Logs whose path names the data centre.
    captured: HashMap<Box<str>, Idc, RandomState>,
    folder: String,
    default: Option<Idc>,
}

impl Servers {
    /// Reads server lists and whatever else is said.
    pub fn load(statements: &Statements<'_>) -> Result<Self, Error> {
        let texts =
            statements.lists.iter().map(|path| list::text(path)).collect::<Result<Vec<_>, Error>>()?;
        let mut loader = Loader::default();
        let servers = Self::read(&texts, statements, &mut |pattern| loader.load(pattern))?;
        let files = [statements.lists.to_vec(), loader.files].concat();
        Ok(Self { files, ..servers })
    }

    /// The same for lists that were already read: their names and texts. `include` gives the files that they include.
    pub fn read(
        texts: &[(String, Vec<u8>)],
        statements: &Statements<'_>,
        include: &mut Load<'_>,
    ) -> Result<Self, Error> {
        let mut book = Book::default();
        for (name, text) in texts {
            list::read(name, text, statements.group_prefix, &mut book, include)?;
        }
        for pair in statements.pairs {
            book.add_pair(pair)?;
        }
        let logs: Vec<_> = statements.logs.iter().map(|path| path.to_string_lossy()).collect();
        let logs: Vec<&str> = logs.iter().map(|path| &**path).collect();
        book.close(statements.default, statements.folder, &logs)
    }

    /// True if no server can be found: nothing was given.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The data centre's name.
    ///
    /// # Panics
    /// If `idc` came from another server list.
    pub fn name(&self, idc: Idc) -> &str {
        &self.names[usize::from(idc.0)]
    }

    /// By `$server_addr`: the exact address, else the longest network around it; see also [`Self::is_nowhere`].
    pub fn by_address(&self, address: IpAddr) -> Option<Idc> {
        self.addresses.get(address)
    }

    /// By `$hostname`, ignoring ASCII case: the whole name, else the name before the first dot, else a glob.
    /// A short name also finds the one listed machine whose full name begins with it; a name that is an address is
    /// looked up as one.
    pub fn by_hostname(&self, name: &[u8]) -> Option<Idc> {
        let mut buffer = [0; NAME_BYTES_MAX];
        let name = lower(name, &mut buffer)?;
        self.hostnames
            .exact(name)
            .or_else(|| match address(name) {
                Some(address) => self.by_address(address),
                None => self.hostnames.short(name),
            })
            .or_else(|| self.hostname_globs.get(name))
    }

    /// By the log's path: of the listed paths and globs that name it or a directory above it, the one with the
    /// most characters that are not wildcards. To be called once per file.
    pub fn by_path(&self, path: &str) -> Option<Idc> {
        let listed = || self.paths.above(LogPath::new(&self.folder, path).forms()).map(|(_, idc)| idc);
        self.captured.get(path).copied().or_else(listed)
    }

    /// By `$host`, if exactly this name or address or a glob for it is listed; port and ASCII case are ignored.
    pub fn by_host(&self, host: &[u8]) -> Option<Idc> {
        let mut buffer = [0; NAME_BYTES_MAX];
        let (host, end) = host.strip_prefix(b"[").map_or((host, b':'), |host| (host, b']'));
        let host = host.iter().position(|&byte| byte == end).map_or(host, |end| &host[..end]);
        let host = lower(host, &mut buffer)?;
        self.hostnames
            .exact(host)
            .or_else(|| self.by_address(address(host)?))
            .or_else(|| self.hostname_globs.get(host))
    }

    /// True if a list says of the longest network around this address that it is in no data centre: the default is
    /// not for it.
    pub fn is_nowhere(&self, address: IpAddr) -> bool {
        self.addresses.is_nowhere(address)
    }

    /// What every other server belongs to.
    pub fn default_idc(&self) -> Option<Idc> {
        self.default
    }
}

fn address(name: &[u8]) -> Option<IpAddr> {
    claim::address(std::str::from_utf8(name).ok()?)
}

/// `name` in lower case and without the root's dot; `None` if no listed name can be that long, or that short.
fn lower<'b>(name: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> Option<&'b [u8]> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let lower = buffer.get_mut(..name.len()).filter(|lower| !lower.is_empty())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(lower)
}
