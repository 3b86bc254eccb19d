//! A whole life: start, answer, die without warning, remember.

use crate::support::{Daemon, squirrel};

#[test]
fn the_first_samples_can_be_queried_and_the_page_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    assert_eq!(daemon.number("up"), 1.0);
    assert!(daemon.number("count(node_network_up)") >= 1.0, "every host has the loopback interface");
    let metrics = daemon.text("/metrics");
    assert!(metrics.contains("# TYPE node_network_receive_bytes_total counter"), "{metrics}");
    assert!(metrics.contains(r#"node_network_up{device="lo"}"#), "{metrics}");
    let page = daemon.text("/");
    assert!(page.to_lowercase().contains("<!doctype html>"), "{page}");
}

#[test]
fn nothing_kept_is_lost_by_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let first = Daemon::start(dir.path(), &[]);
    first.next_tick();
    first.next_tick();
    let before = first.number("count_over_time(up[1h])");
    let started = first.number("min_over_time(timestamp(up)[1h:1s])");
    first.signal("KILL");
    let (status, _) = first.wait();
    assert!(!status.success());

    let second = Daemon::start(dir.path(), &[]);
    // Another port is another instance: both are one host's record. The restart may fall into the
    // second of the last sample, which is kept once.
    let samples = "sum(count_over_time(up[1h]))";
    let kept = second.number(samples);
    assert!(kept >= before, "{kept} samples after the restart, {before} before the kill");
    second.wait_until(samples, |samples| samples > before);
    let earliest = second.number("min(min_over_time(timestamp(up)[1h:1s]))");
    assert!(earliest <= started, "the record begins at {started}, but {earliest} is the earliest after the restart");
}

#[test]
fn a_clean_stop_ends_the_series_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    daemon.signal("TERM");
    let (status, log) = daemon.wait();
    assert!(status.success(), "{log}");
    assert!(log.contains("SIGTERM: stopping") && log.contains("stopped"), "{log}");
}

#[test]
fn an_open_stream_does_not_keep_the_daemon_from_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let stream = std::net::TcpStream::connect(&daemon.address).unwrap();
    std::io::Write::write_all(
        &mut &stream,
        format!("GET /api/stream?query=up HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address).as_bytes(),
    )
    .unwrap();
    daemon.next_tick();
    daemon.signal("INT");
    let (status, log) = daemon.wait();
    assert!(status.success(), "{log}");
    drop(stream);
}

#[test]
fn capabilities_are_gone_before_the_first_request() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    for line in status.lines().filter(|line| line.starts_with("Cap") && !line.starts_with("CapBnd")) {
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    for task in std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        assert!(!status.contains("CapEff:") || status.contains("CapEff:\t0000000000000000"), "every thread: {status}");
    }
}

#[test]
fn a_good_configuration_is_reloaded_and_a_bad_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("squirrel.toml");
    std::fs::write(&file, "").unwrap();
    let mut daemon = Daemon::start(&dir.path().join("data"), &["--config", file.to_str().unwrap()]);
    std::fs::write(&file, "[collect]\ndisabeld = [\"softnet\"]\n").unwrap();
    daemon.signal("HUP");
    let line = daemon.wait_for("not reloaded");
    assert!(line.contains("old one stays"), "{line}");
    std::fs::write(&file, "[collect]\ndisabled = [\"softnet\"]\n").unwrap();
    daemon.signal("HUP");
    daemon.wait_for("configuration reloaded");
    // The series ends with a stale marker at the next reading.
    daemon.wait_until("count(node_softnet_processed_total) or vector(0)", |series| series == 0.0);
    // A tick is in the store a moment before it is shown.
    daemon.next_tick();
    let metrics = daemon.text("/metrics");
    assert!(!metrics.contains("node_softnet_processed_total{"), "softnet is off");
    assert!(metrics.contains("node_network_up{"), "the others go on");
}

#[test]
fn a_question_is_answered_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let (code, out, err) = squirrel(&["query", "--server", &daemon.address, "up"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("job=\"squirrel\"") && out.trim_end().ends_with('1'), "{out}");
    let (code, out, _) = squirrel(&["query", "--json", "--server", &daemon.address, "up"]);
    assert!(code == 0 && out.starts_with(r#"{"status":"success","data":{"resultType":"vector","result":[{"#), "{out}");
    let (code, _, err) = squirrel(&["query", "--server", &daemon.address, "sum("]);
    assert_ne!(code, 0);
    assert!(err.contains("parse error") && err.contains('^'), "{err}");
}

#[test]
fn two_daemons_run_side_by_side() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (Daemon::start(one.path(), &[]), Daemon::start(two.path(), &[]));
    assert_eq!((first.number("up"), second.number("up")), (1.0, 1.0));
}

#[test]
fn a_data_folder_that_is_made_is_closed_to_others_and_one_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let made = dir.path().join("new/data");
    drop(Daemon::start(&made, &[]));
    assert_eq!(mode(&made) & 0o027, 0, "{:o}", mode(&made));
    let there = dir.path().join("there");
    std::fs::create_dir(&there).unwrap();
    std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(Daemon::start(&there, &[]));
    assert_eq!(mode(&there), 0o755);
}

/// What `promtool` says of the metrics that a daemon shows, by metric; none where it is not installed.
fn lint(metrics: &str) -> Option<Vec<String>> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    promtool.stdin.take().expect("stdin is piped").write_all(metrics.as_bytes()).expect("it reads");
    let said = promtool.wait_with_output().expect("it ends");
    Some(String::from_utf8_lossy(&said.stderr).lines().map(str::to_owned).collect())
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_of_our_own() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    daemon.next_tick();
    let metrics = daemon.text("/metrics");
    assert!(metrics.contains("# TYPE squirrel_http_request_duration_seconds histogram"), "{metrics}");
    let Some(said) = lint(&metrics) else {
        return squirrel_testkit::skip("promtool_finds_nothing_wrong_with_the_metrics_of_our_own", "no promtool");
    };
    // What bears a name of node_exporter has the faults of that name too.
    // And some gauges are quantiles over connections, which have neither a sum nor a count.
    let known = |line: &&String| line.starts_with("node_") || line.ends_with("should not have \"quantile\" label");
    let ours: Vec<&String> = said.iter().filter(|line| !known(line)).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}
