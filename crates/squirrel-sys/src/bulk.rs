//! Sockets that move much data: batches and segmentation offload of datagrams, files sent without a copy, what the
//! kernel knows of a connection, and what the work cost a thread.
//!
//! Sources: udp(7), `Documentation/networking/segmentation-offloads.rst`, tcp(7), sendfile(2), getrusage(2).

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use squirrel_wire::sock_diag;

use crate::linux::raw::{bulk as raw, probe_socket};

/// Datagrams that the kernel cuts one message into at most (`UDP_MAX_SEGMENTS` of kernels before 6.9).
pub const MOST_SEGMENTS: usize = 64;
/// Octets of one message that is cut: what fits into the largest IP packet.
pub const MOST_OCTETS: usize = 65_487;

/// A connection as the kernel sees it. What the kernel does not tell is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Largest segment that is sent, octets.
    pub mss: u32,
    /// Path MTU, octets.
    pub path_mtu: u32,
    /// Smoothed round-trip time, microseconds.
    pub rtt_us: u32,
    /// Its mean deviation, microseconds.
    pub rttvar_us: u32,
    /// Least round-trip time seen, microseconds.
    pub min_rtt_us: u32,
    /// Congestion window, octets.
    pub congestion_window: u64,
    /// The receiver's window, octets (since Linux 5.4).
    pub send_window: u32,
    /// Segments sent again since the connection began.
    pub retransmits: u64,
    /// Time in which there was something to send, microseconds.
    pub busy_us: u64,
    /// Of it, time in which the receiver's window held it up.
    pub receiver_limited_us: u64,
    /// Of it, time in which the sender's own buffer held it up.
    pub buffer_limited_us: u64,
}

/// Asks the kernel about a connection of TCP (`TCP_INFO`).
///
/// # Errors
/// When it is no such socket.
pub fn connection(socket: BorrowedFd<'_>) -> io::Result<Connection> {
    let mut octets = [0; 512];
    let len = raw::get_octets(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut octets)?;
    let info = sock_diag::TcpInfo::new(octets.get(..len).unwrap_or_default());
    let mss = info.send_mss().unwrap_or(0);
    Ok(Connection {
        mss,
        path_mtu: info.path_mtu().unwrap_or(0),
        rtt_us: info.rtt_us().unwrap_or(0),
        rttvar_us: info.rttvar_us().unwrap_or(0),
        min_rtt_us: info.min_rtt_us().filter(|least| *least != u32::MAX).unwrap_or(0),
        congestion_window: u64::from(info.send_cwnd().unwrap_or(0)) * u64::from(mss),
        send_window: info.send_window().unwrap_or(0),
        retransmits: u64::from(info.total_retrans().unwrap_or(0)),
        busy_us: info.busy_us().unwrap_or(0),
        receiver_limited_us: info.receive_window_limited_us().unwrap_or(0),
        buffer_limited_us: info.send_buffer_limited_us().unwrap_or(0),
    })
}

/// Messages that this socket dropped because its buffer was full (`SO_MEMINFO`, since Linux 4.12). With
/// [`put_together`], each may have been many datagrams.
///
/// # Errors
/// When the kernel does not tell.
pub fn dropped(socket: BorrowedFd<'_>) -> io::Result<u32> {
    const DROPS: usize = 8;
    let mut octets = [0; 4 * (DROPS + 1)];
    raw::get_octets(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut octets)?;
    Ok(octets.last_chunk::<4>().map_or(0, |four| u32::from_ne_bytes(*four)))
}

/// Lets the kernel cut each message that is sent into datagrams of this size (`UDP_SEGMENT`); 0 ends that.
///
/// # Errors
/// When the kernel cannot, or the size does not fit the path.
pub fn cut_into(socket: &UdpSocket, size: u16) -> io::Result<()> {
    probe_socket::set(socket.as_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, i32::from(size))
}

/// Lets the kernel put datagrams that come together into one message (`UDP_GRO`, since Linux 5.0).
///
/// # Errors
/// When the kernel cannot.
pub fn put_together(socket: &UdpSocket) -> io::Result<()> {
    probe_socket::set(socket.as_fd(), libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Sends messages of `piece` octets, the last one perhaps shorter, on a connected socket with one call, as many as a
/// call takes. Gives how many octets the kernel took, whole messages.
///
/// # Errors
/// What the kernel refuses before the first message was taken.
pub fn send_pieces(socket: &UdpSocket, octets: &[u8], piece: usize) -> io::Result<usize> {
    raw::send_pieces(socket.as_fd(), octets, piece)
}

/// Room for the messages of one call of [`Inbox::receive`]. Reuse it.
pub struct Inbox(raw::Room);

impl Inbox {
    /// An empty one, of 2 MiB.
    pub fn new() -> Self {
        Self(raw::Room::new())
    }

    /// Waits for a message as long as the socket's read timeout says, takes what else is there, and hands each datagram
    /// to `each`. Gives how many messages there were; each had one datagram or more.
    ///
    /// # Errors
    /// What the kernel says; `WouldBlock` when the time was over.
    pub fn receive(&mut self, socket: &UdpSocket, each: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        let messages = self.0.receive(socket.as_fd())?;
        for index in 0..messages {
            let (octets, size) = self.0.message(index);
            octets.chunks(size.max(1)).for_each(&mut *each);
        }
        Ok(messages)
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}

/// Octets in the kernel's memory that are sent without being copied (`sendfile`).
#[derive(Debug)]
pub struct KernelOctets(File, usize);

impl KernelOctets {
    /// Keeps them.
    ///
    /// # Errors
    /// When there is no memory, or the kernel has no `memfd_create`.
    pub fn new(octets: &[u8]) -> io::Result<Self> {
        use std::io::Write as _;
        let mut file = File::from(raw::memory_file()?);
        file.write_all(octets)?;
        Ok(Self(file, octets.len()))
    }

    /// Sends the first `len` of them; gives how many the kernel took.
    ///
    /// # Errors
    /// As for a write to the socket.
    pub fn send(&self, socket: BorrowedFd<'_>, len: usize) -> io::Result<usize> {
        raw::send_file(socket, self.0.as_fd(), len.min(self.1))
    }
}

/// What the calling thread has used of the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In its own code.
    pub user: Duration,
    /// In the kernel on its behalf.
    pub system: Duration,
}

/// What the calling thread has used of the processor since it began.
pub fn thread_cpu() -> CpuTime {
    let (user, system) = raw::thread_cpu().unwrap_or_default();
    CpuTime { user: Duration::from_micros(user), system: Duration::from_micros(system) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn udp_pair() -> (UdpSocket, UdpSocket) {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        (sender, receiver)
    }

    fn received(receiver: &UdpSocket, wanted: usize) -> Vec<Vec<u8>> {
        let (mut inbox, mut datagrams) = (Inbox::new(), Vec::new());
        while datagrams.len() < wanted {
            inbox.receive(receiver, &mut |datagram| datagrams.push(datagram.to_vec())).unwrap();
        }
        datagrams
    }

    #[test]
    fn pieces_arrive_as_datagrams_of_their_size() {
        let (sender, receiver) = udp_pair();
        let octets: Vec<u8> = (0..=255).cycle().take(1000).collect();
        assert_eq!(send_pieces(&sender, &octets, 300).unwrap(), 1000);
        assert_eq!(received(&receiver, 4), octets.chunks(300).map(<[u8]>::to_vec).collect::<Vec<_>>());
    }

    #[test]
    fn the_kernel_cuts_and_puts_together_what_stays_the_same() {
        for together in [false, true] {
            let (sender, receiver) = udp_pair();
            let offload = cut_into(&sender, 100).and_then(|()| if together { put_together(&receiver) } else { Ok(()) });
            if let Err(error) = offload {
                return squirrel_testkit::skip("the_kernel_cuts_and_puts_together", &error.to_string());
            }
            let octets: Vec<u8> = (0..=255).cycle().take(950).collect();
            assert_eq!(send_pieces(&sender, &octets, 950).unwrap(), 950);
            assert_eq!(received(&receiver, 10), octets.chunks(100).map(<[u8]>::to_vec).collect::<Vec<_>>());
        }
    }

    #[test]
    fn datagrams_that_a_full_buffer_drops_are_told() {
        let (sender, receiver) = udp_pair();
        let octets = vec![0; 32_000];
        // How much fits is the host's business: the test ends with the loss.
        while dropped(receiver.as_fd()).unwrap() == 0 {
            sender.send(&octets).unwrap();
        }
        assert_eq!(dropped(sender.as_fd()).unwrap(), 0);
    }

    #[test]
    fn a_connection_is_told_of_and_octets_of_the_kernel_arrive() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().unwrap();
        let octets = KernelOctets::new(b"0123456789").unwrap();
        assert_eq!(octets.send(sender.as_fd(), 4).unwrap(), 4);
        assert_eq!(octets.send(sender.as_fd(), 100).unwrap(), 10);
        let mut read = [0; 14];
        receiver.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"01230123456789");
        (&sender).write_all(b"x").unwrap();
        let told = connection(sender.as_fd()).unwrap();
        assert!(told.mss > 500 && told.congestion_window > 0 && told.rtt_us > 0, "{told:?}");
        assert!(connection(UdpSocket::bind("127.0.0.1:0").unwrap().as_fd()).is_err());
    }

    #[test]
    fn work_costs_a_thread_time() {
        let before = thread_cpu();
        let spent = || (thread_cpu().user + thread_cpu().system).saturating_sub(before.user + before.system);
        let mut sum = 0_u64;
        while spent() < Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
    }

    #[test]
    fn work_shorter_than_a_tick_of_the_kernel_is_seen() {
        let used = || thread_cpu().user + thread_cpu().system;
        let mut before = used();
        let steps = (0..10_000).filter_map(|_| {
            let now = used();
            let step = now.saturating_sub(std::mem::replace(&mut before, now));
            (step > Duration::ZERO).then_some(step)
        });
        let least = steps.min().unwrap();
        assert!(least < Duration::from_micros(500), "{least:?}");
    }
}
