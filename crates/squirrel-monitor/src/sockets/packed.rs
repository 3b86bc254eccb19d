//! A tracked connection in few octets: no pointer, no room for what is not known.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{SocketConnection, SocketState, Transport};

/// What is not known.
const NONE_64: u64 = u64::MAX;
/// What is not known, in fields that are kept with fewer bits and end one below it.
const NONE_32: u32 = u32::MAX;

/// A connection as it is kept. Addresses are those of IPv6, and IPv4 is mapped into them.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    pub(super) id: u64,
    bytes_received: u64,
    bytes_sent: u64,
    /// Nanoseconds since the monitor was made.
    first_seen: u64,
    local: [u8; 16],
    remote: [u8; 16],
    receive_queue: u32,
    send_queue: u32,
    retransmitted: u32,
    drops: u32,
    /// Microseconds.
    round_trip: u32,
    /// Bytes per second; NaN is not known.
    receive_rate: f32,
    send_rate: f32,
    local_port: u16,
    remote_port: u16,
    /// The place in [`SocketState::ALL`].
    state: u8,
    udp: bool,
    /// Whether the present collection, or the last one, has it.
    pub(super) seen: bool,
}

impl Packed {
    /// A connection that was not there before.
    pub(super) fn new(connection: &SocketConnection, now: Duration) -> Self {
        let state = SocketState::ALL.iter().position(|state| *state == connection.state).unwrap_or(0);
        Self {
            id: connection.id,
            bytes_received: connection.bytes_received.unwrap_or(NONE_64),
            bytes_sent: connection.bytes_sent.unwrap_or(NONE_64),
            first_seen: nanoseconds(now),
            local: octets(connection.local.ip()),
            remote: octets(connection.remote.ip()),
            receive_queue: connection.receive_queue,
            send_queue: connection.send_queue,
            retransmitted: pack(connection.retransmitted_segments),
            drops: pack(connection.drops),
            round_trip: pack(connection.round_trip.map(|time| time.as_micros() as u64)),
            receive_rate: f32::NAN,
            send_rate: f32::NAN,
            local_port: connection.local.port(),
            remote_port: connection.remote.port(),
            state: state as u8,
            udp: connection.transport == Transport::Udp,
            seen: true,
        }
    }

    /// The same connection as it is now, `seconds` after it was collected last, if that makes a rate.
    /// `false` when it is another one that has the same id: ids are used again, and another pair of
    /// addresses, or fewer bytes than before, is another connection.
    pub(super) fn update(&mut self, connection: &SocketConnection, now: Duration, seconds: Option<f64>) -> bool {
        let new = Self::new(connection, now);
        let grew = |before: u64, after: u64| before == NONE_64 || after == NONE_64 || after >= before;
        let same = (self.local, self.local_port, self.udp) == (new.local, new.local_port, new.udp)
            // A UDP socket may be connected to one after the other.
            && (self.udp || (self.remote, self.remote_port) == (new.remote, new.remote_port))
            && grew(self.bytes_received, new.bytes_received)
            && grew(self.bytes_sent, new.bytes_sent);
        let rate = |before: u64, after: u64| match seconds {
            Some(seconds) if before != NONE_64 && after != NONE_64 => {
                (after.wrapping_sub(before) as f64 / seconds) as f32
            }
            _ => f32::NAN,
        };
        *self = if same {
            let (receive_rate, send_rate) =
                (rate(self.bytes_received, new.bytes_received), rate(self.bytes_sent, new.bytes_sent));
            Self { first_seen: self.first_seen, receive_rate, send_rate, ..new }
        } else {
            new
        };
        same
    }

    pub(super) fn connection(&self) -> SocketConnection {
        let transport = if self.udp { Transport::Udp } else { Transport::Tcp };
        let state = SocketState::ALL.get(usize::from(self.state)).copied().unwrap_or_default();
        let (local, remote) = (address(self.local, self.local_port), address(self.remote, self.remote_port));
        let known = |value: u64| (value != NONE_64).then_some(value);
        SocketConnection {
            receive_queue: self.receive_queue,
            send_queue: self.send_queue,
            bytes_received: known(self.bytes_received),
            bytes_sent: known(self.bytes_sent),
            retransmitted_segments: unpack(self.retransmitted),
            drops: unpack(self.drops),
            round_trip: unpack(self.round_trip).map(Duration::from_micros),
            ..SocketConnection::new(self.id, transport, state, local, remote)
        }
    }

    pub(super) fn first_seen(&self) -> Duration {
        Duration::from_nanos(self.first_seen)
    }

    pub(super) fn receive_rate(&self) -> Option<f64> {
        (!self.receive_rate.is_nan()).then(|| f64::from(self.receive_rate))
    }

    pub(super) fn send_rate(&self) -> Option<f64> {
        (!self.send_rate.is_nan()).then(|| f64::from(self.send_rate))
    }
}

fn pack(value: Option<u64>) -> u32 {
    value.map_or(NONE_32, |value| u32::try_from(value).unwrap_or(NONE_32).min(NONE_32 - 1))
}

fn unpack(value: u32) -> Option<u64> {
    (value != NONE_32).then_some(u64::from(value))
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn address(octets: [u8; 16], port: u16) -> SocketAddr {
    super::plain((Ipv6Addr::from(octets), port).into())
}

/// Nanoseconds in 64 bits last 584 years.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_takes_104_bytes() {
        assert_eq!(size_of::<Packed>(), 104);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            numbers in any::<(u64, u32, u32)>(),
            known in any::<(Option<u64>, Option<u64>, Option<u32>, Option<u32>, Option<u32>)>(),
            addresses in any::<(std::net::SocketAddrV4, std::net::Ipv6Addr, u16)>(),
            state in 0..SocketState::ALL.len(),
            udp in any::<bool>(),
        ) {
            let transport = if udp { Transport::Udp } else { Transport::Tcp };
            let local = SocketAddr::V4(addresses.0);
            let remote = crate::sockets::plain((addresses.1, addresses.2).into());
            let below = |value: Option<u32>| value.map(|value| u64::from(value.min(NONE_32 - 1)));
            let connection = SocketConnection {
                receive_queue: numbers.1,
                send_queue: numbers.2,
                bytes_received: known.0.map(|value| value.min(NONE_64 - 1)),
                bytes_sent: known.1.map(|value| value.min(NONE_64 - 1)),
                retransmitted_segments: below(known.2),
                drops: below(known.3),
                round_trip: below(known.4).map(Duration::from_micros),
                ..SocketConnection::new(numbers.0, transport, SocketState::ALL[state], local, remote)
            };
            prop_assert_eq!(Packed::new(&connection, Duration::ZERO).connection(), connection);
        }
    }
}
