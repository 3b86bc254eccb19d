//! Values as blackbox_exporter's file writes them.

use std::time::Duration;

use regex::bytes::Regex;
use squirrel_outbound::Secret;
use squirrel_yaml::Node;

use super::read::Reader;
use crate::{IpVersion, Reach, pattern};

impl Reader<'_> {
    /// A pattern in Go's syntax.
    pub(super) fn pattern(&mut self, node: &Node) -> Option<Regex> {
        let text = self.problems.text(Some(node), "a pattern")?;
        pattern::compile(&text).map_err(|why| self.problems.add(node, why)).ok()
    }

    pub(super) fn patterns(&mut self, node: Option<&Node>, what: &str) -> Vec<Regex> {
        let items = self.problems.items(node, what);
        items.into_iter().filter_map(|item| self.pattern(item)).collect()
    }

    /// A span in Go's form.
    pub(super) fn duration(&mut self, node: Option<&Node>, what: &str) -> Option<Duration> {
        let node = node?;
        let span = spans(node.text().unwrap_or_default()).filter(|span| !span.is_zero());
        if span.is_none() {
            self.problems.add(node, format!("{what} is a span of time above zero with its unit, such as 5s or 1m30s"));
        }
        span
    }

    /// A number of octets.
    pub(super) fn size(&mut self, node: Option<&Node>, what: &str) -> Option<u64> {
        let node = node?;
        let size = octets(node.text().unwrap_or_default());
        if size.is_none() {
            self.problems.add(node, format!("{what} is a number of octets with its unit, such as 512KB or 10MB"));
        }
        size
    }

    /// A whole number of a range.
    pub(super) fn number(
        &mut self,
        node: Option<&Node>,
        what: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let number = self.problems.integer(node, what)?;
        if !range.contains(&number) {
            let message = format!("{what} is a number from {} to {}", range.start(), range.end());
            self.problems.add(node?, message);
            return None;
        }
        Some(number)
    }

    pub(super) fn flag(&mut self, node: Option<&Node>, what: &str, usual: bool) -> bool {
        self.problems.boolean(node, what).unwrap_or(usual)
    }

    /// The octets of a named file.
    pub(super) fn file(&mut self, node: Option<&Node>, what: &str) -> Option<Vec<u8>> {
        let name = self.problems.text(node, what).filter(|name| !name.is_empty())?;
        match (self.files)(&name) {
            Ok(octets) => Some(octets),
            Err(reason) => {
                self.problems.add(node?, format!("{what}: {reason}"));
                None
            }
        }
    }

    /// A secret that stands in a file; the line's end, which editors put there, is not part of it.
    pub(super) fn secret_file(&mut self, node: Option<&Node>, what: &str) -> Option<Secret> {
        let octets = self.file(node, what)?;
        let text = String::from_utf8(octets).ok();
        if text.is_none() {
            self.problems.add(node?, format!("{what}: the file is no text"));
        }
        text.map(|text| Secret::new(text.trim()))
    }

    pub(super) fn secret(&mut self, node: Option<&Node>, what: &str) -> Option<Secret> {
        self.problems.text(node, what).filter(|text| !text.is_empty()).map(Secret::new)
    }

    /// `preferred_ip_protocol`, `ip_protocol_fallback`, and `source_ip_address` where a prober has it.
    pub(super) fn reach(&mut self, version: Option<&Node>, fallback: Option<&Node>, source: Option<&Node>) -> Reach {
        let preferred = match self.problems.text(version, "preferred_ip_protocol").as_deref() {
            None | Some("" | "ip6") => IpVersion::V6,
            Some("ip4") => IpVersion::V4,
            Some(_) => {
                self.add(version, "preferred_ip_protocol is ip4 or ip6");
                IpVersion::V6
            }
        };
        let source = self.problems.text(source, "source_ip_address").filter(|text| !text.is_empty()).and_then(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                self.add(source, "source_ip_address is an address of this machine, such as 192.0.2.1");
            }
            address
        });
        Reach { preferred, fallback: self.flag(fallback, "ip_protocol_fallback", true), source }
    }

    pub(super) fn add(&mut self, node: Option<&Node>, message: &str) {
        if let Some(node) = node {
            self.problems.add(node, message);
        }
    }
}

/// A span as Go's `time.ParseDuration` reads it, but for a sign.
fn spans(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let unit = |unit: &str| match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    Duration::try_from_secs_f64(sum(text, unit)?).ok()
}

/// A number of octets as `units.ParseBase2Bytes` reads it, which is Go's way for spans with other units: `K` is 1024.
fn octets(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let unit = |suffix: &'static str| {
        move |unit: &str| {
            if unit == "B" {
                return Some(1.0);
            }
            let prefix = unit.strip_suffix(suffix)?;
            let power = ["K", "M", "G", "T", "P", "E"].iter().position(|known| *known == prefix)?;
            Some(1024_f64.powi(i32::try_from(power).ok()? + 1))
        }
    };
    let size = sum(text, unit("iB")).or_else(|| sum(text, unit("B")))?;
    (size < u64::MAX as f64).then_some(size as u64)
}

/// Numbers with units, one after another, added up.
fn sum(mut text: &str, unit: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !text.is_empty() {
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let (number, rest) = text.split_at(text.find(|c| !is_digit(c))?);
        let (word, rest) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
        total += number.parse::<f64>().ok()? * unit(word)?;
        text = rest;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("1m30s", Some(90_000)),
            ("1.5s", Some(1_500)),
            ("2h", Some(7_200_000)),
            (".5s", Some(500)),
            ("250ms", Some(250)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("-5s", None),
            ("5 s", None),
            ("1d", None),
            ("s", None),
            ("1..5s", None),
        ] {
            assert_eq!(spans(text).map(|span| span.as_millis()), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("10MB", Some(10 << 20)),
            ("1KiB", Some(1024)),
            ("1.5KB", Some(1536)),
            ("1KB512B", Some(1536)),
            ("0", Some(0)),
            ("10", None),
            ("10mb", None),
            ("1kB", None),
            ("99999EB", None),
        ] {
            assert_eq!(octets(text), expected, "{text:?}");
        }
    }
}
