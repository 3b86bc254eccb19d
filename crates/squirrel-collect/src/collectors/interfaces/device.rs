//! One interface as remembered from tick to tick.

use squirrel_model::{Batch, Elapsed, Labels};
use squirrel_sys::Kernel;
use squirrel_wire::Text;
use squirrel_wire::link::Link;

use super::reading::Reading;
use super::sysfs::Sysfs;
use super::{counters, info, state};
use crate::interface_names::shown;

/// What is remembered of an interface. Its labels are made anew only when a text that they show changed.
#[derive(Default)]
pub(super) struct Device {
    present: bool,
    raw_name: Vec<u8>,
    name: String,
    alias: Vec<u8>,
    address: Vec<u8>,
    broadcast: Vec<u8>,
    kind: String,
    master_name: String,
    reading: Reading,
    sysfs: Sysfs,
    own_labels: Labels,
    info: info::InfoLabels,
    info_is_old: bool,
    speed_is_real: bool,
}

impl Device {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the kernel's name is the text that labels show, and not octets that had to be escaped.
    pub(super) fn has_text_name(&self) -> bool {
        std::str::from_utf8(&self.raw_name).is_ok()
    }

    /// What made it, if software did: `bridge`, `vlan`.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The interface below it, if that is in the same namespace.
    pub(super) fn lower(&self) -> Option<u32> {
        self.reading.local_lower_index
    }

    pub(super) fn set_speed_is_real(&mut self, is_real: bool) {
        self.speed_is_real = is_real;
    }

    pub(super) fn master(&self) -> Option<u32> {
        self.reading.master
    }

    pub(super) fn master_name(&self) -> &str {
        &self.master_name
    }

    pub(super) fn set_master_name(&mut self, name: String) {
        self.master_name = name;
        self.info_is_old = true;
    }

    /// Whether the dump of this tick has it.
    pub(super) fn is_present(&self) -> bool {
        self.present
    }

    /// Forgets that it was seen.
    pub(super) fn begin_tick(&mut self) {
        self.present = false;
    }

    /// Takes over what the kernel says now.
    pub(super) fn update(&mut self, link: &Link<'_>) {
        let reading = Reading::from(link);
        if self.raw_name != link.name.as_bytes() {
            *self = Self::default();
            self.raw_name = link.name.as_bytes().to_vec();
            self.name = shown(link.name.as_bytes());
            self.own_labels = Labels::new([("device", self.name.as_str())]).unwrap_or_default();
            self.info_is_old = true;
        } else if reading.link_changed(&self.reading) {
            self.sysfs.ask_driver_again();
            self.info_is_old = true;
        }
        let moved = set(&mut self.address, link.address.unwrap_or_default());
        if moved {
            self.sysfs.ask_again();
        }
        let renamed = set(&mut self.alias, link.alias.map(Text::as_bytes).unwrap_or_default());
        let broadcast = set(&mut self.broadcast, link.broadcast.unwrap_or_default());
        self.info_is_old |= moved || renamed || broadcast;
        if link.kind.map(Text::as_bytes).unwrap_or_default() != self.kind.as_bytes() {
            self.kind = link.kind.map(|kind| kind.to_string()).unwrap_or_default();
            self.info_is_old = true;
        }
        self.reading = reading;
        self.present = true;
    }

    /// Asks sysfs for what is due. `false` if sysfs does not know the interface.
    pub(super) fn read_sysfs(&mut self, kernel: &dyn Kernel, now: Elapsed, text: &mut Vec<u8>) -> bool {
        let asks_device = self.kind.is_empty() && !self.reading.loopback;
        let changed = self.sysfs.read(kernel, &self.name, &self.reading, asks_device, now, text);
        self.info_is_old |= changed;
        self.sysfs.is_known()
    }

    /// Adds all rows of this interface.
    pub(super) fn put(&mut self, out: &mut Batch) {
        if self.info_is_old {
            self.info = info::InfoLabels::new(&info::Inputs {
                name: &self.name,
                address: &self.address,
                broadcast: &self.broadcast,
                alias: &self.alias,
                kind: &self.kind,
                master: &self.master_name,
                reading: &self.reading,
                sysfs: &self.sysfs,
            });
            self.info_is_old = false;
        }
        counters::put(&self.reading, &self.own_labels, out);
        state::put(&self.reading, &self.sysfs, self.speed_is_real, &self.own_labels, out);
        self.info.put(out);
    }
}

/// Copies a text where it differs, and says whether it did.
fn set(place: &mut Vec<u8>, octets: &[u8]) -> bool {
    if place == octets {
        return false;
    }
    place.clear();
    place.extend_from_slice(octets);
    true
}
