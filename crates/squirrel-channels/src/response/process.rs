//! One run of a program: bounded in time and output, and gone afterwards with all that it started.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use squirrel_sys::signals;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::render::one_line;
use crate::settings::CommandLine;

/// How much of the output is kept.
const OUTPUT: usize = 4000;
/// How much is read before the rest is thrown away unread.
const MAX_READ: usize = 64 * 1024;
const SIGKILL: i32 = 9;

/// How a run ended.
pub(super) struct End {
    pub(super) verdict: String,
    pub(super) output: String,
}

impl End {
    pub(super) fn not_run(reason: &str) -> Self {
        Self { verdict: format!("not run: {reason}"), output: String::new() }
    }
}

/// Runs a program with `input` on its standard input.
pub(super) async fn run(line: &CommandLine, input: Vec<u8>, timeout: Duration) -> End {
    let mut command = Command::new(&line.program);
    command
        .args(&line.arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that all of it can be killed.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let text = error.to_string();
            let reason = text.split(" (os error").next().unwrap_or_default().to_lowercase();
            return End::not_run(&format!("{}: {reason}", line.program.display()));
        }
    };
    let group = child.id();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut output = Vec::new();
    let mut errors = Vec::new();
    let conversation = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read what it is given.
                let _ = stdin.write_all(&input).await;
            }
        };
        tokio::join!(write, read(stdout, &mut output), read(stderr, &mut errors));
        child.wait().await
    };
    let verdict = match tokio::time::timeout(timeout, conversation).await {
        Ok(Ok(status)) => verdict(status),
        Ok(Err(error)) => format!("its end could not be seen: {error}"),
        Err(_) => format!("killed after {}", squirrel_model::duration_text(timeout.as_millis() as i64)),
    };
    // What it left running goes too.
    if let Some(group) = group {
        let _ = signals::send_to_group(group, SIGKILL);
    }
    let _ = child.wait().await;
    output.extend_from_slice(&errors);
    End { verdict, output: one_line(String::from_utf8_lossy(&output).trim(), OUTPUT) }
}

fn verdict(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
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
        let room = MAX_READ.saturating_sub(into.len());
        into.extend_from_slice(&piece[..count.min(room)]);
    }
}
