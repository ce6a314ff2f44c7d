//! Every variable of every line that a real nginx and a real httpd wrote, against what the server says it is.

use std::fs;
use std::path::Path;

use bandwho::format::{Escape, Field, Kind, Part};
use serde_json::Value;

use super::reading::{Reader, Reading};
use super::{Case, verdict};
use crate::oracle::{self, Directive};

pub(super) fn nginx(root: &Path) -> Vec<Case> {
    let folder = root.join("oracle-nginx-1.22.1");
    let expected = oracle::expected(&folder);
    oracle::nginx_directives(&folder)
        .iter()
        .flat_map(|directive| {
            log(&folder, directive, &expected, |field| field.text.trim_start_matches('$').into())
        })
        .collect()
}

pub(super) fn apache(root: &Path) -> Vec<Case> {
    let folder = root.join("oracle-apache-2.4.71");
    let expected = oracle::expected(&folder);
    oracle::apache_directives(&folder)
        .iter()
        .flat_map(|directive| log(&folder, directive, &expected, |field| field.text.clone()))
        .collect()
}

/// One case per line; `key` is a field's name among the expected values.
fn log(folder: &Path, directive: &Directive, expected: &[Value], key: fn(&Field) -> String) -> Vec<Case> {
    let text = fs::read(folder.join(&directive.log)).unwrap();
    let mut reader = Reader::new(&directive.text).unwrap();
    let mut lines = text.split(|&byte| byte == b'\n');
    let mut cases = Vec::new();
    for (number, values) in (1..).zip(expected) {
        let mut line = lines.next().unwrap().to_vec();
        // One request's user name holds a raw line feed, which escape=none writes as it is.
        let raw_line_feed = values["remote_user"].as_str().is_some_and(|user| user.contains('\n'));
        if directive.text.contains("escape=none") && raw_line_feed {
            line = [&line, lines.next().unwrap()].join(&b'\n');
        }
        let read = reader.read(&line);
        let outcome = read.and_then(|reading| verdict(&differences(&reading, values, key)));
        cases.push(Case { id: format!("{}:{number}", directive.log), outcome });
    }
    cases
}

fn differences(reading: &Reading<'_>, values: &Value, key: fn(&Field) -> String) -> Vec<String> {
    let escape = reading.layout.format.escape;
    reading.differences(|field| {
        let value = values.get(key(field))?;
        if matches!(field.kind, Kind::Time(..)) && value.is_null() {
            return None;
        }
        // What httpd writes for a user whose name is empty.
        if field.part == Part::User && *value == "\"\"" {
            return Some("".into());
        }
        // These two write a missing value and an empty one alike.
        let bare = matches!(escape, Escape::Json | Escape::None) && value.as_str().is_some_and(str::is_empty);
        Some(if bare { Value::Null } else { value.clone() })
    })
}
