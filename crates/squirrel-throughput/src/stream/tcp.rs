//! Streams of TCP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering::Relaxed;

use squirrel_sys::bulk::{CpuTime, KernelOctets, thread_cpu};

use super::{Meter, Work, noise};
use crate::control::is_pause;

/// Sends until it is stopped, the budget is spent, or the other side is gone.
pub(crate) fn send(mut stream: &TcpStream, work: &Work) -> CpuTime {
    let octets = noise(work.block);
    // Where the kernel cannot, copying gives the same octets.
    let kernel = if work.zero_copy { KernelOctets::new(&octets).ok() } else { None };
    let mut pacer = work.pacer();
    loop {
        let goes_on = pacer.as_ref().map_or_else(|| !work.stop.is_set(), |pacer| work.paced(pacer));
        let wanted = work.budget.as_ref().map_or(work.block, |budget| budget.take(work.block));
        if !goes_on || wanted == 0 {
            break;
        }
        let sent = match &kernel {
            Some(kernel) => kernel.send(stream.as_fd(), wanted),
            None => stream.write(&octets[..wanted]),
        };
        let taken = *sent.as_ref().unwrap_or(&0);
        if let Some(budget) = work.budget.as_ref().filter(|_| taken < wanted) {
            budget.put_back(wanted - taken);
        }
        match sent {
            Ok(len) => {
                Meter::add(&work.meter.octets, len as u64);
                if let Some(pacer) = &mut pacer {
                    pacer.sent(len, work.now());
                }
            }
            Err(error) if is_pause(&error) => {}
            Err(_) => {
                work.meter.broken.store(true, Relaxed);
                break;
            }
        }
    }
    thread_cpu()
}

/// Receives until it is stopped or the other side ends the stream. Of what has arrived when it is stopped, one block
/// is counted.
pub(crate) fn receive(mut stream: &TcpStream, work: &Work) -> CpuTime {
    let mut octets = vec![0; work.block];
    let mut pacer = work.pacer();
    let mut last = false;
    loop {
        if let Some(pacer) = &pacer {
            work.paced(pacer);
        }
        if work.stop.is_set() && !std::mem::replace(&mut last, true) && stream.set_nonblocking(true).is_err() {
            break;
        }
        match stream.read(&mut octets) {
            Ok(0) => {
                work.meter.broken.store(true, Relaxed);
                break;
            }
            Ok(len) => {
                Meter::add(&work.meter.octets, len as u64);
                if let Some(pacer) = &mut pacer {
                    pacer.sent(len, work.now());
                }
                // A sender that does not end must not keep this thread for ever.
                if last {
                    break;
                }
            }
            Err(error) if is_pause(&error) => {
                if last {
                    break;
                }
            }
            Err(_) => {
                work.meter.broken.store(true, Relaxed);
                break;
            }
        }
    }
    thread_cpu()
}
