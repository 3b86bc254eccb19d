//! `squirrel alerts watch`: what a person's own session is told and shown.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use serde_json::Value;
use squirrel_testkit::{skip, until};

use crate::alerts::{Setup, UP};
use crate::support::{Daemon, PATIENCE};

/// A running `squirrel alerts watch --json`; killed when dropped.
struct Watcher {
    child: Child,
    lines: Receiver<String>,
}

impl Watcher {
    fn start(daemon: &Daemon, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squirrel"));
        command.args(["alerts", "watch", "--json", "--interval", "1s", "--server", &daemon.address]);
        change(&mut command);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let stdout = child.stdout.take().expect("piped");
        let (send, lines) = sync_channel(1000);
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| send.send(line)).ok()
        });
        Self { child, lines }
    }

    /// The next event: its word, and the alert's name.
    fn next(&self) -> (String, String) {
        let line = self.lines.recv_timeout(PATIENCE).expect("an event in time");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["event"]), text(&event["alert"]["labels"]["alertname"]))
    }

    /// Interrupts it, as a person does.
    fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(word: &str, name: &str) -> (String, String) {
    (word.to_owned(), name.to_owned())
}

/// A program in the place of notify-send, which writes its arguments into files: one for each call.
fn recorder(folder: &Path) {
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nfile=$(mktemp \"$(dirname \"$0\")/shown-XXXXXX\")\n\
                  printf '%s\\n' \"$@\" > \"$file.part\" && mv \"$file.part\" \"$file.arguments\"\n";
    let path = folder.join("notify-send");
    std::fs::write(&path, script).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it may run");
}

/// The arguments of all calls so far.
fn shown(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let whole = files.filter(|path| path.extension().is_some_and(|end| end == "arguments"));
    whole.map(|path| std::fs::read_to_string(path).expect("text")).collect()
}

#[test]
fn whoever_watches_hears_beginning_end_and_that_the_daemon_is_away_also_on_the_desktop() {
    let setup = Setup::new("", &UP.replace("is up'", "<b>is up</b>'"));
    let daemon = setup.start();
    let folder = tempfile::tempdir().expect("a folder");
    recorder(folder.path());
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("a path"));
    let watcher = Watcher::start(&daemon, |command| {
        command.arg("--desktop").env("PATH", &path);
    });
    assert_eq!(watcher.next(), event("firing", "Up"));
    assert!(until(PATIENCE, || shown(folder.path()).len() == 1), "{:?}", shown(folder.path()));
    let first = shown(folder.path()).remove(0);
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines[..4], ["--app-name=Squirrel", "--urgency=critical", "--", "Up"]);
    assert!(lines[4].ends_with("&lt;b&gt;is up&lt;/b&gt;") && lines.len() == 5, "{lines:?}");
    std::fs::write(setup.path("rules.yml"), UP.replace("up > 0", "up > 5")).expect("written");
    daemon.signal("HUP");
    assert_eq!(watcher.next(), event("resolved", "Up"));
    assert!(until(PATIENCE, || shown(folder.path()).iter().any(|text| text.contains("Over: Up"))));
    drop(daemon);
    assert_eq!(watcher.next(), event("unreachable", ""));
    assert!(until(PATIENCE, || shown(folder.path()).iter().any(|text| text.contains("Squirrel is unreachable"))));
    assert_eq!(watcher.interrupt(), Some(0));
}

#[test]
fn without_notify_send_it_is_said_what_to_install() {
    let setup = Setup::new("", "groups: []\n");
    let daemon = setup.start();
    let empty = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_squirrel"))
        .args(["alerts", "watch", "--desktop", "--server", &daemon.address])
        .env("PATH", empty.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("install libnotify-bin"), "{said}");
}

/// A desktop as the session's bus knows it: it prints what it is to show, a line of JSON each.
const DESKTOP: &str = r#"
import json, sys
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

class Server(dbus.service.Object):
    @dbus.service.method("org.freedesktop.Notifications", in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, text, actions, hints, timeout):
        print(json.dumps({"app": app, "title": title, "text": text, "urgency": int(hints.get("urgency", 1))}), flush=True)
        return 1
    @dbus.service.method("org.freedesktop.Notifications", out_signature="ssss")
    def GetServerInformation(self):
        return ("test", "test", "1", "1.2")
    @dbus.service.method("org.freedesktop.Notifications", out_signature="as")
    def GetCapabilities(self):
        return ["body", "body-markup"]

DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
bus.request_name("org.freedesktop.Notifications")
Server(bus, "/org/freedesktop/Notifications")
print("ready", flush=True)
GLib.MainLoop().run()
"#;

/// Starts a program, and reads its first line: it is ready then.
fn ready(command: &mut Command) -> Option<(Child, Box<dyn Iterator<Item = String>>)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    lines.next()?;
    Some((child, Box::new(lines)))
}

#[test]
fn a_desktop_on_the_sessions_bus_shows_what_fires() {
    let test = "a_desktop_on_the_sessions_bus_shows_what_fires";
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("unix:path={}", folder.path().join("bus").display());
    let bus = ["--session", "--nofork", "--nopidfile", "--print-address", "--address", &address];
    let Some((mut bus, _)) = ready(Command::new("dbus-daemon").args(bus)) else {
        return skip(test, "dbus-daemon is not installed");
    };
    let script = folder.path().join("desktop.py");
    std::fs::write(&script, DESKTOP).expect("written");
    let desktop = ready(Command::new("/usr/bin/python3").arg(&script).arg(&address));
    let is_there = Command::new("notify-send").arg("--version").stdout(Stdio::null()).status().is_ok();
    if let (Some((mut desktop, mut shown)), true) = (desktop, is_there) {
        let setup = Setup::new("", &UP.replace("is up'", "<b>is up</b>'"));
        let daemon = setup.start();
        let watcher = Watcher::start(&daemon, |command| {
            command.arg("--desktop").env("DBUS_SESSION_BUS_ADDRESS", &address);
        });
        assert_eq!(watcher.next(), event("firing", "Up"));
        let shown: Value = serde_json::from_str(&shown.next().expect("something is shown")).expect("JSON");
        assert_eq!((&shown["app"], &shown["title"], &shown["urgency"]), (&"Squirrel".into(), &"Up".into(), &2.into()));
        assert!(shown["text"].as_str().is_some_and(|text| text.ends_with("&lt;b&gt;is up&lt;/b&gt;")), "{shown}");
        assert_eq!(watcher.interrupt(), Some(0));
        let _ = (desktop.kill(), desktop.wait());
    } else {
        skip(test, "notify-send, python3-dbus or python3-gi is not installed");
    }
    let _ = (bus.kill(), bus.wait());
}
