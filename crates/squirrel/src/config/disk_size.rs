//! Sizes of what is kept on disk, as the configuration writes them.

use serde::Deserialize;

/// A limit in bytes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DiskSize(u64);

/// Units of sizes, the larger of each kind first.
const SIZES: [(&str, u64); 9] = [
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

/// The least limit: less would be a slip of the pen, since one block of two hours takes more.
const LEAST_SIZE: u64 = 1_000_000;

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
        let wrong =
            || format!("a size is \"none\" or whole bytes with a unit, such as \"20GiB\" or \"500MB\", not {text:?}");
        let (number, unit) =
            SIZES.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes))).ok_or_else(wrong)?;
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        let bytes = number.checked_mul(*unit).ok_or_else(wrong)?;
        if bytes < LEAST_SIZE {
            return Err(format!("a limit of {text:?} is less than a megabyte; write \"none\" for no limit"));
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for DiskSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = SIZES.iter().filter(|(_, bytes)| self.0.is_multiple_of(*bytes));
        match whole.min_by_key(|(_, bytes)| self.0 / bytes) {
            Some((unit, bytes)) if self.0 > 0 => write!(f, "{}{unit}", self.0 / bytes),
            _ => f.write_str("none"),
        }
    }
}
