//! Marks that stand for times: the higher the slower, and a cross for what was lost.

use std::time::Duration;

use crate::ping::show::ms;

const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
pub(crate) const LOST: char = '×';
/// Shorter times are no different.
const LEAST: f64 = 1e-6;
/// Between shorter times than this nobody needs to look for a difference.
const PLAIN: f64 = 1e-3;
/// Longer times are none that anybody waits for.
const MOST: f64 = 1e9;

/// From the shortest to the longest time, by equal ratios.
pub(crate) struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// None without a time.
    pub(crate) fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let seconds: Vec<f64> = times.map(|time| time.as_secs_f64().clamp(LEAST, MOST)).collect();
        let least = seconds.iter().copied().reduce(f64::min)?;
        // Less than fourfold is no difference to look at, nor is less than a millisecond.
        let most = seconds.iter().copied().fold(PLAIN.max(least * 4.0), f64::max);
        Some(Self { least, most })
    }

    pub(crate) fn mark(&self, time: Duration) -> char {
        let share = (time.as_secs_f64().clamp(LEAST, MOST) / self.least).ln() / (self.most / self.least).ln();
        let level = (share.clamp(0.0, 1.0) * MARKS.len() as f64) as usize;
        MARKS.get(level.min(MARKS.len() - 1)).copied().unwrap_or(LOST)
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, .., last] = MARKS;
        write!(
            f,
            "{first} {} ms to {last} {} ms",
            ms(Duration::from_secs_f64(self.least)),
            ms(Duration::from_secs_f64(self.most))
        )
    }
}

/// A line with its marks in colours, from green to red, for terminals.
pub(crate) fn painted(line: &str) -> String {
    const COLOURS: [u8; 8] = [34, 70, 106, 142, 178, 172, 166, 160];
    let mut text = String::with_capacity(line.len() * 2);
    let mut colour = None;
    for c in line.chars() {
        let wanted = match c {
            LOST => Some(196),
            _ => MARKS.iter().position(|mark| *mark == c).and_then(|level| COLOURS.get(level).copied()),
        };
        if wanted != colour {
            text += &wanted.map_or_else(|| "\x1b[0m".to_owned(), |wanted| format!("\x1b[38;5;{wanted}m"));
            colour = wanted;
        }
        text.push(c);
    }
    if colour.is_some() {
        text += "\x1b[0m";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_rise_by_equal_ratios_and_small_differences_are_none() {
        let scale = Scale::of([1, 256].map(Duration::from_millis).into_iter()).expect("times");
        let marks: String =
            [1, 2, 4, 8, 16, 32, 64, 128, 256].map(|ms| scale.mark(Duration::from_millis(ms))).iter().collect();
        assert_eq!(marks, "▁▂▃▄▅▆▇██");
        let narrow = Scale::of([10, 11].map(Duration::from_millis).into_iter()).expect("times");
        assert_eq!(narrow.mark(Duration::from_millis(11)), '▁');
        assert_eq!(narrow.to_string(), "▁ 10.0 ms to █ 40.0 ms");
        let noise = Scale::of([20, 60].map(Duration::from_micros).into_iter()).expect("times");
        assert_eq!((noise.mark(Duration::from_micros(20)), noise.mark(Duration::from_micros(60))), ('▁', '▃'));
        assert!(Scale::of(std::iter::empty()).is_none());
    }

    #[test]
    fn colours_change_where_marks_do_and_end_with_the_line() {
        assert_eq!(painted("1 ▁▁×"), "1 \x1b[38;5;34m▁▁\x1b[38;5;196m×\x1b[0m");
        assert_eq!(painted("plain"), "plain");
    }
}
