//! From alert to person: grouping, inhibition, silences, acknowledgement, escalation, flapping, dependencies,
//! quiet hours, and the record of them.
#![forbid(unsafe_code)]

mod notification;

pub use notification::{Chart, Notification, NotifiedAlert, Reason, Texts};
