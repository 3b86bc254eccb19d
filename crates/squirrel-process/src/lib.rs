//! Programs that a configuration names: run without a shell, bounded in time and output, and gone afterwards with all
//! that they started.
//!
//! A program gets an environment of its own (`PATH`, `LANG`), so that nothing of the daemon's reaches it, and the folder
//! `/`. It runs in a process group of its own, which is killed when its time is up, when nobody waits any more, and when
//! it left something running; what leaves the group lives on.
//!
//! Absences: a shell, a terminal, a clock (but the runtime's timers), what exit statuses and outputs mean.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use squirrel_sys::signals;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Octets of each output that are kept; the rest is read and thrown away.
pub const MOST_OUTPUT: usize = 64 << 10;
const SIGKILL: i32 = 9;

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// By itself, or by somebody's signal.
    Ended(ExitStatus),
    /// Its time was up.
    Killed,
    /// It never ran, or its end could not be seen: what the system says, without the program's name.
    Failed(String),
}

/// What a run brought.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// The beginning of its standard output.
    pub output: Vec<u8>,
    /// The beginning of its standard error.
    pub errors: Vec<u8>,
}

/// Runs a program with `input` on its standard input, or with none.
pub async fn run(program: &Path, arguments: &[String], input: Option<&[u8]>, limit: Duration) -> Run {
    let mut run = Run { end: End::Killed, output: Vec::new(), errors: Vec::new() };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that all of it can be killed.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            run.end = End::Failed(in_words(&error));
            return run;
        }
    };
    let group = Group(child.id());
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let conversation = async {
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A program need not read what it is given.
                let _ = stdin.write_all(input).await;
            }
        };
        tokio::join!(write, read(stdout, &mut run.output), read(stderr, &mut run.errors));
        child.wait().await
    };
    let ended = tokio::time::timeout(limit, conversation).await;
    drop(group);
    run.end = match ended {
        Ok(Ok(status)) => End::Ended(status),
        Ok(Err(error)) => End::Failed(in_words(&error)),
        Err(_) => {
            let _ = child.wait().await;
            End::Killed
        }
    };
    run
}

/// Kills what a program left running, also when nobody waits for it any more.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = signals::send_to_group(group, SIGKILL);
        }
    }
}

/// Reads to the end, and keeps the beginning.
async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut piece = [0; 4096];
    while let Ok(count) = from.read(&mut piece).await {
        if count == 0 {
            return;
        }
        let room = MOST_OUTPUT.saturating_sub(into.len());
        into.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
    }
}

/// What the system says, without its number.
fn in_words(error: &std::io::Error) -> String {
    squirrel_model::without_numbers(&error.to_string()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything here needs.
    const LONG: Duration = Duration::from_mins(1);

    async fn shell(script: &str, input: Option<&[u8]>, limit: Duration) -> Run {
        run(Path::new("/bin/sh"), &["-c".to_owned(), script.to_owned()], input, limit).await
    }

    #[tokio::test]
    async fn input_reaches_it_and_both_outputs_come_back() {
        let run = shell("cat; echo bad >&2; exit 7", Some(b"hello"), LONG).await;
        assert!(matches!(run.end, End::Ended(status) if status.code() == Some(7)), "{:?}", run.end);
        assert_eq!((run.output.as_slice(), run.errors.as_slice()), (&b"hello"[..], &b"bad\n"[..]));
        let run = shell("cat; pwd; env | sort", None, LONG).await;
        let text = String::from_utf8(run.output).unwrap();
        assert!(text.starts_with("/\n") && text.contains("LANG=C.UTF-8") && !text.contains("CARGO"), "{text}");
        let run = shell("exit 0", Some(&vec![b'x'; 1 << 20]), LONG).await;
        assert!(matches!(run.end, End::Ended(status) if status.success()), "it need not read: {:?}", run.end);
    }

    #[tokio::test]
    async fn output_is_kept_up_to_its_bound_and_read_to_its_end() {
        let run = shell("head -c 3000000 /dev/zero", None, LONG).await;
        assert!(matches!(run.end, End::Ended(status) if status.success()) && run.output.len() == MOST_OUTPUT);
    }

    #[tokio::test]
    async fn what_does_not_end_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        // Long enough for the shell to have started what is to be killed.
        let limit = Duration::from_secs(5);
        let run = shell(&format!("sleep 1000 & echo $! $$ > {}; wait", pids.display()), None, limit).await;
        assert!(matches!(run.end, End::Killed), "{:?}", run.end);
        for pid in std::fs::read_to_string(&pids).unwrap().split_whitespace() {
            // Killed, and at most waited for by nobody yet.
            let state = || {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
            };
            let gone = async {
                while !matches!(state(), None | Some('Z' | 'X')) {
                    tokio::task::yield_now().await;
                }
            };
            assert!(tokio::time::timeout(LONG, gone).await.is_ok(), "{pid}: {:?}", state());
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_without_a_number() {
        let run = run(Path::new("/nowhere/program"), &[], None, LONG).await;
        assert!(matches!(&run.end, End::Failed(why) if why == "no such file or directory"), "{:?}", run.end);
    }
}
