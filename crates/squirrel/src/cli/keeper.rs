//! What stands behind `squirrel keeper`, which people never type.

use clap::ValueEnum;

/// A process that keeps privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeeperRole {
    /// Starts the others
    Start,
    /// Answers what needs a privilege
    Keep,
    /// Counts frames
    Count,
    /// Answers what needs a privilege for a command that looks once
    Look,
}

impl KeeperRole {
    /// As it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Keep => "keep",
            Self::Count => "count",
            Self::Look => "look",
        }
    }

    /// As lists of processes show it: 15 octets at most.
    pub(crate) fn process_name(self) -> &'static str {
        match self {
            Self::Start => "squirrel-start",
            Self::Keep => "squirrel-keeper",
            Self::Count => "squirrel-frames",
            Self::Look => "squirrel-looker",
        }
    }
}
