//! The names of hops, asked beside the trace.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use squirrel_model::Elapsed;
use squirrel_probe::names::{Asker, hosts, servers};
use squirrel_probe::path::Event;
use squirrel_sys::probe_socket::SocketOptions;

use crate::cli;

/// Octets that are read of a file of the system.
const MOST_OCTETS: u64 = 1 << 20;
/// Port of DNS.
const PORT: u16 = 53;

/// The names of hops, or none at all.
pub(super) struct HopNames(Option<Asker>);

impl HopNames {
    /// Whom to ask, as the command line and the system say. A system that cannot be asked has no names.
    ///
    /// # Errors
    /// A server that is none.
    pub(super) fn open(args: &cli::Path) -> anyhow::Result<Self> {
        if args.no_names {
            return Ok(Self(None));
        }
        let servers = match &args.resolver {
            Some(text) => vec![server(text)?],
            None => servers(&text("/etc/resolv.conf")),
        };
        let seed = RandomState::new().hash_one("names");
        Ok(Self(Asker::open(hosts(&text("/etc/hosts")), servers, seed, &SocketOptions::default()).ok()))
    }

    /// Asks for the names of who answered, and takes those that came.
    pub(super) fn turn(&mut self, events: &[Event], now: Elapsed) {
        let Some(asker) = &mut self.0 else { return };
        for event in events {
            if let Event::Answer { by, .. } | Event::Late(_, by, _) = event {
                asker.want(*by);
            }
        }
        asker.turn(now);
    }

    pub(super) fn name(&self, address: IpAddr) -> Option<&str> {
        self.0.as_ref()?.name(address)
    }
}

fn server(text: &str) -> anyhow::Result<SocketAddr> {
    let plain = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
    plain.or_else(|_| text.parse()).ok().with_context(|| {
        format!(
            "--resolver: {text:?} is no address of a server, such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53"
        )
    })
}

/// A file of the system; empty when it cannot be read.
fn text(file: &str) -> String {
    let mut octets = Vec::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(MOST_OCTETS).read_to_end(&mut octets));
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&octets).into_owned())
}
