//! A program that follows the rules of Nagios' plugins: it says its verdict by its exit status, and why in its first
//! line.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use squirrel_model::Labels;
use squirrel_sys::signals;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::performance::{Performance, number, parse_performance};
use crate::reach::in_words;

/// Octets of the output that are looked at; the rest is read and thrown away.
const MOST_OUTPUT: usize = 64 << 10;
const SIGKILL: i32 = 9;
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
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that all of it can be killed.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| Failed::new(format!("{shown}: {}", in_words(&error))))?;
        let group = Group(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let conversation = async {
            tokio::join!(read(stdout, &mut output), read(stderr, &mut errors));
            child.wait().await
        };
        let ended = tokio::time::timeout(limit.saturating_sub(LAST), conversation).await;
        drop(group);
        let Ok(status) = ended else {
            let _ = child.wait().await;
            notes.set(&metrics::PLUGIN_STATUS, 3.0);
            return Err(Failed::new(format!("{shown} did not end in time and was killed")));
        };
        let status = status.map_err(|error| Failed::new(format!("{shown}: {}", in_words(&error))))?;
        let text = String::from_utf8_lossy(&output);
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
            "" => String::from_utf8_lossy(&errors).lines().next().unwrap_or("it says nothing").to_owned(),
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

/// Kills what a plugin started, also when the check is given up.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = signals::send_to_group(group, SIGKILL);
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

/// Reads to the end, and keeps the beginning.
async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut piece = [0; 4096];
    while let Ok(count) = from.read(&mut piece).await {
        if count == 0 {
            return;
        }
        let room = MOST_OUTPUT.saturating_sub(into.len());
        into.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
    }
}
