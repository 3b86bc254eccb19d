//! A login that anybody presents, and the files that a server reads for it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use squirrel_throughput::login::{Access, PrivateKey, PublicKey, USUAL_SKEW, Users};
use squirrel_throughput::protocol::Token;

/// Made for tests; it protects nothing.
const KEY: &str = include_str!("../../crates/squirrel-throughput/src/login/tests/private.pem");

static ACCESS: LazyLock<Access> = LazyLock::new(|| Access {
    key: PrivateKey::from_pem(KEY).expect("a key"),
    users: Users::parse("mario,bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b").expect("users"),
    skew: USUAL_SKEW,
});

fuzz_target!(|octets: &[u8]| {
    let text = String::from_utf8_lossy(octets).into_owned();
    let _ = ACCESS.judge(Some(&Token::new(text.clone())), Default::default());
    let _ = (Users::parse(&text), PrivateKey::from_pem(&text), PublicKey::from_pem(&text));
});
