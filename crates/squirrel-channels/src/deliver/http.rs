//! Receivers that are told by HTTP: which body, which signature, and what an answer means.

use std::time::Duration;

use ring::hmac;
use serde_json::Value;
use squirrel_notify::Notification;
use squirrel_outbound::{Answer, Client, Destination, Request, Secret};

use crate::queue::Outcome;
use crate::render::{
    Circumstances, OwnBody, Words, alertmanager_body, discord_body, hex, ntfy_body, pagerduty_body, slack_body,
    teams_body, telegram_body, webhook_value,
};

/// The header that says when a webhook was signed, in seconds since the epoch, and the signature.
const SIGNATURE: &str = "x-squirrel-signature";

/// A receiver.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) to: Destination,
    pub(crate) body: Body,
    /// The key by which a webhook's body is signed.
    pub(crate) signature: Option<Secret>,
}

/// Which language it speaks.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Webhook,
    Own(OwnBody),
    Slack,
    Teams,
    Discord,
    Telegram { chat_id: String, thread_id: Option<i64> },
    Ntfy { topic: Secret },
    Pagerduty { routing_key: Secret },
    Alertmanager { resend: Duration },
}

impl Body {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Webhook | Self::Own(_) => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Discord => "discord",
            Self::Telegram { .. } => "telegram",
            Self::Ntfy { .. } => "ntfy",
            Self::Pagerduty { .. } => "pagerduty",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }

    /// A pager is a person's: it rings for what is over already no more than a chat does.
    pub(crate) fn is_machine(&self) -> bool {
        matches!(self, Self::Webhook | Self::Own(_) | Self::Alertmanager { .. })
    }

    /// The whole body as JSON.
    pub(crate) fn value(&self, notification: &Notification, words: &Words, about: &Circumstances) -> Value {
        match self {
            Self::Webhook => webhook_value(notification),
            Self::Own(body) => body.fill(notification, words, about.at),
            Self::Slack => slack_body(words),
            Self::Teams => teams_body(words),
            Self::Discord => discord_body(words, notification.at_ms),
            Self::Telegram { chat_id, thread_id } => telegram_body(words, chat_id, *thread_id),
            Self::Ntfy { topic } => ntfy_body(words, topic.expose()),
            Self::Pagerduty { routing_key } => pagerduty_body(notification, words, routing_key.expose()),
            Self::Alertmanager { resend } => alertmanager_body(notification, *resend, about.at),
        }
    }
}

impl Http {
    pub(crate) async fn deliver(
        &self,
        client: &Client,
        notification: &Notification,
        words: &Words,
        about: &Circumstances,
    ) -> Outcome {
        let body = self.body.value(notification, words, about).to_string().into_bytes();
        let mut request = Request::post("application/json", body);
        if let Some(key) = &self.signature {
            let value = signature(key, about.at.0 / 1000, &request.body);
            request = request.with_header(SIGNATURE, value);
        }
        match client.send(&self.to, request).await {
            Ok(answer) => meaning(&answer, about),
            Err(error) if error.is_temporary() => Outcome::Failed { answer: error.to_string(), retry_after: None },
            Err(error) => Outcome::Refused { answer: error.to_string() },
        }
    }
}

/// What an answer means: 2xx is taken; 408, 425, 429 and 5xx may be otherwise later; all else is refused.
fn meaning(answer: &Answer, about: &Circumstances) -> Outcome {
    let text = format!("HTTP {}: {}", answer.status, answer.first_line());
    match answer.status {
        200..300 => Outcome::Delivered { answer: text },
        408 | 425 | 429 | 500.. => Outcome::Failed {
            retry_after: answer.retry_after(about.at).or_else(|| retry_after_in(&answer.body)),
            answer: text,
        },
        _ => Outcome::Refused { answer: text },
    }
}

/// Discord and Telegram tell the pause in the body: `retry_after`, or `parameters.retry_after`, in seconds.
fn retry_after_in(body: &[u8]) -> Option<Duration> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let seconds = body.get("retry_after").or_else(|| body.get("parameters")?.get("retry_after"))?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// `t=TIME,v1=HEX`: HMAC-SHA256 by the shared key over `TIME.BODY`. With the time inside, a receiver can refuse old
/// messages that somebody sends again.
fn signature(key: &Secret, seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    format!("t={seconds},v1={}", hex(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256_of_time_and_body() {
        // By `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac sesame`.
        let expected = "t=1700000000,v1=961ee441db69fca5ccc174d9488a77f3c0397cd3ce633bd80dbc6e3320242468";
        assert_eq!(signature(&Secret::new("sesame"), 1_700_000_000, br#"{"a":1}"#), expected);
    }

    #[test]
    fn pauses_are_found_in_bodies() {
        assert_eq!(retry_after_in(br#"{"retry_after": 1.5}"#), Some(Duration::from_millis(1500)));
        assert_eq!(retry_after_in(br#"{"parameters": {"retry_after": 7}}"#), Some(Duration::from_secs(7)));
        assert_eq!(retry_after_in(b"{}"), None);
        assert_eq!(retry_after_in(br#"{"retry_after": -1e300}"#), None);
        assert_eq!(retry_after_in(b"<html>"), None);
    }
}
