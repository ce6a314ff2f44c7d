//! `bandwho formats`: heads of logs, explained.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use bandwho::detect::explain::{Origin, RejectedLine, explain};
use bandwho::error::Error;
use bandwho::format::Layout;
use bandwho::input::{Found, Input, Stream};
use bandwho::pipeline;
use bandwho::report::formats::{self, Described};
use bandwho::report::human::counted;
use bandwho::report::record::{REJECTS_HEADER, write_reject};

use super::args::{Checks, Formats, Inputs};
use super::configuration::Configuration;
use super::exit::{CHECK_FAILED, DONE, FAILED};
use super::output::Replacement;
use super::{message, plan};

/// How the answer is written.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Json,
}

/// Explains each log; fails if one has no known format or is damaged.
pub(crate) fn run(args: &Formats) -> Result<u8, Error> {
    let shape = shape(args)?;
    let (inputs, checks) = (&args.inputs, &args.checks);
    let configuration = Configuration::read(inputs)?;
    let layout = if configuration.is_empty() {
        plan::layout(&inputs.format)
    } else {
        configuration.named(&inputs.format)
    }?;
    let listing = plan::listing(inputs, checks, &configuration, args.output.as_deref())?;
    let (options, known) = (options(inputs), configuration.known());
    listing.notes.iter().for_each(|note| message::note(note));
    let mut unreadable = listing.unreadable;
    let rejects_file = |path| Replacement::create(path)?.headed(REJECTS_HEADER);
    let mut rejects = checks.rejects.as_deref().map(rejects_file).transpose()?;
    let mut rejected = 0;
    let mut logs = Vec::new();
    for input in &listing.inputs {
        let configured = || configuration.configured_for(input.path.as_deref()?);
        let given = match &layout {
            Some(layout) => Some(Given { layout: layout.clone(), configured: None }),
            None => configured().map(|(layout, position)| Given { layout, configured: Some(position) }),
        };
        let mut stream = match Stream::open(input) {
            Err(error) if input.found == Found::InDirectory => {
                unreadable.push(error.to_string());
                continue;
            }
            stream => stream?,
        };
        if let Some(kind) = stream.archive() {
            message::note(&pipeline::archive(input, kind)?);
            continue;
        }
        let mut log = described(input, stream, given, &known, &options);
        if !log.is_found() && input.found == Found::InDirectory {
            message::note(&format!("{} is left out: it matches no access-log format", input.name));
            continue;
        }
        rejected += log.explained.rejected.len();
        if let (Some(file), Some(path)) = (&mut rejects, &checks.rejects) {
            write_rejects(&log, &mut file.out).map_err(|error| Error::io("write", path, error))?;
        }
        // Counted and written: a directory of thousands of logs need not keep them all.
        log.explained.rejected.iter_mut().for_each(|line| line.text = Vec::new());
        logs.push(log);
    }
    rejects.map_or(Ok(()), Replacement::finish)?;
    write(&logs, shape, args.output.as_deref())?;
    message::unreadable(&unreadable);
    let verdict = verdict(&logs, rejected, checks);
    Ok(if unreadable.is_empty() || checks.partial_ok { verdict } else { FAILED })
}

fn verdict(logs: &[Described<'_>], rejected: usize, checks: &Checks) -> u8 {
    let damaged = logs.iter().any(|log| log.failure.is_some());
    let found = !logs.is_empty() && logs.iter().all(Described::is_found);
    if !found || damaged && !checks.partial_ok {
        FAILED
    } else if checks.strict && rejected > 0 {
        message::error(&format!("--strict: {} were rejected", counted(rejected as u64, "line")));
        CHECK_FAILED
    } else {
        DONE
    }
}

fn write_rejects(log: &Described<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    for RejectedLine { line, text, reject } in &log.explained.rejected {
        write_reject(*reject, log.name, *line, text, &mut bytes);
    }
    out.write_all(&bytes)
}

/// A format that is not to be recognised.
struct Given {
    layout: Layout,
    /// Where the server's configuration says so; none if the user does.
    configured: Option<String>,
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
fn options(inputs: &Inputs) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let format = (inputs.format != "auto").then(|| inputs.format.clone());
    let typed = [
        ("--nginx-conf", inputs.nginx_conf.as_deref().map(path)),
        ("--apache-conf", inputs.apache_conf.as_deref().map(path)),
        ("--format", format),
    ];
    let words = typed.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    words.flatten().collect()
}

fn described<'a>(
    input: &'a Input,
    mut stream: Stream,
    given: Option<Given>,
    known: &[Layout],
    options: &'a [String],
) -> Described<'a> {
    let mut explained = explain(stream.glance(), given.as_ref().map(|given| &given.layout), known);
    let configured = given.and_then(|given| given.configured);
    if configured.is_some() {
        explained.origin = Origin::Configured;
    }
    let (coatings, failure) = (stream.coatings(), stream.failure());
    Described { name: &input.name, options, coatings, failure, configured, explained }
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
