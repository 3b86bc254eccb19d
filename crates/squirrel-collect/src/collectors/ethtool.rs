//! What network drivers tell of themselves: their own counters, who they are, what the link can do.
//!
//! Through the ethtool `ioctl`, whose structures `squirrel_wire::ethtool` reads. The names of a
//! driver's counters are asked for once and again each minute, its counters each tick, its link
//! settings each ten seconds. Interfaces come from `/proc/net/dev`; one whose driver tells nothing is not
//! asked again before the minute is over.

mod device;
mod metrics;

use std::collections::HashMap;

use squirrel_model::{Batch, Elapsed, MetricRef};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::parse::{complete, lines};
use device::Device;

const PATH: &str = "/proc/net/dev";

/// Most interfaces that are asked. A host with more has them for containers, whose drivers tell little.
const MAX_DEVICES: usize = 1024;

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "ethtool",
    about: "Counters, version and link settings that network drivers tell, by the ethtool interface.",
    metrics: metrics::METRICS,
    open,
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut text = Vec::new();
    let read = kernel.read(PATH, &mut text);
    read.map_err(|error| Unavailable::because(&error, "It needs /proc mounted and a kernel with networking."))?;
    Ok(Box::new(Ethtool { text, ..Ethtool::default() }))
}

#[derive(Default)]
struct Ethtool {
    text: Vec<u8>,
    /// In the order of `/proc/net/dev`.
    devices: Vec<Device>,
    names: Names,
}

/// The metrics of all statistics met so far, shared between devices of the same driver.
#[derive(Default)]
struct Names(HashMap<String, Option<MetricRef>>);

impl Names {
    fn metric(&mut self, statistic: &str) -> Option<MetricRef> {
        if let Some(known) = self.0.get(statistic) {
            return known.clone();
        }
        let metric = metrics::metric(statistic);
        self.0.insert(statistic.to_owned(), metric.clone());
        metric
    }

    /// Forgets names that no device uses.
    fn forget_unused(&mut self) {
        self.0.retain(
            |_, metric| matches!(metric, Some(MetricRef::Member(shared)) if std::sync::Arc::strong_count(shared) > 1),
        );
    }
}

impl Collector for Ethtool {
    fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        if let Err(error) = kernel.read(PATH, &mut self.text) {
            return report(out, &error);
        }
        // Two lines of heading, then one interface a line; a name holds neither colon nor space.
        let text = complete(PATH, &self.text, out);
        let interfaces = lines(text).skip(2).filter_map(|line| {
            let end = line.iter().position(|&b| b == b':')?;
            Some(line.get(..end)?.trim_ascii()).filter(|name| !name.is_empty())
        });
        let mut place = 0;
        let mut beyond = 0u32;
        for name in interfaces {
            let known = self.devices.iter().position(|device| device.name() == name);
            match known {
                Some(earlier) if earlier < place => continue,
                Some(later) => self.devices.swap(place, later),
                None if place < MAX_DEVICES => self.devices.insert(place, Device::new(name)),
                None => {
                    beyond += 1;
                    continue;
                }
            }
            if let Some(device) = self.devices.get_mut(place) {
                device.collect(kernel, now, &mut self.names, out);
            }
            place += 1;
        }
        if self.devices.len() > place {
            self.devices.truncate(place);
            self.names.forget_unused();
        }
        if beyond > 0 {
            out.fault(PATH, format!("There are {beyond} interfaces beyond the {MAX_DEVICES} whose drivers are asked."));
        }
    }
}

#[cfg(test)]
mod tests;
