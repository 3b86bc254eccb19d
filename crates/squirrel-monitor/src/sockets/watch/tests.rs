//! A table that refuses, grows, and takes its time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;
use crate::{SocketConnection, SocketSource, SocketState, TableReport, TrackingDetail, Transport};

const SECOND: Duration = Duration::from_secs(1);
const LIMITS: TrackingLimits = TrackingLimits { connections: 100, closed: 10, memory: 1 << 20 };

/// So many connections, or none to be had.
#[derive(Default)]
struct Numbers {
    connections: AtomicU64,
    refuses: std::sync::atomic::AtomicBool,
    asked: AtomicU64,
}

impl SocketTable for Arc<Numbers> {
    fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport> {
        self.asked.fetch_add(1, Relaxed);
        if self.refuses.load(Relaxed) {
            return Err(MonitorError::Sockets { reason: "no".to_owned() });
        }
        let at = |port| ([127, 0, 0, 1], port).into();
        let state = SocketState::Established;
        (0..self.connections.load(Relaxed))
            .for_each(|id| each(SocketConnection::new(id, Transport::Tcp, state, at(1), at(2))));
        Ok(TableReport { source: SocketSource::Own, ..TableReport::default() })
    }
}

fn watch(limits: TrackingLimits) -> (SocketWatch, Arc<Numbers>) {
    let (watch, table) = (SocketWatch::new(limits, SECOND), Arc::new(Numbers::default()));
    watch.ask(Arc::new(Arc::clone(&table)));
    (watch, table)
}

/// One tick at each of these seconds; what was told.
async fn ticks(watch: &SocketWatch, seconds: std::ops::Range<u32>) -> Vec<AlertKind> {
    let mut told = Vec::new();
    for second in seconds {
        told.extend(watch.tick(|| second * SECOND).await);
    }
    told
}

#[tokio::test]
async fn a_table_that_refuses_is_asked_less_and_less_and_told_once() {
    let (watch, table) = watch(LIMITS);
    table.connections.store(3, Relaxed);
    assert_eq!(ticks(&watch, 0..1).await, []);
    table.refuses.store(true, Relaxed);
    let told = ticks(&watch, 1..11).await;
    assert_eq!(told, [AlertKind::SocketsUnreadable { reason: "sockets of this process: no".to_owned() }]);
    // Asked at 0, then at 1, 3 and 7; the next is 15.
    assert_eq!(table.asked.load(Relaxed), 4);
    let tracking = watch.tracking();
    assert_eq!((tracking.precision, tracking.failures), (Precision::Unavailable, 3));
    assert_eq!((watch.connections().len(), watch.closed().len()), (0, 0), "not shown, and not taken for closed");
    table.refuses.store(false, Relaxed);
    table.connections.store(2, Relaxed);
    assert_eq!(ticks(&watch, 11..16).await, [AlertKind::SocketsReadable]);
    let ages: Vec<u64> = watch.connections().iter().map(|known| known.known_for.as_secs()).collect();
    assert_eq!(ages, [15, 15], "who is still there was there all the time");
    let [gone] = <[_; 1]>::try_from(watch.closed()).unwrap();
    assert_eq!((gone.last.connection.id, gone.gone_at), (2, 15 * SECOND));
}

#[tokio::test]
async fn what_is_not_tracked_is_not_asked_for() {
    let (watch, table) = watch(TrackingLimits::NONE);
    assert_eq!(ticks(&watch, 0..5).await, []);
    assert_eq!(table.asked.load(Relaxed), 0);
}

#[tokio::test]
async fn too_many_are_told_before_then_sampled_and_then_listed_again() {
    let (watch, table) = watch(LIMITS);
    let mut told = Vec::new();
    for (second, connections) in [89, 90, 101, 100, 90, 80, 95, 74, 90].into_iter().enumerate() {
        table.connections.store(connections, Relaxed);
        let second = second as u32;
        told.extend(ticks(&watch, second..second + 1).await.into_iter().map(|kind| (connections, kind)));
    }
    let nearly = |used| (used, AlertKind::ConnectionsNearlyFull { used, limit: 100 });
    let [first, (101, AlertKind::ConnectionsSampled { listed: 100, total: 101, error }), exact, again] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((first, again, exact), (&nearly(90), &nearly(90), &(100, AlertKind::ConnectionsExact)));
    assert!((error - 0.0098).abs() < 0.0001, "{error}");
}

#[tokio::test]
async fn the_last_closed_connections_are_kept_and_the_others_counted() {
    let (watch, table) = watch(LIMITS);
    for (second, connections) in [50, 30, 45, 44].into_iter().enumerate() {
        table.connections.store(connections, Relaxed);
        ticks(&watch, second as u32..second as u32 + 1).await;
    }
    let gone: Vec<_> =
        watch.closed().iter().map(|closed| (closed.last.connection.id, closed.gone_at.as_secs())).collect();
    assert_eq!((gone.len(), gone.last()), (10, Some(&(44, 3))));
    let tracking = watch.tracking();
    assert_eq!((tracking.closed, tracking.closed_pruned, tracking.listed), (21, 11, 44));
}

#[tokio::test]
async fn the_memory_ceiling_prunes_the_history_first_and_then_samples() {
    let memory = 200 * WORST_BYTES;
    let (watch, table) = watch(TrackingLimits { connections: 100_000, closed: 100_000, memory });
    let mut least = usize::MAX;
    for (second, connections) in [200, 0, 200, 0, 200, 0, 200, 0, 200, 5_000, 5_000].into_iter().enumerate() {
        table.connections.store(connections, Relaxed);
        ticks(&watch, second as u32..second as u32 + 1).await;
        let tracking = watch.tracking();
        assert!(tracking.memory <= memory as u64, "{tracking:?} of {memory}");
        least = if second > 4 { least.min(watch.closed().len()) } else { least };
    }
    let tracking = watch.tracking();
    assert_eq!((tracking.listed, tracking.total, tracking.limit), (200, 5_000, 200));
    assert!(tracking.closed_pruned > 0 && least > 100, "{tracking:?} {least}");
}

#[tokio::test]
async fn a_table_that_panics_is_one_that_cannot_be_read() {
    struct Panics(AtomicU64);
    impl SocketTable for Panics {
        fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport> {
            let at = ([127, 0, 0, 1], 1).into();
            each(SocketConnection::new(1, Transport::Udp, SocketState::Unconnected, at, at));
            assert!(self.0.fetch_add(1, Relaxed) > 0, "a table of the user");
            Ok(TableReport::default())
        }
    }
    let watch = SocketWatch::new(LIMITS, SECOND);
    watch.ask(Arc::new(Panics(AtomicU64::new(0))));
    let told = ticks(&watch, 0..3).await;
    let [AlertKind::SocketsUnreadable { reason }, AlertKind::SocketsReadable] = &told[..] else { panic!("{told:?}") };
    assert!(reason.contains("panic"), "{reason}");
    assert_eq!(watch.connections().len(), 1);
}

#[tokio::test]
async fn limits_of_zero_list_nothing_and_say_so() {
    let nothing = TrackingLimits { connections: 100, closed: 0, memory: 0 };
    let (watch, table) = watch(nothing);
    table.connections.store(3, Relaxed);
    assert_eq!(ticks(&watch, 0..3).await, [AlertKind::ConnectionsNearlyFull { used: 3, limit: 0 }]);
    let tracking = watch.tracking();
    assert_eq!((tracking.precision, tracking.total, tracking.memory), (Precision::Unavailable, 3, 0));
    assert_eq!((watch.connections().len(), watch.closed().len()), (0, 0));
    assert_eq!(watch.collect().await.unwrap().precision(), Precision::Unavailable);
}

#[tokio::test]
async fn detail_falls_when_collecting_takes_too_long_and_comes_back() {
    let (watch, table) = watch(LIMITS);
    table.connections.store(50, Relaxed);
    // The clock of this test goes on by so much during each collection.
    let (cost, at) = (AtomicU64::new(30), AtomicU64::new(0));
    let tick = |_second: u32| {
        let calls = AtomicU64::new(0);
        let (cost, at, watch) = (&cost, &at, &watch);
        async move {
            let begun = at.fetch_add(1_000, Relaxed);
            watch.tick(|| Duration::from_millis(begun + calls.fetch_add(1, Relaxed) * cost.load(Relaxed))).await
        }
    };
    let mut told = Vec::new();
    for second in 0..40 {
        told.extend(tick(second).await);
    }
    let change = |detail| AlertKind::TrackingDetail { detail };
    let [slower, sampled, AlertKind::ConnectionsSampled { listed: 10, total: 50, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((slower, sampled), (&change(TrackingDetail::Slower), &change(TrackingDetail::Sampled)));
    // 0, 1, then each fourth: 5, 9, then each sixteenth: 25.
    assert_eq!(table.asked.load(Relaxed), 5);
    let tracking = watch.tracking();
    assert_eq!((tracking.listed, tracking.limit, tracking.last_cost), (10, 10, Duration::from_millis(30)));
    cost.store(1, Relaxed);
    told.clear();
    for second in 40..120 {
        told.extend(tick(second).await);
    }
    let exact = AlertKind::ConnectionsExact;
    assert_eq!(told, [change(TrackingDetail::Slower), exact, change(TrackingDetail::Full)]);
    assert_eq!(watch.tracking().listed, 50);
}
