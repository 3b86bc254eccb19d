//! Checks that somebody asks for by `/probe`: bounded in number, by the modules and the rules of the configuration.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use squirrel_api::{ApiError, ErrorType};
use squirrel_check::{Asked, Checker, Finding, Modules, USUAL_MODULE};
use squirrel_model::{Batch, Kind, Labels, Metric, Unit, exposition};
use squirrel_server::{CheckQuery, Reply};
use tokio::sync::Semaphore;

use crate::config;

static REQUESTS: Metric = Metric::new(
    "squirrel_check_requests_total",
    Kind::Counter,
    Unit::None,
    "Checks that were asked for by /probe, by what became of them: success, failure, or refused without a look.",
)
.why("A Prometheus that scrapes Squirrel in place of blackbox_exporter sees a refused check as a failed scrape.")
.check(&[
    "Ask the same address by hand: the answer says why.",
    "Raise at_once under [checks] when too many were under way.",
])
.labels(&["outcome"]);

/// The metrics of this part.
pub(crate) static METRICS: &[&Metric] = &[&REQUESTS];

const OUTCOMES: [&str; 3] = ["success", "failure", "refused"];

/// Carries checks out for the server.
pub(crate) struct Checks {
    current: RwLock<Arc<Current>>,
    outcomes: [AtomicU64; 3],
}

/// What a configuration says.
struct Current {
    modules: Arc<Modules>,
    checker: Checker,
    turns: Semaphore,
    at_once: usize,
}

impl Current {
    fn of(config: &config::Checks) -> Self {
        for warning in &config.modules.warnings {
            tracing::warn!("{}:{}: {}", config.modules_file.value.display(), warning.place, warning.message);
        }
        let at_once = config.at_once.value;
        Self {
            modules: Arc::clone(&config.modules),
            checker: Checker::new().with_rules(config.rules.clone()),
            turns: Semaphore::new(at_once),
            at_once,
        }
    }
}

impl Checks {
    pub(crate) fn new(config: &config::Checks) -> Self {
        Self { current: RwLock::new(Arc::new(Current::of(config))), outcomes: Default::default() }
    }

    /// Takes a configuration that was read again; what is under way ends by the old one.
    pub(crate) fn reload(&self, config: &config::Checks) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Current::of(config));
    }

    /// Adds the rows of this part.
    pub(crate) fn rows(&self, out: &mut Batch) {
        for (outcome, count) in OUTCOMES.iter().zip(&self.outcomes) {
            let labels = Labels::new([("outcome", *outcome)]).unwrap_or_default();
            out.put(&REQUESTS, &labels, count.load(Ordering::Relaxed) as f64);
        }
    }

    fn count(&self, outcome: usize) {
        if let Some(count) = self.outcomes.get(outcome) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn look(&self, query: &CheckQuery) -> Result<String, ApiError> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let name = query.module.as_deref().unwrap_or(USUAL_MODULE);
        let module = current.modules.get(name).map_err(|error| ApiError::invalid_parameter("module", error))?;
        let Ok(_turn) = current.turns.try_acquire() else {
            let why = format!(
                "{} checks are under way already: ask again later, or raise at_once under [checks]",
                current.at_once
            );
            return Err(ApiError::new(ErrorType::Unavailable, why));
        };
        let asked = Asked { target: &query.target, hostname: query.hostname.as_deref(), limit: query.limit };
        let finding = current.checker.ask(&module, &asked).await;
        self.count(usize::from(!finding.success));
        Ok(if query.debug { in_words(name, &finding) } else { metrics(&finding) })
    }
}

impl squirrel_server::Checks for Checks {
    fn check(&self, query: CheckQuery) -> Reply<'_, String> {
        Box::pin(async move {
            let answer = self.look(&query).await;
            if answer.is_err() {
                self.count(2);
            }
            answer
        })
    }
}

fn metrics(finding: &Finding) -> String {
    let mut text = String::new();
    exposition::write_batch(&mut text, &finding.batch);
    text
}

/// What happened, and the metrics below it; the module's settings may be secrets and are not told.
fn in_words(module: &str, finding: &Finding) -> String {
    let mut text = format!("Looked at by the module {module}:\n");
    for line in &finding.log {
        let _ = writeln!(text, "  {line}");
    }
    let verdict = if finding.success { "everything is as it should be" } else { "something is not as it should be" };
    let _ = writeln!(text, "After {:.6} s: {verdict}.\n\nIts metrics:", finding.duration.as_secs_f64());
    text + &metrics(finding)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use squirrel_server::Checks as _;

    use super::*;
    use crate::config::Config;

    fn query(target: &str, module: Option<&str>) -> CheckQuery {
        CheckQuery {
            target: target.to_owned(),
            module: module.map(str::to_owned),
            hostname: None,
            debug: false,
            limit: Some(std::time::Duration::from_secs(20)),
        }
    }

    fn checks(text: &str) -> Checks {
        Checks::new(&Config::of_text(text).checks)
    }

    fn counted(checks: &Checks) -> Vec<f64> {
        let mut batch = Batch::default();
        checks.rows(&mut batch);
        batch.rows.iter().map(|row| row.value).collect()
    }

    #[tokio::test]
    async fn targets_are_looked_at_where_the_configuration_allows_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap().to_string();
        let checks = checks("");
        let answer = checks.check(query(&target, Some("tcp_connect"))).await.unwrap();
        assert!(answer.contains("\nprobe_success 0\n"), "{answer}");
        let debug = CheckQuery { debug: true, ..query(&target, Some("tcp_connect")) };
        let answer = checks.check(debug.clone()).await.unwrap();
        assert!(answer.contains("  127.0.0.1: 127.0.0.1 is an address of this machine"), "{answer}");
        checks.reload(&Config::of_text("[checks]\nallow = [\"127.0.0.0/8\"]").checks);
        let answer = checks.check(query(&target, Some("tcp_connect"))).await.unwrap();
        assert!(answer.contains("# TYPE probe_success gauge\nprobe_success 1\n"), "{answer}");
        assert!(checks.check(debug).await.unwrap().contains("everything is as it should be"));
        assert_eq!(counted(&checks), [2.0, 2.0, 0.0]);
    }

    #[tokio::test]
    async fn what_there_is_not_is_refused_in_words() {
        let checks = checks("");
        let error = checks.check(query("a:1", Some("nothing"))).await.unwrap_err();
        assert_eq!(error.kind, ErrorType::BadData);
        assert!(error.message.contains("there is no module \"nothing\"; there are dns_tcp,"), "{}", error.message);
        let full = self::checks("[checks]\nat_once = 1");
        let held = Arc::clone(&full.current.read().unwrap());
        let turn = held.turns.try_acquire().unwrap();
        let error = full.check(query("a:1", None)).await.unwrap_err();
        assert!(error.kind == ErrorType::Unavailable && error.message.contains("at_once under [checks]"));
        drop(turn);
        assert_eq!((counted(&checks), counted(&full)), (vec![0.0, 0.0, 1.0], vec![0.0, 0.0, 1.0]));
    }
}
