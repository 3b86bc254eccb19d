//! `squirrel store backup`.
//!
//! It reads the folder, not the API: that is right with a daemon and without one, and needs no second way. The copy
//! grows under a name of its own, so that a folder of the name that was asked for is always complete.
//!
//! What is known of alerts is copied too: silences, who was told, messages that wait. The token is not: it would let
//! whoever reads the copy into the daemon, and a daemon that starts on the copy makes one of its own.

use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use squirrel_model::{IoText, Untrusted};
use squirrel_store::StoreError;
use squirrel_store::dir::{Dir as _, RealDir};
use squirrel_store::offline::{self, BackupReport};

use super::args::Backup;
use super::meter::Meter;
use super::{folder, of_store};
use crate::config::Environment;
use crate::output;

/// Folders with what is known of probes and alerts, in the order in which they are copied. Who was told comes before the messages:
/// the daemon writes them the other way round, and so each message that the copy says was decided is in the copy.
const BESIDE: [&str; 3] = ["probes", "alerts", "alerts/messages"];

/// Attempts to read a file that another one takes the place of.
const ATTEMPTS: usize = 5;

pub(super) fn run(args: &Backup, environment: &Environment) -> anyhow::Result<()> {
    let dir = folder(&args.place, environment)?;
    let shown = args.target.display().to_string();
    if let Ok(there) = RealDir::existing(&args.target)
        && !there.list("").with_context(|| format!("cannot list {shown}"))?.is_empty()
    {
        return Err(of_store(StoreError::NotEmpty { place: shown }));
    }
    let mut partial = args.target.clone().into_os_string();
    partial.push(".partial");
    let target = RealDir::open(PathBuf::from(&partial)).map_err(of_store)?;
    let mut meter = Meter::new();
    let advice = format!("what was copied by then is in {shown}.partial; remove it before the next attempt");
    let mut report = offline::backup(&dir, &target, &mut |progress| meter.show(progress))
        .map_err(|error| of_store(error).context(advice.clone()))?;
    drop(meter);
    for folder in BESIDE {
        copy(&dir, &target, folder, &mut report).context(advice.clone())?;
    }
    target.publish(&args.target).map_err(of_store)?;
    let text = if args.place.json {
        let document =
            serde_json::json!({ "schema": 1, "target": shown, "files": report.files, "bytes": report.bytes });
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        let shown = Untrusted(&shown);
        format!(
            "{shown}: {} files, {} bytes\n`squirrel store check --data-dir {shown}` reads them once more\n",
            report.files, report.bytes
        )
    };
    Ok(output::print(&text)?)
}

/// Copies the files of a folder, if it is there. A daemon may write meanwhile: files that it replaces are read as they
/// were or as they are, and a line that is under way counts as not written when the copy is opened.
fn copy(from: &RealDir, to: &RealDir, folder: &str, report: &mut BackupReport) -> anyhow::Result<()> {
    let failed = |dir: &RealDir, what: &str, error: io::Error| {
        anyhow!("{}: cannot {what} {folder}: {}", dir.place(), IoText(&error))
    };
    let mut attempt = 0;
    let files = loop {
        attempt += 1;
        match read(from, folder) {
            Ok(files) => break files,
            // Listed, and replaced by another before it was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {}
            Err(error) => return Err(failed(from, "read", error)),
        }
    };
    let written: io::Result<()> = (|| {
        to.make_folder(folder)?;
        for (path, bytes) in &files {
            let mut file = to.create(path)?;
            file.write(bytes)?;
            file.sync()?;
            report.files += 1;
            report.bytes += bytes.len() as u64;
        }
        to.sync_folder(folder)
    })();
    written.map_err(|error| failed(to, "write", error))
}

/// All files of a folder but those that are not complete yet; none for a folder that is not there.
fn read(dir: &RealDir, folder: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let entries = match dir.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let files = entries.into_iter().filter(|entry| !entry.is_folder && !entry.name.starts_with("tmp-"));
    let paths = files.map(|entry| format!("{folder}/{}", entry.name));
    paths.map(|path| dir.read(&path).map(|bytes| (path, bytes))).collect()
}
