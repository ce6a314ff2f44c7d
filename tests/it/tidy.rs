//! Rules of the source tree that a compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

/// Stages in data order; a module may import only those before it.
const STAGES: [&str; 17] = [
    "error",
    "time",
    "input",
    "format",
    "parse",
    "client",
    "detect",
    "place",
    "servers",
    "path",
    "agent",
    "query",
    "aggregate",
    "billing",
    "report",
    "pipeline",
    "cli",
];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const MAIN_LINES_MAX: usize = 80;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All sources but test modules, without their unit tests: (path below `src`, code lines with their numbers).
fn product() -> Vec<(String, Vec<(usize, String)>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    let below = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let is_test = |name: &str| name.contains("tests") || name.ends_with("naive.rs");
    let code = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        // What makes files for tests stands before the tests that share it.
        let tests = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(super) mod write {"];
        let end = tests.iter().filter_map(|tests| text.find(tests)).min();
        let text = text[..end.unwrap_or(text.len())].to_owned();
        let lines = (1..).zip(text.lines().map(str::to_owned));
        lines.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//")).collect()
    };
    paths.iter().map(|path| (below(path), code(path))).filter(|(name, _)| !is_test(name)).collect()
}

fn stage(name: &str) -> Option<usize> {
    let first = name.split(['/', '.']).next()?;
    STAGES.iter().position(|stage| *stage == first)
}

#[test]
fn modules_import_only_stages_above_them() {
    let files = product();
    assert!(files.len() > 30, "the scanner finds the tree");
    let mut wrong = Vec::new();
    for (name, lines) in &files {
        let Some(own) = stage(name) else { continue };
        for (number, line) in lines {
            assert!(!line.contains("use crate::*"), "{name}:{number}");
            for imported in line.match_indices("crate::").map(|(at, word)| &line[at + word.len()..]) {
                let word: String =
                    imported.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if STAGES.iter().position(|stage| *stage == word).is_some_and(|stage| stage > own) {
                    wrong.push(format!("{name}:{number}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports from below:\n{}", wrong.join("\n"));
}

#[test]
fn files_and_functions_stay_small() {
    let mut long = Vec::new();
    for (name, lines) in product() {
        let most = if name == "main.rs" { MAIN_LINES_MAX } else { FILE_LINES_MAX };
        if lines.len() > most {
            long.push(format!("{name}: {} code lines", lines.len()));
        }
        let mut open: Option<(usize, usize, String)> = None;
        for (at, (_, line)) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let text = line.trim_start();
            if open.is_none() && text.contains("fn ") && !text.ends_with(';') && !text.ends_with('}') {
                open = Some((at, indent, text.to_owned()));
            } else if let Some((start, depth, head)) = &open
                && indent == *depth
                && text.starts_with('}')
            {
                if at - start + 1 > FUNCTION_LINES_MAX {
                    long.push(format!("{name}: {} lines: {head}", at - start + 1));
                }
                open = None;
            }
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn only_the_binary_prints_or_knows_clap() {
    for (name, lines) in product() {
        if name.starts_with("cli") || name == "main.rs" {
            continue;
        }
        for (number, line) in lines {
            for word in
                ["println!", "eprintln!", "std::process", "std::env::var", "clap::", "todo!(", ".unwrap()"]
            {
                assert!(!line.contains(word), "{name}:{number}: {word}");
            }
        }
    }
}

#[test]
fn jiff_and_rayon_stay_where_they_belong() {
    for (name, lines) in product() {
        for (number, line) in lines {
            assert!(!line.contains("jiff::") || name.starts_with("time/"), "{name}:{number}: jiff");
            assert!(!line.contains("rayon::") || name.starts_with("pipeline"), "{name}:{number}: rayon");
        }
    }
}
