//! What became of each question, to which of them an answer belongs, and which flow is to ask next.

use std::net::IpAddr;
use std::time::Duration;

use super::{Answer, Probe, Trace};

#[derive(Clone, Debug)]
pub(super) enum State {
    Asked,
    Open,
    /// Answered, not yet timed, and how often more.
    Arrived(Answer, u64),
    Answered,
    Lost,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) probe: Probe,
    pub(super) sent_at: Duration,
    pub(super) stamp_ns: Option<u64>,
    pub(super) state: State,
}

impl Trace {
    /// The question with this number, if it is remembered.
    pub fn probe(&self, number: u32) -> Option<Probe> {
        Some(self.slots.get(number.checked_sub(self.first)? as usize)?.probe)
    }

    /// The newest question whose number has these lower 16 bits.
    pub fn by_sequence(&self, sequence: u16) -> Option<Probe> {
        let last = self.slots.back()?.probe.number;
        self.probe(last.checked_sub(u32::from((last as u16).wrapping_sub(sequence)))?)
    }

    /// The question that an answer may belong to which shows no more than its flow: the oldest open one of the place
    /// where this host answered before, else the only open one of the flow.
    pub fn by_host(&self, flow: u16, by: IpAddr) -> Option<Probe> {
        let known = self.flows.get(usize::from(flow))?;
        let open = || {
            let numbers = self.open.iter().filter_map(|(_, number)| self.slots.get((number - self.first) as usize));
            numbers.filter(|slot| slot.probe.flow == flow && matches!(slot.state, State::Open)).map(|slot| slot.probe)
        };
        open().find(|probe| known.is_at(probe.ttl, by)).or_else(|| {
            let mut open = open();
            open.next().filter(|_| open.next().is_none())
        })
    }

    /// Whether a question is still waited for.
    pub fn is_open(&self, number: u32) -> bool {
        self.at(number).is_some_and(|slot| matches!(slot.state, State::Open))
    }

    /// Whether a question of this flow is still waited for.
    pub(super) fn is_busy(&self, flow: u16) -> bool {
        let open = self.open.iter().filter_map(|(_, number)| self.at(*number));
        open.into_iter().any(|slot| slot.probe.flow == flow && matches!(slot.state, State::Open))
    }

    /// The flow with the nearest place that was not asked in this round.
    pub(super) fn next_flow(&self) -> Option<u16> {
        self.nearest(|_| true)
    }

    /// The same of the flows that wait for nothing.
    pub(super) fn next_free_flow(&self) -> Option<u16> {
        self.nearest(|flow| !self.is_busy(flow))
    }

    fn nearest(&self, may: impl Fn(u16) -> bool) -> Option<u16> {
        let flows = (0_u16..).zip(&self.flows).filter(|(number, _)| may(*number));
        flows.filter_map(|(number, flow)| Some((flow.next_ttl()?, number))).min().map(|(_, number)| number)
    }

    fn at(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number.checked_sub(self.first)? as usize)
    }
}
