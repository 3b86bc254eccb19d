//! `--fail-on loss=1%,p95=50ms`: when a target is too bad.

use std::time::Duration;

use anyhow::{Context as _, bail};
use squirrel_probe::ping::Report;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Loss,
    /// A share of the times, 0 to 1.
    Percentile(f64),
    Mean,
    Jitter,
    Variation,
}

/// A figure and the most that it may be: a share for losses, else seconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    text: String,
    figure: Figure,
    most: f64,
}

/// Reads limits such as `loss=1%,p95=50ms`.
///
/// # Errors
/// What is no limit, with what there is.
pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<Limit>> {
    text.split(',').map(|one| limit(one.trim())).collect()
}

fn limit(text: &str) -> anyhow::Result<Limit> {
    let help = "limits are loss=1%, min, mean, p50 to p99.9, max, jitter or variation with a time, such as p95=50ms";
    let (name, most) = text.split_once('=').with_context(|| format!("{text:?} is no limit: {help}"))?;
    let figure = match name.trim() {
        "loss" => Figure::Loss,
        "min" => Figure::Percentile(0.0),
        "max" => Figure::Percentile(1.0),
        "mean" | "avg" => Figure::Mean,
        "jitter" => Figure::Jitter,
        "variation" => Figure::Variation,
        name => match name.strip_prefix('p').and_then(|share| share.parse::<f64>().ok()) {
            Some(share) if (0.0..=100.0).contains(&share) => Figure::Percentile(share / 100.0),
            _ => bail!("{name:?} is not measured: {help}"),
        },
    };
    let most = most.trim();
    let most = if figure == Figure::Loss {
        let share = most.strip_suffix('%').unwrap_or(most).parse::<f64>().ok();
        share.filter(|share| (0.0..=100.0).contains(share)).map(|share| share / 100.0)
    } else {
        super::span(most).ok().map(|most| most.as_secs_f64())
    };
    let most = most.with_context(|| format!("{text:?} has no value that fits: {help}"))?;
    Ok(Limit { text: text.to_owned(), figure, most })
}

impl Limit {
    /// What a target does worse than it may, for people; none if it does not. A target that never answered is worse
    /// than every limit.
    pub(crate) fn broken_by(&self, report: &Report) -> Option<String> {
        let times = &report.times;
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let value = match self.figure {
            Figure::Loss => report.loss_ratio(),
            Figure::Percentile(share) => seconds(times.percentile(share)),
            Figure::Mean => seconds(times.mean()),
            Figure::Jitter => seconds(times.jitter()),
            // Of a single answer there is none.
            Figure::Variation => seconds(times.variation().or(times.min().map(|_| Duration::ZERO))),
        };
        match (value, self.figure) {
            (None, _) => Some(format!("no answer, limit {}", self.text)),
            (Some(value), _) if value <= self.most => None,
            (Some(value), Figure::Loss) => Some(format!("loss {:.2}%, limit {}", value * 100.0, self.text)),
            (Some(value), _) => Some(format!("{:.3} ms, limit {}", value * 1000.0, self.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use squirrel_model::Elapsed;
    use squirrel_probe::simulated::{Simulated, Way};
    use squirrel_probe::{Ping, Plan};

    use super::*;

    fn report(way: Way) -> Report {
        let mut network = Simulated::new(vec![way]);
        let mut ping = Ping::new(Plan { count: Some(100), ..Plan::default() }, 1, Elapsed::default());
        network.run(&mut ping, Duration::from_hours(1));
        ping.report(0)
    }

    #[test]
    fn a_limit_is_broken_by_what_is_worse() {
        let lossy = report(Way { drop_each: 50, ..Way::default() });
        let broken = |text: &str| parse(text).expect("limits").iter().filter_map(|one| one.broken_by(&lossy)).count();
        assert_eq!(broken("loss=1%,p95=50ms"), 1);
        assert_eq!(broken("loss=2%, p95=10ms, max=0.01, jitter=1ms, variation=1ms"), 0);
        assert_eq!(broken("p95=9ms,mean=9ms,max=9ms,min=9ms"), 4);
        let silent = report(Way { loss: 1.0, ..Way::default() });
        assert_eq!(parse("p95=1h").expect("limits")[0].broken_by(&silent).as_deref(), Some("no answer, limit p95=1h"));
    }

    #[test]
    fn what_is_no_limit_is_said() {
        for wrong in ["loss", "loss=x", "loss=101%", "p95=", "p101=1ms", "speed=1", "", "p95=-1ms"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
