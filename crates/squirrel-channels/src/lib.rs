//! Notifications delivered: mail, chat, pagers, webhooks, commands; the queue that survives a stop.
//!
//! - [`NotifyTables`] are the tables of the configuration, and make [`Channel`]s of them.
//! - [`Channels`] take notifications, keep them on disk until a receiver took them, and tell what became of each.
//! - [`Queue`] decides what is delivered next: no I/O but its journal, and time is an argument.
//! - [`Run`] tells what commands did.
//!
//! Absences: no decision who is told of what (that is `squirrel-notify`), no text that is not bounded, no shell.
#![forbid(unsafe_code)]

mod chart;
mod deliver;
mod driver;
mod queue;
mod render;
mod response;
mod settings;

pub use driver::{Channels, Parts, Status};
pub use queue::{
    Accepted, Backlog, Counts, Delivery, MAX_MESSAGE, MAX_WAITING, MAX_WAITING_BYTES, Next, Outcome, Queue, QueueError,
    Recovery, State, Ticket, Work,
};
pub use render::template_help;
pub use response::{Protected, Run, Step};
pub use settings::*;
