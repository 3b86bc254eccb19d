//! A daemon whose alerts Debian's Alertmanager takes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::{skip, until};

use crate::alerts::{Hook, Setup, UP, receiver};
use crate::support::PATIENCE;

/// An Alertmanager; killed when dropped.
struct Alertmanager {
    child: Child,
    url: String,
}

impl Alertmanager {
    /// One on a port that it chooses, and tells in its log; none where it is not installed.
    fn start(folder: &Path, text: &str) -> Option<Self> {
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, text).expect("written");
        let mut child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("msg=\"Listening on\" address=")?.1.to_owned()));
        // What it says later nobody reads; a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, url: format!("http://{}", address.expect("it says where it listens")) })
    }

    /// Waits until the alerts that it shows are as wanted, and asserts that they come to be.
    fn assert_shows(&self, wanted: impl Fn(&[Value]) -> bool) {
        let to = Destination::parse(&format!("{}/api/v2/alerts", self.url)).expect("a URL");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut last: Option<Vec<Value>> = None;
        let came = until(PATIENCE, || {
            let answer = runtime.block_on(Client::new().send(&to, Request::get()));
            last = answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok());
            last.as_deref().is_some_and(&wanted)
        });
        assert!(came, "Alertmanager shows {last:?}");
    }

    /// Runs its own tool against it.
    fn amtool(&self, args: &[&str]) -> String {
        let output = Command::new("amtool").arg(format!("--alertmanager.url={}", self.url)).args(args).output();
        let output = output.expect("amtool comes with it");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn alertmanager_is_told_what_fires_can_silence_it_and_is_told_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(manager) = Alertmanager::start(folder.path(), "route: {receiver: none}\nreceivers: [{name: none}]\n")
    else {
        return skip(
            "alertmanager_is_told_what_fires_can_silence_it_and_is_told_the_end",
            "prometheus-alertmanager is not installed",
        );
    };
    let channel = format!("[[notify.alertmanager]]\nname = \"manager\"\nurl = \"{}\"\nresend = \"1s\"\n", manager.url);
    let setup = Setup::new(&channel, UP);
    let daemon = setup.start();
    let is_up = |alerts: &[Value]| alerts.len() == 1 && alerts[0]["labels"]["alertname"] == "Up";
    manager.assert_shows(|alerts| {
        is_up(alerts)
            && alerts[0]["status"]["state"] == "active"
            && alerts[0]["annotations"]["summary"].as_str().is_some_and(|text| text.ends_with(" is up"))
    });
    // Its silence holds although the alert is told again each second.
    let id = manager.amtool(&["silence", "add", "alertname=Up", "--duration=1h", "--author=ada", "--comment=tests"]);
    manager.assert_shows(|alerts| is_up(alerts) && alerts[0]["status"]["silencedBy"] == json!([id]));
    (0..3).for_each(|_| daemon.next_tick());
    manager.assert_shows(|alerts| is_up(alerts) && alerts[0]["status"]["state"] == "suppressed");
    manager.amtool(&["silence", "expire", &id]);
    manager.assert_shows(|alerts| is_up(alerts) && alerts[0]["status"]["state"] == "active");
    std::fs::write(setup.path("rules.yml"), UP.replace("up > 0", "up > 5")).expect("written");
    daemon.signal("HUP");
    manager.assert_shows(<[Value]>::is_empty);
}

/// What a receiver knows of each group: by its own name and the group's labels, the newest message.
type Known = BTreeMap<String, Value>;

/// A message without what differs by nature: addresses, moments, and the key of the group.
fn essence(head: &str, body: &Value) -> (String, Value) {
    let mut alerts: Vec<Value> = body["alerts"].as_array().expect("a list").clone();
    for alert in &mut alerts {
        *alert = json!({ "labels": alert["labels"], "annotations": alert["annotations"], "status": alert["status"],
                         "fingerprint": alert["fingerprint"] });
    }
    alerts.sort_by_key(|alert| alert["fingerprint"].to_string());
    let path = head.split(' ').nth(1).expect("a path").to_owned();
    let fields =
        ["status", "receiver", "version", "groupLabels", "commonLabels", "commonAnnotations", "truncatedAlerts"];
    let mut essence: BTreeMap<&str, Value> = fields.into_iter().map(|field| (field, body[field].clone())).collect();
    essence.insert("alerts", Value::Array(alerts));
    (format!("{path} {}", body["groupLabels"]), json!(essence))
}

/// Reads messages until the newest ones are as wanted. Answers how many came.
fn listen(hook: &Hook, known: &mut Known, wanted: impl Fn(&Known) -> bool) -> usize {
    let mut count = 0;
    while !wanted(known) {
        let (head, body) = hook.next_whole();
        known.extend([essence(&head, &body)]);
        count += 1;
    }
    count
}

/// Rules of alerts (name, site, host, severity), of which those fire whose number is wanted. (An alert whose rule is gone
/// would be over only after minutes.)
fn rules(alerts: &[[&str; 4]], fires: impl Fn(usize) -> bool) -> String {
    let rule = |(number, [name, site, host, severity]): (usize, &[&str; 4])| {
        let limit = if fires(number) { 0 } else { 5 };
        format!(
            "  - alert: {name}\n    expr: vector(1) > {limit}\n    \
             labels: {{site: {site}, host: {host}, severity: {severity}}}\n    \
             annotations: {{summary: '{name} at {site}', host: '{host} is meant'}}\n"
        )
    };
    format!("groups:\n- name: g\n  rules:\n{}", alerts.iter().enumerate().map(rule).collect::<String>())
}

#[test]
fn the_same_alerts_make_the_same_groups_and_messages_as_in_alertmanager() {
    const ALERTS: [[&str; 4]; 6] = [
        ["Down", "north", "a", "warning"],
        ["Down", "north", "b", "warning"],
        ["Down", "south", "c", "warning"],
        ["Slow", "north", "a", "info"],
        ["Lost", "north", "a", "critical"],
        ["Lost", "south", "c", "critical"],
    ];
    let (ours, theirs) = (receiver(), receiver());
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "route: {{receiver: ops, group_by: [alertname, site], group_wait: 2s, group_interval: 2s, routes: [\
         {{matchers: ['severity=\"critical\"'], receiver: boss, group_by: [alertname]}}]}}\n\
         receivers:\n- {{name: ops, webhook_configs: [{{url: 'http://{0}/ops'}}]}}\n\
         - {{name: boss, webhook_configs: [{{url: 'http://{0}/boss'}}]}}\n",
        theirs.address
    );
    let Some(manager) = Alertmanager::start(folder.path(), &config) else {
        return skip(
            "the_same_alerts_make_the_same_groups_and_messages_as_in_alertmanager",
            "prometheus-alertmanager is not installed",
        );
    };
    let setup = Setup::new(
        &format!(
            "by = [\"alertname\", \"site\"]\nwait = \"2s\"\n\
             [[notify.webhook]]\nname = \"ops\"\nurl = \"http://{0}/ops\"\n\
             [[notify.webhook]]\nname = \"boss\"\nurl = \"http://{0}/boss\"\n\
             [[notify.alertmanager]]\nname = \"manager\"\nurl = \"{1}\"\nresend = \"1s\"\n\
             [[route]]\nchannels = [\"manager\"]\ncontinue = true\n\
             [[route]]\nmatch = ['severity=\"critical\"']\nchannels = [\"boss\"]\ngroup_by = [\"alertname\"]\n\
             [[route]]\nmatch = ['severity!=\"critical\"']\nchannels = [\"ops\"]\n",
            ours.address, manager.url
        ),
        &rules(&ALERTS, |_| true),
    );
    let daemon = setup.start();
    let told = |known: &Known, firing: usize, over: usize| {
        let count = |status| {
            let alerts = known.values().flat_map(|message| message["alerts"].as_array().expect("a list"));
            alerts.filter(|alert| alert["status"] == status).count()
        };
        (count("firing"), count("resolved")) == (firing, over)
    };
    let (mut here, mut there) = (Known::new(), Known::new());
    let groups = listen(&ours, &mut here, |known| told(known, 6, 0));
    listen(&theirs, &mut there, |known| told(known, 6, 0));
    assert_eq!(here, there);
    assert_eq!((groups, here.len()), (4, 4), "one message for each group: {here:#?}");
    let managers: Value = serde_json::from_str(&daemon.text("/api/v1/alertmanagers")).expect("a document");
    let url = format!("{}/api/v2/alerts", manager.url);
    assert_eq!(managers["data"]["activeAlertmanagers"], json!([{ "url": url }]));

    // One of two is over.
    std::fs::write(setup.path("rules.yml"), rules(&ALERTS, |number| number != 1)).expect("written");
    daemon.signal("HUP");
    listen(&ours, &mut here, |known| told(known, 5, 1));
    listen(&theirs, &mut there, |known| told(known, 5, 1));
    assert_eq!(here, there);

    std::fs::write(setup.path("rules.yml"), rules(&ALERTS, |_| false)).expect("written");
    daemon.signal("HUP");
    let all_over = |known: &Known| known.values().all(|message| message["status"] == "resolved");
    listen(&ours, &mut here, all_over);
    listen(&theirs, &mut there, all_over);
    // The manager is told of an end again and again; what comes after its own message it tells once more with the next.
    let ends = |known: &Known| {
        let end = |(key, message): (&String, &Value)| {
            let alerts = message["alerts"].as_array().expect("a list").iter();
            let alerts: Vec<Value> = alerts.filter(|alert| alert["labels"]["host"] != "b").cloned().collect();
            (key.clone(), message["receiver"].clone(), message["groupLabels"].clone(), alerts)
        };
        known.iter().map(end).collect::<Vec<_>>()
    };
    assert_eq!(ends(&here), ends(&there));
}
