//! The whole prober on this machine's loopback: threads, sockets, names.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::ops::ControlFlow;

use squirrel_api::probes::{Probe, ProbeState};
use squirrel_check::Checker;
use squirrel_probe::drive::{Driver, Options};
use squirrel_probe::ping::{Cadence, Event};
use squirrel_sys::clock::Monotonic;
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_testkit::{skip, until};
use tokio::runtime::Runtime;

use ProbeState::{Down, Up};

use super::*;
use crate::{Parts, Ran, RunError, Watch};

/// Longest wait for what comes at once. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_mins(1);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn pinger() -> Option<Driver> {
    // Raw sockets of tests that run beside each other hear each other.
    let run = RandomState::new().hash_one("test");
    let options = Options { socket: SocketOptions::default(), size: 56, run };
    let (driver, _) = Driver::open_all(&options, true);
    driver.can_ask(IpAddr::from([127, 0, 0, 1])).then_some(driver)
}

/// Each 20 ms, with a time for the answer that a busy machine keeps.
fn often(instance: &str) -> Target {
    let interval = Duration::from_millis(20);
    Target { interval, ..target("p", instance, Work::Ping { timeout: Duration::from_secs(5) }) }
}

fn start(runtime: &Runtime, driver: Driver, targets: Vec<Target>) -> Watch {
    let parts = Parts {
        pinger: (driver, Vec::new()),
        checker: Checker::new(),
        monotonic: Monotonic::start(),
        remembered: None,
    };
    let targets = targets.into_iter().map(Arc::new).collect();
    let _inside = runtime.enter();
    Watch::start(parts, targets, runtime.handle()).expect("it starts")
}

/// Waits until the targets stand so, in the order of the configuration.
fn wait_for(watch: &Watch, states: &[ProbeState]) -> Vec<Probe> {
    let mut last = Vec::new();
    let came = until(PATIENCE, || {
        last = watch.all();
        last.iter().map(|probe| probe.state).eq(states.iter().copied())
    });
    assert!(came, "{last:#?} is not {states:?}");
    last
}

#[test]
fn each_kind_is_probed_and_what_leaves_is_probed_no_more() {
    let Some(driver) = pinger() else {
        return skip("each_kind_is_probed_and_what_leaves_is_probed_no_more", "this user may not send echoes");
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let service = listener.local_addr().expect("an address").to_string();
    let tcp = |instance: &str| {
        let module = Module { timeout: Duration::from_secs(5), prober: Prober::Tcp(Box::default()) };
        // A check never outlasts its interval.
        Target { interval: Duration::from_secs(5), ..target("tcp", instance, Work::Check(Arc::new(module))) }
    };
    let way = Target { interval: Duration::from_millis(50), ..target("way", "127.0.0.1", one_packet()) };
    let runtime = runtime();
    let all = || vec![often("127.0.0.1"), often("localhost"), often("no.such.name.invalid")];
    let mut targets = all();
    targets.extend([tcp(&service), tcp("127.0.0.1:1"), way]);
    let watch = start(&runtime, driver, targets);
    let shown = wait_for(&watch, &[Up, Up, Down, Up, Down, Up]);
    assert!(shown[2].why.as_deref().is_some_and(|why| why.contains("no address")), "{:?}", shown[2]);
    assert!(shown[0].address == Some(IpAddr::from([127, 0, 0, 1])) && shown[0].seconds.is_some_and(|time| time <= 5.0));
    let (traced, _) = watch.path("way", "127.0.0.1").expect("its path is traced");
    assert_eq!(traced.map(|traced| traced.report.distance), Some(Some((1, 1))));
    let samples = watch.due(Timestamp(0), squirrel_model::Elapsed(Duration::from_secs(1)));
    let has = |name: &str, job: &str| {
        samples.iter().any(|(labels, ..)| labels.metric_name() == name && labels.get("job") == Some(job))
    };
    assert!(has("probe_icmp_duration_seconds", "p") && has("probe_success", "tcp") && has("squirrel_path_hops", "way"));

    // By hand.
    let ran = |job: &str, instance: &str| runtime.block_on(watch.run(job, instance));
    assert!(matches!(ran("p", "127.0.0.1"), Ok(Ran::Echo(echo)) if echo.outcome.is_ok()));
    assert!(matches!(ran("p", "no.such.name.invalid"), Ok(Ran::Echo(echo)) if echo.outcome.is_err()));
    assert!(matches!(ran("tcp", &service), Ok(Ran::Finding(finding)) if finding.success));
    assert!(matches!(ran("way", "127.0.0.1"), Ok(Ran::Traced(traced)) if traced.report.distance.is_some()));
    assert!(matches!(ran("p", "nobody"), Err(RunError::Unknown)));

    // What stays goes on, what left is nowhere.
    let fewer = vec![Arc::new(often("127.0.0.1"))];
    watch.arrange(fewer);
    watch.due(Timestamp(0), squirrel_model::Elapsed(Duration::from_secs(2)));
    let mut probes = 0;
    let others = until(PATIENCE, || {
        for (labels, _, value) in watch.due(Timestamp(0), squirrel_model::Elapsed(Duration::from_secs(3))) {
            assert!(is_stale(value) || labels.get("instance") == Some("127.0.0.1"), "{labels} goes on");
            probes += 1;
        }
        probes > 100
    });
    assert!(others, "the one that stays is probed");
    assert!(watch.stop(Timestamp(9)).iter().any(|(.., value)| is_stale(*value)), "its series end");
}

fn one_packet() -> Work {
    Work::Path { packets: 1, timeout: Duration::from_secs(5) }
}

#[test]
fn what_stops_does_not_wait_for_traces_under_way() {
    let Some(driver) = pinger() else {
        return skip("what_stops_does_not_wait_for_traces_under_way", "this user may not send echoes");
    };
    let runtime = runtime();
    let slow = Target {
        interval: Duration::from_millis(10),
        ..target("way", "127.0.0.1", Work::Path { packets: 100, timeout: Duration::from_secs(100) })
    };
    let watch = start(&runtime, driver, vec![slow]);
    let mut batch = Batch::default();
    let skips = |batch: &Batch| {
        let rows = batch.rows.iter().filter(|row| row.metric.name == "squirrel_probe_runs_skipped_total");
        rows.map(|row| row.value).sum::<f64>()
    };
    let came = until(PATIENCE, || {
        batch.clear();
        watch.rows(&mut batch);
        skips(&batch) > 3.0
    });
    assert!(came, "a trace that outlasts its interval is not started twice, and is counted");
    let began = Monotonic::start();
    watch.stop(Timestamp(9));
    assert!(began.elapsed().0 < Duration::from_mins(1), "a trace of 100 seconds was waited for");
}

#[test]
fn a_driver_hears_where_targets_are_and_where_they_are_no_more() {
    let Some(mut driver) = pinger() else {
        return skip("a_driver_hears_where_targets_are_and_where_they_are_no_more", "this user may not send echoes");
    };
    let steady = Monotonic::start();
    let clocks = squirrel_probe::drive::Clocks { steady: &|| steady.elapsed(), wall: &squirrel_sys::clock::wall_nanos };
    let mut machine = squirrel_probe::Ping::endless();
    for index in [0, 1] {
        let (interval, timeout) = (Duration::from_millis(5), Duration::from_mins(1));
        machine.set(index, Some(Cadence { first: steady.elapsed(), interval, timeout }));
    }
    driver.set_address(0, Ok(IpAddr::from([127, 0, 0, 1])));
    let (mut answers, mut refusals) = (0, Vec::new());
    let run = driver.run(&mut machine, &clocks, None, &mut |_, events| {
        for event in events {
            match event {
                Event::Answer { question, .. } => answers += u32::from(question.target == 0),
                Event::NotSent(question, why) if question.target == 1 => refusals.push(why.clone()),
                other => panic!("{other:?}"),
            }
        }
        if answers > 5 && !refusals.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    run.expect("the sockets work");
    assert_eq!(refusals.first().map(String::as_str), Some("nobody said where it is"));
}
