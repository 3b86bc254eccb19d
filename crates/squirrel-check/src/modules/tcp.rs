//! `tcp`: what is said, and what has to be answered.

use squirrel_yaml::{Node, Problems};

use super::read::Reader;
use crate::{Exchange, Expect, TcpCheck};

const KNOWN: &[&str] =
    &["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address", "query_response", "tls", "tls_config"];

impl Reader<'_> {
    pub(super) fn tcp(&mut self, node: Option<&Node>) -> TcpCheck {
        let Some(node) = node else { return TcpCheck::default() };
        let fields = self.problems.named(node, "tcp", KNOWN);
        let [version, fallback, source] = ["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address"];
        let steps = self.problems.items(fields.get("query_response"), "query_response");
        TcpCheck {
            reach: self.reach(fields.get(version), fields.get(fallback), fields.get(source)),
            is_tls: self.flag(fields.get("tls"), "tls", false),
            tls: self.tls(fields.get("tls_config")),
            exchanges: steps.into_iter().map(|step| self.exchange(step)).collect(),
        }
    }

    fn exchange(&mut self, node: &Node) -> Exchange {
        let known = ["expect", "expect_bytes", "labels", "send", "starttls"];
        let [pattern, octets, labels, send, starttls] = self.problems.fields(node, "a step", known);
        let labels: Vec<_> = {
            let items = self.problems.items(labels, "labels");
            items.into_iter().filter_map(|item| label(&mut self.problems, item)).collect()
        };
        let line = pattern.and_then(|node| self.pattern(node)).map(|pattern| Expect::Line { pattern, labels });
        let exact = self.problems.text(octets, "expect_bytes").filter(|text| !text.is_empty());
        if let (Some(node), Some(_), Some(_)) = (octets, &exact, pattern) {
            self.problems.add(node, "expect and expect_bytes are two words for one step: keep one");
        }
        Exchange {
            expect: line.or(exact.map(|text| Expect::Octets(text.into_bytes()))),
            send: self.problems.text(send, "send").unwrap_or_default(),
            start_tls: self.flag(starttls, "starttls", false),
        }
    }
}

fn label(problems: &mut Problems, node: &Node) -> Option<(String, String)> {
    let [name, value] = problems.fields(node, "a label", ["name", "value"]);
    let text = problems.text(name, "name").unwrap_or_default();
    if !squirrel_model::is_label_name(&text) {
        problems.add(node, "a label needs name: with letters, digits and _, not beginning with a digit");
        return None;
    }
    Some((text, problems.text(value, "value").unwrap_or_default()))
}
