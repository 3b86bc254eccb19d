//! Asks a running daemon: HTTP/1.1 over one connection a question.

mod error;
mod form;

use std::net::Ipv6Addr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use squirrel_model::{IoText, Timestamp};
use tokio::net::TcpStream;

use crate::json::write_time;
use crate::reply::{QueryData, Reply};
pub use error::ClientError;
use error::refusal;
use form::encode;

/// Where and how patiently to ask.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the whole answer, after the connection stands.
    pub answer_timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub max_bytes: usize,
}

/// What goes with a request.
struct Sent {
    body: String,
    kind: &'static str,
    authorization: Option<String>,
}

impl Default for Sent {
    fn default() -> Self {
        Self { body: String::new(), kind: "application/x-www-form-urlencoded", authorization: None }
    }
}

/// What the daemon answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// A query's value and what was said beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Queried {
    /// The value.
    pub data: QueryData,
    /// The answer may not be what was asked for.
    pub warnings: Vec<String>,
    /// Remarks about the question.
    pub infos: Vec<String>,
}

/// Whether a text names a daemon: `HOST:PORT`, with or without `http://` before it.
///
/// # Errors
/// What is wrong with it, for people.
pub fn check_address(text: &str) -> Result<(), String> {
    let address = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let told = "write ADDR:PORT, such as 127.0.0.1:7775 or [::1]:7775";
    if text.starts_with("https://") {
        return Err(format!("a daemon speaks HTTP and not HTTPS; {told}"));
    }
    let (host, port) = address.rsplit_once(':').ok_or_else(|| format!("it has no port; {told}"))?;
    if port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err(format!("its port is no number from 1 to 65535; {told}"));
    }
    let name = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    let is_host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.bytes().all(name),
    };
    if is_host { Ok(()) } else { Err(format!("its host is neither a name nor an address; {told}")) }
}

impl Client {
    /// A client of the daemon at `address` (`HOST:PORT`, with or without `http://` before it), with
    /// 2 s to connect, 60 s to answer and 64 MiB for the answer.
    pub fn new(address: &str) -> Self {
        let address = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        Self {
            address: address.to_owned(),
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_mins(1),
            max_bytes: 64 << 20,
        }
    }

    /// The value of an expression at `at`, or now.
    ///
    /// # Errors
    /// No daemon, no answer, or a refusal with the daemon's words.
    pub async fn query(&self, expr: &str, at: Option<Timestamp>) -> Result<Queried, ClientError> {
        let mut form = vec![("query", expr.to_owned())];
        form.extend(at.map(|at| ("time", seconds(at))));
        self.ask("/api/v1/query", &form).await
    }

    /// The values of an expression from `start` to `end`, each `step_ms` milliseconds.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn query_range(
        &self,
        expr: &str,
        start: Timestamp,
        end: Timestamp,
        step_ms: i64,
    ) -> Result<Queried, ClientError> {
        let form = [
            ("query", expr.to_owned()),
            ("start", seconds(start)),
            ("end", seconds(end)),
            ("step", seconds(Timestamp(step_ms))),
        ];
        self.ask("/api/v1/query_range", &form).await
    }

    async fn ask(&self, path: &str, form: &[(&str, String)]) -> Result<Queried, ClientError> {
        let answer = self.post(path, form).await?;
        let reply: Reply<QueryData> = self.envelope(&answer)?;
        let data = reply.data.ok_or_else(|| self.not_understood("a success without data"))?;
        Ok(Queried { data, warnings: reply.warnings, infos: reply.infos })
    }

    /// One of Squirrel's own resources, such as `/api/collectors`.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn resource<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.get_resource(path, &[]).await
    }

    /// One of Squirrel's own resources that has parameters, such as `/api/live/processes`.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn get_resource<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, ClientError> {
        let answer = self.get(path, parameters).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|e| self.not_understood(&e.to_string()))
    }

    /// The answer of one of Squirrel's own resources to a form that is sent to it with the daemon's token.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn post_resource<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, String)],
        token: &str,
    ) -> Result<T, ClientError> {
        let sent = Sent { body: encode(form), authorization: Some(bearer(token)), ..Sent::default() };
        let answer = self.send(Method::POST, path, sent).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|e| self.not_understood(&e.to_string()))
    }

    /// A `GET`, whatever is answered.
    ///
    /// # Errors
    /// No daemon, or no answer.
    pub async fn get(&self, path: &str, parameters: &[(&str, String)]) -> Result<Answer, ClientError> {
        let target = if parameters.is_empty() { path.to_owned() } else { format!("{path}?{}", encode(parameters)) };
        self.send(Method::GET, &target, Sent::default()).await
    }

    /// A `POST` of a form, whatever is answered.
    ///
    /// # Errors
    /// No daemon, or no answer.
    pub async fn post(&self, path: &str, form: &[(&str, String)]) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, Sent { body: encode(form), ..Sent::default() }).await
    }

    /// Does something: a `POST` of JSON with the daemon's token, and what came of it.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
        token: &str,
    ) -> Result<T, ClientError> {
        let sent = Sent { body, kind: "application/json", authorization: Some(bearer(token)) };
        let answer = self.send(Method::POST, path, sent).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|e| self.not_understood(&e.to_string()))
    }

    async fn send(&self, method: Method, target: &str, body: Sent) -> Result<Answer, ClientError> {
        let stream = self.connect().await?;
        let exchange = self.exchange(stream, method, target, body);
        tokio::time::timeout(self.answer_timeout, exchange).await.unwrap_or_else(|_| {
            let seconds = self.answer_timeout.as_secs();
            Err(ClientError::TooSlow { address: self.address.clone(), seconds })
        })
    }

    async fn connect(&self) -> Result<TcpStream, ClientError> {
        let not_running = |reason| ClientError::NotRunning { address: self.address.clone(), reason };
        match tokio::time::timeout(self.connect_timeout, TcpStream::connect(&self.address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(not_running(IoText(&error).to_string())),
            Err(_) => Err(not_running(format!("no connection within {} s", self.connect_timeout.as_secs()))),
        }
    }

    async fn exchange(
        &self,
        stream: TcpStream,
        method: Method,
        target: &str,
        sent: Sent,
    ) -> Result<Answer, ClientError> {
        let broken = |reason: String| ClientError::Broken { address: self.address.clone(), reason };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(e.to_string()))?;
        // The connection ends by itself when the sender is dropped at the end of this function.
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, sent.kind)
            .header(header::USER_AGENT, concat!("squirrel/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &sent.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(sent.body))).map_err(|e| broken(e.to_string()))?;
        let response = sender.send_request(request).await.map_err(|e| broken(e.to_string()))?;
        let status = response.status().as_u16();
        // An answer that announces its size is refused before it is read.
        if hyper::body::Body::size_hint(response.body()).lower() > self.max_bytes as u64 {
            return Err(ClientError::TooLarge { limit: self.max_bytes });
        }
        let body = Limited::new(response.into_body(), self.max_bytes).collect().await.map_err(|e| {
            if e.is::<LengthLimitError>() {
                ClientError::TooLarge { limit: self.max_bytes }
            } else {
                broken(e.to_string())
            }
        })?;
        connection.abort();
        Ok(Answer { status, body: body.to_bytes() })
    }

    fn envelope<T: DeserializeOwned>(&self, answer: &Answer) -> Result<Reply<T>, ClientError> {
        if answer.status != 200 {
            return Err(refusal(answer));
        }
        serde_json::from_slice(&answer.body).map_err(|e| self.not_understood(&e.to_string()))
    }

    fn not_understood(&self, reason: &str) -> ClientError {
        ClientError::NotUnderstood { address: self.address.clone(), reason: reason.to_owned() }
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn seconds(at: Timestamp) -> String {
    let mut text = String::new();
    write_time(&mut text, at);
    text
}

#[cfg(test)]
mod tests;
