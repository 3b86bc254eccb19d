//! The names of interfaces by their numbers, for collectors whose messages have numbers only.

use std::collections::BTreeMap;

use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::link::{DUMP_LINKS_WITHOUT_STATISTICS, Link, RTM_GETLINK, RTM_NEWLINK};

/// Most names that are kept.
const MAX_NAMES: usize = 16_384;

/// The names of all interfaces. They are read anew each tick: an interface may be renamed, and the whole
/// dump costs some microseconds.
#[derive(Debug, Default)]
pub(crate) struct InterfaceNames {
    names: BTreeMap<u32, Name>,
}

#[derive(Debug, Default)]
struct Name {
    raw: Vec<u8>,
    text: String,
    present: bool,
}

impl InterfaceNames {
    /// Reads all names.
    ///
    /// # Errors
    /// The dump that failed; the names of the last tick stay.
    pub(crate) fn read(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        self.names.values_mut().for_each(|name| name.present = false);
        kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS_WITHOUT_STATISTICS, &mut |kind, payload| {
            let Ok(link) = Link::parse(payload) else { return };
            if kind != RTM_NEWLINK || (self.names.len() >= MAX_NAMES && !self.names.contains_key(&link.index)) {
                return;
            }
            let name = self.names.entry(link.index).or_default();
            if name.raw != link.name.as_bytes() {
                name.raw = link.name.as_bytes().to_vec();
                name.text = shown(link.name.as_bytes());
            }
            name.present = true;
        })?;
        self.names.retain(|_, name| name.present);
        Ok(())
    }

    /// The name of an interface.
    pub(crate) fn name(&self, index: u32) -> Option<&str> {
        self.names.get(&index).map(|name| name.text.as_str())
    }
}

/// The name as a label shows it: one that is not UTF-8 is written with escapes, so that two of them stay two.
pub(crate) fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => name.escape_ascii().to_string(),
    }
}
