//! How much of a mix of traffic is put on the process that moved it, by Squirrel and by nethogs in the same run.
//!
//! A long stream, many short connections, and datagrams, each sent by a process of its own over a veth pair to another
//! network namespace. bandwhich and rustnet are no packages of Debian and are left out.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Figure;
use crate::namespace::Namespace;
use crate::process;
use crate::steps::Steps;
use crate::stopwatch::wait_until;

/// The argument by which this program calls itself inside a namespace.
pub(super) const INSIDE: &str = "--inside-truth";

const HERE: &str = "10.214.9.1";
const THERE: &str = "10.214.9.2";
const PORT: u16 = 5000;
const PEER: &str = "nethogs";

/// Octets and pauses of the long stream: some four seconds.
const PIECE: usize = 100_000;
const PIECES: usize = 80;
const PAUSE: Duration = Duration::from_millis(50);
/// Short connections, and what each sends.
const SHORT: (usize, usize) = (2_000, 5_000);
/// Datagrams, and what each holds; every tenth from a socket of its own.
const DATAGRAMS: (usize, usize) = (20_000, 100);

/// Bytes that each process sent.
type Sent = BTreeMap<u32, u64>;

/// Runs the mix with both watching.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    if !process::exists(PEER) {
        bail!("{PEER} is not installed: it is Debian's package of that name");
    }
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let (truth, ours, theirs) = watched(&steps.root.join("target/release/squirrel"))?;
    let sum: u64 = truth.values().sum();
    let percent = |bytes: u64| bytes as f64 * 100.0 / sum as f64;
    let right =
        |told: &Sent| percent(truth.iter().map(|(pid, sent)| told.get(pid).copied().unwrap_or(0).min(*sent)).sum());
    // More than was sent is as wrong as less. nethogs counts headers too, so of it only the lack is looked at.
    let wrong = percent(truth.iter().map(|(pid, sent)| told_wrong(ours.get(pid).copied(), *sent)).sum());
    Ok(vec![Figure {
        name: "bytes of a mix of traffic that are not with their process",
        ours: format!("{:.2} % are", right(&ours)),
        theirs: format!("{PEER}: {:.0} % are", right(&theirs)),
        value: wrong,
        limit: 0.0,
        unit: "%",
    }])
}

fn told_wrong(told: Option<u64>, sent: u64) -> u64 {
    told.unwrap_or(0).abs_diff(sent)
}

/// What the processes sent, and what both say of them.
fn watched(program: &Path) -> Result<(Sent, Sent, Sent)> {
    let (here, there) = (Namespace::create("truth")?, Namespace::create("truth-peer")?);
    here.ip(["link", "add", "left", "type", "veth", "peer", "name", "right", "netns", there.name()])?;
    for (namespace, link, address) in [(&here, "left", HERE), (&there, "right", THERE)] {
        namespace.ip(["address", "add", &format!("{address}/24"), "dev", link])?;
        namespace.ip(["link", "set", link, "up"])?;
    }
    let this = std::env::current_exe()?;
    let mut sink = there.command(&this).args(["bench", INSIDE, "sink"]).stdout(Stdio::piped()).spawn()?;
    let mut ready = String::new();
    BufReader::new(sink.stdout.as_mut().context("its output is piped")?).read_line(&mut ready)?;
    ensure!(ready == "ready\n", "the other side did not start");

    let mut peer = here.command(PEER);
    let peer =
        peer.args(["-t", "-C", "-v", "2", "-d", "1", "left"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut top = here.command(program);
    let top = top.args(["top", "--json", "--for", "1h"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut peer, mut top) = (Stopped(peer), Stopped(top));
    // It says that it measures once all is open; nethogs is ready sooner.
    let mut line = String::new();
    BufReader::new(top.0.stderr.as_mut().context("its errors are piped")?).read_line(&mut line)?;

    let roles = ["long", "short", "datagrams"];
    let start = |role: &&str| here.command(&this).args(["bench", INSIDE, role]).spawn();
    let senders: Vec<Child> = roles.iter().map(start).collect::<Result<_, _>>()?;
    let mut truth = Sent::new();
    for (role, mut sender) in roles.iter().zip(senders) {
        ensure!(sender.wait()?.success(), "the process that sends `{role}` failed");
        truth.insert(sender.id(), sent_by(role));
    }
    // Its next two refreshes have the rest.
    wait_until(Duration::from_secs(3), || false);
    let (told, listed) = (top.interrupted()?, peer.interrupted()?);
    sink.kill()?;
    sink.wait()?;
    Ok((truth, of_document(&told)?, of_list(&listed)))
}

/// A program that prints until it is interrupted.
struct Stopped(Child);

impl Stopped {
    fn interrupted(&mut self) -> Result<String> {
        process::output(Command::new("kill").args(["-INT", &self.0.id().to_string()]))?;
        let mut text = String::new();
        self.0.stdout.take().context("its output is piped")?.read_to_string(&mut text)?;
        self.0.wait()?;
        Ok(text)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // One that has ended is past killing.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// `processes[]` of the document that `squirrel top --json` prints.
fn of_document(text: &str) -> Result<Sent> {
    let document: Value = serde_json::from_str(text).context("squirrel top printed no document")?;
    let rows = document.get("processes").and_then(Value::as_array).context("the document has no processes")?;
    let number = |row: &Value, name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(rows.iter().map(|row| (number(row, "pid") as u32, number(row, "transmit_bytes"))).collect())
}

/// The last refresh of nethogs: lines `PROGRAM/PID/UID<tab>SENT<tab>RECEIVED`.
fn of_list(text: &str) -> Sent {
    let last = text.rsplit("Refreshing:").next().unwrap_or_default();
    let row = |line: &str| {
        let (name, numbers) = line.split_once('\t')?;
        let pid = name.rsplit('/').nth(1)?.parse().ok()?;
        let sent: f64 = numbers.split('\t').next()?.parse().ok()?;
        Some((pid, sent as u64))
    };
    last.lines().filter_map(row).collect()
}

fn sent_by(role: &str) -> u64 {
    let (count, length) = match role {
        "long" => (PIECES, PIECE),
        "short" => SHORT,
        _ => DATAGRAMS,
    };
    (count * length) as u64
}

/// One role in a namespace.
pub(super) fn inside(arguments: &[String]) -> Result<()> {
    let data = vec![b'x'; PIECE];
    match arguments.first().map(String::as_str) {
        Some("sink") => sink(),
        Some("long") => {
            let mut stream = TcpStream::connect((THERE, PORT))?;
            for _ in 0..PIECES {
                stream.write_all(&data)?;
                wait_until(PAUSE, || false);
            }
            Ok(())
        }
        Some("short") => {
            (0..SHORT.0).try_for_each(|_| Ok(TcpStream::connect((THERE, PORT))?.write_all(&data[..SHORT.1])?))
        }
        _ => {
            let mut socket = UdpSocket::bind((HERE, 0))?;
            for count in 0..DATAGRAMS.0 {
                if count % 10 == 0 {
                    socket = UdpSocket::bind((HERE, 0))?;
                }
                socket.send_to(&data[..DATAGRAMS.1], (THERE, PORT))?;
            }
            Ok(())
        }
    }
}

/// Takes what comes, until it is ended.
fn sink() -> Result<()> {
    let listener = TcpListener::bind((THERE, PORT))?;
    let _datagrams = UdpSocket::bind((THERE, PORT))?;
    println!("ready");
    loop {
        let (mut stream, _) = listener.accept()?;
        std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refresh_of_the_peer_is_read() {
        let text = "Refreshing:\n/bin/a/7/0\t1\t2\n\nRefreshing:\n/opt/a b/7/0\t1.5e+06\t2\nunknown TCP/0/0\t9\t9\n";
        assert_eq!(of_list(text), Sent::from([(7, 1_500_000), (0, 9)]));
        assert_eq!(of_list(""), Sent::new());
    }

    #[test]
    fn more_than_was_sent_is_as_wrong_as_less() {
        assert_eq!([told_wrong(Some(7), 5), told_wrong(Some(3), 5), told_wrong(None, 5)], [2, 2, 5]);
    }

    #[test]
    fn processes_are_read_from_the_document() {
        let text = r#"{"processes": [{"pid": 7, "transmit_bytes": 12, "name": "a"}]}"#;
        assert_eq!(of_document(text).expect("a document"), Sent::from([(7, 12)]));
        assert!(of_document("{}").is_err() && of_document("no").is_err());
    }
}
