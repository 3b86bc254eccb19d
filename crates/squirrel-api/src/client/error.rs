//! Why a question has no answer.

use squirrel_model::Untrusted;

use super::Answer;
use crate::reply::Reply;

/// A question that got no answer, or a wrong one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no daemon is running at {address}: {reason}. Start it with `squirrel serve`, or name its address")]
    NotRunning {
        /// Where it was looked for.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// Connected, but the conversation broke off.
    #[error("the daemon at {address} broke off: {reason}")]
    Broken {
        /// Whom it was about.
        address: String,
        /// What happened.
        reason: String,
    },
    /// No answer in time.
    #[error("the daemon at {address} did not answer within {seconds} s; ask for less, or allow more time")]
    TooSlow {
        /// Whom it was about.
        address: String,
        /// The time that was given.
        seconds: u64,
    },
    /// An answer that is larger than allowed.
    #[error("the answer is larger than {limit} bytes; ask for less: fewer series, or a larger step")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The daemon refused the question.
    #[error("{message}")]
    Refused {
        /// HTTP status code.
        status: u16,
        /// Prometheus' word for the kind; empty when the answer was no envelope.
        kind: String,
        /// The daemon's words.
        message: String,
    },
    /// What answers there is not Squirrel, or another version of it.
    #[error("what answers at {address} does not speak as expected: {reason}")]
    NotUnderstood {
        /// Whom it was about.
        address: String,
        /// What was found.
        reason: String,
    },
}

/// The daemon's own words where it used the envelope, else the first line of what it said.
pub(super) fn refusal(answer: &Answer) -> ClientError {
    let status = answer.status;
    if let Ok(reply) = serde_json::from_slice::<Reply<serde_json::Value>>(&answer.body)
        && !reply.error.is_empty()
    {
        return ClientError::Refused { status, kind: reply.error_type, message: reply.error };
    }
    let text = String::from_utf8_lossy(&answer.body);
    let line: String = text.lines().next().unwrap_or_default().chars().take(300).collect();
    let message = format!("the daemon answered {status}: {}", Untrusted(&line));
    ClientError::Refused { status, kind: String::new(), message }
}
