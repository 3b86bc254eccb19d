//! The level `packets`: each frame of the interfaces of this network namespace is counted in the kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_account::{FollowedInterface, PacketSource, Sources};
use squirrel_bpf::{PacketOptions, Packets};
use squirrel_sys::{Kernel, Netlink, PacketLedger, SysError};
use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK, RTM_NEWLINK};

use crate::config::AccountingLevel;

/// Said of interfaces, and of the level, when none can be added any more.
const SEALED: &str = "Interfaces that come after the start are estimated until a restart, since the privilege to \
                      count them was given up.";

/// Counts the frames of all interfaces of the namespace in which it was opened. Dropping it takes the programs from
/// them.
pub(super) struct Frames {
    packets: Packets,
    kernel: Arc<dyn Kernel>,
    /// Why interfaces are not counted, by index.
    refused: BTreeMap<u32, String>,
    /// Whether the privilege to attach programs was given up.
    sealed: bool,
}

impl Frames {
    /// Counts from now on, if the level asks for it.
    pub(super) fn wanted(level: AccountingLevel, sources: &Sources) -> Option<Result<Self, String>> {
        (level == AccountingLevel::Packets).then(|| Self::open(Arc::clone(&sources.host)))
    }

    /// Counts from now on; `kernel` answers from the namespace of the calling thread.
    ///
    /// # Errors
    /// A sentence that says why no interface can be counted, and how to permit it.
    fn open(kernel: Arc<dyn Kernel>) -> Result<Self, String> {
        let packets = Packets::open(&PacketOptions::default()).map_err(|error| error.to_string())?;
        let mut frames = Self { packets, kernel, refused: BTreeMap::new(), sealed: false };
        let interfaces = frames.follow().map_err(|error| error.to_string())?;
        if interfaces.iter().all(|interface| interface.missing.is_some()) {
            let first = interfaces.into_iter().find_map(|interface| interface.missing);
            return Err(first.unwrap_or_else(|| "there is no interface to count frames of".to_owned()));
        }
        Ok(frames)
    }

    /// To be called before privileges are given up: what is counted stays so, and nothing is added.
    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    /// Counts an interface; why not, when it cannot be.
    fn attach(&mut self, index: u32, name: &[u8]) -> Option<String> {
        let refused = match std::str::from_utf8(name) {
            Err(_) => "its name is not UTF-8".to_owned(),
            Ok(_) if self.packets.attached().any(|attached| attached == index) => return None,
            Ok(_) if self.sealed => SEALED.to_owned(),
            // What was refused once is not tried each second.
            Ok(name) => match self.refused.get(&index) {
                Some(reason) => return Some(reason.clone()),
                None => self.packets.attach(index, name).err()?.to_string(),
            },
        };
        self.refused.insert(index, refused.clone());
        Some(refused)
    }
}

impl PacketSource for Frames {
    fn follow(&mut self) -> Result<Vec<FollowedInterface>, SysError> {
        let mut present: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        self.kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |kind, payload| {
            if kind == RTM_NEWLINK
                && let Ok(link) = Link::parse(payload)
            {
                present.insert(link.index, link.name.as_bytes().to_vec());
            }
        })?;
        let gone: Vec<u32> = self.packets.attached().filter(|index| !present.contains_key(index)).collect();
        for index in gone {
            self.packets.detach(index);
        }
        self.refused.retain(|index, _| present.contains_key(index));
        let followed = present.into_iter().map(|(index, name)| {
            let missing = self.attach(index, &name);
            FollowedInterface { index, name: shown(&name), missing }
        });
        Ok(followed.collect())
    }

    fn ledger(&mut self) -> &mut dyn PacketLedger {
        &mut self.packets
    }

    fn limit(&self) -> Option<&str> {
        self.sealed.then_some(SEALED)
    }
}

/// A name that is not UTF-8 is written with escapes, as the accountant writes it.
fn shown(name: &[u8]) -> String {
    std::str::from_utf8(name).map_or_else(|_| name.escape_ascii().to_string(), str::to_owned)
}
