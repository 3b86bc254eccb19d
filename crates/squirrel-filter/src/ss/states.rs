//! States of sockets by the names that `ss` knows, as bits of the kernel's numbers (`enum` of TCP states,
//! `include/net/tcp_states.h`).

use crate::error::did_you_mean;

const fn bit(state: u32) -> u32 {
    1 << state
}

/// Every state.
pub const ALL: u32 = 0xFFE;
/// What `connected` means: all states but listening and unconnected.
pub const CONNECTED: u32 = ALL & !(bit(10) | bit(7));
/// What is shown when nothing was said of states: sockets that talk, begin to or end to, which a program has open.
pub const OPEN: u32 = CONNECTED & !(bit(6) | bit(3));
/// Sockets that wait for others: listeners, and unconnected datagram sockets.
pub const LISTENING: u32 = bit(10) | bit(7);

const STATES: &[(&str, u32)] = &[
    ("established", bit(1)),
    ("syn-sent", bit(2)),
    ("syn-recv", bit(3)),
    ("syn-rcv", bit(3)),
    ("fin-wait-1", bit(4)),
    ("fin-wait-2", bit(5)),
    ("time-wait", bit(6)),
    ("unconnected", bit(7)),
    ("close", bit(7)),
    ("closed", bit(7)),
    ("close-wait", bit(8)),
    ("last-ack", bit(9)),
    ("listening", bit(10)),
    ("listen", bit(10)),
    ("closing", bit(11)),
    ("all", ALL),
    ("connected", CONNECTED),
    ("synchronized", CONNECTED & !bit(2)),
    ("bucket", bit(3) | bit(6)),
    ("big", ALL & !(bit(3) | bit(6))),
];

/// The bits of a state or of a group of states.
pub(super) fn bits(name: &str) -> Result<u32, String> {
    let word = name.to_ascii_lowercase().replace('_', "-");
    STATES.iter().find(|(known, _)| *known == word).map(|(_, bits)| *bits).ok_or_else(|| {
        let hint = did_you_mean(&word, STATES.iter().map(|(known, _)| *known));
        let known: Vec<&str> = STATES.iter().map(|(known, _)| *known).collect();
        format!("there is no state {name:?}.{hint} There are: {}", known.join(", "))
    })
}
