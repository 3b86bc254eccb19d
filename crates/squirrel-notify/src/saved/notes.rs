//! What of a saved text could not be taken over, told in sentences.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Most notes on what could not be taken over; the others are counted.
const MAX_NOTES: usize = 20;

/// What could not be taken over.
#[derive(Default)]
pub(super) struct Notes(Vec<String>, usize);

impl Notes {
    pub(super) fn add(&mut self, text: &str) {
        if self.0.len() < MAX_NOTES {
            self.0.push(text.to_owned());
        } else {
            self.1 += 1;
        }
    }

    pub(super) fn one<T: DeserializeOwned>(&mut self, what: &str, value: Value) -> Option<T> {
        let read = serde_json::from_value(value).ok();
        if read.is_none() {
            self.add(&format!("the saved {what} is damaged, and is left out"));
        }
        read
    }

    pub(super) fn list<T: DeserializeOwned>(&mut self, what: &str, value: Value, most: usize) -> Vec<T> {
        let Value::Array(values) = value else {
            self.add(&format!("the list of each saved {what} is damaged, and is left out"));
            return Vec::new();
        };
        if values.len() > most {
            self.add(&format!("there is no room for {} of the saved list of each {what}", values.len() - most));
        }
        values.into_iter().take(most).filter_map(|value| self.one(what, value)).collect()
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if self.1 > 0 {
            self.0.push(format!("and {} more like these", self.1));
        }
        self.0
    }
}
