//! Servers and clients of both kinds, on loopback.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squirrel_throughput::login::Access;
use squirrel_throughput::protocol::Parameters;
use squirrel_throughput::{Client, Event, Limits, Plan, Report, Server, Stop, ThroughputError};

/// Seconds after which an iperf3 that hangs is ended; no run takes nearly as long.
const PATIENCE: &str = "120";

/// A server of iperf3 that serves once; it is ended with this.
pub(crate) struct Iperf3 {
    process: Child,
    pub(crate) port: u16,
}

impl Iperf3 {
    /// Starts one on a free port, and waits until it says that it listens.
    pub(crate) fn serve() -> Self {
        Self::serve_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn serve_with(arguments: &[&str]) -> Self {
        // Between looking for a free port and using it somebody else may take it: then with another one.
        (0..20).find_map(|_| Self::try_serve(arguments)).expect("iperf3 listens on one of twenty free ports")
    }

    fn try_serve(arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let mut process = Command::new("timeout")
            .args([PATIENCE, "iperf3", "-s", "-1", "--forceflush", "-p", &port.to_string()])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("timeout starts");
        let lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let listens = lines.map_while(Result::ok).any(|line| line.contains("Server listening"));
        if listens {
            return Some(Self { process, port });
        }
        let _ = process.wait();
        None
    }
}

/// A server of iperf3 that serves once and prints its document, and what a client of iperf3 with these arguments has it
/// print.
pub(crate) fn document_of_server(arguments: &[&str]) -> serde_json::Value {
    let port = free_port();
    let server = Command::new("timeout")
        .args([PATIENCE, "iperf3", "-s", "-1", "-J", "-p", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("timeout starts");
    // It does not say when it listens.
    let served = squirrel_testkit::until(Duration::from_mins(1), || {
        let document = iperf3(([127, 0, 0, 1], port).into(), arguments);
        !document["error"].as_str().unwrap_or_default().contains("unable to connect")
    });
    assert!(served, "{arguments:?}: iperf3 listens");
    let output = server.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

impl Drop for Iperf3 {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// Squirrel's server, with what it told.
pub(crate) struct Own {
    pub(crate) address: SocketAddr,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    stop: Arc<Stop>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Own {
    pub(crate) fn serve(limits: Limits) -> Self {
        Self::serve_on("127.0.0.1:0", limits, None)
    }

    pub(crate) fn serve_on(address: &str, limits: Limits, access: Option<Access>) -> Self {
        let stop = Arc::new(Stop::default());
        let address = address.parse().expect("an address");
        let server = Server::bind(address, limits, access, stop.clone()).expect("it listens");
        let address = server.address().expect("it listens");
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = events.clone();
        let thread = std::thread::spawn(move || {
            server.run(&|event| told.lock().expect("nobody panicked").push(event)).expect("it serves");
        });
        Self { address, events, stop, thread: Some(thread) }
    }

    /// Ends it, and gives the reports of the runs that ended.
    pub(crate) fn end(mut self) -> Vec<Event> {
        self.stop.set();
        self.thread.take().expect("it runs").join().expect("it ends well");
        std::mem::take(&mut self.events.lock().expect("nobody panicked"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the user of the tests logs in with.
pub(crate) const PASSWORD: &str = "rossi";

/// By so many octets two ends may differ that count a run of [`tcp`] or [`udp`] at slightly different times.
const BETWEEN: u64 = 10_000_000;

/// Whether two ends counted about the same. Of several streams more is in buffers of the system when the end comes.
pub(crate) fn agree(sent: u64, received: u64) -> bool {
    sent.abs_diff(received) < BETWEEN.max(sent / 2)
}

/// Carries a run again, but not for ever, until its outcome is as wanted; gives the last one. On a busy machine an end
/// is kept from its processor: then datagrams find no room, what still waits at the end is counted by nobody, and a
/// rate is not reached.
pub(crate) fn settled<T>(mut carry: impl FnMut() -> T, is_wanted: impl Fn(&T) -> bool) -> T {
    let mut outcome = carry();
    for _ in 0..20 {
        if is_wanted(&outcome) {
            break;
        }
        outcome = carry();
    }
    outcome
}

/// A run of TCP of one second. At this rate a moment more or less is few octets; runs by octets have no rate.
pub(crate) fn tcp() -> Parameters {
    Parameters {
        bandwidth: 100_000_000,
        tcp: true,
        time: 1,
        parallel: 1,
        client_version: "test".into(),
        udp_counters_64bit: 1,
        ..Parameters::default()
    }
}

/// A run of UDP of one second.
pub(crate) fn udp() -> Parameters {
    Parameters { tcp: false, udp: true, bandwidth: 20_000_000, ..tcp() }
}

pub(crate) fn plan(port: u16, parameters: Parameters) -> Plan {
    Plan {
        host: "127.0.0.1".into(),
        port,
        ipv6: None,
        source: None,
        parameters,
        interval: Duration::from_millis(500),
        zero_copy: false,
        latency: false,
        login: None,
    }
}

pub(crate) fn run(plan: Plan) -> Result<Report, ThroughputError> {
    Client::new(plan, Arc::new(Stop::default()), None).run(&mut |_| {}, &mut |_| {})
}

/// Runs a client of iperf3 against an address; gives its document.
pub(crate) fn iperf3(to: SocketAddr, arguments: &[&str]) -> serde_json::Value {
    let output = Command::new("timeout")
        // What is asked for where a login is; elsewhere nobody looks at it.
        .env("IPERF3_PASSWORD", PASSWORD)
        .args([PATIENCE, "iperf3", "-J", "-c", &to.ip().to_string(), "-p", &to.port().to_string()])
        .args(arguments)
        .output()
        .expect("timeout starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

/// Why a test cannot run here.
pub(crate) fn missing() -> Option<&'static str> {
    let there =
        Command::new("iperf3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    (!there).then_some("iperf3 is not installed")
}
