//! What the kernel and its drivers tell: netlink, sock_diag, ethtool, ICMP, files, ledgers.

use squirrel_collect::Schedule;
use squirrel_model::{Batch, Elapsed};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::ethtool::{DriverInfo, parse_statistics, parse_string_set_info, parse_strings};
use squirrel_wire::icmp::{self, Extensions, Family, Message, Quoted};
use squirrel_wire::netlink::{Attributes, Messages};
use squirrel_wire::tcp;

use crate::show;

/// A received netlink datagram: its messages, and their payloads as attributes.
pub(super) fn messages(octets: &[u8]) {
    for message in Messages::new(octets).flatten() {
        show(&(&message, message.errno(), Attributes::new(message.payload).collect::<Vec<_>>()));
    }
}

/// Rows of the ledgers that eBPF programs keep.
pub(super) fn ledger_rows(octets: &[u8]) {
    show(&squirrel_wire::ledger::SocketRecord::parse(octets));
    show(&squirrel_wire::ledger::Person::parse(octets));
    show(&squirrel_wire::packets::PacketRecord::parse(1, octets));
}

/// A message of ICMP with what it quotes and what was added to it, and the octets as each of these.
pub(super) fn icmp(octets: &[u8]) {
    show(&(icmp::ipv4_payload(octets), icmp::checksum(octets)));
    // What errors quote, and what answers to questions for connections.
    show(&(tcp::Start::parse(octets), tcp::Answer::parse(octets)));
    show(&Extensions::new(octets).collect::<Vec<_>>());
    let stripped = usize::from(octets.first().copied().unwrap_or_default());
    show(&Extensions::new(icmp::extensions_after(octets, stripped)).collect::<Vec<_>>());
    for family in [Family::V4, Family::V6] {
        show(&Quoted::parse(family, octets));
        let Ok(message) = Message::parse(family, octets) else { continue };
        show(&message);
        if let Message::Error(error) = message {
            show(&Quoted::parse(family, error.quoted));
            show(&Extensions::new(error.extensions).collect::<Vec<_>>());
        }
    }
}

/// The counters of protocols, for the accountant.
pub(super) fn counters(octets: &[u8]) {
    show(&squirrel_account::counters_as_text(&OneAnswer(octets)));
}

/// The answers of a driver to ethtool requests.
pub(super) fn ethtool(octets: &[u8]) {
    show(&(DriverInfo::parse(octets), parse_string_set_info(octets)));
    show(&parse_strings(octets).map(Iterator::collect::<Vec<_>>));
    show(&parse_statistics(octets).map(Iterator::collect::<Vec<_>>));
}

/// All collectors in front of a kernel that answers everything with the same octets.
pub(super) fn collectors(octets: &[u8]) {
    let kernel = OneAnswer(octets);
    let mut schedule = Schedule::open::<&str>(&kernel, &[], Elapsed::default());
    let mut batch = Batch::default();
    schedule.tick(&kernel, &Elapsed::default, &mut batch);
    show(&batch);
}

/// A kernel whose every file, message and driver says the same.
struct OneAnswer<'a>(&'a [u8]);

impl Kernel for OneAnswer<'_> {
    fn read(&self, _path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        out.extend_from_slice(self.0);
        Ok(())
    }

    fn list(&self, _path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        for name in self.0.split(|octet| *octet == b'\n').take(4) {
            each(name);
        }
        Ok(())
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        _payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        // rtnetlink answers RTM_GET… with RTM_NEW…, two below; sock_diag with the same number.
        let answer = if family == Netlink::Route { message_type.saturating_sub(2) } else { message_type };
        each(answer, self.0);
        Ok(())
    }

    fn ethtool(&self, _interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        for (place, octet) in command.iter_mut().skip(4).zip(self.0) {
            *place = *octet;
        }
        Ok(())
    }
}
