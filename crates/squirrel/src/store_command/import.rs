//! `squirrel store import`.
//!
//! The file is read once to judge it: nothing is stored of a file that is not what it should be. Then it is read once
//! for each stretch of time, as `promtool` does it, so that each window's samples become few blocks and the memory
//! needed has an end, in whichever order the file has them.

mod jsonl;
mod openmetrics;
mod remote_write;
mod vnstat;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use squirrel_model::{Labels, Timestamp};
use squirrel_store::dir::RealDir;
use squirrel_store::{Store, StoreOptions, SyncPolicy};
use squirrel_sys::clock;

use super::args::{Import, InFormat};
use super::{config, of_store};
use crate::config::Environment;
use crate::failure::{Class, classed};
use crate::output;
use crate::serve::doors::store_options;

/// Most samples that are in memory at once.
const SLICE: u64 = 8_000_000;
/// Samples that are handed to the store at once.
const ROW: usize = 8_192;
/// Length of the windows in which samples are counted, as that of the store's blocks.
const WINDOW_MS: i64 = 7_200_000;
/// Longest line that is read.
const MAX_LINE: u64 = 64 << 20;

/// A sample as the file has it.
type Sample = (Labels, Timestamp, f64);

/// What came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Imported {
    pub(super) samples: u64,
    /// Series that break the data model, by their samples.
    pub(super) refused: u64,
    /// The first and the last time.
    pub(super) span: Option<(i64, i64)>,
}

pub(super) fn run(args: &Import, environment: &Environment) -> anyhow::Result<()> {
    let config = config(&args.place, environment)?;
    let shown = args.file.display().to_string();
    let counted = Counted::of(&args.file, args.format)
        .with_context(|| format!("{shown} was not imported, and nothing was stored"))
        .map_err(|error| classed(Class::Usage, &error))?;
    let mut problems = Vec::new();
    if !args.dry_run {
        let dir = RealDir::open(&config.directory.value).map_err(of_store)?;
        let options = StoreOptions { sync: SyncPolicy::Never, ..store_options(&config, Labels::empty()) };
        let (store, _) = Store::open(Arc::new(dir), options, clock::wall()).map_err(of_store)?;
        problems = counted.store(&store, &args.file, args.format, clock::wall())?;
    }
    let Imported { samples, refused, span } = counted.imported;
    let text = if args.place.json {
        let document = serde_json::json!({
            "schema": 1, "dry_run": args.dry_run, "samples": samples, "refused": refused,
            "first_ms": span.map(|(first, _)| first), "last_ms": span.map(|(_, last)| last), "problems": problems,
        });
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        let verb = if args.dry_run { "would import" } else { "imported" };
        let span = span
            .map_or_else(String::new, |(first, last)| format!(", from {} to {}", Timestamp(first), Timestamp(last)));
        format!("{verb} {samples} samples{span}; {refused} refused\n")
    };
    output::print(&text)?;
    if !problems.is_empty() {
        bail!("{}; what is stored by then stays, and the same command again is no harm", problems.join("; "));
    }
    Ok(())
}

/// A file that was read once.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) imported: Imported,
    windows: BTreeMap<i64, u64>,
}

impl Counted {
    /// Reads a file to its end.
    pub(super) fn of(path: &Path, format: InFormat) -> anyhow::Result<Self> {
        let mut counted = Self { imported: Imported::default(), windows: BTreeMap::new() };
        let refused = each(path, format, &mut |(_, at, _)| {
            let at = at.millis();
            ensure!((0..=LATEST_MS).contains(&at), "a sample has a time before 1970 or after 9999: {}", Timestamp(at));
            counted.imported.samples += 1;
            let (first, last) = counted.imported.span.unwrap_or((at, at));
            counted.imported.span = Some((first.min(at), last.max(at)));
            *counted.windows.entry(at.div_euclid(WINDOW_MS)).or_default() += 1;
            Ok(())
        })?;
        counted.imported.refused = refused;
        Ok(counted)
    }

    /// Reads the file again for each stretch of time, and stores it. Answers what the disk refused.
    pub(super) fn store(
        &self,
        store: &Store,
        path: &Path,
        format: InFormat,
        now: Timestamp,
    ) -> anyhow::Result<Vec<String>> {
        for (first, last) in self.slices() {
            let mut row: Vec<Sample> = Vec::with_capacity(ROW);
            let mut held = 0;
            each(path, format, &mut |sample| {
                let window = sample.1.millis().div_euclid(WINDOW_MS);
                if (first..=last).contains(&window) {
                    row.push(sample);
                    if row.len() == ROW {
                        store.import(now, &row)?;
                        row.clear();
                        held += ROW as u64;
                    }
                    // A single window can have more than may be in memory: it then gets several blocks.
                    if held > SLICE {
                        held = 0;
                        let problems = store.finish_import().problems;
                        ensure!(problems.is_empty(), "{}", problems.join("; "));
                    }
                }
                Ok(())
            })?;
            store.import(now, &row)?;
            let problems = store.finish_import().problems;
            if !problems.is_empty() {
                return Ok(problems);
            }
        }
        Ok(Vec::new())
    }

    /// Stretches of windows with as many samples as may be in memory.
    fn slices(&self) -> Vec<(i64, i64)> {
        let mut slices: Vec<(i64, i64)> = Vec::new();
        let mut filled = u64::MAX;
        for (&window, &samples) in &self.windows {
            filled = filled.saturating_add(samples);
            if let Some(slice) = slices.last_mut().filter(|_| filled <= SLICE) {
                slice.1 = window;
            } else {
                slices.push((window, window));
                filled = samples;
            }
        }
        slices
    }
}

/// Last moment of the year 9999.
const LATEST_MS: i64 = 253_402_300_799_999;

/// Hands over each sample of a file; answers how many were refused.
fn each(path: &Path, format: InFormat, take: &mut dyn FnMut(Sample) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let file = File::open(path).context("it cannot be opened")?;
    ensure!(file.metadata()?.is_file(), "it is no file: it has to be read more than once");
    let reader = BufReader::with_capacity(1 << 20, file);
    match format {
        InFormat::Openmetrics => openmetrics::each(reader, take),
        InFormat::Jsonl => jsonl::each(reader, take),
        InFormat::RemoteWrite => remote_write::each(reader, take),
        InFormat::Vnstat => vnstat::each(reader, take),
    }
}

/// Reads one line with its end; `None` at the end of the file.
fn line<'a>(reader: &mut impl BufRead, buffer: &'a mut Vec<u8>, number: usize) -> anyhow::Result<Option<&'a str>> {
    buffer.clear();
    reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', buffer).context("it cannot be read")?;
    ensure!(buffer.len() as u64 <= MAX_LINE, "line {number} is longer than {MAX_LINE} bytes");
    if buffer.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(buffer).with_context(|| format!("line {number} is not UTF-8"))?;
    Ok(Some(text))
}
