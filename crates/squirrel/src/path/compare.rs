//! What is different between two recordings of a path.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use squirrel_api::probe::{PathAddress, PathDocument};

use crate::cli;
use crate::output;
use crate::table::{Column, lines};

/// Times that differ by less are the same.
const LEAST_US: f64 = 1_000.0;
/// And so are those that differ by less than this share.
const LEAST_SHARE: f64 = 0.2;
/// Shares of loss that differ by less are the same.
const LEAST_LOSS: f64 = 0.005;

const COLUMNS: [Column; 9] = [
    Column::right("HOP"),
    Column::left("ADDRESS", 15),
    Column::left("", 3),
    Column::right("LOSS% BEFORE"),
    Column::right("AFTER"),
    Column::right("P50 MS BEFORE"),
    Column::right("AFTER"),
    Column::right("P95 MS BEFORE"),
    Column::right("AFTER"),
];

#[derive(Debug, PartialEq, Serialize)]
struct Document {
    schema: &'static str,
    /// The verdict of each recording.
    verdict: [String; 2],
    /// What is different, in words.
    difference: String,
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
    p95_us: [Option<f64>; 2],
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
        let ([loss, loss_after], [p50, p50_after], [p95, p95_after]) = (row.loss_ratio, row.p50_us, row.p95_us);
        vec![
            row.ttl.to_string(),
            row.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            if row.state == "same" { String::new() } else { row.state.to_owned() },
            percent(loss),
            percent(loss_after),
            ms(p50),
            ms(p50_after),
            ms(p95),
            ms(p95_after),
        ]
    };
    let rows: Vec<Vec<String>> = document.rows.iter().map(row).collect();
    let mut text = lines(&COLUMNS, &rows, None, true);
    let [verdict, verdict_after] = &document.verdict;
    let harmless = |text: &str| squirrel_model::Untrusted(text).to_string();
    text.push(document.difference.clone());
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
            p95_us: found.map(|one| one?.rtt_us.as_ref().map(|times| times.p95)),
        }
    });
    let (rows, verdict) = (rows.collect::<Vec<_>>(), [before.verdict.clone(), after.verdict.clone()]);
    Document { schema: "squirrel.path.compare/1", verdict, difference: difference(&rows), rows }
}

/// What is different, in words: hosts, loss at the end, and the place from which on it takes longer or shorter.
fn difference(rows: &[Row]) -> String {
    let count = |state: &str| rows.iter().filter(|row| row.state == state && row.address.is_some()).count();
    let hosts = match (count("new"), count("gone")) {
        (0, 0) => "The hosts are the same.".to_owned(),
        (new, gone) => format!("Hosts that are new: {new}; that are gone: {gone}."),
    };
    let same = || rows.iter().filter(|row| row.state == "same");
    let loss = same().next_back().and_then(|row| row.loss_ratio[0].zip(row.loss_ratio[1]));
    let loss = loss.filter(|(before, after)| (before - after).abs() >= LEAST_LOSS).map(|(before, after)| {
        format!(" Loss at the last of them went from {:.1} % to {:.1} %.", before * 100.0, after * 100.0)
    });
    let times: Vec<(u8, f64, f64)> = same()
        .filter_map(|row| row.p50_us[0].zip(row.p50_us[1]).map(|(before, after)| (row.ttl, before, after)))
        .collect();
    let differs =
        |sign: f64, (_, before, after): &(u8, f64, f64)| (after - before) * sign > LEAST_US.max(before * LEAST_SHARE);
    // The first place from which on all differ alike.
    let from = [(1.0, "more"), (-1.0, "less")].into_iter().find_map(|(sign, word)| {
        let behind = times.iter().rev().take_while(|row| differs(sign, row)).last()?;
        Some((behind.0, (behind.2 - behind.1).abs(), word))
    });
    let from = from.map(|(ttl, us, word)| format!(" From hop {ttl} on it takes {:.1} ms {word}.", us / 1000.0));
    hosts + &loss.unwrap_or_default() + &from.unwrap_or_default()
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
            ..PathHop::default()
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
        assert_eq!(
            found.difference,
            "Hosts that are new: 1; that are gone: 1. Loss at the last of them went from 0.0 % to 10.0 %."
        );
    }

    #[test]
    fn the_place_from_which_on_it_takes_longer_is_named_and_a_slow_answer_alone_is_not() {
        let rows = |times: &[(f64, f64)]| -> Vec<Row> {
            let row = |(ttl, (before, after)): (u8, &(f64, f64))| Row {
                ttl,
                address: Some(IpAddr::from([192, 0, 2, ttl])),
                state: "same",
                loss_ratio: [Some(0.0); 2],
                p50_us: [Some(*before), Some(*after)],
                p95_us: [None; 2],
            };
            (1..).zip(times).map(row).collect()
        };
        let longer = rows(&[(300.0, 900.0), (5e3, 80e3), (6e3, 6.5e3), (8e3, 20e3), (9e3, 21e3)]);
        assert_eq!(difference(&longer), "The hosts are the same. From hop 4 on it takes 12.0 ms more.");
        let shorter = rows(&[(300.0, 300.0), (9e3, 4e3)]);
        assert_eq!(difference(&shorter), "The hosts are the same. From hop 2 on it takes 5.0 ms less.");
        assert_eq!(difference(&rows(&[(300.0, 900.0), (5e3, 80e3), (6e3, 6.5e3)])), "The hosts are the same.");
    }
}
