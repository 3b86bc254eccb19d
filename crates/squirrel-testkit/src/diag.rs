//! Sockets as the kernel's `sock_diag` describes them, for kernels in memory.

use std::net::{IpAddr, SocketAddr};

/// One socket: what [`DiagSocket::encode`] makes a message of. Source: `include/uapi/linux/inet_diag.h`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagSocket {
    /// UDP, else TCP. The message itself does not tell; a dump of one protocol shows its own.
    pub udp: bool,
    /// The state by the kernel's number; 1 is established.
    pub state: u8,
    /// Which timer runs.
    pub timer: u8,
    /// This side.
    pub local: SocketAddr,
    /// The other side.
    pub remote: SocketAddr,
    /// The socket's cookie.
    pub cookie: u64,
    /// The inode of its file.
    pub inode: u32,
    /// The user.
    pub uid: u32,
    /// The interface that it is bound to.
    pub interface: u32,
    /// Octets not taken by the program yet.
    pub receive_queue: u32,
    /// Octets not acknowledged yet.
    pub send_queue: u32,
    /// Octets received (`tcpi_bytes_received`).
    pub received: u64,
    /// Octets sent, those sent again among them (`tcpi_bytes_sent`).
    pub sent: u64,
    /// Octets sent again (`tcpi_bytes_retrans`).
    pub retransmitted: u64,
    /// Segments received.
    pub segments_in: u32,
    /// Segments sent.
    pub segments_out: u32,
    /// Whether it is a path of a multipath socket.
    pub multipath: bool,
}

impl DiagSocket {
    /// An established TCP connection without traffic. Its inode is the cookie's lower half.
    ///
    /// # Panics
    /// When an address is none.
    pub fn tcp(cookie: u64, local: &str, remote: &str) -> Self {
        Self {
            udp: false,
            state: 1,
            timer: 0,
            local: local.parse().expect("an address and a port"),
            remote: remote.parse().expect("an address and a port"),
            cookie,
            inode: cookie as u32,
            uid: 0,
            interface: 0,
            receive_queue: 0,
            send_queue: 0,
            received: 0,
            sent: 0,
            retransmitted: 0,
            segments_in: 0,
            segments_out: 0,
            multipath: false,
        }
    }

    /// A UDP socket that is connected to nobody.
    ///
    /// # Panics
    /// When the address is none.
    pub fn udp(cookie: u64, local: &str) -> Self {
        let any = if local.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        Self { udp: true, state: 7, ..Self::tcp(cookie, local, any) }
    }

    /// The message's payload, at the end of `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let family = if self.local.is_ipv4() { 2 } else { 10 };
        out.extend([family, self.state, self.timer, 0]);
        out.extend(self.local.port().to_be_bytes());
        out.extend(self.remote.port().to_be_bytes());
        for address in [self.local.ip(), self.remote.ip()] {
            let mut octets = [0; 16];
            match address {
                IpAddr::V4(v4) => octets.iter_mut().zip(v4.octets()).for_each(|(place, octet)| *place = octet),
                IpAddr::V6(v6) => octets = v6.octets(),
            }
            out.extend(octets);
        }
        out.extend(self.interface.to_ne_bytes());
        out.extend((self.cookie as u32).to_ne_bytes());
        out.extend(((self.cookie >> 32) as u32).to_ne_bytes());
        for number in [0, self.receive_queue, self.send_queue, self.uid, self.inode] {
            out.extend(number.to_ne_bytes());
        }
        if !self.udp {
            self.encode_info(out);
        }
        if self.multipath {
            // INET_DIAG_ULP_INFO with INET_ULP_INFO_NAME.
            for (length, kind) in [(16u16, 18u16), (10, 1)] {
                out.extend(length.to_ne_bytes());
                out.extend(kind.to_ne_bytes());
            }
            out.extend(b"mptcp\0\0\0");
        }
    }

    /// `INET_DIAG_INFO` with a `tcp_info` as long as that of Linux 5.4.
    fn encode_info(&self, out: &mut Vec<u8>) {
        const LEN: usize = 232;
        let mut info = [0u8; LEN];
        let mut put = |offset: usize, octets: &[u8]| {
            info.iter_mut().skip(offset).zip(octets).for_each(|(place, octet)| *place = *octet);
        };
        put(5, &[1]);
        put(68, &1500u32.to_ne_bytes());
        put(128, &self.received.to_ne_bytes());
        put(136, &self.segments_out.to_ne_bytes());
        put(140, &self.segments_in.to_ne_bytes());
        put(200, &self.sent.to_ne_bytes());
        put(208, &self.retransmitted.to_ne_bytes());
        out.extend((LEN as u16 + 4).to_ne_bytes());
        out.extend(2u16.to_ne_bytes());
        out.extend(info);
    }
}
