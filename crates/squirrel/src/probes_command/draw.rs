//! Drawings of characters: heartbeats, smoke, and hops over time. None needs colour.

use squirrel_api::probes::span_text;

/// Rows of smoke.
const ROWS: usize = 10;
/// Shades from fast to slow.
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];
/// What stands for a place of which nothing is known.
const NOTHING: char = '·';
/// Loss that goes on to the end of the path.
const REAL_LOSS: char = '!';
/// A place that answers nothing, and behind which others do.
const SILENT: char = ' ';

/// A row of bars: low where all was answered, higher the more failed. Several parts may share a bar; then the worst
/// of them is shown.
pub(super) fn heartbeat(beats: &[Option<f64>], most: usize) -> String {
    let group = beats.len().div_ceil(most.max(1)).max(1);
    let worst = |parts: &[Option<f64>]| parts.iter().flatten().copied().reduce(f64::min);
    beats
        .chunks(group)
        .map(|parts| match worst(parts) {
            None => NOTHING,
            Some(share) if share >= 1.0 => '▂',
            Some(share) if share > 0.5 => '▅',
            Some(share) if share > 0.0 => '▇',
            Some(_) => '█',
        })
        .collect()
}

/// One moment of round trips, in seconds, and the share of lost questions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Puff {
    /// The percentiles 0, 5, 25, 50, 75, 95 and 100.
    pub(super) trips: [Option<f64>; 7],
    pub(super) loss: Option<f64>,
}

/// Smoke with its scale, and a line of loss below it. Empty without any figure.
pub(super) fn smoke(puffs: &[Puff]) -> Vec<String> {
    let top = puffs.iter().filter_map(|puff| puff.trips[6].or(puff.trips[5])).fold(0.0, f64::max);
    if top <= 0.0 && puffs.iter().all(|puff| puff.loss.is_none()) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for row in (0..ROWS).rev().filter(|_| top > 0.0) {
        let (low, high) = (top * row as f64 / ROWS as f64, top * (row + 1) as f64 / ROWS as f64);
        let scale = match row {
            r if r == ROWS - 1 => span_text(top),
            r if r == ROWS / 2 => span_text(high),
            _ => String::new(),
        };
        let drawn: String = puffs.iter().map(|puff| puff.at(low, high)).collect();
        lines.push(format!("{scale:>9} │{}", drawn.trim_end()));
    }
    let lost: String = puffs.iter().map(|puff| loss_sign(puff.loss)).collect();
    lines.push(format!("{:>9} │{lost}", "loss"));
    lines
}

impl Puff {
    /// What is seen of it between two round trips: the median above all, then the bands from within.
    fn at(&self, low: f64, high: f64) -> char {
        let within = |a: usize, b: usize| match (self.trips[a], self.trips[b]) {
            (Some(a), Some(b)) => a < high && b >= low,
            _ => false,
        };
        match () {
            () if self.trips[3].is_some_and(|median| (low..high).contains(&median)) => '█',
            () if within(2, 4) => '▓',
            () if within(1, 5) => '▒',
            () if within(0, 6) => '░',
            () => ' ',
        }
    }
}

/// A digit for tenths, `-` for less than one, `X` for all.
fn loss_sign(loss: Option<f64>) -> char {
    match loss {
        None => NOTHING,
        Some(loss) if loss <= 0.0 => '_',
        Some(loss) if loss < 0.1 => '-',
        Some(loss) if loss >= 1.0 => 'X',
        Some(loss) => char::from_digit((loss * 10.0) as u32, 10).unwrap_or('9'),
    }
}

/// A place of a path over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HopRow {
    pub(super) hop: u8,
    pub(super) trips: Vec<Option<f64>>,
    pub(super) losses: Vec<Option<f64>>,
}

/// Hops over time: the darker, the slower; loss that goes on to the end has a sign of its own, and what a router only
/// leaves unanswered has none. Rows stand in the order of the path.
pub(super) fn hops(rows: &[HopRow]) -> Vec<String> {
    let known = || rows.iter().flat_map(|row| row.trips.iter().flatten()).copied().filter(|trip| *trip > 0.0);
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
    let (low, high) = (least.ln(), most.max(least * 2.0).ln());
    let shade = |trip: f64| {
        let place = ((trip.max(1e-9).ln() - low) / (high - low) * SHADES.len() as f64) as usize;
        SHADES.get(place).copied().unwrap_or(SHADES[SHADES.len() - 1])
    };
    let columns = rows.iter().map(|row| row.trips.len().max(row.losses.len())).max().unwrap_or(0);
    // What every place from here to the end loses.
    let mut behind: Vec<Option<f64>> = vec![None; columns];
    let mut lines: Vec<String> = rows
        .iter()
        .rev()
        .map(|row| {
            let drawn: String = behind
                .iter_mut()
                .enumerate()
                .map(|(column, behind)| {
                    let at = |values: &[Option<f64>]| values.get(column).copied().flatten();
                    let (trip, loss) = (at(&row.trips), at(&row.losses));
                    if let Some(loss) = loss {
                        *behind = Some(behind.map_or(loss, |behind| behind.min(loss)));
                    }
                    match (trip, loss) {
                        (None, None) => NOTHING,
                        _ if loss.is_some() && behind.is_some_and(|real| real > 0.0) => REAL_LOSS,
                        (Some(trip), _) => shade(trip),
                        (None, Some(_)) => SILENT,
                    }
                })
                .collect();
            format!("{:>9} │{drawn}", format!("hop {}", row.hop))
        })
        .collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_stand_higher_and_no_failure_is_averaged_away() {
        let up = Some(1.0);
        let beats = [up, up, None, None, up, Some(0.99), Some(0.2), up, Some(0.0), up];
        assert_eq!(heartbeat(&beats, 10), "▂▂··▂▅▇▂█▂");
        assert_eq!(heartbeat(&beats, 5), "▂·▅▇█", "of two parts the worst is shown");
        assert_eq!(heartbeat(&[], 5), "");
    }

    #[test]
    fn smoke_has_its_median_bands_and_loss() {
        let calm = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0].map(|ms| Some(ms / 1000.0));
        let puffs = [
            Puff { trips: calm, loss: Some(0.0) },
            Puff { trips: [None; 7], loss: Some(1.0) },
            Puff { trips: calm, loss: Some(0.35) },
            Puff::default(),
        ];
        let lines = smoke(&puffs);
        assert_eq!(lines.len(), ROWS + 1);
        assert_eq!(lines[0], "  10.0 ms │░ ░");
        assert_eq!(lines[5], "          │█ █", "the median");
        assert_eq!(lines[4], "  6.00 ms │▓ ▓");
        assert_eq!(lines[ROWS], "     loss │_X3·");
        assert!(smoke(&[Puff::default()]).is_empty());
    }

    #[test]
    fn loss_that_does_not_go_on_is_no_loss() {
        let row = |hop, trip: Option<f64>, loss: f64| HopRow { hop, trips: vec![trip], losses: vec![Some(loss)] };
        let quiet = [row(1, Some(0.001), 0.6), row(2, None, 1.0), row(3, Some(0.1), 0.0)];
        assert_eq!(hops(&quiet), ["    hop 1 │░", "    hop 2 │ ", "    hop 3 │█"]);
        let lossy = [row(1, Some(0.001), 0.0), row(2, Some(0.01), 0.2), row(3, Some(0.1), 0.2)];
        assert_eq!(hops(&lossy), ["    hop 1 │░", "    hop 2 │!", "    hop 3 │!"]);
        assert!(hops(&[]).is_empty());
    }
}
