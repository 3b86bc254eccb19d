//! From an error to a message and an exit code: 0 good; 1 it ran and the answer is bad; 2 usage or
//! configuration; 3 a privilege is missing; 4 the daemon cannot be reached.

use std::fmt;
use std::process::ExitCode;

use squirrel_model::Untrusted;

/// The class of a failure, attached as context where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// What was typed or configured cannot be.
    Usage,
    /// This user may not do it.
    Forbidden,
    /// The daemon does not answer.
    Unreachable,
}

/// An error together with its class.
#[derive(Debug)]
pub(crate) struct Classed {
    class: Class,
    message: String,
}

impl fmt::Display for Classed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Classed {}

/// Gives an error its class, keeping its whole message.
pub(crate) fn classed(class: Class, error: &anyhow::Error) -> anyhow::Error {
    anyhow::Error::new(Classed { class, message: format!("{error:#}") })
}

/// Prints an error and says with which code the program ends. A closed pipe is success: the reader
/// has seen enough.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    crate::output::complain(&message(error));
    match error.downcast_ref::<Classed>().map(|classed| classed.class) {
        Some(Class::Usage) => ExitCode::from(2),
        Some(Class::Forbidden) => ExitCode::from(3),
        Some(Class::Unreachable) => ExitCode::from(4),
        None => ExitCode::from(1),
    }
}

/// The whole chain of causes, with line breaks of our own kept and everything hostile made visible.
fn message(error: &anyhow::Error) -> String {
    let text = format!("squirrel: {error:#}");
    text.lines().map(|line| Untrusted(line).to_string()).collect::<Vec<_>>().join("\n")
}

/// Prints what clap says of the arguments: help and version are no errors.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is the only way this can fail; there is nobody left to tell.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_message_has_every_cause_and_no_escape_sequence() {
        let error = Err::<(), _>(anyhow::anyhow!("no \x1b[2Jsuch file")).context("cannot open\nthe store").unwrap_err();
        assert_eq!(message(&error), "squirrel: cannot open\nthe store: no \\u{1b}[2Jsuch file");
    }

    #[test]
    fn a_class_keeps_the_message() {
        let error = classed(Class::Usage, &anyhow::anyhow!("inner").context("outer"));
        assert_eq!(format!("{error:#}"), "outer: inner");
    }
}
