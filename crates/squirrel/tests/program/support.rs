//! A real daemon for tests: started, spoken to, killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use squirrel_api::client::{Answer, Client};
use squirrel_api::reply::QueryData;
use squirrel_model::Timestamp;

/// Longest wait for anything that a healthy daemon does at once. Generous: it only bounds a failure.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running `squirrel serve`; killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<String>,
    /// All that it logged so far, as far as it was read.
    pub(crate) log: String,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Daemon {
    /// Starts a daemon on a free port and waits until its first samples can be queried.
    pub(crate) fn start(data: &Path, more: &[&str]) -> Self {
        let mut daemon = Self::spawn(data, more);
        let line = daemon.wait_for("watching this host");
        daemon.address = line.rsplit_once("http://").expect("the line ends with the address").1.trim().to_owned();
        daemon.wait_until_ready();
        daemon
    }

    fn spawn(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squirrel"))
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .args(more)
            .env_remove("SQUIRREL_CONFIG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("stderr is piped");
        // Bounded: a daemon that floods its log blocks, and the test fails by its patience.
        let (send, lines) = sync_channel(10_000);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, log: String::new(), address: String::new() }
    }

    /// Reads the log until a line contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.log.push_str(&line);
                    self.log.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line with {text:?} within {PATIENCE:?}; log:\n{}", self.log)
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the daemon ended without {text:?}; log:\n{}", self.log),
            }
        }
    }

    /// Waits for the first tick of the live stream: from then on samples can be queried.
    fn wait_until_ready(&mut self) {
        self.next_tick_after(Timestamp(0));
        let answer = self.get("/readyz");
        assert_eq!(answer.status, 200, "ready after the first tick; log:\n{}", self.log);
    }

    /// Waits for the next tick of the live stream. Its reading begins after the call: what was so before is in it.
    pub(crate) fn next_tick(&self) {
        self.next_tick_after(squirrel_sys::clock::wall());
    }

    /// Waits for a tick of the live stream that is later than this.
    fn next_tick_after(&self, time: Timestamp) {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(&self.address).expect("the daemon listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let request =
            format!("GET /api/stream?query=up HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut lines = BufReader::new(stream).lines();
        // Only ticks have a number: their time.
        let tick = lines.find(|line| {
            let number = line.as_ref().expect("a tick arrives").strip_prefix("id:");
            number.and_then(|number| number.trim().parse::<i64>().ok()).is_some_and(|at| Timestamp(at) > time)
        });
        assert!(tick.is_some(), "the stream ended before a tick");
    }

    /// A GET, whatever is answered.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let client = Client::new(&self.address);
        runtime().block_on(client.get(path, &[])).expect("the daemon answers")
    }

    /// The body of a GET as text.
    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.get(path).body).into_owned()
    }

    /// The value of an instant query.
    pub(crate) fn query(&self, expr: &str) -> QueryData {
        let client = Client::new(&self.address);
        runtime().block_on(client.query(expr, None)).expect("the query is answered").data
    }

    /// The number that an instant query with one result gives, or what came instead.
    fn one_number(&self, expr: &str) -> Result<f64, String> {
        let client = Client::new(&self.address);
        match runtime().block_on(client.query(expr, None)).map(|answer| answer.data) {
            Ok(QueryData::Vector(series)) if series.len() == 1 => Ok(series[0].value.1),
            Ok(QueryData::Scalar(point)) => Ok(point.1),
            other => Err(format!("{other:?}")),
        }
    }

    /// The number that an instant query with one result gives.
    pub(crate) fn number(&self, expr: &str) -> f64 {
        self.one_number(expr).unwrap_or_else(|other| panic!("{expr}: one number was expected, not {other}"))
    }

    /// Asks at each tick until the answer is one number, and that as wanted.
    pub(crate) fn wait_until(&self, expr: &str, wanted: impl Fn(f64) -> bool) {
        const TICKS: usize = 100;
        let mut last = Err(String::new());
        let came = (0..TICKS).any(|_| {
            last = self.one_number(expr);
            let came = last.as_ref().is_ok_and(|number| wanted(*number));
            if !came {
                self.next_tick();
            }
            came
        });
        assert!(came, "{expr} is {last:?} after {TICKS} ticks");
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the end; reads the rest of the log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        let status = self.child.wait().expect("the daemon ends");
        (status, std::mem::take(&mut self.log))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; nothing to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs `squirrel` with arguments to its end: exit code, standard output, standard error.
pub(crate) fn squirrel(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_squirrel"))
        .args(args)
        .env_remove("SQUIRREL_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
