//! The queue under failing receivers, failing disks, and stops at every moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use squirrel_model::Timestamp;
use squirrel_notify::{Notification, Reason};
use squirrel_store::dir::{Dir, FaultyDir, MemoryDir, Trouble};

mod schedules;

use super::*;
use crate::render::samples::{message, over};
use crate::settings::{DEFAULT_GIVE_UP, Rate};

const MINUTE: i64 = 60_000;

fn policy(name: &str) -> Policy {
    Policy {
        name: name.to_owned(),
        resolved: true,
        each_state: false,
        fallback: None,
        rate: Rate { count: 1000, per: Duration::from_secs(1) },
        give_up_after: DEFAULT_GIVE_UP,
        resend: None,
        at_once: 4,
    }
}

fn open(dir: &MemoryDir, policies: Vec<Policy>) -> Queue {
    Queue::open(&(Arc::new(dir.clone()) as Arc<dyn Dir>), policies, 1, Timestamp(0)).unwrap().0
}

fn queue(policies: Vec<Policy>) -> Queue {
    open(&MemoryDir::new(), policies)
}

fn one(id: u64, channel: &str, group: &str, reason: Reason) -> Notification {
    let base = if reason == Reason::Resolved { over(message("eth0")) } else { message("eth0") };
    let (channel, group_key) = (channel.to_owned(), group.to_owned());
    Notification { id, channel, group_key, reason, at_ms: id as i64, chart: None, ..base }
}

fn work(queue: &mut Queue, at: i64) -> Option<Work> {
    match queue.next(Timestamp(at)) {
        Next::Work(work) => Some(*work),
        Next::Wait(_) => None,
    }
}

fn took() -> Outcome {
    Outcome::Delivered { answer: "HTTP 200: ok".to_owned() }
}

fn failed() -> Outcome {
    Outcome::Failed { answer: "HTTP 500: no".to_owned(), retry_after: None }
}

/// Delivers everything that comes due until a moment, and tells who got what.
fn deliver_all(
    queue: &mut Queue,
    from: i64,
    until: i64,
    answer: impl Fn(&Work) -> Outcome,
) -> Vec<(String, u64, Reason)> {
    let mut told = Vec::new();
    let mut at = from;
    loop {
        match queue.next(Timestamp(at)) {
            Next::Work(work) => {
                let outcome = answer(&work);
                if matches!(outcome, Outcome::Delivered { .. }) {
                    told.push((work.ticket.channel.clone(), work.notification.id, work.notification.reason));
                }
                queue.done(&work.ticket, outcome, Timestamp(at));
            }
            Next::Wait(Some(next)) if next.0 <= until => at = next.0.max(at + 1),
            Next::Wait(_) => return told,
        }
    }
}

#[test]
fn a_message_is_delivered_once_and_remembered() {
    let dir = MemoryDir::new();
    let mut queue = open(&dir, vec![policy("a")]);
    assert_eq!(queue.accept(one(1, "a", "g", Reason::New), Timestamp(0)), Accepted::Queued);
    assert_eq!(queue.accept(one(1, "a", "g", Reason::New), Timestamp(0)), Accepted::Known);
    assert_eq!(queue.accept(one(1, "b", "g", Reason::New), Timestamp(0)), Accepted::NoSuchChannel);
    let first = work(&mut queue, 0).unwrap();
    assert!(work(&mut queue, 0).is_none());
    queue.done(&first.ticket, took(), Timestamp(5));
    queue.commit(Timestamp(5)).unwrap();
    for mut queue in [queue, open(&dir.after_kill(), vec![policy("a")])] {
        assert!(work(&mut queue, MINUTE).is_none() && queue.is_idle());
        let delivery = &queue.deliveries()[0];
        assert_eq!((delivery.state, delivery.attempts), (State::Delivered, 1));
        assert_eq!(delivery.answer.as_deref(), Some("HTTP 200: ok"));
        assert_eq!(queue.accept(one(1, "a", "g", Reason::New), Timestamp(9)), Accepted::Known, "also after a restart");
    }
}

#[test]
fn failures_are_tried_again_later_and_later_and_given_up_at_last() {
    let mut queue = queue(vec![policy("a")]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    let mut at = 0;
    let mut pauses = Vec::new();
    while let Some(work) = work(&mut queue, at) {
        queue.done(&work.ticket, failed(), Timestamp(at));
        let Next::Wait(Some(next)) = queue.next(Timestamp(at)) else { break };
        pauses.push(next.0 - at);
        at = next.0;
    }
    assert!((3_750..=6_250).contains(&pauses[0]) && (7_500..=12_500).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 750_000) && pauses.len() < 250, "{}", pauses.len());
    assert!((24 * 60 * MINUTE..25 * 60 * MINUTE).contains(&at), "{at}");
    assert_eq!((queue.deliveries()[0].state, queue.counts().given_up), (State::GivenUp, 1));
    assert_eq!(queue.deliveries()[0].answer.as_deref(), Some("HTTP 500: no"));
}

#[test]
fn retry_after_holds_the_whole_channel() {
    let mut queue = queue(vec![policy("a"), policy("b")]);
    for (id, channel, group) in [(1, "a", "g"), (2, "a", "h"), (3, "b", "g")] {
        queue.accept(one(id, channel, group, Reason::New), Timestamp(0));
    }
    let first = work(&mut queue, 0).unwrap();
    let wait = Some(Duration::from_secs(40));
    queue.done(&first.ticket, Outcome::Failed { answer: "HTTP 429".to_owned(), retry_after: wait }, Timestamp(0));
    let other = work(&mut queue, 1).unwrap();
    assert_eq!(other.ticket.channel, "b", "one channel that rests holds up no other");
    queue.done(&other.ticket, took(), Timestamp(1));
    assert!(work(&mut queue, 39_999).is_none());
    assert!(work(&mut queue, 40_000).is_some());
}

#[test]
fn the_rate_is_kept() {
    let rate = Rate { count: 2, per: Duration::from_mins(1) };
    let mut queue = queue(vec![Policy { rate, ..policy("a") }]);
    for id in 0..10 {
        queue.accept(one(id, "a", &format!("g{id}"), Reason::New), Timestamp(0));
    }
    assert_eq!(deliver_all(&mut queue, 0, 0, |_| took()).len(), 2);
    assert_eq!(deliver_all(&mut queue, 1, MINUTE, |_| took()).len(), 2);
    assert_eq!(deliver_all(&mut queue, MINUTE + 1, 10 * MINUTE, |_| took()).len(), 6, "and nothing is lost");
}

#[test]
fn a_slow_receiver_holds_up_neither_others_nor_the_order_of_a_group() {
    let mut queue = queue(vec![Policy { at_once: 2, ..policy("a") }, policy("b")]);
    for (id, group) in [(1, "g"), (2, "h"), (3, "i")] {
        queue.accept(one(id, "a", group, Reason::New), Timestamp(0));
    }
    let (first, _second) = (work(&mut queue, 0).unwrap(), work(&mut queue, 0).unwrap());
    assert!(work(&mut queue, 0).is_none(), "two at once and no more");
    queue.accept(one(9, "b", "g", Reason::New), Timestamp(1));
    queue.accept(one(4, "a", "g", Reason::Resolved), Timestamp(1));
    assert_eq!(work(&mut queue, 1).unwrap().notification.id, 9);
    queue.done(&first.ticket, took(), Timestamp(2));
    let order = [work(&mut queue, 2).unwrap().notification.id];
    assert_eq!(order, [3], "what waited longest comes first, and the end of a group after its beginning");
}

#[test]
fn newer_pictures_stand_for_older_ones() {
    let mut queue = queue(vec![policy("people"), Policy { each_state: true, ..policy("machine") }]);
    for channel in ["people", "machine"] {
        for (id, reason) in [(1, Reason::New), (2, Reason::Changed), (3, Reason::Resolved)] {
            queue.accept(one(id, channel, "g", reason), Timestamp(id as i64));
        }
    }
    let told = deliver_all(&mut queue, 10, 10, |_| took());
    let ids = |channel: &str| {
        told.iter().filter(|(name, ..)| name == channel).map(|(_, id, reason)| (*id, *reason)).collect::<Vec<_>>()
    };
    assert_eq!(ids("people"), [(3, Reason::Resolved)], "people hear once, of both");
    assert_eq!(ids("machine"), [(2, Reason::New), (3, Reason::Resolved)], "machines each state, and that it is new");
    assert_eq!(queue.counts().replaced, 3);
    let replaced = queue.deliveries().into_iter().filter(|delivery| delivery.state == State::Replaced).count();
    assert_eq!(replaced, 3, "and the record says what was not sent");
}

#[test]
fn the_first_word_of_something_over_says_so() {
    let mut queue = queue(vec![policy("a")]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    let first = work(&mut queue, 0).unwrap();
    queue.accept(one(2, "a", "g", Reason::Resolved), Timestamp(1));
    queue.done(&first.ticket, failed(), Timestamp(2));
    // The end came while the beginning was under way, and tells of both.
    let end = work(&mut queue, MINUTE).unwrap();
    assert_eq!((end.notification.id, end.circumstances.is_first_word), (2, true));
    queue.done(&end.ticket, took(), Timestamp(MINUTE));
    queue.accept(one(3, "a", "h", Reason::New), Timestamp(MINUTE));
    queue.accept(one(4, "a", "h", Reason::Resolved), Timestamp(MINUTE));
    assert!(work(&mut queue, MINUTE).unwrap().circumstances.is_first_word);
}

#[test]
fn who_is_not_told_ends_is_not_told_a_beginning_that_is_over() {
    let mut queue = queue(vec![Policy { resolved: false, ..policy("a") }]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    assert_eq!(queue.accept(one(2, "a", "g", Reason::Resolved), Timestamp(1)), Accepted::NotWanted);
    assert!(work(&mut queue, 2).is_none());
    assert_eq!(queue.deliveries()[0].answer.as_deref(), Some("it was over before it could be told"));
}

#[test]
fn a_fallback_is_told_in_time_and_whoever_delivers_first_ends_the_other() {
    let first = Policy { fallback: Some("b".to_owned()), ..policy("a") };
    let mut queue = queue(vec![first, policy("b")]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    let answer = |work: &Work| if work.ticket.channel == "a" { failed() } else { took() };
    let told = deliver_all(&mut queue, 0, 2 * MINUTE, answer);
    assert_eq!(told, [("b".to_owned(), 1, Reason::New)]);
    assert!(queue.is_idle(), "the first channel is not told later once more");
    let at = queue.deliveries().iter().find(|delivery| delivery.state == State::Delivered).unwrap().at_ms;
    assert!(at <= 30_000, "{at}");
    // Its end goes to both: to who was told, and to who should have been.
    queue.accept(one(2, "a", "g", Reason::Resolved), Timestamp(3 * MINUTE));
    let mut told = deliver_all(&mut queue, 3 * MINUTE, 60 * MINUTE, |_| took());
    told.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(told, [("a".to_owned(), 2, Reason::Resolved), ("b".to_owned(), 2, Reason::Resolved)]);
}

#[test]
fn a_refusal_goes_to_the_fallback_at_once_and_is_not_hammered() {
    let first = Policy { fallback: Some("b".to_owned()), ..policy("a") };
    let mut queue = queue(vec![first, policy("b")]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    let refused = Outcome::Refused { answer: "HTTP 404".to_owned() };
    let work = work(&mut queue, 0).unwrap();
    queue.done(&work.ticket, refused.clone(), Timestamp(0));
    assert_eq!(deliver_all(&mut queue, 1, 1, |_| took()).len(), 1);
    let mut alone = super::tests::queue(vec![policy("c")]);
    alone.accept(one(1, "c", "g", Reason::New), Timestamp(0));
    assert!(deliver_all(&mut alone, 0, 48 * 60 * MINUTE, |_| refused.clone()).is_empty());
    let end = &alone.deliveries()[0];
    assert_eq!((end.state, end.attempts), (State::GivenUp, 6));
}

#[test]
fn who_wants_to_hear_again_hears_until_it_is_over() {
    let resend = Some(Duration::from_mins(1));
    let dir = MemoryDir::new();
    let policies = || vec![Policy { resend, each_state: true, ..policy("a") }];
    let mut queue = open(&dir, policies());
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    assert_eq!(deliver_all(&mut queue, 0, 5 * MINUTE + 1000, |_| took()).len(), 6);
    assert_eq!((queue.is_idle(), queue.counts().delivered), (true, 1));
    queue.commit(Timestamp(6 * MINUTE)).unwrap();
    let mut queue = open(&dir.after_kill(), policies());
    assert_eq!(deliver_all(&mut queue, 6 * MINUTE, 8 * MINUTE, |_| took()).len(), 3, "also after a restart");
    queue.accept(one(2, "a", "g", Reason::Resolved), Timestamp(9 * MINUTE));
    let told = deliver_all(&mut queue, 9 * MINUTE, 60 * MINUTE, |_| took());
    assert_eq!(told, [("a".to_owned(), 2, Reason::Resolved)]);
}

#[test]
fn a_clock_that_is_set_back_or_ahead_loses_nothing() {
    let mut queue = queue(vec![policy("a")]);
    let year = 365 * 24 * 60 * MINUTE;
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(year));
    let first = work(&mut queue, year).unwrap();
    queue.done(&first.ticket, failed(), Timestamp(year));
    let second = work(&mut queue, 0).expect("a pause of a year is none");
    queue.done(&second.ticket, failed(), Timestamp(0));
    let third = work(&mut queue, 10 * year).unwrap();
    queue.done(&third.ticket, failed(), Timestamp(10 * year));
    assert_eq!(deliver_all(&mut queue, 10 * year, 10 * year + MINUTE, |_| took()).len(), 1);
}

#[test]
fn too_many_cost_the_oldest_and_are_counted() {
    let mut queue = queue(vec![policy("a")]);
    for id in 0..MAX_WAITING as u64 + 3 {
        let mut small = one(id, "a", &format!("g{id}"), Reason::New);
        small.alerts.clear();
        queue.accept(small, Timestamp(id as i64));
    }
    assert_eq!((queue.backlog()[0].waiting, queue.counts().lost), (MAX_WAITING, 3));
}

#[test]
fn a_message_has_as_many_alerts_as_have_room() {
    let with = |text: &str| {
        let alerts = vec![message(text).alerts[0].clone(); 1000];
        lane::within(Notification { alerts, ..one(1, "a", "g", Reason::New) }, MAX_MESSAGE)
    };
    let usual = with(&"x".repeat(50));
    assert_eq!((usual.alerts.len(), usual.more), (1000, 0), "as many as may be asked for");
    let large = with(&"x".repeat(2000));
    let (size, one) = (serde_json::to_vec(&large).unwrap().len(), serde_json::to_vec(&large.alerts[0]).unwrap().len());
    assert!(size <= MAX_MESSAGE && size + one + 30 > MAX_MESSAGE, "{size}: one more of {one} would have room");
    assert_eq!(large.alerts.len() + large.more, 1000);
}

#[test]
fn values_that_json_has_not_outlast_a_restart() {
    let dir = MemoryDir::new();
    let mut queue = open(&dir, vec![policy("a")]);
    for (id, value) in [(1, f64::NAN), (2, f64::INFINITY), (3, f64::NEG_INFINITY)] {
        let mut odd = one(id, "a", &format!("g{id}"), Reason::New);
        odd.alerts[0].value = value;
        queue.accept(odd, Timestamp(0));
    }
    queue.commit(Timestamp(0)).unwrap();
    let mut queue = open(&dir.after_kill(), vec![policy("a")]);
    let values: Vec<String> =
        std::iter::from_fn(|| work(&mut queue, 1)).map(|work| work.notification.alerts[0].value.to_string()).collect();
    assert_eq!(values, ["NaN", "inf", "-inf"]);
}

/// One life: messages come in and are delivered; the disk is in trouble from the n-th operation on, and then the
/// program is killed, or the power fails. What was acknowledged by a commit must be told by the next life, once more at
/// most where it was already told.
fn a_life_and_the_next(trouble: Trouble, power: Option<u64>) -> u64 {
    let disk = MemoryDir::new();
    let faulty = FaultyDir::new(Arc::new(disk.clone()));
    let dir: Arc<dyn Dir> = Arc::new(faulty.clone());
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut told: BTreeMap<u64, u32> = BTreeMap::new();
    let mut recorded: Vec<u64> = Vec::new();
    let (mut queue, _) = Queue::open(&dir, vec![policy("a")], 1, Timestamp(0)).unwrap();
    faulty.set(Some(trouble));
    for id in 1..=6_u64 {
        let at = Timestamp(id as i64 * 10);
        queue.accept(one(id, "a", &format!("g{id}"), Reason::New), at);
        if queue.commit(at).is_ok() {
            acknowledged.push(id);
        }
        if let Some(work) = (id % 2 == 0).then(|| work(&mut queue, at.0)).flatten() {
            *told.entry(work.notification.id).or_default() += 1;
            queue.done(&work.ticket, took(), at);
            if queue.commit(at).is_ok() {
                recorded = told.keys().copied().collect();
                acknowledged.extend(1..=id);
            }
        }
    }
    let operations = faulty.operations();
    let left = power.map_or_else(|| disk.after_kill(), |seed| disk.after_power_loss(seed));
    let mut next = open(&left, vec![policy("a")]);
    for (_, id, _) in deliver_all(&mut next, 1000, MINUTE, |_| took()) {
        *told.entry(id).or_default() += 1;
        assert!(!recorded.contains(&id), "{id} was told and recorded, and told again: {trouble:?}");
    }
    for id in acknowledged {
        assert!(told.contains_key(&id), "{id} is lost: {trouble:?} {power:?}");
    }
    assert!(told.values().all(|times| *times <= 2), "{told:?}");
    operations
}

#[test]
fn whatever_operation_of_the_disk_fails_and_whenever_it_ends_nothing_acknowledged_is_lost() {
    let none = Trouble { from: u64::MAX, count: 0, errno: 5, tears: false, only_growth: false };
    let operations = a_life_and_the_next(none, None);
    assert!(operations > 10, "{operations}");
    for from in 0..operations + 10 {
        for (count, tears, errno) in [(1, false, 5), (1, true, 28), (u64::MAX, true, 28), (3, false, 5)] {
            let trouble = Trouble { from, count, errno, tears, only_growth: false };
            a_life_and_the_next(trouble, None);
            for seed in 0..3 {
                a_life_and_the_next(trouble, Some(seed));
            }
        }
    }
}

#[test]
fn a_channel_that_fails_still_does_after_the_configuration_was_read_again_and_is_tried_at_once() {
    let mut queue = queue(vec![policy("a")]);
    queue.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    let first = work(&mut queue, 0).unwrap();
    let wait = Some(Duration::from_hours(1));
    queue.done(&first.ticket, Outcome::Failed { answer: "HTTP 503".to_owned(), retry_after: wait }, Timestamp(0));
    queue.set_policies(vec![policy("a")], Timestamp(1));
    assert_eq!(queue.backlog()[0].failing_since_ms, Some(0), "nothing was delivered since");
    queue.accept(one(2, "a", "h", Reason::New), Timestamp(1));
    let second = work(&mut queue, 1).expect("its address may be another");
    queue.done(&second.ticket, took(), Timestamp(1));
    assert_eq!(queue.backlog()[0].failing_since_ms, None);
}

#[test]
fn damaged_lines_cost_themselves_and_are_counted() {
    let disk = MemoryDir::new();
    let mut queue = open(&disk, vec![policy("a")]);
    for id in 1..=5 {
        queue.accept(one(id, "a", &format!("g{id}"), Reason::New), Timestamp(0));
    }
    queue.commit(Timestamp(0)).unwrap();
    let file = disk.files().into_iter().find(|name| name.starts_with("deliveries-")).unwrap();
    let whole = disk.read(&file).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let copy = MemoryDir::new();
        copy.put(&file, bytes);
        let dir: Arc<dyn Dir> = Arc::new(copy);
        let (_, found) = Queue::open(&dir, vec![policy("a")], 1, Timestamp(0)).unwrap();
        assert!((3..=4).contains(&found.waiting) && found.damaged >= 1, "{at}: {found:?}");
    }
    for cut in (0..whole.len()).step_by(61) {
        let copy = MemoryDir::new();
        copy.put(&file, whole[..cut].to_vec());
        let dir: Arc<dyn Dir> = Arc::new(copy);
        let (_, found) = Queue::open(&dir, vec![policy("a")], 1, Timestamp(0)).unwrap();
        assert!(found.damaged <= 1 && found.waiting <= 5, "{cut}: {found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_octets_of_a_journal_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let disk = MemoryDir::new();
        disk.put("deliveries-00000003.log", bytes);
        let dir: Arc<dyn Dir> = Arc::new(disk);
        let (queue, _) = Queue::open(&dir, vec![policy("a")], 1, Timestamp(0)).unwrap();
        prop_assert!(queue.is_idle());
    }
}

#[test]
fn a_full_disk_at_the_start_keeps_nobody_from_being_told() {
    let disk = MemoryDir::new();
    let mut before = open(&disk, vec![policy("a")]);
    before.accept(one(1, "a", "g", Reason::New), Timestamp(0));
    before.commit(Timestamp(0)).unwrap();
    drop(before);
    let faulty = FaultyDir::new(Arc::new(disk.clone()));
    faulty.set(Some(Trouble { from: 0, count: u64::MAX, errno: 28, tears: false, only_growth: true }));
    let dir: Arc<dyn Dir> = Arc::new(faulty.clone());
    let (mut queue, recovery) = Queue::open(&dir, vec![policy("a")], 1, Timestamp(1)).unwrap();
    assert_eq!(recovery.waiting, 1);
    assert!(recovery.unwritten.is_some_and(|reason| reason.contains("written")), "it is said");
    assert!(queue.commit(Timestamp(2)).is_err(), "and tried again");
    let work = work(&mut queue, 3).expect("what was read is delivered");
    queue.done(&work.ticket, took(), Timestamp(3));
    faulty.set(None);
    queue.commit(Timestamp(4)).expect("the disk has room again");
    assert!(self::work(&mut open(&disk, vec![policy("a")]), 5).is_none(), "it is not told again");
}
