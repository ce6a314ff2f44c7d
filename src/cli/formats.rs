//! `bandwho formats`: heads of logs, explained.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use bandwho::detect::explain::explain;
use bandwho::error::Error;
use bandwho::format::Layout;
use bandwho::input::{self, Found, Input, Stream};
use bandwho::report::formats::{self, Described};

use super::args::Formats;
use super::configuration::Configuration;
use super::exit::{DONE, FAILED};
use super::output::Replacement;
use super::{message, plan};

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
    let typed = layout.is_some().then_some(read.format.as_str());
    let listing = input::list(&plan::logs(read, &configuration)?)?;
    listing.notes.iter().for_each(|note| message::note(note));
    let mut logs = Vec::new();
    for input in &listing.inputs {
        let configured = || configuration.layout_for(input.path.as_deref()?);
        let log = described(input, layout.clone().or_else(configured).as_ref(), typed)?;
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

fn described<'a>(
    input: &'a Input,
    layout: Option<&Layout>,
    typed: Option<&'a str>,
) -> Result<Described<'a>, Error> {
    let mut stream = Stream::open(input)?;
    let explained = explain(stream.head(), layout);
    let (coatings, failure) = (stream.coatings(), stream.failure());
    Ok(Described { name: &input.name, typed, coatings, failure, explained })
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
