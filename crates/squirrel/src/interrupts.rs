//! Commands that last until they are done or somebody interrupts them.

use anyhow::{Context as _, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a measurement.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Listens from now on; must be called within a runtime.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A runtime for a command that waits for one thing at a time.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}

/// Works in a thread of its own until that ends by itself, or an interrupt comes and `stop` is called, which must make
/// it end. Gives what came of the work, and whether an interrupt came.
///
/// # Errors
/// When interrupts cannot be listened for, before the work begins; work that panics.
pub(crate) fn until_interrupt<T: Send>(
    work: impl FnOnce() -> T + Send,
    stop: impl FnOnce(),
) -> anyhow::Result<(T, bool)> {
    let (done, ended) = tokio::sync::oneshot::channel();
    let runtime = runtime()?;
    // Before the work begins: until then an interrupt would end the program without a word.
    let mut interrupts = runtime.block_on(async { Interrupts::listen() }).context("cannot listen for interrupts")?;
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            // Nobody waits any more after an interrupt.
            let _ = done.send(());
            result
        });
        let interrupted = runtime.block_on(async {
            tokio::select! {
                _ = ended => false,
                () = interrupts.wait() => true,
            }
        });
        if interrupted {
            stop();
        }
        let result = worker.join().map_err(|_| anyhow!("the worker ended unexpectedly"))?;
        Ok((result, interrupted))
    })
}
