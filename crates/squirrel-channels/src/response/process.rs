//! One run of a program, and its end in words.

use std::process::ExitStatus;
use std::time::Duration;

use crate::render::one_line;
use crate::settings::CommandLine;

/// How much of the output is kept.
const OUTPUT: usize = 4000;

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
    let run = squirrel_process::run(&line.program, &line.arguments, Some(&input), timeout).await;
    let verdict = match run.end {
        squirrel_process::End::Ended(status) => verdict(status),
        squirrel_process::End::Killed => {
            format!("killed after {}", squirrel_model::duration_text(timeout.as_millis() as i64))
        }
        squirrel_process::End::Failed(reason) => {
            return End::not_run(&format!("{}: {reason}", line.program.display()));
        }
    };
    let output = [run.output, run.errors].concat();
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
