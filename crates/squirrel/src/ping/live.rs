//! Many targets on a terminal while they are asked: the worst first, each with its last outcomes as a bar.

use std::time::Duration;

use squirrel_model::Untrusted;
use squirrel_probe::Ping;
use squirrel_probe::ping::Report;
use squirrel_sys::terminal;

use super::Run;
use super::show::ms;
use crate::frames::Frames;
use crate::marks::{LOST, Scale, painted};
use crate::table::cut;

/// How often the view is printed anew.
const FRAME: Duration = Duration::from_millis(500);
/// Columns of a target's name, and of all that is no bar.
const NAME: usize = 28;
const REST: usize = NAME + 36;
/// Marks of a bar at most.
const MOST_MARKS: usize = 60;

/// The view.
pub(super) struct Live {
    frames: Frames,
    next: Duration,
}

impl Live {
    pub(super) fn new() -> Self {
        Self { frames: Frames::new(None).painted(painted), next: Duration::ZERO }
    }

    /// Prints it, if it is time.
    pub(super) fn show(&mut self, run: &Run<'_>, ping: &Ping) -> std::io::Result<()> {
        let now = run.steady.elapsed().0;
        let Some((height, width)) = terminal::size().filter(|_| now >= self.next) else { return Ok(()) };
        self.next = now + FRAME;
        // A line for the heading, one for the scale, and the one of the cursor.
        let order = ping.worst_first();
        let shown: Vec<_> =
            order.iter().take(height.saturating_sub(3).max(1)).map(|number| (*number, ping.report(*number))).collect();
        self.frames.print(&lines(run, &shown, order.len(), width))
    }

    /// Takes it away, for the table at the end.
    pub(super) fn clear(&mut self) -> std::io::Result<()> {
        self.frames.print(&[])
    }
}

fn lines(run: &Run<'_>, shown: &[(u32, Report)], all: usize, width: usize) -> Vec<String> {
    let marks = width.saturating_sub(REST).clamp(5, MOST_MARKS);
    let last = |report: &Report| {
        let outcomes = &report.window.outcomes;
        outcomes.iter().skip(outcomes.len().saturating_sub(marks)).copied().collect::<Vec<_>>()
    };
    let scale = Scale::of(shown.iter().flat_map(|(_, report)| last(report)).flatten());
    let mut text =
        vec![format!("{:<NAME$}  {:>6}  {:>6}  {:>8}  {:>8}  LAST", "TARGET", "SENT", "LOSS%", "P50", "MAX")];
    for (number, report) in shown {
        let target = run.asked.get(*number as usize).and_then(|index| run.targets.get(*index));
        let name = cut(&Untrusted(target.map_or("", |target| &target.name)).to_string(), NAME);
        let time = |time: Option<Duration>| time.map_or_else(|| "-".to_owned(), ms);
        let loss = report.loss_ratio().map_or_else(|| "-".to_owned(), |loss| format!("{:.1}", loss * 100.0));
        let mark = |outcome: &Option<Duration>| match (outcome, &scale) {
            (Some(time), Some(scale)) => scale.mark(*time),
            _ => LOST,
        };
        let bar: String = last(report).iter().map(mark).collect();
        let (median, most) = (time(report.times.percentile(0.5)), time(report.times.max()));
        text.push(format!("{name:<NAME$}  {:>6}  {loss:>6}  {median:>8}  {most:>8}  {bar}", report.sent));
    }
    let rest = all.saturating_sub(shown.len());
    let rest = if rest > 0 { format!("{rest} more that lose less; ") } else { String::new() };
    let scale = scale.map_or_else(String::new, |scale| format!("{scale}, "));
    text.push(format!("{rest}{scale}{LOST} lost"));
    text
}
