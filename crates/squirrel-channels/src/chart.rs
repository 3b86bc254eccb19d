//! The course of a value as a small picture, for mails: readers show no SVG there.

mod axis;
mod canvas;
mod font;
mod png;

use squirrel_notify::Chart;

use axis::{Axis, moment_text, moment_ticks, value_text, value_ticks};
use canvas::{BLACK, Canvas, GREY, LIGHT, LINES, RED};

/// Size of the picture.
pub(crate) const WIDTH: usize = 600;
pub(crate) const HEIGHT: usize = 220;
/// Room for the labels, and at the edges.
const LEFT: usize = 64;
const BOTTOM: usize = 22;
const EDGE: usize = 12;
/// Moments that have a name: from 1970 to the year 9999, in milliseconds.
const MOMENTS: std::ops::Range<i64> = 0..253_402_300_800_000;
/// Lines that are drawn; more cannot be told apart.
const MAX_LINES: usize = 5;

/// The picture as PNG; none where there are no two moments with a value.
pub(crate) fn png(chart: &Chart) -> Option<Vec<u8>> {
    let lines: Vec<Vec<(i64, f64)>> = chart
        .lines
        .iter()
        .take(MAX_LINES)
        .map(|(_, points)| {
            points.iter().copied().filter(|(ms, value)| MOMENTS.contains(ms) && value.is_finite()).collect()
        })
        .collect();
    let points = || lines.iter().flatten();
    let (start, end) = (points().map(|(ms, _)| *ms).min()?, points().map(|(ms, _)| *ms).max()?);
    if start >= end {
        return None;
    }
    let limit = chart.threshold.filter(|limit| limit.is_finite());
    let values = || points().map(|(_, value)| *value).chain(limit);
    // The base line is zero where values are near it, so that small changes do not look large.
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let low = if low > 0.0 && low < high * 0.6 { 0.0 } else { low };
    let ticks = value_ticks(low, high);
    let (low, high) = (low.min(*ticks.first()?), high.max(*ticks.last()?));
    let across = Axis::new(start as f64, end as f64, LEFT, WIDTH - EDGE);
    let up = Axis::new(low, high, HEIGHT - BOTTOM, EDGE);

    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    for tick in ticks {
        let y = up.place(tick);
        canvas.line((LEFT, y), (WIDTH - EDGE, y), LIGHT);
        canvas.text_ending_at(LEFT - 6, y.saturating_sub(3), &value_text(tick), GREY);
    }
    for ms in moment_ticks(start, end) {
        let x = across.place(ms as f64);
        canvas.line((x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 3), GREY);
        canvas.text_around(x, HEIGHT - BOTTOM + 8, &moment_text(ms, end - start), GREY);
    }
    canvas.line((LEFT, HEIGHT - BOTTOM), (WIDTH - EDGE, HEIGHT - BOTTOM), GREY);
    canvas.line((LEFT, EDGE), (LEFT, HEIGHT - BOTTOM), GREY);
    if let Some(limit) = limit {
        let y = up.place(limit);
        canvas.dashed(LEFT, WIDTH - EDGE, y, RED);
        canvas.text(LEFT + 4, y.saturating_sub(10), &value_text(limit), RED);
    }
    for (line, colour) in lines.iter().zip(LINES) {
        draw(&mut canvas, line, &across, &up, colour);
    }
    canvas.text_ending_at(WIDTH - EDGE, 1, "UTC", BLACK);
    Some(png::encode(&canvas))
}

/// Draws one line; where points are missing for long there is a gap.
fn draw(canvas: &mut Canvas, line: &[(i64, f64)], across: &Axis, up: &Axis, colour: u8) {
    let mut steps: Vec<i64> = line.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    let place = |(ms, value): (i64, f64)| (across.place(ms as f64), up.place(value));
    for pair in line.windows(2) {
        if pair[1].0 - pair[0].0 <= usual.saturating_mul(3) {
            canvas.thick_line(place(pair[0]), place(pair[1]), colour);
        } else {
            canvas.dot(place(pair[0]), colour);
        }
    }
    if let Some(last) = line.last() {
        canvas.dot(place(*last), colour);
    }
}

#[cfg(test)]
mod tests;
