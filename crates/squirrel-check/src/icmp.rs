//! A host: whether it answers an echo, and after how long.

use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use squirrel_probe::drive::{Clocks, Driver, Options};
use squirrel_probe::ping::{Event, Ping, Plan};
use squirrel_sys::clock::{self, Monotonic};
use squirrel_sys::probe_socket::SocketOptions;

use crate::checker::Checker;
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::ntp::random;
use crate::reach::{Reach, in_words};

/// Octets of payload unless said otherwise: as many as blackbox_exporter sends.
const PAYLOAD: usize = 28;
/// Time to live unless said otherwise.
const TTL: u8 = 64;

/// What is looked at of a host.
#[derive(Clone, Debug)]
pub struct IcmpCheck {
    /// Which address.
    pub reach: Reach,
    /// Octets of payload.
    pub payload: usize,
    /// Routers may not cut the packet.
    pub dont_fragment: bool,
    /// Time to live or hop limit; none for the system's own.
    pub ttl: Option<u8>,
}

impl Default for IcmpCheck {
    fn default() -> Self {
        Self { reach: Reach::default(), payload: PAYLOAD, dont_fragment: false, ttl: Some(TTL) }
    }
}

/// An echo that was answered.
struct Echo {
    time: Duration,
    ttl: Option<u8>,
}

impl IcmpCheck {
    pub(crate) async fn run(
        &self,
        checker: &Checker,
        target: &str,
        limit: Duration,
        notes: &mut Notes,
    ) -> Result<(), Failed> {
        for phase in ["resolve", "setup", "rtt"] {
            notes.add_phase(&metrics::ICMP_DURATION, phase, Duration::ZERO);
        }
        let host = host(target)?;
        let (address, took) = checker.way().address(host, 0, self.reach, notes).await?;
        notes.add_phase(&metrics::ICMP_DURATION, "resolve", took);
        self.reach.source_for(address)?;
        let options = Options {
            socket: SocketOptions {
                ttl: self.ttl,
                source: self.reach.source,
                dont_fragment: self.dont_fragment,
                ..SocketOptions::default()
            },
            size: self.payload,
            run: u64::from_be_bytes(random()?),
        };
        let broken = |error: std::io::Error| Failed::new(format!("{}: {}", address.ip(), in_words(&error)));
        // The sockets that read the kernel's time stamps wait on a thread of their own. When the check is given up, the
        // other end of this pair is closed, and the thread ends.
        let (stop, _held) = UnixStream::pair().map_err(broken)?;
        let asking = tokio::task::spawn_blocking(move || ask(address, &options, limit, &stop));
        let (setup, echo) = asking.await.map_err(|_| Failed::new("the echo was given up"))?;
        notes.add_phase(&metrics::ICMP_DURATION, "setup", setup);
        let echo = echo?;
        notes.add_phase(&metrics::ICMP_DURATION, "rtt", echo.time);
        if let Some(ttl) = echo.ttl {
            notes.set(&metrics::ICMP_REPLY_HOP_LIMIT, f64::from(ttl));
        }
        notes.say(&format!("{} answered after {:.3} ms", address.ip(), echo.time.as_secs_f64() * 1e3));
        Ok(())
    }
}

/// A host without a port: echoes have none.
pub(crate) fn host(target: &str) -> Result<&str, Failed> {
    let target = target.trim();
    let bare = target.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(target);
    let is_host =
        !bare.is_empty() && bare.len() <= 253 && (!bare.contains([':', '/']) || bare.parse::<IpAddr>().is_ok());
    if is_host {
        Ok(bare)
    } else {
        Err(Failed::new(format!("the target {target:?} is no host: write a name or an address")))
    }
}

/// Sends one echo and waits for its answer; how long it took to be ready for that, too.
fn ask(to: SocketAddr, options: &Options, limit: Duration, stop: &UnixStream) -> (Duration, Result<Echo, Failed>) {
    let steady = Monotonic::start();
    let driver = Driver::open(vec![to.ip()], options);
    let setup = steady.elapsed().0;
    let echo = driver.map_err(|error| Failed::new(format!("{}: {error}", to.ip()))).and_then(|mut driver| {
        let plan = Plan { count: Some(1), timeout: limit.saturating_sub(setup), ..Plan::default() };
        let mut ping = Ping::new(plan, 1, steady.elapsed());
        let clocks = Clocks { steady: &|| steady.elapsed(), wall: &clock::wall_nanos };
        let mut outcome = None;
        let carried = driver.run(&mut ping, &clocks, Some(stop.as_fd()), &mut |_, events| {
            outcome = outcome.take().or_else(|| events.iter().find_map(|event| told(to.ip(), event)));
            if outcome.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        carried.map_err(|error| Failed::new(format!("{}: {}", to.ip(), in_words(&error))))?;
        outcome.unwrap_or_else(|| Err(Failed::new(format!("{} did not answer", to.ip()))))
    });
    (setup, echo)
}

fn told(to: IpAddr, event: &Event) -> Option<Result<Echo, Failed>> {
    Some(match event {
        Event::Answer { time, arrival, .. } => Ok(Echo { time: *time, ttl: arrival.ttl }),
        Event::Refused { by, kind, .. } => {
            let by = by.map_or_else(|| "a host on the way".to_owned(), |by| by.to_string());
            Err(Failed::new(format!("{to}: {by} says: {}", kind.words().1)))
        }
        Event::NotSent(_, why) => Err(Failed::new(format!("{to}: this host cannot send it: {why}"))),
        Event::Lost(_) => Err(Failed::new(format!("{to} did not answer"))),
        Event::Duplicate(_) | Event::Late(..) => return None,
    })
}
