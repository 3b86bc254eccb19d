//! The tables `[[notify.KIND]]` as they stand in the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::values::{CommandLine, Rate, SecretText, Span, TemplateText};

/// The keys that every kind of channel knows. (serde cannot refuse unknown keys of a flattened table, so they are
/// written into each.)
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    pub(crate) name: String,
    pub(crate) resolved: bool,
    pub(crate) fallback: Option<String>,
    pub(crate) rate: Option<Rate>,
    pub(crate) give_up_after: Option<Span>,
    pub(crate) title: Option<TemplateText>,
    pub(crate) template: Option<TemplateText>,
}

fn yes() -> bool {
    true
}

macro_rules! table {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The channel's name, by which routes and commands speak of it; each is there once.
            pub name: String,
            /// Whether it is told when all is over; it is, unless this is false.
            #[serde(default = "yes")]
            pub resolved: bool,
            /// The channel that is told when this one does not take its messages.
            pub fallback: Option<String>,
            /// How many messages it is sent in what time.
            pub rate: Option<Rate>,
            /// How old a message becomes before it is no longer tried.
            pub give_up_after: Option<Span>,
            /// The title's template.
            pub title: Option<TemplateText>,
            /// The text's template.
            pub template: Option<TemplateText>,
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl $name {
            pub(crate) fn common(&self) -> Common {
                Common {
                    name: self.name.clone(),
                    resolved: self.resolved,
                    fallback: self.fallback.clone(),
                    rate: self.rate,
                    give_up_after: self.give_up_after,
                    title: self.title.clone(),
                    template: self.template.clone(),
                }
            }
        }
    };
}

table! {
    /// `[[notify.webhook]]`: Alertmanager's version 4 body, or one of your own, to any address.
    WebhookTable {
        /// Where to.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
        /// Headers that are sent along, such as an `Authorization`.
        #[serde(default)]
        headers: BTreeMap<String, SecretText>,
        /// The key of the signature `X-Squirrel-Signature`.
        secret: Option<SecretText>,
        /// The file that holds it.
        secret_file: Option<PathBuf>,
        /// A body of your own in place of Alertmanager's: its texts are templates, all else stays as it is.
        body: Option<serde_json::Value>,
        /// PEM file of further roots to trust.
        ca_file: Option<PathBuf>,
        /// Only addresses of the Internet are connected to.
        #[serde(default)]
        public_only: bool,
    }
}

table! {
    /// `[[notify.email]]`: mail by SMTP.
    EmailTable {
        /// The mail server's name.
        host: String,
        /// Its port; 465 with `tls = "implicit"`, 587 with `starttls`, 25 with `none`.
        port: Option<u16>,
        /// `starttls` (the default), `implicit`, or `none`.
        #[serde(default)]
        tls: MailTls,
        /// PEM file of further roots to trust.
        ca_file: Option<PathBuf>,
        /// Who logs in there.
        username: Option<String>,
        /// With what password.
        password: Option<SecretText>,
        /// The file that holds it.
        password_file: Option<PathBuf>,
        /// Whom mails are from: `Squirrel <squirrel@example.org>`.
        from: String,
        /// Whom they go to.
        to: Vec<String>,
        /// The name said in greeting the server.
        hello: Option<String>,
    }
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In the clear until TLS is agreed on, and not a word further without (RFC 3207).
    #[default]
    Starttls,
    /// TLS from the first octet (RFC 8314).
    Implicit,
    /// In the clear: for a server on this machine.
    None,
}

table! {
    /// `[[notify.slack]]`: an incoming webhook of Slack, or of what speaks its language.
    SlackTable {
        /// The webhook, which is itself a secret.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
    }
}

table! {
    /// `[[notify.teams]]`: a workflow of Microsoft Teams that begins "when a webhook request is received".
    TeamsTable {
        /// The workflow's address, which is itself a secret.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
    }
}

table! {
    /// `[[notify.discord]]`: a webhook of Discord.
    DiscordTable {
        /// The webhook, which is itself a secret.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
    }
}

table! {
    /// `[[notify.telegram]]`: a bot of Telegram.
    TelegramTable {
        /// The bot's token.
        token: Option<SecretText>,
        /// The file that holds it.
        token_file: Option<PathBuf>,
        /// The number of the chat, or its `@name`.
        chat_id: String,
        /// The thread within a forum.
        thread_id: Option<i64>,
        /// The API, where it is not Telegram's own.
        api_url: Option<String>,
    }
}

table! {
    /// `[[notify.ntfy]]`: a topic of ntfy.
    NtfyTable {
        /// The server and the topic: `https://ntfy.sh/my-topic`.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
        /// An access token.
        token: Option<SecretText>,
        /// The file that holds it.
        token_file: Option<PathBuf>,
    }
}

table! {
    /// `[[notify.pagerduty]]`: a service of PagerDuty, by its Events API v2.
    PagerdutyTable {
        /// The integration key.
        routing_key: Option<SecretText>,
        /// The file that holds it.
        routing_key_file: Option<PathBuf>,
        /// The API, where it is not PagerDuty's own.
        url: Option<String>,
    }
}

table! {
    /// `[[notify.alertmanager]]`: an Alertmanager, by its API v2.
    AlertmanagerTable {
        /// Its address: `http://127.0.0.1:9093`.
        url: Option<SecretText>,
        /// The file that holds it.
        url_file: Option<PathBuf>,
        /// Headers that are sent along, such as an `Authorization`.
        #[serde(default)]
        headers: BTreeMap<String, SecretText>,
        /// PEM file of further roots to trust.
        ca_file: Option<PathBuf>,
        /// How often it is told again that an alert still fires; 1m.
        resend: Option<Span>,
    }
}

table! {
    /// `[[notify.log]]`: one line in Squirrel's own log.
    LogTable {}
}

table! {
    /// `[[notify.journal]]`: an entry with fields in systemd's journal.
    JournalTable {
        /// The journal's socket, where it is another than systemd's.
        socket: Option<PathBuf>,
    }
}

table! {
    /// `[[notify.command]]`: a program of yours that acts on alerts.
    CommandTable {
        /// The program and its arguments.
        command: CommandLine,
        /// `dry-run` (the default): what would run is written down; `run`: it runs.
        #[serde(default)]
        mode: Mode,
        /// After this time it is killed, with all that it started; 30s.
        timeout: Option<Span>,
        /// How many runs in one hour; 20.
        most_per_hour: Option<u32>,
        /// What takes its effect back, when the alert is over or `undo_after` has passed.
        undo: Option<CommandLine>,
        /// How long the effect lasts at most; 1h.
        undo_after: Option<Span>,
        /// Names, addresses and networks that are never acted upon, beside this host's own.
        #[serde(default)]
        protect: Vec<String>,
    }
}

/// Whether a command runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What would run is written down.
    #[default]
    DryRun,
    /// It runs.
    Run,
}

/// All tables below `[notify]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyTables {
    /// `[[notify.webhook]]`.
    pub webhook: Vec<WebhookTable>,
    /// `[[notify.email]]`.
    pub email: Vec<EmailTable>,
    /// `[[notify.slack]]`.
    pub slack: Vec<SlackTable>,
    /// `[[notify.teams]]`.
    pub teams: Vec<TeamsTable>,
    /// `[[notify.discord]]`.
    pub discord: Vec<DiscordTable>,
    /// `[[notify.telegram]]`.
    pub telegram: Vec<TelegramTable>,
    /// `[[notify.ntfy]]`.
    pub ntfy: Vec<NtfyTable>,
    /// `[[notify.pagerduty]]`.
    pub pagerduty: Vec<PagerdutyTable>,
    /// `[[notify.alertmanager]]`.
    pub alertmanager: Vec<AlertmanagerTable>,
    /// `[[notify.log]]`.
    pub log: Vec<LogTable>,
    /// `[[notify.journal]]`.
    pub journal: Vec<JournalTable>,
    /// `[[notify.command]]`.
    pub command: Vec<CommandTable>,
}
