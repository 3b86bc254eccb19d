//! `/proc/PID/stat`.
//!
//! Source: `proc_pid_stat(5)`.

/// The place of the start time (field 22) behind the name, which field 3 follows.
const STARTED: usize = 22 - 3;

/// What is needed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The name (`comm`), any octets.
    pub(crate) name: String,
    /// The parent's number.
    pub(crate) parent: u32,
    /// When it started, clock ticks since boot.
    pub(crate) started: u64,
}

impl Stat {
    /// The name stands in parentheses and may itself hold parentheses, blanks and line feeds: it ends at the last one.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let open = octets.iter().position(|octet| *octet == b'(')?;
        let close = octets.iter().rposition(|octet| *octet == b')')?;
        let name = octets.get(open + 1..close)?;
        let fields = std::str::from_utf8(octets.get(close + 1..)?).ok()?;
        let mut fields = fields.split_ascii_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let started = fields.nth(STARTED - 2)?.parse().ok()?;
        Some(Self { name: String::from_utf8_lossy(name).into_owned(), parent, started })
    }
}
