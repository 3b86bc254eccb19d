//! The list of sockets as JSON against `ss -tinm`, with ten thousand connections in a namespace of their own.
//!
//! What is compared is processor time, in user and kernel mode, of the whole command: both ask the kernel the same.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::{Figure, usage};
use crate::namespace::Namespace;
use crate::process;
use crate::steps::Steps;

/// The argument by which this program calls itself inside the namespace.
pub(super) const INSIDE: &str = "--inside-sockets";

/// Connections; each is two sockets, since both ends are here.
const CONNECTIONS: usize = 5_000;

/// Runs of each program, in turn, so that what else the machine does hits both.
const ROUNDS: u32 = 40;

/// Measures both in a namespace.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    if !process::exists("ss") {
        bail!("ss is not installed");
    }
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let program = steps.root.join("target/release/squirrel");
    let namespace = Namespace::create("sockets").context("a network namespace needs root")?;
    let mut command = namespace.command("sh");
    command.args(["-c", "ulimit -n $(ulimit -Hn) && exec \"$@\"", "sh"]);
    command.arg(std::env::current_exe()?).args(["bench", INSIDE]).arg(program);
    let text = process::output(&mut command)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(ours)), Some(Ok(theirs))) = (numbers.next(), numbers.next()) else {
        bail!("two numbers were expected, not {text:?}");
    };
    let shown = |ms: f64| format!("{ms:.1} ms for {} sockets", 2 * CONNECTIONS);
    Ok(vec![Figure {
        name: "processor time of `squirrel sockets --json`",
        ours: shown(ours),
        theirs: format!("ss -tinm: {}", shown(theirs)),
        value: ours / theirs,
        limit: 0.5,
        unit: "",
    }])
}

/// Inside the namespace: opens the connections, lets both list them again and again, and prints the milliseconds of
/// each for one list.
pub(super) fn inside(arguments: &[String]) -> Result<()> {
    let program = arguments.first().context("the program is missing")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut open = Vec::with_capacity(2 * CONNECTIONS);
    for _ in 0..CONNECTIONS {
        open.push(TcpStream::connect(address)?);
        open.push(listener.accept()?.0);
    }
    let mut ours = 0.0;
    let mut theirs = 0.0;
    // The first round warms up.
    for round in 0..=ROUNDS {
        let spent = [cost(program, &["sockets", "-t", "--json"])?, cost("ss", &["-tinm"])?];
        if round > 0 {
            ours += spent[0];
            theirs += spent[1];
        }
    }
    let each = |seconds: f64| seconds * 1000.0 / f64::from(ROUNDS);
    println!("{} {}", each(ours), each(theirs));
    Ok(())
}

/// Seconds of processor time that a command needs.
fn cost(program: &str, arguments: &[&str]) -> Result<f64> {
    let before = usage::children_cpu_seconds()?;
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("{program} failed");
    }
    Ok(usage::children_cpu_seconds()? - before)
}
