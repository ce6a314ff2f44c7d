//! How much memory a run may take: what was typed, or a part of what the machine has.

use std::fs;
use std::path::Path;

use bandwho::aggregate::{Memory, Tally};
use bandwho::error::Error;
use bandwho::pipeline;

use super::args::Read;
use super::message;

/// Of the machine's memory, if nothing is typed.
const PART: u64 = 4;

/// Where a machine does not tell how much it has.
const UNKNOWN_MACHINE: u64 = 8 << 30;

/// Less is no limit that could be kept to.
const LEAST: u64 = 1 << 20;

const UNITS: [(&str, u64); 13] = [
    ("", 1),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("T", 1 << 40),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The limit, and a directory for what goes beyond it. A typed directory is tried before the long work.
pub(super) fn memory(read: &Read) -> Result<Memory, Error> {
    let folder = read.tmp.clone().unwrap_or_else(std::env::temp_dir);
    let memory = Memory::new(limit(read)?, pipeline::threads(), folder);
    if read.tmp.is_some() {
        memory.check()?;
    }
    Ok(memory)
}

/// Says so if an answer that needs all groups at once took more memory.
pub(super) fn note_whole(read: &Read, tally: &Tally) -> Result<(), Error> {
    let (taken, limit) = (tally.memory(), limit(read)?);
    if taken > limit {
        let [taken, limit] = [taken, limit].map(|bytes| bytes.div_ceil(1 << 20));
        message::note(&format!(
            "this answer needs all groups at once: they alone took about {taken} MiB, --memory is {limit} MiB"
        ));
    }
    Ok(())
}

fn limit(read: &Read) -> Result<usize, Error> {
    let limit = match &read.memory {
        Some(typed) => size(typed).map_err(|reason| Error::Usage(format!("--memory {typed}: {reason}")))?,
        None => (of_machine().unwrap_or(UNKNOWN_MACHINE) / PART).max(LEAST),
    };
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Reads `64M`, `512MiB`, `2G`, `500MB`: powers of 1024, of 1000 if `B` follows directly.
fn size(text: &str) -> Result<u64, String> {
    let form = || "a size such as 64M, 512MiB or 2G is expected".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (_, unit) = known.ok_or_else(form)?;
    let number: u64 = number.parse().map_err(|_| form())?;
    let size = number.saturating_mul(*unit);
    if size < LEAST { Err("at least 1M".to_owned()) } else { Ok(size) }
}

/// The memory that this process could have: the machine's, or what the control groups it is in leave of it.
fn of_machine() -> Option<u64> {
    let total = total(&fs::read_to_string("/proc/meminfo").ok()?);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = limit_files(&groups).into_iter().filter_map(|file| {
        // `max` where there is none.
        fs::read_to_string(file).ok()?.trim().parse().ok()
    });
    total.into_iter().chain(limits).min()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1 << 10)
}

/// Where the limits of the control groups stand that a process is in, of both versions.
fn limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            some if some.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // Each is within those above it.
        for group in Path::new(path).ancestors() {
            files.push(format!("{root}{}/{file}", group.display().to_string().trim_end_matches('/')));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        fn check(text: &str, expected: Result<u64, &str>) {
            assert_eq!(size(text), expected.map_err(str::to_owned), "{text}");
        }
        let form = Err("a size such as 64M, 512MiB or 2G is expected");
        check("64M", Ok(64 << 20));
        check("512MiB", Ok(512 << 20));
        check("2g", Ok(2 << 30));
        check("500MB", Ok(500_000_000));
        check("1048576", Ok(1 << 20));
        check("99999999T", Ok(u64::MAX));
        check("1023K", Err("at least 1M"));
        check("0", Err("at least 1M"));
        check("", form);
        check("M", form);
        check("-1M", form);
        check("1.5G", form);
        check("64 M", form);
        check("64X", form);
        check("99999999999999999999", form);
    }

    #[test]
    fn machines_tell_what_they_have() {
        assert_eq!(total("MemTotal:       24684092 kB\nMemFree: 1 kB\n"), Some(24_684_092 << 10));
        assert_eq!(total("nothing\n"), None);
        let files = limit_files("4:cpu,memory:/a/b\n1:cpu:/x\n0::/\nbroken\n");
        let memory = |path: &str| format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes");
        assert_eq!(files, [memory("/a/b"), memory("/a"), memory(""), "/sys/fs/cgroup/memory.max".to_owned()]);
    }
}
