//! Events as lines of JSON, for those who watch.

use std::time::Duration;

use serde::Serialize;
use squirrel_monitor::protocols::{Event, Kind};

/// What the inspector told, as it happens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventLine {
    /// The version of this form: 1.
    pub schema: u32,
    /// `message`, `failure` or `version`.
    pub event: &'static str,
    /// Seconds since the proxy started.
    pub seconds: f64,
    /// `mcp` or `http`.
    pub protocol: &'static str,
    /// `to_server` or `to_client`; absent for a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    /// `request`, `response`, `notification` or `invalid`; for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The message type, or the version.
    #[serde(rename = "type")]
    pub name: String,
    /// More of the type: the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Bytes of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// From the request to this answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

impl EventLine {
    /// The event in one line of JSON.
    pub fn to_json(&self) -> String {
        // A structure of numbers and texts always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` for an event that this version does not know.
    pub(super) fn of(event: &Event<'_>, elapsed: Duration) -> Option<Self> {
        let line = |event, protocol, name: &str, detail: Option<&str>| Self {
            schema: 1,
            event,
            seconds: elapsed.as_secs_f64(),
            protocol,
            direction: None,
            kind: None,
            name: name.to_owned(),
            detail: detail.map(str::to_owned),
            bytes: None,
            latency_ms: None,
            error: None,
        };
        Some(match event {
            Event::Message(message) => Self {
                direction: Some(message.direction.name()),
                kind: Some(match message.kind {
                    Kind::Request => "request",
                    Kind::Response => "response",
                    Kind::Notification => "notification",
                    Kind::Invalid => "invalid",
                }),
                bytes: Some(message.size),
                latency_ms: message.latency.map(|latency| (latency.as_secs_f64() * 1e6).round() / 1e3),
                ..line("message", message.protocol, message.label, message.detail)
            },
            Event::Failure(failure) => Self {
                direction: Some(failure.direction.name()),
                error: Some(failure.kind.name()),
                ..line("failure", failure.protocol, failure.label, failure.detail)
            },
            Event::Version(version) => line("version", version.protocol, version.version, None),
            _ => return None,
        })
    }
}
