//! SIGHUP: the configuration is read again. A bad one changes nothing and is said; what cannot change
//! while running is said too.

use crate::config::{Config, Environment, Flags, RemoteParts, Sourced};
use crate::logging::Logging;

/// What is needed to read the configuration again.
pub(crate) struct Reloader {
    pub(crate) flags: Flags,
    pub(crate) environment: Environment,
    pub(crate) logging: Logging,
}

impl Reloader {
    /// Reads the configuration again; the result is what is in force from now on, and where samples go to and come
    /// from, unless that stays as it is.
    ///
    /// # Errors
    /// The configuration before, which stays in force; why was told.
    pub(crate) fn reload(&self, current: Config) -> Result<(Config, Option<RemoteParts>), Box<Config>> {
        const KEPT: &str = "the configuration was not reloaded, the old one stays in force";
        let fresh = match Config::load(&self.flags, &self.environment) {
            Ok(fresh) => fresh,
            Err(error) => {
                tracing::error!("{KEPT}: {error:#}");
                return Err(Box::new(current));
            }
        };
        let remote = match fresh.remote.open() {
            Ok(parts) => Some(parts),
            // What runs has read its secrets, mostly with privileges that are given up by now.
            Err(error) if fresh.remote == current.remote => {
                tracing::warn!("secrets were not read again, those that were read before stay in force: {error:#}");
                None
            }
            Err(error) => {
                tracing::error!("{KEPT}: {error:#}");
                return Err(Box::new(current));
            }
        };
        if fresh.log != current.log
            && let Err(error) = self.logging.change(&fresh.log.value)
        {
            tracing::error!("{KEPT}: {error:#}");
            return Err(Box::new(current));
        }
        for name in restart_only(&current, &fresh) {
            tracing::warn!("{name} has changed in the configuration; it takes effect at the next start");
        }
        let Config { log, disabled, alerts, checks, notify, probes, remote: tables, .. } = fresh;
        Ok((Config { log, disabled, alerts, checks, notify, probes, remote: tables, ..current }, remote))
    }
}

/// Settings that differ and cannot change while running.
fn restart_only(current: &Config, fresh: &Config) -> Vec<&'static str> {
    [
        ("listen", current.listen.value != fresh.listen.value),
        ("hosts", current.hosts.value != fresh.hosts.value),
        ("directory", current.directory.value != fresh.directory.value),
        ("retention", current.retention.value != fresh.retention.value),
        ("retention_minutes or retention_hours", values(&current.retention_coarse) != values(&fresh.retention_coarse)),
        ("max_size, max_size_minutes or max_size_hours", values(&current.max_size) != values(&fresh.max_size)),
        ("sync", current.sync.value != fresh.sync.value),
        ("engine, url or [store.access]", current.engine != fresh.engine),
        ("level under [accounting]", current.accounting.value != fresh.accounting.value),
        ("connections", current.connections.value != fresh.connections.value),
        ("memory", current.memory.value != fresh.memory.value),
        ("interval", current.interval.value != fresh.interval.value),
        ("[query]", current.query != fresh.query),
        ("[applications]", current.applications != fresh.applications),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

fn values<T: Copy, const N: usize>(settings: &[Sourced<T>; N]) -> [T; N] {
    std::array::from_fn(|at| settings[at].value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_the_store_wait_for_a_restart_and_are_said_to() {
        let usual = Config::of_text("");
        assert_eq!(restart_only(&usual, &usual), Vec::<&str>::new());
        for (key, value) in [
            ("retention", "1d"),
            ("retention_minutes", "1d"),
            ("retention_hours", "1d"),
            ("max_size", "1GB"),
            ("max_size_minutes", "1GB"),
            ("max_size_hours", "1GB"),
        ] {
            let said = restart_only(&usual, &Config::of_text(&format!("[store]\n{key} = {value:?}")));
            assert!(said.len() == 1 && said.first().is_some_and(|name| name.contains(key)), "{key}: {said:?}");
        }
    }
}
