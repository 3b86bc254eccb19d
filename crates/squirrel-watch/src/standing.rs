//! How it stands with a target: up or down, and since when.

use squirrel_api::probes::ProbeState;
use squirrel_model::Timestamp;

/// How it stands with a target by its own probes; whether it is merely out of reach is seen only beside the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it is up, and since when; none before the first outcome.
    state: Option<(bool, Timestamp)>,
    /// Failures since the last success, and when the first of them was.
    failing: Option<(u32, Timestamp)>,
}

impl Standing {
    /// As it was remembered.
    pub(crate) fn of(is_up: bool, since: Timestamp) -> Self {
        Self { state: Some((is_up, since)), failing: None }
    }

    /// Takes an outcome. `patience` failures in a row are an outage, which began with the first of them. Says whether
    /// the state changed.
    pub(crate) fn note(&mut self, at: Timestamp, success: bool, patience: u32) -> bool {
        if success {
            self.failing = None;
            return self.become_(true, at);
        }
        let (count, first) = self.failing.map_or((1, at), |(count, first)| (count.saturating_add(1), first));
        self.failing = Some((count, first));
        count >= patience && self.become_(false, first)
    }

    fn become_(&mut self, is_up: bool, since: Timestamp) -> bool {
        let changes = self.state.is_none_or(|(was, _)| was != is_up);
        if changes {
            self.state = Some((is_up, since));
        }
        changes
    }

    /// Whether it is up, and since when; none while nothing is known.
    pub(crate) fn known(&self) -> Option<(bool, Timestamp)> {
        self.state
    }

    /// The word for it, `behind` saying whether something that it lies behind is down.
    pub(crate) fn word(&self, behind: bool) -> ProbeState {
        match self.state {
            None => ProbeState::Unknown,
            Some((true, _)) => ProbeState::Up,
            Some((false, _)) if behind => ProbeState::Unreachable,
            Some((false, _)) => ProbeState::Down,
        }
    }
}

#[cfg(test)]
mod tests {
    use ProbeState::{Down, Unknown, Up};

    use super::*;

    #[test]
    fn one_lost_packet_is_no_outage_and_an_outage_begins_with_its_first_loss() {
        let mut standing = Standing::default();
        let mut note = |at, success| {
            let changed = standing.note(Timestamp(at), success, 3);
            (changed, standing.word(false), standing.known().map(|(_, since)| since.millis()))
        };
        for (at, success, expected) in [
            (1, false, (false, Unknown, None)),
            (2, true, (true, Up, Some(2))),
            (3, false, (false, Up, Some(2))),
            (4, true, (false, Up, Some(2))),
            (5, false, (false, Up, Some(2))),
            (6, false, (false, Up, Some(2))),
            (7, false, (true, Down, Some(5))),
            (8, false, (false, Down, Some(5))),
            (9, true, (true, Up, Some(9))),
        ] {
            assert_eq!(note(at, success), expected, "at {at}");
        }
    }

    #[test]
    fn what_lies_behind_something_that_is_down_is_out_of_reach_unless_it_answers() {
        let mut standing = Standing::default();
        assert_eq!(standing.word(true), ProbeState::Unknown);
        standing.note(Timestamp(1), false, 1);
        assert_eq!((standing.word(true), standing.word(false)), (ProbeState::Unreachable, ProbeState::Down));
        standing.note(Timestamp(2), true, 1);
        assert_eq!(standing.word(true), ProbeState::Up);
    }
}
