//! `bandwho ipdb`: IP databases by themselves, without a log.

use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use bandwho::client;
use bandwho::error::Error;
use bandwho::place::{Memo, Place, Places};
use bandwho::report::places;
use bandwho::time::{Timestamp, Zone, instant};

use super::args::{Compile, Info, Ipdb, Lookup};
use super::exit::{DONE, FAILED};
use super::output::Replacement;
use super::{guard, message, plan};

/// Runs one of the subcommands.
pub(crate) fn run(command: &Ipdb) -> Result<u8, Error> {
    match command {
        Ipdb::Lookup(args) => lookup(args),
        Ipdb::Info(args) => info(args),
        Ipdb::Compile(args) => compile(args),
    }
}

/// Looks addresses up; fails at the end if one of them was none.
fn lookup(args: &Lookup) -> Result<u8, Error> {
    let databases = plan::open_places(&args.databases)?;
    let mut seen = Seen { databases, memo: Memo::new(), none: 0 };
    let mut out = BufWriter::new(io::stdout().lock());
    let piped = args.addresses.is_empty() || args.addresses == ["-"];
    if piped && io::stdin().is_terminal() {
        return Err(Error::Usage("no ADDR given, and stdin is a terminal; try --help".to_owned()));
    }
    let failed = |error| Error::io("write", Path::new("the answer"), error);
    if piped {
        // However many come, each is answered at once.
        for line in io::stdin().lock().split(b'\n') {
            let line = line.map_err(|error| Error::io("read", Path::new("stdin"), error))?;
            if !line.trim_ascii().is_empty() {
                seen.answer(&line, &mut out).map_err(failed)?;
            }
        }
    } else if args.json {
        for address in &args.addresses {
            seen.answer(address.as_bytes(), &mut out).map_err(failed)?;
        }
    } else {
        let found: Vec<(IpAddr, Place)> = args
            .addresses
            .iter()
            .filter_map(|text| seen.find(text.as_bytes()))
            .map(|(it, place, _)| (it, place))
            .collect();
        let rows: Vec<(IpAddr, &Place)> = found.iter().map(|(address, place)| (*address, place)).collect();
        places::write_table(&rows, &mut out).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    seen.databases.databases().for_each(|about| message::note(&described(about)));
    Ok(if seen.none == 0 { DONE } else { FAILED })
}

fn described(about: &bandwho::place::About) -> String {
    let date = about.date.as_deref().map_or(String::new(), |date| format!(", {date}"));
    let whose = about.attribution.map_or(String::new(), |whose| format!(": {whose}"));
    format!("from {} ({}{date}){whose}", about.name, about.form)
}

struct Seen {
    databases: Places,
    memo: Memo,
    /// Texts that are no addresses.
    none: u64,
}

impl Seen {
    fn find(&mut self, text: &[u8]) -> Option<(IpAddr, Place, bool)> {
        let Some(address) = client::address(text.trim_ascii()) else {
            self.none += 1;
            message::error(&format!("{} is not an address", String::from_utf8_lossy(text)));
            return None;
        };
        let located = self.databases.locate(address.ip, &mut self.memo);
        Some((address.ip, self.memo.place(located.place).clone(), located.failed != 0))
    }

    fn answer(&mut self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        match self.find(text) {
            Some((address, place, failed)) => places::write_json(address, &place, failed, out),
            None => Ok(()),
        }
    }
}

fn info(args: &Info) -> Result<u8, Error> {
    let holdings = open(&args.files)?.inspect()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = holdings.iter().try_for_each(|holdings| {
        if args.json {
            places::write_holdings_json(holdings, &mut out)
        } else {
            places::write_holdings(holdings, &mut out)
        }
    });
    written.and_then(|()| out.flush()).map_err(|error| Error::io("write", Path::new("the answer"), error))?;
    Ok(DONE)
}

/// The named databases, or the built-in table if none is named.
fn open(files: &[PathBuf]) -> Result<Places, Error> {
    if files.is_empty() { Ok(Places::built_in()) } else { Places::open(files, &[]) }
}

fn compile(args: &Compile) -> Result<u8, Error> {
    guard::check_inputs(&args.ip_db, &args.output)?;
    let mut places = Places::open(&args.ip_db, &[])?;
    if let Some(date) = &args.date {
        if date.len() != "2026-11-23".len() || instant(date, &Zone::utc(), Timestamp(0)).is_err() {
            return Err(Error::Usage(format!("--date {date}: a day such as 2026-11-23 is needed")));
        }
        places.assume_date(date);
    }
    let made = if args.compact { places.compile_compact() } else { places.compile() }?;
    let mut file = Replacement::create(&args.output)?;
    file.out.write_all(&made.bytes).map_err(|error| Error::io("write", &args.output, error))?;
    file.finish()?;
    if made.unreadable != 0 {
        message::warning(&format!("some database could not be read for {} of the places", made.unreadable));
    }
    message::note(&format!("{}: {} bytes", args.output.display(), made.bytes.len()));
    Ok(DONE)
}
