//! A path as a table, and in the forms that other programs read.

use squirrel_api::probe::{PathAddress, PathDocument, PathHop, PingTimes};
use squirrel_model::Untrusted;
use squirrel_sys::terminal;

use crate::cli;
use crate::output;
use crate::table::{Column, lines};

const COLUMNS: [Column; 12] = [
    Column::right("HOP"),
    Column::left("ADDRESS", 15),
    Column::left("AS", 6),
    Column::right("MTU"),
    Column::right("SENT"),
    Column::right("LOSS%"),
    Column::right("RECENT"),
    Column::right("P50"),
    Column::right("P95"),
    Column::right("MAX"),
    Column::right("JITTER"),
    Column::left("NOTE", 16),
];

/// Changes that a person is told of one by one.
const TOLD_CHANGES: usize = 10;

/// Prints a document in the form that was asked for.
pub(super) fn whole(args: &cli::Path, document: &PathDocument) -> anyhow::Result<()> {
    if args.json || args.json_lines {
        return output::print_json(document);
    }
    let lines = if args.csv {
        csv(document)
    } else if args.markdown {
        markdown(document)
    } else if args.dot {
        dot(document)
    } else {
        table(document, terminal::size().map(|(_, columns)| columns))
    };
    Ok(output::print_lines(&lines)?)
}

/// The table for people.
pub(super) fn table(document: &PathDocument, width: Option<usize>) -> Vec<String> {
    let mut text = vec![title(document)];
    let (columns, rows) = filled(&rows(document).map(|(hop, one)| row(hop, one)).collect::<Vec<_>>());
    text.extend(lines(&columns, &rows, width, true));
    text.extend(remarks(document));
    text
}

/// Whose path it is.
pub(super) fn title(document: &PathDocument) -> String {
    let address = document.address.map_or_else(String::new, |address| format!(" ({address})"));
    format!("{}{address} by {}, {} rounds", Untrusted(&document.target), document.protocol, document.rounds)
}

/// The columns that have something in some row; those for what was not asked have not.
fn filled(rows: &[Vec<String>]) -> (Vec<Column>, Vec<Vec<String>>) {
    let is_filled = |index: usize| index + 1 == COLUMNS.len() || rows.iter().any(|row| !row[index].is_empty());
    let kept: Vec<usize> = (0..COLUMNS.len()).filter(|index| is_filled(*index)).collect();
    let pick = |row: &Vec<String>| kept.iter().map(|index| row[*index].clone()).collect();
    (kept.iter().map(|index| COLUMNS[*index]).collect(), rows.iter().map(pick).collect())
}

/// What is said below the table: the verdict, the ways of equal cost, what changed.
pub(super) fn remarks(document: &PathDocument) -> Vec<String> {
    let mut text = vec![Untrusted(&document.verdict).to_string()];
    if document.ways.len() > 1 {
        for way in &document.ways {
            let flows: Vec<String> = way.flows.iter().map(u32::to_string).collect();
            let hosts: Vec<String> =
                way.hosts.iter().map(|host| host.map_or_else(|| "-".to_owned(), |host| host.to_string())).collect();
            text.push(format!("Flows {}: {}", flows.join(" "), hosts.join(" → ")));
        }
    }
    for change in document.changes.iter().rev().take(TOLD_CHANGES).rev() {
        let name = |host: Option<std::net::IpAddr>| host.map_or_else(|| "nobody".to_owned(), |host| host.to_string());
        let (from, to) = (name(change.from), name(change.to));
        text.push(format!("After {:.1} s hop {} changed from {from} to {to}.", change.seconds, change.ttl));
    }
    if document.changed > TOLD_CHANGES as u64 {
        text.push(format!("There were {} changes; --json has more of them.", document.changed));
    }
    if document.strange > 0 {
        text.push(format!("{} answers were to nobody's question here; they are not counted.", document.strange));
    }
    text
}

/// Every address with its place; the place is shown at the first only.
fn rows(document: &PathDocument) -> impl Iterator<Item = (Option<&PathHop>, &PathAddress)> {
    document.hops.iter().flat_map(|hop| {
        let first = std::iter::once(Some(hop)).chain(std::iter::repeat(None));
        first.zip(&hop.addresses)
    })
}

fn row(hop: Option<&PathHop>, one: &PathAddress) -> Vec<String> {
    let time =
        |pick: fn(&PingTimes) -> f64| one.rtt_us.as_ref().map_or_else(|| "-".to_owned(), |times| ms(pick(times)));
    vec![
        hop.map_or_else(String::new, |hop| hop.ttl.to_string()),
        host(one),
        system(one),
        hop.and_then(|hop| hop.path_mtu).map_or_else(String::new, |octets| octets.to_string()),
        one.sent.to_string(),
        percent(one.loss_ratio),
        percent(one.recent_loss_ratio),
        time(|times| times.p50),
        time(|times| times.p95),
        time(|times| times.max),
        one.jitter_us.map_or_else(|| "-".to_owned(), ms),
        one.note.clone(),
    ]
}

/// The address, which is certain, before the name, which is not.
fn host(one: &PathAddress) -> String {
    let name = one.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    one.address.map_or_else(|| "-".to_owned(), |address| format!("{address}{name}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}", share * 100.0))
}

fn system(one: &PathAddress) -> String {
    let name = one.as_name.as_deref().filter(|name| !name.is_empty()).map(|name| format!(" {name}"));
    one.as_number.map_or_else(String::new, |number| format!("AS{number}{}", name.unwrap_or_default()))
}

/// Microseconds as milliseconds, with as many digits as mean something.
fn ms(us: f64) -> String {
    if us < 10_000.0 { format!("{:.3}", us / 1000.0) } else { format!("{:.1}", us / 1000.0) }
}

/// A value of CSV (RFC 4180), with nothing in it that a spreadsheet would take for a formula or a terminal would obey.
fn csv_value(text: &str) -> String {
    let text = Untrusted(text).to_string();
    let text =
        if text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err() { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn csv(document: &PathDocument) -> Vec<String> {
    let heading = "ttl,address,name,as,sent,received,loss_ratio,recent_loss_ratio,min_us,p50_us,p95_us,max_us,jitter_us,path_mtu,verdict,current,note";
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let line = |(hop, one): (&PathHop, &PathAddress)| {
        let time = |pick: fn(&PingTimes) -> f64| number(one.rtt_us.as_ref().map(pick));
        let values = [
            hop.ttl.to_string(),
            one.address.map_or_else(String::new, |address| address.to_string()),
            csv_value(one.name.as_deref().unwrap_or_default()),
            csv_value(&system(one)),
            one.sent.to_string(),
            one.received.to_string(),
            number(one.loss_ratio),
            number(one.recent_loss_ratio),
            time(|times| times.min),
            time(|times| times.p50),
            time(|times| times.p95),
            time(|times| times.max),
            number(one.jitter_us),
            hop.path_mtu.map_or_else(String::new, |octets| octets.to_string()),
            one.verdict.to_string(),
            one.current.to_string(),
            csv_value(&one.note),
        ];
        values.join(",")
    };
    let all = document.hops.iter().flat_map(|hop| hop.addresses.iter().map(move |one| (hop, one)));
    std::iter::once(heading.to_owned()).chain(all.map(line)).collect()
}

fn markdown(document: &PathDocument) -> Vec<String> {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| Untrusted(cell).to_string().replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let (columns, rows) = filled(&rows(document).map(|(hop, one)| row(hop, one)).collect::<Vec<_>>());
    let each =
        |cell: fn(&Column) -> &'static str| columns.iter().map(|column| cell(column).to_owned()).collect::<Vec<_>>();
    let mut text = vec![line(&each(|column| column.title)), line(&each(|_| "---"))];
    text.extend(rows.iter().map(|row| line(row)));
    text.extend([String::new(), Untrusted(&document.verdict).to_string()]);
    text
}

/// The ways of all flows as a graph: an edge from each host to those that follow it in a flow.
fn dot(document: &PathDocument) -> Vec<String> {
    let quoted = |text: &str| Untrusted(text).to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let name = |ttl: u8, one: &PathAddress| {
        one.address.map_or_else(|| format!("hop {ttl}, silent"), |address| address.to_string())
    };
    let mut text = vec!["digraph path {".to_owned(), "  \"this host\";".to_owned()];
    let mut before: Vec<(String, &[u32])> = Vec::new();
    for hop in &document.hops {
        let mut here = Vec::new();
        for one in hop.addresses.iter().filter(|one| one.current) {
            let (name, loss) = (name(hop.ttl, one), one.loss_ratio.unwrap_or(0.0) * 100.0);
            let time = one.rtt_us.as_ref().map_or_else(String::new, |times| format!(", {} ms", ms(times.p50)));
            text.push(format!("  \"{0}\" [label=\"{0}\\n{loss:.1} %{time}\"];", quoted(&name)));
            let from = before
                .iter()
                .filter(|(other, flows)| *other != name && flows.iter().any(|flow| one.flows.contains(flow)));
            text.extend(from.map(|(other, _)| format!("  \"{}\" -> \"{}\";", quoted(other), quoted(&name))));
            if before.is_empty() {
                text.push(format!("  \"this host\" -> \"{}\";", quoted(&name)));
            }
            here.push((name, one.flows.as_slice()));
        }
        if !here.is_empty() {
            before = here;
        }
    }
    text.push("}".to_owned());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_csv_is_one_value_and_no_formula() {
        assert_eq!(csv_value("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(csv_value("=1+1"), "'=1+1");
        assert_eq!(csv_value("-1.5"), "-1.5");
        assert_eq!(csv_value("a\nb"), "a\\u{a}b");
    }
}
