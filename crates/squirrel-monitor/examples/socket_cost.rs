//! What following the connections of a process costs, against the limits of the specification, in one run.
//!
//! `cargo run --release -p squirrel-monitor --example socket_cost [PAIRS]`
//!
//! Opens 500 connections (or PAIRS) to itself on loopback, so that this process has both ends: 1,000 connections.
//! Processor time is that of the whole process, by the kernel's books. Needs two file descriptors for each
//! and a hundred.
//!
//! The monitor's clock stands still while the kernel is asked, so that here it never steps down to less detail; in
//! an application it does when a collection takes more than 0.5 % of the interval.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use squirrel_monitor::{NetworkConfig, NetworkMonitor, TrackingDetail};

const PAIRS: usize = 500;
const COLLECTIONS: u64 = 200;
/// Of a core, percent.
const PROCESSOR_LIMIT: f64 = 0.5;
/// For each connection.
const MEMORY_LIMIT: f64 = 2_048.0;

/// Seconds of processor time that this process has used: user and system time, in hundredths
/// (`proc_pid_stat(5)`, fields 14 and 15).
fn processor_seconds() -> Result<f64, String> {
    let path = "/proc/self/stat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> = after_name.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
    if ticks.len() == 2 { Ok(ticks.iter().sum::<f64>() / 100.0) } else { Err(format!("{path}: no processor time")) }
}

/// Bytes of this process that are in memory.
fn resident() -> Result<f64, String> {
    let path = "/proc/self/status";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().map(|kb| kb * 1_024.0).map_err(|_| format!("{path}: no VmRSS"))
}

fn open(count: usize) -> Result<(TcpListener, Vec<(TcpStream, TcpStream)>), String> {
    let told = |error: std::io::Error| format!("{error}: raise the limit of open files (`ulimit -n 4096`)");
    let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
    let address = listener.local_addr().map_err(told)?;
    let pair = |_| Ok((TcpStream::connect(address).map_err(told)?, listener.accept().map_err(told)?.0));
    let pairs = (0..count).map(pair).collect::<Result<_, String>>()?;
    Ok((listener, pairs))
}

async fn collections(monitor: &NetworkMonitor, wanted: u64) {
    // Time stands still while the kernel is asked, and is turned forward when nothing else is to do.
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    while monitor.connection_tracking().collections < wanted {
        ticks.tick().await;
    }
}

async fn measure(count: usize) -> Result<(), String> {
    let told = |error: squirrel_monitor::MonitorError| error.to_string();
    let config = NetworkConfig { track_per_connection: true, ..NetworkConfig::default() };
    let interval = config.collection_interval as f64;
    let monitor = NetworkMonitor::builder(config).max_connections(2 * count + 100).build();
    monitor.start().await.map_err(told)?;
    collections(&monitor, 3).await;
    let (_listener, _pairs) = open(count)?;
    let memory = resident()?;
    collections(&monitor, 6).await;
    let each = (resident()? - memory) / (2 * count) as f64;
    let before = processor_seconds()?;
    collections(&monitor, 6 + COLLECTIONS).await;
    let cost = (processor_seconds()? - before) / COLLECTIONS as f64;
    let tracking = monitor.connection_tracking();
    if tracking.listed < 2 * count as u64 || tracking.detail != TrackingDetail::Full {
        return Err(format!("not all connections were followed: {tracking:?}"));
    }
    let share = cost / interval * 100.0;
    let own = tracking.memory as f64 / tracking.listed as f64;
    println!("{} connections, {COLLECTIONS} collections", tracking.listed);
    println!(
        "processor: {:.2} ms a collection, {share:.3} % of a core at {interval} s; limit {PROCESSOR_LIMIT} %: ratio {:.2}",
        cost * 1e3,
        share / PROCESSOR_LIMIT
    );
    println!(
        "memory: {own:.0} bytes a connection by the monitor's books, {each:.0} more resident; limit {MEMORY_LIMIT}: ratio {:.2}",
        own.max(each) / MEMORY_LIMIT
    );
    monitor.stop().await.map_err(told)
}

fn main() -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().map_err(|error| error.to_string())?;
    let count = match std::env::args().nth(1) {
        Some(count) => count.parse().map_err(|_| format!("`{count}` is no number of pairs"))?,
        None => PAIRS,
    };
    runtime.block_on(measure(count))
}
