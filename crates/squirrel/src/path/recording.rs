//! Recordings of `squirrel path`: what `--json` or `--json-lines` printed.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use squirrel_api::probe::{PathDocument, PathEvent};
use squirrel_sys::terminal;

use super::heat::Heat;
use super::print;
use crate::cli;
use crate::failure::{Class, classed};
use crate::frames::Frames;
use crate::marks::painted;

/// Octets of a recording at most: a day of rounds over thirty hops.
const MOST_OCTETS: u64 = 1 << 30;

/// Prints a recording as the run would have been printed at its end.
///
/// # Errors
/// A file that is no recording; of `--heat` one that tells of no question.
pub(super) fn show(args: &cli::Path, file: &Path) -> anyhow::Result<()> {
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let text = text(file).map_err(usage)?;
    let document = document(file, &text).map_err(usage)?;
    if !args.heat {
        return print::whole(args, &document);
    }
    let columns = terminal::size().map(|(_, columns)| columns);
    let mut lines = print::table(&document, columns);
    let marks = heat(&text).lines(&document, columns, true);
    if marks.is_empty() {
        return Err(usage(anyhow::anyhow!(
            "{} tells of no single question, which --heat shows; --json-lines makes recordings that do",
            file.display()
        )));
    }
    lines.extend(marks);
    Ok(Frames::new(None).painted(painted).print(&lines)?)
}

/// What became of each question, of the lines that tell of one.
fn heat(text: &str) -> Heat {
    let mut heat = Heat::default();
    for event in text.lines().filter_map(|line| serde_json::from_str::<PathEvent>(line).ok()) {
        heat.recorded(&event);
    }
    heat
}

/// The document that ends a recording.
///
/// # Errors
/// A file that cannot be read, is too large, or is no recording, with the line.
pub(super) fn read(file: &Path) -> anyhow::Result<PathDocument> {
    document(file, &text(file)?)
}

fn document(file: &Path, text: &str) -> anyhow::Result<PathDocument> {
    let name = file.display();
    parse(text).with_context(|| format!("{name} is no recording that `squirrel path --json-lines` made"))
}

fn text(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let mut text = String::new();
    let open = std::fs::File::open(file).with_context(|| format!("cannot open the recording {name}"))?;
    let octets = open.take(MOST_OCTETS + 1).read_to_string(&mut text);
    let octets = octets.with_context(|| format!("cannot read the recording {name}"))?;
    if octets as u64 > MOST_OCTETS {
        bail!("{name} is larger than 1 GiB: no recording of `squirrel path` is");
    }
    Ok(text)
}

fn parse(text: &str) -> anyhow::Result<PathDocument> {
    let last = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last();
    let (number, line) = last.context("it is empty")?;
    let number = number + 1;
    let value: serde_json::Value = serde_json::from_str(line)
        .map_err(|_| anyhow::anyhow!("line {number} is no JSON document; the end of a recording was cut off"))?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some("squirrel.path/1") => {}
        Some("squirrel.path.event/1") => {
            bail!(
                "line {number} is the last and tells of one question: the run was killed before its figures were written"
            )
        }
        _ => bail!("line {number} is no document of the form squirrel.path/1"),
    }
    serde_json::from_value(value).map_err(|error| anyhow::anyhow!("line {number} lacks something: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_cut_off_is_said() {
        let document = PathDocument { schema: "squirrel.path/1".into(), target: "a".into(), ..PathDocument::default() };
        let line = serde_json::to_string(&document).expect("JSON");
        assert_eq!(
            parse(&format!("{{\"schema\":\"squirrel.path.event/1\"}}\n{line}\n\n")).expect("a recording"),
            document
        );
        for (text, words) in [
            ("", "empty"),
            (&line[..40], "line 1 is no JSON document"),
            ("{\"schema\":\"squirrel.path.event/1\"}", "was killed"),
            ("{\"schema\":\"squirrel.ping/1\"}", "no document of the form"),
            ("{\"schema\":\"squirrel.path/1\"}", "lacks something"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
