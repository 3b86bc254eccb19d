//! Values within a template, and how they are written: as Go's `%v` does.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::Labels;

use super::format::float_text;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// Labels of a sample: a name that is not there has the empty value.
    Labels(Labels),
    /// What `args` makes.
    Map(Arc<BTreeMap<String, Value>>),
    Sample(Arc<(Labels, f64)>),
    List(Arc<Vec<Value>>),
    /// Named parts of a message: a name that is not there is a mistake.
    Fields(Arc<BTreeMap<String, Value>>),
    /// Labels or annotations of a message: a name that is not there has the empty value.
    Texts(Arc<BTreeMap<String, String>>),
    /// The dot of the whole template.
    Data,
}

impl Value {
    /// Go's name of the type, for messages.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Map(_) => "map[string]interface {}",
            Self::Sample(_) => "*template.sample",
            Self::List(_) => "template.queryResult",
            Self::Texts(_) => "template.KV",
            Self::Fields(_) | Self::Data => "struct",
        }
    }

    /// What `if` takes for yes: not zero, not empty.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(yes) => *yes,
            Self::Integer(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Labels(labels) => !labels.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Texts(texts) => !texts.is_empty(),
            Self::Sample(_) | Self::Fields(_) | Self::Data => true,
        }
    }

    /// The value as `%v` writes it.
    pub(super) fn show(&self) -> String {
        match self {
            Self::Nil => "<no value>".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => float_text(*number, 'g', None),
            Self::Text(text) => text.clone(),
            Self::Labels(labels) => mapped(labels.iter().map(|(name, value)| (name, value.to_owned()))),
            Self::Map(map) => mapped(map.iter().map(|(name, value)| (name.as_str(), value.show()))),
            Self::Sample(sample) => {
                let labels = mapped(sample.0.iter().map(|(name, value)| (name, value.to_owned())));
                format!("&{{{labels} {}}}", float_text(sample.1, 'g', None))
            }
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::show).collect();
                format!("[{}]", items.join(" "))
            }
            Self::Texts(texts) => mapped(texts.iter().map(|(name, value)| (name.as_str(), value.clone()))),
            Self::Fields(_) => "<data of the message>".to_owned(),
            Self::Data => "<data of the alert>".to_owned(),
        }
    }
}

fn mapped<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}:{value}")).collect();
    format!("map[{}]", pairs.join(" "))
}
