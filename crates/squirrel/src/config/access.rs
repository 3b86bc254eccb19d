//! How another system is reached: who we are to it, and whom we believe to be it. No secret stands in the
//! configuration, only the files that hold them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use squirrel_outbound::{Destination, Secret, TlsOptions};

/// A table such as `[store.access]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Access {
    /// For basic authentication, with `password_file`.
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    /// For a bearer token.
    pub(crate) token_file: Option<PathBuf>,
    /// The tenant of Mimir, Cortex or Loki: the header `X-Scope-OrgID`.
    pub(crate) tenant: Option<String>,
    /// Certificates of authorities that are believed beside the system's, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// A certificate of ours with its key, PEM.
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    /// The name in the server's certificate, when it is not the URL's host.
    pub(crate) server_name: Option<String>,
    /// Whether any certificate is taken.
    pub(crate) insecure_skip_verify: bool,
}

impl Access {
    /// What single values cannot say: what must stand together, and what must not.
    ///
    /// # Errors
    /// A sentence that names the keys.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.user.is_some() != self.password_file.is_some() {
            bail!("user and password_file belong together");
        }
        if self.user.is_some() && self.token_file.is_some() {
            bail!("either user and password_file or token_file: one request has one authentication");
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            bail!("certificate_file and key_file belong together");
        }
        Ok(())
    }

    /// The destination at this URL, its secrets read from their files.
    ///
    /// # Errors
    /// What is no URL, a file that cannot be read or holds something else. No secret is in the text.
    pub(crate) fn destination(&self, url: &str) -> anyhow::Result<Destination> {
        self.check()?;
        let mut to = Destination::parse(url).context("url")?;
        if let (Some(user), Some(path)) = (&self.user, &self.password_file) {
            to = to.with_basic(user, &Secret::from_file(path).context("password_file")?).context("user")?;
        }
        if let Some(path) = &self.token_file {
            to = to.with_bearer(&Secret::from_file(path).context("token_file")?).context("token_file")?;
        }
        if let Some(tenant) = &self.tenant {
            to = to.with_header("X-Scope-OrgID", &Secret::new(tenant.as_str())).context("tenant")?;
        }
        let mut tls = TlsOptions::new();
        if let Some(path) = &self.ca_file {
            tls = tls.with_roots_file(path).context("ca_file")?;
        }
        if let (Some(certificate), Some(key)) = (&self.certificate_file, &self.key_file) {
            tls = tls.with_client_files(certificate, key).context("certificate_file and key_file")?;
        }
        if let Some(name) = &self.server_name {
            tls = tls.with_server_name(name).context("server_name")?;
        }
        if self.insecure_skip_verify {
            tls = tls.insecure_skip_verify();
        }
        Ok(to.with_tls(tls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str, url: &str) -> String {
        let access: Access = toml::from_str(text).expect("a table");
        format!("{:#}", access.destination(url).expect_err("it must be refused"))
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let url = "https://example.org";
        for (text, word) in [
            ("user = 'a'", "password_file"),
            ("password_file = '/nowhere'", "user"),
            ("user = 'a'\npassword_file = '/nowhere'\ntoken_file = '/nowhere'", "one authentication"),
            ("user = 'a'\npassword_file = '/nowhere/at/all'", "/nowhere/at/all"),
            ("token_file = '/nowhere/at/all'", "token_file"),
            ("key_file = '/nowhere'", "certificate_file"),
            ("ca_file = '/nowhere/at/all'", "ca_file"),
            ("tenant = \"a\\nb\"", "tenant"),
            ("server_name = '//'", "server_name"),
        ] {
            let said = complaint(text, url);
            assert!(said.contains(word), "{text}: {said}");
        }
        assert!(complaint("", "ftp://x").contains("https://"));
    }

    #[test]
    fn secrets_come_from_files_and_are_in_no_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "very-secret\n").expect("written");
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, permissions).expect("permissions");
        let access = Access { user: Some("a".into()), password_file: Some(path), ..Access::default() };
        let to = access.destination("https://example.org/prometheus").expect("a destination");
        assert!(!format!("{access:?} {to:?} {to}").contains("very-secret"));
    }
}
