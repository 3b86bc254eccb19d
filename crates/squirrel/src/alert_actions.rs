//! `squirrel silence`, `squirrel ack`, `squirrel notify`: what people do about alerts. The daemon is asked, with the token
//! of its data directory.

mod args;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use squirrel_api::alerts::{
    AcknowledgeRequest, ActionDone, AlertsPage, ExpireRequest, ShownSilence, SilenceRequest, TestRequest,
};
use squirrel_api::client::Client;
use squirrel_api::params::{parse_duration_ms, parse_time};
use squirrel_api::rules::moment;
use squirrel_model::{Timestamp, Untrusted};
use squirrel_sys::clock;

pub(crate) use args::{ACK_EXAMPLES, Ack, NOTIFY_EXAMPLES, NotifyCommand, SILENCE_EXAMPLES, SilenceCommand};
use args::{Add, Daemon, Expire, List, Note, Term, Test};

use crate::config::{Environment, Flags};
use crate::failure::{Class, classed};
use crate::interrupts::runtime;
use crate::live_client::{client, explained};
use crate::table::{Column, lines};
use crate::{output, token};

const SILENCES: &[Column] = &[
    Column::left("ID", 0),
    Column::left("STATE", 0),
    Column::left("UNTIL", 0),
    Column::right("TAKES"),
    Column::left("AUTHOR", 6),
    Column::left("CONDITIONS", 16),
    Column::left("COMMENT", 10),
];

/// `squirrel silence …`
pub(crate) fn silence(command: &SilenceCommand, environment: &Environment) -> anyhow::Result<()> {
    match command {
        SilenceCommand::Add(args) => add(args, environment),
        SilenceCommand::List(args) => list(args),
        SilenceCommand::Expire(args) => expire(args, environment),
    }
}

/// `squirrel notify …`
pub(crate) fn notify(command: &NotifyCommand, environment: &Environment) -> anyhow::Result<()> {
    match command {
        NotifyCommand::Test(args) => test(args, environment),
    }
}

fn usage(error: &anyhow::Error) -> anyhow::Error {
    classed(Class::Usage, error)
}

/// A moment from now on: a span, or a time.
fn until(term: &Term, now: Timestamp) -> anyhow::Result<Option<f64>> {
    match (&term.span, &term.until) {
        (Some(span), _) => {
            let ms = parse_duration_ms(span).with_context(|| format!("--for {span:?}"))?;
            Ok(Some(now.plus_ms(ms).seconds()))
        }
        (None, Some(time)) => Ok(Some(parse_time(time).with_context(|| format!("--until {time:?}"))?.seconds())),
        (None, None) => Ok(None),
    }
}

/// Whoever is logged in, unless another name is given.
fn author(note: &Note, environment: &Environment) -> anyhow::Result<String> {
    let name = note.author.clone().or_else(|| environment.user.clone());
    name.filter(|name| !name.is_empty()).context("say who you are: --author NAME")
}

fn add(args: &Add, environment: &Environment) -> anyhow::Result<()> {
    let now = clock::wall();
    let request = (|| {
        let ends_at = until(&args.term, now)?;
        Ok(SilenceRequest {
            matchers: args.conditions.clone(),
            starts_at: None,
            ends_at: ends_at.context("say how long: --for 2h, or --until TIME")?,
            author: author(&args.note, environment)?,
            comment: args.note.comment.clone().unwrap_or_default(),
            replaces: None,
        })
    })();
    let done = post(&args.daemon, environment, "/api/silences", &request.map_err(|error| usage(&error))?)?;
    if args.daemon.json {
        return output::print_json(&done);
    }
    Ok(output::print(&format!("{}\n", Untrusted(&done.id.unwrap_or_default())))?)
}

fn expire(args: &Expire, environment: &Environment) -> anyhow::Result<()> {
    let done = post(&args.daemon, environment, "/api/silences/expire", &ExpireRequest { id: args.id.clone() })?;
    if args.daemon.json { output::print_json(&done) } else { Ok(output::print("expired\n")?) }
}

#[derive(Debug, Serialize)]
struct Silences {
    schema: u32,
    silences: Vec<ShownSilence>,
}

fn list(args: &List) -> anyhow::Result<()> {
    let page: AlertsPage = ask(&args.server)?;
    let all = page.silences.into_iter();
    let silences: Vec<ShownSilence> = all.filter(|one| args.expired || one.state != "expired").collect();
    if args.json {
        return output::print_json(&Silences { schema: 1, silences });
    }
    if silences.is_empty() {
        return Ok(output::print("no alert is silenced\n")?);
    }
    let rows: Vec<Vec<String>> = silences
        .iter()
        .map(|one| {
            vec![
                one.id.clone(),
                one.state.clone(),
                moment(Some(Timestamp::from_seconds(one.ends_at))),
                one.takes.to_string(),
                one.author.clone(),
                one.matchers.join(" "),
                one.comment.clone(),
            ]
        })
        .collect();
    let width = squirrel_sys::terminal::size().map(|(_, columns)| columns);
    Ok(output::print_lines(&lines(SILENCES, &rows, width, true))?)
}

/// `squirrel ack`
pub(crate) fn ack(args: &Ack, environment: &Environment) -> anyhow::Result<()> {
    let now = clock::wall();
    let request = (|| {
        let number = |text: &String| text.len() == 16 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        let (fingerprint, matchers) = match &args.alerts[..] {
            [one] if number(one) => (Some(one.clone()), Vec::new()),
            conditions => (None, conditions.to_vec()),
        };
        Ok(AcknowledgeRequest {
            fingerprint,
            matchers,
            who: author(&args.note, environment)?,
            comment: args.note.comment.clone().unwrap_or_default(),
            until: until(&args.term, now)?,
        })
    })();
    let path = if args.undo { "/api/alerts/unacknowledge" } else { "/api/alerts/acknowledge" };
    let done = post(&args.daemon, environment, path, &request.map_err(|error| usage(&error))?)?;
    if args.daemon.json {
        return output::print_json(&done);
    }
    let count = done.alerts.unwrap_or_default();
    let word = if count == 1 { "alert" } else { "alerts" };
    let what = if args.undo { "no longer acknowledged" } else { "acknowledged" };
    Ok(output::print(&format!("{count} {word} {what}\n"))?)
}

fn test(args: &Test, environment: &Environment) -> anyhow::Result<()> {
    let done = post(&args.daemon, environment, "/api/notify/test", &TestRequest { channel: args.channel.clone() })?;
    let Some(delivery) = &done.delivery else { bail!("the daemon does not say what became of the message") };
    let (delivered, answer) = (delivery.state == "delivered", delivery.answer.clone().unwrap_or_default());
    if args.daemon.json {
        output::print_json(&done)?;
    } else if delivered {
        output::print(&format!("delivered: {}\n", Untrusted(&answer)))?;
    }
    if delivered { Ok(()) } else { Err(anyhow!("channel {:?} did not take the message: {answer}", args.channel)) }
}

/// Everything about alerts, of the daemon.
pub(crate) fn ask(server: &str) -> anyhow::Result<AlertsPage> {
    runtime()?.block_on(ask_with(&client(server)))
}

/// The same within a runtime.
pub(crate) async fn ask_with(client: &Client) -> anyhow::Result<AlertsPage> {
    client.resource("/api/alerts").await.map_err(explained)
}

/// Tells the daemon to do something.
fn post<T: Serialize>(daemon: &Daemon, environment: &Environment, path: &str, body: &T) -> anyhow::Result<ActionDone> {
    let flags = Flags { config: daemon.source.config.clone(), data_dir: daemon.data_dir.clone(), ..Flags::default() };
    let token = token::for_command(&flags, environment)?;
    let text = serde_json::to_string(body)?;
    runtime()?.block_on(client(&daemon.server).post_json(path, text, &token)).map_err(explained)
}
