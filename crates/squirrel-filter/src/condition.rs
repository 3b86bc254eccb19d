//! What one field's values are compared with.

use std::net::IpAddr;

use regex::Regex;

use crate::field::{Kind, Value};
use crate::quantity::quantity;
use crate::services::Services;

/// Largest compiled size of a regular expression, in bytes.
const REGEX_BYTES: usize = 1 << 18;

/// The words that users know for states that `ss` writes in another way.
const SAME_WORDS: &[(&str, &str)] = &[
    ("established", "estab"),
    ("listening", "listen"),
    ("unconnected", "unconn"),
    ("close", "unconn"),
    ("closed", "unconn"),
    ("syn_received", "syn_recv"),
    ("syn_rcv", "syn_recv"),
    ("fin_wait1", "fin_wait_1"),
    ("fin_wait2", "fin_wait_2"),
];

/// How a value is compared with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// One comparison.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// There is a value.
    Known,
    /// The text matches; a word to contain is a regular expression too.
    Matches(Regex),
    /// The text is this one.
    Same(String),
    /// The word is this one, written as [`plain_word`] writes it.
    Word(String),
    Number(Compare, f64),
    /// From the first to the second, both included.
    Between(f64, f64),
    /// The first so many bits are those of the address.
    Within(IpAddr, u8),
}

/// The longest operators first.
const OPERATORS: [(&str, Compare); 5] = [
    (">=", Compare::MoreOrEqual),
    ("<=", Compare::LessOrEqual),
    (">", Compare::More),
    ("<", Compare::Less),
    ("=", Compare::Equal),
];

impl Condition {
    /// Reads what stands behind the colon, for a field of this kind. `quoted` text has no operators.
    ///
    /// # Errors
    /// What is wrong and how it is written instead.
    pub(crate) fn parse(kind: Kind, text: &str, quoted: bool, services: &Services) -> Result<Self, String> {
        if text == "*" && !quoted {
            return Ok(Self::Known);
        }
        let operator = OPERATORS.iter().find(|(sign, _)| !quoted && text.starts_with(sign));
        let (compare, value) = match operator {
            Some((sign, compare)) => (Some(*compare), &text[sign.len()..]),
            None => (None, text),
        };
        if value.is_empty() && !quoted {
            return Err(format!("a value is missing: write {}", kind.example()));
        }
        match kind {
            Kind::Text => match compare {
                None => Ok(Self::Matches(containing(value)?)),
                Some(Compare::Equal) => Ok(Self::Same(value.to_owned())),
                Some(_) => Err(format!("a text is not more or less than another: write {}", kind.example())),
            },
            Kind::Word => match compare {
                None | Some(Compare::Equal) => Ok(Self::Word(plain_word(value))),
                Some(_) => Err("a word is not more or less than another".to_owned()),
            },
            Kind::Address => match compare {
                None | Some(Compare::Equal) => network(value),
                Some(_) => Err(format!("an address is not more or less than another: write {}", kind.example())),
            },
            _ => number(kind, compare, value, services),
        }
    }

    /// A regular expression between slashes.
    ///
    /// # Errors
    /// What is wrong with it, or that the field is no text.
    pub(crate) fn pattern(kind: Kind, text: &str) -> Result<Self, String> {
        match kind {
            Kind::Text | Kind::Word => Ok(Self::Matches(regex(text)?)),
            _ => Err(format!("a regular expression is for texts: write {}", kind.example())),
        }
    }

    pub(crate) fn holds(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Known, _) => true,
            (Self::Matches(regex), Value::Text(text)) => regex.is_match(text),
            (Self::Same(wanted), Value::Text(text)) => wanted == text,
            (Self::Word(wanted), Value::Text(text)) => *wanted == plain_word(text),
            (Self::Number(compare, wanted), Value::Number(number)) => match compare {
                Compare::Equal => number == *wanted,
                Compare::Less => number < *wanted,
                Compare::LessOrEqual => number <= *wanted,
                Compare::More => number > *wanted,
                Compare::MoreOrEqual => number >= *wanted,
            },
            (Self::Between(low, high), Value::Number(number)) => (*low..=*high).contains(&number),
            (Self::Within(network, bits), Value::Address(address)) => is_within(address, *network, *bits),
            _ => false,
        }
    }
}

fn number(kind: Kind, compare: Option<Compare>, value: &str, services: &Services) -> Result<Condition, String> {
    let read = |text: &str| match kind {
        Kind::Port => services
            .port(text)
            .map(f64::from)
            .ok_or_else(|| format!("{text:?} is no port: write a number up to 65535 or a service such as https")),
        _ => quantity(kind, text),
    };
    match (compare, value.split_once("..")) {
        (None, Some((low, high))) => {
            let (low, high) = (read(low)?, read(high)?);
            if low > high {
                return Err(format!("{value} ends before it begins"));
            }
            Ok(Condition::Between(low, high))
        }
        (compare, _) => Ok(Condition::Number(compare.unwrap_or(Compare::Equal), read(value)?)),
    }
}

/// A regular expression as the user wrote it.
pub(crate) fn regex(text: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(text).size_limit(REGEX_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        // The library draws the place over several lines; its last line says what is wrong.
        other => format!("the regular expression is wrong: {}", last_line(&other.to_string())),
    })
}

fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A regular expression for "contains this, without regard to case".
pub(crate) fn containing(text: &str) -> Result<Regex, String> {
    regex(&format!("(?i){}", regex::escape(text)))
}

/// A word in lower case with underscores, by the name that `ss` has for it.
fn plain_word(text: &str) -> String {
    let word = text.to_lowercase().replace('-', "_");
    SAME_WORDS.iter().find(|(other, _)| *other == word).map_or(word, |(_, word)| (*word).to_owned())
}

/// An address or a network; a bracketed address is one too.
pub(crate) fn network(text: &str) -> Result<Condition, String> {
    let wrong = || format!("{text:?} is no address: write {}", Kind::Address.example());
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let address: IpAddr = bare.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        None => most,
    };
    Ok(Condition::Within(address, bits))
}

/// Whether an address lies in a network. An IPv4 address inside an IPv6 one (`::ffff:a.b.c.d`) is that IPv4
/// address, as the kernel sees it.
pub(crate) fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let leading = |address: u128, network: u128, width: u8| {
        let rest = u32::from(width.saturating_sub(bits));
        (address ^ network).checked_shr(rest).unwrap_or(0) == 0
    };
    match (address.to_canonical(), network, address) {
        (IpAddr::V4(a), IpAddr::V4(n), _) => leading(u32::from(a).into(), u32::from(n).into(), 32),
        (_, IpAddr::V6(n), IpAddr::V6(a)) => leading(a.into(), n.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(kind: Kind, text: &str, value: Value<'_>) -> bool {
        Condition::parse(kind, text, false, &Services::default()).unwrap().holds(value)
    }

    #[test]
    fn values_are_compared_by_the_kind_of_their_field() {
        for (kind, text, value, expected) in [
            (Kind::Text, "NGI", Value::Text("nginx: worker"), true),
            (Kind::Text, "a.c", Value::Text("abc"), false),
            (Kind::Text, "=nginx", Value::Text("nginx: worker"), false),
            (Kind::Word, "time_wait", Value::Text("TIME-WAIT"), true),
            (Kind::Word, "established", Value::Text("ESTAB"), true),
            (Kind::Word, "estab", Value::Text("ESTAB"), true),
            (Kind::Word, "est", Value::Text("ESTAB"), false),
            (Kind::Port, "https", Value::Number(443.0), true),
            (Kind::Port, "8000..8100", Value::Number(8100.0), true),
            (Kind::Port, ">1024", Value::Number(1024.0), false),
            (Kind::Duration, ">50ms", Value::Number(50_001.0), true),
            (Kind::Bytes, "<=1KiB", Value::Number(1024.0), true),
            (Kind::Number, "*", Value::Number(0.0), true),
            (Kind::Text, "x", Value::Number(0.0), false),
        ] {
            assert_eq!(holds(kind, text, value), expected, "{kind:?} {text} {value:?}");
        }
    }

    #[test]
    fn networks_hold_their_addresses_of_both_families() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("[::1]", "::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.2.3.4", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(holds(Kind::Address, network, Value::Address(address)), expected, "{network} {address}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_said_with_what_can() {
        let wrong = |kind, text: &str| Condition::parse(kind, text, false, &Services::default()).unwrap_err();
        assert!(wrong(Kind::Port, "99999").contains("65535"));
        assert!(wrong(Kind::Address, "10.0.0.0/33").contains("10.0.0.0/8"));
        assert!(wrong(Kind::Text, ">a").contains("nginx"));
        assert!(wrong(Kind::Number, "9..3").contains("ends before it begins"));
        assert!(wrong(Kind::Duration, ">").contains("a value is missing"));
        assert!(Condition::pattern(Kind::Port, "4.*").is_err());
        assert!(Condition::pattern(Kind::Text, "(").unwrap_err().contains("regular expression"));
        assert!(Condition::pattern(Kind::Text, "(a{9999}){9999}").is_err());
    }
}
