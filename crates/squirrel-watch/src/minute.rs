//! A minute of pings: what is told of it once it is over.

use std::time::Duration;

use squirrel_api::probes::ProbeMinute;
use squirrel_probe::Spread;

use crate::emodel::mean_opinion_score;

/// The percentiles that are told, as labels and as shares.
pub(crate) const PERCENTILES: [(&str, f64); 8] =
    [("0", 0.0), ("5", 0.05), ("25", 0.25), ("50", 0.5), ("75", 0.75), ("95", 0.95), ("99", 0.99), ("100", 1.0)];

/// Outcomes since the last whole minute. Jitter goes on over its end: it fades by a sixteenth with each answer
/// (RFC 3550), which in the few of one minute would hardly begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Minute {
    sent: u64,
    times: Spread,
    last: Option<Duration>,
    jitter: f64,
}

impl Minute {
    /// An outcome: the time of an answer, or none.
    pub(crate) fn add(&mut self, time: Option<Duration>) {
        self.sent += 1;
        let Some(time) = time else { return };
        self.times.add(time);
        if let Some(last) = self.last {
            self.jitter += (time.abs_diff(last).as_secs_f64() - self.jitter) / 16.0;
        }
        self.last = Some(time);
    }

    /// What is to be told, if anything came; what comes then is of the next minute.
    pub(crate) fn finish(&mut self) -> Option<ProbeMinute> {
        let (sent, times) = (std::mem::take(&mut self.sent), std::mem::take(&mut self.times));
        (sent > 0).then(|| figures(sent, &times, Some(self.jitter).filter(|_| self.last.is_some())))
    }
}

/// The figures of some questions.
pub(crate) fn figures(sent: u64, times: &Spread, jitter: Option<f64>) -> ProbeMinute {
    let loss = sent.saturating_sub(times.count()) as f64 / sent.max(1) as f64;
    let round_trip = PERCENTILES
        .iter()
        .filter_map(|(label, share)| Some((label.parse().ok()?, times.percentile(*share)?.as_secs_f64())));
    let jitter = jitter.filter(|_| times.count() > 0);
    let spread = Duration::from_secs_f64(jitter.unwrap_or_default());
    ProbeMinute {
        sent,
        loss,
        round_trip: round_trip.collect(),
        jitter,
        mos: times.percentile(0.5).map(|median| mean_opinion_score(median, spread, loss)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_minute_tells_percentiles_loss_and_what_a_call_would_sound_like() {
        let mut minute = Minute::default();
        (1..=18).for_each(|time| minute.add(Some(ms(time))));
        minute.add(None);
        minute.add(None);
        let told = minute.finish().expect("there were outcomes");
        assert_eq!((told.sent, told.loss), (20, 0.1));
        let at = |percentile| told.round_trip.iter().find(|(one, _)| *one == percentile).map(|(_, time)| *time);
        assert_eq!((at(0.0), at(50.0), at(95.0), at(100.0)), (Some(0.001), Some(0.009), Some(0.018), Some(0.018)));
        assert_eq!(told.round_trip.len(), 8);
        assert!(told.jitter.is_some_and(|jitter| (0.0006..0.001).contains(&jitter)), "{told:?}");
        assert!(told.mos.is_some_and(|mos| (2.9..3.6).contains(&mos)), "{told:?}");
        assert_eq!(minute.finish(), None, "nothing is told twice");
    }

    #[test]
    fn a_minute_without_an_answer_tells_loss_alone() {
        let mut minute = Minute::default();
        minute.add(Some(ms(5)));
        minute.finish();
        minute.add(None);
        let told = minute.finish().expect("a loss is an outcome");
        assert_eq!(told, ProbeMinute { sent: 1, loss: 1.0, ..ProbeMinute::default() });
    }

    #[test]
    fn jitter_is_that_of_rfc_3550_over_the_ends_of_minutes() {
        let (mut whole, mut parts) = (Spread::default(), Minute::default());
        let mut told = None;
        for (number, time) in [100, 116, 100, 116, 90, 91, 140].into_iter().enumerate() {
            whole.add(Duration::from_millis(time));
            parts.add(Some(ms(time)));
            if number % 3 == 2 {
                parts.finish();
            }
            told = Some(parts.jitter);
        }
        let expected = whole.jitter().expect("answers").as_secs_f64();
        assert!(told.is_some_and(|jitter| (jitter - expected).abs() < 1e-6), "{told:?} for {expected}");
    }
}
