//! Who is told of alerts, and how: `[[notify.*]]`, `[[route]]` and the tables beside them.

use std::fmt;
use std::mem::take;

use anyhow::Context as _;
use squirrel_channels::{Channel, NotifyTables};
use squirrel_notify::Settings;

use super::file;

/// The tables as they were written.
#[derive(Clone, Debug)]
pub(crate) struct Notify {
    tables: NotifyTables,
    /// The same as they stand in the file.
    pub(crate) written: Written,
    /// Everything between an alert and the people who hear of it.
    pub(crate) settings: Settings,
}

/// Tables as they stand in the file, with their secrets, of which `Debug` shows nothing.
#[derive(Clone, Default)]
pub(crate) struct Written(pub(crate) toml::Table);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
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
        Self { tables: take(&mut file.notify), written: take(&mut file.told), settings }
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
