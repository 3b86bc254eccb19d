//! What the tests' servers share.

use tokio::io::AsyncReadExt as _;

/// The next request of a connection: its head and its body.
pub(crate) async fn request(stream: &mut tokio::net::TcpStream) -> Option<(String, Vec<u8>)> {
    let mut octets = Vec::new();
    loop {
        if let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&octets[..end + 2]).into_owned();
            let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
            if octets.len() >= end + 4 + length {
                return Some((head, octets.split_off(end + 4)));
            }
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
