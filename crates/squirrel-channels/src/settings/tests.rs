//! The tables as people write them.

use super::*;

#[test]
fn who_must_hear_again_in_time_is_not_held_up_by_the_rate_for_people() {
    let of = |text: &str| channels(text).expect("good tables")[0].policy.rate;
    assert_eq!(of("[[alertmanager]]\nname = \"am\"\nurl = \"http://127.0.0.1:9093\"\n"), RESENT_RATE);
    assert_eq!(of("[[alertmanager]]\nname = \"am\"\nurl = \"http://127.0.0.1:9093\"\nrate = \"5/s\"\n").count, 5);
    assert_eq!(of("[[webhook]]\nname = \"hook\"\nurl = \"http://127.0.0.1:9/\"\n"), DEFAULT_RATE);
}

fn channels(text: &str) -> Result<Vec<Channel>, String> {
    let tables: NotifyTables = toml::from_str(text).map_err(|error| error.to_string())?;
    tables.channels().map_err(|error| error.to_string())
}

const ALL: &str = r#"
[[webhook]]
name = "hook"
url = "http://127.0.0.1:9/x"
headers = { Authorization = "Bearer sesame" }
secret = "sesame"
fallback = "log"
rate = "10/m"
[[webhook]]
name = "gotify"
url = "https://gotify.example/message?token=sesame"
body = { title = "{{ .Title }}", message = "{{ .Text }}", priority = 5 }
[[email]]
name = "mail"
host = "mail.example"
username = "u"
password = "sesame"
from = "Squirrel <squirrel@example.org>"
to = ["a@example.org", "B <b@example.org>"]
[[slack]]
name = "slack"
url = "https://hooks.slack.com/services/sesame"
title = "{{ .GroupName }}"
[[teams]]
name = "teams"
url = "https://prod-1.westeurope.logic.azure.com/workflows/sesame?sig=sesame"
[[discord]]
name = "discord"
url = "https://discord.com/api/webhooks/1/sesame"
[[telegram]]
name = "telegram"
token = "123:sesame"
chat_id = "-100123"
[[ntfy]]
name = "ntfy"
url = "https://ntfy.sh/sesame"
token = "sesame"
[[pagerduty]]
name = "pager"
routing_key = "sesame"
resolved = true
[[alertmanager]]
name = "am"
url = "http://127.0.0.1:9093/"
resend = "30s"
[[log]]
name = "log"
[[journal]]
name = "journal"
[[command]]
name = "act"
command = ["/usr/bin/logger", "-t", "squirrel"]
undo = ["/usr/bin/logger", "undo"]
undo_after = "10m"
protect = ["192.0.2.0/24"]
"#;

#[test]
fn every_kind_is_read_and_shows_no_secret() {
    let channels = channels(ALL).unwrap();
    let kinds: Vec<&str> = channels.iter().map(Channel::kind).collect();
    assert_eq!(
        kinds,
        [
            "command",
            "alertmanager",
            "discord",
            "webhook",
            "webhook",
            "journal",
            "log",
            "email",
            "ntfy",
            "pagerduty",
            "slack",
            "teams",
            "telegram"
        ]
    );
    let shown = format!("{channels:#?} {:#?}", toml::from_str::<NotifyTables>(ALL).unwrap());
    assert!(!shown.contains("sesame"), "{shown}");
    let hook = channels.iter().find(|channel| channel.name() == "hook").unwrap();
    assert_eq!((hook.policy.rate.count, hook.policy.fallback.as_deref()), (10, Some("log")));
    let act = channels.iter().find(|channel| channel.name() == "act").unwrap();
    assert!(format!("{act:?}").contains("DryRun"), "a command runs only when it is told to");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, expected) in [
        ("[[log]]\nname = \"a\"\nnmae = 1", "unknown field `nmae`"),
        ("[[log]]\nname = \"a\"\nrate = \"many\"", "\"10/m\""),
        ("[[log]]\nname = \"a\"\ntitle = \"{{ if }}\"", "the template's 1:"),
        ("[[log]]\nname = \"a b\"", "a name has 1 to 64"),
        ("[[log]]\nname = \"a\"\n[[journal]]\nname = \"a\"", "[[notify.journal]] \"a\": another channel has this name"),
        ("[[log]]\nname = \"a\"\nfallback = \"b\"", "its fallback \"b\" is no channel"),
        (
            "[[log]]\nname = \"a\"\nfallback = \"b\"\n[[journal]]\nname = \"b\"\nfallback = \"a\"",
            "a circle helps nobody",
        ),
        ("[[slack]]\nname = \"a\"", "url is missing: write url = \"…\" or url_file = \"/…\""),
        ("[[slack]]\nname = \"a\"\nurl = \"x\"\nurl_file = \"/x\"", "url and url_file are both there"),
        ("[[slack]]\nname = \"a\"\nurl_file = \"/nowhere/x\"", "/nowhere/x cannot be read: no such file"),
        ("[[slack]]\nname = \"a\"\nurl = \"ftp://x\"", "url: "),
        ("[[ntfy]]\nname = \"a\"\nurl = \"https://ntfy.sh/\"", "a server and a topic"),
        ("[[telegram]]\nname = \"a\"\ntoken = \"a/../b\"\nchat_id = \"1\"", "the token has letters"),
        ("[[command]]\nname = \"a\"\ncommand = [\"sh\"]", "needs its whole path"),
        ("[[command]]\nname = \"a\"\ncommand = [\"/bin/x\"]\ntimeout = \"2h\"", "timeout is 1s to 10m"),
        ("[[command]]\nname = \"a\"\ncommand = [\"/bin/x\"]\nundo_after = \"1h\"", "undo_after needs undo"),
        ("[[webhook]]\nname = \"a\"\nurl = \"http://x\"\nbody = { t = \"{{\" }", "the template of body.t"),
    ] {
        let error = channels(text).unwrap_err();
        assert!(error.contains(expected), "{text}\n{error}");
    }
    let mail =
        |lines: &str| channels(&format!("[[email]]\nname = \"m\"\nhost = \"mail.example\"\n{lines}")).unwrap_err();
    let usual = "from = \"a@example.org\"\nto = [\"b@example.org\"]\n";
    assert!(mail("from = \"a\"\nto = [\"b@example.org\"]").contains("\"a\" is no mail address"));
    assert!(mail("from = \"a@example.org\"\nto = []").contains("to is empty"));
    assert!(mail("from = \"a@example.org\"\nto = [\"x@y.z\\r\\nBcc: v@y.z\"]").contains("is no mail address"));
    assert!(mail(&format!("{usual}username = \"u\"")).contains("username has no password"));
    let clear = mail(&format!("{usual}username = \"u\"\npassword = \"p\"\ntls = \"none\""));
    assert!(clear.contains("would go in the clear"), "{clear}");
}
