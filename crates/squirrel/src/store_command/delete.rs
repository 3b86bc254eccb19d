//! `squirrel store delete`.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use squirrel_model::{Labels, TimeRange, Untrusted};
use squirrel_store::dir::RealDir;
use squirrel_store::{DeleteReport, Store, offline, would_delete};
use squirrel_sys::clock;

use super::args::Delete;
use super::{config, matchers, of_store, range};
use crate::config::Environment;
use crate::failure::{Class, classed};
use crate::output;
use crate::serve::doors::store_options;

pub(super) fn run(args: &Delete, environment: &Environment) -> anyhow::Result<()> {
    let (matchers, range) = (matchers(args.selector.as_deref())?, range(&args.span)?);
    let config = config(&args.place, environment)?;
    let dir = RealDir::existing(&config.directory.value).map_err(of_store)?;
    let (before, _) = offline::snapshot(&dir, clock::wall()).map_err(of_store)?;
    let would = would_delete(before.as_ref(), &matchers, range)?;
    // A pattern such as {__name__=~".+"} is as easily typed as none.
    let everything = range == TimeRange::ALL && would.series > 0 && would.series == before.find(&[], range)?.len();
    drop(before);
    if args.dry_run {
        return print(args, &would);
    }
    if everything && !args.all {
        let error = anyhow!("this would delete everything ({} series); say --all if it should", would.series);
        return Err(classed(Class::Usage, &error));
    }
    let options = store_options(&config, Labels::empty());
    let (store, _) = Store::open(Arc::new(dir), options, clock::wall()).map_err(of_store)?;
    let report = store.delete(&matchers, range);
    print(args, &report)?;
    if !report.problems.is_empty() {
        bail!("not everything could be deleted; the same command again deletes the rest");
    }
    Ok(())
}

fn print(args: &Delete, report: &DeleteReport) -> anyhow::Result<()> {
    if args.place.json {
        let document = serde_json::json!({
            "schema": 1, "dry_run": args.dry_run, "series": report.series, "samples": report.samples,
            "figures": report.figures, "blocks_rewritten": report.blocks_rewritten,
            "blocks_removed": report.blocks_removed, "series_retired": report.series_retired,
            "problems": report.problems,
        });
        return Ok(output::print(&(serde_json::to_string_pretty(&document)? + "\n"))?);
    }
    let verb = if args.dry_run { "would delete" } else { "deleted" };
    let mut text = format!(
        "{verb} {} samples and {} figures of minutes and hours, of {} series\n",
        report.samples, report.figures, report.series
    );
    if !args.dry_run {
        let _ = writeln!(
            text,
            "{} blocks written anew, {} removed; nothing is left of {} series",
            report.blocks_rewritten, report.blocks_removed, report.series_retired
        );
    }
    for problem in &report.problems {
        let _ = writeln!(text, "problem: {}", Untrusted(problem));
    }
    Ok(output::print(&text)?)
}
