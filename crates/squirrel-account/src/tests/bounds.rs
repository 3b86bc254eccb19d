//! What happens when there is too much of everything.

use std::collections::BTreeSet;

use squirrel_model::Batch;
use squirrel_testkit::DiagSocket;

use super::world::{World, process};
use crate::picture::{Picture, Source};
use crate::{Accountant, Options, catalogue};

fn crowd(world: &World, count: u64) {
    let mut state = world.state();
    state.sockets.clear();
    state.sockets.extend((1..=count).map(|cookie| DiagSocket {
        inode: 1000 + (cookie % 4) as u32,
        ..DiagSocket::tcp(cookie, "10.0.0.1:80", &format!("10.1.{}.{}:5", cookie / 250, cookie % 250))
    }));
}

fn rows(accountant: &Accountant) -> Batch {
    let mut batch = Batch::default();
    accountant.batch(&mut batch);
    batch
}

fn values(batch: &Batch, metric: &str) -> Vec<f64> {
    batch.rows.iter().filter(|row| row.metric.name == metric).map(|row| row.value).collect()
}

fn move_all(world: &World, bytes: u64) {
    world.state().sockets.iter_mut().for_each(|socket| socket.sent += bytes);
}

fn sent(picture: &Picture) -> u64 {
    picture.connections.iter().map(|row| row.figures.bytes.transmit).sum()
}

#[test]
fn above_the_limit_a_share_is_followed_and_detail_comes_back() {
    let world = World::default();
    crowd(&world, 1_000);
    let options = Options { connections: 1_000, ..Options::default() };
    let mut watch = world.watch(options, false);
    let picture = watch.step();
    assert_eq!((picture.sampling, picture.connections.len()), (1, 1_000));

    crowd(&world, 3_000);
    watch.step();
    let picture = watch.steps(5);
    assert_eq!(picture.sampling, 4);
    let open = picture.connections.iter().filter(|row| row.closed.is_none());
    let followed = open.clone().count();
    assert!((600..=900).contains(&followed), "{followed} of 3,000");
    assert!(open.clone().all(|row| row.source == Source::Sampled));
    assert!(picture.level.meaning.contains("one in 4") && picture.level.meaning.contains("wrong by 3."));
    assert!(picture.pruned > 0);
    let before = world.state().dumps;
    let hosts_before: u64 = picture.hosts.iter().map(|row| row.figures.bytes.transmit).sum();
    move_all(&world, 1_000);
    let picture = watch.steps(8);
    assert_eq!(world.state().dumps - before, 2, "the dumps are further apart");
    let hosts: u64 = picture.hosts.iter().map(|row| row.figures.bytes.transmit).sum::<u64>() - hosts_before;
    assert!((2_400_000..=3_600_000).contains(&hosts), "{hosts} of 3,000,000");

    crowd(&world, 700);
    let picture = watch.steps(10);
    assert_eq!(picture.sampling, 1);
    let open = picture.connections.iter().filter(|row| row.closed.is_none());
    assert_eq!(open.count(), 700);
    // What was estimated already is not counted once more.
    assert!(sent(&picture) <= 1_000 * 900, "{}", sent(&picture));
}

#[test]
fn ended_connections_and_hosts_have_bounds_and_what_went_is_counted() {
    let world = World::default();
    let options = Options { ended_connections: 100, hosts: 50, ..Options::default() };
    let mut watch = world.watch(options, false);
    watch.step();
    let brief = |cookie| DiagSocket { sent: 10, inode: 0, ..DiagSocket::tcp(cookie, "10.0.0.1:9", "10.0.0.2:80") };
    world.state().ended.extend((1..=500).map(|cookie| DiagSocket {
        remote: format!("10.1.{}.{}:80", cookie / 250, cookie % 250).parse().unwrap(),
        ..brief(cookie)
    }));
    let picture = watch.step();
    assert_eq!((picture.connections.len(), picture.hosts.len()), (100, 45));
    assert_eq!(picture.pruned, 400 + 455);
    assert_eq!(picture.unattributed[0].bytes.transmit, 5_000, "the sums keep what the dropped rows had");
}

#[test]
fn series_are_bounded_and_the_rest_is_summed_visibly() {
    let world = World::default();
    for number in 0..8u32 {
        world.process(100 + number, &format!("p{number}"), 900, &[number + 1]);
        world.state().sockets.push(DiagSocket::tcp(u64::from(number) + 1, "10.0.0.1:9", "10.0.0.2:80"));
    }
    let options = Options { groups: 5, ..Options::default() };
    let mut watch = world.watch(options, false);
    watch.step();
    move_all(&world, 10);
    watch.step();
    let batch = rows(&watch.accountant);
    let sent = values(&batch, "squirrel_process_transmit_bytes_total");
    assert_eq!((sent.len(), sent.iter().sum::<f64>(), sent.last()), (6, 80.0, Some(&30.0)));
    assert_eq!(values(&batch, "squirrel_process_rows_beyond"), [3.0]);
    let other = batch.rows.iter().find(|row| row.labels.get("process") == Some("(other)")).unwrap();
    assert_eq!(other.metric.name, "squirrel_process_receive_bytes_total");
    // When processes are gone for long, their rows serve others.
    for number in 0..5u32 {
        world.leave(100 + number);
        world.end(u64::from(number) + 1);
    }
    watch.steps(700);
    move_all(&world, 10);
    watch.steps(2);
    let batch = rows(&watch.accountant);
    assert_eq!(values(&batch, "squirrel_process_rows_beyond"), [0.0]);
    assert_eq!(values(&batch, "squirrel_process_connections").iter().sum::<f64>(), 3.0);
}

#[test]
fn no_number_of_a_process_and_no_address_is_a_label_and_every_row_is_declared() {
    let world = World::default();
    world.process(31_337, "server", 900, &[1]);
    world.state().sockets.push(DiagSocket::tcp(1, "10.0.0.1:9", "10.0.0.2:80"));
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    move_all(&world, 10);
    watch.step();
    let batch = rows(&watch.accountant);
    assert_eq!(values(&batch, "squirrel_process_transmit_bytes_total"), [10.0]);
    let mut seen = BTreeSet::new();
    for row in &batch.rows {
        let declared = catalogue().find(&row.metric.name).expect("it is declared");
        for (name, value) in row.labels.iter() {
            assert!(declared.labels.contains(&name), "{name} of {}", row.metric.name);
            assert!(!value.contains("31337") && !value.contains("10.0.0"), "{value}");
        }
        assert!(seen.insert((row.metric.name.to_string(), row.labels.clone())), "{} {}", row.metric.name, row.labels);
    }
}

#[test]
fn memory_near_its_ceiling_is_a_warning() {
    let world = World::default();
    crowd(&world, 1_000);
    let options = Options { memory: 300_000, ..Options::default() };
    let mut watch = world.watch(options, false);
    let picture = watch.steps(3);
    assert_eq!(picture.sampling, 2, "the ceiling leaves room for 500 connections");
    let warned = picture.level.parts.iter().any(|part| part.part == "memory" && part.missing.is_some());
    let memory = watch.accountant.memory();
    assert_eq!(warned, memory > 270_000, "{memory}");
    assert!(memory < 600_000, "{memory}");
}

#[test]
fn ended_processes_fade() {
    let world = World::default();
    world.process(100, "brief", 900, &[1]);
    world.state().sockets.push(DiagSocket::tcp(1, "10.0.0.1:9", "10.0.0.2:80"));
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    move_all(&world, 10);
    watch.step();
    world.end(1);
    world.leave(100);
    let picture = watch.steps(2);
    assert!(process(&picture, 100).ended.is_some());
    assert_eq!(process(&watch.steps(500), 100).figures.bytes.transmit, 10);
    assert!(watch.steps(200).processes.is_empty());
}
