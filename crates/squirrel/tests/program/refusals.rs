//! What cannot be is refused with a sentence that names the next step, and loses nothing.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Daemon, squirrel};

fn check_refused(args: &[&str], code: i32, words: &[&str]) {
    let (status, out, err) = squirrel(args);
    assert_eq!(status, code, "{args:?}: {err}");
    assert_eq!(out, "", "{args:?}: complaints go to standard error");
    for word in words {
        assert!(err.contains(word), "{args:?} must mention {word:?}: {err}");
    }
}

#[test]
fn a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let args = ["serve", "--data-dir", dir.path().to_str().unwrap(), "--listen", &address];
    check_refused(&args, 1, &["cannot listen on", &address, "ss -ltnp", "--listen"]);
}

#[test]
fn two_daemons_on_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = Daemon::start(dir.path(), &[]);
    let args = ["serve", "--data-dir", dir.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
    check_refused(&args, 1, &[dir.path().to_str().unwrap(), "--data-dir"]);
    first.next_tick();
    assert_eq!(first.number("up"), 1.0, "the first one is not disturbed");
}

#[test]
fn a_data_directory_that_is_a_file_or_is_someone_elses() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    check_refused(
        &["serve", "--data-dir", file.to_str().unwrap(), "--listen", "127.0.0.1:0"],
        1,
        &["file", "--data-dir"],
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"x");

    let foreign = dir.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "mine").unwrap();
    check_refused(
        &["serve", "--data-dir", foreign.to_str().unwrap(), "--listen", "127.0.0.1:0"],
        1,
        &["foreign", "--data-dir"],
    );
    assert_eq!(std::fs::read(foreign.join("thesis.tex")).unwrap(), b"mine");
}

#[test]
fn a_data_directory_without_permission() {
    let dir = tempfile::tempdir().unwrap();
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    // Permissions do not stop root, but not even root may make a directory in sysfs.
    let root = std::fs::write(locked.join("probe"), "").is_ok();
    let data = if root { "/sys/squirrel" } else { locked.to_str().unwrap() };
    check_refused(&["serve", "--data-dir", data, "--listen", "127.0.0.1:0"], 1, &[data, "--data-dir"]);
}

#[test]
fn a_wrong_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("squirrel.toml");
    std::fs::write(&file, "[server]\nlisen = [\"127.0.0.1:1\"]\n").unwrap();
    let path = file.to_str().unwrap();
    check_refused(&["serve", "--config", path], 2, &[path, "line 2", "lisen", "listen"]);
    check_refused(&["config", "check", path], 2, &["line 2", "lisen"]);
    check_refused(
        &["serve", "--config", "/nonexistent/squirrel.toml"],
        2,
        &["/nonexistent/squirrel.toml", "config init"],
    );
    std::fs::write(&file, "[server]\nlisten = [\"127.0.0.1:1\"]\n").unwrap();
    let (code, out, _) = squirrel(&["config", "check", path]);
    assert!(code == 0 && out.contains("good"), "{out}");
}

#[test]
fn an_address_that_others_reach() {
    check_refused(&["serve", "--listen", "0.0.0.0:7775"], 2, &["0.0.0.0:7775", "--allow-remote"]);
}

#[test]
fn a_daemon_that_is_not_there() {
    // A port that the kernel gives to nobody who asks for any.
    let free = "127.0.0.1:1";
    check_refused(&["query", "--server", free, "up"], 4, &[free, "squirrel serve"]);
}

#[test]
fn words_that_are_not_there() {
    check_refused(&["sevre"], 2, &["serve"]);
    check_refused(&["explain", "node_netwrk_up"], 1, &["did you mean", "node_network_up"]);
    check_refused(&["query", "--since", "soon", "up"], 2, &["soon"]);
}

#[test]
fn a_recording_does_not_overwrite() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("precious"), "x").unwrap();
    check_refused(&["record", dir.path().to_str().unwrap()], 1, &["not empty"]);
}

#[test]
fn a_recording_is_written_and_says_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("host");
    let (code, out, err) = squirrel(&["record", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("samples a reading") && out.contains("before you share it"), "{out}");
    let replay = squirrel_sys::Replay::open(&folder).unwrap();
    let mut snmp = Vec::new();
    squirrel_sys::Kernel::read(&replay, "/proc/net/snmp", &mut snmp).unwrap();
    assert!(snmp.starts_with(b"Ip:"));
}
