//! Agent texts → which program asked, of what kind, and whether it comes from where the real one does.
//!
//! docs/AGENTS.md has the rules for people. The data are in `agent/families.toml`; a user's own file of the same form
//! stands before them.

mod file;
mod finder;
mod networks;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use finder::Finder;
use networks::Networks;

/// Families of one file at most: their numbers have 16 bits.
pub const FAMILIES_MAX: usize = 10_000;

/// Bytes of a file at most.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// Bytes of a name or token at most.
pub const WORD_BYTES_MAX: usize = 100;

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Crawls for a search engine.
    Search,
    /// Crawls or fetches for a language model.
    Ai,
    /// Crawls for search engine optimisation and marketing.
    Seo,
    /// Monitors, health checks, speed tests.
    Monitor,
    /// Previews of shared links, proxies of mail.
    Preview,
    /// Reads feeds.
    Feed,
    /// Looks for holes, or counts machines.
    Scanner,
    /// Any other automaton.
    Bot,
    /// Downloads files.
    Downloader,
    /// An HTTP library or a tool of the command line.
    Library,
    /// No agent was sent.
    Empty,
    /// Plays audio and video.
    Player,
    /// An app, or what fetches for people's browsers.
    App,
    /// A browser.
    Browser,
    /// In no list.
    Unlisted,
}

/// A program, as people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Such as `Googlebot`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The number of its [`Networks`], if they are known.
    networks: Option<usize>,
}

/// The number of a family in its [`Agents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilyId(pub u16);

/// Whether an agent comes from where the real one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// From a network of its operator.
    Verified,
    /// From somebody else's network: the agent is a false claim.
    Elsewhere,
    /// The operator's networks are not known, or the client's is not, or anybody can rent a machine there.
    Unverifiable,
}

/// The families that are known, and how they are found.
#[derive(Debug)]
pub struct Agents {
    /// Those of the files in order, then the empty agent's and that of all others.
    families: Vec<Family>,
    finder: Finder,
    networks: Vec<Networks>,
}

/// What is wrong with a file of families.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadFile {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

static BUILT_IN: LazyLock<Arc<Agents>> = LazyLock::new(|| {
    let built_in = file::read(include_str!("agent/families.toml")).expect("a test reads the same text");
    Arc::new(Agents::of([built_in]).expect("a test makes the same"))
});

impl Kind {
    /// All, in the order of docs/AGENTS.md.
    pub const ALL: [Self; 15] = [
        Self::Search,
        Self::Ai,
        Self::Seo,
        Self::Monitor,
        Self::Preview,
        Self::Feed,
        Self::Scanner,
        Self::Bot,
        Self::Downloader,
        Self::Library,
        Self::Empty,
        Self::Player,
        Self::App,
        Self::Browser,
        Self::Unlisted,
    ];

    /// Its name in reports and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Ai => "ai",
            Self::Seo => "seo",
            Self::Monitor => "monitor",
            Self::Preview => "preview",
            Self::Feed => "feed",
            Self::Scanner => "scanner",
            Self::Bot => "bot",
            Self::Downloader => "downloader",
            Self::Library => "library",
            Self::Empty => "empty",
            Self::Player => "player",
            Self::App => "app",
            Self::Browser => "browser",
            Self::Unlisted => "unlisted",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True for what runs without somebody watching. What is in no list may be either: it is not called a bot.
    pub fn is_bot(self) -> bool {
        !matches!(self, Self::Player | Self::App | Self::Browser | Self::Unlisted)
    }
}

impl Claim {
    /// All, each at its number.
    pub const ALL: [Self; 3] = [Self::Verified, Self::Elsewhere, Self::Unverifiable];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Elsewhere => "elsewhere",
            Self::Unverifiable => "unverifiable",
        }
    }
}

impl Agents {
    /// Those that come with the program.
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Those of a user's file, before those that come with the program.
    pub fn with_own(text: &[u8]) -> Result<Self, BadFile> {
        if text.len() > FILE_BYTES_MAX {
            return Err(BadFile {
                line: 1,
                message: format!("the file has more than {FILE_BYTES_MAX} bytes"),
            });
        }
        let text = std::str::from_utf8(text).map_err(|error| {
            let line = 1 + memchr::memchr_iter(b'\n', &text[..error.valid_up_to()]).count();
            BadFile { line, message: "the file is not UTF-8".to_owned() }
        })?;
        let built_in = file::read(include_str!("agent/families.toml"))?;
        Self::of([file::read(text)?, built_in])
    }

    /// The family of an agent text, whatever the server escaped in it undone.
    pub fn find(&self, agent: &[u8]) -> FamilyId {
        if matches!(agent.trim_ascii(), b"" | b"-") {
            return self.empty();
        }
        self.finder.find(agent).unwrap_or_else(|| numbered(self.families.len() - 1))
    }

    /// The family of a text that is not there.
    pub fn empty(&self) -> FamilyId {
        numbered(self.families.len() - 2)
    }

    /// A family.
    pub fn family(&self, id: FamilyId) -> &Family {
        &self.families[usize::from(id.0)]
    }

    /// All families. Several may share a name, and then are of one kind.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Whether a client that calls itself a family is where the real one is.
    pub fn judge(&self, id: FamilyId, address: Option<IpAddr>, asn: Option<u32>) -> Claim {
        match (self.family(id).networks, address) {
            (Some(networks), Some(address)) => self.networks[networks].judge(address, asn),
            _ => Claim::Unverifiable,
        }
    }

    /// Several files; the earlier ones win, and so do their networks.
    fn of<const FILES: usize>(files: [file::Read; FILES]) -> Result<Self, BadFile> {
        let mut families: Vec<Family> = Vec::new();
        let (mut tokens, mut networks, mut stated) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (file, file::Read { families: read, networks: of_file }) in files.into_iter().enumerate() {
            for file::Named { name, kind, tokens: named_by } in read {
                tokens.extend(named_by.into_iter().map(|token| (token, numbered(families.len()))));
                // Entries of one name are one family.
                let same = by_name.entry(name.clone()).or_default();
                let kind = same.first().map_or(kind, |&first| families[first].kind);
                same.push(families.len());
                families.push(Family { name, kind, networks: None });
            }
            stated.extend(of_file.into_iter().map(|of_names| (file, of_names)));
        }
        let mut stated_in = HashSet::new();
        for (file, file::Stated { line, families: names, networks: of_names }) in stated {
            for name in names {
                // A later file's networks stand aside; a second entry of one file would be lost.
                if !stated_in.insert((file, name.clone())) {
                    return Err(BadFile {
                        line,
                        message: format!("the networks of {name} are stated twice"),
                    });
                }
                let unknown = || BadFile { line, message: format!("no family is called {name}") };
                for &at in by_name.get(&name).ok_or_else(unknown)? {
                    families[at].networks.get_or_insert(networks.len());
                }
            }
            networks.push(of_names);
        }
        for kind in [Kind::Empty, Kind::Unlisted] {
            families.push(Family { name: kind.name().to_owned(), kind, networks: None });
        }
        Ok(Self { families, finder: Finder::new(&tokens), networks })
    }
}

impl Default for Agents {
    /// No families: every agent is unlisted. For questions that ask for none.
    fn default() -> Self {
        Self::of([]).expect("nothing is named")
    }
}

fn numbered(at: usize) -> FamilyId {
    FamilyId(u16::try_from(at).expect("two files have fewer families than 2¹⁶"))
}

#[cfg(test)]
mod tests;
