//! Traces of paths, on threads of their own: each waits for answers most of its time.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use squirrel_probe::Trace;
use squirrel_probe::drive::{Clocks, Options};
use squirrel_probe::path::Plan;
use squirrel_probe::path::drive::{Driver, Protocol};
use squirrel_sys::clock;
use squirrel_sys::probe_socket::SocketOptions;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::entry::Traced;
use crate::hold;

/// Traces under way at one time at most.
pub(crate) const AT_ONCE: usize = 16;
/// Time between two questions to one place: routers limit how often they answer.
pub(crate) const ROUND: Duration = Duration::from_secs(1);

/// What is traced, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// Whose sockets are used again, so that the questions keep to one way; none for those of one run.
    pub(crate) index: Option<u32>,
    pub(crate) address: IpAddr,
    pub(crate) packets: u32,
    pub(crate) timeout: Duration,
}

type Reply = oneshot::Sender<Result<Traced, String>>;

/// The threads.
pub(crate) struct Paths {
    jobs: Mutex<Option<SyncSender<(Order, Reply)>>>,
    ground: Arc<Ground>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Dropped, it ends the traces under way.
    stop: Mutex<Option<UnixStream>>,
}

/// What the threads share.
struct Ground {
    jobs: Mutex<Receiver<(Order, Reply)>>,
    stopped: UnixStream,
    clock: Clock,
    /// Sockets of targets between two traces.
    drivers: Mutex<HashMap<u32, (IpAddr, Driver)>>,
}

impl Paths {
    /// Threads start with the first traces.
    ///
    /// # Errors
    /// A system without room for a pair of sockets.
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let (jobs, taken) = sync_channel(AT_ONCE);
        let (stop, stopped) = UnixStream::pair()?;
        let ground = Ground { jobs: Mutex::new(taken), stopped, clock, drivers: Mutex::default() };
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            ground: Arc::new(ground),
            threads: Mutex::default(),
            stop: Mutex::new(Some(stop)),
        })
    }

    /// Traces a path.
    ///
    /// # Errors
    /// Why it cannot be asked at all, in words.
    pub(crate) async fn trace(&self, order: Order) -> Result<Traced, String> {
        const ENDED: &str = "the tracing of paths has ended";
        self.staff()?;
        let (reply, answer) = oneshot::channel();
        let sent = hold(&self.jobs).as_ref().map(|jobs| jobs.try_send((order, reply)));
        match sent {
            Some(Ok(())) => answer.await.unwrap_or_else(|_| Err(ENDED.to_owned())),
            Some(Err(TrySendError::Full(_))) => Err(format!("{AT_ONCE} paths are being traced, and as many wait")),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ENDED.to_owned()),
        }
    }

    /// Forgets the sockets of a target.
    pub(crate) fn forget(&self, index: u32) {
        hold(&self.ground.drivers).remove(&index);
    }

    fn staff(&self) -> Result<(), String> {
        let mut threads = hold(&self.threads);
        while threads.len() < AT_ONCE {
            let ground = Arc::clone(&self.ground);
            let thread = std::thread::Builder::new().name("squirrel-path".to_owned()).spawn(move || ground.work());
            match thread {
                Ok(thread) => threads.push(thread),
                Err(_) if !threads.is_empty() => break,
                Err(_) => return Err("this host has no room for another thread".to_owned()),
            }
        }
        Ok(())
    }

    /// Ends the threads, and waits for them.
    pub(crate) fn stop(&self) {
        drop(hold(&self.stop).take());
        drop(hold(&self.jobs).take());
        let threads = std::mem::take(&mut *hold(&self.threads));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that traces paths ended in a panic");
            }
        }
    }
}

impl Ground {
    fn work(&self) {
        loop {
            // One waits for the next trace, the others for their turn to.
            let job = hold(&self.jobs).recv();
            let Ok((order, reply)) = job else { return };
            // Nobody waits any more.
            let _ = reply.send(self.trace(order));
        }
    }

    fn trace(&self, order: Order) -> Result<Traced, String> {
        let kept = order.index.and_then(|index| hold(&self.drivers).remove(&index));
        let mut driver = match kept.filter(|(address, _)| *address == order.address) {
            Some((_, driver)) => driver,
            None => open(order.address)?,
        };
        let (began, clock) = (self.clock.wall(), self.clock);
        let start = clock.steady();
        let plan =
            Plan { rounds: Some(order.packets.max(1)), interval: ROUND, timeout: order.timeout, ..Plan::default() };
        let mut trace = Trace::new(plan, order.address, start);
        let clocks = Clocks { steady: &|| clock.steady(), wall: &clock::wall_nanos };
        let strange = driver.strange();
        let stop = Some(self.stopped.as_fd());
        let ended = driver.run(&mut trace, &clocks, stop, ROUND, &mut |_, _| ControlFlow::Continue(()));
        trace.abandon();
        ended.map_err(|error| squirrel_model::without_numbers(&error.to_string()).to_lowercase())?;
        let traced = Traced {
            began,
            took: clock.steady().0.saturating_sub(start.0),
            address: order.address,
            carrier: driver.carrier(),
            report: trace.report(),
            strange: driver.strange().saturating_sub(strange),
        };
        if let Some(index) = order.index {
            hold(&self.drivers).insert(index, (order.address, driver));
        }
        Ok(traced)
    }
}

fn open(address: IpAddr) -> Result<Driver, String> {
    let options = Options { socket: SocketOptions::default(), size: 0, run: RandomState::new().hash_one("path") };
    Driver::open(address, 1, Protocol::Any, &options).map_err(|error| error.to_string())
}

/// How long a trace may take: its rounds, and the answers to the last.
pub(crate) fn longest(packets: u32, timeout: Duration) -> Duration {
    ROUND * packets + timeout * 2
}
