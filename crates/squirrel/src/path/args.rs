//! What was typed behind `squirrel path`, understood.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use squirrel_probe::drive::Options;
use squirrel_probe::path::Plan;
use squirrel_probe::path::drive::{Protocol, USUAL_PORT, USUAL_TCP_PORT};
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_sys::terminal;

use super::at_the_end;
use crate::cli;
use crate::failure::{Class, classed};
use crate::ping::targets::{Wanted, targets};
use crate::ping::{dscp, span};

/// Rounds of an output that comes at the end when nobody says how many.
const USUAL_ROUNDS: u32 = 10;
/// Shortest time from one round to the next.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// The bits of ECN that say that both ends could be told of congestion: ECT(0) of RFC 3168.
const ECT_0: u8 = 2;

pub(super) fn target(args: &cli::Path) -> anyhow::Result<(String, IpAddr)> {
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

pub(super) fn protocol(args: &cli::Path) -> anyhow::Result<Protocol> {
    if args.port.is_some() && !args.udp && !args.tcp {
        bail!("--port goes with --udp or --tcp: echoes of ICMP have none");
    }
    Ok(match (args.icmp, args.udp, args.tcp) {
        (true, ..) => Protocol::Icmp,
        (_, true, _) => Protocol::Udp(args.port.unwrap_or(USUAL_PORT)),
        (.., true) => Protocol::Tcp(args.port.unwrap_or(USUAL_TCP_PORT)),
        _ => Protocol::Any,
    })
}

pub(super) fn plan(args: &cli::Path) -> anyhow::Result<Plan> {
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
        tos: tos(args)?.unwrap_or(0),
        one_at_a_time: false,
    })
}

/// TOS or traffic class, if one was asked for.
fn tos(args: &cli::Path) -> anyhow::Result<Option<u8>> {
    let class = args.dscp.as_deref().map(dscp).transpose()?;
    let ecn = if args.ecn { ECT_0 } else { 0 };
    Ok(class.map(|class| class << 2 | ecn).or(args.ecn.then_some(ecn)))
}

pub(super) fn options(args: &cli::Path) -> anyhow::Result<Options> {
    let socket = SocketOptions {
        ttl: None,
        tos: tos(args)?,
        source: args.source,
        interface: args.interface.clone(),
        mark: args.fwmark,
        dont_fragment: args.mtu,
    };
    Ok(Options { socket, size: 0, run: RandomState::new().hash_one("run") })
}
