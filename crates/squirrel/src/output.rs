//! Standard output and standard error, without the panics of `println!` on a closed pipe.

use std::io::{self, Write as _};

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
