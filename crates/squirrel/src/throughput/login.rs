//! The files and the password of a login.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use squirrel_throughput::login::{Access, Credentials, Padding, Password, PrivateKey, PublicKey, Users};

use super::numbers::seconds;
use crate::cli::{ThroughputClient, ThroughputServer};

/// Where iperf3 looks for the password.
const PASSWORD: &str = "IPERF3_PASSWORD";
/// Octets of the longest file of a key, a password or users.
const MOST_OCTETS: u64 = 16 << 20;

/// What a client logs in with, if it does.
pub(super) fn credentials(args: &ThroughputClient) -> anyhow::Result<Option<Credentials>> {
    let Some((username, file)) = args.username.as_ref().zip(args.rsa_public_key_path.as_deref()) else {
        return Ok(None);
    };
    let key = PublicKey::from_pem(&text("--rsa-public-key-path", file)?);
    let key = key.with_context(|| format!("--rsa-public-key-path {}", file.display()))?;
    let password = match &args.password_file {
        // The line break that editors put behind it is none of the password.
        Some(file) => text("--password-file", file)?.trim_end_matches(['\r', '\n']).to_owned(),
        None => match std::env::var(PASSWORD) {
            Ok(password) => password,
            Err(_) => bail!("--username wants a password: name a file with --password-file, or set {PASSWORD}"),
        },
    };
    let padding = if args.use_pkcs1_padding { Padding::Pkcs1 } else { Padding::Oaep };
    let login = Credentials { username: username.clone(), password: Password::new(password), key, padding };
    login.check().context("--username")?;
    Ok(Some(login))
}

/// Whom a server lets in; everybody without the options.
pub(super) fn access(args: &ThroughputServer) -> anyhow::Result<Option<Access>> {
    let files = args.rsa_private_key_path.as_deref().zip(args.authorized_users_path.as_deref());
    let Some((key, users)) = files else { return Ok(None) };
    let private = PrivateKey::from_pem(&text("--rsa-private-key-path", key)?);
    let private = private.with_context(|| format!("--rsa-private-key-path {}", key.display()))?;
    let known = Users::parse(&text("--authorized-users-path", users)?);
    let known = known.with_context(|| format!("--authorized-users-path {}", users.display()))?;
    let skew = Duration::from_secs(seconds("--time-skew-threshold", &args.time_skew_threshold)?);
    Ok(Some(Access { key: private, users: known, skew }))
}

/// The text of a file; what it is for stands in the error.
fn text(option: &str, file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let mut octets = Vec::new();
    let open = std::fs::File::open(file).with_context(|| format!("{option}: cannot read {shown}"))?;
    open.take(MOST_OCTETS + 1).read_to_end(&mut octets).with_context(|| format!("{option}: cannot read {shown}"))?;
    if octets.len() as u64 > MOST_OCTETS {
        bail!("{option}: {shown} is larger than {MOST_OCTETS} octets");
    }
    String::from_utf8(octets).ok().with_context(|| format!("{option}: {shown} is no text"))
}
