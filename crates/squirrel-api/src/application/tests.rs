//! The words of a report, and what is refused.

use super::*;
use proptest::prelude::*;

fn metric(name: &str, kind: ApplicationMetricKind, value: ApplicationValue) -> ApplicationMetric {
    let labels = [("direction".to_owned(), "receive".to_owned())].into();
    ApplicationMetric {
        name: name.to_owned(),
        kind,
        unit: "bytes".to_owned(),
        help: "Bytes.".to_owned(),
        labels,
        value,
    }
}

fn report() -> ApplicationReport {
    let buckets = vec![ApplicationBucket { le: 0.1, count: 2 }, ApplicationBucket { le: 1.0, count: 3 }];
    let histogram = ApplicationHistogram { count: 4, sum: 7.5, max: Some(6.0), buckets };
    ApplicationReport {
        schema: APPLICATION_SCHEMA,
        application: "shop".to_owned(),
        instance: "host:7".to_owned(),
        pid: 7,
        started: 1_000.0,
        sent_at: 1_010.5,
        interval_seconds: 10.0,
        protocol_version: String::new(),
        metrics: vec![
            metric("bytes_total", ApplicationMetricKind::Counter, ApplicationValue::Value(5.0)),
            metric("latency_seconds", ApplicationMetricKind::Histogram, ApplicationValue::Histogram(histogram)),
        ],
        alerts: vec![ApplicationAlert {
            number: 1,
            at: 1_009.0,
            name: "receive_rate".to_owned(),
            state: ApplicationAlertState::Raised,
            level: Level::Warning,
            sentence: "It receives too much.".to_owned(),
            value: Some(9.0),
            threshold: Some(8.0),
        }],
        lost: ApplicationLosses::default(),
    }
}

#[test]
fn field_names_are_fixed_and_come_back() {
    let text = serde_json::to_string(&report()).unwrap();
    let parts = [
        r#"{"schema":1,"application":"shop","instance":"host:7","pid":7,"started":1000.0,"sent_at":1010.5"#,
        r#"{"name":"bytes_total","kind":"counter","unit":"bytes","help":"Bytes.","labels":{"direction":"receive"},"value":5.0}"#,
        r#""histogram":{"count":4,"sum":7.5,"max":6.0,"buckets":[{"le":0.1,"count":2},{"le":1.0,"count":3}]}"#,
        r#""alerts":[{"number":1,"at":1009.0,"name":"receive_rate","state":"raised","level":"warning""#,
        r#""lost":{"reports":0,"metrics":0,"alerts":0}}"#,
    ];
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(serde_json::from_str::<ApplicationReport>(&text).unwrap(), report());
    assert_eq!(report().check(), Ok(()));
}

#[test]
fn a_newer_application_may_say_more() {
    let text = serde_json::to_string(&report()).unwrap().replacen('{', r#"{"colour":"red","#, 1);
    assert_eq!(serde_json::from_str::<ApplicationReport>(&text).unwrap(), report());
}

/// A name for a case, and what spoils the report.
type Spoiler = (&'static str, fn(&mut ApplicationReport));

#[test]
fn what_cannot_be_is_refused() {
    let cases: &[Spoiler] = &[
        ("schema", |report| report.schema = 2),
        ("nobody", |report| report.application.clear()),
        ("no instance", |report| report.instance.clear()),
        ("no time", |report| report.sent_at = f64::NAN),
        ("before 1970", |report| report.started = -1.0),
        ("an alert of no time", |report| report.alerts[0].at = f64::INFINITY),
        ("too many", |report| report.metrics = vec![report.metrics[0].clone(); MAX_REPORT_METRICS + 1]),
        ("too many alerts", |report| report.alerts = vec![report.alerts[0].clone(); MAX_REPORT_ALERTS + 1]),
        ("long", |report| report.metrics[0].help = "x".repeat(MAX_REPORT_TEXT + 1)),
        ("not a name", |report| report.metrics[0].name = "a b".to_owned()),
        ("the daemon's label", |report| drop(report.metrics[0].labels.insert("__name__".into(), "up".into()))),
        ("the bucket's label", |report| drop(report.metrics[0].labels.insert("le".into(), "1".into()))),
        ("a kind of its own", |report| report.metrics[0].kind = ApplicationMetricKind::Histogram),
        ("below zero", |report| report.metrics[0].value = ApplicationValue::Value(-1.0)),
        ("no number", |report| report.metrics[0].value = ApplicationValue::Value(f64::INFINITY)),
    ];
    for (name, spoil) in cases {
        let mut report = report();
        spoil(&mut report);
        assert!(report.check().is_err(), "{name}");
    }
}

#[test]
fn buckets_rise_and_hold_no_more_than_the_whole() {
    let bucket = |le, count| ApplicationBucket { le, count };
    let cases = [
        vec![bucket(1.0, 1), bucket(1.0, 2)],
        vec![bucket(1.0, 2), bucket(2.0, 1)],
        vec![bucket(1.0, 5)],
        vec![bucket(f64::INFINITY, 1)],
        (0..=MAX_REPORT_BUCKETS).map(|i| bucket(i as f64, 0)).collect(),
    ];
    for buckets in cases {
        let mut report = report();
        let histogram = ApplicationHistogram { count: 4, sum: 1.0, max: None, buckets };
        report.metrics[1].value = ApplicationValue::Histogram(histogram.clone());
        assert!(report.check().is_err(), "{:?}", histogram.buckets.first());
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in ".{0,200}", cut in 0usize..2_000) {
        let whole = serde_json::to_string(&report()).unwrap();
        let cut: String = whole.chars().take(cut).collect();
        for text in [&text, &cut] {
            if let Ok(report) = serde_json::from_str::<ApplicationReport>(text) {
                let _ = report.check();
            }
        }
    }
}
