//! A receiver of remote write that answers as the test says and keeps what it took.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use squirrel_exchange::Limits;
use squirrel_exchange::remote_write::{self, Version};
use squirrel_model::Labels;
use tokio::io::AsyncWriteExt as _;

use tokio::net::TcpListener;

use crate::testing::request;

/// What becomes of a request. The last rule stays; the others count for one request each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Takes 2.0, and says so.
    Take2,
    /// Takes 1.0 in silence; 2.0 it would not understand.
    Take1,
    /// Answers 415 to 2.0.
    Older,
    /// Answers this.
    Status(u16),
    /// Answers 400 to whatever has a series with this in its labels.
    RefuseWith(&'static str),
}

#[derive(Default)]
struct State {
    rules: VecDeque<Rule>,
    samples: BTreeMap<Labels, Vec<(i64, f64)>>,
    metadata: Vec<String>,
    largest: usize,
    refused: usize,
}

pub(super) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(super) async fn start(rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { rules: rules.into(), ..State::default() }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    while let Some((head, body)) = request(&mut stream).await {
                        let answer = state.lock().unwrap().answer(&head, &body);
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    pub(super) fn set(&self, rules: Vec<Rule>) {
        self.state.lock().unwrap().rules = rules.into();
    }

    pub(super) fn samples(&self) -> BTreeMap<Labels, Vec<(i64, f64)>> {
        self.state.lock().unwrap().samples.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.state.lock().unwrap().samples.values().map(Vec::len).sum()
    }

    pub(super) fn largest(&self) -> usize {
        self.state.lock().unwrap().largest
    }

    pub(super) fn metadata(&self) -> Vec<String> {
        self.state.lock().unwrap().metadata.clone()
    }

    pub(super) fn requests_refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// The first series.
    pub(super) fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().samples.keys().take(1).map(ToString::to_string).collect()
    }

    /// Each series came with these seconds, each once and in order.
    pub(super) fn check_exactly(&self, series: usize, seconds: RangeInclusive<i64>) {
        let samples = self.samples();
        assert_eq!(samples.len(), series);
        for (labels, samples) in samples {
            let values: Vec<i64> = samples.iter().map(|(_, value)| *value as i64).collect();
            assert!(
                values.iter().copied().eq(seconds.clone()),
                "{labels}: {} from {:?} on",
                values.len(),
                values.first()
            );
        }
    }

    /// Each series came with all of these seconds, in order but for what was sent again.
    pub(super) fn check_at_least(&self, series: usize, seconds: RangeInclusive<i64>) {
        let samples = self.samples();
        assert_eq!(samples.len(), series);
        for (labels, samples) in samples {
            let mut next = *seconds.start();
            for (_, value) in samples {
                let value = value as i64;
                assert!(value <= next, "{labels}: {value} came before {next}");
                next = next.max(value + 1);
            }
            assert_eq!(next, seconds.end() + 1, "{labels}");
        }
    }
}

impl State {
    fn answer(&mut self, head: &str, body: &[u8]) -> String {
        let rule = if self.rules.len() > 1 { self.rules.pop_front() } else { self.rules.front().copied() };
        let version = if head.contains("io.prometheus.write.v2.Request") { Version::V2 } else { Version::V1 };
        let expected = if version == Version::V2 { "2.0.0" } else { "0.1.0" };
        assert!(head.contains(&format!("\r\nx-prometheus-remote-write-version: {expected}\r\n")), "{head}");
        assert!(head.contains("\r\ncontent-encoding: snappy\r\n"), "{head}");
        let mut extra = String::new();
        let status = match rule.unwrap() {
            Rule::Take2 if version == Version::V2 => {
                let count = self.take(version, body);
                extra = format!("X-Prometheus-Remote-Write-Samples-Written: {count}\r\n");
                204
            }
            Rule::Take1 if version == Version::V1 => {
                self.take(version, body);
                204
            }
            Rule::Older if version == Version::V2 => 415,
            Rule::Status(status) => status,
            Rule::RefuseWith(text) => {
                let received = remote_write::decode(version, body, &Limits::default()).unwrap();
                if received.series.iter().any(|series| series.labels.to_string().contains(text)) {
                    400
                } else {
                    self.take(version, body);
                    204
                }
            }
            // Whoever sends 2.0 to a receiver of 1.0, or the other way.
            Rule::Take1 | Rule::Take2 | Rule::Older => 415,
        };
        self.refused += usize::from(status != 204);
        format!("HTTP/1.1 {status} Answer\r\nContent-Length: 0\r\n{extra}\r\n")
    }

    fn take(&mut self, version: Version, body: &[u8]) -> usize {
        let received = remote_write::decode(version, body, &Limits::default()).unwrap();
        assert!(received.refused.is_none(), "{:?}", received.refused);
        let count = received.samples();
        self.largest = self.largest.max(count);
        let named = received.metadata.iter().map(|family| family.name.clone());
        let beside = received.series.iter().filter(|series| !series.metadata.is_empty());
        for name in named.chain(beside.map(|series| series.labels.metric_name().to_owned())) {
            if !self.metadata.contains(&name) {
                self.metadata.push(name);
            }
        }
        for series in received.series {
            let samples = series.samples.iter().map(|sample| (sample.at.millis(), sample.value));
            self.samples.entry(series.labels).or_default().extend(samples);
        }
        count
    }
}
