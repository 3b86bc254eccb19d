//! `squirrel top`: who uses the network, by the daemon's account or by the command's own.

mod cells;
mod meter;
mod view;

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use squirrel_api::live::{MOST_ROWS, Question, Table, Top, schema};
use squirrel_api::params::parse_duration_ms;
use squirrel_sys::privilege::drop_all;
use squirrel_sys::terminal;

use crate::cli::{self, Direction, TopLevel, TopTable};
use crate::config::{Environment, Flags};
use crate::failure::{Class, classed, interrupted};
use crate::frames::Frames;
use crate::interrupts::{Interrupts, runtime};
use crate::keeper::Starting;
use crate::{output, token};
use meter::{Meter, Own};
use view::View;

/// Lines of a terminal that are not rows: the heading, the sums, what has no owner, the prompt.
const OTHER_LINES: usize = 6;

/// Between two readings of a measurement, and before the only print of `--once`.
const STEP: Duration = Duration::from_secs(1);

/// Measures and prints.
pub(crate) fn run(args: &cli::Top, environment: &Environment) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<Top>("squirrel top"))? + "\n"))?);
    }
    let table = table(args.table);
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    // A mistake shall not be told after ten seconds of measuring.
    question(args, MOST_ROWS).check(table).map_err(|error| usage(anyhow!(error.message)))?;
    let span = |name: &str, text: &Option<String>| text.as_deref().map(|text| span(name, text)).transpose();
    let (period, interval) =
        (span("--for", &args.period).map_err(usage)?, span("--interval", &args.interval).map_err(usage)?);
    // Before privileges are given up, since it is the daemon's user who may read it.
    let token = (args.server.is_some() && args.level == Some(TopLevel::Packets))
        .then(|| token::for_command(&Flags { data_dir: args.data_dir.clone(), ..Flags::default() }, environment))
        .transpose()?;
    // What needs a privilege is asked of another process; this one, which reads what strangers wrote, gives up all. While
    // there is a single thread: each has privileges of its own.
    let starting = Starting::begin()?;
    drop_all().context("cannot drop privileges")?;
    runtime()?.block_on(async {
        let interrupts = Interrupts::listen()?;
        let mut command = Command { args, table, token, interrupts, starting };
        match period {
            Some(period) => command.measure(period).await,
            None if args.once || args.json && interval.is_none() => command.once().await,
            None => command.refresh(interval.unwrap_or(STEP)).await,
        }
    })
}

fn table(table: TopTable) -> Table {
    match table {
        TopTable::Processes => Table::Processes,
        TopTable::Connections => Table::Connections,
        TopTable::Hosts => Table::Hosts,
        TopTable::Interfaces => Table::Interfaces,
    }
}

/// A span of 100 ms to a day.
fn span(name: &str, text: &str) -> anyhow::Result<Duration> {
    let ms = parse_duration_ms(text).map_err(|error| anyhow!("{name} {text:?}: {error}"))?;
    if !(100..=86_400_000).contains(&ms) {
        return Err(anyhow!("{name} is 100ms to 1d, not {text:?}"));
    }
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

fn question(args: &cli::Top, usual_limit: usize) -> Question {
    Question {
        filter: args.filter.clone(),
        sort: args.sort.clone(),
        descending: args.order.map(|order| order == Direction::Desc),
        offset: 0,
        limit: args.limit.unwrap_or(usual_limit),
    }
}

struct Command<'a> {
    args: &'a cli::Top,
    table: Table,
    /// Of the daemon that shall count packets.
    token: Option<String>,
    interrupts: Interrupts,
    /// Starts what needs a privilege, until it was used.
    starting: Option<Starting>,
}

impl Command<'_> {
    /// `--for`: the command's own account, begun now, so that what is short-lived is in it.
    async fn measure(&mut self, period: Duration) -> anyhow::Result<()> {
        let mut own = Own::open(self.args, self.starting.take())?;
        own.step();
        if !self.args.quiet {
            let seconds = period.as_secs_f64();
            output::complain(&format!("squirrel: measuring for {seconds} s; an interrupt ends it now"));
        }
        let mut ended_early = false;
        let mut progress = Progress::new(period, self.args.quiet);
        while let Some(left) = period.checked_sub(own.elapsed()).filter(|left| !left.is_zero()) {
            progress.show(left);
            tokio::select! {
                biased;
                () = self.interrupts.wait() => {
                    ended_early = true;
                    break;
                }
                () = tokio::time::sleep(left.min(STEP)) => own.step(),
            }
        }
        if ended_early {
            own.step();
        }
        progress.end();
        let picture = own.averaged();
        if self.args.json || self.args.json_lines {
            let question = question(self.args, usize::MAX);
            let mut document =
                question.top(&picture, self.table, usize::MAX).map_err(|error| anyhow!(error.message))?;
            document.interrupted = ended_early;
            output::print_json(&document)?;
        } else {
            let view = View::of_picture(&picture, self.table, &question(self.args, usize::MAX))?;
            self.print(&mut Frames::new(Some(1)), &view)?;
        }
        if ended_early { Err(interrupted()) } else { Ok(()) }
    }

    /// `--once`: the daemon's newest account, or two readings of the command's own.
    async fn once(&mut self) -> anyhow::Result<()> {
        let Some(mut meter) = self.open().await? else { return Err(interrupted()) };
        if !self.wait_for_rates(&mut meter).await? || !self.frame(&mut meter, &mut Frames::new(Some(1))).await? {
            return Err(interrupted());
        }
        Ok(())
    }

    /// `--interval`: a print each time, until the count is reached or an interrupt comes.
    async fn refresh(&mut self, interval: Duration) -> anyhow::Result<()> {
        let Some(mut meter) = self.open().await? else { return Ok(()) };
        let mut frames = Frames::new(self.args.count);
        if !self.wait_for_rates(&mut meter).await? {
            return Ok(());
        }
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            if !self.frame(&mut meter, &mut frames).await? || frames.is_done() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.interrupts.wait() => return Ok(()),
                _ = ticks.tick() => meter.step(),
            }
        }
    }

    /// The command's own account has rates only after a second reading; false when an interrupt came first.
    async fn wait_for_rates(&mut self, meter: &mut Meter) -> anyhow::Result<bool> {
        if let Meter::Own(own) = meter {
            own.step();
            tokio::select! {
                biased;
                () = self.interrupts.wait() => return Ok(false),
                () = tokio::time::sleep(STEP) => own.step(),
            }
        }
        Ok(true)
    }

    /// Finds who measures; none when an interrupt came first.
    async fn open(&mut self) -> anyhow::Result<Option<Meter>> {
        tokio::select! {
            biased;
            () = self.interrupts.wait() => Ok(None),
            meter = Meter::open(self.args, self.token.as_deref(), &mut self.starting) => meter.map(Some),
        }
    }

    /// Prints once; false when an interrupt came while a daemon was asked.
    async fn frame(&mut self, meter: &mut Meter, frames: &mut Frames) -> anyhow::Result<bool> {
        if self.args.json || self.args.json_lines {
            let question = question(self.args, MOST_ROWS);
            let document = tokio::select! {
                biased;
                () = self.interrupts.wait() => return Ok(false),
                document = meter.document(&question, self.table) => document?,
            };
            frames.print_plain(&[output::json_line(&document)?])?;
            return Ok(true);
        }
        let question = question(self.args, fitting_rows());
        let view = tokio::select! {
            biased;
            () = self.interrupts.wait() => return Ok(false),
            view = meter.view(&question, self.table) => view?,
        };
        self.print(frames, &view)?;
        Ok(true)
    }

    fn print(&self, frames: &mut Frames, view: &View) -> anyhow::Result<()> {
        let size = terminal::size();
        let mut lines = view.lines(self.table, size.map(|(_, columns)| columns));
        if let Some((most, _)) = size
            && !frames.is_last()
        {
            // What scrolls off cannot be replaced by the next frame.
            lines.truncate(most.saturating_sub(1).max(1));
        }
        frames.print(&lines).context("cannot print")
    }
}

/// Rows that the terminal has room for; elsewhere all that a daemon gives.
fn fitting_rows() -> usize {
    terminal::size().map_or(MOST_ROWS, |(lines, _)| lines.saturating_sub(OTHER_LINES).max(3))
}

/// How far a measurement is, on standard error when that is a terminal.
struct Progress {
    period: Duration,
    shown: bool,
}

impl Progress {
    fn new(period: Duration, quiet: bool) -> Self {
        let shown = !quiet && std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self { period, shown }
    }

    fn show(&mut self, left: Duration) {
        if self.shown {
            let (left, period) = (left.as_secs_f64().ceil(), self.period.as_secs_f64());
            output::remark(&format!("\r\x1b[K{left} s of {period} s to go"));
        }
    }

    fn end(&mut self) {
        if self.shown {
            output::remark("\r\x1b[K");
        }
    }
}
