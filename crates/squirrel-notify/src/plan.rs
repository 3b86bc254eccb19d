//! The settings made ready for use: checked, names resolved, the tree of routes flat.

mod check;
mod routes;
#[cfg(test)]
mod tests;
mod windows;

use self::check::Check;
pub(crate) use self::routes::PlannedRoute;
use self::windows::{Quiet, Window};
use crate::settings::{Dependency, Escalation, Flapping, Inhibit, Settings};

/// What is wrong with the settings: each fault with the table it stands in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(
    /// One sentence each.
    pub Vec<String>,
);

/// The settings ready for use.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The first is around all others.
    pub(crate) routes: Vec<PlannedRoute>,
    pub(crate) inhibit: Vec<Inhibit>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) windows: Vec<Window>,
    pub(crate) quiet: Option<Quiet>,
    pub(crate) escalations: Vec<Escalation>,
    pub(crate) flapping: Flapping,
    pub(crate) max_alerts: usize,
    pub(crate) external_url: String,
    pub(crate) channels: Vec<String>,
}

impl Settings {
    /// Whether everything fits together, with the channels that there are.
    ///
    /// # Errors
    /// All that is wrong, a sentence each.
    pub fn check(&self, channels: &[String]) -> Result<(), SettingsError> {
        self.plan(channels).map(drop)
    }

    pub(crate) fn plan(&self, channels: &[String]) -> Result<Plan, SettingsError> {
        let mut check = Check { channels, faults: Vec::new() };
        check.lengths(self);
        check.grouping(&self.grouping);
        let routes = check.routes(&self.grouping, &self.routes);
        for (number, rule) in self.inhibit.iter().enumerate() {
            let place = format!("[[inhibit]] number {}", number + 1);
            check.pair(&place, ("source", &rule.source), ("target", &rule.target), &rule.equal);
        }
        for (number, one) in self.dependencies.iter().enumerate() {
            let place = format!("[[dependency]] number {}", number + 1);
            check.pair(&place, ("parent", &one.parent), ("child", &one.child), &one.equal);
        }
        let windows =
            self.maintenance.iter().enumerate().filter_map(|(n, window)| check.window(n + 1, window)).collect();
        let quiet = self.quiet_hours.as_ref().and_then(|hours| check.quiet(hours));
        for (number, one) in self.escalations.iter().enumerate() {
            check.escalation(&format!("[[escalation]] number {}", number + 1), one);
        }
        check.flapping(&self.flapping);
        if !check.faults.is_empty() {
            return Err(SettingsError(check.faults));
        }
        Ok(Plan {
            routes,
            inhibit: self.inhibit.clone(),
            dependencies: self.dependencies.clone(),
            windows,
            quiet,
            escalations: self.escalations.clone(),
            flapping: self.flapping.clone(),
            max_alerts: self.grouping.max_alerts,
            external_url: self.external_url.clone(),
            channels: channels.to_vec(),
        })
    }
}
