//! What a person looks at.

use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;

use crate::linux::raw;

/// Lines and columns of the terminal that standard output is; `None` when it is none.
pub fn size() -> Option<(usize, usize)> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    // A terminal that does not know its size, such as a serial line, is taken for the usual one.
    let (lines, columns) = raw::terminal_size(out.as_fd()).unwrap_or((24, 80));
    Some((lines.into(), columns.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_has_a_size() {
        assert_eq!(size().is_some(), std::io::stdout().is_terminal());
        let null = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(raw::terminal_size(null.as_fd()), None);
    }
}
