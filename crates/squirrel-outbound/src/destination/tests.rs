//! URLs and what stands beside them: what is taken, what is refused, and what is never shown.

use super::*;

#[test]
fn urls_are_read() {
    for (url, shown, authority, target, is_local) in [
        ("http://localhost", "http://localhost", "localhost", "/", true),
        ("https://Example.ORG/a?b=c", "https://example.org", "example.org", "/a?b=c", false),
        ("https://[::1]:8443/x", "https://[::1]:8443", "[::1]:8443", "/x", true),
        ("http://127.0.0.1:80?q", "http://127.0.0.1", "127.0.0.1", "/?q", true),
        ("  https://a:443/#part ", "https://a", "a", "/", false),
    ] {
        let to = Destination::parse(url).unwrap();
        assert_eq!(
            (to.to_string().as_str(), to.authority().as_str(), to.target(None).as_str(), to.is_local()),
            (shown, authority, target, is_local)
        );
    }
}

#[test]
fn what_is_no_destination_is_refused_and_not_repeated() {
    for (url, expected) in [
        ("", DestinationError::NotUrl),
        ("sesame", DestinationError::NotUrl),
        ("/sesame", DestinationError::NotUrl),
        ("http://", DestinationError::NotUrl),
        ("http://:80/", DestinationError::NoHost),
        ("http://a:sesame/", DestinationError::NotUrl),
        ("http://a:99999/", DestinationError::NotUrl),
        ("http://a b/sesame", DestinationError::NotUrl),
        ("http://1[2001:db8::1]:9090/sesame", DestinationError::NotUrl),
        ("http://[sesame]/", DestinationError::NotUrl),
        ("ftp://sesame/", DestinationError::Scheme),
        ("https://user:sesame@a/", DestinationError::Password),
    ] {
        let error = Destination::parse(url).unwrap_err();
        assert!(error == expected && !error.to_string().contains("sesame"), "{url}: {error:?}");
    }
}

#[test]
fn paths_and_queries_are_joined() {
    let target = |url: &str, more: &str| Destination::parse(url).unwrap().target(Some(more));
    for (url, more, expected) in [
        ("http://a", "/api/v1/query", "/api/v1/query"),
        ("http://a/", "api", "/api"),
        ("http://a/prefix/", "/api?x=1", "/prefix/api?x=1"),
        ("http://a/prefix?tenant=t", "/api?x=1", "/prefix/api?tenant=t&x=1"),
        ("http://a/p?t=1", "?x=2", "/p?t=1&x=2"),
        ("http://a/p?t=1", "", "/p?t=1"),
    ] {
        assert_eq!(target(url, more), expected);
    }
}

#[test]
fn no_secret_is_in_any_text() {
    let secret = Secret::new("sesame");
    let to = Destination::parse("https://hooks.example/services/sesame?key=sesame").unwrap();
    let to = to.with_basic("user", &secret).unwrap().with_header("X-Key", &secret).unwrap();
    let texts = format!("{to} {to:?} {to:#?}");
    assert!(!texts.contains("sesame") && !texts.contains("c2VzYW1l") && texts.contains("x-key"), "{texts}");
    let to = to.with_bearer(&secret).unwrap();
    assert!(!format!("{to:?}").contains("sesame"));
    assert_eq!(to.headers[AUTHORIZATION], "Bearer sesame");
}

#[test]
fn headers_that_split_requests_are_refused() {
    let to = || Destination::parse("http://a").unwrap();
    assert!(to().with_bearer(&Secret::new("a\r\nX: y")).is_err());
    assert!(to().with_header("a b", &Secret::new("x")).is_err());
    assert!(to().with_basic("a:b", &Secret::new("x")).is_err());
    assert_eq!(
        to().with_header("Host", &Secret::new("x")).unwrap_err(),
        DestinationError::OwnHeader("Host".to_owned())
    );
}

proptest::proptest! {
    #[test]
    fn what_is_shown_of_any_destination_leads_to_the_same_place(text in "(https?://)?[a-z0-9.:\\[\\]@/?#%-]{0,24}") {
        if let Ok(to) = Destination::parse(&text) {
            let again = Destination::parse(&to.to_string()).unwrap();
            proptest::prop_assert_eq!((again.host(), again.port, again.is_tls), (to.host(), to.port, to.is_tls));
        }
    }
}

#[test]
fn the_examples_of_rfc_4648_are_written() {
    for (octets, expected) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64(octets.as_bytes()), expected);
    }
}
