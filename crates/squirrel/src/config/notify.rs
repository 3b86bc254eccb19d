//! Who is told of alerts, and how: `[[notify.*]]`, `[[route]]` and the tables beside them.

use std::mem::take;

use anyhow::Context as _;
use squirrel_channels::{Channel, NotifyTables};
use squirrel_notify::Settings;

use super::file;

/// The tables as they were written.
#[derive(Clone, Debug)]
pub(crate) struct Notify {
    tables: NotifyTables,
    /// Everything between an alert and the people who hear of it.
    pub(crate) settings: Settings,
}

impl Notify {
    /// Takes its tables out of the file.
    pub(super) fn resolve(file: &mut file::File) -> Self {
        let settings = Settings {
            grouping: take(&mut file.grouping),
            routes: take(&mut file.route),
            inhibit: take(&mut file.inhibit),
            dependencies: take(&mut file.dependency),
            maintenance: take(&mut file.maintenance),
            quiet_hours: file.quiet_hours.take(),
            escalations: take(&mut file.escalation),
            flapping: take(&mut file.flapping),
            external_url: file.alerts.external_url.clone().unwrap_or_default(),
        };
        Self { tables: take(&mut file.notify), settings }
    }

    /// The channels, for which their secrets are read. Routes are compared with them.
    ///
    /// # Errors
    /// What is wrong with a table, and what to write.
    pub(crate) fn channels(&self) -> anyhow::Result<Vec<Channel>> {
        let channels = self.tables.channels()?;
        let names: Vec<String> = channels.iter().map(|channel| channel.name().to_owned()).collect();
        self.settings.check(&names).context("who is told of alerts")?;
        Ok(channels)
    }
}
