//! Probes on a schedule in the daemon, on real routers: what is up, what is down, what lies behind it, and a path that
//! changes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use squirrel_testkit::{Chain, Namespace, skip, until};

use crate::inside::{Inside, play};
use crate::support::{PATIENCE, squirrel};

const SERVER: &str = "127.0.0.1:7775";

/// Starts a daemon inside.
fn start(client: &Namespace, config: &Path, data: &Path) -> Inside {
    let mut command = client.command(env!("CARGO_BIN_EXE_squirrel"));
    command.args(["serve", "--listen", SERVER, "--config"]).arg(config).arg("--data-dir").arg(data);
    let daemon = Inside::spawn(command);
    daemon.wait_for("watching this host");
    daemon
}

/// What the daemon inside answers to a GET; null while it does not.
fn get(client: &Namespace, path: &str) -> Value {
    let mut command: Command = client.command("curl");
    let output = command.args(["-s", "-g", &format!("http://{SERVER}{path}")]).output().expect("curl runs");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// State of each target, by job and instance.
fn states(client: &Namespace) -> Vec<(String, String)> {
    let page = get(client, "/api/probes");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = page["probes"].as_array().cloned().unwrap_or_default();
    let mut states: Vec<_> = rows
        .iter()
        .map(|row| (format!("{} {}", text(row, "job"), text(row, "instance")), text(row, "state")))
        .collect();
    states.sort();
    states
}

fn wait_for_states(client: &Namespace, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect();
    let mut last = Vec::new();
    let came = until(PATIENCE, || {
        last = states(client);
        last == expected
    });
    assert!(came, "{last:#?} is not {expected:#?}\n{}", get(client, "/api/probes"));
}

/// The only value of an instant query; none while there is no series, or several.
fn number(client: &Namespace, query: &str) -> Option<f64> {
    let answer = get(client, &format!("/api/v1/query?query={query}"));
    let series = answer["data"]["result"].as_array()?;
    let [one] = series.as_slice() else { return None };
    one["value"][1].as_str()?.parse().ok()
}

fn changes(client: &Namespace) -> Vec<Value> {
    let detail = get(client, "/api/probes/one?job=way&instance=203.0.113.5");
    detail["path"]["changes"].as_array().cloned().unwrap_or_default()
}

#[test]
fn targets_are_probed_and_what_lies_behind_a_dead_one_is_unreachable() {
    if !play() {
        check_targets_on_routers();
    }
}

fn check_targets_on_routers() {
    let name = "watched::targets_are_probed_and_what_lies_behind_a_dead_one_is_unreachable";
    let chain = match Chain::create("watched", 2) {
        Ok(chain) => chain,
        Err(reason) => return skip(name, &reason),
    };
    let (client, near, server) = (chain.client(), chain.host(2), chain.server());
    // The second router has the address to which the path is traced, until it is taken away: then the server has it.
    client.ip(&["route", "add", "203.0.113.0/24", "via", "10.77.0.2"]).expect("a route");
    chain.host(1).ip(&["route", "add", "203.0.113.0/24", "via", "10.77.1.2"]).expect("a route");
    near.ip(&["route", "add", "203.0.113.0/24", "via", "10.77.2.2"]).expect("a route");
    near.ip(&["addr", "add", "203.0.113.5/32", "dev", "lo"]).expect("an address");
    server.ip(&["addr", "add", "203.0.113.5/32", "dev", "lo"]).expect("an address");
    let own = std::env::current_exe().expect("the test's own path");
    let listening = Inside::start(server, &own, name, "serve 0");
    let service = format!("10.77.2.2:{}", listening.wait_for("port "));

    let folder = tempfile::tempdir().expect("a folder");
    let (config, data) = (folder.path().join("squirrel.toml"), folder.path().join("data"));
    let text = format!(
        "[[probe]]\nname = \"hosts\"\ntargets = [\"10.77.0.2\", \"10.77.2.2\"]\ninterval = \"1s\"\ntimeout = \"500ms\"\n\
         [[probe]]\nname = \"service\"\nkind = \"tcp\"\ntargets = [\"{service}\"]\ninterval = \"1s\"\ntimeout = \"900ms\"\n\
         parents = [\"10.77.2.2\"]\nobjective = 0.99\n\
         [[probe]]\nname = \"way\"\nkind = \"path\"\ntargets = [\"203.0.113.5\"]\ninterval = \"3s\"\npackets = 2\n\
         timeout = \"500ms\"\n"
    );
    std::fs::write(&config, text).expect("written");
    let daemon = start(client, &config, &data);
    let service = format!("service {service}");
    let as_it_should =
        [("hosts 10.77.0.2", "up"), ("hosts 10.77.2.2", "up"), (&service, "up"), ("way 203.0.113.5", "up")];
    wait_for_states(client, &as_it_should);

    // The series, under the names that others know.
    let comes = |query: &str, wanted: f64| {
        assert!(until(PATIENCE, || number(client, query) == Some(wanted)), "{query}: {:?}", number(client, query));
    };
    comes("min(probe_success)", 1.0);
    comes("count(probe_success)", 4.0);
    comes("count(probe_icmp_duration_seconds{phase=%22rtt%22,job=%22hosts%22})", 2.0);
    comes("squirrel_path_hops{job=%22way%22}", 2.0);
    comes("count(squirrel_probe_info)", 4.0);
    comes("squirrel_probe_objective_ratio{job=%22service%22}", 0.99);
    comes("squirrel_probe_targets{state=%22up%22}", 4.0);
    let own = || {
        let collectors = get(client, "/api/collectors");
        collectors.as_array().and_then(|all| all.iter().find(|one| one["name"] == "probes")).cloned()
    };
    let runs = until(PATIENCE, || own().is_some_and(|own| own["state"] == "running"));
    assert!(runs, "raw sockets were opened in time: {:?}", own());

    // The path grows.
    assert_eq!(changes(client), Vec::<Value>::new());
    near.ip(&["addr", "del", "203.0.113.5/32", "dev", "lo"]).expect("it goes");
    assert!(until(PATIENCE, || !changes(client).is_empty()), "{}", get(client, "/api/probes"));
    comes("squirrel_path_hops{job=%22way%22}", 3.0);
    let all = changes(client);
    let (newest, first) = (&all[0], &all[all.len() - 1]);
    assert_eq!(first["from"], serde_json::json!(["10.77.0.2", "203.0.113.5"]), "{all:?}");
    // A trace that was under way at that moment saw the new router, and the target no more.
    let grown = ["10.77.0.2", "10.77.1.2", "203.0.113.5"].map(Value::from);
    let to = newest["to"].as_array().expect("hosts");
    assert!(to.len() >= 2 && grown.starts_with(to), "{all:?}");

    // The server dies: its own probe says down, and what lies behind it only that nothing is known.
    server.ip(&["link", "set", "left", "down"]).expect("it goes");
    let gone = [
        ("hosts 10.77.0.2", "up"),
        ("hosts 10.77.2.2", "down"),
        (&service, "unreachable"),
        ("way 203.0.113.5", "down"),
    ];
    wait_for_states(client, &gone);
    comes("min(probe_success{job=%22hosts%22})", 0.0);

    // A reload takes one away and leaves the others alone.
    let text = "[[probe]]\nname = \"hosts\"\ntargets = [\"10.77.0.2\"]\ninterval = \"1s\"\ntimeout = \"500ms\"\n\
                [[probe]]\nname = \"way\"\nkind = \"path\"\ntargets = [\"203.0.113.5\"]\ninterval = \"3s\"\npackets = 2\n\
                timeout = \"500ms\"\n";
    std::fs::write(&config, text).expect("written");
    let sent = Command::new("kill").args(["-HUP", &daemon.pid().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    wait_for_states(client, &[("hosts 10.77.0.2", "up"), ("way 203.0.113.5", "down")]);
    comes("count(probe_success)", 2.0);

    // What is known outlives a restart.
    let before = changes(client);
    let (code, _) = daemon.interrupt();
    assert_eq!(code, 0);
    let daemon = start(client, &config, &data);
    assert!(until(PATIENCE, || changes(client) == before), "{:?} is not {before:?}", changes(client));
    drop(daemon);
}

#[test]
fn a_mistake_in_a_probe_is_told_before_the_daemon_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("squirrel.toml");
    std::fs::write(&config, "[[probe]]\nname = \"a\"\ntargets = [\"x\"]\nkind = \"pong\"\n").expect("written");
    let file = config.to_str().expect("text");
    let (code, _, said) = squirrel(&["config", "check", file]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("line 4") && said.contains("`ping`") && said.contains("`plugin`"), "{said}");
    std::fs::write(&config, "[[probe]]\nname = \"a\"\ntargets = [\"192.0.2.1\"]\nip = 4\n").expect("written");
    let (code, shown, _) = squirrel(&["config", "show", "--config", file]);
    assert_eq!(code, 0);
    assert!(shown.contains("[[probe]]\nname = \"a\"\nkind = \"ping\"\nip = 4\n# 1 target\n"), "{shown}");
}
