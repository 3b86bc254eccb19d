//! Opening the ledger: which programs there are, and what is done where a kernel does not permit one.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;

use aya::maps::{Map, MapError};
use aya::{Btf, Ebpf, EbpfLoader};
use squirrel_sys::bpf::MapIterator;
use squirrel_sys::memory;

use super::Ledger;
use crate::parts::{self, GRANT, Part, Parts, Place, TYPE_INFORMATION, Unavailable};
use crate::rows::Rows;

/// The programs, as `cargo xtask bpf` built them from `bpf/ledger.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../objects/ledger.o");

/// Births and deaths first, so that a socket that is born while the rest is attached is known as new.
const LIFE: &[Part] = &[
    Part {
        program: "change_state",
        name: "states of TCP connections",
        place: Place::Tracepoint("inet_sock_set_state"),
    },
    Part { program: "destroy", name: "ends of TCP connections", place: Place::Tracepoint("tcp_destroy_sock") },
];

const RELEASE: Part = Part { program: "release", name: "ends of UDP sockets", place: Place::SocketRelease };

const CALLS: &[Part] = &[
    Part { program: "count_send", name: "bytes of sending calls", place: Place::Tracepoint("sock_send_length") },
    Part { program: "count_receive", name: "bytes of receiving calls", place: Place::Tracepoint("sock_recv_length") },
];

/// Instead of [`CALLS`], for kernels before 6.3.
const FUNCTIONS: &[Part] = &[
    Part { program: "exit_tcp_send", name: "bytes that TCP sends, by function", place: Place::Exit("tcp_sendmsg") },
    Part {
        program: "exit_tcp_receive",
        name: "bytes that TCP receives, by function",
        place: Place::Exit("tcp_recvmsg"),
    },
    Part { program: "exit_udp_send", name: "bytes that UDP sends, by function", place: Place::Exit("udp_sendmsg") },
    Part {
        program: "exit_udpv6_send",
        name: "bytes that UDP sends over IPv6, by function",
        place: Place::Exit("udpv6_sendmsg"),
    },
    Part {
        program: "enter_udp_receive",
        name: "bytes that UDP receives, by function",
        place: Place::Entry("skb_consume_udp"),
    },
];

const OWNERS: &str = "owners of older sockets";
const LIVING: &str = "living sockets";

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Octets of the ring through which ended sockets are told; rounded up to a power of two. A row takes 184: the
    /// default holds some 22,000 ends between two readings. The ring is mapped twice in a row, and the kernel
    /// counts both as this process's resident memory.
    pub ring_bytes: u32,
    /// The most rows of further processes that use a socket beside its owner. What finds no row is counted as
    /// missed.
    pub further_rows: u32,
    /// Programs, by their name in the C source, that are not even tried.
    pub without: Vec<String>,
    /// The running kernel's type information (BTF), by which the programs find its fields.
    pub type_information: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ring_bytes: 4 << 20,
            further_rows: 16_384,
            without: Vec::new(),
            type_information: TYPE_INFORMATION.into(),
        }
    }
}

impl Ledger {
    /// Loads what this kernel permits.
    ///
    /// # Errors
    /// When not even the bytes of one protocol can be told; the sentence says why, and how to permit it. Whatever
    /// is missing besides is told by [`squirrel_sys::SocketLedger::parts`].
    pub fn open(options: &Options) -> Result<Self, Unavailable> {
        let opened = open(options);
        // The kernel's type information takes tens of megabytes while programs are loaded.
        memory::release_free();
        opened
    }
}

fn open(options: &Options) -> Result<Ledger, Unavailable> {
    let btf = parts::type_information(&options.type_information)
        .map_err(|reason| Unavailable(format!("no socket is accounted in the kernel: {reason}")))?;
    // Of a hash with a random key, which the standard library makes for each.
    let secret = RandomState::new().hash_one("secret");
    let mut object = EbpfLoader::new()
        .btf(Some(&btf))
        .map_max_entries("ends", options.ring_bytes)
        .map_max_entries("others", options.further_rows.max(1))
        .override_global("secret", &secret, true)
        .load(OBJECT)
        .map_err(|error| {
            Unavailable(format!("no socket is accounted in the kernel: {}; {GRANT}", parts::chain(&error)))
        })?;
    let mut parts = Parts { without: options.without.clone(), ..Parts::default() };
    for part in LIFE {
        parts.attach(&mut object, &btf, part);
    }
    let life = parts.links.len() == LIFE.len();
    if !life {
        // One without the other would hand over ends never, or with half their figures.
        parts.give_up(0, 0);
    }
    parts.attach(&mut object, &btf, &RELEASE);
    let (released, tried) = (parts.links.len(), parts.outcomes.len());
    for part in CALLS {
        parts.attach(&mut object, &btf, part);
    }
    let calls = parts.links.len() == released + CALLS.len();
    if !calls {
        // Both or none: the other way counts both directions too, and nothing may be counted twice.
        parts.give_up(released, tried);
        for part in FUNCTIONS {
            parts.attach(&mut object, &btf, part);
        }
    }
    if !life && parts.links.len() == released {
        return Err(Unavailable(format!("no socket is accounted in the kernel: {}", parts.reasons())));
    }
    let seeded = parts.program(&mut object, "seed").and_then(|program| parts::seed(program, &btf));
    parts.note(OWNERS, seeded);
    let living = living(&mut parts, &mut object, &btf);
    drop(btf);
    let unusable = |error: MapError| Unavailable(format!("the ledger's maps cannot be used: {error}"));
    let absent = |name| Unavailable(format!("the object has no map `{name}`"));
    let mut map = |name: &'static str| object.take_map(name).ok_or_else(|| absent(name));
    Ok(Ledger {
        ends: map("ends")?.try_into().map_err(unusable)?,
        others: map("others")?.try_into().map_err(unusable)?,
        missed: map("missed")?.try_into().map_err(unusable)?,
        people: map("people")?.try_into().map_err(unusable)?,
        multipath: calls,
        told: [0; 3],
        living,
        absent: HashSet::new(),
        orphans: HashSet::new(),
        outcomes: parts.outcomes,
        rows: Rows::default(),
        _links: parts.links,
    })
}

/// Ties the iterator to the sockets' storage.
fn living(parts: &mut Parts, object: &mut Ebpf, btf: &Btf) -> Option<MapIterator> {
    use std::os::fd::AsFd as _;
    let Some(Map::SkStorage(accounts)) = object.take_map("accounts") else {
        parts.note(LIVING, Err("the object has no storage of sockets".to_owned()));
        return None;
    };
    let iterator = parts.program(object, "list").and_then(|program| {
        let program = parts::load_iterator(program, "bpf_sk_storage_map", btf)?;
        let program = program.fd().map_err(|error| parts::reason(&error))?;
        MapIterator::new(program.as_fd(), accounts.fd().as_fd()).map_err(|error| error.to_string())
    });
    let (iterator, outcome) = match iterator {
        Ok(iterator) => (Some(iterator), Ok(())),
        Err(reason) => (None, Err(reason)),
    };
    parts.note(LIVING, outcome);
    iterator
}

#[cfg(test)]
mod tests;
