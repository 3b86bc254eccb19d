//! The words between the daemon and the processes that keep privileges: either end may be what somebody chose.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_keeper::{Keeper, KeptLedger, Processes, Services, Starter, serve, serve_starter};
use squirrel_sys::SocketLedger as _;
use squirrel_sys::courier::{Courier, LONGEST};

/// Does nothing that is asked.
struct Nothing;

impl Services for Nothing {}

impl Processes for Nothing {
    fn end(&mut self, _: squirrel_keeper::Part) -> Option<String> {
        None
    }

    fn start(&mut self, _: squirrel_keeper::Part) -> std::io::Result<std::os::fd::OwnedFd> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// A connection whose other end has said this and has gone.
fn said(octets: &[u8]) -> Option<Courier> {
    let (ours, theirs) = Courier::pair().ok()?;
    ours.send(octets.get(..LONGEST).unwrap_or(octets), None).ok()?;
    Some(Courier::from(theirs))
}

fuzz_target!(|octets: &[u8]| {
    if let Some(courier) = said(octets) {
        show(&serve(&courier, &mut Nothing));
    }
    if let Some(courier) = said(octets) {
        show(&serve_starter(&courier, &mut Nothing));
    }
    // The other end goes on listening, and has answered before it was asked.
    let answered = || -> Option<(Courier, Courier)> {
        let (ours, theirs) = Courier::pair().ok()?;
        let theirs = Courier::from(theirs);
        theirs.send(octets.get(..LONGEST).unwrap_or(octets), None).ok()?;
        Some((ours, theirs))
    };
    if let Some((ours, _theirs)) = answered() {
        let keeper = Keeper::with_patience(ours, std::time::Duration::ZERO);
        show(&keeper.namespaces());
        show(&keeper.standing());
    }
    if let Some((ours, theirs)) = answered() {
        let keeper = Keeper::new(ours);
        drop(theirs);
        if let Ok(mut ledger) = KeptLedger::open(&keeper) {
            show(&ledger.ended(&mut |record| show(&record)));
        }
    }
    if let Some((ours, theirs)) = answered() {
        drop(theirs);
        show(&Starter::new(ours).map(|starter| starter.start(squirrel_keeper::Part::Keeper)));
    }
});
