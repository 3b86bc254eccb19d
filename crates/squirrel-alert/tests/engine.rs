//! Rules that another engine answers.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use squirrel_alert::{AlertState, Group, Health, NewSample, RuleFile, Surroundings};
use squirrel_model::{Elapsed, Labels, Select, Timestamp, is_stale};
use squirrel_promql::engine::{Listed, Lookup, Moments, Terms, Trouble};
use squirrel_promql::{Answer, Embedded, Engine, EngineError, EvalOptions, Query};
use squirrel_testkit::MemorySelect;

/// Rules of one group: a recording rule, one that needs its result, and an alert whose text asks again.
const RULES: &str = "groups:
- name: g
  rules:
  - {record: doubled, expr: m * 2}
  - {record: again, expr: doubled + 1}
  - alert: High
    expr: m > 5
    annotations: {all: '{{ with query \"sum(m)\" }}{{ . | first | value }}{{ end }}'}
";

/// An engine with samples of its own, which may be away.
struct Other {
    samples: Embedded,
    asked: Mutex<Vec<String>>,
    is_away: Mutex<bool>,
}

impl Other {
    fn with(value: f64) -> Self {
        let labels = Labels::new([("__name__", "m"), ("host", "far")]).expect("labels");
        let store: Arc<dyn Select> = Arc::new(MemorySelect::at(0, [(labels, value)]));
        let samples = Embedded::new(move || Arc::clone(&store), EvalOptions::default());
        Self { samples, asked: Mutex::default(), is_away: Mutex::default() }
    }

    fn away(&self, is_away: bool) {
        *self.is_away.lock().expect("no panic") = is_away;
    }
}

impl Engine for Other {
    fn instant(&self, query: &Query, at: Timestamp, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        self.asked.lock().expect("no panic").push(query.text().to_owned());
        if *self.is_away.lock().expect("no panic") {
            return Err(EngineError::new(Trouble::Unavailable, "far.example cannot be asked: refused"));
        }
        self.samples.instant(query, at, terms)
    }

    fn range(&self, query: &Query, moments: Moments, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        self.samples.range(query, moments, terms)
    }

    fn series(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<Labels>, EngineError> {
        self.samples.series(lookup, terms)
    }

    fn label_names(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.samples.label_names(lookup, terms)
    }

    fn label_values(&self, label: &str, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.samples.label_values(label, lookup, terms)
    }
}

fn group() -> Group {
    Group::new("f.yml", RuleFile::parse("f.yml", RULES).expect("rules of a test").groups.remove(0))
}

fn evaluate(group: &mut Group, engine: &Other, second: i64, stop: &dyn Fn() -> bool) -> Vec<NewSample> {
    let around = Surroundings {
        external_labels: &Labels::empty(),
        external_url: "",
        options: &EvalOptions::default(),
        query_offset_ms: 0,
        stop,
        elapsed: &Elapsed::default,
    };
    group.evaluate_by(engine, Timestamp(second * 1000), &around)
}

#[test]
fn another_engine_answers_rules_and_templates_from_its_own_samples() {
    let (other, mut group) = (Other::with(7.0), group());
    let samples = evaluate(&mut group, &other, 1, &|| false);
    let found: Vec<(&str, f64)> = samples.iter().map(|one| (one.labels.metric_name(), one.value)).collect();
    // What the first rule yields is not brought to the other engine by this evaluation, so the second has nothing.
    assert_eq!(found[0], ("doubled", 14.0));
    assert!(found.iter().all(|(name, _)| *name != "again"), "{found:?}");
    assert!(found.contains(&("ALERTS", 1.0)), "{found:?}");
    let alert = group.rules()[2].active_alerts().next().expect("it fires");
    assert_eq!((alert.labels.get("host"), alert.annotations["all"].as_str()), (Some("far"), "7"));
    assert_eq!(*other.asked.lock().expect("no panic"), ["m * 2", "doubled + 1", "m > 5", "sum(m)"]);
}

#[test]
fn an_engine_that_is_away_neither_fires_nor_resolves() {
    let (other, mut group) = (Other::with(7.0), group());
    evaluate(&mut group, &other, 1, &|| false);
    other.away(true);
    assert_eq!(evaluate(&mut group, &other, 2, &|| false), [], "nothing ends for want of an answer");
    let status = &group.rules()[2];
    assert_eq!(status.state(), AlertState::Firing);
    assert_eq!(status.health, Health::Bad("far.example cannot be asked: refused".to_owned()));
    other.away(false);
    let samples = evaluate(&mut group, &other, 3, &|| false);
    assert!(samples.len() >= 2 && samples.iter().all(|one| !is_stale(one.value)), "{samples:?}");
    assert!(group.rules().iter().all(|status| status.health == Health::Ok));
}

#[test]
fn no_time_left_is_time_to_ask_nobody() {
    let (other, mut group) = (Other::with(7.0), group());
    let looks = Cell::new(0);
    // Time ends with the first rule.
    let stop = || looks.replace(looks.get() + 1) > 0 && !other.asked.lock().expect("no panic").is_empty();
    evaluate(&mut group, &other, 1, &stop);
    assert_eq!(other.asked.lock().expect("no panic").len(), 1);
    assert!(matches!(&group.rules()[2].health, Health::Bad(why) if why.contains("no time")));
}
