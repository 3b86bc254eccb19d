//! From a [`Notification`] to what a channel is sent: pure functions, one file for each language.
//!
//! Every label and annotation may have been chosen by a stranger. [`words`] makes texts for people harmless first:
//! control characters, bidirectional and invisible ones are written out, and lengths are cut. Each language then
//! escapes what its readers would obey: tags, markup, mentions, links. Machines get the values as they are, in JSON.

mod alertmanager;
mod discord;
mod escape;
mod facts;
mod journal;
mod log;
mod mail;
mod ntfy;
mod own_body;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
mod template;
mod webhook;
mod words;

pub(crate) use alertmanager::alertmanager_body;
pub(crate) use discord::discord_body;
pub(crate) use escape::{hex, one_line};
pub(crate) use journal::journal_entry;
pub(crate) use log::log_line;
pub(crate) use mail::{CHART_ID, MailParts, mail_parts};
pub(crate) use ntfy::ntfy_body;
pub(crate) use own_body::OwnBody;
pub(crate) use pagerduty::pagerduty_body;
pub(crate) use slack::slack_body;
pub(crate) use teams::teams_body;
pub(crate) use telegram::telegram_body;
pub use template::template_help;
pub(crate) use webhook::{alert_value, rfc3339, webhook_value};
pub(crate) use words::{Circumstances, Words, words};

#[cfg(doc)]
use squirrel_notify::Notification;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
