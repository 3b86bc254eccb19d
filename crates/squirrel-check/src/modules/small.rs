//! `icmp`, `ntp`, and `grpc`, which is only looked through.

use squirrel_yaml::Node;

use super::read::Reader;
use crate::{IcmpCheck, NtpCheck};

/// Octets of payload at most: what fits into the largest datagram of IPv4.
const MOST_PAYLOAD: i64 = 65_507;

impl Reader<'_> {
    pub(super) fn icmp(&mut self, node: Option<&Node>) -> IcmpCheck {
        let mut check = IcmpCheck::default();
        let Some(node) = node else { return check };
        let known = [
            "preferred_ip_protocol",
            "ip_protocol_fallback",
            "source_ip_address",
            "dont_fragment",
            "payload_size",
            "ttl",
        ];
        let [version, fallback, source, whole, size, ttl] = self.problems.fields(node, "icmp", known);
        check.reach = self.reach(version, fallback, source);
        check.dont_fragment = self.flag(whole, "dont_fragment", false);
        if let Some(size) = self.number(size, "payload_size", 0..=MOST_PAYLOAD).filter(|size| *size > 0) {
            check.payload = usize::try_from(size).unwrap_or_default();
        }
        let ttl = self.number(ttl, "ttl", 0..=255).and_then(|ttl| u8::try_from(ttl).ok());
        check.ttl = ttl.filter(|ttl| *ttl > 0).or(check.ttl);
        check
    }

    pub(super) fn ntp(&mut self, node: Option<&Node>) -> NtpCheck {
        let Some(node) = node else { return NtpCheck::default() };
        let known = ["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address", "max_offset", "max_stratum"];
        let [version, fallback, source, offset, stratum] = self.problems.fields(node, "ntp", known);
        NtpCheck {
            reach: self.reach(version, fallback, source),
            most_offset: self.duration(offset, "max_offset"),
            most_stratum: self.number(stratum, "max_stratum", 1..=15).and_then(|most| u8::try_from(most).ok()),
        }
    }

    /// Told as missing where it is the module's own prober.
    pub(super) fn grpc(&mut self, node: Option<&Node>, prober: Option<&Node>) {
        if prober.is_some() {
            self.cannot("there is no prober for gRPC here; tcp with tls: true looks whether the server is there");
        }
        let Some(node) = node else { return };
        let known = ["service", "tls", "tls_config", "ip_protocol_fallback", "preferred_ip_protocol"];
        let [service, tls, options, fallback, version] = self.problems.fields(node, "grpc", known);
        self.problems.text(service, "service");
        self.flag(tls, "tls", false);
        self.tls(options);
        self.reach(version, fallback, None);
    }
}
