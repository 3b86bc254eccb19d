//! A name server: whether it answers, in which time, and with what.

mod ask;

use regex::bytes::Regex;
use squirrel_outbound::TlsOptions;
use squirrel_wire::dns::{Class, Data, LONGEST_QUERY, Message, Rcode, Record, RecordType, Section, write_query};

use crate::checker::Checker;
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::reach::{Reach, host_and_port};

/// How the question is carried.
#[derive(Debug, Default)]
pub enum DnsTransport {
    /// A datagram.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// A connection with TLS (RFC 7858).
    Tls(TlsOptions),
}

/// What is looked at of a name server.
#[derive(Debug)]
pub struct DnsCheck {
    /// Which address of the name server.
    pub reach: Reach,
    /// How the question is carried.
    pub transport: DnsTransport,
    /// The name that is asked about.
    pub name: String,
    /// What is asked of it.
    pub record_type: RecordType,
    /// Nearly always IN.
    pub class: Class,
    /// Whether the server is asked to ask others.
    pub recursion_desired: bool,
    /// Which outcomes are good; empty for NOERROR alone.
    pub valid_rcodes: Vec<Rcode>,
    /// Rules for the records of the answer, of who is responsible, and the additional ones.
    pub rules: [RecordRules; 3],
}

/// Rules for records. A record is matched as one line: name, seconds to live, class, type, data, with tabs between.
#[derive(Debug, Default)]
pub struct RecordRules {
    /// A record in which one of these is found is a failure.
    pub fail_if_matches: Vec<Regex>,
    /// A record in which one of these is not found is a failure: the name promises the contrary, but blackbox_exporter,
    /// for which modules are written, does so. Without records it is good.
    pub fail_if_all_match: Vec<Regex>,
    /// A record in which one of these is not found is a failure; so is there being none.
    pub fail_if_not_matches: Vec<Regex>,
    /// When none of these is found in any record it is a failure.
    pub fail_if_none_matches: Vec<Regex>,
}

impl DnsCheck {
    /// Asks for the addresses of a name, by UDP.
    pub fn of(name: &str, record_type: RecordType) -> Self {
        Self {
            reach: Reach::default(),
            transport: DnsTransport::Udp,
            name: name.to_owned(),
            record_type,
            class: Class(1),
            recursion_desired: true,
            valid_rcodes: Vec::new(),
            rules: Default::default(),
        }
    }

    pub(crate) async fn run(&self, checker: &Checker, target: &str, notes: &mut Notes) -> Result<(), Failed> {
        for phase in ["resolve", "connect", "request"] {
            notes.add_phase(&metrics::DNS_DURATION, phase, std::time::Duration::ZERO);
        }
        for metric in [
            &metrics::DNS_ANSWER_RRS,
            &metrics::DNS_AUTHORITY_RRS,
            &metrics::DNS_ADDITIONAL_RRS,
            &metrics::DNS_QUERY_SUCCEEDED,
        ] {
            notes.set(metric, 0.0);
        }
        let usual = if matches!(self.transport, DnsTransport::Tls(_)) { 853 } else { 53 };
        let (host, port) = host_and_port(target, Some(usual))?;
        let mut query = [0; LONGEST_QUERY];
        let id = crate::ntp::random().map(|octets: [u8; 2]| u16::from_be_bytes(octets))?;
        let length = write_query(id, &self.name, self.record_type, self.class, self.recursion_desired, &mut query)
            .ok_or_else(|| Failed::new(format!("{:?} is no name that DNS could have", self.name)))?;
        let query = query.get(..length).unwrap_or_default();
        let (address, took) = checker.way().address(&host, port, self.reach, notes).await?;
        notes.add_phase(&metrics::DNS_DURATION, "resolve", took);
        let answer = ask::ask(self, checker, (&host, address), query, notes).await?;
        let message = Message::parse(&answer).map_err(|error| Failed::new(format!("{address}: {error}")))?;
        self.judge(&message, notes)
    }

    fn judge(&self, message: &Message<'_>, notes: &mut Notes) -> Result<(), Failed> {
        // A cut answer ends within a record; what came before it counts.
        let mut records: Vec<Record<'_>> = Vec::new();
        for record in message.records() {
            match record {
                Ok(record) => records.push(record),
                Err(_) if message.header.is_truncated => break,
                Err(error) => return Err(Failed::new(format!("the answer cannot be read: {error}"))),
            }
        }
        let sections = Section::ALL
            .map(|section| -> Vec<&Record<'_>> { records.iter().filter(|record| record.section == section).collect() });
        let counts = [&metrics::DNS_ANSWER_RRS, &metrics::DNS_AUTHORITY_RRS, &metrics::DNS_ADDITIONAL_RRS];
        for (metric, found) in counts.into_iter().zip(&sections) {
            notes.set(metric, found.len() as f64);
        }
        notes.set(&metrics::DNS_QUERY_SUCCEEDED, 1.0);
        notes.say(&format!(
            "it answered {}{}",
            message.header.rcode,
            if message.header.is_truncated { ", cut" } else { "" }
        ));
        if self.record_type == RecordType(6) {
            let serial = |record: &&Record<'_>| match record.data {
                Data::Soa { serial, .. } => Some(f64::from(serial)),
                _ => None,
            };
            notes.set(&metrics::DNS_SERIAL, sections[0].iter().filter_map(serial).next_back().unwrap_or(0.0));
        }
        let rcode = message.header.rcode;
        let is_valid =
            if self.valid_rcodes.is_empty() { rcode == Rcode(0) } else { self.valid_rcodes.contains(&rcode) };
        if !is_valid {
            return Err(Failed::new(format!("it answered {rcode}, which is not among those wanted")));
        }
        let names = ["answer", "authority", "additional"];
        for ((rules, found), section) in self.rules.iter().zip(&sections).zip(names) {
            let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
            for line in &lines {
                notes.say(&format!("{section}: {}", line.replace('\t', " ")));
            }
            rules.judge(&lines).map_err(|why| Failed::new(format!("{section} records: {why}")))?;
        }
        Ok(())
    }
}

impl RecordRules {
    fn judge(&self, lines: &[String]) -> Result<(), String> {
        if lines.is_empty() && !(self.fail_if_not_matches.is_empty() && self.fail_if_none_matches.is_empty()) {
            return Err("there are none, and some have to match".to_owned());
        }
        for line in lines {
            let shown = line.replace('\t', " ");
            if let Some(pattern) = self.fail_if_matches.iter().find(|pattern| pattern.is_match(line.as_bytes())) {
                return Err(format!("{shown} matches {pattern}"));
            }
            let mut wanted = self.fail_if_not_matches.iter().chain(&self.fail_if_all_match);
            if let Some(pattern) = wanted.find(|pattern| !pattern.is_match(line.as_bytes())) {
                return Err(format!("{shown} does not match {pattern}"));
            }
        }
        let any = &self.fail_if_none_matches;
        if !any.is_empty() && !lines.iter().any(|line| any.iter().any(|pattern| pattern.is_match(line.as_bytes()))) {
            return Err("none matches any of the patterns".to_owned());
        }
        Ok(())
    }
}
