//! How targets stand, in a sentence: what is down first, then what is slow or loses.

use squirrel_alert::thresholds::{self, Thresholds};
use squirrel_api::Level;
use squirrel_api::probes::{Probe, ProbeState, ProbeStates, share_text, span_text};

/// Targets that are down and that a sentence names; the others are counted.
const NAMED: usize = 3;

/// The level and the sentence of all targets.
pub(crate) fn judge(probes: &[Probe], states: &ProbeStates, thresholds: &Thresholds) -> (Level, String) {
    if probes.is_empty() {
        let sentence = "Nothing is probed on a schedule: [[probe]] tables of the configuration name targets.";
        return (Level::Unknown, sentence.to_owned());
    }
    let total = probes.len();
    if states.down + states.unreachable > 0 {
        return (Level::Bad, failing(probes, states, total));
    }
    if states.up == 0 {
        let sentence = format!("Nothing is known yet of {}: the first probes are under way.", targets(total));
        return (Level::Unknown, sentence);
    }
    let waiting = match states.unknown {
        0 => String::new(),
        unknown => format!(" {} not known yet.", are(unknown)),
    };
    let well = match (states.up, total) {
        (1, 1) => "The one target does what it should.".to_owned(),
        (up, total) if up == total => format!("All {total} targets do what they should."),
        (1, total) => format!("1 of {total} targets does what it should."),
        (up, total) => format!("{up} of {total} targets do what they should."),
    };
    let worst = worst(probes, |probe| probe.minute.as_ref().map(|minute| minute.loss));
    if let Some((probe, loss)) = worst.filter(|(_, loss)| *loss >= thresholds.get(&thresholds::LOSS)) {
        let sentence = format!(
            "{} loses {} of what is asked of it; all answer otherwise.{waiting}",
            probe.instance,
            share_text(loss)
        );
        return (Level::Warning, sentence);
    }
    let slowest = worst_round_trip(probes)
        .map(|(probe, seconds)| format!(" The slowest, {}, answers in {}.", probe.instance, span_text(seconds)));
    (Level::Ok, format!("{well}{}{waiting}", slowest.unwrap_or_default()))
}

/// The level and the sentence of one target.
pub(crate) fn judge_one(probe: &Probe, thresholds: &Thresholds) -> (Level, String) {
    let name = &probe.instance;
    match probe.state {
        ProbeState::Down => {
            let why = probe.why.as_deref().map_or_else(|| ".".to_owned(), |why| format!(": {why}"));
            (Level::Bad, format!("{name} is down{why}"))
        }
        ProbeState::Unreachable => {
            let behind = probe.parents.join(", ");
            (Level::Bad, format!("Nothing can be said of {name}: it lies behind {behind}, which does not answer."))
        }
        ProbeState::Unknown => {
            (Level::Unknown, format!("Nothing is known yet of {name}: its first probe is under way."))
        }
        ProbeState::Up => {
            let minute = probe.minute.as_ref();
            let loss = minute.map(|minute| minute.loss);
            if let Some(loss) = loss.filter(|loss| *loss >= thresholds.get(&thresholds::LOSS)) {
                return (
                    Level::Warning,
                    format!("{name} answers, and {} of the questions to it are lost.", share_text(loss)),
                );
            }
            let took = minute.and_then(|minute| minute.percentile(50.0)).or(probe.seconds);
            let took = took.map(|seconds| format!(" in {}", span_text(seconds))).unwrap_or_default();
            (Level::Ok, format!("{name} does what it should{took}."))
        }
    }
}

fn failing(probes: &[Probe], states: &ProbeStates, total: usize) -> String {
    let down: Vec<&str> =
        probes.iter().filter(|probe| probe.state == ProbeState::Down).map(|probe| probe.instance.as_str()).collect();
    let mut names = down.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if down.len() > NAMED {
        names += &format!(" and {} more", down.len() - NAMED);
    }
    let behind = match states.unreachable {
        0 => String::new(),
        1 => " 1 lies behind what is down, and cannot be judged.".to_owned(),
        hidden => format!(" {hidden} lie behind what is down, and cannot be judged."),
    };
    let down = match (down.len(), total) {
        (0, _) => return behind.trim_start().to_owned(),
        (1, 1) => format!("{names} is down."),
        (1, total) => format!("1 of {total} targets is down: {names}."),
        (count, total) => format!("{count} of {total} targets are down: {names}."),
    };
    down + &behind
}

fn targets(count: usize) -> String {
    if count == 1 { "the one target".to_owned() } else { format!("{count} targets") }
}

fn are(count: usize) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

fn worst(probes: &[Probe], figure: impl Fn(&Probe) -> Option<f64>) -> Option<(&Probe, f64)> {
    probes
        .iter()
        .filter(|probe| probe.state == ProbeState::Up)
        .filter_map(|probe| Some((probe, figure(probe)?)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn worst_round_trip(probes: &[Probe]) -> Option<(&Probe, f64)> {
    worst(probes, |probe| probe.minute.as_ref().and_then(|minute| minute.percentile(95.0)).or(probe.seconds))
}

#[cfg(test)]
mod tests {
    use squirrel_api::probes::ProbeMinute;

    use super::*;

    fn target(instance: &str, state: ProbeState, loss: f64) -> Probe {
        let minute =
            ProbeMinute { sent: 60, loss, round_trip: vec![(50.0, 0.02), (95.0, 0.081)], ..ProbeMinute::default() };
        Probe { instance: instance.into(), state, minute: Some(minute), parents: vec!["gw".into()], ..Probe::default() }
    }

    fn judged(probes: &[Probe]) -> (Level, String) {
        let mut states = ProbeStates::default();
        for probe in probes {
            states.count(probe.state);
        }
        judge(probes, &states, &Thresholds::default())
    }

    #[test]
    fn the_worst_is_said_first_and_by_name() {
        use ProbeState::{Down, Unknown, Unreachable, Up};
        let up = |name: &str| target(name, Up, 0.0);
        let cases: [(&[Probe], Level, &str); 8] = [
            (
                &[],
                Level::Unknown,
                "Nothing is probed on a schedule: [[probe]] tables of the configuration name targets.",
            ),
            (
                &[up("gw"), up("db")],
                Level::Ok,
                "All 2 targets do what they should. The slowest, db, answers in 81.0 ms.",
            ),
            (&[up("gw")], Level::Ok, "The one target does what it should. The slowest, gw, answers in 81.0 ms."),
            (
                &[up("gw"), target("db", Unknown, 0.0)],
                Level::Ok,
                "1 of 2 targets does what it should. The slowest, gw, answers in 81.0 ms. 1 is not known yet.",
            ),
            (
                &[target("gw", Down, 1.0), target("db", Unreachable, 1.0), up("x")],
                Level::Bad,
                "1 of 3 targets is down: gw. 1 lies behind what is down, and cannot be judged.",
            ),
            (&[target("gw", Down, 1.0)], Level::Bad, "gw is down."),
            (
                &[up("gw"), target("db", Up, 0.025)],
                Level::Warning,
                "db loses 2.50 % of what is asked of it; all answer otherwise.",
            ),
            (
                &[target("a", Unknown, 0.0), target("b", Unknown, 0.0)],
                Level::Unknown,
                "Nothing is known yet of 2 targets: the first probes are under way.",
            ),
        ];
        for (probes, level, sentence) in cases {
            assert_eq!(judged(probes), (level, sentence.to_owned()));
        }
        let many: Vec<Probe> = (0..5).map(|n| target(&format!("t{n}"), Down, 1.0)).collect();
        assert_eq!(judged(&many).1, "5 of 5 targets are down: t0, t1, t2 and 2 more.");
    }
}
