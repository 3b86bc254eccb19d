//! Which addresses may be connected to.

use super::*;

fn class(text: &str) -> AddressClass {
    AddressClass::of(text.parse().unwrap())
}

#[test]
fn addresses_have_their_class_however_they_are_written() {
    use AddressClass::{LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, Unspecified};
    for (text, expected) in [
        ("1.1.1.1", Public),
        ("172.32.0.1", Public),
        ("172.31.255.255", Private),
        ("100.64.0.1", Private),
        ("100.128.0.1", Public),
        ("127.9.9.9", Loopback),
        ("0.0.0.0", Unspecified),
        ("0.1.2.3", Unspecified),
        ("169.254.1.1", LinkLocal),
        ("169.254.169.254", Metadata),
        ("100.100.100.200", Metadata),
        ("224.0.0.1", Multicast),
        ("255.255.255.255", Reserved),
        ("192.0.2.1", Reserved),
        ("198.18.0.1", Reserved),
        ("::", Unspecified),
        ("::1", Loopback),
        ("2606:4700::1111", Public),
        ("fd00:ec2::254", Metadata),
        ("fd00::1", Private),
        ("fe80::1", LinkLocal),
        ("ff02::1", Multicast),
        ("2001:db8::1", Reserved),
        ("::ffff:127.0.0.1", Loopback),
        ("::ffff:169.254.169.254", Metadata),
        ("::127.0.0.1", Loopback),
        ("64:ff9b::a9fe:a9fe", Metadata),
        ("2002:a9fe:a9fe::1", Metadata),
        ("2002:0a00:0001::1", Private),
        ("64:ff9b::101:101", Public),
    ] {
        assert_eq!(class(text), expected, "{text}");
    }
}

#[test]
fn rules_refuse_what_they_say() {
    let check = |rules: &AddressRules, text: &str| rules.check(text.parse().unwrap()).is_ok();
    let usual = AddressRules::default();
    for (text, by_default, in_public) in [
        ("127.0.0.1", true, false),
        ("10.1.2.3", true, false),
        ("fe80::1", true, false),
        ("1.1.1.1", true, true),
        ("169.254.169.254", false, false),
        ("fd00:ec2::254", false, false),
        ("::ffff:169.254.169.254", false, false),
        ("0.0.0.0", false, false),
        ("224.0.0.1", false, false),
    ] {
        assert_eq!(
            (check(&usual, text), check(&AddressRules::public(), text), check(&AddressRules::any(), text)),
            (by_default, in_public, true),
            "{text}"
        );
    }
}

#[test]
fn networks_are_exceptions() {
    let rules = AddressRules::public().and("10.1.0.0/16".parse().unwrap()).and("::1".parse().unwrap());
    let check = |text: &str| rules.check(text.parse().unwrap());
    assert_eq!(check("10.1.255.1"), Ok(()));
    assert_eq!(check("::ffff:10.1.255.1"), Ok(()));
    assert_eq!(check("10.2.0.1"), Err(AddressClass::Private));
    assert_eq!((check("::1"), check("127.0.0.1")), (Ok(()), Err(AddressClass::Loopback)));
    let everything = AddressRules::public().and("0.0.0.0/0".parse().unwrap());
    assert!(everything.check("10.2.0.1".parse().unwrap()).is_ok());
    assert!(everything.check("fd00::1".parse().unwrap()).is_err());
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "a/8", "10.0.0.0/"] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}
