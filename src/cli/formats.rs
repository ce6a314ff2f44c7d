//! `bandwho formats`: heads of logs, explained.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use bandwho::detect::explain::explain;
use bandwho::error::Error;
use bandwho::format::Layout;
use bandwho::input::{self, Found, Input, Stream};
use bandwho::report::formats::{self, Described};

use super::args::{Formats, Read};
use super::configuration::Configuration;
use super::exit::{DONE, FAILED};
use super::output::Replacement;
use super::{guard, message, plan};

/// How the answer is written.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Json,
}

/// Explains each log; fails if one has no known format.
pub(crate) fn run(args: &Formats) -> Result<u8, Error> {
    let shape = shape(args)?;
    let read = &args.read;
    let configuration = Configuration::read(read)?;
    let layout = if configuration.is_empty() {
        plan::layout(&read.format)
    } else {
        configuration.named(&read.format)
    }?;
    let listing = input::list(&plan::logs(read, &configuration)?)?;
    guard::check_logs(read, args.output.as_deref(), &listing.inputs)?;
    let (options, known) = (options(read), configuration.known());
    listing.notes.iter().for_each(|note| message::note(note));
    let mut logs = Vec::new();
    for input in &listing.inputs {
        let configured = || configuration.layout_for(input.path.as_deref()?);
        let given = layout.clone().or_else(configured);
        let log = described(input, given.as_ref(), &known, &options)?;
        if log.is_found() || input.found == Found::Named {
            logs.push(log);
        } else {
            message::note(&format!("{} is left out: it matches no access-log format", input.name));
        }
    }
    write(&logs, shape, args.output.as_deref())?;
    let found = !logs.is_empty() && logs.iter().all(Described::is_found);
    Ok(if found { DONE } else { FAILED })
}

/// What was typed, else what the file's extension says.
fn shape(args: &Formats) -> Result<Shape, Error> {
    let Some(path) = args.output.as_deref().filter(|_| !args.json) else {
        return Ok(if args.json { Shape::Json } else { Shape::Text });
    };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Shape::Json),
        Some("txt") => Ok(Shape::Text),
        _ => {
            let path = path.display();
            Err(Error::Usage(format!("--output {path}: the extension must be .json or .txt")))
        }
    }
}

/// What was typed about formats, to be repeated in the next command.
fn options(read: &Read) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let format = (read.format != "auto").then(|| read.format.clone());
    let typed = [
        ("--nginx-conf", read.nginx_conf.as_deref().map(path)),
        ("--apache-conf", read.apache_conf.as_deref().map(path)),
        ("--format", format),
    ];
    let words = typed.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    words.flatten().collect()
}

fn described<'a>(
    input: &'a Input,
    given: Option<&Layout>,
    known: &[Layout],
    options: &'a [String],
) -> Result<Described<'a>, Error> {
    let mut stream = Stream::open(input)?;
    let explained = explain(stream.head(), given, known);
    let (coatings, failure) = (stream.coatings(), stream.failure());
    Ok(Described { name: &input.name, options, coatings, failure, explained })
}

fn write(logs: &[Described<'_>], shape: Shape, path: Option<&Path>) -> Result<(), Error> {
    let write = |out: &mut dyn Write| match shape {
        Shape::Text => formats::write(logs, out),
        Shape::Json => formats::write_json(logs, out),
    };
    let failed = |error| Error::io("write", path.unwrap_or(Path::new("the answer")), error);
    if let Some(path) = path {
        let mut file = Replacement::create(path)?;
        write(&mut file.out).map_err(failed)?;
        return file.finish();
    }
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(failed)
}
