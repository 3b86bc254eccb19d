//! Messages for tests, and texts that strangers would like to see in them.

use squirrel_notify::{Chart, Notification, NotifiedAlert, Reason, Texts};

/// 2026-11-21 15:24:00 UTC.
pub(crate) const START: i64 = 1_795_274_640_000;

pub(crate) fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A message about one link that is busy, with `text` wherever a stranger may have a word.
pub(crate) fn message(text: &str) -> Notification {
    let labels = texts(&[("alertname", "LinkReceiveBusy"), ("device", text), ("severity", "critical")]);
    Notification {
        id: 7,
        channel: "office".to_owned(),
        group_key: format!("{{}}:{{device={text:?}}}"),
        reason: Reason::New,
        at_ms: START + 300_000,
        group_labels: texts(&[("alertname", "LinkReceiveBusy"), ("device", text)]),
        common_labels: labels.clone(),
        common_annotations: texts(&[("summary", text)]),
        alerts: vec![NotifiedAlert {
            firing: true,
            labels,
            annotations: texts(&[("summary", text), ("description", text), ("check_1", text), ("runbook_url", text)]),
            starts_at_ms: START,
            ends_at_ms: None,
            value: 0.93,
            threshold: Some(0.8),
            expr: "rate(x[5m]) > 0.8".to_owned(),
            generator_url: text.to_owned(),
            fingerprint: 0xfeed,
            acknowledged_by: Some(text.to_owned()),
        }],
        more: 0,
        external_url: "https://squirrel.example/".to_owned(),
        chart: Some(chart()),
    }
}

/// The same message when all is over.
pub(crate) fn over(mut message: Notification) -> Notification {
    message.reason = Reason::Resolved;
    message.id += 1_000_000;
    for alert in &mut message.alerts {
        alert.firing = false;
        alert.ends_at_ms = Some(START + 600_000);
    }
    message
}

/// An hour of a value that crosses its threshold.
pub(crate) fn chart() -> Chart {
    let line = |phase: f64| {
        (0..240_u32).map(move |i| {
            let x = f64::from(i) / 240.0;
            let wave = 0.35 + 0.3 * x + 0.25 * (x * 20.0 + phase).sin().abs() * x;
            (START - 3_300_000 + i64::from(i) * 15_000, wave)
        })
    };
    Chart {
        title: "receive".to_owned(),
        lines: vec![
            ("eth0".to_owned(), line(0.0).collect()),
            ("eth1".to_owned(), line(1.2).map(|(t, v)| (t, v / 2.0)).collect()),
        ],
        threshold: Some(0.8),
    }
}

/// What strangers write.
pub(crate) const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</title></h1><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' style='x",
    "&lt;b&gt;&amp;",
    "]]>--><!--",
    "</code></pre><b>x</b><a href=\"https://evil.example\">y</a>",
    "a\r\nBcc: victim@example.org\r\n\r\nbody",
    "a\nSubject: other",
    "=?utf-8?q?=0D=0ABcc=3A_x?=",
    "<!channel> <!here> <@U012AB3CD> <https://evil.example|click>",
    "@everyone @here <@&123> <@123> <#1>",
    "@channel @admin /command #tag",
    "*bold* _it_ ~no~ `code` ```block```",
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "https://evil.example/track?me",
    "<at>everyone</at>",
    "||spoiler|| > quote # head - item 1. item \\",
    ":boom: :tada:",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{90}q",
    "abc\u{202e}fdp.exe\u{2066}",
    "zero\u{200b}width\u{feff}\u{e0041}tags",
    "null\0octet\u{7f}",
    "line one\nPRIORITY=0\nMESSAGE=forged",
    "x\u{2028}y\u{2029}z",
    "{{ .ExternalURL }} {{ printf \"%s\" }} ${jndi:ldap://x}",
    "%s%n%0a",
    "'; DROP TABLE alerts; --",
    "$(reboot) `reboot` ; reboot & | reboot",
    "=1+1 +1 -1 @SUM(A1)",
    "javascript:alert(1)",
    "\u{fdfd}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}e\u{301}\u{301}\u{301}\u{301}",
    "\"quotes\" 'and' \\back\\slashes\\",
    "",
    " ",
];

/// The corpus, with texts that are long as well.
pub(crate) fn hostile() -> Vec<String> {
    let mut all: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    all.extend(["<", "&", "\\", "*", "\u{1f4a5}", "\n", "A\u{301}"].map(|piece| piece.repeat(20_000)));
    all
}
