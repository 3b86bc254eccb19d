//! The packet ledger: every frame of chosen interfaces, counted in the kernel while this lives.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use aya::maps::{Map, MapData};
use aya::programs::links::FdLink;
use aya::programs::tc::TcAttachOptions;
use aya::programs::{LinkOrder, ProgramError, SchedClassifier, TcAttachType};
use aya::{Ebpf, EbpfLoader};
use squirrel_sys::bpf::{MapIterator, network_namespace};
use squirrel_sys::{PacketLedger, SysError, memory};
use squirrel_wire::packets::{PacketRecord, RECORD_LEN};

use crate::parts::{self, GRANT, TYPE_INFORMATION, Unavailable};
use crate::rows::Rows;

/// The programs, as `cargo xtask bpf` built them from `bpf/packets.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../objects/packets.o");

/// How a packet ledger is opened.
#[derive(Clone, Debug)]
pub struct PacketOptions {
    /// The most rows. A row takes some 200 octets in the kernel; what finds no place is counted for its interface.
    pub rows: u32,
    /// The running kernel's type information (BTF), by which the programs find its fields.
    pub type_information: PathBuf,
}

impl Default for PacketOptions {
    fn default() -> Self {
        Self { rows: 65_536, type_information: TYPE_INFORMATION.into() }
    }
}

/// The packet ledger of the network namespace in which it was opened. Dropping it takes the programs from all
/// interfaces.
///
/// It needs Linux 6.6, whose programs stand beside those of others and vanish with their descriptor. Not counted
/// are frames that never reach the stack (dropped, sent back or redirected by XDP) and those of packet sockets
/// that bypass the queue; nor the copies of a multicast that its sender gets himself, which no device receives. A
/// frame that a queueing discipline drops after it was counted is in that one's own counter of drops.
pub struct Packets {
    namespace: u32,
    object: Ebpf,
    /// By index.
    interfaces: BTreeMap<u32, [FdLink; 2]>,
    tables: Vec<MapIterator>,
    rows: Rows<RECORD_LEN>,
    _maps: Vec<MapData>,
}

impl std::fmt::Debug for Packets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packets").field("interfaces", &self.interfaces.keys()).finish_non_exhaustive()
    }
}

impl Packets {
    /// Loads the programs; they count nothing before [`attach`](Self::attach).
    ///
    /// # Errors
    /// A sentence that says what is missing, and how to permit it.
    pub fn open(options: &PacketOptions) -> Result<Self, Unavailable> {
        let opened = open(options);
        memory::release_free();
        opened.map_err(|reason| Unavailable(format!("no frame is counted in the kernel: {reason}")))
    }

    /// Counts the frames of one interface, by its index and name, of this namespace from now on. The thread that calls must be in the
    /// namespace in which the ledger was opened. An interface that is attached already stays so, whatever its name is
    /// now.
    ///
    /// # Errors
    /// A sentence that says why the interface cannot be watched; nothing of it is watched then.
    pub fn attach(&mut self, index: u32, interface: &str) -> Result<(), Unavailable> {
        if self.interfaces.contains_key(&index) {
            return Ok(());
        }
        // First of all on the way in, where the device has counted already; last of all on the way out.
        let mut tie = |program, way, order| tie(&mut self.object, program, interface, way, order);
        let incoming = tie("incoming", TcAttachType::Ingress, LinkOrder::first());
        let links = incoming.and_then(|link| Ok([link, tie("outgoing", TcAttachType::Egress, LinkOrder::last())?]));
        let links = links.map_err(|reason| Unavailable(format!("frames of {interface} are not counted: {reason}")))?;
        self.interfaces.insert(index, links);
        Ok(())
    }

    /// Counts an interface no longer; its rows stay.
    pub fn detach(&mut self, index: u32) {
        self.interfaces.remove(&index);
    }

    /// The indexes of the interfaces that are counted.
    pub fn attached(&self) -> impl Iterator<Item = u32> {
        self.interfaces.keys().copied()
    }
}

fn open(options: &PacketOptions) -> Result<Packets, String> {
    let namespace = network_namespace().map_err(|error| error.to_string())?;
    let btf = parts::type_information(&options.type_information)?;
    let mut object = EbpfLoader::new()
        .btf(Some(&btf))
        .map_max_entries("frames", options.rows)
        .load(OBJECT)
        .map_err(|error| format!("{}; {GRANT}", parts::chain(&error)))?;
    for name in ["incoming", "outgoing"] {
        let program: &mut SchedClassifier = parts::typed(program(&mut object, name)?)?;
        program.load().map_err(|error| parts::reason(&error))?;
    }
    let lister = parts::load_iterator(program(&mut object, "list_frames")?, "bpf_map_elem", &btf)?;
    let lister = lister.fd().and_then(|fd| fd.try_clone().map_err(ProgramError::IOError));
    let lister = lister.map_err(|error| parts::reason(&error))?;
    let (mut tables, mut maps) = (Vec::new(), Vec::new());
    for name in ["frames", "crowded"] {
        let Some(Map::HashMap(map)) = object.take_map(name) else {
            return Err(format!("the object has no table `{name}`"));
        };
        tables.push(MapIterator::new(lister.as_fd(), map.fd().as_fd()).map_err(|error| error.to_string())?);
        maps.push(map);
    }
    Ok(Packets { namespace, object, interfaces: BTreeMap::new(), tables, rows: Rows::default(), _maps: maps })
}

fn program<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut aya::programs::Program, String> {
    object.program_mut(name).ok_or_else(|| format!("the object has no program `{name}`"))
}

fn tie(object: &mut Ebpf, name: &str, interface: &str, way: TcAttachType, order: LinkOrder) -> Result<FdLink, String> {
    let program: &mut SchedClassifier = parts::typed(program(object, name)?)?;
    let link = program
        .attach_with_options(interface, way, TcAttachOptions::TcxOrder(order))
        .and_then(|id| program.take_link(id))
        .map_err(|error| format!("{} (this needs Linux 6.6)", parts::reason(&error)))?;
    link.try_into().map_err(|error| format!("{error}"))
}

impl Packets {
    /// Hands over each row as the kernel wrote it, for [`PacketRecord::parse`].
    ///
    /// # Errors
    /// The call that failed.
    pub fn raw_rows(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), SysError> {
        for table in &self.tables {
            let mut pass = table.pass()?;
            self.rows
                .read(&mut pass, &mut each)
                .map_err(|source| SysError::new("read", "a pass over the table of frames", source))?;
        }
        Ok(())
    }
}

impl PacketLedger for Packets {
    fn each(&mut self, each: &mut dyn FnMut(PacketRecord)) -> Result<(), SysError> {
        let namespace = self.namespace;
        self.raw_rows(|row| {
            if let Ok(record) = PacketRecord::parse(namespace, row) {
                each(record);
            }
        })
    }
}
