//! Logins there and back, and what is refused. That iperf3 and OpenSSL understand them is tested with those programs.

use proptest::prelude::*;

use super::*;

/// Made for these tests; it protects nothing.
const PRIVATE: &str = include_str!("tests/private.pem");
const PUBLIC: &str = include_str!("tests/public.pem");
const NOW: Timestamp = Timestamp(1_795_278_137_400);

fn access() -> Access {
    let hash = "bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b";
    let users = Users::parse(&format!("mario,{hash}")).unwrap();
    Access { key: PrivateKey::from_pem(PRIVATE).unwrap(), users, skew: USUAL_SKEW }
}

fn credentials(username: &str, password: &str, padding: Padding) -> Credentials {
    let key = PublicKey::from_pem(PUBLIC).unwrap();
    Credentials { username: username.into(), password: Password::new(password), key, padding }
}

#[test]
fn who_is_known_is_let_in_with_either_padding() {
    for padding in [Padding::Oaep, Padding::Pkcs1] {
        let token = credentials("mario", "rossi", padding).token(NOW).unwrap();
        assert_eq!(access().judge(Some(&token), NOW), Ok("mario".into()), "{padding:?}");
        let again = credentials("mario", "rossi", padding).token(NOW).unwrap();
        assert!(token != again, "{padding:?}: the padding is random");
    }
}

#[test]
fn who_is_not_known_is_refused_and_why_is_told_to_the_server_alone() {
    let judged = |token: &Token, seconds: i64| access().judge(Some(token), NOW.plus_ms(seconds * 1000));
    let good = credentials("mario", "rossi", Padding::Oaep).token(NOW).unwrap();
    assert_eq!(access().judge(None, NOW), Err(Unwelcome::Nobody));
    assert!(judged(&good, 10).is_ok() && judged(&good, -10).is_ok());
    assert_eq!(judged(&good, 11), Err(Unwelcome::Time(11)));
    assert_eq!(judged(&good, -11), Err(Unwelcome::Time(-11)));
    for (name, password) in [("mario", "Rossi"), ("luigi", "rossi")] {
        let token = credentials(name, password, Padding::Pkcs1).token(NOW).unwrap();
        assert_eq!(judged(&token, 0), Err(Unwelcome::Wrong), "{name}");
    }
    let other = good.text().replacen(|letter: char| letter.is_ascii_lowercase(), "A", 1);
    for wrong in ["", "Zg==", "no Base64", other.as_str(), &good.text()[4..], &"/".repeat(172)] {
        assert_eq!(judged(&Token::new(wrong.into()), 0), Err(Unwelcome::Unreadable), "{wrong}");
    }
}

#[test]
fn what_a_login_cannot_carry_is_said_before_it_is_sent() {
    let why = |name: &str, password: &str| credentials(name, password, Padding::Oaep).check();
    assert_eq!(why("", "x"), Err(LoginError::Unfit("name")));
    assert_eq!(why("a\nb", "x"), Err(LoginError::Unfit("name")));
    assert_eq!(why("a", ""), Err(LoginError::Unfit("password")));
    assert_eq!(why("a", &"x".repeat(100)), Err(LoginError::TooLong));
    assert_eq!(why("a b", "with spaces, ü and \"quotes\""), Ok(()));
}

#[test]
fn keys_that_protect_nothing_are_refused() {
    // RSA of 512 bits, and one of an elliptic curve.
    let short = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMPSGA8eSOEJ2LkteSuSadZp1KM5KGnAtTIfeoQ4VipMRmX/1rvpjeejkqiBDFiNLzz1QcYNPz1/OBUsaFh6SqsCAwEAAQ==";
    let pem = |inner: &str| format!("-----BEGIN PUBLIC KEY-----\n{inner}\n-----END PUBLIC KEY-----");
    assert!(matches!(PublicKey::from_pem(&pem(short)), Err(LoginError::Size(512))));
    let curve = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
    assert!(matches!(PublicKey::from_pem(&pem(curve)), Err(LoginError::NotRsa(_))));
    assert!(matches!(PrivateKey::from_pem(PUBLIC), Err(LoginError::NoKey("PRIVATE KEY"))));
}

#[test]
fn nothing_secret_is_printed() {
    let credentials = credentials("mario", "rossi", Padding::Oaep);
    let token = credentials.token(NOW).unwrap();
    let printed = format!("{credentials:?} {:?} {token:?}", access());
    assert!(!printed.contains("rossi") && !printed.contains(token.text()) && printed.len() < 300, "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_login_is_survived(octets in prop::collection::vec(any::<u8>(), 0..130), text in ".{0,40}") {
        let _ = access().judge(Some(&Token::new(pem::base64(&octets))), NOW);
        let _ = access().judge(Some(&Token::new(text.clone())), NOW);
        let _ = fields(&text);
        let _ = Users::parse(&text);
        let _ = PrivateKey::from_pem(&text);
    }
}
