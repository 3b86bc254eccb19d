//! Codecs whose messages come whole, in pieces, and broken.

use squirrel_monitor::{NetworkConfig, NetworkMonitor};
use tokio_util::bytes::{Buf as _, BufMut as _};

use super::*;

/// A length of one octet, and so many octets. It takes the length as soon as it is there.
#[derive(Default)]
struct Prefixed(Option<usize>);

impl Decoder for Prefixed {
    type Item = Vec<u8>;
    type Error = std::io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Vec<u8>>, std::io::Error> {
        if self.0.is_none() && !source.is_empty() {
            self.0 = Some(source.get_u8().into());
        }
        match self.0 {
            Some(0) => Err(std::io::ErrorKind::InvalidData.into()),
            Some(length) if source.len() >= length => {
                self.0 = None;
                Ok(Some(source.split_to(length).to_vec()))
            }
            _ => Ok(None),
        }
    }
}

impl Encoder<Vec<u8>> for Prefixed {
    type Error = std::io::Error;

    fn encode(&mut self, item: Vec<u8>, target: &mut BytesMut) -> Result<(), std::io::Error> {
        let length = u8::try_from(item.len()).map_err(|_| std::io::ErrorKind::InvalidInput)?;
        target.put_u8(length);
        target.put_slice(&item);
        Ok(())
    }
}

#[expect(clippy::ptr_arg, reason = "it is shown the codec's messages, which are vectors")]
fn first(message: &Vec<u8>) -> &str {
    if message.first() == Some(&b'A') { "a" } else { "rest" }
}

/// Type, received, received bytes, sent, sent bytes.
fn told(monitor: &NetworkMonitor) -> Vec<(String, u64, u64, u64, u64)> {
    let rows = monitor.message_types().into_iter();
    rows.map(|t| (t.message_type, t.received, t.received_bytes, t.sent, t.sent_bytes)).collect()
}

#[test]
fn a_message_in_pieces_is_counted_once_and_whole() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let mut codec = Codec::new(Prefixed::default(), monitor.recorder(), first, first);
    let (mut buffer, mut decoded) = (BytesMut::new(), Vec::new());
    for octet in *b"\x03Axx\x01b\x02Ay" {
        buffer.put_u8(octet);
        decoded.extend(codec.decode(&mut buffer).expect("decodes"));
    }
    assert_eq!(decoded, [b"Axx".to_vec(), b"b".to_vec(), b"Ay".to_vec()]);
    assert_eq!(told(&monitor), [("a".to_owned(), 2, 7, 0, 0), ("rest".to_owned(), 1, 2, 0, 0)]);
}

#[test]
fn what_is_encoded_is_sent_and_errors_are_counted() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let mut codec = Codec::new(Prefixed::default(), monitor.recorder(), first, first);
    let mut buffer = BytesMut::from(&b"before"[..]);
    codec.encode(b"Abc".to_vec(), &mut buffer).expect("encodes");
    assert_eq!(&buffer[..], b"before\x03Abc");
    codec.encode(vec![b'A'; 300], &mut buffer).expect_err("is too long");
    codec.decode(&mut BytesMut::from(&[0u8][..])).expect_err("is empty");
    assert_eq!(told(&monitor), [("a".to_owned(), 0, 0, 1, 4)]);
    let mut only = Codec::encoder(Prefixed::default(), monitor.recorder(), first);
    only.encode(b"zz".to_vec(), &mut buffer).expect("encodes");
    assert_eq!(told(&monitor)[1], ("rest".to_owned(), 0, 0, 1, 3));
    let mut errors: Vec<_> = monitor.recorder().protocol_metrics().protocol_errors.into_iter().collect();
    errors.sort_unstable();
    assert_eq!(errors, [("decode".to_owned(), 1), ("encode".to_owned(), 1)]);
}

#[test]
fn the_last_message_may_come_with_the_end() {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    let lines = tokio_util::codec::LinesCodec::new();
    let mut codec = Codec::decoder(lines, monitor.recorder(), |line| if line == "x" { "x" } else { "y" });
    let mut buffer = BytesMut::from(&b"x\ny"[..]);
    while codec.decode(&mut buffer).expect("decodes").is_some() {}
    assert_eq!(codec.decode_eof(&mut buffer).expect("decodes").as_deref(), Some("y"));
    assert_eq!(told(&monitor), [("x".to_owned(), 1, 2, 0, 0), ("y".to_owned(), 1, 1, 0, 0)]);
}
