//! `squirrel path`: which hosts stand on the way to a target, where packets are lost, and where time is spent.

mod args;
mod as_numbers;
mod compare;
mod document;
mod heat;
mod names;
mod notes;
mod print;
mod recording;
pub(crate) mod scheduled;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::time::Duration;

use anyhow::bail;
use squirrel_api::live::schema;
use squirrel_api::probe::PathDocument;
use squirrel_model::Timestamp;
use squirrel_probe::Trace;
use squirrel_probe::drive::Clocks;
use squirrel_probe::path::drive::Driver;
use squirrel_probe::path::mtu::{HopMtu, HopSearch};
use squirrel_probe::path::{Event, Plan};
use squirrel_sys::clock::{self, Monotonic};
use squirrel_sys::terminal;

use crate::cli;
use crate::failure::{Class, classed, interrupted};
use crate::frames::Frames;
use crate::marks;
use crate::output;
use crate::ping::{open_error, until_readable};
use as_numbers::AsNumbers;
use heat::Heat;
use names::HopNames;

/// Longest wait for an answer to a packet whose size is tried.
const MTU_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a table on a terminal is printed anew.
const FRAME: Duration = Duration::from_millis(500);

/// What is asked, with the arguments understood.
struct Run<'a> {
    args: &'a cli::Path,
    target: String,
    address: IpAddr,
    protocol: &'static str,
    as_numbers: AsNumbers,
    /// How large packets come as far as each hop, if that was searched.
    sizes: Vec<HopMtu>,
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
        return recording::show(args, file);
    }
    if let Some([before, after]) = args.compare.as_deref() {
        let [before, after] = [recording::read(before).map_err(usage)?, recording::read(after).map_err(usage)?];
        return compare::print(args, &before, &after);
    }
    let plan = args::plan(args).map_err(usage)?;
    let options = args::options(args).map_err(usage)?;
    let protocol = args::protocol(args).map_err(usage)?;
    let names = HopNames::open(args).map_err(usage)?;
    let as_numbers = args.as_file.as_deref().map(as_numbers::read).transpose().map_err(usage)?.unwrap_or_default();
    let (target, address) = args::target(args)?;
    let mut driver = Driver::open(address, plan.flows, protocol, &options).map_err(|error| open_error(&error))?;
    let (plan, protocol) = (driver.fitted(plan), document::protocol(driver.carrier()));
    let (began, steady) = (clock::wall(), Monotonic::start());
    let mut run = Run { args, target, address, protocol, as_numbers, sizes: Vec::new(), began, steady };
    if args.mtu {
        run.search_mtu(&plan, &mut driver)?;
    }
    run.trace(plan, driver, names)
}

impl Run<'_> {
    fn search_mtu(&mut self, plan: &Plan, driver: &mut Driver) -> anyhow::Result<()> {
        // RFC 791 and RFC 8200: what every link must take.
        let least = if self.address.is_ipv4() { 68 } else { 1280 };
        let mut search = HopSearch::new(least, plan.first_ttl, plan.max_ttl);
        let (steady, timeout) = (self.steady, plan.timeout.min(MTU_TIMEOUT));
        let interrupt = until_readable(|stop| {
            let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
            driver.search_mtu(&mut search, self.address, timeout, &clocks, Some(stop.as_fd()))?;
            Ok(())
        })?;
        if interrupt {
            return Err(interrupted());
        }
        self.sizes = search.found().copied().collect();
        Ok(())
    }

    fn trace(&self, plan: Plan, mut driver: Driver, names: HopNames) -> anyhow::Result<()> {
        let steady = self.steady;
        let bounded = plan.rounds.is_some() || plan.duration.is_some();
        let mut trace = Trace::new(plan, self.address, steady.elapsed());
        let mut shown = Shown::new(self, names);
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
        let mut document = shown.document(&trace);
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
    names: HopNames,
    heat: Heat,
    frames: Frames,
    /// Whether a person watches a table.
    live: bool,
    next: Duration,
}

impl<'a> Shown<'a> {
    fn new(run: &'a Run<'a>, names: HopNames) -> Self {
        let live = !at_the_end(run.args) && terminal::size().is_some();
        let frames = Frames::new(None).painted(marks::painted);
        Self { run, names, heat: Heat::default(), frames, live, next: Duration::ZERO }
    }

    fn document(&mut self, trace: &Trace) -> PathDocument {
        self.names.turn(&[], self.run.steady.elapsed());
        self.run.document(trace, &self.names)
    }

    fn events(&mut self, trace: &Trace, events: &[Event]) -> anyhow::Result<()> {
        self.names.turn(events, self.run.steady.elapsed());
        if self.run.args.heat {
            for event in events {
                self.heat.event(event);
            }
        }
        if self.run.args.json_lines {
            let lines = events.iter().map(|event| output::json_line(&self.run.event(event)));
            return Ok(output::print_lines(&lines.collect::<anyhow::Result<Vec<_>>>()?)?);
        }
        let now = self.run.steady.elapsed().0;
        if self.live && now >= self.next {
            self.next = now + FRAME;
            let size = terminal::size();
            let (document, columns) = (self.document(trace), size.map(|(_, columns)| columns));
            let mut lines = if self.run.args.heat {
                let mut lines = vec![print::title(&document)];
                lines.extend(self.heat.lines(&document, columns, false));
                lines.extend(print::remarks(&document));
                lines
            } else {
                print::table(&document, columns)
            };
            // What scrolls off cannot be replaced by the next frame.
            lines.truncate(size.map_or(usize::MAX, |(most, _)| most.saturating_sub(1).max(1)));
            self.frames.print(&lines)?;
        }
        Ok(())
    }

    fn finish(&mut self, document: &PathDocument) -> anyhow::Result<()> {
        if !self.live && !self.run.args.heat {
            return print::whole(self.run.args, document);
        }
        let columns = terminal::size().map(|(_, columns)| columns);
        let mut lines = print::table(document, columns);
        if self.run.args.heat {
            lines.extend(self.heat.lines(document, columns, true));
        }
        Ok(self.frames.print(&lines)?)
    }
}

/// Whether something is printed that only the end of a run makes whole.
fn at_the_end(args: &cli::Path) -> bool {
    args.json || args.json_lines || args.csv || args.markdown || args.dot
}
