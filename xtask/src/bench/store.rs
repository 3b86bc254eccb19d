//! Octets for each sample, on the mix of series that a host of ours really has.

use anyhow::{Context as _, Result};

use super::Figure;
use crate::process;
use crate::steps::Steps;

/// Runs the example of the store that encodes the mix.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let package = ["--release", "--locked", "--package", "squirrel-store", "--example", "codec_mix"];
    let mut build = vec!["build"];
    build.extend(package);
    steps.cargo("release build of the store", &build)?;
    let mut run = process::cargo(steps.root);
    run.args(["run", "--quiet"]).args(package);
    let text = process::output(&mut run)?;
    let octets = bytes_a_sample(&text).with_context(|| format!("no figure in:\n{text}"))?;
    Ok(vec![Figure {
        name: "store, bytes a sample",
        ours: format!("{octets:.3} bytes"),
        theirs: "16 bytes raw".to_string(),
        value: octets,
        limit: 1.1,
        unit: "bytes",
    }])
}

/// The number of the last line that speaks of "bytes a sample".
fn bytes_a_sample(text: &str) -> Option<f64> {
    let line = text.lines().rev().find(|line| line.contains("bytes a sample"))?;
    line.split(|c: char| !c.is_ascii_digit() && c != '.').find(|part| part.contains('.'))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found_in_what_the_example_prints() {
        assert_eq!(bytes_a_sample("counter: 1.20 bytes a sample\nmix: 0.981 bytes a sample\n"), Some(0.981));
        assert_eq!(bytes_a_sample("nothing\n"), None);
    }
}
