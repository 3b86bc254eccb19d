//! What storing and asking costs: this store, Debian's `prometheus` and `victoria-metrics` on the same samples, in one
//! run. `cargo xtask bench store` runs it in release.
//!
//! `store_figures [SERIES SECONDS]`; `store_figures million` and `store_figures day` for that part alone. Each figure is a line `NAME OURS PROMETHEUS VICTORIAMETRICS UNIT`, with `-` where
//! there is none. Costs are seconds of processor time, so that other work on the machine changes little; queries are the
//! best of three by the wall clock, ours within this process and theirs over the loopback.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../../squirrel-store/examples/mix/source.rs"]
mod source;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use squirrel_exchange::remote_write::{Version, decode, encode};
use squirrel_exchange::{Limits, Metadata, Sample, Series};
use squirrel_model::{Labels, Timestamp};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_promql::engine::{Moments, Terms};
use squirrel_promql::{Embedded, Engine, EvalOptions, ParseOptions, Query};
use squirrel_remote::{EngineLimits, RemoteEngine};
use squirrel_store::dir::RealDir;
use squirrel_store::{Store, StoreOptions, SyncPolicy};
use squirrel_sys::clock::Monotonic;
use squirrel_testkit::{Peer, until};

use source::{Shape, Source};

/// 2023-11-14T22:00:00Z, the start of a window of two hours.
const T: i64 = 1_699_999_200_000;

/// Seconds that a body covers, and series in it: 2,000 samples, as Prometheus sends.
const BODY: (usize, usize) = (5, 400);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Seconds that this thread ran (first field of `/proc/thread-self/schedstat`, proc(5)).
fn own_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Seconds that all threads of a process ran (fields 14 and 15 of `/proc/PID/stat`, in hundredths).
fn seconds_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Resident memory of a process in MB.
fn resident(pid: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1e3
}

/// Bytes of all files below a folder.
fn bytes_below(folder: &Path) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { bytes_below(&path) } else { length(&path) }).sum()
}

fn line(name: &str, figures: [Option<f64>; 3], unit: &str) {
    let shown = figures.map(|value| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")));
    println!("{name} {} {unit}", shown.join(" "));
}

fn labels(series: usize) -> Labels {
    let pairs = [
        ("__name__", format!("bench_{}", Shape::of(series).name())),
        ("host", format!("host{}", series / 1_000)),
        ("job", "squirrel".to_owned()),
        ("n", series.to_string()),
    ];
    Labels::new(pairs).unwrap_or_default()
}

/// The bodies of all samples, in the order of time.
struct Bodies {
    sources: Vec<(Labels, Source)>,
    seconds: usize,
    at: usize,
}

impl Bodies {
    fn new(series: usize, seconds: usize) -> Self {
        Self { sources: (0..series).map(|n| (labels(n), Source::new(n))).collect(), seconds, at: 0 }
    }

    /// The bodies of the next few seconds.
    fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        let (step, at_once) = BODY;
        let begin = (self.at < self.seconds).then_some(self.at)?;
        self.at += step;
        let moment = |second: usize| Timestamp(T + (begin + second) as i64 * 1_000);
        let all: Vec<Series> = self
            .sources
            .iter_mut()
            .map(|(labels, source)| {
                let sample = |second| Sample { at: moment(second), value: source.next(), start: None };
                let samples = (0..step).map(sample).collect();
                Series { labels: labels.clone(), metadata: Metadata::default(), samples }
            })
            .collect();
        all.chunks(at_once).map(|some| encode(Version::V1, some).ok()).collect()
    }
}

/// Takes all bodies into a store; the seconds that decoding and storing took.
fn ingest(store: &Store, series: usize, seconds: usize) -> Outcome<f64> {
    let mut bodies = Bodies::new(series, seconds);
    let (mut spent, mut group) = (0.0, 0_i64);
    while let Some(some) = bodies.next() {
        group += 1;
        let now = Timestamp(T + group * BODY.0 as i64 * 1_000);
        let begin = own_seconds();
        for body in &some {
            let received = decode(Version::V1, body, &Limits::default())?;
            let samples: Vec<_> = received
                .series
                .iter()
                .flat_map(|one| one.samples.iter().map(|sample| (one.labels.clone(), sample.at, sample.value)))
                .collect();
            store.append_samples(now, &samples)?;
        }
        if group % 2 == 0 {
            store.maintain(now);
        }
        spent += own_seconds() - begin;
    }
    Ok(spent)
}

/// Sends all bodies to a server; the seconds that its process ran meanwhile.
fn send(runtime: &tokio::runtime::Runtime, peer: &Peer, series: usize, seconds: usize) -> Outcome<f64> {
    let to = Destination::parse(&format!("http://127.0.0.1:{}/api/v1/write", peer.port()))?;
    let client = Client::new();
    let post = |body: &[u8]| {
        let request = Request::post("application/x-protobuf", body.to_vec())
            .with_header("Content-Encoding", "snappy")
            .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
        runtime.block_on(client.send(&to, request)).is_ok_and(|answer| answer.is_success())
    };
    let begin = seconds_of(peer.pid());
    let mut bodies = Bodies::new(series, seconds);
    while let Some(some) = bodies.next() {
        for body in &some {
            // A server that has just begun to listen may refuse some.
            if !until(Duration::from_mins(1), || post(body)) {
                return Err("a server takes no samples".into());
            }
        }
    }
    Ok(seconds_of(peer.pid()) - begin)
}

/// The queries of the comparison: a name, the expression, seconds of the range, seconds of the step.
fn queries(seconds: usize) -> [(&'static str, &'static str, i64, i64); 5] {
    let hour = (seconds as i64 - 300).clamp(60, 3_600);
    [
        ("query_rate_of_one", "rate(bench_busy_bytes{n=\"0\"}[1m])", hour, 10),
        ("query_sum_of_rates", "sum(rate(bench_busy_bytes[1m]))", hour, 15),
        ("query_topk", "topk(10, rate(bench_busy_bytes[5m]))", hour, 60),
        ("query_quantile", "quantile(0.99, bench_rtt_us)", hour, 15),
        ("query_max_over_time", "max_over_time(bench_small_int[5m])", hour, 60),
    ]
}

/// The best of three, in milliseconds.
fn best(engine: &dyn Engine, text: &str, moments: Moments) -> Option<f64> {
    let query = Query::parse(text, &ParseOptions::default()).ok()?;
    let terms = Terms { time: Duration::from_mins(1), lookback_ms: None, stop: &|| false };
    let once = || {
        let clock = Monotonic::start();
        let answer = engine.range(&query, moments, &terms).ok()?;
        std::hint::black_box(answer);
        Some(clock.elapsed().0.as_secs_f64() * 1e3)
    };
    (0..3).filter_map(|_| once()).min_by(f64::total_cmp)
}

/// A store below this folder. The peers sync nothing while they take samples, so it does not either.
fn open(folder: &Path) -> Outcome<(Store, squirrel_store::OpenReport)> {
    let sync = SyncPolicy::Never;
    let options = StoreOptions { sync, reserve_bytes: 0, ..StoreOptions::new(Labels::empty()) };
    Ok(Store::open(Arc::new(RealDir::open(folder)?), options, Timestamp(T))?)
}

/// Opens a store whose log was never put into blocks. Two threads share the work: on two free cores the busier one
/// decides, and its processor time does not depend on what else the machine does. The time by the clock is given too.
fn start_after_crash(folder: &Path) -> Outcome<Store> {
    let (clock, this, all) = (Monotonic::start(), own_seconds(), seconds_of(std::process::id()));
    let (store, opened) = open(folder)?;
    let wall = clock.elapsed().0.as_secs_f64();
    let (this, all) = (own_seconds() - this, seconds_of(std::process::id()) - all);
    let log = opened.log_bytes as f64 / 1e9;
    let per_gb = |seconds: f64| [(log > 0.0).then(|| seconds / log), None, None];
    line("start_after_crash_per_gb_of_log", per_gb(this.max(all - this)), "s");
    line("start_after_crash_wall_per_gb_of_log", per_gb(wall), "s");
    Ok(store)
}

/// An engine over what a store holds now.
fn embedded(store: &Store) -> Embedded {
    let reader = store.reader();
    Embedded::new(move || reader.snapshot(), EvalOptions::default())
}

/// A day of a hundred series, asked for as a whole.
fn day() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (store, _) = open(folder.path())?;
    ingest(&store, 100, 86_400)?;
    store.finish_import();
    let moments = Moments { start: Timestamp(T + 300_000), end: Timestamp(T + 86_400_000), step_ms: 300_000 };
    let took = best(&embedded(&store), "sum(rate({job=\"squirrel\"}[5m]))", moments);
    line("query_day_of_100_series", [took, None, None], "ms");
    Ok(())
}

/// A million series, each with a sample in three ticks.
fn million() -> Outcome<()> {
    const MOST: usize = 1_000_000;
    let folder = tempfile::tempdir()?;
    let (store, _) = open(folder.path())?;
    let (before, begin, clock) = (resident("self"), own_seconds(), Monotonic::start());
    for tick in 0..3_i64 {
        let at = Timestamp(T + tick * 10_000);
        for from in (0..MOST).step_by(10_000) {
            let some: Vec<_> = (from..from + 10_000).map(|n| (labels(n), at, (n as i64 * tick) as f64)).collect();
            store.append_samples(at, &some)?;
        }
        store.maintain(at);
    }
    line("million_series_cpu", [Some(own_seconds() - begin), None, None], "s");
    line("million_series_wall", [Some(clock.elapsed().0.as_secs_f64()), None, None], "s");
    line("million_series_log", [Some(store.report().wal_bytes as f64 / 1e6), None, None], "MB");
    line("million_series_resident", [Some(resident("self") - before), None, None], "MB");
    let held = Query::parse("count({job=\"squirrel\"})", &ParseOptions::default())?;
    let terms = Terms { time: Duration::from_mins(1), lookback_ms: None, stop: &|| false };
    let answer = embedded(&store).instant(&held, Timestamp(T + 20_000), &terms)?;
    if let squirrel_promql::Value::Vector(samples) = answer.value {
        line("million_series_held", [samples.first().map(|one| one.value), None, None], "series");
    }
    Ok(())
}

/// Waits until VictoriaMetrics has merged all it has, and gives the bytes of its data.
fn merged(runtime: &tokio::runtime::Runtime, peer: &Peer) -> Outcome<f64> {
    let merge = Destination::parse(&format!("http://127.0.0.1:{}/internal/force_merge", peer.port()))?;
    runtime.block_on(Client::new().send(&merge, Request::get()))?;
    let data = peer.folder().join("data/data");
    // The merge goes on after the answer: it is done when nothing has changed for three seconds.
    let clock = Monotonic::start();
    let (mut last, mut since) = (u64::MAX, clock.elapsed().0);
    until(Duration::from_mins(2), || {
        let now = bytes_below(&data);
        if now != last {
            (last, since) = (now, clock.elapsed().0);
        }
        clock.elapsed().0.saturating_sub(since) > Duration::from_secs(3)
    });
    Ok(last as f64)
}

fn main() -> Outcome<()> {
    match std::env::args().nth(1).as_deref() {
        Some("million") => return million(),
        Some("day") => return day(),
        _ => {}
    }
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (series, seconds) = (arguments.next().unwrap_or(2_000), arguments.next().unwrap_or(7_200));
    let samples = (series * seconds) as f64;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;

    let folder = tempfile::tempdir()?;
    let (store, _) = open(folder.path())?;
    let ours = ingest(&store, series, seconds)?;
    let our_memory = resident("self");
    drop(store);
    let store = start_after_crash(folder.path())?;
    store.finish_import();
    let our_disk = bytes_below(&folder.path().join("t0")) as f64;

    let prometheus = Peer::prometheus()?;
    let theirs = send(&runtime, &prometheus, series, seconds)?;
    let prometheus_memory = resident(&prometheus.pid().to_string());
    let victoria = Peer::victoria_metrics()?;
    let victorias = send(&runtime, &victoria, series, seconds)?;
    let victoria_memory = resident(&victoria.pid().to_string());
    let victoria_disk = merged(&runtime, &victoria)?;

    line("ingest_per_cpu_second", [ours, theirs, victorias].map(|spent| Some(samples / spent / 1e6)), "M");
    line("resident_after_ingest", [our_memory, prometheus_memory, victoria_memory].map(Some), "MB");
    line("disk_per_sample", [Some(our_disk / samples), None, Some(victoria_disk / samples)], "bytes");
    let end = Timestamp(T + (seconds as i64 - 1) * 1_000);
    let local = embedded(&store);
    let remote = |peer: &Peer| -> Outcome<RemoteEngine> {
        // VictoriaMetrics would answer the second of three from what it kept of the first.
        let to = Destination::parse(&format!("http://127.0.0.1:{}/?nocache=1", peer.port()))?;
        Ok(RemoteEngine::new(to, EngineLimits::default(), runtime.handle().clone()))
    };
    let (prometheus, victoria) = (remote(&prometheus)?, remote(&victoria)?);
    let engines: [&dyn Engine; 3] = [&local, &prometheus, &victoria];
    for (name, text, range, step) in queries(seconds) {
        let moments = Moments { start: end.plus_ms(-range * 1_000), end, step_ms: step * 1_000 };
        line(name, engines.map(|engine| best(engine, text, moments)), "ms");
    }
    drop(store);
    day()?;
    million()
}
