//! Every metric that we share with node_exporter has the same name, labels and value.
//!
//! Debian's prometheus-node-exporter and our collectors run side by side in a network namespace
//! made for the test. Numbers move while they are read, so each round collects, scrapes and
//! collects again: the exporter's value must lie between ours. A value that never does in any
//! round is a difference.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "what was compared is shown beside the test's name")]

#[path = "beside_node_exporter/compare.rs"]
mod compare;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use compare::{Comparison, Samples};
use squirrel_testkit::{Namespace, skip};

const TEST: &str = "shared_metrics_are_equal_in_name_labels_and_value";
const EXPORTER: &str = "prometheus-node-exporter";
/// Inside the namespace nobody else has this port.
const ADDRESS: &str = "127.0.0.1:9100";
const ROUNDS: usize = 10;
/// As many more are carried as it takes: on a busy machine numbers move more between two readings.
const MOST_ROUNDS: usize = 300;

/// Which collectors of node_exporter show what ours do.
const COUNTERPARTS: &[(&str, &[&str])] = &[
    ("conntrack", &["conntrack"]),
    ("ethtool", &["ethtool"]),
    ("interfaces", &["netdev", "netclass"]),
    ("neighbours", &["arp"]),
    ("netstat", &["netstat"]),
    ("qdisc", &["qdisc"]),
    // It has process_… metrics of itself, which are not ours.
    ("self", &[]),
    ("sockstat", &["sockstat"]),
    ("softnet", &["softnet"]),
    ("tcp", &["tcpstat"]),
    ("udp_queues", &["udp_queues"]),
];

#[test]
fn shared_metrics_are_equal_in_name_labels_and_value() {
    if Command::new(EXPORTER).arg("--version").output().is_err() {
        return skip(TEST, "prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)");
    }
    let (host, _peer) = match namespaces() {
        Ok(namespaces) => namespaces,
        Err(reason) => return skip(TEST, &reason),
    };
    let _exporter = Exporter::start(&host);
    let mut inside = Inside::start(&host);
    inside.ask("traffic");
    // The first scrape opens what the exporter keeps open afterwards.
    inside.ask("scrape");

    let mut comparison = Comparison::default();
    for round in 1..=MOST_ROUNDS {
        let before = Samples::parse(&inside.ask("collect"));
        let theirs = Samples::parse(&inside.ask("scrape"));
        let after = Samples::parse(&inside.ask("collect"));
        comparison.round(&before, &theirs, &after);
        if round >= ROUNDS && comparison.missing_series().is_empty() && comparison.differences().is_empty() {
            break;
        }
    }
    println!("{comparison}");
    assert!(
        comparison.compared() > 300,
        "only {} series were compared: the exporter shows too little",
        comparison.compared()
    );
    assert_eq!(comparison.missing_names(), Vec::<&str>::new(), "names that node_exporter has and we lack");
    assert_eq!(comparison.missing_series(), Vec::<String>::new(), "series that node_exporter has and we lack");
    assert_eq!(comparison.differences(), Vec::<String>::new(), "values that differ in every round");
}

#[test]
fn every_collector_has_its_counterpart_named() {
    let ours: Vec<&str> = squirrel_collect::COLLECTORS.iter().map(|desc| desc.name).collect();
    let unknown: Vec<_> = ours.iter().filter(|name| COUNTERPARTS.iter().all(|(known, _)| known != *name)).collect();
    assert!(unknown.is_empty(), "say in COUNTERPARTS what node_exporter has for {unknown:?}");
}

/// Two namespaces with interfaces of several kinds between them.
fn namespaces() -> Result<(Namespace, Namespace), String> {
    let (host, peer) = (Namespace::create("host")?, Namespace::create("peer")?);
    host.ip(&["link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", peer.name()])?;
    for (namespace, interface, number) in [(&host, "veth0", "1"), (&peer, "veth1", "2")] {
        namespace.ip(&["address", "add", &format!("192.0.2.{number}/24"), "dev", interface])?;
        namespace.ip(&["address", "add", &format!("2001:db8::{number}/64"), "dev", interface, "nodad"])?;
        namespace.ip(&["link", "set", interface, "up"])?;
    }
    // What a kernel lacks is left out; the comparison needs only some of each.
    for optional in [
        &["link", "add", "br0", "type", "bridge"][..],
        &["link", "add", "dummy0", "type", "dummy"],
        &["link", "add", "link", "veth0", "name", "veth0.7", "type", "vlan", "id", "7"],
        &["link", "set", "veth0", "alias", "to the \"peer\" \\ é"],
    ] {
        if let Err(reason) = host.ip(optional) {
            println!("left out: {reason}");
        }
    }
    for qdisc in [&["prio"][..], &["tbf", "rate", "100mbit", "burst", "32k", "latency", "10ms"]] {
        let added = host.run("tc", &[&["qdisc", "replace", "dev", "veth0", "root"], qdisc].concat());
        if let Err(reason) = added {
            println!("left out: {reason}");
        }
    }
    Ok((host, peer))
}

/// node_exporter inside a namespace, ended when dropped.
struct Exporter(Child);

impl Exporter {
    fn start(host: &Namespace) -> Self {
        let mut command = host.command(EXPORTER);
        command.args(["--collector.disable-defaults", "--web.disable-exporter-metrics"]);
        // Everything that it can show of these, not the selection that it begins with.
        command.args(["--collector.netstat.fields=.*", "--collector.netdev.device-exclude=^$"]);
        command.arg("--collector.netdev.address-info");
        command.arg(format!("--web.listen-address={ADDRESS}"));
        let ours = squirrel_collect::COLLECTORS.iter().map(|desc| desc.name);
        for (_, theirs) in ours.filter_map(|name| COUNTERPARTS.iter().find(|(known, _)| *known == name)) {
            command.args(theirs.iter().map(|name| format!("--collector.{name}")));
        }
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("node_exporter starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log is a pipe"));
        let mut line = String::new();
        while !line.contains("TLS is disabled") {
            line.clear();
            let read = log.read_line(&mut line).expect("its log can be read");
            assert!(read > 0, "node_exporter ended before it listened");
        }
        // The rest of its log goes nowhere, so that a full pipe does not stop it.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self(child)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example `on_request`, running inside the namespace: it does what it is asked, line by line.
struct Inside {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Inside {
    fn start(host: &Namespace) -> Self {
        let this = std::env::current_exe().expect("a test knows its own file");
        let built = this.parent().and_then(|deps| deps.parent()).expect("tests lie in a folder below the profile's");
        let program = built.join("examples/on_request");
        assert!(program.exists(), "{} is not built: run `cargo test -p squirrel-collect`", program.display());
        let mut command = host.command(program);
        let mut child =
            command.arg(ADDRESS).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the example starts");
        let questions = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, questions, answers }
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.questions, "{question}").expect("the other half listens");
        let (mut answer, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            let read = self.answers.read_line(&mut line).expect("the other half answers");
            assert!(read > 0, "the other half ended at {question:?}");
            match line.trim_end() {
                "# BEGIN" => answer.clear(),
                "# END" => return answer,
                _ => answer.push_str(&line),
            }
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
