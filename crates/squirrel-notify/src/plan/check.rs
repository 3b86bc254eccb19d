//! What the tables of the settings share: the faults found, the names of channels, and conditions in pairs.

use squirrel_model::is_label_name;

use crate::Matchers;
use crate::settings::{Escalation, Flapping, Settings};

/// Most routes, and most entries of each other list.
pub(super) const MAX_ENTRIES: usize = 500;

/// Goes over the settings, and gathers what is wrong.
pub(super) struct Check<'a> {
    pub(super) channels: &'a [String],
    pub(super) faults: Vec<String>,
}

impl Check<'_> {
    /// Notes what is wrong at a place.
    pub(super) fn fault(&mut self, place: &str, text: &str) {
        self.faults.push(format!("{place}: {text}"));
    }

    pub(super) fn lengths(&mut self, settings: &Settings) {
        for (name, length) in [
            ("inhibit", settings.inhibit.len()),
            ("dependency", settings.dependencies.len()),
            ("maintenance", settings.maintenance.len()),
            ("escalation", settings.escalations.len()),
        ] {
            if length > MAX_ENTRIES {
                self.fault(&format!("[[{name}]]"), &format!("{length} entries are too many: at most {MAX_ENTRIES}"));
            }
        }
    }

    /// Whether there are channels of these names.
    pub(super) fn known(&mut self, place: &str, names: &[String]) {
        for name in names.iter().filter(|name| !self.channels.contains(name)).cloned().collect::<Vec<_>>() {
            let there = if self.channels.is_empty() {
                "none is configured: write a [[notify.…]] table".to_owned()
            } else {
                format!("there are {}", self.channels.join(", "))
            };
            self.fault(place, &format!("no channel is called {name:?}; {there}"));
        }
    }

    /// Two kinds of alerts, one of which is about the other: as causes, or as parent and child.
    pub(super) fn pair(&mut self, place: &str, first: (&str, &Matchers), second: (&str, &Matchers), equal: &[String]) {
        for (name, matchers) in [first, second] {
            if matchers.is_empty() {
                self.fault(
                    place,
                    &format!("{name} has no condition: say which alerts, such as ['alertname=\"GatewayDown\"']"),
                );
            }
        }
        for name in equal.iter().filter(|name| !is_label_name(name)) {
            self.fault(place, &format!("equal: {name:?} is no label's name"));
        }
    }

    pub(super) fn escalation(&mut self, place: &str, escalation: &Escalation) {
        if escalation.steps.is_empty() {
            self.fault(place, "has no step: write [[escalation.step]] with after and channels");
        }
        if escalation.steps.len() > 20 {
            self.fault(place, "has more than 20 steps");
        }
        for step in &escalation.steps {
            self.known(place, &step.channels);
        }
        if !escalation.steps.iter().map(|step| step.after).is_sorted_by(|a, b| a < b) {
            self.fault(place, "each step's after is longer than that of the step before");
        }
    }

    pub(super) fn flapping(&mut self, flapping: &Flapping) {
        if !(1 <= flapping.low && flapping.low < flapping.high && flapping.high <= 100) {
            let text = format!("low is below high, both 1 to 100 per cent, not {} and {}", flapping.low, flapping.high);
            self.fault("[flapping]", &text);
        }
    }
}
