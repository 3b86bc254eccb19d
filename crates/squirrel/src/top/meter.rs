//! Who measures: a daemon that runs already, or the command itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use squirrel_account::{Accountant, Figures, Options, Picture};
use squirrel_api::client::{Client, ClientError};
use squirrel_api::live::{Connections, Hosts, Interfaces, PacketLease, Processes, Question, Table, Top};
use squirrel_model::Untrusted;
use squirrel_sys::{SysError, clock};

use super::view::View;
use crate::accounting::Opened;
use crate::accounting::counting::{Counting, Leases};
use crate::cli::{self, TopLevel};
use crate::failure::forbidden_or;
use crate::keeper::{Running, Starting};
use crate::live_client::{self, USUAL_ADDRESS, explained};
use crate::output;

/// Longest wait for an answer of the process with privileges: a measurement loses none because the host is busy, a
/// screen must not stand still.
const MEASUREMENT_PATIENCE: Duration = Duration::from_secs(30);
const SCREEN_PATIENCE: Duration = Duration::from_secs(1);

/// The command's own account of the network.
pub(super) struct Own {
    accountant: Accountant,
    clock: clock::Monotonic,
    counting: Counting,
    keeper: Option<Running>,
    /// Whether a person asked for packets, and was not yet told whether they are counted.
    untold: bool,
}

impl Own {
    /// Opens everything that this user may read: all network namespaces on the host, this one inside of another.
    pub(super) fn open(args: &cli::Top, starting: Option<Starting>) -> anyhow::Result<Self> {
        let packets = args.level == Some(TopLevel::Packets);
        let prints = args.period.is_some() || args.json || args.json_lines;
        let patience = if prints { MEASUREMENT_PATIENCE } else { SCREEN_PATIENCE };
        let opened = Opened::open(starting, patience).map_err(|error| match error.downcast::<SysError>() {
            Ok(error) => forbidden_or(error, "the kernel's list of sockets is refused here"),
            Err(error) => error,
        })?;
        let (accountant, keeper) = opened.accountant(Options::default());
        let (counting, clock) = (Counting::new(packets), clock::Monotonic::start());
        Ok(Self { accountant, clock, counting, keeper, untold: packets })
    }

    pub(super) fn step(&mut self) {
        let now = self.clock.elapsed();
        if let Some(keeper) = &mut self.keeper {
            keeper.tend(now);
        }
        self.counting.tend(&Leases::default(), now, self.keeper.as_ref(), &mut self.accountant);
        self.accountant.step(now, clock::wall());
        if std::mem::take(&mut self.untold)
            && let Some(refusal) = refusal(&self.accountant)
        {
            output::complain(&format!("squirrel: {}", Untrusted(&refusal)));
        }
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

/// A daemon's promise to count packets, which ends some seconds after the last question.
pub(super) struct Lease {
    /// Shown with each question.
    token: String,
    renewed: Option<clock::Monotonic>,
}

/// Half of what is asked for each time.
const RENEWED_AFTER: Duration = Duration::from_secs(15);

impl Lease {
    /// Asks again if it is time to.
    async fn keep(lease: &mut Option<Self>, client: &Client) -> anyhow::Result<()> {
        let Some(lease) = lease else { return Ok(()) };
        if lease.renewed.is_none_or(|renewed| renewed.elapsed().0 >= RENEWED_AFTER) {
            let seconds = [("seconds", (2 * RENEWED_AFTER.as_secs()).to_string())];
            let asked = client.post_resource::<PacketLease>("/api/live/packets", &seconds, &lease.token);
            asked.await.map_err(explained)?;
            lease.renewed = Some(clock::Monotonic::start());
        }
        Ok(())
    }
}

/// Who measures.
pub(super) enum Meter {
    Daemon { client: Client, address: String, lease: Option<Lease> },
    Own(Box<Own>),
}

impl Meter {
    /// The daemon where one answers, else the command itself; which it is, is said on standard error.
    /// With a `token` the daemon is to count packets while this looks.
    pub(super) async fn open(
        args: &cli::Top,
        token: Option<&str>,
        starting: &mut Option<Starting>,
    ) -> anyhow::Result<Self> {
        if !args.no_daemon && (args.level.is_none() || args.server.is_some()) {
            let address = args.server.as_deref().unwrap_or(USUAL_ADDRESS);
            let client = live_client::client(address);
            let probe = Question { limit: 0, ..Question::default() };
            match live_client::ask::<Processes>(&client, "/api/live/processes", &probe, &[]).await {
                Ok(_) => {
                    if !args.quiet {
                        output::complain(&format!("squirrel: by the account of the daemon at {address}"));
                    }
                    // Nothing is measured here, so nothing with a privilege is to stay.
                    *starting = None;
                    let lease = token.map(|token| Lease { token: token.to_owned(), renewed: None });
                    return Ok(Self::Daemon { client, address: address.to_owned(), lease });
                }
                // A daemon that was named must answer; one that was only looked for need not be there.
                Err(error) if args.server.is_some() => return Err(explained(error)),
                Err(ClientError::NotRunning { .. }) => {}
                Err(error) => {
                    output::complain(&format!("squirrel: what answers at {address} gives no account ({error})"));
                }
            }
        }
        if !args.quiet {
            output::complain("squirrel: measuring without a daemon, from now on");
        }
        Ok(Self::Own(Box::new(Own::open(args, starting.take())?)))
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
            Self::Daemon { client, lease, .. } => {
                Lease::keep(lease, client).await?;
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
                asked.map_err(explained)
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
            Self::Daemon { client, address, lease } => {
                Lease::keep(lease, client).await?;
                let which = [("table", table.name().to_owned())];
                let asked = live_client::ask::<Top>(client, "/api/live/top", question, &which).await;
                let top = asked.map_err(explained)?;
                Ok(Top { measured_by: address.clone(), ..top })
            }
        }
    }
}

/// A sentence when no interface's packets are counted although they should be.
fn refusal(accountant: &Accountant) -> Option<String> {
    let level = accountant.level();
    let mut of_packets = level.parts.iter().filter(|part| part.part.starts_with("packets"));
    if of_packets.clone().any(|part| part.part.starts_with("packets of ") && part.missing.is_none()) {
        return None;
    }
    let reason = of_packets.find_map(|part| part.missing.clone())?;
    Some(format!("{reason}. The accounting goes on by sockets, and estimates the books of the interfaces"))
}
