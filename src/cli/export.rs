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
    Csv,
    Geo,
}

impl<'a> Export<'a> {
    /// By the extension.
    pub(crate) fn new(path: &'a Path) -> Result<Self, Error> {
        let shape = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Shape::Csv,
            Some("conf" | "geo") => Shape::Geo,
            _ => {
                let message =
                    format!("--export {}: the extension must be .csv, .conf or .geo", path.display());
                return Err(Error::Usage(message));
            }
        };
        Ok(Self { path, shape })
    }

    /// Writes all of them; the file appears whole or not at all.
    pub(crate) fn write(&self, networks: &[Misplaced], servers: &Servers) -> Result<(), Error> {
        let mut file = Replacement::create(self.path)?;
        let written = match self.shape {
            Shape::Csv => csv(networks, servers, &mut file.out),
            Shape::Geo => geo(networks, servers, &mut file.out),
        };
        written.map_err(|error| Error::io("write", self.path, error))?;
        file.finish()
    }
}

fn csv(networks: &[Misplaced], servers: &Servers, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    writer.write_record(["prefix", "idc_now", "idc_better", "bytes"])?;
    for Misplaced { net, idc, better, requests: _, bytes } in networks {
        let name = |idc| escape::csv_cell(servers.name(idc).as_bytes(), Formulas::Neutralised);
        let [now, better] = [*idc, *better].map(name);
        writer.write_record([net, &now, &better, &bytes.to_string()])?;
    }
    writer.flush()
}

/// Each network once, with the data centre that most of its bytes should come from, ties by name.
fn geo(networks: &[Misplaced], servers: &Servers, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes: BTreeMap<(&str, Idc), u128> = BTreeMap::new();
    for network in networks {
        *bytes.entry((&network.net, network.better)).or_default() += network.bytes;
    }
    let mut best: BTreeMap<&str, (u128, Idc)> = BTreeMap::new();
    for ((net, idc), bytes) in bytes {
        let best = best.entry(net).or_insert((bytes, idc));
        if bytes > best.0 {
            *best = (bytes, idc);
        }
    }
    writeln!(out, "# Networks that a better data centre is there for; by bandwho dispatch.")?;
    writeln!(out, "geo $bandwho_better_idc {{\n    default \"\";")?;
    for (net, (_, idc)) in best {
        writeln!(out, "    {net} {};", quoted(servers.name(idc))?)?;
    }
    writeln!(out, "}}")
}

/// A value between quotes. What nginx gives a meaning to, even there, is refused: no name needs it.
fn quoted(name: &str) -> io::Result<String> {
    let harmless = |letter: char| !letter.is_control() && !"\"\\$".contains(letter);
    if !name.chars().all(harmless) {
        let message = format!("the name {name:?} has letters that nginx gives a meaning to");
        return Err(io::Error::other(message));
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
