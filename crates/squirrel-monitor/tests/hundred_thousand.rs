//! A hundred thousand connections at under 600 bytes each. Alone in its process: other tests would move
//! the figures.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use squirrel_monitor::{
    MonitorError, NetworkConfig, NetworkMonitor, Precision, SocketConnection, SocketSource, SocketState, SocketTable,
    TableReport, Transport,
};

const CONNECTIONS: u64 = 100_000;

/// As many connections as it is told, numbered from a first one on.
#[derive(Default)]
struct Synthetic {
    first: AtomicU64,
    count: AtomicU64,
}

struct Shared(Arc<Synthetic>);

impl SocketTable for Shared {
    fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport, MonitorError> {
        let first = self.0.first.load(Relaxed);
        for id in first..first + self.0.count.load(Relaxed) {
            let [.., a, b, c] = id.to_be_bytes();
            let remote = ([10, a, b, c], 40_000).into();
            let (transport, state) = (Transport::Tcp, SocketState::Established);
            let mut connection = SocketConnection::new(id, transport, state, ([10, 255, 0, 1], 443).into(), remote);
            connection.bytes_received = Some(id);
            each(connection);
        }
        Ok(TableReport { source: SocketSource::Own, ..TableReport::default() })
    }
}

/// Bytes by a line of `/proc/self/status`: `VmRSS` is memory that is there, `VmHWM` the most there ever was.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the line is there");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_connections_take_less_than_600_bytes_each() {
    let table = Arc::new(Synthetic::default());
    table.count.store(1, Relaxed);
    let config = NetworkConfig { collection_interval: 1, track_per_connection: true, ..NetworkConfig::default() };
    let builder = NetworkMonitor::builder(config).sockets_from(Shared(Arc::clone(&table)));
    let monitor = builder.max_connections(CONNECTIONS as usize).tracking_memory(64 << 20).build();
    monitor.start().await.expect("it starts");
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    let collections = async |ticks: &mut tokio::time::Interval, wanted| {
        while monitor.connection_tracking().collections < wanted {
            ticks.tick().await;
        }
    };
    collections(&mut ticks, 2).await;
    let before = memory("VmRSS");
    table.count.store(CONNECTIONS, Relaxed);
    collections(&mut ticks, 4).await;
    let steady = memory("VmRSS").saturating_sub(before) as f64 / CONNECTIONS as f64;
    let tracking = monitor.connection_tracking();
    assert_eq!((tracking.listed, tracking.total, tracking.precision), (CONNECTIONS, CONNECTIONS, Precision::Exact));
    // The worst moment: all of them are replaced by others.
    table.first.store(CONNECTIONS, Relaxed);
    collections(&mut ticks, 6).await;
    let worst = memory("VmHWM").saturating_sub(before) as f64 / CONNECTIONS as f64;
    let tracking = monitor.connection_tracking();
    assert_eq!((tracking.listed, tracking.closed, tracking.closed_pruned), (CONNECTIONS, CONNECTIONS, 99_000));
    assert!(steady < 600.0 && worst < 600.0, "{steady:.0} bytes each, {worst:.0} at the worst");
    println!("{steady:.0} bytes each, {worst:.0} at the worst");
    // And what is no longer needed is given back.
    table.count.store(10, Relaxed);
    collections(&mut ticks, 8).await;
    assert!(monitor.connection_tracking().memory < 1 << 20, "{:?}", monitor.connection_tracking());
    monitor.stop().await.expect("it stops");
}
