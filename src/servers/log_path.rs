//! A log's path in the forms that a key can name.
//!
//! Logs are known by the names that were typed: `../logs/bj/a.log` lies at `/x/logs/bj/a.log`, and a key for
//! `/x/logs/bj/` must find it, wherever the program was started. Only letters are compared: links are not followed.

/// The forms of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LogPath {
    absolute: String,
    /// Where `absolute` goes on below the folder, if the path was relative and stays there: keys may be relative.
    relative: Option<usize>,
}

impl LogPath {
    /// The forms of a path that was typed in this folder, which is absolute or unknown.
    pub(super) fn new(folder: &str, typed: &str) -> Self {
        if typed.starts_with('/') || folder.is_empty() {
            return Self { absolute: plain(typed), relative: None };
        }
        let folder = plain(folder);
        let absolute = plain(&format!("{folder}/{typed}"));
        let below = absolute.strip_prefix(folder.trim_end_matches('/'));
        let below = below.and_then(|rest| rest.strip_prefix('/')).filter(|below| !below.is_empty());
        let relative = below.map(|below| absolute.len() - below.len());
        Self { absolute, relative }
    }

    /// What a key may match, the relative form first.
    pub(super) fn forms(&self) -> impl Iterator<Item = &str> {
        let relative = self.relative.map(|start| &self.absolute[start..]);
        relative.into_iter().chain([self.absolute.as_str()])
    }
}

/// Without `.`, `..` and doubled slashes, as far as that can be done.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", None) if rooted => {}
            ("..", Some(&last)) if last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let path = parts.join("/");
    if rooted { format!("/{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_have_an_absolute_and_perhaps_a_relative_form() {
        let check = |folder: &str, typed: &str, expected: &[&str]| {
            let path = LogPath::new(folder, typed);
            assert_eq!(path.forms().collect::<Vec<_>>(), expected, "{typed} in {folder}");
        };
        check("/x", "logs/bj/a.log", &["logs/bj/a.log", "/x/logs/bj/a.log"]);
        check("/x", "./logs//bj/../gz/a.log", &["logs/gz/a.log", "/x/logs/gz/a.log"]);
        check("/x/y", "../logs/a.log", &["/x/logs/a.log"]);
        check("/x/y", "../y2/a.log", &["/x/y2/a.log"]);
        check("/x/y", "../y/a.log", &["a.log", "/x/y/a.log"]);
        check("/x", "/logs/./bj/../gz/a.log", &["/logs/gz/a.log"]);
        check("/x", "/x/a.log", &["/x/a.log"]);
        check("/x", "../../../a.log", &["/a.log"]);
        check("/", "a.log", &["a.log", "/a.log"]);
        check("", "./a/b.log", &["a/b.log"]);
        check("", "../a.log", &["../a.log"]);
        check("", "/../a.log", &["/a.log"]);
        check("/x", "北京/a.log", &["北京/a.log", "/x/北京/a.log"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The twin: component after component.
        #[test]
        fn absolute_forms_agree_with_walking(folder in "/[ab./]{0,8}", typed in "[ab./]{0,8}") {
            let mut walked = std::path::PathBuf::from("/");
            let whole = if typed.starts_with('/') { typed.clone() } else { format!("{folder}/{typed}") };
            for part in std::path::Path::new(&whole).components() {
                match part {
                    std::path::Component::Normal(name) => walked.push(name),
                    std::path::Component::ParentDir => { walked.pop(); }
                    _ => {}
                }
            }
            let path = LogPath::new(&folder, &typed);
            prop_assert_eq!(path.forms().last(), walked.to_str());
        }
    }
}
