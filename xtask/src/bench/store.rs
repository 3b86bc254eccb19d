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
    let find = |name| bytes_a_sample(&text, name).with_context(|| format!("no line `{name}` in:\n{text}"));
    let (codec, gorilla, block) = (find("codec_mix")?, find("gorilla_mix")?, find("block")?);
    let figure = |name, octets: f64, theirs| Figure {
        name,
        ours: format!("{octets:.3} bytes"),
        theirs,
        value: octets,
        limit: 1.1,
        unit: "bytes",
    };
    Ok(vec![
        figure("store: a sample, compressed", codec, format!("Gorilla's XOR: {gorilla:.3} bytes")),
        figure("store: a sample in a block, with index and checksums", block, "-".to_string()),
    ])
}

/// The number of the line `NAME 1.0645 bytes a sample`.
fn bytes_a_sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number = (words.next()? == name).then(|| words.next())??;
        words.eq(["bytes", "a", "sample"]).then(|| number.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found_in_what_the_example_prints() {
        let text = "codec_mix_of_old  2.0 bytes a sample\ncodec_mix   1.0645 bytes a sample\nblock 3 ms\n";
        assert_eq!(bytes_a_sample(text, "codec_mix"), Some(1.0645));
        assert_eq!(bytes_a_sample(text, "block"), None);
    }
}
