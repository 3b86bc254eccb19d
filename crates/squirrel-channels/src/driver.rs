//! The queue's hands: one task that owns the queue, starts deliveries, and writes down how they end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_notify::Notification;
use squirrel_outbound::Client;
use squirrel_store::dir::Dir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use crate::deliver::{Kind, deliver};
use crate::queue::{Accepted, Backlog, Counts, Delivery, Next, Outcome, Queue, QueueError, Recovery, Ticket, Work};
use crate::response::{Protected, Responder, Run};
use crate::settings::{Channel, Policy};

/// Requests that wait for the task.
const REQUESTS: usize = 64;
/// The longest sleep: a clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long a stop waits for deliveries under way; what is not through then goes on after the next start.
const GRACE: Duration = Duration::from_secs(5);

/// The channels while they work. Dropping it stops them without waiting for what is under way.
#[derive(Debug)]
pub struct Channels {
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

/// What the channels need from outside.
#[derive(Debug)]
pub struct Parts {
    /// The channels.
    pub channels: Vec<Channel>,
    /// A folder of their own.
    pub dir: Arc<dyn Dir>,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
    /// Anything that differs from start to start: it spreads pauses.
    pub seed: u64,
    /// What commands may never act upon: this host's addresses and names, its gateways and resolvers.
    pub protected: Protected,
}

/// How the channels are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What happened since the start.
    pub counts: Counts,
    /// What waits for each channel.
    pub backlog: Vec<Backlog>,
    /// Why the journal could not be written the last time.
    pub trouble: Option<String>,
}

enum Request {
    Tell(Vec<Notification>, oneshot::Sender<Vec<Accepted>>),
    Deliveries(oneshot::Sender<Vec<Delivery>>),
    Runs(oneshot::Sender<Vec<Run>>),
    Status(oneshot::Sender<Status>),
    Replace(Vec<Channel>, Protected, oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
}

impl Channels {
    /// Opens the queue and begins to deliver. It must be called within a runtime of tokio.
    ///
    /// # Errors
    /// When the folder can be neither read nor written.
    pub fn start(parts: Parts) -> Result<(Self, Recovery), QueueError> {
        let at = (parts.clock)();
        let (queue, recovery) = Queue::open(&parts.dir, policies(&parts.channels), parts.seed, at)?;
        let responder = Arc::new(Responder::open(parts.dir, parts.clock)?);
        let (requests, receiver) = mpsc::channel(REQUESTS);
        let driver = Driver {
            queue: Some(queue),
            channels: by_name(parts.channels),
            client: Arc::new(Client::new()),
            responder,
            protected: Arc::new(parts.protected),
            clock: parts.clock,
            deliveries: JoinSet::new(),
            tickets: HashMap::new(),
            undoing: JoinSet::new(),
            trouble: None,
        };
        Ok((Self { requests, task: tokio::spawn(driver.run(receiver)) }, recovery))
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (answer, receiver) = oneshot::channel();
        self.requests.send(request(answer)).await.ok()?;
        receiver.await.ok()
    }

    /// Hands in messages; when this returns they outlast a crash, as far as the disk allows. One answer for each; none
    /// when the channels have stopped.
    pub async fn tell(&self, notifications: Vec<Notification>) -> Vec<Accepted> {
        self.ask(|answer| Request::Tell(notifications, answer)).await.unwrap_or_default()
    }

    /// What became of messages, newest first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.ask(Request::Deliveries).await.unwrap_or_default()
    }

    /// What commands did, newest first.
    pub async fn runs(&self) -> Vec<Run> {
        self.ask(Request::Runs).await.unwrap_or_default()
    }

    /// How the channels are; none when they have stopped.
    pub async fn status(&self) -> Option<Status> {
        self.ask(Request::Status).await
    }

    /// Other channels, from a configuration that was read anew.
    pub async fn replace(&self, channels: Vec<Channel>, protected: Protected) {
        self.ask(|answer| Request::Replace(channels, protected, answer)).await;
    }

    /// Starts no more deliveries, waits a moment for those under way, and writes everything down.
    pub async fn stop(self) {
        self.ask(Request::Stop).await;
        let _ = self.task.await;
    }
}

fn policies(channels: &[Channel]) -> Vec<Policy> {
    channels.iter().map(|channel| channel.policy.clone()).collect()
}

fn by_name(channels: Vec<Channel>) -> BTreeMap<String, Arc<Channel>> {
    channels.into_iter().map(|channel| (channel.name().to_owned(), Arc::new(channel))).collect()
}

struct Driver {
    /// Away only while it is written to the disk.
    queue: Option<Queue>,
    channels: BTreeMap<String, Arc<Channel>>,
    client: Arc<Client>,
    responder: Arc<Responder>,
    protected: Arc<Protected>,
    clock: fn() -> Timestamp,
    deliveries: JoinSet<Outcome>,
    tickets: HashMap<tokio::task::Id, Ticket>,
    undoing: JoinSet<()>,
    trouble: Option<String>,
}

impl Driver {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        loop {
            let pause = self.start_due();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Stop(answer)) => {
                        self.finish().await;
                        let _ = answer.send(());
                        return;
                    }
                    Some(request) => self.answer(request).await,
                    None => return,
                },
                Some(ended) = self.deliveries.join_next_with_id() => {
                    self.ended(ended);
                    // Those that ended meanwhile are written down at once.
                    while let Some(ended) = self.deliveries.try_join_next_with_id() {
                        self.ended(ended);
                    }
                    self.commit().await;
                }
                Some(_) = self.undoing.join_next() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Starts what is due; how long to sleep afterwards.
    fn start_due(&mut self) -> Duration {
        let at = (self.clock)();
        let mut next = None;
        while let Some(queue) = &mut self.queue {
            match queue.next(at) {
                Next::Work(work) => self.start(*work),
                Next::Wait(until) => {
                    next = until;
                    break;
                }
            }
        }
        let undo = self.responder.next_undo().filter(|_| self.undoing.is_empty());
        if undo.is_some_and(|due| due <= at) {
            let (responder, channels) = (self.responder.clone(), self.channels.clone());
            self.undoing.spawn(async move {
                let settings = |name: &str| match &channels.get(name)?.kind {
                    Kind::Command(settings) => Some((**settings).clone()),
                    _ => None,
                };
                responder.undo_due(settings).await;
            });
        }
        let waits = [next, undo.filter(|due| *due > at)].into_iter().flatten();
        let pause = waits.map(|until| until.0.saturating_sub(at.0).max(1).unsigned_abs()).min();
        pause.map_or(LONGEST_SLEEP, |ms| Duration::from_millis(ms).min(LONGEST_SLEEP))
    }

    fn start(&mut self, work: Work) {
        let ticket = work.ticket.clone();
        let Some(channel) = self.channels.get(&ticket.channel).cloned() else { return };
        let (client, responder, protected) = (self.client.clone(), self.responder.clone(), self.protected.clone());
        let task = self.deliveries.spawn(async move {
            match &channel.kind {
                Kind::Command(settings) => responder.act(settings, &protected, &work.notification).await,
                _ => deliver(&channel, &client, &work).await,
            }
        });
        self.tickets.insert(task.id(), ticket);
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Outcome), JoinError>) {
        let (id, outcome) = ended.unwrap_or_else(|error| {
            let answer = "the delivery itself failed: a fault of Squirrel".to_owned();
            (error.id(), Outcome::Failed { answer, retry_after: None })
        });
        if let (Some(ticket), Some(queue)) = (self.tickets.remove(&id), &mut self.queue) {
            log_outcome(&ticket, &outcome);
            queue.done(&ticket, outcome, (self.clock)());
        }
    }

    async fn answer(&mut self, request: Request) {
        let at = (self.clock)();
        let Some(queue) = &mut self.queue else { return };
        match request {
            Request::Tell(notifications, answer) => {
                let accepted = notifications.into_iter().map(|one| queue.accept(one, at)).collect();
                self.commit().await;
                let _ = answer.send(accepted);
            }
            Request::Deliveries(answer) => {
                let _ = answer.send(queue.deliveries());
            }
            Request::Runs(answer) => {
                let _ = answer.send(self.responder.runs());
            }
            Request::Status(answer) => {
                let status = Status { counts: queue.counts(), backlog: queue.backlog(), trouble: self.trouble.clone() };
                let _ = answer.send(status);
            }
            Request::Replace(channels, protected, answer) => {
                queue.set_policies(policies(&channels), at);
                self.channels = by_name(channels);
                self.protected = Arc::new(protected);
                self.commit().await;
                let _ = answer.send(());
            }
            Request::Stop(_) => {}
        }
    }

    /// Writes the queue down, away from the threads that carry deliveries.
    async fn commit(&mut self) {
        let Some(mut queue) = self.queue.take() else { return };
        let at = (self.clock)();
        let written = tokio::task::spawn_blocking(move || {
            let result = queue.commit(at);
            (queue, result)
        });
        // A disk that panics takes the queue with it; there is nothing left to go on with.
        let Ok((queue, result)) = written.await else { return };
        self.queue = Some(queue);
        let trouble = result.err().map(|error| error.to_string());
        if let Some(trouble) = trouble.as_ref().filter(|trouble| self.trouble.as_ref() != Some(*trouble)) {
            tracing::error!("{trouble}; messages are delivered from memory, and a crash would lose them");
        }
        self.trouble = trouble;
    }

    async fn finish(mut self) {
        let through = async {
            while let Some(ended) = self.deliveries.join_next_with_id().await {
                self.ended(ended);
            }
        };
        let _ = tokio::time::timeout(GRACE, through).await;
        self.commit().await;
    }
}

fn log_outcome(ticket: &Ticket, outcome: &Outcome) {
    match outcome {
        Outcome::Delivered { .. } => tracing::debug!("channel {} took a message", ticket.channel),
        Outcome::Failed { answer, .. } => {
            tracing::warn!("channel {}: {}; tried again later", ticket.channel, squirrel_model::Untrusted(answer));
        }
        Outcome::Refused { answer } => {
            tracing::warn!("channel {} refused a message: {}", ticket.channel, squirrel_model::Untrusted(answer));
        }
    }
}
