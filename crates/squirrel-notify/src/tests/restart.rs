//! The program may end at any moment, and what it wrote down may be damaged.

use proptest::prelude::*;
use squirrel_model::Timestamp;

use super::{EVERY, Restarts, World, channels};
use crate::{Notifier, Settings};

/// Everything that waits, holds back, or asks somebody else.
const SETTINGS: &str = "[grouping]\nby = [\"site\"]\nwait = \"30s\"\ninterval = \"1m\"\nrepeat = \"10m\"\n\
    [quiet_hours]\nfrom = \"12:20\"\nto = \"12:40\"\n\
    [[inhibit]]\nsource = ['alertname=\"a\"']\ntarget = ['alertname=\"b\"']\nequal = [\"site\"]\n\
    [[dependency]]\nparent = ['alertname=\"c\"']\nchild = ['alertname=\"d\"']\n\
    [[maintenance]]\nmatch = ['alertname=\"e\"']\nfrom = \"12:10\"\nto = \"12:15\"\n\
    [[escalation]]\n[[escalation.step]]\nafter = \"5m\"\nchannels = [\"boss\"]\n\
    [[route]]\nmatch = ['site=\"x\"']\nchannels = [\"net\"]\ncontinue = true\n\
    [[route]]\nchannels = [\"ops\"]\ngroup_by = [\"alertname\"]\n";

/// What may happen to one of a few alerts, and how many evaluations later.
fn acts() -> impl Strategy<Value = Vec<(u8, &'static str, &'static str)>> {
    let names = [
        "a/site=x",
        "a/site=y,severity=critical",
        "b/site=x",
        "c",
        "d",
        "e/severity=critical",
        "b/site=x,severity=info",
    ];
    let verbs = ["fire", "over", "fire", "over", "silence", "ack", "vanish"];
    prop::collection::vec((0..12u8, prop::sample::select(verbs.to_vec()), prop::sample::select(names.to_vec())), 1..40)
}

fn play(acts: &[(u8, &str, &str)], restarts: Restarts) -> World {
    let mut world = World::new(SETTINGS);
    world.restarts = restarts;
    for (gap, verb, name) in acts {
        for _ in 0..*gap {
            world.step();
        }
        let known = world.alerts.get(*name).map(|seen| seen.over.is_none());
        let alert = name.split('/').next().unwrap_or_default();
        match (*verb, known) {
            ("fire", Some(true)) | ("over" | "ack", None | Some(false)) => {}
            ("silence", _) => world.act(&format!("silence alertname={alert} for 3m")),
            // Nobody acknowledges what the notifier has not heard of yet.
            ("ack", _) if world.notifier.counts().firing == 0 => {}
            ("ack", _) => {
                world.step();
                world.act(&format!("ack alertname={alert} for 4m"));
            }
            _ => world.act(&format!("{verb} {name}")),
        }
    }
    for _ in 0..8 {
        world.step();
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn restarts_change_nothing_in_any_story(acts in acts()) {
        let smooth = play(&acts, Restarts::Never);
        let ids = |world: &World| world.told.iter().map(|message| message.id).collect::<Vec<_>>();
        for restarts in [Restarts::Clean, Restarts::Crash] {
            let rough = play(&acts, restarts);
            prop_assert_eq!(&rough.outcome, &smooth.outcome, "{:?}", restarts);
            prop_assert_eq!(ids(&rough), ids(&smooth), "{:?}", restarts);
        }
    }

    #[test]
    fn whoever_hears_of_an_end_heard_of_the_beginning(acts in acts()) {
        let world = play(&acts, Restarts::Never);
        let mut open = std::collections::BTreeSet::new();
        for message in &world.told {
            for alert in &message.alerts {
                let whose = (message.channel.clone(), alert.fingerprint);
                if alert.firing || message.reason == crate::Reason::Flapping {
                    open.insert(whose);
                } else {
                    prop_assert!(open.remove(&whose), "{:?}", world.outcome);
                }
            }
        }
    }

    #[test]
    fn damaged_states_are_survived(place in 0.0..1.0f64, length in 0..40usize, with in ".{0,8}") {
        let mut world = World::new(SETTINGS);
        world.play("0s fire a/site=x b/site=x c d \n 1m ack alertname=c \n 1m silence alertname=d for 1h \n 2m");
        let saved = world.notifier.save();
        let at = (0..=(saved.len() as f64 * place) as usize).rev().find(|at| saved.is_char_boundary(*at)).unwrap_or(0);
        let end = (at..=saved.len()).find(|end| *end >= at + length && saved.is_char_boundary(*end)).unwrap_or(saved.len());
        let damaged = format!("{}{with}{}", &saved[..at], &saved[end..]);
        check_taken_up(&world.settings, &damaged);
    }

    #[test]
    fn numbers_that_cannot_be_are_survived(number in any::<i64>(), which in 0..200usize) {
        let mut world = World::new(SETTINGS);
        world.play("0s fire a/site=x b/site=x c d \n 1m ack alertname=c for 1h \n 1m silence alertname=d for 1h \n 2m");
        let saved = world.notifier.save();
        let digits = saved.char_indices().filter(|(at, c)| c.is_ascii_digit() && saved[..*at].ends_with([':', ',', '[']));
        let starts: Vec<usize> = digits.map(|(at, _)| at).collect();
        let at = starts[which % starts.len()];
        let rest = saved[at..].trim_start_matches(|c: char| c.is_ascii_digit());
        check_taken_up(&world.settings, &format!("{}{number}{rest}", &saved[..at]));
    }
}

/// Whatever was read, the notifier works on, and what it writes is read without a complaint.
fn check_taken_up(settings: &Settings, text: &str) {
    let mut notifier = Notifier::new(settings, &channels()).expect("good settings");
    let notes = notifier.restore(text);
    assert!(notes.len() <= 22, "{notes:?}");
    for step in 0..4 {
        let at = Timestamp(1_763_640_000_000 + step * EVERY);
        notifier.due(at);
        notifier.views(at);
        notifier.silences(at);
    }
    let saved = notifier.save();
    let mut again = Notifier::new(settings, &channels()).expect("good settings");
    assert_eq!(again.restore(&saved), [""; 0]);
}

#[test]
fn what_is_no_state_is_said_and_nothing_else_is_lost() {
    let mut world = World::new("");
    world.play("0s fire a b \n 1m silence alertname=b for 1h \n 2m");
    let saved = world.notifier.save();
    let notes = |text: &str| Notifier::new(&world.settings, &channels()).expect("good").restore(text);
    for cut in (0..saved.len()).step_by(97).filter(|cut| saved.is_char_boundary(*cut)) {
        assert!(notes(&saved[..cut]).join("").contains("begins anew"), "{cut}");
    }
    assert!(notes(&saved.replacen("\"version\":1", "\"version\":2", 1)).join("").contains("has version 2"));
    let mut notifier = Notifier::new(&world.settings, &channels()).expect("good");
    let notes = notifier.restore(&saved.replacen("\"state\":\"firing\"", "\"state\":\"angry\"", 1));
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!((notifier.counts().alerts, notifier.counts().silences), (1, 1));
}

#[test]
fn an_absence_ends_no_alert_and_counts_as_waiting() {
    let mut world = World::new("[grouping]\nrepeat = \"1h\"");
    world.play("0s fire a \n 10m");
    let saved = world.notifier.save();
    world.time += 5 * 3_600_000;
    world.restart(&saved);
    let before = world.notifier.due(world.now());
    world.deliver(before);
    world.play("5h20m");
    assert_eq!(world.outcome, ["0s ops: new a+", "5h10m15s ops: repeat a+"]);
}

#[test]
fn another_configuration_tells_nobody_twice_and_the_end_to_those_who_know() {
    let mut world = World::new("[grouping]\nby = [\"alertname\"]\n[[route]]\nchannels = [\"ops\", \"net\"]");
    world.play("0s fire a b \n 1m");
    let text = "[grouping]\nby = []\n[[route]]\nchannels = [\"ops\", \"boss\"]";
    let saved = world.notifier.save();
    world.settings = toml::from_str(text).expect("good settings");
    let mut next = Notifier::new(&world.settings, &channels()).expect("good settings");
    assert_eq!(next.restore(&saved), [""; 0]);
    world.notifier = next;
    world.outcome.clear();
    world.play("20m over a b \n 1h");
    let mut outcome = world.outcome;
    outcome.sort();
    let want = [
        "1m15s boss: new b+ a+",
        "20m boss: resolved b- a-",
        "20m net: resolved a-",
        "20m net: resolved b-",
        "20m ops: resolved b- a-",
    ];
    assert_eq!(outcome, want);
}
