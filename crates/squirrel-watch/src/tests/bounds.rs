//! Bounds, and what is hostile.

use proptest::prelude::*;
use squirrel_model::{Batch, Elapsed, Labels, Timestamp};

use super::*;
use crate::remembered;
use crate::series::MOST_SERIES;

#[test]
fn a_plugin_that_tells_too_much_is_bounded_and_counted() {
    let (mut board, targets) = board(vec![check("192.0.2.1")]);
    let names: Vec<String> = (0..MOST_SERIES + 7).map(|number| number.to_string()).collect();
    let mut batch = Batch::default();
    for name in &names {
        batch.put(&VALUE, &Labels::new([("a", name.as_str())]).expect("labels"), 1.0);
    }
    let finding = Finding { batch, ..finding(true, &[]) };
    board.finding(0, &targets[0], Timestamp(1_000), &finding);
    assert_eq!(board.due(Timestamp(1_000), Elapsed(Duration::from_secs(7))).len(), MOST_SERIES);
    assert_eq!(board.counts.refused_series, 7);
}

#[test]
fn samples_that_nobody_takes_are_bounded_and_counted() {
    let (mut board, targets) = board(vec![ping("a")]);
    for second in 0..400_000_i64 {
        board.echo(0, &targets[0], echo(second, Some(1)));
    }
    let lost = board.counts.lost_samples;
    let samples = board.due(Timestamp(0), Elapsed(Duration::from_secs(7)));
    assert!((900_000..=1_000_000).contains(&samples.len()), "{}", samples.len());
    assert_eq!(samples.len() as u64 + lost, 1_200_000);
    assert!(samples.iter().any(|(_, at, _)| at.millis() == 399_999_000), "the oldest went");
}

#[test]
fn ten_thousand_targets_are_shown_and_each_knows_its_own() {
    let (mut board, targets) = board((0..10_000).map(|number| ping(&format!("h{number}"))).collect());
    for (index, target) in (0..).zip(&targets) {
        board.echo(index, target, echo(i64::from(index), Some(1)));
    }
    let all = board.all();
    assert_eq!(all.len(), 10_000);
    assert!(
        (0..)
            .zip(&all)
            .all(|(number, probe)| probe.since == Some(f64::from(number)) && probe.instance == format!("h{number}"))
    );
    assert_eq!(
        board.due(Timestamp(0), Elapsed(Duration::from_secs(61))).len(),
        30_000 + 10_000_usize.div_ceil(60) * 12
    );
}

proptest! {
    #[test]
    fn any_record_is_survived(text in "\\PC{0,200}", cut in 0_usize..400) {
        let (mut board, _) = board(vec![ping("a"), path("192.0.2.9")]);
        let _ = remembered::restore(&mut board, &text);
        let good = "{\"form\":1,\"targets\":[{\"job\":\"way\",\"instance\":\"192.0.2.9\",\"kind\":\"path\",\"up\":true,\
                    \"since_ms\":9,\"path\":{\"hosts\":[\"192.0.2.1\",null],\"reached\":true,\"changes\":[],\"forgotten\":3}}]}";
        if let Some(part) = good.get(..cut) {
            let _ = remembered::restore(&mut board, part);
        }
        prop_assert!(board.all().len() == 2);
    }

    #[test]
    fn hostile_labels_of_a_check_never_take_the_place_of_ours(name in "[a-z_]{1,8}", value in "\\PC{0,20}") {
        let (mut board, targets) = board(vec![check("192.0.2.1")]);
        let mut batch = Batch::default();
        if let Ok(labels) = Labels::new([(name.as_str(), value.as_str())]) {
            batch.put(&VALUE, &labels, 1.0);
        }
        board.finding(0, &targets[0], Timestamp(1), &Finding { batch, ..finding(true, &[]) });
        for (labels, ..) in board.due(Timestamp(1), Elapsed(Duration::from_secs(7))) {
            prop_assert_eq!((labels.get("job"), labels.get("instance")), (Some("c"), Some("192.0.2.1")));
        }
    }
}
