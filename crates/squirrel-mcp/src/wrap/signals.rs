//! Signals that are for the server.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Those that ask a program to do something and can be caught.
fn kinds() -> [SignalKind; 6] {
    [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::terminate(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ]
}

/// Whether a terminal sends it, to every process in its foreground.
pub(super) fn comes_from_terminal(signal: i32) -> bool {
    [SignalKind::interrupt(), SignalKind::quit()].iter().any(|kind| kind.as_raw_value() == signal)
}

/// Listens to all of them, but for those that we were started to ignore: so is the server then, and it stays
/// so when nobody listens (as `nohup` wants it).
pub(super) struct Signals(Vec<(i32, Signal)>);

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let ignored = squirrel_sys::signals::ignored();
        let kinds = kinds().into_iter().filter(|kind| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
        kinds.map(|kind| Ok((kind.as_raw_value(), signal(kind)?))).collect::<io::Result<_>>().map(Self)
    }

    /// The next that comes.
    pub(super) async fn next(&mut self) -> i32 {
        poll_fn(|context| {
            let mut came = self.0.iter_mut().filter_map(|(number, signal)| {
                matches!(signal.poll_recv(context), Poll::Ready(Some(()))).then_some(*number)
            });
            came.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
