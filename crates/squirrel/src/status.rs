//! The collectors' state in the words of the API.

use squirrel_api::{CollectorState, CollectorStatus};
use squirrel_collect::{Schedule, State};

/// One entry for each collector, in the order of the table.
pub(crate) fn statuses(schedule: &Schedule) -> Vec<CollectorStatus> {
    schedule.status().iter().map(status).collect()
}

fn status(status: &squirrel_collect::Status) -> CollectorStatus {
    let (state, sentence) = match &status.state {
        State::Running if status.faults.is_empty() => (CollectorState::Running, String::new()),
        State::Running => (CollectorState::Degraded, String::new()),
        State::Unavailable(reason) => (CollectorState::Unavailable, reason.clone()),
        State::Disabled => (CollectorState::Disabled, "Switched off under [collect] in the configuration.".to_owned()),
        State::Broken(message) => {
            let sentence =
                format!("Stopped by a mistake of ours ({message}); it starts again with squirrel. Please report it.");
            (CollectorState::Unavailable, sentence)
        }
    };
    CollectorStatus {
        name: status.name.to_owned(),
        about: status.about.to_owned(),
        state,
        sentence,
        duration_seconds: status.last_duration.unwrap_or_default().as_secs_f64(),
        faults: status.faults.iter().map(Into::into).collect(),
    }
}
