//! A program that follows the rules of Nagios' plugins: it says its verdict by its exit status, and why in its first
//! line.

use std::path::PathBuf;
use std::time::Duration;

use squirrel_model::Labels;
use squirrel_process::End;

use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::performance::{Performance, number, parse_performance};

/// What is left of the time for the end of what the plugin started.
const LAST: Duration = Duration::from_millis(50);

/// A program and its arguments.
///
/// No shell reads them. It runs in `/`, with an environment of its own (`PATH`, `LANG`), without input; when its time
/// is up it is killed, and so is all that it started, unless that left its process group.
#[derive(Clone, Debug)]
pub struct PluginCheck {
    /// The program, from the root on.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl PluginCheck {
    pub(crate) async fn run(&self, limit: Duration, notes: &mut Notes) -> Result<(), Failed> {
        let shown = self.program.display().to_string();
        if !self.program.is_absolute() {
            return Err(Failed::new(format!(
                "{shown}: name the program from the root on, such as /usr/lib/nagios/plugins/check_ssh"
            )));
        }
        let run = squirrel_process::run(&self.program, &self.arguments, None, limit.saturating_sub(LAST)).await;
        let status = match run.end {
            End::Ended(status) => status,
            End::Killed => {
                notes.set(&metrics::PLUGIN_STATUS, 3.0);
                return Err(Failed::new(format!("{shown} did not end in time and was killed")));
            }
            End::Failed(why) => return Err(Failed::new(format!("{shown}: {why}"))),
        };
        let text = String::from_utf8_lossy(&run.output);
        let (message, performance) = split(&text);
        let (performance, strange) = parse_performance(&performance);
        if strange > 0 {
            notes.say(&format!("{strange} pieces of its performance data cannot be read"));
        }
        for one in &performance {
            note(one, notes);
        }
        let status = status.code().filter(|code| (0..=3).contains(code));
        notes.set(&metrics::PLUGIN_STATUS, f64::from(status.unwrap_or(3)));
        let message = match message.trim() {
            "" => String::from_utf8_lossy(&run.errors).lines().next().unwrap_or("it says nothing").to_owned(),
            message => message.to_owned(),
        };
        match status {
            Some(0) => {
                notes.say(&message);
                Ok(())
            }
            Some(1) => Err(Failed::new(format!("warning: {message}"))),
            Some(2) => Err(Failed::new(format!("critical: {message}"))),
            Some(_) => Err(Failed::new(format!("unknown: {message}"))),
            None => Err(Failed::new(format!("it ended as no plugin does (unknown): {message}"))),
        }
    }
}

/// The message, and the performance data: behind the bar of the first line, and of what follows.
fn split(text: &str) -> (String, String) {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let (message, mut performance) = first.split_once('|').map_or((first, String::new()), |(m, p)| (m, p.to_owned()));
    let mut in_performance = false;
    for line in lines {
        let more = match (in_performance, line.split_once('|')) {
            (true, _) => line,
            (false, Some((_, more))) => more,
            (false, None) => continue,
        };
        in_performance = true;
        performance.push(' ');
        performance.push_str(more);
    }
    (message.to_owned(), performance)
}

fn note(one: &Performance, notes: &mut Notes) {
    let Ok(labels) = Labels::new([("label", one.label.as_str()), ("unit", one.unit.as_str())]) else { return };
    let plain = |text: &Option<String>| text.as_deref().and_then(number);
    let rows = [
        (&metrics::PLUGIN_VALUE, one.value),
        (&metrics::PLUGIN_WARNING, plain(&one.warning)),
        (&metrics::PLUGIN_CRITICAL, plain(&one.critical)),
        (&metrics::PLUGIN_MINIMUM, one.minimum),
        (&metrics::PLUGIN_MAXIMUM, one.maximum),
    ];
    for (metric, value) in rows {
        if let Some(value) = value {
            notes.set_labelled(metric, &labels, value);
        }
    }
}
