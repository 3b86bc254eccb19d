//! `squirrel throughput server`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use squirrel_throughput::login::Access;
use squirrel_throughput::protocol::DEFAULT_PORT;
use squirrel_throughput::{Event, Limits, Server, Stop, ThroughputError};

use super::numbers::{milliseconds, rate};
use super::{failed, login, show, system, version};
use crate::cli::{ThroughputServer, every_address};
use crate::failure::{Class, classed};
use crate::interrupts::until_interrupt;
use crate::output;

/// Serves until an interrupt, or once.
pub(super) fn run(args: &ThroughputServer) -> anyhow::Result<()> {
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let (limits, access) = (limits(args).map_err(usage)?, login::access(args).map_err(usage)?);
    let stop = Arc::new(Stop::default());
    let server = bind(args, limits, access, &stop).map_err(|error| failed(&error))?;
    let address = server.address()?;
    output::complain(&format!("listening on {address} for Squirrel's and iperf3's clients"));
    let json = args.json;
    // A reader that went away ends the server: it runs for what it tells.
    let failure = std::sync::Mutex::new(None);
    let tell = |event: Event| {
        if let Err(error) = told(&event, json) {
            failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
            stop.set();
        }
    };
    let (result, _) = until_interrupt(|| server.run(&tell), || stop.set())?;
    result.map_err(|error| failed(&error))?;
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Every address of this host, if none is given; of IPv4 alone where there is no IPv6.
fn bind(
    args: &ThroughputServer,
    limits: Limits,
    access: Option<Access>,
    stop: &Arc<Stop>,
) -> Result<Server, ThroughputError> {
    if let Some(address) = args.listen {
        return Server::bind(address, limits, access, stop.clone());
    }
    Server::bind(every_address(DEFAULT_PORT), limits, access.clone(), stop.clone()).or_else(|error| match &error {
        ThroughputError::Socket { source, .. } if source.kind() != std::io::ErrorKind::AddrInUse => {
            Server::bind(([0, 0, 0, 0], DEFAULT_PORT).into(), limits, access, stop.clone())
        }
        _ => Err(error),
    })
}

fn limits(args: &ThroughputServer) -> anyhow::Result<Limits> {
    let duration = Duration::from_millis(milliseconds("--max-duration", &args.max_duration)?);
    if duration < Duration::from_secs(1) {
        bail!("--max-duration is at least 1s");
    }
    let rate = args.max_rate.as_deref().map(|text| rate("--max-rate", text)).transpose()?;
    if rate == Some(0) {
        bail!("--max-rate: leave it away for a server without a limit");
    }
    Ok(Limits { clients: args.max_clients.into(), duration, rate: rate.unwrap_or(0), one_off: args.one_off })
}

fn told(event: &Event, json: bool) -> anyhow::Result<()> {
    match event {
        Event::Ended { report, .. } if json => output::print_json(&report.document(&version(), &system())),
        Event::Began { peer, what } if !json => Ok(output::print(&format!("{peer}: {what}\n"))?),
        Event::Ended { peer, report } if !json => {
            let lines = show::summary(report).into_iter().map(|line| format!("{peer}: {line}"));
            let error = report.error.iter().map(|error| format!("{peer}: {}", squirrel_model::Untrusted(error)));
            Ok(output::print_lines(&lines.chain(error).collect::<Vec<_>>())?)
        }
        Event::Failed { peer, error } => {
            output::complain(&format!("{peer}: {}", squirrel_model::Untrusted(&error.to_string())));
            Ok(())
        }
        Event::Began { .. } | Event::Ended { .. } => Ok(()),
    }
}
