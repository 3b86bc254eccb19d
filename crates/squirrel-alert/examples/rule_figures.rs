//! What evaluating rules costs: this evaluator over this store, and Debian's `prometheus`, the same rules over the same
//! series in one run. `cargo xtask bench alerts` runs it in release.
//!
//! `rule_figures [HOSTS SECONDS]`: one rule and ten series for each host, evaluated each so many seconds. The figure is
//! the line `NAME OURS PROMETHEUS - UNIT`: seconds of processor time for one evaluation of all rules, results stored.
//! Prometheus' are what its process needs more with the rules than without them, so that taking samples is not in it.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use squirrel_alert::{Group, Health, RuleFile, Surroundings};
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{Elapsed, Labels, Timestamp};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_promql::EvalOptions;
use squirrel_store::dir::RealDir;
use squirrel_store::{Store, StoreOptions, SyncPolicy};
use squirrel_sys::bulk::thread_cpu;
use squirrel_sys::clock;
use squirrel_testkit::Peer;

/// Devices of a host, each with a gauge and a counter.
const DEVICES: usize = 5;
/// Rules of a group.
const IN_GROUP: usize = 100;
/// Series of one body, as Prometheus sends.
const IN_BODY: usize = 2_000;
/// Intervals before each measurement, and those that are measured without rules and with them.
const SETTLE: usize = 3;
const WITHOUT: usize = 4;
const WITH: usize = 6;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A rule file: thresholds, rates, and records of both, a quarter each.
fn rules(hosts: usize, seconds: u64) -> String {
    let mut text = String::from("groups:\n");
    for host in 0..hosts {
        if host % IN_GROUP == 0 {
            text += &format!("- name: g{}\n  interval: {seconds}s\n  rules:\n", host / IN_GROUP);
        }
        let (load, bytes) =
            (format!("bench_load{{host=\"h{host}\"}}"), format!("bench_bytes_total{{host=\"h{host}\"}}"));
        text += &match host % 4 {
            0 => format!(
                "  - {{alert: Load{host}, expr: '{load} > 90', for: 30s, annotations: {{summary: 'at {{{{ $value }}}}'}}}}\n"
            ),
            1 => format!("  - {{alert: Rate{host}, expr: 'max by (host, device) (rate({bytes}[1m])) > 4e6'}}\n"),
            2 => format!("  - {{record: host:bench_load:avg, expr: 'avg without (device) ({load})'}}\n"),
            _ => format!("  - {{record: host:bench_bytes:rate1m, expr: 'sum by (host) (rate({bytes}[1m]))'}}\n"),
        };
    }
    text
}

/// All series.
fn series(hosts: usize) -> Vec<Labels> {
    let each = (0..hosts).flat_map(|host| (0..2 * DEVICES).map(move |n| (host, n)));
    let labels = each.map(|(host, n)| {
        let name = if n < DEVICES { "bench_load" } else { "bench_bytes_total" };
        let pairs = [
            ("__name__", name.to_owned()),
            ("device", format!("d{}", n % DEVICES)),
            ("host", format!("h{host}")),
            ("job", "bench".to_owned()),
        ];
        Labels::new(pairs).unwrap_or_default()
    });
    labels.collect()
}

/// The value of the `n`th series at the `tick`th interval: loads that swing, of which a tenth is high, and counters that
/// rise, a fifth of them fast.
fn value(n: usize, tick: usize) -> f64 {
    if n % (2 * DEVICES) < DEVICES {
        ((n * 37 + tick * 3) % 100) as f64
    } else {
        (tick * (1 + n % 5) * 15_000_000) as f64
    }
}

/// Seconds that all threads of a process ran (fields 14 and 15 of `/proc/PID/stat`, in hundredths).
fn seconds_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Seconds that this thread ran.
fn own_seconds() -> f64 {
    let cpu = thread_cpu();
    (cpu.user + cpu.system).as_secs_f64()
}

/// Prometheus, as it is asked and filled.
struct Other {
    peer: Peer,
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Other {
    fn start() -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { peer: Peer::prometheus()?, runtime, client: Client::new() })
    }

    fn at(&self, path: &str) -> Outcome<Destination> {
        Ok(Destination::parse(&format!("http://127.0.0.1:{}{path}", self.peer.port()))?.with_answer_limit(64 << 20))
    }

    /// Sends the samples of one moment.
    fn write(&self, all: &[Labels], tick: usize, at: Timestamp) -> Outcome<()> {
        let to = self.at("/api/v1/write")?;
        let one = |(n, labels): (usize, &Labels)| Series {
            labels: labels.clone(),
            metadata: Metadata::default(),
            samples: vec![Sample { at, value: value(n, tick), start: None }],
        };
        let series: Vec<Series> = all.iter().enumerate().map(one).collect();
        for some in series.chunks(IN_BODY) {
            let request = Request::post("application/x-protobuf", encode(Version::V1, some)?)
                .with_header("Content-Encoding", "snappy")
                .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
            let answer = self.runtime.block_on(self.client.send(&to, request))?;
            if !answer.is_success() {
                return Err(format!("Prometheus takes no samples: {}", answer.first_line()).into());
            }
        }
        Ok(())
    }

    /// Lets it evaluate a rule file from now on.
    fn evaluate(&self, rules: &str) -> Outcome<()> {
        std::fs::write(self.peer.folder().join("rules.yml"), rules)?;
        std::fs::write(self.peer.folder().join("prometheus.yml"), "global: {}\nrule_files: [rules.yml]\n")?;
        let told = Command::new("kill").args(["-HUP", &self.peer.pid().to_string()]).status()?;
        if told.success() { Ok(()) } else { Err("Prometheus cannot be told to read its rules".into()) }
    }

    /// How many evaluations of rules it made, or what else it counts by group under this name.
    fn counted(&self, name: &str) -> Outcome<f64> {
        let answer = self.runtime.block_on(self.client.send(&self.at("/metrics")?, Request::get()))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let of_name = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')));
        Ok(of_name.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }
}

/// Our groups over our store.
struct Own {
    store: Store,
    groups: Vec<Group>,
    _folder: tempfile::TempDir,
}

impl Own {
    fn open(rules: &str) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let options = StoreOptions { sync: SyncPolicy::Never, ..StoreOptions::new(Labels::empty()) };
        let (store, _) = Store::open(Arc::new(RealDir::open(folder.path())?), options, clock::wall())?;
        let file = RuleFile::parse("bench", rules)?;
        let groups = file.groups.into_iter().map(|group| Group::new("bench", group)).collect();
        Ok(Self { store, groups, _folder: folder })
    }

    /// Evaluates all groups and stores what they yield; the seconds of this thread.
    fn evaluate(&mut self, at: Timestamp) -> Outcome<f64> {
        let begin = own_seconds();
        let around = Surroundings {
            external_labels: &Labels::empty(),
            external_url: "",
            options: &EvalOptions::default(),
            query_offset_ms: 0,
            stop: &|| false,
            elapsed: &Elapsed::default,
        };
        for group in &mut self.groups {
            let samples = group.evaluate(self.store.reader().snapshot().as_ref(), at, &around);
            let rows: Vec<_> = samples.into_iter().map(|one| (one.labels, one.time, one.value)).collect();
            self.store.append_samples(at, &rows)?;
            if let Some(bad) = group.rules().iter().find(|rule| rule.health != Health::Ok) {
                return Err(format!("{} cannot be evaluated: {:?}", bad.rule.name, bad.health).into());
            }
        }
        Ok(own_seconds() - begin)
    }

    fn firing(&self) -> usize {
        self.groups.iter().flat_map(Group::rules).map(|rule| rule.active_alerts().count()).sum()
    }
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let (hosts, seconds) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(15) as u64);
    let (text, all, other) = (rules(hosts, seconds), series(hosts), Other::start()?);
    let mut own = Own::open(&text)?;
    let mut interval = other.runtime.block_on(async { tokio::time::interval(Duration::from_secs(seconds)) });
    let (mut ours, mut before) = (0.0, (0.0, 0.0));
    let mut without = 0.0;
    for tick in 0..2 * SETTLE + WITHOUT + WITH {
        other.runtime.block_on(interval.tick());
        let spent = seconds_of(other.peer.pid());
        match tick {
            SETTLE => before.0 = spent,
            _ if tick == SETTLE + WITHOUT => {
                without = (spent - before.0) / WITHOUT as f64;
                other.evaluate(&text)?;
            }
            _ if tick == 2 * SETTLE + WITHOUT => before = (spent, other.counted("prometheus_rule_evaluations_total")?),
            _ => {}
        }
        let at = clock::wall();
        other.write(&all, tick, at)?;
        let rows: Vec<_> = all.iter().enumerate().map(|(n, labels)| (labels.clone(), at, value(n, tick))).collect();
        own.store.append_samples(at, &rows)?;
        own.store.maintain(at);
        if tick >= SETTLE {
            let cost = own.evaluate(at)?;
            ours += if tick >= 2 * SETTLE + WITHOUT { cost } else { 0.0 };
        }
    }
    other.runtime.block_on(interval.tick());
    let theirs = seconds_of(other.peer.pid()) - before.0 - WITH as f64 * without;
    let evaluated = other.counted("prometheus_rule_evaluations_total")? - before.1;
    if other.counted("prometheus_rule_evaluation_failures_total")? > 0.0 {
        return Err("Prometheus could not evaluate all rules".into());
    }
    let rounds = evaluated / hosts as f64;
    println!(
        "{} rules, {} series, {} alerts of ours; Prometheus made {rounds:.2} rounds of {WITH}, and takes the samples of one interval in {without:.3} s",
        hosts,
        all.len(),
        own.firing()
    );
    println!("rules_cpu {:.3} {:.3} - s", ours / WITH as f64, theirs / rounds);
    Ok(())
}
