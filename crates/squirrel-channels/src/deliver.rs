//! One message to one receiver: what it is sent, and what its answer means.

mod http;
mod journal;
mod mail;

use std::time::Duration;

use squirrel_outbound::Client;

pub(crate) use http::{Body, Http};
pub(crate) use journal::Journal;
pub(crate) use mail::{Mail, roots};

use crate::queue::{Outcome, Work};
use crate::render::{log_line, words};
use crate::response::ResponseSettings;
use crate::settings::Channel;

/// What a channel is, and where.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Http(Box<Http>),
    Mail(Box<Mail>),
    Log,
    Journal(Journal),
    Command(Box<ResponseSettings>),
}

impl Kind {
    /// As its table is called.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Http(http) => http.body.word(),
            Self::Mail(_) => "email",
            Self::Log => "log",
            Self::Journal(_) => "journal",
            Self::Command(_) => "command",
        }
    }

    /// Whether it is a program that acts or keeps a record, and so must know each state.
    pub(crate) fn is_machine(&self) -> bool {
        match self {
            Self::Http(http) => http.body.is_machine(),
            Self::Mail(_) => false,
            Self::Log | Self::Journal(_) | Self::Command(_) => true,
        }
    }

    /// How often it wants to hear that something still fires.
    pub(crate) fn resend(&self) -> Option<Duration> {
        match self {
            Self::Http(http) => match http.body {
                Body::Alertmanager { resend } => Some(resend),
                _ => None,
            },
            _ => None,
        }
    }

    /// Deliveries under way at once: chats want one after the other, and a command sees one alert at a time.
    pub(crate) fn at_once(&self) -> usize {
        match self {
            Self::Http(http) if http.body.is_machine() => 4,
            Self::Mail(_) => 2,
            _ => 1,
        }
    }
}

/// Delivers one message. Commands are not delivered here: see [`crate::response`].
pub(crate) async fn deliver(channel: &Channel, client: &Client, work: &Work) -> Outcome {
    let notification = &*work.notification;
    let words = words(notification, channel.title.as_ref(), channel.template.as_ref(), &work.circumstances);
    match &channel.kind {
        Kind::Http(http) => http.deliver(client, notification, &words, &work.circumstances).await,
        Kind::Mail(mail) => mail.deliver(notification, &words).await,
        Kind::Journal(journal) => journal.deliver(notification, &words).await,
        Kind::Log => {
            tracing::warn!(target: "squirrel::alerts", "{}", log_line(notification, &words));
            Outcome::Delivered { answer: "written".to_owned() }
        }
        Kind::Command(_) => Outcome::Refused { answer: "a command is no receiver of texts".to_owned() },
    }
}
