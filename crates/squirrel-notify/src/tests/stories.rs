//! Stories of nights and outages, and who hears of them.

use super::{Notifier, Restarts, World, channels};

struct Story {
    name: &'static str,
    settings: &'static str,
    script: &'static str,
    outcome: &'static [&'static str],
}

const STORIES: &[Story] = &[
    Story {
        name: "the right person hears once, and hears when it is over",
        settings: "",
        script: "0s fire a \n 10m over a \n 3h",
        outcome: &["0s ops: new a+", "10m ops: resolved a-"],
    },
    Story {
        name: "an alert that no route takes goes to every channel, and an empty list is nobody",
        settings: "[[route]]\nmatch = ['alertname=\"a\"']\nchannels = []",
        script: "0s fire a b \n 1m",
        outcome: &["0s boss: new b+", "0s net: new b+", "0s ops: new b+"],
    },
    Story {
        name: "the first route that fits takes it, unless it goes on; finer routes are tried first",
        settings: "[[route]]\nmatch = ['team=\"net\"']\nchannels = [\"net\"]\ncontinue = true\n\
                   [[route]]\nmatch = ['alertname=~\"a|b\"']\nchannels = [\"ops\"]\n\
                   [[route.route]]\nmatch = ['severity=\"critical\"']\nchannels = [\"boss\"]\n\
                   [[route]]\nchannels = [\"net\"]",
        script: "0s fire a/team=net b/severity=critical c \n 1m",
        outcome: &["0s ops: new a+", "0s boss: new b+", "0s net: new c+", "0s net: new a+"],
    },
    Story {
        name: "a group waits for more before it is told, and changes wait for the interval",
        settings: "[grouping]\nby = []\nwait = \"30s\"",
        script: "0s fire a \n 15s fire b \n 2m fire c \n 3m over a \n 20m over b c \n 1h",
        outcome: &["30s ops: new a+ b+", "5m30s ops: changed c+ b+ a-", "20m ops: resolved b- c-"],
    },
    Story {
        name: "what fires is told again after the repeat interval",
        settings: "[grouping]\nrepeat = \"1h\"",
        script: "0s fire a \n 2h30m over a \n 5h",
        outcome: &["0s ops: new a+", "1h ops: repeat a+", "2h ops: repeat a+", "2h30m ops: resolved a-"],
    },
    Story {
        name: "what is over before it could be told is not told",
        settings: "[grouping]\nwait = \"1m\"",
        script: "0s fire a \n 30s over a \n 1h",
        outcome: &[],
    },
    Story {
        name: "that all is over is told at once, and what begins after it is new",
        settings: "",
        script: "0s fire a \n 1m over a \n 2m fire a \n 10m over a \n 20m",
        outcome: &["0s ops: new a+", "1m ops: resolved a-", "2m ops: new a+", "10m ops: resolved a-"],
    },
    Story {
        name: "the end of a part waits for the interval, and that of the rest does not",
        settings: "[grouping]\nby = []",
        script: "0s fire a b \n 1m over a \n 2m over b \n 10m fire a b \n 11m over a \n 20m",
        outcome: &["0s ops: new b+ a+", "2m ops: resolved b- a-", "10m ops: new b+ a+", "15m ops: changed b+ a-"],
    },
    Story {
        name: "a part that comes back within the interval is not told",
        settings: "[grouping]\nby = []",
        script: "0s fire a b \n 1m over a \n 2m fire a \n 20m",
        outcome: &["0s ops: new b+ a+"],
    },
    Story {
        name: "a silence that starts after firing stops repeats, and tells the end when it is over",
        settings: "[grouping]\nrepeat = \"1h\"",
        script: "0s fire a \n 10m silence alertname=a for 3h \n 2h over a \n 5h",
        outcome: &["0s ops: new a+", "3h10m ops: resolved a-"],
    },
    Story {
        name: "what still fires when the silence ends is repeated in its time",
        settings: "[grouping]\nrepeat = \"1h\"",
        script: "0s fire a \n 10m silence alertname=a for 30m \n 1h30m",
        outcome: &["0s ops: new a+", "1h ops: repeat a+"],
    },
    Story {
        name: "what is silenced from the start is told if it outlives the silence",
        settings: "",
        script: "0s silence alertname=~a|b for 1h \n 1m fire a b \n 30m over b \n 2h",
        outcome: &["1h ops: new a+"],
    },
    Story {
        name: "an acknowledged alert is neither repeated nor escalated, and its end is told to who was told",
        settings: "[grouping]\nrepeat = \"1h\"\n\
                   [[escalation]]\n[[escalation.step]]\nafter = \"20m\"\nchannels = [\"boss\"]",
        script: "0s fire a \n 10m ack alertname=a \n 5h over a \n 6h",
        outcome: &["0s ops: new a+", "5h ops: resolved a-"],
    },
    Story {
        name: "nobody takes care: the next are told, once each, and hear the end",
        settings: "[[escalation]]\n[[escalation.step]]\nafter = \"20m\"\nchannels = [\"net\"]\n\
                   [[escalation.step]]\nafter = \"1h\"\nchannels = [\"boss\"]",
        script: "0s fire a \n 3h over a \n 4h",
        outcome: &[
            "0s ops: new a+",
            "20m net: escalated a+",
            "1h boss: escalated a+",
            "3h boss: resolved a-",
            "3h net: resolved a-",
            "3h ops: resolved a-",
        ],
    },
    Story {
        name: "what was over for a minute is a new trouble, and its escalation begins anew",
        settings: "[[escalation]]\n[[escalation.step]]\nafter = \"20m\"\nchannels = [\"net\"]\n\
                   [[escalation.step]]\nafter = \"1h\"\nchannels = [\"boss\"]",
        script: "0s fire a \n 1m over a \n 2m fire a \n 21m over a \n 22m fire a \n 2h",
        outcome: &[
            "0s ops: new a+",
            "1m ops: resolved a-",
            "2m ops: new a+",
            "21m ops: resolved a-",
            "22m ops: new a+",
            "42m net: escalated a+",
            "1h22m boss: escalated a+",
        ],
    },
    Story {
        name: "an escalation begins anew with the next trouble, and stops when somebody takes care",
        settings: "[[escalation]]\n[[escalation.step]]\nafter = \"20m\"\nchannels = [\"net\"]\n\
                   [[escalation.step]]\nafter = \"1h\"\nchannels = [\"boss\"]",
        script: "0s fire a \n 10m over a \n 1h fire a \n 1h30m ack alertname=a \n 4h",
        outcome: &["0s ops: new a+", "10m ops: resolved a-", "1h ops: new a+", "1h20m net: escalated a+"],
    },
    Story {
        name: "an acknowledgement that runs out starts the repeats and the escalation anew",
        settings: "[grouping]\nrepeat = \"1h\"\n\
                   [[escalation]]\n[[escalation.step]]\nafter = \"20m\"\nchannels = [\"boss\"]",
        script: "0s fire a \n 10m ack alertname=a for 2h \n 3h",
        outcome: &["0s ops: new a+", "2h10m ops: repeat a+", "2h30m boss: escalated a+"],
    },
    Story {
        name: "what gets worse is told though it was acknowledged, and what gets better stays acknowledged",
        settings: "[grouping]\nrepeat = \"1h\"",
        script: "0s fire a/severity=warning \n 1m ack alertname=a \n 30m over a/severity=warning \n \
                30m fire a/severity=critical \n 1h40m ack alertname=a \n 1h50m over a/severity=critical \n \
                1h50m fire a/severity=warning \n 5h",
        outcome: &["0s ops: new a+", "30m ops: changed a+ a-", "1h30m ops: repeat a+", "1h50m ops: changed a+(ada) a-"],
    },
    Story {
        name: "a worse alert holds back a lesser one of the same host, and no other",
        settings: "[[inhibit]]\nsource = ['severity=\"critical\"']\ntarget = ['severity=\"warning\"']\nequal = [\"host\"]",
        script: "0s fire a/host=x,severity=critical b/host=x,severity=warning c/host=y,severity=warning \n \
                30m over a/host=x,severity=critical \n 1h",
        outcome: &["0s ops: new a+", "0s ops: new c+", "30m ops: resolved a-", "30m ops: new b+"],
    },
    Story {
        name: "an alert that fits both sides is not held back by its like",
        settings: "[[inhibit]]\nsource = ['alertname=~\"a|b\"']\ntarget = ['alertname=~\"a|b|c\"']",
        script: "0s fire a b c \n 1m",
        outcome: &["0s ops: new a+", "0s ops: new b+"],
    },
    Story {
        name: "alerts that hold each other back in a circle are not all silent",
        settings: "[[inhibit]]\nsource = ['alertname=\"a\"']\ntarget = ['alertname=\"b\"']\n\
                   [[inhibit]]\nsource = ['alertname=\"b\"']\ntarget = ['alertname=\"c\"']\n\
                   [[inhibit]]\nsource = ['alertname=\"c\"']\ntarget = ['alertname=\"a\"']",
        script: "0s fire b \n 1m fire c \n 1m fire a \n 1h",
        outcome: &["0s ops: new b+"],
    },
    Story {
        name: "an alert that is silenced still holds back others",
        settings: "[[inhibit]]\nsource = ['alertname=\"a\"']\ntarget = ['alertname=\"b\"']",
        script: "0s silence alertname=a for 1h \n 0s fire a b \n 30m",
        outcome: &[],
    },
    Story {
        name: "what lies behind a dead gateway is not told singly, and is told if it stays down afterwards",
        settings: "[[dependency]]\nparent = ['alertname=\"gateway\"']\nchild = ['alertname=~\"ping.*\"']\nequal = [\"site\"]",
        script: "0s fire gateway/site=a ping1/site=a ping2/site=a ping3/site=b \n 10m over gateway/site=a \n \
                11m over ping1/site=a \n 1h",
        outcome: &["0s ops: new gateway+", "0s ops: new ping3+", "10m ops: resolved gateway-", "12m ops: new ping2+"],
    },
    Story {
        name: "an alert that comes and goes is told once as such, and then how it settled",
        settings: "[grouping]\ninterval = \"1s\"",
        script: "0s fire a \n 15s over a \n 30s fire a \n 45s over a \n 1m fire a \n 1m15s over a \n 1m30s fire a \n \
                1m45s over a \n 2m fire a \n 3h",
        outcome: &[
            "0s ops: new a+",
            "15s ops: resolved a-",
            "30s ops: new a+",
            "45s ops: resolved a-",
            "1m ops: new a+",
            "1m15s ops: flapping a-",
            "5m45s ops: changed a+",
        ],
    },
    Story {
        name: "without the search for flapping each change is told",
        settings: "[flapping]\nenabled = false\n[grouping]\ninterval = \"1s\"",
        script: "0s fire a \n 15s over a \n 30s fire a \n 45s over a \n 1m fire a \n 1m15s over a \n 1m30s fire a \n 2m",
        outcome: &[
            "0s ops: new a+",
            "15s ops: resolved a-",
            "30s ops: new a+",
            "45s ops: resolved a-",
            "1m ops: new a+",
            "1m15s ops: resolved a-",
            "1m30s ops: new a+",
        ],
    },
    Story {
        name: "quiet hours hold back what can wait, and tell in the morning in one message what still fires",
        settings: "[quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\ntime_zone = \"Europe/Berlin\"",
        // It begins at 13:00 in Berlin: quiet from 9h to 18h.
        script: "8h fire d \n 10h fire a b/severity=critical c \n 11h over d \n 12h over c \n 20h",
        outcome: &["8h ops: new d+", "10h ops: new b+", "14h ops: repeat b+", "18h ops: held a+ b+ d-"],
    },
    Story {
        name: "a morning with news of one group stays in its thread",
        settings: "[quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\ntime_zone = \"Europe/Berlin\"",
        script: "10h fire a \n 19h over a \n 20h",
        outcome: &["18h ops: new a+", "19h ops: resolved a-"],
    },
    Story {
        name: "planned work each week and once is silent, and what it leaves behind is told",
        settings: "[[maintenance]]\nmatch = ['alertname=\"a\"']\ndays = [\"fri\"]\nfrom = \"13:00\"\nto = \"14:00\"\n\
                   [[maintenance]]\nmatch = ['alertname=\"b\"']\nstart = \"2026-11-20T13:30:00Z\"\nend = \"2026-11-20T15:00:00Z\"",
        script: "1h10m fire a \n 1h40m fire b c \n 4h",
        outcome: &["1h40m ops: new c+", "2h ops: new a+", "3h ops: new b+"],
    },
    Story {
        name: "a step of the clock neither loses nor repeats anything",
        settings: "[grouping]\nrepeat = \"4h\"\n[[escalation]]\n[[escalation.step]]\nafter = \"1h\"\nchannels = [\"boss\"]",
        script: "0s fire a b \n 10m clock +8760h \n 20m clock -17520h \n 30m clock +8760h \n 40m ack alertname=~a|b \n 50m over a \n 2h",
        outcome: &["0s ops: new a+", "0s ops: new b+", "50m ops: resolved a-"],
    },
    Story {
        name: "an alert of which nothing is heard any more is over after a while",
        settings: "",
        script: "0s fire a b \n 10m vanish a \n 1h",
        outcome: &["0s ops: new a+", "0s ops: new b+", "15m ops: resolved a-"],
    },
    Story {
        name: "a message holds so many alerts, and counts the others",
        settings: "[grouping]\nby = []\nwait = \"30s\"\nmax_alerts = 2",
        script: "0s fire a \n 15s fire b/severity=critical c d \n 1m",
        outcome: &["30s ops: new b+ a+ and 2 more"],
    },
];

/// Stories whose outcome is another; the order within one moment does not matter.
fn surprises(restarts: Restarts) -> Vec<String> {
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines.join("\n  ")
    };
    let mut out = Vec::new();
    for story in STORIES {
        let mut world = World::new(story.settings);
        world.restarts = restarts;
        // While the program is away, nobody can tell a step of the clock from time that went by.
        if restarts != Restarts::Never && story.script.contains(" clock ") {
            continue;
        }
        world.play(story.script);
        let want: Vec<String> = story.outcome.iter().map(|line| (*line).to_owned()).collect();
        let (was, want) = (sorted(&world.outcome), sorted(&want));
        if was != want {
            out.push(format!("{}\nwas\n  {was}\nnot\n  {want}", story.name));
        }
    }
    out
}

#[test]
fn everybody_hears_what_they_should_and_no_more() {
    let surprises = surprises(Restarts::Never);
    assert!(surprises.is_empty(), "{}", surprises.join("\n\n"));
}

#[test]
fn a_restart_after_each_evaluation_changes_nothing() {
    let surprises = surprises(Restarts::Clean);
    assert!(surprises.is_empty(), "{}", surprises.join("\n\n"));
}

#[test]
fn an_end_before_what_was_decided_is_written_down_changes_nothing() {
    let surprises = surprises(Restarts::Crash);
    assert!(surprises.is_empty(), "{}", surprises.join("\n\n"));
}

#[test]
fn the_next_wake_is_when_something_is_to_be_told_and_within_a_minute_while_there_are_alerts() {
    let mut world = World::new("[grouping]\nwait = \"7s\"");
    assert_eq!(world.notifier.next_wake(), None);
    world.act("fire a");
    assert!(world.tick().is_empty());
    let wake = world.now().plus_ms(7_000);
    assert_eq!(world.notifier.next_wake(), Some(wake));
    assert!(world.notifier.due(wake.plus_ms(-1)).is_empty());
    assert_eq!(world.notifier.due(wake).len(), 1);
    assert_eq!(world.notifier.next_wake(), Some(wake.plus_ms(60_000)));
}

#[test]
fn what_is_seen_is_what_is_told() {
    let mut world = World::new(
        "[[inhibit]]\nsource = ['alertname=\"a\"']\ntarget = ['alertname=\"b\"']\n\
         [[escalation]]\n[[escalation.step]]\nafter = \"1h\"\nchannels = [\"boss\"]",
    );
    world.play("0s fire a b c \n 1m ack alertname=c \n 1m silence alertname=a for 1h \n 2m");
    let views = world.notifier.views(world.now());
    let shown: Vec<_> = views
        .alerts
        .iter()
        .map(|one| {
            let name = one.alert.labels.get("alertname").cloned().unwrap_or_default();
            let held = one.suppressed.iter().map(crate::Suppression::text).collect::<Vec<_>>().join(" ");
            let held = held.split(' ').next().unwrap_or_default().to_owned();
            (
                name,
                held,
                one.acknowledgement.as_ref().map(|said| said.who.clone()),
                one.told.join(" "),
                one.escalates_at.is_some(),
            )
        })
        .collect();
    let row = |name: &str, held: &str, who: Option<&str>, told: &str| {
        (name.to_owned(), held.to_owned(), who.map(str::to_owned), told.to_owned(), false)
    };
    let mut sorted = shown;
    sorted.sort();
    assert_eq!(
        sorted,
        [row("a", "silence", None, "ops"), row("b", "inhibited", None, ""), row("c", "", Some("ada"), "ops")]
    );
    let all = crate::ApiShow::default();
    for (show, condition, want) in [
        (all, "alertname=~.+", 3),
        (all, "alertname=b", 1),
        (crate::ApiShow { active: false, ..all }, "alertname=~.+", 2),
        (crate::ApiShow { silenced: false, ..all }, "alertname=~.+", 2),
        (crate::ApiShow { silenced: false, inhibited: false, ..all }, "alertname=~.+", 1),
    ] {
        let filter = crate::Matchers::parse(&[condition]).expect(condition);
        let found = world.notifier.alertmanager_alerts(world.now(), &filter, show);
        assert_eq!(found.len(), want, "{show:?} {condition}");
    }
    let silences = world.notifier.silences(world.now());
    assert_eq!(silences.iter().map(|one| (one.state.word(), one.takes)).collect::<Vec<_>>(), [("active", 1)]);
    let counts = world.notifier.counts();
    assert_eq!((counts.firing, counts.suppressed, counts.acknowledgements, counts.messages), (3, 2, 1, 2));
    let events: Vec<_> = world.notifier.history().map(|entry| entry.event).collect();
    for event in [
        crate::Event::Fired,
        crate::Event::Told,
        crate::Event::Acknowledged,
        crate::Event::Silenced,
        crate::Event::Held,
    ] {
        assert!(events.contains(&event), "{event:?}");
    }
}

#[test]
fn a_message_links_to_the_page_of_each_alert() {
    let mut world = World::new("");
    world.settings.external_url = "https://squirrel.example/".to_owned();
    world.notifier = Notifier::new(&world.settings, &channels()).expect("good settings");
    world.play("0s fire a \n 1m");
    let alert = &world.told[0].alerts[0];
    assert_eq!(alert.generator_url, format!("https://squirrel.example/alerts/{:016x}", alert.fingerprint));
}
