//! Who may measure: the login of iperf3, a name and a password that are encrypted to the server's public key.
//!
//! Source: `iperf_auth.c` of iperf 3.12 and 3.17. The client sends one text with name, password and time; the server
//! knows each user's name and the SHA-256 of `{NAME}PASSWORD`. Up to 3.16 the text is padded as PKCS#1 v1.5 has it, from
//! 3.17 on by OAEP; a server here takes either.
//!
//! What the login is worth: it keeps strangers from a server, and passwords from those who listen. Nothing of the run
//! itself is encrypted or proven, and a text that was recorded is good for as long as clocks may differ.

mod pem;
mod rsa;
mod users;

use std::fmt;
use std::time::Duration;

use squirrel_model::Timestamp;

use crate::protocol::Token;
pub use rsa::{Padding, PrivateKey, PublicKey};
pub use users::Users;

/// By how much the clocks of client and server may differ when nobody says (iperf3's).
pub const USUAL_SKEW: Duration = Duration::from_secs(10);

/// Why a key, a list of users or a login cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The text holds no key in PEM.
    #[error("there is no `-----BEGIN {0}-----` with its end: it has to be a key of RSA in PEM")]
    NoKey(&'static str),
    /// The key is protected by a password.
    #[error(
        "the key is encrypted: take that away with `openssl rsa -in KEY -out PLAIN_KEY`, and keep the file to yourself"
    )]
    Encrypted,
    /// What stands between the lines of PEM is no key of RSA.
    #[error("the key cannot be read ({0}): it has to be one of RSA")]
    NotRsa(squirrel_wire::Malformed),
    /// What stands between the lines of PEM is no Base64.
    #[error("the key cannot be read: what stands between its first and its last line is no Base64")]
    NotBase64,
    /// The key is too short to protect anything, or so long that it only costs time.
    #[error("the key has {0} bits: 1024 to 4096 can be, and 2048 are usual")]
    Size(usize),
    /// A number of the key that no key has.
    #[error("the key's numbers are none of a key")]
    Numbers,
    /// Name and password do not fit what a key can encrypt.
    #[error("name and password are too long for this key: take shorter ones, or a key of more bits")]
    TooLong,
    /// A name or password that the text cannot carry.
    #[error("the {0} is empty, or has a line break or another control character in it, which a login cannot carry")]
    Unfit(&'static str),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// A line of the list of users.
    #[error("line {line}: {why}")]
    Users {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it, and what it should be.
        why: &'static str,
    },
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Keeps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a client logs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Password,
    /// The server's key.
    pub key: PublicKey,
    /// How the text is padded.
    pub padding: Padding,
}

impl Credentials {
    /// Looks whether they can be sent.
    ///
    /// # Errors
    /// A name or password that the text cannot carry, or that the key cannot encrypt.
    pub fn check(&self) -> Result<(), LoginError> {
        self.token(Timestamp(0)).map(drop)
    }

    /// What is sent, at this time.
    pub(crate) fn token(&self, now: Timestamp) -> Result<Token, LoginError> {
        let unfit = |text: &str| text.is_empty() || text.chars().any(char::is_control);
        for (what, text) in [("name", &self.username), ("password", &self.password.0)] {
            if unfit(text) {
                return Err(LoginError::Unfit(what));
            }
        }
        let seconds = now.0.div_euclid(1000);
        let text = format!("user: {}\npwd:  {}\nts:   {seconds}", self.username, self.password.0);
        let octets = self.key.encrypt(text.as_bytes(), self.padding)?;
        Ok(Token::new(pem::base64(&octets)))
    }
}

/// Whom a server lets in.
#[derive(Clone, Debug)]
pub struct Access {
    /// What logins are encrypted to.
    pub key: PrivateKey,
    /// Who may.
    pub users: Users,
    /// By how much the clocks of client and server may differ.
    pub skew: Duration,
}

/// Why a client is not let in: for the server's own record. The client is told nothing but that it is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// It did not log in.
    #[error("it did not log in")]
    Nobody,
    /// Its login cannot be decrypted.
    #[error("its login cannot be decrypted: is it encrypted to this server's key?")]
    Unreadable,
    /// Its login is too old, or from the future.
    #[error("its login is of another time, by {0} s: the clocks differ, or it was recorded and played again")]
    Time(i64),
    /// The name or the password is wrong.
    #[error("its name or password is wrong")]
    Wrong,
}

impl Access {
    /// Judges a login at this time; the user's name if it is good.
    ///
    /// # Errors
    /// Why it is not, for the server alone: see [`Unwelcome`].
    pub fn judge(&self, token: Option<&Token>, now: Timestamp) -> Result<String, Unwelcome> {
        let token = token.ok_or(Unwelcome::Nobody)?;
        let octets = pem::from_base64(token.text()).ok_or(Unwelcome::Unreadable)?;
        let text = self.key.decrypt(&octets).and_then(|octets| String::from_utf8(octets).ok());
        let (name, password, seconds) = text.as_deref().and_then(fields).ok_or(Unwelcome::Unreadable)?;
        let apart = now.0.div_euclid(1000).saturating_sub(seconds);
        if apart.unsigned_abs() > self.skew.as_secs() {
            return Err(Unwelcome::Time(apart));
        }
        if self.users.knows(name, password) { Ok(name.to_owned()) } else { Err(Unwelcome::Wrong) }
    }
}

/// Name, password and seconds since 1970 of a login's text.
fn fields(text: &str) -> Option<(&str, &str, i64)> {
    let (name, rest) = text.strip_prefix("user: ")?.split_once('\n')?;
    let (password, rest) = rest.strip_prefix("pwd:  ")?.split_once('\n')?;
    Some((name, password, rest.strip_prefix("ts:   ")?.trim_end().parse().ok()?))
}

#[cfg(test)]
mod tests;
