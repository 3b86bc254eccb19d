//! A receiver that answers as it is told to, and channels that deliver to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use squirrel_channels::{Channel, Channels, Delivery, NotifyTables, Parts, Protected};
use squirrel_notify::{Notification, NotifiedAlert, Reason, Texts};
use squirrel_store::dir::MemoryDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long a test waits for what must come.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

/// How a receiver answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// With this status, and perhaps a `Retry-After`.
    Status(u16, Option<u32>),
    /// With the beginning of an answer.
    Cut,
    /// Not at all.
    Close,
    /// Never.
    Hang,
}

#[derive(Default)]
struct Seen {
    answers: VecDeque<Answer>,
    requests: Vec<(String, Vec<u8>)>,
}

/// A server on loopback.
pub(crate) struct Receiver {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    /// One that gives these answers, and 200 afterwards.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen { answers: answers.into(), requests: Vec::new() }));
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in", self.port)
    }

    fn requests(&self) -> Vec<(String, Vec<u8>)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.requests().into_iter().map(|(head, _)| head).collect()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    /// Waits until so many requests came.
    pub(crate) async fn until(&self, count: usize) {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner).requests.len();
        eventually(async || (seen() >= count).then_some(())).await;
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    let mut octets = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut octets).await.unwrap_or(0) == 0 {
            return;
        }
        let Some(end) = octets.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&octets[..end + 4]).into_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if octets.len() >= end + 4 + length.unwrap_or(0) {
            break (head, octets[end + 4..].to_vec());
        }
    };
    let answer = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests.push((head, body));
        seen.answers.pop_front().unwrap_or(Answer::Status(200, None))
    };
    let text = match answer {
        Answer::Status(status, after) => {
            let after = after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            format!("HTTP/1.1 {status} x\r\n{after}Content-Length: 5\r\nConnection: close\r\n\r\ntaken")
        }
        Answer::Cut => "HTTP/1.1 200 OK\r\nContent-Le".to_owned(),
        Answer::Close => return,
        Answer::Hang => std::future::pending().await,
    };
    let _ = stream.write_all(text.as_bytes()).await;
}

/// Asks again and again, until there is something or the time is up.
pub(crate) async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        loop {
            every.tick().await;
            if let Some(found) = ask().await {
                return found;
            }
        }
    };
    tokio::time::timeout(BOUND, asking).await.expect("it came in time")
}

/// Waits for a delivery of a kind.
pub(crate) async fn until(channels: &Channels, is_it: impl Fn(&Delivery) -> bool) -> Delivery {
    eventually(async || channels.deliveries().await.into_iter().find(&is_it)).await
}

pub(crate) fn channels(text: &str) -> Vec<Channel> {
    toml::from_str::<NotifyTables>(text).unwrap().channels().unwrap()
}

/// Channels with an empty queue.
pub(crate) fn start(text: &str) -> Channels {
    let parts = Parts {
        channels: channels(text),
        dir: Arc::new(MemoryDir::new()),
        clock: squirrel_sys::clock::wall,
        seed: 1,
        protected: Protected::loopback(),
    };
    Channels::start(parts).unwrap().0
}

/// A message about one alert that began a minute ago.
pub(crate) fn message(id: u64, channel: &str, group: &str, reason: Reason) -> Notification {
    let now = squirrel_sys::clock::wall().0;
    let text = |pairs: &[(&str, &str)]| -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let labels = text(&[("alertname", "LinkBusy"), ("device", "eth0"), ("severity", "critical"), ("group", group)]);
    let is_over = reason == Reason::Resolved;
    Notification {
        id,
        channel: channel.to_owned(),
        group_key: group.to_owned(),
        reason,
        at_ms: now,
        group_labels: text(&[("alertname", "LinkBusy")]),
        common_labels: labels.clone(),
        common_annotations: Texts::new(),
        alerts: vec![NotifiedAlert {
            firing: !is_over,
            labels,
            annotations: text(&[("summary", "eth0 is nearly full — Größe <b>"), ("check_1", "Who sends.")]),
            starts_at_ms: now - 60_000,
            ends_at_ms: is_over.then_some(now),
            value: 0.93,
            threshold: Some(0.8),
            expr: "x > 0.8".to_owned(),
            generator_url: "https://squirrel.example/graph?g0.expr=x".to_owned(),
            fingerprint: 0xfeed,
            acknowledged_by: None,
        }],
        more: 0,
        external_url: "https://squirrel.example/".to_owned(),
        chart: Some(squirrel_notify::Chart {
            title: "eth0".to_owned(),
            lines: vec![("eth0".to_owned(), (0..60).map(|i| (now - 60_000 + i * 1000, i as f64 / 60.0)).collect())],
            threshold: Some(0.8),
        }),
    }
}
