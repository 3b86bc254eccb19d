//! The first page: what is sent, and when the browser shows something.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Figure;
use crate::daemon::Daemon;
use crate::steps::Steps;
use crate::{http, process};

/// Opens the page several times in a fresh browser context and prints the median first paint.
const SCRIPT: &str = include_str!("page/first_paint.mjs");

/// Asks the release build for its page.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    steps.cargo("release build", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let daemon = Daemon::start(&steps.root.join("target/release/squirrel"), &steps.log("bench page"))?;
    let octets = transferred(daemon.address)?;
    let kilobytes = octets as f64 / 1000.0;
    let mut figures = vec![Figure {
        name: "first page, compressed",
        ours: format!("{kilobytes:.1} kB"),
        theirs: "-".to_string(),
        value: kilobytes,
        limit: 150.0,
        unit: "kB",
    }];
    match first_paint(steps, daemon.address) {
        Ok(milliseconds) => figures.push(Figure {
            name: "first paint on loopback",
            ours: format!("{milliseconds:.0} ms"),
            theirs: "-".to_string(),
            value: milliseconds,
            limit: 300.0,
            unit: "ms",
        }),
        Err(error) => println!("not measured: first paint: {error:#}"),
    }
    daemon.stop()?;
    Ok(figures)
}

/// Octets of the page and of every file that its markup names, as they are sent to a browser.
fn transferred(server: SocketAddr) -> Result<usize> {
    let plain = http::get(server, "/")?;
    if plain.status != 200 {
        bail!("the page answers {}", plain.status);
    }
    let markup = String::from_utf8(plain.body).context("the page is not UTF-8")?;
    let mut sum = http::get_compressed(server, "/")?.body.len();
    for path in references(&markup) {
        let answer = http::get_compressed(server, &path)?;
        if answer.status != 200 {
            bail!("{path} answers {}", answer.status);
        }
        sum += answer.body.len();
    }
    Ok(sum)
}

/// The paths of scripts, style sheets and icons in a page, as seen from the top of the server.
fn references(markup: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for attribute in [" src=\"", " href=\""] {
        for (at, _) in markup.match_indices(attribute) {
            let rest = &markup[at + attribute.len()..];
            let value = rest.split('"').next().unwrap_or("");
            let path = value.trim_start_matches("./").trim_start_matches('/');
            if path.contains('.') && !path.contains(':') {
                paths.push(format!("/{path}"));
            }
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

fn first_paint(steps: &Steps<'_>, server: SocketAddr) -> Result<f64> {
    let web = steps.root.join("crates/squirrel-server/web");
    if !web.join("node_modules").exists() {
        bail!("run `npm ci` in {} first", web.display());
    }
    let mut node = Command::new("node");
    node.current_dir(&web).args(["--input-type=module", "--eval", SCRIPT, &format!("http://{server}/")]);
    let text = process::output(&mut node)?;
    text.trim().parse().with_context(|| format!("`{text}` is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_page_are_found_once() {
        let markup = "<link rel=\"icon\" href=\"/icon-1.svg\"><script src=\"./app-1.js\"></script>\
            <a href=\"#top\">x</a><link href=\"app-1.js\"><a href=\"https://example.org/a.js\">y</a>";
        assert_eq!(references(markup), ["/app-1.js", "/icon-1.svg"]);
    }
}
