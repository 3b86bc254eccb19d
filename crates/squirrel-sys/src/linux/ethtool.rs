//! The `SIOCETHTOOL` request.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::raw::{ControlSocket, GuardedBuffer};
use crate::SysError;

/// Largest request; the names of 65,536 statistics have half of it.
const MAX_LEN: usize = 4 << 20;

/// The socket and the buffer of these requests, opened with the first one.
#[derive(Debug, Default)]
pub(super) struct Door {
    parts: Mutex<Option<(ControlSocket, GuardedBuffer)>>,
}

impl Door {
    /// Copies the command into a buffer that ends at a forbidden page, makes the request there, and
    /// copies the answer back. The detour is needed because the kernel writes as much as the driver
    /// has, not as much as was asked for: a driver whose number of statistics grew since it was asked
    /// would overwrite what lies behind the caller's buffer.
    pub(super) fn request(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        let failed = |source| SysError::new("ethtool", interface, source);
        if command.len() < 4 || command.len() > MAX_LEN {
            let kind = io::ErrorKind::InvalidInput;
            return Err(failed(io::Error::new(kind, "a command has between 4 bytes and 4 MiB")));
        }
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let (socket, buffer) = match &mut *parts {
            Some(parts) => parts,
            none => none.insert((ControlSocket::open().map_err(failed)?, GuardedBuffer::new(MAX_LEN).map_err(failed)?)),
        };
        if let Some(place) = buffer.as_mut_slice().get_mut(..command.len()) {
            place.copy_from_slice(command);
        }
        socket.ethtool(interface, buffer).map_err(failed)?;
        if let Some(answer) = buffer.as_mut_slice().get(..command.len()) {
            command.copy_from_slice(answer);
        }
        Ok(())
    }
}
