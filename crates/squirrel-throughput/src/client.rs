//! The client: connects, begins the run, ends it at its bound, and makes the report.

mod echoes;
mod streams;
mod talk;

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use squirrel_sys::{bulk, clock};

use crate::ThroughputError;
use crate::control::{Control, PATIENCE};
use crate::latency::{self, Source};
use crate::login::Credentials;
use crate::protocol::{ClientAction, ClientMachine, Cookie, Parameters, Results};
use crate::report::{Report, Start};
use crate::run::{Bounds, Interval, Run};
use crate::sockets::{self, LOOK_AROUND};
use crate::stream::Stop;
use echoes::Prober;
use talk::Talk;

pub use echoes::Echo;

/// Without any progress for so long, a run that ends by octets is given up.
const STALLED: Duration = Duration::from_secs(30);
/// Octets of a block of TCP when nobody says: half as many calls as with iperf3's 128 KiB carry a seventh more, and a
/// block of twice the size falls out of the processor's cache.
const USUAL_BLOCK: u32 = 256 << 10;
/// Octets of a datagram when the path does not tell.
const USUAL_DATAGRAM: u32 = 1460;

/// What the client shall do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// IPv6 or IPv4 alone.
    pub ipv6: Option<bool>,
    /// Send from this address.
    pub source: Option<IpAddr>,
    /// The run; a `len` of 0 takes what fits.
    pub parameters: Parameters,
    /// Time of an interval; one for the whole run if zero.
    pub interval: Duration,
    /// Send without a copy.
    pub zero_copy: bool,
    /// Measure latency too.
    pub latency: bool,
    /// What to log in with, at a server that wants it.
    pub login: Option<Credentials>,
}

/// A client.
pub struct Client {
    plan: Plan,
    stop: Arc<Stop>,
    echo: Option<Echo>,
}

impl Client {
    /// A client that ends early when `stop` is set. `echo` asks a host for an echo where the server does not answer any.
    pub fn new(plan: Plan, stop: Arc<Stop>, echo: Option<Echo>) -> Self {
        Self { plan, stop, echo }
    }

    /// Carries the run. `connected` is called once, `each` after each interval.
    ///
    /// # Errors
    /// When there was no run. One that broke in the middle has a report that says so.
    pub fn run(
        mut self,
        connected: &mut dyn FnMut(&Start),
        each: &mut dyn FnMut(&Interval),
    ) -> Result<Report, ThroughputError> {
        let to = self.address()?;
        let stream = sockets::connect(to, self.plan.source, None, PATIENCE)?;
        let mss = bulk::connection(stream.as_fd()).map_or(0, |seen| seen.mss);
        self.complete(mss)?;
        let control = Control::new(stream, format!("{} ({to})", self.plan.host))?;
        let cookie = Cookie::new(random());
        let (machine, greeting) = ClientMachine::new(&cookie, &self.plan.parameters);
        // It was for the server alone.
        self.plan.parameters.authtoken = None;
        let mut talk = Talk { control, machine, squirrel: false };
        talk.control.say(&greeting)?;
        talk.wait_for(&ClientAction::CreateStreams, &self.stop)?;
        let mut prober = self.prober(to, cookie, talk.squirrel);
        let idle = prober.as_mut().map(Prober::idle).unwrap_or_default();
        let opened = streams::open(to, &self.plan, &cookie)?;
        let start = Start::new(&self.plan, to, &cookie, mss, &opened);
        talk.wait_for(&ClientAction::Run, &self.stop)?;
        connected(&start);
        let bounds = Bounds { rate: 0, zero_copy: self.plan.zero_copy };
        let run = Run::start(opened, &self.plan.parameters, bounds, true)?;
        let running = prober.map(Prober::start);
        let mut carried = Carried { run, intervals: Vec::new(), own: Vec::new(), error: None, interrupted: false };
        self.carry(&mut talk, &mut carried, each)?;
        let mut samples = running.map(echoes::Running::finish).unwrap_or_default();
        samples.idle = idle;
        samples.own = std::mem::take(&mut carried.own);
        let peer = self.part(&mut talk, &mut carried);
        let source = match (talk.squirrel, samples.loaded.is_empty()) {
            (true, false) => Source::Server,
            (false, false) => Source::Icmp,
            (_, true) => Source::Connections,
        };
        let judged = if self.plan.latency { latency::judge(&samples, source) } else { None };
        let mut report = Report::new(start, carried.intervals, &carried.run, peer);
        report.latency = judged;
        report.error = carried.error;
        report.interrupted = carried.interrupted;
        Ok(report)
    }

    fn address(&self) -> Result<SocketAddr, ThroughputError> {
        let host = || self.plan.host.clone();
        let found = (self.plan.host.as_str(), self.plan.port)
            .to_socket_addrs()
            .map_err(|error| ThroughputError::NoAddress { host: host(), why: crate::error::words(&error) })?;
        let fits = |address: &SocketAddr| {
            let wanted = self.plan.ipv6.or(self.plan.source.map(|source| source.is_ipv6()));
            wanted.is_none_or(|v6| v6 == address.is_ipv6())
        };
        let mut found = found.filter(fits);
        found
            .next()
            .ok_or_else(|| ThroughputError::NoAddress { host: host(), why: "none of the wanted version of IP".into() })
    }

    /// Fills in what depends on the path.
    fn complete(&mut self, mss: u32) -> Result<(), ThroughputError> {
        let parameters = &mut self.plan.parameters;
        if parameters.len == 0 {
            let datagram = if mss == 0 { USUAL_DATAGRAM } else { mss.min(65_507) };
            parameters.len = if parameters.udp { datagram } else { USUAL_BLOCK };
        }
        parameters.squirrel = u8::from(self.plan.latency);
        let token = self.plan.login.as_ref().map(|login| login.token(clock::wall())).transpose();
        parameters.authtoken = token.map_err(|error| ThroughputError::Unfit(format!("cannot log in: {error}")))?;
        let unfit = |error: crate::protocol::UnfitParameters| {
            ThroughputError::Unfit(error.to_string().replacen("it wants", "this wants", 1))
        };
        parameters.check().map_err(unfit)
    }

    fn prober(&mut self, to: SocketAddr, cookie: Cookie, squirrel: bool) -> Option<Prober> {
        if !self.plan.latency {
            return None;
        }
        if squirrel {
            return Some(Prober::server(to, self.plan.source, cookie));
        }
        self.echo.take().map(|echo| Prober::icmp(to.ip(), echo))
    }

    /// Looks after the run until it reaches its bound, is stopped, or breaks.
    fn carry(
        &self,
        talk: &mut Talk,
        carried: &mut Carried,
        each: &mut dyn FnMut(&Interval),
    ) -> Result<(), ThroughputError> {
        let parameters = &self.plan.parameters;
        let omit = Duration::from_secs(parameters.omit);
        let bound = parameters.octets().filter(|_| parameters.time == 0);
        let end = match parameters.time {
            0 => Duration::MAX,
            seconds => omit + Duration::from_secs(seconds),
        };
        let every = if self.plan.interval.is_zero() { Duration::MAX } else { self.plan.interval };
        let mut counting = omit.is_zero();
        let mut next = every;
        let mut progress = (Duration::ZERO, 0);
        loop {
            let now = carried.run.elapsed();
            let next_omit = if counting { Duration::MAX } else { omit };
            let wait = LOOK_AROUND.min(end.min(next).min(next_omit).saturating_sub(now));
            // Waiting in steps of the system's clock would overshoot; what is left of the last step is short.
            match talk.listen(wait) {
                Ok(()) => {}
                Err(error) => {
                    carried.error = Some(error.to_string());
                    break;
                }
            }
            let now = carried.run.elapsed();
            if self.stop.is_set() {
                carried.interrupted = true;
                break;
            }
            if !counting && now >= omit {
                if self.plan.interval > Duration::ZERO {
                    carried.interval(true, each);
                }
                carried.run.omit_until_now();
                carried.own.clear();
                counting = true;
                next = now.saturating_add(every);
                continue;
            }
            let (sent, received) = carried.run.moved();
            let moved = if parameters.reverse { received } else { sent };
            if now >= end || bound.is_some_and(|bound| counting && moved >= bound) {
                break;
            }
            if now >= next {
                carried.interval(!counting, each);
                next = next.saturating_add(every);
            }
            carried.own.extend(carried.run.round_trips());
            if sent + received != progress.1 {
                progress = (now, sent + received);
            }
            if carried.run.all_broken() {
                carried.error = Some("all streams were closed by the other side or broke".into());
                break;
            }
            if end == Duration::MAX && now.saturating_sub(progress.0) > STALLED {
                return Err(ThroughputError::Stalled { seconds: STALLED.as_secs() });
            }
        }
        carried.run.end();
        carried.interval(!counting, each);
        carried.run.close();
        Ok(())
    }

    /// Exchanges results and says goodbye.
    fn part(&self, talk: &mut Talk, carried: &mut Carried) -> Option<Results> {
        if carried.interrupted {
            let octets = talk.machine.abandon();
            let _ = talk.control.say(&octets);
            return None;
        }
        if carried.error.is_some() {
            return None;
        }
        let octets = talk.machine.end();
        match talk.control.say(&octets).and_then(|()| talk.results(&carried.run.results(), &self.stop)) {
            Ok(results) => Some(results),
            Err(error) => {
                carried.error = Some(error.to_string());
                None
            }
        }
    }
}

/// What a run has given so far.
struct Carried {
    run: Run,
    intervals: Vec<Interval>,
    own: Vec<Duration>,
    error: Option<String>,
    interrupted: bool,
}

impl Carried {
    fn interval(&mut self, omitted: bool, each: &mut dyn FnMut(&Interval)) {
        let interval = self.run.interval(omitted);
        // The rest behind the last full interval is shown if it is more than the timer's inaccuracy. What counts is
        // never put to what does not.
        let is_rest = interval.end.saturating_sub(interval.start) <= Duration::from_millis(20);
        if let Some(last) = self.intervals.last_mut().filter(|last| is_rest && last.omitted == omitted) {
            last.extend(&interval);
        } else {
            each(&interval);
            self.intervals.push(interval);
        }
    }
}

/// Octets that nobody guesses, by the randomness that the standard library has for its tables.
fn random() -> [u8; 36] {
    let mut octets = [0; 36];
    for chunk in octets.chunks_mut(8) {
        let eight = RandomState::new().hash_one("cookie").to_le_bytes();
        chunk.copy_from_slice(&eight[..chunk.len()]);
    }
    octets
}
