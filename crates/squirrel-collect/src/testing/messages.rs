//! Netlink messages made by hand, and a kernel that answers dumps with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use squirrel_testkit::{FakeKernel, Messages};
use squirrel_wire::link::flag;
use squirrel_wire::netlink::{Request, aligned};

/// The answers to dumps by message type; a test changes them between two ticks.
pub(crate) type Tables = Arc<Mutex<BTreeMap<u16, Messages>>>;

/// A kernel that answers dumps from `tables`. A type that is not there has an empty table.
pub(crate) fn kernel(tables: &Tables) -> FakeKernel {
    let tables = Arc::clone(tables);
    FakeKernel::default()
        .on_dump(move |_, message_type, _| Ok(tables.lock().unwrap().get(&message_type).cloned().unwrap_or_default()))
}

/// A payload made of a fixed structure and attributes.
pub(crate) fn message(structure: &[u8], attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let request = Request::<4096>::new(structure);
    let request = attributes.iter().fold(request, |request, (kind, value)| request.attribute(*kind, value));
    request.payload().unwrap().to_vec()
}

/// An interface that is up and has the given counters, each being its position times `factor`.
pub(crate) fn link(index: u32, name: &str, more: &[(u16, Vec<u8>)]) -> Vec<u8> {
    link_with_flags(index, name, flag::UP | flag::LOWER_UP | flag::RUNNING, more)
}

/// An interface with flags.
pub(crate) fn link_with_flags(index: u32, name: &str, flags: u32, more: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let structure = [
        vec![0, 0],
        1u16.to_ne_bytes().to_vec(),
        index.to_ne_bytes().to_vec(),
        flags.to_ne_bytes().to_vec(),
        vec![0; 4],
    ];
    let mut attributes = vec![(3, name.as_bytes().to_vec()), (16, vec![6]), (4, 1500u32.to_ne_bytes().to_vec())];
    attributes.extend_from_slice(more);
    message(&structure.concat(), &attributes)
}

/// The attribute with counters (`rtnl_link_stats64`): as many as given.
pub(crate) fn statistics(counters: impl IntoIterator<Item = u64>) -> (u16, Vec<u8>) {
    (23, counters.into_iter().flat_map(u64::to_ne_bytes).collect())
}

/// The attribute with the kind of a software interface.
pub(crate) fn link_kind(kind: &str) -> (u16, Vec<u8>) {
    (0x8000 | 0x12, attribute(1, kind.as_bytes()))
}

/// One attribute with its padding.
pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = [((value.len() + 4) as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
    octets.extend_from_slice(value);
    octets.resize(aligned(octets.len()), 0);
    octets
}
