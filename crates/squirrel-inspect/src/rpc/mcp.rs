//! What is closed in the Model Context Protocol: its revisions and its methods.

use crate::label::LabelId;

/// Revisions in the field, oldest first.
pub(super) const REVISIONS: &[&str] = &["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

/// The revisions that have batches: added with the second, taken out with the third, while the first
/// said nothing of them and inherits JSON-RPC's.
pub(super) const WITH_BATCHES: &[&str] = &["2024-11-05", "2025-03-26"];

/// Whether heads of HTTP repeat the method and the name of their body in this revision.
pub(crate) fn mirrors_body(revision: &str) -> bool {
    revision == "2026-07-28"
}

/// Who may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
    Both,
}

/// A method that has a label of its own.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) sender: Sender,
    /// Whether it is asked once and lasts as long as somebody listens.
    pub(super) lasting: bool,
}

const fn method(name: &'static str, sender: Sender) -> Method {
    Method { name, sender, lasting: false }
}

/// The methods of all revisions, by their schemas; `tasks/update` and `notifications/tasks` are of the tasks
/// extension to the last one. Notifications are those under `notifications/`.
pub(super) const METHODS: &[Method] = &[
    method("completion/complete", Sender::Client),
    method("elicitation/create", Sender::Server),
    method("initialize", Sender::Client),
    method("logging/setLevel", Sender::Client),
    method("notifications/cancelled", Sender::Both),
    method("notifications/elicitation/complete", Sender::Server),
    method("notifications/initialized", Sender::Client),
    method("notifications/message", Sender::Server),
    method("notifications/progress", Sender::Both),
    method("notifications/prompts/list_changed", Sender::Server),
    method("notifications/resources/list_changed", Sender::Server),
    method("notifications/resources/updated", Sender::Server),
    method("notifications/roots/list_changed", Sender::Client),
    method("notifications/subscriptions/acknowledged", Sender::Server),
    method("notifications/tasks", Sender::Server),
    method("notifications/tasks/status", Sender::Both),
    method("notifications/tools/list_changed", Sender::Server),
    method("ping", Sender::Both),
    method("prompts/get", Sender::Client),
    method("prompts/list", Sender::Client),
    method("resources/list", Sender::Client),
    method("resources/read", Sender::Client),
    method("resources/subscribe", Sender::Client),
    method("resources/templates/list", Sender::Client),
    method("resources/unsubscribe", Sender::Client),
    method("roots/list", Sender::Server),
    method("sampling/createMessage", Sender::Server),
    method("server/discover", Sender::Client),
    Method { name: "subscriptions/listen", sender: Sender::Client, lasting: true },
    method("tasks/cancel", Sender::Both),
    method("tasks/get", Sender::Both),
    method("tasks/list", Sender::Both),
    method("tasks/result", Sender::Both),
    method("tasks/update", Sender::Both),
    method("tools/call", Sender::Client),
    method("tools/list", Sender::Client),
];

/// What the list says of a method, and its place in a table of labels that holds the list.
///
/// `recent` is the place of the method that was found last: most messages are of one.
pub(super) fn known(name: &str, recent: &mut usize) -> Option<(LabelId, &'static Method)> {
    if let Some(method) = METHODS.get(*recent).filter(|method| method.name == name) {
        return Some((*recent as LabelId + 1, method));
    }
    let place = METHODS.binary_search_by(|method| method.name.cmp(name)).ok()?;
    *recent = place;
    METHODS.get(place).map(|method| (place as LabelId + 1, method))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::LabelTable;

    #[test]
    fn every_method_is_found_by_its_name() {
        let labels = LabelTable::closed(METHODS.iter().map(|method| method.name));
        let mut recent = 0;
        for method in METHODS.iter().chain(METHODS.iter().rev()) {
            assert_eq!(known(method.name, &mut recent).map(|(label, _)| labels.name(label)), Some(method.name));
        }
        assert!(known("tools/destroy", &mut recent).is_none());
    }
}
