//! Streams of UDP: many datagrams with one call, cut and put together by the kernel where it can.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::Ordering::Relaxed;

use squirrel_sys::bulk::{self, CpuTime, Inbox, thread_cpu};

use super::{Meter, Work, noise};
use crate::control::is_pause;
use crate::udp::{Arrivals, write_header};

/// Messages that one call sends at most.
const MESSAGES: usize = 8;
/// Calls that take what has arrived when a receiver is stopped: more than a socket's queue holds.
const LAST_CALLS: u32 = 16;

/// Datagrams to a message that the kernel cuts; 1 where it cannot.
fn segments(socket: &UdpSocket, size: usize) -> usize {
    let fitting = (bulk::MOST_OCTETS / size.max(1)).clamp(1, bulk::MOST_SEGMENTS);
    let cut = fitting > 1 && u16::try_from(size).is_ok_and(|size| bulk::cut_into(socket, size).is_ok());
    if cut { fitting } else { 1 }
}

/// Sends until it is stopped or the budget is spent.
pub(crate) fn send(socket: &UdpSocket, work: &Work) -> CpuTime {
    let size = work.block;
    let mut segments = segments(socket, size);
    let mut pacer = work.pacer();
    let most = segments * MESSAGES;
    // With a bitrate, datagrams go in bursts of a millisecond at most, and one at least.
    let batch = pacer.as_ref().map_or(most, |pacer| (pacer.burst() / size).clamp(1, most));
    let mut octets = noise(size * batch);
    let mut number = 0_u64;
    loop {
        let goes_on = pacer.as_ref().map_or_else(|| !work.stop.is_set(), |pacer| work.paced(pacer));
        let wanted = work.budget.as_ref().map_or(batch, |budget| budget.take(batch * size).div_ceil(size));
        if !goes_on || wanted == 0 {
            break;
        }
        let now = work.now();
        for (datagram, number) in octets.chunks_exact_mut(size).take(wanted).zip(number + 1..) {
            write_header(datagram, now, number, work.wide);
        }
        let sent = bulk::send_pieces(socket, &octets[..wanted * size], size * segments);
        let taken = sent.as_ref().map_or(0, |octets| octets / size);
        number += taken as u64;
        if let Some(budget) = work.budget.as_ref().filter(|_| taken < wanted) {
            budget.put_back((wanted - taken) * size);
        }
        Meter::add(&work.meter.octets, (taken * size) as u64);
        Meter::add(&work.meter.datagrams, taken as u64);
        if let Some(pacer) = &mut pacer {
            pacer.sent(taken * size, now);
        }
        match sent {
            Err(error) if uncuttable(&error) && segments > 1 => {
                // The path takes no datagrams of this size whole; the kernel then cuts packets, not messages.
                let _ = bulk::cut_into(socket, 0);
                segments = 1;
            }
            Err(error) if !is_passing(&error) => {
                work.meter.broken.store(true, Relaxed);
                break;
            }
            _ => {}
        }
    }
    thread_cpu()
}

/// Whether the kernel does not cut messages on this path.
fn uncuttable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(22 /* EINVAL */ | 5 /* EIO */ | 90 /* EMSGSIZE */))
}

/// Whether it is worth going on: queues are full, or the other side has closed its socket, which is how a run ends.
fn is_passing(error: &io::Error) -> bool {
    is_pause(error)
        || error.raw_os_error() == Some(105 /* ENOBUFS */)
        || error.kind() == io::ErrorKind::ConnectionRefused
}

/// Receives until it is stopped. What lies in the socket by then has arrived, and is counted; a sender that does not end
/// must not keep this thread for ever.
pub(crate) fn receive(socket: &UdpSocket, work: &Work) -> CpuTime {
    // A kernel that cannot hands each datagram over alone.
    let _ = bulk::put_together(socket);
    let mut inbox = Inbox::new();
    let mut arrivals = Arrivals::default();
    let mut left = LAST_CALLS;
    loop {
        let stopped = work.stop.is_set();
        if stopped && (left == 0 || left == LAST_CALLS && socket.set_nonblocking(true).is_err()) {
            break;
        }
        left -= u32::from(stopped);
        let mut now = None;
        let (mut octets, mut datagrams) = (0, 0);
        let received = inbox.receive(socket, &mut |datagram| {
            let now = *now.get_or_insert_with(|| work.now());
            datagrams += 1;
            if arrivals.note(datagram, now, work.wide) {
                octets += datagram.len() as u64;
            }
        });
        Meter::add(&work.meter.octets, octets);
        let meter = &work.meter;
        Meter::add(&meter.handed[0], datagrams);
        Meter::add(&meter.handed[1], *received.as_ref().unwrap_or(&0) as u64);
        for (counter, value) in [
            (&meter.datagrams, arrivals.highest),
            (&meter.lost, arrivals.lost),
            (&meter.out_of_order, arrivals.out_of_order),
            (&meter.strange, arrivals.strange),
            (&meter.jitter, arrivals.jitter.to_bits()),
        ] {
            counter.store(value, Relaxed);
        }
        match received {
            Err(error) if !is_passing(&error) => {
                work.meter.broken.store(true, Relaxed);
                break;
            }
            // There is no more.
            Ok(0) | Err(_) if stopped => break,
            _ => {}
        }
    }
    thread_cpu()
}
