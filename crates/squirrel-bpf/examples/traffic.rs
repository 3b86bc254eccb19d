//! Makes traffic for the tests of the ledger: `traffic SCENARIO ARGUMENTS…`. Each process of a scenario prints
//! one line when it ends: its pid, and the bytes of payload that it sent and received by its own count.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the lines are what the tests compare with")]

#[path = "traffic/datagrams.rs"]
mod datagrams;
#[path = "traffic/sharing.rs"]
mod sharing;
#[path = "traffic/streams.rs"]
mod streams;

use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What this process moved.
#[derive(Default)]
struct Moved {
    sent: u64,
    received: u64,
}

impl Moved {
    fn send(&mut self, mut to: impl Write, length: usize) -> Outcome {
        to.write_all(&vec![b'x'; length])?;
        self.sent += length as u64;
        Ok(())
    }

    /// Receives exactly so many bytes.
    fn receive(&mut self, mut from: impl Read, length: usize) -> Outcome {
        let mut buffer = vec![0; length.min(1 << 16)];
        let mut left = length;
        while left > 0 {
            let part = left.min(buffer.len());
            let got = from.read(&mut buffer[..part])?;
            if got == 0 {
                return Err(format!("the stream ended {left} bytes early").into());
            }
            left -= got;
            self.received += got as u64;
        }
        Ok(())
    }

    /// Receives until the other side ends.
    fn receive_all(&mut self, mut from: impl Read) -> Outcome {
        self.received += std::io::copy(&mut from, &mut std::io::sink())?;
        Ok(())
    }
}

/// Starts this program again, in a role.
fn start(role: &str, arguments: &[String], input: impl Into<Stdio>) -> Outcome<Child> {
    Ok(Command::new(std::env::current_exe()?).arg(role).args(arguments).stdin(input).spawn()?)
}

/// Waits for processes that must succeed.
fn join(children: impl IntoIterator<Item = Child>) -> Outcome {
    for mut child in children {
        if !child.wait()?.success() {
            return Err("a process of the scenario failed".into());
        }
    }
    Ok(())
}

/// The socket that the parent passed as standard input.
fn inherited() -> Outcome<OwnedFd> {
    Ok(std::io::stdin().as_fd().try_clone_to_owned()?)
}

fn main() -> Outcome {
    let mut words = std::env::args().skip(1);
    let role = words.next().ok_or("name a scenario")?;
    let rest: Vec<String> = words.collect();
    let word = |index: usize| rest.get(index).map(String::as_str).ok_or("an argument is missing");
    let number = |index: usize| -> Outcome<usize> { Ok(word(index)?.parse()?) };
    let mut moved = Moved::default();
    match role.as_str() {
        "stream" => streams::stream(&mut moved, word(0)?, number(1)?)?,
        "stream-client" => streams::stream_client(&mut moved, word(0)?, number(1)?)?,
        "short" => streams::short(&mut moved, number(0)?, number(1)?)?,
        "short-client" => streams::short_client(&mut moved, word(0)?, number(1)?)?,
        "reset" => streams::reset(&mut moved, number(0)?)?,
        "reset-client" => streams::reset_client(&mut moved, word(0)?, number(1)?)?,
        "files" => streams::files(&mut moved, number(0)?)?,
        "files-client" => streams::files_client(&mut moved, word(0)?, number(1)?)?,
        "serve" => streams::serve(&mut moved, word(0)?, number(1)?)?,
        "visit" => streams::visit(&mut moved, word(0)?, number(1)?)?,
        "again" => streams::again(&mut moved)?,
        "late" => streams::late(&mut moved)?,
        "datagrams" => datagrams::echo(&mut moved, word(0)?, word(1)?, number(2)?, word(3)?)?,
        "datagrams-client" => datagrams::client(&mut moved, word(0)?, number(1)?, word(2)?)?,
        "prefork" => sharing::prefork(&mut moved, number(0)?, number(1)?)?,
        "reuse-port" => sharing::reuse_port(&mut moved, number(0)?, number(1)?)?,
        "worker" => sharing::worker(&mut moved, &inherited()?)?,
        "shared" => sharing::shared(&mut moved, number(0)?, number(1)?)?,
        "shared-second" => sharing::second(&mut moved, inherited()?, number(0)?)?,
        "sink" => sharing::sink(&mut moved, inherited()?)?,
        "passed" => sharing::passed(&mut moved, number(0)?)?,
        "passed-to" => sharing::passed_to(&mut moved, &inherited()?, number(0)?)?,
        "idle" => sharing::idle(&mut moved, number(0)?)?,
        "idle-child" => sharing::idle_child(inherited()?, number(0)?)?,
        other => return Err(format!("no scenario is named `{other}`").into()),
    }
    // One write, so that the lines of several processes do not mix.
    print!("{}", format_args!("{} {} {}\n", std::process::id(), moved.sent, moved.received));
    Ok(())
}
