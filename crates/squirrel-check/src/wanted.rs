//! Checks that somebody words on the spot, without a module of their own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use squirrel_outbound::TlsOptions;
use squirrel_wire::dns::RecordType;

use crate::pattern;
use crate::{DnsTransport, Exchange, Expect, IpVersion, Module, Modules, Prober, Reach};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckKind {
    /// A page.
    Http,
    /// A connection.
    Tcp,
    /// A connection with TLS.
    Tls,
    /// An echo.
    Icmp,
    /// A name server.
    Dns,
    /// A time server.
    Ntp,
    /// A mail server: its greeting, STARTTLS, and its certificate.
    Smtp,
}

impl CheckKind {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Http, Self::Tcp, Self::Tls, Self::Icmp, Self::Dns, Self::Ntp, Self::Smtp];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Icmp => "icmp",
            Self::Dns => "dns",
            Self::Ntp => "ntp",
            Self::Smtp => "smtp",
        }
    }

    /// The kind of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// A target with the port that is usual for this kind, where it names none and there is one.
    pub fn with_usual_port(self, target: &str) -> String {
        let port = match self {
            Self::Tls => 443,
            Self::Smtp => 25,
            _ => return target.to_owned(),
        };
        let bare = target.trim();
        match (bare.parse::<IpAddr>(), bare.contains(':')) {
            (Ok(IpAddr::V6(address)), _) => format!("[{address}]:{port}"),
            (_, false) => format!("{bare}:{port}"),
            _ if bare.ends_with(']') => format!("{bare}:{port}"),
            _ => bare.to_owned(),
        }
    }

    /// The module that it begins with.
    fn module(self, over: Over) -> &'static str {
        match (self, over) {
            (Self::Http, _) => "http_2xx",
            (Self::Tcp, _) => "tcp_connect",
            (Self::Tls, _) => "tls_connect",
            (Self::Icmp, _) => "icmp",
            (Self::Dns, Over::Udp) => "dns_udp",
            (Self::Dns, Over::Tcp) => "dns_tcp",
            (Self::Dns, Over::Tls) => "dns_tls",
            (Self::Ntp, _) => "ntp",
            (Self::Smtp, _) => "smtp_starttls",
        }
    }
}

/// What carries a question to a name server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// A datagram.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// A connection with TLS.
    Tls,
}

/// A check in a person's words. What is not said is as in the modules that are always there.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is looked at.
    pub kind: CheckKind,
    /// The time for all of it.
    pub timeout: Duration,
    /// A pattern, in Go's syntax: in the body of http, a line of tcp and tls, each record of the answer of dns.
    pub expect: Option<String>,
    /// Which statuses of http are good.
    pub statuses: Vec<u16>,
    /// The name that dns is asked about.
    pub name: Option<String>,
    /// What is asked of it, such as `MX`.
    pub record_type: Option<String>,
    /// How dns is asked.
    pub over: Option<Over>,
    /// The largest offset of ntp.
    pub most_offset: Option<Duration>,
    /// Which address of a name is preferred; [`IpVersion::V6`] alone counts as a demand.
    pub version: Option<IpVersion>,
    /// Any certificate is taken.
    pub insecure: bool,
}

impl Wanted {
    /// Nothing but the kind and the time.
    pub fn of(kind: CheckKind, timeout: Duration) -> Self {
        Self {
            kind,
            timeout,
            expect: None,
            statuses: Vec::new(),
            name: None,
            record_type: None,
            over: None,
            most_offset: None,
            version: None,
            insecure: false,
        }
    }

    /// The module that carries it out.
    ///
    /// # Errors
    /// A sentence about what cannot be, or belongs to another kind.
    pub fn module(self) -> Result<Module, String> {
        self.belongs()?;
        let found = Modules::built_in().get(self.kind.module(self.over.unwrap_or_default()));
        let mut module = found.ok().and_then(Arc::into_inner).ok_or("the module of this kind is not there")?;
        module.timeout = self.timeout;
        let reach = match self.version {
            None => Reach::default(),
            Some(preferred) => Reach { preferred, fallback: preferred == IpVersion::V4, source: None },
        };
        let tls = || if self.insecure { TlsOptions::new().insecure_skip_verify() } else { TlsOptions::new() };
        let pattern = self.expect.as_deref().map(pattern::compile).transpose()?;
        match &mut module.prober {
            Prober::Http(check) => {
                (check.reach, check.tls) = (reach, tls());
                check.fail_if_body_not_matches.extend(pattern);
                check.valid_statuses = self.statuses;
            }
            Prober::Tcp(check) => {
                (check.reach, check.tls) = (reach, tls());
                let expect = pattern.map(|pattern| Expect::Line { pattern, labels: Vec::new() });
                check.exchanges.extend(expect.map(|expect| Exchange { expect: Some(expect), ..Exchange::default() }));
            }
            Prober::Icmp(check) => check.reach = reach,
            Prober::Dns(check) => {
                check.reach = reach;
                if let DnsTransport::Tls(options) = &mut check.transport {
                    *options = tls();
                }
                if let Some(name) = self.name {
                    (check.name, check.record_type) = (name, RecordType(1));
                }
                if let Some(word) = self.record_type {
                    let known = RecordType::from_name(&word.to_ascii_uppercase());
                    check.record_type = known.ok_or(format!("{word:?} is no type of record; A, AAAA or MX is"))?;
                }
                if let Some(rules) = check.rules.first_mut() {
                    rules.fail_if_not_matches.extend(pattern);
                }
            }
            Prober::Ntp(check) => (check.reach, check.most_offset) = (reach, self.most_offset),
            Prober::Plugin(_) => {}
        }
        Ok(module)
    }

    /// Whether everything that was said is about this kind.
    fn belongs(&self) -> Result<(), String> {
        use CheckKind::{Dns, Http, Ntp, Smtp, Tcp, Tls};
        let is_tls = matches!(self.kind, Http | Tls | Smtp) || self.over == Some(Over::Tls);
        let wrong = [
            (
                self.expect.is_some(),
                matches!(self.kind, Http | Tcp | Tls | Dns),
                "a pattern is looked for by http, tcp, tls and dns",
            ),
            (!self.statuses.is_empty(), self.kind == Http, "a status is http's"),
            (
                self.name.is_some() || self.record_type.is_some() || self.over.is_some(),
                self.kind == Dns,
                "name, type and transport are dns's",
            ),
            (self.most_offset.is_some(), self.kind == Ntp, "an offset is ntp's"),
            (self.insecure, is_tls, "certificates are shown by http, tls, smtp, and dns over tls"),
        ];
        let wrong = wrong.into_iter().find(|(is_said, fits, _)| *is_said && !fits);
        wrong.map_or(Ok(()), |(_, _, why)| Err(format!("{why}, and not {}'s", self.kind.word())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_module_and_takes_what_is_its_own() {
        for kind in CheckKind::ALL {
            let wanted = Wanted::of(kind, Duration::from_secs(3));
            let module = wanted.clone().module().unwrap();
            assert_eq!(module.timeout, Duration::from_secs(3), "{kind:?}");
            assert_eq!(CheckKind::named(kind.word()), Some(kind));
            let accepted = [
                Wanted { expect: Some("a".into()), ..wanted.clone() },
                Wanted { statuses: vec![404], ..wanted.clone() },
                Wanted { record_type: Some("mx".into()), ..wanted.clone() },
                Wanted { most_offset: Some(Duration::from_secs(1)), ..wanted.clone() },
                Wanted { insecure: true, ..wanted },
            ]
            .map(|one| one.module().is_ok());
            let expected = match kind {
                CheckKind::Http => [true, true, false, false, true],
                CheckKind::Tcp => [true, false, false, false, false],
                CheckKind::Tls => [true, false, false, false, true],
                CheckKind::Icmp => [false; 5],
                CheckKind::Dns => [true, false, true, false, false],
                CheckKind::Ntp => [false, false, false, true, false],
                CheckKind::Smtp => [false, false, false, false, true],
            };
            assert_eq!(accepted, expected, "{kind:?}");
        }
        let dns =
            |record: &str| Wanted { record_type: Some(record.into()), ..Wanted::of(CheckKind::Dns, Duration::MAX) };
        assert!(dns("nonsense").module().unwrap_err().contains("is no type of record"));
        let tcp = Wanted { expect: Some("(".into()), ..Wanted::of(CheckKind::Tcp, Duration::MAX) };
        assert!(tcp.module().unwrap_err().contains("the pattern cannot be read"));
    }

    #[test]
    fn targets_get_the_port_that_is_usual() {
        for (kind, target, expected) in [
            (CheckKind::Smtp, "mail.example", "mail.example:25"),
            (CheckKind::Smtp, "mail.example:587", "mail.example:587"),
            (CheckKind::Smtp, "::1", "[::1]:25"),
            (CheckKind::Tls, "[::1]", "[::1]:443"),
            (CheckKind::Tls, "192.0.2.1", "192.0.2.1:443"),
            (CheckKind::Tcp, "a", "a"),
        ] {
            assert_eq!(kind.with_usual_port(target), expected);
        }
    }
}
