//! Who measures: a daemon that runs already, or the command itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use squirrel_account::{Accountant, Figures, Options, Picture};
use squirrel_api::client::{Client, ClientError};
use squirrel_api::live::{Connections, Hosts, Interfaces, Processes, Question, Table, Top};
use squirrel_model::Untrusted;
use squirrel_sys::clock;

use super::view::View;
use crate::accounting::Opened;
use crate::cli::{self, TopLevel};
use crate::config::AccountingLevel;
use crate::failure::{Class, classed, forbidden_or};
use crate::live_client::{self, USUAL_ADDRESS};
use crate::output;

/// The command's own account of the network.
pub(super) struct Own {
    accountant: Accountant,
    clock: clock::Monotonic,
}

impl Own {
    /// Opens everything that this user may read: all network namespaces on the host, this one inside of another.
    pub(super) fn open(args: &cli::Top) -> anyhow::Result<Self> {
        let level = match args.level {
            None | Some(TopLevel::Sockets) => AccountingLevel::Sockets,
            Some(TopLevel::Packets) => AccountingLevel::Packets,
        };
        let opened = Opened::open(level);
        let opened = opened.map_err(|error| forbidden_or(error, "the kernel's list of sockets is refused here"))?;
        if let Some(refusal) = opened.refusal() {
            output::complain(&format!("squirrel: {}", Untrusted(&refusal)));
        }
        Ok(Self { accountant: opened.accountant(Options::default()).0, clock: clock::Monotonic::start() })
    }

    pub(super) fn step(&mut self) {
        self.accountant.step(self.clock.elapsed(), clock::wall());
    }

    /// Time since it was opened.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed().0
    }

    /// The picture with rates over the whole time instead of over the last step.
    pub(super) fn averaged(&mut self) -> Picture {
        let mut picture = Picture::clone(&self.accountant.picture());
        let seconds = (picture.at.seconds() - picture.since.seconds()).max(0.001);
        let average = |figures: &mut Figures| {
            figures.receive_rate = figures.bytes.receive as f64 / seconds;
            figures.transmit_rate = figures.bytes.transmit as f64 / seconds;
        };
        picture.processes.iter_mut().for_each(|row| average(&mut row.figures));
        picture.connections.iter_mut().for_each(|row| average(&mut row.figures));
        picture.hosts.iter_mut().for_each(|row| average(&mut row.figures));
        picture.interfaces.iter_mut().for_each(|row| average(&mut row.wire));
        picture
    }
}

/// Who measures.
pub(super) enum Meter {
    Daemon { client: Client, address: String },
    Own(Box<Own>),
}

impl Meter {
    /// The daemon where one answers, else the command itself; which it is, is said on standard error.
    pub(super) async fn open(args: &cli::Top) -> anyhow::Result<Self> {
        if !args.no_daemon && args.level.is_none() {
            let address = args.server.as_deref().unwrap_or(USUAL_ADDRESS);
            let client = live_client::client(address);
            let probe = Question { limit: 0, ..Question::default() };
            match live_client::ask::<Processes>(&client, "/api/live/processes", &probe, &[]).await {
                Ok(_) => {
                    output::complain(&format!("squirrel: by the account of the daemon at {address}"));
                    return Ok(Self::Daemon { client, address: address.to_owned() });
                }
                // A daemon that was named must answer; one that was only looked for need not be there.
                Err(error) if args.server.is_some() => return Err(unreachable_or(error)),
                Err(ClientError::NotRunning { .. }) => {}
                Err(error) => {
                    output::complain(&format!("squirrel: what answers at {address} gives no account ({error})"));
                }
            }
        }
        output::complain("squirrel: measuring without a daemon, from now on");
        Ok(Self::Own(Box::new(Own::open(args)?)))
    }

    /// Reads once more; a daemon does so by itself.
    pub(super) fn step(&mut self) {
        if let Self::Own(own) = self {
            own.step();
        }
    }

    /// The rows of one table.
    pub(super) async fn view(&mut self, question: &Question, table: Table) -> anyhow::Result<View> {
        match self {
            Self::Own(own) => {
                let picture: Arc<Picture> = own.accountant.picture();
                View::of_picture(&picture, table, question)
            }
            Self::Daemon { client, .. } => {
                let path = format!("/api/live/{}", table.name());
                let asked = match table {
                    Table::Processes => {
                        live_client::ask::<Processes>(client, &path, question, &[]).await.map(View::from)
                    }
                    Table::Connections => {
                        live_client::ask::<Connections>(client, &path, question, &[]).await.map(View::from)
                    }
                    Table::Hosts => live_client::ask::<Hosts>(client, &path, question, &[]).await.map(View::from),
                    Table::Interfaces => {
                        live_client::ask::<Interfaces>(client, &path, question, &[]).await.map(View::from)
                    }
                };
                asked.map_err(unreachable_or)
            }
        }
    }

    /// The whole document.
    pub(super) async fn document(&mut self, question: &Question, table: Table) -> anyhow::Result<Top> {
        match self {
            Self::Own(own) => {
                let picture = own.accountant.picture();
                question.top(&picture, table, usize::MAX).map_err(|error| anyhow!(error.message))
            }
            Self::Daemon { client, address } => {
                let which = [("table", table.name().to_owned())];
                let asked = live_client::ask::<Top>(client, "/api/live/top", question, &which).await;
                let top = asked.map_err(unreachable_or)?;
                Ok(Top { measured_by: address.clone(), ..top })
            }
        }
    }
}

fn unreachable_or(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::NotRunning { .. } => classed(Class::Unreachable, &error.into()),
        other => other.into(),
    }
}
