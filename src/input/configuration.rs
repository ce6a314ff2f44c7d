//! The files that a server's configuration names: paths and globs → files, and what is in them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::paths::visible_entries;
use crate::error::cause;

/// A longer file is no configuration.
const FILE_SIZE_MAX: u64 = 16 << 20;

/// All files of one configuration together.
const TOTAL_SIZE_MAX: u64 = 256 << 20;

/// Files that one glob can mean.
const PATHS_MAX: usize = 100_000;

/// Directories are entered this deep where one stands for the files in it.
const DEPTH_MAX: usize = 16;

/// Reads the files of a configuration, as [`crate::format::configured::Load`] wants them.
#[derive(Debug)]
pub struct Loader {
    /// Bytes that may still be read.
    left: u64,
    /// The file that all begins with has been asked for.
    begun: bool,
    /// Files that could not be read although others of the same glob could, a sentence each.
    pub notes: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Default for Loader {
    fn default() -> Self {
        Self { left: TOTAL_SIZE_MAX, begun: false, notes: Vec::new(), files: Vec::new() }
    }
}

impl Loader {
    /// The files for a path or glob in sorted order, each with its contents; for a directory, the files below it. None
    /// if there is nothing of that name, the reason if nothing that is there can be read.
    pub fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut files = Vec::new();
        let Expanded { paths, unreadable: mut failures } = expand(pattern)?;
        for path in paths {
            self.read(&path, 0, &mut files, &mut failures);
        }
        self.begun = true;
        match failures.first() {
            Some((_, reason)) if files.is_empty() => Err(reason.clone()),
            _ => {
                let sentence =
                    |(path, reason): (PathBuf, String)| format!("cannot read {}: {reason}", path.display());
                self.notes.extend(failures.into_iter().map(sentence));
                Ok(files)
            }
        }
    }

    fn read(
        &mut self,
        path: &Path,
        depth: usize,
        files: &mut Vec<(String, Vec<u8>)>,
        failures: &mut Vec<(PathBuf, String)>,
    ) {
        let found = if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            if depth == DEPTH_MAX {
                return;
            }
            visible_entries(path).map(|entries| {
                for entry in entries {
                    self.read(&entry, depth + 1, files, failures);
                }
            })
        } else {
            self.contents(path).map(|bytes| {
                self.files.push(path.to_path_buf());
                files.push((path.to_string_lossy().into_owned(), bytes));
            })
        };
        failures.extend(found.err().map(|error| (path.to_path_buf(), cause(&error))));
    }

    fn contents(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        // Whoever names a pipe will write to it; one that happens to lie among included files would be waited for in
        // vain.
        if self.begun && !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let most = FILE_SIZE_MAX.min(self.left);
        let mut bytes = Vec::new();
        let size = File::open(path)?.take(most + 1).read_to_end(&mut bytes)? as u64;
        if size > FILE_SIZE_MAX {
            return Err(io::Error::other(format!("longer than {} MiB", FILE_SIZE_MAX >> 20)));
        }
        if size > most {
            let most = TOTAL_SIZE_MAX >> 20;
            return Err(io::Error::other(format!("the configuration is longer than {most} MiB")));
        }
        self.left -= size;
        Ok(bytes)
    }
}

/// What a path or glob means.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// Files and directories, sorted.
    pub paths: Vec<PathBuf>,
    /// Where more might be, and why that cannot be told.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// The files and directories that a path or glob means. A wildcard matches no slash and no dot that begins a name. None
/// if there is nothing of that name.
pub fn expand(pattern: &str) -> Result<Expanded, String> {
    let mut expanded = Expanded::default();
    let start = if pattern.starts_with('/') { "/" } else { "" };
    let mut found = vec![PathBuf::from(start)];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if part.contains(['*', '?', '[', '{', '\\']) {
            found = matching(&found, part, &mut expanded.unreadable)?;
        } else {
            for path in &mut found {
                path.push(part);
            }
        }
    }
    for path in found {
        match fs::symlink_metadata(&path) {
            Ok(_) => expanded.paths.push(path),
            Err(error) if is_absent(&error) => {}
            Err(error) => expanded.unreadable.push((path, cause(&error))),
        }
    }
    expanded.paths.sort_unstable();
    Ok(expanded)
}

/// The entries of directories whose name matches.
fn matching(
    directories: &[PathBuf],
    part: &str,
    unreadable: &mut Vec<(PathBuf, String)>,
) -> Result<Vec<PathBuf>, String> {
    let glob = GlobBuilder::new(part).literal_separator(true).build();
    let glob = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
    let mut found = Vec::new();
    for directory in directories {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let entries = match visible_entries(here) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => {
                unreadable.push((here.to_owned(), cause(&error)));
                continue;
            }
        };
        let names = entries.iter().filter_map(|path| path.file_name());
        found.extend(names.filter(|name| glob.is_match(name)).map(|name| directory.join(name)));
        if found.len() > PATHS_MAX {
            return Err(format!("more than {PATHS_MAX} files"));
        }
    }
    Ok(found)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of these files, each holding its name; removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, files: &[&str]) -> Self {
            let root = std::env::temp_dir().join(format!("bandwho-conf-{name}-{}", std::process::id()));
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().expect("below the root")).unwrap();
                fs::write(path, file).unwrap();
            }
            Self(root)
        }

        /// What a glob below the directory loads.
        fn load(&self, pattern: &str) -> (Result<Vec<String>, String>, Vec<String>) {
            let mut loader = Loader::default();
            let root = format!("{}/", self.0.display());
            let files = loader.load(&format!("{root}{pattern}")).map(|files| {
                let name = |(path, bytes): (String, Vec<u8>)| {
                    let name = path.strip_prefix(&root).expect("below the root").to_owned();
                    assert_eq!(name.as_bytes(), bytes);
                    name
                };
                files.into_iter().map(name).collect()
            });
            (files, loader.notes.iter().map(|note| note.replace(&root, "")).collect())
        }

        fn check(&self, pattern: &str, expected: &[&str]) {
            let expected = expected.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(self.load(pattern), (Ok(expected), Vec::new()), "{pattern}");
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn paths_globs_and_directories_are_loaded_in_order() {
        let files = ["c/b.conf", "c/a.conf", "c/.a.conf.swp", "c/x/d.conf", "e/x/d.conf", "c/a[1]", "n.conf"];
        let scratch = Scratch::new("globs", &files);
        scratch.check("n.conf", &["n.conf"]);
        scratch.check("c/*.conf", &["c/a.conf", "c/b.conf"]);
        scratch.check("*/x/*.conf", &["c/x/d.conf", "e/x/d.conf"]);
        scratch.check("?/[ab].conf", &["c/a.conf", "c/b.conf"]);
        scratch.check("c/a[[]1[]]", &["c/a[1]"]);
        scratch.check("c", &["c/a.conf", "c/a[1]", "c/b.conf", "c/x/d.conf"]);
        scratch.check("none", &[]);
        scratch.check("none/*.conf", &[]);
        scratch.check("n.conf/x", &[]);
        scratch.check("n.conf/*", &[]);
        assert!(scratch.load("c/[").0.is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_told() {
        let scratch = Scratch::new("broken", &["c/a.conf"]);
        std::os::unix::fs::symlink("nowhere", scratch.0.join("c/b.conf")).unwrap();
        let absent = || "no such file or directory".to_owned();
        assert_eq!(scratch.load("c/b.conf"), (Err(absent()), vec![]));
        let note = "cannot read c/b.conf: no such file or directory".to_owned();
        assert_eq!(scratch.load("c/*"), (Ok(vec!["c/a.conf".to_owned()]), vec![note]));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_first_file_may_be_a_device() {
        let scratch = Scratch::new("device", &["c/a.conf"]);
        std::os::unix::fs::symlink("/dev/null", scratch.0.join("c/null")).unwrap();
        let path = |name: &str| format!("{}/{name}", scratch.0.display());
        let mut loader = Loader::default();
        assert_eq!(loader.load(&path("c/null")), Ok(vec![(path("c/null"), Vec::new())]));
        assert_eq!(loader.load(&path("c/null")), Err("it is not a regular file".to_owned()));
        let files = loader.load(&path("c/*")).map(|files| files.len());
        let note = format!("cannot read {}: it is not a regular file", path("c/null"));
        assert_eq!((files, loader.notes), (Ok(1), vec![note]));
    }

    #[test]
    fn sizes_are_limited() {
        let scratch = Scratch::new("sizes", &["a"]);
        let long = File::create(scratch.0.join("long")).unwrap();
        long.set_len(FILE_SIZE_MAX + 1).unwrap();
        assert_eq!(scratch.load("long").0, Err("longer than 16 MiB".to_owned()));
        let mut loader = Loader { left: 0, ..Loader::default() };
        let path = scratch.0.join("a").display().to_string();
        assert_eq!(loader.load(&path), Err("the configuration is longer than 256 MiB".to_owned()));
    }
}
