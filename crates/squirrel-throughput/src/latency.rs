//! How long answers take while the network is idle and while it is loaded, and a grade for the difference.
//!
//! Source: draft-ietf-ippm-responsiveness, "Responsiveness under Working Conditions". It asks by HTTP/2 and TLS; here
//! the connection's own handshake and an echo stand for these, and the smoothed round-trip time of the loaded
//! connections for a request on them.

use std::time::Duration;

/// Where the times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Connections and echoes of Squirrel's own server.
    Server,
    /// Echoes of ICMP.
    Icmp,
    /// The loaded connections' own estimates alone.
    Connections,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Echoes before the load.
    pub idle: Vec<Duration>,
    /// Echoes beside the load.
    pub loaded: Vec<Duration>,
    /// Handshakes of new connections beside the load.
    pub handshakes: Vec<Duration>,
    /// Smoothed round-trip times of the loaded connections.
    pub own: Vec<Duration>,
    /// Echoes that were not answered in time, beside the load.
    pub missed: u32,
}

/// How a network answers under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Nobody notices the load.
    High,
    /// Calls and games suffer at times.
    Medium,
    /// Everything that waits for answers suffers.
    Low,
}

impl Grade {
    /// The grade in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Latency under load.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Where the times come from.
    pub source: Source,
    /// Median while idle.
    pub idle: Option<Duration>,
    /// Median while loaded.
    pub loaded: Duration,
    /// 95th percentile while loaded.
    pub loaded_p95: Duration,
    /// Round trips a minute under load.
    pub rpm: f64,
    /// Echoes that were answered, and that were not.
    pub answered: usize,
    /// Echoes without an answer.
    pub missed: u32,
    /// The grade.
    pub grade: Grade,
}

/// Judges what was measured; nothing if there is nothing under load.
pub fn judge(samples: &Samples, source: Source) -> Option<Latency> {
    let beside = if samples.loaded.is_empty() { &samples.own } else { &samples.loaded };
    let foreign: Vec<f64> =
        [trimmed_mean(&samples.handshakes), trimmed_mean(&samples.loaded)].into_iter().flatten().collect();
    let own = trimmed_mean(&samples.own);
    let seconds = match (mean(&foreign), own) {
        (Some(foreign), Some(own)) => f64::midpoint(foreign, own),
        (one, other) => one.or(other)?,
    };
    let rpm = 60.0 / seconds.max(1e-6);
    let grade = match rpm {
        rpm if rpm >= 1000.0 => Grade::High,
        rpm if rpm >= 200.0 => Grade::Medium,
        _ => Grade::Low,
    };
    Some(Latency {
        source,
        idle: percentile(&samples.idle, 50),
        loaded: percentile(beside, 50)?,
        loaded_p95: percentile(beside, 95)?,
        rpm,
        answered: samples.loaded.len(),
        missed: samples.missed,
        grade,
    })
}

impl Latency {
    /// What a person reads.
    pub fn sentence(&self) -> String {
        let ms = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1000.0);
        let idle = self.idle.map_or_else(String::new, |idle| format!("{} idle, ", ms(idle)));
        let told = match self.source {
            Source::Server => "echoes of the server",
            Source::Icmp => "echoes of ICMP",
            Source::Connections => "the connections' own estimates",
        };
        let meaning = match self.grade {
            Grade::High => "calls and games do not notice the load",
            Grade::Medium => "calls and games suffer at times",
            Grade::Low => "everything that waits for answers suffers: look for a queue that is too long",
        };
        let missed = match self.missed {
            0 => String::new(),
            missed => format!(", {missed} echoes without an answer"),
        };
        format!(
            "{idle}{} loaded (95 % within {}), by {told}{missed}: {} responsiveness, {:.0} round trips a minute; {meaning}",
            ms(self.loaded),
            ms(self.loaded_p95),
            self.grade.name(),
            self.rpm
        )
    }
}

/// The value that so many percent do not exceed (nearest rank).
fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied()
}

/// The mean of the lower 95 percent, as the draft asks: a single outlier shall not decide.
fn trimmed_mean(values: &[Duration]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.truncate((values.len() * 95).div_ceil(100));
    mean(&sorted.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|ms| Duration::from_millis(*ms)).collect()
    }

    #[test]
    fn round_trips_a_minute_are_the_mean_of_foreign_and_own() {
        let samples = Samples {
            idle: ms(&[10]),
            loaded: ms(&[40; 20]),
            handshakes: ms(&[60; 20]),
            own: ms(&[150; 20]),
            missed: 2,
        };
        let latency = judge(&samples, Source::Server).unwrap();
        assert!((latency.rpm - 600.0).abs() < 0.01, "{latency:?}");
        assert_eq!((latency.grade, latency.loaded, latency.missed), (Grade::Medium, Duration::from_millis(40), 2));
        assert!(latency.sentence().starts_with("10.00 ms idle, 40.00 ms loaded (95 % within 40.00 ms)"));
    }

    #[test]
    fn grades_follow_the_round_trips() {
        for (time, grade) in
            [(1, Grade::High), (60, Grade::High), (61, Grade::Medium), (300, Grade::Medium), (301, Grade::Low)]
        {
            let samples = Samples { loaded: ms(&[time; 3]), ..Samples::default() };
            assert_eq!(judge(&samples, Source::Icmp).unwrap().grade, grade, "{time} ms");
        }
    }

    #[test]
    fn an_outlier_among_twenty_does_not_decide() {
        let mut times = vec![20; 19];
        times.push(5000);
        let samples = Samples { loaded: ms(&times), ..Samples::default() };
        assert!((judge(&samples, Source::Icmp).unwrap().rpm - 3000.0).abs() < 1.0);
    }

    #[test]
    fn without_load_there_is_no_judgement() {
        assert_eq!(judge(&Samples { idle: ms(&[1]), ..Samples::default() }, Source::Icmp), None);
    }
}
