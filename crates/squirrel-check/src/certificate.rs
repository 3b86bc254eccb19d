//! What is told of the certificates that a server showed.

use rustls::pki_types::CertificateDer;
use squirrel_model::Labels;
use squirrel_wire::x509::{Certificate, DistinguishedName};

use crate::finding::{hex, label_value};

/// When there is no chain that was believed: the first second of the year 1, as blackbox_exporter has it.
pub(crate) const NEVER: f64 = -62_135_596_800.0;

/// When the first of the certificates ends, in seconds since 1970; `None` when none can be read.
pub(crate) fn earliest_expiry(shown: &[CertificateDer<'_>]) -> Option<i64> {
    shown.iter().filter_map(|der| Some(Certificate::parse(der).ok()?.not_after)).min()
}

/// When the first certificate of the server's chain ends: its own, who signed it, and so on, among those shown. Roots are
/// not among them, nor what is shown without need.
pub(crate) fn chain_expiry(shown: &[CertificateDer<'_>]) -> Option<i64> {
    let certificates: Vec<_> = shown.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let mut current = certificates.first()?;
    let mut expiry = current.not_after;
    // No chain is longer than what was shown, so a loop of issuers ends.
    for _ in 1..certificates.len() {
        let is_issuer = |one: &&Certificate<'_>| one.subject.as_bytes() == current.issuer.as_bytes();
        let Some(issuer) = certificates.iter().skip(1).filter(is_issuer).max_by_key(|one| one.not_after) else { break };
        expiry = expiry.min(issuer.not_after);
        current = issuer;
    }
    Some(expiry)
}

/// The labels of the server's own certificate.
pub(crate) fn labels(shown: &[CertificateDer<'_>]) -> Option<Labels> {
    let der = shown.first()?;
    let certificate = Certificate::parse(der).ok()?;
    let fingerprint = ring::digest::digest(&ring::digest::SHA256, der);
    let names: Vec<&str> = certificate.dns_names().collect();
    Labels::new([
        ("fingerprint_sha256", hex(fingerprint.as_ref())),
        ("subject", label_value(&name(certificate.subject))),
        ("issuer", label_value(&name(certificate.issuer))),
        ("subjectalternative", label_value(&names.join(","))),
        ("serialnumber", label_value(&hex(certificate.serial))),
    ])
    .ok()
}

/// Attributes of X.520 by the last octet of their identifier, in the order in which Go's library, and so
/// blackbox_exporter, writes them.
const KINDS: [(u8, &str); 9] = [
    (5, "SERIALNUMBER"),
    (3, "CN"),
    (17, "POSTALCODE"),
    (9, "STREET"),
    (8, "ST"),
    (7, "L"),
    (11, "OU"),
    (10, "O"),
    (6, "C"),
];

/// A name in the form of RFC 2253; attributes that have no short name are left out.
fn name(name: DistinguishedName<'_>) -> String {
    let mut parts = Vec::new();
    for (kind, short) in KINDS {
        let mut values: Vec<String> = name
            .attributes()
            .filter(|attribute| attribute.kind == [0x55, 0x04, kind])
            .map(|attribute| format!("{short}={}", escaped(&attribute.value.to_string())))
            .collect();
        // Only the last counts of those that there is one of.
        if matches!(kind, 3 | 5) {
            values.drain(..values.len().saturating_sub(1));
        }
        if !values.is_empty() {
            parts.push(values.join("+"));
        }
    }
    parts.join(",")
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let is_special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (c == '#' && index == 0)
            || (c == ' ' && (index == 0 || index == last));
        if is_special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_testkit::{Authority, name_of};

    #[test]
    fn a_chain_ends_with_its_first_certificate_that_does() {
        let authority = Authority::until(2_040);
        let own = authority.sign_until("a.example", 2_050);
        let stranger = Authority::until(2_030);
        let shown = [own.der.clone(), stranger.der(), authority.der()];
        let year = |seconds: Option<i64>| 1970 + seconds.unwrap() / 31_556_952;
        assert_eq!((year(earliest_expiry(&shown)), year(chain_expiry(&shown))), (2_030, 2_040));
        assert_eq!(year(chain_expiry(&shown[..1])), 2_050);
        assert_eq!((earliest_expiry(&[]), chain_expiry(&[]), labels(&[])), (None, None, None));
        let garbage = [CertificateDer::from(vec![0x30, 3, 1, 2, 3])];
        assert_eq!((earliest_expiry(&garbage), chain_expiry(&garbage), labels(&garbage)), (None, None, None));
    }

    #[test]
    fn names_are_written_as_users_know_them() {
        let authority = Authority::until(2_040);
        let own =
            authority.sign_named("a.example", &name_of(&[("CN", " a,b+c"), ("O", "Ä \"x\""), ("C", "DE")]), 2_050);
        let labels = labels(&[own.der]).unwrap();
        assert_eq!(labels.get("subject"), Some("CN=\\ a\\,b\\+c,O=Ä \\\"x\\\",C=DE"));
        assert_eq!(labels.get("subjectalternative"), Some("a.example"));
        assert_eq!(labels.get("fingerprint_sha256").map(str::len), Some(64));
    }
}
