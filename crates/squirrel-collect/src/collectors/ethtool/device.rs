//! One interface and what its driver told so far.

use std::collections::HashMap;
use std::time::Duration;

use squirrel_model::{Batch, Elapsed, Labels, Metric, MetricRef};
use squirrel_sys::{Kernel, SysError};
use squirrel_wire::Malformed;
use squirrel_wire::ethtool::{self as wire, DriverInfo, LinkModes, LinkSettings, LinkSettingsAnswer};

use super::{Names, metrics};
use crate::desc::report;

/// How often driver and names are asked for again: an interface may have got another driver.
const IDENTITY_EVERY: Duration = Duration::from_mins(1);
/// How often link settings are asked for; some drivers take their time over it.
const SETTINGS_EVERY: Duration = Duration::from_secs(10);

/// Bytes a second of one Mbit/s.
const MBIT: f64 = 1e6 / 8.0;

pub(super) struct Device {
    name: String,
    labels: Labels,
    info: Option<Labels>,
    /// One entry for each of the driver's counters, in its order.
    statistics: Vec<Option<MetricRef>>,
    /// The buffer of the question for counters, kept from tick to tick.
    buffer: Vec<u8>,
    settings: Vec<(&'static Metric, Labels, f64)>,
    identified: Option<Elapsed>,
    settings_read: Option<Elapsed>,
}

/// A question that failed: by the kernel, or by an answer that makes no sense.
enum Failure {
    Call(SysError),
    Answer(Malformed),
}

impl From<SysError> for Failure {
    fn from(error: SysError) -> Self {
        Self::Call(error)
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::Answer(error)
    }
}

impl Device {
    pub(super) fn new(name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        Self {
            labels: Labels::new([("device", name.as_str())]).unwrap_or_default(),
            name,
            info: None,
            statistics: Vec::new(),
            buffer: Vec::new(),
            settings: Vec::new(),
            identified: None,
            settings_read: None,
        }
    }

    pub(super) fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    pub(super) fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, names: &mut Names, out: &mut Batch) {
        let due = |last: Option<Elapsed>, every| last.is_none_or(|last| now.0.saturating_sub(last.0) >= every);
        if due(self.identified, IDENTITY_EVERY) {
            self.identified = Some(now);
            let identified = self.identify(kernel, names);
            self.explain(identified, "driver", out);
        }
        if due(self.settings_read, SETTINGS_EVERY) {
            self.settings_read = Some(now);
            self.settings.clear();
            let read = self.read_settings(kernel);
            self.explain(read, "link settings", out);
        }
        if let Some(info) = &self.info {
            out.put(&metrics::INFO, info, 1.0);
        }
        for (metric, labels, value) in &self.settings {
            out.put(*metric, labels, *value);
        }
        if !self.statistics.is_empty() {
            let read = self.read_statistics(kernel, out);
            self.explain(read, "statistics", out);
        }
    }

    /// Makes a fault of a failure. That a driver does not know a question, or an interface is just
    /// gone, is none.
    fn explain(&mut self, result: Result<(), Failure>, what: &str, out: &mut Batch) {
        match result {
            Ok(()) => {}
            Err(Failure::Call(error)) if error.is_absent() => {}
            Err(Failure::Call(error)) => report(out, &error),
            Err(Failure::Answer(malformed)) => {
                // The names may be those of another driver by now.
                self.identified = None;
                let name = self.name.escape_debug();
                out.fault(
                    self.name.clone(),
                    format!("The driver's answer about {what} of {name} makes no sense: {malformed}."),
                );
            }
        }
    }

    fn identify(&mut self, kernel: &dyn Kernel, names: &mut Names) -> Result<(), Failure> {
        self.info = None;
        self.statistics.clear();
        let mut answer = wire::driver_info_request();
        kernel.ethtool(&self.name, &mut answer)?;
        let info = DriverInfo::parse(&answer)?;
        self.info = Labels::new([
            ("bus_info", info.bus_info.to_string()),
            ("device", self.name.clone()),
            ("driver", info.driver.to_string()),
            ("expansion_rom_version", info.expansion_rom.to_string()),
            ("firmware_version", info.firmware.to_string()),
            ("version", info.version.to_string()),
        ])
        .ok();
        let count = info.statistics.min(wire::MAX_STATISTICS);
        if count > 0 {
            self.buffer.clear();
            self.buffer.extend(wire::strings_request(wire::STATISTICS_SET, count));
            self.buffer.resize(wire::strings_len(count), 0);
            kernel.ethtool(&self.name, &mut self.buffer)?;
            let statistics: Vec<_> = wire::parse_strings(&self.buffer)?.map(|name| name.to_string()).collect();
            self.statistics = settle(&statistics, names);
        }
        Ok(())
    }

    fn read_statistics(&mut self, kernel: &dyn Kernel, out: &mut Batch) -> Result<(), Failure> {
        let count = self.statistics.len() as u32;
        self.buffer.resize(wire::statistics_len(count), 0);
        for (place, octet) in self.buffer.iter_mut().zip(wire::statistics_request(count)) {
            *place = octet;
        }
        if let Err(error) = kernel.ethtool(&self.name, &mut self.buffer) {
            // The kernel refuses when the driver has got more counters than there is room for.
            self.identified = None;
            return Err(error.into());
        }
        let mut values = wire::parse_statistics(&self.buffer)?;
        let before = out.rows.len();
        for metric in &self.statistics {
            let Some(value) = values.next() else {
                // Fewer counters than names: which is which is not known any more.
                out.rows.truncate(before);
                self.identified = None;
                return Ok(());
            };
            if let Some(metric) = metric {
                out.put(metric.clone(), &self.labels, value as f64);
            }
        }
        Ok(())
    }

    fn read_settings(&mut self, kernel: &dyn Kernel) -> Result<(), Failure> {
        let mut mask_words = wire::MASK_WORDS;
        // The first answer may be the right size; the second is the last that makes sense.
        for _ in 0..2 {
            let mut answer = wire::link_settings_request(mask_words).to_vec();
            answer.resize(wire::link_settings_len(mask_words), 0);
            kernel.ethtool(&self.name, &mut answer)?;
            match LinkSettingsAnswer::parse(&answer)? {
                LinkSettingsAnswer::AskAgain(right) => mask_words = right,
                LinkSettingsAnswer::Settings(settings) => {
                    self.keep(&settings);
                    break;
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, settings: &LinkSettings<'_>) {
        use metrics as m;
        let LinkSettings { supported, advertised, .. } = settings;
        let flags = [
            (&m::AUTONEGOTIATE, settings.autonegotiation == 1),
            (&m::AUTONEGOTIATE_SUPPORTED, supported.has(LinkModes::AUTONEGOTIATION)),
            (&m::AUTONEGOTIATE_ADVERTISED, advertised.has(LinkModes::AUTONEGOTIATION)),
            (&m::PAUSE_SUPPORTED, supported.has(LinkModes::PAUSE)),
            (&m::PAUSE_ADVERTISED, advertised.has(LinkModes::PAUSE)),
            (&m::ASYMMETRIC_SUPPORTED, supported.has(LinkModes::ASYMMETRIC_PAUSE)),
            (&m::ASYMMETRIC_ADVERTISED, advertised.has(LinkModes::ASYMMETRIC_PAUSE)),
        ];
        let device = self.name.as_str();
        self.settings.extend(flags.map(|(metric, set)| (metric, self.labels.clone(), f64::from(u8::from(set)))));
        let ports = wire::PORTS.iter().filter(|(bit, _)| supported.has(*bit));
        self.settings
            .extend(ports.filter_map(|(_, port)| {
                Some((&m::PORT, Labels::new([("device", device), ("type", port)]).ok()?, 1.0))
            }));
        for (metric, modes) in [(&m::SUPPORTED_SPEED, supported), (&m::ADVERTISED_SPEED, advertised)] {
            let modes = wire::LINK_MODES.iter().filter(|mode| modes.has(mode.bit));
            self.settings.extend(modes.filter_map(|mode| {
                let duplex = if mode.full_duplex { "full" } else { "half" };
                let labels = Labels::new([("device", device), ("duplex", duplex), ("mode", mode.name)]).ok()?;
                Some((metric, labels, f64::from(mode.mbit) * MBIT))
            }));
        }
    }
}

/// The metric of each statistic. Of statistics with the same name the last counts, and where two
/// names become one, neither is emitted: nobody could tell them apart. node_exporter does the same.
fn settle(statistics: &[String], names: &mut Names) -> Vec<Option<MetricRef>> {
    let last: HashMap<&str, usize> =
        statistics.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let mut by_name: HashMap<String, u32> = HashMap::new();
    let mut metrics: Vec<Option<MetricRef>> = Vec::with_capacity(statistics.len());
    for (place, statistic) in statistics.iter().enumerate() {
        let metric = if last.get(statistic.as_str()) == Some(&place) { names.metric(statistic) } else { None };
        if let Some(metric) = &metric {
            *by_name.entry(metric.name.to_string()).or_default() += 1;
        }
        metrics.push(metric);
    }
    for metric in &mut metrics {
        if metric.as_ref().is_some_and(|metric| by_name.get(metric.name.as_ref()) != Some(&1)) {
            *metric = None;
        }
    }
    metrics
}
