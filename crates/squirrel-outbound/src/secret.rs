//! A text that is never shown.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

/// The longest secret that is read from a file, in bytes.
const LONGEST: u64 = 64 << 10;

/// A password, a token, or an address that is one. It has no form for people and none for disks: `Debug` and
/// `Display` print `<secret>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret was not had. The secret is not in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret's file {path} cannot be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// There is nothing in the file, or in the variable.
    #[error("the secret in {place} is empty")]
    Empty {
        /// File or variable.
        place: String,
    },
    /// The file is not one line of text.
    #[error("the secret in {place} is not one line of text of at most 64 KiB")]
    NotText {
        /// File or variable.
        place: String,
    },
    /// The variable is not set.
    #[error("the secret's environment variable {name} is not set")]
    NoVariable {
        /// Its name.
        name: String,
    },
}

impl Secret {
    /// The text itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The one line of a file; the line's end, which editors put there, is not part of it.
    ///
    /// # Errors
    /// When the file cannot be read, is empty, or is not one line of text.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let place = path.display().to_string();
        let mut octets = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut octets))
            .map_err(|error| SecretError::File { path: place.clone(), reason: in_words(&error) })?;
        if octets.len() as u64 > LONGEST {
            return Err(SecretError::NotText { place });
        }
        let text = String::from_utf8(octets).map_err(|_| SecretError::NotText { place: place.clone() })?;
        Self::one_line(&text, place)
    }

    /// The value of an environment variable.
    ///
    /// # Errors
    /// When it is not set, empty, or not one line of text.
    pub fn from_variable(name: &str) -> Result<Self, SecretError> {
        match std::env::var(name) {
            Ok(text) => Self::one_line(&text, name.to_owned()),
            Err(std::env::VarError::NotPresent) => Err(SecretError::NoVariable { name: name.to_owned() }),
            Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NotText { place: name.to_owned() }),
        }
    }

    fn one_line(text: &str, place: String) -> Result<Self, SecretError> {
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Err(SecretError::Empty { place });
        }
        if line.contains(char::is_control) {
            return Err(SecretError::NotText { place });
        }
        Ok(Self(line.to_owned()))
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// What the system says of a file or a connection, without its number.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_no_form_for_people() {
        let secret = Secret::new("sesame");
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)), "<secret> <secret> Some(\n    <secret>,\n)");
        assert_eq!(secret.expose(), "sesame");
    }

    #[test]
    fn a_file_holds_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (content, expected) in
            [("sesame\n", Some("sesame")), ("sesame\r\n", Some("sesame")), (" a b ", Some(" a b ")), ("\n", None)]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(Secret::from_file(&path).ok().as_ref().map(Secret::expose), expected, "{content:?}");
        }
        for content in [&b"sesame\nopen"[..], b"\xff\xfe", "a".repeat(70_000).as_bytes()] {
            std::fs::write(&path, content).unwrap();
            let error = Secret::from_file(&path).unwrap_err().to_string();
            assert!(error.contains("not one line of text") && !error.contains("sesame"), "{error}");
        }
        let error = Secret::from_file(&folder.path().join("none")).unwrap_err().to_string();
        assert!(error.ends_with("none cannot be read: no such file or directory"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Secret::from_variable("SQUIRREL_NO_SUCH_SECRET").unwrap_err();
        assert_eq!(error.to_string(), "the secret's environment variable SQUIRREL_NO_SUCH_SECRET is not set");
        assert_eq!(Secret::from_variable("PATH").unwrap().expose(), std::env::var("PATH").unwrap());
    }
}
