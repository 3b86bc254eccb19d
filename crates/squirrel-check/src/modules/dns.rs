//! `dns`: what is asked, and what has to be in the answer.

use squirrel_wire::dns::{Class, Rcode, RecordType};
use squirrel_yaml::Node;

use super::read::Reader;
use crate::{DnsCheck, DnsTransport, RecordRules};

const KNOWN: &[&str] = &[
    "preferred_ip_protocol",
    "ip_protocol_fallback",
    "source_ip_address",
    "transport_protocol",
    "dns_over_tls",
    "tls_config",
    "query_name",
    "query_type",
    "query_class",
    "recursion_desired",
    "valid_rcodes",
    "validate_answer_rrs",
    "validate_authority_rrs",
    "validate_additional_rrs",
];

impl Reader<'_> {
    /// None when it does not say what is asked. `prober` is where a module without a section for it says that it wants
    /// one.
    pub(super) fn dns(&mut self, node: Option<&Node>, prober: Option<&Node>) -> Option<DnsCheck> {
        let Some(node) = node else {
            self.add(prober, "a dns module needs dns: with query_name: the name that is asked about");
            return None;
        };
        let fields = self.problems.named(node, "dns", KNOWN);
        let name = self.problems.text(fields.get("query_name"), "query_name").unwrap_or_default();
        if name.is_empty() {
            self.problems.add(node, "dns needs query_name: the name that is asked about, such as example.org or .");
        }
        let record_type = self.code(fields.get("query_type"), "query_type", RecordType::from_name, "A, MX or ANY");
        let class = self.code(fields.get("query_class"), "query_class", Class::from_name, "IN or CH");
        let mut check = DnsCheck::of(&name, record_type.unwrap_or(RecordType(255)));
        check.class = class.unwrap_or(check.class);
        let [version, fallback, source] = ["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address"];
        check.reach = self.reach(fields.get(version), fields.get(fallback), fields.get(source));
        check.recursion_desired = self.flag(fields.get("recursion_desired"), "recursion_desired", true);
        let transport = fields.get("transport_protocol");
        let is_tcp = match self.problems.text(transport, "transport_protocol").as_deref() {
            None | Some("" | "udp") => false,
            Some("tcp") => true,
            Some(_) => {
                self.add(transport, "transport_protocol is udp or tcp");
                false
            }
        };
        let tls = self.tls(fields.get("tls_config"));
        let over_tls = fields.get("dns_over_tls");
        check.transport = match (is_tcp, self.flag(over_tls, "dns_over_tls", false)) {
            (false, false) => DnsTransport::Udp,
            (true, false) => DnsTransport::Tcp,
            (true, true) => DnsTransport::Tls(tls),
            (false, true) => {
                self.add(over_tls, "TLS needs a connection: write transport_protocol: tcp beside dns_over_tls");
                DnsTransport::Tcp
            }
        };
        for item in self.problems.items(fields.get("valid_rcodes"), "valid_rcodes") {
            check.valid_rcodes.extend(self.code(
                Some(item),
                "a response code",
                Rcode::from_name,
                "NOERROR or NXDOMAIN",
            ));
        }
        let sections = ["validate_answer_rrs", "validate_authority_rrs", "validate_additional_rrs"];
        check.rules = sections.map(|section| self.record_rules(fields.get(section), section));
        Some(check)
    }

    fn code<T>(
        &mut self,
        node: Option<&Node>,
        what: &str,
        from_name: impl Fn(&str) -> Option<T>,
        examples: &str,
    ) -> Option<T> {
        let text = self.problems.text(node, what).filter(|text| !text.is_empty())?;
        let code = from_name(&text);
        if code.is_none() {
            self.problems.add(node?, format!("{what}: {text:?} is none that is known; write one such as {examples}"));
        }
        code
    }

    fn record_rules(&mut self, node: Option<&Node>, what: &str) -> RecordRules {
        let Some(node) = node else { return RecordRules::default() };
        let known = [
            "fail_if_matches_regexp",
            "fail_if_all_match_regexp",
            "fail_if_not_matches_regexp",
            "fail_if_none_matches_regexp",
        ];
        let found = self.problems.fields(node, what, known);
        let mut patterns = known.into_iter().zip(found).map(|(name, node)| self.patterns(node, name));
        let mut next = || patterns.next().unwrap_or_default();
        RecordRules {
            fail_if_matches: next(),
            fail_if_all_match: next(),
            fail_if_not_matches: next(),
            fail_if_none_matches: next(),
        }
    }
}
