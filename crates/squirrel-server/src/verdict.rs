//! Is the network fine, and if not, what is wrong: a table of checks over the stored metrics.

use squirrel_alert::thresholds::Thresholds;
use squirrel_api::{CollectorState, CollectorStatus, Finding, Level, Verdict};
use squirrel_model::{Matcher, NAME_LABEL, Select, TimeRange, Timestamp};

use crate::Watch;
use crate::engine;
use crate::gate::Stop;

mod check;
mod checks;
mod own;
mod parts;

use check::Check;
pub(crate) use checks::CHECKS;
pub(crate) use own::Own;
pub(crate) use parts::PARTS;

/// How old samples may be and still be judged by; as far as the checks look back.
const FRESH_MS: i64 = 300_000;

/// Judges by the samples up to `at`; none before the first reading.
pub(crate) fn judge(
    select: &dyn Select,
    at: Option<Timestamp>,
    collectors: &[CollectorStatus],
    watch: &Watch,
    stop: &Stop,
) -> Verdict {
    let mut not_judged: Vec<String> = collectors
        .iter()
        .filter(|one| one.state == CollectorState::Unavailable)
        .map(|one| format!("{} is not read here: {}", one.name, one.sentence))
        .collect();
    let Some(at) = at else {
        let sentence = "No samples yet: the first reading is under way.".to_owned();
        return Verdict { time: None, level: Level::Unknown, sentence, findings: Vec::new(), not_judged };
    };
    let mut findings = Vec::new();
    let (mut judged, mut total) = (0, CHECKS.len());
    for check in PARTS {
        // One that fails to be judged is one that is there.
        let outcome = run(check, select, at, &watch.thresholds, stop);
        total += usize::from(!matches!(outcome, Ok(None)));
        match outcome {
            Ok(found) => {
                judged += usize::from(found.is_some());
                findings.extend(found.into_iter().flatten());
            }
            Err(error) => not_judged.push(format!("{}: {error}.", check.about)),
        }
    }
    for check in CHECKS {
        match run(check, select, at, &watch.thresholds, stop) {
            Ok(Some(found)) => {
                judged += 1;
                findings.extend(found);
            }
            Ok(None) => not_judged.push(format!("{}: there are no samples of {}.", check.about, check.needs)),
            Err(error) => not_judged.push(format!("{}: {error}.", check.about)),
        }
    }
    findings.extend(broken_rules(&watch.problems));
    findings.extend(idle_rules(&watch.not_evaluated));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let (mut level, mut sentence) = headline(&findings, judged, total);
    if let Some(firing) = watch.sentence() {
        level = watch.worst.map_or(level, |worst| worst.max(level));
        // What fires comes first where nothing else was found: "all is well" would be wrong.
        sentence = match findings.as_slice() {
            [] => format!("{firing} The {judged} checks found nothing else."),
            _ => format!("{sentence} {firing}"),
        };
    }
    Verdict { time: Some(at.seconds()), level, sentence, findings, not_judged }
}

/// What is wrong with rule files: nobody is told by a rule that is not in force.
fn broken_rules(problems: &[String]) -> Option<Finding> {
    let first = problems.first()?.replace('\n', "; ");
    let more = match problems.len() - 1 {
        0 => String::new(),
        more => format!(" And {more} more of such mistakes."),
    };
    Some(Finding {
        check: "rules".into(),
        level: Level::Warning,
        subject: "rules".to_owned(),
        sentence: format!("Rules are not in force as they are written: {first}.{more}"),
        value: problems.len() as f64,
        expr: "".into(),
        check_first: vec!["`squirrel alerts check FILE` says all that is wrong with a file.".into()],
    })
}

/// Rules that fail, or whose turn does not come.
fn idle_rules(parts: &[String]) -> Option<Finding> {
    (!parts.is_empty()).then(|| Finding {
        check: "rules_evaluation".into(),
        level: Level::Warning,
        subject: "rules".to_owned(),
        sentence: format!("Rules are not evaluated as they should be: {}.", parts.join("; ")),
        value: parts.len() as f64,
        expr: "increase(prometheus_rule_evaluation_failures_total[5m]) > 0".into(),
        check_first: vec![
            "lastError of the rule in `/api/v1/rules`.".into(),
            "Where another engine answers the rules of files ([store] url), whether it does, and how fast.".into(),
            "prometheus_rule_group_last_duration_seconds: a group that takes longer than its interval.".into(),
        ],
    })
}

/// What a check finds; none when there is nothing to judge by.
fn run(
    check: &Check,
    select: &dyn Select,
    at: Timestamp,
    thresholds: &Thresholds,
    stop: &Stop,
) -> Result<Option<Vec<Finding>>, String> {
    let expr = engine::parse(check.expr).map_err(|error| error.message)?;
    let answer = engine::evaluate(&expr, select, at, stop).map_err(|error| error.message)?;
    let samples = answer.into_samples();
    if samples.is_empty() {
        // An expression can also be silent because there is too little traffic to judge by.
        let needed = [Matcher::equal(NAME_LABEL, check.needs)];
        let range = TimeRange::new(at.plus_ms(-FRESH_MS), at);
        let there = select.find(&needed, range).map_err(|error| error.to_string())?;
        return Ok((!there.is_empty()).then(Vec::new));
    }
    Ok(Some(samples.iter().filter_map(|one| check.finding(&one.labels, one.value, thresholds)).collect()))
}

fn headline(findings: &[Finding], judged: usize, total: usize) -> (Level, String) {
    match findings {
        [] if judged == 0 => (Level::Unknown, "There are no samples yet to judge by.".to_owned()),
        [] if judged == total => (Level::Ok, format!("All is well: {judged} checks found nothing wrong.")),
        [] => (
            Level::Ok,
            format!("All is well: {judged} of {total} checks found nothing wrong, the others lack samples."),
        ),
        [one] => (one.level, one.sentence.clone()),
        [worst, rest @ ..] => {
            let more = rest.len();
            let word = if more == 1 { "finding" } else { "findings" };
            (worst.level, format!("{} And {more} more {word}.", worst.sentence))
        }
    }
}

#[cfg(test)]
mod tests;
