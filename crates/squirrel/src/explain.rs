//! `squirrel explain`: the catalogue, for people.

use std::fmt::Write as _;

use anyhow::bail;
use squirrel_api::CatalogueEntry;
use squirrel_model::{Catalogue, Metric};

use crate::cli;
use crate::output;
use crate::own_metrics;

/// Prints one metric's meaning, or the list of all.
pub(crate) fn run(args: &cli::Explain) -> anyhow::Result<()> {
    let catalogue = own_metrics::catalogue();
    let Some(name) = &args.metric else {
        return Ok(output::print(&if args.json { json(catalogue.iter())? } else { list(&catalogue) })?);
    };
    let Some(metric) = catalogue.find(name) else {
        let like = catalogue.like(name, 3);
        let hint = if like.is_empty() {
            "`squirrel explain` lists all".to_owned()
        } else {
            format!("did you mean {}?", like.join(", "))
        };
        bail!("no metric is called {name:?}; {hint}");
    };
    if let Some(near) = declared_near(&catalogue, metric, name) {
        output::complain(&format!(
            "no metric is declared by the name {name:?}; did you mean {near}? What follows is said of all of its family."
        ));
    }
    Ok(output::print(&if args.json { json(std::iter::once(metric))? } else { page(metric, name) })?)
}

/// Edits by which a typed name may differ from a declared one to be taken for a slip.
const SLIP: usize = 2;

/// The declared metric that a name which only a family covers was perhaps meant to be. The kernel has names
/// that nobody declares, so the family is explained all the same.
fn declared_near(catalogue: &Catalogue, found: &Metric, name: &str) -> Option<&'static str> {
    let near = catalogue.like(name, 1).into_iter().next().filter(|_| found.is_family())?;
    let (short, long) = if near.len() < name.len() { (near, name) } else { (name, near) };
    let slip = edits(short.as_bytes(), long.as_bytes()) <= SLIP;
    (slip && found.covers(near)).then_some(near)
}

/// Octets to insert, delete or replace.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, octet) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(octet != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn json<'a>(metrics: impl Iterator<Item = &'a Metric>) -> anyhow::Result<String> {
    let entries: Vec<CatalogueEntry> = metrics.map(CatalogueEntry::from).collect();
    Ok(serde_json::to_string_pretty(&entries)? + "\n")
}

fn list(catalogue: &Catalogue) -> String {
    let width = catalogue.iter().map(|metric| metric.name.len()).max().unwrap_or(0);
    catalogue.iter().fold(String::new(), |mut text, metric| {
        let _ = writeln!(text, "{:width$}  {}", metric.name, metric.help);
        text
    })
}

fn page(metric: &Metric, name: &str) -> String {
    let mut text = format!("{name}\n  {}\n\n", metric.help);
    let unit = metric.unit.word();
    let _ = writeln!(
        text,
        "  kind    {}{}",
        metric.kind.exposition_word(),
        if unit.is_empty() { String::new() } else { format!(", in {unit}") }
    );
    if !metric.labels.is_empty() {
        let _ = writeln!(text, "  labels  {}", metric.labels.join(", "));
    }
    if metric.is_family() {
        let _ = writeln!(text, "  family  {}", metric.name);
    }
    if !metric.why.is_empty() {
        let _ = writeln!(text, "\nWhy it matters\n  {}", metric.why);
    }
    if !metric.check.is_empty() {
        text += "\nWhat to check first\n";
        for (i, step) in metric.check.iter().enumerate() {
            let _ = writeln!(text, "  {}. {step}", i + 1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_meaning_reason_and_steps() {
        let catalogue = own_metrics::catalogue();
        let name = "node_netstat_TcpExt_ListenOverflows";
        let text = page(catalogue.find(name).unwrap(), name);
        for part in [name, "Why it matters", "What to check first", "1. "] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn the_steps_name_only_commands_that_exist() {
        let program = <cli::Cli as clap::CommandFactory>::command();
        let known: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
        let catalogue = own_metrics::catalogue();
        for metric in catalogue.iter() {
            let texts = metric.check.iter().copied().chain([metric.why, &*metric.help]);
            for rest in texts.flat_map(|text| text.split("`squirrel ").skip(1)) {
                let named = rest.split(['`', ' ']).next().unwrap_or_default();
                assert!(known.contains(&named), "{} names `squirrel {named}`", metric.name);
            }
        }
    }

    #[test]
    fn a_slip_in_a_name_of_a_family_is_noticed() {
        let catalogue = own_metrics::catalogue();
        let near = |name: &str| declared_near(&catalogue, catalogue.find(name).expect("of a family"), name);
        assert_eq!(near("node_netstat_TcpExt_ListenOverflow"), Some("node_netstat_TcpExt_ListenOverflows"));
        assert_eq!(near("node_netstat_Tcp_RetranSegs"), Some("node_netstat_Tcp_RetransSegs"));
        assert_eq!(near("node_netstat_TcpExt_ListenOverflows"), None, "it is declared");
        assert_eq!(near("node_netstat_TcpExt_TCPWqueueTooBig"), None, "the kernel may have it");
    }

    #[test]
    fn nothing_is_declared_twice() {
        assert_eq!(own_metrics::catalogue().duplicates(), Vec::<&str>::new());
    }
}
