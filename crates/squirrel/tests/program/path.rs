//! `squirrel path` on real routers: losses that are known, hosts that limit their answers, ways of equal cost.

use std::process::Output;

use serde_json::Value;
use squirrel_testkit::{Chain, Namespace, skip};

use crate::support::squirrel;

const PROGRAM: &str = env!("CARGO_BIN_EXE_squirrel");

fn output(host: &Namespace, arguments: &[&str]) -> Output {
    host.command(PROGRAM).arg("path").args(arguments).output().expect("it runs")
}

/// Runs `squirrel path --json` inside; the document, and the exit code.
fn path(host: &Namespace, arguments: &[&str]) -> (Value, i32) {
    let output = output(host, &[&["--json", "-i", "100ms", "-W", "2s"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (document, output.status.code().unwrap_or(-1))
}

/// The addresses of all hops, the first of each.
fn hosts(document: &Value) -> Vec<&str> {
    let hops = document["hops"].as_array().expect("hops");
    hops.iter().map(|hop| hop["addresses"][0]["address"].as_str().unwrap_or("-")).collect()
}

/// Lets a rule of nftables at this hook of a host decide.
fn rule(host: &Namespace, hook: &str, rule: &str) {
    host.run("nft", &["add", "table", "inet", "test"]).expect("a table");
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    host.run("nft", &["add", "chain", "inet", "test", hook, &chain]).expect("a chain");
    let words: Vec<&str> = rule.split(' ').collect();
    host.run("nft", &[&["add", "rule", "inet", "test", hook], words.as_slice()].concat()).expect("a rule");
}

fn let_all_ping(host: &Namespace) {
    host.run("sysctl", &["-qw", "net.ipv4.ping_group_range=0 2147483647"]).expect("everybody may ping");
}

#[test]
fn every_router_is_found_by_each_protocol_with_and_without_privilege() {
    let name = "path::every_router_is_found_by_each_protocol_with_and_without_privilege";
    let chain = match Chain::create("path", 3) {
        Ok(chain) => chain,
        Err(reason) => return skip(name, &reason),
    };
    let expected =
        [["10.77.0.2", "10.77.1.2", "10.77.2.2", "10.77.3.2"], ["fd77:0::2", "fd77:1::2", "fd77:2::2", "fd77:3::2"]];
    let client = chain.client();
    for (address, expected) in chain.server_addresses().iter().zip(expected) {
        let expected = expected.map(|host| host.parse::<std::net::IpAddr>().expect("an address").to_string());
        // A namespace lets nobody ping: ICMP is raw, and who may not do that either sends datagrams.
        for arguments in [&["--icmp"][..], &["--udp"], &["--udp", "--flows", "3"], &["--dscp", "ef"]] {
            let (document, code) = path(client, &[&["-c", "3", address], arguments].concat());
            assert_eq!(code, 0, "{arguments:?} {document}");
            assert_eq!(hosts(&document), expected, "{arguments:?}");
            assert_eq!((&document["reached"], &document["outcome"]), (&true.into(), &"good".into()), "{document}");
            for hop in document["hops"].as_array().expect("hops") {
                let host = &hop["addresses"][0];
                assert_eq!((&host["loss_ratio"], &host["verdict"]), (&0.0.into(), &"good".into()), "{host}");
                assert!(host["rtt_us"]["p50"].as_f64().is_some_and(|p50| p50 > 0.0), "{host}");
            }
        }
    }
    let unprivileged = |arguments: &[&str]| {
        let mut command = client.command("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--bounding-set=-all",
            "--",
            PROGRAM,
            "path",
        ]);
        command.args(["--json", "-c", "2", "-i", "100ms", "-W", "2s"]).args(arguments);
        command.output().expect("it runs")
    };
    let document = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).expect("a document");
    let [v4, _] = chain.server_addresses();
    let refused = unprivileged(&["--icmp", &v4]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("net.ipv4.ping_group_range"), "{said}");
    let datagrams = document(&unprivileged(&[&v4]));
    assert_eq!((&datagrams["protocol"], hosts(&datagrams).len()), (&"udp".into(), 4), "{datagrams}");
    let_all_ping(client);
    for address in chain.server_addresses() {
        let echoes = document(&unprivileged(&[&address]));
        assert_eq!((&echoes["protocol"], hosts(&echoes).len()), (&"icmp".into(), 4), "{echoes}");
    }
}

#[test]
fn real_loss_is_told_from_a_router_that_limits_its_answers() {
    let chain = match Chain::create("path", 4) {
        Ok(chain) => chain,
        Err(reason) => return skip("path::real_loss_is_told_from_a_router_that_limits_its_answers", &reason),
    };
    let_all_ping(chain.client());
    let [address, _] = chain.server_addresses();
    // The second router answers each other time.
    rule(chain.host(2), "output", "icmp type time-exceeded numgen inc mod 2 == 0 drop");
    let (document, code) = path(chain.client(), &["-c", "40", &address]);
    assert_eq!((code, &document["outcome"]), (0, &"good".into()), "{document}");
    let second = &document["hops"][1]["addresses"][0];
    assert_eq!((&second["verdict"], &second["loss_ratio"]), (&"limits_answers".into(), &0.5.into()), "{second}");

    // The third passes on four of five, to the target and to whoever is behind it.
    rule(chain.host(3), "forward", "icmp type echo-request numgen inc mod 5 == 0 drop");
    let (document, _) = path(chain.client(), &["-c", "60", &address]);
    assert_eq!((&document["outcome"], &document["at_ttl"]), (&"loss".into(), &4.into()), "{document}");
    assert!(document["verdict"].as_str().is_some_and(|text| text.contains("is real and begins at hop 4, 10.77.3.2")));
    let lost = |hop: usize| document["hops"][hop]["addresses"][0]["loss_ratio"].as_f64().expect("a share") * 60.0;
    // Packets to two places pass it in turn, and a few more of the first round, which looks ahead: each fifth is lost.
    assert!((lost(3) + lost(4) - 24.0).abs() <= 2.0, "{} and {}", lost(3), lost(4));
    assert_eq!(lost(2), 0.0);
}

#[test]
fn a_path_that_grows_in_mid_run_is_a_change_and_no_loss() {
    let chain = match Chain::create("path", 2) {
        Ok(chain) => chain,
        Err(reason) => return skip("path::a_path_that_grows_in_mid_run_is_a_change_and_no_loss", &reason),
    };
    let_all_ping(chain.client());
    // The second router has the target's address too, until it is taken away.
    let near = chain.host(2);
    chain.client().ip(&["route", "add", "203.0.113.0/24", "via", "10.77.0.2"]).expect("a route");
    chain.host(1).ip(&["route", "add", "203.0.113.0/24", "via", "10.77.1.2"]).expect("a route");
    near.ip(&["route", "add", "203.0.113.0/24", "via", "10.77.2.2"]).expect("a route");
    near.ip(&["addr", "add", "203.0.113.5/32", "dev", "lo"]).expect("an address");
    chain.server().ip(&["addr", "add", "203.0.113.5/32", "dev", "lo"]).expect("an address");
    let mut child = chain
        .client()
        .command(PROGRAM)
        .args(["path", "--json-lines", "-c", "100", "-i", "100ms", "-W", "2s", "203.0.113.5"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut last = Value::Null;
    let mut moved = false;
    for line in std::io::BufRead::lines(out).map_while(Result::ok) {
        last = serde_json::from_str(&line).expect("a document");
        if !moved && last["round"] == 5 {
            moved = true;
            near.ip(&["addr", "del", "203.0.113.5/32", "dev", "lo"]).expect("it goes");
        }
    }
    assert!(child.wait().expect("it ends").success(), "{last}");
    assert_eq!(
        (hosts(&last), last["changed"].as_u64()),
        (vec!["10.77.0.2", "10.77.1.2", "203.0.113.5"], Some(1)),
        "{last}"
    );
    assert_eq!(last["changes"][0]["from"], "203.0.113.5");
    let target = &last["hops"][2]["addresses"][0];
    assert_eq!(target["loss_ratio"], 0.0, "{last}");
    assert_eq!(last["hops"][1]["addresses"][1]["verdict"], "former");
}

#[test]
fn who_refuses_is_named_and_who_is_silent_too() {
    let chain = match Chain::create("path", 2) {
        Ok(chain) => chain,
        Err(reason) => return skip("path::who_refuses_is_named_and_who_is_silent_too", &reason),
    };
    let_all_ping(chain.client());
    chain.client().ip(&["route", "add", "203.0.113.0/24", "via", "10.77.0.2"]).expect("a route");
    chain.host(1).ip(&["route", "add", "prohibit", "203.0.113.0/24"]).expect("a prohibition");
    let (document, code) = path(chain.client(), &["-c", "2", "203.0.113.5"]);
    assert_eq!((code, &document["outcome"]), (1, &"refused".into()), "{document}");
    assert_eq!(document["hops"][0]["addresses"][0]["refused"][0]["reason"], "prohibited");
    let [address, _] = chain.server_addresses();
    rule(chain.server(), "input", "icmp type echo-request drop");
    let (document, code) = path(chain.client(), &["-c", "2", &address]);
    assert_eq!(
        (code, &document["outcome"], &document["at_ttl"]),
        (1, &"target_silent".into(), &2.into()),
        "{document}"
    );
}

#[test]
fn a_recording_is_shown_again_and_compared_in_each_form() {
    let chain = match Chain::create("path", 1) {
        Ok(chain) => chain,
        Err(reason) => return skip("path::a_recording_is_shown_again_and_compared_in_each_form", &reason),
    };
    let dir = tempfile::tempdir().expect("a directory");
    let (file, systems) = (dir.path().join("one.jsonl"), dir.path().join("systems.csv"));
    std::fs::write(&systems, "10.77.0.0/16,64496,Example\n").expect("written");
    let [address, _] = chain.server_addresses();
    let arguments = ["--json-lines", "-c", "2", "-i", "100ms", "--as-file", systems.to_str().expect("text"), &address];
    let recorded = output(chain.client(), &arguments);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    std::fs::write(&file, &recorded.stdout).expect("written");
    let file = file.to_str().expect("text");
    for (form, words) in [
        ("--csv", "1,10.77.0.2,,AS64496 Example,2,2,0,0,"),
        ("--markdown", "| 2 | 10.77.1.2 | AS64496 Example | 2 | 0.0 | 0.0 |"),
        ("--dot", "\"10.77.0.2\" -> \"10.77.1.2\";"),
        ("--json", "\"as_number\":64496"),
    ] {
        let (code, printed, said) = squirrel(&["path", form, "--replay", file]);
        assert_eq!((code, said.as_str()), (0, ""), "{form}");
        assert!(printed.contains(words), "{form}: {printed}");
    }
    let (code, printed, said) = squirrel(&["path", "--compare", file, file]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(printed.contains("10.77.1.2") && printed.contains("Before: The target answers"), "{printed}");
    std::fs::write(file, &recorded.stdout[..recorded.stdout.len() / 2]).expect("cut");
    let (code, _, said) = squirrel(&["path", "--replay", file]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_reason() {
    for (arguments, code, words) in [
        (&["path"][..], 2, "TARGET"),
        (&["path", "-i", "1ms", "127.0.0.1"], 2, "at least 100ms"),
        (&["path", "192.0.2.0/24"], 2, "leads to one target"),
        (&["path", "-f", "5", "-m", "3", "127.0.0.1"], 2, "is behind --max"),
        (&["path", "-I", "no-such-if", "-u", "127.0.0.1"], 2, "no such interface"),
        (&["path", "--as-file", "/no/such/file", "127.0.0.1"], 2, "autonomous systems"),
        (&["path", "--replay", "/no/such/file"], 2, "cannot open the recording"),
        (&["path", "--json", "--csv", "127.0.0.1"], 2, "cannot be used with"),
        (&["path", "-c", "1", "no.such.name.invalid"], 1, "the name has no address"),
    ] {
        let (ended, _, said) = squirrel(arguments);
        assert_eq!(ended, code, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
