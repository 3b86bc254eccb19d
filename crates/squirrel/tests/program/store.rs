//! `squirrel store …` beside a daemon and without one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Daemon, squirrel};

/// Runs `squirrel store` on a folder.
fn store(data: &Path, args: &[&str]) -> (i32, String, String) {
    let mut all = vec!["store"];
    all.extend_from_slice(args);
    all.extend(["--data-dir", data.to_str().expect("a path in UTF-8")]);
    squirrel(&all)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A folder that a daemon filled for some ticks, and what it is called in.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data, &[]);
    (0..3).for_each(|_| daemon.next_tick());
    daemon.signal("TERM");
    assert!(daemon.wait().0.success());
    (dir, data)
}

#[test]
fn a_backup_of_a_running_daemon_is_sound_and_serves_what_was_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let daemon = Daemon::start(&data, &[]);
    (0..3).for_each(|_| daemon.next_tick());
    let stored = daemon.number("count_over_time(up[1h])");
    let (code, out, err) = store(&data, &["backup", copy.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!dir.path().join("copy.partial").exists());
    for (folder, what) in [(&data, "in use"), (&copy, "the copy")] {
        let (code, out, err) = store(folder, &["check", "--json"]);
        assert_eq!((code, &json(&out)["sound"]), (0, &true.into()), "{what}: {err}");
    }
    let stats = json(&store(&data, &["stats", "--json"]).1);
    assert!(stats["log_samples"].as_u64().unwrap() > 0 && stats["series"].as_u64().unwrap() > 0, "{stats}");
    daemon.next_tick();
    let (code, _, err) = store(&data, &["backup", copy.to_str().unwrap()]);
    assert_eq!(code, 2, "a second backup goes elsewhere: {err}");
    drop(daemon);
    let restored = Daemon::start(&copy, &[]);
    // The restored daemon listens on another port, so its own series is another one.
    restored.wait_until("count(count_over_time(up[1h]))", |series| series == 2.0);
    let oldest = restored.number("max(count_over_time(up[1h]))");
    assert!(oldest >= stored, "{oldest} of {stored} samples");
}

#[test]
fn check_says_where_the_damage_is_and_ends_with_1() {
    let (_dir, data) = filled();
    assert_eq!(store(&data, &["check"]).0, 0);
    // Of several, as after a window of two hours ended, the largest.
    let logs = std::fs::read_dir(data.join("wal")).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.max_by_key(|path| std::fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, &bytes).unwrap();
    let (code, out, err) = store(&data, &["check"]);
    assert_eq!(code, 1, "{out}{err}");
    let name = format!("wal/{}", log.file_name().unwrap().to_str().unwrap());
    assert!(out.contains("DAMAGED") && out.contains(&name), "{out}");
    let document = json(&store(&data, &["check", "--json"]).1);
    assert_eq!(document["sound"], false);
    assert_eq!(document["findings"][0]["file"], name);
    assert_eq!(std::fs::read(&log).unwrap(), bytes, "a check changes nothing");
}

#[test]
fn deletion_and_import_wait_for_the_daemon_and_then_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("up.om"));
    let file = file.to_str().unwrap();
    let daemon = Daemon::start(&data, &[]);
    daemon.next_tick();
    assert_eq!(store(&data, &["export", "up", "--output", file]).0, 0);
    for args in [&["delete", "up"][..], &["import", file]] {
        let (code, out, err) = store(&data, args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains("in use") && err.contains("Stop the other"), "{args:?}: {err}");
    }
    let dry = json(&store(&data, &["delete", "--dry-run", "--json", "up"]).1);
    assert_eq!(dry["series"], 1, "counted beside the daemon: {dry}");
    daemon.signal("TERM");
    assert!(daemon.wait().0.success());
    let everything = "{__name__=~\".+\"}";
    let (code, _, err) = store(&data, &["delete", everything]);
    assert!(code == 2 && err.contains("--all"), "{err}");
    let deleted = json(&store(&data, &["delete", "--json", "up"]).1);
    assert!(deleted["series"] == 1 && deleted["samples"].as_u64().unwrap() > 1, "{deleted}");
    assert_eq!(store(&data, &["export", "up"]).1, "# EOF\n");
    assert_eq!(store(&data, &["import", file]).0, 0);
    assert_eq!(store(&data, &["export", "up"]).1, std::fs::read_to_string(file).unwrap());
    assert_eq!(store(&data, &["check"]).0, 0);
}

#[test]
fn promtool_makes_blocks_of_an_export() {
    let (dir, data) = filled();
    let file = dir.path().join("all.om");
    let (code, _, err) = store(&data, &["export", "--json", "--output", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let samples = json(&err)["samples"].as_u64().unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&file, &dir.path().join("blocks")])
        .output();
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            squirrel_testkit::skip("promtool_makes_blocks_of_an_export", &format!("promtool: {error}"));
            return;
        }
    };
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(made.status.success(), "{said}{}", String::from_utf8_lossy(&made.stderr));
    // One block, or two when a window of two hours ended meanwhile: the fifth column counts samples.
    let counted: u64 = said.lines().filter_map(|line| line.split_whitespace().nth(4)?.parse::<u64>().ok()).sum();
    assert_eq!(counted, samples, "{said}");
}

#[test]
fn a_folder_without_a_store_is_said_to_have_none_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for (folder, words) in [(dir.path(), "no Squirrel store"), (missing.as_path(), "--data-dir")] {
        for args in [&["check"][..], &["stats"], &["export"], &["delete", "up"]] {
            let (code, out, err) = store(folder, args);
            assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
            assert!(err.contains(words), "{args:?}: {err}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
