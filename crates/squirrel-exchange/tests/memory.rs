//! What a message that is made to take the most memory takes. Alone in its process, whose peak is read.
#![forbid(unsafe_code)]

use squirrel_exchange::{Limits, otlp, remote_write};

/// The most resident memory of this process so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1_024
}

/// A field that has a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

/// A million attributes of one letter each, on points of no other content but a number.
fn attributes() -> Vec<u8> {
    let value = field(2, &field(1, b""));
    let attribute = field(7, &[field(1, b"a"), value].concat());
    let number = [vec![4 << 3 | 1], 1f64.to_le_bytes().to_vec()].concat();
    let point = field(1, &[attribute.repeat(50), number].concat());
    let metric = [field(1, b"m"), field(5, &point.repeat(20_000))].concat();
    field(1, &field(2, &field(2, &metric)))
}

/// A million samples of two octets, in one series.
fn samples() -> Vec<u8> {
    let name = field(1, &[field(1, b"__name__"), field(2, b"a")].concat());
    let series = field(1, &[name, [0x12, 0x00].repeat(1_000_000)].concat());
    snap::raw::Encoder::new().compress_vec(&series).expect("it is small")
}

#[test]
fn the_worst_message_takes_less_than_200_mb() {
    let (attributes, samples) = (attributes(), samples());
    let before = peak();
    let received = otlp::decode(&attributes, &Limits::default()).expect("it is within the limits");
    assert_eq!(received.resources[0].families[0].points.len(), 20_000);
    let for_attributes = peak() - before;
    assert!(for_attributes < 200_000_000, "{for_attributes} bytes for a request of {}", attributes.len());
    drop(received);
    let received = remote_write::decode(remote_write::Version::V1, &samples, &Limits::default()).expect("within");
    assert_eq!(received.samples(), 1_000_000);
    let for_both = peak() - before;
    assert!(for_both < 200_000_000, "{for_both} bytes for a request of {}", samples.len());
    println!(
        "{for_attributes} bytes for {} of OTLP; {for_both} with {} of remote write",
        attributes.len(),
        samples.len()
    );
}
