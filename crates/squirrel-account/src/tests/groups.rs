//! Whose names become series when somebody makes up ever new ones.

use std::time::Duration;

use squirrel_model::Batch;

use crate::groups::Groups;
use crate::picture::{Container, ProcessSummary, Traffic};

const KEEP: Duration = Duration::from_mins(10);

fn process(name: &str, user: &str, cgroup: &str) -> ProcessSummary {
    ProcessSummary {
        name: name.to_owned(),
        user: user.to_owned(),
        cgroup: Some(cgroup.to_owned()),
        ..ProcessSummary::default()
    }
}

/// One step in which each of these moves ten octets; the transmitted octets of each series by process and user.
fn step(groups: &mut Groups, second: u64, processes: &[ProcessSummary]) -> Vec<(String, String, f64)> {
    let now = Duration::from_secs(second);
    groups.begin_step();
    for process in processes {
        let slot = groups.of(process, now);
        groups.add(slot, Traffic::new(0, 10), 1, now);
    }
    groups.make_room(now, KEEP);
    let mut batch = Batch::default();
    groups.emit(&mut batch);
    let rows = batch.rows.iter().filter(|row| row.metric.name == "squirrel_process_transmit_bytes_total");
    let label = |row: &squirrel_model::Row, name| row.labels.get(name).unwrap_or_default().to_owned();
    rows.map(|row| (label(row, "process"), label(row, "user"), row.value)).collect()
}

fn value(rows: &[(String, String, f64)], process: &str, user: &str) -> Option<f64> {
    rows.iter().find(|row| row.0 == process && row.1 == user).map(|row| row.2)
}

#[test]
fn ten_minutes_of_new_names_push_nobody_else_out() {
    let mut groups = Groups::new(300);
    let service = |number: u64| process(&format!("service-{number}"), "root", "/system.slice/a.service");
    let mut rows = Vec::new();
    for second in 0..600 {
        let evil = |number: u64| process(&format!("evil-{second}-{number}"), "mallory", "/system.slice/b.service");
        let mut now: Vec<ProcessSummary> = (0..50).map(evil).collect();
        // One service more each ten seconds, the last when the flood is at its end.
        now.extend((0..=second / 10).map(service));
        rows = step(&mut groups, second, &now);
    }
    for number in 0..60 {
        let expected = 10.0 * (600.0 - 10.0 * f64::from(number));
        assert_eq!(value(&rows, &format!("service-{number}"), "root"), Some(expected), "service-{number}");
    }
    assert_eq!(rows.iter().filter(|row| row.1 == "mallory").count(), 100, "a third of the rows");
    assert_eq!(value(&rows, "(other)", ""), None, "the rest of mallory is mallory's");
    let sum: f64 = rows.iter().filter(|row| row.1 == "mallory").map(|row| row.2).sum();
    assert_eq!(sum, 10.0 * 50.0 * 600.0, "and no octet of it is lost");
}

#[test]
fn a_login_with_many_users_and_a_container_are_one_owner_each() {
    let mut groups = Groups::new(300);
    let login = |number: u32| {
        process("worker", &(100_000 + number).to_string(), "/user.slice/user-1000.slice/user@1000.service/app.slice")
    };
    let inside = |number: u32| ProcessSummary {
        container: Some(Container { runtime: "docker", name: "web".into(), id: "f".repeat(64) }),
        ..process(&format!("w{number}"), &number.to_string(), "/docker/f")
    };
    let crowd: Vec<ProcessSummary> = (0..1_000).map(login).chain((0..1_000).map(inside)).collect();
    step(&mut groups, 1, &crowd);
    let rows = step(&mut groups, 2, &[crowd, vec![process("sshd", "root", "/system.slice/ssh.service")]].concat());
    assert_eq!(rows.len(), 201, "a hundred each and the server of logins");
    assert!(value(&rows, "sshd", "root").is_some());
    assert_eq!(value(&rows, "(other)", ""), None);
}

#[test]
fn a_share_is_free_again_when_its_names_were_quiet_for_long() {
    let mut groups = Groups::new(12);
    let name = |name: &str| process(name, "mallory", "/");
    let first: Vec<ProcessSummary> = ["a", "b", "c", "d", "e"].map(name).into();
    step(&mut groups, 1, &first);
    let rows = step(&mut groups, 2, &first);
    assert_eq!((rows.len(), value(&rows, "(other)", "mallory")), (4, Some(20.0 + 20.0)));
    let later: Vec<ProcessSummary> = ["f", "g"].map(name).into();
    step(&mut groups, 700, &later);
    let rows = step(&mut groups, 701, &later);
    assert_eq!(value(&rows, "f", "mallory"), Some(0.0), "it has a row from now on");
    assert_eq!(value(&rows, "(other)", "mallory"), Some(60.0), "what was summed stays where it is");
    let rows = step(&mut groups, 702, &later);
    assert_eq!((value(&rows, "f", "mallory"), value(&rows, "g", "mallory")), (Some(20.0), Some(20.0)));
}
