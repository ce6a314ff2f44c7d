//! Request targets: bytes in, bytes of the same target out.
//!
//! ```text
//! http://host/video/2026/a.mp4?t=1#x
//!            └─ prefix 2 ┘  │  │
//!            └──── path ────┘  │     extension: mp4
//!                           query: t=1
//! ```
//!
//! Nothing is decoded or normalised: what the server logged is what is counted.

mod template;

use memchr::{memchr, memchr_iter, memchr2, memrchr};

pub use template::template;

/// Bytes of an extension at most; longer ones are part of a name.
pub const EXTENSION_MAX: usize = 8;

/// The path: without query and fragment, and without the scheme and host that proxies see. What is not a path, such
/// as `*` or the `host:443` of a CONNECT, stays as it is.
pub fn path(target: &[u8]) -> &[u8] {
    let whole = &target[..memchr2(b'?', b'#', target).unwrap_or(target.len())];
    match authority_and_path(whole) {
        Some(rest) => memchr(b'/', rest).map_or(b"/", |slash| &rest[slash..]),
        None => whole,
    }
}

/// What stands between the first `?` and the fragment; empty if nothing does, `None` without a `?`.
pub fn query(target: &[u8]) -> Option<&[u8]> {
    let start = memchr2(b'?', b'#', target).filter(|position| target[*position] == b'?')? + 1;
    let query = &target[start..];
    Some(&query[..memchr(b'#', query).unwrap_or(query.len())])
}

/// The directory a path is in, `depth` levels deep at most and with its last slash: of `/a/b/c.ts`, `/` is 0 deep,
/// `/a/` is 1 and `/a/b/` is 2 or more. So `/x.ts` is in `/`, and files do not become prefixes. What does not begin
/// with a slash is its own prefix.
pub fn prefix(path: &[u8], depth: usize) -> &[u8] {
    if path.first() != Some(&b'/') {
        return path;
    }
    let last = memchr_iter(b'/', path).take(depth.saturating_add(1)).last();
    &path[..last.map_or(0, |slash| slash + 1)]
}

/// What follows the last dot of the last segment, if that is 1 to [`EXTENSION_MAX`] ASCII letters and digits. A name
/// that only begins with a dot, such as `.htaccess`, has none.
pub fn extension(path: &[u8]) -> Option<&[u8]> {
    let name = &path[memrchr(b'/', path).map_or(0, |slash| slash + 1)..];
    let dot = memrchr(b'.', name).filter(|dot| *dot > 0)?;
    let extension = &name[dot + 1..];
    let plausible =
        (1..=EXTENSION_MAX).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphanumeric);
    plausible.then_some(extension)
}

/// What follows `scheme://`.
fn authority_and_path(target: &[u8]) -> Option<&[u8]> {
    if !target.first()?.is_ascii_alphabetic() {
        return None;
    }
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let end = target.iter().position(|byte| !is_scheme(byte))?;
    target[end..].strip_prefix(b"://")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(target: &str, expected_path: &str, expected_query: Option<&str>) {
        let query = query(target.as_bytes()).map(|query| std::str::from_utf8(query).unwrap());
        let path = std::str::from_utf8(path(target.as_bytes())).unwrap();
        assert_eq!((path, query), (expected_path, expected_query), "{target}");
    }

    #[test]
    fn paths_and_queries() {
        check("/", "/", None);
        check("/a/b?x=1", "/a/b", Some("x=1"));
        check("/a/b?x=1?y#z?", "/a/b", Some("x=1?y"));
        check("/a#b?c", "/a", None);
        check("/a?", "/a", Some(""));
        check("/a?#", "/a", Some(""));
        check("?x", "", Some("x"));
        check("", "", None);
        check("*", "*", None);
        check("host:443", "host:443", None);
        check("http://host/p", "/p", None);
        check("HTTPS://host:8443/p/q?r", "/p/q", Some("r"));
        check("http://host", "/", None);
        check("http://host?x", "/", Some("x"));
        check("http://", "/", None);
        check("http:/host/p", "http:/host/p", None);
        check("://host/p", "://host/p", None);
        check("1http://host/p", "1http://host/p", None);
        check("svn+ssh://host/p", "/p", None);
        check("/redirect/http://host/p", "/redirect/http://host/p", None);
        check("/go?to=http://host/p", "/go", Some("to=http://host/p"));
        check("go?to=http://host/p", "go", Some("to=http://host/p"));
        check("//host/p", "//host/p", None);
        check("/视频/一", "/视频/一", None);
    }

    fn check_prefix(path: &str, depth: usize, expected: &str) {
        assert_eq!(prefix(path.as_bytes(), depth), expected.as_bytes(), "{path} at {depth}");
    }

    #[test]
    fn prefixes() {
        check_prefix("/a/b/c.ts", 0, "/");
        check_prefix("/a/b/c.ts", 1, "/a/");
        check_prefix("/a/b/c.ts", 2, "/a/b/");
        check_prefix("/a/b/c.ts", 3, "/a/b/");
        check_prefix("/a/b/c.ts", usize::MAX, "/a/b/");
        check_prefix("/a/b/", 2, "/a/b/");
        check_prefix("/a/b/", 1, "/a/");
        check_prefix("/x.ts", 1, "/");
        check_prefix("/", 1, "/");
        check_prefix("//a/b", 1, "//");
        check_prefix("", 1, "");
        check_prefix("*", 1, "*");
        check_prefix("host:443", 0, "host:443");
    }

    fn check_extension(path: &str, expected: Option<&str>) {
        assert_eq!(extension(path.as_bytes()), expected.map(str::as_bytes), "{path}");
    }

    #[test]
    fn extensions() {
        check_extension("/a/b.ts", Some("ts"));
        check_extension("/a/b.TS", Some("TS"));
        check_extension("b.mp4", Some("mp4"));
        check_extension("/a/b.tar.gz", Some("gz"));
        check_extension("/a/b.manifest", Some("manifest"));
        check_extension("/a/b.manifests", None);
        check_extension("/a.d/b", None);
        check_extension("/a/b.", None);
        check_extension("/a/.htaccess", None);
        check_extension("/a/.config.bak", Some("bak"));
        check_extension("/a/..", None);
        check_extension("/a/b.t-s", None);
        check_extension("/a/b.ü", None);
        check_extension("/a.ts/", None);
        check_extension("/", None);
        check_extension("", None);
    }

    proptest! {
        #[test]
        fn no_target_panics(target in "[a-z/?#:.]{0,16}|.{0,16}", depth in 0_usize..4) {
            let target = target.as_bytes();
            let path = path(target);
            prop_assert!(!path.contains(&b'?') && !path.contains(&b'#'));
            prop_assert!(path.starts_with(prefix(path, depth)));
            prop_assert_eq!(prefix(prefix(path, depth), depth), prefix(path, depth));
            prop_assert!(extension(path).is_none_or(|extension| path.ends_with(extension)));
            prop_assert_eq!(query(target).is_some(), target.get(path_end(target)) == Some(&b'?'));
        }
    }

    fn path_end(target: &[u8]) -> usize {
        target.iter().position(|byte| b"?#".contains(byte)).unwrap_or(target.len())
    }
}
