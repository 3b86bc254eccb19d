//! Alerts on the desktop of whoever is logged in, by `notify-send`, which speaks with the session's bus
//! (<https://specifications.freedesktop.org/notification-spec/latest/>).

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use anyhow::anyhow;
use squirrel_model::Untrusted;
use tokio::process::Command;

use super::super::list::{label, summary};
use super::changes::Change;
use crate::failure::{Class, classed};

const PROGRAM: &str = "notify-send";
/// How long the desktop may take to show something.
const TIME: Duration = Duration::from_secs(5);
/// Most notices of one look; beyond it they are one with a count.
const MOST: usize = 4;
/// Most characters of a title and of a text.
const TITLE: usize = 120;
const TEXT: usize = 400;

/// Something to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    urgency: &'static str,
    title: String,
    text: String,
}

/// The desktop of this session.
pub(super) struct Desktop(());

impl Desktop {
    /// Whether there is a way to show something.
    ///
    /// # Errors
    /// No `notify-send`, with what to install.
    pub(super) async fn open() -> anyhow::Result<Self> {
        match run(&["--version".to_owned()]).await {
            Err(Failure::NotThere) => Err(classed(
                Class::Usage,
                &anyhow!(
                    "{PROGRAM} is not there, which shows things on the desktop: install libnotify-bin (Debian, Ubuntu) \
                     or libnotify (Fedora, Arch)"
                ),
            )),
            _ => Ok(Self(())),
        }
    }

    /// Shows a notice.
    ///
    /// # Errors
    /// Why it could not be shown.
    pub(super) async fn show(&self, notice: &Notice) -> Result<(), String> {
        run(&arguments(notice)).await.map_err(|failure| match failure {
            Failure::NotThere => format!("{PROGRAM} is gone"),
            Failure::Said(words) => words,
        })
    }
}

enum Failure {
    NotThere,
    Said(String),
}

async fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    match tokio::time::timeout(TIME, command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Failure::Said(format!("{PROGRAM} says: {}", cut(&said, TEXT))))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Err(Failure::NotThere),
        Ok(Err(error)) => Err(Failure::Said(format!("{PROGRAM} cannot be started: {}", error.kind()))),
        Err(_) => Err(Failure::Said(format!("{PROGRAM} took longer than {} s", TIME.as_secs()))),
    }
}

/// The program's arguments: what strangers wrote comes after `--`, so that it is never an option.
fn arguments(notice: &Notice) -> Vec<String> {
    let urgency = format!("--urgency={}", notice.urgency);
    let fixed = ["--app-name=Squirrel".to_owned(), urgency, "--".to_owned()];
    fixed.into_iter().chain([notice.title.clone(), notice.text.clone()]).collect()
}

/// What to show of changes: each by itself, or many as one.
pub(super) fn notices(changes: &[Change]) -> Vec<Notice> {
    let (began, ended): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| matches!(change, Change::Began(_)));
    let mut out = Vec::new();
    for (group, verb) in [(ended, "over"), (began, "firing")] {
        if group.len() > MOST {
            let names: Vec<String> = group.iter().take(MOST).map(|change| label(change.alert(), "alertname")).collect();
            let title = format!("{} alerts {verb}", group.len());
            out.push(Notice { urgency: urgency(&group), title, text: body(&format!("{} …", names.join(", "))) });
        } else {
            out.extend(group.into_iter().map(single));
        }
    }
    out
}

/// That the daemon does not answer, or does again.
pub(super) fn reach(event: &str, why: &str) -> Notice {
    Notice { urgency: "normal", title: format!("Squirrel is {event}"), text: body(why) }
}

fn single(change: &Change) -> Notice {
    let alert = change.alert();
    let name = label(alert, "alertname");
    let title = match change {
        Change::Began(_) => name,
        Change::Ended(_) => format!("Over: {name}"),
    };
    Notice { urgency: urgency(&[change]), title: cut(&title, TITLE), text: body(&summary(alert)) }
}

/// By the worst alert that begins; an end can wait.
fn urgency(changes: &[&Change]) -> &'static str {
    let ranks = changes.iter().filter(|change| matches!(change, Change::Began(_)));
    match ranks.map(|change| change.alert().severity_rank).max() {
        Some(3..) => "critical",
        Some(2) => "normal",
        _ => "low",
    }
}

/// A text in the specification's markup: nothing that a stranger wrote is a tag.
fn body(text: &str) -> String {
    cut(text, TEXT).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many characters, none of which is obeyed.
fn cut(text: &str, most: usize) -> String {
    let harmless = Untrusted(text).to_string();
    let mut cut: String = harmless.chars().take(most).collect();
    if cut.len() < harmless.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::super::changes::tests::alert;
    use super::*;

    #[test]
    fn hostile_text_is_neither_an_option_nor_markup() {
        let mut one = alert(1, "firing", 0.0);
        one.labels.insert("alertname".to_owned(), "--icon=/etc/passwd\u{202e}\u{1b}[2J".to_owned());
        one.annotations.insert("summary".to_owned(), "<img src=x>&<b>\n--urgency=low".to_owned());
        let shown = notices(&[Change::Began(one)]);
        let arguments = arguments(&shown[0]);
        assert_eq!(arguments[..3], ["--app-name=Squirrel", "--urgency=critical", "--"]);
        assert!(arguments[3].starts_with("--icon=") && !arguments[3].contains(['\u{202e}', '\u{1b}']), "{arguments:?}");
        assert!(arguments[4].starts_with("&lt;img src=x&gt;&amp;&lt;b&gt;"), "{arguments:?}");
        assert!(!arguments[4].contains('\n') && arguments.len() == 5);
    }

    #[test]
    fn a_storm_is_one_notice_and_long_texts_are_cut() {
        let storm: Vec<Change> = (0..1000).map(|number| Change::Began(alert(number, "firing", 0.0))).collect();
        let shown = notices(&storm);
        assert_eq!((shown.len(), shown[0].title.as_str(), shown[0].urgency), (1, "1000 alerts firing", "critical"));
        assert_eq!(shown[0].text, "A0, A1, A2, A3 …");
        let mut long = alert(1, "firing", 0.0);
        long.annotations.insert("summary".to_owned(), "x".repeat(100_000));
        let ended = &notices(&[Change::Ended(long)])[0];
        assert_eq!((ended.title.as_str(), ended.urgency, ended.text.chars().count()), ("Over: A1", "low", TEXT + 1));
    }
}
