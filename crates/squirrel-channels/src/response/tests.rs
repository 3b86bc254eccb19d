//! Commands that really run.

use std::sync::atomic::{AtomicI64, Ordering};

use squirrel_store::dir::{FaultyDir, MemoryDir, Trouble};

use super::*;
use crate::render::samples::{message, over, texts};

static NOW: AtomicI64 = AtomicI64::new(1_800_000_000_000);

fn clock() -> Timestamp {
    Timestamp(NOW.load(Ordering::Relaxed))
}

fn line(words: &[&str]) -> CommandLine {
    CommandLine::try_from(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn settings(words: &[&str]) -> ResponseSettings {
    ResponseSettings {
        command: line(words),
        mode: Mode::Run,
        timeout: Duration::from_mins(1),
        most_per_hour: 3,
        undo: None,
        undo_after: Duration::from_mins(10),
        protected: Protected::loopback(),
    }
}

fn responder() -> Responder {
    Responder::open(Arc::new(MemoryDir::new()), clock).unwrap()
}

fn alerts(count: u64) -> Notification {
    let mut message = message("eth0");
    let one = message.alerts[0].clone();
    message.alerts = (0..count).map(|i| NotifiedAlert { fingerprint: i, ..one.clone() }).collect();
    message
}

#[tokio::test]
async fn a_program_gets_the_alert_as_json_and_nothing_of_the_environment() {
    let responder = responder();
    let text = "$(reboot) '; \"\nx";
    let mut hostile = message(text);
    hostile.alerts[0].value = f64::INFINITY;
    responder.act(&settings(&["/bin/cat"]), &Protected::loopback(), &hostile).await;
    let run = responder.runs().remove(0);
    assert_eq!(run.verdict, "exit status 0");
    let read: Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(read["alert"]["labels"]["device"], text);
    assert_eq!((read["action"].as_str(), read["alert"]["value"].as_str()), (Some("run"), Some("inf")));
    let responder = self::responder();
    responder.act(&settings(&["/usr/bin/env"]), &Protected::loopback(), &message("x")).await;
    let output = &responder.runs()[0].output;
    let mut lines: Vec<&str> = output.split(' ').collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
}

#[tokio::test]
async fn an_alert_is_acted_upon_once_and_not_beyond_the_limit() {
    let responder = responder();
    let settings = settings(&["/bin/true"]);
    let host = Protected::loopback();
    for _ in 0..3 {
        responder.act(&settings, &host, &alerts(5)).await;
    }
    let verdicts: Vec<String> = responder.runs().into_iter().rev().map(|run| run.verdict).collect();
    let limit = "not run: more than 3 runs in one hour";
    assert_eq!(verdicts, ["exit status 0", "exit status 0", "exit status 0", limit, limit]);
}

#[tokio::test]
async fn dry_runs_and_protected_things_run_nothing() {
    let responder = responder();
    let mut dry = settings(&["/bin/false"]);
    dry.mode = Mode::DryRun;
    responder.act(&dry, &Protected::loopback(), &message("eth0")).await;
    assert_eq!(responder.runs()[0].verdict, "dry run: would run /bin/false");
    let mut trial = message("eth0");
    trial.reason = Reason::Test;
    trial.alerts[0].fingerprint = 1;
    responder.act(&settings(&["/bin/false"]), &Protected::loopback(), &trial).await;
    assert_eq!(responder.runs()[0].verdict, "dry run: would run /bin/false", "a trial acts on nothing");
    let mut own = message("eth0");
    own.alerts[0].fingerprint = 2;
    own.alerts[0].labels = texts(&[("alertname", "Flood"), ("remote", "192.0.2.9:443")]);
    let host = Protected::read(&["192.0.2.9"]).unwrap();
    responder.act(&settings(&["/bin/false"]), &host, &own).await;
    assert_eq!(responder.runs()[0].verdict, "not run: remote=192.0.2.9:443 is protected");
}

#[tokio::test]
async fn what_lasts_too_long_is_killed_with_its_children() {
    let responder = responder();
    let mut slow = settings(&["/bin/sh", "-c", "sleep 300 & echo $!; wait"]);
    // Long enough for the shell to have started what is to be killed.
    slow.timeout = Duration::from_secs(5);
    responder.act(&slow, &Protected::loopback(), &message("eth0")).await;
    let run = responder.runs().remove(0);
    assert_eq!(run.verdict, "killed after 5s");
    let child: u32 = run.output.trim().parse().unwrap();
    // Killed, and perhaps not yet collected by its new parent.
    let mut stat = String::new();
    let is_gone = squirrel_testkit::until(Duration::from_mins(1), || {
        stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default().trim().chars().next();
        matches!(state, None | Some('Z' | 'X'))
    });
    assert!(is_gone, "{stat}");
    let responder = self::responder();
    responder.act(&settings(&["/nowhere/x"]), &Protected::loopback(), &message("eth0")).await;
    assert_eq!(responder.runs()[0].verdict, "not run: /nowhere/x: no such file or directory");
}

#[tokio::test]
async fn output_is_bounded_and_harmless() {
    let responder = responder();
    let noisy = settings(&["/bin/sh", "-c", "head -c 3000000 /dev/zero; printf '\\033[2J'"]);
    responder.act(&noisy, &Protected::loopback(), &message("eth0")).await;
    let run = responder.runs().remove(0);
    assert_eq!(run.verdict, "exit status 0", "a program that writes more than is kept ends all the same");
    assert!(run.output.chars().count() <= 4000 && !run.output.contains(squirrel_model::is_hostile));
}

#[tokio::test]
async fn an_effect_is_undone_at_its_end_or_when_its_time_is_over_also_after_a_restart() {
    let dir: Arc<dyn Dir> = Arc::new(MemoryDir::new());
    let responder = Responder::open(dir.clone(), clock).unwrap();
    let mut settings = settings(&["/bin/true"]);
    settings.undo = Some(line(&["/bin/cat"]));
    let host = Protected::loopback();
    responder.act(&settings, &host, &alerts(2)).await;
    let mut first = over(alerts(1));
    first.alerts.truncate(1);
    responder.act(&settings, &host, &first).await;
    assert_eq!((responder.runs()[0].step, responder.runs()[0].fingerprint), (Step::Undo, 0));
    // The program is killed; the other effect waits for its time.
    let next = Responder::open(dir, clock).unwrap();
    let due = next.next_undo().unwrap();
    assert_eq!(due.0 - next.runs()[1].at_ms, 600_000);
    NOW.fetch_max(due.0, Ordering::Relaxed);
    let of = settings.clone();
    next.undo_due(|_| Some(of.clone())).await;
    let run = next.runs().remove(0);
    assert_eq!((run.step, run.fingerprint, run.verdict.as_str()), (Step::Undo, 1, "exit status 0"));
    assert!(run.output.contains("\"action\":\"undo\""), "{}", run.output);
    assert!(next.next_undo().is_none());
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_run() {
    let faulty = FaultyDir::new(Arc::new(MemoryDir::new()));
    let responder = Responder::open(Arc::new(faulty.clone()), clock).unwrap();
    faulty.set(Some(Trouble { from: 0, count: u64::MAX, errno: 28, tears: true, only_growth: false }));
    responder.act(&settings(&["/bin/true"]), &Protected::loopback(), &message("eth0")).await;
    assert!(responder.runs()[0].verdict.starts_with("not run: it could not be written down"));
}
