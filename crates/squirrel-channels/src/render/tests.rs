//! What strangers wrote is harmless in every channel: a message has the same shape whatever its texts are.

use serde_json::Value;
use squirrel_alert::Template;
use squirrel_model::{Timestamp, is_hostile};
use squirrel_notify::{Notification, Reason};

use super::samples::{START, hostile, message, over, texts};
use super::*;

const AT: Timestamp = Timestamp(START + 300_000);

fn about() -> Circumstances {
    Circumstances { at: AT, ..Circumstances::default() }
}

fn said(message: &Notification) -> Words {
    words(message, None, None, &about())
}

/// Every text of a JSON document, with its path.
fn strings(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                strings(item, &format!("{path}/{i}"), out);
            }
        }
        Value::Object(fields) => fields.iter().for_each(|(name, item)| strings(item, &format!("{path}/{name}"), out)),
        _ => {}
    }
}

fn all_strings(value: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    strings(value, "", &mut out);
    out
}

/// The tags of a text, one after the other, without their attributes' values where `bare`.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        tags.push(tag);
        rest = after;
    }
    tags
}

/// Paragraphs that a text has or has not do not count.
fn without_optional<'a>(tags: &[&'a str]) -> Vec<&'a str> {
    let is_needed = |tag: &&&str| !(tag.starts_with("p style") || **tag == "/p");
    tags.iter().filter(is_needed).copied().collect()
}

#[test]
fn no_text_adds_a_tag_to_a_mail() {
    let plain = mail_parts(&message("eth0"), &said(&message("eth0")), "x.example").html;
    for text in hostile().iter().filter(|text| !text.trim().is_empty()) {
        let message = message(text);
        let parts = mail_parts(&message, &said(&message), "x.example");
        let (own, usual) = (tags(&parts.html), tags(&plain));
        // The one text that is a link may be one here, and is not for "eth0".
        let own: Vec<&str> = own.into_iter().filter(|tag| !tag.contains("evil.example")).collect();
        let count = |tags: &[&str]| without_optional(tags).iter().filter(|tag| **tag != "/a").count();
        assert_eq!(count(&own), count(&usual), "{text:?}\n{}", parts.html);
        assert!(!parts.subject.contains(is_hostile), "{:?}", parts.subject);
        assert!(parts.html.len() < 100_000 + 6 * 20_000, "{}", parts.html.len());
        let ids = [&parts.message_id, &parts.thread_id];
        assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || "-@.".contains(c))), "{ids:?}");
    }
}

#[test]
fn telegram_gets_its_own_tags_only_and_never_too_much() {
    let usual = telegram_body(&said(&message("eth0")), "1", None);
    let text_of = |body: &Value| body["text"].as_str().unwrap().to_owned();
    for text in hostile() {
        let body = telegram_body(&said(&message(&text)), "1", None);
        assert_eq!(tags(&text_of(&body)), tags(&text_of(&usual)), "{text:?}");
        assert!(text_of(&body).chars().count() <= 4096, "{}", text_of(&body).chars().count());
        // Nothing a stranger wrote stands outside of code.
        let mut outside = String::new();
        let mut rest = &*text_of(&body);
        while let Some((before, after)) = rest.split_once("<code>").or_else(|| rest.split_once("<pre>")) {
            outside += before;
            rest = after.split_once("</code>").or_else(|| after.split_once("</pre>")).map_or("", |(_, rest)| rest);
        }
        assert!(!outside.contains("evil") && !outside.contains('@'), "{outside}");
    }
    let mut many = message("x");
    many.alerts = vec![many.alerts[0].clone(); 400];
    let body = telegram_body(&said(&many), "1", Some(3));
    assert!(text_of(&body).chars().count() <= 4096 && text_of(&body).contains("and 38"), "{}", text_of(&body));
    assert_eq!(body["message_thread_id"], 3);
}

#[test]
fn slack_obeys_nothing_and_its_limits_hold() {
    for text in hostile() {
        let body = slack_body(&said(&message(&text)));
        for (path, text) in all_strings(&body) {
            if path.ends_with("/text/text") || path.ends_with("/text") && path.contains("/blocks/") {
                assert!(text.chars().count() <= 3000 && !text.is_empty(), "{path}");
            }
        }
        assert!(!body["text"].as_str().unwrap().contains('<'), "{body}");
        let blocks = body["attachments"][0]["blocks"].as_array().unwrap();
        for block in blocks.iter().filter(|block| block["type"] != "context") {
            assert_eq!(block["text"]["type"], "plain_text", "{block}");
            assert_eq!(block["text"]["emoji"], false);
        }
        assert_eq!(blocks.last().unwrap()["elements"][0]["text"], "<https://squirrel.example/|Squirrel>");
    }
    let mut many = message("x");
    many.alerts = vec![many.alerts[0].clone(); 400];
    let blocks = slack_body(&said(&many))["attachments"][0]["blocks"].as_array().unwrap().len();
    assert!((20..=50).contains(&blocks), "{blocks}");
}

#[test]
fn teams_gets_runs_without_markup_of_at_most_28_kilobytes() {
    for text in hostile() {
        let body = teams_body(&said(&message(&text)));
        assert!(body.to_string().len() < 28_000, "{}", body.to_string().len());
        let card = &body["attachments"][0]["content"];
        assert!(card["body"].as_array().unwrap().iter().all(|block| block["type"] == "RichTextBlock"), "{card}");
        assert!(card["msteams"].get("entities").is_none());
        assert_eq!(card["actions"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn discord_sees_each_sign_behind_a_backslash() {
    for text in hostile() {
        let body = discord_body(&said(&message(&text)), START);
        assert_eq!(body["allowed_mentions"]["parse"], Value::Array(Vec::new()));
        let mut together = 0;
        for embed in body["embeds"].as_array().unwrap() {
            for key in ["title", "description"] {
                let Some(text) = embed[key].as_str() else { continue };
                together += text.encode_utf16().count();
                let mut chars = text.chars();
                while let Some(c) = chars.next() {
                    if c == '\\' {
                        assert!(chars.next().is_some_and(|c| c.is_ascii_punctuation()), "{text}");
                    } else {
                        assert!(!c.is_ascii_punctuation(), "{c} in {text}");
                    }
                }
            }
        }
        assert!(together <= 6000, "{together}");
    }
}

#[test]
fn json_for_pagers_and_topics_keeps_its_keys_and_lengths() {
    let keys = |value: &Value| all_strings(value).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let ntfy = keys(&ntfy_body(&said(&message("x")), "t"));
    let fires = |text: &str| {
        let mut message = message(text);
        message.alerts[0].acknowledged_by = None;
        message
    };
    let pager = keys(&pagerduty_body(&fires("x"), &said(&fires("x")), "k"));
    for text in hostile() {
        let message = fires(&text);
        let body = ntfy_body(&said(&message), "t");
        assert_eq!(keys(&body), ntfy);
        assert!(body["message"].as_str().unwrap().len() <= 4000 && body["title"].as_str().unwrap().len() <= 240);
        let body = pagerduty_body(&message, &said(&message), "k");
        assert_eq!(keys(&body), pager);
        assert!(body["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
        assert_eq!(body["dedup_key"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn a_log_line_is_one_line_and_moves_no_cursor() {
    for text in hostile() {
        let message = message(&text);
        let line = log_line(&message, &said(&message));
        assert!(!line.contains(is_hostile) && line.chars().count() <= 4000, "{line:?}");
        assert_eq!(line.matches(" firing=1 ").count(), 1, "{line}");
    }
}

#[test]
fn no_text_becomes_a_field_of_the_journal() {
    let fields = |mut entry: &[u8]| {
        let mut names = Vec::new();
        while let Some(end) = entry.iter().position(|octet| *octet == b'\n') {
            names.push(String::from_utf8(entry[..end].to_vec()).unwrap());
            let len = u64::from_le_bytes(entry[end + 1..end + 9].try_into().unwrap()) as usize;
            assert_eq!(entry[end + 9 + len], b'\n');
            entry = &entry[end + 10 + len..];
        }
        names
    };
    let usual = fields(&journal_entry(&message("x"), &said(&message("x"))));
    assert_eq!(usual[..3], ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER"]);
    for text in hostile() {
        let message = message(&text);
        assert_eq!(fields(&journal_entry(&message, &said(&message))), usual, "{text:?}");
    }
}

#[test]
fn machines_get_values_as_they_are_in_alertmanagers_shape() {
    for text in hostile() {
        let body = webhook_value(&message(&text));
        assert_eq!(body["alerts"][0]["labels"]["device"], text.as_str());
        let read: Value = serde_json::from_str(&body.to_string()).unwrap();
        assert_eq!(read, body);
    }
    let body = webhook_value(&over(message("eth0")));
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    let mut expected = vec![
        "receiver",
        "status",
        "alerts",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "version",
        "groupKey",
        "truncatedAlerts",
    ];
    expected.sort_unstable();
    let mut sorted: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!((body["version"].as_str(), body["status"].as_str()), (Some("4"), Some("resolved")));
    let alert = &body["alerts"][0];
    assert_eq!(alert["startsAt"], "2026-11-21T15:24:00Z");
    assert_eq!(alert["endsAt"], "2026-11-21T15:34:00Z");
    assert_eq!(alert["fingerprint"], "000000000000feed");
    assert_eq!(webhook_value(&message("x"))["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
}

#[test]
fn alertmanager_is_told_an_end_some_resends_ahead() {
    let body = alertmanager_body(&message("x"), std::time::Duration::from_mins(1), AT);
    assert_eq!(body[0]["endsAt"], "2026-11-21T15:33:00Z", "four minutes after now");
    let body = alertmanager_body(&over(message("")), std::time::Duration::from_mins(1), AT);
    assert_eq!(body[0]["endsAt"], "2026-11-21T15:34:00Z");
    assert!(body[0]["labels"].get("device").is_none(), "an empty label is none");
}

#[test]
fn a_pager_is_triggered_acknowledged_and_resolved_by_one_key() {
    let mut fires = message("eth0");
    fires.alerts[0].acknowledged_by = None;
    let action = |message: &Notification| {
        let body = pagerduty_body(message, &said(message), "k");
        (body["event_action"].as_str().unwrap().to_owned(), body["dedup_key"].as_str().unwrap().to_owned())
    };
    let (trigger, key) = action(&fires);
    assert_eq!(trigger, "trigger");
    assert_eq!(action(&message("eth0")), ("acknowledge".to_owned(), key.clone()));
    assert_eq!(action(&over(message("eth0"))), ("resolve".to_owned(), key));
}

#[test]
fn a_message_says_what_since_when_against_what_and_what_to_do() {
    let mut message = message("eth0");
    message.alerts[0].annotations = texts(&[
        ("summary", "eth0 receives at 93 % of its speed"),
        ("description", "The link is nearly full."),
        ("check_1", "Who receives."),
        ("check_2", "The negotiated speed."),
    ]);
    message.alerts[0].acknowledged_by = None;
    message.alerts[0].generator_url = "https://squirrel.example/graph".to_owned();
    let words = said(&message);
    assert_eq!(words.title, "FIRING: eth0 receives at 93 % of its speed");
    assert_eq!(
        words.plain(),
        "FIRING: eth0 receives at 93 % of its speed\nThe link is nearly full.\n\
         Value 0.93, threshold 0.8; since 2026-11-21 15:24:00 UTC, for 5m\n1. Who receives.\n\
         2. The negotiated speed.\nLinkReceiveBusy {device=\"eth0\", severity=\"critical\"}\n\
         https://squirrel.example/graph"
    );
    let over = over(message);
    assert!(said(&over).plain().contains("2026-11-21 15:24:00 UTC to 2026-11-21 15:34:00 UTC, for 10m"));
    assert_eq!(said(&over).severity, words::severity_of(&over));
    assert!(said(&over).title.starts_with("RESOLVED: "));
}

#[test]
fn a_template_that_fails_notifies_and_shows_the_failure() {
    let template = |text: &str| Template::parse(text).unwrap();
    let message = message("eth0");
    let good = words(&message, Some(&template("{{ .Status | toUpper }} {{ .CommonLabels.device }}")), None, &about());
    assert_eq!(good.title, "FIRING eth0");
    let (title, text) =
        (template("{{ .Nothing }}"), template("{{ range .Alerts }}{{ .Labels.device }}={{ .Value }}{{ end }}"));
    let failed = words(&message, Some(&title), Some(&text), &about());
    assert_eq!(failed.title, "FIRING: eth0", "the usual one stands in");
    assert!(failed.plain().starts_with("The title template of this channel failed: 1:4: can't evaluate field Nothing"));
    assert!(failed.plain().ends_with("eth0=0.93"), "{}", failed.plain());
    for body in [slack_body(&failed), teams_body(&failed), discord_body(&failed, 0), telegram_body(&failed, "1", None)]
    {
        assert!(body.to_string().contains("of this channel failed"), "{body}");
    }
}

#[test]
fn an_own_body_fills_its_texts_and_stays_json() {
    let own = serde_json::json!({"title": "{{ .Title }}", "priority": 5, "extras": [{"text": "{{ .Text }}"}, true]});
    let body = OwnBody::read(&own).unwrap();
    for text in hostile() {
        let message = message(&text);
        let filled = body.fill(&message, &said(&message), AT);
        let read: Value = serde_json::from_str(&filled.to_string()).unwrap();
        assert_eq!(read["title"].as_str().unwrap(), said(&message).title);
        assert_eq!((read["priority"].as_i64(), read["extras"][1].as_bool()), (Some(5), Some(true)));
    }
    let error = OwnBody::read(&serde_json::json!({"a": {"b": ["{{ if }}"]}})).unwrap_err();
    assert!(error.starts_with("the template of body.a.b[0]: 1:"), "{error}");
}

#[test]
fn what_the_queue_knows_is_said() {
    let about = Circumstances { at: AT, is_first_word: true, instead_of: Some("pager".to_owned()) };
    let text = words(&over(message("eth0")), None, None, &about).plain();
    assert!(
        text.starts_with("Told here because the channel pager does not take its messages.\nIt began and ended while")
    );
    let mut trial = message("eth0");
    trial.reason = Reason::Test;
    assert!(said(&trial).title.starts_with("TEST: "));
}
