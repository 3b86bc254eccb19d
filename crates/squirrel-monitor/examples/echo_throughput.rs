//! What the wrappers cost an echo server, in one run with and without them in turn.
//!
//! `cargo run --release -p squirrel-monitor --features tokio-net --example echo_throughput`
//!
//! For each size of message it prints the medians of many rounds: throughput by the clock, which a busy
//! machine disturbs, and the server's processor time for each gigabyte by the kernel's scheduler, which it
//! disturbs less. A ratio is the median over the rounds of what one of them without wrappers and the one
//! beside it with them have to each other: 1 is no cost, and the limit is 0.99.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use squirrel_monitor::io::InstrumentedListener;
use squirrel_monitor::{NetworkConfig, NetworkMonitor, Stopwatch};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ROUNDS: usize = 200;
const LIMIT: f64 = 0.99;
const BUFFER: usize = 64 * 1024;

/// Octets of a message, octets in a round, and whether the next message waits for the answer.
struct Task {
    name: &'static str,
    message: usize,
    total: usize,
    in_turn: bool,
}

const TASKS: [Task; 3] = [
    Task { name: "64 KiB, streaming", message: 64 * 1024, total: 64 << 20, in_turn: false },
    Task { name: "1 KiB, streaming", message: 1024, total: 32 << 20, in_turn: false },
    Task { name: "64 B, question and answer", message: 64, total: 512 << 10, in_turn: true },
];

/// Nanoseconds of processor time that the running thread has used: the first number of its `schedstat`.
fn processor_time() -> io::Result<u64> {
    // The scheduler writes its books when a thread gives way.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let number = text.split_whitespace().next().and_then(|first| first.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "schedstat: no number"))
}

/// Sends back what comes, to the end; the processor time it took.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<u64> {
    let begin = processor_time()?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = stream.read(&mut buffer).await?;
        let Some(octets) = buffer.get(..count).filter(|octets| !octets.is_empty()) else {
            return Ok(processor_time()? - begin);
        };
        stream.write_all(octets).await?;
    }
}

/// Serves connections one after the other, on the port without wrappers and on the one with them.
async fn serve(
    plain: TcpListener,
    wrapped: InstrumentedListener<TcpListener>,
    used: SyncSender<u64>,
) -> io::Result<()> {
    loop {
        let time = tokio::select! {
            accepted = plain.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                echo(stream).await?
            }
            accepted = wrapped.accept() => {
                let (stream, _) = accepted?;
                stream.get_ref().set_nodelay(true)?;
                echo(stream).await?
            }
        };
        if used.send(time).is_err() {
            return Ok(());
        }
    }
}

/// One round: seconds by the clock, and nanoseconds of the server's processor time.
fn round(task: &Task, server: SocketAddr, used: &Receiver<u64>) -> io::Result<(f64, f64)> {
    let mut stream = std::net::TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let message = vec![b'x'; task.message];
    let watch = Stopwatch::start();
    if task.in_turn {
        let mut answer = vec![0; task.message];
        for _ in 0..task.total / task.message {
            stream.write_all(&message)?;
            stream.read_exact(&mut answer)?;
        }
        stream.shutdown(Shutdown::Write)?;
    } else {
        let mut writing = stream.try_clone()?;
        let count = task.total / task.message;
        let writer = std::thread::spawn(move || {
            (0..count).try_for_each(|_| writing.write_all(&message))?;
            writing.shutdown(Shutdown::Write)
        });
        let (mut buffer, mut arrived) = (vec![0; BUFFER], 0);
        while arrived < task.total {
            match stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                octets => arrived += octets,
            }
        }
        writer.join().map_err(|_| io::Error::other("the writer panicked"))??;
    }
    let seconds = watch.elapsed().as_secs_f64();
    let time = used.recv().map_err(|_| io::Error::other("the server ended"))?;
    Ok((seconds, time as f64))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The ratio in each round.
fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    above.iter().zip(below).map(|(above, below)| above / below).collect()
}

fn measure(task: &Task, servers: [SocketAddr; 2], used: &Receiver<u64>) -> io::Result<()> {
    let mut rounds = [const { (Vec::new(), Vec::new()) }; 2];
    for number in 0..ROUNDS {
        // In turn first and second, so that what changes slowly disturbs both alike.
        let order = if number % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let (Some(server), Some((walls, times))) = (servers.get(which), rounds.get_mut(which)) else {
                continue;
            };
            let (seconds, nanoseconds) = round(task, *server, used)?;
            walls.push(task.total as f64 / 1e6 / seconds);
            times.push(nanoseconds / 1e6 / (task.total as f64 / 1e9));
        }
    }
    let [(plain, plain_time), (wrapped, wrapped_time)] = rounds;
    let by_clock = median(ratios(&wrapped, &plain));
    let by_processor = median(ratios(&plain_time, &wrapped_time));
    let (plain, wrapped) = ((median(plain), median(plain_time)), (median(wrapped), median(wrapped_time)));
    let verdict = if by_processor >= LIMIT { "kept" } else { "EXCEEDED" };
    println!(
        "{:<26} {:>9.1} {:>9.1} {by_clock:>7.4} {:>11.1} {:>11.1} {by_processor:>7.4} {LIMIT:>6} {verdict}",
        task.name, plain.0, wrapped.0, plain.1, wrapped.1
    );
    Ok(())
}

fn main() -> io::Result<()> {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let [plain, wrapped] = [(); 2].map(|()| runtime.block_on(TcpListener::bind("127.0.0.1:0")));
    let (plain, wrapped) = (plain?, InstrumentedListener::new(wrapped?, monitor.recorder()));
    let servers = [plain.local_addr()?, wrapped.get_ref().local_addr()?];
    let (sender, used) = sync_channel(1);
    std::thread::spawn(move || runtime.block_on(serve(plain, wrapped, sender)));

    println!(
        "{:<26} {:>9} {:>9} {:>7} {:>11} {:>11} {:>7} {:>6}",
        "medians", "MB/s", "wrapped", "ratio", "CPU ms/GB", "wrapped", "ratio", "limit"
    );
    TASKS.iter().try_for_each(|task| measure(task, servers, &used))?;
    // The figures are of wrappers that count.
    let counted = monitor.bandwidth_metrics().bytes_transmitted;
    println!("counted by the wrappers: {counted} bytes sent back");
    Ok(())
}
