//! No output may take the place of an input, or of another output.

use std::path::{Path, PathBuf};

use bandwho::error::Error;

use super::args::{Checks, Common};
use super::plan;

/// Fails if two outputs are one file, or one is a file that the command reads.
pub(crate) fn check(common: &Common<'_>) -> Result<(), Error> {
    let Common { inputs, checks, joined, output, export, .. } = common;
    let refuse =
        |path: &Path, why: &str| Err(Error::Usage(format!("cannot write {}: {why}", path.display())));
    let rejects = checks.rejects.as_deref();
    if let (Some(output), Some(rejects)) = (*output, rejects)
        && will_be_same(output, rejects)
    {
        return refuse(output, "it is named for the rejects as well");
    }
    for (one, other) in [(*output, *export), (*export, rejects)] {
        if let (Some(one), Some(other)) = (one, other)
            && will_be_same(one, other)
        {
            return refuse(one, "two answers are to be written there");
        }
    }
    let single = [&inputs.files_from, &inputs.nginx_conf, &inputs.apache_conf];
    let set = plan::databases_set();
    let read = || {
        let named = inputs.logs.iter().chain(single.into_iter().flatten());
        named.chain(joined.iter().copied()).chain(&set)
    };
    for path in output.iter().copied().chain(*export).chain(rejects) {
        if read().any(|input| is_same(input, path)) {
            return refuse(path, "it is also an input");
        }
    }
    Ok(())
}

/// Fails if the output is one of these inputs.
pub(crate) fn check_inputs(inputs: &[PathBuf], output: &Path) -> Result<(), Error> {
    match inputs.iter().find(|input| is_same(input, output)) {
        Some(_) => Err(Error::Usage(format!("cannot write {}: it is also an input", output.display()))),
        None => Ok(()),
    }
}

/// The same for what was found: a list or a configuration may have named logs, and included files.
pub(crate) fn check_found<'p>(
    checks: &Checks,
    output: Option<&Path>,
    found: &(impl Iterator<Item = &'p Path> + Clone),
) -> Result<(), Error> {
    for path in output.into_iter().chain(checks.rejects.as_deref()) {
        if found.clone().any(|input| is_same(input, path)) {
            return Err(Error::Usage(format!("cannot write {}: it is also an input", path.display())));
        }
    }
    Ok(())
}

/// True if both are one file, or will be once they are written: by then a name in one directory is one file.
fn will_be_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((folder.canonicalize().ok()?, path.file_name()?.to_owned()))
    };
    one == other
        || is_same(one, other)
        || place(one).zip(place(other)).is_some_and(|(one, other)| one == other)
}

/// True if both exist and are one file, by whatever name, or one is a directory that holds the other.
fn is_same(one: &Path, other: &Path) -> bool {
    let known = |path: &Path| std::fs::canonicalize(path).ok();
    is_same_file(one, other)
        || known(one).zip(known(other)).is_some_and(|(one, other)| other.starts_with(one))
}

#[cfg(unix)]
fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    identity(one).zip(identity(other)).is_some_and(|(one, other)| one == other)
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> bool {
    false
}
