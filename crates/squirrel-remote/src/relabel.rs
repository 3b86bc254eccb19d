//! Relabelling: which series are sent, and under which labels, as Prometheus' `write_relabel_configs` says.
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

mod md5;

use std::str::FromStr;

use regex::Regex;
use squirrel_model::{Labels, LabelsBuilder, is_label_name};

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Sets a label, if the regular expression fits.
    #[default]
    Replace,
    /// Sends only what fits.
    Keep,
    /// Sends only what does not fit.
    Drop,
    /// Sends only what has the target label's value as the source labels' values.
    KeepEqual,
    /// Sends only what has another.
    DropEqual,
    /// Copies labels whose names fit to names made of them.
    LabelMap,
    /// Removes labels whose names fit.
    LabelDrop,
    /// Removes labels whose names do not fit.
    LabelKeep,
    /// Sets a label to the source in small letters.
    Lowercase,
    /// Sets a label to the source in capital letters.
    Uppercase,
    /// Sets a label to the source's hash modulo a number.
    HashMod,
}

const ACTIONS: [(&str, Action); 11] = [
    ("replace", Action::Replace),
    ("keep", Action::Keep),
    ("drop", Action::Drop),
    ("keepequal", Action::KeepEqual),
    ("dropequal", Action::DropEqual),
    ("labelmap", Action::LabelMap),
    ("labeldrop", Action::LabelDrop),
    ("labelkeep", Action::LabelKeep),
    ("lowercase", Action::Lowercase),
    ("uppercase", Action::Uppercase),
    ("hashmod", Action::HashMod),
];

impl FromStr for Action {
    type Err = RelabelError;

    fn from_str(text: &str) -> Result<Self, RelabelError> {
        let known = ACTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, action)| *action).ok_or_else(|| RelabelError::Action(text.to_owned()))
    }
}

/// A rule as it is written; what is not set has Prometheus' default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleText {
    /// `replace`, `keep`, …
    pub action: Option<String>,
    /// Labels whose values are put together.
    pub source_labels: Vec<String>,
    /// What stands between them; `;` by default.
    pub separator: Option<String>,
    /// What the whole of it has to fit; `(.*)` by default.
    pub regex: Option<String>,
    /// The label that is set.
    pub target_label: Option<String>,
    /// What it is set to; `$1` by default.
    pub replacement: Option<String>,
    /// What `hashmod` divides by.
    pub modulus: Option<u64>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelabelError {
    /// Not an action.
    #[error(
        "action {0:?} is none; there are replace, keep, drop, keepequal, dropequal, labelmap, labeldrop, labelkeep, lowercase, uppercase and hashmod"
    )]
    Action(String),
    /// Not a regular expression.
    #[error("regex {0:?} cannot be read: {1}")]
    Regex(String, String),
    /// A label that is to be set and is not named.
    #[error("target_label is missing: {0} sets a label")]
    NoTarget(&'static str),
    /// Nothing to divide by.
    #[error("hashmod needs modulus, which is 1 or more")]
    Modulus,
    /// Something that is not the name of a label.
    #[error("{0:?} is not the name of a label")]
    Name(String),
    /// A setting that the action does not look at.
    #[error("{0} means nothing with this action")]
    Idle(&'static str),
}

/// A rule that was read.
#[derive(Clone, Debug)]
pub struct Rule {
    action: Action,
    source: Vec<String>,
    separator: String,
    regex: Regex,
    target: String,
    replacement: String,
    /// 0 where the action has none.
    modulus: u64,
}

/// A regular expression of more than this many bytes, compiled, is refused.
const REGEX_BYTES: usize = 1 << 20;

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &RuleText) -> Result<Self, RelabelError> {
        let action: Action = text.action.as_deref().unwrap_or("replace").parse()?;
        let pattern = text.regex.as_deref().unwrap_or("(.*)");
        // Prometheus' expressions fit from the beginning to the end, and dots fit line feeds.
        let regex = regex::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(REGEX_BYTES).build();
        let regex = regex.map_err(|error| RelabelError::Regex(pattern.to_owned(), last_line(&error.to_string())))?;
        for name in &text.source_labels {
            if !is_label_name(name) {
                return Err(RelabelError::Name(name.clone()));
            }
        }
        let by_names = matches!(action, Action::LabelMap | Action::LabelDrop | Action::LabelKeep);
        if by_names && !text.source_labels.is_empty() {
            return Err(RelabelError::Idle("source_labels"));
        }
        let sets = match action {
            Action::Replace => Some("replace"),
            Action::Lowercase => Some("lowercase"),
            Action::Uppercase => Some("uppercase"),
            Action::HashMod => Some("hashmod"),
            Action::KeepEqual => Some("keepequal"),
            Action::DropEqual => Some("dropequal"),
            _ => None,
        };
        let modulus = match (action == Action::HashMod, text.modulus) {
            (true, None | Some(0)) => return Err(RelabelError::Modulus),
            (false, Some(_)) => return Err(RelabelError::Idle("modulus")),
            (_, modulus) => modulus.unwrap_or(0),
        };
        let target = match (&text.target_label, sets) {
            (None, Some(action)) => return Err(RelabelError::NoTarget(action)),
            (Some(_), None) => return Err(RelabelError::Idle("target_label")),
            (target, _) => target.clone().unwrap_or_default(),
        };
        // With replace, the name may be made of what was found.
        if sets.is_some() && !is_label_name(&target) && !(action == Action::Replace && target.contains('$')) {
            return Err(RelabelError::Name(target));
        }
        Ok(Self {
            action,
            source: text.source_labels.clone(),
            separator: text.separator.clone().unwrap_or_else(|| ";".to_owned()),
            regex,
            target,
            replacement: text.replacement.clone().unwrap_or_else(|| "$1".to_owned()),
            modulus,
        })
    }

    /// Changes labels; false when the series is not sent.
    fn apply(&self, labels: &mut LabelsBuilder) -> bool {
        let source = || {
            let values: Vec<&str> = self.source.iter().map(|name| labels.get(name).unwrap_or_default()).collect();
            values.join(&self.separator)
        };
        match self.action {
            Action::Keep => return self.regex.is_match(&source()),
            Action::Drop => return !self.regex.is_match(&source()),
            Action::KeepEqual => return labels.get(&self.target).unwrap_or_default() == source(),
            Action::DropEqual => return labels.get(&self.target).unwrap_or_default() != source(),
            Action::Replace => {
                let source = source();
                let Some(found) = self.regex.captures(&source) else { return true };
                let (mut target, mut value) = (String::new(), String::new());
                found.expand(&self.target, &mut target);
                found.expand(&self.replacement, &mut value);
                // A name that comes out as none sets nothing.
                if is_label_name(&target) {
                    labels.set(target, value);
                }
            }
            Action::Lowercase => {
                let value = source().to_lowercase();
                labels.set(self.target.clone(), value);
            }
            Action::Uppercase => {
                let value = source().to_uppercase();
                labels.set(self.target.clone(), value);
            }
            Action::HashMod => {
                let value = md5::last_half(source().as_bytes()) % self.modulus.max(1);
                labels.set(self.target.clone(), value.to_string());
            }
            Action::LabelMap => {
                for (name, value) in pairs(labels) {
                    let Some(found) = self.regex.captures(&name) else { continue };
                    let mut target = String::new();
                    found.expand(&self.replacement, &mut target);
                    if is_label_name(&target) {
                        labels.set(target, value);
                    }
                }
            }
            Action::LabelDrop | Action::LabelKeep => {
                for (name, _) in pairs(labels) {
                    if self.regex.is_match(&name) == (self.action == Action::LabelDrop) {
                        labels.remove(&name);
                    }
                }
            }
        }
        true
    }
}

/// The labels as they are so far.
fn pairs(labels: &LabelsBuilder) -> Vec<(String, String)> {
    let labels = labels.build().unwrap_or_default();
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What stands last in an error of the regex crate: the reason, behind a drawing.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Labels that are added, and rules that are applied one after the other.
#[derive(Clone, Debug, Default)]
pub struct Relabelling {
    /// Added where a series has no label of that name, before the rules.
    pub external: Vec<(String, String)>,
    /// In their order.
    pub rules: Vec<Rule>,
}

impl Relabelling {
    /// The labels to send a series under; `None` when it is not sent. A series that the rules leave without a
    /// name is not sent either: no engine would take it.
    pub fn apply(&self, labels: &Labels) -> Option<Labels> {
        if self.external.is_empty() && self.rules.is_empty() {
            return Some(labels.clone());
        }
        let mut builder = labels.to_builder();
        for (name, value) in &self.external {
            if builder.get(name).is_none() {
                builder.set(name.clone(), value.clone());
            }
        }
        for rule in &self.rules {
            if !rule.apply(&mut builder) {
                return None;
            }
        }
        builder.build().ok().filter(|labels| !labels.metric_name().is_empty())
    }
}

#[cfg(test)]
mod tests;
