//! Standard output and standard error, without the panics of `println!` on a closed pipe.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;
use squirrel_api::live::Shape;
use squirrel_model::{is_hostile, without_numbers};

/// Prints a text to standard output.
///
/// # Errors
/// When it cannot be written, a closed pipe included.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints lines to standard output.
///
/// # Errors
/// When they cannot be written, a closed pipe included.
pub(crate) fn print_lines(lines: &[String]) -> io::Result<()> {
    let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        text += line;
        text.push('\n');
    }
    print(&text)
}

/// Prints a document, with nothing in it that a terminal would obey.
///
/// # Errors
/// When it cannot be written, a closed pipe included.
pub(crate) fn print_json<T: Serialize>(document: &T) -> anyhow::Result<()> {
    Ok(print(&(json_line(document)? + "\n"))?)
}

/// A document on one line, with nothing in it that a terminal would obey.
///
/// # Errors
/// A value that JSON does not know; ours have none.
pub(crate) fn json_line<T: Serialize>(document: &T) -> anyhow::Result<String> {
    Ok(escaped(serde_json::to_string(document)?))
}

/// A JSON document that means the same and has its hostile characters as `\uXXXX`. JSON has such
/// characters only within strings; the line breaks and tabs between its parts stay.
pub(crate) fn escaped(document: String) -> String {
    let harmless = |c: char| !is_hostile(c) || matches!(c, '\n' | '\r' | '\t');
    // Most documents have none, and large ones shall not be copied for nothing.
    if document.bytes().all(|byte| (b' '..0x7F).contains(&byte)) || document.chars().all(harmless) {
        return document;
    }
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if harmless(c) {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// A document that is written piece by piece. The first failure is kept and told at the end; nothing is written after it.
pub(crate) struct Stream {
    out: io::BufWriter<io::StdoutLock<'static>>,
    piece: Vec<u8>,
    outcome: anyhow::Result<()>,
}

impl Stream {
    pub(crate) fn new() -> Self {
        let out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
        Self { out, piece: Vec::new(), outcome: Ok(()) }
    }

    /// Writes text of ours.
    pub(crate) fn text(&mut self, text: &str) {
        if self.outcome.is_ok() {
            self.outcome = self.out.write_all(text.as_bytes()).map_err(Into::into);
        }
    }

    /// Writes a value, with nothing in it that a terminal would obey.
    pub(crate) fn json<T: Shape>(&mut self, value: &T) {
        if self.outcome.is_err() {
            return;
        }
        self.piece.clear();
        value.write_json(&mut self.piece);
        // JSON escapes control characters itself; what else is hostile lies beyond ASCII, or is DEL.
        if self.piece.iter().any(|byte| *byte >= 0x7F) {
            let text = escaped(String::from_utf8_lossy(&self.piece).into_owned());
            self.piece = text.into_bytes();
        }
        self.outcome = self.out.write_all(&self.piece).map_err(Into::into);
    }

    /// Writes what is left, and says how it went.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.outcome?;
        Ok(self.out.flush()?)
    }
}

/// Prints a line to standard error, without the numbers of errors. When even that is closed there is nobody left to
/// tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", without_numbers(text));
}

/// Writes a text without a line break to standard error, for what is replaced soon.
pub(crate) fn remark(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_its_meaning_and_loses_what_a_terminal_obeys() {
        let document = "{\n\t\"a\u{9b}31m\": \"\u{202e}\u{e0041} gr\u{fc}n\"\n}".to_owned();
        let safe = escaped(document.clone());
        assert_eq!(safe, "{\n\t\"a\\u009b31m\": \"\\u202e\\udb40\\udc41 gr\u{fc}n\"\n}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(&document));
    }
}
