//! The program printing a document a line.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use serde_json::Value;

const MOST_LINES: usize = 10_000;

/// A command that prints with `--json-lines`; it ends with this.
pub(crate) struct Printing {
    child: Child,
    lines: Receiver<String>,
}

impl Printing {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        // Read all the time: who cannot print does not measure either. No test lets it print more than there is room for.
        let (told, heard) = sync_channel(MOST_LINES);
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, lines: heard }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next document that is so. What the command prints is bounded by its arguments.
    pub(crate) fn until(&mut self, fulfilled: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for line in &self.lines {
            let document = serde_json::from_str(&line).expect("JSON");
            if fulfilled(&document) {
                return document;
            }
            last = document;
        }
        panic!("it never came to that: {last}");
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
