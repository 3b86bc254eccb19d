//! `[checks]`: modules for checks of services, and which targets may be asked for by `/probe`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use squirrel_check::Modules;
use squirrel_outbound::{AddressClass, AddressRules, Network};

use super::{Sourced, file};

/// Largest file of modules, and of what it names, in bytes.
const MAX_BYTES: u64 = 4 << 20;
/// Mistakes of one file that are told at once.
const MOST_TOLD: usize = 20;

/// The table, every value resolved and the modules read.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    /// Empty for none.
    pub(crate) modules_file: Sourced<PathBuf>,
    /// Networks that `/probe` may look at, as written.
    pub(crate) allow: Sourced<Vec<String>>,
    /// Checks by `/probe` under way at one time.
    pub(crate) at_once: Sourced<usize>,
    /// Those that are always there, and those of the file over them.
    pub(crate) modules: Arc<Modules>,
    /// Which addresses `/probe` may look at.
    pub(crate) rules: AddressRules,
}

impl Checks {
    /// What the table means; `config` is the file that it stands in, whose folder relative paths begin at.
    ///
    /// # Errors
    /// A network that is none or must not be, a file of modules that cannot be read or used.
    pub(super) fn resolve(file: file::Checks, config: Option<&Path>) -> anyhow::Result<Self> {
        let folder = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let modules_file = file.modules_file.filter(|path| !path.as_os_str().is_empty()).map(|path| folder.join(path));
        let own = match &modules_file {
            Some(path) => modules(path).with_context(|| "modules_file under [checks]")?,
            None => Modules::default(),
        };
        let allow: Sourced<Vec<String>> = Sourced::choose(None, file.allow, Vec::new);
        Ok(Self {
            rules: rules(&allow.value)?,
            allow,
            modules_file: Sourced::choose(None, modules_file, PathBuf::new),
            at_once: Sourced::choose(None, file.at_once.map(Into::into), || 32),
            modules: Arc::new(Modules::built_in().and(own)),
        })
    }
}

/// Reads a file of modules; the files that it names stand beside it, unless they are named from the root on.
///
/// # Errors
/// A file that cannot be read, and all that is wrong in it: one line each with line and column.
pub(crate) fn modules(path: &Path) -> anyhow::Result<Modules> {
    let shown = path.display();
    let octets = read(path).map_err(|reason| anyhow::anyhow!("{shown} cannot be read: {reason}"))?;
    let text = String::from_utf8(octets).with_context(|| format!("{shown} is no text"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = |name: &str| read(&folder.join(name)).map_err(|reason| format!("{name} cannot be read: {reason}"));
    Modules::read(&text, &files).map_err(|problems| {
        let lines: Vec<String> =
            problems.iter().take(MOST_TOLD).map(|one| format!("{shown}:{}: {}", one.place, one.message)).collect();
        let more = problems.len().saturating_sub(MOST_TOLD);
        let more = if more > 0 { format!("\nand {more} mistakes more") } else { String::new() };
        anyhow::anyhow!("{}{more}", lines.join("\n"))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let in_words = |error: std::io::Error| squirrel_model::without_numbers(&error.to_string()).to_lowercase();
    let mut octets = Vec::new();
    let file = std::fs::File::open(path).map_err(in_words)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut octets).map_err(in_words)?;
    if octets.len() as u64 > MAX_BYTES { Err(format!("it is larger than {MAX_BYTES} bytes")) } else { Ok(octets) }
}

/// Public addresses, and the networks that are allowed besides.
fn rules(allow: &[String]) -> anyhow::Result<AddressRules> {
    let mut rules = AddressRules::public();
    for text in allow {
        let network: Network = match text.parse() {
            Ok(network) => network,
            Err(error) => bail!("allow under [checks]: {text:?} is {error}"),
        };
        let is_metadata = AddressClass::of(network.address()) == AddressClass::Metadata;
        ensure!(
            !is_metadata,
            "allow under [checks]: {text:?} is where clouds give credentials, and is never looked at"
        );
        rules = rules.and(network);
    }
    Ok(rules.without_metadata())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn checks(text: &str) -> anyhow::Result<Checks> {
        Checks::resolve(toml::from_str(text).unwrap(), None)
    }

    #[test]
    fn only_what_is_allowed_may_be_looked_at_and_credentials_never() {
        let may = |rules: &AddressRules, address: &str| rules.check(address.parse().unwrap()).is_ok();
        let usual = Config::of_text("").checks.rules;
        let some = checks("allow = [\"10.0.0.0/8\", \"::1\"]").unwrap().rules;
        let all = checks("allow = [\"0.0.0.0/0\", \"::/0\"]").unwrap().rules;
        for (address, expected) in [
            ("1.1.1.1", [true, true, true]),
            ("10.1.2.3", [false, true, true]),
            ("::1", [false, true, true]),
            ("127.0.0.1", [false, false, true]),
            ("169.254.169.254", [false, false, false]),
            ("::ffff:169.254.169.254", [false, false, false]),
            ("fd00:ec2::254", [false, false, false]),
        ] {
            assert_eq!([may(&usual, address), may(&some, address), may(&all, address)], expected, "{address}");
        }
        for (text, expected) in
            [("allow = [\"10/8\"]", "\"10/8\" is not a network"), ("allow = [\"169.254.169.254\"]", "never looked at")]
        {
            let said = format!("{:#}", checks(text).unwrap_err());
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn the_mistakes_of_a_modules_file_are_told_with_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blackbox.yml");
        let config = folder.path().join("squirrel.toml");
        let table = file::Checks { modules_file: Some("blackbox.yml".into()), ..file::Checks::default() };
        let read = || {
            Checks::resolve(
                file::Checks { modules_file: table.modules_file.clone(), ..file::Checks::default() },
                Some(&config),
            )
        };
        let said = format!("{:#}", read().unwrap_err());
        assert!(said.contains("blackbox.yml cannot be read: no such file"), "{said}");
        std::fs::write(&path, "modules:\n  a: {prober: tcp, tcp: {tsl: true}}\n  b: {prober: htp}\n").unwrap();
        let said = format!("{:#}", read().unwrap_err());
        assert!(said.contains("blackbox.yml:2:26: \"tsl\"") && said.contains("blackbox.yml:3:15: "), "{said}");
        std::fs::write(folder.path().join("password"), "sesame\n").unwrap();
        std::fs::write(&path, "modules:\n  a: {prober: http, http: {bearer_token_file: password}}\n").unwrap();
        let checks = read().unwrap();
        assert!(checks.modules.get("a").is_ok() && checks.modules.get("http_2xx").is_ok());
        assert!(!format!("{checks:?}").contains("sesame"));
    }
}
