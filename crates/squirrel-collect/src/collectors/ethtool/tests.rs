//! Drivers are asked little and trusted less.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use squirrel_testkit::FakeKernel;
use squirrel_wire::ethtool::{self as wire, GDRVINFO, GLINKSETTINGS, GSTATS, GSTRINGS};

use super::*;
use crate::testing::{check_declared, check_reading};

const HEADING: &str = "Inter-|   Receive\n face |bytes\n";

/// A driver with these statistics, of which the first is `value`, the second one more, and so on.
#[derive(Clone, Default)]
struct Driver {
    statistics: Vec<&'static str>,
    value: u64,
    mask_words: usize,
    asked: Vec<u32>,
}

impl Driver {
    fn answer(&mut self, command: &mut [u8]) -> io::Result<()> {
        let kind = wire::command_of(command).unwrap();
        self.asked.push(kind);
        let room = command.len();
        let octets: Vec<u8> = match kind {
            GDRVINFO => {
                let mut info = command.to_vec();
                info[4..13].copy_from_slice(b"virtio_ne");
                info[180..184].copy_from_slice(&(self.statistics.len() as u32).to_ne_bytes());
                info
            }
            GSTRINGS => {
                let mut out = wire::strings_request(1, self.statistics.len() as u32).to_vec();
                for name in &self.statistics {
                    out.extend(name.as_bytes());
                    out.resize(out.len() + 32 - name.len(), 0);
                }
                out
            }
            GSTATS => {
                let mut out = wire::statistics_request(self.statistics.len() as u32).to_vec();
                out.extend((self.value..).take(self.statistics.len()).flat_map(u64::to_ne_bytes));
                out
            }
            GLINKSETTINGS if self.mask_words > 0 => self.settings(command[15]),
            _ => return Err(io::Error::from_raw_os_error(95)),
        };
        // As the guard page of the real kernel's door does.
        let fits = octets.len() <= room;
        command[..octets.len().min(room)].copy_from_slice(&octets[..octets.len().min(room)]);
        if fits { Ok(()) } else { Err(io::Error::from_raw_os_error(14)) }
    }

    fn settings(&self, asked_words: u8) -> Vec<u8> {
        if usize::from(asked_words) != self.mask_words {
            let mut out = wire::link_settings_request(0).to_vec();
            out[15] = -(self.mask_words as i8) as u8;
            return out;
        }
        let mut out = wire::link_settings_request(asked_words).to_vec();
        out[11] = 1;
        for first in [1u32 << 5 | 1 << 6 | 1 << 7 | 1 << 13, 1 << 5 | 1 << 6, 0] {
            out.extend(first.to_ne_bytes());
            out.resize(out.len() + 4 * (self.mask_words - 1), 0);
        }
        out
    }
}

/// A kernel with one interface, eth0, of this driver, and one whose driver tells nothing.
fn kernel(driver: Driver) -> (FakeKernel, Arc<Mutex<Driver>>) {
    let shared = Arc::new(Mutex::new(driver));
    let driver = Arc::clone(&shared);
    let kernel = FakeKernel::default().with(PATH, format!("{HEADING}    lo: 1\n  eth0: 2\n")).on_ethtool(
        move |name, command| {
            if name == "eth0" { driver.lock().unwrap().answer(command) } else { Err(io::Error::from_raw_os_error(95)) }
        },
    );
    (kernel, shared)
}

fn tick(collector: &mut dyn Collector, kernel: &FakeKernel, second: u64) -> Batch {
    let mut batch = Batch::default();
    collector.collect(kernel, Elapsed(Duration::from_secs(second)), &mut batch);
    check_declared(&DESC, &batch);
    batch
}

fn statistics(batch: &Batch) -> Vec<(String, f64)> {
    let rows = batch.rows.iter().filter(|row| row.metric.kind == squirrel_model::Kind::Untyped);
    rows.map(|row| (row.metric.name["node_ethtool_".len()..].to_owned(), row.value)).collect()
}

#[test]
fn counters_settings_and_driver_are_rows_of_the_interface() {
    let (kernel, _) =
        kernel(Driver { statistics: vec!["rx_packets", "rx_drops"], value: 7, mask_words: 3, ..Driver::default() });
    let seen = check_reading(&DESC, &kernel);
    let device = ("device", "eth0");
    assert_eq!(seen.value("node_ethtool_received_packets_total", &[device]), Some(7.0));
    assert_eq!(seen.value("node_ethtool_received_drops", &[device]), Some(8.0));
    assert_eq!(seen.value("node_ethtool_info", &[device, ("driver", "virtio_ne")]), Some(1.0));
    assert_eq!(seen.value("node_network_autonegotiate", &[device]), Some(1.0));
    assert_eq!(seen.value("node_network_pause_supported", &[device]), Some(1.0));
    assert_eq!(seen.value("node_network_pause_advertised", &[device]), Some(0.0));
    assert_eq!(seen.value("node_network_supported_port_info", &[device, ("type", "TP")]), Some(1.0));
    let speed = [device, ("duplex", "full"), ("mode", "1000baseT")];
    assert_eq!(seen.value("node_network_supported_speed_bytes", &speed), Some(125_000_000.0));
    assert_eq!(seen.batch.faults, [], "a driver that does not know a question is no fault");
}

#[test]
fn names_are_asked_for_once_a_minute_and_counters_each_tick() {
    let (kernel, driver) = kernel(Driver { statistics: vec!["a"], mask_words: 4, ..Driver::default() });
    let mut collector = (DESC.open)(&kernel).unwrap();
    let mut asked = |second| {
        tick(collector.as_mut(), &kernel, second);
        std::mem::take(&mut driver.lock().unwrap().asked)
    };
    assert_eq!(asked(0), [GDRVINFO, GSTRINGS, GLINKSETTINGS, GSTATS]);
    assert_eq!(asked(1), [GSTATS]);
    assert_eq!(asked(10), [GLINKSETTINGS, GSTATS]);
    assert_eq!(asked(60), [GDRVINFO, GSTRINGS, GLINKSETTINGS, GSTATS]);
}

#[test]
fn counters_that_come_and_go_never_take_each_others_names() {
    let (kernel, driver) = kernel(Driver { statistics: vec!["a", "b"], value: 1, ..Driver::default() });
    let mut collector = (DESC.open)(&kernel).unwrap();
    let named =
        |list: &[(&str, f64)]| list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>();
    assert_eq!(statistics(&tick(collector.as_mut(), &kernel, 0)), named(&[("a", 1.0), ("b", 2.0)]));
    for now in [vec!["b"], vec!["x", "a", "b"]] {
        driver.lock().unwrap().statistics.clone_from(&now);
        let next = now.iter().zip(1u32..).map(|(name, value)| (*name, f64::from(value))).collect::<Vec<_>>();
        assert!(
            statistics(&tick(collector.as_mut(), &kernel, 1)).is_empty(),
            "a tick without is better than a wrong one"
        );
        assert_eq!(statistics(&tick(collector.as_mut(), &kernel, 2)), named(&next));
    }
}

#[test]
fn names_that_become_one_are_left_out_and_of_equal_names_the_last_counts() {
    let names = vec!["a.b", "a-b", "c", "c", "info", "", "rx_bytes", "rx_bytes_total"];
    let (kernel, _) = kernel(Driver { statistics: names, value: 10, ..Driver::default() });
    assert_eq!(statistics(&check_reading(&DESC, &kernel).batch), [("c".to_owned(), 13.0)]);
}

#[test]
fn an_interface_that_vanished_is_forgotten_and_its_names_too() {
    let (kernel, _) = kernel(Driver { statistics: vec!["odd_one"], ..Driver::default() });
    let mut ethtool = Ethtool::default();
    tick(&mut ethtool, &kernel, 0);
    assert_eq!((ethtool.devices.len(), ethtool.names.0.len()), (2, 1));
    kernel.write(PATH, format!("{HEADING}  eth1: 1\n    lo: 1\n"));
    assert!(statistics(&tick(&mut ethtool, &kernel, 1)).is_empty());
    assert_eq!((ethtool.devices.len(), ethtool.names.0.len()), (2, 0));
}

#[test]
fn a_driver_that_fails_costs_only_its_own_rows() {
    let kernel = FakeKernel::default().with(PATH, format!("{HEADING}  eth0: 2\n")).on_ethtool(|_, command| {
        if wire::command_of(command) == Some(GLINKSETTINGS) {
            return Err(io::Error::from_raw_os_error(5));
        }
        command[0] = 0xFF;
        Ok(())
    });
    let mut collector = (DESC.open)(&kernel).unwrap();
    let batch = tick(collector.as_mut(), &kernel, 0);
    assert_eq!((batch.rows.len(), batch.faults.len()), (0, 2), "{:?}", batch.faults);
}

proptest! {
    #[test]
    fn any_answers_survive(list in "[a-c:\\n ]{0,60}", answer in prop::collection::vec(any::<u8>(), 0..300), keep_command: bool) {
        let kernel = FakeKernel::default().with(PATH, format!("{HEADING}{list}\n")).on_ethtool(move |_, command| {
            let from = if keep_command { 4 } else { 0 };
            for (place, octet) in command.iter_mut().zip(&answer).skip(from) {
                *place = *octet;
            }
            Ok(())
        });
        let mut collector = (DESC.open)(&kernel).unwrap();
        for second in 0..3 {
            let batch = tick(collector.as_mut(), &kernel, second);
            prop_assert!(batch.rows.iter().all(|row| row.value.is_finite()));
        }
    }
}
