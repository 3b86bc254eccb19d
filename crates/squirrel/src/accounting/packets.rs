//! The level `packets`: each frame of the interfaces is counted in the kernel, by a process that lives only while
//! somebody wishes it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use squirrel_account::{CountPackets, FollowedInterface, PacketSource};
use squirrel_keeper::{Keeper, KeptFrames};
use squirrel_sys::{Kernel, Netlink, PacketLedger, SysError};
use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK, RTM_NEWLINK};

/// Counts the frames of each network namespace that is watched, by way of the process that may.
pub(super) fn everywhere(counting: &Keeper) -> CountPackets {
    let counting = counting.clone();
    Box::new(move |namespace, kernel| {
        let (ledger, kernel) = (KeptFrames::new(&counting, namespace), Arc::clone(kernel));
        let attached = BTreeMap::new();
        Some(Box::new(Frames { ledger, kernel, attached }) as Box<dyn PacketSource>)
    })
}

/// Counts the frames of all interfaces of one network namespace. Dropping it takes the programs from them.
struct Frames {
    ledger: KeptFrames,
    /// Answers from that namespace.
    kernel: Arc<dyn Kernel>,
    /// By index: the interfaces that were tried, and why they are not counted.
    attached: BTreeMap<u32, Option<String>>,
}

impl Frames {
    /// Counts an interface; why not, when it cannot be.
    fn attach(&mut self, index: u32, name: &[u8]) -> Option<String> {
        // What was refused once is not tried each second.
        if let Some(known) = self.attached.get(&index) {
            return known.clone();
        }
        let refused = match std::str::from_utf8(name).map(|name| self.ledger.attach(index, name)) {
            Err(_) => Some("its name is not UTF-8".to_owned()),
            Ok(Ok(())) => None,
            // The answer is late, not bad: the next step asks again.
            Ok(Err(error)) if matches!(error.source.kind(), ErrorKind::TimedOut | ErrorKind::BrokenPipe) => {
                return Some(error.source.to_string());
            }
            Ok(Err(error)) => Some(error.source.to_string()),
        };
        self.attached.insert(index, refused.clone());
        refused
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
        let gone: Vec<u32> = self.attached.keys().copied().filter(|index| !present.contains_key(index)).collect();
        for index in gone {
            if self.attached.remove(&index) == Some(None) {
                self.ledger.detach(index);
            }
        }
        let followed = present.into_iter().map(|(index, name)| {
            let missing = self.attach(index, &name);
            FollowedInterface { index, name: shown(&name), missing }
        });
        Ok(followed.collect())
    }

    fn ledger(&mut self) -> &mut dyn PacketLedger {
        &mut self.ledger
    }
}

/// A name that is not UTF-8 is written with escapes, as the accountant writes it.
fn shown(name: &[u8]) -> String {
    std::str::from_utf8(name).map_or_else(|_| name.escape_ascii().to_string(), str::to_owned)
}
