//! What the processes with privileges do: each gives up all that it does not need, and serves until the first process
//! has gone.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use anyhow::Context as _;
use squirrel_bpf::{Ledger, PacketOptions, Packets};
use squirrel_keeper::{
    FRAMES_CAPABILITIES, FrameCounter, FrameHost, Host, KEPT_CAPABILITIES, Part, Processes, STARTER_CAPABILITIES,
};
use squirrel_sys::courier::Courier;
use squirrel_sys::privilege;
use squirrel_sys::{SocketLedger, SysError};

use crate::cli::KeeperRole;

/// One of the processes. The first process decides when it is time: a stop that reaches all of them must not take its
/// last answers away.
pub(crate) fn run(role: KeeperRole) -> anyhow::Result<()> {
    squirrel_sys::process::set_name(role.process_name());
    squirrel_sys::signals::ignore_stops();
    let courier = Courier::from_standard_input().context("this command is started by squirrel itself")?;
    match role {
        KeeperRole::Start => start(&courier),
        KeeperRole::Keep => keep(&courier),
        KeeperRole::Count => count(&courier),
        KeeperRole::Look => look(&courier),
    }
    .context("the connection to the daemon failed")
}

/// Starts and ends the others.
fn start(courier: &Courier) -> anyhow::Result<()> {
    privilege::keep_for_children(&STARTER_CAPABILITIES).context("cannot give up privileges")?;
    let mut children = Children { keeper: None, frames: None };
    Ok(squirrel_keeper::serve_starter(courier, &mut children)?)
}

/// Opens what needs a privilege, gives up all that is not needed any more, and answers.
fn keep(courier: &Courier) -> anyhow::Result<()> {
    let ledger = Ledger::open(&squirrel_bpf::Options::default())
        .map(|ledger| Box::new(ledger) as Box<dyn SocketLedger>)
        .map_err(|unavailable| unavailable.to_string());
    let mut host = Host::open(ledger)?;
    privilege::keep_only(&KEPT_CAPABILITIES).context("cannot give up privileges")?;
    Ok(squirrel_keeper::serve(courier, &mut host)?)
}

/// Answers without a ledger, which would take longer to load than the command takes that asks.
fn look(courier: &Courier) -> anyhow::Result<()> {
    privilege::keep_only(&KEPT_CAPABILITIES).context("cannot give up privileges")?;
    let mut host = Host::open(Err("this process only looks".to_owned()))?;
    Ok(squirrel_keeper::serve(courier, &mut host)?)
}

/// Counts frames while it is asked to.
fn count(courier: &Courier) -> anyhow::Result<()> {
    privilege::keep_only(&FRAMES_CAPABILITIES).context("cannot give up privileges")?;
    let open = || {
        let packets = Packets::open(&PacketOptions::default()).map_err(|unavailable| unavailable.to_string())?;
        Ok(Box::new(Counter(packets)) as Box<dyn FrameCounter>)
    };
    let mut host = FrameHost::new(Box::new(open))?;
    Ok(squirrel_keeper::serve(courier, &mut host)?)
}

/// The packet ledger as a service.
struct Counter(Packets);

impl FrameCounter for Counter {
    fn attach(&mut self, interface: u32, name: &str) -> Result<(), String> {
        self.0.attach(interface, name).map_err(|unavailable| unavailable.to_string())
    }

    fn detach(&mut self, interface: u32) {
        self.0.detach(interface);
    }

    fn rows(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        self.0.raw_rows(each)
    }
}

/// The processes that this one has started.
struct Children {
    keeper: Option<Child>,
    frames: Option<Child>,
}

impl Children {
    fn place(&mut self, part: Part) -> &mut Option<Child> {
        match part {
            Part::Keeper => &mut self.keeper,
            Part::Frames => &mut self.frames,
        }
    }
}

impl Processes for Children {
    fn end(&mut self, part: Part) -> Option<String> {
        let mut child = self.place(part).take()?;
        // One that has ended already keeps the status that it ended with.
        let _ = child.kill();
        Some(match child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        })
    }

    fn start(&mut self, part: Part) -> io::Result<OwnedFd> {
        let role = match part {
            Part::Keeper => KeeperRole::Keep,
            Part::Frames => KeeperRole::Count,
        };
        let (ours, other_end) = Courier::pair()?;
        *self.place(part) = Some(super::command(role).stdin(Stdio::from(other_end)).spawn()?);
        Ok(ours.into())
    }
}
