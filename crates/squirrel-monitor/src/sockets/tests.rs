//! Sockets of this process: as a kernel tells them, real, invented, refusing and hostile.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use proptest::prelude::*;
use squirrel_sys::{Linux, Recorder, Replay};
use squirrel_testkit::FakeKernel;

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

/// This process has the sockets 100 to 103, and a file that is none.
fn process() -> FakeKernel {
    let kernel = FakeKernel::default().with("/proc/self/fd/1", "/dev/null").with("/proc/self/fd/2", "pipe:[100]");
    kernel.refuse("/proc/self/fd/3", 2);
    (100..104).fold(kernel, |kernel, inode| kernel.with(&format!("/proc/self/fd/{inode}"), format!("socket:[{inode}]")))
}

fn with_tables(kernel: FakeKernel) -> FakeKernel {
    let table = |rows: &str| format!("{HEADER}{rows}");
    kernel.with("/proc/net/tcp", table(TCP)).with("/proc/net/tcp6", table(TCP6))
}

#[test]
fn where_sock_diag_is_refused_the_tables_tell() {
    let stats = collect(&with_tables(process()), 10).unwrap();
    assert_eq!(stats.source, SocketSource::ProcNet);
    assert_eq!((stats.listening, stats.established, stats.closing, stats.close_wait), (1, 2, 1, 1));
    assert_eq!((stats.send_queue, stats.receive_queue, stats.bytes_received), (16, 33, None));
    let shown: Vec<_> = stats.connections.iter().map(|c| format!("{} {} {}", c.inode, c.remote, c.state)).collect();
    let expected =
        ["101 127.0.0.2:50000 established", "102 127.0.0.4:50002 close_wait", "103 127.0.0.5:50003 established"];
    assert_eq!(shown, expected);
    assert_eq!((stats.connections_total, stats.sampling_error(), stats.unreadable), (3, 0.0, 0));
}

#[test]
fn a_host_without_ipv6_is_told_all_the_same() {
    let kernel = process().with("/proc/net/tcp", format!("{HEADER}{TCP}"));
    assert_eq!(collect(&kernel, 10).unwrap().established, 1);
}

#[test]
fn when_nothing_answers_the_first_refusal_is_told() {
    let error = collect(&process(), 10).unwrap_err();
    assert_eq!(error.call, "netlink dump");
    let error = collect(&FakeKernel::default(), 10).unwrap_err();
    assert!(error.to_string().starts_with("list /proc/self/fd: "), "{error}");
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_repeated_ones_are_not() {
    let rows = format!("{HEADER}{TCP}{TCP}   5: nonsense\n\u{fffd}\n");
    let stats = collect(&process().with("/proc/net/tcp", rows), 10).unwrap();
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
    let listed = |kernel: &FakeKernel| collect(kernel, 100).unwrap();
    let first = listed(&kernel);
    assert_eq!((first.established, first.connections.len(), first.connections_total), (2_000, 100, 2_000));
    assert!((first.sampling_error() - 0.0955).abs() < 0.001, "{}", first.sampling_error());
    // Early and late ones are as likely: about half of each.
    let early = first.connections.iter().filter(|connection| connection.inode < 1_000).count();
    assert!((30..=70).contains(&early), "{early}");
    kernel.write("/proc/net/tcp", table(0..1_000));
    let second = listed(&kernel);
    let kept = |c: &SocketConnection| c.inode >= 1_000 || second.connections.iter().any(|s| s.inode == c.inode);
    assert!(first.connections.iter().all(kept), "who was listed and is still there is listed again");
    assert_eq!(collect(&kernel, 0).unwrap().sampling_error(), 1.0);
}

/// A listener of our own and both ends of a connection over which 5 bytes went.
fn connection() -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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
    assert_eq!((found.state, found.bytes_sent), ("established", known));
}

#[test]
fn the_running_kernel_knows_our_connection_both_ways() {
    let (_listener, near, _far) = connection();
    let without = Linux::without_netlink();
    let ours = socket_inodes(&without).unwrap();
    check_connection(&by_proc_net(&without, &ours, 10_000).unwrap(), &near, None);
    let Ok(kernel) = Linux::open() else {
        return squirrel_testkit::skip("the_running_kernel_knows_our_connection_both_ways", "netlink is refused");
    };
    let Ok(stats) = by_sock_diag(&kernel, &ours, 10_000) else {
        return squirrel_testkit::skip("the_running_kernel_knows_our_connection_both_ways", "sock_diag is refused");
    };
    check_connection(&stats, &near, Some(5));
}

#[test]
fn a_recorded_process_is_told_again_by_a_replay() {
    let (_listener, _near, _far) = connection();
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(Linux::without_netlink(), folder.path(), "a test").unwrap();
    let told = collect(&recorder, 10_000).unwrap();
    recorder.finish().unwrap();
    assert!(told.established >= 2);
    assert_eq!(collect(&Replay::open(folder.path()).unwrap(), 10_000).unwrap(), told);
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
        let stats = collect(&kernel, 10).unwrap();
        prop_assert!(stats.established <= 1 && stats.unreadable <= 1);
        let mut hostile = HEADER.as_bytes().to_vec();
        hostile.extend_from_slice(&table);
        let stats = collect(&process().with("/proc/net/tcp", hostile), 10).unwrap();
        prop_assert!(stats.connections_total <= 4);
    }

    #[test]
    fn hostile_messages_are_counted(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..8)) {
        let count = messages.len() as u64;
        let kernel = process().on_dump(move |_, _, _| {
            Ok(messages.iter().map(|message| (SOCK_DIAG_BY_FAMILY, message.clone())).collect())
        });
        let stats = collect(&kernel, 10).unwrap();
        prop_assert!(stats.unreadable <= 2 * count);
    }
}
