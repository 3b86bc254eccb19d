//! Memory of a socket.

use crate::Fields;

/// `INET_DIAG_SKMEMINFO`: memory of a socket, in octets unless said otherwise. Kernels before 4.6 have
/// no drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketMemory<'a>(Fields<'a>);

impl<'a> SocketMemory<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(Fields(octets))
    }

    /// Memory that holds received data.
    pub fn receive_allocated(&self) -> Option<u32> {
        self.0.u32(0)
    }

    /// Limit of the receive buffer.
    pub fn receive_buffer(&self) -> Option<u32> {
        self.0.u32(4)
    }

    /// Memory that holds data on its way out.
    pub fn send_allocated(&self) -> Option<u32> {
        self.0.u32(8)
    }

    /// Limit of the send buffer.
    pub fn send_buffer(&self) -> Option<u32> {
        self.0.u32(12)
    }

    /// Memory set aside for data to come.
    pub fn forward_allocated(&self) -> Option<u32> {
        self.0.u32(16)
    }

    /// Data that is queued to be sent.
    pub fn send_queued(&self) -> Option<u32> {
        self.0.u32(20)
    }

    /// Memory for socket options.
    pub fn option_memory(&self) -> Option<u32> {
        self.0.u32(24)
    }

    /// Packets that wait while the program holds the socket.
    pub fn backlog(&self) -> Option<u32> {
        self.0.u32(28)
    }

    /// Packets dropped by this socket: its receive buffer was full, mostly.
    pub fn drops(&self) -> Option<u32> {
        self.0.u32(32)
    }
}
