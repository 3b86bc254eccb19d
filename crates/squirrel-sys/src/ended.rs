//! What tells of sockets that have ended, whoever tells it.

use crate::SysError;

/// Announcements of sockets that the kernel has freed, each with its last counters.
///
/// The real one is [`EndedMulticast`](crate::EndedMulticast); a test keeps one in a vector.
pub trait EndedSockets: Send {
    /// Hands over the payload (`struct inet_diag_msg` and attributes) of each announcement since the last call, in
    /// the order of the ends, without waiting. Answers how many announcements were lost since the last call because
    /// nobody fetched them in time. What a call does not fetch, for there is a limit to one call, comes with the next.
    ///
    /// # Errors
    /// The call that failed.
    fn drain(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<u64, SysError>;
}
