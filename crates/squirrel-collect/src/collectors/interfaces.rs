//! Network interfaces: their counters, their state, their addresses.
//!
//! One `RTM_GETLINK` dump a tick brings almost everything; see `rtnetlink(7)`. What only sysfs tells is
//! read once for each interface, and speed and duplex, which cost a call of the driver, when the state of
//! the link changed and every ten seconds.
//!
//! Names, labels and values are those of node_exporter's collectors `netdev` and `netclass`, with its
//! grouping of errors; what it folds together stands beside under `squirrel_network_…`.

mod addresses;
mod counters;
mod device;
mod info;
mod reading;
mod state;
mod sysfs;

use std::collections::BTreeMap;

use squirrel_model::{Batch, Elapsed, Metric};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK, RTM_NEWLINK};

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use addresses::Addresses;
use device::Device;

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "interfaces",
    about: "Every network interface: counters, errors by kind, state, speed, addresses, by rtnetlink and sysfs.",
    metrics: METRICS,
    open,
};

/// Most interfaces that are read; a host with more gets a fault that says so. Each has some sixty series.
const MAX_INTERFACES: usize = 4096;

/// Labels of a metric that exists once for each interface.
const DEVICE: &[&str] = &["device"];

static METRICS: &[&Metric] = &{
    const LEN: usize = counters::METRICS.len() + state::METRICS.len() + info::METRICS.len() + addresses::METRICS.len();
    const PARTS: [&[&Metric]; 4] = [counters::METRICS, state::METRICS, info::METRICS, addresses::METRICS];
    crate::desc::join::<LEN>(&PARTS)
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut count = 0;
    let read = kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |_, _| count += 1);
    read.map_err(|error| Unavailable::because(&error, "It needs a kernel with rtnetlink (CONFIG_NET)."))?;
    if count == 0 {
        return Err(Unavailable::new(
            "The kernel names no interface, not even the loopback. Check that a sandbox does not filter netlink.",
        ));
    }
    Ok(Box::new(Interfaces::default()))
}

#[derive(Default)]
struct Interfaces {
    /// What is remembered, by the interface's number.
    devices: BTreeMap<u32, Device>,
    /// The interfaces of this tick, in the kernel's order.
    order: Vec<u32>,
    addresses: Addresses,
    text: Vec<u8>,
}

impl Collector for Interfaces {
    fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        match self.read_links(kernel, out) {
            Ok(()) => self.devices.retain(|_, device| device.is_present()),
            Err(error) => return report(out, &error),
        }
        self.resolve_relatives();
        self.read_sysfs(kernel, now, out);
        for index in &self.order {
            if let Some(device) = self.devices.get_mut(index) {
                device.put(out);
            }
        }
        let devices = &self.devices;
        self.addresses.collect(kernel, &|index| devices.get(&index).map(Device::name), out);
    }
}

impl Interfaces {
    /// The dump: numbers and texts of each interface are copied, nothing else is asked meanwhile.
    fn read_links(&mut self, kernel: &dyn Kernel, out: &mut Batch) -> Result<(), SysError> {
        self.order.clear();
        for device in self.devices.values_mut() {
            device.begin_tick();
        }
        let (mut malformed, mut surplus) = (0usize, 0usize);
        kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |kind, payload| {
            if kind != RTM_NEWLINK {
                return;
            }
            let Ok(link) = Link::parse(payload) else {
                malformed += 1;
                return;
            };
            if self.order.len() >= MAX_INTERFACES && !self.devices.contains_key(&link.index) {
                surplus += 1;
                return;
            }
            let device = self.devices.entry(link.index).or_default();
            // A dump that is disturbed by a change may hold an interface twice; the later one counts.
            if !device.is_present() {
                self.order.push(link.index);
            }
            device.update(&link);
        })?;
        if malformed > 0 {
            out.fault("rtnetlink", format!("{malformed} descriptions of interfaces could not be read; this kernel writes them in an unknown form."));
        }
        if surplus > 0 {
            out.fault(
                "rtnetlink",
                format!("{surplus} interfaces beyond the first {MAX_INTERFACES} are not monitored."),
            );
        }
        self.drop_namesakes(out);
        Ok(())
    }

    /// During a rename a dump can show one name for two interfaces; the first is kept.
    fn drop_namesakes(&mut self, out: &mut Batch) {
        let mut names = BTreeMap::new();
        let devices = &self.devices;
        self.order.retain(|index| {
            let name = devices.get(index).map(Device::name).unwrap_or_default();
            let first = *names.entry(name).or_insert(*index) == *index;
            if !first {
                out.fault(
                    "rtnetlink",
                    format!("Two interfaces are named {name:?}; the second one is left out for now."),
                );
            }
            first
        });
    }

    /// What an interface takes from others: the name of its master, the truth of its speed.
    fn resolve_relatives(&mut self) {
        for index in &self.order {
            let is_real = speed_is_real(&self.devices, *index);
            if let Some(device) = self.devices.get_mut(index) {
                device.set_speed_is_real(is_real);
            }
            let Some(device) = self.devices.get(index) else { continue };
            let name = device.master().and_then(|master| self.devices.get(&master)).map_or("", Device::name);
            if device.master_name() != name {
                let name = name.to_owned();
                if let Some(device) = self.devices.get_mut(index) {
                    device.set_master_name(name);
                }
            }
        }
    }

    fn read_sysfs(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        let mut unseen = None;
        for index in &self.order {
            if let Some(device) = self.devices.get_mut(index)
                && !device.read_sysfs(kernel, now, &mut self.text)
            {
                // One fault for all: a sysfs that is missing explains more than a name.
                let explains_more = unseen.is_none() || device.has_text_name();
                unseen = if explains_more { Some(*index) } else { unseen };
            }
        }
        let unseen = unseen.and_then(|index| self.devices.get(&index));
        if let Some(device) = unseen.filter(|device| !device.has_text_name()) {
            out.fault(
                "/sys/class/net",
                format!(
                    "The name of the interface {:?} is not UTF-8, and files of such a name are not read, so speed, duplex \
                     and how addresses and names were assigned are missing. `ip link set dev NAME name NEW` gives it \
                     another.",
                    device.name()
                ),
            );
        } else if let Some(name) = unseen.map(Device::name) {
            out.fault(
                "/sys/class/net",
                format!(
                    "It does not show the interface {name:?} of this network namespace, so speed, duplex and how \
                     addresses and names were assigned are missing. Mount sysfs inside the namespace."
                ),
            );
        }
    }
}

/// Kinds whose drivers answer a constant when asked for the speed.
const INVENTED_SPEED: &[&str] = &["veth", "tun", "bridge", "dummy", "netdevsim"];
/// Kinds that answer the speed of the interface below.
const STACKED: &[&str] = &["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"];
/// More layers than anybody stacks; it also ends a circle.
const MAX_LAYERS: usize = 8;

/// Whether the speed that the kernel gives for an interface is that of something that exists.
fn speed_is_real(devices: &BTreeMap<u32, Device>, mut index: u32) -> bool {
    for _ in 0..MAX_LAYERS {
        // What lies in another namespace is given the benefit of the doubt.
        let Some(device) = devices.get(&index) else { return true };
        match device.lower() {
            _ if INVENTED_SPEED.contains(&device.kind()) => return false,
            Some(lower) if STACKED.contains(&device.kind()) => index = lower,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests;
