//! What results become: samples under the names that others know, and their ends.

use std::collections::BTreeMap;

use squirrel_api::probes::ProbeState;
use squirrel_model::{Elapsed, Labels, Timestamp};

use super::*;

#[test]
fn echoes_become_series_under_the_names_that_others_know() {
    let (mut board, targets) = board(vec![Target {
        group: Some("office".to_owned()),
        objective: Some(0.99),
        labels: Labels::new([("site", "a")]).expect("labels"),
        ..ping("192.0.2.1")
    }]);
    board.echo(0, &targets[0], echo(10, Some(20)));
    board.echo(0, &targets[0], echo(11, None));
    board.echo(0, &targets[0], echo(12, None));
    board.echo(0, &targets[0], echo(13, Some(30)));
    let samples = board.due(Timestamp(14_500), Elapsed(Duration::from_secs(1)));
    assert_eq!(
        shown(&samples),
        [
            "probe_success{site=a} 10 1.0000",
            "probe_duration_seconds{site=a} 10 0.0200",
            "probe_icmp_duration_seconds{phase=rtt,site=a} 10 0.0200",
            "probe_success{site=a} 11 0.0000",
            "probe_duration_seconds{site=a} 11 1.0000",
            "probe_icmp_duration_seconds{phase=rtt,site=a} 11 end",
            "probe_success{site=a} 12 0.0000",
            "probe_duration_seconds{site=a} 12 1.0000",
            "probe_success{site=a} 13 1.0000",
            "probe_duration_seconds{site=a} 13 0.0300",
            "probe_icmp_duration_seconds{phase=rtt,site=a} 13 0.0300",
        ]
    );
    assert!(
        samples
            .iter()
            .all(|(labels, ..)| labels.get("job") == Some("p") && labels.get("instance") == Some("192.0.2.1"))
    );
    // Once a minute, in the second that is the target's own.
    let told = shown(&board.due(Timestamp(61_000), Elapsed(Duration::from_mins(1))));
    for line in [
        "squirrel_probe_info{group=office,kind=ping,site=a} 61 1.0000",
        "squirrel_probe_objective_ratio{site=a} 61 0.9900",
        "squirrel_probe_loss_ratio{site=a} 61 0.5000",
        "squirrel_probe_round_trip_seconds{percentile=0,site=a} 61 0.0200",
        "squirrel_probe_round_trip_seconds{percentile=50,site=a} 61 0.0200",
        "squirrel_probe_round_trip_seconds{percentile=100,site=a} 61 0.0300",
        "squirrel_probe_jitter_seconds{site=a} 61 0.0006",
    ] {
        assert!(told.iter().any(|one| one == line), "{line} is not in {told:#?}");
    }
    assert_eq!(told.len(), 13, "{told:#?}");
    // A minute without an answer has a loss and no times.
    board.echo(0, &targets[0], echo(70, None));
    let told = shown(&board.due(Timestamp(121_000), Elapsed(Duration::from_mins(2))));
    assert!(told.iter().any(|one| one == "squirrel_probe_loss_ratio{site=a} 121 1.0000"), "{told:#?}");
    assert_eq!(told.iter().filter(|one| one.ends_with("121 end")).count(), 10, "{told:#?}");
}

#[test]
fn what_is_told_each_minute_does_not_come_at_once() {
    let (mut board, _) = board((0..600).map(|number| ping(&format!("h{number}"))).collect());
    let mut told = BTreeMap::new();
    for second in 1..=120_u64 {
        let samples = board.due(Timestamp(0), Elapsed(Duration::from_secs(second)));
        assert_eq!(samples.len(), 10, "a sixtieth of them in second {second}");
        for (labels, ..) in samples {
            *told.entry(labels.get("instance").unwrap_or_default().to_owned()).or_insert(0) += 1;
        }
    }
    assert!(told.len() == 600 && told.values().all(|count| *count == 2));
    // A loop that was held up tells each once, and not for each minute that it missed.
    assert_eq!(board.due(Timestamp(0), Elapsed(Duration::from_secs(4_000))).len(), 600);
}

#[test]
fn series_that_a_check_no_longer_has_end_with_its_next_run() {
    let (mut board, targets) = board(vec![check("192.0.2.1")]);
    board.finding(0, &targets[0], Timestamp(1_000), &finding(true, &[(&VALUE, &[("a", "old"), ("job", "evil")], 1.0)]));
    board.finding(0, &targets[0], Timestamp(2_000), &finding(false, &[(&VALUE, &[("a", "new")], 2.0)]));
    let samples = board.due(Timestamp(3_000), Elapsed(Duration::from_secs(7)));
    assert_eq!(
        shown(&samples),
        ["probe_value{a=old} 1 1.0000", "probe_value{a=old} 2 end", "probe_value{a=new} 2 2.0000"]
    );
    assert!(samples.iter().all(|(labels, ..)| labels.get("job") == Some("c")), "a check cannot speak for another");
    let all = board.all();
    assert_eq!((all[0].state, all[0].why.as_deref(), all[0].since), (ProbeState::Down, Some("why"), Some(2.0)));
}

#[test]
fn a_path_tells_its_hops_and_a_change_is_no_loss() {
    let (mut board, targets) = board(vec![path("192.0.2.9")]);
    board.traced(0, &targets[0], Timestamp(100_000), Ok(traced(&[1, 2, 9], 9)));
    let samples = shown(&board.due(Timestamp(0), Elapsed(Duration::from_secs(7))));
    for line in [
        "probe_success{} 100 1.0000",
        "squirrel_path_hops{} 100 3.0000",
        "squirrel_path_changes_total{} 100 0.0000",
        "squirrel_path_hop_loss_ratio{hop=2} 100 0.0000",
        "squirrel_path_hop_round_trip_seconds{hop=3,percentile=95} 100 0.0030",
    ] {
        assert!(samples.iter().any(|one| one == line), "{line} is not in {samples:#?}");
    }
    board.traced(0, &targets[0], Timestamp(160_000), Ok(traced(&[1, 7, 8, 9], 9)));
    let samples = shown(&board.due(Timestamp(0), Elapsed(Duration::from_secs(8))));
    assert!(samples.contains(&"squirrel_path_changes_total{} 160 1.0000".to_owned()), "{samples:#?}");
    assert!(!samples.iter().any(|one| one.contains("loss_ratio") && !one.ends_with("0.0000")), "{samples:#?}");
    let (last, path) = board.path("way", "192.0.2.9").expect("its path is traced");
    assert_eq!((path.changes.len(), path.changes[0].at), (1, 165.0));
    assert_eq!(last.map(|last| last.report.distance), Some(Some((4, 4))));
    let probe = &board.all()[0];
    assert_eq!(
        (probe.state, probe.minute.as_ref().map(|minute| (minute.sent, minute.loss))),
        (ProbeState::Up, Some((5, 0.0)))
    );
    assert_eq!(board.path("p", "192.0.2.9").map(|_| ()), None);
    // One that cannot be asked says why.
    board.traced(0, &targets[0], Timestamp(200_000), Err("the name has no address".to_owned()));
    let probe = &board.all()[0];
    assert_eq!((probe.state, probe.why.as_deref()), (ProbeState::Down, Some("the name has no address")));
}
