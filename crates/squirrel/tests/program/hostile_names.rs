//! Interface names and aliases that others chose stay data: in the exposition, in queries, on a
//! terminal.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use squirrel_api::reply::QueryData;
use squirrel_model::exposition::escape_value;
use squirrel_testkit::{Namespace, skip};

use crate::support::{Daemon, squirrel};

/// Set for the part of the test that runs inside the namespace.
const INSIDE: &str = "SQUIRREL_TEST_INSIDE";

const TEST: &str = "hostile_names::names_and_aliases_that_others_chose_stay_data";

/// Name as the kernel has it, the label made of it, alias.
const PLANTED: &[(&[u8], &str, &str)] = &[
    (b"<b>x<b>", "<b>x<b>", "<img src=x onerror=alert(1)>"),
    (b"a\"};x\\", "a\"};x\\", "\"} 1\\"),
    (b"e\x1b[2J\xe2\x80\xaeh", "e\u{1b}[2J\u{202e}h", "bell\u{7} \u{1b}]0;owned\u{7}\u{200b}"),
    // Not UTF-8, and the same text where octets are replaced: they must stay two interfaces.
    (b"bad\xff", "bad\\xff", "one"),
    (b"bad\xfe", "bad\\xfe", "two\u{9b}31m"),
];

/// A namespace with one bridge of each planted name.
fn planted() -> Result<Namespace, String> {
    let namespace = Namespace::create("hostile")?;
    for (name, _, alias) in PLANTED {
        let ip = |words: &[&OsStr]| {
            let output = Command::new("ip").args(["-n", namespace.name()]).args(words).output();
            let output = output.map_err(|error| format!("ip does not start: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(format!("ip {words:?}: {said}")) }
        };
        let name = OsStr::from_bytes(name);
        let word = OsStr::new;
        ip(&[word("link"), word("add"), word("name"), name, word("type"), word("bridge")])?;
        ip(&[word("link"), word("set"), word("dev"), name, word("alias"), word(alias)])?;
    }
    Ok(namespace)
}

#[test]
fn names_and_aliases_that_others_chose_stay_data() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let namespace = match planted() {
        Ok(namespace) => namespace,
        Err(reason) => return skip(TEST, &reason),
    };
    // No socket of this process reaches into the namespace, so the same test runs there again.
    let this = std::env::current_exe().expect("a test knows its own file");
    let output = namespace.command(this).args(["--exact", TEST, "--nocapture"]).env(INSIDE, "1").output();
    let output = output.expect("the test starts inside");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complained}");
}

fn inside() {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let daemon = Daemon::start(dir.path(), &[]);
    the_exposition_is_whole(&daemon);
    queries_find_them(&daemon);
    terminals_are_left_alone(&daemon);
    assert_inert(&daemon.log);
}

fn the_exposition_is_whole(daemon: &Daemon) {
    let metrics = daemon.text("/metrics");
    let mut seen = BTreeSet::new();
    for line in metrics.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = series_and_value(line).unwrap_or_else(|| panic!("not a sample: {line:?}"));
        assert!(matches!(value, "NaN" | "+Inf" | "-Inf") || value.parse::<f64>().is_ok(), "{line:?}");
        assert!(seen.insert(series), "twice: {line:?}");
    }
    for (_, label, _) in PLANTED {
        let series = format!("node_network_up{{device=\"{}\"}}", escape_value(label));
        assert!(seen.contains(series.as_str()), "{series:?} is not in {metrics}");
    }
    match promtool_complains(&metrics) {
        Ok(complaint) => {
            assert!(!complaint.contains("error while linting"), "{complaint}");
            assert!(!complaint.lines().any(|line| line.starts_with("squirrel_")), "{complaint}");
        }
        Err(error) => skip(TEST, &format!("promtool cannot be started: {error}")),
    }
}

/// A sample's line divided where the exposition format divides it; none when it is not one.
fn series_and_value(line: &str) -> Option<(&str, &str)> {
    let name = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let mut rest = &line[name..];
    if let Some(mut labels) = rest.strip_prefix('{') {
        loop {
            let (label, value) = labels.split_once("=\"")?;
            label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then_some(())?;
            let mut escaped = false;
            let end = value.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            })?;
            let after = &value[end + 1..];
            if let Some(after) = after.strip_prefix('}') {
                rest = after;
                break;
            }
            labels = after.strip_prefix(',')?;
        }
    }
    let value = rest.strip_prefix(' ')?;
    Some((&line[..line.len() - rest.len()], value))
}

/// What `promtool check metrics` says; its remarks on style are no faults of the format.
fn promtool_complains(metrics: &str) -> std::io::Result<String> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().expect("a pipe");
    let metrics = metrics.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(metrics.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("no panic")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // 3: it could read everything, and has remarks.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    Ok(said)
}

fn queries_find_them(daemon: &Daemon) {
    for (_, label, alias) in PLANTED {
        let (device, ifalias) = (escape_value(label), escape_value(alias));
        let expr = format!("node_network_info{{device=\"{device}\",ifalias=\"{ifalias}\"}}");
        let QueryData::Vector(found) = daemon.query(&expr) else { panic!("{expr}: not a vector") };
        let labels: Vec<_> =
            found.iter().map(|one| (one.metric["device"].as_str(), one.metric["ifalias"].as_str())).collect();
        assert_eq!(labels, [(*label, *alias)], "{expr}");
    }
}

fn terminals_are_left_alone(daemon: &Daemon) {
    let ask = ["query", "--server", &daemon.address, "node_network_info"];
    let (code, out, err) = squirrel(&ask);
    assert_eq!(code, 0, "{err}");
    for name in [r"e\x1b[2J\u202eh", "<b>x<b>", r"bad\\xff"] {
        assert!(out.contains(&format!("device=\"{name}\"")), "{name} is not in {out}");
    }
    assert_inert(&out);
    let (code, json, _) = squirrel(&["query", "--json", "--server", &daemon.address, "node_network_info"]);
    assert_eq!(code, 0, "{json}");
    assert_inert(&json);
    let document: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let found = document["data"]["result"].as_array().into_iter().flatten().map(|one| &one["metric"]["device"]);
    let found: Vec<&str> = found.filter_map(serde_json::Value::as_str).collect();
    assert!(PLANTED.iter().all(|(_, label, _)| found.contains(label)), "{found:?}");
    // The mark below a mistake repeats what was asked.
    let (code, _, err) = squirrel(&["query", "--server", &daemon.address, "sum(\u{1b}[2J\u{202e}"]);
    assert_ne!(code, 0);
    assert_inert(&err);
    // On a real terminal the program may do more than in a pipe.
    let command = format!("'{}' {}", env!("CARGO_BIN_EXE_squirrel"), ask.join(" "));
    let terminal = Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output();
    match terminal {
        Ok(output) => {
            let shown = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
            assert!(output.status.success() && shown.contains("<b>x<b>"), "{shown}");
            // What `script` echoes for the end of its own input.
            assert_inert(shown.trim_start_matches("^D\u{8}\u{8}"));
        }
        Err(error) => skip(TEST, &format!("script cannot be started: {error}")),
    }
}

/// No character is in a text that a terminal would obey.
pub(crate) fn assert_inert(text: &str) {
    let obeyed = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<char> = text.chars().filter(obeyed).collect();
    assert!(found.is_empty(), "{found:?} in {text:?}");
}
