//! Which part limited a run, in a sentence.

use crate::protocol::OwnResults;

/// What is known of a run in one direction. What one side does not tell is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// By UDP.
    pub udp: bool,
    /// Bits a second that were asked for, all streams together; none if 0.
    pub asked: f64,
    /// Bits a second that the receiver counted.
    pub received: f64,
    /// What the sender's end tells.
    pub sender: Option<OwnResults>,
    /// What the receiver's end tells.
    pub receiver: Option<OwnResults>,
    /// Percent of a processor of a receiver that is no Squirrel.
    pub receiver_percent: f64,
    /// Percent of a processor of a sender that is no Squirrel.
    pub sender_percent: f64,
    /// Segments or datagrams sent, about.
    pub sent: u64,
    /// Segments sent again.
    pub retransmits: u64,
    /// Datagrams that did not come.
    pub lost: u64,
}

/// Which part limited a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Nothing moved.
    Nothing,
    /// The bitrate that was asked for.
    Asked,
    /// The sender's processor.
    SenderProcessor,
    /// The receiver's processor.
    ReceiverProcessor,
    /// The receiving program, which did not fetch datagrams in time.
    ReceiverSocket,
    /// The receiver's window.
    ReceiverWindow,
    /// The sender's buffer.
    SenderBuffer,
    /// Loss in the network.
    NetworkLoss,
    /// The network without loss: what it carries, as the congestion control found out.
    Network,
}

/// Which part limited a run, and the sentence that says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Which part.
    pub limit: Limit,
    /// In words.
    pub sentence: String,
}

impl Limit {
    /// A name for scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Asked => "asked",
            Self::SenderProcessor => "sender_cpu",
            Self::ReceiverProcessor => "receiver_cpu",
            Self::ReceiverSocket => "receiver_socket",
            Self::ReceiverWindow => "receiver_window",
            Self::SenderBuffer => "sender_buffer",
            Self::NetworkLoss => "network_loss",
            Self::Network => "network",
        }
    }
}

/// A thread that used so much of the time of its processor had none to spare: what is missing went to others.
const BUSY: u32 = 850;
/// A part of the time that was long enough to matter.
const MUCH: u32 = 300;
/// Loss below this hinders nobody.
const LITTLE_LOSS: f64 = 0.001;

/// Says which part limited a run. Whatever explains loss comes before what explains slowness.
pub fn judge(evidence: &Evidence) -> Verdict {
    let (limit, sentence) = judged(evidence);
    Verdict { limit, sentence }
}

fn judged(evidence: &Evidence) -> (Limit, String) {
    let sender = evidence.sender.clone().unwrap_or_default();
    let receiver = evidence.receiver.clone().unwrap_or_default();
    let ratio = |part: u64| part as f64 / evidence.sent.max(1) as f64;
    let percent = |ratio: f64| format!("{:.1} %", ratio * 100.0);
    if evidence.received <= 0.0 && evidence.lost == 0 {
        return (Limit::Nothing, "Nothing arrived: a firewall or a route may hold the streams up.".into());
    }
    if evidence.udp && ratio(evidence.lost) > LITTLE_LOSS {
        return lost_datagrams(evidence, &receiver, &percent);
    }
    if evidence.asked > 0.0 && evidence.received >= evidence.asked * 0.97 {
        return (Limit::Asked, "The bitrate that was asked for: everything on the way could keep it.".into());
    }
    let sender_busy = sender.busiest_sender.max(permille(evidence.sender_percent));
    let receiver_busy = receiver.busiest_receiver.max(permille(evidence.receiver_percent));
    if !evidence.udp && ratio(evidence.retransmits) > LITTLE_LOSS * 10.0 {
        let share = percent(ratio(evidence.retransmits));
        return (
            Limit::NetworkLoss,
            format!(
                "Loss in the network: {share} of the segments had to be sent again, and each loss slows the sender."
            ),
        );
    }
    if sender_busy >= BUSY && sender_busy >= receiver_busy {
        let used = sender_busy / 10;
        return (
            Limit::SenderProcessor,
            format!(
                "The sender's processor: a sending thread used {used} % of one. More streams (-P) use more of them."
            ),
        );
    }
    if receiver_busy >= BUSY {
        let used = receiver_busy / 10;
        return (
            Limit::ReceiverProcessor,
            format!("The receiver's processor: a receiving thread used {used} % of one. More streams (-P) use more."),
        );
    }
    if sender.receiver_limited >= MUCH {
        let time = sender.receiver_limited / 10;
        return (
            Limit::ReceiverWindow,
            format!(
                "The receiver's window held the sender up {time} % of the time: its buffer is small (-w, tcp_rmem), or its program slow."
            ),
        );
    }
    if sender.buffer_limited >= MUCH {
        let time = sender.buffer_limited / 10;
        return (
            Limit::SenderBuffer,
            format!("The sender's own buffer held it up {time} % of the time (-w, tcp_wmem)."),
        );
    }
    if evidence.asked > 0.0 && sender.paced >= MUCH {
        return (Limit::Asked, "The bitrate that was asked for, in bursts that the sender's pauses made.".into());
    }
    if ratio(evidence.retransmits) > LITTLE_LOSS {
        let share = percent(ratio(evidence.retransmits));
        return (
            Limit::NetworkLoss,
            format!(
                "Loss in the network: {share} of the segments had to be sent again, and each loss slows the sender."
            ),
        );
    }
    (Limit::Network, "The network: neither end was the limit, and what it lost was little or nothing.".into())
}

fn permille(percent: f64) -> u32 {
    (percent * 10.0).clamp(0.0, 1000.0) as u32
}

fn lost_datagrams(evidence: &Evidence, receiver: &OwnResults, percent: &dyn Fn(f64) -> String) -> (Limit, String) {
    let lost = evidence.lost;
    let share = percent(lost as f64 / evidence.sent.max(1) as f64);
    let dropped = receiver.socket_drops.min(lost);
    if evidence.receiver.is_none() {
        let sentence = format!(
            "{lost} datagrams ({share}) did not arrive, in the network or in the receiver's socket: this server does not \
             tell which. Squirrel's own does."
        );
        return (Limit::NetworkLoss, sentence);
    }
    if dropped * 2 >= lost {
        let sentence = format!(
            "The receiver: {dropped} of {lost} lost datagrams ({share}) reached its host and were dropped in the socket, \
             because the program did not fetch them in time. A larger buffer (-w) or a lower bitrate helps; the network \
             lost {}.",
            lost - dropped
        );
        return (Limit::ReceiverSocket, sentence);
    }
    let sentence = format!(
        "Loss in the network: {} of {lost} lost datagrams ({share}) never reached the receiver's socket; {dropped} were \
         dropped in it.",
        lost - dropped
    );
    (Limit::NetworkLoss, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp() -> Evidence {
        Evidence {
            received: 1e9,
            sent: 100_000,
            sender: Some(OwnResults::default()),
            receiver: Some(OwnResults::default()),
            ..Evidence::default()
        }
    }

    fn own(set: impl Fn(&mut OwnResults)) -> OwnResults {
        let mut own = OwnResults::default();
        set(&mut own);
        own
    }

    #[test]
    fn each_part_is_blamed_for_its_own() {
        let cases = [
            (Evidence::default(), Limit::Nothing),
            (tcp(), Limit::Network),
            (Evidence { asked: 1e9, ..tcp() }, Limit::Asked),
            (Evidence { asked: 2e9, ..tcp() }, Limit::Network),
            (Evidence { sender: Some(own(|own| own.busiest_sender = 950)), ..tcp() }, Limit::SenderProcessor),
            (Evidence { receiver: Some(own(|own| own.busiest_receiver = 950)), ..tcp() }, Limit::ReceiverProcessor),
            (Evidence { receiver: None, receiver_percent: 99.0, ..tcp() }, Limit::ReceiverProcessor),
            (Evidence { sender: Some(own(|own| own.receiver_limited = 800)), ..tcp() }, Limit::ReceiverWindow),
            (Evidence { sender: Some(own(|own| own.buffer_limited = 800)), ..tcp() }, Limit::SenderBuffer),
            (Evidence { retransmits: 2000, ..tcp() }, Limit::NetworkLoss),
            (Evidence { retransmits: 20, ..tcp() }, Limit::Network),
        ];
        for (evidence, limit) in cases {
            assert_eq!(judge(&evidence).limit, limit, "{evidence:?}");
        }
    }

    #[test]
    fn lost_datagrams_are_told_apart() {
        let udp = Evidence { udp: true, lost: 100, sent: 1000, received: 1e6, ..tcp() };
        let in_socket = Evidence { receiver: Some(own(|own| own.socket_drops = 95)), ..udp.clone() };
        let verdict = judge(&in_socket);
        assert_eq!(verdict.limit, Limit::ReceiverSocket);
        assert!(verdict.sentence.contains("95 of 100 lost datagrams (10.0 %)"), "{}", verdict.sentence);
        assert!(verdict.sentence.contains("the network lost 5"), "{}", verdict.sentence);
        let in_network = Evidence { receiver: Some(own(|own| own.socket_drops = 5)), ..udp.clone() };
        assert_eq!(judge(&in_network).limit, Limit::NetworkLoss);
        let untold = judge(&Evidence { receiver: None, ..udp });
        assert!(untold.sentence.contains("does not tell which"), "{}", untold.sentence);
    }
}
