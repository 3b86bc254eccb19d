//! What dumps and announcements tell, taken in rightly.

use squirrel_model::Batch;
use squirrel_testkit::DiagSocket;

use super::world::{World, connection, nobody, process};
use crate::Options;
use crate::picture::{Source, Traffic};

const HERE: &str = "10.0.0.1:4000";
const THERE: &str = "10.0.0.2:80";

fn one_connection() -> World {
    let world = World::default();
    world.state().sockets.push(DiagSocket { received: 500, sent: 70, ..DiagSocket::tcp(1, HERE, THERE) });
    world.process(100, "client", 900, &[1]);
    world
}

#[test]
fn what_an_older_connection_moved_before_is_not_counted() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    assert_eq!(connection(&watch.step(), 1).figures.bytes, Traffic::default());
    world.change(1, |socket| (socket.received, socket.sent, socket.retransmitted) = (1500, 1070, 200));
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(1000, 800));
    let row = process(&picture, 100);
    assert_eq!((row.figures.bytes, row.connections, row.source), (Traffic::new(1000, 800), 1, Source::Exact));
    assert_eq!((row.process.name.as_str(), row.process.unit.as_deref()), ("client", Some("client.service")));
    assert_eq!(picture.hosts[0].figures.bytes, Traffic::new(1000, 800));
    assert_eq!(picture.level.name, "counters");
    assert_eq!(connection(&watch.step(), 1).figures.receive_rate, 0.0);
}

#[test]
fn a_socket_that_comes_twice_in_a_dump_counts_once() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| socket.received = 1500);
    let twice = world.state().sockets[0].clone();
    world.state().sockets.push(twice);
    let picture = watch.step();
    assert_eq!(picture.connections.len(), 1);
    assert_eq!(process(&picture, 100).figures.bytes.receive, 1000);
}

#[test]
fn a_socket_that_one_dump_passes_over_is_not_taken_for_ended() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    let socket = world.state().sockets.remove(0);
    assert_eq!(connection(&watch.step(), 1).closed, None);
    world.state().sockets.push(DiagSocket { received: 800, ..socket });
    let picture = watch.step();
    assert_eq!((connection(&picture, 1).closed, connection(&picture, 1).figures.bytes.receive), (None, 300));
    world.state().sockets.clear();
    watch.step();
    assert!(connection(&watch.step(), 1).closed.is_some(), "without an announcement it ends after two dumps");
}

#[test]
fn the_last_bytes_come_with_the_announcement_of_the_end() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    // The other side's FIN counts as one more received byte.
    world.change(1, |socket| (socket.received, socket.sent) = (1501, 1070));
    world.end(1);
    let picture = watch.step();
    let row = connection(&picture, 1);
    assert_eq!((row.figures.bytes, row.state, row.closed), (Traffic::new(1000, 1000), "CLOSED", Some(picture.at)));
    assert_eq!(row.process.as_ref().map(|process| process.pid), Some(100));
    // It fades after a while; what its process moved stays.
    let picture = watch.steps(61);
    assert!(picture.connections.is_empty());
    assert_eq!(process(&picture, 100).figures.bytes, Traffic::new(1000, 1000));
}

#[test]
fn a_reset_that_wiped_the_counters_takes_nothing_back() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| (socket.received, socket.sent) = (1500, 1070));
    watch.step();
    world.change(1, |socket| (socket.received, socket.sent) = (0, 0));
    world.end(1);
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(1000, 1000));
    assert_eq!(connection(&picture, 1).source, Source::Sampled, "what went after the last dump is not known");
}

#[test]
fn both_ends_on_this_host_settle_who_counted_the_fin() {
    let world = World::default();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    // The client closed first and never counted the server's FIN; the server counted the client's.
    let ends = [
        DiagSocket { received: 32, sent: 64, ..DiagSocket::tcp(1, HERE, THERE) },
        DiagSocket { received: 65, sent: 32, ..DiagSocket::tcp(2, THERE, HERE) },
    ];
    world.state().ended.extend(ends);
    let picture = watch.step();
    assert_eq!(connection(&picture, 1).figures.bytes, Traffic::new(32, 64));
    assert_eq!(connection(&picture, 2).figures.bytes, Traffic::new(64, 32));
    assert_eq!(nobody(&picture, "owner_gone"), Traffic::new(96, 96));
}

#[test]
fn lost_announcements_are_counted_and_shown() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.state().lost = 7;
    assert_eq!(watch.step().lost_events, 7);
    assert_eq!(watch.step().lost_events, 7);
    let mut batch = Batch::default();
    watch.accountant.batch(&mut batch);
    let lost = batch.rows.iter().find(|row| row.metric.name == "squirrel_account_lost_events_total");
    assert_eq!(lost.map(|row| row.value), Some(7.0));
}

#[test]
fn half_open_connections_are_a_few_rows_with_their_number_and_no_hosts() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    let before = watch.accountant.memory();
    let half = DiagSocket { state: 3, ..DiagSocket::tcp(0, THERE, "192.0.2.1:5") };
    world.state().sockets.extend((0..100_000).map(|cookie| DiagSocket { cookie: 1000 + cookie, ..half.clone() }));
    for _ in 0..10 {
        // A million in all, each with a cookie of its own.
        world.state().sockets.iter_mut().skip(1).for_each(|socket| socket.cookie += 100_000);
        let picture = watch.step();
        let half_open: Vec<_> = picture.connections.iter().filter(|row| row.state == "SYN-RECV").collect();
        assert_eq!((half_open.len(), half_open.iter().map(|row| row.count).sum::<u64>()), (9, 100_000));
        assert!(half_open.iter().all(|row| row.local.to_string() == THERE && row.figures.bytes.is_zero()));
        let rest = half_open.iter().find(|row| row.count > 1).unwrap();
        assert!(rest.count == 99_992 && rest.remote.ip().is_unspecified(), "{rest:?}");
        assert_eq!(picture.connections.len(), 1 + 9);
        assert!(picture.hosts.iter().all(|row| row.address.to_string() != "192.0.2.1"), "it may be made up");
    }
    assert_eq!((watch.accountant.memory(), watch.step().sampling), (before, 1));
}

#[test]
fn sockets_that_only_wait_for_late_segments_are_no_connections() {
    let world = World::default();
    world.state().sockets.push(DiagSocket { state: 5, timer: 3, inode: 0, ..DiagSocket::tcp(9, HERE, THERE) });
    assert!(world.watch(Options::default(), false).step().connections.is_empty());
}

#[test]
fn udp_is_listed_and_its_bytes_are_not_known_without_a_ledger() {
    let world = World::default();
    world.state().sockets.push(DiagSocket::udp(5, "0.0.0.0:53"));
    let remote = "192.0.2.9:53".parse().unwrap();
    world.state().sockets.push(DiagSocket { remote, state: 1, ..DiagSocket::udp(7, "10.0.0.1:9") });
    world.state().sockets.push(DiagSocket::udp(6, "[::]:53"));
    world.process(100, "dns", 900, &[5, 6]);
    let picture = world.watch(Options::default(), false).step();
    assert_eq!(process(&picture, 100).source, Source::Unavailable, "its zero means nothing");
    assert_eq!((picture.hosts[0].connections, picture.hosts[0].source), (1, Source::Unavailable));
    for cookie in [5, 6] {
        let row = connection(&picture, cookie);
        assert_eq!((row.state, row.source, row.carrier.word()), ("UNCONN", Source::Unavailable, "udp"));
        assert_eq!(row.process.as_ref().map(|process| process.pid), Some(100));
    }
}

#[test]
fn a_message_that_cannot_be_read_is_a_fault_and_costs_nothing_else() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    let mut broken = DiagSocket::udp(8, "0.0.0.0:1");
    broken.local = "[::1]:1".parse().unwrap();
    world.state().sockets.push(broken);
    world.state().links.push(vec![1, 2, 3]);
    assert_eq!(watch.step().connections.len(), 2);
}

#[test]
fn a_process_of_which_only_tcp_is_counted_is_not_called_exact() {
    let world = one_connection();
    world.state().sockets.push(DiagSocket::udp(5, "0.0.0.0:53"));
    world.process(100, "both", 900, &[1, 5]);
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    world.change(1, |socket| socket.sent = 100);
    let picture = watch.step();
    assert_eq!((process(&picture, 100).figures.bytes.transmit, process(&picture, 100).source), (30, Source::Sampled));
}

#[test]
fn an_accountant_can_be_given_to_another_thread() {
    let world = one_connection();
    let mut watch = world.watch(Options::default(), true);
    let picture = std::thread::spawn(move || watch.step()).join().unwrap();
    assert_eq!(picture.connections.len(), 1);
}
