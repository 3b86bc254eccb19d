//! `squirrel ping`: echoes to one or many targets, timed by the kernel.

pub(crate) mod class;
mod limits;
mod live;
mod path_mtu;
pub(crate) mod show;
pub(crate) mod targets;

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use squirrel_api::live::schema;
use squirrel_api::params::parse_duration_ms;
use squirrel_api::probe::PingDocument;
use squirrel_model::Timestamp;
use squirrel_probe::drive::{Clocks, Driver, OpenError, Options};
use squirrel_probe::{Ping, Plan};
use squirrel_sys::clock::{self, Monotonic};
use squirrel_sys::probe_socket::SocketOptions;

use crate::cli;
use crate::failure::{Class, classed, interrupted};
use crate::interrupts::until_interrupt;
use crate::output;
pub(crate) use class::dscp;
use limits::Limit;
use show::Shown;
use targets::{Target, Wanted};

/// Questions of `--json` when nobody says how many: it prints at the end, so there must be one.
const USUAL_COUNT: u32 = 5;
/// Shortest time between two questions to one target.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// What is asked, with the arguments understood.
struct Run<'a> {
    args: &'a cli::Ping,
    targets: Vec<Target>,
    /// Those of the targets that have an address, by their place among all.
    asked: Vec<usize>,
    plan: Plan,
    limits: Vec<Limit>,
    began: Timestamp,
    steady: Monotonic,
}

/// What it ended with.
struct Outcome {
    ping: Ping,
    strange: u64,
    interrupted: bool,
}

/// Asks, and prints what came.
pub(crate) fn run(args: &cli::Ping) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<PingDocument>("squirrel ping"))? + "\n"))?);
    }
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let plan = plan(args).map_err(usage)?;
    let limits = args.fail_on.as_deref().map(limits::parse).transpose().map_err(usage)?.unwrap_or_default();
    let options = options(args).map_err(usage)?;
    let wanted = Wanted { ipv4: !args.ipv6, ipv6: !args.ipv4, all: args.all_addresses };
    let targets = targets::targets(&args.targets, args.file.as_deref(), wanted).map_err(usage)?;
    let asked: Vec<usize> =
        targets.iter().enumerate().filter(|(_, one)| one.address.is_ok()).map(|(index, _)| index).collect();
    let addresses: Vec<IpAddr> = targets.iter().filter_map(|one| one.address.as_ref().ok().copied()).collect();
    let driver = Driver::open(addresses.clone(), &options).map_err(|error| open_error(&error))?;
    let run = Run { args, targets, asked, plan, limits, began: clock::wall(), steady: Monotonic::start() };
    if args.path_mtu {
        return path_mtu::run(&run, driver, &addresses);
    }
    run.print(driver)
}

impl Run<'_> {
    fn print(&self, driver: Driver) -> anyhow::Result<()> {
        let mut shown = Shown::new(self);
        let outcome = self.carry(driver, &mut shown)?;
        shown.finish(&outcome)?;
        self.judge(&outcome)
    }

    /// Runs until all is asked or an interrupt comes.
    fn carry(&self, mut driver: Driver, shown: &mut Shown<'_>) -> anyhow::Result<Outcome> {
        let (steady, count) = (self.steady, u32::try_from(self.asked.len())?);
        let mut ping = Ping::new(self.plan.clone(), count, steady.elapsed());
        let interrupted = until_readable(|stop| {
            let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
            let mut failure = None;
            driver.run(
                &mut ping,
                &clocks,
                Some(stop.as_fd()),
                &mut |ping, events| match shown.events(ping, events) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failure = Some(error);
                        ControlFlow::Break(())
                    }
                },
            )?;
            failure.map_or(Ok(()), Err)
        })?;
        ping.abandon();
        Ok(Outcome { ping, strange: driver.strange(), interrupted })
    }

    /// The exit code: 1 when a target has no address, never answered, or is worse than `--fail-on` allows.
    fn judge(&self, outcome: &Outcome) -> anyhow::Result<()> {
        let mut bad = Vec::new();
        let mut numbers = 0..;
        for target in &self.targets {
            if let Err(reason) = &target.address {
                bad.push(format!("{}: {reason}", target.name));
                continue;
            }
            let Some(number) = numbers.next() else { break };
            let report = outcome.ping.report(number);
            bad.extend(
                self.limits
                    .iter()
                    .filter_map(|limit| limit.broken_by(&report))
                    .map(|why| format!("{}: {why}", target.name)),
            );
            if self.limits.is_empty() && report.sent + report.not_sent > 0 && report.received == 0 {
                bad.push(format!("{}: no answer", target.name));
            }
        }
        // Who asks for ever ends it by an interrupt; who asked for a number wanted more than there is.
        if outcome.interrupted && (self.plan.count.is_some() || self.plan.duration.is_some()) {
            return Err(interrupted());
        }
        match bad.as_slice() {
            [] => Ok(()),
            [one] => bail!("{one}"),
            [first, rest @ ..] => bail!("{first}, and {} more targets or limits", rest.len()),
        }
    }
}

/// Runs something until it ends or an interrupt comes, which makes the stream that it is handed readable. Says whether
/// one came.
pub(crate) fn until_readable(work: impl FnOnce(&UnixStream) -> anyhow::Result<()> + Send) -> anyhow::Result<bool> {
    let (mut wake, woken) = UnixStream::pair().context("cannot make a pair of sockets")?;
    // Into a buffer that is empty: it is taken at once.
    let (result, interrupted) = until_interrupt(|| work(&woken), move || drop(wake.write_all(&[1])))?;
    result.map(|()| interrupted)
}

fn plan(args: &cli::Ping) -> anyhow::Result<Plan> {
    let interval = span(&args.interval).context("--interval")?;
    if interval < LEAST_INTERVAL {
        bail!("--interval is at least 1ms: a host that is asked more often is attacked");
    }
    let duration = args.period.as_deref().map(span).transpose().context("--for")?;
    let prints_at_the_end = args.json || args.fail_on.is_some();
    let usual = (prints_at_the_end && duration.is_none()).then_some(USUAL_COUNT);
    Ok(Plan {
        count: args.count.or(usual),
        interval,
        timeout: span(&args.timeout).context("--timeout")?,
        duration,
        window: args.window.into(),
        spread: true,
    })
}

/// A span such as `10ms`, `1s`; a bare number is seconds.
pub(crate) fn span(text: &str) -> anyhow::Result<Duration> {
    let ms = parse_duration_ms(text).ok().filter(|ms| *ms > 0);
    let ms = ms.with_context(|| format!("{text:?} is no time such as 10ms, 1s or 0.5 (seconds)"))?;
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

fn options(args: &cli::Ping) -> anyhow::Result<Options> {
    let tos = args.dscp.as_deref().map(dscp).transpose()?.map(|dscp| dscp << 2);
    Ok(Options {
        socket: SocketOptions {
            ttl: args.ttl,
            tos,
            source: args.source,
            interface: args.interface.clone(),
            mark: args.fwmark,
            dont_fragment: args.dont_fragment || args.path_mtu,
        },
        size: args.size.into(),
        run: RandomState::new().hash_one("run"),
    })
}

pub(crate) fn open_error(error: &OpenError) -> anyhow::Error {
    let class = match error {
        OpenError::NotPermitted(_) | OpenError::MarkNotPermitted => Class::Forbidden,
        OpenError::ForeignSource | OpenError::NoSuchInterface => Class::Usage,
        _ => return anyhow!("{error}"),
    };
    classed(class, &anyhow!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_seconds() {
        assert_eq!(span("0.2").ok(), Some(Duration::from_millis(200)));
        assert_eq!(span("10ms").ok(), Some(Duration::from_millis(10)));
        assert!(span("0").is_err() && span("-1").is_err() && span("x").is_err());
    }
}
