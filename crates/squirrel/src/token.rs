//! The token of this daemon: whoever changes something shows that they may read the data directory. That a request
//! comes from this host is no proof of anything.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use squirrel_server::ApplicationToken;

use crate::config::{Config, Environment, Flags};
use crate::failure::{Class, classed};

/// The file in the data directory; its owner alone may read it.
const FILE: &str = "token";
/// Octets of chance in a new token.
const CHANCE: usize = 32;
/// A token is short; anything longer is the wrong file.
const MAX_BYTES: u64 = 1024;

/// The token that the daemon asks for; one is made where there is none.
///
/// # Errors
/// A file that can be neither read nor made, or that holds no token.
pub(crate) fn of_daemon(directory: &Path) -> anyhow::Result<ApplicationToken> {
    let path = directory.join(FILE);
    if !path.exists() {
        make(&path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let text = read(directory)?;
    ApplicationToken::new(&text)
        .ok_or_else(|| anyhow!("{} holds no token: remove it, and the next start makes one", path.display()))
}

/// The token of the daemon that runs with this configuration, for a command that asks it to do something.
///
/// # Errors
/// A configuration that is not valid, or a token that this user may not read.
pub(crate) fn for_command(flags: &Flags, environment: &Environment) -> anyhow::Result<String> {
    let config = Config::load(flags, environment).map_err(|error| classed(Class::Usage, &error))?;
    read(&config.directory.value).map_err(|error| {
        let next = "whoever changes something shows the token of the daemon's data directory: run this as the daemon's \
                    user, or name the directory with --data-dir DIR";
        classed(Class::Forbidden, &anyhow!("{error:#}\n{next}"))
    })
}

/// The token as it is sent.
///
/// # Errors
/// A file that is not there or that this user may not read.
fn read(directory: &Path) -> anyhow::Result<String> {
    let path = directory.join(FILE);
    let mut text = String::new();
    let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(MAX_BYTES).read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut chance = [0; CHANCE];
    File::open("/dev/urandom")?.read_exact(&mut chance)?;
    let mut text = String::with_capacity(2 * CHANCE + 1);
    for octet in chance {
        text += &format!("{octet:02x}");
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        of_daemon(folder.path()).unwrap();
        let first = read(folder.path()).unwrap();
        assert_eq!(first.len(), 2 * CHANCE);
        of_daemon(folder.path()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), first);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join(FILE), "short\n").unwrap();
        assert!(of_daemon(folder.path()).is_err_and(|error| error.to_string().contains("the next start makes one")));
    }
}
