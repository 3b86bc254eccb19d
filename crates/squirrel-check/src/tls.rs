//! TLS over a connection, and what is noted of it.

use rustls::ProtocolVersion;
use squirrel_model::Labels;
use squirrel_outbound::{SendError, SystemRoots, TlsOptions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate;
use crate::finding::{Failed, Notes};
use crate::metrics;

/// TLS or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Agrees on TLS with a server that is to be `host`, unless the options name another.
pub(crate) async fn handshake<S: Stream>(
    stream: S,
    host: &str,
    options: &TlsOptions,
    roots: &SystemRoots,
    protocols: &[&str],
) -> Result<TlsStream<S>, Failed> {
    let unusable = |error: squirrel_outbound::TlsError| Failed::new(format!("TLS: {error}"));
    let name = options.name_for(host).map_err(unusable)?;
    let connector = TlsConnector::from(options.client_config(roots, protocols).map_err(unusable)?);
    let stream = connector.connect(name, stream).await;
    stream.map_err(|error| Failed::new(SendError::of_handshake(&error).to_string()))
}

/// Notes versions and certificates. The cipher only where blackbox_exporter tells it: of HTTP.
pub(crate) fn note<S>(stream: &TlsStream<S>, options: &TlsOptions, with_cipher: bool, notes: &mut Notes) {
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates().unwrap_or_default();
    if let Some(expiry) = certificate::earliest_expiry(shown) {
        notes.set(&metrics::SSL_EARLIEST_CERT_EXPIRY, expiry as f64);
    }
    let believed = if options.is_insecure() { None } else { certificate::chain_expiry(shown) };
    notes.set(&metrics::SSL_LAST_CHAIN_EXPIRY, believed.map_or(certificate::NEVER, |expiry| expiry as f64));
    if let Some(labels) = certificate::labels(shown) {
        notes.set_labelled(&metrics::SSL_LAST_CHAIN_INFO, &labels, 1.0);
    }
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "unknown",
    };
    let labels = Labels::new([("version", version)]).unwrap_or_default();
    notes.set_labelled(&metrics::TLS_VERSION_INFO, &labels, 1.0);
    if let Some(suite) = connection.negotiated_cipher_suite().filter(|_| with_cipher) {
        // rustls puts the version into the names of TLS 1.3, which IANA does not.
        let name = format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1);
        let labels = Labels::new([("cipher", name)]).unwrap_or_default();
        notes.set_labelled(&metrics::TLS_CIPHER_INFO, &labels, 1.0);
    }
}
