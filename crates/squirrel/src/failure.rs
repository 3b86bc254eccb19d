//! From an error to a message and an exit code: 0 good; 1 it ran and the answer is bad; 2 usage or
//! configuration; 3 a privilege is missing; 4 the daemon cannot be reached; 130 interrupted.
//!
//! An interrupt is the usual end of a view that would go on for ever, so that ends with 0. What has an end of its own
//! (`--for`, `--once`) and did not reach it ends with 130.

use std::fmt;
use std::process::ExitCode;

use anyhow::anyhow;
use squirrel_filter::FilterError;
use squirrel_model::Untrusted;
use squirrel_sys::SysError;

/// The class of a failure, attached as context where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// What was typed or configured cannot be.
    Usage,
    /// A privilege is missing; the message says how to get it.
    Forbidden,
    /// The daemon does not answer.
    Unreachable,
    /// What was asked about is not well, which was printed: there is nothing to say.
    Judged,
    /// An interrupt ended it early, after everything that was known had been printed: there is nothing to say.
    Interrupted,
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

/// The error of a call that may lack a privilege: then with the sentence that says which, and how to get it.
pub(crate) fn forbidden_or(error: SysError, needs: &str) -> anyhow::Error {
    let forbidden = error.is_forbidden() || error.source.raw_os_error() == Some(1 /* EPERM */);
    let error = anyhow::Error::new(error);
    if forbidden {
        classed(Class::Forbidden, &anyhow!("{error:#}\n{needs}: run it as root, such as with sudo"))
    } else {
        error
    }
}

/// What a command ends with that has found something wrong and printed it.
pub(crate) fn judged_bad() -> anyhow::Error {
    classed(Class::Judged, &anyhow!("not well"))
}

/// What an interrupted command ends with.
pub(crate) fn interrupted() -> anyhow::Error {
    classed(Class::Interrupted, &anyhow!("interrupted"))
}

/// A mistake in what was typed, with a mark under its place.
pub(crate) fn marked(error: &FilterError, text: &str) -> anyhow::Error {
    if text.contains('\n') || text.chars().any(squirrel_model::is_hostile) {
        return anyhow!("{error}");
    }
    let mark = format!("{}^", " ".repeat(error.column.saturating_sub(1)));
    classed(Class::Usage, &anyhow!("{}\n  {text}\n  {mark}", error.message))
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
    let class = error.downcast_ref::<Classed>().map(|classed| classed.class);
    if !matches!(class, Some(Class::Interrupted | Class::Judged)) {
        crate::output::complain(&message(error));
    }
    match class {
        Some(Class::Usage) => ExitCode::from(2),
        Some(Class::Forbidden) => ExitCode::from(3),
        Some(Class::Unreachable) => ExitCode::from(4),
        Some(Class::Interrupted) => ExitCode::from(130),
        Some(Class::Judged) | None => ExitCode::from(1),
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
    fn a_mistake_is_marked_where_it_stands() {
        let error = FilterError { column: 5, message: "what?".into() };
        assert_eq!(format!("{:#}", marked(&error, "a b prt:1")), "what?\n  a b prt:1\n      ^");
        assert_eq!(marked(&error, "\x1b[2J").to_string(), "column 5: what?");
    }

    #[test]
    fn a_class_keeps_the_message() {
        let error = classed(Class::Usage, &anyhow::anyhow!("inner").context("outer"));
        assert_eq!(format!("{error:#}"), "outer: inner");
    }
}
