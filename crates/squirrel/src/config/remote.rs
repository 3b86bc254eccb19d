//! `[[remote_write]]`, `[[receive]]` and `[[otlp]]`: samples to and from other systems.

mod written;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use squirrel_exchange::remote_write::Version;
use squirrel_outbound::{Destination, Secret, Timeouts, TlsOptions, TlsVersion};
use squirrel_remote::otlp;
use squirrel_remote::receive::{Credential, Sender};
use squirrel_remote::relabel::{Relabelling, Rule, RuleText};
use squirrel_remote::write::{Target, Thin};

pub(super) use written::{Otlp, Receive, RemoteWrite};
use written::{Relabel, Tls, WireVersion};

/// The tables as they are written; what they mean is found out when the daemon opens them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(super) writes: Vec<RemoteWrite>,
    pub(super) receives: Vec<Receive>,
    pub(super) otlp: Vec<Otlp>,
}

/// What the tables mean, secrets read.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemoteParts {
    pub(crate) writes: Vec<Printed<Target>>,
    pub(crate) senders: Vec<Printed<Sender>>,
    pub(crate) otlp: Vec<Printed<otlp::Target>>,
}

/// What a table means, and a print by which a change of it is noticed, also of the content of a file that it names.
#[derive(Clone, Debug)]
pub(crate) struct Printed<T> {
    pub(crate) what: T,
    pub(crate) print: u64,
}

impl<T> Printed<T> {
    fn of(what: T, table: &impl std::fmt::Debug, files: &[&Option<PathBuf>]) -> Self {
        let mut hasher = DefaultHasher::new();
        format!("{table:?}").hash(&mut hasher);
        for path in files.iter().copied().flatten() {
            // One that cannot be read was complained of when it was opened.
            std::fs::read(path).unwrap_or_default().hash(&mut hasher);
        }
        Self { what, print: hasher.finish() }
    }
}

impl Remote {
    /// Each table's name and where it leads, for people.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String, String)> {
        let shown = |url: &str| Destination::parse(url).map_or_else(|error| error.to_string(), |to| to.to_string());
        let writes = self.writes.iter().map(|one| ("remote_write", one.name.clone(), shown(&one.url)));
        let otlp = self.otlp.iter().map(|one| ("otlp", one.name.clone(), shown(&one.url)));
        let receives = self.receives.iter().map(|one| ("receive", one.name.clone(), String::new()));
        writes.chain(otlp).chain(receives).collect()
    }

    /// What can be judged without reading a secret.
    ///
    /// # Errors
    /// The first mistake, with its table and key.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let names = |table: &str, names: &mut dyn Iterator<Item = &String>| -> anyhow::Result<()> {
            let mut known = BTreeSet::new();
            for name in names {
                let is_name = (1..=64).contains(&name.len())
                    && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet));
                ensure!(is_name, "name under [[{table}]] is 1 to 64 letters, digits, - and _, not {name:?}");
                ensure!(known.insert(name), "two tables [[{table}]] have the name {name:?}");
            }
            Ok(())
        };
        names("remote_write", &mut self.writes.iter().map(|one| &one.name))?;
        names("receive", &mut self.receives.iter().map(|one| &one.name))?;
        names("otlp", &mut self.otlp.iter().map(|one| &one.name))?;
        for one in &self.writes {
            let place = || format!("[[remote_write]] {}", one.name);
            one.destination_without_secrets().with_context(place)?;
            one.relabelling().with_context(place)?;
            ensure!(one.max != Some(true) || one.interval.is_some(), "{}: max needs interval", place());
        }
        for one in &self.otlp {
            destination(&one.url).with_context(|| format!("[[otlp]] {}", one.name))?;
        }
        for one in &self.receives {
            let place = format!("[[receive]] {}", one.name);
            match (&one.bearer_token_file, &one.username, &one.password_file) {
                (Some(_), None, None) | (None, Some(_), Some(_)) => {}
                _ => bail!(
                    "{place}: a sender shows who it is by bearer_token_file, or by username and password_file: write \
                     one of both"
                ),
            }
        }
        Ok(())
    }

    /// Reads secrets and certificates.
    ///
    /// # Errors
    /// A file that cannot be read or used, with its table and key.
    pub(crate) fn open(&self) -> anyhow::Result<RemoteParts> {
        let mut parts = RemoteParts::default();
        for one in &self.writes {
            let target = one.target().with_context(|| format!("[[remote_write]] {}", one.name))?;
            let files = [&[&one.bearer_token_file, &one.password_file][..], &tls_files(one.tls.as_ref())].concat();
            parts.writes.push(Printed::of(target, one, &files));
        }
        for one in &self.otlp {
            let target = one.target().with_context(|| format!("[[otlp]] {}", one.name))?;
            let files = [&[&one.bearer_token_file, &one.password_file][..], &tls_files(one.tls.as_ref())].concat();
            parts.otlp.push(Printed::of(target, one, &files));
        }
        for one in &self.receives {
            let sender = one.sender().with_context(|| format!("[[receive]] {}", one.name))?;
            parts.senders.push(Printed::of(sender, one, &[&one.bearer_token_file, &one.password_file]));
        }
        Ok(parts)
    }
}

fn tls_files(tls: Option<&Tls>) -> Vec<&Option<PathBuf>> {
    tls.map_or_else(Vec::new, |tls| vec![&tls.ca_file, &tls.cert_file, &tls.key_file])
}

fn destination(url: &str) -> anyhow::Result<Destination> {
    Destination::parse(url).context("url")
}

fn secret(key: &str, path: &Path) -> anyhow::Result<Secret> {
    Secret::from_file(path).with_context(|| key.to_owned())
}

/// What all destinations have.
fn with_credentials(
    to: Destination,
    bearer: Option<&Path>,
    basic: Option<(&str, Option<&Path>)>,
    tls: Option<&Tls>,
) -> anyhow::Result<Destination> {
    let to = match (bearer, basic) {
        (None, None) => to,
        (Some(path), None) => to.with_bearer(&secret("bearer_token_file", path)?)?,
        (None, Some((user, Some(path)))) => to.with_basic(user, &secret("password_file", path)?)?,
        (None, Some((_, None))) => bail!("username needs password_file"),
        (Some(_), Some(_)) => bail!("bearer_token_file and username exclude each other"),
    };
    match tls {
        None => Ok(to),
        Some(tls) => Ok(to.with_tls(tls.options().context("tls")?)),
    }
}

impl Tls {
    fn options(&self) -> anyhow::Result<TlsOptions> {
        let mut options = TlsOptions::new();
        if let Some(path) = &self.ca_file {
            options = options.with_roots_file(path).context("ca_file")?.without_system_roots();
        }
        options = match (&self.cert_file, &self.key_file) {
            (None, None) => options,
            (Some(certificate), Some(key)) => options.with_client_files(certificate, key)?,
            _ => bail!("cert_file and key_file need each other"),
        };
        if let Some(name) = &self.server_name {
            options = options.with_server_name(name).context("server_name")?;
        }
        if self.min_version == Some(written::TlsText::V1_3) {
            options = options.with_minimum(TlsVersion::V1_3);
        }
        Ok(if self.insecure_skip_verify == Some(true) { options.insecure_skip_verify() } else { options })
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl RemoteWrite {
    fn destination_without_secrets(&self) -> anyhow::Result<Destination> {
        let mut to = destination(&self.url)?;
        if let Some(tenant) = &self.tenant {
            to = to.with_header("X-Scope-OrgID", &Secret::new(tenant)).context("tenant")?;
        }
        let whole = self.timeout.map_or(Duration::from_secs(30), Into::into);
        Ok(to.with_timeouts(Timeouts { whole, ..Timeouts::default() }))
    }

    fn relabelling(&self) -> anyhow::Result<Relabelling> {
        let rules = self
            .relabel
            .iter()
            .enumerate()
            .map(|(place, rule)| Rule::new(&rule.text()).with_context(|| format!("rule {} of relabel", place + 1)));
        let external: Vec<(String, String)> =
            self.external_labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, _) in &external {
            ensure!(squirrel_model::is_label_name(name), "external_labels: {name:?} is not the name of a label");
        }
        Ok(Relabelling { external, rules: rules.collect::<anyhow::Result<_>>()? })
    }

    fn target(&self) -> anyhow::Result<Target> {
        let to = self.destination_without_secrets()?;
        let basic = self.username.as_deref().map(|user| (user, self.password_file.as_deref()));
        let to = with_credentials(to, self.bearer_token_file.as_deref(), basic, self.tls.as_ref())?;
        let usual = Target::new(&self.name, to);
        Ok(Target {
            version: self.version.map(|version| match version {
                WireVersion::V1 => Version::V1,
                WireVersion::V2 => Version::V2,
            }),
            relabelling: self.relabelling()?,
            thin: self.interval.map(|span| Thin { step_ms: millis(span.into()), max: self.max.unwrap_or_default() }),
            request_samples: self.request_samples.map_or(usual.request_samples, Into::into),
            shards: self.shards.map_or(usual.shards, Into::into),
            flush_ms: self.flush.map_or(usual.flush_ms, |span| millis(span.into())),
            metadata: self.metadata.unwrap_or(true),
            backfill_ms: self.backfill.map_or(0, |span| millis(span.into())),
            ..usual
        })
    }
}

impl Relabel {
    fn text(&self) -> RuleText {
        RuleText {
            action: self.action.clone(),
            source_labels: self.source_labels.clone(),
            separator: self.separator.clone(),
            regex: self.regex.clone(),
            target_label: self.target_label.clone(),
            replacement: self.replacement.clone(),
            modulus: self.modulus,
        }
    }
}

impl Otlp {
    fn target(&self) -> anyhow::Result<otlp::Target> {
        let basic = self.username.as_deref().map(|user| (user, self.password_file.as_deref()));
        let to = destination(&self.url)?;
        let destination = with_credentials(to, self.bearer_token_file.as_deref(), basic, self.tls.as_ref())?;
        Ok(otlp::Target {
            name: self.name.clone(),
            destination,
            interval_ms: self.interval.map_or(60_000, |span| millis(span.into())),
            attributes: self.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }
}

impl Receive {
    fn sender(&self) -> anyhow::Result<Sender> {
        let credential = match (&self.bearer_token_file, &self.username, &self.password_file) {
            (Some(path), _, _) => Credential::Bearer(secret("bearer_token_file", path)?),
            (None, Some(user), Some(path)) => {
                Credential::Basic { user: user.clone(), password: secret("password_file", path)? }
            }
            _ => bail!("bearer_token_file is missing"),
        };
        let usual = Sender::new(&self.name, credential);
        Ok(Sender {
            series: self.max_series.map_or(usual.series, Into::into),
            samples_per_second: self
                .max_samples_per_second
                .and_then(|count| u32::try_from(usize::from(count)).ok())
                .unwrap_or(usual.samples_per_second),
            ..usual
        })
    }
}

/// The tables as the sample shows them.
pub(super) const SAMPLE: &str = include_str!("remote/sample.toml");

#[cfg(test)]
mod tests;
