//! Errors of the system in words for people.

use std::fmt;
use std::io;

/// Shows an error of the system without its number: `No such file or directory`, and not
/// `No such file or directory (os error 2)`, which says nothing to most and the same to the others.
#[derive(Clone, Copy, Debug)]
pub struct IoText<'a>(pub &'a io::Error);

impl fmt::Display for IoText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_numbers(&self.0.to_string()))
    }
}

/// A text without the numbers that the standard library adds to errors of the system, wherever they stand in it.
pub fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (os error ") {
        out.push_str(before);
        match after.split_once(')') {
            Some((number, next)) if !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit()) => {
                rest = next;
            }
            _ => {
                out.push_str(" (os error ");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_errors_are_left_out_wherever_they_stand() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(IoText(&missing).to_string(), "No such file or directory");
        let wrapped = io::Error::other(format!("cannot open: {missing}; try again"));
        assert_eq!(IoText(&wrapped).to_string(), "cannot open: No such file or directory; try again");
        assert_eq!(IoText(&io::ErrorKind::TimedOut.into()).to_string(), "timed out");
        for text in ["", "a (os error x) b", "a (os error ", "(os error 5)", "a (os error )"] {
            assert_eq!(without_numbers(text), text);
        }
    }
}
