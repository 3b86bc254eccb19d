//! What `squirrel path` tells of each hop on real routers: by connections too, its name, how large packets may be, who
//! changes their class, the ways of equal cost, and hop by time.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use squirrel_testkit::{Chain, Namespace, skip, until};

use crate::support::{PATIENCE, squirrel};

const PROGRAM: &str = env!("CARGO_BIN_EXE_squirrel");
const QUICK: [&str; 5] = ["-i", "100ms", "-W", "2s", "--no-names"];

/// Runs `squirrel path` with a document inside, by this user.
fn path(host: &Namespace, arguments: &[&str], privileged: bool) -> Value {
    let mut command = host.command(if privileged { PROGRAM } else { "setpriv" });
    if !privileged {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--", PROGRAM]);
    }
    let output = command.args(["path", "--json"]).args(QUICK).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
}

fn hosts(document: &Value) -> Vec<&str> {
    let hops = document["hops"].as_array().expect("hops");
    hops.iter().map(|hop| hop["addresses"][0]["address"].as_str().unwrap_or("-")).collect()
}

/// Lets a rule of nftables decide over what a host passes on.
fn forward(host: &Namespace, rule: &str) {
    host.run("nft", &["add", "table", "inet", "test"]).expect("a table");
    let chain = "{ type filter hook forward priority 0; }";
    host.run("nft", &["add", "chain", "inet", "test", "forward", chain]).expect("a chain");
    let words: Vec<&str> = rule.split(' ').collect();
    host.run("nft", &[&["add", "rule", "inet", "test", "forward"], words.as_slice()].concat()).expect("a rule");
}

fn connections(host: &Namespace) -> String {
    let output = host.command("ss").args(["-Hatn", "state", "connected"]).output().expect("ss runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn connections_find_every_router_and_leave_nothing_behind() {
    let chain = match Chain::create("tcp", 3) {
        Ok(chain) => chain,
        Err(reason) => return skip("path_hops::connections_find_every_router_and_leave_nothing_behind", &reason),
    };
    let [v4, v6] = chain.server_addresses();
    // One port is refused, at the other somebody listens.
    let mut listener = chain
        .server()
        .command(PROGRAM)
        .args(["throughput", "server", "--listen", "[::]:5201"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let listens = || {
        let output = chain.server().command("ss").args(["-Hltn", "sport", "=", ":5201"]).output().expect("ss runs");
        !output.stdout.is_empty()
    };
    assert!(until(PATIENCE, listens), "the server does not listen");
    let v6_hosts: Vec<String> = ["fd77:0::2", "fd77:1::2", "fd77:2::2", "fd77:3::2"]
        .map(|host| host.parse::<std::net::IpAddr>().expect("an address").to_string())
        .into();
    let v4_hosts: Vec<String> = (0..4).map(|link| format!("10.77.{link}.2")).collect();
    for (address, expected) in [(&v4, v4_hosts), (&v6, v6_hosts)] {
        for port in ["5201", "81"] {
            for privileged in [true, false] {
                let document =
                    path(chain.client(), &["-T", "-p", port, "-c", "4", "--flows", "2", address], privileged);
                let case = format!("{address} {port} privileged: {privileged}");
                assert_eq!(hosts(&document), expected, "{case}: {document}");
                assert_eq!((&document["protocol"], &document["outcome"]), (&"tcp".into(), &"good".into()), "{case}");
                for hop in document["hops"].as_array().expect("hops") {
                    let host = &hop["addresses"][0];
                    assert_eq!((&host["received"], &host["loss_ratio"]), (&8.into(), &0.0.into()), "{case}: {host}");
                }
            }
        }
    }
    // The server hears of an end a moment later. Half of the time that a connection would stay in TIME-WAIT.
    let left = || (connections(chain.client()), connections(chain.server()));
    assert!(until(Duration::from_secs(30), || left() == (String::new(), String::new())), "{:?}", left());
    listener.kill().and_then(|()| listener.wait()).expect("it ends");
}

#[test]
fn a_filter_that_answers_for_connections_is_named() {
    let chain = match Chain::create("tcp", 2) {
        Ok(chain) => chain,
        Err(reason) => return skip("path_hops::a_filter_that_answers_for_connections_is_named", &reason),
    };
    forward(chain.host(1), "tcp dport 443 reject with icmpx type admin-prohibited");
    let [v4, _] = chain.server_addresses();
    for privileged in [true, false] {
        let document = path(chain.client(), &["-T", "-c", "2", &v4], privileged);
        assert_eq!((&document["outcome"], &document["at_ttl"]), (&"refused".into(), &2.into()), "{document}");
        assert_eq!(hosts(&document), ["10.77.0.2"; 2], "{document}");
    }
}

#[test]
fn the_largest_packet_is_told_for_each_hop_and_a_black_hole_too() {
    let chain = match Chain::create("mtu", 3) {
        Ok(chain) => chain,
        Err(reason) => return skip("path_hops::the_largest_packet_is_told_for_each_hop_and_a_black_hole_too", &reason),
    };
    for (host, link) in [(1, "right"), (2, "left")] {
        chain.host(host).ip(&["link", "set", link, "mtu", "1400"]).expect("a narrow link");
    }
    let sizes = |document: &Value| -> Vec<(Option<u64>, bool)> {
        let hops = document["hops"].as_array().expect("hops").iter();
        hops.map(|hop| (hop["path_mtu"].as_u64(), hop["black_hole"] == true)).collect()
    };
    let told = [1500, 1400, 1400, 1400].map(|octets| (Some(octets), false));
    for address in chain.server_addresses() {
        for protocol in ["--icmp", "--udp"] {
            let document = path(chain.client(), &["--mtu", "-c", "2", protocol, &address], true);
            assert_eq!(sizes(&document), told, "{address} {protocol}: {document}");
            let verdict = document["verdict"].as_str().expect("a verdict");
            assert!(verdict.contains("up to 1400 octets pass whole; the narrowest link leads to hop 2"), "{verdict}");
        }
    }
    forward(chain.host(2), "meta length > 1300 drop");
    let [v4, _] = chain.server_addresses();
    let document = path(chain.client(), &["--mtu", "-c", "2", &v4], true);
    assert_eq!(
        sizes(&document),
        [(Some(1500), false), (Some(1400), false), (Some(1300), true), (Some(1300), true)],
        "{document}"
    );
    assert!(
        document["verdict"].as_str().is_some_and(|text| text.contains("vanish without a word on the way to hop 3"))
    );
}

#[test]
fn who_changes_the_class_or_takes_ecn_away_is_named() {
    let chain = match Chain::create("class", 3) {
        Ok(chain) => chain,
        Err(reason) => return skip("path_hops::who_changes_the_class_or_takes_ecn_away_is_named", &reason),
    };
    forward(chain.host(1), "ip dscp set cs1");
    forward(chain.host(1), "ip6 dscp set cs1");
    for address in chain.server_addresses() {
        let document = path(chain.client(), &["--dscp", "ef", "--ecn", "-c", "2", &address], true);
        let verdict = |hop: usize| document["hops"][hop]["addresses"][0]["verdict"].as_str().unwrap_or("-");
        assert_eq!([verdict(0), verdict(1), verdict(2)], ["good", "remarks_dscp", "good"], "{document}");
        assert_eq!(document["hops"][2]["addresses"][0]["note"], "arrives with class cs1", "{document}");
        assert!(
            document["verdict"].as_str().is_some_and(|text| text.contains("The class ef arrives at hop 2 as cs1")),
            "{document}"
        );
    }
    forward(chain.host(2), "ip ecn set not-ect");
    let [v4, _] = chain.server_addresses();
    let document = path(chain.client(), &["--ecn", "-c", "2", &v4], true);
    assert!(
        document["hops"][2]["addresses"][0]["note"].as_str().is_some_and(|note| note.contains("no ECN any more")),
        "{document}"
    );
}

#[test]
fn ways_of_equal_cost_are_shown_with_the_flows_that_take_them() {
    let chain = match Chain::create("ways", 2) {
        Ok(chain) => chain,
        Err(reason) => return skip("path_hops::ways_of_equal_cost_are_shown_with_the_flows_that_take_them", &reason),
    };
    // A second link from the first router to the next, which answers with the address of the link that a question came
    // by.
    let (near, far) = (chain.host(1), chain.host(2));
    near.ip(&["link", "add", "right2", "type", "veth", "peer", "name", "left2", "netns", far.name()]).expect("a link");
    for (host, link, address) in [(near, "right2", "10.78.0.1/24"), (far, "left2", "10.78.0.2/24")] {
        host.ip(&["addr", "add", address, "dev", link]).expect("an address");
        host.ip(&["link", "set", link, "up"]).expect("it comes up");
    }
    far.run("sysctl", &["-qw", "net.ipv4.icmp_errors_use_inbound_ifaddr=1"]).expect("a setting");
    near.run("sysctl", &["-qw", "net.ipv4.fib_multipath_hash_policy=1"]).expect("a setting");
    let nexthops = ["nexthop", "via", "10.77.1.2", "nexthop", "via", "10.78.0.2"];
    near.ip(&[&["route", "replace", "10.77.2.0/24"], &nexthops[..]].concat()).expect("a route of two ways");
    let [v4, _] = chain.server_addresses();
    for arguments in [&["-u"][..], &["-T", "-p", "81"]] {
        let document = path(chain.client(), &[arguments, &["--flows", "16", "-c", "3", &v4]].concat(), true);
        let ways = document["ways"].as_array().expect("ways");
        let mut found: Vec<_> = ways.iter().map(|way| way["hosts"][1].as_str().unwrap_or("-")).collect();
        found.sort_unstable();
        assert_eq!(found, ["10.77.1.2", "10.78.0.2"], "{document}");
        let flows: usize = ways.iter().map(|way| way["flows"].as_array().map_or(0, Vec::len)).sum();
        assert_eq!((flows, &document["changed"]), (16, &0.into()), "each keeps its way: {document}");
    }
}

#[test]
fn rounds_are_marks_hop_by_time_also_of_a_recording() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("one.jsonl");
    let shown = |arguments: &[&str]| squirrel(&[&["path", "--heat"], arguments].concat());
    let (code, printed, said) = shown(&["-u", "-c", "3", "-i", "100ms", "--no-names", "127.0.0.1"]);
    assert_eq!((code, said.as_str()), (0, ""), "{printed}");
    let is_row =
        |line: &&str| line.starts_with("  1  127.0.0.1") && line.ends_with(['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']);
    assert!(printed.lines().any(|line| is_row(&line)) && printed.contains("a column is a round"), "{printed}");
    let (_, recorded, _) =
        squirrel(&["path", "--json-lines", "-u", "-c", "3", "-i", "100ms", "--no-names", "127.0.0.1"]);
    std::fs::write(&file, &recorded).expect("written");
    let name = file.to_str().expect("text");
    let (code, printed, said) = shown(&["--replay", name]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(printed.lines().any(|line| is_row(&line)), "{printed}");
    std::fs::write(&file, recorded.lines().last().expect("a document")).expect("written");
    let (code, _, said) = shown(&["--replay", name]);
    assert!(code == 2 && said.contains("--json-lines makes recordings that do"), "{code} {said}");
}

/// Answers questions of DNS as `answer` says: none for silence. Ends when a datagram of one octet comes.
fn serve_names(socket: &UdpSocket, answer: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let mut octets = [0; 512];
    while let Ok((len, from)) = socket.recv_from(&mut octets) {
        if len == 1 {
            return;
        }
        if let Some(answer) = answer(&octets[..len]) {
            socket.send_to(&answer, from).expect("sent");
        }
    }
}

#[test]
fn names_come_beside_the_trace_and_whoever_gives_none_delays_nothing() {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    server.set_read_timeout(Some(Duration::from_mins(1))).expect("a bound");
    let address = server.local_addr().expect("an address");
    let run = |target: &str, more: &[&str]| {
        let resolver = address.to_string();
        let arguments =
            ["path", "--json", "-u", "-c", "4", "-i", "100ms", "-W", "500ms", "--resolver", &resolver, target];
        let (code, printed, said) = squirrel(&[&arguments, more].concat());
        assert_eq!((code, said.as_str()), (0, ""));
        serde_json::from_str::<Value>(&printed).expect("a document")
    };
    // A name with what terminals obey, as the answer to any question: its record follows it.
    let hostile = |question: &[u8]| {
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[7] = 1;
        answer.extend(b"\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x0f\x05ev\x1b[m\x07example\0".as_slice());
        Some(answer)
    };
    let quit = || {
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|own| own.send_to(&[0], address)).expect("sent");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| serve_names(&server, hostile));
        let document = run("127.0.0.9", &[]);
        quit();
        assert_eq!(document["hops"][0]["addresses"][0]["name"], "ev\\027[m.example", "{document}");
    });
    let silent = std::thread::scope(|scope| {
        scope.spawn(|| serve_names(&server, |_| None));
        let document = run("127.0.0.9", &[]);
        quit();
        document
    });
    assert_eq!(silent["hops"][0]["addresses"][0]["name"], Value::Null, "{silent}");
    assert!(silent["seconds"].as_f64().is_some_and(|seconds| seconds < 60.0), "{silent}");
}
