//! `squirrel path`: which hosts stand on the way to a target, where packets are lost, and where time is spent.

mod as_numbers;
mod compare;
mod document;
mod print;
mod recording;
pub(crate) mod scheduled;

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use squirrel_api::live::schema;
use squirrel_api::probe::PathDocument;
use squirrel_model::Timestamp;
use squirrel_probe::Trace;
use squirrel_probe::drive::{Clocks, Options};
use squirrel_probe::path::drive::{Driver, Protocol, USUAL_PORT};
use squirrel_probe::path::{Event, Plan};
use squirrel_sys::clock::{self, Monotonic};
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_sys::terminal;

use crate::cli;
use crate::failure::{Class, classed, interrupted};
use crate::frames::Frames;
use crate::output;
use crate::ping::targets::{Wanted, targets};
use crate::ping::{dscp, open_error, span, until_readable};
use as_numbers::AsNumbers;

/// Rounds of an output that comes at the end when nobody says how many.
const USUAL_ROUNDS: u32 = 10;
/// Shortest time from one round to the next.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// How often a table on a terminal is printed anew.
const FRAME: Duration = Duration::from_millis(500);

/// What is asked, with the arguments understood.
struct Run<'a> {
    args: &'a cli::Path,
    target: String,
    address: IpAddr,
    protocol: &'static str,
    as_numbers: AsNumbers,
    began: Timestamp,
    steady: Monotonic,
}

/// Asks, and prints what came.
pub(crate) fn run(args: &cli::Path) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<PathDocument>("squirrel path"))? + "\n"))?);
    }
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    if let Some(file) = &args.replay {
        return print::whole(args, &recording::read(file).map_err(usage)?);
    }
    if let Some([before, after]) = args.compare.as_deref() {
        let [before, after] = [recording::read(before).map_err(usage)?, recording::read(after).map_err(usage)?];
        return compare::print(args, &before, &after);
    }
    let plan = plan(args).map_err(usage)?;
    let options = options(args).map_err(usage)?;
    let as_numbers = args.as_file.as_deref().map(as_numbers::read).transpose().map_err(usage)?.unwrap_or_default();
    let (target, address) = target(args)?;
    let protocol = match (args.icmp, args.udp) {
        (true, _) => Protocol::Icmp,
        (_, true) => Protocol::Udp(args.port.unwrap_or(USUAL_PORT)),
        _ => Protocol::Any,
    };
    let driver = Driver::open(address, plan.flows, protocol, &options).map_err(|error| open_error(&error))?;
    let protocol = document::protocol(driver.carrier());
    let (began, steady) = (clock::wall(), Monotonic::start());
    Run { args, target, address, protocol, as_numbers, began, steady }.trace(plan, driver)
}

impl Run<'_> {
    fn trace(&self, plan: Plan, mut driver: Driver) -> anyhow::Result<()> {
        let steady = self.steady;
        let bounded = plan.rounds.is_some() || plan.duration.is_some();
        let mut trace = Trace::new(plan, self.address, steady.elapsed());
        let mut shown = Shown::new(self);
        let interrupt = until_readable(|stop| {
            let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
            let mut failure = None;
            let mut each = |trace: &Trace, events: &[Event]| match shown.events(trace, events) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            };
            driver.run(&mut trace, &clocks, Some(stop.as_fd()), FRAME, &mut each)?;
            failure.map_or(Ok(()), Err)
        })?;
        trace.abandon();
        let mut document = self.document(&trace);
        document.interrupted = interrupt;
        document.strange += driver.strange();
        shown.finish(&document)?;
        // Who asks for ever ends it by an interrupt; who asked for a number wanted more than there is.
        if interrupt && bounded {
            return Err(interrupted());
        }
        if !document.reached {
            bail!("{}", document.verdict);
        }
        Ok(())
    }
}

/// Prints while it goes, and at the end.
struct Shown<'a> {
    run: &'a Run<'a>,
    frames: Frames,
    /// Whether a person watches a table.
    live: bool,
    next: Duration,
}

impl<'a> Shown<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        let live = !at_the_end(run.args) && terminal::size().is_some();
        Self { run, frames: Frames::new(None), live, next: Duration::ZERO }
    }

    fn events(&mut self, trace: &Trace, events: &[Event]) -> anyhow::Result<()> {
        if self.run.args.json_lines {
            let lines = events.iter().map(|event| output::json_line(&self.run.event(event)));
            return Ok(output::print_lines(&lines.collect::<anyhow::Result<Vec<_>>>()?)?);
        }
        let now = self.run.steady.elapsed().0;
        if self.live && now >= self.next {
            self.next = now + FRAME;
            let size = terminal::size();
            let mut lines = print::table(&self.run.document(trace), size.map(|(_, columns)| columns));
            // What scrolls off cannot be replaced by the next frame.
            lines.truncate(size.map_or(usize::MAX, |(most, _)| most.saturating_sub(1).max(1)));
            self.frames.print(&lines)?;
        }
        Ok(())
    }

    fn finish(&mut self, document: &PathDocument) -> anyhow::Result<()> {
        if self.live {
            let columns = terminal::size().map(|(_, columns)| columns);
            return Ok(self.frames.print(&print::table(document, columns))?);
        }
        print::whole(self.run.args, document)
    }
}

/// Whether something is printed that only the end of a run makes whole.
fn at_the_end(args: &cli::Path) -> bool {
    args.json || args.json_lines || args.csv || args.markdown || args.dot
}

fn target(args: &cli::Path) -> anyhow::Result<(String, IpAddr)> {
    let name = args.target.clone().context("nobody to ask: name a target, such as `squirrel path 192.0.2.1`")?;
    let wanted = Wanted { ipv4: !args.ipv6, ipv6: !args.ipv4, all: false };
    if name.contains('/') {
        return Err(classed(Class::Usage, &anyhow::anyhow!("{name:?} is a subnet; a path leads to one target")));
    }
    let found = targets(std::slice::from_ref(&name), None, wanted).map_err(|error| classed(Class::Usage, &error))?;
    match found.into_iter().next().map(|one| one.address) {
        Some(Ok(address)) => Ok((name, address)),
        Some(Err(reason)) => bail!("{name}: {reason}"),
        None => bail!("{name}: there is no such target"),
    }
}

fn plan(args: &cli::Path) -> anyhow::Result<Plan> {
    let interval = span(&args.interval).context("--interval")?;
    if interval < LEAST_INTERVAL {
        bail!("--interval is at least 100ms: routers limit how often they answer");
    }
    if args.first > args.max {
        bail!("--first {} is behind --max {}", args.first, args.max);
    }
    let duration = args.period.as_deref().map(span).transpose().context("--for")?;
    let ends = at_the_end(args) || terminal::size().is_none();
    let usual = (ends && duration.is_none()).then_some(USUAL_ROUNDS);
    Ok(Plan {
        rounds: args.count.or(usual),
        interval,
        timeout: span(&args.timeout).context("--timeout")?,
        duration,
        first_ttl: args.first,
        max_ttl: args.max,
        flows: args.flows,
        window: args.window.into(),
        ..Plan::default()
    })
}

fn options(args: &cli::Path) -> anyhow::Result<Options> {
    let tos = args.dscp.as_deref().map(dscp).transpose()?.map(|dscp| dscp << 2);
    let socket = SocketOptions {
        ttl: None,
        tos,
        source: args.source,
        interface: args.interface.clone(),
        mark: args.fwmark,
        dont_fragment: false,
    };
    Ok(Options { socket, size: 0, run: RandomState::new().hash_one("run") })
}
