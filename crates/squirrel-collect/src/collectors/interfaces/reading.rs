//! The numbers of one interface at one moment.

use squirrel_wire::link::{Counter, Link, OperState, flag};

/// How many counters the kernel's structure has today.
const COUNTERS: usize = 25;

/// Numbers copied from a link message, so that the message need not be kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub(super) index: u32,
    pub(super) hardware_type: u16,
    /// As sysfs has them.
    pub(super) flags: u32,
    pub(super) admin_up: bool,
    pub(super) dormant: bool,
    pub(super) loopback: bool,
    pub(super) oper_state: Option<OperState>,
    pub(super) mtu: Option<u32>,
    pub(super) lower_index: Option<u32>,
    /// The same, if that number counts in our network namespace.
    pub(super) local_lower_index: Option<u32>,
    pub(super) master: Option<u32>,
    pub(super) link_mode: Option<u8>,
    pub(super) group: Option<u32>,
    pub(super) transmit_queue_len: Option<u32>,
    pub(super) carrier: Option<u8>,
    pub(super) carrier_changes: Option<u32>,
    pub(super) carrier_up_count: Option<u32>,
    pub(super) carrier_down_count: Option<u32>,
    pub(super) proto_down: Option<u8>,
    pub(super) promiscuity: Option<u32>,
    counters: [Option<u64>; COUNTERS],
}

impl From<&Link<'_>> for Reading {
    fn from(link: &Link<'_>) -> Self {
        let mut counters = [None; COUNTERS];
        if let Some(statistics) = link.statistics {
            for (counter, place) in Counter::all().zip(&mut counters) {
                *place = statistics.counter(counter);
            }
        }
        Self {
            index: link.index,
            hardware_type: link.hardware_type,
            flags: link.device_flags(),
            admin_up: link.has(flag::UP),
            dormant: link.has(flag::DORMANT),
            loopback: link.has(flag::LOOPBACK),
            oper_state: link.oper_state,
            mtu: link.mtu,
            lower_index: link.lower_index,
            local_lower_index: link.lower_index.filter(|_| link.lower_namespace.is_none()),
            master: link.master,
            link_mode: link.link_mode,
            group: link.group,
            transmit_queue_len: link.transmit_queue_len,
            carrier: link.carrier,
            carrier_changes: link.carrier_changes,
            carrier_up_count: link.carrier_up_count,
            carrier_down_count: link.carrier_down_count,
            proto_down: link.proto_down,
            promiscuity: link.promiscuity,
            counters,
        }
    }
}

impl Reading {
    /// A counter, if the kernel has it.
    pub(super) fn counter(&self, counter: Counter) -> Option<u64> {
        self.counters.get(counter.position()).copied().flatten()
    }

    /// Whether something changed after which speed and duplex may be others.
    pub(super) fn link_changed(&self, before: &Self) -> bool {
        (self.admin_up, self.carrier, self.carrier_changes, self.oper_state)
            != (before.admin_up, before.carrier, before.carrier_changes, before.oper_state)
    }
}
