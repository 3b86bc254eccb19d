//! What can go wrong with a request, in the words of Prometheus' API.

/// The kind of an error; its word is `errorType` in the answer.
/// <https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// A parameter is missing or wrong: 400.
    BadData,
    /// The client went away: 499.
    Canceled,
    /// The expression cannot be executed: 422.
    Execution,
    /// A fault of ours: 500.
    Internal,
    /// There is no such thing: 404.
    NotFound,
    /// The time for the request ran out, in the queue or while it was worked on: 503.
    Timeout,
    /// No capacity is left: 503.
    Unavailable,
}

impl ErrorType {
    /// The word in the answer.
    pub fn word(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Canceled => "canceled",
            Self::Execution => "execution",
            Self::Internal => "internal",
            Self::NotFound => "not_found",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status code.
    pub fn status(self) -> u16 {
        match self {
            Self::BadData => 400,
            Self::Canceled => 499,
            Self::Execution => 422,
            Self::Internal => 500,
            Self::NotFound => 404,
            Self::Timeout | Self::Unavailable => 503,
        }
    }
}

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.word())]
pub struct ApiError {
    /// Its kind.
    pub kind: ErrorType,
    /// What is wrong and, where possible, what to do.
    pub message: String,
}

impl ApiError {
    /// An error of `kind`.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A wrong request.
    pub fn bad_data(message: impl Into<String>) -> Self {
        Self::new(ErrorType::BadData, message)
    }

    /// A parameter with a wrong value, in Prometheus' words.
    pub fn invalid_parameter(name: &str, why: impl std::fmt::Display) -> Self {
        Self::bad_data(format!("invalid parameter {name:?}: {why}"))
    }
}
