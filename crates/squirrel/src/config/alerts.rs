//! `[alerts]`: rules, how often they are evaluated, and the thresholds of those that Squirrel brings along.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use squirrel_alert::thresholds::Thresholds;
use squirrel_model::Labels;

use super::{Sourced, file};

/// The table, every value resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alerts {
    /// Patterns of rule files; those of the configuration's own folder are resolved.
    pub(crate) rule_files: Sourced<Vec<PathBuf>>,
    /// Between evaluations of groups that do not say it themselves.
    pub(crate) interval: Sourced<Duration>,
    /// Whether Squirrel's own rules are evaluated.
    pub(crate) built_in: Sourced<bool>,
    /// Where people find the pages of this daemon.
    pub(crate) external_url: Sourced<String>,
    /// Labels that are added to all that others are told.
    pub(crate) external_labels: Labels,
    /// What differs from the table of thresholds.
    pub(crate) thresholds: Thresholds,
}

impl Alerts {
    /// What the table means; `config` is the file that it stands in, whose folder relative paths begin at.
    ///
    /// # Errors
    /// A threshold that there is not, an address that is none, labels that cannot be.
    pub(super) fn resolve(file: file::Alerts, config: Option<&Path>) -> anyhow::Result<Self> {
        let folder = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let rule_files = file.rule_files.map(|paths| paths.into_iter().map(|path| folder.join(path)).collect());
        let mut thresholds = Thresholds::default();
        for (name, value) in &file.thresholds {
            thresholds.set(name, *value).context("[alerts.thresholds]")?;
        }
        let external_url: Sourced<String> = Sourced::choose(None, file.external_url, String::new);
        let url = &external_url.value;
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("external_url under [alerts] is an address such as \"https://squirrel.example.net\", not {url:?}");
        }
        Ok(Self {
            rule_files: Sourced::choose(None, rule_files, Vec::new),
            interval: Sourced::choose(None, file.interval.map(Into::into), || Duration::from_secs(15)),
            built_in: Sourced::choose(None, file.built_in, || true),
            external_url,
            external_labels: labels(&file.external_labels)?,
            thresholds,
        })
    }
}

fn labels(written: &BTreeMap<String, String>) -> anyhow::Result<Labels> {
    Labels::new(written.iter().map(|(name, value)| (name.as_str(), value.as_str()))).context("[alerts.external_labels]")
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn a_wrong_threshold_or_address_is_named() {
        let said = |text: &str| format!("{:#}", Config::of_wrong_text(text));
        assert!(said("[alerts.thresholds]\nlink_bussy = 0.5").contains("did you mean link_busy?"));
        assert!(said("[alerts.thresholds]\nloss = 5").contains("loss is a share, 0 to 1, not 5"));
        assert!(said("[alerts]\nexternal_url = \"squirrel\"").contains("external_url under [alerts]"));
        assert!(said("[alerts.external_labels]\n\"a-b\" = \"x\"").contains("[alerts.external_labels]"));
    }

    #[test]
    fn paths_of_rules_begin_at_the_folder_of_the_configuration() {
        let file = file::Alerts { rule_files: Some(vec!["rules/*.yml".into(), "/a.yml".into()]), ..Default::default() };
        let alerts = Alerts::resolve(file, Some(Path::new("/etc/squirrel/squirrel.toml"))).unwrap();
        assert_eq!(alerts.rule_files.value, [Path::new("/etc/squirrel/rules/*.yml"), Path::new("/a.yml")]);
        assert_eq!(alerts.interval.value, Duration::from_secs(15));
    }
}
