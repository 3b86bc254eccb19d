//! Sets of capabilities, by name and as the kernel keeps them.

use std::process::Command;

use super::*;

fn status_line(status: &str, key: &str) -> String {
    status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim).unwrap_or_default().to_owned()
}

#[test]
fn sets_have_names() {
    assert_eq!(CapabilitySet(0).to_string(), "none");
    assert_eq!(CapabilitySet(1 << 12 | 1 << 13).to_string(), "CAP_NET_ADMIN, CAP_NET_RAW");
    assert_eq!(CapabilitySet(1 << 50).to_string(), "CAP_50");
    assert_eq!(CapabilitySet((1 << 41) - 1).to_string(), "all");
    assert!(CapabilitySet(1 << 40).contains("CAP_CHECKPOINT_RESTORE"));
    assert!(!CapabilitySet(1).contains("CAP_BPF") && !CapabilitySet(u64::MAX).contains("CAP_NONSENSE"));
}

#[test]
fn what_is_read_is_what_the_kernel_shows() {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let shown = |key| CapabilitySet(u64::from_str_radix(&status_line(&status, key), 16).unwrap());
    let read = Capabilities::read().unwrap();
    assert_eq!((read.effective, read.permitted), (shown("CapEff:"), shown("CapPrm:")));
    assert_eq!(status_line(&status, "Uid:").split_whitespace().nth(1), Some(effective_uid().to_string().as_str()));
}

const IN_CHILD: &str = "SQUIRREL_TEST_DROPS_CAPABILITIES";

/// Runs a test again in a process of its own, and `assert_there` in that one: what is dropped does not come
/// back.
fn assert_in_child(test: &str, assert_there: fn()) {
    if std::env::var_os(IN_CHILD).is_some() {
        assert_there();
        println!("dropped in the child");
    } else {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("privilege::tests::{test}"), "--nocapture", "--test-threads=1"])
            .env(IN_CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("dropped in the child"), "{said}");
    }
}

#[test]
fn dropped_capabilities_are_gone_also_for_programs_started_later() {
    assert_in_child("dropped_capabilities_are_gone_also_for_programs_started_later", assert_gone_after_dropping);
}

#[test]
fn what_is_to_be_kept_is_kept_and_nothing_else() {
    assert_in_child("what_is_to_be_kept_is_kept_and_nothing_else", assert_only_one_is_kept);
}

#[test]
fn what_is_kept_for_children_is_in_force_in_them_alone() {
    assert_in_child("what_is_kept_for_children_is_in_force_in_them_alone", assert_kept_for_children);
}

fn assert_kept_for_children() {
    let before = Capabilities::read().unwrap().permitted;
    keep_for_children(&["CAP_SYS_PTRACE"]).unwrap();
    let own = Capabilities::read().unwrap();
    assert!(own.effective.is_empty());
    assert_eq!(own.permitted.contains("CAP_SYS_PTRACE"), before.contains("CAP_SYS_PTRACE"));
    let child = Command::new("cat").arg("/proc/self/status").output().unwrap();
    let child = String::from_utf8(child.stdout).unwrap();
    // Only root's programs get them without an ambient set, which a test has not.
    if effective_uid() == 0 {
        assert_eq!(status_line(&child, "CapEff:"), format!("{:016x}", own.permitted.0));
    }
    assert_eq!(status_line(&child, "NoNewPrivs:"), "1");
}

fn assert_only_one_is_kept() {
    let before = Capabilities::read().unwrap().permitted;
    let dropped = keep_only(&["CAP_SYS_PTRACE", "CAP_NONSENSE"]).unwrap();
    let kept = Capabilities::read().unwrap();
    assert_eq!(kept.permitted, kept.effective);
    assert_eq!(kept.permitted.contains("CAP_SYS_PTRACE"), before.contains("CAP_SYS_PTRACE"));
    assert!(kept.permitted.names().count() <= 1 && !dropped.capabilities.contains("CAP_SYS_PTRACE"));
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_eq!(status_line(&status, "CapPrm:"), format!("{:016x}", kept.permitted.0));
    assert_eq!(status_line(&status, "NoNewPrivs:"), "1");
}

fn assert_gone_after_dropping() {
    let before = Capabilities::read().unwrap();
    let dropped = drop_all().unwrap();
    assert_eq!(dropped.capabilities, before.permitted);
    if before.effective.contains("CAP_SETPCAP") {
        assert_eq!(dropped.bounding_left, CapabilitySet(0));
    }
    let after_exec = Command::new("cat").arg("/proc/self/status").output().unwrap();
    let statuses =
        [std::fs::read_to_string("/proc/thread-self/status").unwrap(), String::from_utf8(after_exec.stdout).unwrap()];
    for status in statuses {
        for key in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(status_line(&status, key), "0000000000000000", "{key}");
        }
        assert_eq!(status_line(&status, "NoNewPrivs:"), "1");
    }
    assert_eq!(drop_all().unwrap().capabilities, CapabilitySet(0), "dropping twice does no harm");
}
