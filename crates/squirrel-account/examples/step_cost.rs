//! What a step of the accountant costs without a kernel-side ledger, beside `ss -tinp`, in one run.
//!
//! `cargo run --release -p squirrel-account --example step_cost -- [SOCKETS] [ROUNDS]`, as root.
//!
//! Runs itself again in a network namespace of its own, opens so many TCP sockets over its loopback, and prints one
//! line: processor time of a step, of a step with a picture, and of one `ss -tinp`, in milliseconds, and the ratios.
//! Both look at the same sockets and at all processes of the host.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use squirrel_account::{Accountant, Options, Sources};
use squirrel_model::Elapsed;
use squirrel_sys::{Kernel, Linux, clock};
use squirrel_testkit::Namespace;

const INSIDE: &str = "SQUIRREL_STEP_COST_INSIDE";

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    // Each socket needs a descriptor.
    let limit = String::from_utf8(Command::new("bash").args(["-c", "ulimit -Hn"]).output()?.stdout)?;
    let limit = limit.trim();
    let namespace = Namespace::create("cost")?;
    let status = namespace
        .command("prlimit")
        .arg(format!("--nofile={limit}:{limit}"))
        .arg(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .env(INSIDE, "1")
        .status()?;
    if status.success() { Ok(()) } else { Err("the run in the namespace failed".into()) }
}

fn inside() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let sockets = arguments.next().transpose()?.unwrap_or(10_000);
    let rounds = arguments.next().transpose()?.unwrap_or(30);

    // One port of a listener serves at most some 28,000 clients of one address.
    let mut held: Vec<(TcpStream, TcpStream)> = Vec::new();
    let mut listener = TcpListener::bind("127.0.0.1:0")?;
    for count in 0..sockets / 2 {
        if count % 10_000 == 9_999 {
            listener = TcpListener::bind("127.0.0.1:0")?;
        }
        let client = TcpStream::connect(listener.local_addr()?)?;
        held.push((client, listener.accept()?.0));
    }

    let kernel = Linux::open()?;
    let mut accountant = Accountant::new(Options::default(), Sources::open(false)?);
    let mut second = 0;
    let mut step = |accountant: &mut Accountant| {
        second += 1;
        accountant.step(Elapsed(Duration::from_secs(second)), clock::wall());
    };
    step(&mut accountant);
    step(&mut accountant);
    let (mut steps, mut pictures, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begin = own_time(&kernel)?;
        step(&mut accountant);
        let middle = own_time(&kernel)?;
        let rows = accountant.picture().connections.len();
        let end = own_time(&kernel)?;
        assert!(rows >= sockets as usize, "only {rows} connections were seen");
        steps.push(middle - begin);
        pictures.push(end - begin);
        peers.push(peer_time()?);
    }
    let (step, picture, peer) = (median(steps), median(pictures), median(peers));
    println!(
        "sockets {sockets}: step {step:.1} ms, with picture {picture:.1} ms, ss -tinp {peer:.1} ms; ratio {:.2}, with picture {:.2}; memory {} bytes a socket",
        step / peer,
        picture / peer,
        accountant.memory() / sockets as usize
    );
    Ok(())
}

/// Processor time of this process, which has one thread, in milliseconds.
fn own_time(kernel: &Linux) -> Result<f64, Box<dyn Error>> {
    // The scheduler writes its books when a thread gives way.
    std::thread::yield_now();
    let mut text = Vec::new();
    kernel.read("/proc/self/schedstat", &mut text)?;
    let nanoseconds: f64 = String::from_utf8(text)?.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

/// Processor time of one `ss -tinp`, in milliseconds, as the shell's `times` gives it.
fn peer_time() -> Result<f64, Box<dyn Error>> {
    let script = "ss -tinp >/dev/null; ss -tinp >/dev/null; times";
    let output = Command::new("bash").args(["-c", script]).stdin(Stdio::null()).output()?;
    let text = String::from_utf8(output.stdout)?;
    // The second line: user and system time of the children, such as `0m0.150s 0m0.080s`.
    let line = text.lines().last().ok_or("`times` printed nothing")?;
    let mut sum = 0.0;
    for word in line.split(' ') {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m').ok_or("not a time")?;
        sum += minutes.parse::<f64>()? * 60.0 + seconds.parse::<f64>()?;
    }
    Ok(sum / 2.0 * 1000.0)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
