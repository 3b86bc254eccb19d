//! A thousand targets that the daemon pings each second: what that costs beside what it does anyway, and how evenly
//! the pings are spread.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Figure, usage};
use crate::daemon::Daemon;
use crate::namespace::Namespace;
use crate::process;
use crate::steps::Steps;
use crate::stopwatch::{Stopwatch, wait_until};

/// Targets that are pinged each second.
const TARGETS: usize = 1_000;
/// How long each daemon is watched.
const WATCHED: Duration = Duration::from_secs(30);
/// Parts of a second that starts are counted in.
const PARTS: f64 = 10.0;

/// Measures both, in two namespaces with a pair of veth between them.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let program = steps.root.join("target/release/squirrel");
    let client = Namespace::create("watching").context("a network namespace needs root")?;
    let server = Namespace::create("watched")?;
    client.ip(["link", "add", "near", "type", "veth", "peer", "name", "far", "netns", server.name()])?;
    for (host, interface, address) in [(&client, "near", "10.78.0.1/24"), (&server, "far", "10.78.0.2/24")] {
        host.ip(["addr", "add", address, "dev", interface])?;
        host.ip(["link", "set", interface, "up"])?;
    }
    // All of them are the server.
    client.ip(["route", "add", "10.79.0.0/20", "via", "10.78.0.2"])?;
    server.ip(["route", "add", "local", "10.79.0.0/20", "dev", "lo"])?;
    process::output(client.command("sysctl").args(["-qw", "net.ipv4.ping_group_range=0 2147483647"]))?;
    let file = steps.log("bench watched").with_extension("toml");
    std::fs::write(&file, configuration()).with_context(|| format!("{} cannot be written", file.display()))?;
    let log = steps.log("bench watched");
    let start = |more: &[&str]| Daemon::start_with(Some(&client), &program, &log, more);
    let idle = start(&[])?;
    let without = processor(&idle)?;
    idle.stop()?;
    let daemon = start(&["--config", &file.display().to_string()])?;
    let ask = |expression: &str| -> Result<f64> {
        let mut command: Command = client.command(&program);
        command.args(["query", "--json", "--server", &daemon.address.to_string(), expression]).stdin(Stdio::null());
        let answer: Value = serde_json::from_str(&process::output(&mut command)?)?;
        let value = answer.pointer("/data/result/0/value/1").and_then(Value::as_str);
        value.with_context(|| format!("{expression}: {answer}"))?.parse().context("a number")
    };
    let up = wait_until(Duration::from_secs(30), || ask("sum(probe_success)").is_ok_and(|up| up >= TARGETS as f64));
    if !up {
        bail!("not all targets answer; see {}", log.display());
    }
    let with = processor(&daemon)?;
    let busiest = ask(&format!("max(count_values(\"part\", floor((timestamp(probe_success) % 1) * {PARTS})))"))?;
    let skipped = ask("squirrel_probe_runs_skipped_total{kind=\"ping\"}")?;
    daemon.stop()?;
    let theirs = format!("without them: {without:.2} %");
    let fair = TARGETS as f64 / PARTS;
    Ok(vec![
        Figure {
            name: "1,000 scheduled pings a second in the daemon",
            ours: format!("{with:.2} % ({skipped} skipped)"),
            theirs,
            value: with - without,
            limit: 10.0,
            unit: "% of a core",
        },
        Figure {
            name: "starts in the busiest tenth of a second, over a tenth of all",
            ours: format!("{busiest}"),
            theirs: format!("fair: {fair}"),
            value: busiest / fair,
            limit: 1.5,
            unit: "",
        },
    ])
}

fn configuration() -> String {
    let targets: Vec<String> =
        (0..TARGETS).map(|number| format!("\"10.79.{}.{}\"", number / 250, number % 250 + 1)).collect();
    format!("[[probe]]\nname = \"all\"\ninterval = \"1s\"\ntargets = [{}]\n", targets.join(", "))
}

/// The daemon's processor time as a share of one core, in percent.
fn processor(daemon: &Daemon) -> Result<f64> {
    let before = usage::cpu_seconds(daemon.id())?;
    let watch = Stopwatch::start();
    if wait_until(WATCHED, || usage::cpu_seconds(daemon.id()).is_err()) {
        bail!("squirrel serve ended while it was watched");
    }
    Ok((usage::cpu_seconds(daemon.id())? - before) / watch.elapsed().as_secs_f64() * 100.0)
}
