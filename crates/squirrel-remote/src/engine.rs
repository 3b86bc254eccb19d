//! PromQL asked of another program: Prometheus, Mimir, Thanos, VictoriaMetrics, over Prometheus' HTTP API.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>

mod answers;
mod health;

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use squirrel_model::{Batch, Labels, MatchOp, Matcher, NAME_LABEL, TimeRange, Timestamp, Untrusted};
use squirrel_outbound::{Answer as HttpAnswer, Client, Destination, Request, SendError};
use squirrel_promql::engine::{Listed, Lookup, Moments, Terms, Trouble};
use squirrel_promql::{Answer, Engine, EngineError, Query};
use tokio::runtime::Handle;

use health::Health;
pub use health::METRICS;

/// How often it is asked whether to give up.
const STOP_EVERY: Duration = Duration::from_millis(50);

/// Most characters of an engine's words in an error.
const MOST_WORDS: usize = 1_000;

/// How often it is asked whether it answers, by [`RemoteEngine::watch`].
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long that may take.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// What an answer may cost at most, whatever its terms say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Most bytes of an answer.
    pub answer_bytes: usize,
    /// Longest time for an answer.
    pub time: Duration,
}

impl Default for EngineLimits {
    /// 64 MB, about two million samples, and a minute.
    fn default() -> Self {
        Self { answer_bytes: 64 << 20, time: Duration::from_mins(1) }
    }
}

/// Another program that answers PromQL. Expressions were parsed here before, so that what is no PromQL is refused with
/// its place and without a journey.
pub struct RemoteEngine {
    client: Client,
    to: Destination,
    limits: EngineLimits,
    runtime: Handle,
    health: Health,
}

impl fmt::Debug for RemoteEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteEngine").field("to", &self.to).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl RemoteEngine {
    /// The engine whose API is below `/api/v1` of the destination's URL. Requests run on `runtime`; questions must come
    /// from threads that are not its own, such as those of `spawn_blocking`.
    pub fn new(to: Destination, limits: EngineLimits, runtime: Handle) -> Self {
        Self {
            client: Client::new(),
            to: to.with_answer_limit(limits.answer_bytes),
            limits,
            runtime,
            health: Health::default(),
        }
    }

    /// Asks now and then whether the engine answers, so that one that is away is noticed before somebody asks. Never
    /// ends.
    pub async fn watch(&self) {
        let to = self.to.clone().with_timeout(LOOK_TIME);
        let form = encoded(&[("query", "vector(1)".to_owned())]).into_bytes();
        loop {
            let request = Request::post("application/x-www-form-urlencoded", form.clone()).at("/api/v1/query");
            let answer = self.exchange(&to, request).await;
            // It is noted, and nobody waits for the value.
            let _ = self.note(answer.and_then(|answer| self.understood(&answer, answers::value)));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Adds the rows of [`METRICS`].
    pub fn rows(&self, out: &mut Batch) {
        self.health.rows(out);
    }

    fn note<T>(&self, outcome: Result<T, EngineError>) -> Result<T, EngineError> {
        self.health.note(&self.to, &outcome);
        outcome
    }

    /// Posts a form, which has no limit of length as URLs have, and reads the data of a successful answer.
    fn ask<T>(
        &self,
        path: &str,
        form: &[(&str, String)],
        terms: &Terms<'_>,
        read: fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, EngineError> {
        let body = encoded(form).into_bytes();
        let request = Request::post("application/x-www-form-urlencoded", body).at(path);
        self.note(self.send(request, terms).and_then(|answer| self.understood(&answer, read)))
    }

    /// Sends a request until there is an answer or the terms are over.
    fn send(&self, request: Request, terms: &Terms<'_>) -> Result<HttpAnswer, EngineError> {
        let to = self.to.clone().with_timeout(terms.time.min(self.limits.time));
        self.runtime.block_on(async {
            let mut sent = pin!(self.exchange(&to, request));
            loop {
                match tokio::time::timeout(STOP_EVERY, &mut sent).await {
                    Ok(answer) => return answer,
                    // The connection ends with the future: engines stop to work for a client that is gone.
                    Err(_) if (terms.stop)() => {
                        return Err(EngineError::new(Trouble::Stopped, format!("{to} was not waited for any longer")));
                    }
                    Err(_) => {}
                }
            }
        })
    }

    async fn exchange(&self, to: &Destination, request: Request) -> Result<HttpAnswer, EngineError> {
        let answer = match self.client.send(to, request.clone()).await {
            // A connection that was kept may be closed in the moment of its use. A question changes nothing.
            Err(SendError::Broken { .. }) => self.client.send(to, request).await,
            answer => answer,
        };
        answer.map_err(|error| EngineError::new(Trouble::Unavailable, format!("{to} cannot be asked: {error}")))
    }

    /// The data of an answer, or the engine's own words for why there are none.
    fn understood<T>(&self, answer: &HttpAnswer, read: fn(&[u8]) -> Result<T, String>) -> Result<T, EngineError> {
        let to = &self.to;
        if answer.is_cut {
            let bytes = self.limits.answer_bytes;
            let message = format!(
                "the answer of {to} is longer than {bytes} bytes: ask for fewer series, a shorter range or a longer step"
            );
            return Err(EngineError::new(Trouble::Execution, message));
        }
        if answer.is_success() {
            return read(&answer.body).map_err(|why| {
                EngineError::new(Trouble::Internal, format!("the answer of {to} is not understood: {why}"))
            });
        }
        let words = answers::refusal(&answer.body).unwrap_or_else(|| answer.first_line());
        let words: String = words.chars().take(MOST_WORDS).collect();
        let words = Untrusted(&words);
        let (trouble, message) = match answer.status {
            400 => (Trouble::BadData, format!("{to} refuses the question: {words}")),
            422 => (Trouble::Execution, format!("{to} cannot answer: {words}")),
            401 | 403 => (
                Trouble::Unavailable,
                format!("{to} does not let us in (status {}): check its authentication under [store]", answer.status),
            ),
            404 => (
                Trouble::Unavailable,
                format!("{to} has no query API at this path: url under [store] is what stands before /api/v1"),
            ),
            429 | 502..=504 => {
                (Trouble::Unavailable, format!("{to} takes no question now (status {}): {words}", answer.status))
            }
            status => (Trouble::Internal, format!("{to} answered with status {status}: {words}")),
        };
        Err(EngineError::new(trouble, message))
    }

    fn look_up<T>(
        &self,
        path: &str,
        lookup: Lookup<'_>,
        terms: &Terms<'_>,
        read: fn(&[u8]) -> Result<Listed<T>, String>,
    ) -> Result<Listed<T>, EngineError> {
        // The values of a label can only be had by GET, with its name in the path.
        let form = lookup_form(lookup);
        if path.ends_with("/values") {
            let request = Request::get().at(format!("{path}?{}", encoded(&form)));
            return self.note(self.send(request, terms).and_then(|answer| self.understood(&answer, read)));
        }
        self.ask(path, &form, terms, read)
    }
}

impl Engine for RemoteEngine {
    fn instant(&self, query: &Query, at: Timestamp, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        let form = [("time", at.to_string())].into_iter().chain(query_form(query, terms));
        self.ask("/api/v1/query", &form.collect::<Vec<_>>(), terms, answers::value)
    }

    fn range(&self, query: &Query, moments: Moments, terms: &Terms<'_>) -> Result<Answer, EngineError> {
        let times = [
            ("start", moments.start.to_string()),
            ("end", moments.end.to_string()),
            ("step", Timestamp(moments.step_ms).to_string()),
        ];
        let form = times.into_iter().chain(query_form(query, terms));
        self.ask("/api/v1/query_range", &form.collect::<Vec<_>>(), terms, answers::value)
    }

    fn series(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<Labels>, EngineError> {
        let everything = [Matcher::new(NAME_LABEL, MatchOp::NotEqual, "").into_iter().collect()];
        // Without a selector there is no answer to this one.
        let sets = if lookup.sets.is_empty() { &everything } else { lookup.sets };
        self.look_up("/api/v1/series", Lookup { sets, ..lookup }, terms, answers::series)
    }

    fn label_names(&self, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.look_up("/api/v1/labels", lookup, terms, answers::names)
    }

    fn label_values(&self, label: &str, lookup: Lookup<'_>, terms: &Terms<'_>) -> Result<Listed<String>, EngineError> {
        self.look_up(&format!("/api/v1/label/{}/values", escaped(label)), lookup, terms, answers::names)
    }
}

fn query_form<'a>(query: &Query, terms: &Terms<'_>) -> impl Iterator<Item = (&'a str, String)> {
    let timeout = ("timeout", format!("{:.3}", terms.time.as_secs_f64()));
    let lookback = terms.lookback_ms.map(|ms| ("lookback_delta", Timestamp(ms).to_string()));
    [("query", query.text().to_owned()), timeout].into_iter().chain(lookback)
}

/// All of time is what engines take when no time is given.
fn lookup_form(lookup: Lookup<'_>) -> Vec<(&'static str, String)> {
    let mut form: Vec<_> = lookup.selectors().map(|selector| ("match[]", selector)).collect();
    if lookup.range.start > TimeRange::ALL.start {
        form.push(("start", lookup.range.start.to_string()));
    }
    if lookup.range.end < TimeRange::ALL.end {
        form.push(("end", lookup.range.end.to_string()));
    }
    form.extend(lookup.limit.map(|limit| ("limit", limit.to_string())));
    form
}

/// `application/x-www-form-urlencoded`.
fn encoded(form: &[(&str, String)]) -> String {
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

/// All but what RFC 3986 calls unreserved by its octets.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}
