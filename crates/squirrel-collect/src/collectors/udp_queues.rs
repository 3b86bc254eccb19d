//! What waits in UDP sockets' queues, and what they dropped.
//!
//! Asked of `sock_diag`, which is several times cheaper than `/proc/net/udp` and gives the same
//! numbers; where the kernel has no `udp_diag`, the text files serve (`udp4_format_sock` in
//! `net/ipv4/udp.c`).

use squirrel_model::{Batch, Elapsed, Kind, Labels, Metric, Unit};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::sock_diag::{IPPROTO_UDP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, extension};
use squirrel_wire::{AF_INET, AF_INET6};

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::parse::{complete, decimal, hex, lines, words};

static QUEUES: Metric = Metric::new(
    "node_udp_queues",
    Kind::Gauge,
    Unit::Bytes,
    "Memory of datagrams that wait in UDP sockets: rx to be read by programs, tx to be sent.",
)
.why("A receive queue that stays full loses what comes next, without any error for the sender.")
.check(&[
    "Find the socket with the large queue (`ss -uanm`), and look at its program.",
    "See node_netstat_Udp_RcvbufErrors for what is lost already.",
])
.labels(&["ip", "queue"]);

static DROPS: Metric = Metric::new(
    "squirrel_udp_socket_drops",
    Kind::Gauge,
    Unit::Packets,
    "Datagrams that the UDP sockets which are open now have dropped since they opened.",
)
.why("These had arrived; their program was too slow or their buffer too small.")
.check(&[
    "Find the socket (`ss -uanm`, the number after `d`), and look at its program.",
    "Raise its SO_RCVBUF and `sysctl net.core.rmem_max`.",
])
.labels(&["ip"]);

static FILL: Metric = Metric::new(
    "squirrel_udp_receive_buffer_fill_ratio",
    Kind::Gauge,
    Unit::Ratio,
    "How full the fullest receive buffer of all UDP sockets is; near 1 datagrams are dropped.",
)
.why("It warns before node_netstat_Udp_RcvbufErrors counts lost datagrams.")
.check(&["Find the socket with the large queue (`ss -uanm`), and look at its program."])
.labels(&["ip"]);

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "udp_queues",
    about: "What waits in the queues of UDP sockets, and what they dropped.",
    metrics: &[&QUEUES, &DROPS, &FILL],
    open,
};

/// One address family: its number, its name in node_exporter, its text file.
type Family = (u8, &'static str, &'static str);
const FAMILIES: [Family; 2] = [(AF_INET, "v4", "/proc/net/udp"), (AF_INET6, "v6", "/proc/net/udp6")];

fn open(kernel: &dyn Kernel) -> Opened {
    let none = InetRequest { states: 0, ..request(AF_INET) };
    let dumped = kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &none.payload(), &mut |_, _| {});
    let mut text = Vec::new();
    if dumped.is_err() {
        let read = kernel.read(FAMILIES[0].2, &mut text);
        read.map_err(|error| {
            Unavailable::because(&error, "It needs a kernel with IPv4, and /proc or the module udp_diag.")
        })?;
    }
    let labels = |(_, ip, _): Family, queue: &str| Labels::new([("ip", ip), ("queue", queue)]).unwrap_or_default();
    Ok(Box::new(UdpQueues {
        by_dump: dumped.is_ok(),
        text,
        labels: FAMILIES.map(|family| [labels(family, "tx"), labels(family, "rx"), labels(family, "")]),
    }))
}

fn request(family: u8) -> InetRequest {
    InetRequest { family, protocol: IPPROTO_UDP, extensions: extension::MEMORY, states: InetRequest::ALL_STATES }
}

struct UdpQueues {
    by_dump: bool,
    text: Vec<u8>,
    /// For each family: of the send queue, the receive queue, and of neither.
    labels: [[Labels; 3]; 2],
}

/// What one tick adds up for one family.
#[derive(Default)]
struct Totals {
    send: u64,
    receive: u64,
    drops: u64,
    /// None where the source does not tell it.
    fill: Option<f64>,
    unreadable: u64,
}

impl Collector for UdpQueues {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        for (family, [send, receive, plain]) in FAMILIES.into_iter().zip(&self.labels) {
            let totals = if self.by_dump { dump(kernel, family) } else { read(kernel, family, &mut self.text, out) };
            let totals = match totals {
                Ok(totals) => totals,
                // Without IPv6 nothing is missing.
                Err(error) if family.0 == AF_INET6 && error.is_absent() => continue,
                Err(error) => {
                    report(out, &error);
                    continue;
                }
            };
            out.put(&QUEUES, send, totals.send as f64);
            out.put(&QUEUES, receive, totals.receive as f64);
            out.put(&DROPS, plain, totals.drops as f64);
            if let Some(fill) = totals.fill {
                out.put(&FILL, plain, fill);
            }
            if totals.unreadable > 0 {
                out.fault(
                    format!("UDP sockets ({})", family.1),
                    format!("{} of the kernel's entries could not be read.", totals.unreadable),
                );
            }
        }
    }
}

fn dump(kernel: &dyn Kernel, (family, ..): Family) -> Result<Totals, SysError> {
    let mut totals = Totals { fill: Some(0.0), ..Totals::default() };
    kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &request(family).payload(), &mut |kind, payload| {
        if kind != SOCK_DIAG_BY_FAMILY {
            return;
        }
        let Ok(socket) = InetSocket::parse(payload) else {
            totals.unreadable += 1;
            return;
        };
        totals.send += u64::from(socket.send_queue);
        totals.receive += u64::from(socket.receive_queue);
        let Some(memory) = socket.memory else { return };
        totals.drops += u64::from(memory.drops().unwrap_or(0));
        if let (Some(used), Some(size)) = (memory.receive_allocated(), memory.receive_buffer().filter(|&size| size > 0))
        {
            let fill = f64::from(used) / f64::from(size);
            totals.fill = totals.fill.map(|fullest| fullest.max(fill));
        }
    })?;
    Ok(totals)
}

fn read(kernel: &dyn Kernel, (_, _, path): Family, text: &mut Vec<u8>, out: &mut Batch) -> Result<Totals, SysError> {
    kernel.read(path, text)?;
    let mut totals = Totals::default();
    for line in lines(complete(path, text, out)).skip(1) {
        // sl, local, remote, st, tx:rx, tr:tm, retrnsmt, uid, timeout, inode, ref, pointer, drops
        let mut words = words(line).skip(4);
        let queues = words.next().and_then(|word| {
            let mut parts = word.split(|&b| b == b':');
            Some((hex(parts.next()?)?, hex(parts.next()?)?))
        });
        match queues {
            Some((send, receive)) => {
                totals.send = totals.send.saturating_add(send);
                totals.receive = totals.receive.saturating_add(receive);
            }
            None => totals.unreadable += 1,
        }
        totals.drops = totals.drops.saturating_add(words.nth(7).and_then(decimal).unwrap_or(0));
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;
    use crate::testing::{check_reading, check_survives};

    const TEXT: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
 1234: 0100007F:0035 00000000:0000 07 00000300:00001A00 00:00000000 00000000   101        0 19083 2 00000000abcdef01 194\n\
 1235: 0100007F:0043 00000000:0000 07 00000000:00000001 00:00000000 00000000     0        0 19084 2 00000000abcdef02 6\n";

    fn message(queues: (u32, u32), memory: (u32, u32), drops: u32) -> Vec<u8> {
        let mut octets = vec![0; 72];
        octets[..2].copy_from_slice(&[AF_INET, 7]);
        octets[56..60].copy_from_slice(&queues.0.to_ne_bytes());
        octets[60..64].copy_from_slice(&queues.1.to_ne_bytes());
        octets.extend(40u16.to_ne_bytes());
        octets.extend(7u16.to_ne_bytes());
        for word in [memory.0, memory.1, 0, 0, 0, 0, 0, 0, drops] {
            octets.extend(word.to_ne_bytes());
        }
        octets
    }

    #[test]
    fn queues_and_drops_are_summed_by_address_family() {
        let kernel = FakeKernel::default().on_dump(|_, _, payload| {
            let sockets = [message((100, 7), (50, 200), 3), message((1, 0), (150, 200), 1)];
            let answered = if payload[0] == AF_INET { &sockets[..] } else { &sockets[..1] };
            Ok(answered.iter().map(|octets| (SOCK_DIAG_BY_FAMILY, octets.clone())).collect())
        });
        let seen = check_reading(&DESC, &kernel);
        let queue = |ip, queue| seen.value("node_udp_queues", &[("ip", ip), ("queue", queue)]);
        assert_eq!([queue("v4", "rx"), queue("v4", "tx"), queue("v6", "rx")], [Some(101.0), Some(7.0), Some(100.0)]);
        assert_eq!(seen.value("squirrel_udp_socket_drops", &[("ip", "v4")]), Some(4.0));
        assert_eq!(seen.value("squirrel_udp_receive_buffer_fill_ratio", &[("ip", "v4")]), Some(0.75));
    }

    #[test]
    fn without_sock_diag_the_text_file_gives_the_same_and_no_fill() {
        let seen = check_reading(&DESC, &FakeKernel::default().with("/proc/net/udp", TEXT));
        let queue = |queue| seen.value("node_udp_queues", &[("ip", "v4"), ("queue", queue)]);
        assert_eq!([queue("tx"), queue("rx")], [Some(768.0), Some(6657.0)]);
        assert_eq!(seen.value("squirrel_udp_socket_drops", &[("ip", "v4")]), Some(200.0));
        assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (3, 0));
    }

    #[test]
    fn with_neither_it_says_so() {
        assert!((DESC.open)(&FakeKernel::default()).err().unwrap().to_string().contains("udp_diag"));
    }

    proptest! {
        #[test]
        fn any_bytes_survive(text: Vec<u8>, cut in 0..TEXT.len()) {
            check_survives(&DESC, "/proc/net/udp", &text);
            check_survives(&DESC, "/proc/net/udp", &TEXT.as_bytes()[..cut]);
            let kernel = FakeKernel::default().on_dump(move |_, _, _| Ok(vec![(SOCK_DIAG_BY_FAMILY, text.clone()), (3, vec![])]));
            check_reading(&DESC, &kernel);
        }
    }
}
