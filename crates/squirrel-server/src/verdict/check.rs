//! What a check is, and what it says.

use std::borrow::Cow;

use squirrel_alert::Shown;
use squirrel_alert::thresholds::{Threshold, Thresholds};
use squirrel_api::{Finding, Level};
use squirrel_model::Labels;

/// One check: an expression whose values are compared with two thresholds.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name; stable.
    pub(crate) id: &'static str,
    /// What it is about, to begin a sentence.
    pub(crate) about: &'static str,
    /// PromQL; each of its samples is judged.
    pub(crate) expr: &'static str,
    /// The metric without which there is nothing to judge by.
    pub(crate) needs: &'static str,
    /// The label that names the subject; without it the subject is this host.
    pub(crate) subject: Option<&'static str>,
    /// From this value on it is a warning.
    pub(crate) warning: &'static Threshold,
    /// From this value on it is bad.
    pub(crate) bad: &'static Threshold,
    /// The sentence; `{subject}` and `{value}` are filled in.
    pub(crate) sentence: &'static str,
    /// What to look at first.
    pub(crate) first: &'static [&'static str],
}

impl Check {
    /// What the check says of one sample; none when it is below the thresholds or no number.
    pub(crate) fn finding(&self, labels: &Labels, value: f64, thresholds: &Thresholds) -> Option<Finding> {
        let level = if value >= thresholds.get(self.bad) {
            Level::Bad
        } else if value >= thresholds.get(self.warning) {
            Level::Warning
        } else {
            return None;
        };
        let subject = self.subject.and_then(|label| labels.get(label)).unwrap_or("this host");
        Some(Finding {
            check: Cow::Borrowed(self.id),
            level,
            subject: subject.to_owned(),
            sentence: self.sentence(subject, value),
            value,
            expr: Cow::Borrowed(self.expr),
            check_first: self.first.iter().copied().map(Cow::Borrowed).collect(),
        })
    }

    fn sentence(&self, subject: &str, value: f64) -> String {
        let value = match self.warning.shown {
            Shown::Count | Shown::Days | Shown::Seconds => format!("{:.0}", value.round()),
            Shown::Score => format!("{value:.1}"),
            Shown::Percent if value < 0.1 => format!("{:.1} %", value * 100.0),
            Shown::Percent => format!("{:.0} %", value * 100.0),
        };
        // The value first: a subject comes from outside and may look like a placeholder.
        self.sentence.replace("{value}", &value).replace("{subject}", subject)
    }
}
