//! Parameters of a request: of its URL, and of a form in its body.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use futures_util::StreamExt as _;
use squirrel_api::ApiError;

use crate::failure::Failure;
use crate::server::State;

/// The parameters, those of the body before those of the URL, as Go's `Request.Form` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Parameters as given, for tests.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The first value of a parameter; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<State> for Params {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &State) -> Result<Self, Failure> {
        let (head, body) = request.into_parts();
        let mut pairs = Vec::new();
        if head.method == Method::POST {
            let limits = &state.parts.limits;
            let read = read_body(&head.headers, body, limits.body_bytes);
            let body = tokio::time::timeout(limits.body_time, read).await.map_err(|_| {
                Failure::new(
                    StatusCode::REQUEST_TIMEOUT,
                    ApiError::bad_data("the body of the request did not arrive in time"),
                )
            })??;
            pairs = decode(&body)?;
        }
        pairs.extend(decode(head.uri.query().unwrap_or_default().as_bytes())?);
        Ok(Self(pairs))
    }
}

async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| ApiError::bad_data(format!("error reading the body: {e}")))?;
        if out.len() + chunk.len() > limit {
            let message = format!("the body of the request is larger than {limit} bytes");
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ApiError::bad_data(message)));
        }
        out.extend_from_slice(&chunk);
    }
    let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !out.is_empty() && !form {
        let message = "the body must be a form: send it as application/x-www-form-urlencoded";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ApiError::bad_data(message)));
    }
    Ok(out)
}

/// Decodes `application/x-www-form-urlencoded`
/// (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>); a broken `%` is an error, as
/// it is for Prometheus.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let mut pairs = Vec::new();
    for part in text.split(|b| *b == b'&').filter(|part| !part.is_empty()) {
        let mut halves = part.splitn(2, |b| *b == b'=');
        let name = decode_part(halves.next().unwrap_or_default())?;
        pairs.push((name, decode_part(halves.next().unwrap_or_default())?));
    }
    Ok(pairs)
}

fn decode_part(text: &[u8]) -> Result<String, ApiError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|digit| digit.and_then(|d| char::from(*d).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err(ApiError::bad_data(
                        "error parsing form values: a % is not followed by two hexadecimal digits",
                    ));
                };
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| ApiError::bad_data("error parsing form values: not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let owned = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(pairs("query=a%2Bb+c&time=4"), [owned("query", "a+b c"), owned("time", "4")]);
        assert_eq!(pairs("match%5B%5D=a&match[]=b"), [owned("match[]", "a"), owned("match[]", "b")]);
        assert_eq!(pairs("&&a&b=&=c&d=e=f"), [owned("a", ""), owned("b", ""), owned("", "c"), owned("d", "e=f")]);
        assert_eq!(pairs("q=%C3%A9"), [owned("q", "é")]);
        for broken in ["q=%", "q=%4", "q=%zz", "q=%FF", "%=1"] {
            assert!(decode(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        let params = Params(pairs("limit=&query=up&query=down"));
        assert_eq!(params.get("limit"), None);
        assert_eq!(params.get("query"), Some("up"));
        assert_eq!(params.all("query").collect::<Vec<_>>(), ["up", "down"]);
    }

    proptest! {
        #[test]
        fn any_octets_are_refused_or_give_no_more_than_they_hold(text in any::<Vec<u8>>()) {
            let held = decode(&text).map_or(0, |pairs| pairs.iter().map(|(n, v)| n.len() + v.len()).sum());
            prop_assert!(held <= text.len());
        }
    }
}
