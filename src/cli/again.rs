//! How the same records are read again: what was typed, as words for the next command.

use std::path::PathBuf;

use bandwho::report::answer::overview::next::Again;
use clap::ValueEnum;

use super::args::{BasisChoice, ClientChoice, Databases, Inputs, Read};

/// The words; none if some are no text, which no command that is shown could repeat.
pub(crate) fn again(read: &Read) -> Option<Again> {
    let Words(mut inputs) = inputs(&read.inputs)?;
    let names: Option<Vec<String>> =
        read.inputs.logs.iter().map(|log| log.to_str().map(str::to_owned)).collect();
    let mut logs = names?;
    if logs.iter().any(|log| log.starts_with('-') && log != "-") {
        logs.insert(0, "--".to_owned());
    }
    let Inputs { nginx_conf, apache_conf, files_from, .. } = &read.inputs;
    if logs.is_empty() && [nginx_conf, apache_conf, files_from].iter().all(|named| named.is_none()) {
        // It came from a pipe, and will again.
        logs.push("-".to_owned());
    }
    if read.checks.partial_ok {
        inputs.push("--partial-ok".to_owned());
    }
    Some(Again { inputs, rules: rules(read)?.0, logs })
}

/// What every command on logs has.
fn inputs(inputs: &Inputs) -> Option<Words> {
    let Inputs { logs: _, format, nginx_conf, apache_conf, files_from } = inputs;
    let mut words = Words::default();
    words.options("--format", Some(format).filter(|format| *format != "auto"));
    words.paths("--nginx-conf", nginx_conf)?;
    words.paths("--apache-conf", apache_conf)?;
    words.paths("--files-from", files_from)?;
    Some(words)
}

/// What counting commands have. Every option is named, so that a new one is not forgotten. What changes neither which
/// records are read nor how they are counted is not repeated.
fn rules(read: &Read) -> Option<Words> {
    let Read {
        inputs: _,
        filters,
        basis,
        client,
        trusted_proxies,
        since,
        until,
        tz,
        slot,
        depth,
        scheme,
        databases: Databases { ip_db, no_ip_db, net_kind },
        agents,
        servers,
        idc,
        idc_default,
        idc_group_prefix,
        checks: _,
        threads: _,
        memory: _,
        tmp: _,
    } = read;
    let mut words = Words::default();
    words.options("--where", filters);
    words.options("--basis", choice(*basis, BasisChoice::Auto).as_ref());
    words.options("--client", choice(*client, ClientChoice::Auto).as_ref());
    words.options("--trusted-proxies", trusted_proxies);
    words.options("--since", since);
    words.options("--until", until);
    words.options("--tz", tz);
    words.options("--slot", slot);
    words.options("--depth", (*depth != 1).then(|| depth.to_string()).as_ref());
    words.options("--scheme", Some(scheme).filter(|scheme| *scheme != "time-proportional"));
    words.paths("--ip-db", ip_db)?;
    if *no_ip_db {
        words.0.push("--no-ip-db".to_owned());
    }
    words.paths("--net-kind", net_kind)?;
    words.paths("--agents", agents)?;
    words.paths("--servers", servers)?;
    words.options("--idc", idc);
    words.options("--idc-default", idc_default);
    words.options("--idc-group-prefix", idc_group_prefix);
    Some(words)
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn options<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            if value.starts_with('-') {
                self.0.push(format!("{name}={value}"));
            } else {
                self.0.extend([name.to_owned(), value.clone()]);
            }
        }
    }

    fn paths<'a>(&mut self, name: &str, paths: impl IntoIterator<Item = &'a PathBuf>) -> Option<()> {
        for path in paths {
            self.options(name, [&path.to_str()?.to_owned()]);
        }
        Some(())
    }
}

/// A choice as it is typed; none if it is the default.
fn choice<C: ValueEnum + PartialEq + Copy>(choice: C, default: C) -> Option<String> {
    let value = choice.to_possible_value().filter(|_| choice != default)?;
    Some(value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Args;

    fn check(typed: &[&str], inputs: &[&str], rules: &[&str], logs: &[&str]) {
        let args = Args::try_parse_from([&["bandwho"], typed].concat()).unwrap();
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let expected = Again { inputs: words(inputs), rules: words(rules), logs: words(logs) };
        assert_eq!(again(&args.read), Some(expected), "{typed:?}");
    }

    #[test]
    fn what_was_typed_is_repeated() {
        check(&["a.log", "b c.log"], &[], &[], &["a.log", "b c.log"]);
        check(&[], &[], &[], &["-"]);
        check(&["-"], &[], &[], &["-"]);
        check(&["--", "-a.log"], &[], &[], &["--", "-a.log"]);
        check(&["--nginx-conf", "n.conf"], &["--nginx-conf", "n.conf"], &[], &[]);
        check(&["--files-from", "list"], &["--files-from", "list"], &[], &[]);
        check(&["--format", "auto", "--depth", "1", "--basis", "auto", "a"], &[], &[], &["a"]);
        check(
            &["--json", "-o", "x.json", "--strict", "--threads", "2", "--memory", "1G", "a"],
            &[],
            &[],
            &["a"],
        );
        let kept =
            ["--where", "status = 200", "--where", "bytes > 1", "--basis", "wire", "--client", "remote"];
        let more = ["--trusted-proxies", "10.0.0.0/8", "--since", "2d", "--until", "1d", "--tz=-08:00"];
        let slots = ["--slot", "1h", "--depth", "2", "--scheme", "end-spike"];
        let places =
            ["--ip-db", "x y.mmdb", "--net-kind", "k.csv", "--agents", "a.toml", "--servers", "s.csv"];
        let idcs = ["--idc", "10.0.0.1=bj", "--idc-default", "gz", "--idc-group-prefix", "idc_"];
        let all = [&kept[..], &more, &slots, &places, &idcs].concat();
        check(&[&all[..], &["--format", "combined", "a"]].concat(), &["--format", "combined"], &all, &["a"]);
        check(&["--no-ip-db", "--partial-ok", "a"], &["--partial-ok"], &["--no-ip-db"], &["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_not_repeated() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let args = Args::try_parse_from([OsStr::new("bandwho"), OsStr::from_bytes(b"a\xff.log")]).unwrap();
        assert_eq!(again(&args.read), None);
    }
}
