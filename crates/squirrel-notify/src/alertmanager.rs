//! The state in the words of Alertmanager's API, version 2 (`api/v2/openapi.yaml`), so that `amtool`, Grafana and
//! scripts find what they know: `/api/v2/alerts`, `/api/v2/silences`, `/api/v2/status`.

use serde::{Deserialize, Serialize};
use squirrel_alert::AlertState;
use squirrel_model::{MatchOp, Matcher, Timestamp};

use crate::notifier::Notifier;
use crate::silences::{NewSilence, Silence};
use crate::{Matchers, MatchersError, Suppression, Texts};

/// Until when an alert that fires is said to last: it is said anew each time somebody asks.
const LASTS_MS: i64 = 5 * 60_000;

/// A condition on a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiMatcher {
    /// The label.
    pub name: String,
    /// What it is compared with.
    pub value: String,
    /// Whether that is a regular expression.
    pub is_regex: bool,
    /// Whether it must be so, or must not; old clients leave it out.
    #[serde(default = "ApiMatcher::default_equal")]
    pub is_equal: bool,
}

impl ApiMatcher {
    fn default_equal() -> bool {
        true
    }

    fn of(matcher: &Matcher) -> Self {
        Self {
            name: matcher.name().to_owned(),
            value: matcher.value().to_owned(),
            is_regex: matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex),
            is_equal: matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex),
        }
    }

    fn matcher(&self) -> Result<Matcher, MatchersError> {
        if !squirrel_model::is_label_name(&self.name) {
            return Err(MatchersError::Shape(self.name.clone()));
        }
        let op = match (self.is_regex, self.is_equal) {
            (false, true) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Regex,
            (true, false) => MatchOp::NotRegex,
        };
        Ok(Matcher::new(self.name.clone(), op, self.value.clone())?)
    }
}

/// A silence that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostableSilence {
    /// The silence that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which alerts.
    pub matchers: Vec<ApiMatcher>,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339.
    pub ends_at: String,
    /// Who.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

/// Why a silence in Alertmanager's words cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiSilenceError {
    /// A condition that is none.
    #[error("matchers: {0}")]
    Matchers(#[from] MatchersError),
    /// A moment that is none.
    #[error("{0}: {1}")]
    Moment(&'static str, String),
}

impl PostableSilence {
    /// What is asked for.
    ///
    /// # Errors
    /// Conditions or moments that cannot be read.
    pub fn new_silence(&self) -> Result<NewSilence, ApiSilenceError> {
        let moment = |name, text: &str| crate::calendar::moment(text).map_err(|why| ApiSilenceError::Moment(name, why));
        let matchers = self.matchers.iter().map(ApiMatcher::matcher).collect::<Result<_, _>>()?;
        Ok(NewSilence {
            // Clients send an empty one for a new silence.
            replaces: self.id.clone().filter(|id| !id.is_empty()),
            matchers: Matchers::new(matchers)?,
            starts_at: moment("startsAt", &self.starts_at)?,
            ends_at: moment("endsAt", &self.ends_at)?,
            author: self.created_by.clone(),
            comment: self.comment.clone(),
        })
    }
}

/// One word in an object of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiState {
    /// `active`, `pending` or `expired`.
    pub state: &'static str,
}

/// A silence as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GettableSilence {
    id: String,
    status: ApiState,
    updated_at: String,
    matchers: Vec<ApiMatcher>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    comment: String,
}

impl GettableSilence {
    /// A silence at a moment.
    pub fn of(silence: &Silence, at: Timestamp) -> Self {
        Self {
            id: silence.id.clone(),
            status: ApiState { state: silence.state(at).word() },
            updated_at: shown(silence.updated_at),
            matchers: silence.matchers.iter().map(ApiMatcher::of).collect(),
            starts_at: shown(silence.starts_at),
            ends_at: shown(silence.ends_at),
            created_by: silence.author.clone(),
            comment: silence.comment.clone(),
        }
    }
}

/// Whether an alert is told, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiAlertStatus {
    state: &'static str,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
    muted_by: Vec<String>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiReceiver {
    name: String,
}

/// An alert as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GettableAlert {
    annotations: Texts,
    #[serde(rename = "endsAt")]
    ends_at: String,
    fingerprint: String,
    receivers: Vec<ApiReceiver>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    status: ApiAlertStatus,
    #[serde(rename = "updatedAt")]
    updated_at: String,
    /// Alertmanager's spelling.
    #[serde(rename = "generatorURL")]
    generator_url: String,
    labels: Texts,
}

/// Which alerts somebody wants to see; Alertmanager's parameters of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiShow {
    /// Those that nothing holds back.
    pub active: bool,
    /// Those that a silence holds back.
    pub silenced: bool,
    /// Those that another alert holds back.
    pub inhibited: bool,
}

impl Default for ApiShow {
    fn default() -> Self {
        Self { active: true, silenced: true, inhibited: true }
    }
}

impl ApiShow {
    fn shows(self, status: &ApiAlertStatus) -> bool {
        (self.active || status.state != "active")
            && (self.silenced || status.silenced_by.is_empty())
            && (self.inhibited || status.inhibited_by.is_empty())
    }
}

impl Notifier {
    /// The alerts that fire, in Alertmanager's words: of those that are wanted the ones that fulfil all conditions.
    pub fn alertmanager_alerts(&self, at: Timestamp, filter: &Matchers, show: ApiShow) -> Vec<GettableAlert> {
        let fits = |labels: &Texts| {
            filter.iter().all(|one| one.matches(labels.get(one.name()).map(String::as_str).unwrap_or_default()))
        };
        let firing = self.views(at).alerts.into_iter().filter(|view| view.state == AlertState::Firing);
        let shown_alert = |view: crate::AlertView| {
            let mut status = ApiAlertStatus {
                state: if view.suppressed.is_empty() { "active" } else { "suppressed" },
                silenced_by: Vec::new(),
                inhibited_by: Vec::new(),
                muted_by: Vec::new(),
            };
            for held in &view.suppressed {
                match held {
                    Suppression::Silence { id } => status.silenced_by.push(id.clone()),
                    Suppression::Inhibition { by } | Suppression::Dependency { by } => {
                        status.inhibited_by.push(format!("{by:016x}"));
                    }
                    Suppression::Maintenance { .. } | Suppression::Flapping | Suppression::QuietHours => {
                        status.muted_by.push(held.text());
                    }
                }
            }
            GettableAlert {
                annotations: view.alert.annotations,
                ends_at: shown(at.plus_ms(LASTS_MS)),
                fingerprint: format!("{:016x}", view.alert.fingerprint),
                receivers: view.receivers.into_iter().map(|name| ApiReceiver { name }).collect(),
                starts_at: shown(Timestamp(view.alert.starts_at_ms)),
                status,
                updated_at: shown(at),
                generator_url: view.alert.generator_url,
                labels: view.alert.labels,
            }
        };
        let fitting = firing.filter(|view| fits(&view.alert.labels)).map(shown_alert);
        fitting.filter(|alert| show.shows(&alert.status)).collect()
    }

    /// All silences in Alertmanager's words.
    pub fn alertmanager_silences(&self, at: Timestamp) -> Vec<GettableSilence> {
        self.silences(at).iter().map(|view| GettableSilence::of(&view.silence, at)).collect()
    }
}

/// RFC 3339 with milliseconds; the epoch for moments that no calendar has.
fn shown(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_of_amtool_is_read_and_shown_again() {
        let text = r#"{"comment":"on it","createdBy":"ada","endsAt":"2026-11-20T13:00:00.000Z",
            "matchers":[{"isEqual":false,"isRegex":true,"name":"alertname","value":"a|b"},{"isRegex":false,"name":"site","value":"x"}],
            "startsAt":"2026-11-20T12:00:00+00:00","id":""}"#;
        let posted: PostableSilence = serde_json::from_str(text).expect("amtool's form");
        let new = posted.new_silence().expect("a silence");
        assert_eq!(new.matchers.texts(), [r#"alertname!~"a|b""#, r#"site="x""#]);
        assert_eq!(new.replaces, None);
        let at = new.starts_at;
        let mut silences = crate::silences::Silences::default();
        let id = silences.set(at, new).expect("good");
        let shown = GettableSilence::of(silences.all.get(&id).expect("it is there"), at);
        let shown = serde_json::to_value(shown).expect("plain data");
        assert_eq!(shown["startsAt"], "2026-11-20T12:00:00.000Z");
        assert_eq!(shown["status"]["state"], "active");
        assert_eq!(shown["matchers"][0]["isEqual"], false);
        assert_eq!(shown["createdBy"], "ada");
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_field() {
        let posted = |name: &str, starts: &str| PostableSilence {
            id: None,
            matchers: vec![ApiMatcher {
                name: name.to_owned(),
                value: "x".to_owned(),
                is_regex: false,
                is_equal: true,
            }],
            starts_at: starts.to_owned(),
            ends_at: "2026-11-20T12:00:00Z".to_owned(),
            created_by: String::new(),
            comment: String::new(),
        };
        let said = |posted: PostableSilence| posted.new_silence().expect_err("cannot be read").to_string();
        assert!(said(posted("a", "now")).starts_with("startsAt: "));
        assert!(said(posted("a-b", "2026-11-20T11:00:00Z")).starts_with("matchers: "));
    }
}
