//! `squirrel alerts watch`: tells what begins and what is over, as it happens, in a terminal and on the desktop. It runs
//! in the session of whoever wants to see it: the daemon has no desktop.

mod changes;
mod desktop;

use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;
use squirrel_api::alerts::ShownAlert;
use squirrel_api::params::parse_duration_ms;
use squirrel_api::rules::moment;
use squirrel_model::Untrusted;
use squirrel_sys::clock;

use super::args::Watch;
use super::list::{label, summary};
use crate::alert_actions::ask_with;
use crate::failure::{Class, classed};
use crate::interrupts::{Interrupts, runtime};
use crate::live_client::client;
use crate::output;
use changes::{Change, Follower};
use desktop::Desktop;

/// The shortest time between two looks.
const LEAST_MS: i64 = 1_000;

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: u32,
    time: f64,
    /// `firing`, `resolved`, `unreachable` or `reachable`.
    event: &'static str,
    alert: Option<&'a ShownAlert>,
    /// Why the daemon cannot be asked.
    reason: Option<String>,
}

/// Looks until it is interrupted.
pub(super) fn run(args: &Watch) -> anyhow::Result<()> {
    let every = (|| {
        let ms = parse_duration_ms(&args.interval)?;
        ensure!(ms >= LEAST_MS, "--interval is 1s or more");
        Ok(Duration::from_millis(ms.unsigned_abs()))
    })()
    .map_err(|error| classed(Class::Usage, &error))?;
    runtime()?.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        let desktop = if args.desktop { Some(Desktop::open().await?) } else { None };
        let watcher = Watcher { server: &args.server, json: args.json, desktop };
        tokio::select! {
            result = watcher.watch(every) => result,
            () = interrupts.wait() => Ok(()),
        }
    })
}

struct Watcher<'a> {
    server: &'a str,
    json: bool,
    desktop: Option<Desktop>,
}

impl Watcher<'_> {
    /// The first look must succeed; later a daemon may be away, which is told once, and is asked again.
    async fn watch(&self, every: Duration) -> anyhow::Result<()> {
        let client = client(self.server);
        let mut follower = Follower::default();
        let mut is_away = false;
        self.tell(&follower.look(&ask_with(&client).await?)).await?;
        loop {
            tokio::time::sleep(every).await;
            match ask_with(&client).await {
                Ok(page) => {
                    if std::mem::take(&mut is_away) {
                        self.reach("reachable", None).await?;
                    }
                    self.tell(&follower.look(&page)).await?;
                }
                Err(error) if !is_away => {
                    is_away = true;
                    self.reach("unreachable", Some(format!("{error:#}"))).await?;
                }
                Err(_) => {}
            }
        }
    }

    async fn tell(&self, changes: &[Change]) -> anyhow::Result<()> {
        let time = clock::wall();
        for change in changes {
            let (event, alert) = (change.word(), change.alert());
            let text = if self.json {
                let line = Line { schema: 1, time: time.seconds(), event, alert: Some(alert), reason: None };
                output::json_line(&line)?
            } else {
                let (severity, name) = (label(alert, "severity"), label(alert, "alertname"));
                let summary = summary(alert);
                let at = moment(Some(time));
                let line = format!("{at}  {event:<8}  {severity:<8}  {name}  {summary}");
                Untrusted(&line).to_string()
            };
            output::print(&(text + "\n"))?;
        }
        if let Some(desktop) = &self.desktop {
            for notice in desktop::notices(changes) {
                self.show(desktop, &notice).await;
            }
        }
        Ok(())
    }

    /// Tells that the daemon is away, or back.
    async fn reach(&self, event: &'static str, reason: Option<String>) -> anyhow::Result<()> {
        let why = reason.clone().unwrap_or_else(|| "alerts are watched again".to_owned());
        if self.json {
            let line = Line { schema: 1, time: clock::wall().seconds(), event, alert: None, reason };
            output::print(&(output::json_line(&line)? + "\n"))?;
        } else {
            output::complain(&Untrusted(&format!("the daemon is {event}: {why}")).to_string());
        }
        if let Some(desktop) = &self.desktop {
            self.show(desktop, &desktop::reach(event, &why)).await;
        }
        Ok(())
    }

    /// A desktop that shows nothing is told, and ends nothing: the next alert may find it.
    async fn show(&self, desktop: &Desktop, notice: &desktop::Notice) {
        if let Err(why) = desktop.show(notice).await {
            output::complain(&Untrusted(&format!("nothing was shown on the desktop: {why}")).to_string());
        }
    }
}
