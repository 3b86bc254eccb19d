//! Sockets of this process: as a kernel tells them, real, invented, refusing and hostile.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

use proptest::prelude::*;
use squirrel_sys::{Kernel, Linux, Netlink, Recorder, Replay, SysError};
use squirrel_testkit::FakeKernel;
use squirrel_wire::sock_diag::{SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK};

use super::system::LinuxTable;
use super::*;

const HEADER: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
/// A listener, a connection with queues, one of another process, and one that the other side closed.
const TCP: &str = "\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000080 00:00000000 00000000  1000        0 100 1 0 100 0 0 10 0
   1: 0100007F:1F90 0200007F:C350 01 00000010:00000020 00:00000000 00000000  1000        0 101 1 0 20 4 30 10 -1
   2: 0100007F:1F91 0300007F:C351 01 00000001:00000001 00:00000000 00000000  1000        0 999 1 0 20 4 30 10 -1
   3: 0100007F:1F90 0400007F:C352 08 00000000:00000001 00:00000000 00000000  1000        0 102 1 0 20 4 30 10 -1
";
const TCP6: &str = "\
   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000500007F:C353 01 00000000:00000000 00:00000000 00000000  1000        0 103 1 0 20 4 30 10 -1
";

/// A socket that is connected and has dropped nine datagrams, one that is not, and one of another process.
const UDP: &str = "\
   0: 0100007F:0035 0200007F:C350 01 00000000:00000300 00:00000000 00000000  1000        0 104 2 0 9
   1: 0100007F:0036 00000000:0000 07 00000040:00000000 00:00000000 00000000  1000        0 105 2 0 1
   2: 0100007F:0037 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 999 2 0 5
";

/// This process has the sockets 100 to 105, and a file that is none.
fn process() -> FakeKernel {
    let kernel = FakeKernel::default().with("/proc/self/fd/1", "/dev/null").with("/proc/self/fd/2", "pipe:[100]");
    kernel.refuse("/proc/self/fd/3", 2);
    (100..106).fold(kernel, |kernel, inode| kernel.with(&format!("/proc/self/fd/{inode}"), format!("socket:[{inode}]")))
}

fn told(kernel: impl Kernel + 'static, limit: usize) -> crate::Result<SocketStats> {
    told_by(Arc::new(kernel), limit)
}

fn told_by(kernel: Arc<dyn Kernel>, limit: usize) -> crate::Result<SocketStats> {
    collect(&LinuxTable::asking(kernel), limit)
}

fn with_tables(kernel: FakeKernel) -> FakeKernel {
    let table = |rows: &str| format!("{HEADER}{rows}");
    kernel.with("/proc/net/tcp", table(TCP)).with("/proc/net/tcp6", table(TCP6)).with("/proc/net/udp", table(UDP))
}

#[test]
fn where_sock_diag_is_refused_the_tables_tell() {
    let stats = told(with_tables(process()), 10).unwrap();
    assert_eq!(stats.source, SocketSource::ProcNet);
    assert_eq!((stats.listening, stats.established, stats.closing, stats.close_wait), (1, 2, 1, 1));
    assert_eq!((stats.send_queue, stats.receive_queue, stats.bytes_received), (16, 33, None));
    let shown: Vec<_> =
        stats.connections.iter().map(|c| format!("{} {} {} {}", c.id, c.transport, c.remote, c.state)).collect();
    let expected = [
        "101 tcp 127.0.0.2:50000 established",
        "102 tcp 127.0.0.4:50002 close_wait",
        "103 tcp 127.0.0.5:50003 established",
        "104 udp 127.0.0.2:50000 established",
        "105 udp 0.0.0.0:0 unconnected",
    ];
    assert_eq!(shown, expected);
    assert_eq!((stats.connections_total, stats.precision(), stats.unreadable), (5, Precision::Exact, 0));
    let (sockets, connected, receive_queue, send_queue, drops) = (2, 1, 0x300, 0x40, Some(10));
    let udp = UdpStats { source: SocketSource::ProcNet, sockets, connected, receive_queue, send_queue, drops };
    assert_eq!(stats.udp, Some(udp));
    assert_eq!(stats.connections[3].drops, Some(9));
}

#[test]
fn a_host_without_ipv6_is_told_all_the_same() {
    let kernel = process().with("/proc/net/tcp", format!("{HEADER}{TCP}"));
    let stats = told(kernel, 10).unwrap();
    assert_eq!((stats.established, stats.udp), (1, None), "and nobody tells of UDP");
}

#[test]
fn when_nothing_answers_the_first_refusal_is_told() {
    let error = told(process(), 10).unwrap_err().to_string();
    assert!(error.starts_with("sockets of this process: netlink dump sock_diag: "), "{error}");
    let error = told(FakeKernel::default(), 10).unwrap_err().to_string();
    assert!(error.contains("list /proc/self/fd: "), "{error}");
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_repeated_ones_are_not() {
    let rows = format!("{HEADER}{TCP}{TCP}   5: nonsense\n\u{fffd}\n");
    let stats = told(process().with("/proc/net/tcp", rows), 10).unwrap();
    assert_eq!((stats.established, stats.unreadable), (1, 2));
}

#[test]
fn above_the_limit_a_sample_is_listed_that_stays_the_same() {
    let line = |inode: u64| format!(" 0: 0100007F:1F90 0200007F:C350 01 0:0 00:0 0 0 0 {inode} 1\n");
    let table = |range: std::ops::Range<u64>| range.map(line).fold(HEADER.to_owned(), |table, row| table + &row);
    let mut kernel = FakeKernel::default().with("/proc/net/tcp", table(0..2_000));
    for inode in 0..2_000 {
        kernel = kernel.with(&format!("/proc/self/fd/{inode}"), format!("socket:[{inode}]"));
    }
    let kernel = Arc::new(kernel);
    let listed = |kernel: &Arc<FakeKernel>| told_by(Arc::clone(kernel) as Arc<dyn Kernel>, 100).unwrap();
    let first = listed(&kernel);
    assert_eq!((first.established, first.connections.len(), first.connections_total), (2_000, 100, 2_000));
    let Precision::Sampled { error } = first.precision() else { panic!("{:?}", first.precision()) };
    assert!((error - 0.0955).abs() < 0.001, "{error}");
    // Early and late ones are as likely: about half of each.
    let early = first.connections.iter().filter(|connection| connection.id < 1_000).count();
    assert!((30..=70).contains(&early), "{early}");
    kernel.write("/proc/net/tcp", table(0..1_000));
    let second = listed(&kernel);
    let kept = |c: &SocketConnection| c.id >= 1_000 || second.connections.iter().any(|s| s.id == c.id);
    assert!(first.connections.iter().all(kept), "who was listed and is still there is listed again");
    let none = told_by(kernel, 0).unwrap();
    assert_eq!((none.precision(), none.sampling_error()), (Precision::Unavailable, 1.0));
}

/// A listener of our own and both ends of a connection over which 5 bytes went.
fn connection(address: &str) -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind(address).unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    near.write_all(b"hello").unwrap();
    far.read_exact(&mut [0; 5]).unwrap();
    (listener, near, far)
}

fn check_connection(stats: &SocketStats, near: &TcpStream, known: Option<u64>) {
    assert!(stats.listening >= 1 && stats.established >= 2, "{stats:?}");
    let local = near.local_addr().unwrap();
    let found = stats.connections.iter().find(|connection| connection.local == local).unwrap();
    assert_eq!(found.remote, near.peer_addr().unwrap());
    assert_eq!((found.state, found.bytes_sent), (SocketState::Established, known));
}

/// A UDP socket that is connected to another, on which one datagram waits.
fn datagrams(address: &str) -> (UdpSocket, UdpSocket) {
    let (near, far) = (UdpSocket::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
    near.connect(far.local_addr().unwrap()).unwrap();
    near.send(&[0; 100]).unwrap();
    (near, far)
}

fn check_datagrams(stats: &SocketStats, near: &UdpSocket, far: &UdpSocket) {
    let udp = stats.udp.unwrap();
    assert!(udp.sockets >= 2 && udp.connected >= 1 && udp.receive_queue >= 100 && udp.drops.is_some(), "{udp:?}");
    let of =
        |local| stats.connections.iter().find(|c| c.transport == Transport::Udp && Some(c.local) == local).unwrap();
    let connected = of(near.local_addr().ok());
    assert_eq!((connected.state, Some(connected.remote)), (SocketState::Established, near.peer_addr().ok()));
    let open = of(far.local_addr().ok());
    assert_eq!((open.state, open.remote.port(), open.drops), (SocketState::Unconnected, 0, Some(0)));
    assert!(open.receive_queue >= 100, "{open:?}");
}

/// The running kernel, which refuses netlink.
struct FilesOnly(Linux);

impl Kernel for FilesOnly {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.0.read(path, out)
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        self.0.list(path, each)
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        self.0.link(path, out)
    }

    fn dump(&self, _: Netlink, _: u16, _: &[u8], _: &mut dyn FnMut(u16, &[u8])) -> Result<(), SysError> {
        Err(SysError::new("netlink dump", "sock_diag", std::io::ErrorKind::PermissionDenied.into()))
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        self.0.ethtool(interface, command)
    }
}

#[test]
fn the_running_kernel_knows_our_sockets_both_ways() {
    const NAME: &str = "the_running_kernel_knows_our_sockets_both_ways";
    let (_listener, near, _far) = connection("127.0.0.1:0");
    let v4 = datagrams("127.0.0.1:0");
    let has_v6 = UdpSocket::bind("[::1]:0").is_ok();
    let (v6, stream) = (has_v6.then(|| datagrams("[::1]:0")), has_v6.then(|| connection("[::1]:0")));
    let check = |stats: &SocketStats, bytes| {
        check_connection(stats, &near, bytes);
        if let Some((_, near, _)) = &stream {
            check_connection(stats, near, bytes);
        }
        [Some(&v4), v6.as_ref()].into_iter().flatten().for_each(|(near, far)| check_datagrams(stats, near, far));
    };
    let files = told(FilesOnly(Linux::without_netlink()), 10_000).unwrap();
    assert_eq!((files.source, files.udp.map(|udp| udp.source)), (SocketSource::ProcNet, Some(SocketSource::ProcNet)));
    check(&files, None);
    let stats = collect(system::table().as_ref(), 10_000).unwrap();
    if stats.source != SocketSource::SockDiag {
        return squirrel_testkit::skip(NAME, "sock_diag is refused");
    }
    check(&stats, Some(5));
}

#[test]
fn the_fin_of_the_other_side_is_no_data() {
    let (_listener, near, mut far) = connection("127.0.0.1:0");
    far.write_all(b"bye").unwrap();
    drop(far);
    let mut near = near;
    near.read_to_end(&mut Vec::new()).unwrap();
    let stats = collect(system::table().as_ref(), 10_000).unwrap();
    if stats.source != SocketSource::SockDiag {
        return squirrel_testkit::skip("the_fin_of_the_other_side_is_no_data", "sock_diag is refused");
    }
    let ours = stats.connections.iter().find(|c| Some(c.local) == near.local_addr().ok()).unwrap();
    assert_eq!((ours.state, ours.bytes_received, ours.bytes_sent), (SocketState::CloseWait, Some(3), Some(5)));
}

#[test]
fn a_recorded_process_is_told_again_by_a_replay() {
    let (_listener, _near, _far) = connection("127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::create(Linux::without_netlink(), folder.path(), "a test").unwrap());
    let stats = told_by(Arc::clone(&recorder) as Arc<dyn Kernel>, 10_000).unwrap();
    Arc::into_inner(recorder).unwrap().finish().unwrap();
    assert!(stats.established >= 2);
    assert_eq!(told(Replay::open(folder.path()).unwrap(), 10_000).unwrap(), stats);
}

proptest! {
    #[test]
    fn hostile_tables_and_links_are_survived(
        table in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0usize..700,
        link in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let whole = format!("{HEADER}{TCP}");
        let kernel = process().with("/proc/self/fd/9", &link).with("/proc/net/tcp", &whole.as_bytes()[..cut.min(whole.len())]);
        let stats = told(kernel, 10).unwrap();
        prop_assert!(stats.established <= 1 && stats.unreadable <= 1);
        let mut hostile = HEADER.as_bytes().to_vec();
        hostile.extend_from_slice(&table);
        let hostile = process().with("/proc/net/tcp", &hostile).with("/proc/net/udp", &hostile);
        let stats = told(hostile, 10).unwrap();
        prop_assert!(stats.connections_total <= 6);
    }

    #[test]
    fn hostile_messages_are_counted(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..8)) {
        let count = messages.len() as u64;
        let kernel = process().on_dump(move |_, _, _| {
            let both = |message: &Vec<u8>| [TCPDIAG_GETSOCK, SOCK_DIAG_BY_FAMILY].map(|kind| (kind, message.clone()));
            Ok(messages.iter().flat_map(both).collect())
        });
        let stats = told(kernel, 10).unwrap();
        prop_assert!(stats.unreadable <= 3 * count);
    }
}
