//! One table to one channel: what its keys mean together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use squirrel_outbound::{AddressRules, Destination, Secret, TlsOptions};

use super::tables::{
    AlertmanagerTable, CommandTable, DiscordTable, EmailTable, JournalTable, LogTable, MailTls, NtfyTable,
    PagerdutyTable, SlackTable, TeamsTable, TelegramTable, WebhookTable,
};
use super::values::SecretText;
use crate::deliver::{Body, Http, Journal, Kind, Mail, roots};
use crate::render::OwnBody;
use crate::response::{Protected, ResponseSettings};

/// How long one delivery may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);
const TELEGRAM: &str = "https://api.telegram.org";
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// The secret that stands in the table, or in the file that the table names.
fn optional(key: &str, value: Option<&SecretText>, file: Option<&PathBuf>) -> Result<Option<Secret>, String> {
    match (value, file) {
        (Some(_), Some(_)) => Err(format!("{key} and {key}_file are both there: one is enough")),
        (Some(value), None) => Ok(Some(value.0.clone())),
        (None, Some(path)) => Secret::from_file(path).map(Some).map_err(|error| error.to_string()),
        (None, None) => Ok(None),
    }
}

fn needed(key: &str, value: Option<&SecretText>, file: Option<&PathBuf>) -> Result<Secret, String> {
    optional(key, value, file)?.ok_or_else(|| format!("{key} is missing: write {key} = \"…\" or {key}_file = \"/…\""))
}

fn destination(url: &str) -> Result<Destination, String> {
    Ok(Destination::parse(url).map_err(|error| format!("url: {error}"))?.with_timeout(TIMEOUT))
}

fn with_headers(mut destination: Destination, headers: &BTreeMap<String, SecretText>) -> Result<Destination, String> {
    for (name, value) in headers {
        destination = destination.with_header(name, &value.0).map_err(|error| format!("header {name:?}: {error}"))?;
    }
    Ok(destination)
}

fn with_roots(destination: Destination, file: Option<&Path>) -> Result<Destination, String> {
    let Some(file) = file else { return Ok(destination) };
    let options = TlsOptions::new().with_roots_file(file).map_err(|error| format!("ca_file: {error}"))?;
    Ok(destination.with_tls(options))
}

fn posted(url: &Secret, body: Body) -> Result<Kind, String> {
    Ok(Kind::Http(Box::new(Http { to: destination(url.expose())?, body, signature: None })))
}

pub(super) fn webhook(table: &WebhookTable) -> Result<Kind, String> {
    let url = needed("url", table.url.as_ref(), table.url_file.as_ref())?;
    let mut to = with_roots(with_headers(destination(url.expose())?, &table.headers)?, table.ca_file.as_deref())?;
    if table.public_only {
        to = to.with_rules(AddressRules::public());
    }
    let body = match &table.body {
        Some(_) if table.template.is_some() || table.title.is_some() => {
            return Err("title and template do nothing beside body: use {{ .Title }} and {{ .Text }} in it".to_owned());
        }
        Some(value) => Body::Own(OwnBody::read(value)?),
        None => Body::Webhook,
    };
    let signature = optional("secret", table.secret.as_ref(), table.secret_file.as_ref())?;
    Ok(Kind::Http(Box::new(Http { to, body, signature })))
}

pub(super) fn email(table: &EmailTable) -> Result<Kind, String> {
    let password = optional("password", table.password.as_ref(), table.password_file.as_ref())?;
    let login = match (&table.username, password) {
        (Some(name), Some(password)) => Some((name.clone(), password)),
        (None, None) => None,
        (Some(_), None) => return Err("username has no password: write password_file = \"/…\"".to_owned()),
        (None, Some(_)) => return Err("password has no username".to_owned()),
    };
    if login.is_some() && table.tls == MailTls::None && !is_loopback(&table.host) {
        return Err("the password would go in the clear: use tls = \"starttls\" or \"implicit\"".to_owned());
    }
    let mailbox = |text: &str| text.parse().map_err(|error| format!("{text:?} is no mail address: {error}"));
    if table.to.is_empty() {
        return Err("to is empty: write to = [\"you@example.org\"]".to_owned());
    }
    Ok(Kind::Mail(Box::new(Mail {
        host: table.host.clone(),
        port: table.port.unwrap_or(match table.tls {
            MailTls::Implicit => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        }),
        tls: table.tls,
        roots: table.ca_file.as_deref().map(roots).transpose()?.unwrap_or_default(),
        login,
        from: mailbox(&table.from)?,
        to: table.to.iter().map(|text| mailbox(text)).collect::<Result<_, _>>()?,
        hello: table.hello.clone(),
    })))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn slack(table: &SlackTable) -> Result<Kind, String> {
    posted(&needed("url", table.url.as_ref(), table.url_file.as_ref())?, Body::Slack)
}

pub(super) fn teams(table: &TeamsTable) -> Result<Kind, String> {
    posted(&needed("url", table.url.as_ref(), table.url_file.as_ref())?, Body::Teams)
}

pub(super) fn discord(table: &DiscordTable) -> Result<Kind, String> {
    posted(&needed("url", table.url.as_ref(), table.url_file.as_ref())?, Body::Discord)
}

pub(super) fn telegram(table: &TelegramTable) -> Result<Kind, String> {
    let token = needed("token", table.token.as_ref(), table.token_file.as_ref())?;
    // It becomes a part of the path.
    if !token.expose().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_')) {
        return Err("the token has letters, digits, ':', '-' and '_' only".to_owned());
    }
    let api = table.api_url.as_deref().unwrap_or(TELEGRAM).trim_end_matches('/');
    let url = Secret::new(format!("{api}/bot{}/sendMessage", token.expose()));
    posted(&url, Body::Telegram { chat_id: table.chat_id.clone(), thread_id: table.thread_id })
}

pub(super) fn ntfy(table: &NtfyTable) -> Result<Kind, String> {
    let url = needed("url", table.url.as_ref(), table.url_file.as_ref())?;
    let wrong = || "url is a server and a topic, such as \"https://ntfy.sh/my-topic\"".to_owned();
    let (server, topic) = url.expose().rsplit_once('/').ok_or_else(wrong)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if topic.is_empty() || topic.len() > 64 || !topic.chars().all(fits) || server.ends_with('/') {
        return Err(wrong());
    }
    let mut to = destination(&format!("{server}/"))?;
    if let Some(token) = optional("token", table.token.as_ref(), table.token_file.as_ref())? {
        to = to.with_bearer(&token).map_err(|error| format!("token: {error}"))?;
    }
    Ok(Kind::Http(Box::new(Http { to, body: Body::Ntfy { topic: Secret::new(topic) }, signature: None })))
}

pub(super) fn pagerduty(table: &PagerdutyTable) -> Result<Kind, String> {
    let routing_key = needed("routing_key", table.routing_key.as_ref(), table.routing_key_file.as_ref())?;
    let to = destination(table.url.as_deref().unwrap_or(PAGERDUTY))?;
    Ok(Kind::Http(Box::new(Http { to, body: Body::Pagerduty { routing_key }, signature: None })))
}

pub(super) fn alertmanager(table: &AlertmanagerTable) -> Result<Kind, String> {
    let url = needed("url", table.url.as_ref(), table.url_file.as_ref())?;
    let to = destination(&format!("{}/api/v2/alerts", url.expose().trim_end_matches('/')))?;
    let to = with_roots(with_headers(to, &table.headers)?, table.ca_file.as_deref())?;
    if table.title.is_some() || table.template.is_some() {
        return Err("title and template do nothing here: Alertmanager has its own".to_owned());
    }
    let resend = table.resend.map_or(Duration::from_mins(1), |span| span.0);
    if resend < Duration::from_secs(1) {
        return Err("resend is 1s or more".to_owned());
    }
    Ok(Kind::Http(Box::new(Http { to, body: Body::Alertmanager { resend }, signature: None })))
}

#[expect(clippy::unnecessary_wraps, reason = "one of a table of functions")]
pub(super) fn log(_table: &LogTable) -> Result<Kind, String> {
    Ok(Kind::Log)
}

#[expect(clippy::unnecessary_wraps, reason = "one of a table of functions")]
pub(super) fn journal(table: &JournalTable) -> Result<Kind, String> {
    let socket = table.socket.clone().unwrap_or_else(|| "/run/systemd/journal/socket".into());
    Ok(Kind::Journal(Journal { socket }))
}

pub(super) fn command(table: &CommandTable) -> Result<Kind, String> {
    if table.fallback.is_some() || table.title.is_some() || table.template.is_some() {
        return Err("fallback, title and template do nothing for a command: it reads JSON".to_owned());
    }
    let span = |span: Option<super::Span>, usual: u64, least: u64, most: u64, key: &str| {
        let span = span.map_or(Duration::from_secs(usual), |span| span.0);
        if (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&span) {
            Ok(span)
        } else {
            Err(format!("{key} is {} to {}", text_of(least), text_of(most)))
        }
    };
    if table.undo.is_none() && table.undo_after.is_some() {
        return Err("undo_after needs undo: the command that takes the effect back".to_owned());
    }
    Ok(Kind::Command(Box::new(ResponseSettings {
        command: table.command.clone(),
        mode: table.mode,
        timeout: span(table.timeout, 30, 1, 600, "timeout")?,
        most_per_hour: table.most_per_hour.unwrap_or(20).clamp(1, 1000),
        undo: table.undo.clone(),
        undo_after: span(table.undo_after, 3600, 1, 30 * 86_400, "undo_after")?,
        protected: Protected::read(&table.protect)?,
    })))
}

fn text_of(seconds: u64) -> String {
    squirrel_model::duration_text(seconds as i64 * 1000)
}
