//! `bandwho completions` and `bandwho man`: what shells and `man` know of the command.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bandwho::error::Error;
use clap::{Args as Group, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Args;
use super::exit::DONE;
use super::output::Replacement;

/// The section of programs.
const SECTION: &str = "1";

#[derive(Debug, Group)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Group)]
pub(crate) struct Manual {
    /// A command, such as top or `ipdb lookup`; none: bandwho itself
    #[arg(value_name = "COMMAND", conflicts_with = "all")]
    command: Vec<String>,
    /// Write every page into a directory, as bandwho.1, bandwho-top.1, …
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
}

/// Writes the completions of a shell to stdout.
pub(crate) fn completions(args: &Completions) -> Result<u8, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "bandwho", &mut text);
    print(&text)
}

/// Writes one page to stdout, or all to a directory.
pub(crate) fn manual(args: &Manual) -> Result<u8, Error> {
    let root = Args::command();
    if let Some(directory) = &args.all {
        write_all(&named(root, "bandwho"), directory)?;
        return Ok(DONE);
    }
    let mut page = named(root, "bandwho");
    for word in &args.command {
        let name = format!("{}-{word}", page.get_name());
        let found = page.find_subcommand(word).filter(|_| word != "help").cloned();
        let command = found.ok_or_else(|| {
            let known = page.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join(", ");
            Error::Usage(if known.is_empty() {
                format!("man: {} has no commands", page.get_name())
            } else {
                format!("man: no command `{word}`; there are {known}")
            })
        })?;
        page = named(command, &name);
    }
    print(&rendered(&page)?)
}

fn named(command: Command, name: &str) -> Command {
    let name = name.to_owned();
    command.name(name.clone()).bin_name(name.replace('-', " ")).display_name(name)
}

fn write_all(page: &Command, directory: &Path) -> Result<(), Error> {
    let path = directory.join(format!("{}.{SECTION}", page.get_name()));
    let mut file = Replacement::create(&path)?;
    file.out.write_all(&rendered(page)?).map_err(|source| Error::io("write", &path, source))?;
    file.finish()?;
    for command in page.get_subcommands() {
        let name = format!("{}-{}", page.get_name(), command.get_name());
        write_all(&named(command.clone(), &name), directory)?;
    }
    Ok(())
}

fn rendered(page: &Command) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    // Dates would make two builds of one source differ.
    let man = Man::new(page.clone())
        .section(SECTION)
        .date("")
        .source(concat!("bandwho ", env!("CARGO_PKG_VERSION")));
    man.render(&mut text).map_err(|source| Error::Data(format!("man: {source}")))?;
    Ok(text)
}

fn print(text: &[u8]) -> Result<u8, Error> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|source| Error::io("write", Path::new("stdout"), source))?;
    Ok(DONE)
}
