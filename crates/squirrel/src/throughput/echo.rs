//! Echoes of ICMP beside a run, for servers that answer none themselves.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use squirrel_probe::drive::{Clocks, Driver, Options};
use squirrel_probe::{Ping, Plan};
use squirrel_sys::clock::{self, Monotonic};
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_throughput::Echo;

/// Octets of payload, as of ping.
const OCTETS: usize = 56;

/// Asks with one echo at a time. A host that may not send echoes measures none.
pub(super) fn by_icmp() -> Echo {
    Box::new(ask)
}

/// Each echo has sockets and a tag of its own, so that a late answer is nobody else's.
fn ask(host: IpAddr, patience: Duration) -> Option<Duration> {
    let run = RandomState::new().hash_one("echo");
    let options = Options { socket: SocketOptions::default(), size: OCTETS, run };
    let mut driver = Driver::open(vec![host], &options).ok()?;
    let plan = Plan { count: Some(1), timeout: patience, window: 1, spread: false, ..Plan::default() };
    let steady = Monotonic::start();
    let mut ping = Ping::new(plan, 1, steady.elapsed());
    let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
    driver.run(&mut ping, &clocks, None, &mut |_, _| ControlFlow::Continue(())).ok()?;
    ping.report(0).times.mean()
}
