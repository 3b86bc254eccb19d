//! One run, from the server's side.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use squirrel_sys::clock;

use super::door::Place;
use super::talk::Talk;
use super::{Event, Listener};
use crate::ThroughputError;
use crate::control::{Control, PATIENCE};
use crate::protocol::{Cookie, Parameters, Refusal, ServerMachine};
use crate::report::{Report, Start};
use crate::run::{Bounds, Run};
use crate::stream::Stop;

/// The longest that the server waits for octets that the client has sent and the network still carries.
const TAIL: Duration = Duration::from_secs(2);

/// Carries one run.
pub(super) fn carry(
    stream: TcpStream,
    peer: SocketAddr,
    cookie: &Cookie,
    place: &mut Place<'_>,
    stop: &Stop,
    tell: &Listener<'_>,
) -> Result<Report, ThroughputError> {
    let local = stream.local_addr().unwrap_or(peer);
    let (machine, greeting) = ServerMachine::new();
    let mut talk = Talk { control: Control::new(stream, peer.to_string())?, machine };
    talk.control.say(&greeting)?;
    let mut parameters = talk.parameters(stop)?;
    talk.log_in(parameters.authtoken.take().as_ref(), place.access(), stop)?;
    if let Some(refusal) = refusal(&parameters, place) {
        return Err(talk.refuse(refusal));
    }
    if parameters.udp && !place.await_greetings(peer.ip(), local, &parameters, PATIENCE) {
        return Err(talk.refuse(Refusal::STREAM_ACCEPT));
    }
    let octets = talk.machine.accept(parameters.squirrel > 0);
    talk.control.say(&octets)?;
    let streams = talk.streams(&parameters, place, stop)?;
    place.greeted();
    tell(Event::Began { peer, what: described(&parameters) });
    let start = Start::accepted(&parameters, peer, cookie, &streams);
    let octets = talk.machine.begin();
    talk.control.say(&octets)?;
    let bounds = Bounds { rate: place.limits().rate / u64::from(parameters.parallel.max(1)), zero_copy: false };
    let mut run = Run::start(streams, &parameters, bounds, false)?;
    let mut intervals = Vec::new();
    let ended = talk.watch(&mut run, place.limits().duration, &mut intervals, stop);
    if ended.is_ok() {
        await_tail(&run, &parameters, stop);
    }
    run.end();
    intervals.push(run.interval(false));
    run.close();
    let peer = match ended {
        Ok(()) => talk.results(&run.results(), stop),
        Err(error) => Err(error),
    };
    let (peer, error) = match peer {
        Ok(results) => (Some(results), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut report = Report::new(start, intervals, &run, peer);
    report.error = error;
    Ok(report)
}

/// Why this server does not do what is wanted, if it does not.
fn refusal(parameters: &Parameters, place: &Place<'_>) -> Option<Refusal> {
    let limits = place.limits();
    if Duration::from_secs(parameters.time + parameters.omit) > limits.duration {
        return Some(Refusal::DURATION);
    }
    let asked = parameters.bandwidth.saturating_mul(parameters.parallel.into());
    // Connections of TCP are held back; whoever sends datagrams can only be asked not to.
    let over = asked == 0 || asked > limits.rate;
    (parameters.udp && limits.rate > 0 && over).then_some(Refusal::RATE)
}

/// What a client wants, in words.
fn described(parameters: &Parameters) -> String {
    let protocol = if parameters.udp { "UDP" } else { "TCP" };
    let way = match (parameters.reverse, parameters.bidirectional) {
        (true, _) => "from here",
        (_, true) => "both ways",
        _ => "to here",
    };
    let streams = match parameters.parallel {
        1 => "one stream".to_owned(),
        more => format!("{more} streams"),
    };
    format!("{protocol} {way}, {streams}")
}

/// With a bound in octets, the last ones may still be on their way when the client says that it has sent them.
fn await_tail(run: &Run, parameters: &Parameters, stop: &Stop) {
    let Some(all) = parameters.octets().filter(|_| parameters.tcp && !parameters.reverse && parameters.omit == 0)
    else {
        return;
    };
    let began = clock::now();
    while run.moved().1 < all && began.elapsed() < TAIL && !stop.wait(Duration::from_millis(2)) {}
}
