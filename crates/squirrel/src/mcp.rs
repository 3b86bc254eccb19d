//! `squirrel mcp`: from what was typed to what stands between, and its summaries to where they were asked.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use squirrel_api::params::parse_duration_ms;
use squirrel_mcp::{BadTarget, Ended, Occasion, Proxy, ProxyError, ProxyOptions, Report, Target};
use squirrel_model::Untrusted;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli;
use crate::failure::{Class, classed};
use crate::interrupts::runtime;
use crate::output;

/// Runs until what was started ends; its exit code.
pub(crate) fn run(args: &cli::Mcp) -> anyhow::Result<ExitCode> {
    match args {
        cli::Mcp::Wrap(args) => wrap(args),
        cli::Mcp::Proxy(args) => proxy(args).map(|()| ExitCode::SUCCESS),
    }
}

fn wrap(args: &cli::Wrap) -> anyhow::Result<ExitCode> {
    let every = interval(&args.interval).map_err(|error| classed(Class::Usage, &error))?;
    let (command, rest) = args.command.split_first().context("name a command after --")?;
    let options = squirrel_mcp::Wrap { command: command.clone(), args: rest.to_vec(), every };
    let form = |report: &Report| if args.json { output::escaped(report.to_json()) + "\n" } else { report.to_string() };
    let mut told = false;
    let mut report = |occasion: Occasion, report: &Report| match &args.report {
        Some(file) => {
            // A file that cannot be written is no reason to stop what passes.
            if let Err(error) = replace(file, &form(report))
                && !std::mem::replace(&mut told, true)
            {
                let file = file.display().to_string();
                output::complain(&format!("squirrel: the report {}: {error}", Untrusted(&file)));
            }
        }
        None if occasion == Occasion::End => output::complain(form(report).trim_end()),
        None => {}
    };
    let monitor = Arc::new(squirrel_mcp::monitor("mcp"));
    match runtime()?.block_on(squirrel_mcp::wrap(&options, monitor, &mut report)) {
        Ok(Ended::Code(code)) => Ok(ExitCode::from(code as u8)),
        Ok(Ended::Signal(signal)) => {
            squirrel_sys::signals::end_by(signal);
            // Shells say it so when it did not end us.
            Ok(ExitCode::from((128 + signal) as u8))
        }
        Err(error) => {
            let code = error.exit_code();
            output::complain(&format!("squirrel: {}", Untrusted(&error.to_string())));
            Ok(ExitCode::from(code))
        }
    }
}

fn proxy(args: &cli::Proxy) -> anyhow::Result<()> {
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let every = interval(&args.interval).map_err(usage)?;
    let to: Target = args.to.parse().map_err(|error: BadTarget| usage(error.into()))?;
    let options = ProxyOptions { allow_remote: args.allow_remote, ..ProxyOptions::new(args.listen, to) };
    runtime()?.block_on(serve(args, options, every))
}

async fn serve(args: &cli::Proxy, options: ProxyOptions, every: Duration) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let monitor = Arc::new(squirrel_mcp::monitor("mcp-http"));
    let start = squirrel_sys::clock::Monotonic::start();
    // Who reads more slowly than messages pass loses lines; the summaries have them all.
    let (sender, mut events) = tokio::sync::mpsc::channel(4_096);
    let to = options.to.to_string();
    let bound = Proxy::bind(options, Arc::clone(&monitor), args.events.then_some(sender)).await;
    let proxy = bound.map_err(|error| match error {
        ProxyError::Remote(_) => classed(Class::Usage, &anyhow::Error::new(error).context("--allow-remote is missing")),
        error => error.into(),
    })?;
    let own = proxy.local_address();
    output::complain(&format!("squirrel: http://{own}/ passes on to {}; Ctrl-C ends it", Untrusted(&to)));
    let report = || Report::of(&monitor, start.elapsed().0);
    let run = proxy.run();
    tokio::pin!(run);
    let mut timer = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        tokio::select! {
            never = &mut run => match never {},
            Some(event) = events.recv() => output::print(&(output::escaped(event.to_json()) + "\n"))?,
            _ = timer.tick(), if args.json_lines => output::print(&(output::escaped(report().to_json()) + "\n"))?,
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    if args.json_lines {
        output::print(&(output::escaped(report().to_json()) + "\n"))?;
    } else {
        output::complain(report().to_string().trim_end());
    }
    Ok(())
}

fn interval(text: &str) -> anyhow::Result<Duration> {
    let milliseconds = parse_duration_ms(text).with_context(|| format!("--interval {text:?}"))?;
    ensure!(milliseconds > 0, "--interval {text:?}: it must be longer than nothing");
    Ok(Duration::from_millis(milliseconds.unsigned_abs()))
}

/// Writes a file as a whole: whoever reads it sees the old text or the new one.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}
