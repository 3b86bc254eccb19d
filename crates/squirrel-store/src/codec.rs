//! Chunks: up to [`MAX_SAMPLES`] samples of one series in few bytes, exact to the bit.
//!
//! | byte | meaning |
//! |---|---|
//! | type | 0 constant, 1 decimal integers, 2 XOR, 3 reserved (pco), 4 irregular times, 5 reserved (native histograms) |
//! | flags | bits 0-2 decimal exponent, 3-4 delta order, 5 gaps, 6 odd values, 7 summary |
//! | count | varint |
//! | first time | zigzag varint, ms |
//! | step | varint, ms (type 4: inner value type, span, packed time deltas instead) |
//! | gaps | if flagged: runs of present samples and missing steps |
//! | first value | decimal integers only: zigzag varint |
//! | summary | if flagged, see [`Summary`] |
//! | odd values | if flagged: positions and bits of values that are no decimals (stale markers, NaN, infinities) |
//! | payload | by type |
//!
//! Decimal integers: the values are `n / 10^k` for whole `n`, checked bit by bit at encoding.
//! The differences of order 0, 1 or 2, whichever is shortest, are bit-packed in blocks of 64
//! (see `pack.rs`). A chunk carries no checksum: what holds chunks (block, log) has one.

pub(crate) mod decimal;
pub(crate) mod pack;
mod summary;
mod times;
mod xor;

use squirrel_model::{Samples, is_stale};

use crate::bytes::{Reader, put_varint, put_zigzag};
pub use summary::Summary;

/// Most samples that one chunk may hold.
pub const MAX_SAMPLES: usize = 1800;

/// The chunk types in use; other numbers are reserved.
mod kind {
    pub(super) const CONSTANT: u8 = 0;
    pub(super) const DECIMAL: u8 = 1;
    pub(super) const XOR: u8 = 2;
    pub(super) const IRREGULAR: u8 = 4;
}

mod flag {
    pub(super) const EXPONENT: u8 = 0b0000_0111;
    pub(super) const ORDER_SHIFT: u8 = 3;
    pub(super) const GAPS: u8 = 0b0010_0000;
    pub(super) const ODD: u8 = 0b0100_0000;
    pub(super) const SUMMARY: u8 = 0b1000_0000;
}

/// Why bytes are not a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end too early or contradict each other.
    #[error("the chunk's bytes are damaged")]
    Damaged,
    /// A chunk type that this version does not know.
    #[error("chunk type {0} is not known to this version of Squirrel; a newer one wrote it")]
    UnknownType(u8),
}

/// What a chunk says about itself before its payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Number of samples, stale markers among them.
    pub count: usize,
    /// Time of the first sample, ms.
    pub first_ms: i64,
    /// Time of the last sample, ms.
    pub last_ms: i64,
    /// Figures about the values, when the encoder was asked for them.
    pub summary: Option<Summary>,
}

/// Encodes chunks; holds memory that is used again from chunk to chunk.
#[derive(Debug, Default)]
pub struct Encoder {
    effort: pack::Effort,
    ints: Vec<i64>,
    deltas: Vec<i64>,
    odd: Vec<(usize, u64)>,
    /// The times of the last chunk and their grid: the series of a tick share their times.
    times: Vec<i64>,
    grid: Option<times::Grid>,
}

/// How the values of a chunk are written.
enum Shape {
    Constant,
    Decimal { exponent: u8 },
    Xor,
}

impl Encoder {
    /// An encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An encoder for chunks that are in memory for a while: quicker to write and to read, and a little larger.
    pub(crate) fn quick() -> Self {
        Self { effort: pack::Effort::Quick, ..Self::default() }
    }

    /// Writes the samples as one chunk at the end of `out`. Times must rise strictly; of columns of
    /// different length the shorter counts, and no more than [`MAX_SAMPLES`] are taken.
    /// Nothing is written for no samples.
    ///
    /// With `summarise` the chunk keeps figures about its values ([`Summary`]).
    pub fn encode(&mut self, times: &[i64], values: &[f64], summarise: bool, out: &mut Vec<u8>) {
        let n = times.len().min(values.len()).min(MAX_SAMPLES);
        let (Some(times), Some(values)) = (times.get(..n), values.get(..n)) else { return };
        let (Some(&first_ms), Some(&last_ms), Some(&first)) = (times.first(), times.last(), values.first()) else {
            return;
        };
        let shape = self.shape(values, first);
        if self.times != times {
            self.times.clear();
            self.times.extend_from_slice(times);
            self.grid = times::grid(times);
        }
        let order = match shape {
            Shape::Decimal { .. } => pack::choose_order(&self.ints, self.effort, &mut self.deltas),
            Shape::Constant | Shape::Xor => 0,
        };

        let value_kind = match shape {
            Shape::Constant => kind::CONSTANT,
            Shape::Decimal { .. } => kind::DECIMAL,
            Shape::Xor => kind::XOR,
        };
        let exponent = if let Shape::Decimal { exponent } = shape { exponent } else { 0 };
        let mut flags = exponent | (order << flag::ORDER_SHIFT);
        // The figures of a constant chunk follow from its value.
        let summarise = summarise && !matches!(shape, Shape::Constant);
        flags |= if summarise { flag::SUMMARY } else { 0 };
        flags |= if !matches!(shape, Shape::Decimal { .. }) || self.odd.is_empty() { 0 } else { flag::ODD };
        flags |= if self.grid.as_ref().is_some_and(|grid| !grid.gaps.is_empty()) { flag::GAPS } else { 0 };

        out.push(if self.grid.is_some() { value_kind } else { kind::IRREGULAR });
        out.push(flags);
        put_varint(out, n as u64);
        put_zigzag(out, first_ms);
        if let Some(grid) = &self.grid {
            times::put_grid(grid, out);
        } else {
            out.push(value_kind);
            put_varint(out, last_ms.wrapping_sub(first_ms) as u64);
            times::put_irregular(times, self.effort, &mut self.deltas, out);
        }
        self.put_values(&shape, order, values, summarise, out);
    }

    fn shape(&mut self, values: &[f64], first: f64) -> Shape {
        self.odd.clear();
        if values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return Shape::Constant;
        }
        match decimal::scale(values, &mut self.ints, &mut self.odd) {
            Some(exponent) => Shape::Decimal { exponent },
            None => Shape::Xor,
        }
    }

    fn put_values(&mut self, shape: &Shape, order: u8, values: &[f64], summarise: bool, out: &mut Vec<u8>) {
        match shape {
            Shape::Constant => decimal::put_absolute(values.first().copied().unwrap_or_default(), out),
            Shape::Decimal { .. } => {
                put_zigzag(out, self.ints.first().copied().unwrap_or_default());
                if summarise {
                    summary::put(values, if self.odd.is_empty() { &self.ints } else { &[] }, out);
                }
                if !self.odd.is_empty() {
                    put_odd(&self.odd, out);
                }
                pack::difference(&self.ints, order, &mut self.deltas);
                pack::put(&self.deltas, self.effort, out);
            }
            Shape::Xor => {
                if summarise {
                    summary::put(values, &[], out);
                }
                xor::put(values, out);
            }
        }
    }
}

fn put_odd(odd: &[(usize, u64)], out: &mut Vec<u8>) {
    put_varint(out, odd.len() as u64);
    let mut before = 0;
    for &(at, bits) in odd {
        put_varint(out, (at - before) as u64);
        out.extend_from_slice(&bits.to_le_bytes());
        before = at;
    }
}

/// A chunk read up to its values.
struct Opened<'a> {
    header: Header,
    value_kind: u8,
    flags: u8,
    first_int: i64,
    /// At the odd values or the payload.
    reader: Reader<'a>,
}

/// Reads what stands before the payload. `times` is filled only `with_times`.
fn open<'a>(bytes: &'a [u8], with_times: Option<&mut Vec<i64>>) -> Result<Opened<'a>, CodecError> {
    let mut reader = Reader::new(bytes);
    let outer = reader.u8().ok_or(CodecError::Damaged)?;
    if outer > kind::IRREGULAR || outer == 3 {
        return Err(CodecError::UnknownType(outer));
    }
    open_known(outer, &mut reader, with_times).ok_or(CodecError::Damaged)
}

fn open_known<'a>(outer: u8, reader: &mut Reader<'a>, with_times: Option<&mut Vec<i64>>) -> Option<Opened<'a>> {
    let flags = reader.u8()?;
    let count = reader.count().filter(|n| (1..=MAX_SAMPLES).contains(n))?;
    let first_ms = reader.zigzag()?;
    let (value_kind, last_ms) = if outer == kind::IRREGULAR {
        let value_kind = reader.u8().filter(|kind| *kind <= kind::XOR)?;
        let span = reader.varint()? as i64;
        times::read_irregular(reader, first_ms, count, with_times)?;
        (value_kind, first_ms.wrapping_add(span))
    } else {
        let (times, last_ms) = times::read_grid(reader, first_ms, count, flags & flag::GAPS != 0)?;
        if let Some(out) = with_times {
            times.expand(first_ms, count, out);
        }
        (outer, last_ms)
    };
    let exponent = flags & flag::EXPONENT;
    let first_int = if value_kind == kind::DECIMAL { reader.zigzag()? } else { 0 };
    let summary = if flags & flag::SUMMARY != 0 && value_kind != kind::CONSTANT {
        Some(summary::read(reader, first_int, exponent)?)
    } else if value_kind == kind::CONSTANT {
        decimal::read_absolute(&mut reader.clone()).map(|value| Summary::of_constant(value, count))
    } else {
        None
    };
    let header = Header { count, first_ms, last_ms, summary };
    Some(Opened { header, value_kind, flags, first_int, reader: *reader })
}

/// Reads what a chunk says about itself, without its values.
///
/// # Errors
/// When the bytes are not a chunk, or one of a type that this version does not know.
pub fn header(bytes: &[u8]) -> Result<Header, CodecError> {
    open(bytes, None).map(|opened| opened.header)
}

/// Decodes a chunk and adds its samples at the end of `out`. On an error `out` is as it was.
///
/// # Errors
/// When the bytes are not a chunk, or one of a type that this version does not know.
pub fn decode(bytes: &[u8], out: &mut Samples) -> Result<(), CodecError> {
    let before = (out.times.len(), out.values.len());
    let decoded = open(bytes, Some(&mut out.times)).and_then(|opened| {
        let count = opened.header.count;
        values(opened, &mut out.values).ok_or(CodecError::Damaged)?;
        let fits = out.times.len() == before.0 + count && out.values.len() == before.1 + count;
        if fits { Ok(()) } else { Err(CodecError::Damaged) }
    });
    if decoded.is_err() {
        out.times.truncate(before.0);
        out.values.truncate(before.1);
    }
    decoded
}

fn values(mut opened: Opened<'_>, out: &mut Vec<f64>) -> Option<()> {
    let count = opened.header.count;
    let reader = &mut opened.reader;
    match opened.value_kind {
        kind::CONSTANT => {
            let value = decimal::read_absolute(reader)?;
            out.resize(out.len() + count, value);
        }
        kind::DECIMAL => {
            let from = out.len();
            let odd = if opened.flags & flag::ODD != 0 { read_odd(reader, count)? } else { Vec::new() };
            let order = (opened.flags >> flag::ORDER_SHIFT) & 3;
            decimal::read_column(reader, opened.first_int, count, order, opened.flags & flag::EXPONENT, out)?;
            for (at, bits) in odd {
                *out.get_mut(from + at)? = f64::from_bits(bits);
            }
        }
        kind::XOR => xor::read(reader, count, out)?,
        _ => return None,
    }
    Some(())
}

fn read_odd(reader: &mut Reader<'_>, count: usize) -> Option<Vec<(usize, u64)>> {
    let n = reader.count().filter(|n| *n <= count)?;
    let mut odd = Vec::with_capacity(n);
    let mut at = 0;
    for _ in 0..n {
        at = reader.count()?.checked_add(at).filter(|at| *at < count)?;
        odd.push((at, reader.u64()?));
    }
    Some(odd)
}

/// Values that a summary leaves out: the series' end is not a measurement.
fn counts(value: f64) -> bool {
    !is_stale(value)
}

#[cfg(test)]
mod tests;
