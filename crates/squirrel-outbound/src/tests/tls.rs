//! Certificates that are good, and those that are not.

use squirrel_testkit::{Authority, Identity};

use super::server::{Act, Server, ok};
use super::{LONG, SHORT, get, to};
use crate::{SendError, Timeouts, TlsError, TlsOptions, TlsVersion};

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions::new().with_roots(authority.pem().as_bytes()).unwrap().without_system_roots()
}

#[tokio::test]
async fn a_good_chain_is_believed() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.sign("localhost").acceptor()), ok("hello")).await;
    for options in [trusting(&authority), trusting(&authority).with_minimum(TlsVersion::V1_3)] {
        let answer = get(&to(&server.url("https", "localhost")).with_tls(options)).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), answer.is_cut), (200, &b"hello"[..], false));
    }
}

#[tokio::test]
async fn certificates_of_addresses_are_believed_for_them() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.sign("127.0.0.1").acceptor()), ok("hello")).await;
    assert!(get(&to(&server.url("https", "127.0.0.1")).with_tls(trusting(&authority))).await.is_ok());
}

#[tokio::test]
async fn bad_certificates_are_refused_in_words() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (identity, host, expected) in [
        (
            authority.sign("other.example"),
            "localhost",
            "the server's certificate is for other.example, not for localhost",
        ),
        (authority.sign_until("localhost", 2_002), "localhost", "the server's certificate has expired"),
        (
            stranger.sign("localhost"),
            "localhost",
            "the server's certificate is of an unknown issuer; name the issuer's certificate as a root, if you trust it",
        ),
    ] {
        let server = Server::start(Some(identity.acceptor()), ok("secret")).await;
        let error = get(&to(&server.url("https", host)).with_tls(trusting(&authority))).await.unwrap_err();
        assert_eq!(error, SendError::Tls(expected.to_owned()));
        assert!(server.requests().is_empty(), "nothing was said to a stranger");
    }
}

#[tokio::test]
async fn a_server_may_be_known_by_another_name() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.sign("inner.example").acceptor()), ok("hello")).await;
    let options = trusting(&authority).with_server_name("inner.example").unwrap();
    assert!(get(&to(&server.url("https", "localhost")).with_tls(options)).await.is_ok());
    assert_eq!(TlsOptions::new().with_server_name("a b").unwrap_err(), TlsError::ServerName);
}

#[tokio::test]
async fn only_who_says_so_takes_any_certificate() {
    let server = Server::start(Some(Authority::new().sign("other.example").acceptor()), ok("hello")).await;
    let destination = to(&server.url("https", "localhost")).with_tls(TlsOptions::new().insecure_skip_verify());
    assert_eq!(get(&destination).await.unwrap().status, 200);
    assert!(format!("{destination:?}").contains("insecure_skip_verify: true"));
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = Server::start(Some(authority.sign("localhost").acceptor_of(Some(&clients), &[])), ok("hello")).await;
    let url = server.url("https", "localhost");
    let error = get(&to(&url).with_tls(trusting(&authority))).await.unwrap_err();
    assert_eq!(error, SendError::Tls("the server asks for a client's certificate".to_owned()));

    let with = |identity: &Identity| {
        trusting(&authority).with_client(identity.certificate.as_bytes(), identity.key.as_bytes()).unwrap()
    };
    assert_eq!(get(&to(&url).with_tls(with(&clients.sign("client")))).await.unwrap().status, 200);
    let error = get(&to(&url).with_tls(with(&Authority::new().sign("client")))).await.unwrap_err().to_string();
    assert!(error.starts_with("TLS: the server does not accept the client's certificate"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_with_it() {
    let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(None, Act::Interrupt(refusal)).await;
    let error = get(&to(&server.url("https", "localhost")).with_tls(trusting(&Authority::new()))).await.unwrap_err();
    assert_eq!(error, SendError::Tls("the server does not speak TLS on this port".to_owned()));
    let server = Server::start(Some(Authority::new().sign("localhost").acceptor()), ok("hello")).await;
    let error = get(&to(&server.url("http", "localhost"))).await.unwrap_err().to_string();
    assert!(error.starts_with("waiting for the answer: "), "{error}");
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    // A listener that nobody accepts on: the kernel connects, and nothing is ever said.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let short = Timeouts { resolve: LONG, connect: SHORT, whole: LONG };
    let to = to(&url).with_tls(trusting(&Authority::new())).with_timeouts(short);
    assert_eq!(get(&to).await.unwrap_err().to_string(), "no end of the TLS handshake within 0.2 s");
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let error = TlsOptions::new().with_roots_file(&path).unwrap_err().to_string();
    assert!(error.ends_with("ca.pem cannot be read: no such file or directory"), "{error}");
    let (one, other) = (Authority::new().sign("a"), Authority::new().sign("a"));
    std::fs::write(&path, &one.key).unwrap();
    let error = TlsOptions::new().with_roots_file(&path).unwrap_err().to_string();
    assert!(error.ends_with("ca.pem: there is no certificate in it"), "{error}");
    let error = TlsOptions::new().with_client(one.certificate.as_bytes(), b"none").unwrap_err().to_string();
    assert_eq!(error, "the client's key: there is no private key in it, or it is encrypted");
    let error = TlsOptions::new().with_client(one.certificate.as_bytes(), other.key.as_bytes()).unwrap_err();
    assert!(matches!(error, TlsError::Client(_)), "{error}");
    assert!(
        !format!("{:?}", TlsOptions::new().with_client(one.certificate.as_bytes(), one.key.as_bytes()).unwrap())
            .contains("PRIVATE")
    );
}
