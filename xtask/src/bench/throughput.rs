//! Throughput on loopback and on a pair of veth against iperf3, each with its own server, in turn in one run.
//!
//! What is compared is what arrived, and the processor time of both ends for it, in user and kernel mode.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Figure, usage};
use crate::namespace::Namespace;
use crate::process;
use crate::steps::Steps;
use crate::stopwatch::wait_until;

/// Runs of each program, in turn, so that what else the machine does hits both.
const ROUNDS: u32 = 5;
/// Seconds of each run.
const SECONDS: &str = "3";
/// Octets of a datagram: what a usual path takes whole.
const DATAGRAM: &str = "1400";
/// The server's address on the pair of veth.
const SERVER: &str = "10.78.0.2";

/// What runs of one program gave.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    octets: f64,
    datagrams: f64,
    seconds: f64,
    processor: f64,
}

impl Sum {
    fn gigabits(self) -> f64 {
        self.octets * 8e-9 / self.seconds
    }

    fn datagrams_per_second(self) -> f64 {
        self.datagrams / self.seconds
    }

    /// Seconds of processor time for 10⁹ octets.
    fn cost(self) -> f64 {
        self.processor / self.octets * 1e9
    }
}

/// Measures both ways.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    for tool in ["iperf3", "ss"] {
        if !process::exists(tool) {
            bail!("{tool} is not installed");
        }
    }
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let program = steps.root.join("target/release/squirrel");
    let client = Namespace::create("client").context("a network namespace needs root")?;
    let server = Namespace::create("server")?;
    client.ip(["link", "add", "near", "type", "veth", "peer", "name", "far", "netns", server.name()])?;
    for (host, interface, address) in [(&client, "near", "10.78.0.1/24"), (&server, "far", "10.78.0.2/24")] {
        host.ip(["addr", "add", address, "dev", interface])?;
        host.ip(["link", "set", interface, "up"])?;
    }
    let mut figures = on_path("loopback", &program, &server, &server, "127.0.0.1")?;
    figures.extend(on_path("veth", &program, &client, &server, SERVER)?);
    Ok(figures)
}

fn on_path(path: &str, program: &Path, client: &Namespace, server: &Namespace, address: &str) -> Result<Vec<Figure>> {
    let compare = |udp: bool| -> Result<[Sum; 2]> {
        let mut sums = [Sum::default(); 2];
        for _ in 0..ROUNDS {
            for (sum, ours) in sums.iter_mut().zip([true, false]) {
                one(sum, ours.then_some(program), client, server, address, udp)?;
            }
        }
        Ok(sums)
    };
    let [tcp, their_tcp] = compare(false)?;
    let [udp, their_udp] = compare(true)?;
    let name = |of: &'static str, veth: &'static str| if path == "veth" { veth } else { of };
    let figure = |name, [ours, theirs]: [f64; 2], unit: &str, value, limit| Figure {
        name,
        ours: format!("{ours:.2} {unit}"),
        theirs: format!("iperf3: {theirs:.2} {unit}"),
        value,
        limit,
        unit: "",
    };
    Ok(vec![
        figure(
            name("TCP on loopback, iperf3's over ours", "TCP on veth, iperf3's over ours"),
            [tcp.gigabits(), their_tcp.gigabits()],
            "Gbit/s",
            their_tcp.gigabits() / tcp.gigabits(),
            1.0,
        ),
        figure(
            name("processor time for a gigabyte of TCP on loopback", "processor time for a gigabyte of TCP on veth"),
            [tcp.cost(), their_tcp.cost()],
            "s/GB",
            tcp.cost() / their_tcp.cost(),
            1.0,
        ),
        figure(
            name("datagrams on loopback, iperf3's over ours", "datagrams on veth, iperf3's over ours"),
            [udp.datagrams_per_second() / 1e3, their_udp.datagrams_per_second() / 1e3],
            "thousand/s",
            their_udp.datagrams_per_second() / udp.datagrams_per_second(),
            1.0 / 1.5,
        ),
        figure(
            name("processor time for a gigabyte of UDP on loopback", "processor time for a gigabyte of UDP on veth"),
            [udp.cost(), their_udp.cost()],
            "s/GB",
            udp.cost() / their_udp.cost(),
            1.0,
        ),
    ])
}

/// One run, added to a sum. Both ends have been waited for at its end, so that their processor time is known.
fn one(
    sum: &mut Sum,
    ours: Option<&Path>,
    client: &Namespace,
    server: &Namespace,
    address: &str,
    udp: bool,
) -> Result<()> {
    let before = usage::children_cpu_seconds()?;
    let command = |host: &Namespace, own: &[&str], theirs: &[&str]| -> Command {
        let Some(program) = ours else {
            let mut command = host.command("iperf3");
            command.args(theirs);
            return command;
        };
        let mut command = host.command(program);
        command.arg("throughput").args(own);
        command
    };
    let mut serving = command(server, &["server", "--one-off"], &["-s", "-1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the server does not start")?;
    let outcome = asked(server, &mut command(client, &["client", address, "--no-latency"], &["-c", address]), udp);
    if outcome.is_err() {
        let _ = serving.kill();
    }
    serving.wait()?;
    let document = outcome?;
    let end = &document["end"];
    let number = |value: &Value| value.as_f64().with_context(|| format!("a number is missing in {end}"));
    sum.octets += number(&end["sum_received"]["bytes"])?;
    sum.seconds += number(&end["sum_received"]["seconds"])?;
    if udp {
        sum.datagrams += number(&end["sum"]["packets"])? - number(&end["sum"]["lost_packets"])?;
    }
    sum.processor += usage::children_cpu_seconds()? - before;
    Ok(())
}

fn asked(server: &Namespace, client: &mut Command, udp: bool) -> Result<Value> {
    let listens = || {
        process::output(server.command("ss").args(["-Hltn", "sport", "=", ":5201"])).is_ok_and(|text| !text.is_empty())
    };
    if !wait_until(Duration::from_secs(20), listens) {
        bail!("the server does not listen");
    }
    client.args(["-t", SECONDS, "--json"]);
    if udp {
        client.args(["-u", "-b", "0", "-l", DATAGRAM]);
    }
    serde_json::from_str(&process::output(client)?).context("the client printed something else than JSON")
}
