//! An echo server with tokio, and a client of it: what each of them sees of its connections.
//!
//! `cargo run -p squirrel-monitor --features tokio-net --example echo`
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::io;
use std::net::SocketAddr;

use squirrel_monitor::io::{Instrumented, InstrumentedListener};
use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Sends back what comes, to the end.
async fn echo(mut stream: Instrumented<TcpStream>) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        let Some(octets) = buffer.get(..count).filter(|octets| !octets.is_empty()) else {
            return stream.shutdown().await;
        };
        stream.write_all(octets).await?;
    }
}

/// Answers `connections` connections, all at once.
async fn serve(listener: InstrumentedListener<TcpListener>, connections: usize) -> io::Result<()> {
    let mut running = JoinSet::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await?;
        running.spawn(echo(stream));
    }
    running.join_all().await.into_iter().collect()
}

/// Says `text` and returns what comes back.
async fn ask(monitor: &NetworkMonitor, server: SocketAddr, text: &str) -> io::Result<String> {
    let mut stream = monitor.recorder().connect_tcp(server).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Three questions and their answers.
async fn run(server: &NetworkMonitor, client: &NetworkMonitor) -> io::Result<Vec<String>> {
    let listener = InstrumentedListener::new(TcpListener::bind("127.0.0.1:0").await?, server.recorder());
    let address = listener.get_ref().local_addr()?;
    let asking = async {
        let mut answers = Vec::new();
        for text in ["hello", "", "how are you?"] {
            answers.push(ask(client, address, text).await?);
        }
        Ok(answers)
    };
    let (served, answers) = tokio::join!(serve(listener, 3), asking);
    served.and(answers)
}

async fn print(side: &str, monitor: &NetworkMonitor) {
    let (connections, bandwidth) = (monitor.get_connection_metrics().await, monitor.get_bandwidth_metrics().await);
    let transport = monitor.recorder().transport_metrics();
    println!(
        "{side}: {} connections, {} active; {} bytes received, {} transmitted; they lived {:?} at the median, and \
         waited {:?} for their first byte",
        connections.successful_connections,
        connections.active_connections,
        bandwidth.bytes_received,
        bandwidth.bytes_transmitted,
        transport.connection_lifetime.quantile(0.5).unwrap_or_default(),
        transport.time_to_first_byte.quantile(0.5).unwrap_or_default(),
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let [server, client] = [(); 2].map(|()| NetworkMonitor::new(NetworkConfig::default()));
    run(&server, &client).await?;
    print("server", &server).await;
    print("client", &client).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_sides_see_the_same_bytes() {
        let [server, client] = [(); 2].map(|()| NetworkMonitor::new(NetworkConfig::default()));
        assert_eq!(run(&server, &client).await.unwrap(), ["hello", "", "how are you?"]);
        for (side, monitor) in [("server", &server), ("client", &client)] {
            let bandwidth = monitor.get_bandwidth_metrics().await;
            assert_eq!((bandwidth.bytes_received, bandwidth.bytes_transmitted), (17, 17), "{side}");
            let connections = monitor.get_connection_metrics().await;
            assert_eq!((connections.successful_connections, connections.active_connections), (3, 0), "{side}");
            let transport = monitor.recorder().transport_metrics();
            assert_eq!(transport.connection_lifetime.count(), 3, "{side}");
            assert_eq!((transport.time_to_first_byte.count(), transport.io_errors), (2, vec![]), "{side}");
        }
    }
}
