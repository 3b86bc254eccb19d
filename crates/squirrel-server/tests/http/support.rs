//! A running server over a store in memory, and a client that sends what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use squirrel_api::{CollectorState, CollectorStatus};
use squirrel_model::{Batch, Catalogue, Elapsed, Kind, Labels, Metric, Select, Timestamp, Unit};
use squirrel_server::{
    ApplicationLimits, ApplicationToken, Applications, BuildInfo, Limits, METRICS, Server, ServerMetrics, ServerParts,
    Tick,
};
use squirrel_testkit::MemorySelect;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The moment that the tests' wall clock shows.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// What whoever changes something sends to these servers.
pub(crate) const CHANGE_TOKEN: &str = "a-token-for-changes";

pub(crate) static RECEIVED: Metric =
    Metric::new("node_network_receive_bytes_total", Kind::Counter, Unit::Bytes, "Bytes received by the \"device\".")
        .why("Throughput.")
        .check(&["the other end"])
        .labels(&["device"]);

pub(crate) static FAMILY: Metric =
    Metric::new("node_netstat_<protocol>_<counter>", Kind::Untyped, Unit::None, "A counter.");

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<ServerMetrics>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) stop: CancellationToken,
    pub(crate) ticks: watch::Sender<Option<Arc<Tick>>>,
    pub(crate) done: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied()).expect("labels")
}

/// Ten minutes of two counters up to [`NOW`], a sample each second: eth0 gains 1,000 a second, lo
/// nothing.
pub(crate) fn traffic() -> MemorySelect {
    let mut store = MemorySelect::default();
    for (device, gain) in [("eth0", 1_000.0), ("lo", 0.0)] {
        let series =
            labels(&[("__name__", "node_network_receive_bytes_total"), ("device", device), ("job", "squirrel")]);
        for second in 0..=600_i32 {
            let at = NOW.millis() - 600_000 + i64::from(second) * 1000;
            store.put(&series, at, gain * f64::from(second));
        }
    }
    store
}

pub(crate) async fn start(store: MemorySelect) -> Running {
    start_with(Arc::new(store), patient(), &[]).await
}

/// Limits that only a hang comes to, for tests of something else: a busy machine is slow.
pub(crate) fn patient() -> Limits {
    let long = Duration::from_mins(1);
    Limits { query_time: long, waiting_time: long, stream_time: long, ..Limits::for_cpus(2) }
}

pub(crate) async fn start_with(store: Arc<dyn Select>, limits: Limits, allowed: &[&str]) -> Running {
    start_taking(store, limits, allowed, ApplicationLimits::default(), None).await
}

/// A server that takes reports of applications within these limits.
pub(crate) async fn start_taking(
    store: Arc<dyn Select>,
    limits: Limits,
    allowed: &[&str],
    reports: ApplicationLimits,
    token: Option<&str>,
) -> Running {
    start_parts(store, limits, allowed, reports, token, |_| ()).await
}

/// A server whose parts are as `change` leaves them.
pub(crate) async fn start_parts(
    store: Arc<dyn Select>,
    limits: Limits,
    allowed: &[&str],
    reports: ApplicationLimits,
    token: Option<&str>,
    change: impl FnOnce(&mut ServerParts),
) -> Running {
    let reserved = Catalogue::new([METRICS, &[&RECEIVED, &FAMILY]]);
    let token = token.map(|token| ApplicationToken::new(token).expect("a token"));
    let applications = Arc::new(Applications::new(reports, reserved).with_token(token));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (ticks, receiver) = watch::channel(None);
    let born = tokio::time::Instant::now();
    let mut parts = ServerParts {
        receive: None,
        snapshots: Arc::new(move || Arc::clone(&store)),
        engine: None,
        ticks: receiver,
        catalogue: Arc::new(Catalogue::new([METRICS, &[&RECEIVED, &FAMILY]])),
        collectors: Arc::new(|| {
            vec![
                collector("interfaces", CollectorState::Running, ""),
                collector("conntrack", CollectorState::Unavailable, "Connection tracking is not loaded on this host."),
            ]
        }),
        own: squirrel_model::Labels::empty(),
        applications: Arc::clone(&applications),
        alerting: Arc::new(squirrel_server::NoAlerting),
        token: ApplicationToken::new(CHANGE_TOKEN).map(Arc::new),
        picture: Arc::new(|| Some(Arc::new(super::live::picture()))),
        ports: Arc::new(|| Ok(super::live::ports())),
        probes: None,
        checks: None,
        count_packets: Arc::new(|time| Some(time.min(std::time::Duration::from_secs(45)))),
        clock: Arc::new(|| NOW),
        monotonic: Arc::new(move || Elapsed(born.elapsed())),
        build: BuildInfo { version: "0.1.0".into(), revision: "abc".into() },
        allowed_hosts: allowed.iter().map(|h| squirrel_server::AllowedHost::parse(h).expect("a host")).collect(),
        limits,
    };
    change(&mut parts);
    let server = Server::new(parts);
    let metrics = server.metrics();
    let stop = CancellationToken::new();
    let done = tokio::spawn(server.serve(vec![listener], stop.clone()));
    Running { address, metrics, applications, stop, ticks, done }
}

impl Running {
    /// Publishes a tick at [`NOW`] plus `seconds`.
    pub(crate) fn tick(&self, seconds: i64) {
        let mut batch = Batch::default();
        batch.put(&RECEIVED, &labels(&[("device", "eth0")]), 600_000.0);
        batch.put(FAMILY.member("node_netstat_Tcp_InSegs", "Segments"), &Labels::empty(), 7.0);
        self.metrics.rows(&mut batch);
        self.ticks.send_replace(Some(Arc::new(Tick { at: NOW.plus_ms(seconds * 1000), batch })));
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the server takes connections")
    }

    /// Sends these octets, with `HOST` replaced by the server's address, and reads all of the answer.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect().await;
        let request = request.replace("HOST", &self.address.to_string());
        stream.write_all(request.as_bytes()).await.expect("sent");
        read_answer(&mut stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")).await
    }

    pub(crate) async fn get_with(&self, path: &str, header: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{header}\r\n\r\n")).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
        .await
    }

    /// The value of one of the server's own metrics.
    pub(crate) fn own(&self, row: &str) -> f64 {
        let mut batch = Batch::default();
        self.metrics.rows(&mut batch);
        let mut text = String::new();
        squirrel_model::exposition::write_batch(&mut text, &batch);
        text.lines()
            .find_map(|line| line.strip_prefix(row)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or_else(|| panic!("{row} in\n{text}"))
    }

    /// Waits until one of the server's own metrics has a value; the test's own time limit ends a wait
    /// in vain.
    pub(crate) async fn assert_becomes(&self, row: &str, value: f64) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        let wait = async {
            while self.own(row) != value {
                looks.tick().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        assert!(waited.is_ok(), "{row} is {} and not {value}", self.own(row));
    }
}

/// Reads head and body; the body by its length, its chunks, or to the end of the connection.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut all)).await;
    read.expect("the answer ends").expect("the answer is read");
    let head = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let headers = String::from_utf8(all[..head].to_vec()).expect("text");
    let status = headers.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    let mut body = all[head + 4..].to_vec();
    if headers.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Answer { status, headers, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("text"), 16).expect("a size");
        out.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
        if size == 0 {
            break;
        }
    }
    out
}

fn collector(name: &str, state: CollectorState, sentence: &str) -> CollectorStatus {
    CollectorStatus {
        name: name.to_owned(),
        about: format!("Reads {name}."),
        state,
        sentence: sentence.to_owned(),
        duration_seconds: 0.001,
        faults: vec![],
    }
}
