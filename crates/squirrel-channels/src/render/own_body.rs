//! A webhook's body of one's own: JSON whose texts are templates. What is filled in stays within its text, whatever
//! it holds, since JSON is written after filling in.

use serde_json::{Map, Value};
use squirrel_alert::{Template, TemplateTree};
use squirrel_model::Timestamp;
use squirrel_notify::Notification;

use super::template::tree;
use super::words::Words;

/// How deep the body may be.
const MAX_DEPTH: usize = 16;

/// A body that was read without mistakes.
#[derive(Clone, Debug)]
pub(crate) enum OwnBody {
    Text(Template),
    List(Vec<OwnBody>),
    Fields(Vec<(String, OwnBody)>),
    Plain(Value),
}

impl OwnBody {
    /// Reads the body's templates.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        Self::read_within(value, "body", MAX_DEPTH)
    }

    fn read_within(value: &Value, place: &str, depth: usize) -> Result<Self, String> {
        let Some(depth) = depth.checked_sub(1) else { return Err(format!("{place} is nested too deep")) };
        Ok(match value {
            Value::String(text) => {
                Self::Text(Template::parse(text).map_err(|error| format!("the template of {place}: {error}"))?)
            }
            Value::Array(items) => {
                let read = |(i, item): (usize, &Value)| Self::read_within(item, &format!("{place}[{i}]"), depth);
                Self::List(items.iter().enumerate().map(read).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let read = |(name, value): (&String, &Value)| {
                    Ok::<_, String>((name.clone(), Self::read_within(value, &format!("{place}.{name}"), depth)?))
                };
                Self::Fields(fields.iter().map(read).collect::<Result<_, _>>()?)
            }
            other => Self::Plain(other.clone()),
        })
    }

    /// The body filled in. A template that fails shows its failure in its place.
    pub(crate) fn fill(&self, notification: &Notification, words: &Words, at: Timestamp) -> Value {
        let mut root = tree(notification);
        if let TemplateTree::Fields(fields) = &mut root {
            fields.insert("Title".to_owned(), TemplateTree::Text(words.title.clone()));
            fields.insert("Text".to_owned(), TemplateTree::Text(words.plain()));
        }
        self.filled(&root, &notification.external_url, at)
    }

    fn filled(&self, root: &TemplateTree, external_url: &str, at: Timestamp) -> Value {
        match self {
            Self::Text(template) => template
                .fill(root, external_url, at)
                .unwrap_or_else(|error| format!("<error expanding template: {error}>"))
                .into(),
            Self::List(items) => items.iter().map(|item| item.filled(root, external_url, at)).collect(),
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, item)| (name.clone(), item.filled(root, external_url, at)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Self::Plain(value) => value.clone(),
        }
    }
}
