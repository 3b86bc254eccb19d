//! `squirrel ping` on real links: losses that are known, privileges that are missing, paths that are narrow.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use squirrel_testkit::{Chain, Namespace, skip};

use crate::support::squirrel;

const PROGRAM: &str = env!("CARGO_BIN_EXE_squirrel");

/// Runs `squirrel ping --json` inside; the document, the exit code and what was said.
fn ping(host: &Namespace, arguments: &[&str]) -> (Value, i32, String) {
    let output = host.command(PROGRAM).args(["ping", "--json"]).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (document, output.status.code().unwrap_or(-1), said)
}

fn drop_each_fifth(host: &Namespace) -> Result<(), String> {
    host.run("nft", &["add", "table", "inet", "loss"])?;
    host.run("nft", &["add", "chain", "inet", "loss", "in", "{ type filter hook input priority 0; }"])?;
    for family in ["icmp", "icmpv6"] {
        host.run(
            "nft",
            &[
                "add",
                "rule",
                "inet",
                "loss",
                "in",
                family,
                "type",
                "echo-request",
                "numgen",
                "inc",
                "mod",
                "5",
                "==",
                "0",
                "drop",
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_firewall_that_drops_each_fifth_is_reported_exactly() {
    let chain = match Chain::create("ping", 0) {
        Ok(chain) => chain,
        Err(reason) => return skip("ping::a_firewall_that_drops_each_fifth_is_reported_exactly", &reason),
    };
    drop_each_fifth(chain.server()).expect("the firewall");
    for address in chain.server_addresses() {
        let (document, code, said) = ping(chain.client(), &["-c", "100", "-i", "2ms", "-W", "5s", &address]);
        assert_eq!((code, said.as_str()), (0, ""));
        let target = &document["targets"][0];
        assert_eq!((target["sent"].as_u64(), target["received"].as_u64()), (Some(100), Some(80)), "{target}");
        assert_eq!(target["loss_ratio"], 0.2);
        assert_eq!(target["clock"], "kernel", "the kernel stamps on veth: {target}");
        assert!(target["rtt_us"]["p50"].as_f64().is_some_and(|p50| p50 > 0.0));
        let limited = ["-c", "50", "-i", "2ms", "-W", "5s", "--fail-on", "loss=10%", &address];
        let (_, code, said) = ping(chain.client(), &limited);
        assert_eq!(code, 1);
        assert!(said.contains("loss 20.00%, limit loss=10%"), "{said}");
    }
}

#[test]
fn every_host_of_a_subnet_is_asked_at_once() {
    let namespace = match Namespace::create("ping") {
        Ok(namespace) => namespace,
        Err(reason) => return skip("ping::every_host_of_a_subnet_is_asked_at_once", &reason),
    };
    let (document, code, said) = ping(&namespace, &["-c", "3", "-i", "200ms", "-W", "20s", "127.0.0.0/24", "::1"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let targets = document["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), 255);
    assert!(targets.iter().all(|target| target["received"] == 3 && target["duplicates"] == 0), "{document}");
    assert_eq!((&targets[254]["target"], &targets[254]["address"]), (&Value::from("::1"), &Value::from("::1")));
}

#[test]
fn nobody_needs_a_privilege_where_groups_may_ping_and_else_hears_what_grants_it() {
    let name = "ping::nobody_needs_a_privilege_where_groups_may_ping_and_else_hears_what_grants_it";
    let namespace = match Namespace::create("ping") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    let unprivileged = || {
        let mut command = namespace.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--"]);
        command.args([PROGRAM, "ping", "-c", "2", "-i", "1ms", "-W", "20s", "127.0.0.1", "::1"]);
        command.output().expect("it runs")
    };
    let range = |range: &str| namespace.run("sysctl", &["-qw", &format!("net.ipv4.ping_group_range={range}")]);
    range("1 0").expect("nobody may");
    let refused = unprivileged();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""), "{said}");
    assert!(said.contains("setcap cap_net_raw+p"), "{said}");
    range("0 2147483647").expect("everybody may");
    let asked = unprivileged();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
}

#[test]
fn a_router_that_refuses_is_named_and_its_reason_is_told() {
    let chain = match Chain::create("ping", 1) {
        Ok(chain) => chain,
        Err(reason) => return skip("ping::a_router_that_refuses_is_named_and_its_reason_is_told", &reason),
    };
    chain.client().ip(&["route", "add", "203.0.113.0/24", "via", "10.77.0.2"]).expect("a route");
    chain.host(1).ip(&["route", "add", "prohibit", "203.0.113.0/24"]).expect("a prohibition");
    let (document, code, _) = ping(chain.client(), &["-c", "2", "-i", "10ms", "203.0.113.5", "198.51.100.1"]);
    assert_eq!(code, 1);
    let [refused, nowhere] = [0, 1].map(|index| &document["targets"][index]);
    assert_eq!(refused["refused"][0]["reason"], "prohibited", "{refused}");
    assert_eq!((refused["loss_ratio"].as_f64(), nowhere["not_sent"].as_u64()), (Some(1.0), Some(2)), "{nowhere}");
    let lines = chain.client().command(PROGRAM).args(["ping", "--json-lines", "-c", "1", "203.0.113.5"]).output();
    let text = String::from_utf8(lines.expect("it runs").stdout).expect("text");
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("a document");
    assert_eq!((&first["event"], &first["by"]), (&Value::from("refused"), &Value::from("10.77.0.2")));
}

#[test]
fn the_largest_packet_of_a_path_is_found_also_behind_a_router_that_is_silent() {
    let name = "ping::the_largest_packet_of_a_path_is_found_also_behind_a_router_that_is_silent";
    let chain = match Chain::create("ping", 1) {
        Ok(chain) => chain,
        Err(reason) => return skip(name, &reason),
    };
    for (host, interface) in [(chain.host(1), "right"), (chain.server(), "left")] {
        host.ip(&["link", "set", interface, "mtu", "1413"]).expect("a narrow link");
    }
    let search = |address: &str| ping(chain.client(), &["--path-mtu", "-W", "1s", address]).0["targets"][0].clone();
    for address in chain.server_addresses() {
        let found = search(&address);
        assert_eq!((&found["path_mtu"], &found["black_hole"]), (&Value::from(1413), &Value::from(false)), "{address}");
    }
    let router = chain.host(1);
    router.run("nft", &["add", "table", "inet", "hole"]).expect("a table");
    router
        .run("nft", &["add", "chain", "inet", "hole", "out", "{ type filter hook output priority 0; }"])
        .expect("a chain");
    router
        .run("nft", &["add", "rule", "inet", "hole", "out", "meta", "l4proto", "{ icmp, icmpv6 }", "drop"])
        .expect("a rule");
    // Neighbours are found by ICMPv6, which the hole swallows too.
    let found = search(&chain.server_addresses()[0]);
    assert_eq!((&found["path_mtu"], &found["black_hole"]), (&Value::from(1413), &Value::from(true)), "{found}");
}

#[test]
fn an_interrupt_ends_it_with_the_figures_so_far() {
    let namespace = match Namespace::create("ping") {
        Ok(namespace) => namespace,
        Err(reason) => return skip("ping::an_interrupt_ends_it_with_the_figures_so_far", &reason),
    };
    for (arguments, code) in [(&["127.0.0.1"][..], 0), (&["-c", "1000000", "127.0.0.1"][..], 130)] {
        let mut child = namespace
            .command(PROGRAM)
            .args(["ping", "-i", "5ms"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        assert!(lines.next().expect("an answer").contains("octets from 127.0.0.1"));
        // `ip netns exec` becomes the program: the signal reaches it alone.
        let sent = Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
        assert!(sent.expect("kill runs").success());
        let rest: Vec<String> = lines.collect();
        assert!(rest.iter().any(|line| line.starts_with("TARGET")), "{rest:?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_reason() {
    for (arguments, code, words) in [
        (&["ping"][..], 2, "nobody to ask"),
        (&["ping", "-i", "0.0001", "127.0.0.1"], 2, "no time such as"),
        (&["ping", "10.0.0.0/8"], 2, "more than 65536 addresses"),
        (&["ping", "--fail-on", "speed=1", "127.0.0.1"], 2, "not measured"),
        (&["ping", "--dscp", "af44", "127.0.0.1"], 2, "no class"),
        (&["ping", "-S", "203.0.113.9", "127.0.0.1"], 2, "this host does not have it"),
        (&["ping", "-I", "no-such-if", "127.0.0.1"], 2, "no such interface"),
        (&["ping", "--file", "/no/such/file"], 2, "cannot read the targets"),
        (&["ping", "-c", "1", "no.such.name.invalid"], 1, "the name has no address"),
    ] {
        let (ended, _, said) = squirrel(arguments);
        assert_eq!(ended, code, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
