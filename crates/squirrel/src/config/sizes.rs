//! Amounts of bytes, as the configuration writes them.

use serde::Deserialize;

/// Units, the larger of each kind first.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads whole bytes with a unit, such as `20GiB` or `500 MB`.
fn read(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(*unit)
}

/// Writes bytes in the unit that needs the least digits and loses nothing.
fn show(bytes: u64, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let whole = UNITS.iter().filter(|(_, unit)| bytes.is_multiple_of(*unit));
    let (unit, size) = whole.min_by_key(|(_, unit)| bytes / unit).copied().unwrap_or(("B", 1));
    write!(f, "{}{unit}", bytes / size)
}

/// A limit of what is kept on disk, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DiskSize(u64);

/// The least limit: less would be a slip of the pen, since one block of two hours takes more.
const LEAST_ON_DISK: u64 = 1_000_000;

impl DiskSize {
    /// No limit.
    pub(crate) const NONE: Self = Self(0);

    /// The bytes; 0 for no limit.
    pub(crate) fn limit(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for DiskSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::NONE);
        }
        let bytes = read(&text).ok_or_else(|| {
            format!("a size is \"none\" or whole bytes with a unit, such as \"20GiB\" or \"500MB\", not {text:?}")
        })?;
        if bytes < LEAST_ON_DISK {
            return Err(format!("a limit of {text:?} is less than a megabyte; write \"none\" for no limit"));
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for DiskSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::NONE { f.write_str("none") } else { show(self.0, f) }
    }
}

/// An amount of memory: at least 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MemorySize(pub(crate) usize);

/// Below this the tables of a small host do not fit.
const LEAST_MEMORY: usize = 16 << 20;

impl TryFrom<String> for MemorySize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = read(&text).and_then(|bytes| usize::try_from(bytes).ok());
        match bytes.filter(|bytes| *bytes >= LEAST_MEMORY) {
            Some(bytes) => Ok(Self(bytes)),
            None => Err(format!("an amount of memory is at least 16MiB, such as \"256MiB\", not {text:?}")),
        }
    }
}

impl std::fmt::Display for MemorySize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        show(self.0 as u64, f)
    }
}
