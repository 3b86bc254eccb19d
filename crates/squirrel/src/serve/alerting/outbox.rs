//! Messages beside the notifier's state, in the same file: what is decided there and may not be in the queue yet.

use serde::Deserialize;
use squirrel_notify::Notification;

/// The state's text with these messages beside it.
pub(super) fn beside(mut state: String, messages: &[Notification]) -> String {
    // Messages are plain data, which JSON has a form for.
    if let (Ok(outbox), false, Some('}')) = (serde_json::to_string(messages), messages.is_empty(), state.pop()) {
        state += &format!(",\"outbox\":{outbox}");
    }
    state.push('}');
    state
}

/// The messages of such a text; none of one that is damaged, whose state is not taken up either.
pub(super) fn of(text: &str) -> Vec<Notification> {
    #[derive(Deserialize)]
    struct Saved {
        #[serde(default)]
        outbox: Vec<Notification>,
    }
    serde_json::from_str::<Saved>(text).map(|saved| saved.outbox).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use squirrel_notify::{Notifier, Settings};

    use super::*;

    #[test]
    fn messages_stand_beside_the_state_and_disturb_it_not() {
        let message: Notification = serde_json::from_str(
            r#"{"id":7,"channel":"hook","group_key":"g","reason":"new","at_ms":5,"group_labels":{},"common_labels":{},
               "common_annotations":{},"alerts":[],"more":0,"external_url":"","chart":null}"#,
        )
        .unwrap();
        let settings = Settings::default();
        let state = Notifier::new(&settings, &[]).unwrap().save();
        assert_eq!(of(&state), []);
        assert_eq!(beside(state.clone(), &[]), state);
        let text = beside(state, std::slice::from_ref(&message));
        assert_eq!(of(&text), [message]);
        let mut restored = Notifier::new(&settings, &[]).unwrap();
        assert_eq!(restored.restore(&text), Vec::<String>::new());
        assert_eq!(of("no JSON"), []);
    }
}
