//! `squirrel throughput client`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use squirrel_throughput::protocol::{Parameters, UnfitParameters};
use squirrel_throughput::report::Start;
use squirrel_throughput::{Client, Plan, Report, Stop};

use super::numbers::{milliseconds, octet, octets, rate, seconds};
use super::show::Shown;
use super::{echo, failed, login, system, version};
use crate::cli::ThroughputClient;
use crate::failure::{Class, classed, interrupted};
use crate::interrupts::until_interrupt;
use crate::output;
use crate::ping::dscp;

/// Seconds of a run when nobody says.
const USUAL_TIME: u64 = 10;
/// Bits a second of UDP when nobody says: datagrams do not slow down by themselves.
const USUAL_UDP_RATE: u64 = 1_000_000;
/// Octets of the largest buffer that the kernel can be asked for.
const MOST_WINDOW: u64 = 1 << 30;

/// Carries a run, and prints what came of it.
pub(super) fn run(args: &ThroughputClient) -> anyhow::Result<()> {
    let plan = plan(args).map_err(|error| classed(Class::Usage, &error))?;
    let stop = Arc::new(Stop::default());
    let echo = plan.latency.then(echo::by_icmp);
    let client = Client::new(plan, stop.clone(), echo);
    let (report, _) = until_interrupt(|| carry(args, client), || stop.set())?;
    let report = report?;
    finish(args, &report)
}

fn carry(args: &ThroughputClient, client: Client) -> anyhow::Result<Report> {
    let shown = std::cell::RefCell::new(Shown::new(args.json, args.json_lines));
    let report = client.run(&mut |start: &Start| shown.borrow_mut().start(start), &mut |interval| {
        shown.borrow_mut().interval(interval);
    });
    // What could not be printed matters more: nobody sees the rest.
    shown.into_inner().outcome()?;
    report.map_err(|error| failed(&error))
}

fn finish(args: &ThroughputClient, report: &Report) -> anyhow::Result<()> {
    if args.json {
        output::print_json(&report.document(&version(), &system()))?;
    } else if args.json_lines {
        let document = report.document(&version(), &system());
        output::print_json(
            &serde_json::json!({ "event": "end", "data": document["end"], "squirrel": document["squirrel"] }),
        )?;
    } else {
        output::print_lines(&super::show::summary(report))?;
    }
    match &report.error {
        Some(error) => bail!("{error}"),
        None if report.interrupted => Err(interrupted()),
        None => Ok(()),
    }
}

fn plan(args: &ThroughputClient) -> anyhow::Result<Plan> {
    let number = |option: &str, text: &Option<String>, of: &dyn Fn(&str, &str) -> anyhow::Result<u64>| {
        text.as_deref().map(|text| of(option, text)).transpose()
    };
    let bytes = number("--bytes", &args.bytes, &octets)?;
    let blocks = number("--blocks", &args.blocks, &octets)?;
    let time = number("--time", &args.time, &seconds)?;
    if [bytes, blocks, time].contains(&Some(0)) {
        bail!("a run has a bound: --time, --bytes and --blocks are at least 1");
    }
    let window = number("--window", &args.window, &octets)?.unwrap_or(0);
    let length = number("--length", &args.length, &octets)?;
    if window > MOST_WINDOW {
        bail!("--window: a buffer has {MOST_WINDOW} octets at most");
    }
    if length == Some(0) {
        bail!("--length is at least 1");
    }
    let tos = match (&args.tos, &args.dscp) {
        (Some(text), _) => octet("--tos", text)?,
        (None, Some(text)) => dscp(text)? << 2,
        (None, None) => 0,
    };
    let usual = if args.udp { USUAL_UDP_RATE } else { 0 };
    let parameters = Parameters {
        tcp: !args.udp,
        udp: args.udp,
        omit: number("--omit", &args.omit, &seconds)?.unwrap_or(0),
        time: time.unwrap_or(if bytes.is_some() || blocks.is_some() { 0 } else { USUAL_TIME }),
        num: bytes.unwrap_or(0),
        blockcount: blocks.unwrap_or(0),
        mss: args.mss.unwrap_or(0),
        nodelay: args.no_delay,
        parallel: args.parallel,
        reverse: args.reverse,
        bidirectional: args.bidir,
        window: u32::try_from(window)?,
        len: length.map_or(Ok(0), u32::try_from).unwrap_or(u32::MAX),
        bandwidth: number("--bitrate", &args.bitrate, &rate)?.unwrap_or(usual),
        tos,
        congestion: args.congestion.clone(),
        udp_counters_64bit: u8::from(args.udp),
        client_version: version(),
        ..Parameters::default()
    };
    // What depends on the path is not known yet; whatever else is wrong is said before anything is sent.
    let known = Parameters { len: if parameters.len == 0 { 1000 } else { parameters.len }, ..parameters.clone() };
    known.check().map_err(|error: UnfitParameters| {
        anyhow::anyhow!("{}", error.to_string().replacen("it wants", "this wants", 1))
    })?;
    Ok(Plan {
        host: args.host.clone(),
        port: args.port,
        ipv6: if args.ipv6 { Some(true) } else { args.ipv4.then_some(false) },
        source: args.bind,
        parameters,
        interval: Duration::from_millis(milliseconds("--interval", &args.interval)?),
        zero_copy: args.zerocopy,
        latency: !args.no_latency,
        login: login::credentials(args)?,
    })
}
