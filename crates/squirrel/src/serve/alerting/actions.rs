//! What people do about alerts: silence, take care, try a channel.

use std::time::Duration;

use squirrel_api::alerts::{AcknowledgeRequest, ActionDone, AlertAction, ShownDelivery, SilenceRequest};
use squirrel_api::{ApiError, ErrorType};
use squirrel_channels::{Accepted, Channels, State};
use squirrel_model::Timestamp;
use squirrel_notify::{
    AckTarget, Acknowledgement, Matchers, NewSilence, Notification, NotifiedAlert, Reason, Texts, fingerprint,
};

use super::desk::{Desk, KnownChannel};
use super::page;

/// How long somebody waits for what a channel says to a test, and how often it is looked at.
const TEST_TIME: Duration = Duration::from_secs(20);
const TEST_LOOK: Duration = Duration::from_millis(50);

/// Does what was asked for.
///
/// # Errors
/// What was asked for cannot be, and why.
pub(super) fn act(desk: &Desk, action: AlertAction, at: Timestamp, url: &str) -> Result<ActionDone, ApiError> {
    match action {
        AlertAction::Silence(request) => silence(desk, request, at),
        AlertAction::Expire(request) => {
            desk.change(|notifier| notifier.expire_silence(at, &request.id)).map_err(|error| match error {
                squirrel_notify::SilenceError::Unknown(_) => ApiError::new(ErrorType::NotFound, error.to_string()),
                error => bad(error),
            })?;
            Ok(ActionDone { id: Some(request.id), ..ActionDone::default() })
        }
        AlertAction::Acknowledge(request) => {
            let target = target(&request)?;
            let until = request.until.map(Timestamp::from_seconds);
            let said = Acknowledgement::new(at, &request.who, &request.comment, until).map_err(bad)?;
            let alerts = desk.change(|notifier| notifier.acknowledge(at, &target, &said)).map_err(missing)?;
            Ok(ActionDone { alerts: Some(alerts), ..ActionDone::default() })
        }
        AlertAction::Unacknowledge(request) => {
            let target = target(&request)?;
            let alerts = desk.change(|notifier| notifier.unacknowledge(at, &target, &request.who)).map_err(missing)?;
            Ok(ActionDone { alerts: Some(alerts), ..ActionDone::default() })
        }
        AlertAction::Test(request) => {
            let Some(channels) = desk.channels() else {
                return Err(ApiError::new(ErrorType::Unavailable, "the daemon is about to stop"));
            };
            let message = test_message(&request.channel, at, url);
            let delivery = desk.runtime.block_on(try_channel(&channels, message, &desk.known()))?;
            Ok(ActionDone { delivery: Some(delivery), ..ActionDone::default() })
        }
    }
}

fn bad(error: impl std::fmt::Display) -> ApiError {
    ApiError::bad_data(error.to_string())
}

fn missing(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorType::NotFound, error.to_string())
}

fn silence(desk: &Desk, request: SilenceRequest, at: Timestamp) -> Result<ActionDone, ApiError> {
    let new = NewSilence {
        replaces: request.replaces,
        matchers: Matchers::parse(&request.matchers).map_err(bad)?,
        starts_at: request.starts_at.map_or(at, Timestamp::from_seconds),
        ends_at: Timestamp::from_seconds(request.ends_at),
        author: request.author,
        comment: request.comment,
    };
    let id = desk.change(|notifier| notifier.add_silence(at, new)).map_err(bad)?;
    Ok(ActionDone { id: Some(id), ..ActionDone::default() })
}

fn target(request: &AcknowledgeRequest) -> Result<AckTarget, ApiError> {
    match &request.fingerprint {
        Some(text) => {
            let number = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
            number.map(AckTarget::Fingerprint).ok_or_else(|| {
                bad(format!(
                    "{text:?} is no alert's number: sixteen hexadecimal digits, as `squirrel alerts` shows them"
                ))
            })
        }
        None if request.matchers.is_empty() => Err(bad("say which alerts are meant: fingerprint or matchers")),
        None => Ok(AckTarget::Matching(Matchers::parse(&request.matchers).map_err(bad)?)),
    }
}

fn test_message(channel: &str, at: Timestamp, url: &str) -> Notification {
    let texts = |pairs: &[(&str, &str)]| -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let labels = texts(&[("alertname", "SquirrelTest"), ("severity", "info")]);
    let annotations = texts(&[
        ("summary", "This is a test: nothing is wrong"),
        ("description", "Somebody tried this channel. Alerts come to it the same way."),
    ]);
    let set = squirrel_model::Labels::new([("alertname", "SquirrelTest"), ("severity", "info")]).unwrap_or_default();
    let alert = NotifiedAlert {
        firing: true,
        labels: labels.clone(),
        annotations: annotations.clone(),
        starts_at_ms: at.millis(),
        ends_at_ms: None,
        value: 0.0,
        threshold: None,
        expr: "vector(0)".to_owned(),
        generator_url: url.to_owned(),
        fingerprint: fingerprint(&set),
        acknowledged_by: None,
    };
    Notification {
        id: at.millis().unsigned_abs(),
        channel: channel.to_owned(),
        group_key: format!("test/{}", at.millis()),
        reason: Reason::Test,
        at_ms: at.millis(),
        group_labels: Texts::new(),
        common_labels: labels,
        common_annotations: annotations,
        alerts: vec![alert],
        more: 0,
        external_url: url.to_owned(),
        chart: None,
    }
}

/// Hands the message in, and waits for the first answer of the other side.
async fn try_channel(
    channels: &Channels,
    message: Notification,
    known: &[KnownChannel],
) -> Result<ShownDelivery, ApiError> {
    let (id, name) = (message.id, message.channel.clone());
    match channels.tell(vec![message]).await.first() {
        Some(Accepted::NoSuchChannel) => {
            let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
            let there = if names.is_empty() {
                "none is configured, write a table such as [[notify.webhook]]".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            return Err(ApiError::new(ErrorType::NotFound, format!("no channel is called {name:?}: {there}")));
        }
        Some(_) => {}
        None => return Err(ApiError::new(ErrorType::Unavailable, "the daemon is about to stop")),
    }
    let answered = async {
        loop {
            let deliveries = channels.deliveries().await;
            let ours = deliveries.iter().find(|one| one.id == id && one.channel == name);
            if let Some(one) = ours.filter(|one| one.state != State::Waiting || one.attempts > 0) {
                return page::delivery(one);
            }
            tokio::time::sleep(TEST_LOOK).await;
        }
    };
    tokio::time::timeout(TEST_TIME, answered).await.map_err(|_| {
        let seconds = TEST_TIME.as_secs();
        ApiError::new(
            ErrorType::Timeout,
            format!("channel {name:?} gave no answer within {seconds} s; it is tried again"),
        )
    })
}
