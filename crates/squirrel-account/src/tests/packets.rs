//! The books of interfaces whose every packet is counted, from a ledger in memory.

use std::sync::{Arc, Mutex, PoisonError};

use squirrel_sys::{PacketLedger, SysError};
use squirrel_testkit::DiagSocket;
use squirrel_wire::ledger::SocketRecord;
use squirrel_wire::packets::{Class, Direction, PacketRecord};

use super::books::{LOOPBACK, Nic, book, nic, set};
use super::ledger::record;
use super::world::{HOST, Watch, World};
use crate::picture::Source;
use crate::{CountPackets, FollowedInterface, Options, PacketSource};

/// Octets of the headers of a TCP packet with time stamps.
const HEADERS: u64 = 14 + 20 + 32;

/// What is counted, and what of it; shared with the test.
#[derive(Default)]
struct State {
    rows: Vec<PacketRecord>,
    followed: Vec<FollowedInterface>,
    broken: bool,
}

#[derive(Clone, Default)]
struct Counting(Arc<Mutex<State>>);

impl Counting {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl PacketLedger for Counting {
    fn each(&mut self, each: &mut dyn FnMut(PacketRecord)) -> Result<(), SysError> {
        self.change(|state| state.rows.iter().copied().for_each(each));
        Ok(())
    }
}

impl PacketSource for Counting {
    fn follow(&mut self) -> Result<Vec<FollowedInterface>, SysError> {
        let mut answer = None;
        self.change(|state| answer = (!state.broken).then(|| state.followed.clone()));
        answer.ok_or_else(|| SysError::new("list", "the interfaces", std::io::ErrorKind::Other.into()))
    }

    fn ledger(&mut self) -> &mut dyn PacketLedger {
        self
    }
}

/// Counts in the host's own namespace alone.
fn count_in_host(counting: &Counting) -> CountPackets {
    let counting = counting.clone();
    Box::new(move |namespace, _| (namespace == HOST).then(|| Box::new(counting.clone()) as Box<dyn PacketSource>))
}

fn followed(index: u32, missing: Option<&str>) -> FollowedInterface {
    FollowedInterface { index, name: format!("if{index}"), missing: missing.map(str::to_owned) }
}

/// The host of the books, all of whose packets are counted from the begin.
fn host(ledger: bool) -> (World, Watch, Counting) {
    let world = World::default();
    set(&world, &[nic(0, 0), LOOPBACK]);
    world.state().addresses.push(super::books::address(2, "10.0.0.1"));
    world.state().sockets.push(DiagSocket::tcp(1, "10.0.0.1:4000", "10.0.0.2:80"));
    let counting = Counting::default();
    counting.change(|state| state.followed = vec![followed(1, None), followed(2, None)]);
    let mut watch = world.watch(Options::default(), ledger);
    watch.accountant.set_packets(count_in_host(&counting));
    (world, watch, counting)
}

/// Packets sent over an interface: one large packet stands for all of them, and the card counts these.
fn sent(interface: u32, class: Class, packets: u64, bytes: u64) -> PacketRecord {
    PacketRecord {
        namespace: 0,
        interface,
        direction: Direction::Transmit,
        class,
        cookie: 1,
        ethertype: 0x0800,
        protocol: 6,
        source: "10.0.0.1".parse().ok(),
        source_port: 4000,
        destination: "10.0.0.2".parse().ok(),
        destination_port: 80,
        frames: 1,
        bytes: bytes - (packets - 1) * HEADERS,
        wire_frames: packets,
        wire_bytes: bytes,
    }
}

#[test]
fn counts_of_packets_take_the_place_of_the_estimate() {
    let (world, mut watch, counting) = host(true);
    // What was counted before the first reading of the interface's own counters is in neither.
    counting.change(|state| state.rows = vec![PacketRecord { cookie: 9, ..sent(2, Class::Socket, 1, 500) }]);
    watch.step();
    world.change(1, |socket| (socket.sent, socket.segments_out) = (1000, 2));
    set(&world, &[nic(4, 2_000), LOOPBACK]);
    counting.change(|state| {
        state.rows.extend([
            sent(2, Class::Socket, 2, 1_132),
            sent(2, Class::Forwarded, 1, 800),
            sent(2, Class::Kernel, 1, 68),
            sent(77, Class::Kernel, 1, 105),
        ]);
    });
    let picture = watch.step();
    let row = book(&picture, "eth0");
    assert_eq!((row.attributed.transmit, row.headers.transmit), (1_000, 132));
    assert_eq!((row.forwarded.transmit, row.kernel.transmit, row.unexplained.transmit), (800, 68, 0));
    assert_eq!(row.source, Source::Exact);
    let process_bytes: u64 = picture.connections.iter().map(|row| row.figures.bytes.transmit).sum();
    assert_eq!(process_bytes, 1_000, "connections are counted as before");
    assert_eq!(picture.level.name, "packets");
}

#[test]
fn each_direction_is_taken_as_its_driver_counts_it() {
    let (world, mut watch, counting) = host(true);
    watch.step();
    let row = sent(2, Class::Socket, 3, 3_000);
    let received = PacketRecord { direction: Direction::Receive, ..row };
    counting.change(|state| state.rows = vec![row, received]);
    // On the way in each segment by itself, on the way out the large packet.
    set(&world, &[Nic { counters: [3, 3_000, 1, row.bytes], ..nic(0, 0) }, LOOPBACK]);
    let picture = watch.step();
    let row = book(&picture, "eth0");
    assert_eq!((row.unexplained.receive, row.unexplained.transmit), (0, 0));
}

#[test]
fn an_interface_that_comes_is_exact_only_when_nothing_of_it_was_missed() {
    let (world, mut watch, counting) = host(true);
    watch.step();
    let fresh = Nic { index: 5, name: "fresh", ..Nic::default() };
    let late = Nic { index: 6, name: "late", counters: [0, 0, 1, 90], ..Nic::default() };
    counting
        .change(|state| state.followed.extend([followed(5, None), followed(6, None), followed(7, Some("refused"))]));
    set(&world, &[nic(0, 0), LOOPBACK, fresh.clone(), late.clone(), Nic { index: 7, name: "no", ..Nic::default() }]);
    watch.step();
    counting.change(|state| state.rows = vec![sent(5, Class::Socket, 1, 200), sent(6, Class::Socket, 1, 200)]);
    let moved = |nic: Nic, bytes| Nic { counters: [0, 0, 2, bytes], ..nic };
    set(
        &world,
        &[nic(0, 0), LOOPBACK, moved(fresh, 200), moved(late, 290), Nic { index: 7, name: "no", ..Nic::default() }],
    );
    let picture = watch.step();
    let shown = |name| (book(&picture, name).source, book(&picture, name).attributed.transmit);
    assert_eq!(shown("fresh"), (Source::Exact, 200 - HEADERS));
    assert_eq!(shown("late"), (Source::Sampled, 200 - HEADERS));
    assert_eq!(shown("no"), (Source::Sampled, 0));
    assert_eq!((book(&picture, "fresh").unexplained.transmit, book(&picture, "eth0").source), (0, Source::Exact));
    assert!(picture.level.meaning.contains("1 of 5 interfaces are estimated"), "{}", picture.level.meaning);
    let part = picture.level.parts.iter().find(|part| part.part == "packets of if7").unwrap();
    assert_eq!(part.missing.as_deref(), Some("refused"));
}

#[test]
fn the_level_says_what_packets_are_counted_and_what_they_are_not() {
    let (_, mut watch, counting) = host(true);
    let level = watch.step().level.clone();
    assert_eq!((level.name, level.next), ("packets", None));
    assert!(level.meaning.ends_with("so that their books are exact."), "{}", level.meaning);
    counting.change(|state| state.broken = true);
    let level = watch.step().level.clone();
    assert_eq!(level.name, "sockets");
    let part = level.parts.iter().find(|part| part.part == "packets").unwrap();
    assert!(part.missing.as_ref().unwrap().contains("the interfaces"), "{part:?}");
    // Without the ledger of sockets the bytes are no better than before, but those of the interfaces are.
    let (_, mut watch, _) = host(false);
    let level = watch.step().level.clone();
    assert!(level.name == "counters" && level.meaning.contains("each packet of the interfaces"), "{level:?}");
    let (_, mut watch) = super::books::host();
    watch.accountant.set_packets_missing("an old kernel".to_owned());
    let level = watch.step().level.clone();
    let part = level.parts.iter().find(|part| part.part == "packets").unwrap();
    assert_eq!(part.missing.as_deref(), Some("an old kernel"));
}

#[test]
fn peers_of_a_socket_without_a_fixed_one_are_told_by_packets_and_summed_without() {
    let (world, mut watch, counting) = host(true);
    world.state().sockets.push(DiagSocket::udp(5, "0.0.0.0:53"));
    let moved = |receive, transmit| SocketRecord {
        protocol: 17,
        local_port: 53,
        remote: "0.0.0.0".parse().unwrap(),
        remote_port: 0,
        ..record(5, 100, receive, transmit)
    };
    world.state().living.push(moved(0, 0));
    watch.step();
    world.state().living[0] = moved(300, 700);
    let datagram = |direction, source: &str, destination: &str, bytes: u64| PacketRecord {
        cookie: 5,
        protocol: 17,
        direction,
        source: source.parse().ok(),
        destination: destination.parse().ok(),
        ..sent(2, Class::Socket, 1, bytes + 14 + 20 + 8)
    };
    counting.change(|state| {
        state.rows = vec![
            datagram(Direction::Receive, "10.0.0.7", "10.0.0.1", 100),
            datagram(Direction::Transmit, "10.0.0.1", "10.0.0.7", 600),
            // Of another socket, which has its peer.
            PacketRecord { cookie: 1, ..datagram(Direction::Transmit, "10.0.0.1", "10.0.0.2", 50) },
        ];
    });
    watch.step();
    let picture = watch.step();
    let host = |address: &str| {
        let row = picture.hosts.iter().find(|row| row.address.to_string() == address);
        row.map(|row| (row.figures.bytes.receive, row.figures.bytes.transmit, row.note.is_some()))
    };
    assert_eq!(host("10.0.0.7"), Some((100, 600, false)));
    assert_eq!(host("0.0.0.0"), Some((200, 100, true)), "what the frames do not tell of yet");
    assert_eq!(host("10.0.0.2"), Some((0, 0, false)));
}

/// A step in which the card sends one packet of 1,000 bytes more, all of it counted for the kernel.
fn one_more(world: &World, counting: &Counting, sent_before: u64) {
    let packets = sent_before + 1;
    set(world, &[Nic { counters: [0, 0, packets, packets * 1_000], ..nic(0, 0) }, LOOPBACK]);
    counting.change(|state| {
        let row = sent(2, Class::Kernel, 1, 1_000);
        state.rows = vec![PacketRecord { frames: packets, bytes: packets * 1_000, wire_frames: packets, ..row }];
        state.rows.iter_mut().for_each(|row| row.wire_bytes = row.bytes);
    });
}

#[test]
fn packets_are_counted_while_somebody_wishes_it_and_each_byte_once() {
    let (world, mut watch, counting) = host(true);
    watch.accountant.clear_packets();
    watch.step();
    one_more(&world, &counting, 0);
    assert_eq!(watch.step().level.name, "sockets");
    watch.accountant.set_packets(count_in_host(&counting));
    // What moved in the step in which it began is still estimated: the counts are not all of it.
    one_more(&world, &counting, 1);
    watch.step();
    one_more(&world, &counting, 2);
    let picture = watch.step();
    let kernel = |picture: &crate::Picture| book(picture, "eth0").kernel.transmit;
    assert_eq!((picture.level.name, kernel(&picture)), ("packets", 1_000));
    // A step whose counts failed is estimated, and they do not come again with the next one.
    counting.change(|state| state.broken = true);
    one_more(&world, &counting, 3);
    assert_eq!(watch.step().level.name, "sockets");
    counting.change(|state| state.broken = false);
    one_more(&world, &counting, 4);
    watch.step();
    one_more(&world, &counting, 5);
    assert_eq!(kernel(&watch.step()), 2_000);
    watch.accountant.clear_packets();
    one_more(&world, &counting, 6);
    let picture = watch.step();
    assert_eq!((picture.level.name, kernel(&picture)), ("sockets", 2_000));
    assert_eq!(book(&picture, "eth0").source, Source::Sampled);
    assert!(picture.level.parts.iter().all(|part| !part.part.starts_with("packets")));
}
