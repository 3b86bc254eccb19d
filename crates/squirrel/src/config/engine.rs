//! `engine`, `url` and `[store.access]`: what answers PromQL.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use squirrel_outbound::Destination;

use super::access::Access;
use super::{Sourced, file};

/// What answers PromQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EngineKind {
    /// Squirrel, out of the samples that it keeps here.
    #[default]
    Embedded,
    /// A server with Prometheus' HTTP API.
    Prometheus,
}

impl EngineKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Prometheus => "prometheus",
        }
    }
}

/// The settings, every value resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EngineChoice {
    pub(crate) kind: Sourced<EngineKind>,
    /// Empty for none.
    pub(crate) url: Sourced<String>,
    pub(crate) access: Sourced<Access>,
}

impl EngineChoice {
    pub(super) fn resolve(file: &file::Store) -> Self {
        Self {
            kind: Sourced::choose(None, file.engine, EngineKind::default),
            url: Sourced::choose(None, file.url.clone(), String::new),
            access: Sourced::choose(None, file.access.clone(), Access::default),
        }
    }

    /// What must stand together. Files are looked at when the engine is needed.
    ///
    /// # Errors
    /// A sentence that names the keys.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match (self.kind.value, self.url.value.is_empty()) {
            (EngineKind::Embedded, true) if self.access.value == Access::default() => Ok(()),
            (EngineKind::Embedded, _) => {
                bail!("url and access under [store] are those of another engine: say engine = \"prometheus\" too")
            }
            (EngineKind::Prometheus, true) => {
                bail!(
                    "engine = \"prometheus\" under [store] needs its url, such as \"http://prometheus.example.net:9090\""
                )
            }
            (EngineKind::Prometheus, false) => {
                Destination::parse(&self.url.value).context("url under [store]")?;
                self.access.value.check().context("[store.access]")
            }
        }
    }

    /// Where the other engine is; none for our own.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn destination(&self) -> anyhow::Result<Option<Destination>> {
        if self.kind.value == EngineKind::Embedded {
            return Ok(None);
        }
        self.access.value.destination(&self.url.value).context("the engine under [store]").map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn an_engine_is_chosen_by_its_kind_and_url() {
        assert!(Config::of_text("").engine.destination().expect("no file is read").is_none());
        let text = "[store]\nengine = 'prometheus'\nurl = 'http://127.0.0.1:9090/p'\n[store.access]\ntenant = 'a'";
        let to = Config::of_text(text).engine.destination().expect("a destination").expect("another engine");
        assert_eq!(to.to_string(), "http://127.0.0.1:9090");
    }
}
