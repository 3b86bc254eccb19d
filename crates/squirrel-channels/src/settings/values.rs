//! Values of the tables that have a form of their own. Each refuses what it cannot mean, so that the message
//! points at its line.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use squirrel_alert::Template;
use squirrel_model::parse_duration_ms;
use squirrel_outbound::Secret;

/// A secret as it stands in the configuration. It is never written back, and `Debug` shows nothing of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(pub(crate) Secret);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

/// How many messages a channel may be sent in what time: `10/m`, `1/s`, `100/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    /// As many at once, and as many in each span.
    pub count: u32,
    /// The span.
    pub per: Duration,
}

/// What a channel is given that names no rate: enough for any incident, too little to drown a person or to be
/// shut out by a service.
pub const DEFAULT_RATE: Rate = Rate { count: 20, per: Duration::from_mins(1) };

/// The same for a receiver that takes an alert for over of which it does not hear again in time (Alertmanager): each
/// group is told again each `resend`, and none may come late.
pub const RESENT_RATE: Rate = Rate { count: 1000, per: Duration::from_secs(1) };

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (count, unit) = text.split_once('/')?;
            let per = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => return None,
            };
            let count = count.parse().ok().filter(|count| (1..=100_000).contains(count))?;
            Some(Self { count, per: Duration::from_secs(per) })
        };
        read().ok_or_else(|| format!("a rate is a number and a span, such as \"10/m\" or \"1/s\", not {text:?}"))
    }
}

/// A time such as `30s` or `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match parse_duration_ms(&text) {
            Ok(ms) if ms > 0 => Ok(Self(Duration::from_millis(ms.unsigned_abs()))),
            Ok(_) => Err("a time longer than nothing is needed here".to_owned()),
            Err(error) => Err(format!("{text:?} is {error}")),
        }
    }
}

/// A template that was read: see [`crate::template_help`].
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct TemplateText(pub(crate) Template);

impl TryFrom<String> for TemplateText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Template::parse(&text).map(Self).map_err(|error| format!("the template's {error}"))
    }
}

/// A program's path: absolute, so that nobody can put another program into its place by `PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// What it is given, one by one; no shell reads them.
    pub arguments: Vec<String>,
}

impl TryFrom<Vec<String>> for CommandLine {
    type Error = String;

    fn try_from(mut words: Vec<String>) -> Result<Self, String> {
        if words.is_empty() {
            return Err(
                "a command is a list that begins with a program, such as [\"/usr/bin/logger\", \"-t\", \"squirrel\"]"
                    .to_owned(),
            );
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err("a command holds no zero octet".to_owned());
        }
        let program = PathBuf::from(words.remove(0));
        if !program.is_absolute() {
            return Err(format!(
                "the program {:?} needs its whole path, such as /usr/bin/…",
                program.display().to_string()
            ));
        }
        Ok(Self { program, arguments: words })
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_or_refused_with_an_example() {
        assert_eq!(Rate::try_from("10/m".to_owned()), Ok(Rate { count: 10, per: Duration::from_mins(1) }));
        assert_eq!(Rate::try_from("1/s".to_owned()), Ok(Rate { count: 1, per: Duration::from_secs(1) }));
        for text in ["", "10", "0/m", "10/w", "-1/s", "1/ s", "9999999/s", "1/s/s"] {
            assert!(Rate::try_from(text.to_owned()).unwrap_err().contains("\"10/m\""), "{text}");
        }
    }

    #[test]
    fn a_command_is_a_list_with_a_whole_path() {
        let line = |words: &[&str]| CommandLine::try_from(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&["/bin/echo", "a b"]).unwrap().to_string(), "/bin/echo \"a b\"");
        assert!(line(&[]).unwrap_err().contains("list"));
        assert!(line(&["echo"]).unwrap_err().contains("whole path"));
        assert!(line(&["./echo"]).unwrap_err().contains("whole path"));
        assert!(line(&["/bin/echo", "a\0b"]).unwrap_err().contains("zero octet"));
    }
}
