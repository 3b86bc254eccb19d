//! What the kernel counts of protocols in one network namespace: the evidence for packets that no socket tells of.
//!
//! Sources: `net/ipv4/proc.c` and `net/ipv6/proc.c` for the names, RFC 4293, 4022 and 4113 for their meaning. Read from
//! `/proc/net` of the program's own namespace, and from that of a process that lives there for others.

use squirrel_sys::Kernel;

/// Packets since the accountant began, and octets where it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Protocols {
    /// Passed on from one interface to another.
    pub(crate) forwarded: u64,
    /// Segments of TCP.
    pub(crate) segments_in: u64,
    pub(crate) segments_out: u64,
    /// Datagrams that programs took, and that they sent.
    pub(crate) datagrams_in: u64,
    pub(crate) datagrams_out: u64,
    /// Datagrams that no program took: nobody listens there, the socket's buffer was full, or they were damaged.
    pub(crate) refused: u64,
    /// Messages of ICMP and ICMPv6.
    pub(crate) control_in: u64,
    pub(crate) control_out: u64,
    /// Received for many at once: multicast and broadcast, also that which nobody here asked for.
    pub(crate) to_many: u64,
    /// Their octets, with IP's header.
    pub(crate) octets_to_many: u64,
}

impl Protocols {
    fn each(self, other: Self, change: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            forwarded: change(self.forwarded, other.forwarded),
            segments_in: change(self.segments_in, other.segments_in),
            segments_out: change(self.segments_out, other.segments_out),
            datagrams_in: change(self.datagrams_in, other.datagrams_in),
            datagrams_out: change(self.datagrams_out, other.datagrams_out),
            refused: change(self.refused, other.refused),
            control_in: change(self.control_in, other.control_in),
            control_out: change(self.control_out, other.control_out),
            to_many: change(self.to_many, other.to_many),
            octets_to_many: change(self.octets_to_many, other.octets_to_many),
        }
    }

    /// Adds what `/proc/net/snmp` or `/proc/net/netstat` (pairs of lines, names and numbers) says.
    fn take_v4(&mut self, text: &[u8]) {
        let mut lines = text.split(|octet| *octet == b'\n');
        while let (Some(names), Some(numbers)) = (lines.next(), lines.next()) {
            let mut names = names.split(u8::is_ascii_whitespace);
            let mut numbers = numbers.split(u8::is_ascii_whitespace);
            let Some(group) = names.next().filter(|group| numbers.next() == Some(*group)) else { continue };
            for (name, value) in names.zip(numbers) {
                if let Some(sum) = self.named(group, name) {
                    *sum = sum.saturating_add(number(value));
                }
            }
        }
    }

    /// Adds what `/proc/net/snmp6` (a name and a number in each line) says.
    fn take_v6(&mut self, text: &[u8]) {
        for line in text.split(|octet| *octet == b'\n') {
            let mut parts = line.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
            let sum = match name {
                b"Ip6OutForwDatagrams" => &mut self.forwarded,
                b"Icmp6InMsgs" => &mut self.control_in,
                b"Icmp6OutMsgs" => &mut self.control_out,
                b"Udp6InDatagrams" => &mut self.datagrams_in,
                b"Udp6OutDatagrams" => &mut self.datagrams_out,
                b"Ip6InMcastPkts" => &mut self.to_many,
                b"Ip6InMcastOctets" => &mut self.octets_to_many,
                b"Udp6NoPorts" | b"Udp6InErrors" => &mut self.refused,
                _ => continue,
            };
            *sum = sum.saturating_add(number(value));
        }
    }

    fn named(&mut self, group: &[u8], name: &[u8]) -> Option<&mut u64> {
        Some(match (group, name) {
            (b"Ip:", b"ForwDatagrams") => &mut self.forwarded,
            (b"IpExt:", b"InMcastPkts" | b"InBcastPkts") => &mut self.to_many,
            (b"IpExt:", b"InMcastOctets" | b"InBcastOctets") => &mut self.octets_to_many,
            (b"Icmp:", b"InMsgs") => &mut self.control_in,
            (b"Icmp:", b"OutMsgs") => &mut self.control_out,
            (b"Tcp:", b"InSegs") => &mut self.segments_in,
            (b"Tcp:", b"OutSegs") => &mut self.segments_out,
            (b"Udp:", b"InDatagrams") => &mut self.datagrams_in,
            (b"Udp:", b"OutDatagrams") => &mut self.datagrams_out,
            (b"Udp:", b"NoPorts" | b"InErrors") => &mut self.refused,
            _ => return None,
        })
    }
}

/// Some counters are printed as signed numbers of an older kind; a negative one says nothing.
fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The counters of one namespace over time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    last: Option<Protocols>,
    total: Protocols,
}

impl Counters {
    /// Reads them below a folder, `/proc/net` or that of a process. What cannot be read is no evidence.
    pub(crate) fn read(&mut self, kernel: &dyn Kernel, folder: &str, buffer: &mut Vec<u8>) {
        let mut now = Protocols::default();
        if kernel.read(&format!("{folder}/snmp"), buffer).is_err() {
            self.last = None;
            return;
        }
        now.take_v4(buffer);
        if kernel.read(&format!("{folder}/netstat"), buffer).is_ok() {
            now.take_v4(buffer);
        }
        // Without IPv6 there is no such file.
        if kernel.read(&format!("{folder}/snmp6"), buffer).is_ok() {
            now.take_v6(buffer);
        }
        if let Some(last) = self.last {
            let new = now.each(last, u64::saturating_sub);
            self.total = self.total.each(new, u64::saturating_add);
        }
        self.last = Some(now);
    }

    /// Since the first reading; `None` while there is none.
    pub(crate) fn total(&self) -> Option<Protocols> {
        self.last.map(|_| self.total)
    }
}

/// The counters that the files of a kernel give when they are read twice, as a text: a door for tests with chosen octets.
#[doc(hidden)]
pub fn counters_as_text(kernel: &dyn Kernel) -> String {
    let (mut counters, mut buffer) = (Counters::default(), Vec::new());
    for _ in 0..2 {
        counters.read(kernel, "/proc/net", &mut buffer);
    }
    format!("{counters:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;

    const V4: &str = "Ip: Forwarding DefaultTTL InReceives ForwDatagrams\nIp: 1 64 100 7\n\
                      Icmp: InMsgs InErrors OutMsgs\nIcmp: 3 0 4\n\
                      Tcp: MaxConn InSegs OutSegs\nTcp: -1 20 30\n\
                      Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 5 1 2 6 2\n";
    const V6: &str = "Ip6OutForwDatagrams             \t1\nIcmp6InMsgs\t1\nUdp6OutDatagrams 10\nUdp6NoPorts 1\nIp6InMcastPkts 3\nIp6InMcastOctets 300\n";

    #[test]
    fn both_families_are_summed_from_the_first_reading_on() {
        let kernel = FakeKernel::default();
        let (mut counters, mut buffer) = (Counters::default(), Vec::new());
        counters.read(&kernel, "/proc/net", &mut buffer);
        assert_eq!(counters.total(), None, "there is no such file");
        kernel.write("/proc/net/snmp", V4);
        kernel.write("/proc/net/snmp6", V6);
        counters.read(&kernel, "/proc/net", &mut buffer);
        assert_eq!(counters.total(), Some(Protocols::default()));
        kernel.write("/proc/net/snmp", V4.replace("20 30", "25 31").replace("100 7", "100 9"));
        kernel.write("/proc/net/snmp6", V6.replace("OutDatagrams 10", "OutDatagrams 14"));
        counters.read(&kernel, "/proc/net", &mut buffer);
        let expected =
            Protocols { forwarded: 2, segments_in: 5, segments_out: 1, datagrams_out: 4, ..Protocols::default() };
        assert_eq!(counters.total(), Some(expected));
        // Counters that begin anew take nothing away.
        kernel.write("/proc/net/snmp", V4);
        counters.read(&kernel, "/proc/net", &mut buffer);
        assert_eq!(counters.total().map(|total| total.segments_in), Some(5));
    }

    #[test]
    fn each_name_is_counted_where_it_belongs() {
        let mut read = Protocols::default();
        read.take_v4(V4.as_bytes());
        read.take_v4(b"TcpExt: SyncookiesSent\nTcpExt: 9\nIpExt: InNoRoutes InMcastPkts InBcastPkts InMcastOctets\nIpExt: 0 1 2 200\n");
        read.take_v6(V6.as_bytes());
        let expected = Protocols {
            forwarded: 8,
            segments_in: 20,
            segments_out: 30,
            datagrams_in: 5,
            datagrams_out: 16,
            refused: 4,
            control_in: 4,
            control_out: 4,
            to_many: 6,
            octets_to_many: 500,
        };
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(text in any::<Vec<u8>>()) {
            let mut read = Protocols::default();
            read.take_v4(&text);
            read.take_v6(&text);
        }
    }
}
