//! Prometheus' own Alertmanager takes what fires and what is over.

use std::process::Stdio;

use serde_json::Value;
use squirrel_notify::Reason;
use squirrel_outbound::{Client, Destination, Request};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::support::{eventually, message, start, until};

const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// An Alertmanager on a port that it chooses, and tells in its log.
async fn alertmanager(folder: &std::path::Path) -> (Child, String) {
    let config = folder.join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let mut child = Command::new(PROGRAM)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg("--web.listen-address=127.0.0.1:0")
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("it says where it listens");
        if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
            break address.to_owned();
        }
    };
    // What it says later nobody reads; a full pipe would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, format!("http://{address}"))
}

/// Its alerts; none while it does not answer.
async fn alerts(url: &str) -> Option<Vec<Value>> {
    let to = Destination::parse(&format!("{url}/api/v2/alerts")).unwrap();
    let answer = Client::new().send(&to, Request::get()).await.ok()?;
    serde_json::from_slice(&answer.body).ok()
}

#[tokio::test]
async fn it_shows_what_fires_and_forgets_what_is_over() {
    if !std::path::Path::new(PROGRAM).exists() {
        squirrel_testkit::skip(
            "it_shows_what_fires_and_forgets_what_is_over",
            "prometheus-alertmanager is not installed",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut child, url) = alertmanager(folder.path()).await;
    eventually(async || alerts(&url).await).await;
    let channels = start(&format!("[[alertmanager]]\nname = \"am\"\nurl = \"{url}/\"\nresend = \"1s\""));
    channels.tell(vec![message(1, "am", "g", Reason::New)]).await;
    let shown = eventually(async || alerts(&url).await.filter(|alerts| !alerts.is_empty())).await;
    assert_eq!(shown[0]["labels"]["alertname"], "LinkBusy");
    assert_eq!(shown[0]["annotations"]["summary"], "eth0 is nearly full — Größe <b>");
    assert_eq!(shown[0]["status"]["state"], "active");
    // It is told again before the end that it was told has come.
    let first_end = shown[0]["endsAt"].as_str().unwrap().to_owned();
    let is_later =
        |alerts: &Vec<Value>| alerts.first().is_some_and(|one| one["endsAt"].as_str() > Some(first_end.as_str()));
    eventually(async || alerts(&url).await.filter(is_later)).await;
    channels.tell(vec![message(2, "am", "g", Reason::Resolved)]).await;
    eventually(async || alerts(&url).await.filter(Vec::is_empty)).await;
    until(&channels, |delivery| delivery.reason == Reason::Resolved).await;
    channels.stop().await;
    child.kill().await.unwrap();
}
