//! TLS of a destination: whom to believe, whom to be, and what to call the other side.

mod anybody;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::secret::in_words;
use anybody::Anybody;

/// A version of TLS; older ones than these are not spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// How TLS is spoken with a destination. The default: this machine's roots, TLS 1.2 or later, the URL's host.
#[derive(Default)]
pub struct TlsOptions {
    roots: Vec<CertificateDer<'static>>,
    only_these_roots: bool,
    client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    server_name: Option<ServerName<'static>>,
    minimum: TlsVersion,
    maximum: Option<TlsVersion>,
    insecure_skip_verify: bool,
}

/// What is wrong with files or names for TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// What was looked for is not in the file, or is damaged.
    #[error("{place}: {reason}")]
    Pem {
        /// The file, or what the octets were to be.
        place: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Certificate and key do not fit each other, or are of a kind that is not spoken.
    #[error("the client's certificate and key cannot be used together: {0}")]
    Client(String),
    /// It is neither a name nor an address.
    #[error("the server's name is neither a host name nor an address")]
    ServerName,
    /// The oldest version that may be spoken is newer than the newest.
    #[error("the oldest version of TLS that may be spoken is newer than the newest: no version is left")]
    NoVersion,
    /// Nobody is trusted.
    #[error("this machine has no trusted roots: install its package of them (ca-certificates), or name a file")]
    NoRoots,
}

impl TlsOptions {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes the roots of a PEM file too.
    ///
    /// # Errors
    /// When it cannot be read or holds no certificate.
    pub fn with_roots_file(self, path: &Path) -> Result<Self, TlsError> {
        let pem = read(path)?;
        self.with_roots_named(&pem, &path.display().to_string())
    }

    /// Believes these roots, in PEM, too.
    ///
    /// # Errors
    /// When there is no certificate.
    pub fn with_roots(self, pem: &[u8]) -> Result<Self, TlsError> {
        self.with_roots_named(pem, "the roots")
    }

    fn with_roots_named(mut self, pem: &[u8], place: &str) -> Result<Self, TlsError> {
        let roots = certificates(pem, place)?;
        // Found out now and not at the first connection.
        let mut store = RootCertStore::empty();
        for root in &roots {
            store
                .add(root.clone())
                .map_err(|_| TlsError::Pem { place: place.to_owned(), reason: "a certificate in it cannot be read" })?;
        }
        self.roots.extend(roots);
        Ok(self)
    }

    /// Believes only the roots that were given, and not this machine's.
    #[must_use]
    pub fn without_system_roots(mut self) -> Self {
        self.only_these_roots = true;
        self
    }

    /// Shows a certificate of the client's own, of PEM files.
    ///
    /// # Errors
    /// When a file cannot be read, or the two do not fit each other.
    pub fn with_client_files(self, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (chain, private) = (read(certificate)?, read(key)?);
        self.with_client_named(&chain, &certificate.display().to_string(), &private, &key.display().to_string())
    }

    /// Shows a certificate of the client's own, in PEM: the chain and its key.
    ///
    /// # Errors
    /// When there is none, or the two do not fit each other.
    pub fn with_client(self, certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        self.with_client_named(certificate, "the client's certificate", key, "the client's key")
    }

    fn with_client_named(
        mut self,
        certificate: &[u8],
        certificate_place: &str,
        key: &[u8],
        key_place: &str,
    ) -> Result<Self, TlsError> {
        let chain = certificates(certificate, certificate_place)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Pem {
            place: key_place.to_owned(),
            reason: match error {
                PemError::NoItemsFound => "there is no private key in it, or it is encrypted",
                _ => "it is not PEM",
            },
        })?;
        rustls::sign::CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider())
            .map_err(|error| TlsError::Client(error.to_string()))?;
        self.client = Some((chain, key));
        Ok(self)
    }

    /// Asks for this name, and takes a certificate for it, instead of the URL's host.
    ///
    /// # Errors
    /// When it is neither a name nor an address.
    pub fn with_server_name(mut self, name: &str) -> Result<Self, TlsError> {
        self.server_name = Some(server_name(name)?);
        Ok(self)
    }

    /// Speaks no older version.
    #[must_use]
    pub fn with_minimum(mut self, version: TlsVersion) -> Self {
        self.minimum = version;
        self
    }

    /// Speaks no newer version, such as to see whether a server still speaks the old one.
    #[must_use]
    pub fn with_maximum(mut self, version: TlsVersion) -> Self {
        self.maximum = Some(version);
        self
    }

    /// Takes any certificate from anybody. Who stands between then reads and changes everything, secrets
    /// too: each destination that does so is logged as a warning when it is first used.
    #[must_use]
    pub fn insecure_skip_verify(mut self) -> Self {
        self.insecure_skip_verify = true;
        self
    }

    /// Whether certificates are not looked at.
    pub fn is_insecure(&self) -> bool {
        self.insecure_skip_verify
    }

    /// The name that a server's certificate has to be for: the one that was given, else the host.
    ///
    /// # Errors
    /// When the host is neither a name nor an address.
    pub fn name_for(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        self.server_name.clone().map_or_else(|| server_name(host), Ok)
    }

    /// What rustls needs, with `system` believed unless it shall not be. `protocols` are those offered within TLS
    /// (ALPN, RFC 7301), the preferred one first.
    ///
    /// # Errors
    /// When nobody is trusted, no version is left, or the client's certificate cannot be used.
    pub fn client_config(&self, system: &SystemRoots, protocols: &[&str]) -> Result<Arc<ClientConfig>, TlsError> {
        let mut roots = RootCertStore::empty();
        if !self.only_these_roots && !self.insecure_skip_verify {
            roots.extend(system.get().iter().cloned());
        }
        // Looked at when they were given.
        roots.add_parsable_certificates(self.roots.iter().cloned());
        if roots.is_empty() && !self.insecure_skip_verify {
            return Err(TlsError::NoRoots);
        }
        let versions: &[&SupportedProtocolVersion] = match (self.minimum, self.maximum.unwrap_or(TlsVersion::V1_3)) {
            (TlsVersion::V1_2, TlsVersion::V1_3) => &[&TLS13, &TLS12],
            (TlsVersion::V1_2, TlsVersion::V1_2) => &[&TLS12],
            (TlsVersion::V1_3, TlsVersion::V1_3) => &[&TLS13],
            (TlsVersion::V1_3, TlsVersion::V1_2) => return Err(TlsError::NoVersion),
        };
        let provider = Arc::new(ring::default_provider());
        let unusable = |error: rustls::Error| TlsError::Client(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(unusable)?;
        let builder = if self.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody::new(&provider)))
        } else {
            builder.with_root_certificates(roots)
        };
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(unusable)?,
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("roots", &self.roots.len())
            .field("only_these_roots", &self.only_these_roots)
            .field("client", &self.client.is_some())
            .field("server_name", &self.server_name)
            .field("minimum", &self.minimum)
            .field("maximum", &self.maximum)
            .field("insecure_skip_verify", &self.insecure_skip_verify)
            .finish()
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(text.to_owned()).map_err(|_| TlsError::ServerName)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::File { path: path.display().to_string(), reason: in_words(&error) })
}

fn certificates(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason| TlsError::Pem { place: place.to_owned(), reason };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|_| wrong("it is not PEM"))?;
    if found.is_empty() { Err(wrong("there is no certificate in it")) } else { Ok(found) }
}

/// This machine's trusted roots, read when they are first needed and then kept.
#[derive(Debug, Default)]
pub struct SystemRoots(OnceLock<Vec<rustls::pki_types::TrustAnchor<'static>>>);

impl SystemRoots {
    fn get(&self) -> &[rustls::pki_types::TrustAnchor<'static>] {
        self.0.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a trusted root of this machine cannot be read");
            }
            let mut store = RootCertStore::empty();
            // Old roots that no longer follow the rules are passed over, as browsers do.
            store.add_parsable_certificates(found.certs);
            store.roots
        })
    }
}
