//! `squirrel probes`: a table of targets.

use squirrel_api::live::schema;
use squirrel_api::probes::{ProbeRow, ProbeState, ProbesPage, share_text, span_text};
use squirrel_model::Untrusted;

use super::args::{History, List};
use super::{draw, lasted, print_schema, width};
use crate::failure::judged_bad;
use crate::interrupts::runtime;
use crate::live_client::{client, explained};
use crate::output;
use crate::table::{Column, lines};

/// Bars of a heartbeat where there is little room, and where there is more.
const FEW: usize = 24;
const MANY: usize = 60;
/// From this width of the terminal on there is room for many.
const WIDE: usize = 150;

pub(super) fn run(args: &List) -> anyhow::Result<()> {
    if args.schema {
        return print_schema(&schema::<ProbesPage>("squirrel probes"));
    }
    let page: ProbesPage =
        runtime()?.block_on(client(&args.server).get_resource("/api/probes", &parameters(args))).map_err(explained)?;
    let down = page.probes.iter().any(|row| matches!(row.probe.state, ProbeState::Down | ProbeState::Unreachable));
    if args.json {
        output::print_json(&page)?;
    } else {
        output::print_lines(&shown(&page, args.history, width()))?;
        for note in &page.notes {
            output::complain(&Untrusted(note).to_string());
        }
    }
    if down { Err(judged_bad()) } else { Ok(()) }
}

fn parameters(args: &List) -> Vec<(&'static str, String)> {
    // A name that is typed is looked for as it is, whatever marks of the grammar it has.
    let name = args.name.as_ref().map(|name| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
    let filter: Vec<&str> = name.iter().chain(&args.filter).map(String::as_str).collect();
    let mut all = vec![("history", args.history.name().to_owned()), ("limit", args.limit.to_string())];
    let mut add = |name, value: Option<&String>| all.extend(value.map(|value| (name, value.clone())));
    add("group", args.group.as_ref());
    add("state", args.state.as_ref());
    add("sort", args.sort.as_ref());
    add("filter", (!filter.is_empty()).then(|| filter.join(" ")).as_ref());
    all
}

fn shown(page: &ProbesPage, history: History, width: Option<usize>) -> Vec<String> {
    let mut printed = vec![Untrusted(&page.sentence).to_string()];
    if page.probes.is_empty() {
        if page.total > 0 {
            printed.push(format!("none of the {} targets is meant by that", page.total));
        }
        return printed;
    }
    let columns = [
        Column::left("STATE", 0),
        Column::left("TARGET", 12),
        Column::left("KIND", 0),
        Column::left("JOB", 4),
        Column::right("SINCE"),
        Column::right("LAST"),
        Column::right("LOSS"),
        Column::right("SCORE"),
        Column::left(history.heading(), 0),
        Column::right("ANSWERED"),
    ];
    let bars = if width.is_some_and(|width| width >= WIDE) { MANY } else { FEW };
    let rows: Vec<Vec<String>> = page.probes.iter().map(|row| cells(row, page.time, history, bars)).collect();
    printed.push(String::new());
    printed.extend(lines(&columns, &rows, width, true));
    let more = page.matched.saturating_sub(page.probes.len());
    if more > 0 {
        printed.push(format!("and {more} more: --limit shows them"));
    }
    printed
}

fn cells(row: &ProbeRow, now: f64, history: History, bars: usize) -> Vec<String> {
    let probe = &row.probe;
    let minute = probe.minute.as_ref();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let took = probe.seconds.filter(|_| probe.state == ProbeState::Up);
    let answered = row.record.availability.as_ref().and_then(|known| match history {
        History::Hour | History::Day => known.day,
        History::Week => known.week,
        History::Month => known.month,
    });
    vec![
        probe.state.word().to_owned(),
        probe.instance.clone(),
        probe.kind.clone(),
        probe.job.clone(),
        lasted(probe.since, now),
        or_dash(took.map(span_text)),
        or_dash(minute.map(|minute| share_text(minute.loss))),
        or_dash(minute.and_then(|minute| minute.mos).map(|mos| format!("{mos:.1}"))),
        draw::heartbeat(&row.record.heartbeat, bars),
        or_dash(answered.map(share_text)),
    ]
}

#[cfg(test)]
mod tests {
    use squirrel_api::probes::{Availability, Probe, ProbeMinute, ProbeRecord};

    use super::*;

    fn page() -> ProbesPage {
        let row = |instance: &str, state, share| ProbeRow {
            probe: Probe {
                job: "edge".into(),
                instance: instance.into(),
                kind: "ping".into(),
                state,
                since: Some(400.0),
                seconds: Some(0.0121),
                minute: Some(ProbeMinute { sent: 60, mos: Some(4.36), ..ProbeMinute::default() }),
                ..Probe::default()
            },
            record: ProbeRecord {
                heartbeat: vec![Some(1.0), Some(share)],
                availability: Some(Availability { day: Some(share), ..Availability::default() }),
                ..ProbeRecord::default()
            },
        };
        ProbesPage {
            time: 1000.0,
            sentence: "1 of 2 targets is down: evil\x1b[2J.".into(),
            total: 3,
            matched: 3,
            probes: vec![row("evil\x1b[2J", ProbeState::Down, 0.5), row("gw.example", ProbeState::Up, 0.99996)],
            ..ProbesPage::default()
        }
    }

    #[test]
    fn targets_stand_in_a_table_and_nothing_in_it_is_obeyed() {
        assert_eq!(
            shown(&page(), History::Day, None),
            [
                "1 of 2 targets is down: evil\\u{1b}[2J.",
                "",
                "STATE  TARGET         KIND  JOB    SINCE     LAST  LOSS  SCORE  LAST DAY  ANSWERED",
                "down   evil\\u{1b}[2J  ping  edge  10 min        -   0 %    4.4  ▂▇         50.00 %",
                "up     gw.example     ping  edge  10 min  12.1 ms   0 %    4.4  ▂▅         99.99 %",
                "and 1 more: --limit shows them",
            ]
        );
    }

    #[test]
    fn a_filter_without_targets_says_so() {
        let page =
            ProbesPage { total: 4, sentence: "All 4 targets do what they should.".into(), ..ProbesPage::default() };
        assert_eq!(shown(&page, History::Day, None)[1], "none of the 4 targets is meant by that");
    }
}
