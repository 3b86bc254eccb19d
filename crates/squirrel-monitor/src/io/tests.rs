//! Wrapped connections over real sockets, and over transports that take little at a time.

mod blocking;
#[cfg(feature = "tokio-net")]
mod net;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Observe;
use crate::{NetworkConfig, Recorder};

fn recorder() -> Recorder {
    Recorder::new(&NetworkConfig::default())
}

/// Received, transmitted.
fn bytes(recorder: &Recorder) -> (u64, u64) {
    let totals = recorder.totals();
    (totals.received, totals.transmitted)
}

/// Two ends of a TCP connection on the loopback interface.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

/// Keeps what it sees.
#[derive(Debug, Default)]
struct Seen {
    received: Vec<u8>,
    sent: Vec<u8>,
    /// Of what was received, and of what was sent.
    ends: (usize, usize),
}

impl Observe for Seen {
    fn received(&mut self, octets: &[u8], _: Instant) {
        assert!(!octets.is_empty());
        self.received.extend(octets);
    }

    fn sent(&mut self, octets: &[u8], _: Instant) {
        assert!(!octets.is_empty());
        self.sent.extend(octets);
    }

    fn received_end(&mut self, _: Instant) {
        self.ends.0 += 1;
    }

    fn sent_end(&mut self, _: Instant) {
        self.ends.1 += 1;
    }
}

#[tokio::test]
async fn large_vectored_writes_in_parts_arrive_and_are_counted_once() {
    let recorder = recorder();
    let (near, mut far) = pair().await;
    let mut near = recorder.instrument(near).observed_by(Seen::default());
    assert!(near.is_write_vectored(), "as TCP is");
    assert_eq!(near.write_vectored(&[&b"a"[..], b"", b"bc"].map(IoSlice::new)).await.unwrap(), 3);
    assert_eq!((far.read_u8().await.unwrap(), far.read_u16().await.unwrap()), (b'a', 0x6263));
    near.observer_mut().sent.clear();
    let payload: Vec<u8> = (0..6_000_000u32).map(|i| (i % 251) as u8).collect();
    let expected = payload.clone();
    let reading = tokio::spawn(async move {
        let mut arrived = Vec::new();
        far.read_to_end(&mut arrived).await.map(|_| arrived)
    });
    let (mut sent, mut partial) = (0, 0);
    while sent < payload.len() {
        let rest = &payload[sent..];
        let parts: Vec<IoSlice<'_>> = rest.chunks(1_000_000).map(IoSlice::new).collect();
        let count = near.write_vectored(&parts).await.unwrap();
        partial += usize::from(count < rest.len());
        sent += count;
    }
    near.shutdown().await.unwrap();
    assert!(reading.await.unwrap().unwrap() == expected, "what arrived is what was sent");
    assert!(partial > 0, "the socket took everything at once");
    assert_eq!(bytes(&recorder), (0, 6_000_003));
    assert!(near.observer().sent == expected, "the observer saw it too");
}

#[tokio::test]
async fn a_half_closed_connection_still_answers() {
    let recorder = recorder();
    let (near, far) = pair().await;
    let (mut near, mut far) = (recorder.instrument(near).observed_by(Seen::default()), recorder.instrument(far));
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(near.observer().ends, (0, 1));
    let mut asked = String::new();
    far.read_to_string(&mut asked).await.unwrap();
    far.write_all(b"answer").await.unwrap();
    far.flush().await.unwrap();
    drop(far);
    let mut answered = String::new();
    near.read_to_string(&mut answered).await.unwrap();
    assert_eq!((asked.as_str(), answered.as_str(), bytes(&recorder)), ("question", "answer", (14, 14)));
    assert_eq!(near.observer().ends, (1, 1));
    let told = recorder.transport_metrics();
    assert_eq!((told.open_connections, told.connection_lifetime.count()), (1, 1));
    assert_eq!((told.time_to_first_byte.count(), told.io_errors), (2, vec![]));
}

#[tokio::test]
async fn a_reset_is_told_to_the_application_and_counted_by_kind() {
    let recorder = recorder();
    let (near, far) = pair().await;
    let mut near = recorder.instrument(near);
    far.set_zero_linger().unwrap();
    drop(far);
    let error = near.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(recorder.transport_metrics().io_errors, [("connection_reset", 1)]);
    let error = near.write_all(b"more").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(recorder.transport_metrics().io_errors, [("connection_reset", 1), ("broken_pipe", 1)]);
    assert_eq!(bytes(&recorder), (0, 0));
}

#[tokio::test]
async fn a_cancelled_read_loses_nothing_and_counts_nothing() {
    let recorder = recorder();
    let (near, mut far) = pair().await;
    let mut near = recorder.instrument(near);
    {
        let mut buffer = [0; 8];
        let mut reading = std::pin::pin!(near.read(&mut buffer));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(reading.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(bytes(&recorder), (0, 0));
    far.write_all(b"late").await.unwrap();
    let mut buffer = [0; 4];
    near.read_exact(&mut buffer).await.unwrap();
    assert_eq!((&buffer, bytes(&recorder)), (b"late", (4, 0)));
}

#[tokio::test]
async fn a_connection_that_is_dropped_without_shutdown_has_ended() {
    let recorder = recorder();
    let (near, mut far) = pair().await;
    let near = recorder.instrument(near);
    let handled = tokio::spawn(async move {
        let _near = near;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    assert_eq!(recorder.connection_metrics().active_connections, 1);
    handled.abort();
    assert!(handled.await.unwrap_err().is_cancelled());
    assert_eq!(recorder.connection_metrics().active_connections, 0);
    assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0, "the socket is closed");
    assert_eq!(recorder.transport_metrics().connection_lifetime.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn lifetime_and_first_byte_are_measured_from_the_wrapping() {
    let recorder = recorder();
    let (near, mut far) = tokio::io::duplex(64);
    let mut near = recorder.instrument(near);
    for _ in 0..2 {
        tokio::time::advance(Duration::from_secs(1)).await;
        far.write_all(b"x").await.unwrap();
        near.read_u8().await.unwrap();
    }
    assert_eq!(recorder.transport_metrics().time_to_first_byte.mean(), Some(Duration::from_secs(1)));
    let _bare = near.into_inner();
    let told = recorder.transport_metrics();
    assert_eq!((told.connection_lifetime.mean(), told.open_connections), (Some(Duration::from_secs(2)), 0));
}

/// Takes and gives three octets at a time.
struct Narrow(Vec<u8>);

impl AsyncWrite for Narrow {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Write::write(&mut *self, octets))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::from(io::ErrorKind::NotConnected)))
    }
}

impl io::Write for Narrow {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.extend(octets.iter().take(3));
        Ok(octets.len().min(3))
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::TimedOut))
    }
}

#[tokio::test]
async fn errors_of_flush_and_shutdown_are_counted_and_what_is_not_vectored_stays_so() {
    let recorder = recorder();
    let mut near = recorder.instrument(Narrow(Vec::new()));
    assert!(!near.is_write_vectored());
    near.write_all(b"12345678").await.unwrap();
    assert_eq!(near.flush().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(near.shutdown().await.unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!((near.get_ref().0.as_slice(), bytes(&recorder)), (&b"12345678"[..], (0, 8)));
    assert_eq!(recorder.transport_metrics().io_errors, [("not_connected", 1), ("timed_out", 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_inspection_sees_the_messages_of_its_connection() {
    let monitor = crate::NetworkMonitor::new(NetworkConfig::default());
    let (near, mut far) = pair().await;
    let inspection = monitor.inspection_as("jsonrpc", crate::Role::Server).unwrap();
    let mut near = monitor.recorder().instrument(near).observed_by(inspection);
    let (asked, answer) = (
        r#"{"jsonrpc":"2.0","id":1,"method":"sum"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#,
    );
    far.write_all(asked.as_bytes()).await.unwrap();
    far.write_all(b"\n").await.unwrap();
    near.read_exact(&mut vec![0; asked.len() + 1]).await.unwrap();
    tokio::time::advance(Duration::from_millis(7)).await;
    near.write_all(answer.as_bytes()).await.unwrap();
    near.write_all(b"\n").await.unwrap();
    let [sum] = <[_; 1]>::try_from(monitor.message_types()).unwrap();
    assert_eq!((sum.message_type.as_str(), sum.received, sum.sent, sum.failed), ("sum", 1, 1, 1));
    assert_eq!(sum.latency.mean(), Some(Duration::from_millis(7)));
}
