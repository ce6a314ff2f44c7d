//! Arguments → the files to read, each once, in an order that does not depend on the arguments' or the directory's.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The argument and the name that mean standard input.
const STDIN: &str = "-";

/// One log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its index in the listing: inputs are read and reported in this order.
    pub id: u32,
    /// The path as it was given or found, or `-`.
    pub name: String,
    /// Where to open it; none for standard input.
    pub path: Option<PathBuf>,
    /// Whether the user asked for this very file.
    pub found: Found,
    /// Bytes on disk of a regular file.
    pub size: Option<u64>,
}

/// How an input came to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was named.
    Named,
    /// It lay in a directory that was named, or seems to be meant by a name that is not known in full.
    InDirectory,
}

/// All inputs, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The inputs, `inputs[i].id == i`.
    pub inputs: Vec<Input>,
    /// What the user should know about files that are not read, a sentence each.
    pub notes: Vec<String>,
    /// What lies in a directory and cannot be read, and why: `cannot open a/b: permission denied`.
    pub unreadable: Vec<String>,
}

/// Lists the files that the arguments mean. `-` is standard input. Directories are searched recursively, without
/// entries whose name starts with a dot; what is neither a file nor a directory is read only if it was named. A file
/// that can be reached by several names is listed under the first of them.
pub fn list(arguments: &[PathBuf]) -> Result<Listing, Error> {
    let named: Vec<(PathBuf, Found)> = arguments.iter().map(|path| (path.clone(), Found::Named)).collect();
    list_each(&named)
}

/// The same for arguments of which some were only found.
pub fn list_each(arguments: &[(PathBuf, Found)]) -> Result<Listing, Error> {
    let mut candidates = Vec::new();
    let mut notes = Vec::new();
    let mut unreadable = Vec::new();
    for (argument, found) in arguments {
        if argument.as_os_str() == STDIN {
            candidates.push(Candidate {
                path: PathBuf::from(STDIN),
                found: Found::Named,
                identity: Identity::Stdin,
                size: None,
            });
            continue;
        }
        let metadata = fs::metadata(argument).map_err(|error| Error::io("open", argument, error))?;
        if metadata.is_dir() {
            let before = (candidates.len(), unreadable.len());
            walk(argument, &metadata, &mut candidates, &mut notes, &mut unreadable)?;
            if candidates.len() == before.0 {
                let why = unreadable[before.1..].first().map(|why| format!("; {why}")).unwrap_or_default();
                return Err(Error::Data(format!("no log files in {}{why}", argument.display())));
            }
        } else {
            let candidate = Candidate::new(argument.clone(), *found, &metadata);
            candidates.push(candidate.map_err(|error| Error::io("open", argument, error))?);
        }
    }
    let inputs = distinct(candidates, &mut notes);
    Ok(Listing { inputs, notes, unreadable })
}

/// A file under one of its names.
struct Candidate {
    path: PathBuf,
    found: Found,
    identity: Identity,
    size: Option<u64>,
}

/// Equal for two names of one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    Stdin,
    #[cfg(unix)]
    Inode {
        device: u64,
        inode: u64,
    },
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Identity {
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "resolving a path, where there are no inodes, can fail")]
    fn new(_: &Path, metadata: &Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self::Inode { device: metadata.dev(), inode: metadata.ino() })
    }

    #[cfg(not(unix))]
    fn new(path: &Path, _: &Metadata) -> io::Result<Self> {
        fs::canonicalize(path).map(Self::Path)
    }
}

impl Candidate {
    fn new(path: PathBuf, found: Found, metadata: &Metadata) -> io::Result<Self> {
        let identity = Identity::new(&path, metadata)?;
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self { path, found, identity, size })
    }
}

/// Adds the regular files below a directory. Names are visited in order, so that of several links to one directory the
/// same one wins every time; a directory is entered once, so that a link to a parent ends the search.
fn walk(
    root: &Path,
    metadata: &Metadata,
    candidates: &mut Vec<Candidate>,
    notes: &mut Vec<String>,
    unreadable: &mut Vec<String>,
) -> Result<(), Error> {
    let identify = |path: &Path, metadata: &Metadata| {
        Identity::new(path, metadata).map_err(|error| Error::io("open", path, error))
    };
    let mut entered = HashSet::from([identify(root, metadata)?]);
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let entries = match visible_entries(&directory).map_err(|error| Error::io("open", &directory, error))
        {
            Err(error) if directory != root => {
                unreadable.push(error.to_string());
                continue;
            }
            entries => entries?,
        };
        let mut directories = Vec::new();
        for path in entries {
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if is_broken_link(&path, &error) => {
                    notes.push(format!("{} is a broken link: skipped", path.display()));
                    continue;
                }
                // It was rotated away a moment ago.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    unreadable.push(Error::io("open", &path, error).to_string());
                    continue;
                }
            };
            if metadata.is_file() {
                let candidate = Candidate::new(path.clone(), Found::InDirectory, &metadata);
                candidates.push(candidate.map_err(|error| Error::io("open", &path, error))?);
            } else if metadata.is_dir() && entered.insert(identify(&path, &metadata)?) {
                directories.push(path);
            }
        }
        pending.extend(directories.into_iter().rev());
    }
    Ok(())
}

/// The paths in a directory, sorted, without hidden ones.
pub(super) fn visible_entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.iter().map(|name| directory.join(name)).collect())
}

/// True for a link whose target is missing, or is the link itself.
fn is_broken_link(path: &Path, error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::PermissionDenied
        && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

/// Sorts by path and keeps the first name of every file. One that was named stays named, whichever name is kept.
fn distinct(mut candidates: Vec<Candidate>, notes: &mut Vec<String>) -> Vec<Input> {
    candidates.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
    let mut inputs: Vec<Input> = Vec::with_capacity(candidates.len());
    let mut first: HashMap<Identity, usize> = HashMap::with_capacity(candidates.len());
    let mut repeated = HashSet::new();
    for Candidate { path, found, identity, size } in candidates {
        let name = path.display().to_string();
        if let Some(&index) = first.get(&identity) {
            let input = &mut inputs[index];
            if found == Found::Named {
                input.found = Found::Named;
            }
            if input.name == name {
                repeated.insert(index);
            } else {
                notes.push(format!("{name} is the same file as {}: read once", input.name));
            }
            continue;
        }
        let index = inputs.len();
        let id = u32::try_from(index).expect("the names of four billion files do not fit in memory");
        let path = (identity != Identity::Stdin).then_some(path);
        first.insert(identity, index);
        inputs.push(Input { id, name, path, found, size });
    }
    // Directories that overlap repeat every file they share: one sentence, not thousands.
    match repeated.len() {
        0 => {}
        1 => notes.extend(
            repeated
                .iter()
                .map(|&index| format!("{} is given more than once: read once", inputs[index].name)),
        ),
        count => notes.push(format!("{count} files are given more than once: each is read once")),
    }
    inputs
}

fn bytes(path: &Path) -> &[u8] {
    OsStr::as_encoded_bytes(path.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A new directory, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let unique =
                format!("bandwho-paths-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(unique);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }

        fn list(&self, arguments: &[&str]) -> Result<Listing, Error> {
            let arguments: Vec<_> = arguments
                .iter()
                .map(|name| if *name == STDIN { PathBuf::from(STDIN) } else { self.0.join(name) })
                .collect();
            list(&arguments)
        }

        /// Names relative to the directory, then notes with the directory left out.
        fn check(&self, arguments: &[&str], names: &[&str], notes: &[&str]) {
            let prefix = format!("{}/", self.0.display());
            let listing = self.list(arguments).unwrap();
            let found: Vec<_> = listing.inputs.iter().map(|input| input.name.replace(&prefix, "")).collect();
            assert_eq!(found, names, "names of {arguments:?}");
            let found: Vec<_> = listing.notes.iter().map(|note| note.replace(&prefix, "")).collect();
            assert_eq!(found, notes, "notes of {arguments:?}");
            for (id, input) in (0..).zip(&listing.inputs) {
                assert_eq!(input.id, id);
                assert_eq!(input.path.is_none(), input.name == STDIN);
            }
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn inputs_are_sorted_whatever_the_order_of_arguments() {
        let scratch = Scratch::new();
        for name in ["d/b.log", "d/a.log", "d/sub/z.log", "d/sub-a.log", "c.log", "e.log"] {
            scratch.file(name);
        }
        let sorted = ["c.log", "d/a.log", "d/b.log", "d/sub-a.log", "d/sub/z.log", "e.log"];
        scratch.check(&["e.log", "d", "c.log"], &sorted, &[]);
        scratch.check(&["c.log", "e.log", "d"], &sorted, &[]);
        scratch.check(&[], &[], &[]);
    }

    #[test]
    fn hidden_entries_are_left_out_unless_named() {
        let scratch = Scratch::new();
        for name in ["d/a.log", "d/.b.log", "d/.git/c.log"] {
            scratch.file(name);
        }
        scratch.check(&["d"], &["d/a.log"], &[]);
        scratch.check(&["d/.b.log", "d/.git"], &["d/.b.log", "d/.git/c.log"], &[]);
    }

    #[test]
    fn stdin_is_read_once() {
        let scratch = Scratch::new();
        scratch.file("a.log");
        scratch.check(&["-"], &["-"], &[]);
        scratch.check(&["-", "-"], &["-"], &["- is given more than once: read once"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_two_names_is_read_once() {
        let scratch = Scratch::new();
        scratch.file("d/a.log");
        fs::hard_link(scratch.0.join("d/a.log"), scratch.0.join("d/b.log")).unwrap();
        std::os::unix::fs::symlink("a.log", scratch.0.join("d/c.log")).unwrap();
        let notes = [
            "d/b.log is the same file as d/a.log: read once",
            "d/c.log is the same file as d/a.log: read once",
        ];
        scratch.check(&["d"], &["d/a.log"], &notes);
        scratch.check(
            &["d/c.log", "d/b.log"],
            &["d/b.log"],
            &["d/c.log is the same file as d/b.log: read once"],
        );
        scratch.check(&["d/b.log", "d/b.log"], &["d/b.log"], &["d/b.log is given more than once: read once"]);
    }

    #[test]
    fn overlapping_arguments_make_one_note_and_keep_what_was_named() {
        let scratch = Scratch::new();
        for name in ["d/a.log", "d/b.log", "d/sub/c.log"] {
            scratch.file(name);
        }
        let names = ["d/a.log", "d/b.log", "d/sub/c.log"];
        scratch.check(&["d", "d/sub"], &names, &["d/sub/c.log is given more than once: read once"]);
        scratch.check(&["d", "d"], &names, &["3 files are given more than once: each is read once"]);
        let listing = scratch.list(&["d", "d/b.log"]).unwrap();
        let found: Vec<_> = listing.inputs.iter().map(|input| input.found).collect();
        assert_eq!(found, [Found::InDirectory, Found::Named, Found::InDirectory]);
        let sizes: Vec<_> = listing.inputs.iter().map(|input| input.size).collect();
        assert_eq!(sizes, [Some(7), Some(7), Some(11)]);
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_loop() {
        use std::os::unix::fs::symlink;
        let scratch = Scratch::new();
        scratch.file("d/sub/a.log");
        symlink("..", scratch.0.join("d/sub/up")).unwrap();
        symlink("sub", scratch.0.join("d/again")).unwrap();
        symlink("nowhere", scratch.0.join("d/old.log")).unwrap();
        symlink("self", scratch.0.join("d/self")).unwrap();
        let notes = ["d/old.log is a broken link: skipped", "d/self is a broken link: skipped"];
        scratch.check(&["d"], &["d/again/a.log"], &notes);
    }

    #[cfg(unix)]
    #[test]
    fn sockets_are_skipped_in_directories() {
        let scratch = Scratch::new();
        scratch.file("d/a.log");
        let _socket = std::os::unix::net::UnixListener::bind(scratch.0.join("d/s.sock")).unwrap();
        scratch.check(&["d"], &["d/a.log"], &[]);
    }

    #[test]
    fn what_is_missing_or_empty_ends_the_run() {
        let scratch = Scratch::new();
        scratch.file("d/.hidden");
        let message = |argument| scratch.list(&[argument]).unwrap_err().to_string();
        let directory = scratch.0.display();
        assert_eq!(message("d"), format!("no log files in {directory}/d"));
        assert_eq!(message("x.log"), format!("cannot open {directory}/x.log: no such file or directory"));
    }
}
