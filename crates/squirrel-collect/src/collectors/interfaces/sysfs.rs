//! What only `/sys/class/net/<interface>/` tells. Source: the kernel's
//! `Documentation/ABI/testing/sysfs-class-net` and `net/core/net-sysfs.c`.

use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_sys::Kernel;

use super::reading::Reading;

/// Speed and duplex are asked for again after this time: some drivers change them without a sign.
const DRIVER_AGAIN: Duration = Duration::from_secs(10);

/// An interface that sysfs does not show is looked for again after this time.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(10);

/// Numbers and words of one interface, as far as sysfs gave them.
#[derive(Debug, Default)]
pub(super) struct Sysfs {
    /// `addr_assign_type`: 0 permanent, 1 random, 2 stolen, 3 set.
    pub(super) address_assign_type: Option<i64>,
    /// `name_assign_type`: 1 by the kernel, 2 predictable, 3 by user space, 4 renamed.
    pub(super) name_assign_type: Option<i64>,
    /// `dev_id`: tells interfaces apart that share one hardware address.
    pub(super) device_id: Option<i64>,
    /// Whether a device stands behind it; `None` if nobody asked.
    pub(super) has_device: Option<bool>,
    /// `speed` in megabits a second; −1 when the driver does not know.
    pub(super) speed_mbit: Option<i64>,
    /// `duplex`: `full`, `half`, `unknown`, or empty when the interface is down or has none.
    pub(super) duplex: String,
    state: State,
    driver_due: Elapsed,
}

#[derive(Debug, Default)]
enum State {
    /// Not asked yet.
    #[default]
    New,
    Known,
    /// Sysfs did not show it when asked for the first time: it may be gone in the same moment.
    Missed,
    /// Sysfs shows another namespace, or is not there.
    Unknown {
        again: Elapsed,
    },
}

impl Sysfs {
    /// Speed and duplex are read with the next tick.
    pub(super) fn ask_driver_again(&mut self) {
        self.driver_due = Elapsed::default();
    }

    /// Everything is read with the next tick.
    pub(super) fn ask_again(&mut self) {
        self.state = State::New;
        self.ask_driver_again();
    }

    /// Whether sysfs knows the interface, as far as one can say already.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.state, State::Unknown { .. })
    }

    /// Reads what is due; `true` if a text changed that labels show.
    pub(super) fn read(
        &mut self,
        kernel: &dyn Kernel,
        name: &str,
        reading: &Reading,
        asks_device: bool,
        now: Elapsed,
        text: &mut Vec<u8>,
    ) -> bool {
        let mut changed = false;
        let mut folder = Folder { kernel, name, text };
        let due = match self.state {
            State::New | State::Missed => true,
            State::Known => false,
            State::Unknown { again } => now >= again,
        };
        if due {
            // The number proves that this is the interface of our namespace and not a namesake.
            if folder.number("ifindex") == Some(i64::from(reading.index)) {
                self.state = State::Known;
                self.address_assign_type = folder.number("addr_assign_type");
                self.name_assign_type = folder.number("name_assign_type");
                self.device_id = folder.number("dev_id");
                self.has_device = asks_device.then(|| folder.has("device/uevent"));
                changed = true;
            } else {
                let first = matches!(self.state, State::New);
                let again = Elapsed(now.0.saturating_add(UNKNOWN_AGAIN));
                self.state = if first { State::Missed } else { State::Unknown { again } };
            }
        }
        if matches!(self.state, State::Known) && (changed || now >= self.driver_due) {
            changed |= self.read_driver(&mut folder, reading);
            // The moments are spread, so that not all drivers are asked in the same tick.
            let spread = Duration::from_secs(u64::from(reading.index % 4));
            self.driver_due = Elapsed(now.0.saturating_add(DRIVER_AGAIN).saturating_sub(spread));
        }
        changed
    }

    fn read_driver(&mut self, folder: &mut Folder<'_>, reading: &Reading) -> bool {
        if !reading.admin_up {
            // The kernel refuses both while the interface is switched off.
            self.speed_mbit = None;
            return !std::mem::take(&mut self.duplex).is_empty();
        }
        self.speed_mbit = folder.number("speed");
        let duplex = folder.word("duplex").unwrap_or_default();
        if self.duplex == duplex {
            return false;
        }
        duplex.clone_into(&mut self.duplex);
        true
    }
}

/// The folder of one interface.
struct Folder<'a> {
    kernel: &'a dyn Kernel,
    name: &'a str,
    text: &'a mut Vec<u8>,
}

impl Folder<'_> {
    /// A file without its white space. An interface or a driver that does not have it refuses with one
    /// of several errors, which all mean that there is none.
    fn word(&mut self, file: &str) -> Option<&str> {
        // Names with a slash or of dots alone cannot exist, and must not lead elsewhere if one does.
        if self.name.contains('/') || matches!(self.name, "" | "." | "..") {
            return None;
        }
        self.kernel.read(&format!("/sys/class/net/{}/{file}", self.name), self.text).ok()?;
        std::str::from_utf8(self.text).ok().map(str::trim)
    }

    /// A decimal number, or a hexadecimal one after `0x`.
    fn number(&mut self, file: &str) -> Option<i64> {
        let word = self.word(file)?;
        match word.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        }
    }

    fn has(&mut self, file: &str) -> bool {
        self.word(file).is_some()
    }
}
