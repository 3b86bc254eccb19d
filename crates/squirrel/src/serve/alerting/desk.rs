//! Between alerts and channels: the notifier, its state on disk, and the queue of deliveries.
//!
//! What was decided is on disk, beside the state that says it was told, before it is given to the queue: a program that
//! is killed in between tells it at its next start, and the queue leaves out what it has already ([`outbox`]). So
//! nothing is decided twice, and nothing is lost.

use std::sync::{Arc, Mutex, RwLock};

use squirrel_channels::{Channel, Channels, Protected};
use squirrel_model::{Timestamp, Untrusted};
use squirrel_notify::{Notification, Notifier, Observed, Settings, SettingsError};
use squirrel_store::dir::Dir;
use tokio::runtime::Handle;

use super::{hold, outbox};

/// The file with the notifier's state, and the name under which it is written before it takes its place.
const STATE: &str = "notifier.json";
const TEMPORARY: &str = "tmp-notifier.json";

/// The notifier and the channels. Nobody waits for more than a moment: deliveries go on by themselves.
pub(crate) struct Desk {
    pub(super) notifier: Mutex<Notifier>,
    /// Held from a decision until it is on disk and in the queue: none may overtake it.
    turn: Mutex<Turn>,
    channels: RwLock<Option<Arc<Channels>>>,
    known: Mutex<Vec<KnownChannel>>,
    pub(super) runtime: Handle,
    dir: Arc<dyn Dir>,
}

/// A channel as pages name it.
#[derive(Clone, Debug)]
pub(crate) struct KnownChannel {
    pub(crate) name: String,
    /// As its table is called.
    pub(crate) kind: &'static str,
    /// Where it delivers to, without a path; none where that is no address.
    pub(crate) address: Option<String>,
}

impl From<&Channel> for KnownChannel {
    fn from(channel: &Channel) -> Self {
        Self { name: channel.name().to_owned(), kind: channel.kind(), address: channel.address() }
    }
}

#[derive(Debug, Default)]
struct Turn {
    /// The notifier's revision that is on disk.
    written: u64,
    /// Whether the last attempt to write failed, which was said.
    failing: bool,
    /// Messages that the state on disk counts as told, and that may not be in the queue yet.
    unqueued: Vec<Notification>,
    /// Whether the file names messages that are in the queue by now.
    is_stale: bool,
}

impl Desk {
    /// Takes up the state of the last run.
    ///
    /// # Errors
    /// Settings that do not fit the channels.
    pub(crate) fn open(
        settings: &Settings,
        channels: Channels,
        known: Vec<KnownChannel>,
        dir: Arc<dyn Dir>,
        runtime: Handle,
    ) -> Result<Self, SettingsError> {
        let names: Vec<String> = known.iter().map(|one| one.name.clone()).collect();
        let (mut notifier, mut unqueued) = (Notifier::new(settings, &names)?, Vec::new());
        match dir.read(STATE) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                unqueued = outbox::of(&text);
                for note in notifier.restore(&text) {
                    tracing::warn!("what was told before the start: {}", Untrusted(&note));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!("what was told before the start cannot be read and is told again: {error}"),
        }
        let turn = Turn { written: notifier.revision(), unqueued, ..Turn::default() };
        Ok(Self {
            notifier: Mutex::new(notifier),
            turn: Mutex::new(turn),
            channels: RwLock::new(Some(Arc::new(channels))),
            known: Mutex::new(known),
            runtime,
            dir,
        })
    }

    /// The channels, until they were stopped.
    pub(super) fn channels(&self) -> Option<Arc<Channels>> {
        self.channels.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The channels by name.
    pub(super) fn known(&self) -> Vec<KnownChannel> {
        hold(&self.known).clone()
    }

    /// Takes alerts as an evaluation left them, and tells whoever is to be told. `charts` adds the course of values.
    pub(super) fn observe(&self, at: Timestamp, alerts: &[Observed], charts: impl FnOnce(&mut [Notification])) {
        let mut turn = hold(&self.turn);
        self.queue(&mut turn);
        let mut messages = {
            let mut notifier = hold(&self.notifier);
            if !alerts.is_empty() {
                notifier.observe(at, alerts);
            }
            notifier.due(at)
        };
        if !messages.is_empty() {
            charts(&mut messages);
            turn.unqueued = messages;
            self.write(&mut turn);
            self.queue(&mut turn);
        }
        self.write(&mut turn);
    }

    /// Gives to the queue what is on disk as told. What cannot be on disk is told all the same.
    fn queue(&self, turn: &mut Turn) {
        let messages = std::mem::take(&mut turn.unqueued);
        if !messages.is_empty()
            && let Some(channels) = self.channels()
        {
            self.runtime.block_on(channels.tell(messages));
            turn.is_stale = true;
        }
    }

    /// When [`Desk::observe`] wants to be called, with or without alerts.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let is_at_once = !hold(&self.turn).unqueued.is_empty();
        if is_at_once { Some(Timestamp::default()) } else { hold(&self.notifier).next_wake() }
    }

    /// Changes the notifier on somebody's wish; the change is on disk when this returns.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Notifier) -> T) -> T {
        let mut turn = hold(&self.turn);
        let result = change(&mut hold(&self.notifier));
        self.write(&mut turn);
        result
    }

    /// Puts other settings and channels in force; what is known of alerts stays.
    ///
    /// # Errors
    /// Settings that do not fit the channels: the old ones stay.
    pub(super) fn replace(
        &self,
        settings: &Settings,
        channels: Vec<Channel>,
        protected: Protected,
    ) -> Result<(), SettingsError> {
        let known: Vec<_> = channels.iter().map(KnownChannel::from).collect();
        let names: Vec<String> = known.iter().map(|one| one.name.clone()).collect();
        let mut turn = hold(&self.turn);
        let mut fresh = Notifier::new(settings, &names)?;
        {
            let mut notifier = hold(&self.notifier);
            for note in fresh.restore(&notifier.save()) {
                tracing::warn!("what was told before the configuration changed: {}", Untrusted(&note));
            }
            *notifier = fresh;
        }
        *hold(&self.known) = known;
        if let Some(there) = self.channels() {
            self.runtime.block_on(there.replace(channels, protected));
        }
        // Another notifier counts from the beginning.
        turn.written = u64::MAX;
        self.write(&mut turn);
        Ok(())
    }

    /// Writes the state down, as a whole or not at all.
    fn write(&self, turn: &mut Turn) {
        let (revision, text) = {
            let notifier = hold(&self.notifier);
            if notifier.revision() == turn.written && !turn.is_stale {
                return;
            }
            (notifier.revision(), outbox::beside(notifier.save(), &turn.unqueued))
        };
        match put(&*self.dir, text.as_bytes()) {
            Ok(()) => (turn.written, turn.failing, turn.is_stale) = (revision, false, false),
            Err(error) if !turn.failing => {
                turn.failing = true;
                tracing::error!(
                    "what was told of alerts cannot be written to {}: {error}; after a crash it would be told again",
                    self.dir.place()
                );
            }
            Err(_) => {}
        }
    }

    /// Stops the channels, and waits a moment for deliveries under way.
    pub(super) fn stop(&self) {
        let taken = self.channels.write().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        // A question that is being answered holds them a moment longer; the queue is on disk in any case.
        if let Some(channels) = taken.and_then(Arc::into_inner) {
            self.runtime.block_on(channels.stop());
        }
    }
}

fn put(dir: &dyn Dir, bytes: &[u8]) -> std::io::Result<()> {
    // Left behind by a crash.
    let _ = dir.remove(TEMPORARY);
    let mut file = dir.create(TEMPORARY)?;
    file.write(bytes)?;
    file.sync()?;
    drop(file);
    dir.rename(TEMPORARY, STATE)?;
    dir.sync_folder("")
}
