//! Standard output and standard error, without the panics of `println!` on a closed pipe.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use squirrel_model::is_hostile;

/// Prints a text to standard output.
///
/// # Errors
/// When it cannot be written, a closed pipe included.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line to standard error. When even that is closed there is nobody left to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A JSON document that means the same and has its hostile characters as `\uXXXX`. JSON has such
/// characters only within strings; the line breaks and tabs between its parts stay.
pub(crate) fn escaped(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if is_hostile(c) && !matches!(c, '\n' | '\r' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}
