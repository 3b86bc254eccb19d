//! A daemon whose alerts Debian's Alertmanager takes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::{skip, until};

use crate::alerts::{Setup, UP};
use crate::support::PATIENCE;

/// An Alertmanager; killed when dropped.
struct Alertmanager {
    child: Child,
    url: String,
}

impl Alertmanager {
    /// One on a port that it chooses, and tells in its log; none where it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").expect("written");
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
    let Some(manager) = Alertmanager::start(folder.path()) else {
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
