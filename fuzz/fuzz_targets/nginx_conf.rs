//! Both configuration readers. Input: a configuration, which is also what every `include` in it finds.

#![no_main]

use bandwho::format::configured::{BadConfiguration, Configured, Load};
use bandwho::format::{apache_conf, nginx_conf};
use bandwho_fuzz::law;
use libfuzzer_sys::fuzz_target;

/// Includes that find something; without a limit of its own each input could be read ten thousand times.
const FILES_MAX: usize = 8;

/// Logs that are looked up by their paths, for which globs are compiled.
const LOGS_MAX: usize = 4;

fuzz_target!(|data: &[u8]| {
    for path in ["/etc/server/conf/server.conf", "server.conf"] {
        let mut files = 0;
        let mut load = |path: &str| {
            files += 1;
            match path.rsplit('/').next() {
                Some("secret") => Err("permission denied".to_owned()),
                Some("absent") => Ok(Vec::new()),
                _ if files > FILES_MAX => Ok(Vec::new()),
                _ => Ok(vec![(path.to_owned(), data.to_vec())]),
            }
        };
        check(nginx_conf::read(path, &mut load as &mut Load<'_>));
        files = 0;
        let mut load = |path: &str| {
            files += 1;
            if files > FILES_MAX { Ok(Vec::new()) } else { Ok(vec![(path.to_owned(), data.to_vec())]) }
        };
        check(apache_conf::read(path, &mut load as &mut Load<'_>));
    }
});

fn check(read: Result<Configured, BadConfiguration>) {
    let configured = match read {
        Ok(configured) => configured,
        Err(bad) => {
            let shown = bad.to_string();
            assert!(!shown.is_empty() && bad.place.is_none_or(|place| place.line > 0 && place.column > 0));
            return;
        }
    };
    for format in &configured.formats {
        law::format(format);
    }
    assert!(configured.logs.iter().all(|log| log.format < configured.formats.len()));
    configured.log_globs();
    if configured.logs.len() <= LOGS_MAX {
        for log in &configured.logs {
            configured.format_for(&log.path);
        }
        configured.format_for("/var/log/server/access.log-20261123.1.gz");
    }
    if let [log] = configured.logs.as_slice()
        && log.path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        && !log.path.is_empty()
    {
        assert_eq!(configured.format_for(&log.path), Some(log.format), "{}", log.path);
    }
}
