//! An error on its way out.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use squirrel_api::{ApiError, envelope};

/// An error with its HTTP status, which is the kind's own unless HTTP has a better one.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    error: ApiError,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: ApiError) -> Self {
        Self { status, error }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, error }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = String::new();
        envelope::write_error(&mut body, &self.error);
        let mut response = json(body);
        *response.status_mut() = self.status;
        response
    }
}

/// An answer of JSON that is already written.
pub(crate) fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
