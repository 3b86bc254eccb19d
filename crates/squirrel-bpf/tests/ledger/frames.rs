//! The packet ledger: the rows of an interface add up to the interface's own counters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use squirrel_bpf::{Options, PacketOptions, Packets};
use squirrel_sys::privilege;
use squirrel_testkit::{Namespace, skip};

use super::stage::{Paused, QUEUE, Stage, play};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A line `row` of the program `frames`.
#[derive(Debug)]
struct Row {
    direction: String,
    class: String,
    interface: u32,
    cookie: u64,
    protocol: u8,
    frames: u64,
    bytes: u64,
    wire_frames: u64,
}

/// What the program said: its rows, and by interface and direction what the interface counted itself.
#[derive(Debug, Default)]
struct Books {
    rows: Vec<Row>,
    counters: BTreeMap<(u32, String), (u64, u64)>,
}

impl Books {
    fn read(text: &str) -> Self {
        let mut books = Self::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |index: usize| words[index].parse::<u64>().expect("a number");
            if words[0] == "counter" {
                let interface = number(1) as u32;
                books.counters.insert((interface, "Receive".to_owned()), (number(2), number(3)));
                books.counters.insert((interface, "Transmit".to_owned()), (number(4), number(5)));
            } else {
                let (direction, class) = (words[1].to_owned(), words[2].to_owned());
                let (interface, cookie, protocol) = (number(3) as u32, number(4), number(5) as u8);
                let (frames, bytes, wire_frames) = (number(6), number(7), number(8));
                books.rows.push(Row { direction, class, interface, cookie, protocol, frames, bytes, wire_frames });
            }
        }
        books
    }

    /// Nothing is unexplained, on no interface and in no direction.
    fn check_nothing_is_unexplained(&self, case: &str) {
        assert!(!self.counters.is_empty(), "{case}");
        for ((interface, direction), counted) in &self.counters {
            let rows = self.rows.iter().filter(|row| row.interface == *interface && row.direction == *direction);
            let explained = rows.fold((0, 0), |(frames, bytes), row| (frames + row.frames, bytes + row.bytes));
            assert_eq!(explained, *counted, "{case}: {direction} on interface {interface}: {self:#?}");
        }
    }

    fn bytes(&self, class: &str, protocol: u8) -> u64 {
        let rows = self.rows.iter().filter(|row| row.class == class && row.protocol == protocol);
        rows.map(|row| row.bytes).sum()
    }
}

/// Two namespaces with a router between them: `left` 10.77.1.2 and fd77:1::2, `right` 10.77.2.2 and fd77:2::2.
struct Line {
    left: Namespace,
    router: Namespace,
    right: Namespace,
}

impl Line {
    /// Makes it, with all cables pulled.
    fn create() -> Result<Self, String> {
        let line = Self {
            left: Namespace::create("left")?,
            router: Namespace::create("router")?,
            right: Namespace::create("right")?,
        };
        for (end, name) in [(&line.left, "l0"), (&line.right, "r0")] {
            line.router.ip(&["link", "add", name, "type", "veth", "peer", "name", "e0", "netns", end.name()])?;
        }
        line.router.run("sysctl", &["-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])?;
        Ok(line)
    }

    /// Plugs all cables in.
    fn connect(&self) -> Result<(), String> {
        for (end, name, number) in [(&self.left, "l0", "1"), (&self.right, "r0", "2")] {
            let four = |host: &str| format!("10.77.{number}.{host}");
            let six = |host: &str| format!("fd77:{number}::{host}");
            for (namespace, interface, host) in [(&self.router, name, "1"), (end, "e0", "2")] {
                namespace.ip(&["address", "add", &format!("{}/24", four(host)), "dev", interface])?;
                namespace.ip(&["address", "add", &format!("{}/64", six(host)), "dev", interface, "nodad"])?;
                namespace.ip(&["link", "set", interface, "up"])?;
            }
            end.ip(&["route", "add", "default", "via", &four("1")])?;
            end.ip(&["-6", "route", "add", "default", "via", &six("1")])?;
        }
        Ok(())
    }
}

/// Why no frame can be counted here.
fn impossible() -> Option<String> {
    let attached = Packets::open(&PacketOptions::default()).and_then(|mut packets| packets.attach(1, "lo"));
    attached.err().map(|error| error.to_string())
}

#[test]
fn every_frame_of_every_interface_is_in_one_row() {
    if let Some(reason) = impossible() {
        return skip("every_frame_of_every_interface_is_in_one_row", &reason);
    }
    let (line, mut stage) = match Line::create().and_then(|line| Ok((line, Stage::open(&Options::default())?))) {
        Ok(made) => made,
        Err(reason) => return skip("every_frame_of_every_interface_is_in_one_row", &reason),
    };
    let watch = |namespace, interfaces| Paused::program(namespace, "frames", interfaces);
    let ends = [watch(&line.left, "e0 lo"), watch(&line.router, "l0 r0 lo"), watch(&line.right, "e0 lo")];
    line.connect().expect("the cables are plugged in");
    let mut clients = BTreeSet::new();
    let _all_datagrams_arrive = QUEUE.read().unwrap_or_else(PoisonError::into_inner);
    for address in ["10.77.2.2", "fd77:2::2"] {
        let server = Paused::start(&line.right, &format!("serve {address} 3000000"));
        clients.extend(play(&line.left, &format!("visit {address} 3000000")).into_keys());
        server.rest();
        // Through the loopback too.
        play(&line.right, &format!("stream {address} 100000"));
    }
    let [left, router, right] = ends.map(|end| Books::read(&end.rest()));
    for (books, case) in [(&left, "left"), (&router, "router"), (&right, "right")] {
        books.check_nothing_is_unexplained(case);
    }
    // Twice 3,000,000 bytes each way, and their headers.
    assert!(left.bytes("Socket", TCP) > 12_000_000 && left.bytes("Forwarded", TCP) == 0);
    assert!(router.bytes("Forwarded", TCP) > 24_000_000, "{router:#?}");
    assert_eq!((router.bytes("Socket", TCP), router.bytes("Socket", UDP)), (0, 0), "{router:#?}");
    assert!(router.bytes("Forwarded", UDP) >= 8 * 100 * 700);
    assert!(router.bytes("Kernel", 0) > 0, "ARP");
    // The closed ports were answered by the other side's kernel, and its answers passed the router.
    assert!(right.bytes("Kernel", 1) > 0 && right.bytes("Kernel", 58) > 0, "{right:#?}");
    assert!(router.bytes("Forwarded", 1) > 0 && router.bytes("Forwarded", 58) > 0);
    // One frame may stand for many segments of the wire.
    let bulk = left.rows.iter().filter(|row| row.protocol == TCP && row.bytes > 1_000_000);
    assert!(bulk.clone().count() >= 4 && bulk.clone().all(|row| row.wire_frames * 1514 >= row.bytes), "{left:#?}");
    // The cookies are those of the ledger of sockets.
    let mut known = BTreeSet::new();
    stage.all(|record| {
        if clients.contains(&record.tgid) {
            known.insert(record.cookie);
        }
    });
    let cookies = left.rows.iter().filter(|row| row.class == "Socket" && row.cookie != 0).map(|row| row.cookie);
    assert_eq!(cookies.collect::<BTreeSet<_>>(), known);
}

#[test]
fn a_full_table_loses_detail_and_no_frame() {
    if let Some(reason) = impossible() {
        return skip("a_full_table_loses_detail_and_no_frame", &reason);
    }
    let namespace = match Namespace::create("crowded") {
        Ok(namespace) => namespace,
        Err(reason) => return skip("a_full_table_loses_detail_and_no_frame", &reason),
    };
    // The loopback is up already: what it counts before the programs are there must not matter.
    let watch = Paused::program(&namespace, "frames", "4 lo");
    play(&namespace, "short 2 20");
    let books = Books::read(&watch.rest());
    books.check_nothing_is_unexplained("crowded");
    assert!(books.rows.iter().filter(|row| row.class != "Crowded").count() <= 4, "{books:#?}");
    assert_eq!(books.rows.iter().filter(|row| row.class == "Crowded").count(), 2, "{books:#?}");
}

#[test]
fn without_privileges_no_frame_is_counted_and_the_sentence_says_why() {
    let error = std::thread::spawn(|| {
        privilege::drop_all().expect("privileges can be dropped");
        Packets::open(&PacketOptions::default()).map(|_| ()).expect_err("nothing loads").to_string()
    });
    let text = error.join().expect("the thread ends");
    for word in ["no frame is counted", "CAP_BPF", "CAP_NET_ADMIN"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
