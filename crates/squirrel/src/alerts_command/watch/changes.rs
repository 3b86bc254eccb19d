//! What changed between two looks at the page of alerts.

use std::collections::BTreeMap;

use squirrel_api::alerts::{AlertsPage, ShownAlert};

/// Most alerts that are followed at once; what begins beyond is not told.
const MOST: usize = 20_000;

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// It fires, and nothing holds it back.
    Began(ShownAlert),
    /// It was told, and is over.
    Ended(ShownAlert),
}

impl Change {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Began(_) => "firing",
            Self::Ended(_) => "resolved",
        }
    }

    pub(super) fn alert(&self) -> &ShownAlert {
        match self {
            Self::Began(alert) | Self::Ended(alert) => alert,
        }
    }
}

/// What was told so far, by number.
#[derive(Debug, Default)]
pub(super) struct Follower {
    told: BTreeMap<String, ShownAlert>,
}

impl Follower {
    /// What is new on a page: ends first, then beginnings, the worst first.
    pub(super) fn look(&mut self, page: &AlertsPage) -> Vec<Change> {
        let firing: BTreeMap<&str, &ShownAlert> =
            page.alerts.iter().filter(|one| one.state == "firing").map(|one| (one.fingerprint.as_str(), one)).collect();
        let listed = |number: &str| page.alerts.iter().any(|one| one.fingerprint == number);
        let is_over = |number: &String, known: &ShownAlert| match firing.get(number.as_str()) {
            // Over and begun anew between two looks.
            Some(now) => now.starts_at > known.starts_at,
            // A page that leaves out alerts says nothing of those that it does not list.
            None => page.alerts_left_out == 0 || listed(number),
        };
        let over: Vec<String> = self
            .told
            .iter()
            .filter(|(number, known)| is_over(number, known))
            .map(|(number, _)| number.clone())
            .collect();
        let mut changes: Vec<Change> =
            over.iter().filter_map(|number| self.told.remove(number)).map(Change::Ended).collect();
        for alert in &page.alerts {
            let is_open = alert.state == "firing" && alert.held.is_empty() && alert.acknowledgement.is_none();
            if is_open && self.told.len() < MOST && !self.told.contains_key(&alert.fingerprint) {
                self.told.insert(alert.fingerprint.clone(), alert.clone());
                changes.push(Change::Began(alert.clone()));
            }
        }
        changes
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn alert(number: u32, state: &str, starts_at: f64) -> ShownAlert {
        let text = serde_json::json!({
            "fingerprint": format!("{number:016x}"), "state": state, "starts_at": starts_at, "ends_at": null,
            "labels": {"alertname": format!("A{number}"), "severity": "critical"},
            "annotations": {"summary": format!("number {number}")}, "severity_rank": 3, "value": 1.0, "threshold": 0.5,
            "query": "up > 0.5", "value_query": "up", "source": "f;g", "generator_url": "", "held": [],
            "silenced_by": [], "inhibited_by": [], "muted_by": [], "acknowledgement": null, "flapping_percent": 0.0,
            "told": [], "receivers": [], "escalates_at": null,
        });
        serde_json::from_value(text).expect("an alert")
    }

    fn look(follower: &mut Follower, alerts: Vec<ShownAlert>, alerts_left_out: usize) -> Vec<String> {
        let page = AlertsPage { alerts, alerts_left_out, ..AlertsPage::default() };
        let changes = follower.look(&page);
        changes.iter().map(|change| format!("{} {}", change.word(), change.alert().labels["alertname"])).collect()
    }

    #[test]
    fn each_beginning_and_each_end_is_told_once() {
        let mut follower = Follower::default();
        let fires = |number| alert(number, "firing", 1.0);
        assert_eq!(look(&mut follower, vec![fires(1), alert(2, "pending", 1.0)], 0), ["firing A1"]);
        assert_eq!(look(&mut follower, vec![fires(1), fires(2)], 0), ["firing A2"]);
        assert_eq!(look(&mut follower, vec![alert(1, "inactive", 1.0), fires(2)], 0), ["resolved A1"]);
        assert_eq!(look(&mut follower, vec![fires(2)], 0), [""; 0]);
        assert_eq!(
            look(&mut follower, vec![alert(2, "firing", 9.0)], 0),
            ["resolved A2", "firing A2"],
            "between looks"
        );
        assert_eq!(look(&mut follower, vec![], 0), ["resolved A2"], "its rule is gone");
    }

    #[test]
    fn what_is_held_back_is_told_when_nothing_holds_it_any_more() {
        let mut follower = Follower::default();
        let held = ShownAlert { held: vec!["a silence".to_owned()], ..alert(1, "firing", 1.0) };
        assert_eq!(look(&mut follower, vec![held.clone()], 0), [""; 0]);
        assert_eq!(look(&mut follower, vec![alert(1, "firing", 1.0)], 0), ["firing A1"]);
        assert_eq!(look(&mut follower, vec![held], 0), [""; 0], "it still fires");
        assert_eq!(look(&mut follower, vec![], 0), ["resolved A1"]);
    }

    #[test]
    fn an_alert_that_a_full_page_leaves_out_is_not_over() {
        let mut follower = Follower::default();
        look(&mut follower, vec![alert(1, "firing", 1.0)], 0);
        assert_eq!(look(&mut follower, vec![alert(2, "firing", 1.0)], 7), ["firing A2"]);
        assert_eq!(look(&mut follower, vec![alert(1, "inactive", 1.0)], 7), ["resolved A1"]);
    }
}
