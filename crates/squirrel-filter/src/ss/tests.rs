//! The language by its rules; the program's own tests compare it with the tool on real sockets.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<SsFilter, FilterError> {
    let services = Services::default();
    SsFilter::parse(text, &Names { services: &services, interface: &|name| (name == "lo").then_some(1) })
}

fn subject(local: &str, local_port: u16, remote: &str, remote_port: u16) -> Subject {
    let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
    Subject { local, local_port, remote, remote_port, interface: 1, autobound: local_port > 30_000 }
}

#[test]
fn expressions_choose_sockets() {
    let v4 = subject("127.0.0.1", 22, "10.1.2.3", 40_000);
    let v6 = subject("::1", 40_001, "::1", 443);
    let mapped = subject("::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 1024);
    for (text, expected) in [
        ("", [true, true, true]),
        ("sport = :ssh", [true, false, false]),
        ("sport ssh", [true, false, false]),
        ("sport=:22", [true, false, false]),
        ("sport != :22", [false, true, true]),
        ("dport > :1024", [true, false, false]),
        ("dport ge 1024", [true, false, true]),
        ("dport < :1024", [false, true, false]),
        ("dport <= 1024", [false, true, true]),
        ("src 127.0.0.1:22", [true, false, false]),
        ("dst 10/8", [true, false, true]),
        ("dst 10.0.0.0/8:40000", [true, false, false]),
        ("dst [::1]", [false, true, false]),
        ("dst [::1]:443", [false, true, false]),
        ("dst ::1", [false, true, false]),
        ("dst [::]/0", [false, true, true]),
        ("dst *:443", [false, true, false]),
        ("not dst 10/8", [false, true, false]),
        ("!( dst 10/8 )", [false, true, false]),
        ("autobound", [false, true, false]),
        ("dev lo sport = :22", [true, false, false]),
        ("dev != 1", [false, false, false]),
        // From left to right: (22 or 80) and 1024.
        ("sport = :22 or sport = :80 and dport = :1024", [false, false, true]),
        ("sport = :22 | ( sport = :80 && dport = :1024 )", [true, false, true]),
        ("( sport = :22 or sport = :80 ) dport gt 1024", [true, false, false]),
    ] {
        let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!([v4, v6, mapped].map(|subject| filter.matches(&subject)), expected, "{text}");
        assert_eq!(filter.needs_autobound(), text == "autobound");
    }
}

#[test]
fn states_add_up_and_are_taken_away() {
    for (text, expected) in [
        ("", None),
        ("state established", Some(1 << 1)),
        ("state listening state time-wait", Some(1 << 10 | 1 << 6)),
        ("exclude listening", Some(ALL & !(1 << 10))),
        ("state connected exclude established", Some(CONNECTED & !(1 << 1))),
        ("state BUCKET", Some(1 << 3 | 1 << 6)),
        ("state close-wait sport = :22", Some(1 << 8)),
    ] {
        assert_eq!(parse(text).unwrap().states, expected, "{text}");
    }
}

#[test]
fn mistakes_are_shown_with_their_place() {
    for (text, column, words) in [
        ("state foo", 7, "There are: established"),
        ("state establishd", 7, "Did you mean established?"),
        ("state", 6, "name of a state"),
        ("sprot = :22", 1, "Did you mean sport?"),
        ("sport = :nonsense", 9, "no port"),
        ("sport = :99999", 9, "no port"),
        ("dst example.org", 5, "not looked up"),
        ("dst > 10/8", 7, "not more or less"),
        ("( sport = :22", 1, "not closed"),
        ("sport = :22 )", 13, "closes nothing"),
        ("sport = :22 or", 15, "ends"),
        ("dev nope0", 5, "no interface"),
        ("fwmark = 1", 1, "CAP_NET_ADMIN"),
        ("sport = :22 state listening", 13, "before all other"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    assert!(parse(&"(".repeat(4000)).is_err() && parse(&"! ".repeat(2000)).is_err());
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_at_a_place_in_it(
        text in "((state|exclude|sport|dst|or|not|\\(|\\)|=|>|:22|10/8|\\[::1\\]:80|listening) ){0,8}|\\PC{0,40}"
    ) {
        match parse(&text) {
            Ok(filter) => {
                let subject = subject("127.0.0.1", 22, "10.1.2.3", 40_000);
                if filter.states.is_none() && filter.has_expression() {
                    let opposite = parse(&format!("! ( {text} )")).unwrap();
                    prop_assert_ne!(filter.matches(&subject), opposite.matches(&subject));
                }
            }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}"),
        }
    }

    #[test]
    fn an_address_with_a_port_is_both_conditions(a in any::<[u8; 4]>(), bits in 0..=32u8, port in 0..200u16) {
        let network = format!("{}.{}.{}.{}/{bits}", a[0], a[1], a[2], a[3]);
        let subject = subject("127.0.0.1", 22, "10.1.2.3", 80);
        let holds = |text: &str| parse(text).unwrap().matches(&subject);
        prop_assert_eq!(
            holds(&format!("dst {network}:{port}")),
            holds(&format!("dst {network}")) && holds(&format!("dport = :{port}"))
        );
    }
}
