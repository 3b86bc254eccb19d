//! The level `packets` in network namespaces: nothing of what an interface carries is unexplained.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use squirrel_testkit::{Namespace, skip, until};

use crate::inside::{Inside, play};
use crate::printing::Printing;
use crate::processes::{descendant, has_gone};
use crate::support::{PATIENCE, squirrel};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_squirrel"))
}

fn own_binary() -> PathBuf {
    std::env::current_exe().expect("the test's own path")
}

/// A measurement that has begun.
pub(crate) fn measuring(namespace: &Namespace, level: &str) -> Inside {
    let mut command = namespace.command(program());
    command.args(["top", "--for", "10m", "--json", "--level", level]);
    let measuring = Inside::spawn(command);
    measuring.wait_for("measuring for 600 s");
    measuring
}

pub(crate) fn document(measuring: Inside) -> Value {
    serde_json::from_str(&measuring.interrupt().1).expect("one document")
}

pub(crate) fn interface<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document["interfaces"].as_array().expect("rows").iter().find(|row| row["name"] == name)
}

pub(crate) fn bytes(row: &Value, part: &str, direction: &str) -> i64 {
    row[format!("{part}{direction}_bytes")].as_i64().expect("a number")
}

pub(crate) const DIRECTIONS: [&str; 2] = ["receive", "transmit"];

/// Whether wire is the sum of its parts and none is unexplained. What passes between the two readings of one step is
/// explained by the next.
fn all_is_explained(document: &Value) -> bool {
    let is_explained = |row: &Value, direction| {
        let parts = ["attributed_", "headers_", "forwarded_", "kernel_"].map(|part| bytes(row, part, direction));
        parts.iter().sum::<i64>() == bytes(row, "", direction) && bytes(row, "unexplained_", direction) == 0
    };
    let rows = document["interfaces"].as_array().expect("rows");
    document["level"]["name"] == "packets"
        && rows
            .iter()
            .all(|row| row["source"] == "exact" && DIRECTIONS.iter().all(|direction| is_explained(row, direction)))
}

/// The program counting packets, ten times a second. The count bounds a failure.
fn counting(namespace: &Namespace) -> Printing {
    let mut command = namespace.command(program());
    Printing::start(command.args([
        "top",
        "--level",
        "packets",
        "--interval",
        "100ms",
        "--count",
        "6000",
        "--json-lines",
    ]))
}

/// Two namespaces with a router between them, and no cable plugged in yet.
pub(crate) struct Line {
    pub(crate) left: Namespace,
    pub(crate) router: Namespace,
    pub(crate) right: Namespace,
}

impl Line {
    pub(crate) fn create() -> Result<Self, String> {
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

    pub(crate) fn connect(&self) -> Result<(), String> {
        for (end, name, number) in [(&self.left, "l0", "1"), (&self.right, "r0", "2")] {
            for (namespace, interface, host) in [(&self.router, name, "1"), (end, "e0", "2")] {
                namespace.ip(&["address", "add", &format!("10.77.{number}.{host}/24"), "dev", interface])?;
                namespace.ip(&["address", "add", &format!("fd77:{number}::{host}/64"), "dev", interface, "nodad"])?;
                namespace.ip(&["link", "set", interface, "up"])?;
            }
            end.ip(&["route", "add", "default", "via", &format!("10.77.{number}.1")])?;
            end.ip(&["-6", "route", "add", "default", "via", &format!("fd77:{number}::1")])?;
        }
        Ok(())
    }
}

/// Why packets cannot be counted here, if so.
fn impossible(namespace: &Namespace) -> Option<String> {
    let mut command = namespace.command(program());
    command.args(["top", "--for", "100ms", "--json", "--level", "packets"]);
    let document: Value = serde_json::from_str(&Inside::spawn(command).output().1).expect("one document");
    (document["level"]["name"] != "packets").then(|| document["level"]["missing"].to_string())
}

#[test]
fn each_byte_of_each_interface_is_explained() {
    if !play() {
        check_each_byte_of_each_interface();
    }
}

fn check_each_byte_of_each_interface() {
    let name = "packets::each_byte_of_each_interface_is_explained";
    let line = match Line::create() {
        Ok(line) => line,
        Err(reason) => return skip(name, &reason),
    };
    if let Some(reason) = impossible(&line.left) {
        return skip(name, &reason);
    }
    let [mut left, mut router, mut right] = [&line.left, &line.router, &line.right].map(|host| {
        let mut printing = counting(host);
        printing.until(|document| document["level"]["name"] == "packets");
        printing
    });
    let usual = [measuring(&line.left, "sockets"), measuring(&line.right, "sockets")];
    line.connect().expect("the cables are plugged in");
    let server = Inside::start(&line.right, &own_binary(), name, "serve 3000000");
    let port = server.wait_for("port ");
    let mut clients = Vec::new();
    for address in ["10.77.2.2", "[fd77:2::2]"] {
        let role = format!("exchange {address}:{port} 2000000 3000000");
        let client = Inside::start(&line.left, &own_binary(), name, &role);
        client.wait_for("fetched");
        clients.push(client);
    }
    let scatter = Inside::start(&line.left, &own_binary(), name, "scatter 10.77.2.2:9 [fd77:2::2]:9 10.77.1.2");
    scatter.wait_for("scattered");
    let moved = |document: &Value, name, part, receive, transmit| {
        let row = interface(document, name);
        row.is_some_and(|row| bytes(row, part, "receive") >= receive && bytes(row, part, "transmit") >= transmit)
    };
    for (end, receive, transmit) in [(&mut left, 6_000_000, 4_000_000), (&mut right, 4_000_000, 6_000_000)] {
        let document = end.until(|document| {
            all_is_explained(document)
                && moved(document, "e0", "attributed_", receive, transmit)
                && moved(document, "e0", "headers_", 0, 1_001)
                && moved(document, "e0", "kernel_", 0, 1)
        });
        assert!(!moved(&document, "e0", "forwarded_", 1, 0) && !moved(&document, "e0", "forwarded_", 0, 1));
    }
    let routed = router.until(|document| {
        let moves = |name| moved(document, name, "forwarded_", 4_000_001, 4_000_001);
        // It asks who its neighbours are.
        let asks = |name| moved(document, name, "kernel_", 0, 1);
        all_is_explained(document) && ["l0", "r0"].into_iter().all(|name| moves(name) && asks(name))
    });
    for name in ["l0", "r0"] {
        let row = interface(&routed, name).expect("it is there");
        assert_eq!(bytes(row, "attributed_", "receive") + bytes(row, "attributed_", "transmit"), 0, "{row}");
    }
    // Without counts of packets next to nothing of the ends is unexplained either.
    for document in usual.map(self::document) {
        let row = interface(&document, "e0").expect("it is there");
        for direction in DIRECTIONS {
            let unexplained = bytes(row, "unexplained_", direction);
            assert!(unexplained.abs() * 100 < bytes(row, "", direction), "{direction}: {row}");
        }
        assert_eq!(row["source"], "sampled");
    }
}

/// The numbers of the links that hold programs at interfaces, for a program that counts.
fn links_of(printer: u32) -> Vec<String> {
    let counting = descendant(printer, "squirrel-frames").expect("a process counts");
    let folder = format!("/proc/{counting}/fdinfo");
    let texts = std::fs::read_dir(folder).expect("it lives").filter_map(|entry| {
        // A descriptor may be closed by now.
        std::fs::read_to_string(entry.ok()?.path()).ok()
    });
    let links = texts.filter(|text| text.contains("link_type:\ttcx"));
    let number = |text: String| text.lines().find_map(|line| line.strip_prefix("link_id:\t").map(str::to_owned));
    links.filter_map(number).collect()
}

/// Waits until so many links hold programs at interfaces for it; their numbers.
fn links(printing: &mut Printing, count: usize) -> Vec<String> {
    let printer = printing.pid();
    printing.until(|_| links_of(printer).len() == count);
    links_of(printer)
}

/// Whether the kernel still has one of these links.
fn linger(links: &[String]) -> bool {
    links.iter().any(|link| {
        let shown = Command::new("bpftool").args(["link", "show", "id", link]).output().expect("bpftool runs");
        shown.status.success()
    })
}

#[test]
fn an_interface_that_comes_is_counted_and_nothing_is_left_behind() {
    let name = "packets::an_interface_that_comes_is_counted_and_nothing_is_left_behind";
    let namespace = match Namespace::create("comes") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    if let Some(reason) = impossible(&namespace) {
        return skip(name, &reason);
    }
    let mut printing = counting(&namespace);
    printing.until(|document| document["level"]["name"] == "packets");
    // In and out of the loopback.
    links(&mut printing, 2);
    namespace.ip(&["link", "add", "late", "type", "veth", "peer", "name", "other"]).expect("a pair");
    let exact = |document: &Value| interface(document, "late").is_some_and(|row| row["source"] == "exact");
    printing.until(exact);
    let held = links(&mut printing, 6);
    let counting = descendant(printing.pid(), "squirrel-frames").expect("a process counts");
    assert!(linger(&held), "the witness sees them");
    for link in ["late", "other"] {
        namespace.ip(&["link", "set", link, "up"]).expect("it comes up");
    }
    // Both ends look for neighbours and routers by themselves.
    let document = printing.until(|document| {
        let row = interface(document, "late").expect("it is there");
        let moved =
            |direction: &&str| bytes(row, "kernel_", direction) > 0 && bytes(row, "unexplained_", direction) == 0;
        DIRECTIONS.iter().all(moved)
    });
    assert!(exact(&document));
    namespace.ip(&["link", "delete", "late"]).expect("it goes");
    printing.until(|document| interface(document, "late").is_none());
    // Those of the pair are let go.
    links(&mut printing, 2);
    drop(printing);
    assert!(has_gone(counting), "it ends with the one that it counts for");
    // The kernel lets go of them a moment after the process.
    assert!(until(PATIENCE, || !linger(&held)), "nothing stays behind");
}

#[test]
fn who_may_not_count_packets_is_told_so_and_gets_the_usual_level() {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program());
    command.args(["top", "--for", "100ms", "--json", "--level", "packets"]);
    let output = command.output().expect("setpriv runs");
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if said.contains("Permission denied") && text.is_empty() {
        return skip("packets::who_may_not_count", "another user may not run this binary, or change to one");
    }
    assert!(said.contains("packets are counted by a process with") && said.contains("goes on by sockets"), "{said}");
    let document: Value = serde_json::from_str(&text).expect("one document");
    assert_ne!(document["level"]["name"], "packets");
    let missing = document["level"]["missing"].as_array().expect("rows");
    let part = missing.iter().find(|part| part["part"] == "packets").expect("it is among what is missing");
    assert!(part["reason"].as_str().expect("a reason").contains("CAP_BPF"), "{part}");
}

#[test]
fn a_daemon_counts_packets_after_it_gave_up_its_privileges() {
    let name = "packets::a_daemon_counts_packets_after_it_gave_up_its_privileges";
    let namespace = match Namespace::create("daemon") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    if let Some(reason) = impossible(&namespace) {
        return skip(name, &reason);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("squirrel.toml");
    std::fs::write(&config, "[accounting]\nlevel = \"packets\"\n").expect("written");
    let mut command = namespace.command(program());
    command.args(["serve", "--listen", "127.0.0.1:7775", "--config"]).arg(&config);
    let daemon = Inside::spawn({
        command.arg("--data-dir").arg(folder.path().join("data"));
        command
    });
    daemon.wait_for("accounting by packets");
    namespace.ip(&["link", "add", "late", "type", "veth", "peer", "name", "other"]).expect("a pair");
    let mut asking = asking(&namespace, &[]);
    // The questions themselves are the traffic.
    let document = asking.until(|document| {
        let row = interface(document, "lo").expect("it is there");
        let moved = |direction: &&str| bytes(row, "", direction) > 10_000 && bytes(row, "unexplained_", direction) == 0;
        DIRECTIONS.iter().all(moved) && interface(document, "late").is_some()
    });
    assert_eq!(interface(&document, "lo").expect("it is there")["source"], "exact");
    // One that came after the privileges were given up is counted all the same.
    assert_eq!(interface(&document, "late").expect("it is there")["source"], "exact");
}

#[test]
fn a_daemon_counts_packets_while_somebody_looks() {
    let name = "packets::a_daemon_counts_packets_while_somebody_looks";
    let namespace = match Namespace::create("looks") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    if let Some(reason) = impossible(&namespace) {
        return skip(name, &reason);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = namespace.command(program());
    command.args(["serve", "--listen", "127.0.0.1:7775", "--data-dir"]).arg(folder.path().join("data"));
    let daemon = Inside::spawn(command);
    daemon.wait_for("accounting by sockets");
    assert_eq!(descendant(daemon.pid(), "squirrel-frames"), None, "nobody looks yet");
    let (code, _, said) = squirrel(&["top", "--server", "127.0.0.1:1", "--level", "packets", "--data-dir", "/nowhere"]);
    assert!(code != 0 && said.contains("token") && said.contains("--data-dir"), "{code} {said}");
    let data = folder.path().join("data");
    let mut looks = asking(&namespace, &["--level", "packets", "--data-dir", data.to_str().expect("UTF-8")]);
    looks.until(|document| {
        let row = interface(document, "lo").expect("it is there");
        document["level"]["name"] == "packets" && bytes(row, "", "receive") > 0
    });
    let counting = descendant(daemon.pid(), "squirrel-frames").expect("a process counts");
    // An interface that comes now is counted from its first packet.
    namespace.ip(&["link", "add", "late", "type", "veth", "peer", "name", "other"]).expect("a pair");
    looks.until(|document| interface(document, "late").is_some_and(|row| row["source"] == "exact"));
    drop(looks);
    let mut still = asking(&namespace, &[]);
    still.until(|document| document["level"]["name"] == "sockets");
    assert!(has_gone(counting), "and its process with it");
}

#[test]
fn packets_of_other_namespaces_are_counted_by_the_host() {
    let name = "packets::packets_of_other_namespaces_are_counted_by_the_host";
    let namespace = match Namespace::create("inner") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    if let Some(reason) = impossible(&namespace) {
        return skip(name, &reason);
    }
    let mut command = Command::new(program());
    command.args(["top", "--no-daemon", "--level", "packets", "--interval", "200ms", "--count", "600", "--json-lines"]);
    let mut printing = Printing::start(&mut command);
    namespace.ip(&["link", "add", "inner-a", "type", "veth", "peer", "name", "inner-b"]).expect("a pair");
    printing.until(|document| interface(document, "inner-a").is_some_and(|row| row["source"] == "exact"));
    for link in ["inner-a", "inner-b"] {
        namespace.ip(&["link", "set", link, "up"]).expect("it comes up");
    }
    let document = printing.until(|document| {
        let row = interface(document, "inner-a").expect("it is there");
        let moved =
            |direction: &&str| bytes(row, "kernel_", direction) > 0 && bytes(row, "unexplained_", direction) == 0;
        DIRECTIONS.iter().all(moved)
    });
    assert_eq!(document["level"]["name"], "packets", "{}", document["level"]);
}

/// Asks the daemon of a namespace each half second.
fn asking(namespace: &Namespace, more: &[&str]) -> Printing {
    let mut command = namespace.command(program());
    command.args(["top", "--server", "127.0.0.1:7775", "--interval", "500ms", "--count", "240", "--json-lines"]);
    Printing::start(command.args(more))
}
