//! Where the answer goes: stdout, or a file that appears whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use bandwho::error::Error;
use bandwho::pipeline::Ordered;
use bandwho::query::Dimension;
use bandwho::report::{
    self, Blocklist, Colour, Formulas, Glyphs, Input, Output, Report, Style, quality_line,
};

use super::args::{self, ColourChoice};
use super::message;

/// Columns of a table that goes to a pipe or file.
const PLAIN_WIDTH: usize = usize::MAX;

/// Where and how a report is written.
pub(crate) struct Target {
    path: Option<PathBuf>,
    shape: Output,
}

impl Target {
    /// Resolves what was typed.
    pub(crate) fn new(typed: &args::Output) -> Result<Self, Error> {
        let shape = match &typed.output {
            Some(path) if !(typed.json || typed.ndjson || typed.csv || typed.md) => {
                by_extension(path, typed)?
            }
            path => by_flag(typed, path.is_some()),
        };
        Ok(Self { path: typed.output.clone(), shape })
    }

    /// The same for a ranking, which may also be a blocklist if its rows are addresses.
    pub(crate) fn of_ranking(typed: &args::Output, by: &[Dimension]) -> Result<Self, Error> {
        let named =
            typed.output.as_deref().filter(|_| !(typed.json || typed.ndjson || typed.csv || typed.md));
        match named.and_then(|path| Some((path, blocklist(path)?))) {
            Some((path, tool)) if matches!(by, [Dimension::Client | Dimension::Net]) => {
                Ok(Self { path: Some(path.to_owned()), shape: Output::Blocklist(tool) })
            }
            _ => Self::new(typed),
        }
    }

    /// How the report is written.
    pub(crate) fn shape(&self) -> Output {
        self.shape
    }

    /// Writes the report.
    pub(crate) fn write(&self, answer: &Report) -> Result<(), Error> {
        let name = self.path.as_deref().unwrap_or(Path::new("the answer"));
        let failed = |error| Error::io("write", name, error);
        if let Some(path) = &self.path {
            let mut file = Replacement::create(path)?;
            report::write(answer, self.shape, &mut file.out).map_err(failed)?;
            file.finish()?;
        } else {
            let mut out = BufWriter::new(io::stdout().lock());
            report::write(answer, self.shape, &mut out).and_then(|()| out.flush()).map_err(failed)?;
        }
        if matches!(self.shape, Output::Csv(_) | Output::Blocklist(_)) {
            note_quality(&answer.input);
        }
        Ok(())
    }
}

/// Says on stderr what an answer without room for it was made from, and whose data is in it.
pub(crate) fn note_quality(input: &Input) {
    message::note(&quality_line(input));
    for database in &input.ip_db {
        if let Some(attribution) = database.attribution {
            message::note(&format!("{}: {attribution}", database.name));
        }
    }
}

fn by_flag(typed: &args::Output, to_file: bool) -> Output {
    if typed.json {
        Output::Json
    } else if typed.ndjson {
        Output::Ndjson
    } else if typed.csv {
        Output::Csv(formulas(typed))
    } else if typed.md {
        Output::Markdown
    } else {
        Output::Table(style(typed.color, to_file))
    }
}

fn by_extension(path: &Path, typed: &args::Output) -> Result<Output, Error> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Output::Json),
        Some("ndjson") => Ok(Output::Ndjson),
        Some("csv") => Ok(Output::Csv(formulas(typed))),
        Some("md") => Ok(Output::Markdown),
        Some("txt") => Ok(Output::Table(style(typed.color, true))),
        _ if blocklist(path).is_some() => Err(Error::Usage(format!(
            "--output {}: a blocklist is written by `top --by client` or `top --by net`, with no other dimension",
            path.display()
        ))),
        _ => Err(Error::Usage(format!(
            "--output {}: the extension must be .json, .ndjson, .csv, .md or .txt",
            path.display()
        ))),
    }
}

/// The blocklist that a file's extension asks for.
fn blocklist(path: &Path) -> Option<Blocklist> {
    Blocklist::of_extension(path.extension()?.to_str()?)
}

/// Whether cells that look like formulas are disarmed.
pub(crate) fn formulas(typed: &args::Output) -> Formulas {
    if typed.csv_raw { Formulas::Raw } else { Formulas::Neutralised }
}

fn style(colour: ColourChoice, to_file: bool) -> Style {
    let terminal = !to_file && io::stdout().is_terminal();
    let coloured = match colour {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => {
            terminal && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = if terminal { columns.or_else(terminal_width).unwrap_or(80) } else { PLAIN_WIDTH };
    // What is kept or passed on is UTF-8, whoever looks at it: only a terminal must be able to draw it.
    let glyphs = if terminal { glyphs(|name| std::env::var(name).ok()) } else { Glyphs::Blocks };
    Style { width, colour: if coloured { Colour::Always } else { Colour::Never }, glyphs }
}

/// The letters that the terminal has, by its type and locale.
fn glyphs(variable: impl Fn(&str) -> Option<String>) -> Glyphs {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    let is_utf8 = |locale: String| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    // Windows has no such variables, and its terminals need none.
    let is_utf8 = locale.map_or(cfg!(windows), is_utf8);
    if is_utf8 && variable("TERM").as_deref() != Some("dumb") { Glyphs::Blocks } else { Glyphs::Ascii }
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// A file that takes the place of an older one only when it is complete. Symbolic links are not followed.
pub(crate) struct Replacement {
    pub(crate) out: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Replacement {
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::Data(format!("cannot write {}: {why}", path.display())));
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => return refuse("it is a symbolic link"),
            Ok(found) if found.is_dir() => return refuse("it is a directory"),
            Ok(found) if !found.is_file() => return refuse("it is not a regular file"),
            _ => {}
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| Error::io("write", path, error))?;
        Ok(Self { out: BufWriter::new(file), temporary, path: path.to_owned(), finished: false })
    }

    /// The same with a first line.
    pub(crate) fn headed(mut self, header: &[u8]) -> Result<Self, Error> {
        // What is written in order goes past this buffer.
        let written = self.out.write_all(header).and_then(|()| self.out.flush());
        written.map_err(|error| Error::io("write", &self.path, error)).map(|()| self)
    }

    /// Writes blocks of lines to it, at most `limit` lines.
    pub(crate) fn ordered(&self, limit: u64) -> Result<Ordered, Error> {
        let copy = self.out.get_ref().try_clone().map_err(|error| Error::io("write", &self.path, error))?;
        Ok(Ordered::new(&self.path.display().to_string(), Box::new(BufWriter::new(copy)), limit))
    }

    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let done = self.out.flush().and_then(|()| std::fs::rename(&self.temporary, &self.path));
        self.finished = done.is_ok();
        done.map_err(|error| Error::io("write", &self.path, error))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.finished {
            // The error that brought us here is the one to report.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_that_cannot_draw_get_ascii() {
        fn check(variables: &[(&str, &str)], expected: Glyphs) {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(glyphs(variable), expected, "{variables:?}");
        }
        check(&[("LANG", "en_US.UTF-8"), ("TERM", "xterm-256color")], Glyphs::Blocks);
        check(&[("LANG", "C.utf8")], Glyphs::Blocks);
        check(&[("LC_ALL", "zh_CN.UTF-8"), ("LANG", "C")], Glyphs::Blocks);
        check(&[("LC_ALL", ""), ("LC_CTYPE", "UTF-8"), ("LANG", "C")], Glyphs::Blocks);
        check(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Glyphs::Ascii);
        check(&[("LC_CTYPE", "zh_CN.GBK"), ("LANG", "en_US.UTF-8")], Glyphs::Ascii);
        check(&[("LANG", "en_US.UTF-8"), ("TERM", "dumb")], Glyphs::Ascii);
        check(&[], if cfg!(windows) { Glyphs::Blocks } else { Glyphs::Ascii });
    }
}
