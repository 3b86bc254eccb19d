//! Names asked over real sockets, a little whenever somebody has time.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use squirrel_model::Elapsed;
use squirrel_sys::probe_socket::{Carrier, Inbox, ProbeSocket, Queue, SocketOptions};
use squirrel_wire::icmp::Family;

use super::Names;
use crate::drive::family_of;

/// Datagrams of one turn at most: what somebody floods is left in the queue, and dropped there.
const MOST_AT_ONCE: usize = 4 * ProbeSocket::BATCH;

/// Names, and the sockets by which they are asked.
pub struct Asker {
    names: Names,
    sockets: Vec<ProbeSocket>,
    inbox: Inbox,
}

impl Asker {
    /// Names that are known already, and whom to ask for others. `options` say from where and how.
    ///
    /// # Errors
    /// No socket of an IP that a server needs.
    pub fn open(
        known: BTreeMap<IpAddr, String>,
        servers: Vec<SocketAddr>,
        seed: u64,
        options: &SocketOptions,
    ) -> io::Result<Self> {
        let families = [Family::V4, Family::V6];
        let needed = families.into_iter().filter(|family| servers.iter().any(|one| family_of(one.ip()) == *family));
        let sockets =
            needed.map(|family| ProbeSocket::open(family, Carrier::Udp, options)).collect::<io::Result<_>>()?;
        Ok(Self { names: Names::new(known, servers, seed), sockets, inbox: Inbox::new() })
    }

    /// The name of an address, if it is known.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.names.name(address)
    }

    /// Asks for the name of an address from now on, unless that was done.
    pub fn want(&mut self, address: IpAddr) {
        self.names.want(address);
    }

    /// Takes the answers that came, and sends the questions that are due. It waits for nothing: names that do not come
    /// are no failure of what they were wanted for.
    pub fn turn(&mut self, now: Elapsed) {
        if self.names.is_idle() {
            return;
        }
        for socket in &self.sockets {
            let mut taken = 0;
            // The queue of errors has times of questions, which nobody wants, and hosts on the way that refuse, after
            // which the next server is asked soon enough.
            for queue in [Queue::Errors, Queue::Data] {
                let take = |names: &mut Names, inbox: &mut Inbox| {
                    socket.receive(queue, inbox, &mut |received| {
                        if let Some(from) = received.from.filter(|_| queue == Queue::Data) {
                            names.answered(from, received.octets);
                        }
                    })
                };
                while let Ok(count) = take(&mut self.names, &mut self.inbox) {
                    taken += count;
                    if count < ProbeSocket::BATCH || taken >= MOST_AT_ONCE {
                        break;
                    }
                }
            }
        }
        while let Some(query) = self.names.step(now) {
            let socket = self.sockets.iter().find(|socket| socket.family() == family_of(query.server.ip()));
            // What cannot be sent is asked again later, as what is not answered.
            let _ = socket.map(|socket| socket.send(&query.octets, query.server));
        }
    }
}
