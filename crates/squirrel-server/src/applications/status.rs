//! Applications in the words of the API: the verdict first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use squirrel_api::Level;
use squirrel_api::application::ApplicationAlert;
use squirrel_api::applications::{
    ApplicationInstance, ApplicationList, ApplicationRefusal, ApplicationState, ApplicationStatus,
};
use squirrel_model::{Elapsed, Timestamp};

use super::instance::Instance;

type Instances = BTreeMap<(String, String), Instance>;

/// All applications, the worst first.
pub(super) fn list(
    instances: &Instances,
    refusals: Vec<ApplicationRefusal>,
    enabled: bool,
    at: Timestamp,
    now: Elapsed,
) -> ApplicationList {
    let mut names: Vec<&str> = instances.keys().map(|(application, _)| application.as_str()).collect();
    names.dedup();
    let mut applications: Vec<ApplicationStatus> =
        names.into_iter().filter_map(|name| one(instances, name, now)).collect();
    // What its developer wanted somebody to look at comes before what is only not kept.
    let alerts = |one: &ApplicationStatus| one.instances.iter().map(|instance| instance.alerts.len()).sum::<usize>();
    applications.sort_by_key(|one| (one.state == ApplicationState::Silent, Reverse((one.level, alerts(one)))));
    let (level, sentence) = headline(&applications, enabled);
    ApplicationList { time: at.seconds(), enabled, level, sentence, applications, refusals }
}

fn headline(applications: &[ApplicationStatus], enabled: bool) -> (Level, String) {
    let live = applications.iter().filter(|one| one.state == ApplicationState::Live);
    let troubled: Vec<_> = live.clone().filter(|one| one.level > Level::Unknown).collect();
    let silent = applications.len() - live.clone().count();
    let silence = match silent {
        0 => String::new(),
        1 => ", 1 is silent".to_owned(),
        n => format!(", {n} are silent"),
    };
    match (troubled.as_slice(), live.count()) {
        _ if !enabled => (Level::Unknown, "Reports of applications are switched off in the configuration.".to_owned()),
        ([worst, rest @ ..], _) => {
            let more = match rest.len() {
                0 => String::new(),
                1 => " 1 more application needs a look.".to_owned(),
                n => format!(" {n} more applications need a look."),
            };
            (worst.level, format!("{}: {}{more}", worst.application, worst.sentence))
        }
        ([], 0) if silent == 0 => (Level::Unknown, "No application has told anything of itself yet.".to_owned()),
        ([], 0) => (Level::Unknown, "No application reports at present.".to_owned()),
        ([], 1) => (Level::Ok, format!("1 application reports and has no alert{silence}.")),
        ([], n) => (Level::Ok, format!("{n} applications report and none has an alert{silence}.")),
    }
}

/// One application by its name.
pub(super) fn one(instances: &Instances, application: &str, now: Elapsed) -> Option<ApplicationStatus> {
    let mine: Vec<(&str, &Instance)> = instances
        .iter()
        .filter(|((name, _), _)| name == application)
        .map(|((_, name), instance)| (name.as_str(), instance))
        .collect();
    let last = mine.iter().max_by_key(|(_, instance)| instance.last_report).map(|(_, instance)| *instance)?;
    let silent = mine.iter().all(|(_, instance)| instance.is_silent());
    let (level, sentence) = if silent { silence(last, now) } else { judged(&mine) };
    let mut shown: Vec<ApplicationInstance> =
        mine.into_iter().map(|(name, instance)| described(name, instance)).collect();
    shown.sort_by_key(|one| one.state == ApplicationState::Silent);
    Some(ApplicationStatus {
        application: application.to_owned(),
        level,
        sentence,
        state: if silent { ApplicationState::Silent } else { ApplicationState::Live },
        silent_since: silent.then_some(last.last_report.seconds()),
        instances: shown,
    })
}

fn silence(last: &Instance, now: Elapsed) -> (Level, String) {
    let ago = span(now.0.saturating_sub(last.heard_at().0));
    let sentence = if last.reports_here() {
        format!("No report for {ago}: it has stopped, or cannot reach this daemon.")
    } else {
        "Not heard since this daemon started: it has stopped, or has yet to report again.".to_owned()
    };
    (Level::Unknown, sentence)
}

/// What is wrong with the live instances, the worst of it as the sentence.
fn judged(mine: &[(&str, &Instance)]) -> (Level, String) {
    let live: Vec<_> = mine.iter().filter(|(_, instance)| !instance.is_silent()).collect();
    let mut alerts: Vec<&ApplicationAlert> = live.iter().flat_map(|(_, instance)| instance.raised.values()).collect();
    alerts.sort_by_key(|alert| Reverse(alert.level));
    let refused = live.iter().flat_map(|(_, instance)| &instance.refused).next();
    if let [worst, rest @ ..] = alerts.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            1 => " And 1 more alert.".to_owned(),
            n => format!(" And {n} more alerts."),
        };
        // An alert is something to look at, whatever level its sender gave it.
        return (worst.level.max(Level::Warning), format!("{}{more}", whole(&worst.sentence)));
    }
    if let Some((reason, count)) = refused {
        return (Level::Warning, reason.sentence(*count));
    }
    let series: usize = live.iter().map(|(_, instance)| instance.series()).sum();
    let processes = if live.len() == 1 { "1 instance".to_owned() } else { format!("{} instances", live.len()) };
    (Level::Ok, format!("No alert: {processes}, {series} series."))
}

/// A sentence with its beginning and its end, as others follow it.
fn whole(text: &str) -> String {
    let text = text.trim_end();
    let mut rest = text.chars();
    let first: String = rest.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", rest.as_str())
}

fn described(name: &str, instance: &Instance) -> ApplicationInstance {
    let mut alerts: Vec<ApplicationAlert> = instance.raised.values().cloned().collect();
    alerts.sort_by_key(|alert| Reverse(alert.level));
    ApplicationInstance {
        instance: name.to_owned(),
        pid: instance.pid,
        state: if instance.is_silent() { ApplicationState::Silent } else { ApplicationState::Live },
        started: instance.started,
        last_report: instance.last_report.seconds(),
        silent_since: instance.silent_since.map(Timestamp::seconds),
        interval_seconds: instance.interval_seconds,
        protocol_version: instance.protocol_version.clone(),
        series: instance.series() as u64,
        refused: instance.refused.values().sum(),
        refused_sentences: instance.refused.iter().map(|(reason, count)| reason.sentence(*count)).collect(),
        lost: instance.lost,
        alerts,
        told: instance.told.iter().cloned().collect(),
    }
}

/// A span in its largest unit.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
