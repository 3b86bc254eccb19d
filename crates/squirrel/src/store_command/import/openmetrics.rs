//! OpenMetrics text of any length, read by the parser of scrapes some thousand lines at a time.

use std::io::BufRead;

use anyhow::{anyhow, bail, ensure};
use squirrel_exchange::text::{Format, parse};
use squirrel_exchange::{DecodeError, Limits};
use squirrel_model::{Timestamp, Untrusted};

use super::{Sample, line};

/// Lines, and bytes, that are parsed at once.
const PIECE_LINES: usize = 50_000;
const PIECE_BYTES: usize = 8 << 20;
/// Most lines about types that are kept; they tell which names end in `_created`.
const MAX_TYPES: usize = 50_000;
/// The time of samples that have none, which no file can have.
const NO_TIME: Timestamp = Timestamp::MIN;

pub(super) fn each(
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Sample) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut types, mut type_lines) = (String::new(), 0);
    let (mut piece, mut lines, mut number, mut refused) = (String::new(), 0, 0, 0);
    let (mut ended, mut buffer) = (false, Vec::new());
    loop {
        let text = line(&mut reader, &mut buffer, number + 1)?;
        if text.is_none() || lines >= PIECE_LINES || piece.len() >= PIECE_BYTES {
            refused += parsed(&types, type_lines, &piece, number - lines, take)?;
            for line in piece.lines().filter(|line| line.starts_with("# TYPE ")).take(MAX_TYPES - type_lines) {
                types.push_str(line);
                types.push('\n');
                type_lines += 1;
            }
            piece.clear();
            lines = 0;
        }
        let Some(text) = text else { break };
        number += 1;
        let bare = text.trim_end_matches(['\n', '\r']);
        ensure!(!ended || bare.is_empty(), "line {number}: something follows # EOF");
        ended |= bare == "# EOF";
        // The end is said once for each piece.
        piece.push_str(if ended { "" } else { bare });
        piece.push('\n');
        lines += 1;
    }
    ensure!(ended, "it does not end in # EOF: it was cut, or is not OpenMetrics");
    Ok(refused)
}

fn parsed(
    types: &str,
    type_lines: usize,
    piece: &str,
    lines_before: usize,
    take: &mut dyn FnMut(Sample) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut limits = Limits::default();
    limits.max_bytes = usize::MAX;
    let text = format!("{types}{piece}# EOF\n");
    let parsed = parse(&text, Format::OpenMetrics, NO_TIME, &limits).map_err(|error| match error {
        DecodeError::Line { line, reason } => {
            anyhow!("line {}: {reason}", line.saturating_sub(type_lines) + lines_before)
        }
        other => anyhow!("after line {lines_before}: {other}"),
    })?;
    for series in parsed.series {
        for sample in series.samples {
            if sample.at == NO_TIME {
                bail!("a sample of {} has no time", Untrusted(&series.labels.to_string()));
            }
            take((series.labels.clone(), sample.at, sample.value))?;
        }
    }
    Ok(parsed.refused.samples as u64)
}
