//! What is remembered over a restart: how it stood with each target, and the changes of its path.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use squirrel_model::Timestamp;

use crate::board::Board;
use crate::history::PathHistory;
use crate::standing::Standing;

/// The form of the text. Another one is not read.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Text {
    form: u32,
    targets: Vec<One>,
}

#[derive(Serialize, Deserialize)]
struct One {
    job: String,
    instance: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    up: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathHistory>,
}

/// Writes it down.
pub(crate) fn save(board: &Board) -> String {
    let targets = board.remembered().map(|entry| One {
        job: entry.target.job.clone(),
        instance: entry.target.instance.clone(),
        kind: entry.target.kind().to_owned(),
        up: entry.standing.known().map(|(up, _)| up),
        since_ms: entry.standing.known().map(|(_, since)| since.millis()),
        path: Some(entry.history.clone()).filter(|history| *history != PathHistory::default()),
    });
    let text = Text { form: FORM, targets: targets.collect() };
    // Texts and numbers alone: nothing that JSON has no words for.
    serde_json::to_string(&text).unwrap_or_default()
}

/// Takes it up, as far as the targets are still there; gives what could not be taken, a sentence each.
pub(crate) fn restore(board: &mut Board, text: &str) -> Vec<String> {
    let text: Text = match serde_json::from_str(text) {
        Ok(text) => text,
        Err(error) => {
            return vec![format!(
                "the record is damaged at line {}, column {}; states and changes of paths begin anew",
                error.line(),
                error.column()
            )];
        }
    };
    if text.form != FORM {
        return vec![format!("the record has form {}, which this version does not read", text.form)];
    }
    let mut known: HashMap<_, _> =
        text.targets.into_iter().map(|one| ((one.job.clone(), one.instance.clone()), one)).collect();
    for entry in board.forgetful() {
        let name = (entry.target.job.clone(), entry.target.instance.clone());
        let Some(one) = known.remove(&name).filter(|one| one.kind == entry.target.kind()) else { continue };
        // What came since the start is newer.
        if let (Some(up), Some(since), None) = (one.up, one.since_ms, entry.standing.known()) {
            entry.standing = Standing::of(up, Timestamp(since));
        }
        if let Some(mut path) = one.path {
            path.bound();
            entry.history = path;
        }
    }
    Vec::new()
}
