//! The list of users: a line for each, with a name and the SHA-256 of `{NAME}PASSWORD` in hexadecimal digits.

use std::collections::HashMap;
use std::fmt;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::LoginError;

/// Lines of the longest list.
const MOST_LINES: usize = 100_000;

type Hash = [u8; SHA256_OUTPUT_LEN];

/// Who may log in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Users(HashMap<String, Hash>);

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.0.len())
    }
}

impl Users {
    /// Reads the file that iperf3 calls that of authorized users: `NAME,HASH` a line; empty lines and those that begin
    /// with `#` are passed over.
    ///
    /// # Errors
    /// A line that is none of these, a name that stands there twice, or a list of nobody.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let mut users = HashMap::new();
        for (line, content) in (1..).zip(text.lines()) {
            let wrong = |why| LoginError::Users { line, why };
            if line > MOST_LINES {
                return Err(wrong("there are too many lines: 100,000 are the most"));
            }
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (name, hash) = content.split_once(',').ok_or(wrong("it is no NAME,HASH"))?;
            let hash = hexadecimal(hash.trim())
                .ok_or(wrong("behind the comma stand the 64 digits of `echo -n '{NAME}PASSWORD' | sha256sum`"))?;
            if name.trim().is_empty() {
                return Err(wrong("in front of the comma stands a name"));
            }
            if users.insert(name.trim().to_owned(), hash).is_some() {
                return Err(wrong("this name stands there already"));
            }
        }
        if users.is_empty() {
            return Err(LoginError::Users { line: 1, why: "nobody is listed: write NAME,HASH a line" });
        }
        Ok(Self(users))
    }

    /// Whether a user has this password. As much is computed for a name that nobody has.
    pub(super) fn knows(&self, name: &str, password: &str) -> bool {
        let found = digest(&SHA256, format!("{{{name}}}{password}").as_bytes());
        let nobody = [0; SHA256_OUTPUT_LEN];
        let (known, is_known) = self.0.get(name).map_or((&nobody, false), |hash| (hash, true));
        let differences = found.as_ref().iter().zip(known).fold(0, |all, (one, other)| all | (one ^ other));
        is_known && differences == 0
    }
}

fn hexadecimal(text: &str) -> Option<Hash> {
    let digits = text.as_bytes();
    if digits.len() != 2 * SHA256_OUTPUT_LEN {
        return None;
    }
    let mut hash = [0; SHA256_OUTPUT_LEN];
    for (octet, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            *octet = *octet << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `echo -n '{mario}rossi' | sha256sum`, the example of iperf3's manual.
    const MARIO: &str = "bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b";

    #[test]
    fn users_are_known_by_their_hash() {
        let users = Users::parse(&format!("# who may\n\n mario,{MARIO} \n")).unwrap();
        assert!(users.knows("mario", "rossi"));
        for (name, password) in [("mario", "Rossi"), ("mario", ""), ("maria", "rossi"), ("", "")] {
            assert!(!users.knows(name, password), "{name}");
        }
        assert!(!format!("{users:?}").contains("mario"));
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let hash = MARIO;
        for (text, line, words) in [
            (format!("# list\nmario {hash}"), 2, "NAME,HASH"),
            (format!("mario,{}", &hash[1..]), 1, "64 digits"),
            (format!("mario,{}x", &hash[1..]), 1, "64 digits"),
            (format!(",{hash}"), 1, "a name"),
            (format!("a,{hash}\na,{hash}"), 2, "already"),
            ("# nobody\n".to_owned(), 1, "nobody"),
        ] {
            let error = Users::parse(&text).unwrap_err();
            assert!(
                matches!(error, LoginError::Users { line: at, why } if at == line && why.contains(words)),
                "{text}"
            );
        }
    }
}
