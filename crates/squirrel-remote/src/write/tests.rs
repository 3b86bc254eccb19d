//! Writers with a store in memory and a receiver that does what the test says.

mod receiver;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use squirrel_exchange::Metadata;
use squirrel_exchange::remote_write::Version;
use squirrel_model::{Batch, Kind, Labels, Metric, Timestamp, Unit, is_stale, stale_marker};
use squirrel_outbound::{Client, Destination};
use squirrel_store::dir::{Dir, MemoryDir};
use squirrel_store::{Store, StoreOptions};

use super::*;
use crate::relabel::{Relabelling, Rule, RuleText};
use receiver::{Receiver, Rule as Act};

static READING: Metric = Metric::new("reading", Kind::Gauge, Unit::None, "A number.");

/// A store whose clock stands at its last tick, and all that a writer needs.
struct World {
    store: Arc<Store>,
    dir: Arc<MemoryDir>,
    now: Arc<AtomicI64>,
}

const BEGIN: i64 = 1_795_275_000_000;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_mins(1);

impl World {
    fn new() -> Self {
        let dir = Arc::new(MemoryDir::new());
        let target = Labels::new([("job", "squirrel"), ("instance", "oak:7775")]).unwrap();
        let (store, _) = Store::open(dir.clone(), StoreOptions::new(target), Timestamp(BEGIN)).unwrap();
        Self { store: Arc::new(store), dir, now: Arc::new(AtomicI64::new(BEGIN)) }
    }

    /// Ticks of some series, one a second, the value being the second.
    fn tick(&self, seconds: std::ops::RangeInclusive<i64>, series: usize) {
        for second in seconds {
            let at = BEGIN + second * 1_000;
            let mut batch = Batch::default();
            for one in 0..series {
                let labels = Labels::new([("n", format!("{one}"))]).unwrap();
                batch.put(&READING, &labels, second as f64);
            }
            self.store.append(Timestamp(at), &batch).unwrap();
            self.now.store(at, Ordering::SeqCst);
        }
    }

    fn source(&self) -> Source {
        let (reader, now, clock) = (self.store.reader(), Arc::clone(&self.now), Arc::clone(&self.now));
        Source {
            snapshots: Arc::new(move || reader.snapshot()),
            complete: Arc::new(move || Some(Timestamp(now.load(Ordering::SeqCst)))),
            clock: Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))),
            describe: Arc::new(|name| Metadata::new(squirrel_exchange::Kind::Gauge, "", name)),
            dir: Arc::clone(&self.dir) as Arc<dyn Dir>,
            retention_ms: 14 * 86_400_000,
            step_ms: 1_000,
        }
    }

    /// Starts a writer; it ends when the answer is dropped.
    fn start(&self, target: Target) -> Running {
        let writer = Writer::new(target, self.source(), Arc::new(Client::new()));
        let handle = writer.handle();
        Running { handle, task: tokio::spawn(writer.run()), now: Arc::clone(&self.now) }
    }
}

struct Running {
    handle: Handle,
    task: tokio::task::JoinHandle<()>,
    now: Arc<AtomicI64>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    fn figure(&self, name: &str, label: &str) -> f64 {
        let mut batch = Batch::default();
        self.handle.rows(Timestamp(self.now.load(Ordering::SeqCst)), &mut batch);
        let row = |row: &&squirrel_model::Row| {
            row.metric.name == name && (label.is_empty() || row.labels.iter().any(|(_, value)| value == label))
        };
        batch.rows.iter().find(row).unwrap().value
    }

    /// Waits until the cursor stands at the store's newest tick.
    async fn caught_up(&self) {
        let wait = async {
            while self.figure("squirrel_remote_write_behind_seconds", "") > 0.0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the writer has caught up");
    }
}

fn target(receiver: &Receiver) -> Target {
    let destination = Destination::parse(&receiver.url()).unwrap();
    // A flush of a millisecond, and from before the first tick on: what is there is sent at once.
    Target { flush_ms: 1, backfill_ms: 2_000_000, ..Target::new("hub", destination) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_samples_arrive_in_order_and_under_the_store_s_labels() {
    for rules in [vec![Act::Take2], vec![Act::Older, Act::Take1]] {
        let (world, receiver) = (World::new(), Receiver::start(rules.clone()).await);
        world.tick(0..=99, 7);
        let running = world.start(Target { request_samples: 50, ..target(&receiver) });
        running.caught_up().await;
        receiver.check_exactly(7, 0..=99);
        assert_eq!(running.figure("squirrel_remote_write_samples_total", ""), 700.0);
        assert!((2.0..=4.0).contains(&running.figure("squirrel_remote_write_shards", "")));
        assert!(receiver.largest() <= 50, "no request is larger than was asked for");
        assert_eq!(receiver.names(), [r#"reading{instance="oak:7775",job="squirrel",n="0"}"#], "the first");
        assert_eq!(receiver.metadata(), ["reading"]);
        let refused = receiver.requests_refused();
        assert!(
            if rules.len() == 1 { refused == 0 } else { (1..=4).contains(&refused) },
            "1.0 is remembered: {refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_loses_nothing_and_the_writer_says_that_it_is_behind() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take2]).await);
    world.tick(0..=9, 5);
    let running = world.start(target(&receiver));
    running.caught_up().await;
    receiver.set(vec![Act::Status(503)]);
    world.tick(10..=1_499, 5);
    let wait = async {
        while running.figure("squirrel_remote_write_failures_total", "") < 2.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(running.figure("squirrel_remote_write_behind_seconds", ""), 1_490.0);
    receiver.set(vec![Act::Take2]);
    running.caught_up().await;
    receiver.check_exactly(5, 0..=1_499);
    assert_eq!(running.figure("squirrel_remote_write_dropped_total", "refused"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_killed_goes_on_where_it_stood() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take2]).await);
    world.tick(0..=20, 40);
    for round in 1..=10 {
        // Some requests are taken and some are not, and then the writer is gone.
        receiver.set(vec![Act::Take2, Act::Take2, Act::Status(503)]);
        let running = world.start(Target { request_samples: 37, ..target(&receiver) });
        let wait = async {
            while running.figure("squirrel_remote_write_failures_total", "") < 1.0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
        drop(running);
        world.tick(round * 21..=round * 21 + 20, 40);
    }
    receiver.set(vec![Act::Take2]);
    let running = world.start(Target { request_samples: 37, ..target(&receiver) });
    running.caught_up().await;
    receiver.check_at_least(40, 0..=230);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_found_and_the_rest_arrives() {
    // A receiver as Prometheus 2.42: one bad series and nothing of the request is taken.
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::RefuseWith("n=\"3\"")]).await);
    world.tick(0..=9, 8);
    let running = world.start(Target { version: Some(Version::V1), ..target(&receiver) });
    running.caught_up().await;
    assert_eq!(running.figure("squirrel_remote_write_dropped_total", "refused"), 10.0);
    assert_eq!(running.figure("squirrel_remote_write_samples_total", ""), 70.0);
    assert_eq!(receiver.count(), 70);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_costs_no_sample() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Status(401), Act::Status(429), Act::Take2]).await);
    world.tick(0..=9, 2);
    let running = world.start(Target { version: Some(Version::V2), ..target(&receiver) });
    running.caught_up().await;
    receiver.check_exactly(2, 0..=9);
    assert_eq!(running.figure("squirrel_remote_write_failures_total", ""), 2.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_rules_keep_is_sent_at_the_rate_that_was_asked_for() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take1]).await);
    world.tick(0..=39, 3);
    let keep = RuleText {
        action: Some("keep".to_owned()),
        source_labels: vec!["n".to_owned()],
        regex: Some("[01]".to_owned()),
        ..RuleText::default()
    };
    let running = world.start(Target {
        version: Some(Version::V1),
        thin: Some(Thin { step_ms: 10_000, max: true }),
        relabelling: Relabelling {
            external: vec![("site".to_owned(), "wood".to_owned())],
            rules: vec![Rule::new(&keep).unwrap()],
        },
        ..target(&receiver)
    });
    let wait = async {
        while receiver.count() < 16 {
            tokio::task::yield_now().await;
        }
    };
    // The fifth step begins with the next tick, so that the fourth is whole.
    world.tick(40..=40, 3);
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    let all = receiver.samples();
    assert_eq!(all.len(), 4, "two series, each twice: {:?}", all.keys());
    for (labels, samples) in all {
        assert!(labels.get("site") == Some("wood") && ["reading", "reading:max"].contains(&labels.metric_name()));
        assert_eq!(samples.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [9.0, 19.0, 29.0, 39.0]);
    }
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_that_come_late_are_sent_too() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take2]).await);
    world.tick(0..=9, 1);
    let running = world.start(target(&receiver));
    running.caught_up().await;
    let labels = Labels::new([("__name__", "relayed"), ("instance", "elm:7775")]).unwrap();
    let late: Vec<_> =
        (3..=6).map(|second| (labels.clone(), Timestamp(BEGIN + second * 1_000), second as f64)).collect();
    world.store.append_samples(Timestamp(BEGIN + 9_000), &late).unwrap();
    running.handle.arrived(&late);
    let wait = async {
        while receiver.count() < 14 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    let times: Vec<i64> = receiver.samples()[&labels].iter().map(|(at, _)| (at - BEGIN) / 1_000).collect();
    assert_eq!(times, [3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_series_is_told() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take2]).await);
    world.tick(0..=4, 2);
    world.tick(5..=9, 1);
    let running = world.start(target(&receiver));
    running.caught_up().await;
    let all = receiver.samples();
    let ended = all.iter().find(|(labels, _)| labels.get("n") == Some("1")).unwrap().1;
    assert_eq!(ended.len(), 6);
    assert!(is_stale(ended[5].1) && ended[5].1.to_bits() == stale_marker().to_bits());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_retention_took_is_counted_and_a_clock_set_back_is_followed() {
    let (world, receiver) = (World::new(), Receiver::start(vec![Act::Take2]).await);
    world.tick(0..=9, 1);
    let mut source = world.source();
    source.retention_ms = 100_000;
    let kept = Kept::new("hub");
    kept.write(&*world.dir, Cursor { sent: BEGIN - 500_000, pending: None }).unwrap();
    let mut writer = Writer::new(target(&receiver), source.clone(), Arc::new(Client::new()));
    assert!(writer.plan().is_some());
    assert_eq!(writer.cursor.sent, BEGIN + 9_000 - 100_000);
    let mut out = Batch::default();
    writer.handle().rows(Timestamp(BEGIN), &mut out);
    let expired = out.rows.iter().find(|row| row.metric.name == "squirrel_remote_write_expired_seconds_total").unwrap();
    assert_eq!(expired.value, 409.0);

    kept.write(&*world.dir, Cursor { sent: BEGIN + 86_400_000, pending: None }).unwrap();
    let mut writer = Writer::new(target(&receiver), source, Arc::new(Client::new()));
    assert!(writer.plan().is_none());
    assert_eq!(writer.cursor.sent, BEGIN + 9_000);
}

#[test]
fn after_a_crash_the_open_window_is_sent_again_alone() {
    let world = World::new();
    world.tick(0..=99, 1);
    Kept::new("hub").write(&*world.dir, Cursor { sent: BEGIN, pending: Some(BEGIN + 5_000) }).unwrap();
    let destination = Destination::parse("http://127.0.0.1:9").unwrap();
    let mut writer = Writer::new(Target::new("hub", destination), world.source(), Arc::new(Client::new()));
    let window = |writer: &mut Writer| writer.plan().map(|range| (range.start.0 - BEGIN, range.end.0 - BEGIN));
    assert_eq!(window(&mut writer), Some((1, 5_000)));
    writer.cursor = Cursor::at(Timestamp(BEGIN + 5_000));
    assert_eq!(window(&mut writer), Some((5_001, 99_000)));
}
