//! `squirrel store check`.

use std::fmt::Write as _;

use anyhow::bail;
use squirrel_model::Untrusted;
use squirrel_store::dir::Dir as _;
use squirrel_store::offline::{self, CheckReport};

use super::args::Look;
use super::meter::Meter;
use super::{folder, of_store};
use crate::config::Environment;
use crate::output;

pub(super) fn run(args: &Look, environment: &Environment) -> anyhow::Result<()> {
    let dir = folder(&args.place, environment)?;
    let mut meter = Meter::new();
    let report = offline::check(&dir, &mut |progress| meter.show(progress)).map_err(of_store)?;
    drop(meter);
    output::print(&if args.place.json { json(&report)? } else { text(&dir.place(), &report) })?;
    if !report.is_sound() {
        let n = report.findings.len() as u64 + report.more_findings;
        bail!("{n} damaged place{} in {}", if n == 1 { "" } else { "s" }, dir.place());
    }
    Ok(())
}

fn text(place: &str, report: &CheckReport) -> String {
    let [full, minutes, hours] = report.block_samples;
    let mut text = format!(
        "{}: {} files, {} bytes read\n  {} blocks: {full} samples, {minutes} figures of minutes, {hours} of hours\n  \
         log: {} samples that are in no block yet\n",
        Untrusted(place),
        report.files,
        report.bytes,
        report.blocks,
        report.log_samples
    );
    // Writing into a String cannot fail.
    if report.unfinished_bytes > 0 {
        let _ = writeln!(
            text,
            "  {} bytes of a write that is under way or that a crash interrupted; the next start cuts them",
            report.unfinished_bytes
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "  note: {}", Untrusted(note));
    }
    for finding in &report.findings {
        let at = finding.offset.map_or_else(String::new, |offset| format!(", byte {offset}"));
        let grade = if finding.loses_samples { "DAMAGED" } else { "bruised" };
        let _ = writeln!(text, "{grade} {}{at}: {}", Untrusted(&finding.file), Untrusted(&finding.what));
        let _ = writeln!(text, "        {}", finding.advice);
    }
    if report.more_findings > 0 {
        let _ = writeln!(text, "and {} more damaged places", report.more_findings);
    }
    text.push_str(if report.is_sound() { "sound\n" } else { "" });
    text
}

fn json(report: &CheckReport) -> anyhow::Result<String> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "file": finding.file, "offset_bytes": finding.offset, "what": finding.what,
                "loses_samples": finding.loses_samples, "advice": finding.advice,
            })
        })
        .collect();
    let [full, minutes, hours] = report.block_samples;
    let document = serde_json::json!({
        "schema": 1, "sound": report.is_sound(), "files": report.files, "bytes": report.bytes,
        "blocks": report.blocks, "samples": full, "minute_figures": minutes, "hour_figures": hours,
        "log_samples": report.log_samples, "unfinished_bytes": report.unfinished_bytes, "notes": report.notes,
        "findings": findings, "more_findings": report.more_findings,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
