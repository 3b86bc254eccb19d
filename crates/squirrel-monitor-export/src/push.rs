//! The loop of a format that is sent: each interval an export is made and put into a queue, whose first
//! one is on its way.

use std::collections::VecDeque;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::time::Duration;

use hyper::header::HeaderValue;
use squirrel_monitor::ExportContext;
use tokio::time::Instant;

use crate::endpoint::Endpoint;
use crate::post::{Answer, post};
use crate::push_format::{Package, PushFormat, Verdict};

/// The pause after the first try that failed; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long the last exports may take after the stop; the monitor waits a second more.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// Most samples that wait, whatever the number of exports; the newest export may be larger.
const MAX_WAITING: u64 = 200_000;

/// Whom to send to, and how often.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: Option<HeaderValue>,
    pub(crate) interval: Duration,
    /// How many exports wait at most.
    pub(crate) queue: usize,
}

/// An export on its way.
type Sending = Pin<Box<dyn Future<Output = (Package, Result<Answer, String>)> + Send>>;

pub(crate) struct Push {
    target: Target,
    format: PushFormat,
    context: ExportContext,
    waiting: VecDeque<Package>,
    /// Tries that failed one after the other.
    failures: u32,
    /// Makes pauses of many processes differ.
    chance: RandomState,
}

impl Push {
    pub(crate) fn new(target: Target, format: PushFormat, context: ExportContext) -> Self {
        let chance = RandomState::new();
        Self { target, format, context, waiting: VecDeque::new(), failures: 0, chance }
    }

    pub(crate) async fn run(mut self) {
        let begin = Instant::now();
        let (mut next, mut allowed) = (begin, begin);
        let mut sending: Option<Sending> = None;
        loop {
            let idle = sending.is_none();
            tokio::select! {
                () = self.context.stopped() => break,
                () = tokio::time::sleep_until(next) => {
                    if !self.make() {
                        return;
                    }
                    // Ticks that were missed (a machine suspended, a busy runtime) are not made up for.
                    next = (next + self.target.interval).max(Instant::now());
                }
                () = tokio::time::sleep_until(allowed), if idle && !self.waiting.is_empty() => sending = self.begin(),
                (package, answer) = arrival(&mut sending), if !idle => {
                    sending = None;
                    if let Some(pause) = self.judge(package, answer) {
                        allowed = Instant::now() + pause;
                    }
                }
            }
        }
        self.end(sending).await;
    }

    /// Makes an export and puts it into the queue. False when the monitor is gone.
    fn make(&mut self) -> bool {
        let Some(packages) = self.format.packages(self.context.source()) else { return false };
        self.waiting.extend(packages);
        self.shorten();
        true
    }

    /// Drops the oldest exports when more wait than may.
    fn shorten(&mut self) {
        let newest = self.waiting.back().map_or(0, |package| package.export);
        let oldest = (newest + 1).saturating_sub(self.target.queue as u64);
        let mut points: u64 = self.waiting.iter().map(|package| package.points).sum();
        let is_too_much = |package: &mut Package, points: u64| {
            package.export < oldest || (points > MAX_WAITING && package.export < newest)
        };
        while let Some(package) = self.waiting.pop_front_if(|package| is_too_much(package, points)) {
            points -= package.points;
            self.drop_package(&package);
        }
    }

    fn drop_package(&mut self, package: &Package) {
        self.format.lost();
        self.context.lost(package.points);
    }

    fn begin(&mut self) -> Option<Sending> {
        let package = self.waiting.pop_front()?;
        let request = self.format.request(&package);
        let (endpoint, token) = (self.target.endpoint.clone(), self.target.token.clone());
        Some(Box::pin(async move {
            let answer = post(&endpoint, token.as_ref(), request).await;
            (package, answer)
        }))
    }

    /// What an answer means for its export, and how long to wait before the next.
    fn judge(&mut self, package: Package, answer: Result<Answer, String>) -> Option<Duration> {
        let authority = self.target.endpoint.authority();
        let verdict = match answer {
            Ok(answer) => self.format.judge(&package, &answer),
            Err(reason) => Verdict::Again { after: None, reason },
        };
        match verdict {
            Verdict::Taken { refused: 0, .. } => {
                self.failures = 0;
                self.context.worked();
                None
            }
            Verdict::Taken { refused, reason } => {
                self.failures = 0;
                self.context.lost(refused);
                self.context.failed(format!("{authority} {reason}"));
                None
            }
            Verdict::Otherwise => {
                self.waiting.push_front(package);
                None
            }
            Verdict::Refused { reason } => {
                self.failures = 0;
                self.drop_package(&package);
                self.context.failed(format!("{authority} {reason}"));
                None
            }
            Verdict::Again { after, reason } => {
                self.waiting.push_front(package);
                self.shorten();
                self.context.failed(format!("{authority} {reason}"));
                self.failures = self.failures.saturating_add(1);
                Some(after.unwrap_or_else(|| self.pause()))
            }
        }
    }

    /// Twice as long each time, and up to a quarter longer by chance.
    fn pause(&self) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.failures.saturating_sub(1)).min(10)).min(LONGEST_PAUSE);
        let share = (self.chance.hash_one(self.failures) % 256) as u32;
        doubled + doubled / 1_024 * share
    }

    /// The last numbers, and what waits: one try each.
    async fn end(mut self, sending: Option<Sending>) {
        let last = async {
            if let Some(sending) = sending {
                let (package, answer) = sending.await;
                self.judge(package, answer);
            }
            self.make();
            while let Some(sending) = self.begin() {
                let (package, answer) = sending.await;
                if self.judge(package, answer).is_some() {
                    break;
                }
            }
        };
        // What it was sending then is lost, and so is what waits.
        let in_flight = tokio::time::timeout(LAST_WORDS, last).await.is_err();
        let waiting: u64 = self.waiting.iter().map(|package| package.points).sum();
        self.context.lost(waiting + if in_flight { self.format.points_in_flight() } else { 0 });
    }
}

/// Waits for the export on its way, and for ever when there is none.
async fn arrival(sending: &mut Option<Sending>) -> (Package, Result<Answer, String>) {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use squirrel_monitor::{ExportConfig, ExportTask, Exporter, NetworkConfig, NetworkMonitor};
    use std::sync::{Arc, Mutex};

    /// Keeps the context that it was given.
    #[derive(Clone, Default)]
    struct Keeping(Arc<Mutex<Option<ExportContext>>>);

    impl Exporter for Keeping {
        fn prepare(
            &self,
            _: Option<&ExportConfig>,
            context: ExportContext,
        ) -> Result<ExportTask, Box<dyn std::error::Error + Send + Sync>> {
            *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(context);
            Ok(Box::pin(std::future::pending()))
        }
    }

    /// A push to nobody, for a monitor of this many message types.
    async fn push(types: usize, queue: usize) -> (NetworkMonitor, Push) {
        let keeping = Keeping::default();
        let config = NetworkConfig { max_message_types: types, ..NetworkConfig::default() };
        let monitor = NetworkMonitor::builder(config).exporter(keeping.clone()).build();
        monitor.start().await.unwrap();
        (0..types).for_each(|i| monitor.recorder().record_message_received(&i.to_string(), 1));
        let context = keeping.0.lock().unwrap().take().unwrap();
        let endpoint = Endpoint::read("127.0.0.1:9", "/", 9).unwrap();
        let target = Target { endpoint, token: None, interval: Duration::from_secs(1), queue };
        (monitor, Push::new(target, PushFormat::remote_write(Options::default()), context))
    }

    #[tokio::test]
    async fn what_waits_has_an_end_by_exports_and_by_samples() {
        let (monitor, mut few) = push(2, 3).await;
        (0..10).for_each(|_| assert!(few.make()));
        let waiting: Vec<u64> = few.waiting.iter().map(|package| package.export).collect();
        assert_eq!(waiting, [8, 9, 10]);
        let each: u64 = few.waiting.iter().map(|package| package.points).sum::<u64>() / 3;
        assert_eq!(monitor.lost_exports(), 7 * each);

        let (monitor, mut many) = push(20_000, 1_000).await;
        (0..8).for_each(|_| assert!(many.make()));
        let waiting: u64 = many.waiting.iter().map(|package| package.points).sum();
        assert!(waiting <= MAX_WAITING && monitor.lost_exports() > 0, "{waiting}");
    }

    #[tokio::test]
    async fn pauses_grow_to_a_minute_and_differ() {
        let (_monitor, mut push) = push(1, 1).await;
        let pauses: Vec<Duration> = (1..40)
            .map(|failures| {
                push.failures = failures;
                push.pause()
            })
            .collect();
        assert!(pauses[0] >= FIRST_PAUSE && pauses[0] <= FIRST_PAUSE * 5 / 4, "{pauses:?}");
        assert!(pauses[3] >= FIRST_PAUSE * 8, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4), "{pauses:?}");
    }
}
