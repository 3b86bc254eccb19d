//! Why hosts on the way pass nothing on, in words.

use squirrel_wire::icmp::ErrorKind;

/// A word for programs and one for people.
pub(crate) fn words(kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::TimeExceeded => ("time_exceeded", "the time to live ran out here"),
        ErrorKind::NetworkUnreachable => ("network_unreachable", "no way to the network"),
        ErrorKind::HostUnreachable => ("host_unreachable", "the host does not answer"),
        ErrorKind::PortUnreachable => ("port_unreachable", "nobody listens there"),
        ErrorKind::ProtocolUnreachable => ("protocol_unreachable", "the protocol is not spoken there"),
        ErrorKind::Prohibited => ("prohibited", "a filter forbids it"),
        ErrorKind::TooBig => ("too_big", "the packet is too large"),
        ErrorKind::Other => ("other", "it cannot be delivered"),
    }
}
