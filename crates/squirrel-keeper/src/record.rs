//! A socket's record as octets, little-endian, each the same length: [`LENGTH`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use squirrel_wire::Fields;
use squirrel_wire::ledger::{COMM_LENGTH, SocketKind, SocketRecord, TcpCounters};

/// Length of one record.
pub(crate) const LENGTH: usize = 176;

/// Bits of the flags.
mod flag {
    pub(super) const INHERITED: u8 = 1;
    pub(super) const TCP: u8 = 2;
    pub(super) const LOCAL_V6: u8 = 4;
    pub(super) const REMOTE_V6: u8 = 8;
    pub(super) const OLDER: u8 = 16;
    pub(super) const SHARED: u8 = 32;
    pub(super) const FURTHER: u8 = 64;
    pub(super) const FIN: u8 = 128;
}

/// Where the fields lie.
mod at {
    pub(super) const COOKIE: usize = 0;
    pub(super) const NAMESPACE: usize = 8;
    pub(super) const PROTOCOL: usize = 12;
    pub(super) const STATE: usize = 13;
    pub(super) const FLAGS: usize = 14;
    pub(super) const LOCAL: usize = 16;
    pub(super) const REMOTE: usize = 32;
    pub(super) const LOCAL_PORT: usize = 48;
    pub(super) const REMOTE_PORT: usize = 50;
    pub(super) const TGID: usize = 52;
    pub(super) const UID: usize = 56;
    pub(super) const KIND: usize = 60;
    pub(super) const STARTED: usize = 64;
    pub(super) const CGROUP: usize = 72;
    pub(super) const COMM: usize = 80;
    pub(super) const TRANSMIT_BYTES: usize = 96;
    pub(super) const RECEIVE_BYTES: usize = 104;
    pub(super) const TRANSMIT_CALLS: usize = 112;
    pub(super) const RECEIVE_CALLS: usize = 120;
    pub(super) const PATH_OF: usize = 128;
    pub(super) const SENT: usize = 136;
    pub(super) const RETRANSMITTED: usize = 144;
    pub(super) const ACKED: usize = 152;
    pub(super) const RECEIVED: usize = 160;
    pub(super) const SEGMENTS_OUT: usize = 168;
    pub(super) const SEGMENTS_IN: usize = 172;
}

/// The kinds of sockets, by the number that stands for each.
const KINDS: [SocketKind; 7] = [
    SocketKind::Tcp,
    SocketKind::Multipath,
    SocketKind::Udp,
    SocketKind::Ping,
    SocketKind::Raw,
    SocketKind::Packet,
    SocketKind::Other,
];

/// Adds a record to a message.
pub(crate) fn put(record: &SocketRecord, out: &mut Vec<u8>) {
    let mut octets = [0; LENGTH];
    let mut set = |at: usize, value: &[u8]| {
        if let Some(place) = octets.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    };
    let tcp = record.tcp.unwrap_or_default();
    for (at, value) in [
        (at::COOKIE, record.cookie),
        (at::STARTED, record.started_ns),
        (at::CGROUP, record.cgroup),
        (at::TRANSMIT_BYTES, record.transmit_bytes),
        (at::RECEIVE_BYTES, record.receive_bytes),
        (at::TRANSMIT_CALLS, record.transmit_calls),
        (at::RECEIVE_CALLS, record.receive_calls),
        (at::PATH_OF, record.path_of.unwrap_or(0)),
        (at::SENT, tcp.bytes_sent),
        (at::RETRANSMITTED, tcp.bytes_retransmitted),
        (at::ACKED, tcp.bytes_acked),
        (at::RECEIVED, tcp.bytes_received),
    ] {
        set(at, &value.to_ne_bytes());
    }
    for (at, value) in [
        (at::NAMESPACE, record.namespace),
        (at::TGID, record.tgid),
        (at::UID, record.uid),
        (at::SEGMENTS_OUT, tcp.segments_out),
        (at::SEGMENTS_IN, tcp.segments_in),
    ] {
        set(at, &value.to_ne_bytes());
    }
    set(at::LOCAL_PORT, &record.local_port.to_ne_bytes());
    set(at::REMOTE_PORT, &record.remote_port.to_ne_bytes());
    set(at::COMM, &record.comm);
    set(at::KIND, &[KINDS.iter().position(|kind| *kind == record.kind).unwrap_or(0) as u8]);
    let mut flags = 0;
    for (bit, is_set) in [
        (flag::INHERITED, record.inherited),
        (flag::TCP, record.tcp.is_some()),
        (flag::OLDER, record.older),
        (flag::SHARED, record.shared),
        (flag::FURTHER, record.further),
        (flag::FIN, tcp.fin_received),
    ] {
        flags |= if is_set { bit } else { 0 };
    }
    for (at, address, v6) in [(at::LOCAL, record.local, flag::LOCAL_V6), (at::REMOTE, record.remote, flag::REMOTE_V6)] {
        match address {
            IpAddr::V4(address) => set(at, &address.octets()),
            IpAddr::V6(address) => {
                set(at, &address.octets());
                flags |= v6;
            }
        }
    }
    set(at::PROTOCOL, &[record.protocol, record.state, flags]);
    out.extend_from_slice(&octets);
}

/// Reads a record. The other end is the same program, so nothing but the length can be wrong.
pub(crate) fn read(octets: &[u8]) -> Option<SocketRecord> {
    let fields = Fields(octets);
    let flags = fields.u8(at::FLAGS)?;
    let address = |at: usize, v6: u8| {
        let octets = octets.get(at..)?;
        Some(if flags & v6 == 0 {
            IpAddr::V4(Ipv4Addr::from(*octets.first_chunk::<4>()?))
        } else {
            IpAddr::V6(Ipv6Addr::from(*octets.first_chunk::<16>()?))
        })
    };
    let tcp = if flags & flag::TCP == 0 {
        None
    } else {
        Some(TcpCounters {
            bytes_sent: fields.u64(at::SENT)?,
            bytes_retransmitted: fields.u64(at::RETRANSMITTED)?,
            bytes_acked: fields.u64(at::ACKED)?,
            bytes_received: fields.u64(at::RECEIVED)?,
            fin_received: flags & flag::FIN != 0,
            segments_out: fields.u32(at::SEGMENTS_OUT)?,
            segments_in: fields.u32(at::SEGMENTS_IN)?,
        })
    };
    Some(SocketRecord {
        cookie: fields.u64(at::COOKIE)?,
        namespace: fields.u32(at::NAMESPACE)?,
        kind: *KINDS.get(usize::from(fields.u8(at::KIND)?))?,
        protocol: fields.u8(at::PROTOCOL)?,
        path_of: Some(fields.u64(at::PATH_OF)?).filter(|cookie| *cookie != 0),
        state: fields.u8(at::STATE)?,
        local: address(at::LOCAL, flag::LOCAL_V6)?,
        local_port: fields.u16(at::LOCAL_PORT)?,
        remote: address(at::REMOTE, flag::REMOTE_V6)?,
        remote_port: fields.u16(at::REMOTE_PORT)?,
        tgid: fields.u32(at::TGID)?,
        uid: fields.u32(at::UID)?,
        started_ns: fields.u64(at::STARTED)?,
        cgroup: fields.u64(at::CGROUP)?,
        comm: *octets.get(at::COMM..)?.first_chunk::<COMM_LENGTH>()?,
        inherited: flags & flag::INHERITED != 0,
        older: flags & flag::OLDER != 0,
        shared: flags & flag::SHARED != 0,
        further: flags & flag::FURTHER != 0,
        transmit_bytes: fields.u64(at::TRANSMIT_BYTES)?,
        receive_bytes: fields.u64(at::RECEIVE_BYTES)?,
        transmit_calls: fields.u64(at::TRANSMIT_CALLS)?,
        receive_calls: fields.u64(at::RECEIVE_CALLS)?,
        tcp,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn a_record()(
            words in prop::array::uniform7(any::<u64>()),
            numbers in prop::array::uniform3(any::<u32>()),
            ports in any::<(u16, u16)>(),
            small in any::<(u8, u8, bool, bool, bool, bool)>(),
            addresses in any::<(IpAddr, IpAddr)>(),
            comm in any::<[u8; COMM_LENGTH]>(),
            kind in prop::sample::select(KINDS.to_vec()),
            path_of in prop::option::of(1_u64..),
            tcp in prop::option::of((prop::array::uniform4(any::<u64>()), any::<(u32, u32, bool)>())),
        ) -> SocketRecord {
            SocketRecord {
                cookie: words[0],
                namespace: numbers[0],
                kind,
                protocol: small.0,
                path_of,
                state: small.1,
                local: addresses.0,
                local_port: ports.0,
                remote: addresses.1,
                remote_port: ports.1,
                tgid: numbers[1],
                uid: numbers[2],
                started_ns: words[1],
                cgroup: words[2],
                comm,
                inherited: small.2,
                older: small.3,
                shared: small.4,
                further: small.5,
                transmit_bytes: words[3],
                receive_bytes: words[4],
                transmit_calls: words[5],
                receive_calls: words[6],
                tcp: tcp.map(|(bytes, segments)| TcpCounters {
                    bytes_sent: bytes[0],
                    bytes_retransmitted: bytes[1],
                    bytes_acked: bytes[2],
                    bytes_received: bytes[3],
                    fin_received: segments.2,
                    segments_out: segments.0,
                    segments_in: segments.1,
                }),
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(record in a_record()) {
            let mut octets = Vec::new();
            put(&record, &mut octets);
            prop_assert_eq!(octets.len(), LENGTH);
            prop_assert_eq!(read(&octets), Some(record));
        }

        #[test]
        fn what_is_cut_is_no_record(record in a_record(), to in 0..at::SEGMENTS_IN) {
            let mut octets = Vec::new();
            put(&SocketRecord { tcp: Some(TcpCounters::default()), ..record }, &mut octets);
            octets.truncate(to);
            prop_assert_eq!(read(&octets), None);
        }
    }
}
