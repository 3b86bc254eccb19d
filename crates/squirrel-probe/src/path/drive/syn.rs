//! One flow of raw TCP: segments that ask for a connection which nobody wants.
//!
//! All of a flow have the same addresses and ports, and differ in the sequence number, which routers do not look at
//! and every answer repeats. The kernel knows of no such connection, and so refuses it as soon as it is accepted.

use std::io;
use std::net::{IpAddr, SocketAddr};

use squirrel_sys::connect_probe::ReservedPort;
use squirrel_sys::probe_socket::{ProbeSocket, SocketOptions};
use squirrel_wire::tcp::{Answer, Start, write_syn};

use crate::path::{Probe, Trace};

pub(super) struct Syn {
    source: IpAddr,
    port: ReservedPort,
    target: SocketAddr,
    flow: u16,
    /// Sequence number of the first question: random, so that nobody makes up answers who does not see the questions.
    base: u32,
}

impl Syn {
    pub(super) fn new(
        socket: &ProbeSocket,
        target: SocketAddr,
        flow: u16,
        run: u64,
        options: &SocketOptions,
    ) -> io::Result<Self> {
        let source = socket.connect(target.ip())?;
        let port = ReservedPort::take(socket.family(), options)?;
        Ok(Self { source, port, target, flow, base: (run >> 16) as u32 })
    }

    pub(super) fn write(&self, probe: Probe, out: &mut Vec<u8>) {
        let start = Start {
            source_port: self.port.number(),
            destination_port: self.target.port(),
            sequence: self.base.wrapping_add(probe.number),
        };
        out.clear();
        out.extend(write_syn(start, self.source, self.target.ip()));
    }

    /// The question that a host on the way quotes.
    pub(super) fn quoted(&self, trace: &Trace, segment: &[u8]) -> Option<Probe> {
        let start = Start::parse(segment).ok()?;
        let own = (start.source_port, start.destination_port) == (self.port.number(), self.target.port());
        self.asked(trace, start.sequence).filter(|_| own)
    }

    /// The question that the target answers.
    pub(super) fn answered(&self, trace: &Trace, segment: &[u8]) -> Option<Probe> {
        let answer = Answer::parse(segment).ok()??;
        let own = (answer.destination_port, answer.source_port) == (self.port.number(), self.target.port());
        self.asked(trace, answer.asked).filter(|_| own)
    }

    fn asked(&self, trace: &Trace, sequence: u32) -> Option<Probe> {
        trace.probe(sequence.wrapping_sub(self.base)).filter(|probe| probe.flow == self.flow)
    }
}
