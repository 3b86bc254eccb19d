//! What is different between two recordings of a path.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use squirrel_api::probe::{PathAddress, PathDocument};

use crate::cli;
use crate::output;
use crate::table::{Column, lines};

const COLUMNS: [Column; 7] = [
    Column::right("HOP"),
    Column::left("ADDRESS", 15),
    Column::left("", 3),
    Column::right("LOSS% BEFORE"),
    Column::right("AFTER"),
    Column::right("P50 MS BEFORE"),
    Column::right("AFTER"),
];

#[derive(Debug, PartialEq, Serialize)]
struct Document {
    schema: &'static str,
    /// The verdict of each recording.
    verdict: [String; 2],
    rows: Vec<Row>,
}

/// A host at a place, in both recordings; null where it is not.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    ttl: u8,
    address: Option<IpAddr>,
    /// same, new or gone.
    state: &'static str,
    loss_ratio: [Option<f64>; 2],
    p50_us: [Option<f64>; 2],
}

/// Prints what is different.
pub(super) fn print(args: &cli::Path, before: &PathDocument, after: &PathDocument) -> anyhow::Result<()> {
    let document = compare(before, after);
    if args.json || args.json_lines {
        return output::print_json(&document);
    }
    let percent = |loss: Option<f64>| loss.map_or_else(|| "-".to_owned(), |loss| format!("{:.1}", loss * 100.0));
    let ms = |us: Option<f64>| us.map_or_else(|| "-".to_owned(), |us| format!("{:.3}", us / 1000.0));
    let row = |row: &Row| {
        let ([loss, loss_after], [p50, p50_after]) = (row.loss_ratio, row.p50_us);
        vec![
            row.ttl.to_string(),
            row.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            if row.state == "same" { String::new() } else { row.state.to_owned() },
            percent(loss),
            percent(loss_after),
            ms(p50),
            ms(p50_after),
        ]
    };
    let rows: Vec<Vec<String>> = document.rows.iter().map(row).collect();
    let mut text = lines(&COLUMNS, &rows, None, true);
    let [verdict, verdict_after] = &document.verdict;
    let harmless = |text: &str| squirrel_model::Untrusted(text).to_string();
    text.push(format!("Before: {}", harmless(verdict)));
    text.push(format!("After:  {}", harmless(verdict_after)));
    Ok(output::print_lines(&text)?)
}

fn compare(before: &PathDocument, after: &PathDocument) -> Document {
    let places: BTreeSet<(u8, Option<IpAddr>)> =
        hosts(before).chain(hosts(after)).map(|(ttl, one)| (ttl, one.address)).collect();
    let find = |document, place| hosts(document).find(|(ttl, one)| (*ttl, one.address) == place).map(|(_, one)| one);
    let rows = places.into_iter().map(|place| {
        let found = [find(before, place), find(after, place)];
        Row {
            ttl: place.0,
            address: place.1,
            state: match found {
                [Some(_), Some(_)] => "same",
                [None, _] => "new",
                [_, None] => "gone",
            },
            loss_ratio: found.map(|one| one?.loss_ratio),
            p50_us: found.map(|one| one?.rtt_us.as_ref().map(|times| times.p50)),
        }
    });
    let verdict = [before.verdict.clone(), after.verdict.clone()];
    Document { schema: "squirrel.path.compare/1", verdict, rows: rows.collect() }
}

/// The hosts that a path leads through at its end.
fn hosts(document: &PathDocument) -> impl Iterator<Item = (u8, &PathAddress)> {
    document.hops.iter().flat_map(|hop| hop.addresses.iter().filter(|one| one.current).map(move |one| (hop.ttl, one)))
}

#[cfg(test)]
mod tests {
    use squirrel_api::probe::PathHop;

    use super::*;

    fn path(hosts: &[(u8, f64)]) -> PathDocument {
        let hop = |(ttl, (last, loss)): (u8, &(u8, f64))| PathHop {
            ttl,
            addresses: vec![PathAddress {
                address: Some(IpAddr::from([192, 0, 2, *last])),
                loss_ratio: Some(*loss),
                current: true,
                ..PathAddress::default()
            }],
        };
        PathDocument { hops: (1..).zip(hosts).map(hop).collect(), ..PathDocument::default() }
    }

    #[test]
    fn what_came_what_went_and_what_is_worse_are_told() {
        let found = compare(&path(&[(1, 0.0), (2, 0.0), (9, 0.0)]), &path(&[(1, 0.0), (3, 0.1), (9, 0.1)]));
        let states: Vec<_> = found.rows.iter().map(|row| (row.ttl, row.state)).collect();
        assert_eq!(states, [(1, "same"), (2, "gone"), (2, "new"), (3, "same")]);
        assert_eq!(found.rows[3].loss_ratio, [Some(0.0), Some(0.1)]);
        assert_eq!(found.rows[2].loss_ratio, [None, Some(0.1)]);
    }
}
