//! Manners of the command line: exit codes, interrupts, and what is printed for shells and people.

use std::net::TcpListener;
use std::process::Command;

use squirrel_testkit::until;

use crate::inside::Inside;
use crate::processes::signal;
use crate::support::{Daemon, PATIENCE, squirrel};

#[test]
fn an_address_that_is_none_is_a_mistake_of_usage() {
    for arguments in [["top", "--server"], ["status", "--server"]] {
        let (code, _, said) = squirrel(&[&arguments[..], &["nonsense"]].concat());
        assert!(code == 2 && said.contains("no port") && said.contains("ADDR:PORT"), "{code}: {said}");
    }
    let (code, _, said) = squirrel(&["query", "--server", "host:99999", "up"]);
    assert!(code == 2 && said.contains("1 to 65535"), "{code}: {said}");
    // One that could be a daemon's, and is not.
    let (code, _, said) = squirrel(&["status", "--server", "127.0.0.1:1"]);
    assert!(code == 4 && said.contains("no daemon is running") && !said.contains("os error"), "{code}: {said}");
}

#[test]
fn a_peer_that_says_nothing_can_be_left() {
    // It accepts by the kernel's queue, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    for (more, expected) in [(["--once", "--json"].as_slice(), 130), (&["--interval", "1s"], 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squirrel"));
        command.args(["top", "--server", &address]).args(more);
        let mut asking = Inside::spawn(command);
        let (_held, _) = silent.accept().unwrap();
        signal(asking.pid(), "INT");
        assert_eq!(asking.output().0, expected, "{more:?}");
    }
}

#[test]
fn the_status_of_a_daemon_is_on_one_screen_and_in_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let (mut code, mut text, mut said) = (-1, String::new(), String::new());
    let mut verdict = serde_json::Value::Null;
    // Whatever else goes on at this host, the two agree, unless it changes between them.
    let agree = until(PATIENCE, || {
        (code, text, said) = squirrel(&["status", "--server", &daemon.address]);
        verdict = serde_json::from_str(&daemon.text("/api/verdict")).unwrap();
        code == i32::from(verdict["level"] != "ok")
    });
    assert!(agree, "{code}: {text}{said}{verdict}");
    assert!(text.contains(&format!("daemon     {}, squirrel {}", daemon.address, env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(text.contains("collectors ") && said.is_empty(), "{text}{said}");
    let (_, json, _) = squirrel(&["status", "--json", "--server", &daemon.address]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "squirrel.status/1");
    assert!(document["collectors"].as_array().is_some_and(|rows| rows.len() > 3), "{document}");
}

#[test]
fn quiet_says_nothing_beside_the_answer() {
    let (code, text, said) = squirrel(&["top", "--for", "100ms", "--json", "--no-daemon", "--quiet"]);
    assert_eq!((code, said.as_str()), (0, ""), "{said}");
    assert!(text.starts_with('{'), "{text}");
    let (_, _, said) = squirrel(&["top", "--for", "100ms", "--json", "--no-daemon"]);
    assert!(said.contains("measuring for 0.1 s"), "{said}");
}

#[test]
fn shells_and_manuals_get_what_they_want() {
    for (shell, part) in [("bash", "_squirrel()"), ("zsh", "#compdef squirrel"), ("fish", "complete -c squirrel")] {
        let (code, text, _) = squirrel(&["completions", shell]);
        assert!(code == 0 && text.contains(part) && text.contains("sockets"), "{shell}: {text}");
    }
    let (code, page, _) = squirrel(&["man", "top"]);
    assert!(code == 0 && page.contains(".TH") && page.contains("squirrel\\-top"), "{page}");
    let (code, _, said) = squirrel(&["man", "nonsense"]);
    assert!(code == 2 && said.contains("--help"), "{said}");
    let (_, version, _) = squirrel(&["--version"]);
    assert!(version.starts_with(&format!("squirrel {}", env!("CARGO_PKG_VERSION"))), "{version}");
}
