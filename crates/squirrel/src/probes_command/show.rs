//! `squirrel probes show`: one target, drawn.

use std::collections::BTreeMap;

use anyhow::Context as _;
use squirrel_api::client::{Client, ClientError};
use squirrel_api::live::schema;
use squirrel_api::params::parse_duration_ms;
use squirrel_api::probe::PathHop;
use squirrel_api::probes::{ErrorBudget, PathChanged, ProbeDetail, ProbeState, ProbedPath, share_text, span_text};
use squirrel_api::reply::{MatrixSeries, QueryData};
use squirrel_model::exposition::escape_value;
use squirrel_model::{Timestamp, Untrusted};

use super::args::Show;
use super::draw::{HopRow, Puff, hops, smoke};
use super::{USUAL_COLUMNS, draw, lasted, moment, print_schema, span, width};
use crate::failure::{Class, classed, judged_bad};
use crate::interrupts::runtime;
use crate::live_client::{client, explained};
use crate::output;
use crate::table::{Column, lines};

/// Columns before a drawing: its scale.
const SCALE: usize = 11;
/// Fewest columns of a drawing.
const NARROW: usize = 20;
/// Shortest time that a drawing's column stands for: figures come once a minute.
const COLUMN_MS: i64 = 60_000;
/// Changes of a path that are printed.
const CHANGES: usize = 10;
const PERCENTILES: [&str; 7] = ["0", "5", "25", "50", "75", "95", "100"];

/// What is drawn.
struct Drawn {
    puffs: Vec<Puff>,
    hops: Vec<HopRow>,
}

pub(super) fn run(args: &Show) -> anyhow::Result<()> {
    if args.schema {
        return print_schema(&schema::<ProbeDetail>("squirrel probes show"));
    }
    let since = parse_duration_ms(&args.since)
        .with_context(|| format!("--since {:?}", args.since))
        .map_err(|error| classed(Class::Usage, &error))?
        .max(COLUMN_MS);
    let (job, instance) = (args.job.clone().unwrap_or_default(), args.instance.clone().unwrap_or_default());
    let client = client(&args.server);
    let columns = (width().unwrap_or(USUAL_COLUMNS).saturating_sub(SCALE)).max(NARROW);
    let (detail, drawn) = runtime()?
        .block_on(async {
            let parameters = [("job", job.clone()), ("instance", instance.clone()), ("history", "1d".to_owned())];
            let detail: ProbeDetail = client.get_resource("/api/probes/one", &parameters).await?;
            let drawn = if args.json { None } else { Some(drawn(&client, &detail, since, columns).await?) };
            Ok((detail, drawn))
        })
        .map_err(explained)?;
    match drawn {
        None => output::print_json(&detail)?,
        Some(drawn) => output::print_lines(&shown(&detail, &drawn, since))?,
    }
    let bad = matches!(detail.probe.probe.state, ProbeState::Down | ProbeState::Unreachable);
    if bad { Err(judged_bad()) } else { Ok(()) }
}

/// Asks for the figures of the drawings.
async fn drawn(client: &Client, detail: &ProbeDetail, since: i64, columns: usize) -> Result<Drawn, ClientError> {
    let probe = &detail.probe.probe;
    let scope = format!("job=\"{}\",instance=\"{}\"", escape_value(&probe.job), escape_value(&probe.instance));
    let column = (since / columns as i64 / COLUMN_MS + 1) * COLUMN_MS;
    let end = Timestamp::from_seconds(detail.time);
    let start = end.plus_ms(-(since / column) * column);
    // A window that is no shorter than the time from one probe to the next has one in it.
    let window = (column / 1000).max((probe.interval * 1.2) as i64 + 1);
    let ask = async |function: &str, metric: &str, more: &str| {
        let expr = format!("{function}_over_time({metric}{{{scope}{more}}}[{window}s])");
        match client.query_range(&expr, start.plus_ms(column), end, column).await?.data {
            QueryData::Matrix(series) => Ok::<_, ClientError>(series),
            _ => Ok(Vec::new()),
        }
    };
    let places = usize::try_from(since / column).unwrap_or(0);
    let place = |at: f64| ((at - start.seconds()) / (column as f64 / 1000.0)).round() as usize;
    let mut puffs = vec![Puff::default(); places];
    let trips = "squirrel_probe_round_trip_seconds";
    let mut told = ask("avg", trips, ",percentile=~\"5|25|50|75|95\"").await?;
    told.extend(ask("min", trips, ",percentile=\"0\"").await?);
    told.extend(ask("max", trips, ",percentile=\"100\"").await?);
    for series in &told {
        let Some(percentile) =
            PERCENTILES.iter().position(|name| series.metric.get("percentile").is_some_and(|label| label == name))
        else {
            continue;
        };
        for (at, value) in points(series) {
            if let Some(puff) = place(at).checked_sub(1).and_then(|place| puffs.get_mut(place)) {
                puff.trips[percentile] = Some(value);
            }
        }
    }
    for (at, value) in ask("max", "squirrel_probe_loss_ratio", "").await?.iter().flat_map(points) {
        if let Some(puff) = place(at).checked_sub(1).and_then(|place| puffs.get_mut(place)) {
            puff.loss = Some(value);
        }
    }
    let mut rows: BTreeMap<u8, HopRow> = BTreeMap::new();
    let mut fill = |told: Vec<MatrixSeries>, of: fn(&mut HopRow) -> &mut Vec<Option<f64>>| {
        for series in &told {
            let Some(hop) = series.metric.get("hop").and_then(|hop| hop.parse().ok()) else { continue };
            let empty = || HopRow { hop, trips: vec![None; places], losses: vec![None; places] };
            let values = of(rows.entry(hop).or_insert_with(empty));
            for (at, value) in points(series) {
                if let Some(slot) = place(at).checked_sub(1).and_then(|place| values.get_mut(place)) {
                    *slot = Some(value);
                }
            }
        }
    };
    if detail.path.is_some() {
        fill(ask("max", "squirrel_path_hop_round_trip_seconds", ",percentile=\"50\"").await?, |row| &mut row.trips);
        fill(ask("max", "squirrel_path_hop_loss_ratio", "").await?, |row| &mut row.losses);
    }
    Ok(Drawn { puffs, hops: rows.into_values().collect() })
}

fn points(series: &MatrixSeries) -> impl Iterator<Item = (f64, f64)> + '_ {
    series.values.iter().map(|point| (point.0, point.1)).filter(|(_, value)| value.is_finite())
}

fn shown(detail: &ProbeDetail, drawn: &Drawn, since: i64) -> Vec<String> {
    let probe = &detail.probe.probe;
    let record = &detail.probe.record;
    let mut out = vec![Untrusted(&detail.sentence).to_string()];
    let mut fact = |name: &str, text: String| out.push(format!("{name:>11}  {}", Untrusted(&text)));
    let group = probe.group.as_ref().map(|group| format!(", group {group}")).unwrap_or_default();
    let ip = probe.ip.map(|ip| format!(" by IPv{ip}")).unwrap_or_default();
    fact("probed", format!("{}{ip} each {}, table {}{group}", probe.kind, span(probe.interval), probe.job));
    fact("state", format!("{} for {}", probe.state.word(), lasted(probe.since, detail.time)));
    if !probe.parents.is_empty() {
        fact("behind", probe.parents.join(", "));
    }
    if let Some(minute) = &probe.minute {
        let trip = |percentile| minute.percentile(percentile).map_or_else(|| "-".to_owned(), span_text);
        let score = minute.mos.map(|mos| format!(", call score {mos:.1}")).unwrap_or_default();
        fact(
            "last minute",
            format!("median {}, 95 % {}, loss {}{score}", trip(50.0), trip(95.0), share_text(minute.loss)),
        );
    }
    if let Some(known) = &record.availability {
        let text = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), share_text);
        fact("answered", format!("day {}, week {}, 30 days {}", text(known.day), text(known.week), text(known.month)));
    }
    if let (Some(objective), Some(budget)) = (probe.objective, &record.budget) {
        fact("objective", format!("{}: {}", share_text(objective), budget_text(budget)));
    }
    if let Some(expires) = record.certificate_expires {
        fact(
            "certificate",
            format!("expires in {:.0} days, {}", ((expires - detail.time) / 86_400.0).floor(), moment(expires)),
        );
    }
    fact("last day", draw::heartbeat(&record.heartbeat, usize::MAX));
    let ago = span(since as f64 / 1000.0);
    let smoke = smoke(&drawn.puffs);
    if !smoke.is_empty() {
        out.push(format!("\nRound trips of the last {ago}: █ median, ▓ half, ▒ nine of ten, ░ all; loss in tenths"));
        out.extend(smoke);
    }
    if !drawn.hops.is_empty() {
        out.push(format!("\nHops of the last {ago}: ░▒▓█ fast to slow, ! loss that goes on to the end"));
        out.extend(hops(&drawn.hops));
    }
    if let Some(path) = &detail.path {
        out.extend(path_lines(path));
    }
    out.extend(detail.notes.iter().map(|note| Untrusted(note).to_string()));
    for (place, line) in detail.last_words.iter().enumerate() {
        if place == 0 {
            out.push("\nThe last probe:".to_owned());
        }
        out.push(format!("  {}", Untrusted(line)));
    }
    out
}

fn budget_text(budget: &ErrorBudget) -> String {
    let available = budget.available.map_or_else(|| "-".to_owned(), share_text);
    let left = match budget.left {
        None => "nothing is known of its error budget".to_owned(),
        Some(left) if left <= 0.0 => format!("overspent, {:.1} times what is allowed", 1.0 - left),
        Some(left) => format!("{} of the error budget is left", share_text(left)),
    };
    let pace = budget.burn_hour.map(|burn| format!(", spent at {burn:.1} times the allowed pace in the last hour"));
    format!("{available} answered, {left}{}", pace.unwrap_or_default())
}

fn path_lines(path: &ProbedPath) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(document) = &path.document {
        out.push(format!("\n{}", Untrusted(&document.verdict)));
        let columns = [
            Column::right("HOP"),
            Column::left("HOST", 15),
            Column::right("LOSS"),
            Column::right("MEDIAN"),
            Column::right("95 %"),
            Column::left("WHAT IT MEANS", 20),
        ];
        let rows: Vec<Vec<String>> = document.hops.iter().flat_map(hop_rows).collect();
        out.extend(lines(&columns, &rows, width(), true));
    }
    for (place, change) in path.changes.iter().take(CHANGES).enumerate() {
        if place == 0 {
            out.push(format!(
                "\nChanges of the path, the newest of {} first:",
                path.changes.len() as u64 + path.forgotten
            ));
        }
        out.extend(change_lines(change));
    }
    out
}

fn hop_rows(hop: &PathHop) -> impl Iterator<Item = Vec<String>> + '_ {
    hop.addresses.iter().map(|one| {
        let trip = |us: Option<f64>| us.map_or_else(|| "-".to_owned(), |us| span_text(us / 1e6));
        vec![
            hop.ttl.to_string(),
            one.address.map_or_else(|| "no answer".to_owned(), |address| address.to_string()),
            one.loss_ratio.map_or_else(|| "-".to_owned(), share_text),
            trip(one.rtt_us.as_ref().map(|times| times.p50)),
            trip(one.rtt_us.as_ref().map(|times| times.p95)),
            one.note.clone(),
        ]
    })
}

/// The moment, and only the places where another host answers.
fn change_lines(change: &PathChanged) -> Vec<String> {
    let mut out = vec![format!("  {}", moment(change.at))];
    let host = |hosts: &[Option<std::net::IpAddr>], place: usize| {
        hosts
            .get(place)
            .map_or_else(|| "-".to_owned(), |host| host.map_or_else(|| "?".to_owned(), |host| host.to_string()))
    };
    for place in 0..change.from.len().max(change.to.len()) {
        let (before, after) = (host(&change.from, place), host(&change.to, place));
        if before != after {
            out.push(format!("    hop {}: {before} -> {after}", place + 1));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use squirrel_api::probes::{Probe, ProbeRecord, ProbeRow};

    use super::*;

    #[test]
    fn one_target_is_told_in_words_and_drawings() {
        let probe = Probe {
            job: "edge".into(),
            instance: "gw".into(),
            kind: "path".into(),
            ip: Some(6),
            interval: 60.0,
            state: ProbeState::Up,
            since: Some(0.0),
            objective: Some(0.999),
            ..Probe::default()
        };
        let budget =
            ErrorBudget { available: Some(0.99996), left: Some(0.96), burn_hour: Some(0.2), ..ErrorBudget::default() };
        let record =
            ProbeRecord { heartbeat: vec![Some(1.0), Some(0.9)], budget: Some(budget), ..ProbeRecord::default() };
        let address = |text: &str| text.parse().ok();
        let change = PathChanged {
            at: 60.0,
            from: vec![address("192.0.2.1"), None],
            to: vec![address("192.0.2.9"), None, address("192.0.2.3")],
        };
        let detail = ProbeDetail {
            time: 600.0,
            sentence: "gw\x1b[2J does what it should.".into(),
            probe: ProbeRow { probe, record },
            path: Some(ProbedPath { document: None, changes: vec![change], forgotten: 2 }),
            ..ProbeDetail::default()
        };
        let hop = HopRow { hop: 1, trips: vec![Some(0.001)], losses: vec![Some(0.0)] };
        let printed = shown(&detail, &Drawn { puffs: vec![Puff::default()], hops: vec![hop] }, 3_600_000).join("\n");
        assert_eq!(
            printed,
            "gw\\u{1b}[2J does what it should.\n     probed  path by IPv6 each 1 min, table edge\n      state  up for 10 min\n  objective  99.90 %: 99.99 % answered, 96.00 % of the error budget is left, spent at 0.2 times the allowed pace in the last hour\n   last day  ▂▅\n\nHops of the last 1 h: ░▒▓█ fast to slow, ! loss that goes on to the end\n    hop 1 │░\n\nChanges of the path, the newest of 3 first:\n  1970-01-01T00:01:00Z\n    hop 1: 192.0.2.1 -> 192.0.2.9\n    hop 3: - -> 192.0.2.3"
        );
    }
}
