//! Names by answers that are made up: right ones, wrong ones, and none.

use proptest::prelude::*;

use super::*;

const SERVERS: [&str; 2] = ["192.0.2.53:53", "[2001:db8::53]:53"];

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn names() -> Names {
    Names::new(BTreeMap::from([(ip(1), "gate".to_owned())]), SERVERS.map(|one| one.parse().unwrap()).to_vec(), 7)
}

fn at(seconds: u64) -> Elapsed {
    Elapsed(Duration::from_secs(seconds))
}

/// A record of a type for a name, that says another name.
fn record(of: &[u8], kind: u8, says: &[u8]) -> Vec<u8> {
    let mut octets = of.to_vec();
    octets.extend([0, kind, 0, 1, 0, 0, 0, 60, 0, says.len() as u8]);
    octets.extend(says);
    octets
}

/// An answer to a question with this code and these records.
fn answer(query: &Query, code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = query.octets.clone();
    octets[2] |= 0x80;
    octets[3] = code;
    octets[7] = records.len() as u8;
    octets.extend(records.concat());
    octets
}

/// The name of the question, by a pointer to it.
const ASKED: [u8; 2] = [0xc0, 12];

#[test]
fn a_name_is_asked_for_once_and_known_from_its_answer_on() {
    let mut names = names();
    for last in [1, 9, 9, 1] {
        names.want(ip(last));
    }
    assert_eq!((names.name(ip(1)), names.name(ip(9))), (Some("gate"), None));
    let query = names.step(at(0)).expect("a question");
    assert_eq!(query.server.to_string(), SERVERS[0]);
    assert_eq!(Message::parse(&query.octets).unwrap().question.unwrap().name.to_string(), "9.2.0.192.in-addr.arpa.");
    assert_eq!(names.step(at(0)), None, "one address, one question");
    names.answered(query.server, &answer(&query, 0, &[record(&ASKED, 12, b"\x04core\x07example\0")]));
    assert_eq!(names.name(ip(9)), Some("core.example"));
    names.want(ip(9));
    assert_eq!(names.step(at(100)), None);
}

#[test]
fn an_alias_is_followed_and_a_loop_of_them_ends() {
    let mut names = names();
    names.want(ip(9));
    let query = names.step(at(0)).expect("a question");
    let alias = record(&ASKED, 5, b"\x01a\0");
    let pointer = record(b"\x01a\0", 12, b"\x01b\0");
    names.answered(query.server, &answer(&query, 0, &[alias, pointer]));
    assert_eq!(names.name(ip(9)), Some("b"));
    names.want(ip(8));
    let query = names.step(at(0)).expect("a question");
    names.answered(query.server, &answer(&query, 0, &[record(&ASKED, 5, &ASKED)]));
    assert_eq!(names.step(at(9)), None);
    assert_eq!(names.name(ip(8)), None);
}

#[test]
fn a_hostile_name_is_escaped() {
    let mut names = names();
    names.want(ip(9));
    let query = names.step(at(0)).expect("a question");
    names.answered(query.server, &answer(&query, 0, &[record(&ASKED, 12, b"\x05\x1b[2J\xff\0")]));
    assert_eq!(names.name(ip(9)), Some("\\027[2J\\255"));
}

#[test]
fn who_does_not_answer_or_does_not_know_is_followed_by_the_next_until_all_were_asked_twice() {
    let mut names = names();
    names.want(ip(9));
    let mut asked = Vec::new();
    for second in 0..10 {
        while let Some(query) = names.step(at(second)) {
            if query.server.is_ipv6() {
                names.answered(query.server, &answer(&query, 2, &[]));
            }
            asked.push((second, query.server.is_ipv6()));
        }
    }
    assert_eq!(asked, [(0, false), (1, true), (1, false), (2, true)]);
    assert_eq!((names.name(ip(9)), names.under_way.len()), (None, 0));
}

#[test]
fn answers_of_others_and_to_other_questions_change_nothing() {
    let mut names = names();
    names.want(ip(9));
    let query = names.step(at(0)).expect("a question");
    let right = answer(&query, 0, &[record(&ASKED, 12, b"\x03bad\0")]);
    names.answered("192.0.2.66:53".parse().unwrap(), &right);
    names.answered("192.0.2.53:54".parse().unwrap(), &right);
    names.answered(query.server, &query.octets);
    let mut other = right.clone();
    other[1] ^= 1;
    names.answered(query.server, &other);
    other.clone_from(&right);
    // The first label of what was asked: 8 for 9.
    other[13] = b'8';
    names.answered(query.server, &other);
    assert_eq!(names.name(ip(9)), None);
    names.answered(query.server, &right);
    assert_eq!(names.name(ip(9)), Some("bad"));
}

#[test]
fn many_addresses_are_asked_for_a_few_at_a_time_and_not_without_end() {
    let mut names = names();
    for number in 0..10_000_u32 {
        names.want(IpAddr::from(number.to_be_bytes()));
    }
    let mut count = 0;
    while names.step(at(0)).is_some() {
        count += 1;
    }
    assert_eq!((count, names.known.len()), (MOST_UNDER_WAY, MOST));
}

#[test]
fn the_reverse_of_an_address_is_that_of_the_rfcs() {
    assert_eq!(reverse("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
    let v6 = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
    assert_eq!(reverse("4321:0:1:2:3:4:567:89ab".parse().unwrap()), v6, "RFC 3596, section 2.5");
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut names = names();
        names.want(ip(9));
        let query = names.step(at(0)).expect("a question");
        names.answered(query.server, &octets);
        names.answered(query.server, &answer(&query, 0, &[octets]));
        prop_assert!(names.name(ip(9)).is_none_or(|name| !name.chars().any(char::is_control)));
    }
}
