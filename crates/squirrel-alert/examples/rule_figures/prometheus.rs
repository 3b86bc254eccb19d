//! Debian's `prometheus`: filled by remote write, told its rules, and read afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{Labels, Timestamp};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::Peer;

use crate::Outcome;
use crate::load::{YIELDED, group_of, value};

/// Series of one body, as Prometheus sends.
const IN_BODY: usize = 2_000;

/// What its rules yielded: the value of each series at each moment, stale markers left out.
pub(crate) type Yielded = BTreeMap<(Labels, Timestamp), f64>;

pub(crate) struct Prometheus {
    peer: Peer,
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Prometheus {
    pub(crate) fn start() -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { peer: Peer::prometheus()?, runtime, client: Client::new() })
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    /// Seconds of processor time of all its threads (fields 14 and 15 of `/proc/PID/stat`, in hundredths).
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.peer.pid())).unwrap_or_default();
        let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    fn at(&self, path: &str) -> Outcome<Destination> {
        Ok(Destination::parse(&format!("http://127.0.0.1:{}{path}", self.peer.port()))?.with_answer_limit(256 << 20))
    }

    /// Sends the samples of one moment.
    pub(crate) fn write(&self, all: &[Labels], tick: usize, at: Timestamp) -> Outcome<()> {
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
    pub(crate) fn evaluate(&self, rules: &str) -> Outcome<()> {
        std::fs::write(self.peer.folder().join("rules.yml"), rules)?;
        std::fs::write(self.peer.folder().join("prometheus.yml"), "global: {}\nrule_files: [rules.yml]\n")?;
        let told = Command::new("kill").args(["-HUP", &self.peer.pid().to_string()]).status()?;
        if told.success() { Ok(()) } else { Err("Prometheus cannot be told to read its rules".into()) }
    }

    /// What it counts by group under this name.
    pub(crate) fn counted(&self, name: &str) -> Outcome<f64> {
        let answer = self.runtime.block_on(self.client.send(&self.at("/metrics")?, Request::get()))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let of_name = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')));
        Ok(of_name.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    /// All that its rules yielded from `since` to `until`.
    pub(crate) fn yielded(&self, since: Timestamp, until: Timestamp) -> Outcome<Yielded> {
        let mut all = Yielded::new();
        let (moment, span) = (until.millis() as f64 / 1000.0, until.millis() - since.millis());
        for name in YIELDED {
            let to =
                self.at(&format!("/api/v1/query?time={moment}&query=%7B__name__%3D%22{name}%22%7D%5B{span}ms%5D"))?;
            let answer = self.runtime.block_on(self.client.send(&to, Request::get()))?;
            let document: Value = serde_json::from_slice(&answer.body)?;
            let rows = document["data"]["result"].as_array().ok_or("Prometheus gives no answer")?;
            for row in rows {
                let pairs = row["metric"].as_object().into_iter().flatten();
                let labels = Labels::new(pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())))?;
                for sample in row["values"].as_array().into_iter().flatten() {
                    let ms = (sample[0].as_f64().unwrap_or_default() * 1000.0).round() as i64;
                    let value = sample[1].as_str().unwrap_or_default().parse()?;
                    all.insert((labels.clone(), Timestamp(ms)), value);
                }
            }
        }
        Ok(all)
    }
}

/// When each group was evaluated, by the samples of its records: each has its place in the interval.
pub(crate) fn moments(yielded: &Yielded) -> BTreeSet<(Timestamp, String)> {
    let group = |labels: &Labels| Some(group_of(labels.get("host")?.strip_prefix('h')?.parse().ok()?));
    let records = yielded.keys().filter(|(labels, _)| labels.metric_name().starts_with("host:"));
    records.filter_map(|(labels, at)| Some((*at, group(labels)?))).collect()
}
