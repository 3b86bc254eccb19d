//! What the store costs, measured on a mix of series like that of a busy host: bytes a sample and
//! nanoseconds by kind, the log, the head's memory, opening. Run by `cargo xtask bench`.
//!
//! The mix: busy byte counters 20 %, busy packet counters 15 %, mostly idle counters 25 %, counters
//! at zero 10 %, round-trip times rounded to microseconds 10 %, full-precision values 2 %, small
//! whole gauges 10 %, constants 5 %, percentages with two decimals 3 %; one sample a second.
//!
//! For scale the same samples are also counted in Prometheus' XOR scheme without its timestamps
//! (`gorilla_…`), and the generator's noise is set so that those figures are what
//! measurements of that scheme on such a mix gave (bytes 3.5, packets 2.7, idle 0.15, round trip
//! 6.9, full precision 6.4, small whole 0.46, percent 7.0). Times are those of this thread's CPU clock, so that
//! other programs do not disturb them.
//!
//! Arguments: `[series] [seconds]`, 3000 and 7200 unless given. Results are lines of
//! `name value unit`, for programs to read.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]
#![expect(clippy::unwrap_used, reason = "a program that may stop at any error")]

use std::collections::BTreeMap;
#[path = "mix/source.rs"]
mod source;

use std::sync::Arc;

use squirrel_model::{Batch, Kind, Labels, Metric, Samples, TimeRange, Timestamp, Unit};
use squirrel_store::codec::{Encoder, decode};
use squirrel_store::dir::{Dir, MemoryDir, RealDir};
use squirrel_store::{Store, StoreOptions, SyncPolicy};

use source::{Shape, Source};

static METRIC: Metric = Metric::new("bench_value", Kind::Untyped, Unit::None, "A value of the mix.");
const T: i64 = 1_699_999_200_000;

/// Nanoseconds that this thread has run (first field of `/proc/thread-self/schedstat`, proc(5)).
fn cpu_ns() -> u128 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// Seconds that all threads of this process have run (fields 14 and 15 of `/proc/self/stat`, in ticks
/// of a hundredth of a second, proc(5)).
fn process_cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Counts CPU time from its birth.
struct Stopwatch(u128);

impl Stopwatch {
    fn start() -> Self {
        Self(cpu_ns())
    }

    fn ns(&self) -> u128 {
        cpu_ns().saturating_sub(self.0)
    }
}

/// Size in bits of a chunk in the XOR scheme of Gorilla, as Prometheus writes values.
fn gorilla_bits(values: &[f64]) -> usize {
    let (mut bits, mut window) = (64, None::<(u32, u32)>);
    for pair in values.windows(2) {
        let xor = pair[0].to_bits() ^ pair[1].to_bits();
        let (lead, trail) = (xor.leading_zeros().min(31), xor.trailing_zeros());
        bits += match window {
            _ if xor == 0 => 1,
            Some((l, t)) if l <= lead && t <= trail => 2 + (64 - l - t) as usize,
            _ => {
                window = Some((lead, trail));
                2 + 5 + 6 + (64 - lead - trail) as usize
            }
        };
    }
    bits
}

fn line(name: &str, value: f64, unit: &str) {
    println!("{name:<34} {value:>12.4} {unit}");
}

fn codec(series: usize, seconds: usize) {
    const CHUNK: usize = squirrel_store::codec::MAX_SAMPLES;
    let mut by_shape: BTreeMap<Shape, (usize, usize, usize)> = BTreeMap::new();
    let times: Vec<i64> = (0..CHUNK as i64).map(|i| T + i * 1000).collect();
    let mut encoder = Encoder::new();
    let (mut encode_ns, mut decode_ns) = (0u128, 0u128);
    let (mut samples, mut bytes, mut all_gorilla) = (0usize, 0usize, 0usize);
    let mut back = Samples::default();
    for n in 0..series {
        let mut source = Source::new(n);
        let values: Vec<f64> = (0..seconds).map(|_| source.next()).collect();
        let mut chunks: Vec<Vec<u8>> = values.chunks(CHUNK).map(|_| Vec::with_capacity(8 * CHUNK)).collect();
        let start = Stopwatch::start();
        for (values, out) in values.chunks(CHUNK).zip(&mut chunks) {
            encoder.encode(&times, values, true, out);
        }
        encode_ns += start.ns();
        back.clear();
        let start = Stopwatch::start();
        for chunk in &chunks {
            decode(chunk, &mut back).unwrap();
        }
        decode_ns += start.ns();
        assert!(back.values.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()), "not exact");
        let size: usize = chunks.iter().map(Vec::len).sum();
        let sums = by_shape.entry(source.shape).or_default();
        let gorilla = values.chunks(CHUNK).map(gorilla_bits).sum::<usize>() / 8;
        *sums = (sums.0 + size, sums.1 + seconds, sums.2 + gorilla);
        all_gorilla += gorilla;
        bytes += size;
        samples += seconds;
    }
    for (shape, (bytes, samples, gorilla)) in by_shape {
        line(&format!("codec_{}", shape.name()), bytes as f64 / samples as f64, "bytes a sample");
        line(&format!("gorilla_{}", shape.name()), gorilla as f64 / samples as f64, "bytes a sample");
    }
    line("gorilla_mix", all_gorilla as f64 / samples as f64, "bytes a sample");
    line("codec_mix", bytes as f64 / samples as f64, "bytes a sample");
    line("codec_encode", encode_ns as f64 / samples as f64, "ns a sample");
    line("codec_decode", decode_ns as f64 / samples as f64, "ns a sample");
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) * 1024.0
}

struct Ticks {
    sources: Vec<Source>,
    labels: Vec<Labels>,
    batch: Batch,
}

impl Ticks {
    fn new(series: usize) -> Self {
        let label = |n: usize| {
            Labels::new([("device", format!("eth{}", n / 40)), ("kind", format!("counter_{}", n % 40))]).unwrap()
        };
        Self {
            sources: (0..series).map(Source::new).collect(),
            labels: (0..series).map(label).collect(),
            batch: Batch::default(),
        }
    }

    fn next(&mut self) -> &Batch {
        self.batch.clear();
        for (source, labels) in self.sources.iter_mut().zip(&self.labels) {
            self.batch.put(&METRIC, labels, source.next());
        }
        &self.batch
    }
}

fn options() -> StoreOptions {
    let target = Labels::new([("job", "squirrel"), ("instance", "localhost:7775")]).unwrap();
    StoreOptions { sync: SyncPolicy::Never, reserve_bytes: 0, ..StoreOptions::new(target) }
}

fn store(dir: &Arc<dyn Dir>, series: usize, seconds: usize) {
    let samples = (series * seconds) as f64;
    let mut ticks = Ticks::new(series);
    let (store, _) = Store::open(dir.clone(), options(), Timestamp(T)).unwrap();
    let (mut append_ns, mut maintain_ns, mut slowest) = (0u128, 0u128, 0u128);
    let before = resident();
    for second in 0..seconds {
        let at = Timestamp(T + second as i64 * 1000);
        let batch = ticks.next();
        let start = Stopwatch::start();
        store.append(at, batch).unwrap();
        let took = start.ns();
        append_ns += took;
        slowest = slowest.max(if second > 0 { took } else { 0 });
        if second % 10 == 9 {
            let start = Stopwatch::start();
            store.maintain(at);
            maintain_ns += start.ns();
        }
        if second == 899 {
            line("head_15_min", store.report().head_bytes as f64 / 1e6, "MB");
            line("resident_growth_15_min", (resident() - before) / 1e6, "MB");
        }
    }
    let report = store.report();
    line("append", append_ns as f64 / samples, "ns a sample");
    line("append_slowest_tick", slowest as f64 / 1e6, "ms");
    line("maintain", maintain_ns as f64 / samples, "ns a sample");
    line("wal", report.wal_bytes as f64 / samples, "bytes a sample");
    line("head", report.head_bytes as f64 / samples, "bytes a sample");
    line("resident_growth", (resident() - before) / 1e6, "MB");
    let start = Stopwatch::start();
    let snapshots = 100_000;
    let reader = store.reader();
    (0..snapshots).for_each(|_| drop(reader.snapshot()));
    line("snapshot", start.ns() as f64 / f64::from(snapshots), "ns");
    drop(store);

    let (start, process) = (Stopwatch::start(), process_cpu_seconds());
    let (store, opened) = Store::open(dir.clone(), options(), Timestamp(T)).unwrap();
    let took = start.ns() as f64 / 1e9;
    let both = process_cpu_seconds() - process;
    let slower = took.max(both - took);
    let gigabytes = opened.log_bytes as f64 / 1e9;
    // Two threads share the work: on two free cores the slower one decides.
    line("open_log_cpu", both, "s");
    line("open_cpu_per_gb_of_log", both / gigabytes, "s/GB");
    line("open_per_gb_of_log", slower / gigabytes, "s/GB");
    line("open_per_sample", slower * 1e9 / opened.log_samples as f64, "ns a sample");

    let end = Timestamp(T + (seconds as i64 + 7200 * 2) * 1000);
    store.append(end, ticks.next()).unwrap();
    let start = Stopwatch::start();
    let maintained = store.maintain(end);
    line("block_write", start.ns() as f64 / samples, "ns a sample");
    assert!(maintained.problems.is_empty(), "{maintained:?}");
    let blocks: u64 = dir.list("t0").unwrap().iter().map(|entry| entry.len).sum();
    line("block", blocks as f64 / samples, "bytes a sample");

    let select = store.reader().snapshot();
    let start = Stopwatch::start();
    let mut found = Vec::new();
    for _ in 0..100 {
        found = select.find(&[], TimeRange::ALL).unwrap();
    }
    line("find_all", start.ns() as f64 / 1e8, "ms");
    let (mut out, mut read) = (Samples::default(), 0);
    let start = Stopwatch::start();
    for series in &found {
        select.read(series, TimeRange::ALL, &mut out).unwrap();
        read += out.len();
    }
    line("read_blocks", start.ns() as f64 / read as f64, "ns a sample");
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let series = arguments.next().unwrap_or(3000);
    let seconds = arguments.next().unwrap_or(7200);
    codec(series.min(1000), seconds);
    match std::env::var_os("SQUIRREL_BENCH_FOLDER") {
        Some(folder) => store(&(Arc::new(RealDir::open(folder).unwrap()) as Arc<dyn Dir>), series, seconds),
        None => store(&(Arc::new(MemoryDir::new()) as Arc<dyn Dir>), series, seconds),
    }
}
