//! What watching costs the host: `squirrel top` each second beside `ss -tinp` each second, with many connections open.
//!
//! Processor time of the whole command, in user and kernel mode; the start, which both kinds of run have, is taken off.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::{Figure, usage};
use crate::namespace::Namespace;
use crate::process;
use crate::steps::Steps;

/// The argument by which this program calls itself inside the namespace.
pub(super) const INSIDE: &str = "--inside-monitor";

/// Seconds of the two runs whose difference is looked at.
const RUNS: [u32; 2] = [2, 12];

/// Lists that `ss` makes.
const LISTS: u32 = 5;

/// Sockets, the most of a core that watching them may take, and what the figure is called.
const LOADS: [(usize, f64, &str); 2] =
    [(10_000, 5.5, "watching 10,000 sockets each second"), (1_000, 2.0, "watching 1,000 sockets each second")];

/// Most times of what `ss -tinp` needs, with the first load.
const OF_SS: f64 = 0.25;

/// Measures both loads.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    if !process::exists("ss") {
        bail!("ss is not installed");
    }
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let program = steps.root.join("target/release/squirrel");
    let mut figures = Vec::new();
    for (sockets, limit, name) in LOADS {
        let (ours, theirs) = with_sockets(&program, sockets)?;
        let shown = |percent: f64| format!("{percent:.1} % of a core");
        let (mine, peer) = (shown(ours), format!("ss -tinp: {}", shown(theirs)));
        if figures.is_empty() {
            let name = "the next, in times of `ss -tinp` each second";
            let (ours, theirs, value) = (mine.clone(), peer.clone(), ours / theirs);
            figures.push(Figure { name, ours, theirs, value, limit: OF_SS, unit: "" });
        }
        figures.push(Figure { name, ours: mine, theirs: peer, value: ours, limit, unit: "%" });
    }
    Ok(figures)
}

/// Hundredths of a core that both take with so many sockets open.
fn with_sockets(program: &Path, sockets: usize) -> Result<(f64, f64)> {
    let namespace = Namespace::create("monitor").context("a network namespace needs root")?;
    let mut command = namespace.command("sh");
    command.args(["-c", "ulimit -n $(ulimit -Hn) && exec \"$@\"", "sh"]);
    command.arg(std::env::current_exe()?).args(["bench", INSIDE]).arg(program).arg(sockets.to_string());
    let text = process::output(&mut command)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(ours)), Some(Ok(theirs))) = (numbers.next(), numbers.next()) else {
        bail!("two numbers were expected, not {text:?}");
    };
    Ok((ours, theirs))
}

/// Inside the namespace: opens the sockets, lets both look at them, and prints the percentages.
pub(super) fn inside(arguments: &[String]) -> Result<()> {
    let [program, sockets] = arguments else { bail!("the program and the number of sockets are expected") };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut open = Vec::new();
    for _ in 0..sockets.parse::<usize>()? / 2 {
        open.push(TcpStream::connect(address)?);
        open.push(listener.accept()?.0);
    }
    let mut spent = [0.0; 2];
    for (spent, seconds) in spent.iter_mut().zip(RUNS) {
        *spent = cost(program, &["top", "--json", "--for", &format!("{seconds}s")])?;
    }
    let ours = (spent[1] - spent[0]) / f64::from(RUNS[1] - RUNS[0]);
    let mut theirs = 0.0;
    for _ in 0..LISTS {
        theirs += cost("ss", &["-tinp"])? / f64::from(LISTS);
    }
    println!("{} {}", ours * 100.0, theirs * 100.0);
    Ok(())
}

/// Seconds of processor time that a command needs.
fn cost(program: &str, arguments: &[&str]) -> Result<f64> {
    let before = usage::children_cpu_seconds()?;
    let mut command = Command::new(program);
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("`{}` failed", process::shown(&command));
    }
    Ok(usage::children_cpu_seconds()? - before)
}
