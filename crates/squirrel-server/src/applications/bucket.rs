//! How often something may happen: a bucket that fills by itself and is emptied by use.

use squirrel_model::Elapsed;

/// So many at once, and so many a second after that.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    size: f64,
    a_second: f64,
    left: f64,
    seen: Option<Elapsed>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(size: f64, a_second: f64) -> Self {
        Self { size, a_second, left: size, seen: None }
    }

    /// Takes `amount`, or nothing when there is less.
    pub(super) fn take(&mut self, now: Elapsed, amount: f64) -> bool {
        if let Some(seen) = self.seen.replace(now) {
            let passed = now.0.saturating_sub(seen.0).as_secs_f64();
            self.left = (self.left + passed * self.a_second).min(self.size);
        }
        let enough = self.left >= amount;
        if enough {
            self.left -= amount;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_used_up_comes_back_with_time_and_not_beyond_the_size() {
        let mut bucket = Bucket::new(3.0, 2.0);
        let at = |ms| Elapsed(Duration::from_millis(ms));
        assert_eq!([0; 4].map(|ms| bucket.take(at(ms), 1.0)), [true, true, true, false]);
        assert!(!bucket.take(at(400), 1.0) && bucket.take(at(500), 1.0));
        assert!(!bucket.take(at(1_000_000), 4.0), "more than it holds");
        assert!(bucket.take(at(1_000_000), 3.0) && !bucket.take(at(0), 1.0), "a clock that goes back gives nothing");
    }
}
