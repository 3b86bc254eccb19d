//! The form of a recorded folder, shared by [`Recorder`](crate::Recorder) and [`Replay`](crate::Replay).
//!
//! ```text
//! kernel.txt                               release, byte order, when it was recorded
//! errors.txt                               one line for each question that failed
//! files/proc/net/snmp                      content of /proc/net/snmp
//! lists/proc/self/fd.txt                   names of the entries of /proc/self/fd, one a line
//! links/proc/self/fd/3                     where that link leads
//! netlink/route-18-0123456789abcdef.bin    answer to a dump: its family, message type, and request
//! ethtool/eth0/gstats-0123456789abcdef.bin answer to an ethtool request
//! ```
//!
//! - A `.bin` file of `netlink/` holds messages as the kernel frames them (`struct nlmsghdr` with
//!   sequence and port zero, payload, padding to four octets), one after the other, without the
//!   `NLMSG_DONE` at the end. The hexadecimal number is a hash (FNV-1a, 64 bits) of the request's payload.
//! - A `.bin` file of `ethtool/` holds the whole answered structure. The hash is that of the part of the
//!   request that the kernel reads; the rest of the buffer does not matter.
//! - `errors.txt` has lines of three parts separated by tabs: the question (`read` and the path, or the
//!   file's name in this folder), the errno, and its text, which is there for readers only.
//! - In names every octet but letters, digits and `_.:@+=,-` is written `%` and two hexadecimal digits, and
//!   so is the first dot of the names `.` and `..`: a hostile interface name cannot leave the folder.
//!
//! What is asked twice is kept once: the last answer counts. Numbers in messages have the byte order
//! of the recorded host; a host of the other order refuses to replay.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use squirrel_wire::ethtool;

use crate::Netlink;

pub(crate) const KERNEL_FILE: &str = "kernel.txt";
pub(crate) const ERRORS_FILE: &str = "errors.txt";

/// The byte order of this host, as `kernel.txt` has it.
pub(crate) const BYTE_ORDER: &str = if cfg!(target_endian = "little") { "little" } else { "big" };

/// A question, by the name of the file that holds its answer, relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Question(String);

impl Question {
    pub(crate) fn file(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(escaped).collect();
        Self(format!("files/{}", parts.join("/")))
    }

    pub(crate) fn list(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(escaped).collect();
        Self(format!("lists/{}.txt", parts.join("/")))
    }

    pub(crate) fn link(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(escaped).collect();
        Self(format!("links/{}", parts.join("/")))
    }

    pub(crate) fn dump(family: Netlink, message_type: u16, payload: &[u8]) -> Self {
        Self(format!("netlink/{}-{message_type}-{:016x}.bin", family.name(), hash(payload)))
    }

    pub(crate) fn ethtool(interface: &str, request: &[u8]) -> Self {
        let command = ethtool::command_of(request).unwrap_or_default();
        // The part that the kernel reads; the buffer behind it may hold the last answer.
        let read_len = match command {
            ethtool::GDRVINFO => 4,
            ethtool::GSTATS => 8,
            ethtool::GSTRINGS => 12,
            _ => 16,
        };
        let read = request.get(..read_len).unwrap_or(request);
        let name = ethtool::command_name(command).map_or_else(|| format!("command-{command:x}"), str::to_owned);
        Self(format!("ethtool/{}/{name}-{:016x}.bin", escaped(interface), hash(read)))
    }

    pub(crate) fn from_errors_line(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(crate) fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// A name that is safe as one part of a path.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (i, octet) in name.bytes().enumerate() {
        let special = i == 0 && matches!(name, "." | "..");
        if !special && (octet.is_ascii_alphanumeric() || b"_.:@+=,-".contains(&octet)) {
            out.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{octet:02X}");
        }
    }
    // An empty name would vanish from the path.
    if out.is_empty() { "%".to_owned() } else { out }
}

/// FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>. The same on every host and for ever.
fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_person_finds_the_answer_by_its_name() {
        assert_eq!(Question::file("/proc/net/snmp").name(), "files/proc/net/snmp");
        let dump = Question::dump(Netlink::Route, 18, b"");
        assert_eq!(dump.name(), "netlink/route-18-cbf29ce484222325.bin");
        let statistics = Question::ethtool("eth0", &ethtool::statistics_request(3));
        assert!(statistics.name().starts_with("ethtool/eth0/gstats-"), "{}", statistics.name());
        assert!(Question::ethtool("eth0", &[0xFF, 0, 0, 0]).name().starts_with("ethtool/eth0/command-"));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_old_answer_in_the_buffer_does_not_change_the_question() {
        let fresh = [ethtool::statistics_request(2).as_slice(), &[0; 16]].concat();
        let used = [ethtool::statistics_request(2).as_slice(), &[9; 16]].concat();
        assert_eq!(Question::ethtool("eth0", &fresh), Question::ethtool("eth0", &used));
        let another = ethtool::statistics_request(3);
        assert_ne!(Question::ethtool("eth0", &fresh), Question::ethtool("eth0", &another));
    }

    #[test]
    fn hostile_names_stay_inside_their_part_of_the_path() {
        assert_eq!(escaped("../../etc"), "..%2F..%2Fetc");
        assert_eq!((escaped(".."), escaped("."), escaped("")), ("%2E.".to_owned(), "%2E".to_owned(), "%".to_owned()));
        assert_eq!(escaped("a\x1b[2J\t\u{202e}"), "a%1B%5B2J%09%E2%80%AE");
        assert_eq!(Question::file("/proc/../x").name(), "files/proc/%2E./x");
    }

    proptest! {
        #[test]
        fn different_names_have_different_escapes(a in ".{0,12}", b in ".{0,12}") {
            prop_assert_eq!(escaped(&a) == escaped(&b), a == b);
            prop_assert!(!escaped(&a).contains('/') && escaped(&a) != ".." && escaped(&a) != ".");
        }
    }
}
