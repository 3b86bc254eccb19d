//! Checks by hand: how long they may take, and what counts of them.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

use squirrel_api::probes::ProbeState;
use squirrel_check::{Checker, IpVersion};
use squirrel_model::Elapsed;
use squirrel_probe::drive::{Driver, Options};
use squirrel_sys::clock::Monotonic;
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_testkit::until;

use super::*;
use crate::{Parts, Ran, Watch};

/// Longest wait for what comes at once. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The prober with these targets, on whatever sockets of pings this user may have: none of them is pinged.
fn start(runtime: &tokio::runtime::Runtime, targets: Vec<Target>) -> Watch {
    let run = RandomState::new().hash_one("by hand");
    let parts = Parts {
        pinger: Driver::open_all(&Options { socket: SocketOptions::default(), size: 56, run }, false),
        checker: Checker::new(),
        monotonic: Monotonic::start(),
        remembered: None,
    };
    let _inside = runtime.enter();
    Watch::start(parts, targets.into_iter().map(Arc::new).collect(), runtime.handle()).expect("it starts")
}

fn web(instance: &str, timeout: Duration) -> Target {
    let module = Module { timeout, prober: Prober::Http(Box::default()) };
    target("web", instance, Work::Check(Arc::new(module)))
}

#[test]
fn a_check_by_hand_has_its_modules_time_and_one_of_the_schedule_its_interval() {
    // The kernel takes the connections, and nobody ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}/", listener.local_addr().expect("an address"));
    let often = Target { interval: Duration::from_millis(20), ..web(&silent, Duration::from_millis(400)) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let watch = start(&runtime, vec![often]);
    let mut shown = Vec::new();
    let came = until(PATIENCE, || {
        shown = watch.all();
        shown[0].state == ProbeState::Down
    });
    assert!(came && shown[0].why.as_deref().is_some_and(|why| why.ends_with("not done within 0.02 s")), "{shown:?}");
    let ran = runtime.block_on(watch.run("web", &silent));
    let Ok(Ran::Finding(finding)) = ran else { panic!("{ran:?}") };
    let why = finding.log.last().map(String::as_str);
    assert!(why.is_some_and(|why| why.ends_with("not done within 0.4 s")), "{:?}", finding.log);
    watch.stop(Timestamp(9));
}

#[test]
fn a_check_is_asked_by_the_version_that_its_probe_names() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = format!("127.0.0.1:{}", listener.local_addr().expect("an address").port());
    let module = Module { timeout: PATIENCE, prober: Prober::Tcp(Box::default()) };
    let seldom = Target {
        interval: Duration::from_mins(4),
        ip: Some(IpVersion::V6),
        ..target("tcp", &here, Work::Check(Arc::new(module)))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let watch = start(&runtime, vec![seldom]);
    let ran = runtime.block_on(watch.run("tcp", &here));
    let Ok(Ran::Finding(finding)) = ran else { panic!("{ran:?}") };
    assert!(!finding.success && finding.log.iter().any(|line| line.contains("no address of IPv6")), "{finding:?}");
    assert_eq!(watch.all()[0].ip, Some(6));
    watch.stop(Timestamp(9));
}

#[test]
fn a_slow_check_by_hand_does_not_undo_what_the_schedule_found_meanwhile() {
    let (mut board, targets) = board(vec![check("192.0.2.1")]);
    let failed = || finding(false, &[(&VALUE, &[], 0.0)]);
    let good = || finding(true, &[(&VALUE, &[], 1.0)]);
    board.by_hand(0, &targets[0], Timestamp(1_000), &good());
    assert_eq!(board.all()[0].state, ProbeState::Up, "the first one counts, whoever asked for it");
    board.finding(0, &targets[0], Timestamp(5_000), &failed());
    // It began before that, and ended after.
    board.by_hand(0, &targets[0], Timestamp(4_000), &good());
    assert_eq!((board.all()[0].state, board.all()[0].since), (ProbeState::Down, Some(5.0)));
    board.by_hand(0, &targets[0], Timestamp(6_000), &good());
    assert_eq!((board.all()[0].state, board.all()[0].since), (ProbeState::Up, Some(6.0)));
    let samples = board.due(Timestamp(7_000), Elapsed(Duration::from_secs(7)));
    assert_eq!(shown(&samples), ["probe_value{} 1 1.0000", "probe_value{} 5 0.0000", "probe_value{} 6 1.0000"]);
}
