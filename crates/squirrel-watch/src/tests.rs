//! The board over made-up networks and hours that pass in a moment.

mod bounds;
mod by_hand;
mod real;
mod series;
mod standing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use squirrel_check::{Finding, Module, NtpCheck, Prober};
use squirrel_model::{Batch, Kind, Labels, Metric, Timestamp, Unit, is_stale};
use squirrel_probe::path::simulated::{Host, Simulated};
use squirrel_probe::path::{Plan, Trace};
use squirrel_sys::probe_socket::Carrier;
use squirrel_wire::icmp::ErrorKind;

use crate::board::Board;
use crate::entry::{Echo, Traced};
use crate::series::Sample;
use crate::{Target, Work};

fn target(job: &str, instance: &str, work: Work) -> Target {
    Target {
        job: job.to_owned(),
        instance: instance.to_owned(),
        work,
        ip: None,
        interval: Duration::from_secs(1),
        module: None,
        group: None,
        parents: Vec::new(),
        objective: None,
        window: Duration::from_hours(720),
        labels: Labels::empty(),
    }
}

fn ping(instance: &str) -> Target {
    target("p", instance, Work::Ping { timeout: Duration::from_secs(1) })
}

fn path(instance: &str) -> Target {
    target("way", instance, Work::Path { packets: 5, timeout: Duration::from_secs(1) })
}

fn check(instance: &str) -> Target {
    let module = Module { timeout: Duration::from_secs(1), prober: Prober::Ntp(NtpCheck::default()) };
    target("c", instance, Work::Check(Arc::new(module)))
}

fn board(targets: Vec<Target>) -> (Board, Vec<Arc<Target>>) {
    let targets: Vec<_> = targets.into_iter().map(Arc::new).collect();
    let mut board = Board::default();
    board.arrange(targets.clone(), Timestamp(0));
    (board, targets)
}

fn echo(seconds: i64, millis: Option<u64>) -> Echo {
    Echo {
        at: Timestamp(seconds * 1_000),
        address: Some(IpAddr::from([192, 0, 2, 1])),
        outcome: millis.map(Duration::from_millis).ok_or_else(|| "no answer in time".to_owned()),
        took: Duration::from_millis(millis.unwrap_or(1_000)),
    }
}

/// Rows of a check: the metric, its labels, the value.
type Rows<'a> = [(&'static Metric, &'a [(&'a str, &'a str)], f64)];

fn finding(success: bool, rows: &Rows<'_>) -> Finding {
    let mut batch = Batch::default();
    for (metric, labels, value) in rows {
        batch.put(*metric, &Labels::new(labels.iter().copied()).expect("labels"), *value);
    }
    Finding { success, duration: Duration::from_millis(3), batch, log: vec!["first".to_owned(), "why".to_owned()] }
}

/// Samples as text: series without what all have, seconds, value or `end`.
fn shown(samples: &[Sample]) -> Vec<String> {
    let one = |(labels, at, value): &Sample| {
        let value = if is_stale(*value) { "end".to_owned() } else { format!("{value:.4}") };
        let own: Vec<String> = labels
            .iter()
            .filter(|(name, _)| !["__name__", "job", "instance"].contains(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{}{{{}}} {} {value}", labels.metric_name(), own.join(","), at.millis() / 1_000)
    };
    samples.iter().map(one).collect()
}

static VALUE: Metric = Metric::new("probe_value", Kind::Gauge, Unit::None, "A value.").labels(&["a"]);

/// Traces a made-up path to its end.
fn traced(hosts: &'static [u8], target: u8) -> Traced {
    trace(target, move |_| hosts.iter().map(|octet| Host::new(address(*octet))).collect())
}

/// Traces one whose last host passes nothing on.
fn refused(hosts: &'static [u8], target: u8) -> Traced {
    trace(target, move |ttl| {
        let mut all: Vec<Host> = hosts.iter().map(|octet| Host::new(address(*octet))).collect();
        if let Some(last) = all.last().cloned()
            && usize::from(ttl) > all.len()
        {
            // It answers for the places behind it.
            all.push(Host { refuses: Some(ErrorKind::HostUnreachable), ..last });
        } else {
            all.push(Host::new(address(target)));
        }
        all
    })
}

fn address(octet: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, octet])
}

fn trace(target: u8, route: impl Fn(u8) -> Vec<Host> + 'static) -> Traced {
    let route = move |probe: squirrel_probe::path::Probe, _| route(probe.ttl);
    let mut network = Simulated::new(Box::new(route));
    let plan = Plan { rounds: Some(5), ..Plan::default() };
    let mut trace = Trace::new(plan, address(target), network.now());
    network.run(&mut trace, Duration::from_hours(1));
    Traced {
        began: Timestamp(0),
        took: Duration::from_secs(5),
        address: address(target),
        carrier: Carrier::Ping,
        report: trace.report(),
        strange: 0,
    }
}
