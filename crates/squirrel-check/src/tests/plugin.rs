//! Programs as Nagios would run them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::{LONG, assert_good, check_within, value, value_of, why};
use crate::{Finding, PluginCheck, Prober};

async fn run(script: &str, arguments: &[&str]) -> Finding {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("check_it");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    // The shell reads the script: a file that was just written may still be open in another test's new process.
    let arguments = [program.to_str().unwrap()].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    let prober = Prober::Plugin(PluginCheck { program: "/bin/sh".into(), arguments });
    // Even what is to be killed has the time to start.
    let limit = if script.contains("sleep") { Duration::from_secs(5) } else { LONG };
    check_within(limit, prober, "").await
}

#[tokio::test]
async fn exit_statuses_are_verdicts() {
    let finding = run("echo 'DISK OK - free 5% | /=95%;80;90;0;100'", &[]).await;
    assert_good(&finding);
    assert_eq!(finding.log, ["DISK OK - free 5%"]);
    assert_eq!(value(&finding, "probe_plugin_status"), Some(0.0));
    let labels = [("label", "/"), ("unit", "%")];
    for (name, expected) in
        [("value", 95.0), ("warning", 80.0), ("critical", 90.0), ("minimum", 0.0), ("maximum", 100.0)]
    {
        assert_eq!(value_of(&finding, &format!("probe_plugin_{name}"), &labels), Some(expected), "{name}");
    }
    for (script, status, expected) in [
        ("echo 'slow | t=2s'; exit 1", 1.0, "warning: slow"),
        ("echo down; exit 2", 2.0, "critical: down"),
        ("echo 'no idea'; exit 3", 3.0, "unknown: no idea"),
        ("echo 'bad argument' >&2; exit 3", 3.0, "unknown: bad argument"),
        ("exit 127", 3.0, "it ended as no plugin does (unknown): it says nothing"),
        ("kill -9 $$", 3.0, "it ended as no plugin does (unknown): it says nothing"),
        ("printf 'a\\033[2J'; exit 2", 2.0, "critical: a\\u{1b}[2J"),
    ] {
        let finding = run(script, &[]).await;
        assert_eq!(
            (why(&finding).trim(), value(&finding, "probe_plugin_status")),
            (expected, Some(status)),
            "{script}"
        );
    }
}

#[tokio::test]
async fn figures_of_further_lines_count() {
    let finding = run("echo 'OK | a=1'; echo text; echo 'more | b=2'; echo 'c=3 x'", &[]).await;
    for (label, expected) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        assert_eq!(value_of(&finding, "probe_plugin_value", &[("label", label)]), Some(expected), "{label}");
    }
    assert!(finding.log[0].starts_with("1 pieces"), "{:?}", finding.log);
}

#[tokio::test]
async fn arguments_reach_the_program_as_they_are() {
    let finding =
        run("echo \"$1|x=$#\"; [ -z \"$HOME$CARGO_MANIFEST_DIR\" ] && [ \"$(pwd)\" = / ]", &["$(id) ; a", "b"]).await;
    assert_good(&finding);
    assert_eq!(finding.log, ["$(id) ; a"]);
    assert_eq!(value(&finding, "probe_plugin_value"), Some(2.0));
}

#[tokio::test]
async fn what_does_not_end_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let finding = run(&format!("sleep 1000 & echo $! $$ > {}; sleep 1000", pids.display()), &[]).await;
    assert!(why(&finding).ends_with("did not end in time and was killed"), "{}", why(&finding));
    assert_eq!(value(&finding, "probe_plugin_status"), Some(3.0));
    for pid in std::fs::read_to_string(&pids).unwrap().split_whitespace() {
        // Killed, and at most waited for by nobody yet.
        let mut state = None;
        let is_gone = squirrel_testkit::until(LONG, || {
            let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
            state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
            matches!(state, None | Some('Z' | 'X'))
        });
        assert!(is_gone, "{pid}: {state:?}");
    }
}

#[tokio::test]
async fn endless_output_is_not_kept() {
    let finding = run("head -c 3000000 /dev/zero | tr '\\0' 'a'", &[]).await;
    assert!(finding.success && finding.log[0].len() == 500);
}

#[tokio::test]
async fn a_program_is_named_from_the_root_on() {
    for (program, expected) in [("check_ssh", "from the root on"), ("/nowhere/check_ssh", "no such file or directory")]
    {
        let prober = Prober::Plugin(PluginCheck { program: program.into(), arguments: Vec::new() });
        let finding = check_within(LONG, prober, "").await;
        assert!(why(&finding).contains(expected), "{}", why(&finding));
    }
}
