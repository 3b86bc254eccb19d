//! One reading of ours against one scrape of node_exporter with the same collectors.
//!
//! Both run in one network namespace of their own, with the same interfaces and sockets, so that the
//! ratio does not depend on what else this machine does. What is compared is processor time.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Figure, usage};
use crate::steps::Steps;
use crate::stopwatch::wait_until;
use crate::{http, process};

/// The argument by which this program calls itself inside the namespace.
pub(super) const INSIDE: &str = "--inside-namespace";

/// The example of squirrel-collect that reads again and again and says what it used.
const EXAMPLE: &str = "ticks";

/// Readings and scrapes that are measured, after a tenth as many to warm up.
const ROUNDS: u32 = 500;

/// What both read.
const COLLECTORS: [&str; 11] = [
    "netdev",
    "netclass",
    "netstat",
    "sockstat",
    "softnet",
    "conntrack",
    "arp",
    "udp_queues",
    "tcpstat",
    "qdisc",
    "ethtool",
];

/// Measures both in a namespace.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    for program in ["unshare", "ip", "prometheus-node-exporter"] {
        if !process::exists(program) {
            bail!("{program} is not installed");
        }
    }
    let build = ["build", "--release", "--locked", "--package", "squirrel-collect", "--example", EXAMPLE];
    steps.cargo("release build of the collectors", &build)?;
    let example = steps.root.join("target/release/examples").join(EXAMPLE);
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--"]).arg(std::env::current_exe()?).args(["bench", INSIDE]).arg(example);
    let text = process::output(&mut command).context("a network namespace needs root")?;
    let ours = Cost::find(&text, "squirrel")?;
    let theirs = Cost::find(&text, "node_exporter")?;
    Ok(figures(&ours, &theirs))
}

fn figures(ours: &Cost, theirs: &Cost) -> Vec<Figure> {
    let shown = |cost: &Cost| format!("{:.2} ms for {} samples", cost.milliseconds, cost.samples);
    let each = |cost: &Cost| cost.milliseconds * 1000.0 / f64::from(cost.samples.max(1));
    let shown_each = |cost: &Cost| format!("{:.2} µs", each(cost));
    let figure = |name, ours, theirs, value, limit| Figure { name, ours, theirs, value, limit, unit: "" };
    let exporter = |text: String| format!("node_exporter: {text}");
    let ratio = ours.milliseconds / theirs.milliseconds;
    let ratio_each = each(ours) / each(theirs);
    vec![
        figure("processor time of one reading", shown(ours), exporter(shown(theirs)), ratio, 0.5),
        figure("the same, for each sample", shown_each(ours), exporter(shown_each(theirs)), ratio_each, 1.0 / 3.0),
    ]
}

/// What one round costs and brings.
struct Cost {
    milliseconds: f64,
    samples: u32,
}

impl Cost {
    /// Finds the line `NAME MILLISECONDS SAMPLES`.
    fn find(text: &str, name: &str) -> Result<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let parsed = line.and_then(|line| {
            let (milliseconds, samples) = line.split_once(' ')?;
            Some(Self { milliseconds: milliseconds.parse().ok()?, samples: samples.trim().parse().ok()? })
        });
        parsed.with_context(|| format!("no figure of {name} in:\n{text}"))
    }
}

/// What the call inside the namespace does: it makes interfaces and sockets, and measures both.
pub(super) fn inside(arguments: &[String]) -> Result<()> {
    let example = arguments.first().context("the example's path is missing")?;
    make_network()?;
    let _sockets = sockets(50)?;
    let exporter = Exporter::start()?;
    let text = process::output(Command::new(example).arg(ROUNDS.to_string()))?;
    let ours = Cost::find(&text, "squirrel")?;
    println!("squirrel {} {}", ours.milliseconds, ours.samples);
    let theirs = exporter.measure()?;
    println!("node_exporter {} {}", theirs.milliseconds, theirs.samples);
    Ok(())
}

/// A small router: the loopback, two pairs of virtual Ethernet, a bridge, two kinds of queue.
fn make_network() -> Result<()> {
    let lines = "link set lo up
        link add a0 type veth peer name a1
        link add b0 type veth peer name b1
        link add br0 type bridge
        link set a1 master br0
        link set b1 master br0
        addr add 192.0.2.1/24 dev a0
        link set a0 up
        link set a1 up
        link set b0 up
        link set b1 up
        link set br0 up";
    for line in lines.lines() {
        process::output(Command::new("ip").args(line.split_whitespace()))?;
    }
    let queue = ["qdisc", "add", "dev", "a0", "root", "fq_codel"];
    if process::exists("tc") && process::output(Command::new("tc").args(queue)).is_err() {
        println!("this kernel has no fq_codel: queues are the default ones");
    }
    // /sys shows the interfaces of the namespace in which it was mounted.
    process::output(Command::new("mount").args(["-t", "sysfs", "sysfs", "/sys"]))?;
    Ok(())
}

/// So many established connections on the loopback, both ends held.
fn sockets(count: usize) -> Result<Vec<(TcpStream, TcpStream)>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let pair = |_| {
        let mut near = TcpStream::connect(address)?;
        near.write_all(b"once, so that there is a round-trip time")?;
        Ok((near, listener.accept()?.0))
    };
    (0..count).map(pair).collect()
}

/// A running node_exporter.
struct Exporter {
    child: Child,
    address: SocketAddr,
}

impl Exporter {
    fn start() -> Result<Self> {
        let address = http::free_port()?;
        let mut command = Command::new("prometheus-node-exporter");
        command.arg(format!("--web.listen-address={address}"));
        command.args(["--web.disable-exporter-metrics", "--collector.disable-defaults"]);
        command.args(COLLECTORS.iter().map(|name| format!("--collector.{name}")));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let exporter = Self { child, address };
        let ready = wait_until(Duration::from_secs(10), || exporter.scrape().is_ok());
        if !ready {
            bail!("node_exporter did not answer within 10 s");
        }
        Ok(exporter)
    }

    /// One scrape: the number of samples.
    fn scrape(&self) -> Result<u32> {
        let answer = http::get(self.address, "/metrics")?;
        let text = String::from_utf8(answer.body)?;
        let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        u32::try_from(samples).context("more samples than can be")
    }

    fn measure(&self) -> Result<Cost> {
        for _ in 0..ROUNDS / 10 {
            self.scrape()?;
        }
        let before = usage::cpu_seconds(self.child.id())?;
        let mut samples = 0;
        for _ in 0..ROUNDS {
            samples = self.scrape()?;
        }
        let seconds = usage::cpu_seconds(self.child.id())? - before;
        Ok(Cost { milliseconds: seconds * 1000.0 / f64::from(ROUNDS), samples })
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_time_and_of_time_for_each_sample() {
        let text = "queues are the default ones\nsquirrel 1.5 1500\nnode_exporter 6 500\n";
        let ours = Cost::find(text, "squirrel").expect("finds");
        let theirs = Cost::find(text, "node_exporter").expect("finds");
        let values: Vec<String> = figures(&ours, &theirs).iter().map(|f| format!("{:.3}", f.value)).collect();
        assert_eq!(values, ["0.250", "0.083"]);
        assert!(Cost::find("squirrel fast 3", "squirrel").is_err());
    }
}
