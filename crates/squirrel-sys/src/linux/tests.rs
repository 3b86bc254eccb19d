//! Against the running kernel; none of these needs a privilege.

use std::collections::BTreeSet;

use squirrel_wire::address::{Address, DUMP_ADDRESSES, RTM_GETADDR, RTM_NEWADDR};
use squirrel_wire::link::{Counter, DUMP_LINKS, Link, RTM_GETLINK, RTM_NEWLINK, flag};
use squirrel_wire::neighbour::{Neighbour, RTM_GETNEIGH, RTM_NEWNEIGH, dump_neighbours};
use squirrel_wire::qdisc::{DUMP_QDISCS, Qdisc, RTM_GETQDISC, RTM_NEWQDISC};
use squirrel_wire::sock_diag::{IPPROTO_TCP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, TcpState, extension};
use squirrel_wire::{AF_INET, AF_UNSPEC, ethtool};

use super::*;
use crate::{Recorder, Replay};

fn rows(kernel: &dyn Kernel, family: Netlink, message_type: u16, payload: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut rows = Vec::new();
    kernel.dump(family, message_type, payload, &mut |kind, answer| rows.push((kind, answer.to_vec()))).unwrap();
    rows
}

fn established() -> InetRequest {
    InetRequest {
        family: AF_INET,
        protocol: IPPROTO_TCP,
        extensions: extension::INFO | extension::CONGESTION | extension::MEMORY,
        states: TcpState::ESTABLISHED.bit() | TcpState::LISTEN.bit(),
    }
}

#[test]
fn every_interface_of_the_kernel_is_read() {
    let kernel = Linux::open().unwrap();
    let links = rows(&kernel, Netlink::Route, RTM_GETLINK, &DUMP_LINKS);
    let names: BTreeSet<String> = links
        .iter()
        .map(|(kind, octets)| {
            assert_eq!(*kind, RTM_NEWLINK);
            let link = Link::parse(octets).unwrap();
            assert!(link.index > 0 && link.mtu.is_some() && link.oper_state.is_some());
            let statistics = link.statistics.expect("every interface has counters");
            assert!(statistics.is_wide() && statistics.counter(Counter::TX_COMPRESSED).is_some());
            if link.name == "lo" {
                assert!(link.has(flag::LOOPBACK) && link.hardware_type == 772);
            }
            link.name.to_string()
        })
        .collect();
    let mut listed = Vec::new();
    kernel.read("/proc/net/dev", &mut listed).unwrap();
    let listed = String::from_utf8(listed).unwrap();
    let expected: BTreeSet<String> =
        listed.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned()).collect();
    assert_eq!(names, expected);
}

#[test]
fn addresses_neighbours_and_qdiscs_are_read() {
    let kernel = Linux::open().unwrap();
    let addresses = rows(&kernel, Netlink::Route, RTM_GETADDR, &DUMP_ADDRESSES);
    for (kind, octets) in &addresses {
        assert_eq!(*kind, RTM_NEWADDR);
        assert!(Address::parse(octets).unwrap().local.is_some());
    }
    for (kind, octets) in rows(&kernel, Netlink::Route, RTM_GETNEIGH, &dump_neighbours(AF_UNSPEC)) {
        assert_eq!(kind, RTM_NEWNEIGH);
        let neighbour = Neighbour::parse(&octets).unwrap();
        assert!(neighbour.state.word().is_some(), "{neighbour:?}");
    }
    for (kind, octets) in rows(&kernel, Netlink::Route, RTM_GETQDISC, &DUMP_QDISCS) {
        assert_eq!(kind, RTM_NEWQDISC);
        let qdisc = Qdisc::parse(&octets).unwrap();
        assert!(!qdisc.kind.is_empty() && qdisc.statistics.bytes.is_some());
    }
}

#[test]
fn a_connection_of_our_own_is_found_with_its_books() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, peer) = listener.accept().unwrap();
    client.write_all(&[1; 5000]).unwrap();
    server.read_exact(&mut [0; 5000]).unwrap();

    let kernel = Linux::open().unwrap();
    let sockets = rows(&kernel, Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &established().payload());
    let parsed = |octets: &[u8]| InetSocket::parse(octets).unwrap().local_port;
    let (_, ours) = sockets.iter().find(|(_, octets)| parsed(octets) == peer.port()).expect("our client");
    let ours = InetSocket::parse(ours).unwrap();
    assert_eq!((ours.state, ours.local), (TcpState::ESTABLISHED, peer.ip()));
    assert!(ours.inode > 0 && ours.cookie > 0);
    let tcp = ours.tcp.unwrap();
    assert_eq!(tcp.payload_sent(), Some(5000));
    assert!(tcp.rtt_us().unwrap() > 0 && tcp.send_cwnd().unwrap() > 0 && tcp.segs_out().unwrap() > 1);
    assert!(ours.memory.unwrap().drops().is_some() && !ours.congestion.unwrap().is_empty());
    let listening = sockets.iter().any(|(_, octets)| InetSocket::parse(octets).unwrap().state == TcpState::LISTEN);
    assert!(listening);
}

#[test]
fn a_refused_request_names_its_error_and_the_next_one_works() {
    let kernel = Linux::open().unwrap();
    let error = kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &[1], &mut |_, _| {}).unwrap_err();
    assert_eq!(error.source.raw_os_error(), Some(libc::EINVAL), "{error}");
    assert!(error.to_string().starts_with("netlink dump sock_diag message type 20: "), "{error}");
    assert!(!rows(&kernel, Netlink::Route, RTM_GETLINK, &DUMP_LINKS).is_empty());
}

#[test]
fn a_dump_may_be_asked_for_inside_another_and_from_many_threads() {
    let kernel = Linux::open().unwrap();
    let mut inner = 0;
    kernel
        .dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |_, _| {
            inner += rows(&kernel, Netlink::Route, RTM_GETLINK, &DUMP_LINKS).len();
        })
        .unwrap();
    assert!(inner > 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let links = rows(&kernel, Netlink::Route, RTM_GETLINK, &DUMP_LINKS);
                    assert!(links.iter().all(|(kind, octets)| *kind == RTM_NEWLINK && Link::parse(octets).is_ok()));
                    kernel.read("/proc/net/dev", &mut Vec::new()).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_panic_inside_a_dump_leaves_the_kernel_usable() {
    let kernel = Linux::open().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |_, _| panic!("a mistake of the caller"))
    }));
    assert!(panicked.is_err());
    assert!(!rows(&kernel, Netlink::Route, RTM_GETLINK, &DUMP_LINKS).is_empty());
}

#[test]
fn ethtool_refuses_what_is_no_interface() {
    let kernel = Linux::open().unwrap();
    for name in ["", "no_such_if", "a_name_that_is_far_too_long_for_linux", "nul\0"] {
        let error = kernel.ethtool(name, &mut ethtool::driver_info_request()).unwrap_err();
        assert!(error.is_absent(), "{name:?}: {error}");
    }
    assert!(kernel.ethtool("lo", &mut []).is_err());
}

/// Asks for the driver and its counters of every interface, and gives the answers or error numbers.
fn ask_drivers(kernel: &dyn Kernel, interfaces: &[String]) -> Vec<Result<Vec<u8>, Option<i32>>> {
    let ask = |name: &str, mut command: Vec<u8>| {
        kernel.ethtool(name, &mut command).map(|()| command).map_err(|error| error.source.raw_os_error())
    };
    let mut answers = Vec::new();
    for name in interfaces {
        answers.push(ask(name, ethtool::driver_info_request().to_vec()));
        let size = ask(name, ethtool::string_set_info_request(ethtool::STATISTICS_SET).to_vec());
        let count = size.as_ref().map_or(0, |octets| ethtool::parse_string_set_info(octets).unwrap());
        answers.push(size);
        let mut strings = ethtool::strings_request(ethtool::STATISTICS_SET, count).to_vec();
        strings.resize(ethtool::strings_len(count), 0);
        answers.push(ask(name, strings));
    }
    answers
}

#[test]
fn a_recording_of_this_kernel_answers_as_it_did() {
    let folder = tempfile::TempDir::new().unwrap();
    let recorder = Recorder::create(Linux::open().unwrap(), folder.path(), "now").unwrap();
    let questions = [
        (Netlink::Route, RTM_GETLINK, DUMP_LINKS.to_vec()),
        (Netlink::Route, RTM_GETADDR, DUMP_ADDRESSES.to_vec()),
        (Netlink::Route, RTM_GETQDISC, DUMP_QDISCS.to_vec()),
        (Netlink::Route, RTM_GETNEIGH, dump_neighbours(AF_INET).to_vec()),
        (Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, established().payload().to_vec()),
    ];
    let files = ["/proc/net/snmp", "/proc/net/netstat", "/proc/sys/net/ipv4/neigh/default/gc_thresh1"];
    let ask_files = |kernel: &dyn Kernel| {
        files.map(|path| {
            let mut out = Vec::new();
            kernel.read(path, &mut out).unwrap();
            out
        })
    };
    let dumps = |kernel: &dyn Kernel| questions.each_ref().map(|(f, t, p)| rows(kernel, *f, *t, p));
    let (recorded_dumps, recorded_files) = (dumps(&recorder), ask_files(&recorder));
    let interfaces: Vec<String> =
        recorded_dumps[0].iter().map(|(_, octets)| Link::parse(octets).unwrap().name.to_string()).collect();
    let drivers = ask_drivers(&recorder, &interfaces);
    let listed = |kernel: &dyn Kernel| {
        let mut names = Vec::new();
        kernel.list("/proc/sys/net", &mut |name| names.push(name.to_vec())).unwrap();
        names
    };
    let names = listed(&recorder);
    let absent = recorder.read("/proc/net/no_such_file", &mut Vec::new()).unwrap_err();
    assert!(recorder.finish().unwrap().errors >= 1);

    let replay = Replay::open(folder.path()).unwrap();
    assert_eq!(dumps(&replay), recorded_dumps);
    assert_eq!(ask_files(&replay), recorded_files);
    assert_eq!(ask_drivers(&replay, &interfaces), drivers);
    assert_eq!(listed(&replay), names);
    assert!(names.contains(&b"ipv4".to_vec()));
    let replayed = replay.read("/proc/net/no_such_file", &mut Vec::new()).unwrap_err();
    assert_eq!(replayed.source.raw_os_error(), absent.source.raw_os_error());
}
