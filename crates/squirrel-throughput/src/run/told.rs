//! What the streams of a run tell when it has ended: their results, and what held them up.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{Run, Socket};
use crate::protocol::{OwnResults, Results};

impl Run {
    /// The figures for the other side. After [`Run::end`].
    pub(crate) fn results(&self) -> Results {
        let all = self.ended.unwrap_or_else(|| self.elapsed()).as_secs_f64().max(1e-6);
        let (mut user, mut system) = (Duration::ZERO, Duration::ZERO);
        for lane in &self.lanes {
            user += lane.cpu.user;
            system += lane.cpu.system;
        }
        let percent = |time: Duration| time.as_secs_f64() / all * 100.0;
        let sends = self.lanes.iter().any(|lane| lane.sends);
        Results {
            cpu_util_total: percent(user + system),
            cpu_util_user: percent(user),
            cpu_util_system: percent(system),
            sender_has_retransmits: if sends { i64::from(self.parameters.tcp) } else { -1 },
            congestion_used: self.congestion(),
            streams: self.lanes.iter().map(|lane| lane.results(self.counted())).collect(),
            squirrel: Some(self.own_results()),
        }
    }

    /// The congestion control of the streams.
    pub(crate) fn congestion(&self) -> Option<String> {
        self.lanes.iter().find_map(|lane| match &*lane.socket {
            Socket::Tcp(stream) => crate::sockets::congestion_control(stream),
            Socket::Udp(_) => None,
        })
    }

    /// What only Squirrel tells. After [`Run::end`].
    pub(crate) fn own_results(&self) -> OwnResults {
        let all = self.ended.unwrap_or_else(|| self.elapsed()).as_micros().max(1) as f64;
        let permille = |part: f64| (part * 1000.0).clamp(0.0, 1000.0) as u32;
        let busiest = |sends: bool| {
            let those = self.lanes.iter().filter(|lane| lane.sends == sends);
            permille(those.map(|lane| (lane.cpu.user + lane.cpu.system).as_micros() as f64 / all).fold(0.0, f64::max))
        };
        let mut own =
            OwnResults { busiest_sender: busiest(true), busiest_receiver: busiest(false), ..OwnResults::default() };
        let (mut busy, mut receiver, mut buffer, mut paced, mut senders) = (0, 0, 0, 0, 0);
        for lane in &self.lanes {
            if let (Some(now), Some(base)) = (lane.last.connection, lane.base.connection) {
                busy += now.busy_us.saturating_sub(base.busy_us);
                receiver += now.receiver_limited_us.saturating_sub(base.receiver_limited_us);
                buffer += now.buffer_limited_us.saturating_sub(base.buffer_limited_us);
            }
            if lane.sends {
                paced += lane.meter.paced_us.load(Relaxed);
                senders += 1;
            } else {
                own.socket_drops += lane.socket_drops();
            }
        }
        let of = |part: u64, whole: f64| permille(part as f64 / whole.max(1.0));
        own.receiver_limited = of(receiver, busy as f64);
        own.buffer_limited = of(buffer, busy as f64);
        own.paced = of(paced, all * f64::from(senders));
        own
    }
}
