//! Names that find their own series, budgets, and spans.

use squirrel_api::probes::Probe;

use super::*;

fn row(job: &str, instance: &str) -> ProbeRow {
    let probe = Probe { job: job.into(), instance: instance.into(), ..Probe::default() };
    ProbeRow { probe, ..ProbeRow::default() }
}

#[test]
fn hostile_names_find_themselves_and_nothing_else() {
    let names = ["a.b", "x|y", "\"}or{x=\"", "<b>", "back\\slash", "line\nbreak", "[(*+?)]", "日本", "#~-&"];
    for name in names {
        let text = format!("probe_success{}", scope(&[row("job", name)]));
        let matchers = engine::selector(&text).expect("a selector");
        let instance = matchers.iter().find(|matcher| matcher.name() == "instance").expect("a matcher");
        for other in names {
            assert_eq!(instance.matches(other), other == name, "{name:?} and {other:?}: {text}");
        }
    }
    assert_eq!(scope(&vec![row("a", "b"); NAMED + 1]), "");
}

#[test]
fn a_series_with_labels_of_others_is_not_the_targets_own() {
    let labels = |pairs: &[(&str, &str)]| Labels::new(pairs.iter().copied()).expect("labels");
    let own = labels(&[("instance", "gw"), ("job", "ping")]);
    let foreign = labels(&[("instance", "gw"), ("job", "ping"), ("host", "b")]);
    let rows = [row("ping", "gw"), row("ping", "none")];
    for order in [[(own.clone(), 1.0), (foreign.clone(), 0.0)], [(foreign, 0.0), (own, 1.0)]] {
        assert_eq!(by_row(&rows, order.into_iter()), [Some(1.0), None]);
    }
}

#[test]
fn seldom_probes_have_no_holes_and_dead_ones_do() {
    let mut beats = [None, Some(1.0), None, None, None, None, Some(0.0), None];
    carry(&mut beats, 150.0, 60.0);
    let up = Some(1.0);
    assert_eq!(beats, [None, up, up, up, up, None, Some(0.0), Some(0.0)]);
    let mut often = [Some(1.0), None];
    carry(&mut often, 60.0, 60.0);
    assert_eq!(often, [Some(1.0), None]);
}

#[test]
fn a_budget_is_spent_by_failures_and_can_be_overspent() {
    let told = budget(0.999, Some(0.9995), Some(0.9856), Some(1.0));
    let near = |value: Option<f64>, expected: f64| (value.expect("known") - expected).abs() < 1e-6;
    assert!(near(told.left, 0.5) && near(told.burn_hour, 14.4) && near(told.burn_six_hours, 0.0), "{told:?}");
    assert!(near(budget(0.99, Some(0.9), None, None).left, -9.0));
    let strict = budget(1.0, Some(0.9), Some(1.0), None);
    assert_eq!((strict.left, strict.burn_hour, strict.burn_six_hours), (None, Some(0.0), None));
}

#[test]
fn spans_end_with_the_part_that_is_under_way() {
    let now = Timestamp(1_700_000_000_000);
    for (name, bucket, buckets) in SPANS {
        let span = span(name, now).expect("a span");
        let end = span.from + span.bucket * span.buckets as f64;
        assert!(end >= now.seconds() && end - now.seconds() < bucket as f64, "{span:?}");
        assert_eq!((end as i64 % bucket, span.buckets), (0, buckets));
    }
    let refused = span("2d", now).expect_err("no such span").message;
    assert_eq!(refused, "invalid parameter \"history\": there is no history of \"2d\". There are: 1h, 1d, 7d, 30d");
}
