//! Cases as text: `load` series, `eval` an expression, and what it should give.
//!
//! The notation is that of Prometheus' own acceptance files (written down here from its description,
//! see the manual of `promtool test rules` for the series), so that the same runner can judge
//! Squirrel by those files as well as by our own.
//!
//! ```text
//! load 1m
//!   http_requests_total{job="web"}  0+10x5
//!
//! eval instant at 5m rate(http_requests_total[5m])
//!   {job="web"} 0.16666666666666666
//! ```

#[path = "script/commands.rs"]
mod commands;
#[path = "script/compare.rs"]
mod compare;
#[path = "script/derived.rs"]
mod derived;
#[path = "script/points.rs"]
mod points;
#[path = "script/run.rs"]
mod run;

pub(crate) use run::{Outcome, Verdict, run};
