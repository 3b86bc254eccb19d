//! From the tables of the configuration to channels: secrets are read, addresses checked, names compared.
//!
//! Addresses that stand in the daemon's own file are trusted as far as its writer is: loopback and private networks
//! are allowed, since receivers run there. Those where clouds give credentials, groups and "no address" are refused,
//! names are resolved once and only a checked address is connected to, and a redirect is an answer like any other
//! ([`squirrel_outbound::AddressRules`]). With `public_only = true` a webhook goes to the Internet alone. There is no
//! other way to name a target: the API cannot.

mod build;
mod tables;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use squirrel_alert::Template;

pub use tables::{
    AlertmanagerTable, CommandTable, DiscordTable, EmailTable, JournalTable, LogTable, MailTls, Mode, NotifyTables,
    NtfyTable, PagerdutyTable, SlackTable, TeamsTable, TelegramTable, WebhookTable,
};
pub use values::{CommandLine, DEFAULT_RATE, RESENT_RATE, Rate, SecretText, Span, TemplateText};

use crate::deliver::Kind;
use tables::Common;

/// Most channels: each may have a few deliveries under way at once.
pub const MAX_CHANNELS: usize = 64;
/// How long a message is tried that no table says otherwise of.
pub const DEFAULT_GIVE_UP: Duration = Duration::from_hours(24);

/// A channel that can be delivered to.
#[derive(Clone, Debug)]
pub struct Channel {
    /// How its messages are queued.
    pub policy: Policy,
    /// The title in place of the usual one.
    pub(crate) title: Option<Template>,
    /// The text in place of the usual one.
    pub(crate) template: Option<Template>,
    /// What it is, and where.
    pub(crate) kind: Kind,
}

/// How the messages of a channel are queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The channel's name.
    pub name: String,
    /// Whether it is told when all is over.
    pub resolved: bool,
    /// Whether a receiver that missed the beginning is told of it although it is over: machines are, people hear once.
    pub each_state: bool,
    /// The channel that is told when this one does not take its messages.
    pub fallback: Option<String>,
    /// How many attempts in what time.
    pub rate: Rate,
    /// How old a message becomes before it is given up.
    pub give_up_after: Duration,
    /// How often a receiver is told again that a group still fires, where its protocol wants that.
    pub resend: Option<Duration>,
    /// Deliveries under way at once.
    pub at_once: usize,
}

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
#[error("[[notify.{kind}]] {name:?}: {message}")]
pub struct SettingsError {
    /// The kind of channel.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl NotifyTables {
    /// The channels of all tables, sorted by name.
    ///
    /// # Errors
    /// The first thing that is wrong: a secret that is missing, there twice, or whose file cannot be read; an address
    /// that is none; a name that is empty or there twice; a fallback that does not exist or leads in a circle.
    pub fn channels(&self) -> Result<Vec<Channel>, SettingsError> {
        let mut channels = Vec::new();
        macro_rules! add {
            ($($field:ident)*) => {$(
                for table in &self.$field {
                    let common = table.common();
                    let failed = |message| SettingsError { kind: stringify!($field), name: common.name.clone(), message };
                    check_name(&common.name).map_err(failed)?;
                    let kind = build::$field(table).map_err(failed)?;
                    channels.push((stringify!($field), Channel::new(common, kind)));
                }
            )*};
        }
        add!(webhook email slack teams discord telegram ntfy pagerduty alertmanager log journal command);
        check_together(&channels)?;
        let mut channels: Vec<Channel> = channels.into_iter().map(|(_, channel)| channel).collect();
        channels.sort_by(|a, b| a.policy.name.cmp(&b.policy.name));
        Ok(channels)
    }
}

impl Channel {
    fn new(common: Common, kind: Kind) -> Self {
        let policy = Policy {
            name: common.name,
            resolved: common.resolved,
            each_state: kind.is_machine(),
            fallback: common.fallback,
            rate: common.rate.unwrap_or(if kind.resend().is_some() { RESENT_RATE } else { DEFAULT_RATE }),
            give_up_after: common.give_up_after.map_or(DEFAULT_GIVE_UP, |span| span.0),
            resend: kind.resend(),
            at_once: kind.at_once(),
        };
        Self {
            policy,
            title: common.title.map(|template| template.0),
            template: common.template.map(|template| template.0),
            kind,
        }
    }

    /// The channel's name.
    pub fn name(&self) -> &str {
        &self.policy.name
    }

    /// What kind of channel it is, as its table is called.
    pub fn kind(&self) -> &'static str {
        self.kind.word()
    }

    /// Scheme, host and port that it posts to, without the path, which may be a secret; none where it does not post.
    pub fn address(&self) -> Option<String> {
        match &self.kind {
            Kind::Http(http) => Some(http.to.to_string()),
            Kind::Mail(_) | Kind::Log | Kind::Journal(_) | Kind::Command(_) => None,
        }
    }
}

/// Names stand in routes, commands, logs and metrics.
fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err("a name has 1 to 64 letters, digits, '-', '_' or '.'".to_owned());
    }
    Ok(())
}

fn check_together(channels: &[(&'static str, Channel)]) -> Result<(), SettingsError> {
    let failed = |(kind, channel): &(&'static str, Channel), message: String| {
        Err(SettingsError { kind, name: channel.name().to_owned(), message })
    };
    let mut names = BTreeSet::new();
    for entry in channels {
        if !names.insert(entry.1.name()) {
            return failed(entry, "another channel has this name: each needs one of its own".to_owned());
        }
    }
    if let Some(entry) = channels.get(MAX_CHANNELS) {
        return failed(entry, format!("more than {MAX_CHANNELS} channels are refused"));
    }
    let fallbacks: BTreeMap<&str, &str> =
        channels.iter().filter_map(|(_, c)| Some((c.name(), c.policy.fallback.as_deref()?))).collect();
    for entry in channels {
        let mut seen = BTreeSet::from([entry.1.name()]);
        let mut at = entry.1.name();
        while let Some(next) = fallbacks.get(at) {
            if !names.contains(next) {
                return failed(entry, format!("its fallback {next:?} is no channel"));
            }
            if !seen.insert(next) {
                return failed(entry, format!("its fallback leads back to {next:?}: a circle helps nobody"));
            }
            at = next;
        }
        let is_command = |name: &str| channels.iter().any(|(kind, c)| *kind == "command" && c.name() == name);
        if entry.1.policy.fallback.as_deref().is_some_and(is_command) {
            return failed(entry, "its fallback is a command: a command acts on alerts and tells nobody".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
