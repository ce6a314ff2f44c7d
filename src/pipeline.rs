//! Drives the stages; the only module that knows about threads.
//!
//! ```text
//! survey   head of each input → format, offset of its times
//! run      for each input, in parallel: blocks, in parallel → a worker parses and counts one block at a time
//! watch    before that, each block in its turn → formats that begin later
//!          all workers' tallies → one
//! ```
//!
//! A worker is taken from a common stock for one block and put back: there are never more than threads, what it
//! remembers (clients, places, samples) serves every file, and the merge at the end is small. Where the order of lines
//! matters (`lines`, `--rejects`) inputs are read one after the other and the blocks' output is put in order again.

mod survey;
mod sequence;
mod skim;
mod watch;

pub use sequence::Ordered;
pub use survey::{Given, Log, Survey, archive, survey};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::aggregate::account::{FormatLines, LinePlace};
use crate::aggregate::{AgentColumn, Counter, Memory, Rules, Skip, Source, StatusColumn, Tally, Units};
use crate::detect;
use crate::error::Error;
use crate::format::{Format, Layout, Part, w3c};
use crate::input::{self, Block, BlockPool, Blocks, Content, Failure, LineNumbers, Stream};
use crate::parse::wrapper::{Joiner, bare, is_comment};
use crate::parse::{Reader, Reason, Record, Reject, Sheet, Wanted};
use crate::place::Places;
use crate::query::{Dimension, Filter, View};
use crate::report::record;
use crate::servers::Servers;

use skim::{Skim, count_lines};
use watch::Watch;

/// What a run needs besides its logs.
pub struct Job<'a> {
    /// How records are counted.
    pub rules: &'a Rules,
    /// IP databases.
    pub places: &'a Places,
    /// Server list.
    pub servers: &'a Servers,
    /// Where the lines that were counted go, if anywhere.
    pub lines: Option<(LineStyle, &'a Ordered)>,
    /// Where rejected lines go, if anywhere.
    pub rejects: Option<&'a Ordered>,
    /// Whether lines that cannot pass the filter are looked at where lines are asked for.
    pub reach: Reach,
    /// Decompressed bytes read so far, for whoever watches.
    pub progress: &'a AtomicU64,
    /// How much memory the counts may take, if the answer goes by parts; without a limit all is in memory.
    pub memory: Option<&'a Memory>,
}

/// Which lines are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every one: its fate is accounted for.
    All,
    /// Those that the filter may let pass, if that can be told before they are read: the others are skipped as
    /// [`Skip::Unread`].
    Matching,
}

/// How counted lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// As they stand in the log.
    Raw,
    /// The same for a terminal: nothing in a line may act on it.
    Shown,
    /// One JSON object per record.
    Ndjson,
}

/// Threads at most: thousands would only wait for each other at the reader's lock.
pub const THREADS_MAX: usize = 512;

/// A pool of `threads` threads; 0 means one per core.
pub fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    if threads > THREADS_MAX {
        return Err(Error::Usage(format!("--threads {threads}: at most {THREADS_MAX}")));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Data(format!("cannot start {threads} threads: {error}")))
}

/// The threads of the current pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Reads, parses and counts all logs, on the current pool.
pub fn run(survey: &Survey, job: &Job<'_>) -> Result<Tally, Error> {
    let expected = survey.logs.iter().filter_map(|log| log.input.size).sum();
    let workers = Mutex::new(Vec::new());
    let stock = Stock { job, wanted: wanted(job), workers, expected, stop: AtomicBool::new(false) };
    let pool = BlockPool::new();
    if job.lines.is_some() || job.rejects.is_some() {
        for log in &survey.logs {
            stock.read(log, &pool, numbers(job))?;
            stock.end_of_log()?;
        }
    } else {
        survey.logs.par_iter().try_for_each(|log| stock.read(log, &pool, LineNumbers::Uncounted))?;
    }
    let workers = stock.workers.into_inner().unwrap_or_else(PoisonError::into_inner);
    Counter::total(workers.into_iter().map(|worker| worker.counter).collect(), job.rules)
}

/// Whether the output has numbers of lines in it: whoever reads the blocks would have to count them.
fn numbers(job: &Job<'_>) -> LineNumbers {
    match job.lines {
        Some((LineStyle::Raw | LineStyle::Shown, _)) if job.rejects.is_none() => LineNumbers::Uncounted,
        _ => LineNumbers::Counted,
    }
}

/// The parts of a record that the filter, some view, or the output of lines, looks at.
fn wanted(job: &Job<'_>) -> Wanted {
    let filter = job.rules.filter.as_ref().map(Filter::wanted);
    match job.lines {
        Some((LineStyle::Ndjson, _)) => Wanted::ALL,
        _ => job.rules.views.iter().map(View::wanted).chain(filter).fold(Wanted::default(), Wanted::and),
    }
}

/// True if somebody wants to know where clients are: a table of all places takes tens of megabytes.
fn asks_places(job: &Job<'_>) -> bool {
    let told = matches!(job.lines, Some((LineStyle::Ndjson, _)));
    let filter = job.rules.filter.iter().flat_map(Filter::dimensions);
    told || job.rules.views.iter().flat_map(|view| &view.by).chain(filter).any(Dimension::is_place)
}

/// The workers that are free.
struct Stock<'a> {
    job: &'a Job<'a>,
    wanted: Wanted,
    workers: Mutex<Vec<Worker<'a>>>,
    /// Bytes that will be read, as far as the sizes of files tell.
    expected: u64,
    /// Nobody reads our output any more.
    stop: AtomicBool,
}

/// Stops the run when a block was not finished, by an error or a panic: its output will never come, and readers wait
/// for it.
struct StopUnlessDone<'a>(&'a AtomicBool);

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Parses and counts one block at a time.
struct Worker<'a> {
    counter: Counter<'a>,
    /// Of the last log, and how many of its formats began behind its head.
    reader: Option<((u32, usize), Reader)>,
    /// Of its formats.
    units: Vec<Units>,
    /// For lines that may pass the filter, if others are not looked at.
    skim: Option<Skim>,
    agents: Vec<AgentColumn>,
    /// Lines of the block at hand, per format.
    accepted: Vec<FormatLines>,
    counted: Vec<u8>,
    counted_ends: Vec<usize>,
    rejected: Vec<u8>,
    rejected_ends: Vec<usize>,
}

impl<'a> Stock<'a> {
    fn read(&self, log: &Log, pool: &BlockPool, numbers: LineNumbers) -> Result<(), Error> {
        let opened = log.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stream = match opened {
            Some(stream) => stream,
            None => Stream::open(&log.input)?,
        };
        self.with_worker(|worker| {
            worker.counter.tally.account.by_format.entry((log.input.id, 0)).or_default();
            Ok(())
        })?;
        let blocks: Blocks = stream.blocks(pool, numbers, log.framing());
        let going =
            blocks.take_while(|_| !self.stop.load(Ordering::Relaxed)).inspect(|block| self.wait(block));
        let mut watch = Watch::new(log);
        let watched = going.map(|block| block.map(|block| (watch.look(&block), block)));
        watched.par_bridge().try_for_each(|block| match block {
            Ok((later, block)) => {
                if asks_places(self.job) {
                    let read = self.job.progress.load(Ordering::Relaxed);
                    self.job
                        .places
                        .flatten_if_worthwhile(read.max(self.expected), self.job.rules.place_fields());
                }
                let block = self.with_worker(|worker| worker.read(block, &later, log, self))?;
                pool.give(block.bytes);
                Ok(())
            }
            Err(failure) => self.with_worker(|worker| {
                worker.counter.tally.account.failures.push(failure);
                Ok(())
            }),
        })?;
        let formats: Vec<Format> = watch.found().iter().map(|layout| layout.format.clone()).collect();
        if formats.is_empty() {
            return Ok(());
        }
        self.with_worker(|worker| {
            worker.counter.tally.account.later_formats.insert(log.input.id, formats);
            Ok(())
        })
    }

    /// The output of blocks far ahead would have to be kept.
    fn wait(&self, block: &Result<Block, Failure>) {
        let Ok(block) = block else { return };
        let outputs = self.job.lines.map(|(_, lines)| lines).into_iter().chain(self.job.rejects);
        outputs.for_each(|ordered| ordered.wait(block.index, &self.stop));
    }

    fn with_worker<T>(&self, work: impl FnOnce(&mut Worker<'a>) -> Result<T, Error>) -> Result<T, Error> {
        let stock = || self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let free = stock().pop();
        let mut worker = free.unwrap_or_else(|| Worker::new(self.job));
        let unfinished = StopUnlessDone(&self.stop);
        let result = work(&mut worker);
        if result.is_ok() {
            std::mem::forget(unfinished);
        }
        stock().push(worker);
        result
    }

    fn end_of_log(&self) -> Result<(), Error> {
        if let Some((_, lines)) = self.job.lines {
            lines.end_of_log()?;
        }
        if let Some(rejects) = self.job.rejects {
            rejects.end_of_log()?;
        }
        Ok(())
    }
}

impl Job<'_> {
    /// What finds the lines of a log that are looked at, if not all are. Wrappers have escapes of their own, and headers
    /// among the lines say what the next ones mean.
    fn skim(&self, log: &Log, layouts: &[Layout]) -> Option<Skim> {
        let is_bare = log.software.is_none() && log.wrappers.is_empty();
        let may_skip =
            is_bare && self.reach == Reach::Matching && self.lines.is_some() && self.rejects.is_none();
        may_skip.then(|| Skim::new(self.rules.filter.as_ref()?, layouts))?
    }
}

impl<'a> Worker<'a> {
    fn new(job: &Job<'a>) -> Self {
        Self {
            counter: Counter::new(job.rules, job.places, job.servers).within(job.memory),
            reader: None,
            units: Vec::new(),
            skim: None,
            agents: Vec::new(),
            accepted: Vec::new(),
            counted: Vec::new(),
            counted_ends: Vec::new(),
            rejected: Vec::new(),
            rejected_ends: Vec::new(),
        }
    }

    /// `later` are the formats that began behind the head, in this block or before.
    fn read(&mut self, block: Block, later: &[Layout], log: &Log, stock: &Stock<'a>) -> Result<Block, Error> {
        let job = stock.job;
        let formats = (log.input.id, later.len());
        if self.reader.as_ref().is_none_or(|(of, _)| *of != formats) {
            let seen = log.candidates.iter().rposition(|candidate| candidate.accepted > 0);
            let layouts = [log.layouts().as_slice(), later].concat();
            self.units = layouts.iter().map(|layout| log.units(layout)).collect();
            self.skim = job.skim(log, &layouts);
            self.agents = layouts.iter().map(|layout| AgentColumn::of(&layout.format)).collect();
            let reader = Reader::new(&layouts, stock.wanted, &job.rules.fields);
            let reader = reader.judged_by(seen.map_or(1, |last| last + 1));
            self.reader = Some((formats, reader));
        }
        self.counter.begin_block();
        let lines = match block.content {
            Content::Lines => self.read_lines(&block, log, job),
            Content::TooLong { .. } => {
                let reject = Reject { reason: Reason::TooLong, column: 0 };
                let outer = block.bytes.as_slice();
                let line = Line { outer, inner: outer, offset: 0, number: 0, block: &block };
                self.reject(&line, reject, log, job);
                1
            }
        };
        self.counter.end_block(log.input.id);
        self.counter.relieve()?;
        let account = &mut self.counter.tally.account;
        account.lines += lines;
        let bytes = match block.content {
            Content::Lines => block.bytes.len() as u64,
            Content::TooLong { length } => length,
        };
        account.bytes += bytes;
        account.block_lines.insert((log.input.id, block.index), lines);
        job.progress.fetch_add(bytes, Ordering::Relaxed);
        self.hand_over(&block, stock)?;
        Ok(block)
    }

    fn read_lines(&mut self, block: &Block, log: &Log, job: &Job<'a>) -> u64 {
        let (formats, mut reader) = self.reader.take().expect("set for this log by the caller");
        let mut joiner = Joiner::default();
        let mut number = 0;
        match (&log.software, &block.header) {
            (Some(software), Some(header)) => reader.turn_to(&w3c::header(software, header)),
            (Some(_), None) => reader.turn_back(),
            (None, _) => {}
        }
        let is_bare = log.software.is_none() && log.wrappers.is_empty();
        let plain = self.plain(&reader, log);
        let bytes = block.bytes.as_slice();
        let mut sheet = Sheet::default();
        let mut start = 0;
        let mut skim = self.skim.take();
        if let Some(skim) = &mut skim {
            skim.begin(bytes);
        }
        while start < bytes.len() {
            if let Some(skim) = &mut skim {
                let next = skim.line(bytes, start);
                let unread = count_lines(&bytes[start..next]);
                self.counter.tally.account.skipped[Skip::Unread as usize] += unread;
                (start, number) = (next, number + unread);
                if start == bytes.len() {
                    break;
                }
            }
            if is_bare && let Some(passed) = reader.pass(&bytes[start..], &mut sheet) {
                let outer = &bytes[start..start + passed.end];
                let line = Line { outer, inner: outer, offset: 0, number, block };
                self.accept(&line, sheet.record(), 0, &plain, log, job);
                (start, number) = (start + passed.next, number + 1);
                continue;
            }
            let (outer, next) = input::line(bytes, start);
            let line = Line { outer, inner: bare(outer), offset: 0, number, block };
            if line.inner.is_empty() {
                self.counter.tally.account.skipped[Skip::Blank as usize] += 1;
            } else if let (Some(software), b'#') = (&log.software, line.inner[0]) {
                if detect::is_header(line.inner) {
                    reader.turn_to(&w3c::header(software, line.inner));
                }
                self.counter.tally.account.skipped[Skip::Comment as usize] += 1;
            } else if log.wrappers.is_empty() {
                self.read_line(&line, sheet.lend(), &mut reader, log, job);
            } else if let Some(inner) = joiner.join(&log.wrappers, outer) {
                let line = Line { inner: inner.line, offset: inner.offset.unwrap_or(0), ..line };
                self.read_line(&line, &mut Record::default(), &mut reader, log, job);
            } else {
                self.counter.tally.account.skipped[Skip::Continuation as usize] += 1;
            }
            (start, number) = (next, number + 1);
        }
        self.skim = skim;
        self.counter.tally.account.accept(log.input.id, &self.accepted);
        self.accepted.clear();
        let unfinished = joiner.unfinished();
        let skipped = &mut self.counter.tally.account.skipped;
        skipped[Skip::Continuation as usize] -= unfinished;
        skipped[Skip::Partial as usize] += unfinished;
        self.reader = Some((formats, reader));
        number
    }

    #[inline]
    fn read_line<'l>(
        &mut self,
        line: &Line<'l>,
        record: &mut Record<'l>,
        reader: &mut Reader,
        log: &Log,
        job: &Job<'a>,
    ) {
        let mut line = *line;
        loop {
            let format = match reader.read(line.inner, record) {
                Ok(format) => format,
                Err(reject) => return self.unmatched(&line, reject, reader, log, job),
            };
            if record.hostname.is_none() && !log.wrappers.is_empty() {
                record.hostname = log.wrappers.host(line.outer);
            }
            let parser = reader.parser(format);
            if line.is_unfinished()
                && (parser.is_unclosed(line.inner) || is_cut(parser.layout(), format, log))
            {
                self.counter.tally.account.skipped[Skip::Partial as usize] += 1;
                return;
            }
            let source = self.source(format, parser.layout(), record, log);
            self.accept(&line, record, format, &source, log, job);
            // Two writers that share a line: what follows an object counts as a line of its own.
            let Some(rest) = parser.following(line.inner) else { return };
            self.counter.tally.account.lines += 1;
            line.offset += line.inner.len() - rest.len();
            line.inner = rest;
        }
    }

    /// What a record's line is part of.
    fn source(&self, format: usize, layout: &Layout, record: &Record<'_>, log: &Log) -> Source {
        let status = match record.status {
            None if !layout.format.has(Part::Status) => StatusColumn::Absent,
            _ => StatusColumn::Logged,
        };
        let (escape, units, agent) = (layout.format.escape, self.units[format], self.agents[format]);
        Source { file: log.input.id, escape, idc: log.idc, units, status, agent }
    }

    /// The same for the plain lines of the first format, before any is read.
    fn plain(&self, reader: &Reader, log: &Log) -> Source {
        self.source(0, reader.parser(0).layout(), &Record::default(), log)
    }

    /// Counts the record of a line, and writes the line where lines are asked for.
    #[inline]
    fn accept(
        &mut self,
        line: &Line<'_>,
        record: &Record<'_>,
        format: usize,
        source: &Source,
        log: &Log,
        job: &Job<'a>,
    ) {
        let at = LinePlace { file: log.input.id, block: line.block.index, line: line.number };
        if format >= self.accepted.len() {
            self.accepted.resize(format + 1, FormatLines::default());
        }
        self.accepted[format].add(at);
        if self.counter.count(record, source)
            && let Some((style, _)) = job.lines
        {
            let number = line.block.first_line.unwrap_or(1) + line.number;
            self.put(style, line.outer, record, source, (&log.input.name, number));
        }
    }

    /// Writes a counted line; `place` is its file and number.
    #[cold]
    fn put(
        &mut self,
        style: LineStyle,
        line: &[u8],
        record: &Record<'_>,
        source: &Source,
        place: (&str, u64),
    ) {
        let out = &mut self.counted;
        match style {
            LineStyle::Raw => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            LineStyle::Shown => record::write_shown(line, out),
            LineStyle::Ndjson => {
                let joined = self.counter.describe(record, source);
                record::write(record, place, &joined, source, out);
            }
        }
        self.counted_ends.push(out.len());
    }

    /// A line that is not a record: meant not to be one, or a reject.
    #[cold]
    fn unmatched(&mut self, line: &Line<'_>, reject: Reject, reader: &Reader, log: &Log, job: &Job<'a>) {
        let first = line.block.index == 0 && line.number == 0;
        let skip = if line.inner.trim_ascii().is_empty() {
            Some(Skip::Blank)
        } else if is_comment(line.inner) {
            Some(Skip::Comment)
        } else if line.is_unfinished()
            || (first && reject.reason == Reason::Format && reader.parser(0).is_tail(line.inner))
        {
            Some(Skip::Partial)
        } else {
            None
        };
        match skip {
            Some(skip) => self.counter.tally.account.skipped[skip as usize] += 1,
            None => self.reject(line, reject, log, job),
        }
    }

    fn reject(&mut self, line: &Line<'_>, reject: Reject, log: &Log, job: &Job<'a>) {
        let place = LinePlace { file: log.input.id, block: line.block.index, line: line.number };
        let outer = Reject { column: reject.column + line.offset, ..reject };
        self.counter.tally.account.reject(place, line.inner, reject, outer.column);
        if job.rejects.is_some() {
            let number = line.block.first_line.unwrap_or(1) + line.number;
            record::write_reject(outer, &log.input.name, number, line.outer, &mut self.rejected);
            self.rejected_ends.push(self.rejected.len());
        }
    }

    /// Gives the block's output to whoever puts it in order.
    fn hand_over(&mut self, block: &Block, stock: &Stock<'a>) -> Result<(), Error> {
        let job = stock.job;
        let give = |ordered: &Ordered, bytes: &mut Vec<u8>, ends: &mut Vec<usize>| {
            let going = ordered.write(block.index, std::mem::take(bytes), std::mem::take(ends))?;
            if !going {
                stock.stop.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        if let Some((_, lines)) = job.lines {
            give(lines, &mut self.counted, &mut self.counted_ends)?;
        }
        if let Some(rejects) = job.rejects {
            give(rejects, &mut self.rejected, &mut self.rejected_ends)?;
        }
        Ok(())
    }
}

/// True if a last line without its newline may be a piece of another format's, whose number of bytes goes on.
#[cold]
fn is_cut(layout: &Layout, format: usize, log: &Log) -> bool {
    layout.ends_in_bytes() && (format > 0 || log.formats().count() > 1)
}

/// A line of a block, and what its wrappers hold.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// As it stands in the log.
    outer: &'a [u8],
    /// What the server wrote.
    inner: &'a [u8],
    /// Where that begins in the outer line, if it is a piece of it.
    offset: usize,
    /// Within the block, from 0.
    number: u64,
    block: &'a Block,
}

impl Line<'_> {
    /// True for a last line without its newline.
    fn is_unfinished(&self) -> bool {
        self.outer.as_ptr_range().end == self.block.bytes.as_ptr_range().end
    }
}
