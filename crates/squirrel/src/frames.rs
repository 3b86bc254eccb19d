//! One print after another: in place on a terminal, below each other elsewhere, until the count is reached or an
//! interrupt comes.

use std::time::Duration;

use squirrel_sys::terminal;

use crate::interrupts::{Interrupts, runtime};
use crate::output;
use crate::table;

/// Frames that are printed.
pub(crate) struct Frames {
    /// How many are still to come; `None` for no end.
    left: Option<u64>,
    /// Lines of the last frame on the terminal.
    printed: usize,
    /// What makes a line of a terminal colourful.
    paint: Option<fn(&str) -> String>,
}

impl Frames {
    pub(crate) fn new(count: Option<u64>) -> Self {
        Self { left: count, printed: 0, paint: None }
    }

    /// The same with lines that are made colourful on a terminal, after they were cut to its width.
    pub(crate) fn painted(self, paint: fn(&str) -> String) -> Self {
        Self { paint: Some(paint), ..self }
    }

    /// Whether the last one was printed.
    pub(crate) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Whether the next print is the last one.
    pub(crate) fn is_last(&self) -> bool {
        self.left == Some(1)
    }

    /// Prints a frame below the one before, on a terminal too.
    pub(crate) fn print_plain(&mut self, lines: &[String]) -> std::io::Result<()> {
        self.left = self.left.map(|left| left.saturating_sub(1));
        output::print_lines(lines)
    }

    /// Prints a frame. On a terminal it takes the place of the one before.
    pub(crate) fn print(&mut self, lines: &[String]) -> std::io::Result<()> {
        self.left = self.left.map(|left| left.saturating_sub(1));
        let Some((_, columns)) = terminal::size() else { return output::print_lines(lines) };
        let mut text = String::new();
        if self.printed > 0 {
            // Up to the first line of the last frame (CPL), and everything from there on erased (ED).
            text += &format!("\x1b[{}F\x1b[J", self.printed);
        }
        for line in lines {
            // A line that is broken by the terminal would take two of it, and the next frame would begin too low.
            let line = table::cut(line, columns);
            text += &self.paint.map_or(line.clone(), |paint| paint(&line));
            text.push('\n');
        }
        self.printed = lines.len();
        output::print(&text)
    }

    /// Makes a frame now and then each `interval`, until the count is reached or an interrupt comes. A frame of
    /// `None` is not printed and not counted.
    ///
    /// # Errors
    /// What `make` or the output gives.
    pub(crate) fn each(
        &mut self,
        interval: Duration,
        mut make: impl FnMut() -> anyhow::Result<Option<Vec<String>>>,
    ) -> anyhow::Result<()> {
        runtime()?.block_on(async {
            let mut interrupts = Interrupts::listen()?;
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !self.is_done() {
                tokio::select! {
                    biased;
                    () = interrupts.wait() => break,
                    _ = ticks.tick() => {}
                }
                if let Some(lines) = make()? {
                    self.print(&lines)?;
                }
            }
            Ok(())
        })
    }
}
