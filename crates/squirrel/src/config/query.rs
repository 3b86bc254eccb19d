//! `[query]`: what a question in PromQL may cost this host.

use std::time::Duration;

use anyhow::ensure;
use squirrel_server::Limits;

use super::sample::Setting;
use super::sizes::MemorySize;
use super::{Sourced, file};

/// The table, every value resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) timeout: Sourced<Duration>,
    pub(crate) max_samples: Sourced<u64>,
    pub(crate) max_memory: Sourced<MemorySize>,
    pub(crate) max_points: Sourced<usize>,
    pub(crate) max_answer_samples: Sourced<usize>,
    pub(crate) max_concurrency: Sourced<usize>,
    pub(crate) max_waiting: Sourced<usize>,
}

/// Each query that runs holds a thread.
const MOST_AT_ONCE: usize = 64;

/// Below this the dashboard itself has no answers.
const LEAST_SAMPLES: u64 = 10_000;

impl Query {
    pub(super) fn resolve(file: &file::Query) -> Self {
        let usual = Limits::default();
        let memory = usize::try_from(usual.query_memory_bytes).unwrap_or(usize::MAX);
        Self {
            timeout: Sourced::choose(None, file.timeout.map(Into::into), || usual.query_time),
            max_samples: Sourced::choose(None, file.max_samples, || usual.query_samples),
            max_memory: Sourced::choose(None, file.max_memory, || MemorySize(memory)),
            max_points: Sourced::choose(None, file.max_points.map(Into::into), || usual.query_points),
            max_answer_samples: Sourced::choose(None, file.max_answer_samples, || usual.answer_samples),
            max_concurrency: Sourced::choose(None, file.max_concurrency.map(Into::into), || usual.queries),
            max_waiting: Sourced::choose(None, file.max_waiting.map(Into::into), || usual.waiting),
        }
    }

    /// What the types of the values do not say.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let at_once = self.max_concurrency.value;
        ensure!(at_once <= MOST_AT_ONCE, "max_concurrency under [query] is 1 to {MOST_AT_ONCE}, not {at_once}");
        for (key, samples) in
            [("max_samples", self.max_samples.value), ("max_answer_samples", self.max_answer_samples.value as u64)]
        {
            ensure!(samples >= LEAST_SAMPLES, "{key} under [query] is at least {LEAST_SAMPLES}, not {samples}");
        }
        Ok(())
    }

    /// The limits of the server.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            query_time: self.timeout.value,
            query_samples: self.max_samples.value,
            query_memory_bytes: self.max_memory.value.0 as u64,
            query_points: self.max_points.value,
            answer_samples: self.max_answer_samples.value,
            queries: self.max_concurrency.value,
            waiting: self.max_waiting.value,
            ..Limits::default()
        }
    }
}

/// The table in the sample.
pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        section: "query",
        key: "timeout",
        default: r#""15s""#,
        help: &[
            "Longest time for a question in PromQL. These limits are for the API and the dashboard, not for rules.",
        ],
    },
    Setting {
        section: "query",
        key: "max_samples",
        default: "20000000",
        help: &["Most samples that a question may touch, read or computed on the way."],
    },
    Setting {
        section: "query",
        key: "max_memory",
        default: r#""512MiB""#,
        help: &["Most memory for what a question computes on the way."],
    },
    Setting {
        section: "query",
        key: "max_points",
        default: "11000",
        help: &["Most points of one series in an answer: the range divided by the step."],
    },
    Setting {
        section: "query",
        key: "max_answer_samples",
        default: "2000000",
        help: &["Most samples of an answer; a million take about 30 MB."],
    },
    Setting {
        section: "query",
        key: "max_concurrency",
        default: "4",
        help: &["Questions that are answered at one time. With one processor the default is 2."],
    },
    Setting {
        section: "query",
        key: "max_waiting",
        default: "64",
        help: &["Questions that wait for others, 5 s at most; more are refused with status 503."],
    },
];
