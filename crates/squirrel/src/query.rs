//! `squirrel query`: a question to a running daemon.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use squirrel_api::client::{Client, ClientError};
use squirrel_api::params::{parse_duration_ms, parse_time};
use squirrel_api::reply::{MatrixSeries, Point, QueryData};
use squirrel_model::{Timestamp, Untrusted, exposition, is_hostile};
use squirrel_sys::clock;

use crate::cli;
use crate::failure::{Class, classed};
use crate::interrupts::runtime;
use crate::output;

/// The moment or moments that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Now,
    At(Timestamp),
    Range { start: Timestamp, end: Timestamp, step_ms: i64 },
}

/// Asks and prints.
pub(crate) fn run(args: &cli::Query) -> anyhow::Result<()> {
    let when = when(args, clock::wall()).map_err(|error| classed(Class::Usage, &error))?;
    let runtime = runtime()?;
    let client = Client::new(&args.server);
    let asked = runtime.block_on(async {
        if args.json { json(&client, &args.expr, when).await } else { table_or_points(&client, &args.expr, when).await }
    });
    let (status, text) = asked.map_err(|error| explain(&args.expr, error))?;
    output::print(&text)?;
    // With --json the refusal is in the document; scripts also see it in the exit code.
    if status == 200 { Ok(()) } else { Err(anyhow!("the daemon refused the question (HTTP status {status})")) }
}

/// The daemon's document, with nothing in it that a terminal would obey.
async fn json(client: &Client, expr: &str, when: When) -> Result<(u16, String), ClientError> {
    let mut form = vec![("query", expr.to_owned())];
    let path = match when {
        When::Range { start, end, step_ms } => {
            let step = Timestamp(step_ms).to_string();
            form.extend([("start", start.to_string()), ("end", end.to_string()), ("step", step)]);
            "/api/v1/query_range"
        }
        When::At(at) => {
            form.push(("time", at.to_string()));
            "/api/v1/query"
        }
        When::Now => "/api/v1/query",
    };
    let answer = client.post(path, &form).await?;
    Ok((answer.status, output::escaped(String::from_utf8_lossy(&answer.body).into_owned()) + "\n"))
}

/// The answer for people; remarks go to standard error.
async fn table_or_points(client: &Client, expr: &str, when: When) -> Result<(u16, String), ClientError> {
    let queried = match when {
        When::Now => client.query(expr, None).await?,
        When::At(at) => client.query(expr, Some(at)).await?,
        When::Range { start, end, step_ms } => client.query_range(expr, start, end, step_ms).await?,
    };
    for note in queried.warnings.iter().chain(&queried.infos) {
        output::complain(&Untrusted(note).to_string());
    }
    Ok((200, shown(&queried.data)))
}

/// What was typed, as moments.
fn when(args: &cli::Query, now: Timestamp) -> anyhow::Result<When> {
    if let Some(since) = &args.since {
        let back = parse_duration_ms(since).with_context(|| format!("--since {since:?}"))?;
        let step_ms = parse_duration_ms(&args.step).with_context(|| format!("--step {:?}", args.step))?;
        return Ok(When::Range { start: now.plus_ms(-back), end: now, step_ms });
    }
    match &args.time {
        Some(time) => Ok(When::At(parse_time(time).with_context(|| format!("--time {time:?}"))?)),
        None => Ok(When::Now),
    }
}

/// Adds where in the expression the mistake is, as a mark under it.
fn explain(expr: &str, error: ClientError) -> anyhow::Error {
    if let ClientError::NotRunning { .. } = error {
        return classed(Class::Unreachable, &error.into());
    }
    let ClientError::Refused { message, .. } = &error else { return error.into() };
    let Some(column) = column(message) else { return error.into() };
    if expr.contains('\n') || column > expr.chars().count() + 1 {
        return error.into();
    }
    let mark = format!("{}^", " ".repeat(column.saturating_sub(1)));
    anyhow!("{message}\n  {}\n  {mark}", Untrusted(expr))
}

/// The column of the first `1:COLUMN` in a message of the parser.
fn column(message: &str) -> Option<usize> {
    let (_, after) = message.split_once("1:")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// An answer for people: one series a line, its labels, then its value or its points.
fn shown(data: &QueryData) -> String {
    match data {
        QueryData::Scalar(point) => number(*point) + "\n",
        QueryData::String((_, text)) => format!("{}\n", Untrusted(text)),
        QueryData::Vector(series) if series.is_empty() => "no series matches\n".to_owned(),
        QueryData::Vector(series) => table(series.iter().map(|s| (name(&s.metric), number(s.value))).collect()),
        QueryData::Matrix(series) if series.is_empty() => "no series matches\n".to_owned(),
        QueryData::Matrix(series) => series.iter().map(points).collect(),
    }
}

fn table(rows: Vec<(String, String)>) -> String {
    let names = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let values = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
    rows.into_iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:names$}  {value:>values$}");
        text
    })
}

fn points(series: &MatrixSeries) -> String {
    series.values.iter().fold(format!("{}\n", name(&series.metric)), |mut text, point| {
        let _ = writeln!(text, "  {}  {}", Timestamp::from_seconds(point.0), number(*point));
        text
    })
}

/// `name{label="value",…}`, with everything hostile made visible.
fn name(metric: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = metric
        .iter()
        .filter(|(label, _)| label.as_str() != squirrel_model::NAME_LABEL)
        .map(|(label, value)| format!("{}=\"{}\"", Untrusted(label), quotable(value)))
        .collect();
    let name = metric.get(squirrel_model::NAME_LABEL).map(String::as_str).unwrap_or_default();
    format!("{}{{{}}}", Untrusted(name), labels.join(","))
}

/// A label's value as it stands between quotes in PromQL: what a terminal would obey is escaped, and the text can be
/// pasted into the next question.
fn quotable(value: &str) -> String {
    exposition::escape_value(value).chars().fold(String::new(), |mut text, c| {
        let code = u32::from(c);
        // Writing into a String cannot fail.
        let _ = match c {
            '\t' => write!(text, "\\t"),
            '\r' => write!(text, "\\r"),
            c if !is_hostile(c) => write!(text, "{c}"),
            _ if code < 0x80 => write!(text, "\\x{code:02x}"),
            _ if code < 0x1_0000 => write!(text, "\\u{code:04x}"),
            _ => write!(text, "\\U{code:08x}"),
        };
        text
    })
}

fn number(point: Point) -> String {
    let mut text = String::new();
    exposition::write_value(&mut text, point.1);
    text
}

#[cfg(test)]
mod tests {
    use squirrel_api::reply::VectorSeries;

    use super::*;

    #[test]
    fn a_vector_is_a_table_and_hostile_labels_stay_on_their_line() {
        let metric = |device: &str| {
            BTreeMap::from([("__name__".to_owned(), "up".to_owned()), ("device".to_owned(), device.to_owned())])
        };
        let data = QueryData::Vector(vec![
            VectorSeries { metric: metric("eth0"), value: Point(1.0, 10.0) },
            VectorSeries { metric: metric("\x1b[2J\n"), value: Point(1.0, 0.5) },
        ]);
        assert_eq!(shown(&data), "up{device=\"eth0\"}        10\nup{device=\"\\x1b[2J\\n\"}  0.5\n");
    }

    #[test]
    fn a_value_can_be_pasted_into_a_question() {
        for value in ["eth0", "a\"b\\c", "\u{1b}[2J\n\t\r\u{7f}", "\u{9b}31m\u{202e}x", "gr\u{fc}n \u{e0041}"] {
            let shown = quotable(value);
            assert!(!shown.chars().any(is_hostile), "{shown:?}");
            let expr = format!("up{{device=\"{shown}\"}}");
            let matchers = squirrel_promql::parse_selector(&expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
            assert!(matchers.iter().any(|matcher| matcher.name() == "device" && matcher.value() == value), "{expr}");
        }
    }

    #[test]
    fn an_empty_answer_says_so() {
        assert_eq!(shown(&QueryData::Vector(Vec::new())), "no series matches\n");
    }

    #[test]
    fn the_place_of_a_mistake_is_marked() {
        let refused = ClientError::Refused {
            status: 400,
            kind: "bad_data".into(),
            message: "1:4: parse error: unclosed parenthesis".into(),
        };
        let said = explain("sum(", refused).to_string();
        assert!(said.ends_with("\n  sum(\n     ^"), "{said}");
    }
}
