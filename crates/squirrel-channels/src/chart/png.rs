//! PNG, as much of it as pictures of few colours need. <https://www.w3.org/TR/png-3/>

use std::io::Write as _;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::canvas::{Canvas, PALETTE};

/// The file of a picture.
pub(super) fn encode(canvas: &Canvas) -> Vec<u8> {
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    let mut head = Vec::with_capacity(13);
    head.extend_from_slice(&(canvas.width as u32).to_be_bytes());
    head.extend_from_slice(&(canvas.height as u32).to_be_bytes());
    // Eight bits for each point, a palette, and the only methods there are.
    head.extend_from_slice(&[8, 3, 0, 0, 0]);
    chunk(&mut out, *b"IHDR", &head);
    chunk(&mut out, *b"PLTE", PALETTE.as_flattened());
    chunk(&mut out, *b"IDAT", &rows(canvas));
    chunk(&mut out, *b"IEND", &[]);
    out
}

/// The rows, each behind the octet that says it is not filtered.
fn rows(canvas: &Canvas) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in canvas.points.chunks_exact(canvas.width) {
        // A vector takes everything.
        let _ = encoder.write_all(&[0]).and_then(|()| encoder.write_all(row));
    }
    encoder.finish().unwrap_or_default()
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&crc.sum().to_be_bytes());
}
