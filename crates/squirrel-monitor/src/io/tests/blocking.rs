//! Reading and writing as the standard library does.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};

use proptest::prelude::*;

use super::super::{Instrumented, InstrumentedListener, Observe};
use super::{Narrow, Seen, bytes, recorder};

/// Two ends of a TCP connection on the loopback interface.
fn blocking_pair() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

#[test]
fn blocking_sockets_read_and_write_vectored() {
    let recorder = recorder();
    let (near, far) = blocking_pair();
    let mut near = recorder.instrument(near).observed_by(Seen::default());
    let mut far = recorder.instrument(far).observed_by(Seen::default());
    let parts = [&b"one "[..], b"", b"two ", b"three"].map(IoSlice::new);
    assert_eq!(near.write_vectored(&parts).unwrap(), 13);
    near.flush().unwrap();
    near.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    let (mut first, mut second) = ([0u8; 5], [0u8; 100]);
    let count = far.read_vectored(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)]).unwrap();
    assert_eq!((count, &first, &second[..8]), (13, b"one t", &b"wo three"[..]));
    assert_eq!((far.read(&mut []).unwrap(), far.observer().ends), (0, (0, 0)), "room for nothing is no end");
    assert_eq!((far.read(&mut [0; 8]).unwrap(), far.observer().ends), (0, (1, 0)));
    assert_eq!(
        (near.observer().sent.as_slice(), far.observer().received.as_slice()),
        (&b"one two three"[..], &b"one two three"[..])
    );
    assert_eq!(bytes(&recorder), (13, 13));
}

#[test]
fn a_socket_that_would_block_has_no_error() {
    let recorder = recorder();
    let (near, _far) = blocking_pair();
    let mut near = recorder.instrument(near);
    near.get_ref().set_nonblocking(true).unwrap();
    assert_eq!(near.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(recorder.transport_metrics().io_errors, []);
    assert_eq!(recorder.transport_metrics().time_to_first_byte.count(), 0);
}

#[test]
fn a_listener_counts_what_it_accepts_and_not_that_there_is_nothing() {
    let recorder = recorder();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = InstrumentedListener::new(listener, &recorder);
    listener.get_ref().set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(recorder.connection_metrics().connection_attempts, 0);
    listener.get_ref().set_nonblocking(false).unwrap();
    let _far = std::net::TcpStream::connect(listener.get_ref().local_addr().unwrap()).unwrap();
    let (_near, _) = listener.accept().unwrap();
    let connections = recorder.connection_metrics();
    assert_eq!((connections.successful_connections, connections.active_connections), (1, 1));
}

#[test]
fn a_wrapped_connection_may_be_sent_and_moved_as_the_bare_one() {
    fn assert_free<T: Send + Sync + Unpin + 'static>(wrapped: T) {
        assert_eq!(std::thread::spawn(move || drop(wrapped)).join().ok(), Some(()));
    }
    let recorder = recorder();
    assert_free(recorder.instrument(blocking_pair().0));
    assert_eq!(recorder.transport_metrics().connection_lifetime.count(), 1);
}

#[test]
fn parts_are_handed_on_without_ending_the_connection() {
    let recorder = recorder();
    let (near, guard, ()) = recorder.instrument(io::Cursor::new(vec![1u8])).into_parts();
    assert_eq!((near.get_ref().len(), recorder.connection_metrics().active_connections), (1, 1));
    drop(guard);
    assert_eq!(recorder.connection_metrics().active_connections, 0);
}

#[cfg(unix)]
#[test]
fn the_descriptor_is_that_of_the_socket() {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    let (near, _far) = blocking_pair();
    let descriptor = near.as_raw_fd();
    let near = recorder().instrument(near);
    assert_eq!(
        (near.as_raw_fd(), near.as_fd().as_raw_fd(), near.as_ref().as_raw_fd()),
        (descriptor, descriptor, descriptor)
    );
}

#[test]
fn an_observer_is_chosen_at_run_time_or_absent() {
    let boxed: Box<dyn Observe + Send> = Box::new(Seen::default());
    let mut near: Instrumented<_, Box<dyn Observe + Send>> = recorder().instrument(&b"abc"[..]).observed_by(boxed);
    assert_eq!((near.read(&mut [0; 8]).unwrap(), near.observer().watches()), (3, true));
    let mut none = recorder().instrument(&b"abc"[..]).observed_by(None::<Seen>);
    assert_eq!((none.read(&mut [0; 8]).unwrap(), none.observer().watches()), (3, false));
}

proptest! {
    #[test]
    fn exactly_what_was_taken_is_counted_and_shown(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..6)) {
        let recorder = recorder();
        let mut near = recorder.instrument(Narrow(Vec::new())).observed_by(Seen::default());
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let count = near.write_vectored(&slices).unwrap();
        for part in &parts {
            _ = near.write(part).unwrap();
        }
        prop_assert!(count <= 3);
        prop_assert_eq!(&near.observer().sent, &near.get_ref().0);
        prop_assert_eq!(bytes(&recorder).1, near.get_ref().0.len() as u64);
    }
}
