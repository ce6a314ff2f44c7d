//! Misplaced networks as other programs read them: CSV, or nginx's `geo`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use bandwho::error::Error;
use bandwho::report::answer::dispatch::Misplaced;
use bandwho::report::{Formulas, escape};
use bandwho::servers::{Idc, Servers};

use super::output::Replacement;

/// A file and how it is written.
pub(crate) struct Export<'a> {
    path: &'a Path,
    shape: Shape,
}

#[derive(Clone, Copy)]
enum Shape {
    Csv(Formulas),
    Geo,
}

impl<'a> Export<'a> {
    /// By the extension.
    pub(crate) fn new(path: &'a Path, formulas: Formulas) -> Result<Self, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let shape = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Shape::Csv(formulas),
            Some("conf" | "geo") => Shape::Geo,
            _ => {
                let message =
                    format!("--export {}: the extension must be .csv, .conf or .geo", path.display());
                return Err(Error::Usage(message));
            }
        };
        Ok(Self { path, shape })
    }

    /// Fails if some data centre's name cannot be written: better before the logs are read than after.
    pub(crate) fn check(&self, servers: &Servers) -> Result<(), Error> {
        let bad = match self.shape {
            Shape::Csv(_) => None,
            Shape::Geo => servers.names.iter().find_map(|name| quoted(name).err()),
        };
        bad.map_or(Ok(()), |reason| Err(Error::Data(format!("--export {}: {reason}", self.path.display()))))
    }

    /// Writes all of them to a file that takes the place of an older one when it is finished.
    pub(crate) fn write(&self, networks: &[Misplaced], servers: &Servers) -> Result<Replacement, Error> {
        let mut file = Replacement::create(self.path)?;
        let written = match self.shape {
            Shape::Csv(formulas) => csv(networks, servers, formulas, &mut file.out),
            Shape::Geo => geo(networks, servers, &mut file.out),
        };
        written.map_err(|error| Error::io("write", self.path, error)).map(|()| file)
    }
}

fn csv(networks: &[Misplaced], servers: &Servers, formulas: Formulas, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    writer.write_record(["prefix", "idc_now", "idc_better", "bytes"])?;
    for Misplaced { net, idc, better, requests: _, bytes, net_bytes: _ } in networks {
        let name = |idc| escape::csv_cell(servers.name(idc).as_bytes(), formulas);
        let [now, better] = [*idc, *better].map(name);
        writer.write_record([net, &now, &better, &bytes.to_string()])?;
    }
    writer.flush()
}

/// Each network once, with the data centre that most of its misplaced bytes should come from, ties by name. nginx sends
/// it whole: a comment tells where only a part of its bytes belongs there.
fn geo(networks: &[Misplaced], servers: &Servers, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes: BTreeMap<(&str, Idc), (u128, u128)> = BTreeMap::new();
    for network in networks {
        let sums = bytes.entry((&network.net, network.better)).or_insert((0, network.net_bytes));
        sums.0 += network.bytes;
    }
    let mut best: BTreeMap<&str, (u128, u128, Idc)> = BTreeMap::new();
    for ((net, idc), (bytes, all)) in bytes {
        let best = best.entry(net).or_insert((bytes, all, idc));
        if bytes > best.0 {
            *best = (bytes, all, idc);
        }
    }
    writeln!(out, "# Networks that a better data centre is there for; by bandwho dispatch.")?;
    writeln!(
        out,
        "# Each is sent there whole. Where only a part of its bytes is misplaced, a comment says so."
    )?;
    writeln!(out, "geo $bandwho_better_idc {{\n    default \"\";")?;
    for (net, (bytes, all, idc)) in best {
        let comment = if bytes < all { format!(" # {bytes} of its {all} bytes") } else { String::new() };
        let name = quoted(servers.name(idc)).map_err(io::Error::other)?;
        writeln!(out, "    {net} {name};{comment}")?;
    }
    writeln!(out, "}}")
}

/// A value between quotes. What nginx gives a meaning to, even there, is refused: no name needs it.
fn quoted(name: &str) -> Result<String, String> {
    let harmless = |letter: char| !letter.is_control() && !"\"\\$".contains(letter);
    if !name.chars().all(harmless) {
        return Err(format!("the name {name:?} has letters that nginx gives a meaning to"));
    }
    Ok(format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(quoted(name).ok().as_deref(), expected);
        check("bj", Some("\"bj\""));
        check("bj; } evil {", Some("\"bj; } evil {\""));
        check("北京 1", Some("\"北京 1\""));
        check("a\"; evil", None);
        check("a\\", None);
        check("$host", None);
        check("a\nb", None);
    }
}
