//! `squirrel store backup`.
//!
//! It reads the folder, not the API: that is right with a daemon and without one, and needs no second way. The copy
//! grows under a name of its own, so that a folder of the name that was asked for is always complete.

use std::path::PathBuf;

use anyhow::Context as _;
use squirrel_model::Untrusted;
use squirrel_store::StoreError;
use squirrel_store::dir::{Dir as _, RealDir};
use squirrel_store::offline;

use super::args::Backup;
use super::meter::Meter;
use super::{folder, of_store};
use crate::config::Environment;
use crate::output;

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
    let report = offline::backup(&dir, &target, &mut |progress| meter.show(progress)).map_err(|error| {
        let advice = format!("what was copied by then is in {shown}.partial; remove it before the next attempt");
        of_store(error).context(advice)
    })?;
    drop(meter);
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
