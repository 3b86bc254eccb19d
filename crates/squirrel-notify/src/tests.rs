//! Alerts and people in a world with a clock of its own.
//!
//! A story is a text: what happens when. Its outcome is one too: when, which channel, why, and which alerts, `+`
//! for one that fires and `-` for one that is over.

mod restart;
mod scale;
mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use squirrel_alert::AlertState;
use squirrel_model::{Labels, Timestamp, duration_text, parse_duration_ms};

use crate::calendar::moment;
use crate::{AckTarget, Acknowledgement, Matchers, NewSilence, Notification, Notifier, Observed, RuleFacts, Settings};

/// Milliseconds between two evaluations.
const EVERY: i64 = 15_000;
/// How long an alert that is over is still shown.
const SHOWN: i64 = 15 * 60_000;
const CHANNELS: [&str; 3] = ["ops", "boss", "net"];

/// One alert as the rules see it.
#[derive(Clone)]
struct Seen {
    labels: Labels,
    since: i64,
    over: Option<i64>,
}

/// How the program ends after each evaluation, and starts again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restarts {
    Never,
    /// The state was written down.
    Clean,
    /// The messages went into the queue, and the state that was written down knows nothing of them.
    Crash,
}

/// The world: rules, a clock, and whoever is told.
struct World {
    settings: Settings,
    notifier: Notifier,
    start: i64,
    /// Milliseconds since the story's begin.
    time: i64,
    /// By how much the wall clock was set.
    skew: i64,
    restarts: Restarts,
    alerts: BTreeMap<String, Seen>,
    told: Vec<Notification>,
    outcome: Vec<String>,
}

fn time(text: &str) -> i64 {
    parse_duration_ms(text).expect(text)
}

/// `a`, or `a/host=x,severity=critical`: the name and the other labels.
fn labels(text: &str) -> Labels {
    let (name, others) = text.split_once('/').unwrap_or((text, ""));
    let others = others.split(',').filter_map(|pair| pair.split_once('='));
    Labels::new([("alertname", name)].into_iter().chain(others)).expect(text)
}

fn channels() -> Vec<String> {
    CHANNELS.map(str::to_owned).to_vec()
}

impl World {
    fn new(settings: &str) -> Self {
        // What most stories want; one that says otherwise stands alone.
        let settings = if settings.contains("[[route]]") {
            settings.to_owned()
        } else {
            format!("{settings}\n[[route]]\nchannels = [\"ops\"]\n")
        };
        let settings: Settings = toml::from_str(&settings).expect("good settings");
        let start = moment("2026-11-20T12:00:00Z").expect("a moment").millis();
        World {
            notifier: Notifier::new(&settings, &channels()).expect("good settings"),
            settings,
            start,
            time: 0,
            skew: 0,
            restarts: Restarts::Never,
            alerts: BTreeMap::new(),
            told: Vec::new(),
            outcome: Vec::new(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.start + self.time + self.skew)
    }

    /// One line of a story, without its time.
    fn act(&mut self, line: &str) {
        let now = self.now();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let condition = |text: &str| Matchers::parse(&[text]).expect(text);
        match verb {
            "fire" => {
                for name in rest.split(' ') {
                    let seen = Seen { labels: labels(name), since: now.millis(), over: None };
                    self.alerts.insert(name.to_owned(), seen);
                }
            }
            "over" => {
                for name in rest.split(' ') {
                    self.alerts.get_mut(name).expect(name).over = Some(now.millis());
                }
            }
            "vanish" => drop(self.alerts.remove(rest)),
            "silence" => {
                let (what, long) = rest.split_once(" for ").expect(line);
                let new = NewSilence {
                    replaces: None,
                    matchers: condition(what),
                    starts_at: now,
                    ends_at: now.plus_ms(time(long)),
                    author: "ada".to_owned(),
                    comment: "on it".to_owned(),
                };
                self.notifier.add_silence(now, new).expect("a good silence");
            }
            "ack" => {
                let (what, long) = rest.split_once(" for ").unwrap_or((rest, ""));
                let until = (!long.is_empty()).then(|| now.plus_ms(time(long)));
                let said = Acknowledgement::new(now, "ada", "", until).expect("a name");
                self.notifier.acknowledge(now, &AckTarget::Matching(condition(what)), &said).expect("it fires");
            }
            "clock" => {
                let (sign, long) = rest.split_at(1);
                self.skew += if sign == "+" { time(long) } else { -time(long) };
            }
            "restart" => {
                let saved = self.notifier.save();
                self.restart(&saved);
            }
            _ => panic!("{line}"),
        }
    }

    fn observed(&self) -> Vec<Observed> {
        let rule = Arc::new(RuleFacts {
            expr: "up == 0".to_owned(),
            threshold: Some(0.0),
            interval_ms: EVERY,
            ..RuleFacts::default()
        });
        let seen = self.alerts.values();
        seen.map(|seen| Observed {
            labels: seen.labels.clone(),
            annotations: BTreeMap::from([("summary".to_owned(), "down".to_owned())]),
            state: if seen.over.is_some() { AlertState::Inactive } else { AlertState::Firing },
            value: 0.1 + 0.2,
            active_at: Timestamp(seen.since),
            resolved_at: seen.over.map(Timestamp),
            rule: Arc::clone(&rule),
        })
        .collect()
    }

    /// An evaluation, and what follows from it.
    fn tick(&mut self) -> Vec<Notification> {
        let now = self.now();
        self.alerts.retain(|_, seen| seen.over.is_none_or(|over| (now.millis() - over).abs() < SHOWN));
        self.notifier.observe(now, &self.observed());
        self.notifier.due(now)
    }

    fn deliver(&mut self, messages: Vec<Notification>) {
        for message in messages {
            let alerts = message.alerts.iter().map(|alert| {
                let name = alert.labels.get("alertname").map(String::as_str).unwrap_or_default();
                let by = alert.acknowledged_by.as_deref().map(|who| format!("({who})")).unwrap_or_default();
                format!(" {name}{}{by}", if alert.firing { '+' } else { '-' })
            });
            let alerts: String = alerts.collect();
            let more = if message.more > 0 { format!(" and {} more", message.more) } else { String::new() };
            let reason = format!("{:?}", message.reason).to_lowercase();
            let time = duration_text(self.time);
            self.outcome.push(format!("{time} {}: {reason}{alerts}{more}", message.channel));
            self.told.push(message);
        }
    }

    /// The program ends, and starts again with what was written down.
    fn restart(&mut self, saved: &str) {
        let mut next = Notifier::new(&self.settings, &channels()).expect("good settings");
        assert_eq!(next.restore(saved), [""; 0]);
        assert_eq!(next.save(), saved, "what was taken over is written as it was");
        self.notifier = next;
    }

    /// Plays a story: each line has a time and what happens then; the last has only a time.
    fn play(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (when, what) = line.split_once(' ').unwrap_or((line, ""));
            let when = time(when);
            while self.time < when {
                self.step();
            }
            if !what.is_empty() {
                self.act(what);
            }
        }
        self.step();
    }

    /// An evaluation. The queue of deliveries takes each message once.
    fn step(&mut self) {
        let saved = self.notifier.save();
        let mut messages = self.tick();
        match self.restarts {
            Restarts::Never => {}
            Restarts::Clean => {
                let saved = self.notifier.save();
                self.restart(&saved);
            }
            Restarts::Crash => {
                self.restart(&saved);
                messages.extend(self.tick());
            }
        }
        let mut queued: BTreeSet<u64> = self.told.iter().map(|message| message.id).collect();
        messages.retain(|message| queued.insert(message.id));
        self.deliver(messages);
        self.time += EVERY;
    }
}
