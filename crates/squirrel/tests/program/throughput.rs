//! `squirrel throughput` on a link between two hosts, alone and with iperf3 at the other end.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use squirrel_testkit::{Chain, Namespace, skip};

use crate::support::squirrel;

const PROGRAM: &str = env!("CARGO_BIN_EXE_squirrel");

/// A server that says when it listens; it is ended with this.
struct Serving(Child);

impl Serving {
    fn start(host: &Namespace, program: &str, arguments: &[&str]) -> Self {
        let mut command = host.command(program);
        // One says it on standard output, the other on standard error.
        let mut process = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let heard = if program == PROGRAM {
            says(&mut BufReader::new(process.stderr.take().expect("a pipe")), "listening")
        } else {
            says(&mut BufReader::new(process.stdout.take().expect("a pipe")), "listening")
        };
        assert!(heard, "{program} listens");
        Self(process)
    }

    /// What it printed until it ended by itself.
    fn finish(mut self) -> String {
        let mut text = String::new();
        let mut output = self.0.stdout.take().expect("a pipe");
        std::io::Read::read_to_string(&mut output, &mut text).expect("it is text");
        assert!(self.0.wait().expect("it ends").success());
        text
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn says(reader: &mut impl std::io::BufRead, word: &str) -> bool {
    reader.lines().map_while(Result::ok).any(|line| line.contains(word))
}

/// Two hosts and a link; or why there are none.
fn chain() -> Result<Chain, String> {
    let there = Command::new("iperf3").arg("--version").stdout(Stdio::null()).status().is_ok();
    if there { Chain::create("throughput", 0) } else { Err("iperf3 is not installed".into()) }
}

fn client(host: &Namespace, arguments: &[&str]) -> (Value, i32, String) {
    let output =
        host.command(PROGRAM).args(["throughput", "client", "--json"]).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (document, output.status.code().unwrap_or(-1), said)
}

#[test]
fn both_ends_are_ours_and_the_document_says_which_part_was_the_limit() {
    let chain = match chain() {
        Ok(chain) => chain,
        Err(reason) => {
            return skip("throughput::both_ends_are_ours_and_the_document_says_which_part_was_the_limit", &reason);
        }
    };
    for address in chain.server_addresses() {
        let server = Serving::start(chain.server(), PROGRAM, &["throughput", "server", "--one-off", "--json"]);
        let (document, code, said) = client(chain.client(), &["-t", "2", "-b", "50M", &address]);
        assert_eq!((code, said.as_str()), (0, ""));
        assert_eq!(document["start"]["test_start"]["protocol"], "TCP");
        assert_eq!(document["squirrel"]["verdicts"][0]["limit"], "asked", "{document}");
        assert_eq!(document["squirrel"]["latency"]["source"], "server");
        let received = document["end"]["sum_received"]["bytes"].as_u64().expect("octets");
        assert!((10_000_000..16_000_000).contains(&received), "{received}");
        let theirs: Value = serde_json::from_str(&server.finish()).expect("one document");
        assert_eq!(theirs["end"]["sum_received"]["bytes"], received);
    }
}

#[test]
fn a_server_of_iperf3_is_measured_with_echoes_of_icmp() {
    let chain = match chain() {
        Ok(chain) => chain,
        Err(reason) => return skip("throughput::a_server_of_iperf3_is_measured_with_echoes_of_icmp", &reason),
    };
    let address = &chain.server_addresses()[0];
    let server = Serving::start(chain.server(), "iperf3", &["-s", "-1", "--forceflush"]);
    let (document, code, said) = client(chain.client(), &["-t", "1", "-u", "-b", "20M", "-R", address]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(document["squirrel"]["latency"]["source"], "icmp", "{}", document["squirrel"]);
    assert!(document["end"]["sum"]["packets"].as_u64().is_some_and(|packets| packets > 100), "{}", document["end"]);
    drop(server);
}

#[test]
fn only_who_logs_in_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let openssl = |arguments: &[&str]| {
        Command::new("openssl").args(arguments).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let made = openssl(&["genrsa", "-out", &path("private"), "2048"])
        && openssl(&["rsa", "-in", &path("private"), "-pubout", "-out", &path("public")]);
    let chain = match chain() {
        Ok(chain) if made => chain,
        Ok(_) => return skip("throughput::only_who_logs_in_is_served", "openssl is not installed"),
        Err(reason) => return skip("throughput::only_who_logs_in_is_served", &reason),
    };
    // By `echo -n '{ann}a secret' | sha256sum`.
    let users = "ann,6182e25d2c5d7c1c6b5642093b33ec681ebade1bb3ff7897d6c4dd4899a69cd7\n";
    std::fs::write(path("users"), users).expect("it can be written");
    std::fs::write(path("password"), "a secret\n").expect("it can be written");
    let (private, users) = (path("private"), path("users"));
    let serve = ["throughput", "server", "--rsa-private-key-path", &private, "--authorized-users-path", &users];
    let _server = Serving::start(chain.server(), PROGRAM, &serve);
    let address = &chain.server_addresses()[0];
    let ask = |login: &[&str]| {
        let mut command = chain.client().command(PROGRAM);
        command.args(["throughput", "client", "-n", "1M", "--no-latency", "--json", address]).args(login);
        command.env_remove("IPERF3_PASSWORD").output().expect("it runs")
    };
    let (key, password) = (path("public"), path("password"));
    let login = ["--username", "ann", "--rsa-public-key-path", &key, "--password-file", &password];
    let served = ask(&login);
    let text = String::from_utf8_lossy(&served.stdout);
    assert!(served.status.success() && text.contains("sum_received"), "{served:?}");
    assert!(!text.contains("authtoken") && !text.contains("a secret"), "{text}");
    let refused = ask(&[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("a user name and a password"), "{said}");
}

#[test]
fn loss_on_the_way_is_the_networks() {
    let chain = match chain() {
        Ok(chain) => chain,
        Err(reason) => return skip("throughput::loss_on_the_way_is_the_networks", &reason),
    };
    let address = &chain.server_addresses()[0];
    for rule in [
        &["add", "table", "inet", "loss"][..],
        &["add", "chain", "inet", "loss", "in", "{ type filter hook input priority 0; }"],
        &[
            "add", "rule", "inet", "loss", "in", "udp", "length", ">", "200", "numgen", "inc", "mod", "10", "==", "0",
            "drop",
        ],
    ] {
        chain.server().run("nft", rule).expect("the firewall");
    }
    let server = Serving::start(chain.server(), PROGRAM, &["throughput", "server", "--one-off"]);
    // Datagrams of this size, one by one: the firewall counts what the kernel has not put together. And slowly: a
    // receiver that gets no turn for half a second must not lose any itself.
    let arguments = ["-k", "1000", "-u", "-b", "1M", "-l", "1000", "--no-latency", address];
    let (document, code, said) = client(chain.client(), &arguments);
    assert_eq!((code, said.as_str()), (0, ""));
    let sum = &document["end"]["sum"];
    let lost = sum["lost_packets"].as_u64().expect("a number");
    // The last ones may be among those that are dropped, and then nobody knows of them.
    assert!((99..=100).contains(&lost) && sum["packets"] == 1000, "{sum}");
    assert_eq!(document["squirrel"]["verdicts"][0]["limit"], "network_loss", "{document}");
    drop(server.finish());
}

#[test]
fn an_interrupt_prints_what_there_is() {
    let chain = match chain() {
        Ok(chain) => chain,
        Err(reason) => return skip("throughput::an_interrupt_prints_what_there_is", &reason),
    };
    let address = &chain.server_addresses()[0];
    let _server = Serving::start(chain.server(), PROGRAM, &["throughput", "server"]);
    let mut command = chain.client().command(PROGRAM);
    command.args(["throughput", "client", "-t", "60", "-b", "10M", "-i", "0.2", "--json-lines", address]);
    let mut running = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON") };
    assert_eq!((next()["event"].as_str(), next()["event"].as_str()), (Some("start"), Some("interval")));
    let pid = running.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    let last = std::iter::from_fn(|| Some(next())).find(|line| line["event"] == "end").expect("an end");
    assert!(last["data"]["sum_sent"]["bytes"].as_u64().is_some_and(|octets| octets > 0), "{last}");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    for (arguments, words) in [
        (&["-t", "0"][..], "a run has a bound"),
        (&["-n", "0"], "a run has a bound"),
        (&["-t", "100000"], "86400 seconds"),
        (&["-t", "1.5"], "whole seconds"),
        (&["-b", "fast"], "--bitrate"),
        (&["-l", "2M"], "blocks of 2097152 octets"),
        (&["-u", "-l", "10"], "blocks of 10 octets"),
        (&["-R", "--bidir"], "cannot be used with"),
        (&["--dscp", "af9"], "--dscp"),
        (&["--username", "ann"], "--rsa-public-key-path"),
        (&["--username", "ann", "--rsa-public-key-path", "/nowhere"], "cannot read /nowhere"),
        (&["--username", "ann", "--rsa-public-key-path", "/proc/version"], "BEGIN PUBLIC KEY"),
    ] {
        let (status, out, err) = squirrel(&[&["throughput", "client", "192.0.2.1"], arguments].concat());
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    for (arguments, words) in [
        (&["--max-rate", "0"][..], "--max-rate"),
        (&["--max-duration", "0"], "--max-duration"),
        (&["--listen", "nowhere"], "nowhere"),
        (&["--rsa-private-key-path", "/nowhere"], "--authorized-users-path"),
        (&["--rsa-private-key-path", "/nowhere", "--authorized-users-path", "/nowhere"], "cannot read /nowhere"),
    ] {
        let (status, _, err) = squirrel(&[&["throughput", "server"], arguments].concat());
        assert_eq!(status, 2, "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}
