//! Listeners and connecting.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{bytes, recorder};
use crate::io::InstrumentedListener;

#[tokio::test]
async fn accepted_connections_are_attempts_without_a_time() {
    let recorder = recorder();
    let listener = InstrumentedListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &recorder);
    let mut far = TcpStream::connect(listener.get_ref().local_addr().unwrap()).await.unwrap();
    let (mut near, address) = listener.accept().await.unwrap();
    assert_eq!(address, far.local_addr().unwrap());
    far.write_all(b"hello").await.unwrap();
    near.read_exact(&mut [0; 5]).await.unwrap();
    let connections = recorder.connection_metrics();
    assert_eq!((connections.successful_connections, connections.active_connections), (1, 1));
    assert_eq!((connections.avg_connection_time, bytes(&recorder)), (Duration::ZERO, (5, 0)));
    let polled = std::future::poll_fn(|context| listener.poll_accept(context));
    let (polled, again) = tokio::join!(polled, TcpStream::connect(listener.get_ref().local_addr().unwrap()));
    assert_eq!(polled.unwrap().1, again.unwrap().local_addr().unwrap());
    assert_eq!(recorder.connection_metrics().successful_connections, 2);
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_are_accepted_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let recorder = recorder();
    let listener = InstrumentedListener::new(tokio::net::UnixListener::bind(&path).unwrap(), &recorder);
    let (near, far) = tokio::join!(listener.accept(), tokio::net::UnixStream::connect(&path));
    let (mut near, mut far) = (near.unwrap().0, far.unwrap());
    near.write_all(b"hi").await.unwrap();
    far.read_exact(&mut [0; 2]).await.unwrap();
    assert_eq!((bytes(&recorder), recorder.connection_metrics().successful_connections), ((0, 2), 1));
}

#[tokio::test]
async fn connecting_tells_names_from_tcp() {
    let recorder = recorder();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = recorder.connect_tcp(("localhost", listener.local_addr().unwrap().port())).await;
    assert_eq!(near.unwrap().get_ref().peer_addr().unwrap(), listener.local_addr().unwrap());
    let phases = recorder.transport_metrics().connect_phases;
    assert_eq!(phases.iter().map(|phase| phase.time.count()).collect::<Vec<_>>(), [1, 1, 0]);
    let connections = recorder.connection_metrics();
    assert_eq!((connections.successful_connections, connections.failed_connections), (1, 0));
}

#[tokio::test]
async fn a_refused_connection_fails_in_its_phase() {
    let recorder = recorder();
    // A port that was free a moment ago: bound without listening, it refuses for as long as it is held.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = recorder.connect_tcp(held.local_addr().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    let told = recorder.transport_metrics();
    assert_eq!(told.connect_phases.iter().map(|phase| phase.failures).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!((told.io_errors, told.open_connections), (vec![("connection_refused", 1)], 0));
    assert_eq!(recorder.connection_metrics().error_rate, 100.0);
}

#[test]
fn a_connection_that_is_given_up_has_failed() {
    let recorder = recorder();
    // The only thread that could look the name up is busy until the connection is given up.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    runtime.block_on(async {
        let busy = tokio::task::spawn_blocking(move || held.recv().is_err());
        {
            let mut connecting = std::pin::pin!(recorder.connect_tcp(("localhost", 9)));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(connecting.as_mut().poll(&mut context).is_pending());
        }
        drop(release);
        assert!(busy.await.unwrap());
    });
    let phases = recorder.transport_metrics().connect_phases;
    assert_eq!(phases.iter().map(|phase| phase.failures).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(recorder.connection_metrics().failed_connections, 1);
}
