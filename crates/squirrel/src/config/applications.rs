//! `[applications]`: what applications may tell this daemon of themselves.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use squirrel_server::{ApplicationLimits, ApplicationToken};

use super::{Sourced, file};

/// The table, every value resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applications {
    pub(crate) enabled: Sourced<bool>,
    pub(crate) max_instances: Sourced<usize>,
    pub(crate) max_series: Sourced<usize>,
    pub(crate) max_series_total: Sourced<usize>,
    /// None: reports are taken from this host only, without a token.
    pub(crate) token_file: Sourced<Option<PathBuf>>,
}

/// A token is short; anything longer is the wrong file.
const TOKEN_BYTES: u64 = 1024;

impl Applications {
    pub(super) fn resolve(file: file::Applications) -> Self {
        let usual = ApplicationLimits::default();
        Self {
            enabled: Sourced::choose(None, file.enabled, || usual.enabled),
            max_instances: Sourced::choose(None, file.max_instances.map(Into::into), || usual.instances),
            max_series: Sourced::choose(None, file.max_series.map(Into::into), || usual.series),
            max_series_total: Sourced::choose(None, file.max_series_total.map(Into::into), || usual.all_series),
            token_file: Sourced::choose(None, file.token_file.map(some_path), || None),
        }
    }

    /// The limits for the server.
    pub(crate) fn limits(&self) -> ApplicationLimits {
        ApplicationLimits {
            enabled: self.enabled.value,
            instances: self.max_instances.value,
            series: self.max_series.value,
            all_series: self.max_series_total.value,
            ..ApplicationLimits::default()
        }
    }

    /// Reads the token, if there is to be one. What is wrong with the file is said without its content.
    ///
    /// # Errors
    /// A file that cannot be read, that others may read, or whose content is no token.
    pub(crate) fn token(&self) -> anyhow::Result<Option<ApplicationToken>> {
        let Some(path) = &self.token_file.value else { return Ok(None) };
        let shown = path.display();
        let subject = || format!("token_file under [applications] is {shown}, which cannot be read");
        let file = File::open(path).with_context(subject)?;
        let mode = file.metadata().with_context(subject)?.mode();
        if mode & 0o007 != 0 {
            bail!(
                "{shown} may be read by every user of this host, so its token is no secret; `chmod 640 {shown}` helps"
            );
        }
        let mut text = String::new();
        file.take(TOKEN_BYTES).read_to_string(&mut text).with_context(subject)?;
        match ApplicationToken::new(text.trim()) {
            Some(token) => Ok(Some(token)),
            None => bail!(
                "{shown} holds no token: one line of at least {} letters, digits and signs; \
                 `openssl rand -hex 32 > {shown}` makes one",
                ApplicationToken::SHORTEST
            ),
        }
    }
}

/// The empty text, as the sample has it, means none.
fn some_path(path: PathBuf) -> Option<PathBuf> {
    Some(path).filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Origin;
    use super::*;

    #[test]
    fn a_token_is_taken_only_from_a_file_that_is_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let mut table = Applications::resolve(file::Applications::default());
        assert!(table.token().unwrap().is_none());
        table.token_file = Sourced { value: Some(path.clone()), origin: Origin::File };
        let complaint = |table: &Applications| format!("{:#}", table.token().err().expect("it is refused"));
        assert!(complaint(&table).contains("token_file under [applications]"));
        std::fs::write(&path, "too short\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(complaint(&table).contains("chmod 640"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let said = complaint(&table);
        assert!(said.contains("at least 16") && !said.contains("too short"), "{said}");
        std::fs::write(&path, "a-token-of-some-length\n").unwrap();
        assert!(table.token().unwrap().is_some());
    }
}
