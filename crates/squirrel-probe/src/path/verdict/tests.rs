//! Judgements on made-up paths whose faults are known.

use super::*;
use crate::path::simulated::{Host, Route};
use crate::path::tests::{always, hosts, ip, plan, run};

/// Judges 60 rounds over a path of seven routers and the target after a fault was put in.
fn with(fault: impl Fn(&mut Vec<Host>)) -> Judgement {
    let mut route = hosts(&[1, 2, 3, 4, 5, 6, 7, 99]);
    fault(&mut route);
    judge(&run(plan(60), always(route)).0)
}

fn of(judgement: &Judgement, ttl: u8) -> Verdict {
    let found = judgement.verdicts.iter().find(|((place, _), _)| *place == ttl);
    *found.expect("a verdict").1
}

#[test]
fn a_path_without_fault_is_good() {
    let judgement = with(|_| ());
    assert_eq!((&judgement.outcome, judgement.flows), (&Outcome::Good, 1));
    assert!(judgement.verdicts.values().all(|verdict| *verdict == Verdict::Good), "{judgement:?}");
}

#[test]
fn a_host_that_limits_its_answers_is_told_from_loss() {
    for silence in [0.2, 0.5, 0.9] {
        let judgement = with(|route| route[3].silence = silence);
        assert_eq!(judgement.outcome, Outcome::Good, "{silence}");
        assert_eq!(of(&judgement, 4), Verdict::LimitsAnswers);
        assert!((1..=8).filter(|ttl| *ttl != 4).all(|ttl| of(&judgement, ttl) == Verdict::Good));
    }
}

#[test]
fn real_loss_begins_where_it_begins() {
    for (place, loss) in [(0, 0.3), (3, 0.3), (3, 0.15), (6, 0.5)] {
        let judgement = with(|route| route[place].loss = loss);
        let ttl = place as u8 + 1;
        assert!(
            matches!(judgement.outcome, Outcome::Loss { ttl: begins, at_target: false, .. } if begins == ttl),
            "{place} {loss}: {judgement:?}"
        );
        assert_eq!(of(&judgement, ttl), Verdict::LossBegins);
        assert!((ttl + 1..=8).all(|ttl| matches!(of(&judgement, ttl), Verdict::LossGoesOn | Verdict::LimitsAnswers)));
        assert!((1..ttl).all(|ttl| of(&judgement, ttl) == Verdict::Good));
    }
}

#[test]
fn loss_behind_a_host_that_limits_its_answers_begins_behind_it() {
    let judgement = with(|route| {
        route[2].silence = 0.8;
        route[4].loss = 0.3;
    });
    assert_eq!(of(&judgement, 3), Verdict::LimitsAnswers);
    assert!(matches!(judgement.outcome, Outcome::Loss { ttl: 5, .. }), "{judgement:?}");
}

#[test]
fn loss_at_the_target_alone_is_said_to_be_there() {
    let judgement = with(|route| route[7].silence = 0.4);
    assert!(matches!(judgement.outcome, Outcome::Loss { ttl: 8, at_target: true, .. }), "{judgement:?}");
}

#[test]
fn a_way_back_of_its_own_spoils_one_host_only() {
    // Answers of two hosts return by a lossy, slow way; packets to the target do not.
    let judgement = with(|route| {
        for host in &mut route[2..4] {
            (host.silence, host.slow) = (0.4, Duration::from_millis(80));
        }
    });
    assert_eq!(judgement.outcome, Outcome::Good);
    assert_eq!((of(&judgement, 3), of(&judgement, 4)), (Verdict::LimitsAnswers, Verdict::LimitsAnswers));
    assert_eq!(judgement.rise, None);
}

#[test]
fn silence_is_no_fault_and_a_target_that_does_not_answer_is_told() {
    let judgement = with(|route| route[1].silence = 1.0);
    assert_eq!((&judgement.outcome, of(&judgement, 2)), (&Outcome::Good, Verdict::Silent));
    let judgement = with(|route| route[7].silence = 1.0);
    assert_eq!(judgement.outcome, Outcome::TargetSilent { ttl: 7, by: ip(7) });
    assert_eq!(of(&judgement, 7), Verdict::Good);
    let judgement = with(|route| route.iter_mut().for_each(|host| host.silence = 1.0));
    assert_eq!(judgement.outcome, Outcome::Nobody);
}

#[test]
fn delay_that_stays_is_told_from_a_host_that_is_slow_to_answer() {
    let judgement = with(|route| route[4].delay = Duration::from_millis(80));
    assert_eq!(of(&judgement, 5), Verdict::LatencyRises);
    assert_eq!(judgement.rise, Some((5, Duration::from_millis(80), Duration::from_millis(87))));
    let judgement = with(|route| route[4].slow = Duration::from_millis(80));
    assert_eq!((of(&judgement, 5), judgement.rise), (Verdict::SlowToAnswer, None));
}

#[test]
fn translation_of_addresses_is_no_loop_and_a_loop_is_told() {
    // Behind a translator all hosts bear its name.
    let judgement = with(|route| route[2..6].iter_mut().for_each(|host| host.address = ip(3)));
    assert_eq!(judgement.outcome, Outcome::Good);
    let around: Vec<u8> = [1, 2].into_iter().chain([3, 4].into_iter().cycle().take(40)).collect();
    let judgement = judge(&run(plan(5), always(hosts(&around))).0);
    assert_eq!(judgement.outcome, Outcome::Loop { ttl: 3, by: ip(3) });
}

#[test]
fn a_refusal_names_who_and_why() {
    let judgement = with(|route| route[4].refuses = Some(ErrorKind::HostUnreachable));
    assert_eq!(judgement.outcome, Outcome::Refused { ttl: 5, by: ip(5), kind: ErrorKind::HostUnreachable });
    assert_eq!(of(&judgement, 5), Verdict::Refuses);
}

#[test]
fn loss_on_one_of_two_ways_is_found_on_that_way() {
    let route: Route = Box::new(|probe, _| {
        let mut route = hosts(if probe.flow == 0 { &[1, 2, 4, 99] } else { &[1, 3, 5, 99] });
        if probe.flow == 1 {
            route[1].loss = 0.4;
        }
        route
    });
    let judgement = judge(&run(crate::path::Plan { flows: 2, ..plan(60) }, route).0);
    assert!(matches!(judgement.outcome, Outcome::Loss { ttl: 2, by, .. } if by == ip(3)), "{judgement:?}");
    assert_eq!(judgement.flows, 1);
    assert_eq!(judgement.verdicts[&(2, Some(ip(2)))], Verdict::Good);
    assert_eq!(judgement.verdicts[&(2, Some(ip(3)))], Verdict::LossBegins);
}

#[test]
fn a_change_of_the_path_in_mid_run_is_no_loss() {
    let route: Route =
        Box::new(|_, now| hosts(if now < Duration::from_secs(30) { &[1, 2, 3, 99] } else { &[1, 8, 9, 10, 99] }));
    let judgement = judge(&run(plan(60), route).0);
    assert_eq!(judgement.outcome, Outcome::Good, "{judgement:?}");
}

#[test]
fn one_loss_of_many_is_not_called_a_fault() {
    let route: Route = Box::new(|probe, _| {
        let mut route = hosts(&[1, 2, 99]);
        if (probe.round, probe.ttl) == (5, 3) {
            route[2].loss = 1.0;
        }
        route
    });
    let judgement = judge(&run(plan(60), route).0);
    assert!(matches!(judgement.outcome, Outcome::Unclear { loss } if loss < 0.02), "{judgement:?}");
}

#[test]
fn who_changes_the_class_is_named_once_and_a_way_that_keeps_it_is_good() {
    let mut route = hosts(&[1, 2, 3, 4, 99]);
    route[0].remarks = Some(46 << 2);
    // Of the second's own answers nothing is known; the third writes another class, and of ECN both bits.
    (route[1].silence, route[2].remarks) = (1.0, Some(3));
    let asked = crate::path::Plan { tos: 46 << 2, ..plan(10) };
    let judgement = judge(&run(asked, always(route)).0);
    assert_eq!(judgement.outcome, Outcome::Good);
    let found = [1, 3, 4, 5].map(|ttl| of(&judgement, ttl));
    assert_eq!(found, [Verdict::Good, Verdict::RemarksDscp, Verdict::Good, Verdict::Good]);
}
