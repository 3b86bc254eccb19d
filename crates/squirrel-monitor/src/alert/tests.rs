//! Thresholds over time: when an alert is raised, and when it is over.

use super::*;

fn alert(second: u64) -> Alert {
    Alert { at: Duration::from_secs(second), kind: AlertKind::NothingExports }
}

#[test]
fn a_threshold_is_told_once_and_cleared_below_nine_tenths() {
    let mut thresholds = Thresholds::new(&[(Quantity::ReceiveRate, 100.0), (Quantity::TransmitRate, f64::NAN)]);
    let mut told = Vec::new();
    for value in [50.0, 101.0, 500.0, 95.0, 101.0, 90.0, 100.0] {
        thresholds.check(|_| Some(value), |kind| told.push(kind));
    }
    thresholds.check(|_| None, |kind| told.push(kind));
    let quantity = Quantity::ReceiveRate;
    let raised = AlertKind::Raised { quantity, value: 101.0, threshold: 100.0 };
    assert_eq!(told, [raised, AlertKind::Cleared { quantity, value: 90.0, threshold: 100.0 }]);
}

#[test]
fn a_threshold_of_zero_clears_at_zero() {
    let mut thresholds = Thresholds::new(&[(Quantity::ProtocolErrorRate, 0.0)]);
    let mut told = 0;
    for value in [0.0, 1.0, 2.0, 0.0] {
        thresholds.check(|_| Some(value), |_| told += 1);
    }
    assert_eq!(told, 2);
}

#[test]
fn what_does_not_fit_is_counted_and_a_panic_is_survived() {
    let (sender, mut receiver) = alert_channel(2);
    let panics = |alert: &Alert| alert.at > Duration::from_secs(100) || panic!("a sink of the user");
    let alerts = Alerts::to(vec![Arc::new(sender), Arc::new(panics)]);
    (0..3).for_each(|second| alerts.tell(alert(second)));
    assert_eq!(alerts.lost(), 4, "one that did not fit and three panics");
    assert_eq!(receiver.try_recv(), Ok(alert(0)));
    assert_eq!(alerts.recent(), [alert(0), alert(1), alert(2)]);
}

#[test]
fn only_the_last_alerts_are_kept() {
    let alerts = Alerts::default();
    (0..100).for_each(|second| alerts.tell(alert(second)));
    let recent = alerts.recent();
    let after: Vec<u64> = alerts.after(97).into_iter().map(|(number, _)| number).collect();
    assert_eq!(
        (after.as_slice(), alerts.after(0).first().map(|(number, _)| *number)),
        ([98, 99, 100].as_slice(), Some(37))
    );
    assert_eq!((recent.len(), recent.first(), recent.last()), (RECENT_ALERTS, Some(&alert(36)), Some(&alert(99))));
}
