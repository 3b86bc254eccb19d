//! Why a request got no answer, in words that end a sentence about the destination.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};
use squirrel_model::Untrusted;

use crate::secret::in_words;
use crate::{AddressClass, TlsError};

/// A part of a request's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Asking for the name's addresses.
    Resolve,
    /// Connecting.
    Connect,
    /// TLS' handshake.
    Tls,
    /// From the request's first octet to the answer's head.
    Answer,
    /// The answer's body.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the name",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Answer => "waiting for the answer",
            Self::Body => "reading the answer",
        })
    }
}

/// Why there is no answer. No secret of the destination or the request is in it, and what strangers wrote is
/// escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The request is not one that HTTP allows.
    #[error("the request cannot be written: {0}")]
    Request(&'static str),
    /// The name leads nowhere.
    #[error("the name was not found: {0}")]
    NotFound(String),
    /// The name leads only to addresses that the destination may not have.
    #[error("{address} is {class}, to which nothing is sent from here")]
    Forbidden {
        /// The first of them.
        address: IpAddr,
        /// What it is.
        class: AddressClass,
    },
    /// No connection.
    #[error("{address}: {reason}")]
    Connect {
        /// The last address that was tried.
        address: IpAddr,
        /// What the system says.
        reason: String,
    },
    /// TLS was not agreed on, or the server is not who it should be.
    #[error("TLS: {0}")]
    Tls(String),
    /// It took too long.
    #[error("no end of {phase} within {} s", after.as_secs_f64())]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// How long.
        after: Duration,
    },
    /// The connection ended, or what came is not HTTP.
    #[error("{phase}: {reason}")]
    Broken {
        /// When.
        phase: Phase,
        /// What happened.
        reason: String,
    },
    /// The server names another place. Redirects are not followed, since the other place would get what was
    /// meant for this one.
    #[error("it answered {status} and leads to {}; redirects are not followed: write the new address down",
        host.as_deref().map_or("another place".to_owned(), |host| Untrusted(host).to_string()))]
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The host of `Location`; without the path, which may be long.
        host: Option<String>,
    },
}

impl SendError {
    /// One word for metrics and records.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::NotFound(_) => "resolve",
            Self::Forbidden { .. } => "forbidden",
            Self::Connect { .. } => "connect",
            Self::Tls(_) => "tls",
            Self::Timeout { .. } => "timeout",
            Self::Broken { .. } => "broken",
            Self::Redirect { .. } => "redirect",
        }
    }

    /// Whether the same request may get an answer later without anybody changing the configuration.
    pub fn is_temporary(&self) -> bool {
        !matches!(self, Self::Request(_) | Self::Forbidden { .. } | Self::Redirect { .. })
    }

    /// What an error in TLS' handshake says.
    pub fn of_handshake(error: &std::io::Error) -> Self {
        match tls_error_in(error) {
            Some(error) => Self::Tls(in_the_field_s_words(error)),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Tls("the server closed the connection in the handshake".to_owned())
            }
            None => Self::Tls(in_words(error)),
        }
    }

    /// What an error of the conversation says. With TLS 1.3 a server's refusal of the client's certificate
    /// comes only here.
    pub fn of_exchange(phase: Phase, error: &hyper::Error) -> Self {
        if let Some(error) = tls_error_in(error) {
            return Self::Tls(in_the_field_s_words(error));
        }
        let reason = if error.is_incomplete_message() {
            "the server closed the connection before its answer was complete".to_owned()
        } else if error.is_parse() {
            "what the server says is not HTTP/1.1".to_owned()
        } else if let Some(error) = find::<std::io::Error>(error) {
            in_words(error)
        } else {
            "the connection broke off".to_owned()
        };
        Self::Broken { phase, reason }
    }
}

impl From<TlsError> for SendError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error.to_string())
    }
}

/// The first error of a type among an error and its reasons. An `io::Error` hides the one within it.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    // Chains are short; a bound keeps a mistaken one from being endless.
    for _ in 0..16 {
        let error = next?;
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

fn tls_error_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    find(error)
}

/// What went wrong with TLS, and what to look at.
fn in_the_field_s_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate_in_words(error),
        rustls::Error::AlertReceived(alert) => alert_in_words(*alert),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        rustls::Error::PeerIncompatible(_) => "no version or cipher of TLS that both sides speak".to_owned(),
        rustls::Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        // Texts of rustls may repeat what the server sent.
        other => Untrusted(&other.to_string().chars().take(200).collect::<String>()).to_string(),
    }
}

fn certificate_in_words(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate is of an unknown issuer; name the issuer's certificate as a root, if you trust it"
                .to_owned()
        }
        CertificateError::NotValidForName => "the server's certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<String> = presented.iter().take(4).map(|name| shown_name(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            format!("the server's certificate is for {names}, not for {}", expected.to_str())
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        CertificateError::BadSignature => "a signature of the server's certificates is wrong".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not one for servers".to_owned()
        }
        CertificateError::BadEncoding => "the server's certificate cannot be read".to_owned(),
        _ => "the server's certificate is not acceptable".to_owned(),
    }
}

/// A name of a certificate; webpki writes `DnsName("example.org")` and `IpAddress(127.0.0.1)`.
fn shown_name(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')')).trim_matches('"');
    Untrusted(&inner.chars().take(100).collect::<String>()).to_string()
}

fn alert_in_words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server asks for a client's certificate".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            format!("the server does not accept the client's certificate ({alert:?})")
        }
        AlertDescription::HandshakeFailure => {
            "the server refused the handshake; it may ask for a client's certificate".to_owned()
        }
        AlertDescription::ProtocolVersion => "no version of TLS that both sides speak".to_owned(),
        AlertDescription::UnrecognisedName => "the server does not know the name it was asked by".to_owned(),
        other => format!("the server refused the handshake ({other:?})"),
    }
}
