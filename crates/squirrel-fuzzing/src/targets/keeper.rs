//! The words between the daemon and the processes that keep privileges: either end may be what somebody chose.

use std::os::fd::OwnedFd;
use std::time::Duration;

use squirrel_keeper::{Keeper, KeptLedger, Part, Processes, Services, Starter, serve, serve_starter};
use squirrel_sys::SocketLedger as _;
use squirrel_sys::containers::{ContainerId, Runtime};
use squirrel_sys::courier::{Courier, LONGEST};

use crate::show;

/// Does nothing that is asked.
struct Nothing;

impl Services for Nothing {}

impl Processes for Nothing {
    fn end(&mut self, _: Part) -> Option<String> {
        None
    }

    fn start(&mut self, _: Part) -> std::io::Result<OwnedFd> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// A connection whose other end has said this and has gone.
fn said(octets: &[u8]) -> Courier {
    let (ours, theirs) = Courier::pair().expect("a pair of sockets");
    ours.send(octets.get(..LONGEST).unwrap_or(octets), None).expect("there is room for one message");
    Courier::from(theirs)
}

/// The same, of which the other end goes on listening: it has answered before it was asked.
fn answered(octets: &[u8]) -> (Courier, Courier) {
    let (ours, theirs) = Courier::pair().expect("a pair of sockets");
    let theirs = Courier::from(theirs);
    theirs.send(octets.get(..LONGEST).unwrap_or(octets), None).expect("there is room for one message");
    (ours, theirs)
}

/// One message, to each end.
pub(super) fn words(octets: &[u8]) {
    // A message of no octets is the end of a connection.
    if octets.is_empty() {
        return;
    }
    show(&serve(&said(octets), &mut Nothing));
    show(&serve_starter(&said(octets), &mut Nothing));
    let ask = |ask: &dyn Fn(&Keeper)| {
        let (ours, _theirs) = answered(octets);
        let keeper = Keeper::with_patience(ours, Duration::ZERO);
        ask(&keeper);
        show(&keeper.standing());
    };
    ask(&|keeper| show(&keeper.namespaces()));
    ask(&|keeper| show(&keeper.container(Runtime::Any, ContainerId([0; 32]))));
    let (ours, theirs) = answered(octets);
    drop(theirs);
    if let Ok(mut ledger) = KeptLedger::open(&Keeper::new(ours)) {
        show(&ledger.ended(&mut |record| show(&record)));
    }
    let (ours, theirs) = answered(octets);
    drop(theirs);
    show(&Starter::new(ours).map(|starter| starter.start(Part::Keeper)));
}
