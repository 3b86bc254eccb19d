//! The table of settings: one item each, from which the commented sample is printed.

/// One setting of the configuration file.
pub(super) struct Setting {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    /// The default as it would be written.
    pub(super) default: &'static str,
    /// What it does, one line each.
    pub(super) help: &'static [&'static str],
}

/// All settings, in the order of the sample.
pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        section: "server",
        key: "listen",
        default: r#"["127.0.0.1:7775", "[::1]:7775"]"#,
        help: &["Addresses and ports to answer on: dashboard, API, /metrics."],
    },
    Setting {
        section: "server",
        key: "hosts",
        default: "[]",
        help: &[
            "Further names under which a browser may ask, such as [\"squirrel.example.net\"] behind a proxy.",
            "Requests for any other name are refused: it protects against DNS rebinding.",
        ],
    },
    Setting {
        section: "server",
        key: "allow_remote",
        default: "false",
        help: &["Whether `listen` may name addresses that other machines reach. They would read everything."],
    },
    Setting {
        section: "store",
        key: "directory",
        default: r#""/var/lib/squirrel""#,
        help: &["Where samples are kept. When not running as root: ~/.local/state/squirrel."],
    },
    Setting {
        section: "store",
        key: "retention",
        default: r#""14d""#,
        help: &[
            "How long samples are kept at full resolution. At 1 s an idle host needs about 30 MB a day, 3,000 busy series about 280 MB.",
        ],
    },
    Setting {
        section: "store",
        key: "retention_minutes",
        default: r#""90d""#,
        help: &["How long the minimum, maximum, sum, count, last value and increase of each minute are kept."],
    },
    Setting { section: "store", key: "retention_hours", default: r#""5y""#, help: &["The same for each hour."] },
    Setting {
        section: "store",
        key: "max_size",
        default: r#""none""#,
        help: &[
            "Most bytes of full resolution, such as \"20GiB\" or \"500MB\"; above it the oldest go, whatever their age.",
            "The log of the last two hours comes on top.",
        ],
    },
    Setting { section: "store", key: "max_size_minutes", default: r#""none""#, help: &["The same for the minutes."] },
    Setting { section: "store", key: "max_size_hours", default: r#""none""#, help: &["The same for the hours."] },
    Setting {
        section: "store",
        key: "sync",
        default: r#""tick""#,
        help: &[
            "When a tick must be on disk: \"tick\" (a power cut loses at most one), a time such as \"5s\"",
            "(spares flash memory), or \"never\" (when the kernel sees fit). A crash of Squirrel loses nothing.",
        ],
    },
    Setting {
        section: "store",
        key: "engine",
        default: r#""embedded""#,
        help: &[
            "What answers PromQL: \"embedded\" (Squirrel, out of the samples kept here) or \"prometheus\": a server with",
            "Prometheus' HTTP API, such as Prometheus, Mimir, Thanos or VictoriaMetrics, at `url`. Samples are kept here",
            "in either case, and the verdict and the built-in alerts are always by them.",
        ],
    },
    Setting {
        section: "store",
        key: "url",
        default: r#""""#,
        help: &[
            "Where that server is: what stands before /api/v1. Who Squirrel is to it stands in a table of its own,",
            "[store.access]: user and password_file, or token_file; tenant; ca_file, certificate_file and key_file,",
            "server_name, insecure_skip_verify.",
        ],
    },
    Setting {
        section: "collect",
        key: "interval",
        default: r#""1s""#,
        help: &["Time between two readings, in whole seconds."],
    },
    Setting {
        section: "collect",
        key: "disabled",
        default: "[]",
        help: &["Names of collectors that stay off, such as [\"ethtool\"]."],
    },
    Setting {
        section: "applications",
        key: "enabled",
        default: "true",
        help: &[
            "Whether applications that use the library squirrel-monitor may report here. Without a token only those on",
            "this host may.",
        ],
    },
    Setting {
        section: "applications",
        key: "max_instances",
        default: "64",
        help: &["Processes that are known at one time; the one that is silent longest makes room for a new one."],
    },
    Setting {
        section: "applications",
        key: "max_series",
        default: "10000",
        help: &["Series of one process; what is beyond is refused, and it is told so."],
    },
    Setting {
        section: "applications",
        key: "max_series_total",
        default: "50000",
        help: &["Series of all processes together, and new ones within an hour."],
    },
    Setting {
        section: "applications",
        key: "token_file",
        default: r#""""#,
        help: &[
            "A file with a secret that each report must carry, from whatever host; only the owner and his group may read",
            "it. None: no secret, and reports from this host only.",
        ],
    },
    Setting {
        section: "accounting",
        key: "level",
        default: r#""sockets""#,
        help: &[
            "Whose bytes they are: \"sockets\" counts them by process, connection and remote host, as exactly as the",
            "kernel and the privileges allow (`squirrel top` says how exactly); \"packets\" counts each packet of",
            "the interfaces as well, so that nothing of their books is estimated: it needs Linux 6.6, and each packet",
            "costs a little; \"off\" counts nothing of that.",
        ],
    },
    Setting {
        section: "accounting",
        key: "connections",
        default: "100000",
        help: &["Connections that are followed one by one. Above it a share of them is, and the error is shown."],
    },
    Setting {
        section: "accounting",
        key: "memory",
        default: r#""256MiB""#,
        help: &["Most memory for these tables. What is pruned to keep it is counted."],
    },
    Setting {
        section: "alerts",
        key: "rule_files",
        default: "[]",
        help: &[
            "Rule files of Prometheus, such as [\"rules/*.yml\"]; paths begin at this file's folder. A file that changes is",
            "read again by itself; `squirrel alerts check FILE` judges one before. They are asked of the engine under",
            "[store]. What they yield is kept here; another engine sees it once remote write brought it there, so that",
            "a rule then sees the rules before it in its group one evaluation late, and without remote write never.",
        ],
    },
    Setting {
        section: "alerts",
        key: "interval",
        default: r#""15s""#,
        help: &["Time between two evaluations, for groups of rules that do not say it themselves."],
    },
    Setting {
        section: "alerts",
        key: "built_in",
        default: "true",
        help: &["Whether the rules that Squirrel brings along are evaluated."],
    },
    Setting {
        section: "alerts",
        key: "external_url",
        default: r#""""#,
        help: &["The address by which people reach this dashboard, for the links in what they are told."],
    },
    Setting {
        section: "checks",
        key: "modules_file",
        default: r#""""#,
        help: &[
            "A configuration file of blackbox_exporter with modules for checks of services; its modules stand over those that",
            "are always there (`squirrel check --list`). Prometheus asks for them at /probe?module=…&target=…",
        ],
    },
    Setting {
        section: "checks",
        key: "allow",
        default: "[]",
        help: &[
            "Networks that /probe may look at besides public addresses, such as [\"10.0.0.0/8\", \"fd00::/8\"]. Whoever reaches",
            "this server names the targets, and Squirrel may stand where he does not: so neither this machine nor a private",
            "network is looked at unless it is named here, and the addresses where clouds give credentials never are.",
        ],
    },
    Setting {
        section: "checks",
        key: "at_once",
        default: "32",
        help: &["Checks by /probe that may be under way at one time; more are refused and counted."],
    },
    Setting {
        section: "log",
        key: "level",
        default: r#""info""#,
        help: &["error, warn, info, debug or trace; or by part, such as \"info,squirrel_store=debug\"."],
    },
];

/// The sample file: every setting at its default, as a comment, with its meaning.
pub(crate) fn sample() -> String {
    let mut text = String::from(
        "# Configuration of Squirrel. Every setting is shown at its default.\n\
         # Check it with `squirrel config check FILE`; a running daemon reads it again on SIGHUP.\n",
    );
    let mut section = "";
    for setting in SETTINGS.iter().chain(super::query::SETTINGS) {
        if setting.section != section {
            section = setting.section;
            text += &format!("\n[{section}]\n");
        }
        for line in setting.help {
            text += &format!("# {line}\n");
        }
        text += &format!("#{} = {}\n", setting.key, setting.default);
        if (setting.section, setting.key) == ("alerts", "external_url") {
            text += &thresholds();
        }
    }
    text += PROBED;
    text += TOLD;
    text
}

/// What is probed: nothing, unless it is written.
const PROBED: &str = r#"
# What is probed on a schedule: any number of tables, 10,000 targets together. Series have the table's name as job and
# the target as instance.
# [[probe]]
# name = "gateways"
# targets = ["192.0.2.1", "gateway.example.net"]
# kind = "ping"          (also path, http, tcp, dns, ntp, plugin; or module = "http_2xx" in its place)
# interval = "10s"       (1s to 4m; 1m for paths and checks)
# timeout = "2s"         (of a check: 10s; at most the interval)
# ip = 6                 (or 4: names are asked by this IP alone; without it by any, and as a module prefers)
# group = "office"
# parents = []           (targets that these lie behind: while one is down, these are unreachable, and not told singly)
# objective = 0.999      (the share of time that they should be up, judged over `window`, 30d)
# labels = { site = "a" }
# [[probe]]
# name = "way"
# kind = "path"
# targets = ["198.51.100.7"]
# packets = 10           (questions to each place of the path, one a second)
# [[probe]]
# name = "names"
# kind = "dns"
# targets = ["192.0.2.53"]
# query = "example.net"
# [[probe]]
# name = "ssh"
# kind = "plugin"
# targets = ["192.0.2.1"]
# command = ["/usr/lib/nagios/plugins/check_ssh", "{target}"]
"#;

/// Who is told of alerts. These are tables that nobody has unless they are written, so they are examples.
const TOLD: &str = r#"
# Who is told of alerts: any number of channels, each with a name. With no [[route]] every channel gets everything.
# Try one with `squirrel notify test NAME`. Secrets may stand in files: url_file, password_file, token_file.
# There are webhook, email, slack, teams, discord, telegram, ntfy, pagerduty, alertmanager, log, journal and command.
# [[notify.webhook]]
# name = "hook"
# url = "https://hooks.example.net/squirrel"      (Alertmanager's body, version 4)
# [[notify.email]]
# name = "mail"
# host = "mail.example.net"
# username = "squirrel"
# password_file = "/etc/squirrel/mail-password"
# from = "Squirrel <squirrel@example.net>"
# to = ["ops@example.net"]
# [[notify.alertmanager]]
# name = "alertmanager"
# url = "http://127.0.0.1:9093"

# Who gets what: the first route that fits takes an alert; one that no route takes goes to every channel.
# [[route]]
# match = ["severity=critical"]
# channels = ["hook", "mail"]

# When alerts are told together, and how often.
# [grouping]
# by = ["alertname"]      (["..."]: each alert for itself; []: all together)
# wait = "0s"             how long a new group waits for more alerts before it is told
# interval = "5m"         how long at least lies between two messages of a group that has changed;
#                         that all of it is over is told at once
# repeat = "4h"           when what still fires is told again
# max_alerts = 50         how many alerts one message tells in full, at most 1000; the others are counted

# Also: [[inhibit]], [[dependency]], [[maintenance]], [quiet_hours], [[escalation]], [flapping].
"#;

/// The tables below `[alerts]`.
fn thresholds() -> String {
    let mut text = String::from(
        "\n[alerts.external_labels]\n\
         # Labels that are added to all that others are told, where alerts of several hosts come together.\n\
         #site = \"\"\n\
         \n[alerts.thresholds]\n",
    );
    for threshold in squirrel_alert::thresholds::THRESHOLDS {
        text += &format!("# {}\n#{} = {}\n", threshold.about, threshold.name, threshold.usual);
    }
    text + super::remote::SAMPLE
}
