//! A request from its beginning to its end, however it ends.

use http::{HeaderMap, StatusCode};
use squirrel_monitor::{MessageRecorder, Recorder, RequestGuard, Stopwatch};

/// On which side of a request its service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

/// The names of gRPC's codes, as its specification numbers them; 0 is success.
const GRPC: [&str; 17] = [
    "grpc_ok",
    "grpc_cancelled",
    "grpc_unknown",
    "grpc_invalid_argument",
    "grpc_deadline_exceeded",
    "grpc_not_found",
    "grpc_already_exists",
    "grpc_permission_denied",
    "grpc_resource_exhausted",
    "grpc_failed_precondition",
    "grpc_aborted",
    "grpc_out_of_range",
    "grpc_unimplemented",
    "grpc_internal",
    "grpc_unavailable",
    "grpc_data_loss",
    "grpc_unauthenticated",
];

/// What `grpc-status` says, if it is there; an error is the name of its code. A number that the
/// specification does not know is `grpc_unknown`, as it demands.
pub(super) fn grpc_status(headers: &HeaderMap) -> Option<Result<(), &'static str>> {
    let text = headers.get("grpc-status")?;
    let code: Option<usize> = text.to_str().ok().and_then(|text| text.trim().parse().ok());
    let name = code.and_then(|code| GRPC.get(code)).copied().unwrap_or("grpc_unknown");
    Some(if name == "grpc_ok" { Ok(()) } else { Err(name) })
}

/// Whether a message is gRPC's.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The failure that a status tells by itself.
pub(super) fn http_failure(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        400..=499 => Some("http_4xx"),
        500..=599 => Some("http_5xx"),
        _ => None,
    }
}

/// A request that has begun. Dropped, it was cancelled.
#[derive(Debug)]
pub(super) struct Pending {
    recorder: Recorder,
    message: MessageRecorder,
    side: Side,
    began: Stopwatch,
    answered: u64,
    ended: bool,
    _in_flight: RequestGuard,
}

impl Pending {
    pub(super) fn begin(recorder: &Recorder, label: &str, side: Side, size: u64) -> Self {
        let message = recorder.message_type(label);
        match side {
            Side::Server => message.received(size),
            Side::Client => message.sent(size),
        }
        Self {
            recorder: recorder.clone(),
            message,
            side,
            began: Stopwatch::start(),
            answered: 0,
            ended: false,
            _in_flight: recorder.begin_request(),
        }
    }

    /// Adds bytes of the answer's body.
    pub(super) fn answered(&mut self, bytes: u64) {
        self.answered = self.answered.saturating_add(bytes);
    }

    /// The answer is complete, and says so or says how the request failed.
    pub(super) fn end(mut self, failure: Option<&'static str>) {
        match self.side {
            Side::Server => self.message.sent(self.answered),
            Side::Client => self.message.received(self.answered),
        }
        self.close(failure);
    }

    /// There is no answer, or not all of it.
    pub(super) fn fail(mut self, failure: &'static str) {
        self.close(Some(failure));
    }

    fn close(&mut self, failure: Option<&'static str>) {
        self.ended = true;
        self.message.latency(self.began.elapsed());
        if let Some(failure) = failure {
            self.message.failed();
            self.recorder.record_protocol_error(failure);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.ended {
            self.close(Some("cancelled"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_grpc_have_their_names() {
        let cases = [
            (None, None),
            (Some("0"), Some(Ok(()))),
            (Some("5"), Some(Err("grpc_not_found"))),
            (Some("16"), Some(Err("grpc_unauthenticated"))),
            (Some("17"), Some(Err("grpc_unknown"))),
            (Some("-1"), Some(Err("grpc_unknown"))),
            (Some("99999999999999999999999"), Some(Err("grpc_unknown"))),
            (Some(""), Some(Err("grpc_unknown"))),
        ];
        for (text, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(text) = text {
                headers.insert("grpc-status", text.parse().expect("a header"));
            }
            assert_eq!(grpc_status(&headers), expected, "{text:?}");
        }
    }

    #[test]
    fn a_status_fails_from_400_on() {
        let told = [100, 204, 304, 404, 499, 500, 599, 600].map(|code| {
            let code = StatusCode::from_u16(code).expect("a status");
            http_failure(code)
        });
        let expected = [None, None, None, Some("http_4xx"), Some("http_4xx"), Some("http_5xx"), Some("http_5xx"), None];
        assert_eq!(told, expected);
    }
}
