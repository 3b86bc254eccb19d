//! `squirrel ping --path-mtu`: the largest packet that the way to each target takes whole.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::time::Duration;

use serde::Serialize;
use squirrel_probe::drive::{Clocks, Driver};
use squirrel_probe::path_mtu::{Found, Outcome, Search};
use squirrel_probe::ping::Event;
use squirrel_probe::{Ping, Plan};
use squirrel_sys::clock;

use super::{Run, until_readable};
use crate::failure::interrupted;
use crate::output;

/// Echoes of one size before it is taken for lost.
const TRIES: u32 = 3;
/// Largest packet that is tried.
const MOST: u16 = 65_535;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    targets: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    target: &'a str,
    address: IpAddr,
    /// Octets of the largest IP packet; null when nothing was answered.
    path_mtu: Option<u16>,
    /// Whether larger packets vanish without a word.
    black_hole: bool,
}

/// Searches for one target after the other.
pub(super) fn run(run: &Run<'_>, mut driver: Driver, addresses: &[IpAddr]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let ended = until_readable(|stop| {
        for (number, (address, place)) in (0..).zip(addresses.iter().zip(&run.asked)) {
            let (headers, least) = if address.is_ipv4() { (28, 68) } else { (48, 1280) };
            let mut search = Search::new(least, MOST);
            while let Some(size) = search.next_size() {
                driver.set_size(usize::from(size) - headers);
                let Some(outcome) = ask(run, &mut driver, number, addresses.len(), stop)? else { return Ok(()) };
                search.outcome(size, outcome);
            }
            let (path_mtu, black_hole) = match search.found() {
                Found::Mtu { octets, silent } => (Some(octets), silent),
                Found::Unreachable => (None, false),
            };
            let target = run.targets.get(*place).map_or("", |target| target.name.as_str());
            rows.push(Row { target, address: *address, path_mtu, black_hole });
        }
        Ok(())
    })?;
    if ended {
        return Err(interrupted());
    }
    let silent = rows.iter().filter(|row| row.path_mtu.is_none()).count();
    if run.args.json {
        output::print_json(&Document { schema: "squirrel.ping.path_mtu/1", targets: rows })?;
    } else {
        for row in &rows {
            let found = match (row.path_mtu, row.black_hole) {
                (Some(octets), false) => format!("{octets} octets"),
                (Some(octets), true) => format!(
                    "{octets} octets; larger packets vanish and no router says so, which stalls connections that do not probe (net.ipv4.tcp_mtu_probing)"
                ),
                (None, _) => "no answer, not even to the smallest packet".to_owned(),
            };
            output::print(&format!("{}: {found}\n", row.address))?;
        }
    }
    anyhow::ensure!(silent == 0, "{silent} of {} targets did not answer", addresses.len());
    Ok(())
}

/// Sends one size a few times to one of the targets. None when it was interrupted.
fn ask(
    run: &Run<'_>,
    driver: &mut Driver,
    number: u32,
    targets: usize,
    stop: &std::os::unix::net::UnixStream,
) -> anyhow::Result<Option<Outcome>> {
    let plan = Plan {
        count: Some(TRIES),
        interval: Duration::from_millis(200).min(run.plan.timeout),
        timeout: run.plan.timeout,
        spread: false,
        ..Plan::default()
    };
    let steady = run.steady;
    let mut ping = Ping::only(plan, number, u32::try_from(targets)?, steady.elapsed());
    let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
    let mut outcome = None;
    driver.run(&mut ping, &clocks, Some(stop.as_fd()), &mut |_, events| {
        for event in events {
            match event {
                Event::Answer { .. } => outcome = Some(Outcome::Fits),
                Event::Refused { mtu, .. } => {
                    let mtu = mtu.and_then(|mtu| u16::try_from(mtu).ok());
                    outcome = outcome.or(Some(Outcome::TooBig(mtu)));
                }
                Event::NotSent(..) => outcome = outcome.or(Some(Outcome::TooBig(None))),
                Event::Lost(question) if question.number + 1 == TRIES => outcome = outcome.or(Some(Outcome::Silent)),
                _ => {}
            }
        }
        if outcome.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(outcome)
}
