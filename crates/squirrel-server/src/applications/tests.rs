//! What applications can do, and what they cannot.

use proptest::prelude::*;
use squirrel_api::Level;
use squirrel_api::application::{
    APPLICATION_SCHEMA, ApplicationAlert, ApplicationAlertState, ApplicationBucket, ApplicationHistogram,
    ApplicationLosses, ApplicationMetric, ApplicationMetricKind, ApplicationValue,
};
use squirrel_api::applications::ApplicationState;
use squirrel_model::{Kind, Metric, Unit, is_stale};
use squirrel_testkit::MemorySelect;

use super::counters::Reason;
use super::*;

static UP: Metric = Metric::new("squirrel_ticks_total", Kind::Counter, Unit::None, "Ticks.");
static FAMILY: Metric = Metric::new("squirrel_store_<what>_total", Kind::Counter, Unit::None, "Something.");

const START: Timestamp = Timestamp(1_700_000_000_000);

fn applications(limits: ApplicationLimits) -> Applications {
    Applications::new(limits, Catalogue::new([[&UP, &FAMILY].as_slice()]))
}

fn usual() -> Applications {
    applications(ApplicationLimits::default())
}

fn seconds(n: u64) -> (Timestamp, Elapsed) {
    (START.plus_ms(1000 * n.cast_signed()), Elapsed(Duration::from_secs(n)))
}

fn counter(name: &str, labels: &[(&str, &str)], value: f64) -> ApplicationMetric {
    ApplicationMetric {
        name: name.to_owned(),
        kind: ApplicationMetricKind::Counter,
        unit: String::new(),
        help: String::new(),
        labels: labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        value: ApplicationValue::Value(value),
    }
}

fn report(application: &str, instance: &str, metrics: Vec<ApplicationMetric>) -> ApplicationReport {
    ApplicationReport {
        schema: APPLICATION_SCHEMA,
        application: application.to_owned(),
        instance: instance.to_owned(),
        pid: 7,
        started: 1_000.0,
        sent_at: 1_010.0,
        interval_seconds: 1.0,
        protocol_version: String::new(),
        metrics,
        alerts: Vec::new(),
        lost: ApplicationLosses::default(),
    }
}

fn alert(number: u64, name: &str, state: ApplicationAlertState, level: Level) -> ApplicationAlert {
    ApplicationAlert {
        number,
        at: 1_005.0,
        name: name.to_owned(),
        state,
        level,
        sentence: format!("{name} {number}"),
        value: None,
        threshold: None,
    }
}

fn take(all: &Applications, at: u64, report: ApplicationReport) -> Result<ApplicationReceipt, Refusal> {
    let (wall, now) = seconds(at);
    all.take(report, wall, now)
}

/// What the store gets at a tick, as text: series, seconds since the start, value or `end`.
fn due(all: &Applications, at: u64) -> Vec<String> {
    let (wall, now) = seconds(at);
    shown(all.due(wall, now, 1000))
}

fn shown(samples: Vec<(Labels, Timestamp, f64)>) -> Vec<String> {
    let second = |at: Timestamp| (at.millis() - START.millis()) / 1000;
    let mut lines: Vec<String> = samples
        .into_iter()
        .map(|(labels, at, value)| {
            let value = if is_stale(value) { "end".to_owned() } else { value.to_string() };
            format!("{labels} {} {value}", second(at))
        })
        .collect();
    lines.sort();
    lines
}

fn row(all: &Applications, name: &str) -> f64 {
    let mut batch = Batch::default();
    all.rows(&mut batch);
    let mut text = String::new();
    squirrel_model::exposition::write_batch(&mut text, &batch);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

#[test]
fn a_report_becomes_series_that_say_whose_they_are() {
    let all = usual();
    let histogram = ApplicationHistogram {
        count: 5,
        sum: 7.5,
        max: Some(6.0),
        buckets: vec![ApplicationBucket { le: 0.1, count: 2 }, ApplicationBucket { le: 1.0, count: 3 }],
    };
    let latency = ApplicationMetric {
        kind: ApplicationMetricKind::Histogram,
        value: ApplicationValue::Histogram(histogram),
        ..counter("latency_seconds", &[], 0.0)
    };
    let receipt = take(&all, 3, report("shop", "h:7", vec![counter("sold_total", &[("kind", "a")], 2.0), latency]));
    assert_eq!(receipt, Ok(ApplicationReceipt { taken: 2, refused: 0, sentences: vec![] }));
    let whose = r#"application="shop",instance="h:7",job="application""#;
    assert_eq!(
        due(&all, 4),
        [
            format!(r#"latency_seconds_bucket{{{whose},le="+Inf"}} 3 5"#),
            format!(r#"latency_seconds_bucket{{{whose},le="0.1"}} 3 2"#),
            format!(r#"latency_seconds_bucket{{{whose},le="1"}} 3 3"#),
            format!("latency_seconds_count{{{whose}}} 3 5"),
            format!("latency_seconds_sum{{{whose}}} 3 7.5"),
            r#"sold_total{application="shop",instance="h:7",job="application",kind="a"} 3 2"#.to_owned(),
        ]
    );
    assert!(due(&all, 5).is_empty(), "once");
}

#[test]
fn nobody_speaks_for_the_daemon_or_for_another() {
    let all = usual();
    let names = ["up", "node_network_up", "scrape_x", "squirrel_ticks_total", "squirrel_store_series_total"];
    let mut metrics: Vec<_> = names.iter().map(|name| counter(name, &[], 1.0)).collect();
    metrics.push(counter(
        "squirrel_messages_total",
        &[("job", "squirrel"), ("instance", "x"), ("exported_job", "y")],
        1.0,
    ));
    let receipt = take(&all, 0, report("shop", "a", metrics)).unwrap();
    assert_eq!((receipt.taken, receipt.refused), (1, 5));
    assert!(receipt.sentences[0].contains("prefix of your own"), "{receipt:?}");
    assert_eq!(
        due(&all, 1),
        [
            r#"squirrel_messages_total{application="shop",exported_exported_job="squirrel",exported_instance="x",exported_job="y",instance="a",job="application"} 0 1"#
        ]
    );
    assert_eq!(row(&all, "squirrel_application_metrics_refused_total{reason=\"reserved_name\"}"), 5.0);
}

#[test]
fn what_a_report_lacks_ends_and_may_come_back() {
    let all = usual();
    let with = |names: &[&str]| report("shop", "a", names.iter().map(|name| counter(name, &[], 1.0)).collect());
    let line =
        |name: &str, rest: &str| format!(r#"{name}{{application="shop",instance="a",job="application"}} {rest}"#);
    take(&all, 0, with(&["a", "b"])).unwrap();
    due(&all, 0);
    take(&all, 1, with(&["a"])).unwrap();
    assert_eq!(due(&all, 1), [line("a", "1 1"), line("b", "1 end")]);
    // Two reports before one tick: the newest counts, and what ended between goes on.
    take(&all, 2, with(&["a", "b"])).unwrap();
    take(&all, 3, with(&["b"])).unwrap();
    assert_eq!(due(&all, 3), [line("a", "3 end"), line("b", "3 1")]);
    assert_eq!(row(&all, "squirrel_application_reports_total{outcome=\"replaced\"}"), 1.0);
    assert_eq!(row(&all, "squirrel_application_series"), 1.0);
}

#[test]
fn silence_ends_the_series_and_is_told_since_when() {
    let all = usual();
    take(&all, 10, report("shop", "a", vec![counter("a", &[], 1.0)])).unwrap();
    due(&all, 10);
    assert!(due(&all, 13).is_empty(), "three intervals are not over");
    let ended = due(&all, 14);
    assert_eq!(ended, [r#"a{application="shop",instance="a",job="application"} 14 end"#]);
    let (wall, now) = seconds(52);
    let list = all.list(wall, now);
    let shop = &list.applications[0];
    assert_eq!((shop.state, shop.level), (ApplicationState::Silent, Level::Unknown));
    assert_eq!(shop.silent_since, Some(seconds(10).0.seconds()));
    assert_eq!(shop.sentence, "No report for 42 s: it has stopped, or cannot reach this daemon.");
    assert_eq!(list.sentence, "No application reports at present.");
    take(&all, 60, report("shop", "a", vec![counter("a", &[], 1.0)])).unwrap();
    assert_eq!(all.one("shop", seconds(60).1).unwrap().state, ApplicationState::Live);
    assert_eq!(due(&all, 60).len(), 1);
    assert_eq!(due(&all, 60 + 25 * 3600).len(), 1);
    assert!(all.one("shop", seconds(60 + 25 * 3600).1).is_none(), "forgotten after a day");
}

#[test]
fn a_clean_stop_ends_what_is_live_after_its_last_value() {
    let all = usual();
    take(&all, 10, report("shop", "a", vec![counter("a", &[], 1.0)])).unwrap();
    let series = r#"a{application="shop",instance="a",job="application"}"#;
    assert_eq!(shown(all.close(seconds(10).0, 1000)), [format!("{series} 10 1"), format!("{series} 11 end")]);
}

#[test]
fn instances_and_series_are_bounded_and_the_bound_is_told() {
    let all =
        applications(ApplicationLimits { instances: 2, series: 3, all_series: 4, ..ApplicationLimits::default() });
    let many = |n: usize| (0..n).map(|i| counter("a", &[("i", &i.to_string())], 1.0)).collect();
    let receipt = take(&all, 0, report("shop", "a", many(5))).unwrap();
    assert_eq!((receipt.taken, receipt.refused), (3, 2));
    assert!(receipt.sentences[0].contains("max_series"), "{receipt:?}");
    let receipt = take(&all, 0, report("shop", "b", many(5))).unwrap();
    assert_eq!((receipt.taken, receipt.refused), (1, 4), "all together");
    let refused = take(&all, 0, report("other", "c", many(1))).unwrap_err();
    assert_eq!(refused.outcome, Outcome::Full);
    assert!(refused.sentence.contains("max_instances"), "{refused:?}");
    // What is kept stays kept, and a place is free when one is silent.
    let receipt = take(&all, 1, report("shop", "a", many(5))).unwrap();
    assert_eq!(receipt.taken, 3);
    due(&all, 9);
    due(&all, 10);
    let (_, now) = seconds(10);
    assert!(
        take(&all, 10, report("other", "c", many(1))).is_ok_and(|receipt| receipt.taken == 0),
        "no new ones this hour"
    );
    assert_eq!(all.one("other", now).unwrap().sentence, Reason::NewSeries.sentence(1));
    assert_eq!(row(&all, "squirrel_application_instances{state=\"live\"}"), 1.0);
    assert_eq!(row(&all, "squirrel_application_instances{state=\"silent\"}"), 1.0, "the one silent longest made room");
    let receipt = take(&all, 10 + 3600, report("other", "c", many(1))).unwrap();
    assert_eq!(receipt.taken, 1, "an hour later");
}

#[test]
fn a_histogram_is_kept_as_a_whole_or_not_at_all() {
    let all = applications(ApplicationLimits { series: 4, ..ApplicationLimits::default() });
    let buckets = |n: u32| ApplicationHistogram {
        count: 1,
        buckets: (0..n).map(|i| ApplicationBucket { le: f64::from(i), count: 1 }).collect(),
        ..ApplicationHistogram::default()
    };
    let metric = |n| ApplicationMetric {
        kind: ApplicationMetricKind::Histogram,
        value: ApplicationValue::Histogram(buckets(n)),
        ..counter("h", &[], 0.0)
    };
    assert_eq!(take(&all, 0, report("shop", "a", vec![metric(2)])).unwrap().taken, 0);
    assert!(due(&all, 0).is_empty());
    assert_eq!(take(&all, 1, report("shop", "a", vec![metric(1)])).unwrap().taken, 1);
    assert_eq!(due(&all, 1).len(), 4);
}

#[test]
fn a_restart_takes_over_and_a_second_process_of_the_name_is_refused() {
    let all = usual();
    let of = |pid, started| ApplicationReport { pid, started, ..report("shop", "a", vec![counter("a", &[], 1.0)]) };
    take(&all, 0, of(7, 1_000.0)).unwrap();
    take(&all, 1, of(8, 2_000.0)).unwrap();
    let refused = take(&all, 2, of(7, 1_000.0)).unwrap_err();
    assert_eq!(refused.outcome, Outcome::Conflict);
    assert!(refused.sentence.contains("instance name of its own"), "{refused:?}");
    due(&all, 10);
    assert!(take(&all, 11, of(7, 1_000.0)).is_ok(), "the later one is gone");
}

#[test]
fn a_flood_is_refused_and_leaves_no_trace() {
    let all = applications(ApplicationLimits { reports_a_second: 5, ..ApplicationLimits::default() });
    let now = seconds(0).1;
    let admitted = (0..1000).filter(|_| all.admit(now).is_ok()).count();
    assert_eq!(admitted, 10);
    let taken = (0..1000).filter(|_| take(&all, 0, report("shop", "a", vec![])).is_ok()).count();
    assert_eq!(taken, 10);
    let refusal = take(&all, 0, report("shop", "a", vec![])).unwrap_err();
    for i in 0..1000_u32 {
        all.refused(&refusal, &format!("shop{}", i % 100), START);
    }
    assert_eq!(all.list(START, now).refusals.len(), REFUSALS);
    assert_eq!(row(&all, "squirrel_application_reports_total{outcome=\"rate\"}"), 1000.0);
}

#[test]
fn alerts_hold_until_they_are_cleared_and_count_once() {
    use ApplicationAlertState::{Cleared, Raised, Told};
    let all = usual();
    let with = |alerts| ApplicationReport { alerts, ..report("shop", "a", vec![]) };
    take(&all, 0, with(vec![alert(1, "rate", Raised, Level::Warning), alert(2, "errors", Raised, Level::Bad)]))
        .unwrap();
    take(&all, 1, with(vec![alert(2, "errors", Raised, Level::Bad), alert(3, "export", Told, Level::Warning)]))
        .unwrap();
    let shop = all.one("shop", seconds(1).1).unwrap();
    assert_eq!((shop.level, shop.sentence.as_str()), (Level::Bad, "Errors 2. And 1 more alert."));
    assert_eq!(shop.instances[0].told.iter().map(|alert| alert.number).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(row(&all, "squirrel_application_alerts"), 2.0);
    take(&all, 2, with(vec![alert(4, "errors", Cleared, Level::Ok), alert(5, "rate", Cleared, Level::Ok)])).unwrap();
    assert_eq!(all.one("shop", seconds(2).1).unwrap().level, Level::Ok);
    // A process that starts anew counts from one again.
    let anew = ApplicationReport { started: 2_000.0, ..with(vec![alert(1, "rate", Raised, Level::Warning)]) };
    take(&all, 3, anew).unwrap();
    let list = all.list(seconds(3).0, seconds(3).1);
    assert_eq!((list.level, list.sentence.as_str()), (Level::Warning, "shop: Rate 1."));
    // An alert stands before what is only not kept.
    take(&all, 3, report("apps", "a", vec![counter("up", &[], 1.0)])).unwrap();
    let list = all.list(seconds(3).0, seconds(3).1);
    assert_eq!(list.sentence, "shop: Rate 1. 1 more application needs a look.");
}

#[test]
fn those_who_reported_before_a_restart_are_known_and_end_if_they_stay_away() {
    let mut store = MemorySelect::default();
    let series = |name: &str, instance: &str, job: &str| {
        let pairs = [("__name__", name), ("application", "shop"), ("instance", instance), ("job", job)];
        Labels::new(pairs).unwrap()
    };
    let ago = |seconds: i64| START.millis() - seconds * 1000;
    store.put(&series("a", "back", JOB), ago(5), 1.0);
    store.put(&series("b", "back", JOB), ago(5), 1.0);
    store.put(&series("a", "gone", JOB), ago(20), 1.0);
    store.put(&series("a", "ended", JOB), ago(6), 1.0);
    store.put(&series("a", "ended", JOB), ago(5), squirrel_model::stale_marker());
    store.put(&series("a", "stopped", JOB), ago(0), 1.0);
    store.put(&series("a", "stopped", JOB), ago(-1), squirrel_model::stale_marker());
    store.put(&series("a", "host", "squirrel"), ago(1), 1.0);
    let all = usual();
    all.adopt(&store, START, Elapsed(Duration::ZERO)).unwrap();
    let shop = all.one("shop", seconds(0).1).unwrap();
    let names: Vec<&str> = shop.instances.iter().map(|one| one.instance.as_str()).collect();
    assert_eq!((names, shop.state), (vec!["back", "gone"], ApplicationState::Silent));
    assert_eq!(shop.silent_since, Some(Timestamp(ago(5)).seconds()));
    take(&all, 2, report("shop", "back", vec![counter("a", &[], 2.0)])).unwrap();
    let line = |name: &str, instance: &str, rest: &str| format!("{} {rest}", series(name, instance, JOB));
    assert_eq!(due(&all, 3), [line("a", "back", "2 2"), line("b", "back", "2 end")]);
    take(&all, 30, report("shop", "back", vec![counter("a", &[], 2.0)])).unwrap();
    assert_eq!(due(&all, 31), [line("a", "back", "30 2"), line("a", "gone", "31 end")]);
}

#[test]
fn a_token_fits_only_as_a_whole() {
    let token = || Token::new("0123456789abcdef");
    let all = usual().with_token(token());
    let fits = |sent: &str| all.token_fits(Some(sent.as_bytes()));
    assert_eq!(fits("Bearer 0123456789abcdef"), Some(true));
    assert_eq!(fits("bearer 0123456789abcdef"), Some(true));
    for wrong in [
        "",
        "Bearer ",
        "Bearer 0123456789abcdeg",
        "Bearer 0123456789abcde",
        "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef",
    ] {
        assert_eq!(fits(wrong), Some(false), "{wrong}");
    }
    assert_eq!((all.token_fits(None), usual().token_fits(None)), (Some(false), None));
    assert!(Token::new("short").is_none() && Token::new("0123456789abcdef\n0").is_none() && token().is_some());
}

#[test]
fn rows_are_declared() {
    let mut batch = Batch::default();
    usual().rows(&mut batch);
    let catalogue = Catalogue::new([OWN_METRICS, APPLICATION_METRICS]);
    assert!(catalogue.duplicates().is_empty());
    for row in &batch.rows {
        let declared = catalogue.find(&row.metric.name).expect("declared");
        assert!(row.labels.iter().all(|(name, _)| declared.labels.contains(&name)), "{}", row.metric.name);
    }
    assert!(OWN_METRICS.iter().all(|metric| batch.rows.iter().any(|row| row.metric.name == metric.name)));
}

proptest! {
    /// Whatever names an application gives, what is kept says whose it is.
    #[test]
    fn any_names_stay_within_the_job(
        application in ".{1,40}",
        instance in ".{1,40}",
        labels in prop::collection::btree_map("[a-z_]{1,12}|job|instance|application|exported_job", ".{0,20}", 0..6),
        name in "[a-zA-Z_][a-zA-Z0-9_]{0,20}",
    ) {
        let all = usual();
        let metric = ApplicationMetric { labels, ..counter(&name, &[], 1.0) };
        if take(&all, 0, report(&application, &instance, vec![metric])).is_ok() {
            for (labels, _, _) in all.due(seconds(1).0, seconds(1).1, 1000) {
                prop_assert_eq!(labels.get("job"), Some(JOB));
                prop_assert_eq!(labels.get("application"), Some(application.as_str()));
                prop_assert_eq!(labels.get("instance"), Some(instance.as_str()));
            }
            prop_assert!(all.one(&application, seconds(1).1).is_some());
        }
    }
}

#[test]
fn a_start_in_the_future_does_not_squat_an_instance() {
    let all = usual();
    let started = |seconds: f64| ApplicationReport { started: seconds, ..report("shop", "a", Vec::new()) };
    let now = START.seconds();
    let refused = take(&all, 0, started(now + 301.0)).unwrap_err();
    assert!(refused.outcome == Outcome::Malformed && refused.sentence.contains("301 s in the future"), "{refused:?}");
    // Clocks differ a little, and the one that was started last still wins.
    take(&all, 0, started(now + 299.0)).unwrap();
    assert_eq!(take(&all, 1, started(now)).unwrap_err().outcome, Outcome::Conflict);
}

#[test]
fn instances_that_are_heard_of_once_do_not_keep_others_out() {
    let all = applications(ApplicationLimits { instances: 3, ..ApplicationLimits::default() });
    let many = |n: usize| (0..n).map(|i| counter("a", &[("i", &i.to_string())], 1.0)).collect::<Vec<_>>();
    // They say that they report every five minutes, so they would be live for a quarter of an hour.
    for instance in ["forged 1", "forged 2"] {
        take(&all, 0, ApplicationReport { interval_seconds: 300.0, ..report("x", instance, many(1)) }).unwrap();
    }
    for second in 0..=40 {
        take(&all, second, report("shop", "a", many(1))).unwrap();
    }
    assert_eq!(take(&all, 29, report("late", "b", many(1))).unwrap_err().outcome, Outcome::Full);
    take(&all, 40, report("late", "b", many(1))).unwrap();
    take(&all, 40, report("late", "c", many(1))).unwrap();
    assert_eq!(take(&all, 40, report("late", "d", many(1))).unwrap_err().outcome, Outcome::Full, "those are heard now");
    let (at, now) = seconds(41);
    let told = all.due(at, now, 1000);
    let ended = told.iter().filter(|(_, _, value)| is_stale(*value)).count();
    assert_eq!(ended, 2, "the series of those that left have ended: {told:?}");
}
