//! `io.prometheus.write.v2.Request`: each text stands once, in a table.

use std::collections::HashMap;
use std::sync::Arc;

use squirrel_model::Timestamp;

use super::Reading;
use crate::protobuf::{Content, Reader, Writer};
use crate::{DecodeError, Kind, Metadata, Sample, Series};

/// The table of texts while it is made. The first text is empty.
struct Symbols<'a> {
    places: HashMap<&'a str, u64>,
    texts: Vec<&'a str>,
}

impl<'a> Symbols<'a> {
    fn place(&mut self, text: &'a str) -> u64 {
        *self.places.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u64 - 1
        })
    }
}

pub(super) fn encode(series: &[Series]) -> Vec<u8> {
    let mut symbols = Symbols { places: HashMap::from([("", 0)]), texts: vec![""] };
    let mut rest = Writer::default();
    for one in series {
        rest.message(5, |out| {
            let references: Vec<u64> =
                one.labels.iter().flat_map(|(name, value)| [name, value]).map(|text| symbols.place(text)).collect();
            out.packed_varints(1, references);
            for sample in &one.samples {
                out.message(2, |out| {
                    out.double(1, sample.value);
                    out.varint(2, sample.at.millis() as u64);
                    out.varint(3, sample.start.map_or(0, |start| start.millis() as u64));
                });
            }
            if !one.metadata.is_empty() {
                let (help, unit) = (symbols.place(&one.metadata.help), symbols.place(&one.metadata.unit));
                out.message(5, |out| {
                    out.varint(1, one.metadata.kind.number());
                    out.varint(3, help);
                    out.varint(4, unit);
                });
            }
        });
    }
    let mut request = Writer::default();
    // Also the empty one is written: places count.
    symbols.texts.iter().for_each(|text| request.octets(4, text.as_bytes()));
    request.0.append(&mut rest.0);
    request.0
}

const NO_SYMBOL: DecodeError =
    DecodeError::Malformed { format: "remote write 2.0", reason: "a reference to a symbol that is not there" };

pub(super) fn decode(request: Reader<'_>, reading: &mut Reading<'_>) -> Result<(), DecodeError> {
    let limits = reading.limits;
    // The order of fields is free, so the symbols are looked for first.
    let mut symbols: Vec<&str> = Vec::new();
    let mut fields = request;
    let most = limits.max_series.saturating_mul(4);
    while let Some((number, content)) = fields.field()? {
        if number == 4 {
            if symbols.len() >= most {
                return Err(DecodeError::TooLarge { what: "symbols", limit: most });
            }
            symbols.push(content.text(usize::MAX)?);
        }
    }
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(DecodeError::Malformed { format: "remote write 2.0", reason: "the first symbol is not empty" });
    }
    let mut reader = Symbolic { symbols, shared: HashMap::new() };
    let mut fields = request;
    while let Some((number, content)) = fields.field()? {
        if number == 5 {
            reader.series(content.message()?, reading)?;
        }
    }
    Ok(())
}

struct Symbolic<'a> {
    symbols: Vec<&'a str>,
    /// Help and unit texts that series share.
    shared: HashMap<&'a str, Arc<str>>,
}

impl<'a> Symbolic<'a> {
    fn symbol(&self, place: u64) -> Result<&'a str, DecodeError> {
        usize::try_from(place).ok().and_then(|place| self.symbols.get(place)).copied().ok_or(NO_SYMBOL)
    }

    fn series(&mut self, mut message: Reader<'_>, reading: &mut Reading<'_>) -> Result<(), DecodeError> {
        reading.count_series()?;
        let (mut references, mut samples, mut metadata) = (Vec::new(), Vec::new(), Metadata::default());
        // One pair more than allowed, so that the excess is seen, is all that is kept of it.
        let most = 2 * reading.limits.max_labels + 2;
        while let Some((number, content)) = message.field()? {
            match number {
                1 => some_references(content, &mut references, most)?,
                2 => {
                    reading.count_sample()?;
                    samples.push(sample(content.message()?)?);
                }
                3 => reading.out.histograms += 1,
                4 => reading.out.exemplars += 1,
                5 => metadata = self.metadata(content.message()?, reading)?,
                _ => {}
            }
        }
        let mut pairs = Vec::with_capacity(references.len() / 2);
        for pair in references.chunks(2) {
            match pair {
                [name, value] => pairs.push((self.symbol(*name)?, self.symbol(*value)?)),
                _ => return Err(NO_SYMBOL),
            }
        }
        let labels = reading.labels(&pairs);
        reading.put(labels, metadata, samples);
        Ok(())
    }

    fn metadata(&mut self, mut message: Reader<'_>, reading: &Reading<'_>) -> Result<Metadata, DecodeError> {
        let (mut kind, mut help, mut unit) = (Kind::Unknown, 0, 0);
        while let Some((number, content)) = message.field()? {
            match number {
                1 => kind = Kind::of_number(content.number()?),
                3 => help = content.number()?,
                4 => unit = content.number()?,
                _ => {}
            }
        }
        let (help, unit) = (self.symbol_or_empty(help)?, self.symbol_or_empty(unit)?);
        let limit = reading.limits.max_value;
        if help.len() > limit || unit.len() > limit {
            return Err(DecodeError::TooLarge { what: "octets of a text", limit });
        }
        let mut shared = |text| Arc::clone(self.shared.entry(text).or_insert_with(|| text.into()));
        Ok(Metadata { kind, unit: shared(unit), help: shared(help) })
    }

    /// A request without metadata may have no table at all.
    fn symbol_or_empty(&self, place: u64) -> Result<&'a str, DecodeError> {
        if place == 0 { Ok("") } else { self.symbol(place) }
    }
}

/// References beyond `most` end the list there: the series is refused for its number of labels.
fn some_references(content: Content<'_>, out: &mut Vec<u64>, most: usize) -> Result<(), DecodeError> {
    match content.varints(out, most) {
        Err(DecodeError::TooLarge { .. }) => Ok(()),
        result => result,
    }
}

fn sample(mut message: Reader<'_>) -> Result<Sample, DecodeError> {
    let mut sample = Sample { at: Timestamp(0), value: 0.0, start: None };
    while let Some((number, content)) = message.field()? {
        match number {
            1 => sample.value = content.double()?,
            2 => sample.at = Timestamp(content.number()? as i64),
            3 => sample.start = Some(content.number()? as i64).filter(|start| *start != 0).map(Timestamp),
            _ => {}
        }
    }
    Ok(sample)
}
