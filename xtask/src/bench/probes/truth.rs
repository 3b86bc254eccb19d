//! Round trips as programs tell them against the kernel's record of the same packets, on an idle and on a busy machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::hosts::Hosts;
use crate::bench::Figure;
use crate::namespace::Namespace;
use crate::process;
use crate::stopwatch::wait_until;

/// Questions of each program.
const QUESTIONS: &str = "500";
/// Processes that do nothing but compute on a busy machine, for each processor.
const BUSY_EACH: usize = 2;

/// Microseconds by sequence number.
type Times = BTreeMap<u16, f64>;

pub(super) fn measure(program: &str, pair: &Hosts) -> Result<Vec<Figure>> {
    let idle = all(program, pair)?;
    let busy = {
        let _load = Load::start()?;
        all(program, pair)?
    };
    let figure = |name, [ours, ping, fping]: [f64; 3]| Figure {
        name,
        ours: format!("{ours:.2} µs"),
        theirs: format!("ping: {ping:.1} µs, fping: {fping:.1} µs"),
        value: ours,
        limit: 5.0,
        unit: "µs",
    };
    Ok(vec![
        figure("round trip off the kernel's record, 95 of 100, idle", idle),
        figure("round trip off the kernel's record, 95 of 100, busy", busy),
    ])
}

/// By how much 95 of a hundred round trips are off at most, of each program.
fn all(program: &str, pair: &Hosts) -> Result<[f64; 3]> {
    let address = pair.address();
    let ours = ["ping", "--json-lines", "-c", QUESTIONS, "-i", "10ms", &address];
    let ours = off(pair, pair.client().command(program).args(ours), of_lines)?;
    let ping = ["-n", "-c", QUESTIONS, "-i", "0.01", &address];
    let ping = off(pair, pair.client().command("ping").args(ping), |text| of_text(text, "icmp_seq=", " ", "time="))?;
    let fping = ["-c", QUESTIONS, "-p", "10", &address];
    let fping = off(pair, pair.client().command("fping").args(fping), |text| of_text(text, "[", "]", "bytes, "))?;
    Ok([ours, ping, fping])
}

fn off(pair: &Hosts, command: &Command, read: impl Fn(&str) -> Times) -> Result<f64> {
    let ends = [Witness::start(pair.server(), "left")?, Witness::start(pair.client(), "right")?];
    let told = read(&super::cost(command)?.1);
    let record = ends.into_iter().map(Witness::finish).collect::<Result<String>>()?;
    let truth = of_record(&record);
    let mut off: Vec<f64> =
        told.iter().filter_map(|(sequence, time)| Some((time - truth.get(sequence)?).abs())).collect();
    let wanted: usize = QUESTIONS.parse()?;
    ensure!(off.len() * 10 >= wanted * 9, "only {} of {wanted} round trips are known to both", off.len());
    off.sort_by(f64::total_cmp);
    off.get(off.len() * 95 / 100).copied().context("no round trip")
}

/// tcpdump of what comes in at a device, with the kernel's times in nanoseconds.
///
/// A question is timed where it comes in, at the other end of the cable, which on a pair of veth is when it left: what
/// leaves is handed to tcpdump before it is sent, and would be delayed by the witness itself.
struct Witness {
    child: Child,
    file: PathBuf,
}

impl Witness {
    fn start(host: &Namespace, device: &str) -> Result<Self> {
        let file = std::env::temp_dir().join(format!("squirrel-xtask-{}-{device}.pcap", std::process::id()));
        let mut command = host.command("tcpdump");
        command.args(["-n", "-U", "--immediate-mode", "-Z", "root", "--time-stamp-precision=nano"]);
        command.args(["-Q", "in", "-i", device, "-w"]).arg(&file).arg("icmp");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let witness = Self { child, file };
        // It writes the head of the file when it listens.
        let listens = || std::fs::metadata(&witness.file).is_ok_and(|file| file.len() >= 24);
        ensure!(wait_until(Duration::from_secs(20), listens), "tcpdump does not listen");
        Ok(witness)
    }

    /// What it wrote, as text.
    fn finish(mut self) -> Result<String> {
        process::output(Command::new("kill").args(["-INT", &self.child.id().to_string()]))?;
        self.child.wait()?;
        let read = ["-n", "-tt", "--time-stamp-precision=nano", "-r"];
        process::output(Command::new("tcpdump").args(read).arg(&self.file))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Ended already, unless something failed on the way.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Questions, and then answers, as lines such as `1700000000.123456789 IP 10.77.0.1 > 10.77.0.2: ICMP echo request, id 3, seq 1, length 64`.
fn of_record(text: &str) -> Times {
    let mut asked: BTreeMap<u16, u64> = BTreeMap::new();
    let mut times = Times::new();
    for line in text.lines() {
        let Some((at, rest)) = line.split_once(' ') else { continue };
        let nanoseconds = at.split_once('.').and_then(|(seconds, fraction)| {
            Some(seconds.parse::<u64>().ok()? * 1_000_000_000 + fraction.parse::<u64>().ok()?)
        });
        let sequence = rest.split_once("seq ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        let (Some(at), Some(sequence)) = (nanoseconds, sequence) else { continue };
        if rest.contains("echo request") {
            asked.insert(sequence, at);
        } else if let Some(asked) = asked.get(&sequence).filter(|_| rest.contains("echo reply")) {
            times.insert(sequence, at.saturating_sub(*asked) as f64 / 1e3);
        }
    }
    times
}

fn of_lines(text: &str) -> Times {
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let answers = events.filter(|event| event["event"] == "answer");
    answers.filter_map(|event| Some((event["question"].as_u64()? as u16, event["rtt_us"].as_f64()?))).collect()
}

/// A number between two marks is the sequence, and milliseconds follow a third.
fn of_text(text: &str, before: &str, after: &str, time: &str) -> Times {
    let of_line = |line: &str| {
        let sequence = line.split_once(before)?.1.split_once(after)?.0.parse().ok()?;
        let ms: f64 = line.split_once(time)?.1.split_whitespace().next()?.parse().ok()?;
        Some((sequence, ms * 1e3))
    };
    text.lines().filter_map(of_line).collect()
}

/// Processes that keep all processors busy while it lives.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Result<Self> {
        let processors = std::thread::available_parallelism()?.get();
        let mut load = Self(Vec::new());
        for _ in 0..processors * BUSY_EACH {
            load.0.push(Command::new("sh").args(["-c", "while :; do :; done"]).spawn()?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_prints_is_read() {
        let record = "1700000000.999999000 IP 10.77.0.1 > 10.77.0.2: ICMP echo request, id 3, seq 1, length 64\n\
                      1700000001.000041500 IP 10.77.0.2 > 10.77.0.1: ICMP echo reply, id 3, seq 1, length 64\n\
                      1700000001.100000000 IP 10.77.0.1 > 10.77.0.2: ICMP echo request, id 3, seq 2, length 64\n";
        assert_eq!(of_record(record), Times::from([(1, 42.5)]));
        let ping = "64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=0.042 ms\n";
        assert_eq!(of_text(ping, "icmp_seq=", " ", "time="), Times::from([(1, 42.0)]));
        let fping = "10.77.0.2 : [0], 64 bytes, 0.041 ms (0.041 avg, 0% loss)\n";
        assert_eq!(of_text(fping, "[", "]", "bytes, "), Times::from([(0, 41.0)]));
        let lines = "{\"event\":\"answer\",\"question\":3,\"rtt_us\":40.5}\n{\"event\":\"lost\",\"question\":4}\n{}\n";
        assert_eq!(of_lines(lines), Times::from([(3, 40.5)]));
    }
}
