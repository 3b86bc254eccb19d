//! Bodies of remote write, one behind the other, or one alone.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};

use anyhow::Context as _;
use squirrel_exchange::Limits;
use squirrel_exchange::remote_write::Received;
use squirrel_remote::frames::{self, Frames};

use super::Sample;

/// Longest file that is taken for one body.
const ONE_BODY: u64 = 64 << 20;

pub(super) fn each(
    mut reader: BufReader<File>,
    take: &mut dyn FnMut(Sample) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let limits = Limits::default();
    let mut refused = 0;
    let mut bodies = Frames::new(&mut reader);
    let mut next = bodies.received(&limits);
    if let Err(error) = next {
        // The first body says what the file is.
        let mut whole = Vec::new();
        reader.rewind().context("it cannot be read again")?;
        (&mut reader).take(ONE_BODY).read_to_end(&mut whole).context("it cannot be read")?;
        return match frames::received(&whole, &limits) {
            Ok(received) if received.samples() > 0 => each_of(received, take),
            _ => Err(error).context("it is neither bodies of remote write behind their lengths nor one body alone"),
        };
    }
    while let Some(received) = next? {
        refused += each_of(received, take)?;
        next = bodies.received(&limits);
    }
    Ok(refused)
}

/// Hands over all samples of a body; answers how many it had that are not kept.
fn each_of(received: Received, take: &mut dyn FnMut(Sample) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let refused = received.refused.samples + received.histograms;
    for series in received.series {
        for sample in series.samples {
            take((series.labels.clone(), sample.at, sample.value))?;
        }
    }
    Ok(refused as u64)
}
