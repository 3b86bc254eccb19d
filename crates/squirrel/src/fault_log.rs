//! What the log says of the collectors: each part that cannot be read once, and not each second.

use std::collections::BTreeMap;

use squirrel_api::{CollectorState, CollectorStatus};
use squirrel_model::Elapsed;

/// A part is neither said again nor said to be mended before it has worked for so long: one that
/// fails now and then must not fill the log.
const SETTLED_SECONDS: u64 = 600;

/// Most parts that are told apart. Names come from outside: an interface can have any.
const MOST: usize = 256;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A collector that cannot run here, and what that costs.
    Unavailable(String),
    /// A part of a reading that failed.
    Fault(String),
    /// What failed has worked for a while.
    Mended(String),
}

/// What was said already: collector and part, and when it failed last.
#[derive(Debug, Default)]
pub(crate) struct FaultLog(BTreeMap<(String, String), Elapsed>);

impl FaultLog {
    /// What is new since the last reading.
    pub(crate) fn news(&mut self, now: Elapsed, collectors: &[CollectorStatus]) -> Vec<Line> {
        let mut lines = Vec::new();
        for collector in collectors {
            let name = &collector.name;
            if collector.state == CollectorState::Unavailable && self.failed(now, name, "") {
                let about = &collector.about;
                lines.push(Line::Unavailable(format!("collector {name}: {} Missing: {about}", collector.sentence)));
            }
            for fault in &collector.faults {
                if self.failed(now, name, &fault.subject) {
                    lines.push(Line::Fault(format!("collector {name}: {}: {}", fault.subject, fault.reason)));
                }
            }
        }
        self.0.retain(|(name, subject), failed| {
            let settled = now.0.saturating_sub(failed.0).as_secs() >= SETTLED_SECONDS;
            if settled {
                let part = if subject.is_empty() { String::new() } else { format!(" {subject}:") };
                lines.push(Line::Mended(format!("collector {name}:{part} no failure for ten minutes")));
            }
            !settled
        });
        lines
    }

    /// Notes that a part failed, and answers whether to say so.
    fn failed(&mut self, now: Elapsed, name: &str, subject: &str) -> bool {
        let key = (name.to_owned(), subject.to_owned());
        if let Some(last) = self.0.get_mut(&key) {
            *last = now;
            return false;
        }
        let room = self.0.len() < MOST;
        if room {
            self.0.insert(key, now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use squirrel_api::FaultReport;

    use super::*;

    fn at(seconds: u64) -> Elapsed {
        Elapsed(Duration::from_secs(seconds))
    }

    fn collector(state: CollectorState, sentence: &str, subjects: &[&str]) -> CollectorStatus {
        CollectorStatus {
            name: "tcp".into(),
            about: "TCP sockets.".into(),
            state,
            sentence: sentence.into(),
            duration_seconds: 0.0,
            faults: subjects
                .iter()
                .map(|subject| FaultReport { subject: (*subject).into(), reason: "Permission denied.".into() })
                .collect(),
        }
    }

    #[test]
    fn a_part_that_fails_each_second_is_said_once_and_its_end_once() {
        let mut log = FaultLog::default();
        let failing = [collector(CollectorState::Degraded, "", &["/proc/net/x"])];
        let expected = Line::Fault("collector tcp: /proc/net/x: Permission denied.".into());
        assert_eq!(log.news(at(0), &failing), std::slice::from_ref(&expected));
        assert_eq!(log.news(at(1), &failing), []);
        let well = [collector(CollectorState::Running, "", &[])];
        assert_eq!(log.news(at(2), &well), []);
        assert_eq!(log.news(at(3), &failing), [], "it comes and goes");
        let mended = Line::Mended("collector tcp: /proc/net/x: no failure for ten minutes".into());
        assert_eq!(log.news(at(603), &well), [mended]);
        assert_eq!(log.news(at(604), &well), []);
        assert_eq!(log.news(at(605), &failing), [expected]);
    }

    #[test]
    fn a_collector_that_cannot_run_is_said_with_what_it_costs() {
        let mut log = FaultLog::default();
        let gone = [collector(CollectorState::Unavailable, "The module is not loaded.", &[])];
        let expected = Line::Unavailable("collector tcp: The module is not loaded. Missing: TCP sockets.".into());
        assert_eq!(log.news(at(0), &gone), [expected]);
        assert_eq!(log.news(at(1), &gone), []);
    }

    #[test]
    fn names_from_outside_cannot_fill_the_memory_or_the_log() {
        let mut log = FaultLog::default();
        let lines: usize = (0..5000)
            .map(|i| log.news(at(1), &[collector(CollectorState::Degraded, "", &[&format!("eth{i}")])]).len())
            .sum();
        assert_eq!((lines, log.0.len()), (MOST, MOST));
    }
}
