//! What servers on the network answer to checks: DNS, NTP, certificates; and keys.

use squirrel_wire::dns::{LONGEST_QUERY, Message, write_query};
use squirrel_wire::ntp::{NtpTime, Packet};
use squirrel_wire::rsa::{PrivateKey, PublicKey};
use squirrel_wire::x509::Certificate;

use crate::show;

/// A message of DNS: what is read is shown, and the name that is asked about can be asked again.
pub(super) fn dns(octets: &[u8]) {
    let Ok(message) = Message::parse(octets) else { return };
    for record in message.records() {
        show(&record.map(|record| record.to_string()));
    }
    if let Some(question) = message.question {
        let mut out = [0; LONGEST_QUERY];
        let name = question.name.to_string();
        let length = write_query(1, &name, question.record_type, question.class, true, &mut out).expect("a name");
        let again = Message::parse(&out[..length]).expect("what we write we read");
        assert!(again.question.is_some_and(|again| again.name == question.name), "{name}");
    }
}

/// A packet of NTP and what is computed of it.
pub(super) fn ntp(octets: &[u8]) {
    let Ok(packet) = Packet::parse(octets) else { return };
    show(&(packet, packet.kiss().map(|kiss| kiss.to_string())));
    let (sent, received) = (packet.reference, NtpTime(packet.reference.0.wrapping_add(1 << 32)));
    assert!(packet.offset(sent, received).is_finite() && packet.round_trip(sent, received).is_finite());
}

/// A certificate and its names.
pub(super) fn certificate(octets: &[u8]) {
    let Ok(certificate) = Certificate::parse(octets) else { return };
    show(&(certificate, certificate.dns_names().collect::<Vec<_>>()));
    show(&certificate.subject.attributes().chain(certificate.issuer.attributes()).collect::<Vec<_>>());
}

/// A key of RSA, and that its numbers begin with no zero.
pub(super) fn rsa_key(octets: &[u8]) {
    let public = PublicKey::parse(octets).map(|key| [key.modulus, key.exponent]);
    let private = PrivateKey::parse(octets).map(|key| [key.modulus, key.private_exponent]);
    for number in public.into_iter().chain(private).flatten() {
        assert_ne!(number.first(), Some(&0));
        show(&number);
    }
}
