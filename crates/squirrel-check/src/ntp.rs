//! A time server: whether it answers, and how far its clock is from this machine's.

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use squirrel_sys::clock;
use squirrel_wire::ntp::{Leap, NtpTime, PACKET, Packet, write_query};

use crate::checker::Checker;
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::reach::{Reach, host_and_port, in_words};

/// Datagrams to nobody's question that are passed over before the server is given up.
const MOST_STRANGE: usize = 100;

/// What is looked at of a time server.
#[derive(Clone, Debug, Default)]
pub struct NtpCheck {
    /// Which address.
    pub reach: Reach,
    /// The largest difference of the clocks that is good.
    pub most_offset: Option<Duration>,
    /// The largest stratum that is good; else 15, since 16 means that the server knows no time.
    pub most_stratum: Option<u8>,
}

impl NtpCheck {
    pub(crate) async fn run(&self, checker: &Checker, target: &str, notes: &mut Notes) -> Result<(), Failed> {
        let (host, port) = host_and_port(target, Some(123))?;
        let (address, _) = checker.way().address(&host, port, self.reach, notes).await?;
        let socket = self.reach.datagrams(address).await?;
        let broken = |error: std::io::Error| Failed::new(format!("{address}: {}", in_words(&error)));
        // Nobody who did not see the question can make up an answer to it.
        let transmit = NtpTime(u64::from_be_bytes(random()?));
        let sent = NtpTime::from_unix_nanos(clock::wall_nanos());
        let steady = tokio::time::Instant::now();
        socket.send(&write_query(transmit)).await.map_err(broken)?;
        let mut buffer = [0; PACKET * 8];
        for _ in 0..MOST_STRANGE {
            let length = socket.recv(&mut buffer).await.map_err(broken)?;
            // The steady clock, so that a clock that is set meanwhile does not show as an offset.
            let took = u64::try_from(steady.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let received = NtpTime(sent.0.wrapping_add(nanos_to_ntp(took)));
            match Packet::parse(buffer.get(..length).unwrap_or_default()) {
                Ok(packet) if packet.answers(transmit) => return self.judge(&packet, sent, received, notes),
                _ => notes.say("a datagram that answers another question is passed over"),
            }
        }
        Err(Failed::new(format!("{address} answers nothing but other questions")))
    }

    fn judge(&self, packet: &Packet, sent: NtpTime, received: NtpTime, notes: &mut Notes) -> Result<(), Failed> {
        let leap = match packet.leap {
            Leap::None => 0.0,
            Leap::Insert => 1.0,
            Leap::Delete => 2.0,
            Leap::Unsynchronized => 3.0,
        };
        notes.set(&metrics::NTP_LEAP, leap);
        notes.set(&metrics::NTP_STRATUM, f64::from(packet.stratum));
        if let Some(kiss) = packet.kiss() {
            return Err(Failed::new(format!("the server does not want to answer: {kiss}")));
        }
        let offset = packet.offset(sent, received);
        notes.set(&metrics::NTP_OFFSET, offset);
        notes.set(&metrics::NTP_ROUND_TRIP, packet.round_trip(sent, received));
        notes.set(&metrics::NTP_ROOT_DELAY, packet.root_delay_seconds());
        notes.set(&metrics::NTP_ROOT_DISPERSION, packet.root_dispersion_seconds());
        notes.say(&format!("stratum {}, offset {offset:.6} s", packet.stratum));
        if packet.leap == Leap::Unsynchronized || packet.stratum >= 16 {
            return Err(Failed::new("the server itself does not know the time"));
        }
        let most = self.most_stratum.unwrap_or(15);
        if packet.stratum > most {
            return Err(Failed::new(format!("its stratum is {}, and at most {most} is wanted", packet.stratum)));
        }
        match self.most_offset {
            Some(most) if offset.abs() > most.as_secs_f64() => {
                Err(Failed::new(format!("the clocks differ by {offset:.6} s, more than {} s", most.as_secs_f64())))
            }
            _ => Ok(()),
        }
    }
}

/// A time span in the units of NTP's moments.
fn nanos_to_ntp(nanos: u64) -> u64 {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    (seconds << 32) | ((rest << 32) / 1_000_000_000)
}

/// Octets that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failed> {
    let mut octets = [0; N];
    let filled = SystemRandom::new().fill(&mut octets);
    filled.map(|()| octets).map_err(|_| Failed::new("the system gives no random numbers"))
}
