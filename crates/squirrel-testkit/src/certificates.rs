//! Authorities and certificates for servers of TLS, made when the test runs.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

pub use rcgen::DistinguishedName;

/// A year in which no test runs any more.
const FAR: i32 = 4_000;

/// An authority that signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Identity {
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// The certificate, in PEM.
    pub certificate: String,
    /// The key, in PEM.
    pub key: String,
    key_der: Vec<u8>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// One that stays.
    pub fn new() -> Self {
        Self::until(FAR)
    }

    /// One whose own certificate ends in the middle of a year.
    ///
    /// # Panics
    /// When there is no randomness for a key.
    pub fn until(year: i32) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(year, 6, 30);
        let key = KeyPair::generate().expect("a key");
        // Authorities of one name would be taken for each other until a signature is looked at.
        let name = format!("{:?}", key.public_key_raw().get(..16));
        params.distinguished_name.push(DnType::CommonName, name);
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    /// Its certificate, in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A certificate for a host.
    pub fn sign(&self, host: &str) -> Identity {
        self.sign_until(host, FAR)
    }

    /// A certificate for a host that ends in the middle of a year.
    pub fn sign_until(&self, host: &str, year: i32) -> Identity {
        self.sign_named(host, &name_of(&[("CN", host)]), year)
    }

    /// A certificate for a host that goes by another name too.
    ///
    /// # Panics
    /// When the host can be in no certificate.
    pub fn sign_named(&self, host: &str, subject: &DistinguishedName, year: i32) -> Identity {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host");
        params.distinguished_name = subject.clone();
        params.not_before = rcgen::date_time_ymd(2_001, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 6, 30);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            der: certificate.der().clone(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            key_der: key.serialize_der(),
        }
    }
}

/// A name of attributes by their short names: `CN`, `O`, `C`.
pub fn name_of(attributes: &[(&str, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in attributes {
        let kind = match *kind {
            "C" => DnType::CountryName,
            "O" => DnType::OrganizationName,
            _ => DnType::CommonName,
        };
        name.push(kind, *value);
    }
    name
}

impl Identity {
    /// A server's side of TLS.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_of(None, &[])
    }

    /// As [`Self::acceptor`], of a server that asks for certificates of an authority, and speaks these protocols.
    ///
    /// # Panics
    /// When certificate and key do not fit each other, which they do.
    pub fn acceptor_of(&self, clients_of: Option<&Authority>, protocols: &[&str]) -> TlsAcceptor {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.expect("versions of TLS");
        let builder = match clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der()).expect("a root");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::try_from(self.key_der.clone()).expect("a key");
        let mut config = builder.with_single_cert(vec![self.der.clone()], key).expect("a certificate and its key");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
